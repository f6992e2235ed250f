"""The products of one step of a recurrent layer's forward pass, by the matrix unit, in training.

Their sums are rounded in another way than those of single steps, which a prediction has to equal to the bit.
"""

from typing import NamedTuple

import numpy as np

from .amx import CONFIGURED, TILE_SIDE, configure, release
from .compile import part
from .simd import at, stack
from .sliced_product import BLOCK, BLOCK_ELEMENTS, multiply_block, put_block
from .slices import PANEL, SLICED, depth_of, place_of, slice_rows


class Sliced(NamedTuple):
    """Weights of a layer as the matrix unit takes them.

    Attributes
    ----------
    right : ndarray
        The weights without the bias, sliced; without elements where the unit is not asked.
    left : ndarray
        The unit's configuration, then room for the rows of all shares, sliced.
    """

    right: np.ndarray
    left: np.ndarray


@part
def multiply_step(z, out, bias, weights, slots, kept, t, K, columns, share, begin, end):
    """out (n_gates, columns), panelled: the products of step t, for the sequences from `begin` to `end`, which
    are those of a share.

    bias   the weights (1 + K, columns), panelled, whose first row the sums begin with; or None
    """
    ldz, depth, n_gates = z.shape[1], depth_of(K), out.shape[0] // columns
    own, product = CONFIGURED + place_of(share, begin, depth), stack(z, BLOCK_ELEMENTS)
    left, right = weights.left, weights.right
    configure(at(left, 0))
    start = (slots[t] + begin) * ldz + 1
    slice_rows(left, own, depth * SLICED, z, start, ldz, end - begin, K)
    for q in range(0, columns, BLOCK):
        panel = q // PANEL * PANEL
        width = min(PANEL, columns - panel)
        j, b = q // TILE_SIDE * depth * SLICED, panel * (1 + K) + q - panel
        for first in range(begin, end, BLOCK):
            i = own + (first - begin) // TILE_SIDE * depth * SLICED
            u = panel * n_gates + (kept[t] + first) * width + q - panel
            rows, n = min(BLOCK, end - first), min(BLOCK, columns - q)
            if rows % TILE_SIDE == 0:
                multiply_block(rows, n, out, u, width, left, i, right, j, depth, bias, b)
            else:  # whole tiles would reach into others' rows
                multiply_block(rows, n, product, 0, BLOCK, left, i, right, j, depth, bias, b)
                put_block(rows, n, product, BLOCK, out, u, width, False)
    release()
