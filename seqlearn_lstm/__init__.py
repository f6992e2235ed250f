"""LSTM networks for sequences of any length, with scikit-learn's API and kernels compiled by
Numba.
"""

from . import (
    cells,
    datasets,
    display,
    exceptions,
    functional,
    inspection,
    metrics,
    model_selection,
    persistence,
    preprocessing,
    schedules,
    solvers,
    symbols,
)
from .classifier import LSTMClassifier
from .encoder import LSTMEncoder
from .language_model import LSTMLanguageModel
from .regressor import LSTMRegressor
from .tagger import LSTMSequenceTagger

__all__ = [
    "LSTMClassifier",
    "LSTMEncoder",
    "LSTMLanguageModel",
    "LSTMRegressor",
    "LSTMSequenceTagger",
    "cells",
    "datasets",
    "display",
    "exceptions",
    "functional",
    "inspection",
    "metrics",
    "model_selection",
    "persistence",
    "preprocessing",
    "schedules",
    "solvers",
    "symbols",
]
__version__ = "0.1.0"
