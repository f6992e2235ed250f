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

Split by sequences, a share owns some blocks of rows through all steps: there is no barrier between
steps, and weights stay in the cache. Split by units, it owns some panels; see `split`. `lstm_bptt` goes
back.
"""

from .activations import lstm_gates, tanh
from .ahead import is_worth_it, multiply_ahead
from .areas import columns_of, rows_of, sequences_of, units_of
from .blocks import GATES, PANEL_ELEMENTS, TILE_ELEMENTS, fetch, gate_columns
from .compile import inlined, kernel, part
from .share import hand_out
from .simd import at, fma, load, load_first, stack, store, store_first
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


@inlined
def places(first, q, width, z, c, n_gates, slots, kept, n_in, t):
    """Where the gates of step t of a block begin, in the panel that begins with column q; its cell states
    before and after the step, and its new hidden states.
    """
    ldz, ldc, unit = z.shape[1], c.shape[1], q // GATES
    return (
        q * n_gates + (kept[t] + first) * width,
        (kept[t] + first) * ldc + unit,
        (kept[t + 1] + first) * ldc + unit,
        (slots[t + 1] + first) * ldz + 1 + n_in + unit,
    )


@part
def forward_step(z, c, gates, W, live, slots, kept, n_in, n_units, t, area):
    """Step t, for a share's area."""
    L = VECTOR_BYTES // W.itemsize
    panel, columns, K = GATES * L, gate_columns(n_units, L), 1 + n_in + n_units
    ldz, ldc, n_gates = z.shape[1], c.shape[1], gates.shape[0] // columns
    left, right = columns_of(area, columns)
    pre, done = stack(W, TILE_ELEMENTS), 1 + n_in if is_worth_it(W, live, kept) else 0
    for q in range(left, right, panel):
        width = min(panel, columns - q)
        for j in range(area.n_blocks):
            first, last = rows_of(j, area)
            rows = min(last, live[t]) - first
            if rows <= 0:
                break
            u, before, after, out = places(first, q, width, z, c, n_gates, slots, kept, n_in, t)
            fetch(rows, width, gates, u, width)
            fetch(rows, 1, c, after, ldc)
            fetch(rows, 1, z, out, ldz)
            sums = at(gates, u) if done > 0 else pre
            tile(
                rows, width // L, sums, width, at(z, (slots[t] + first) * ldz + done), ldz, 1, 1, 0,
                at(W, q * K + done * width), width, K - done, done,
            )  # fmt: skip
            forward_cells(rows, width, sums, gates, u, c, before, after, z, out)


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
    columns, K = gate_columns(n_units, VECTOR_BYTES // W.itemsize), 1 + n_in + n_units
    area = sequences_of(share, n_shares, live, c.shape[1])
    multiply_ahead(gates, columns, z, W, K, 0, 1 + n_in, live, slots, kept, area)
    for t in range(live.shape[0]):
        forward_step(z, c, gates, W, live, slots, kept, n_in, n_units, t, area)


@kernel
def lstm_forward_step(
    z, c, gates, W, live, slots, kept, n_in, n_units, t, share, n_shares, launcher
):
    """Step t of `lstm_forward`, split by units."""
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // W.itemsize
    area = units_of(share, n_shares, live, c.shape[1], L)
    if t == 0:
        columns, K = gate_columns(n_units, L), 1 + n_in + n_units
        multiply_ahead(gates, columns, z, W, K, 0, 1 + n_in, live, slots, kept, area)
    forward_step(z, c, gates, W, live, slots, kept, n_in, n_units, t, area)


@kernel
def lstm_forward_by_units(
    z, c, gates, W, live, slots, kept, n_in, n_units, share, n_shares, launcher
):
    """`lstm_forward`, each step split by units."""
    for t in range(live.shape[0]):
        lstm_forward_step(
            z, c, gates, W, live, slots, kept, n_in, n_units, t, share, n_shares, launcher
        )
