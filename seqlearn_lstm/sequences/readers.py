"""One reader for each form: -> the container, and the caller's own sequences for errors."""

import math

import numpy as np
from sklearn.utils import check_array

from .checks import check_any, check_not_empty, check_steps
from .container import Sequences, offsets_of
from .forms import shape_of
from .frames import common_frame
from .values import as_numbers, as_sequence, refuse_masked


def _read_table(X, dtype, lengths, n_features, name):
    with np.errstate(over="ignore"):  # too large for float32: an error below, no warning before it
        table = check_array(X, dtype=dtype, order="C", input_name="X", estimator=name)
    hint = "2-D X is read as one-feature sequences; a single sequence goes into a list: [X]"
    check_steps([(1,)], n_features, name, hint)
    n_sequences, n_steps = table.shape
    offsets = np.arange(n_sequences + 1, dtype=np.int64) * n_steps
    return Sequences(table.reshape(-1, 1), offsets), table


def _read_padded(X, dtype, lengths, n_features, name):
    X = as_numbers(X, "X").reshape(shape_of(X))  # objects lose the axes after an empty one
    check_any(len(X))
    check_steps([X.shape[2:]], n_features, name)
    with np.errstate(over="ignore"):
        steps = X.astype(dtype, order="C", copy=False)
    lengths = padded_lengths(steps) if lengths is None else _given_lengths(lengths, X.shape)
    check_not_empty(lengths)
    live = np.arange(X.shape[1]) < lengths[:, None]
    rows = steps.reshape(-1, X.shape[2]) if live.all() else steps[live]
    return Sequences(rows, offsets_of(lengths)), X


def _read_collection(X, dtype, lengths, n_features, name):
    X = X if isinstance(X, (list, tuple)) else np.asarray(X)
    check_any(len(X))
    common_frame(X)
    parts = [as_sequence(x, i) for i, x in enumerate(X)]
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    check_not_empty(lengths)
    check_steps([part.shape[1:] for part in parts], n_features, name)
    with np.errstate(over="ignore"):
        rows = np.concatenate(parts, dtype=dtype, casting="unsafe")
    n_features = math.prod(parts[0].shape[1:])
    return Sequences(np.ascontiguousarray(rows).reshape(-1, n_features), offsets_of(lengths)), parts


READERS = {"table": _read_table, "padded": _read_padded, "collection": _read_collection}


# Lengths ------------------------------------------------------------------------------------------


def padded_lengths(steps):
    """Return how many steps stand before the trailing ones in which every feature is NaN."""
    padding = np.isnan(steps[:, :, 0])
    padding[padding] = np.isnan(steps[padding]).all(axis=1)  # the other features: few steps only
    live = ~padding[:, ::-1]
    if live.shape[1] == 0:
        return np.zeros(len(live), np.int64)
    return np.where(live.any(axis=1), live.shape[1] - live.argmax(axis=1), 0)


def _given_lengths(lengths, shape):
    refuse_masked(lengths, "lengths", "1")
    lengths = np.asarray(lengths)
    if lengths.shape != shape[:1]:
        raise ValueError(
            f"lengths has shape {lengths.shape}; expected ({shape[0]},): one for each sequence."
        )
    if lengths.dtype.kind not in "iu":
        raise ValueError(f"lengths has dtype {lengths.dtype}; expected integers.")
    wrong = np.flatnonzero((lengths < 1) | (lengths > shape[1]))
    if len(wrong):
        raise ValueError(
            f"lengths[{wrong[0]}] is {lengths[wrong[0]]}; expected 1 to {shape[1]}, the number of "
            f"time steps of X, for sequence {wrong[0]}."
        )
    return lengths.astype(np.int64)
