"""What the matrix unit serves of the contract: when it gains, and memory for slices.

Training alone. A prediction is the same to the bit alone, in any batch and step by step; the unit could do
that, too, but for a few rows it is slow.
"""

from operator import ge

import numpy as np

from . import gemm_sliced
from .amx import CONFIGURATION, CONFIGURED, TILE_DEPTH, TILE_SIDE, available
from .carry import Transposed
from .layout import empty
from .sliced_step import Sliced
from .slices import PANEL, SLICED, slice_weights
from .threads import available_threads, run

_SLICE_WORK = 8  # as many multiply-adds take as long as an element that is sliced

# From where on it gains. Of a layer's steps: rows in the mean step, rows in all, weights; rows in the mean
# step, weights. Of products: rows, inputs, columns; rows, terms of a sum, columns.
FORTH, BACK = (32, 640, 20 * 1024), (32, 256 * 64)
OUTER, MULTIPLY = (128, 64, 256), (1024, 256, 96)


def _gains(dtype, sizes, least):
    return dtype == np.float32 and all(map(ge, sizes, least)) and available()


def _size(n, K):
    """Elements of a sliced factor: n rows or columns, K terms of each sum."""
    return -(-n // TILE_SIDE) * -(-K // TILE_DEPTH) * SLICED


def _left(size):
    """Room for a left factor, behind the unit's configuration."""
    out = empty(CONFIGURED + size, CONFIGURATION.dtype)
    out[:CONFIGURED] = CONFIGURATION
    return out


def _right(W, first, K, n_columns, n_jobs):
    """A panelled matrix (K, n_columns), its rows from `first` on, as a right factor."""
    right = empty(_size(n_columns, K - first), W.dtype)
    args = (right, W, first, K, n_columns)
    run(slice_weights, args, n_jobs, W.size * _SLICE_WORK, n_columns // TILE_SIDE)
    return right


def _rows(n, K, n_jobs):
    """Room for the rows of a batch of n as a left factor, for all shares."""
    spare = TILE_SIDE * min(n_jobs, available_threads())  # each begins with a tile of its own
    return _left(_size(n + spare, K))


def weights(W, live, slots, K, training, n_jobs):
    """W, with K rows below the bias, for `sliced_step.multiply_step`."""
    if not (training and _gains(W.dtype, (slots[-2] / live.size, slots[-2], W.size), FORTH)):
        return Sliced(W[:0], W[:0])
    right = _right(W, 1, 1 + K, W.size // (1 + K), n_jobs)
    return Sliced(right, _rows(int(live[0]), K, n_jobs))


def transposed(UT, live, slots, n_padded, n_jobs):
    """UT, with n_padded columns, for `carry.carry_back`."""
    if not _gains(UT.dtype, (slots[-2] / live.size, UT.size), BACK):
        return Transposed(UT, UT[:0], UT[:0])
    K = UT.size // n_padded
    return Transposed(UT, _right(UT, 0, K, n_padded, n_jobs), _rows(int(live[0]), K, n_jobs))


def multiply(out, a, a_rows, K, piece, b, n_rows, n_columns, n_jobs):
    """As the contract says of training; returns whether it was worth it, otherwise nothing is done."""
    if piece != PANEL or not _gains(b.dtype, (n_rows, K, n_columns), MULTIPLY):
        return False
    blocks = -(-n_rows // gemm_sliced.BLOCK)
    left = _left(min(n_jobs, blocks, available_threads()) * _size(gemm_sliced.BLOCK, K))
    args = (out, left, _right(b, 0, K, n_columns, n_jobs), a, a_rows, K, n_rows, n_columns)
    run(gemm_sliced.multiply, args, n_jobs, n_rows * b.size, blocks)
    return True


def outer(dW, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride, n_jobs):
    """As the contract says; returns whether it was worth it, otherwise nothing is done."""
    if not _gains(dW.dtype, (n_rows, n_inputs, n_columns), OUTER):
        return False
    blocks = -(-n_columns // gemm_sliced.BLOCK)
    shares, K = min(n_jobs, blocks, available_threads()), min(n_rows, gemm_sliced.ROWS_AT_A_TIME)
    left = _left(shares * _size(n_inputs, K))
    right = empty(shares * _size(gemm_sliced.COLUMNS_AT_A_TIME, K), dW.dtype)
    args = (dW, left, right, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride)
    run(gemm_sliced.outer, args, n_jobs, n_rows * dW.size, blocks)
    return True
