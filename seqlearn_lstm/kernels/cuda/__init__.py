"""The CUDA backend: the entry points of the contract."""

from .dropout import dropout_mask, scale_rows
from .errors import regression_loss
from .gemm import multiply, outer, transpose
from .gru import gru_backward, gru_forward
from .gru_before import gru_before_backward, gru_before_forward
from .heads import softmax_cross_entropy
from .launch import available_threads
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
)
from .lstm import lstm_backward, lstm_forward
from .lstm_extras import lstm_extras_size, lstm_sums_size, pack_lstm_extras, unpack_lstm_extras
from .lstm_extras_gradient import lstm_options_gradient
from .lstm_options import lstm_options_forward
from .lstm_options_bptt import lstm_options_backward
from .memory import to_device, to_host, zeros
from .moments import adam, amsgrad, nadam
from .pooling import pool_max, pool_max_backward, pool_mean, pool_mean_backward, pool_sum
from .reduce import sum_of_squares
from .rnn import rnn_backward, rnn_forward
from .rows import add_decay, gather, put_rows, scatter_add, sum_rows, take
from .updates import adadelta, adagrad, clip_scale, clip_values, descend, rmsprop, sgd

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
    "dropout_mask",
    "gate_columns",
    "gather",
    "gru_backward",
    "gru_before_backward",
    "gru_before_forward",
    "gru_forward",
    "lanes",
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
