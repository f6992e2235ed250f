"""Targets of single steps: labels or numbers for each step of each sequence, flat in the order of
the container's rows; and the forms in which they come.
"""

import itertools

import numpy as np

from .arrays import join_values
from .labels import as_column, as_labels
from .sequences import Sequences, check_lengths, offsets_of

_SINGLE = (str, bytes, int, float, np.generic, type(None))  # whose values need no look at each


def flatten_steps(y, offsets, name="y", labels=False):
    """One flat array from a target for each step.

    Parameters
    ----------
    y : list or array of array-likes
        One of shape (n_timesteps_i,) or (n_timesteps_i, n_outputs) for each sequence; of padded
        arrays the first n_timesteps_i entries count.
    offsets : ndarray of shape (n_sequences + 1,)
        Where each sequence begins among all rows.
    name : str
        What messages call it.
    labels : bool
        Whether these are labels, which stay what they are: a whole number beside NaN is no float.

    Returns
    -------
    values : ndarray of shape (n_rows,) or (n_rows, n_outputs)

    Raises
    ------
    ValueError
        If the number of sequences, or of the steps of one of them, differs from X.
    TypeError
        If `y` is no collection.
    """
    if isinstance(y, str | bytes | dict | set) or not hasattr(y, "__len__") or _is_scalar(y):
        raise TypeError(f"{name} has type {type(y).__name__}; expected an array for each sequence")
    lengths = np.diff(offsets)
    if len(y) != len(lengths):
        raise ValueError(f"{name} holds {len(y)} sequences; expected {len(lengths)}, as many as X")
    rows, read = _collection(y), as_labels if labels else as_column
    padded = isinstance(rows, np.ndarray) and rows.ndim > 1
    parts = []
    for i, (part, length) in enumerate(zip(rows, lengths, strict=True)):
        part = read(part, f"{name} of sequence {i}")
        part = part[:length] if padded else part
        if len(part) != length:
            raise ValueError(
                f"sequence {i} has {length} time steps in X, but {len(part)} values in {name}"
            )
        parts.append(part)
    return _joined(parts, name, labels)


def _is_scalar(y):
    """Whether it is an array without axes, which has a length by name only."""
    return getattr(y, "ndim", 1) == 0


def _collection(y):
    return y.to_numpy() if hasattr(y, "to_numpy") else y


def _joined(parts, name, labels):
    shapes = {part.shape[1:] for part in parts}
    if len(shapes) > 1:
        raise ValueError(f"{name} has different numbers of outputs: {sorted(shapes)}")
    if labels and len({part.dtype.kind for part in parts}) > 1:
        parts = [part.astype(object) for part in parts]
    return join_values(parts)


def is_flat(values):
    """Whether these are single values, not arrays of values."""
    if not isinstance(values, list | tuple):
        values = np.asarray(values)
        if values.ndim == 0:
            return False
        if values.dtype != object:
            return values.ndim == 1
    kinds = set(map(type, values))
    return all(issubclass(kind, _SINGLE) for kind in kinds) or not any(map(np.ndim, values))


def check_one_per_row(values, sequences, name):
    """Raise ValueError where values that came flat are not one for each step."""
    n, n_rows = len(values), len(sequences.rows)
    if n != n_rows:
        raise ValueError(
            f"{name} holds {n} single values, but X {len(sequences)} sequences of {n_rows} time steps in all; "
            "expected an array of values for each sequence, or, flat, one value for each time step"
        )


def are_for_each(y, X):
    """Whether y holds the labels of each element of X, which are sequences then, not rows of one."""
    if y is None or is_flat(y) or _is_scalar(y) or not hasattr(y, "__len__"):
        return False
    is_of_rows = len(y) == 1 and np.shape(next(iter(y)))[:1] == (len(X),)
    return len(y) == len(X) and not is_of_rows


def split_steps(values, offsets):
    """Values of all rows as a 1-D object array of one array for each sequence."""
    parts = np.empty(len(offsets) - 1, dtype=object)
    for i, (start, stop) in enumerate(itertools.pairwise(offsets)):
        parts[i] = values[start:stop]
    return parts


def concatenated(rows, lengths):
    """Rows of sequences one after another (n_rows, n_features), and their lengths, as a container.

    Raises
    ------
    ValueError
        If the lengths are not positive or do not sum up to the rows.
    """
    lengths = check_lengths([len(rows)] if lengths is None else lengths, len(rows))
    return Sequences(rows, offsets_of(lengths))


def split_some(values, sequences, indices):
    """Values of all rows as an object array of one array for each of some sequences."""
    return split_steps(values[sequences.rows_of(indices)], offsets_of(sequences.lengths[indices]))
