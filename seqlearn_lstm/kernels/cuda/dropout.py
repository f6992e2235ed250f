"""Dropout: masks from counters, the same to the bit as those of ``cpu.dropout``, and rows scaled by
them.
"""

import math

import numpy as np

from .launch import rows_over
from .primitives import cuda, first_row, kernel, row_step, wrapping

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
SHIFT_1, SHIFT_2, SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
FRACTION_BITS = np.uint64(11)  # what is left fits the fraction of a float64
ONE = np.uint64(1)


@wrapping
def mixed(x):
    x = (x ^ (x >> SHIFT_1)) * MIX_1
    x = (x ^ (x >> SHIFT_2)) * MIX_2
    return x ^ (x >> SHIFT_3)


@wrapping
def stream(key, sequence):
    """Where the numbers of a sequence start."""
    return mixed(key ^ mixed(np.uint64(sequence) * GOLDEN + MIX_2))


@wrapping
def drawn(start, k):
    """The k-th number of a stream, an integer below 2^53."""
    return mixed(start + (np.uint64(k) + ONE) * GOLDEN) >> FRACTION_BITS


@kernel
def _dropout_mask(out, sequences, key, limit, scale):
    for r in range(first_row(), out.shape[0], row_step()):
        start = stream(key, sequences[r])
        for j in range(cuda.threadIdx.x, out.shape[1], cuda.blockDim.x):
            out[r, j] = scale if drawn(start, j) >= limit else out.dtype.type(0)


def dropout_mask(out, sequences, key, rate, n_jobs):
    """out (B, n): 0 with probability `rate`, else 1 / (1 - rate)."""
    # An integer is at least this limit exactly where, times 2^-53, it is at least `rate`
    limit = np.uint64(math.ceil(rate * 2.0**53))
    scale = out.dtype.type(1 / (1 - rate))
    rows_over(_dropout_mask, out.shape[0], out, sequences, np.uint64(key), limit, scale)


@kernel
def _scale_rows(x, column, mask, live, slots, width):
    B = mask.shape[0]
    for k in range(first_row(), live.shape[0] * B, row_step()):
        t, r = k // B, k % B
        if r < live[t]:
            for j in range(cuda.threadIdx.x, width, cuda.blockDim.x):
                x[slots[t] + r, column + j] *= mask[r, j]


def scale_rows(x, column, mask, live, slots, width, n_jobs):
    """x[slots[t] + r, column + k] *= mask[r, k]."""
    rows_over(_scale_rows, live.size * mask.shape[0], x, column, mask, live, slots, width)
