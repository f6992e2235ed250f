"""Back-propagation through time for `lstm`, whose docstring says what the arrays are."""

from .activations import tanh
from .areas import columns_of, rows_of, sequences_of, units_of
from .blocks import GATES, PANEL_ELEMENTS, clear, gate_columns
from .carry import carry_back
from .compile import kernel, part
from .lstm import narrow, widen
from .share import hand_out
from .simd import at, fma, load, splat, stack, store, without_tiny
from .target import VECTOR_BYTES


@part
def backward_cells(rows, width, gates, u, d_out, d, c, before, after, dh, dc, s):
    """One step back for one panel's units, from the gradients at the new h and c.

    Gates are overwritten by the gradient at their pre-activations, dc by the gradient at the c
    before. dh becomes zero: `carry_back` adds the gradient at the h before to it.
    """
    L, ldc, ldd, ldh = VECTOR_BYTES // c.itemsize, c.shape[1], d_out.shape[1], dh.shape[1]
    units = width // GATES
    wide = stack(c, PANEL_ELEMENTS)
    for r in range(rows):
        place = at(gates, u + r * width)
        if units < L:
            widen(place, wide, units, L)
            place = wide
        i, f, g, o = load(place, 0), load(place, L), load(place, 2 * L), load(place, 3 * L)
        squashed = tanh(load(c, after + r * ldc))
        d_h = load(dh, s + r * ldh)
        if d_out.shape[0] > 0:
            d_h = d_h + load(d_out, d + r * ldd)
        # A gradient that has vanished stays away: further back it would be denormal numbers, which
        # are slow.
        d_h = without_tiny(d_h)
        d_c = without_tiny(fma(d_h * o, 1.0 - squashed * squashed, load(dc, s + r * ldh)))
        store(place, 0, d_c * g * (i * (1.0 - i)))
        store(place, L, d_c * load(c, before + r * ldc) * (f * (1.0 - f)))
        store(place, 2 * L, d_c * i * (1.0 - g * g))
        store(place, 3 * L, d_h * squashed * (o * (1.0 - o)))
        store(dc, s + r * ldh, d_c * f)
        store(dh, s + r * ldh, splat(d_c, 0.0))
        if units < L:
            narrow(wide, at(gates, u + r * width), units, L)


@part
def backward_step(d_out, c, gates, dh, dc, live, slots, n_units, t, area):
    """Step t back, for a share's area, up to the gradient at the pre-activations."""
    L = VECTOR_BYTES // c.itemsize
    panel, columns = GATES * L, gate_columns(n_units, L)
    ldc, ldd, ldh, n_gates = c.shape[1], d_out.shape[1], dh.shape[1], gates.shape[0] // columns
    left, right = columns_of(area, columns)
    for j in range(area.n_blocks):
        first, last = rows_of(j, area)
        alive = max(first, min(last, live[t]))
        for q in range(left, right, panel):
            width, unit = min(panel, columns - q), q // GATES
            backward_cells(
                alive - first, width, gates, q * n_gates + (slots[t] + first) * width,
                d_out, (slots[t] + first) * ldd + unit,
                c, (slots[t] + first) * ldc + unit, (slots[t + 1] + first) * ldc + unit,
                dh, dc, first * ldh + unit,
            )  # fmt: skip
        ended = min(last, slots[t + 1] - slots[t])
        clear(gates, n_gates, left, right, columns, panel, slots[t] + alive, slots[t] + ended)


@kernel
def lstm_backward(
    d_out, c, gates, weights, dh, dc, live, slots, n_units, share, n_shares, launcher
):
    """BPTT: gates become the gradient at the pre-activations, dh and dc the gradient at the initial
    states.

    d_out (n_slots or 0, ldd)  gradient at the output of each slot's step; no rows: there is none
    dh dc (B, Hp)              IN the gradient at each sequence's final state, OUT at its initial state
    """
    if launcher != 0:
        hand_out()
        return
    columns, no_mask = gate_columns(n_units, VECTOR_BYTES // c.itemsize), dh[:0]
    area, n_gates = sequences_of(share, n_shares, live, dh.shape[1]), gates.shape[0] // columns
    for t in range(live.shape[0] - 1, -1, -1):
        backward_step(d_out, c, gates, dh, dc, live, slots, n_units, t, area)
        carry_back(share, area, live[t], dh, gates, slots[t], n_gates, columns, weights, no_mask)


@kernel
def lstm_backward_step(
    d_out, c, gates, weights, dh, dc, live, slots, n_units, t, share, n_shares, launcher
):
    """Step t of `lstm_backward`, split by units, but for the recurrent product, which needs the gates of
    all units: that of the step behind. T steps have T + 1 of these, the last for t = -1.
    """
    if launcher != 0:
        hand_out()
        return
    L, k, no_mask = VECTOR_BYTES // c.itemsize, t + 1, dh[:0]
    columns, area = gate_columns(n_units, L), units_of(share, n_shares, live, dh.shape[1], L)
    if k < live.shape[0]:
        n_gates = gates.shape[0] // columns
        carry_back(share, area, live[k], dh, gates, slots[k], n_gates, columns, weights, no_mask)
    if t >= 0:
        backward_step(d_out, c, gates, dh, dc, live, slots, n_units, t, area)


@kernel
def lstm_backward_by_units(
    d_out, c, gates, weights, dh, dc, live, slots, n_units, share, n_shares, launcher
):
    """`lstm_backward`, each step split by units."""
    for t in range(live.shape[0] - 1, -2, -1):
        lstm_backward_step(
            d_out, c, gates, weights, dh, dc, live, slots, n_units, t, share, n_shares, launcher
        )
