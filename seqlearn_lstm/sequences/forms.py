"""Which form X has: a key of the table of readers."""

import numbers

import numpy as np
from scipy.sparse import issparse

from .values import refuse_lossy

EXPECTED = (
    "a list of (n_timesteps, n_features) arrays, a (n_sequences, n_timesteps, n_features) array, "
    "or a (n_sequences, n_timesteps) array of one-feature sequences"
)


def is_tabular(X):
    """Tell whether X is scikit-learn's plain 2-D input, to be checked by scikit-learn itself.

    True for 2-D arrays, DataFrames and lists of equally long lists of numbers; and for the two
    things which scikit-learn refuses with better words than ours: sparse X, and 1-D X of numbers.
    False for collections, 3-D arrays, strings, and whatever ``check_sequences`` refuses.
    """
    try:
        return form_of(X) == "table"
    except (TypeError, ValueError):
        return False


def form_of(X):
    """Return the key of ``READERS`` for X."""
    refuse_lossy(X, "X")  # here already: scikit-learn drops the mask of a table without a word
    if isinstance(X, (list, tuple)):
        return "table" if _is_nested_table(X) else "collection"
    if issparse(X):
        return "table"
    if not hasattr(X, "__array__") or shape_of(X) == ():
        raise TypeError(f"X has type {type(X).__name__}; expected {EXPECTED}")
    n_dims = len(shape_of(X))
    if n_dims > 3:
        raise ValueError(f"X has {n_dims} dimensions, not 1 to 3; expected {EXPECTED}")
    array = np.asarray(X) if n_dims == 1 else X  # a Series knows its kind only as an array
    kind = getattr(getattr(array, "dtype", None), "kind", "")
    if n_dims == 1 and kind == "O":
        return "table" if len(array) and _is_number(array[0]) else "collection"
    if kind in ("U", "S", "T"):
        return "collection"  # which names the sequence and says what to do
    return "padded" if n_dims == 3 else "table"


def _is_nested_table(X):
    """Tell whether a list is a table: equally long lists of numbers, or (badly) only numbers."""
    if not X or _is_number(X[0]):
        return bool(X)
    width = len(X[0]) if isinstance(X[0], (list, tuple)) else 0
    return width > 0 and all(
        isinstance(row, (list, tuple)) and len(row) == width and _is_number(row[0]) for row in X
    )


def shape_of(X):
    return X.shape if hasattr(X, "shape") else np.asarray(X).shape


def _is_number(x):
    return isinstance(x, (numbers.Number, np.number, np.bool_))
