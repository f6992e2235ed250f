"""What a network is made of. Each part calls kernels and nothing else."""

from .dense import Dense, Projection
from .embedding import Embedding
from .gru import GRUBeforeLayer, GRULayer
from .initializers import INITIALIZERS
from .lstm import PlainLSTM
from .lstm_options import OptionsLSTM
from .memory import States, Workspace, input_stream
from .one_step import OneStep
from .rnn import RNNLayer

__all__ = [
    "INITIALIZERS",
    "Dense",
    "Embedding",
    "GRUBeforeLayer",
    "GRULayer",
    "OneStep",
    "OptionsLSTM",
    "PlainLSTM",
    "Projection",
    "RNNLayer",
    "States",
    "Workspace",
    "input_stream",
]
