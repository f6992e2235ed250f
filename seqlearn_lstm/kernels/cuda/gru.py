"""The GRU layer whose reset gate stands behind the recurrent product; ``cpu.gru`` has its formulas.

z     (n_states, >= 1 + I + H)   rows [1 | x | h~]
h     (n_states, H)         states
gates (n_slots or B, 4 H)   n, r, u, m; BPTT overwrites them
W     (1 + I + H, 4 H)      the bias, the input weights, the recurrent weights; zero in the rows of h~ for n, and in
                            those of x for m
UT    (4 H, H)              the recurrent weights, transposed
mask  (B or 0, H)           multiplied onto h for the recurrent product
"""

import math

from .activations import sigmoid
from .launch import together
from .lstm import input_sums
from .primitives import part
from .states import enter, remember
from .steps import BLOCK, count_tiles, make_backward, make_forward

GATES = 4
N, R, U, M = range(GATES)


@part
def forward_point(sums, p, cell, numbers, column, before, after, k, k_after, row, unit, H):
    z, h, gates, mask = cell
    one, m = z.dtype.type(1), sums[p, M]
    r, u = sigmoid(sums[p, R], one), sigmoid(sums[p, U], one)
    n = math.tanh(sums[p, N] + r * m)
    remember(u * (h[before, unit] - n) + n, h, after, unit, z, column, mask, row)
    gates[k, unit] = n
    gates[k, R * H + unit] = r
    gates[k, U * H + unit] = u
    gates[k, M * H + unit] = m


@part
def update_backward(d_h, h, gates, slot, unit, H):
    """From the gradient at a new state to those at u and n before their activations, in place; n's
    is returned.
    """
    n, u, one = gates[slot, unit], gates[slot, U * H + unit], h.dtype.type(1)
    d_n = d_h * (one - u) * (one - n * n)
    gates[slot, unit] = d_n
    gates[slot, U * H + unit] = d_h * (h[slot, unit] - n) * (u * (one - u))
    return d_n


@part
def backward_point(d_h, cell, numbers, before, after, row, unit, H):
    h, gates = cell
    r, u, m = gates[before, R * H + unit], gates[before, U * H + unit], gates[before, M * H + unit]
    d_n = update_backward(d_h, h, gates, before, unit, H)
    gates[before, R * H + unit] = d_n * m * (r * (h.dtype.type(1) - r))
    gates[before, M * H + unit] = d_n * r
    return d_h * u


# n reads no states: the products are those of r, u and m
forward = make_forward(forward_point, GATES, GATES - R, R)
backward = make_backward(backward_point, GATES - R, R)


def gru_forward(z, h, gates, W, mask, live, slots, kept, n_in, n_units, n_jobs, training=False):
    B, column = int(live[0]), 1 + n_in
    pre = input_sums(z, W, int(slots[-2]), n_in, GATES * n_units)
    cell = z, h, gates.reshape(-1, GATES * n_units), mask
    enter(h, z, column, mask, B)
    together(
        forward, count_tiles(B, n_units), BLOCK,
        z, column, W.reshape(-1), column, pre, cell, (), live, slots, kept, n_units,
    )  # fmt: skip


def gru_backward(d_out, h, gates, UT, dh, mask, live, slots, n_units, n_jobs):
    d = gates.reshape(-1, GATES * n_units)
    together(
        backward, count_tiles(int(live[0]), n_units), BLOCK,
        d, UT.reshape(-1), dh, mask, d_out, (h, d), (), live, slots, n_units,
    )  # fmt: skip
