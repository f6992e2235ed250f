"""The GRU layer whose reset gate stands before the recurrent product; ``cpu.gru_before`` has its
formulas.

Letters and arrays as in `gru`; gates n, r, u, m again, but m stays zero.

a     (n_slots or B, >= H)  r * h~
V     (H, H)                U_n; its columns of W are not read
VT    (H, H)                the same, transposed
d_a   (n_slots, H)          the gradient at the pre-activation of n, for the gradient of V

A step has two products, and all blocks wait behind each.
"""

import math

from .activations import sigmoid
from .gru import GATES, M, N, R, U, update_backward
from .launch import together
from .lstm import input_sums, no_mask
from .primitives import cuda, kernel, part
from .states import enter, remember
from .steps import (
    BLOCK,
    DEPTH,
    FACTOR,
    PER,
    UNITS,
    clear_rows,
    count_tiles,
    make_backward_step,
    make_forward_step,
)

WEIGHTS, SUMS, SUM = (DEPTH, 2 * UNITS), (PER, GATES), (PER, 1)


# ---- forward -------------------------------------------------------------------------------------


@part
def reset_point(sums, p, cell, numbers, column, before, after, k, k_after, row, unit, H):
    """r, u and r * h~; n waits, not squashed yet, for the second product."""
    z, a, gates = cell
    one = z.dtype.type(1)
    r = sigmoid(sums[p, R], one)
    gates[k, unit] = sums[p, N]
    gates[k, R * H + unit] = r
    gates[k, U * H + unit] = sigmoid(sums[p, U], one)
    gates[k, M * H + unit] = one - one
    a[k, unit] = r * z[before, column + unit]


@part
def update_point(sums, p, cell, numbers, column, before, after, k, k_after, row, unit, H):
    """n and the new state."""
    z, h, gates, mask = cell
    (column_of_z,) = numbers
    n, u = math.tanh(sums[p, N]), gates[k, U * H + unit]
    gates[k, unit] = n
    remember(u * (h[before, unit] - n) + n, h, after, unit, z, column_of_z, mask, row)


reset_step = make_forward_step(reset_point, GATES, M - R, R)
update_step = make_forward_step(update_point, 1)


@kernel
def forward(z, column, h, a, gates, b, V, pre, mask, live, slots, kept, H):
    """b flat: the weights, those of the states from row `column` on; V flat; pre as in `steps`"""
    A = cuda.shared.array(FACTOR, z.dtype)
    W = cuda.shared.array(WEIGHTS, z.dtype)
    sums = cuda.local.array(SUMS, z.dtype)
    for t in range(live.shape[0]):
        reset_step(
            sums, A, W, z, slots[t], column, b, column, pre, slots[t], (z, a, gates), (),
            t, live, slots, kept, H,
        )  # fmt: skip
        cuda.cg.this_grid().sync()
        update_step(
            sums, A, W, a, kept[t], 0, V, 0, gates, kept[t], (z, h, gates, mask), (column,), t,
            live, slots, kept, H,
        )  # fmt: skip
        cuda.cg.this_grid().sync()


def gru_before_forward(z, h, a, gates, W, V, mask, live, slots, kept, n_in, n_units, n_jobs):
    B, column = int(live[0]), 1 + n_in
    pre = input_sums(z, W, int(slots[-2]), n_in, GATES * n_units)
    enter(h, z, column, mask, B)
    together(
        forward, count_tiles(B, n_units), BLOCK,
        z, column, h, a, gates.reshape(-1, GATES * n_units), W.reshape(-1), V.reshape(-1), pre,
        mask, live, slots, kept, n_units,
    )  # fmt: skip


# ---- back ----------------------------------------------------------------------------------------


@part
def update_backward_point(d_h, cell, numbers, before, after, row, unit, H):
    h, gates, d_a = cell
    u = gates[before, U * H + unit]
    d_a[before, unit] = update_backward(d_h, h, gates, before, unit, H)
    return d_h * u


@part
def reset_backward_point(sums, p, cell, numbers, column, before, after, k, k_after, row, unit, H):
    """From the gradient at r * h~ to that at r before its activation; and dh."""
    h, gates, dh, mask = cell
    r, d, one = gates[before, R * H + unit], sums[p, 0], h.dtype.type(1)
    m = mask[row, unit] if mask.shape[0] > 0 else one
    gates[before, R * H + unit] = d * (h[before, unit] * m) * (r * (one - r))
    dh[row, unit] += d * r * m


update_backward_step = make_backward_step(update_backward_point, M - R, R)
reset_backward_step = make_forward_step(reset_backward_point, 1)


@kernel
def backward(d, d_a, a, UT, VT, nothing, dh, mask, d_out, h, live, slots, H):
    """d (n_slots, 4 H): as in `steps`; nothing (0, H): what the second product is added to"""
    A = cuda.shared.array(FACTOR, dh.dtype)
    W = cuda.shared.array(WEIGHTS, dh.dtype)
    sums = cuda.local.array(SUM, dh.dtype)
    for t in range(live.shape[0] - 1, -2, -1):
        update_backward_step(sums, A, W, d, UT, dh, mask, d_out, (h, d, d_a), (), t, live, slots, H)
        if t >= 0:
            clear_rows(d_a, slots[t] + live[t], slots[t + 1])
            clear_rows(a, slots[t] + live[t], slots[t + 1])
            cuda.cg.this_grid().sync()
            reset_backward_step(
                sums, A, W, d_a, slots[t], 0, VT, 0, nothing, 0, (h, d, dh, mask), (), t, live,
                slots, slots, H,
            )  # fmt: skip
        cuda.cg.this_grid().sync()


def gru_before_backward(d_out, h, a, gates, d_a, UT, VT, dh, mask, live, slots, n_units, n_jobs):
    together(
        backward, count_tiles(int(live[0]), n_units), BLOCK,
        gates.reshape(-1, GATES * n_units), d_a.reshape(-1, n_units), a, UT.reshape(-1),
        VT.reshape(-1), no_mask(dh.dtype, n_units), dh, mask, d_out, h, live, slots, n_units,
    )  # fmt: skip
