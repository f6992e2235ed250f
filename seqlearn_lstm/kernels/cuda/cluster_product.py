"""The product of a warp whose weights stay in registers: a tile of 16 outputs for the 8 rows of a
cluster. ::

    out[r, u, o] = sum over k of rows[r, k] * weight[u, o, k]        u, o = 0 ... 3

rows (8, stride) flat lies in shared memory, the weights in registers, both in words as `cluster_lanes`
has them. The lane of unit u and row r gets the four outputs o. Forward they are the gates of unit u of
the warp's four; backward the units 4 u + o of the tile.
"""

from functools import cache, partial
from typing import NamedTuple

import numpy as np

from .cluster import PRECISIONS, ROWS, ZERO, part_of, unrolled
from .cluster_lanes import ALL, lanes_of
from .primitives import cuda
from .ptx import load4, mma, mma_bf16

TILE = 16


class Weights(NamedTuple):
    """Where the weights of a product stand in a flat matrix: three steps, from four neighbours among
    the factors to the next four, from one of them to the next, and from output to output. Units
    beyond the last have none: two numbers of units, of the factor and of the output, go up by steps
    as well.
    """

    steps: tuple
    unit_steps: tuple


@cache
def make_loader(precision, K, layout, n_units):
    """The part (weights, i, matrix, first, source_unit, output_unit, lane) that loads a lane's weights
    into weights[i:], `n_registers` of them: zeros where a unit is not below n_units. `first` is the
    element of the lane's first factor and of output 0; the two units are those of this element.
    """
    part = part_of(precision)
    lanes = lanes_of(precision)
    output_of, rounded, n_outputs = lanes.output_of, lanes.rounded, lanes.n_outputs
    put, n_fours, piece_size = lanes.words.put, lanes.words.factors, PRECISIONS[precision].piece
    a_four, output_step = 4 * n_outputs // n_fours, 4 // n_outputs
    per_four, per_factor, per_output = layout.steps
    units_per_four, units_per_factor, units_per_output = layout.unit_steps

    @part
    def load(matrix, k, e, source, exists):
        x = ZERO
        if exists and source + e * units_per_factor < n_units:
            # not (k if inside else 0): addresses would take more registers
            x = rounded(matrix[np.uint64(k + e * per_factor)])
        return x

    @part
    def load_piece(piece, weights, i, matrix, first, source_unit, output_unit, lane):
        for n in range(n_fours):
            four = piece * (piece_size // 4) + n
            source = source_unit + four * units_per_four
            for j in range(n_outputs):
                o = output_of(lane) + output_step * j
                exists = output_unit + o * units_per_output < n_units
                k = first + four * per_four + o * per_output
                x0 = load(matrix, k, 0, source, exists)
                x1 = load(matrix, k, 1, source, exists)
                x2 = load(matrix, k, 2, source, exists)
                x3 = load(matrix, k, 3, source, exists)
                at = i + a_four * (n_fours * piece + n) + j
                put(weights, at, n_outputs, x0, x1, x2, x3)

    return unrolled(part, load_piece, 0, K // piece_size)


@cache
def make_product(precision, K, stride):
    """The part (weights, i, rows, at, lane) -> the lane's four outputs, from weights[i:] and rows[at:]."""
    return PRODUCTS[precision](K, stride)


def _tensor_product(precision, multiply, K, stride):
    """A piece of the factors, 16 words, is two instructions; which of its words stand where is free as
    long as both sides agree, so each lane takes four neighbours.
    """
    n_pieces = K // PRECISIONS[precision].piece

    @part_of(precision)
    def product(weights, i, rows, at, lane):
        c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = ZERO  # two chains, for one would wait for itself
        at = np.uint32(at + (lane >> 2) * stride + 4 * (lane & 3))
        for piece in range(n_pieces):
            b0, b1, b2, b3 = load4(rows, np.uint32(at + np.uint32(16 * piece)))
            w = i + 8 * piece
            c0, c1, c2, c3 = multiply(
                weights[w], weights[w + 1], weights[w + 2], weights[w + 3], b0, b1, c0, c1, c2, c3
            )
            d0, d1, d2, d3 = multiply(
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


PRODUCTS = {
    "float32": _exact_product,
    "tf32": partial(_tensor_product, "tf32", mma),
    "bf16": partial(_tensor_product, "bf16", mma_bf16),
}
