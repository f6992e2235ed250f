"""The forward pass of `gru` in training, by the matrix unit: products of all panels, then their cells."""

from .amx import TILE_SIDE
from .areas import sequences_of
from .blocks import GATES, enter, gate_columns
from .compile import kernel
from .gru import activate, forward_cells
from .share import hand_out
from .simd import at
from .sliced_step import multiply_step
from .slices import PANEL


@kernel
def gru_forward(
    z, h, gates, W, weights, mask, live, slots, kept, n_in, n_units, share, n_shares, launcher
):
    """As `gru.gru_forward`. A share is a range of sequences.

    weights   W as `sliced_step.Sliced`
    """
    if launcher != 0:
        hand_out()
        return
    columns, K = gate_columns(n_units, TILE_SIDE), n_in + n_units
    area, n_gates = sequences_of(share, n_shares, live, h.shape[1]), gates.shape[0] // columns
    enter(area, h, z, 1 + n_in, mask)
    first = area.begin
    for t in range(live.shape[0]):
        end = min(area.end, live[t])
        if end <= first:
            break
        multiply_step(z, gates, W, weights, slots, kept, t, K, columns, share, first, end)
        for q in range(0, columns, PANEL):
            width = min(PANEL, columns - q)
            g = q * n_gates + (kept[t] + first) * width
            activate(end - first, width, at(gates, g), TILE_SIDE)
            forward_cells(
                end - first, width, at(gates, g), gates, g, h, slots[t] + first,
                slots[t + 1] + first, z, 1 + n_in, mask, first, q // GATES,
            )  # fmt: skip
