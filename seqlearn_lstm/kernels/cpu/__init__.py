"""The CPU backend: the entry points of the contract, each a kernel and the size of its work."""

from functools import cache

import numpy as np

from . import errors, gemm, heads, lstm, plan, pooling, rows, updates
from .layout import (
    gate_columns,
    lanes,
    pack_dense,
    pack_lstm,
    padded,
    panels,
    row_stride,
    unpack_dense,
    unpack_lstm,
    zeros,
)
from .target import TILE_ROWS
from .threads import available_threads, run
from .tile import link

__all__ = [
    "adam",
    "available_threads",
    "gate_columns",
    "gather",
    "lanes",
    "log_softmax",
    "lstm_backward",
    "lstm_forward",
    "multiply",
    "outer",
    "pack_dense",
    "pack_lstm",
    "padded",
    "panels",
    "plan_sources",
    "plan_states",
    "plan_steps",
    "pool_max",
    "pool_max_backward",
    "pool_mean",
    "pool_mean_backward",
    "regression_loss",
    "row_stride",
    "scatter_add",
    "sgd",
    "softmax",
    "softmax_cross_entropy",
    "sum_of_squares",
    "transpose",
    "unpack_dense",
    "unpack_lstm",
    "zeros",
]

plan_steps = plan.plan_steps
plan_sources = plan.plan_sources
plan_states = plan.plan_states
scatter_add = rows.scatter_add
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


def lstm_forward(z, c, gates, W, live, slots, kept, n_in, n_units, n_jobs):
    link(W.dtype)
    args = (z, c, gates, W, live, slots, kept, n_in, n_units)
    run(lstm.lstm_forward, args, n_jobs, int(slots[-2]) * W.size, int(live[0]))


def lstm_backward(d_out, c, gates, UT, dh, dc, live, slots, n_units, n_jobs):
    link(UT.dtype)
    args = (d_out, c, gates, UT, dh, dc, live, slots, n_units)
    run(lstm.lstm_backward, args, n_jobs, int(slots[-2]) * UT.size, int(live[0]))


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
