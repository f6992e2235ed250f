"""The LSTM layer, for any number of units and any device; ``cpu.lstm`` has its formulas. Where the
device and the layer allow it, `lstm_cluster` does the steps instead.

z     (n_states, 1 + I + H)   rows [1 | x | h]
c     (n_states or B, H)      cell states
gates (n_slots or B, 4 H)     activated gates i, f, g, o; BPTT overwrites them
W     (1 + I + H, 4 H)        the bias, the input weights, the recurrent weights
UT    (4 H, H)                the recurrent weights, transposed

What the inputs add to the pre-activations is one product before the first step.
"""

import math

from .activations import sigmoid
from .gemm import multiply_columns, transpose
from .launch import together
from .lstm_cluster import lstm_cluster_forward
from .lstm_cluster_bptt import lstm_cluster_backward
from .memory import Scratch, zeros
from .primitives import capability, part
from .steps import BLOCK, count_tiles, make_backward, make_forward
from .tiers import tier

GATES = 4

_scratch = Scratch()


@part
def forward_point(sums, p, cell, numbers, column, before, after, k, k_after, r, u, H):
    z, c, gates = cell
    one = z.dtype.type(1)
    i, f = sigmoid(sums[p, 0], one), sigmoid(sums[p, 1], one)
    g, o = math.tanh(sums[p, 2]), sigmoid(sums[p, 3], one)
    new = f * c[k, u] + i * g
    c[k_after, u] = new
    z[after, column + u] = o * math.tanh(new)
    gates[k, u] = i
    gates[k, H + u] = f
    gates[k, 2 * H + u] = g
    gates[k, 3 * H + u] = o


@part
def backward_point(d_h, cell, numbers, before, after, r, u, H):
    c, gates, dc = cell
    one = c.dtype.type(1)
    i, f = gates[before, u], gates[before, H + u]
    g, o = gates[before, 2 * H + u], gates[before, 3 * H + u]
    squashed = math.tanh(c[after, u])
    d_c = dc[r, u] + d_h * o * (one - squashed * squashed)
    gates[before, u] = d_c * g * i * (one - i)
    gates[before, H + u] = d_c * c[before, u] * f * (one - f)
    gates[before, 2 * H + u] = d_c * i * (one - g * g)
    gates[before, 3 * H + u] = d_h * squashed * o * (one - o)
    dc[r, u] = d_c * f
    return c.dtype.type(0)


forward = make_forward(forward_point, GATES)
backward = make_backward(backward_point)


def input_sums(z, W, n_rows, n_in, n_columns, first=0):
    """What the bias and the inputs add to the pre-activations, (n_rows, n_columns), in memory for a
    call; first=1: what the inputs add.
    """
    pre = _scratch.array("pre", n_rows * n_columns, W.dtype).reshape(n_rows, n_columns)
    multiply_columns(pre, z, 1 + n_in - first, W, n_rows, n_columns, first)
    return pre


def no_mask(dtype, n_units):
    return zeros((0, n_units), dtype)


def _runs_on_clusters(n_units, dtype, precision):
    return tier(n_units, dtype, precision, capability()) == "cluster"


def lstm_forward(
    z, c, gates, W, live, slots, kept, n_in, n_units, n_jobs, precision="float32", training=False
):
    pre = input_sums(z, W, int(slots[-2]), n_in, GATES * n_units)
    if _runs_on_clusters(n_units, W.dtype, precision):
        U = W.reshape(-1, GATES * n_units)[1 + n_in :]
        how = live, slots, kept, n_units, precision
        if lstm_cluster_forward(pre, U, z, 1 + n_in, c, gates, *how):
            return
    cell = z, c, gates.reshape(-1, GATES * n_units)
    together(
        forward, count_tiles(int(live[0]), n_units), BLOCK,
        z, 1 + n_in, W.reshape(-1), 1 + n_in, pre, cell, (), live, slots, kept, n_units,
    )  # fmt: skip


def lstm_backward(d_out, c, gates, UT, dh, dc, live, slots, n_units, n_jobs, precision="float32"):
    if _runs_on_clusters(n_units, dh.dtype, precision):
        U = _scratch.array("U", UT.size, UT.dtype)
        transpose(U, UT, GATES * n_units, n_units, 0, GATES * n_units, n_jobs)
        how = live, slots, n_units, precision
        if lstm_cluster_backward(d_out, c, gates, U, dh, dc, *how):
            return
    d = gates.reshape(-1, GATES * n_units)
    together(
        backward, count_tiles(int(live[0]), n_units), BLOCK,
        d, UT.reshape(-1), dh, no_mask(dh.dtype, n_units), d_out, (c, d, dc), (), live, slots,
        n_units,
    )  # fmt: skip
