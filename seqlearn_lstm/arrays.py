"""Arrays of anything that stay what they are, and what is missing in them."""

import numpy as np


def as_values(x):
    """An array-like as an array; as objects where NumPy would turn others into strings."""
    array = np.asarray(x)
    if array.dtype.kind in "US" and not (hasattr(x, "__array__") or isinstance(x, str | bytes)):
        objects = np.array(x, dtype=object)
        kind = str if array.dtype.kind == "U" else bytes
        if not all(isinstance(value, kind) for value in objects.flat):
            return objects
    return array


def join_values(parts):
    """Concatenate; as objects where NumPy would turn others into strings."""
    kinds = {part.dtype.kind for part in parts}
    dtype = object if len(kinds) > 1 and kinds & set("UST") else None
    return np.concatenate(parts, dtype=dtype)


def is_missing(value):
    """Whether a value is None, NaN, NaT or pandas.NA."""
    if value is None:
        return True
    differs = value != value  # pandas.NA compares to NA, which is neither true nor false
    return not isinstance(differs, bool | np.bool_) or bool(differs)


def where_missing(values):
    """Where an array holds nothing: None, NaN, NaT or pandas.NA; a boolean array of its shape."""
    if values.dtype != object:
        return values != values if values.dtype.kind in "fcmM" else np.zeros(values.shape, bool)
    found = [is_missing(value) for value in values.ravel().tolist()]
    return np.array(found, dtype=bool).reshape(values.shape)
