"""Memory and layouts of this backend: aligned arrays, and canonical weights to panels and back.

Canonical: gates i, f, g, o; W (n_in, 4 H), U (H, 4 H), b (4 H,); a dense layer has W (n_in, n_out),
b (n_out,). Here: the matrix [b; W; U] (or [b; W]) panelled as in `gemm`, padded columns zero. A
panel of an LSTM holds the gates of some units side by side, see `lstm`.
"""

from math import prod

import numpy as np

from .target import CACHE_LINE, VECTOR_BYTES
from .tile import PANEL_VECTORS

GATES = 4


def lanes(dtype):
    """Elements of a vector register."""
    return VECTOR_BYTES // np.dtype(dtype).itemsize


def padded(n, dtype):
    """`n`, rounded up to whole vectors."""
    L = lanes(dtype)
    return -(-n // L) * L


def row_stride(n, dtype):
    """Elements from row to row for `n` columns: an odd number of cache lines, or the rows would
    share few cache sets.
    """
    line = CACHE_LINE // np.dtype(dtype).itemsize
    return (-(-n // line) | 1) * line


def zeros(shape, dtype):
    """An array of zeros that starts with a cache line, as the widest vector wants it, too."""
    return _aligned(np.zeros, shape, dtype)


def empty(shape, dtype):
    """The same, but with arbitrary elements."""
    return _aligned(np.empty, shape, dtype)


def _aligned(make, shape, dtype):
    dtype = np.dtype(dtype)
    size = (prod(shape) if isinstance(shape, tuple) else shape) * dtype.itemsize
    memory = make(size + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def panel_columns(n_columns, dtype):
    """Columns of a panel; the last one may have fewer."""
    return PANEL_VECTORS * lanes(dtype)


def panels(flat, n_rows, n_columns):
    """Views of a panelled matrix in a flat array: a list of (n_rows, width)."""
    width = panel_columns(n_columns, flat.dtype)
    return [
        flat[start * n_rows : min(start + width, n_columns) * n_rows].reshape(n_rows, -1)
        for start in range(0, n_columns, width)
    ]


def pack(matrix, flat):
    """A matrix into a flat panelled one, whose further columns become zero."""
    n_rows, n_columns = matrix.shape
    start = 0
    for panel in panels(flat, n_rows, flat.size // n_rows):
        used = max(0, min(panel.shape[1], n_columns - start))
        panel[:, :used] = matrix[:, start : start + used]
        panel[:, used:] = 0
        start += panel.shape[1]


def unpack(flat, n_rows):
    """A flat panelled matrix as a new array (n_rows, all its columns)."""
    return np.concatenate(panels(flat, n_rows, flat.size // n_rows), axis=1)


# ---- LSTM ----------------------------------------------------------------------------------------


def gate_columns(n_units, dtype):
    """4 Hg: the columns of an LSTM's weights and gates."""
    granule = max(1, lanes(dtype) // GATES)
    return -(-n_units // granule) * granule * GATES


def _units_of_panels(flat, n_rows, n_units):
    """For each panel of an LSTM's gates: the units that it has of n_units, and a view (n_rows, 4, units)
    whose further units are padding.
    """
    columns, first = flat.size // n_rows, 0
    for panel in panels(flat, n_rows, columns):
        gates = panel.reshape(n_rows, GATES, -1)
        yield slice(first, min(first + gates.shape[2], n_units)), gates
        first += gates.shape[2]


def pack_lstm(b, W, U, flat):
    """Canonical weights into a flat panelled matrix (1 + n_in + n_units, 4 Hg)."""
    n_rows, n_units = 1 + len(W) + len(U), len(U)
    parts = (slice(0, 1), b), (slice(1, 1 + len(W)), W), (slice(1 + len(W), n_rows), U)
    for units, gates in _units_of_panels(flat, n_rows, n_units):
        used = units.stop - units.start
        gates[:, :, used:] = 0
        for rows, array in parts:
            gates[rows, :, :used] = array.reshape(-1, GATES, n_units)[:, :, units]


def unpack_lstm(flat, n_in, n_units):
    """The flat panelled matrix to canonical (b, W, U), as new arrays."""
    matrix = _side_by_side(flat, 1 + n_in + n_units, n_units)
    return matrix[0].copy(), matrix[1 : 1 + n_in].copy(), matrix[1 + n_in :].copy()


def unpack_gates(flat, n_rows, n_units):
    """The flat panelled gates of `n_rows` slots as new arrays, one for each: (4, n_rows, H)."""
    return np.stack(np.split(_side_by_side(flat, n_rows, n_units), GATES, axis=1))


def _side_by_side(flat, n_rows, n_units):
    """A flat panelled matrix as (n_rows, 4 H): one gate beside the other, without padding."""
    matrix = np.empty((n_rows, GATES, n_units), flat.dtype)
    for units, gates in _units_of_panels(flat, n_rows, n_units):
        matrix[:, :, units] = gates[:, :, : units.stop - units.start]
    return matrix.reshape(n_rows, -1)


# ---- dense ---------------------------------------------------------------------------------------


def pack_dense(b, W, flat):
    """Canonical weights into a flat panelled matrix (1 + n_in, n_out padded)."""
    pack(np.concatenate([b[None], W]), flat)


def unpack_dense(flat, n_in, n_out):
    """The flat panelled matrix to canonical (b, W), as new arrays."""
    matrix = unpack(flat, 1 + n_in)[:, :n_out]
    return matrix[0].copy(), matrix[1:].copy()


# ---- GRU -----------------------------------------------------------------------------------------
# Canonical: gates r, u, n; W (n_in, 3 H), U (H, 3 H), b (3 H,), and b_n (H,), the bias of the
# recurrent part of n. Here: panels as of an LSTM, with n, r, u, m: n reads the inputs, m the states.


def pack_gru(b, W, U, b_n, flat):
    """Canonical weights into a flat panelled matrix (1 + n_in + n_units, 4 Hg); b_n: zeros where
    the reset gate stands before the product.
    """
    H = len(U)
    b, W, U = (np.roll(array, H, axis=-1) for array in (b, W, U))  # n, r, u
    W = np.concatenate([W, np.zeros_like(W[:, :H])], axis=1)
    U = np.concatenate([np.zeros_like(U[:, :H]), U[:, H:], U[:, :H]], axis=1)
    pack_lstm(np.concatenate([b, b_n]), W, U, flat)


def unpack_gru(flat, n_in, n_units):
    """The flat panelled matrix to canonical (b, W, U, b_n), as new arrays."""
    H, (b, W, U) = n_units, unpack_lstm(flat, n_in, n_units)
    b, W, U, b_n = b[: 3 * H], W[:, : 3 * H], U[:, H:], b[3 * H :].copy()
    return np.roll(b, -H), np.roll(W, -H, axis=1), U.copy(), b_n


def _gru_panels(flat, n_in, n_units):
    """The recurrent rows of n and m, and the input rows of m: a triple of views for each panel."""
    K, split = 1 + n_in + n_units, 1 + n_in
    for panel in panels(flat, K, gate_columns(n_units, flat.dtype)):
        units = panel.shape[1] // GATES
        yield panel[split:, :units], panel[split:, 3 * units :], panel[1:split, 3 * units :]


def clear_gru(gradient, n_in, n_units):
    """Set the gradient to zero where the weights are zero by construction, so that no solver moves
    them.
    """
    for states_to_n, _, inputs_to_m in _gru_panels(gradient, n_in, n_units):
        states_to_n[:] = 0
        inputs_to_m[:] = 0


def take_candidate(V, weights, n_in, n_units):
    """U_n out of a GRU's weights, as a panelled matrix V (n_units, units padded) of its own."""
    pack(np.concatenate([U_n for _, U_n, _ in _gru_panels(weights, n_in, n_units)], axis=1), V)


def put_candidate(gradient, dV, n_in, n_units):
    """Write dV, the gradient of V, to its place in the gradient of the weights: the inverse of
    `take_candidate`. The gradient is cleared as by `clear_gru`.
    """
    clear_gru(gradient, n_in, n_units)
    dU_n, start = unpack(dV, n_units), 0
    for _, dU_m, _ in _gru_panels(gradient, n_in, n_units):
        dU_m[:] = dU_n[:, start : start + dU_m.shape[1]]
        start += dU_m.shape[1]


# ---- plain recurrent layer -----------------------------------------------------------------------


def pack_rnn(b, W, U, flat):
    """Canonical weights into a flat panelled matrix (1 + n_in + n_units, units padded)."""
    pack(np.concatenate([b[None], W, U]), flat)


def unpack_rnn(flat, n_in, n_units):
    """The flat panelled matrix to canonical (b, W, U), as new arrays."""
    matrix = unpack(flat, 1 + n_in + n_units)[:, :n_units]
    return matrix[0].copy(), matrix[1 : 1 + n_in].copy(), matrix[1 + n_in :].copy()
