"""The GRU layer whose reset gate stands before the recurrent product (Cho et al. 2014), forward and
back through time.

    r, u = sigmoid(...)   of [1 | x_t | h~] @ W;   n = tanh([1 | x_t] @ W_n + (r * h~) @ U_n)
    h_t = (1 - u) * n + u * h_(t-1);   h~ = h_(t-1) * mask

Letters, rows and panels as in `gru`; gates n, r, u, m again, but m stays zero, and so do its bias
and input weights: its columns of W only keep U_n, which the second product of a step reads from V.

z h gates W weights mask  as in `gru`
a     (n_slots, >= Hp)    r * h~
V     (H, Hp)             panelled, four vectors of units to a panel: U_n
VT    (Hp, Hp)            the same, transposed
d_a   (n_slots, Hp)       panelled like V: the gradient at the pre-activation of n, for the gradient of V
"""

from .activations import tanh
from .areas import rows_of, sequences_of
from .blocks import (
    GATES,
    TILE_ELEMENTS,
    clear,
    enter,
    gate_columns,
    get_gate,
    masked,
    put_gate,
    remember,
)
from .carry import carry_back
from .compile import kernel, part
from .gemm import multiply_rows
from .gru import M, N, R, U, gates_of_panel
from .gru_bptt import update_backward
from .share import hand_out
from .simd import at, fma, load, splat, stack, store
from .target import VECTOR_BYTES
from .tile import tile


@part
def reset_cells(rows, width, pre, gates, g, z, o, a, e, unit):
    """Store one panel's gates, and r * h~ in the rows of a from e on. Of n, only the part that
    comes from the inputs is known yet.
    """
    L, ldz, lda = VECTOR_BYTES // z.itemsize, z.shape[1], a.shape[1]
    units = width // GATES
    for k in range(rows):
        row, place = at(pre, k * width), at(gates, g + k * width)
        r = get_gate(row, R, units, L)
        put_gate(place, N, get_gate(row, N, units, L), units, L)
        put_gate(place, R, r, units, L)
        put_gate(place, U, get_gate(row, U, units, L), units, L)
        put_gate(place, M, splat(z, 0.0), units, L)
        store(a, (e + k) * lda + unit, r * load(z, o + k * ldz + unit))


@part
def forward_cells(rows, width, pre, p, ldp, gates, g, h, before, after, z, column, mask, s, unit):
    """Compute n and the new states of one panel's units, for sequences from s on.

    pre (rows, ldp): U_n (r * h~), this panel's from column p on.
    """
    L, ldh = VECTOR_BYTES // h.itemsize, h.shape[1]
    units = width // GATES
    for k in range(rows):
        place = at(gates, g + k * width)
        n = tanh(get_gate(place, N, units, L) + load(pre, k * ldp + p))
        put_gate(place, N, n, units, L)
        x = load(h, (before + k) * ldh + unit)
        x = fma(get_gate(place, U, units, L), x - n, n)
        remember(x, h, after + k, unit, z, column, mask, s + k)


@part
def forward_gates(pre, z, a, gates, W, live, slots, kept, n_in, n_units, t, area):
    """Step t as far as the gates and r * h~, for a share's area."""
    L = VECTOR_BYTES // W.itemsize
    panel, columns, K = GATES * L, gate_columns(n_units, L), 1 + n_in + n_units
    ldz, n_gates = z.shape[1], gates.shape[0] // columns
    for q in range(0, columns, panel):
        width = min(panel, columns - q)
        for j in range(area.n_blocks):
            first, last = rows_of(j, area)
            rows = min(last, live[t]) - first
            if rows <= 0:
                break
            o, place = (slots[t] + first) * ldz, kept[t] + first
            gates_of_panel(rows, width, M - R, pre, z, o, W, q * K, n_in, n_units)
            reset_cells(
                rows, width, pre, gates, q * n_gates + place * width, z, o + 1 + n_in, a, place,
                q // GATES,
            )  # fmt: skip


@part
def forward_states(pre, z, h, a, gates, V, mask, live, slots, kept, n_in, n_units, t, area):
    """The rest of step t: the product with U_n, n and the new states."""
    L = VECTOR_BYTES // V.itemsize
    panel, columns = GATES * L, gate_columns(n_units, L)
    lda, n_gates = a.shape[1], gates.shape[0] // columns
    n_padded = (n_units + L - 1) // L * L
    for q in range(0, n_padded, panel):
        width = min(panel, n_padded - q)
        for j in range(area.n_blocks):
            first, last = rows_of(j, area)
            rows = min(last, live[t]) - first
            if rows <= 0:
                break
            place = kept[t] + first
            tile(
                rows, width // L, pre, width, at(a, place * lda), lda, 1, 1, 0,
                at(V, q * n_units), width, n_units, 0,
            )  # fmt: skip
            for p in range(0, width, L):
                start = (q + p) * GATES
                gate_width = min(panel, columns - start)
                forward_cells(
                    rows, gate_width, pre, p, width,
                    gates, start * n_gates + place * gate_width,
                    h, slots[t] + first, slots[t + 1] + first, z, 1 + n_in, mask, first, q + p,
                )  # fmt: skip


@kernel
def gru_before_forward(
    z, h, a, gates, W, V, mask, live, slots, kept, n_in, n_units, share, n_shares, launcher
):  # fmt: skip
    """Fill the h columns of z, h, a and gates, from the x columns of z and the initial states in h.

    kept (T + 2,): as in `gru_forward`; it says where a is written, too.
    """
    if launcher != 0:
        hand_out()
        return
    area = sequences_of(share, n_shares, live, h.shape[1])
    pre = stack(W, TILE_ELEMENTS)
    enter(area, h, z, 1 + n_in, mask)
    for t in range(live.shape[0]):
        forward_gates(pre, z, a, gates, W, live, slots, kept, n_in, n_units, t, area)
        forward_states(pre, z, h, a, gates, V, mask, live, slots, kept, n_in, n_units, t, area)


@part
def backward_cells(rows, width, gates, g, d_out, h, slot, d_a, e, lde, dh, first, unit):
    """One step back for one panel's units, from the gradient at the new h.

    u and n are overwritten by the gradients before their activations; that of n is stored in d_a,
    too, from element e on.
    """
    L, ldd, ldh, lds = VECTOR_BYTES // h.itemsize, d_out.shape[1], h.shape[1], dh.shape[1]
    units = width // GATES
    for k in range(rows):
        place = at(gates, g + k * width)
        d, b, s = (slot + k) * ldd + unit, (slot + k) * ldh + unit, (first + k) * lds + unit
        d_n = update_backward(place, units, L, d_out, d, h, b, dh, s)
        store(d_a, e + k * lde, d_n)


@part
def reset_backward(rows, width, gates, g, product, p, ldp, h, slot, mask, dh, first, unit):
    """One step back through r * h~, for one panel's units: r is overwritten by the gradient before
    its activation, and what goes to the states before is added to dh.

    product (rows, ldp): the gradient at r * h~, this panel's from column p on.
    """
    L, ldh = VECTOR_BYTES // h.itemsize, dh.shape[1]
    units = width // GATES
    for k in range(rows):
        place, s = at(gates, g + k * width), (first + k) * ldh + unit
        r, d = get_gate(place, R, units, L), load(product, k * ldp + p)
        x = masked(load(h, (slot + k) * h.shape[1] + unit), mask, first + k, unit)
        put_gate(place, R, d * x * (r * (1.0 - r)), units, L)
        store(dh, s, load(dh, s) + masked(d * r, mask, first + k, unit))


@part
def backward_gates(d_out, h, a, gates, d_a, dh, live, slots, n_units, t, area):
    """Step t back to the gradients before the activations of n and u, for a share's area."""
    L = VECTOR_BYTES // h.itemsize
    panel, columns = GATES * L, gate_columns(n_units, L)
    n_slots, n_padded = gates.shape[0] // columns, (n_units + L - 1) // L * L
    for j in range(area.n_blocks):
        first, last = rows_of(j, area)
        slot, alive = slots[t] + first, max(first, min(last, live[t]))
        for q in range(0, columns, panel):
            unit, width = q // GATES, min(panel, columns - q)
            piece = unit // panel * panel
            lde = min(panel, n_padded - piece)
            backward_cells(
                alive - first, width, gates, q * n_slots + slot * width, d_out, h, slot,
                d_a, piece * n_slots + slot * lde + unit - piece, lde, dh, first, unit,
            )  # fmt: skip
        dead, ended = slots[t] + alive, slots[t] + min(last, slots[t + 1] - slots[t])
        clear(gates, n_slots, 0, columns, columns, panel, dead, ended)
        clear(d_a, n_slots, 0, n_padded, n_padded, panel, dead, ended)
        a[dead:ended] = 0.0


@part
def backward_reset(h, gates, d_a, VT, dh, mask, live, slots, n_units, t, area):
    """The rest of step t within the cell: back through the product with U_n, and r * h~."""
    L = VECTOR_BYTES // h.itemsize
    panel, columns = GATES * L, gate_columns(n_units, L)
    n_slots, n_padded = gates.shape[0] // columns, (n_units + L - 1) // L * L
    product = stack(h, TILE_ELEMENTS)
    for q in range(0, n_padded, panel):
        width = min(panel, n_padded - q)
        for j in range(area.n_blocks):
            first, last = rows_of(j, area)
            rows, slot = min(last, live[t]) - first, slots[t] + first
            if rows <= 0:
                break
            multiply_rows(
                rows, product, 0, width, d_a, slot, n_slots, n_padded, panel, VT, q, width, 0
            )
            for p in range(0, width, L):
                start = (q + p) * GATES
                gate_width = min(panel, columns - start)
                reset_backward(
                    rows, gate_width, gates, start * n_slots + slot * gate_width,
                    product, p, width, h, slot, mask, dh, first, q + p,
                )  # fmt: skip


@kernel
def gru_before_backward(
    d_out, h, a, gates, d_a, weights, VT, dh, mask, live, slots, n_units, share, n_shares, launcher
):  # fmt: skip
    """BPTT: gates and d_a become the gradient at the pre-activations, dh the gradient at the initial
    states; see `gru_backward`.
    """
    if launcher != 0:
        hand_out()
        return
    columns = gate_columns(n_units, VECTOR_BYTES // h.itemsize)
    n_slots = gates.shape[0] // columns
    area = sequences_of(share, n_shares, live, h.shape[1])
    for t in range(live.shape[0] - 1, -1, -1):
        backward_gates(d_out, h, a, gates, d_a, dh, live, slots, n_units, t, area)
        backward_reset(h, gates, d_a, VT, dh, mask, live, slots, n_units, t, area)
        carry_back(share, area, live[t], dh, gates, slots[t], n_slots, columns, weights, mask)
