"""The plain recurrent layer; ``cpu.rnn`` has its formulas.

z     (n_states, >= 1 + I + H)   rows [1 | x | h~]
h     (n_states, H)        states; all that BPTT needs of the forward pass
d_pre (n_slots, H)         the gradient at the pre-activations, which BPTT writes
W     (1 + I + H, H)       the bias, the input weights, the recurrent weights
UT    (H, H)               the recurrent weights, transposed
mask  (B or 0, H)          multiplied onto h for the recurrent product
act                        a number of `activations`
"""

from .activations import squash, unsquash
from .launch import together
from .lstm import input_sums
from .primitives import part
from .states import enter, remember
from .steps import BLOCK, count_tiles, make_backward, make_forward


@part
def forward_point(sums, p, cell, numbers, column, before, after, k, k_after, r, u, H):
    z, h, mask = cell
    (act,) = numbers
    remember(squash(sums[p, 0], act, z.dtype.type(1)), h, after, u, z, column, mask, r)


@part
def backward_point(d_h, cell, numbers, before, after, r, u, H):
    h, d_pre = cell
    (act,) = numbers
    d_pre[before, u] = unsquash(d_h, h[after, u], act, h.dtype.type(1))
    return h.dtype.type(0)


forward = make_forward(forward_point, 1)
backward = make_backward(backward_point)


def rnn_forward(z, h, W, mask, live, slots, n_in, n_units, act, n_jobs):
    B, column = int(live[0]), 1 + n_in
    pre = input_sums(z, W, int(slots[-2]), n_in, n_units)
    enter(h, z, column, mask, B)
    together(
        forward, count_tiles(B, n_units), BLOCK,
        z, column, W.reshape(-1), column, pre, (z, h, mask), (act,), live, slots, slots, n_units,
    )  # fmt: skip


def rnn_backward(d_out, h, d_pre, UT, dh, mask, live, slots, n_units, act, n_jobs):
    d = d_pre.reshape(-1, n_units)
    together(
        backward, count_tiles(int(live[0]), n_units), BLOCK,
        d, UT.reshape(-1), dh, mask, d_out, (h, d), (act,), live, slots, n_units,
    )  # fmt: skip
