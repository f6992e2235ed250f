"""The LSTM layer: forward pass and back-propagation through time, for ragged batches.

    i, f, o = sigmoid(...), g = tanh(...)   of the pre-activations [1 | x_t | h_(t-1)] @ W
    c_t = f * c_(t-1) + i * g;   h_t = o * tanh(c_t)          (Hochreiter and Schmidhuber 1997; Gers et al. 2000)

L lanes of a vector; a panel is the four gates of L units, side by side; P panels cover the units, the last one padded.
T steps, B sequences, I inputs, H units; Hp = P * L. The rows of a batch lie as `batches.Batch` says.

z     (n_states, ldz)      rows [1 | x (I) | h (Hp) | free]; row slots[t] + r holds x_t and h_(t-1) of sequence r
c     (n_states, Hp)       cell states, in the same rows
gates (P, n_slots, 4 L)    activated gates i, f, g, o; BPTT overwrites them with the gradient at the pre-activations
W     (P, 1 + I + H, 4 L)  the bias, the input weights, the recurrent weights; zero in padded units
UT    panels of U^T        (4 Hp, H padded to L columns), see `gemm.transpose`

The work is split by sequences: a share owns some blocks of rows through all steps, so that there is no barrier between steps
and weights stay in the cache. ``serial`` functions with a share; ``threads.py`` hands the shares out.
"""

from .activations import lstm_gates, tanh
from .compile import kernel
from .share import hand_out
from .simd import at, fma, load, stack, store
from .target import TILE_ROWS, VECTOR_BYTES
from .tile import PANEL_VECTORS, tile

SCRATCH = TILE_ROWS * PANEL_VECTORS * VECTOR_BYTES // 4  # elements of a tile's output; half is used by float64


@kernel
def count_blocks(B, n_shares):
    """Blocks of at most TILE_ROWS rows, as many for each share."""
    blocks = (B + TILE_ROWS - 1) // TILE_ROWS
    return (blocks + n_shares - 1) // n_shares * n_shares


@kernel
def block_of(j, share, n_shares):
    """The j-th block of a share: dealt out there and back again, so that long and short sequences mix."""
    return j * n_shares + (share if j % 2 == 0 else n_shares - 1 - share)


@kernel
def lstm_forward(z, c, gates, W, live, slots, kept, n_in, share, n_shares, launcher):
    """Fill the h columns of z, c and gates, from the x columns of z and the initial states.

    kept (T + 2,) says where cells and gates of a step are written: `slots` keeps them for BPTT, zeros overwrite them step
    by step (a prediction needs the last only: c and gates then have B rows).
    """
    if launcher != 0:
        hand_out()
        return
    P, K, panel = W.shape
    L = panel // PANEL_VECTORS
    B, ldz, ldc, n_gates = live[0], z.shape[1], c.shape[1], gates.shape[1]
    n_blocks = count_blocks(B, n_shares)
    pre = stack(W, SCRATCH)
    for t in range(live.shape[0]):
        for p in range(P):
            for j in range(n_blocks // n_shares):
                block = block_of(j, share, n_shares)
                first = block * B // n_blocks
                rows = min((block + 1) * B // n_blocks, live[t]) - first
                if rows <= 0:
                    break
                row = (slots[t] + first) * ldz
                tile(rows, PANEL_VECTORS, pre, panel, at(z, row), ldz, 1, at(W, p * K * panel), panel, K, 0)
                for r in range(rows):
                    a, u = r * panel, (p * n_gates + kept[t] + first + r) * panel
                    i, f, g, o = lstm_gates(
                        load(pre, a), load(pre, a + L), load(pre, a + 2 * L), load(pre, a + 3 * L)
                    )
                    before = (kept[t] + first + r) * ldc + p * L
                    after = (kept[t + 1] + first + r) * ldc + p * L
                    cell = fma(f, load(c, before), i * g)
                    store(gates, u, i)
                    store(gates, u + L, f)
                    store(gates, u + 2 * L, g)
                    store(gates, u + 3 * L, o)
                    store(c, after, cell)
                    store(z, (slots[t + 1] + first + r) * ldz + 1 + n_in + p * L, o * tanh(cell))


@kernel
def gate_gradients(t, first, last, d_out, c, gates, dh, dc, slots):
    """Rows first..last of step t: from the gradient at h and c to the gradient at the pre-activations, in place."""
    P, n_gates, panel = gates.shape
    L, ldc, ldd = panel // PANEL_VECTORS, c.shape[1], d_out.shape[1]
    for p in range(P):
        for r in range(first, last):
            u, s = (p * n_gates + slots[t] + r) * panel, r * dh.shape[1] + p * L
            i, f, g, o = (
                load(gates, u), load(gates, u + L), load(gates, u + 2 * L), load(gates, u + 3 * L)
            )
            squashed = tanh(load(c, (slots[t + 1] + r) * ldc + p * L))
            d_h = load(dh, s)
            if d_out.shape[0] > 0:
                d_h = d_h + load(d_out, (slots[t] + r) * ldd + p * L)
            d_c = fma(d_h * o, 1.0 - squashed * squashed, load(dc, s))
            store(gates, u, d_c * g * (i * (1.0 - i)))
            store(gates, u + L, d_c * load(c, (slots[t] + r) * ldc + p * L) * (f * (1.0 - f)))
            store(gates, u + 2 * L, d_c * i * (1.0 - g * g))
            store(gates, u + 3 * L, d_h * squashed * (o * (1.0 - o)))
            store(dc, s, d_c * f)


@kernel
def clear_ended(t, first, last, gates, slots):
    """Dead slots: their inputs meet a gradient of zero in the products over all slots."""
    P, n_gates, panel = gates.shape
    for p in range(P):
        for r in range(first, last):
            gates[p, slots[t] + r, :] = 0.0


@kernel
def lstm_backward(d_out, c, gates, UT, dh, dc, live, slots, n_units, share, n_shares, launcher):
    """BPTT: gates become the gradient at the pre-activations, dh and dc the gradient at the initial states.

    d_out (n_slots or 0, ldd)  gradient at the output of each slot's step; no rows: there is none
    dh dc (B, Hp)              IN the gradient at each sequence's final state, OUT at its initial state
    """
    if launcher != 0:
        hand_out()
        return
    P, n_gates, panel = gates.shape
    L = panel // PANEL_VECTORS
    B, N = live[0], (n_units + L - 1) // L * L
    n_blocks = count_blocks(B, n_shares)
    for t in range(live.shape[0] - 1, -1, -1):
        for j in range(n_blocks // n_shares):
            block = block_of(j, share, n_shares)
            first, last = block * B // n_blocks, (block + 1) * B // n_blocks
            alive = max(first, min(last, live[t]))
            gate_gradients(t, first, alive, d_out, c, gates, dh, dc, slots)
            clear_ended(t, alive, min(last, slots[t + 1] - slots[t]), gates, slots)
        for q in range(0, N, panel):
            width = min(panel, N - q)
            for p in range(P):
                for j in range(n_blocks // n_shares):
                    block = block_of(j, share, n_shares)
                    first = block * B // n_blocks
                    rows = min((block + 1) * B // n_blocks, live[t]) - first
                    if rows <= 0:
                        break
                    tile(
                        rows, width // L, at(dh, first * dh.shape[1] + q), dh.shape[1],
                        at(gates, (p * n_gates + slots[t] + first) * panel), panel, 1,
                        at(UT, q * P * panel + p * panel * width), width, panel, p,
                    )
