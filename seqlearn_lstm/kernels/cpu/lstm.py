"""The LSTM layer: forward pass and back-propagation through time, for ragged batches.

    i, f, o = sigmoid(...), g = tanh(...)   of the pre-activations [1 | x_t | h_(t-1)] @ W
    c_t = f * c_(t-1) + i * g;   h_t = o * tanh(c_t)          (Hochreiter and Schmidhuber 1997; Gers et al. 2000)

L lanes of a vector; T steps, B sequences, I inputs, H units; Hg = H rounded up to L / 4, Hp = H
rounded up to L. A panel is the four gates of L units side by side, i, f, g, o; in the last one, of
the units that are left. The rows of a batch lie as `batches.Batch` says.

z     (n_states, ldz)         rows [1 | x (I) | h (Hp) | free]; row slots[t] + r holds x_t and h_(t-1) of sequence r
c     (n_states, Hp)          cell states, in the same rows
gates (n_slots, 4 Hg)         panelled: activated gates; BPTT overwrites them with the gradient at the pre-activations
W     (1 + I + H, 4 Hg)       panelled: the bias, the input weights, the recurrent weights; zero for padded units
weights                       those of the recurrent product, transposed: `carry.Transposed`

The work is split by sequences: a share owns some blocks of rows through all steps, so that there is
no barrier between steps and weights stay in the cache.
"""

from .activations import lstm_gates, tanh
from .ahead import is_worth_it, multiply_ahead
from .blocks import (
    GATES,
    PANEL_ELEMENTS,
    TILE_ELEMENTS,
    clear,
    fetch,
    gate_columns,
    rows_of,
    sequences_of,
)
from .carry import carry_back
from .compile import kernel, part
from .share import hand_out
from .simd import at, fma, load, load_first, splat, stack, store, store_first, without_tiny
from .target import VECTOR_BYTES
from .tile import tile


@part
def widen(row, wide, units, L):
    """Copy the gates of one row of a narrow panel, which has fewer units than a vector has lanes,
    each into a vector of its own.
    """
    for gate in range(GATES):
        store(wide, gate * L, load_first(row, gate * units, units))


@part
def narrow(wide, row, units, L):
    """Copy the gates from vectors of their own into one row of a narrow panel: the inverse of
    `widen`.
    """
    for gate in range(GATES):
        store_first(row, gate * units, load(wide, gate * L), units)


@part
def forward_cells(rows, width, pre, gates, u, c, before, after, z, out):
    """Gates and new states of one panel's units, for `rows` rows, from the pre-activations `pre`
    (rows, width).
    """
    L, ldc, ldz = VECTOR_BYTES // c.itemsize, c.shape[1], z.shape[1]
    units = width // GATES
    wide = stack(c, PANEL_ELEMENTS)
    for r in range(rows):
        source, target = at(pre, r * width), at(gates, u + r * width)
        if units < L:
            widen(source, wide, units, L)
            source, target = wide, wide
        i, f, g, o = lstm_gates(
            load(source, 0), load(source, L), load(source, 2 * L), load(source, 3 * L)
        )
        store(c, after + r * ldc, fma(f, load(c, before + r * ldc), i * g))
        store(z, out + r * ldz, o)
        store(target, 0, i)
        store(target, L, f)
        store(target, 2 * L, g)
        store(target, 3 * L, o)
        if units < L:
            narrow(wide, at(gates, u + r * width), units, L)
    # In a loop of its own: behind the division above, tanh would wait longer than the processor can
    # look ahead.
    for r in range(rows):
        store(z, out + r * ldz, load(z, out + r * ldz) * tanh(load(c, after + r * ldc)))


@kernel
def lstm_forward(z, c, gates, W, live, slots, kept, n_in, n_units, share, n_shares, launcher):
    """Fill the h columns of z, c and gates, from the x columns of z and the initial states.

    kept (T + 2,) says where cells and gates of a step are written: `slots` keeps them for BPTT,
    zeros overwrite them step by step (a prediction needs the last only: c and gates then have B
    rows).
    """
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // W.itemsize
    panel, columns, K = GATES * L, gate_columns(n_units, L), 1 + n_in + n_units
    ldz, ldc, n_gates = z.shape[1], c.shape[1], gates.shape[0] // columns
    begin, end, n_blocks = sequences_of(share, n_shares, live)
    pre, ahead, done = stack(W, TILE_ELEMENTS), is_worth_it(W, live, kept), 0
    if ahead:
        done = 1 + n_in
        multiply_ahead(gates, columns, z, W, K, begin, end, 0, done, n_blocks, live, slots)
    for t in range(live.shape[0]):
        for q in range(0, columns, panel):
            width, unit = min(panel, columns - q), q // GATES
            for j in range(n_blocks):
                first, last = rows_of(j, n_blocks, begin, end)
                rows = min(last, live[t]) - first
                if rows <= 0:
                    break
                u, after = (
                    q * n_gates + (kept[t] + first) * width,
                    (kept[t + 1] + first) * ldc + unit,
                )
                out = (slots[t + 1] + first) * ldz + 1 + n_in + unit
                fetch(rows, width, gates, u, width)
                fetch(rows, 1, c, after, ldc)
                fetch(rows, 1, z, out, ldz)
                sums = at(gates, u) if ahead else pre
                tile(
                    rows, width // L, sums, width, at(z, (slots[t] + first) * ldz + done), ldz, 1, 1, 0,
                    at(W, q * K + done * width), width, K - done, done,
                )  # fmt: skip
                before = (kept[t] + first) * ldc + unit
                forward_cells(rows, width, sums, gates, u, c, before, after, z, out)


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
    L = VECTOR_BYTES // c.itemsize
    panel, columns = GATES * L, gate_columns(n_units, L)
    ldc, ldd, ldh = c.shape[1], d_out.shape[1], dh.shape[1]
    n_gates, no_mask = gates.shape[0] // columns, dh[:0]
    begin, end, n_blocks = sequences_of(share, n_shares, live)
    for t in range(live.shape[0] - 1, -1, -1):
        for j in range(n_blocks):
            first, last = rows_of(j, n_blocks, begin, end)
            alive = max(first, min(last, live[t]))
            for q in range(0, columns, panel):
                width, unit = min(panel, columns - q), q // GATES
                backward_cells(
                    alive - first, width, gates, q * n_gates + (slots[t] + first) * width,
                    d_out, (slots[t] + first) * ldd + unit,
                    c, (slots[t] + first) * ldc + unit, (slots[t + 1] + first) * ldc + unit,
                    dh, dc, first * ldh + unit,
                )  # fmt: skip
            ended = min(last, slots[t + 1] - slots[t])
            clear(gates, n_gates, columns, panel, slots[t] + alive, slots[t] + ended)
        carry_back(
            share, begin, end, live[t], dh, gates, slots[t], n_gates, columns, weights, no_mask
        )
