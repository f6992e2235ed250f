"""The CPU backend: the entry points of the contract, each a kernel and the size of its work."""

import math

import numpy as np

from . import (
    dropout,
    errors,
    gemm,
    gru,
    gru_before,
    gru_bptt,
    heads,
    lstm,
    lstm_bptt,
    lstm_extras_gradient,
    lstm_options,
    lstm_options_bptt,
    moments,
    plan,
    pooling,
    rnn,
    rows,
    sliced,
    transposition,
    updates,
)
from .arrays import add_decay, sum_rows, take, to_device, to_host
from .layout import (
    clear_gru,
    gate_columns,
    lanes,
    pack_dense,
    pack_gru,
    pack_lstm,
    pack_rnn,
    padded,
    panel_columns,
    panels,
    put_candidate,
    row_stride,
    take_candidate,
    unpack_dense,
    unpack_gates,
    unpack_gru,
    unpack_lstm,
    unpack_rnn,
    zeros,
)
from .lstm_extras import (
    Options,
    lstm_extras_size,
    lstm_sums_size,
    pack_lstm_extras,
    unpack_lstm_extras,
)
from .split import run_layer
from .target import TILE_ROWS
from .threads import available_threads, run
from .tile import link

__all__ = [
    "adadelta",
    "adagrad",
    "adam",
    "add_decay",
    "amsgrad",
    "available_threads",
    "clear_gru",
    "clip_scale",
    "clip_values",
    "descend",
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
    "lstm_sums_size",
    "multiply",
    "nadam",
    "outer",
    "pack_dense",
    "pack_gru",
    "pack_lstm",
    "pack_lstm_extras",
    "pack_rnn",
    "padded",
    "panel_columns",
    "panels",
    "plan_sources",
    "plan_states",
    "plan_steps",
    "pool_max",
    "pool_max_backward",
    "pool_mean",
    "pool_mean_backward",
    "pool_sum",
    "put_candidate",
    "put_rows",
    "regression_loss",
    "rmsprop",
    "rnn_backward",
    "rnn_forward",
    "row_stride",
    "scale_rows",
    "scatter_add",
    "sgd",
    "softmax",
    "softmax_cross_entropy",
    "sum_of_squares",
    "sum_rows",
    "take",
    "take_candidate",
    "to_device",
    "to_host",
    "transpose",
    "unpack_dense",
    "unpack_gates",
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
drop_symbols = dropout.drop_symbols
pool_sum = pooling.pool_sum
pool_mean = pooling.pool_mean
pool_mean_backward = pooling.pool_mean_backward
pool_max = pooling.pool_max
pool_max_backward = pooling.pool_max_backward
regression_loss = errors.regression_loss
softmax = heads.softmax
log_softmax = heads.log_softmax
softmax_cross_entropy = heads.softmax_cross_entropy

# As many multiply-adds take as long as an element of these, which wait for memory
_UPDATE_WORK, _COPY_WORK, _SQUARE_WORK = 24, 8, 4
_ROW_WORK = 1000  # and as a row that lies anywhere in memory


def gather(source, source_column, index, out, out_column, width, n_jobs):
    args = (source, source_column, index, out, out_column, width)
    run(rows.gather, args, n_jobs, index.size * (width * _COPY_WORK + _ROW_WORK), index.size)


def dropout_mask(out, sequences, key, rate, n_jobs):
    args = (out, sequences, key, rate)
    run(dropout.dropout_mask, args, n_jobs, out.size * _COPY_WORK, len(out))


def scale_rows(x, column, mask, live, slots, width, n_jobs):
    args, n_rows = (x, column, mask, live, slots, width), int(slots[live.size])
    run(dropout.scale_rows, args, n_jobs, n_rows * width * _COPY_WORK, n_rows)


def put_rows(source, index, out, width, n_jobs):
    args = (source, index, out, width)
    run(rows.put_rows, args, n_jobs, index.size * width * _COPY_WORK, index.size)


def _run_back(by_sequences, by_units, args, back, live, slots, n_padded, n_jobs):
    """`run_layer` for back-propagation: the matrix unit multiplies for all units of a share's sequences."""
    if back.right.size:
        by_units = None
    run_layer(by_sequences, by_units, args, back.UT, live, slots, n_padded, n_jobs)


def lstm_forward(z, c, gates, W, live, slots, kept, n_in, n_units, n_jobs, precision="float32"):
    link(W.dtype)
    args = (z, c, gates, W, live, slots, kept, n_in, n_units)
    kernels = lstm.lstm_forward, lstm.lstm_forward_by_units
    run_layer(*kernels, args, W, live, slots, c.shape[1], n_jobs)


def lstm_backward(d_out, c, gates, UT, dh, dc, live, slots, n_units, n_jobs, precision="float32"):
    link(UT.dtype)
    back = sliced.transposed(UT, live, slots, dh.shape[1], n_jobs)
    args = (d_out, c, gates, back, dh, dc, live, slots, n_units)
    kernels = lstm_bptt.lstm_backward, lstm_bptt.lstm_backward_by_units
    _run_back(*kernels, args, back, live, slots, dh.shape[1], n_jobs)


def lstm_options_forward(
    z, h, c, gates, centred, stats, W, extras, mask, live, slots, kept, n_in, n_units, options,
    n_jobs,
):  # fmt: skip
    link(W.dtype)
    args = (z, h, c, gates, centred, stats, W, extras, mask, live, slots, kept, n_in, n_units)
    options = Options(*map(int, options))
    by_units = None if options.layer_norm else lstm_options.lstm_options_forward_by_units
    kernels, args = (lstm_options.lstm_options_forward, by_units), (*args, options)
    run_layer(*kernels, args, W, live, slots, c.shape[1], n_jobs)


def lstm_options_backward(
    d_out, c, gates, centred, stats, sums, UT, extras, mask, dh, dc, live, slots, n_units, options,
    n_jobs,
):  # fmt: skip
    link(UT.dtype)
    back = sliced.transposed(UT, live, slots, dh.shape[1], n_jobs)
    args = (d_out, c, gates, centred, stats, sums, back, extras, mask, dh, dc, live, slots, n_units)
    options = Options(*map(int, options))
    by_units = None if options.layer_norm else lstm_options_bptt.lstm_options_backward_by_units
    kernels, args = (lstm_options_bptt.lstm_options_backward, by_units), (*args, options)
    _run_back(*kernels, args, back, live, slots, dh.shape[1], n_jobs)


def lstm_options_gradient(gradient, d_extras, sums, n_in, n_units, options, n_jobs):
    args = (gradient, d_extras, sums, n_in, n_units, Options(*map(int, options)))
    most = padded(n_units, gradient.dtype) // lanes(gradient.dtype)
    run(lstm_extras_gradient.lstm_options_gradient, args, n_jobs, sums.size * _COPY_WORK, most)


def gru_forward(z, h, gates, W, mask, live, slots, kept, n_in, n_units, n_jobs):
    link(W.dtype)
    args = (z, h, gates, W, mask, live, slots, kept, n_in, n_units)
    kernels = gru.gru_forward, gru.gru_forward_by_units
    run_layer(*kernels, args, W, live, slots, h.shape[1], n_jobs)


def gru_backward(d_out, h, gates, UT, dh, mask, live, slots, n_units, n_jobs):
    link(UT.dtype)
    back = sliced.transposed(UT, live, slots, dh.shape[1], n_jobs)
    args = (d_out, h, gates, back, dh, mask, live, slots, n_units)
    kernels = gru_bptt.gru_backward, gru_bptt.gru_backward_by_units
    _run_back(*kernels, args, back, live, slots, dh.shape[1], n_jobs)


def gru_before_forward(z, h, a, gates, W, V, mask, live, slots, kept, n_in, n_units, n_jobs):
    link(W.dtype)
    args = (z, h, a, gates, W, V, mask, live, slots, kept, n_in, n_units)
    run(gru_before.gru_before_forward, args, n_jobs, int(slots[-2]) * W.size, int(live[0]))


def gru_before_backward(
    d_out, h, a, gates, d_a, UT, VT, dh, mask, live, slots, n_units, n_jobs
):  # fmt: skip
    link(UT.dtype)
    back = sliced.transposed(UT, live, slots, dh.shape[1], n_jobs)
    args = (d_out, h, a, gates, d_a, back, VT, dh, mask, live, slots, n_units)
    work = int(slots[-2]) * (UT.size + VT.size)
    run(gru_before.gru_before_backward, args, n_jobs, work, int(live[0]))


def rnn_forward(z, h, W, mask, live, slots, n_in, n_units, act, n_jobs):
    link(W.dtype)
    args = (z, h, W, mask, live, slots, n_in, n_units, act)
    kernels = rnn.rnn_forward, rnn.rnn_forward_by_units
    run_layer(*kernels, args, W, live, slots, h.shape[1], n_jobs)


def rnn_backward(d_out, h, d_pre, UT, dh, mask, live, slots, n_units, act, n_jobs):
    link(UT.dtype)
    back = sliced.transposed(UT, live, slots, dh.shape[1], n_jobs)
    args = (d_out, h, d_pre, back, dh, mask, live, slots, act)
    kernels = rnn.rnn_backward, rnn.rnn_backward_by_units
    _run_back(*kernels, args, back, live, slots, dh.shape[1], n_jobs)


def multiply(out, a, a_rows, K, piece, b, n_rows, n_columns, n_jobs):
    link(b.dtype)
    args = (out, a, a_rows, K, piece, b, n_rows, n_columns)
    run(gemm.multiply, args, n_jobs, n_rows * b.size, -(-n_rows // TILE_ROWS))


def outer(dW, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride, n_jobs):
    link(dW.dtype)
    if sliced.outer(dW, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride, n_jobs):
        return
    args = (dW, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride)
    run(gemm.outer, args, n_jobs, n_rows * dW.size, -(-n_inputs // TILE_ROWS))


def transpose(out, W, n_inputs, n_columns, first_input, n_used, n_jobs):
    args = (out, W, n_inputs, n_columns, first_input, n_used)
    run(transposition.transpose, args, n_jobs, out.size * _COPY_WORK, n_columns)


def _update(kernel, arrays, numbers, n_jobs):
    """The kernel on all whole vectors, then on what is left, in a vector of its own."""
    n, L = arrays[0].size, lanes(arrays[0].dtype)
    run(kernel, (*arrays, *numbers), n_jobs, n * _UPDATE_WORK, n)
    left = n % L
    if left:
        vectors = [zeros(L, array.dtype) for array in arrays]
        for vector, array in zip(vectors, arrays, strict=True):
            vector[:left] = array[n - left :]
        run(kernel, (*vectors, *numbers), 1, L, L)
        for vector, array in zip(vectors, arrays, strict=True):
            array[n - left :] = vector[:left]


def sum_of_squares(x, n_jobs=1):
    sums = np.empty(-(-x.size // updates.CHUNK))
    run(updates.squares, (x, sums), n_jobs, x.size * _SQUARE_WORK, sums.size)
    found = float(sums.cumsum()[-1]) if sums.size else 0.0  # one after another
    # The squares of one chunk may be too large for float32, though no number of x is.
    return found if math.isfinite(found) else float(np.square(x, dtype=np.float64).sum())


def clip_scale(gradients, limit, n_jobs):
    norm = math.sqrt(sum(sum_of_squares(gradient, n_jobs) for gradient in gradients))
    return norm, limit / norm if norm > limit else 1.0


def clip_values(gradient, limit, n_jobs):
    _update(updates.clip_values, (gradient,), (limit,), n_jobs)


def descend(theta, gradient, scale, rate, n_jobs):
    _update(updates.descend, (theta, gradient), (scale, rate), n_jobs)


def sgd(theta, gradient, velocity, scale, rate, momentum, nesterov, n_jobs):
    numbers = (scale, rate, momentum, nesterov)
    _update(updates.sgd, (theta, gradient, velocity), numbers, n_jobs)


def rmsprop(theta, gradient, square, scale, rate, rho, epsilon, n_jobs):
    _update(updates.rmsprop, (theta, gradient, square), (scale, rate, rho, epsilon), n_jobs)


def adagrad(theta, gradient, square, scale, rate, epsilon, n_jobs):
    _update(updates.adagrad, (theta, gradient, square), (scale, rate, epsilon), n_jobs)


def adadelta(theta, gradient, square, change, scale, rate, rho, epsilon, n_jobs):
    arrays, numbers = (theta, gradient, square, change), (scale, rate, rho, epsilon)
    _update(updates.adadelta, arrays, numbers, n_jobs)


def adam(
    theta, gradient, m, v, scale, rate, decay, beta_1, beta_2, root_correction, epsilon, n_jobs
):  # fmt: skip
    numbers = (scale, rate, decay, beta_1, beta_2, root_correction, epsilon)
    _update(moments.adam, (theta, gradient, m, v), numbers, n_jobs)


def amsgrad(
    theta, gradient, m, v, largest, scale, rate, beta_1, beta_2, root_correction, epsilon, n_jobs
):  # fmt: skip
    numbers = (scale, rate, beta_1, beta_2, root_correction, epsilon)
    _update(moments.amsgrad, (theta, gradient, m, v, largest), numbers, n_jobs)


def nadam(
    theta, gradient, m, v, scale, gradient_rate, rate, beta_1, beta_2, root_correction, epsilon,
    n_jobs,
):  # fmt: skip
    numbers = (scale, gradient_rate, rate, beta_1, beta_2, root_correction, epsilon)
    _update(moments.nadam, (theta, gradient, m, v), numbers, n_jobs)
