"""What the LSTM on clusters of blocks is made of, forward and backward: how units lie on blocks, warps
and lanes, and the product of a warp whose weights stay in registers.

A cluster owns 8 rows of the batch through all steps, each of its blocks a share of the units, each
thread one unit of one row. A warp's product has a tile of 16 outputs for the 8 rows::

    out[r, u, o] = sum over k of rows[r, k] * weight[u, o, k]        u, o = 0 ... 3

rows (8, stride) flat lies in shared memory, the weights in registers, K / 2 in each lane. The lane of
unit u and row r gets the four outputs o. Forward they are the gates of unit u of the warp's four;
backward the units 4 u + o of the tile.

"tf32" runs on tensor cores, with factors of 10 bits of mantissa; "float32" does not, and is exact.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from .primitives import cuda, load4, mma, reciprocal, tf32

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


def shape_of(n_units, precision, cluster=None):
    """The smallest cluster that holds the layer, or one of a given size."""
    cluster = cluster or next(n for n in (1, 2, 4, 8) if n * SHARE >= n_units)
    step = max(4, 16 // cluster) if precision == "tf32" else max(8, 32 // cluster)
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
    return cuda.jit(device=True, forceinline=True, fastmath=precision == "tf32")


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

    return sigmoid, fast_tanh if precision == "tf32" else tanh


class Lanes(NamedTuple):
    """How a warp's product lies on its lanes.

    Attributes
    ----------
    piece : int
        K is a multiple of it. In each piece a lane has four factors, from 4 * source_of(lane) on.
    n_outputs : int
        And of each of them so many weights: of output_of(lane) and of every (4 / n_outputs)-th.
    unit_step : int
        From the lane of a unit and a row to that of the next unit.
    unit_of, row_of, source_of, output_of : callable
        lane -> u, r, ...
    rounded : callable
        A number as the product takes it.
    """

    piece: int
    n_outputs: int
    unit_step: int
    unit_of: object
    row_of: object
    source_of: object
    output_of: object
    rounded: object


@cache
def lanes_of(precision):
    """The lanes of a product; "tf32": as the instruction has them."""
    part = part_of(precision)
    if precision == "tf32":
        unit_of = part(lambda lane: (lane >> 2) & 3)
        row_of = part(lambda lane: 2 * (lane & 3) + (lane >> 4))
        source_of, output_of = part(lambda lane: lane & 3), part(lambda lane: lane >> 4)
        return Lanes(16, 2, 4, unit_of, row_of, source_of, output_of, tf32)
    unit_of, row_of = part(lambda lane: lane >> 3), part(lambda lane: lane & 7)
    return Lanes(32, 4, 8, unit_of, row_of, row_of, part(lambda lane: 0), part(lambda x: x))


class Weights(NamedTuple):
    """Where the weights of a product stand in a flat matrix: three steps, from piece to piece of the
    factors, from one of four neighbours to the next, and from output to output. Units beyond the
    last have none: two numbers of units, of the factor and of the output, go up by steps as well.
    """

    steps: tuple
    unit_steps: tuple


@cache
def make_loader(precision, K, layout, n_units):
    """The part (weights, i, matrix, first, source_unit, output_unit, lane) that loads a lane's weights
    into weights[i:i + K / 2]: zeros where a unit is not below n_units. `first` is the element of the
    lane's first factor and of output 0; the two units are those of this element.
    """
    part = part_of(precision)
    lanes = lanes_of(precision)
    output_of, rounded, n_outputs, apart = lanes.output_of, lanes.rounded, lanes.n_outputs, 4 // lanes.n_outputs
    per_piece, per_factor, per_output = layout.steps
    units_per_piece, units_per_factor, units_per_output = layout.unit_steps

    @part
    def load_piece(piece, weights, i, matrix, first, source_unit, output_unit, lane):
        for e in range(4):
            for j in range(n_outputs):
                o = output_of(lane) + apart * j
                k = first + piece * per_piece + e * per_factor + o * per_output
                source = source_unit + piece * units_per_piece + e * units_per_factor
                inside = source < n_units and output_unit + o * units_per_output < n_units
                x = rounded(matrix[np.uint32(k if inside else 0)])
                weights[i + 4 * n_outputs * piece + n_outputs * e + j] = x if inside else ZERO

    return unrolled(part, load_piece, 0, K // lanes.piece)


@cache
def make_product(precision, K, stride):
    """The part (weights, i, rows, at, lane) -> the lane's four outputs, from weights[i:i + K / 2] and
    rows[at:].
    """
    return (_tensor_product if precision == "tf32" else _exact_product)(K, stride)


def _tensor_product(K, stride):
    """A piece of 16 factors is two instructions; which of its factors stand where is free as long as
    both sides agree, so each lane takes four neighbours.
    """
    part = part_of("tf32")
    n_pieces = K // 16

    @part
    def product(weights, i, rows, at, lane):
        c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = ZERO  # two chains, for one would wait for itself
        at = np.uint32(at + (lane >> 2) * stride + 4 * (lane & 3))
        for piece in range(n_pieces):
            b0, b1, b2, b3 = load4(rows, np.uint32(at + np.uint32(16 * piece)))
            w = i + 8 * piece
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

    return product


def _exact_product(K, stride):
    """Eight lanes have every eighth four of the factors each, for all rows; then each of them gets the
    sums of one row.
    """
    part = part_of("float32")
    n_sums = 4 * ROWS

    @part
    def add_piece(piece, sums, weights, i, rows, at):
        for r in range(ROWS):
            b0, b1, b2, b3 = load4(rows, np.uint32(at + np.uint32(r * stride + 32 * piece)))
            for o in range(4):
                w = i + 16 * piece + o
                x = sums[4 * r + o] + weights[w] * b0
                x += weights[w + 4] * b1
                x += weights[w + 8] * b2
                sums[4 * r + o] = x + weights[w + 12] * b3

    @part
    def halve(sums, n, lane, distance):
        upper = (lane & distance) != 0
        for k in range(n):
            x, y = sums[k], sums[n + k]
            sums[k] = (y if upper else x) + cuda.shfl_xor_sync(ALL, x if upper else y, distance)

    add_pieces = unrolled(part, add_piece, 0, K // 32)

    @part
    def product(weights, i, rows, at, lane):
        sums = cuda.local.array(n_sums, np.float32)
        for k in range(n_sums):
            sums[k] = ZERO
        add_pieces(sums, weights, i, rows, np.uint32(at + 4 * (lane & 7)))
        halve(sums, 16, lane, 4)
        halve(sums, 8, lane, 2)
        halve(sums, 4, lane, 1)
        return sums[0], sums[1], sums[2], sums[3]

    return product


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
