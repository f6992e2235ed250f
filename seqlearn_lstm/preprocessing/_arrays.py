"""Arrays of anything: numbers, symbols, and what is missing among them."""

from datetime import timedelta

import numpy as np

from ..labels import is_missing


def is_pandas_frame(x):
    """Whether x is a DataFrame whose rows can be taken with `iloc`."""
    return hasattr(x, "iloc") and hasattr(x, "columns")


def as_values(x):
    """An array-like as an array; as objects where NumPy would turn numbers into strings."""
    if hasattr(x, "__array__") or isinstance(x, str):
        return np.asarray(x)
    objects = np.array(x, dtype=object)
    for kind in (str, bytes):
        is_text = [isinstance(value, kind) for value in objects.flat]
        if any(is_text):
            return objects.astype(kind) if all(is_text) else objects
    return np.asarray(x)


def join_values(parts):
    """Concatenate; as objects where NumPy would turn numbers into strings."""
    kinds = {part.dtype.kind for part in parts}
    dtype = object if len(kinds) > 1 and kinds & set("UST") else None
    return np.concatenate(parts, dtype=dtype)


def common_float(arrays):
    """float32 if all arrays are, otherwise float64."""
    single = all(getattr(array, "dtype", None) == np.float32 for array in arrays)
    return np.float32 if single else np.float64


def where_missing(values):
    """Where an array holds nothing: NaN, NaT, None or pandas.NA."""
    if values.dtype != object:
        return values != values if values.dtype.kind in "fcmM" else np.zeros(values.shape, bool)
    found = [is_missing(value) for value in values.ravel().tolist()]
    return np.array(found, dtype=bool).reshape(values.shape)


def holds_dates(values):
    """Whether there are dates, times of day or time differences among the values of an array."""
    if values.dtype != object:
        return values.dtype.kind in "mM"
    return any(map(_is_date, values[~where_missing(values)].tolist()))


def _is_date(value):
    # All dates have this method, pandas.Period as well, which is no datetime.
    return hasattr(value, "strftime") or isinstance(
        value, np.datetime64 | np.timedelta64 | timedelta
    )
