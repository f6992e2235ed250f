"""Sums over whole arrays in float64, and over warps.

The order of a sum depends on its length alone, not on the device or on the launch: `_parts` blocks
each go through an array in steps, every lane of WIDTH sums its own elements, a tree sums the
lanes; a block sums the parts.
"""

import numpy as np

from .launch import blocks_over
from .memory import Scratch
from .numbers import take_slots
from .primitives import SIMULATED, cuda, kernel, part

WIDTH = 8 if SIMULATED else 256  # a power of two
MOST_PARTS = 3 if SIMULATED else 512
A_LANE = 2 if SIMULATED else 8  # elements that are worth a part more
ALL_LANES = 0xFFFFFFFF

_scratch = Scratch()


@part
def _tree(lanes):
    """Sum the lanes of a block into the first; every thread of the block comes."""
    half = WIDTH // 2
    while half > 0:
        cuda.syncthreads()
        for lane in range(cuda.threadIdx.x, half, cuda.blockDim.x):
            lanes[lane] += lanes[lane + half]
        half //= 2


@part
def _itself(x):
    return x


@part
def _square(x):
    value = float(x)
    return value * value


def _make_sums(of):
    """The kernel that puts the sum of of(x[k]) over part p of x into out[p]."""

    @kernel
    def sums(x, out):
        lanes, parts = cuda.shared.array(WIDTH, np.float64), out.shape[0]
        for p in range(cuda.blockIdx.x, parts, cuda.gridDim.x):
            for lane in range(cuda.threadIdx.x, WIDTH, cuda.blockDim.x):
                total = 0.0
                for k in range(p * WIDTH + lane, x.shape[0], parts * WIDTH):
                    total += of(x[k])
                lanes[lane] = total
            _tree(lanes)
            if cuda.threadIdx.x == 0:
                out[p] = lanes[0]
            cuda.syncthreads()

    return sums


_sums, _squares = _make_sums(_itself), _make_sums(_square)


def _reduce(function, x, out):
    """out (1,) float64 = what a kernel sums of a flat array."""
    if x.size == 0:
        out[...] = 0
        return
    n_parts = min(-(-x.size // (WIDTH * A_LANE)), MOST_PARTS)
    partial = _scratch.array("partial", n_parts, np.float64)
    blocks_over(function, n_parts, x, partial)
    blocks_over(_sums, 1, partial, out)


def put_squares(x, out):
    """out (1,) float64 = the sum of squares of a flat array."""
    _reduce(_squares, x, out)


def sum_of_squares(x, n_jobs=1):
    """Of a flat array."""
    out, (number,) = take_slots(1)
    _reduce(_squares, x, out)
    return number


def total(x):
    """The sum of a flat float64 array."""
    out, (number,) = take_slots(1)
    _reduce(_sums, x, out)
    return number


# ---- over the 32 threads of a warp, each of which gets the result --------------------------------


@part
def warp_sum(value):
    value += cuda.shfl_xor_sync(ALL_LANES, value, 16)
    value += cuda.shfl_xor_sync(ALL_LANES, value, 8)
    value += cuda.shfl_xor_sync(ALL_LANES, value, 4)
    value += cuda.shfl_xor_sync(ALL_LANES, value, 2)
    return value + cuda.shfl_xor_sync(ALL_LANES, value, 1)


@part
def warp_largest(value):
    """The largest value; one that is not a number may be passed over."""
    for shift in range(5):
        other = cuda.shfl_xor_sync(ALL_LANES, value, 16 >> shift)
        value = other if other > value else value
    return value
