"""Back-propagation through time for `gru`, whose docstring says what the arrays are."""

from .areas import columns_of, rows_of, sequences_of, units_of
from .blocks import GATES, clear, gate_columns, get_gate, put_gate
from .carry import carry_back
from .compile import inlined, kernel, part
from .gru import M, N, R, U
from .share import hand_out
from .simd import at, load, store, without_tiny
from .target import VECTOR_BYTES


@inlined
def update_backward(place, units, L, d_out, d, h, b, dh, s):
    """One step back through h = (1 - u) * n + u * h_before, for one row of a panel.

    u and n are overwritten by the gradients before their activations; that of n is returned. dh
    becomes the part of the gradient at the states before that does not go through the products.
    """
    n, u = get_gate(place, N, units, L), get_gate(place, U, units, L)
    d_h = load(dh, s)
    if d_out.shape[0] > 0:
        d_h = d_h + load(d_out, d)
    # A gradient that has vanished stays away: further back it would be denormal numbers, which are
    # slow.
    d_h = without_tiny(d_h)
    d_n = d_h * (1.0 - u) * (1.0 - n * n)
    put_gate(place, N, d_n, units, L)
    put_gate(place, U, d_h * (load(h, b) - n) * (u * (1.0 - u)), units, L)
    store(dh, s, d_h * u)
    return d_n


@part
def backward_cells(rows, width, gates, g, d_out, h, slot, dh, first, unit):
    """One step back for one panel's units, from the gradient at the new h.

    Gates are overwritten by the gradient at their pre-activations. dh becomes the gradient at the
    states before, without what goes through the recurrent product.
    """
    L, ldd, ldh, lds = VECTOR_BYTES // h.itemsize, d_out.shape[1], h.shape[1], dh.shape[1]
    units = width // GATES
    for k in range(rows):
        place = at(gates, g + k * width)
        d, b, s = (slot + k) * ldd + unit, (slot + k) * ldh + unit, (first + k) * lds + unit
        d_n = update_backward(place, units, L, d_out, d, h, b, dh, s)
        r, m = get_gate(place, R, units, L), get_gate(place, M, units, L)
        put_gate(place, R, d_n * m * (r * (1.0 - r)), units, L)
        put_gate(place, M, d_n * r, units, L)


@part
def backward_step(d_out, h, gates, dh, live, slots, n_units, t, area):
    """Step t back, for a share's area, up to the gradient at the pre-activations."""
    L = VECTOR_BYTES // h.itemsize
    panel, columns = GATES * L, gate_columns(n_units, L)
    n_gates = gates.shape[0] // columns
    left, right = columns_of(area, columns)
    for j in range(area.n_blocks):
        first, last = rows_of(j, area)
        slot, alive = slots[t] + first, max(first, min(last, live[t]))
        for q in range(left, right, panel):
            width = min(panel, columns - q)
            backward_cells(
                alive - first, width, gates, q * n_gates + slot * width, d_out, h, slot, dh,
                first, q // GATES,
            )  # fmt: skip
        ended = min(last, slots[t + 1] - slots[t])
        clear(gates, n_gates, left, right, columns, panel, slots[t] + alive, slots[t] + ended)


@kernel
def gru_backward(
    d_out, h, gates, weights, dh, mask, live, slots, n_units, share, n_shares, launcher
):
    """BPTT: gates become the gradient at the pre-activations, dh the gradient at the initial states.

    d_out (n_slots or 0, ldd)  gradient at the output of each slot's step; no rows: there is none
    dh    (B, Hp)              IN the gradient at each sequence's final state, OUT at its initial state
    """
    if launcher != 0:
        hand_out()
        return
    columns = gate_columns(n_units, VECTOR_BYTES // h.itemsize)
    area, n_gates = sequences_of(share, n_shares, live, dh.shape[1]), gates.shape[0] // columns
    for t in range(live.shape[0] - 1, -1, -1):
        backward_step(d_out, h, gates, dh, live, slots, n_units, t, area)
        carry_back(share, area, live[t], dh, gates, slots[t], n_gates, columns, weights, mask)


@kernel
def gru_backward_step(
    d_out, h, gates, weights, dh, mask, live, slots, n_units, t, share, n_shares, launcher
):
    """Step t of `gru_backward`, split by units; see `lstm_bptt.lstm_backward_step`."""
    if launcher != 0:
        hand_out()
        return
    L, k = VECTOR_BYTES // h.itemsize, t + 1
    columns, area = gate_columns(n_units, L), units_of(share, n_shares, live, dh.shape[1], L)
    if k < live.shape[0]:
        n_gates = gates.shape[0] // columns
        carry_back(share, area, live[k], dh, gates, slots[k], n_gates, columns, weights, mask)
    if t >= 0:
        backward_step(d_out, h, gates, dh, live, slots, n_units, t, area)


@kernel
def gru_backward_by_units(
    d_out, h, gates, weights, dh, mask, live, slots, n_units, share, n_shares, launcher
):
    """`gru_backward`, each step split by units."""
    for t in range(live.shape[0] - 1, -2, -1):
        gru_backward_step(
            d_out, h, gates, weights, dh, mask, live, slots, n_units, t, share, n_shares, launcher
        )
