"""Targets of single steps: labels or numbers for each step of each sequence, flat in the order of
the container's rows.
"""

import itertools
from numbers import Integral

import numpy as np
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from .sequences import Sequences, check_lengths, offsets_of, refuse_lossy


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
        raise TypeError(f"{name} must hold an array for each sequence, got {type(y).__name__}")
    lengths = np.diff(offsets)
    if len(y) != len(lengths):
        raise ValueError(
            f"X and {name} have different numbers of sequences: got {len(lengths)} and {len(y)}"
        )
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


def as_labels(values, name):
    """`as_column` for labels: whole numbers beside what is missing stay whole numbers, as objects."""
    dtype = getattr(values, "dtype", None)
    if hasattr(dtype, "na_value") and dtype.kind in "iu" and values.hasnans:
        values = values.to_numpy(dtype=object)
    array = as_column(values, name)
    if array.dtype.kind == "f" and dtype is None:
        objects = np.array(values, dtype=object)
        if any(isinstance(value, Integral) for value in objects.flat):
            return objects
    return array


def as_column(values, name):
    """Values of steps as an array; as objects where NumPy would turn others into strings."""
    refuse_lossy(values, name, "value")
    values = values.to_numpy() if hasattr(values, "to_numpy") else values
    array = np.asarray(values)
    if array.ndim == 0:
        raise ValueError(
            f"{name} is the single value {array!r}, expected a value for each time step"
        )
    if array.dtype.kind in "US" and not hasattr(values, "dtype"):
        objects = np.array(values, dtype=object)
        if not all(isinstance(value, str | bytes) for value in objects.flat):
            return objects
    return array


def _joined(parts, name, labels):
    shapes = {part.shape[1:] for part in parts}
    if len(shapes) > 1:
        raise ValueError(f"{name} has different numbers of outputs: {sorted(shapes)}")
    kinds = {part.dtype.kind for part in parts}
    if "O" in kinds or (len(kinds) > 1 and (labels or kinds & set("US"))):
        parts = [part.astype(object) for part in parts]
    return np.concatenate(parts)


def missing_labels(labels):
    """Which labels say "not known": None, NaN, NaT or pandas.NA, and -1 among integers (n,)."""
    if labels.dtype == object:
        return np.array([is_missing(x) or is_minus_one(x) for x in labels.tolist()], dtype=bool)
    if labels.dtype.kind == "f":
        return np.isnan(labels)
    if labels.dtype.kind in "mM":
        return np.isnat(labels)
    if labels.dtype.kind == "i":
        return labels == -1
    return np.zeros(len(labels), dtype=bool)


def is_missing(value):
    """Whether a value is None, NaN, NaT or pandas.NA."""
    if value is None:
        return True
    differs = value != value  # pandas.NA compares to NA, which is neither true nor false
    return not isinstance(differs, bool | np.bool_) or bool(differs)


def is_minus_one(value):
    """Whether a value is the integer -1."""
    return isinstance(value, Integral) and value == -1


def check_step_labels(labels, known):
    """The known labels of steps as strings or numbers, which sort.

    Raises
    ------
    ValueError
        If they are no labels: rows of several, numbers that are not whole, strings beside numbers.
    """
    if labels.ndim != 1:
        raise ValueError(
            f"y has rows of shape {labels.shape[1:]} for the steps; expected one label for each"
        )
    labels = labels[known]
    if labels.dtype == object:
        strings = sum(isinstance(label, str) for label in labels)
        if 0 < strings < len(labels):
            other = next(label for label in labels if not isinstance(label, str))
            raise ValueError(f"y has strings and {other!r} for labels; expected only one kind")
        labels = np.array(labels.tolist())
        if labels.ndim != 1:
            raise ValueError("y has collections for labels of steps; expected one label for each")
    check_classification_targets(labels)
    return labels


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


def code_labels(labels, classes=None):
    """(the classes, sorted; the number of each label's class).

    classes  those that there may be; None: those that there are

    Raises
    ------
    ValueError
        If a label is none of `classes`.
    """
    if classes is None:
        return np.unique(labels, return_inverse=True)
    classes = np.unique(classes)
    unknown = ~np.isin(labels, classes)
    if unknown.any():
        raise ValueError(
            f"y has the labels {np.unique(labels[unknown]).tolist()}, which the first fit did not "
            f"have; expected some of {classes.tolist()}: give all `classes` to the first partial_fit"
        )
    return classes, np.searchsorted(classes, labels)


def class_factors(class_weight, classes, labels, weights):
    """The weight of each label's class (n,); not every class needs to be among the labels.

    weights  of the labels: "balanced" counts a label with the weight 2 twice, with 0 not at all (n,)
    """
    if isinstance(class_weight, dict):
        values = compute_class_weight(class_weight, classes=classes, y=classes)
        return values[np.searchsorted(classes, labels)]
    factors = np.ones(len(labels))
    if class_weight == "balanced":
        there = weights > 0
        labels, weights = labels[there], weights[there]
        found, index = np.unique(labels, return_inverse=True)
        values = compute_class_weight("balanced", classes=found, y=labels, sample_weight=weights)
        factors[there] = values[index]
    return factors
