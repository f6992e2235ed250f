"""What arrays and tables are: DataFrames, of which floats, of dates."""

from datetime import timedelta

import numpy as np

from ..arrays import where_missing


def is_pandas_frame(x):
    """Whether x is a DataFrame whose rows can be taken with `iloc`."""
    return hasattr(x, "iloc") and hasattr(x, "columns")


def common_float(arrays):
    """float32 if all arrays are, otherwise float64."""
    single = all(getattr(array, "dtype", None) == np.float32 for array in arrays)
    return np.float32 if single else np.float64


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
