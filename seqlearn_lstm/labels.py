"""Labels: as arrays, which of them are known, their classes and the weights of these."""

from datetime import date
from numbers import Integral

import numpy as np
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from .arrays import as_values, is_missing, where_missing
from .sequences import refuse_lossy


def as_column(values, name):
    """Values of steps, by `as_values`."""
    refuse_lossy(values, name, "value")
    array = as_values(values.to_numpy() if hasattr(values, "to_numpy") else values)
    if array.ndim == 0:
        raise ValueError(
            f"{name} is the single value {array!r}, expected a value for each time step"
        )
    return array


def as_labels(values, name):
    """`as_column` for labels: whole numbers beside what is missing stay whole numbers, as objects."""
    dtype = getattr(values, "dtype", None)
    if hasattr(dtype, "na_value") and dtype.kind in "iu" and values.isna().any():
        values = values.to_numpy(dtype=object)
    array = as_column(values, name)
    if array.dtype.kind == "f" and dtype is None:
        objects = np.array(values, dtype=object)
        if any(isinstance(value, Integral) for value in objects.flat):
            return objects
    return array


def missing_labels(labels):
    """Which labels say "not known": None, NaN, NaT or pandas.NA, and -1 among integers (n,)."""
    if labels.dtype == object:
        return np.array([is_missing(x) or is_minus_one(x) for x in labels.tolist()], dtype=bool)
    return labels == -1 if labels.dtype.kind == "i" else where_missing(labels)


def is_minus_one(value):
    """Whether a value is the integer -1."""
    return isinstance(value, Integral) and value == -1


def are_equal(labels, others):
    """Which labels are the same, pair by pair (n,); those of different kinds as objects: 1 is "1" nowhere."""
    labels, others = _dates_alike(labels), _dates_alike(others)
    if labels.dtype.kind != others.dtype.kind:
        labels, others = labels.astype(object), others.astype(object)
    return np.asarray(labels == others, dtype=bool)


def _dates_alike(labels):
    """Objects that are dates without a time zone as NumPy's dates, whichever class and unit they have: a
    date of Python's equals no datetime, and NumPy's own become numbers as objects. Others as they are.
    """
    values = labels.tolist() if labels.dtype == object else []
    if not values or not all(isinstance(x, date | np.datetime64) for x in values):
        return labels
    if any(getattr(x, "tzinfo", None) for x in values):
        return labels
    # pandas.Timestamp has nanoseconds, which NumPy does not ask it for.
    return np.array([getattr(x, "to_datetime64", lambda x=x: np.datetime64(x))() for x in values])


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
            f"y has labels {np.unique(labels[unknown]).tolist()} that are not among the classes of the "
            f"first fit, {classes.tolist()}; give all `classes` to the first partial_fit"
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
