"""What the LSTM on clusters of blocks is made of, forward and backward: how the work lies on blocks and
threads, activations, gates in memory.

A cluster owns 8 rows of the batch through all steps, each of its blocks a share of the units, each
thread one unit of one row. The product of a step is in `cluster_product`.

precision: "tf32" and "bf16" multiply on tensor cores, factors having 10 bits of mantissa, or 7, and sum in
float32; "float32" does not, and is exact.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from .primitives import cuda, kernel
from .ptx import reciprocal

ROWS = 8  # of a cluster
SHARE = 32  # most units of a block: 256 threads, whose registers are all that there are
VECTOR = 16  # bytes: shared memory that is read and written in fours starts at a multiple

ZERO, ONE, TWO = np.float32(0), np.float32(1), np.float32(2)


class Precision(NamedTuple):
    """What kernels of a precision have in common.

    Attributes
    ----------
    piece : int
        Factors that a product takes at a time; it has a whole number of pieces.
    fast : bool
        Whether the last bits of all else may be rounded as is fastest, too.
    """

    piece: int
    fast: bool


PRECISIONS = {
    "float32": Precision(piece=32, fast=False),
    "tf32": Precision(piece=16, fast=True),
    "bf16": Precision(piece=32, fast=True),
}


class Shape(NamedTuple):
    """How the units of a layer lie on a cluster.

    Attributes
    ----------
    n_units : int
    cluster : int
        Blocks: 1, 2, 4, 8 or 16.
    share : int
        Units of a block, padded ones included.
    """

    n_units: int
    cluster: int
    share: int

    padded = property(lambda self: self.cluster * self.share)
    threads = property(lambda self: ROWS * self.share)


def shape_of(n_units, precision, cluster=None):
    """The smallest cluster that holds the layer, or one of a given size."""
    cluster = cluster or next(n for n in (1, 2, 4, 8, 16) if n * SHARE >= n_units)
    piece = PRECISIONS[precision].piece
    step = max(piece // 4, piece // cluster)  # a product is over all units, or a share's four gates
    return Shape(n_units, cluster, -(-n_units // (cluster * step)) * step)


def apart(n, distance):
    """The least row length from n on at which rows of shared memory stand `distance` of its 32 banks
    apart.
    """
    return n + (distance - n) % 32


def part_of(precision):
    """The decorator of what a kernel of this precision calls. Arrays stay in registers only where it
    is inlined.
    """
    return cuda.jit(device=True, forceinline=True, fastmath=PRECISIONS[precision].fast)


def kernel_of(shape, precision):
    """The decorator of a kernel; its blocks have all registers of a multiprocessor for themselves."""
    return kernel(launch_bounds=(shape.threads, 1), fastmath=PRECISIONS[precision].fast)


def unrolled(part, body, start, stop):
    """The calls body(start, ...), ..., body(stop - 1, ...), written out: an array is in registers only
    if all its indices are constants, and compilers stop unrolling long loops.
    """
    if stop - start == 1:

        @part
        def calls(*arguments):
            body(start, *arguments)
    else:
        middle = (start + stop) // 2
        first, rest = unrolled(part, body, start, middle), unrolled(part, body, middle, stop)

        @part
        def calls(*arguments):
            first(*arguments)
            rest(*arguments)

    return calls


@cache
def activations(precision):
    """(sigmoid, tanh)"""
    part = part_of(precision)

    @part
    def sigmoid(x):
        e = math.exp(-abs(x))
        return (ONE if x >= ZERO else e) * reciprocal(ONE + e)

    @part
    def fast_tanh(x):  # to 23 bits of 1; the instruction of the device has 11
        e = math.exp(-TWO * abs(x))
        y = (ONE - e) * reciprocal(ONE + e)
        return y if x >= ZERO else -y

    @part
    def tanh(x):
        return np.float32(math.tanh(x))

    return sigmoid, fast_tanh if PRECISIONS[precision].fast else tanh


@cache
def gate_parts(precision, n_units):
    """The parts (gates, row, unit) -> i, f, g, o and (gates, row, unit, i, f, g, o), which stores."""
    part = part_of(precision)
    width, step = 4 * n_units, np.uint64(n_units)

    @part
    def load_gates(gates, row, unit):
        k = np.uint64(row * width + unit)
        return gates[k], gates[k + step], gates[k + step + step], gates[k + step + step + step]

    @part
    def store_gates(gates, row, unit, i, f, g, o):
        k = np.uint64(row * width + unit)
        gates[k] = i
        gates[k + step] = f
        gates[k + step + step] = g
        gates[k + step + step + step] = o

    return load_gates, store_gates


@cuda.jit(device=True)
def steps_of(live, first):
    """How many steps the row `first` has: the t with live[t] > first."""
    low, high = 0, live.shape[0]
    while low < high:
        middle = (low + high) // 2
        if live[middle] > first:
            low = middle + 1
        else:
            high = middle
    return low
