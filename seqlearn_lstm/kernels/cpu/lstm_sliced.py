"""The forward pass of `lstm` in training, by the matrix unit: products of all panels, then their cells."""

from .amx import TILE_SIDE
from .areas import sequences_of
from .blocks import gate_columns
from .compile import kernel
from .lstm import forward_cells, places
from .share import hand_out
from .simd import at
from .sliced_step import multiply_step
from .slices import PANEL


@kernel
def lstm_forward(
    z, c, gates, W, weights, live, slots, kept, n_in, n_units, share, n_shares, launcher
):
    """As `lstm.lstm_forward`. A share is a range of sequences.

    weights   W as `sliced_step.Sliced`
    """
    if launcher != 0:
        hand_out()
        return
    columns, K = gate_columns(n_units, TILE_SIDE), n_in + n_units
    area, n_gates = sequences_of(share, n_shares, live, c.shape[1]), gates.shape[0] // columns
    for t in range(live.shape[0]):
        end = min(area.end, live[t])
        if end <= area.begin:
            break
        multiply_step(z, gates, W, weights, slots, kept, t, K, columns, share, area.begin, end)
        for q in range(0, columns, PANEL):
            width = min(PANEL, columns - q)
            u, before, after, out = places(
                area.begin, q, width, z, c, n_gates, slots, kept, n_in, t
            )
            forward_cells(end - area.begin, width, at(gates, u), gates, u, c, before, after, z, out)
