"""The CPU backend: the entry points of the contract, each a kernel and the size of its work."""

from functools import cache

import numpy as np

from . import (
    dropout,
    errors,
    gemm,
    gru,
    gru_before,
    heads,
    lstm,
    lstm_extras_gradient,
    lstm_options,
    lstm_options_bptt,
    plan,
    pooling,
    rnn,
    rows,
    updates,
)
from .layout import (
    clear_gru,
    gate_columns,
    lanes,
    pack_dense,
    pack_gru,
    pack_lstm,
    pack_rnn,
    padded,
    panels,
    put_candidate,
    row_stride,
    take_candidate,
    unpack_dense,
    unpack_gru,
    unpack_lstm,
    unpack_rnn,
    zeros,
)
from .lstm_extras import Options, lstm_extras_size, pack_lstm_extras, unpack_lstm_extras
from .target import TILE_ROWS
from .threads import available_threads, run
from .tile import link

__all__ = [
    "adam",
    "available_threads",
    "clear_gru",
    "drop_symbols",
    "dropout_mask",
    "gate_columns",
    "gather",
    "gru_backward",
    "gru_before_backward",
    "gru_before_forward",
    "gru_forward",
    "lanes",
    "log_softmax",
    "lstm_backward",
    "lstm_extras_size",
    "lstm_forward",
    "lstm_options_backward",
    "lstm_options_forward",
    "lstm_options_gradient",
    "multiply",
    "outer",
    "pack_dense",
    "pack_gru",
    "pack_lstm",
    "pack_lstm_extras",
    "pack_rnn",
    "padded",
    "panels",
    "plan_sources",
    "plan_states",
    "plan_steps",
    "pool_max",
    "pool_max_backward",
    "pool_mean",
    "pool_mean_backward",
    "put_candidate",
    "regression_loss",
    "rnn_backward",
    "rnn_forward",
    "row_stride",
    "scale_rows",
    "scatter_add",
    "sgd",
    "softmax",
    "softmax_cross_entropy",
    "sum_of_squares",
    "take_candidate",
    "transpose",
    "unpack_dense",
    "unpack_gru",
    "unpack_lstm",
    "unpack_lstm_extras",
    "unpack_rnn",
    "zeros",
]

plan_steps = plan.plan_steps
plan_sources = plan.plan_sources
plan_states = plan.plan_states
scatter_add = rows.scatter_add
dropout_mask = dropout.dropout_mask
drop_symbols = dropout.drop_symbols
pool_mean = pooling.pool_mean
pool_mean_backward = pooling.pool_mean_backward
pool_max = pooling.pool_max
pool_max_backward = pooling.pool_max_backward
regression_loss = errors.regression_loss
softmax = heads.softmax
log_softmax = heads.log_softmax
softmax_cross_entropy = heads.softmax_cross_entropy
sum_of_squares = updates.sum_of_squares

_identity = cache(lambda dtype: np.eye(lanes(dtype), dtype=dtype))
# As many multiply-adds take as long as an element of these, which wait for memory
_UPDATE_WORK, _COPY_WORK = 8, 8


def gather(source, source_column, index, out, out_column, width, n_jobs):
    args = (source, source_column, index, out, out_column, width)
    run(rows.gather, args, n_jobs, index.size * width * _COPY_WORK, index.size)


def scale_rows(x, column, mask, live, slots, width, n_jobs):
    args = (x, column, mask, live, slots, width)
    run(dropout.scale_rows, args, n_jobs, int(slots[-2]) * width * _COPY_WORK, live.size)


def lstm_forward(z, c, gates, W, live, slots, kept, n_in, n_units, n_jobs):
    link(W.dtype)
    args = (z, c, gates, W, live, slots, kept, n_in, n_units)
    run(lstm.lstm_forward, args, n_jobs, int(slots[-2]) * W.size, int(live[0]))


def lstm_backward(d_out, c, gates, UT, dh, dc, live, slots, n_units, n_jobs):
    link(UT.dtype)
    args = (d_out, c, gates, UT, dh, dc, live, slots, n_units)
    run(lstm.lstm_backward, args, n_jobs, int(slots[-2]) * UT.size, int(live[0]))


def lstm_options_forward(
    z, h, c, gates, centred, stats, W, extras, mask, live, slots, kept, n_in, n_units, options,
    n_jobs,
):  # fmt: skip
    link(W.dtype)
    args = (z, h, c, gates, centred, stats, W, extras, mask, live, slots, kept, n_in, n_units)
    args += (Options(*map(int, options)),)
    run(lstm_options.lstm_options_forward, args, n_jobs, int(slots[-2]) * W.size, int(live[0]))


def lstm_options_backward(
    d_out, c, gates, centred, stats, d_gates, d_cell, UT, extras, mask, dh, dc, live, slots,
    n_units, options, n_jobs,
):  # fmt: skip
    link(UT.dtype)
    args = (d_out, c, gates, centred, stats, d_gates, d_cell, UT, extras, mask, dh, dc, live, slots)
    args += (n_units, Options(*map(int, options)))
    work = int(slots[-2]) * UT.size
    run(lstm_options_bptt.lstm_options_backward, args, n_jobs, work, int(live[0]))


def lstm_options_gradient(
    gradient, d_extras, c, gates, centred, stats, d_gates, d_cell, live, slots, n_in, n_units,
    options, n_jobs,
):  # fmt: skip
    args = (gradient, d_extras, c, gates, centred, stats, d_gates, d_cell, live, slots, n_in)
    args += (n_units, Options(*map(int, options)))
    kernel, most = lstm_extras_gradient.lstm_options_gradient, c.shape[1] // lanes(c.dtype)
    run(kernel, args, n_jobs, gates.size * _COPY_WORK, most)


def gru_forward(z, h, gates, W, mask, live, slots, kept, n_in, n_units, n_jobs):
    link(W.dtype)
    args = (z, h, gates, W, mask, live, slots, kept, n_in, n_units)
    run(gru.gru_forward, args, n_jobs, int(slots[-2]) * W.size, int(live[0]))


def gru_backward(d_out, h, gates, UT, dh, mask, live, slots, n_units, n_jobs):
    link(UT.dtype)
    args = (d_out, h, gates, UT, dh, mask, live, slots, n_units)
    run(gru.gru_backward, args, n_jobs, int(slots[-2]) * UT.size, int(live[0]))


def gru_before_forward(z, h, a, gates, W, V, mask, live, slots, kept, n_in, n_units, n_jobs):
    link(W.dtype)
    args = (z, h, a, gates, W, V, mask, live, slots, kept, n_in, n_units)
    run(gru_before.gru_before_forward, args, n_jobs, int(slots[-2]) * W.size, int(live[0]))


def gru_before_backward(
    d_out, h, a, gates, d_a, UT, VT, dh, mask, live, slots, n_units, n_jobs
):  # fmt: skip
    link(UT.dtype)
    args = (d_out, h, a, gates, d_a, UT, VT, dh, mask, live, slots, n_units)
    work = int(slots[-2]) * (UT.size + VT.size)
    run(gru_before.gru_before_backward, args, n_jobs, work, int(live[0]))


def rnn_forward(z, h, W, mask, live, slots, n_in, n_units, act, n_jobs):
    link(W.dtype)
    args = (z, h, W, mask, live, slots, n_in, n_units, act)
    run(rnn.rnn_forward, args, n_jobs, int(slots[-2]) * W.size, int(live[0]))


def rnn_backward(d_out, h, d_pre, UT, dh, mask, live, slots, n_units, act, n_jobs):
    link(UT.dtype)
    args = (d_out, h, d_pre, UT, dh, mask, live, slots, n_units, act)
    run(rnn.rnn_backward, args, n_jobs, int(slots[-2]) * UT.size, int(live[0]))


def multiply(out, a, a_rows, K, piece, b, n_rows, n_columns, n_jobs):
    link(b.dtype)
    args = (out, a, a_rows, K, piece, b, n_rows, n_columns)
    run(gemm.multiply, args, n_jobs, n_rows * b.size, -(-n_rows // TILE_ROWS))


def outer(dW, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride, n_jobs):
    link(dW.dtype)
    args = (dW, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride)
    run(gemm.outer, args, n_jobs, n_rows * dW.size, -(-n_inputs // TILE_ROWS))


def transpose(out, W, n_inputs, n_columns, first_input, n_used, n_jobs):
    link(W.dtype)
    args = (out, W, _identity(W.dtype), n_inputs, n_columns, first_input, n_used)
    run(gemm.transpose, args, n_jobs, out.size * _UPDATE_WORK, n_columns)


def adam(theta, gradient, m, v, scale, rate, beta_1, beta_2, root_correction, epsilon, n_jobs):
    args = (theta, gradient, m, v, scale, rate, beta_1, beta_2, root_correction, epsilon)
    run(updates.adam, args, n_jobs, theta.size * _UPDATE_WORK, theta.size)


def sgd(theta, gradient, velocity, scale, rate, momentum, nesterov, n_jobs):
    args = (theta, gradient, velocity, scale, rate, momentum, nesterov)
    run(updates.sgd, args, n_jobs, theta.size * _UPDATE_WORK, theta.size)
