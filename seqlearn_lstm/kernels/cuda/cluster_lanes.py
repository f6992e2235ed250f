"""How the product of a warp, `cluster_product`, lies on words of memory and on lanes: float32 as it is
fastest, the others as tensor cores have it.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from .cluster import part_of
from .ptx import pack_bf16, send2, send4, store2, store4, tf32

ALL = 0xFFFFFFFF  # lanes


class Words(NamedTuple):
    """How factors stand in registers and in shared memory: four neighbours at a time are written.

    Attributes
    ----------
    dtype : dtype
    factors : int
        In a word, 1 or 2.
    put : callable
        (registers, k, step, x0, ..., x3) writes registers[k], registers[k + step], ...
    store, send : callable
        (array, k, x0, ..., x3) and (array, k, barriers, j, rank, x0, ..., x3), as of `ptx`.
    """

    dtype: object
    factors: int
    put: object
    store: object
    send: object


class Lanes(NamedTuple):
    """How a warp's product lies on its lanes.

    Attributes
    ----------
    words : Words
        In each piece of the factors a lane has four words, from 4 * source_of(lane) on.
    n_outputs : int
        And of each of them so many weights: of output_of(lane) and of every (4 / n_outputs)-th.
    unit_step : int
        From the lane of a unit and a row to that of the next unit.
    unit_of, row_of, source_of, output_of : callable
        lane -> u, r, ...
    rounded : callable
        A number as words take it.
    """

    words: Words
    n_outputs: int
    unit_step: int
    unit_of: object
    row_of: object
    source_of: object
    output_of: object
    rounded: object


def _singles(precision):
    """Words of one factor."""
    part = part_of(precision)

    @part
    def put(registers, k, step, x0, x1, x2, x3):
        registers[k], registers[k + step] = x0, x1
        registers[k + 2 * step], registers[k + 3 * step] = x2, x3

    return Words(np.float32, 1, put, store4, send4)


def _pairs():
    """Words of two factors, which are rounded on their way there."""
    part = part_of("bf16")

    @part
    def put(registers, k, step, x0, x1, x2, x3):
        registers[k], registers[k + step] = pack_bf16(x0, x1), pack_bf16(x2, x3)

    @part
    def store(array, k, x0, x1, x2, x3):
        store2(array, k, pack_bf16(x0, x1), pack_bf16(x2, x3))

    @part
    def send(array, k, barriers, j, rank, x0, x1, x2, x3):
        send2(array, k, barriers, j, rank, pack_bf16(x0, x1), pack_bf16(x2, x3))

    return Words(np.uint32, 2, put, store, send)


def _exact_lanes():
    part = part_of("float32")
    unit_of, row_of = part(lambda lane: lane >> 3), part(lambda lane: lane & 7)
    first, same = part(lambda lane: 0), part(lambda x: x)
    return Lanes(_singles("float32"), 4, 8, unit_of, row_of, row_of, first, same)


def _tensor_lanes(words, rounded):
    """The lanes as the instruction of tensor cores, ``mma``, expects its operands and leaves its
    results.
    """
    part = part_of("tf32")
    unit_of = part(lambda lane: (lane >> 2) & 3)
    row_of = part(lambda lane: 2 * (lane & 3) + (lane >> 4))
    source_of, output_of = part(lambda lane: lane & 3), part(lambda lane: lane >> 4)
    return Lanes(words, 2, 4, unit_of, row_of, source_of, output_of, rounded)


LANES = {
    "float32": _exact_lanes,
    "tf32": lambda: _tensor_lanes(_singles("tf32"), tf32),
    "bf16": lambda: _tensor_lanes(_pairs(), part_of("bf16")(lambda x: x)),
}


@cache
def lanes_of(precision):
    """The lanes of a product."""
    return LANES[precision]()


def n_registers(precision, K):
    """How many registers of a lane the weights of a product of K factors take."""
    return K // (2 * lanes_of(precision).words.factors)
