"""The entry points of the recurrent layers: each a kernel in its forms, and the size of its work."""

from . import (
    gru,
    gru_before,
    gru_bptt,
    gru_sliced,
    lstm,
    lstm_bptt,
    lstm_extras_gradient,
    lstm_options,
    lstm_options_bptt,
    lstm_sliced,
    rnn,
    sliced,
)
from .layout import lanes, padded
from .lstm_extras import Options
from .split import run_layer
from .threads import COPY_WORK, run
from .tile import link


def _run(by_sequences, by_units, args, weights, sliced, live, slots, n_padded, n_jobs):
    """`run_layer`, but the matrix unit multiplies for all units of a share's sequences."""
    by_units = None if sliced.right.size else by_units
    run_layer(by_sequences, by_units, args, weights, live, slots, n_padded, n_jobs)


def _run_back(by_sequences, by_units, args, back, live, slots, n_padded, n_jobs):
    _run(by_sequences, by_units, args, back.UT, back, live, slots, n_padded, n_jobs)


def lstm_forward(
    z, c, gates, W, live, slots, kept, n_in, n_units, n_jobs, precision="float32", training=False
):
    weights = sliced.weights(W, live, slots, n_in + n_units, training, n_jobs)
    if weights.right.size:
        args = (z, c, gates, W, weights, live, slots, kept, n_in, n_units)
        run(lstm_sliced.lstm_forward, args, n_jobs, int(slots[-2]) * W.size, int(live[0]))
        return
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
    n_jobs, training=False,
):  # fmt: skip
    link(W.dtype)
    weights = sliced.weights(W, live, slots, n_in + n_units, training, n_jobs)
    args = (
        z,
        h,
        c,
        gates,
        centred,
        stats,
        W,
        weights,
        extras,
        mask,
        live,
        slots,
        kept,
        n_in,
        n_units,
    )
    options = Options(*map(int, options))
    by_units = None if options.layer_norm else lstm_options.lstm_options_forward_by_units
    kernels, args = (lstm_options.lstm_options_forward, by_units), (*args, options)
    _run(*kernels, args, W, weights, live, slots, c.shape[1], n_jobs)


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
    run(lstm_extras_gradient.lstm_options_gradient, args, n_jobs, sums.size * COPY_WORK, most)


def gru_forward(
    z, h, gates, W, mask, live, slots, kept, n_in, n_units, n_jobs, training=False
):  # fmt: skip
    weights = sliced.weights(W, live, slots, n_in + n_units, training, n_jobs)
    if weights.right.size:
        args = (z, h, gates, W, weights, mask, live, slots, kept, n_in, n_units)
        run(gru_sliced.gru_forward, args, n_jobs, int(slots[-2]) * W.size, int(live[0]))
        return
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
