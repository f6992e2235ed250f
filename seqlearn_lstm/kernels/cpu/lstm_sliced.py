"""The forward pass of `lstm` in training, by the matrix unit.

Its sums are rounded in another way than those of single steps, which a prediction has to equal to the bit.
"""

from .amx import CONFIGURED, TILE_SIDE, configure, release
from .areas import sequences_of
from .blocks import gate_columns
from .compile import kernel, part
from .lstm import forward_cells, places
from .share import hand_out
from .simd import at, stack
from .sliced_product import BLOCK, BLOCK_ELEMENTS, multiply_block, put_block
from .slices import PANEL, SLICED, depth_of, place_of, slice_rows


@part
def multiply_step(
    z, gates, W, left, right, slots, kept, t, K, columns, n_gates, share, begin, end, product
):  # fmt: skip
    """The pre-activations of step t, for the sequences from `begin` to `end`."""
    ldz, depth = z.shape[1], depth_of(K - 1)
    own = CONFIGURED + place_of(share, begin, depth)
    configure(at(left, 0))
    start = (slots[t] + begin) * ldz + 1
    slice_rows(left, own, depth * SLICED, z, start, ldz, end - begin, K - 1)
    for q in range(0, columns, BLOCK):
        panel = q // PANEL * PANEL
        width = min(PANEL, columns - panel)
        j, b = q // TILE_SIDE * depth * SLICED, panel * K + q - panel
        for first in range(begin, end, BLOCK):
            i = own + (first - begin) // TILE_SIDE * depth * SLICED
            u = panel * n_gates + (kept[t] + first) * width + q - panel
            rows, n = min(BLOCK, end - first), min(BLOCK, columns - q)
            if rows % TILE_SIDE == 0:
                multiply_block(rows, n, gates, u, width, left, i, right, j, depth, W, b)
            else:  # whole tiles would reach into others' rows
                multiply_block(rows, n, product, 0, BLOCK, left, i, right, j, depth, W, b)
                put_block(rows, n, product, BLOCK, gates, u, width, False)
    release()


@kernel
def lstm_forward(
    z, c, gates, W, left, right, live, slots, kept, n_in, n_units, share, n_shares, launcher
):
    """As `lstm.lstm_forward`. A share is a range of sequences.

    left   the unit's configuration, then room for the rows of all shares, sliced
    right  the weights, sliced, without the bias: the sums begin with it
    """
    if launcher != 0:
        hand_out()
        return
    columns, K = gate_columns(n_units, TILE_SIDE), 1 + n_in + n_units
    area, n_gates = sequences_of(share, n_shares, live, c.shape[1]), gates.shape[0] // columns
    product = stack(z, BLOCK_ELEMENTS)
    for t in range(live.shape[0]):
        end = min(area.end, live[t])
        if end <= area.begin:
            break
        multiply_step(
            z, gates, W, left, right, slots, kept, t, K, columns, n_gates, share, area.begin, end,
            product,
        )  # fmt: skip
        for q in range(0, columns, PANEL):
            width = min(PANEL, columns - q)
            u, before, after, out = places(
                area.begin, q, width, z, c, n_gates, slots, kept, n_in, t
            )
            forward_cells(end - area.begin, width, at(gates, u), gates, u, c, before, after, z, out)
