"""The plain recurrent layer (Elman 1990), forward and back through time, for ragged batches.

    h_t = act([1 | x_t | h~] @ W);   h~ = h_(t-1) * mask

L lanes of a vector; T steps, B sequences, I inputs, H units; Hp = H rounded up to L. Rows and masks
are as in `blocks`. A panel is four vectors of units.

z     (n_states, ldz)     rows [1 | x (I) | h~ (Hp) | free]
h     (n_states, Hp)      states; all that BPTT needs of the forward pass
d_pre (n_slots, Hp)       panelled: the gradient at the pre-activations, which BPTT writes
W     (1 + I + H, Hp)     panelled: the bias, the input weights, the recurrent weights; zero for padded units
weights                   those of the recurrent product, transposed: `carry.Transposed`
mask  (B or 0, Hp)        multiplied onto h for the recurrent product
act                       a number of `squash` whose value at zero is zero: padded units stay there
"""

from .areas import rows_of, sequences_of, units_of
from .blocks import TILE_ELEMENTS, clear, enter, remember
from .carry import carry_back
from .compile import kernel, part
from .share import hand_out
from .simd import at, load, splat, stack, store, without_tiny
from .squash import squash, unsquash
from .target import VECTOR_BYTES
from .tile import PANEL_VECTORS, tile


@part
def forward_cells(rows, width, pre, act, h, after, z, column, mask, first, q):
    """New states of one panel's units, for `rows` sequences from `first` on, from pre (rows, width)."""
    L = VECTOR_BYTES // h.itemsize
    for k in range(rows):
        for p in range(0, width, L):
            x = squash(load(pre, k * width + p), act)
            remember(x, h, after + k, q + p, z, column, mask, first + k)


@part
def forward_step(z, h, W, mask, live, slots, n_in, n_units, act, t, area):
    """Step t, for a share's area."""
    L = VECTOR_BYTES // W.itemsize
    panel, K, ldz = PANEL_VECTORS * L, 1 + n_in + n_units, z.shape[1]
    pre = stack(W, TILE_ELEMENTS)
    for q in range(area.left, area.right, panel):
        width = min(panel, area.right - q)
        for j in range(area.n_blocks):
            first, last = rows_of(j, area)
            rows = min(last, live[t]) - first
            if rows <= 0:
                break
            tile(
                rows, width // L, pre, width, at(z, (slots[t] + first) * ldz), ldz, 1, 1, 0,
                at(W, q * K), width, K, 0,
            )  # fmt: skip
            after = slots[t + 1] + first
            forward_cells(rows, width, pre, act, h, after, z, 1 + n_in, mask, first, q)


@kernel
def rnn_forward(z, h, W, mask, live, slots, n_in, n_units, act, share, n_shares, launcher):
    """Fill the h columns of z and h, from the x columns of z and the initial states in h."""
    if launcher != 0:
        hand_out()
        return
    area = sequences_of(share, n_shares, live, h.shape[1])
    enter(area, h, z, 1 + n_in, mask)
    for t in range(live.shape[0]):
        forward_step(z, h, W, mask, live, slots, n_in, n_units, act, t, area)


@kernel
def rnn_forward_step(z, h, W, mask, live, slots, n_in, n_units, act, t, share, n_shares, launcher):
    """Step t of `rnn_forward`, split by units."""
    if launcher != 0:
        hand_out()
        return
    area = units_of(share, n_shares, live, h.shape[1], VECTOR_BYTES // W.itemsize)
    forward_step(z, h, W, mask, live, slots, n_in, n_units, act, t, area)


@kernel
def rnn_forward_by_units(z, h, W, mask, live, slots, n_in, n_units, act, share, n_shares, launcher):
    """`rnn_forward`, each step split by units."""
    enter(sequences_of(0, 1, live, h.shape[1]), h, z, 1 + n_in, mask)
    for t in range(live.shape[0]):
        rnn_forward_step(
            z, h, W, mask, live, slots, n_in, n_units, act, t, share, n_shares, launcher
        )


@part
def backward_cells(rows, width, d_pre, o, act, d_out, slot, h, after, dh, first, q):
    """One step back for one panel's units, from the gradient at the new h to the gradient at the
    pre-activations. dh becomes zero: all that goes to the states before goes through the product.
    """
    L, ldd, ldh, lds = VECTOR_BYTES // h.itemsize, d_out.shape[1], h.shape[1], dh.shape[1]
    for k in range(rows):
        for p in range(0, width, L):
            s = (first + k) * lds + q + p
            d_h = load(dh, s)
            if d_out.shape[0] > 0:
                d_h = d_h + load(d_out, (slot + k) * ldd + q + p)
            # A gradient that has vanished stays away: further back it would be denormal numbers,
            # which are slow.
            d_h = unsquash(without_tiny(d_h), load(h, (after + k) * ldh + q + p), act)
            store(d_pre, o + k * width + p, d_h)
            store(dh, s, splat(dh, 0.0))


@part
def backward_step(d_out, h, d_pre, dh, live, slots, act, t, area):
    """Step t back, for a share's area, up to the gradient at the pre-activations."""
    panel, columns = PANEL_VECTORS * VECTOR_BYTES // h.itemsize, dh.shape[1]
    n_slots = d_pre.shape[0] // columns
    for j in range(area.n_blocks):
        first, last = rows_of(j, area)
        slot, alive = slots[t] + first, max(first, min(last, live[t]))
        for q in range(area.left, area.right, panel):
            width = min(panel, area.right - q)
            backward_cells(
                alive - first, width, d_pre, q * n_slots + slot * width, act,
                d_out, slot, h, slots[t + 1] + first, dh, first, q,
            )  # fmt: skip
        ended = slots[t] + min(last, slots[t + 1] - slots[t])
        clear(d_pre, n_slots, area.left, area.right, columns, panel, slots[t] + alive, ended)


@kernel
def rnn_backward(d_out, h, d_pre, weights, dh, mask, live, slots, act, share, n_shares, launcher):
    """BPTT: fill d_pre; dh becomes the gradient at the initial states.

    d_out (n_slots or 0, ldd)  gradient at the output of each slot's step; no rows: there is none
    dh    (B, Hp)              IN the gradient at each sequence's final state, OUT at its initial state
    """
    if launcher != 0:
        hand_out()
        return
    area = sequences_of(share, n_shares, live, dh.shape[1])
    columns = dh.shape[1]
    n_slots = d_pre.shape[0] // columns
    for t in range(live.shape[0] - 1, -1, -1):
        backward_step(d_out, h, d_pre, dh, live, slots, act, t, area)
        carry_back(share, area, live[t], dh, d_pre, slots[t], n_slots, columns, weights, mask)


@kernel
def rnn_backward_step(
    d_out, h, d_pre, weights, dh, mask, live, slots, act, t, share, n_shares, launcher
):
    """Step t of `rnn_backward`, split by units; see `lstm_bptt.lstm_backward_step`."""
    if launcher != 0:
        hand_out()
        return
    columns, k = dh.shape[1], t + 1
    area = units_of(share, n_shares, live, columns, VECTOR_BYTES // h.itemsize)
    if k < live.shape[0]:
        n_slots = d_pre.shape[0] // columns
        carry_back(share, area, live[k], dh, d_pre, slots[k], n_slots, columns, weights, mask)
    if t >= 0:
        backward_step(d_out, h, d_pre, dh, live, slots, act, t, area)


@kernel
def rnn_backward_by_units(
    d_out, h, d_pre, weights, dh, mask, live, slots, act, share, n_shares, launcher
):
    """`rnn_backward`, each step split by units."""
    for t in range(live.shape[0] - 1, -2, -1):
        rnn_backward_step(
            d_out, h, d_pre, weights, dh, mask, live, slots, act, t, share, n_shares, launcher
        )
