"""One step back through the recurrent weights, which BPTT of every cell takes: dh += mask * (d @ U^T)."""

from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from .amx import COMPILED_FOR, CONFIGURED, TILE_SIDE, configure, release
from .areas import rows_of
from .blocks import TILE_ELEMENTS, masked
from .compile import ALWAYS_INLINED, inlined, part
from .gemm import multiply_rows
from .simd import at, load, stack, store
from .sliced_product import BAND, BLOCK, multiply_band
from .slices import PANEL, SLICED, depth_of, place_of, slice_panels
from .target import VECTOR_BYTES
from .tile import PANEL_VECTORS


class Transposed(NamedTuple):
    """Recurrent weights, transposed, and how to multiply with them.

    Attributes
    ----------
    UT : ndarray, panelled
    right : ndarray
        The same, sliced, where the matrix unit multiplies; otherwise without elements.
    left : ndarray
        The unit's configuration, then room for the rows of all shares, sliced.
    """

    UT: np.ndarray
    right: np.ndarray
    left: np.ndarray


@part
def _add(rows, width, product, dh, first, q, mask):
    """dh += mask * product, for some rows from `first` on and the units from q on."""
    L = VECTOR_BYTES // dh.itemsize
    for k in range(rows):
        for unit in range(0, width, L):
            place = (first + k) * dh.shape[1] + q + unit
            d_h = masked(load(product, k * width + unit), mask, first + k, q + unit)
            store(dh, place, load(dh, place) + d_h)


@inlined  # a step of a single sequence is so short that the call would be a part of it
def _by_tiles(area, alive, dh, d, slot, d_rows, K, UT, mask):
    panel, product = PANEL_VECTORS * VECTOR_BYTES // dh.itemsize, stack(dh, TILE_ELEMENTS)
    for q in range(area.left, area.right, panel):
        width = min(panel, area.right - q)
        for j in range(area.n_blocks):
            first, last = rows_of(j, area)
            rows = min(last, alive) - first
            if rows <= 0:
                break
            row = slot + first
            if mask.shape[0] == 0:
                place, ldh = first * dh.shape[1] + q, dh.shape[1]
                multiply_rows(rows, dh, place, ldh, d, row, d_rows, K, panel, UT, q, width, 1)
            else:
                multiply_rows(rows, product, 0, width, d, row, d_rows, K, panel, UT, q, width, 0)
                _add(rows, width, product, dh, first, q, mask)


@part
def _by_matrix_unit(share, area, alive, dh, d, slot, d_rows, K, weights, mask):
    right, left, begin = weights.right, weights.left, area.begin
    depth, last = depth_of(K), min(area.end, alive)
    own = CONFIGURED + place_of(share, begin, depth)
    product = stack(dh, BAND)
    configure(at(left, 0))
    slice_panels(left, own, d, slot + begin, d_rows, last - begin, K)
    for q in range(0, dh.shape[1], PANEL):
        width = min(PANEL, dh.shape[1] - q)
        for first in range(begin, last, BLOCK):
            rows = min(BLOCK, last - first)
            i = own + (first - begin) // TILE_SIDE * depth * SLICED
            multiply_band(rows, width, product, left, i, right, q, depth)
            _add(rows, width, product, dh, first, q, mask)
    release()


def carry_back(share, area, alive, dh, d, slot, d_rows, K, weights, mask):
    """dh += mask * (d @ UT), for the units of an area and those of its sequences that are below
    `alive`. The matrix unit multiplies for all units only.

    d (d_rows, K) flat, panelled: the gradient at the pre-activations of a step, whose first row is `slot`
    """
    raise TypeError("for compiled code")


@overload(carry_back, jit_options=ALWAYS_INLINED)
def _carry_back(share, area, alive, dh, d, slot, d_rows, K, weights, mask):
    def by_tiles(share, area, alive, dh, d, slot, d_rows, K, weights, mask):
        _by_tiles(area, alive, dh, d, slot, d_rows, K, weights.UT, mask)

    def by_either(share, area, alive, dh, d, slot, d_rows, K, weights, mask):
        if weights.right.size > 0:
            _by_matrix_unit(share, area, alive, dh, d, slot, d_rows, K, weights, mask)
        else:
            _by_tiles(area, alive, dh, d, slot, d_rows, K, weights.UT, mask)

    return by_either if COMPILED_FOR and dh.dtype == types.float32 else by_tiles
