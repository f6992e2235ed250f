"""The gradient of an LSTM's further parameters, and of the bias that stands behind a normalisation.

Each is a sum over the slots of what `lstm_options_backward` leaves behind. A share is a range of
vectors of units and sums over all slots in their order: the bits do not depend on the number of
shares.
"""

from .blocks import GATES, gate_columns, get_gate, get_gates, put_gates
from .compile import kernel, part
from .layer_norm import CELL_MEAN, CELL_SCALE
from .lstm_extras import CELL_GAIN, CELL_SHIFT, EXTRAS, GAIN, P
from .share import hand_out
from .simd import at, fma, load, splat, store
from .target import VECTOR_BYTES


@part
def sum_peepholes(d_extras, gates, start, width, c, unit, live, slots):
    """One vector of units: the gradient before i and f met the cells of before, that before o those
    of after.
    """
    L, Hp, units = VECTOR_BYTES // c.itemsize, c.shape[1], width // GATES
    i, f, o = splat(c, 0.0), splat(c, 0.0), splat(c, 0.0)
    for t in range(live.shape[0]):
        for r in range(live[t]):
            row = slots[t] + r
            place, cell = at(gates, start + row * width), load(c, row * Hp + unit)
            i = fma(get_gate(place, 0, units, L), cell, i)
            f = fma(get_gate(place, 1, units, L), cell, f)
            cell = load(c, (slots[t + 1] + r) * Hp + unit)
            o = fma(get_gate(place, 3, units, L), cell, o)
    store(d_extras, P * Hp + unit, i)
    store(d_extras, (P + 1) * Hp + unit, f)
    store(d_extras, (P + 2) * Hp + unit, o)


@part
def sum_gates(d_extras, bias, d_gates, centred, start, width, stats, Hp, unit, live, slots):
    """One vector of units: the biases of its gates; and the gains, which met normalised products."""
    L, units, zero = VECTOR_BYTES // d_gates.itemsize, width // GATES, splat(d_gates, 0.0)
    i, f, g, o = zero, zero, zero, zero
    gain_i, gain_f, gain_g, gain_o = zero, zero, zero, zero
    for t in range(live.shape[0]):
        for row in range(slots[t], slots[t] + live[t]):
            d = get_gates(at(d_gates, start + row * width), units, L)
            x = get_gates(at(centred, start + row * width), units, L)
            i, f, g, o = i + d[0], f + d[1], g + d[2], o + d[3]
            gain_i, gain_f = (
                fma(d[0], x[0] * stats[row, 0], gain_i),
                fma(d[1], x[1] * stats[row, 1], gain_f),
            )
            gain_g, gain_o = (
                fma(d[2], x[2] * stats[row, 2], gain_g),
                fma(d[3], x[3] * stats[row, 3], gain_o),
            )
    put_gates(bias, i, f, g, o, units, L)
    store(d_extras, GAIN * Hp + unit, gain_i)
    store(d_extras, (GAIN + 1) * Hp + unit, gain_f)
    store(d_extras, (GAIN + 2) * Hp + unit, gain_g)
    store(d_extras, (GAIN + 3) * Hp + unit, gain_o)


@part
def sum_cells(d_extras, c, d_cell, stats, unit, live, slots):
    """One vector of units: the gain and the shift of the normalised cells."""
    Hp = c.shape[1]
    gain, shift = splat(c, 0.0), splat(c, 0.0)
    for t in range(live.shape[0]):
        for r in range(live[t]):
            row = slots[t] + r
            x = load(c, (slots[t + 1] + r) * Hp + unit) - stats[row, CELL_MEAN]
            d = load(d_cell, row * Hp + unit)
            gain, shift = fma(d, x * stats[row, CELL_SCALE], gain), shift + d
    store(d_extras, CELL_GAIN * Hp + unit, gain)
    store(d_extras, CELL_SHIFT * Hp + unit, shift)


@kernel
def lstm_options_gradient(
    gradient, d_extras, c, gates, centred, stats, d_gates, d_cell, live, slots, n_in, n_units,
    options, share, n_shares, launcher,
):  # fmt: skip
    """After the backward pass: fill d_extras; and under layer_norm row 0 of the gradient of W,
    where `gemm.outer` has left something else.
    """
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // c.itemsize
    panel, columns, K, Hp = GATES * L, gate_columns(n_units, L), 1 + n_in + n_units, c.shape[1]
    n_gates, vectors = gates.shape[0] // columns, Hp // L
    d = d_gates if options.layer_norm else gates
    for vector in range(share * vectors // n_shares, (share + 1) * vectors // n_shares):
        unit, q = vector * L, vector * panel
        width, start = min(panel, columns - q), q * n_gates
        for row in range(EXTRAS):
            store(d_extras, row * Hp + unit, splat(c, 0.0))
        if options.peephole:
            sum_peepholes(d_extras, d, start, width, c, unit, live, slots)
        if options.layer_norm:
            sum_gates(
                d_extras, at(gradient, q * K), d, centred, start, width, stats, Hp, unit, live,
                slots,
            )  # fmt: skip
            sum_cells(d_extras, c, d_cell, stats, unit, live, slots)
