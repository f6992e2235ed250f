"""LSTM networks for sequences of any length, with scikit-learn's API and kernels compiled by Numba."""

from . import datasets, solvers
from .classifier import LSTMClassifier

__all__ = ["LSTMClassifier", "datasets", "solvers"]
__version__ = "0.1.0"
