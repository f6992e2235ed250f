"""The GRU layer whose reset gate stands behind the recurrent product, forward and back through time.

    r, u = sigmoid(...)   of [1 | x_t | h~] @ W;   n = tanh([1 | x_t] @ W_n + r * m),   m = h~ @ U_n + b_n
    h_t = (1 - u) * n + u * h_(t-1);   h~ = h_(t-1) * mask

(Cho et al. 2014, with the reset gate moved as cuDNN has it: one product a step. `gru_before` has
theirs.) L lanes of a vector; T steps, B sequences, I inputs, H units; Hg, Hp, panels and rows as in
`blocks`. The gates of a panel are n, r, u, m: the three that read h~ are neighbours.

z     (n_states, ldz)     rows [1 | x (I) | h~ (Hp) | free]
h     (n_states, Hp)      states
gates (n_slots, 4 Hg)     panelled: n, r, u, m; BPTT overwrites them with the gradient at the pre-activations
W     (1 + I + H, 4 Hg)   panelled: the bias, the input weights, the recurrent weights; zero for padded units, in the rows
                          of h~ for n, and in those of x for m
weights                   those of the recurrent product, transposed: `carry.Transposed`
mask  (B or 0, Hp)        multiplied onto h for the recurrent product

`gru_bptt` goes back.
"""

from .activations import sigmoid_fraction, tanh
from .areas import columns_of, rows_of, sequences_of, units_of
from .blocks import (
    GATES,
    TILE_ELEMENTS,
    enter,
    gate_columns,
    get_gate,
    put_gate,
    remember,
)
from .compile import inlined, kernel, part
from .share import hand_out
from .simd import at, fma, load, stack
from .target import VECTOR_BYTES
from .tile import tile

N, R, U, M = range(GATES)


@inlined
def two_sigmoids(x, y):
    """sigmoid(x), sigmoid(y), with one division."""
    px, qx = sigmoid_fraction(x)
    py, qy = sigmoid_fraction(y)
    inverse = 1.0 / (qx * qy)
    return fma(px, inverse * qy, 0.5), fma(py, inverse * qx, 0.5)


@part
def activate(rows, width, pre, L):
    """r and u of one panel, for `rows` rows (rows, width): their sigmoid in the place of what it is of."""
    units = width // GATES
    for k in range(rows):
        row = at(pre, k * width)
        r, u = two_sigmoids(get_gate(row, R, units, L), get_gate(row, U, units, L))
        put_gate(row, R, r, units, L)
        put_gate(row, U, u, units, L)


@part
def gates_of_panel(rows, width, recurrent, pre, z, o, W, w, n_in, n_units):
    """Compute one panel's gates from `rows` rows of z, into pre (rows, width): r and u after their
    sigmoid, of n what the inputs and the bias add, and m.

    recurrent   how many of the gates after n read h~: 2 (r, u; m is then nothing) or 3 (r, u, m).
                In a narrow panel gates are no whole vectors, and all four read it
    """
    L, ldz = VECTOR_BYTES // W.itemsize, z.shape[1]
    units, K = width // GATES, 1 + n_in
    tile(rows, width // L, pre, width, at(z, o), ldz, 1, 1, 0, at(W, w), width, K, 0)
    skip = 0 if units < L else L
    vectors = width // L if units < L else recurrent
    tile(
        rows, vectors, at(pre, skip), width, at(z, o + K), ldz, 1, 1, 0,
        at(W, w + K * width + skip), width, n_units, 1,
    )  # fmt: skip
    activate(rows, width, pre, L)


@part
def forward_cells(rows, width, pre, gates, g, h, before, after, z, column, mask, first, unit):
    """Gates and new states of one panel's units, for `rows` sequences from `first` on."""
    L, ldh = VECTOR_BYTES // h.itemsize, h.shape[1]
    units = width // GATES
    for k in range(rows):
        row, place = at(pre, k * width), at(gates, g + k * width)
        r, u = get_gate(row, R, units, L), get_gate(row, U, units, L)
        m = get_gate(row, M, units, L)
        n = tanh(fma(r, m, get_gate(row, N, units, L)))
        put_gate(place, N, n, units, L)
        put_gate(place, R, r, units, L)
        put_gate(place, U, u, units, L)
        put_gate(place, M, m, units, L)
        x = fma(u, load(h, (before + k) * ldh + unit) - n, n)
        remember(x, h, after + k, unit, z, column, mask, first + k)


@part
def forward_step(z, h, gates, W, mask, live, slots, kept, n_in, n_units, t, area):
    """Step t, for a share's area."""
    L = VECTOR_BYTES // W.itemsize
    panel, columns, K = GATES * L, gate_columns(n_units, L), 1 + n_in + n_units
    ldz, n_gates = z.shape[1], gates.shape[0] // columns
    left, right = columns_of(area, columns)
    pre = stack(W, TILE_ELEMENTS)
    for q in range(left, right, panel):
        width = min(panel, columns - q)
        for j in range(area.n_blocks):
            first, last = rows_of(j, area)
            rows = min(last, live[t]) - first
            if rows <= 0:
                break
            before, after = slots[t] + first, slots[t + 1] + first
            gates_of_panel(rows, width, GATES - R, pre, z, before * ldz, W, q * K, n_in, n_units)
            forward_cells(
                rows, width, pre, gates, q * n_gates + (kept[t] + first) * width,
                h, before, after, z, 1 + n_in, mask, first, q // GATES,
            )  # fmt: skip


@kernel
def gru_forward(z, h, gates, W, mask, live, slots, kept, n_in, n_units, share, n_shares, launcher):
    """Fill the h columns of z, h and gates, from the x columns of z and the initial states in h.

    kept (T + 2,) says where gates of a step are written: `slots` keeps them for BPTT, zeros
    overwrite them step by step (gates then have B rows).
    """
    if launcher != 0:
        hand_out()
        return
    area = sequences_of(share, n_shares, live, h.shape[1])
    enter(area, h, z, 1 + n_in, mask)
    for t in range(live.shape[0]):
        forward_step(z, h, gates, W, mask, live, slots, kept, n_in, n_units, t, area)


@kernel
def gru_forward_step(
    z, h, gates, W, mask, live, slots, kept, n_in, n_units, t, share, n_shares, launcher
):
    """Step t of `gru_forward`, split by units."""
    if launcher != 0:
        hand_out()
        return
    area = units_of(share, n_shares, live, h.shape[1], VECTOR_BYTES // W.itemsize)
    forward_step(z, h, gates, W, mask, live, slots, kept, n_in, n_units, t, area)


@kernel
def gru_forward_by_units(
    z, h, gates, W, mask, live, slots, kept, n_in, n_units, share, n_shares, launcher
):
    """`gru_forward`, each step split by units."""
    enter(sequences_of(0, 1, live, h.shape[1]), h, z, 1 + n_in, mask)
    for t in range(live.shape[0]):
        gru_forward_step(
            z, h, gates, W, mask, live, slots, kept, n_in, n_units, t, share, n_shares, launcher
        )
