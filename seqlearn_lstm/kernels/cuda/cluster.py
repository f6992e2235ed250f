"""What the LSTM on clusters of blocks is made of, forward and backward: how units lie on blocks, warps
and lanes, and the product of a warp whose weights stay in registers.

A cluster owns 8 rows of the batch through all steps, each of its blocks a share of the units, each
thread one unit of one row. A warp's product has a tile of 16 outputs for the 8 rows::

    out[r, n] = sum over k of rows[r, k] * weight[n, k]        n = 4 o + u;  u, o = 0 ... 3

rows (8, stride) flat lies in shared memory, the weights in registers, K / 2 in each lane. The lane of
(unit u, row r) gets the four outputs o. Forward they are the gates of unit u of the warp's four;
backward the units 4 u + o of the tile.

"tf32" runs on tensor cores, with factors of 10 bits of mantissa; "float32" does not, and is exact.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from .primitives import cuda, load4, mma, tf32

ROWS = 8  # of a cluster
TILE = 16  # outputs of a warp's product
SHARE = 32  # most units of a block: 256 threads, whose registers are all that there are
ALL = 0xFFFFFFFF  # lanes

ZERO, ONE, TWO = np.float32(0), np.float32(1), np.float32(2)


class Shape(NamedTuple):
    """How the units of a layer lie on a cluster.

    Attributes
    ----------
    n_units : int
    cluster : int
        Blocks: 1, 2, 4 or 8.
    share : int
        Units of a block, padded ones included.
    """

    n_units: int
    cluster: int
    share: int

    padded = property(lambda self: self.cluster * self.share)
    threads = property(lambda self: ROWS * self.share)
    n_tiles = property(lambda self: self.padded // TILE)  # of all units
    tiles = property(lambda self: max(1, self.cluster // 4))  # of them for a warp


def shape_of(n_units, precision, cluster=None):
    """The smallest cluster that holds the layer, or one of a given size."""
    cluster = cluster or next(n for n in (1, 2, 4, 8) if n * SHARE >= n_units)
    step = max(4, 16 // cluster) if precision == "tf32" else max(8, 32 // cluster)
    return Shape(n_units, cluster, -(-n_units // (cluster * step)) * step)


def apart(n, distance):
    """The least row length from n on at which rows of shared memory stand `distance` of 32 banks
    apart.
    """
    return n + (distance - n) % 32


def part_of(precision):
    """The decorator of what a kernel of this precision calls. Its arrays lie in registers only where
    it is inlined.
    """
    return cuda.jit(device=True, forceinline=True, fastmath=precision == "tf32")


@cache
def activations(precision):
    """(sigmoid, tanh)"""
    part = part_of(precision)

    @part
    def sigmoid(x):
        e = math.exp(-abs(x))
        return (ONE if x >= ZERO else e) / (ONE + e)

    @part
    def fast_tanh(x):  # to 24 bits of 1; the instruction of the device has 11
        e = math.exp(-TWO * abs(x))
        y = (ONE - e) / (ONE + e)
        return y if x >= ZERO else -y

    @part
    def tanh(x):
        return np.float32(math.tanh(x))

    return sigmoid, fast_tanh if precision == "tf32" else tanh


class Product(NamedTuple):
    """The parts of a warp's product over K.

    Attributes
    ----------
    unit_of, row_of : callable
        lane -> its u and r
    output_of, source_of : callable
        (i, lane) -> n and k of the lane's i-th weight
    rounded : callable
        A factor as the product takes it.
    product : callable
        (weights, first, rows, at, lane) -> the lane's four outputs, from weights[first:] and rows[at:]
    """

    unit_of: object
    row_of: object
    output_of: object
    source_of: object
    rounded: object
    product: object


@cache
def make_product(precision, K, stride):
    """The parts for one number of factors and one row length."""
    return (_tensor_product if precision == "tf32" else _exact_product)(K, stride)


def _tensor_product(K, stride):
    """K a multiple of 16. A piece of 16 factors is two instructions; which of its factors stand where
    is free as long as both sides agree, so each lane loads four neighbours.
    """
    part = part_of("tf32")
    n_pieces = K // 16

    @part
    def unit_of(lane):
        return (lane >> 2) & 3

    @part
    def row_of(lane):
        return 2 * (lane & 3) + (lane >> 4)

    @part
    def output_of(i, lane):
        return (lane >> 2) + 8 * (i & 1)

    @part
    def source_of(i, lane):
        return 16 * (i >> 3) + 4 * (lane & 3) + ((i >> 1) & 3)

    @part
    def rounded(x):
        return tf32(x)

    @part
    def product(weights, first, rows, at, lane):
        c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = ZERO  # two chains, for one would wait for itself
        at = np.uint32(at + (lane >> 2) * stride + 4 * (lane & 3))
        for piece in range(n_pieces):
            b0, b1, b2, b3 = load4(rows, np.uint32(at + np.uint32(16 * piece)))
            w = first + 8 * piece
            c0, c1, c2, c3 = mma(
                weights[w], weights[w + 1], weights[w + 2], weights[w + 3], b0, b1, c0, c1, c2, c3
            )
            d0, d1, d2, d3 = mma(
                weights[w + 4], weights[w + 5], weights[w + 6], weights[w + 7],
                b2, b3, d0, d1, d2, d3,
            )  # fmt: skip
        c0, c1, c2, c3 = c0 + d0, c1 + d1, c2 + d2, c3 + d3
        # A lane has two rows of o = 0 and 2, or of 1 and 3; it keeps one and gives the other away.
        lower = lane < 16
        x = cuda.shfl_xor_sync(ALL, c1 if lower else c0, 16)
        y = cuda.shfl_xor_sync(ALL, c3 if lower else c2, 16)
        if lower:
            return c0, x, c2, y
        return x, c1, y, c3

    return Product(unit_of, row_of, output_of, source_of, rounded, product)


def _exact_product(K, stride):
    """K a multiple of 32. Eight lanes have every eighth four of the factors each, for all rows; then
    each lane gets the sums of one row.
    """
    part = part_of("float32")
    n_pieces = K // 32

    @part
    def unit_of(lane):
        return lane >> 3

    @part
    def row_of(lane):
        return lane & 7

    @part
    def output_of(i, lane):
        return 4 * (i & 3) + (lane >> 3)

    @part
    def source_of(i, lane):
        return 32 * (i >> 4) + 4 * (lane & 7) + ((i >> 2) & 3)

    @part
    def rounded(x):
        return x

    @part
    def halve(sums, n, lane, distance):
        upper = (lane & distance) != 0
        for k in range(n):
            x, y = sums[k], sums[n + k]
            sums[k] = (y if upper else x) + cuda.shfl_xor_sync(ALL, x if upper else y, distance)

    @part
    def product(weights, first, rows, at, lane):
        sums = cuda.local.array(4 * ROWS, np.float32)
        for k in range(4 * ROWS):
            sums[k] = ZERO
        at = np.uint32(at + 4 * (lane & 7))
        for piece in range(n_pieces):
            for r in range(ROWS):
                b0, b1, b2, b3 = load4(rows, np.uint32(at + np.uint32(r * stride + 32 * piece)))
                for o in range(4):
                    w = first + 16 * piece + o
                    x = sums[4 * r + o] + weights[w] * b0
                    x += weights[w + 4] * b1
                    x += weights[w + 8] * b2
                    sums[4 * r + o] = x + weights[w + 12] * b3
        halve(sums, 16, lane, 4)
        halve(sums, 8, lane, 2)
        halve(sums, 4, lane, 1)
        return sums[0], sums[1], sums[2], sums[3]

    return Product(unit_of, row_of, output_of, source_of, rounded, product)


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
