"""Memory and layouts of this backend: aligned arrays, and canonical weights to panels and back.

Canonical: gates i, f, g, o; W (n_in, 4 H), U (H, 4 H), b (4 H,); a dense layer has W (n_in, n_out), b (n_out,).
Here: the matrix [b; W; U] (or [b; W]) panelled as in `gemm`, padded units and outputs zero. For an LSTM a panel holds the
gates of L units side by side: (P, 1 + n_in + H, 4 L).
"""

import numpy as np

from .target import VECTOR_BYTES
from .tile import PANEL_VECTORS

ALIGNMENT = 64  # bytes: a cache line and the widest vector


def lanes(dtype):
    """Elements of a vector register."""
    return VECTOR_BYTES // np.dtype(dtype).itemsize


def padded(n, dtype):
    """`n`, rounded up to whole vectors."""
    L = lanes(dtype)
    return -(-n // L) * L


def row_stride(n, dtype):
    """Elements from row to row for `n` columns: an odd number of cache lines, or the rows would share few cache sets."""
    line = ALIGNMENT // np.dtype(dtype).itemsize
    return (-(-n // line) | 1) * line


def zeros(shape, dtype):
    """An array of zeros that starts at a cache line."""
    dtype = np.dtype(dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.zeros(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


# ---- LSTM ---------------------------------------------------------------------------------------------------------


def lstm_shape(n_in, n_units, dtype):
    """Shape of a direction's panels: (P, 1 + n_in + n_units, 4 L)."""
    L = lanes(dtype)
    return -(-n_units // L), 1 + n_in + n_units, PANEL_VECTORS * L


def pack_lstm(b, W, U, panels):
    """Canonical weights into `panels`."""
    P, K, width = panels.shape
    L, n_units = width // 4, U.shape[0]
    gates = np.zeros((K, 4, P * L), panels.dtype)
    gates[:, :, :n_units] = np.concatenate([b[None], W, U]).reshape(K, 4, n_units)
    panels[:] = gates.reshape(K, 4, P, L).transpose(2, 0, 1, 3).reshape(P, K, width)


def unpack_lstm(panels, n_in, n_units):
    """Panels to canonical (b, W, U), as new arrays."""
    P, K, width = panels.shape
    gates = panels.reshape(P, K, 4, width // 4).transpose(1, 2, 0, 3).reshape(K, 4, -1)
    matrix = gates[:, :, :n_units].reshape(K, 4 * n_units)
    return matrix[0].copy(), matrix[1 : 1 + n_in].copy(), matrix[1 + n_in :].copy()


# ---- dense --------------------------------------------------------------------------------------------------------


def dense_panels(flat, n_rows, n_out):
    """Views of a panelled matrix in a flat array: a list of (n_rows, width)."""
    width = PANEL_VECTORS * lanes(flat.dtype)
    columns = padded(n_out, flat.dtype)
    return [
        flat[start * n_rows : min(start + width, columns) * n_rows].reshape(n_rows, -1)
        for start in range(0, columns, width)
    ]


def pack_dense(b, W, flat):
    """Canonical weights into a flat panelled matrix (1 + n_in, n_out padded)."""
    matrix = np.concatenate([b[None], W])
    n_rows, n_out = matrix.shape
    flat[:] = 0
    start = 0
    for panel in dense_panels(flat, n_rows, n_out):
        used = min(panel.shape[1], n_out - start)
        panel[:, :used] = matrix[:, start : start + used]
        start += used


def unpack_dense(flat, n_in, n_out):
    """The flat panelled matrix to canonical (b, W), as new arrays."""
    matrix = np.concatenate(dense_panels(flat, 1 + n_in, n_out), axis=1)[:, :n_out]
    return matrix[0].copy(), matrix[1:].copy()
