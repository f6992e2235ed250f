"""The CUDA backend: the entry points of the contract."""

from .gemm import multiply, outer, transpose
from .gru import gru_backward, gru_forward
from .lstm import lstm_backward, lstm_forward
from .memory import to_device, to_host, zeros
from .rnn import rnn_backward, rnn_forward

__all__ = [
    "gru_backward",
    "gru_forward",
    "lstm_backward",
    "lstm_forward",
    "multiply",
    "outer",
    "rnn_backward",
    "rnn_forward",
    "to_device",
    "to_host",
    "transpose",
    "zeros",
]
