"""What the matrix unit serves of the contract: when it gains, and memory for slices.

The way back alone. On the way forward a sequence has the same states to the bit alone and in any
batch, whether they are kept or not; the unit could do that, too, but for a few rows it is slow.
"""

import numpy as np

from . import gemm_sliced
from .amx import CONFIGURATION, CONFIGURED, TILE_DEPTH, TILE_SIDE, available
from .carry import Transposed
from .layout import empty
from .slices import SLICED, slice_weights
from .threads import available_threads, run

_SLICE_WORK = 8  # as many multiply-adds take as long as an element that is sliced

# From where on it gains: rows in the mean step, and weights; rows, inputs and columns of a product
BACK, OUTER = (32, 256 * 64), (128, 64, 256)


def _gains(dtype, sizes, least):
    return (
        dtype == np.float32
        and all(size >= limit for size, limit in zip(sizes, least, strict=True))
        and available()
    )


def _size(n, K):
    """Elements of a sliced factor: n rows or columns, K terms of each sum."""
    return -(-n // TILE_SIDE) * -(-K // TILE_DEPTH) * SLICED


def _left(size):
    """Room for a left factor, behind the unit's configuration."""
    out = empty(CONFIGURED + size, CONFIGURATION.dtype)
    out[:CONFIGURED] = CONFIGURATION
    return out


def transposed(UT, live, slots, n_padded, n_jobs):
    """UT, with n_padded columns, for `carry.carry_back`."""
    if not _gains(UT.dtype, (slots[-2] / live.size, UT.size), BACK):
        return Transposed(UT, UT[:0], UT[:0])
    K = UT.size // n_padded
    right = empty(_size(n_padded, K), UT.dtype)
    args = (right, UT, K, n_padded)
    run(slice_weights, args, n_jobs, UT.size * _SLICE_WORK, n_padded // TILE_SIDE)
    spare = TILE_SIDE * min(n_jobs, available_threads())  # each share begins with a tile of its own
    return Transposed(UT, right, _left(_size(int(live[0]) + spare, K)))


def outer(dW, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride, n_jobs):
    """As the contract says; returns whether it was worth it, otherwise nothing is done."""
    if not _gains(dW.dtype, (n_rows, n_inputs, n_columns), OUTER):
        return False
    blocks = -(-n_columns // gemm_sliced.BLOCK)
    shares, K = min(n_jobs, blocks, available_threads()), min(n_rows, gemm_sliced.ROWS_AT_A_TIME)
    left, right = _left(shares * _size(n_inputs, K)), empty(_size(n_columns, K), dW.dtype)
    args = (dW, left, right, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride)
    run(gemm_sliced.outer, args, n_jobs, n_rows * dW.size, blocks)
    return True
