"""The forms in which sequences come: taken apart into rows, and put together again."""

import numpy as np
from scipy.sparse import issparse

from ..arrays import as_values, join_values, where_missing
from ..sequences import (
    Sequences,
    check_finite,
    check_sequences,
    common_frame,
    is_tabular,
    offsets_of,
    place_of,
    refuse_kinds,
    refuse_unfit,
)
from ..sequences.forms import form_of
from ..sequences.frames import collected
from ..sequences.readers import READERS
from ..sequences.values import as_sequence
from ._arrays import common_float, is_pandas_frame
from .rows import concatenate, split


def hold_frames(X):
    """Whether there are DataFrames of pandas among the sequences."""
    return any(map(is_pandas_frame, collected(X)))


def stack_frames(X, allow_nan):
    """DataFrames one below the other, for a transformer that knows columns by their names; arrays
    beside them have their columns in the same order.
    """
    import pandas as pd  # which is there, for its frames are

    first = common_frame(X)
    frames = [x if is_pandas_frame(x) else _named(x, i, first) for i, x in enumerate(collected(X))]
    for i, frame in enumerate(frames):
        if len(frame) == 0:
            raise ValueError(f"sequence {i} of X has length 0; expected at least 1 time step")
    rows = pd.concat(frames, ignore_index=True)
    rows = rows.copy() if len(frames) == 1 else rows  # of one, pandas makes a view
    lengths = np.array([len(frame) for frame in frames])
    if not allow_nan:
        _check_nothing_missing(rows.isna().to_numpy(), lengths)
    _check_nothing_infinite(rows.isin([np.inf, -np.inf]), lengths)
    return rows, lengths


def _named(x, index, frame):
    """One sequence as a DataFrame with the columns of another one."""
    what = f"sequence {index} of X"
    refuse_unfit(x, what)
    x = as_values(x) if _is_symbolic(x) else as_sequence(x, index)
    if x.ndim != 2 or x.shape[1] != frame.shape[1]:
        raise ValueError(
            f"{what} has shape {x.shape}; expected (n_timesteps, {frame.shape[1]}), for it stands "
            f"beside DataFrames with the columns {list(frame.columns)}"
        )
    return type(frame)(x, columns=frame.columns)


def needs_object_rows(X):
    """Tell whether there are strings among the values of sequences, which rows of numbers do not
    hold.
    """
    X = X.to_numpy() if hasattr(X, "to_numpy") else X
    if isinstance(X, np.ndarray) and X.dtype != object:
        return X.dtype.kind in "UT" and X.ndim in (2, 3)  # a string by itself is no sequence
    is_array = isinstance(X, np.ndarray) and X.ndim in (1, 2, 3)
    return (is_array or isinstance(X, (list, tuple))) and any(map(_is_symbolic, X))


def _is_symbolic(x):
    if hasattr(x, "to_numpy"):
        x = x.to_numpy()
    if hasattr(x, "dtype") and x.dtype != object:
        return getattr(x.dtype, "kind", "") in ("U", "T") and np.ndim(x) > 0
    return isinstance(x, (list, tuple, np.ndarray)) and any(
        isinstance(value, str) or _is_symbolic(value) for value in x
    )


def stack_symbols(X, allow_nan):
    """Sequences of symbols, or of symbols and numbers, one below the other: rows, lengths."""
    rows, lengths = concatenate(X.to_numpy() if is_pandas_frame(X) else X)
    rows = rows.reshape(len(rows), -1).astype(object)
    if not allow_nan:
        _check_nothing_missing(where_missing(rows), lengths)
    return rows, lengths


def _check_nothing_missing(missing, lengths):
    if missing.any():
        raise ValueError(
            f"{_first(missing, 'NaN', lengths)}; impute or drop such values first, or pass "
            "allow_nan=True for a transformer that takes them"
        )


def _check_nothing_infinite(infinite, lengths):
    infinite = np.asarray(infinite, dtype=bool)
    if infinite.any():
        raise ValueError(f"{_first(infinite, 'infinity', lengths)}; expected finite numbers")


def _first(found, what, lengths):
    """Words for the first of the values of all rows that are `found` (n_rows, n_features)."""
    row, column = np.argwhere(found)[0]
    index, step = place_of(row, offsets_of(lengths))
    return f"sequence {index} of X contains {what} at time step {step}, feature {column}"


def stack_numbers(X, lengths, n_features, allow_nan, name):
    """Sequences of numbers, in any form that estimators read, one below the other: rows, lengths."""
    dtype = _float_type(X)
    if allow_nan and (lengths is None or form_of(X) == "padded"):
        sequences, _ = READERS[form_of(X)](X, dtype, lengths, n_features, name)
        _check_nothing_infinite(np.isinf(sequences.rows), sequences.lengths)
    else:
        sequences = check_sequences(
            X, dtype=dtype, lengths=lengths, n_features=n_features, name=name
        )
    return sequences.rows, sequences.lengths


def stack_table(X, allow_nan):
    """One-feature sequences, time along the columns of an array, one below the other: rows, lengths."""
    refuse_kinds(X, "X")
    rows, lengths = X.astype(common_float([X]), copy=False).reshape(-1, 1), np.full(*X.shape)
    if allow_nan:
        _check_nothing_infinite(np.isinf(rows), lengths)
    else:
        check_finite(Sequences(rows, offsets_of(lengths)), X)
    return rows, lengths


def _float_type(X):
    """The type of the rows: float32 if all of X is, otherwise float64."""
    one_array = getattr(getattr(X, "dtype", None), "kind", "O") != "O"
    return common_float([X] if one_array or not np.iterable(X) else X)


def give_back(out, X, lengths):
    """What a transformer returned for all rows, in the form of X."""
    rows = out.toarray() if issparse(out) else np.asarray(out)
    rows = rows.reshape(len(rows), -1) if rows.ndim == 1 else rows
    if len(rows) != lengths.sum():
        raise ValueError(
            f"the transformer made {len(rows)} rows of {lengths.sum()}; expected one that keeps "
            "the number of rows"
        )
    is_list = isinstance(X, (list, tuple))  # one of equally long lists, too: others may differ
    if not is_list and (is_tabular(X) or np.ndim(X) == 2):
        shape = (len(lengths), lengths[0])
        return rows.reshape(shape if rows.shape[1] == 1 else shape + (-1,))
    shape = () if is_list else np.shape(X)
    if len(shape) == 3:
        return _pad(rows, lengths, shape[1])
    first = X[0] if is_list else np.asarray(X)[0]
    if rows.shape[1] == 1 and np.ndim(first) == 1:
        rows = rows[:, 0]
    parts = split(rows, lengths)
    if is_list:
        return parts
    array = np.empty(len(parts), object)
    array[:] = parts
    return array


def _pad(rows, lengths, n_steps):
    """Rows as a 3-D array with NaN behind the shorter sequences."""
    dtype = np.float64 if rows.dtype.kind in "biu" else rows.dtype
    dtype = object if rows.dtype.kind in "UST" else dtype
    padded = np.full((len(lengths), n_steps, rows.shape[1]), np.nan, dtype)
    padded[np.arange(n_steps) < lengths[:, None]] = rows
    return padded


def one_per_row(values, lengths, name):
    """Targets or weights, of sequences or steps, as one array with an entry for each row."""
    if values is None:
        return None
    array = np.asarray(values) if hasattr(values, "__array__") else None
    values = list(values) if array is None else array
    if len(values) != len(lengths):
        raise ValueError(
            f"{name} has {len(values)} entries; expected {len(lengths)}, one for each sequence"
        )
    if array is not None and (array.ndim > 1 or array.dtype != object):
        return np.repeat(array, lengths, axis=0)
    parts = [as_values(value) for value in values]
    if all(part.ndim == 0 for part in parts):
        return np.repeat(as_values(list(values)), lengths)
    for i, (part, length) in enumerate(zip(parts, lengths, strict=True)):
        if part.ndim == 0 or len(part) != length:
            got = "a single value" if part.ndim == 0 else f"{len(part)} entries"
            raise ValueError(
                f"{name} has {got} for sequence {i}; expected {length}, one for each time step"
            )
    return join_values(parts)
