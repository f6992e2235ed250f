"""Layouts of this backend: everything row-major, without padding.

A "panelled" matrix is a single panel, so a flat array with plain rows. Weights are [b; W; U] (or
[b; W]), (1 + n_in + n_units, columns); an LSTM's columns are the gates i, f, g, o one beside the
other, those of a GRU n, r, u, m. Canonical arrays are of the host, as ``cpu.layout`` describes them;
weights and gates are of the device (those of the host can be unpacked, too).
"""

import numpy as np

from .memory import to_host

GATES = 4


def lanes(dtype):
    """Rows need no whole vectors: threads take single elements."""
    return 1


def padded(n, dtype):
    """`n`: nothing is padded."""
    return n


def row_stride(n, dtype):
    """Elements from row to row for `n` columns: `n`."""
    return n


def panel_columns(n_columns, dtype):
    """How many columns of a panelled matrix lie side by side: all."""
    return n_columns


def panels(flat, n_rows, n_columns):
    """A panelled matrix in a flat array as a list of 2-D views: of one."""
    return [flat[: n_rows * n_columns].reshape(n_rows, n_columns)]


def _pack(flat, *arrays):
    """Vectors and matrices, one under the other, into a flat matrix."""
    matrix = np.concatenate([np.atleast_2d(to_host(array)) for array in arrays])
    flat[...] = matrix.reshape(-1).astype(flat.dtype)


def _unpack(flat, n_in, n_columns):
    """A flat matrix as its first row, the `n_in` rows after it and the rest; new arrays."""
    matrix = to_host(flat).reshape(-1, n_columns)
    return matrix[0].copy(), matrix[1 : 1 + n_in].copy(), matrix[1 + n_in :].copy()


# ---- LSTM ----------------------------------------------------------------------------------------


def gate_columns(n_units, dtype):
    """The columns of an LSTM's weights and gates."""
    return GATES * n_units


def pack_lstm(b, W, U, flat):
    """Canonical weights into a flat matrix (1 + n_in + n_units, 4 H)."""
    _pack(flat, b, W, U)


def unpack_lstm(flat, n_in, n_units):
    """The flat matrix to canonical (b, W, U), as new arrays."""
    return _unpack(flat, n_in, GATES * n_units)


def unpack_gates(flat, n_rows, n_units):
    """The flat gates of `n_rows` slots as new arrays, one for each: (4, n_rows, H)."""
    return np.stack(np.split(to_host(flat).reshape(n_rows, GATES * n_units), GATES, axis=1))


# ---- dense ---------------------------------------------------------------------------------------


def pack_dense(b, W, flat):
    """Canonical weights into a flat matrix (1 + n_in, n_out)."""
    _pack(flat, b, W)


def unpack_dense(flat, n_in, n_out):
    """The flat matrix to canonical (b, W), as new arrays."""
    return _unpack(flat, n_in, n_out)[:2]


# ---- GRU -----------------------------------------------------------------------------------------


def pack_gru(b, W, U, b_n, flat):
    """Canonical weights, r, u, n, into a flat matrix (1 + n_in + n_units, 4 H), n, r, u, m; b_n:
    zeros where the reset gate stands before the product.
    """
    b, W, U, b_n = map(to_host, (b, W, U, b_n))
    H = len(U)
    b, W, U = (np.roll(array, H, axis=-1) for array in (b, W, U))  # n, r, u
    W = np.concatenate([W, np.zeros_like(W[:, :H])], axis=1)
    U = np.concatenate([np.zeros_like(U[:, :H]), U[:, H:], U[:, :H]], axis=1)
    _pack(flat, np.concatenate([b, b_n]), W, U)


def unpack_gru(flat, n_in, n_units):
    """The flat matrix to canonical (b, W, U, b_n), as new arrays."""
    H, (b, W, U) = n_units, unpack_lstm(flat, n_in, n_units)
    b, W, U, b_n = b[: 3 * H], W[:, : 3 * H], U[:, H:], b[3 * H :].copy()
    return np.roll(b, -H), np.roll(W, -H, axis=1), U.copy(), b_n


def _gru_blocks(flat, n_in, n_units):
    """The recurrent rows of n and m, and the input rows of m, as views."""
    (matrix,) = panels(flat, 1 + n_in + n_units, GATES * n_units)
    m = 3 * n_units  # its first column
    return matrix[1 + n_in :, :n_units], matrix[1 + n_in :, m:], matrix[1 : 1 + n_in, m:]


def clear_gru(gradient, n_in, n_units):
    """Zeros where the weights are zero by construction: those stay so under any solver."""
    states_to_n, _, inputs_to_m = _gru_blocks(gradient, n_in, n_units)
    states_to_n[...] = 0
    inputs_to_m[...] = 0


def take_candidate(V, weights, n_in, n_units):
    """U_n out of a GRU's weights, as a flat matrix V (n_units, n_units) of its own."""
    _, U_n, _ = _gru_blocks(weights, n_in, n_units)
    V.reshape(n_units, n_units)[...] = U_n


def put_candidate(gradient, dV, n_in, n_units):
    """Write dV, the gradient of V, to its place in the gradient of the weights: the inverse of
    `take_candidate`. The gradient is cleared as by `clear_gru`.
    """
    clear_gru(gradient, n_in, n_units)
    _, dU_n, _ = _gru_blocks(gradient, n_in, n_units)
    dU_n[...] = dV.reshape(n_units, n_units)


# ---- plain recurrent layer -----------------------------------------------------------------------


def pack_rnn(b, W, U, flat):
    """Canonical weights into a flat matrix (1 + n_in + n_units, H)."""
    _pack(flat, b, W, U)


def unpack_rnn(flat, n_in, n_units):
    """The flat matrix to canonical (b, W, U), as new arrays."""
    return _unpack(flat, n_in, n_units)
