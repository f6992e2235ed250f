"""One reader for each form: -> the container, and the caller's own sequences for errors."""

import math

import numpy as np
from sklearn.utils import check_array

from .checks import check_any, check_not_empty, check_steps
from .container import Sequences, offsets_of
from .forms import shape_of
from .frames import common_frame
from .lengths import given_lengths, padded_lengths
from .values import as_numbers, as_sequence, refuse_kinds


def _read_table(X, dtype, lengths, n_features, name):
    given = check_array(X, ensure_all_finite=False, input_name="X", estimator=name)
    refuse_kinds(given, "X")
    with np.errstate(over="ignore"):  # too large for float32: an error later, no warning before it
        table = np.ascontiguousarray(given, dtype)
    hint = "2-D X is read as one-feature sequences; a single sequence goes into a list: [X]"
    check_steps([(1,)], n_features, name, hint)
    n_sequences, n_steps = table.shape
    offsets = np.arange(n_sequences + 1, dtype=np.int64) * n_steps
    return Sequences(table.reshape(-1, 1), offsets), given


def _read_padded(X, dtype, lengths, n_features, name):
    X = as_numbers(X, "X").reshape(shape_of(X))  # objects lose the axes after an empty one
    check_any(len(X))
    check_steps([X.shape[2:]], n_features, name)
    lengths = padded_lengths(X) if lengths is None else given_lengths(lengths, X.shape)
    check_not_empty(lengths)
    with np.errstate(over="ignore"):
        if (lengths == X.shape[1]).all():
            rows = X.astype(dtype, order="C", copy=False).reshape(-1, X.shape[2])
        else:  # padding, which may be most of X, is not copied
            parts = [x[:n] for x, n in zip(X, lengths.tolist(), strict=True)]
            rows = np.empty((lengths.sum(), X.shape[2]), dtype)
            np.concatenate(parts, out=rows, casting="unsafe")
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
