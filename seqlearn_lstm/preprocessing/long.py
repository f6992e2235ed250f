"""Long tables: one row for each time step."""

from collections.abc import Mapping
from numbers import Number

import numpy as np

from ..arrays import as_values, where_missing
from ..sequences.values import refuse_lossy
from ._arrays import common_float, holds_dates
from .rows import split


def from_long(df, sequence, time, columns, target=None, *, target_per="step"):
    """Read sequences from a long table: one row for each time step.

    Parameters
    ----------
    df : DataFrame (pandas, polars, ...) or dict of columns
        Its rows in any order; columns of a dict must have equal lengths.
    sequence : str
        Name of the column that says to which sequence a row belongs.
    time : str or None
        Name of the column that orders the rows of a sequence, an ordered Categorical by its
        categories. None: the rows are in order already.
    columns : list of str, or str
        Names of the features. A single name, not in a list, gives 1-D sequences.
    target : str or list of str, default=None
        Name of the column of targets; in a list, names of several, which must hold numbers.
    target_per : {"step", "sequence"}, default="step"
        Whether to return a target for each step, or one for each sequence, which must then be the
        same at all of its steps.

    Returns
    -------
    X : list of n_sequences arrays of shape (n_timesteps_i, n_features) or (n_timesteps_i,)
        In the order in which the sequences first appear in the table, each sorted by time. Where all
        columns are numbers, missing values become NaN; float32 if every column is float32,
        otherwise float64. Where one holds anything else, the type is object.
    y : list of n_sequences arrays (n_timesteps_i,), or ndarray of shape (n_sequences,)
        Only if there is a `target`. With several in a list, a column for each: (n_timesteps_i,
        n_targets), or (n_sequences, n_targets).
    ids : ndarray of shape (n_sequences,)
        The value of `sequence` for each.

    Raises
    ------
    TypeError
        If a column is a masked array, or a tensor that requires grad.
    ValueError
        If a column is missing, there twice or not as long as the others, the table is empty, an id
        or a time is missing, a sequence has two rows for the same time, a feature is a date, a
        target differs within its sequence, or several are no numbers.

    Examples
    --------
    >>> from seqlearn_lstm.preprocessing import from_long
    >>> table = {"who": ["b", "a", "b"], "hour": [2, 1, 1], "heat": [0.2, 0.5, 0.1]}
    >>> X, ids = from_long(table, "who", "hour", ["heat"])
    >>> ids.tolist(), [x.tolist() for x in X]
    (['b', 'a'], [[[0.1], [0.2]], [[0.5]]])
    """
    if target_per not in ("step", "sequence"):
        raise ValueError(f"target_per is {target_per!r}; expected 'step' or 'sequence'")
    is_one = isinstance(columns, str) or not np.iterable(columns)  # names may be numbers
    names = [columns] if is_one else list(columns)
    targets = target if isinstance(target, list) else [target]
    if not targets:
        raise ValueError("target is an empty list; expected the name of at least one, or None")
    _check_columns(df, [sequence, time, *names, *targets], names)
    ids = _complete(df, sequence)
    seen = {}
    try:
        codes = np.array([seen.setdefault(value, len(seen)) for value in ids.tolist()])
    except TypeError as error:
        raise ValueError(f"column {sequence!r} cannot tell sequences apart: {error}") from error
    order = _order(df, codes, ids, time)
    first = np.unique(codes, return_index=True)[1]
    lengths = np.bincount(codes)
    rows = _features(df, names)[order]
    X = split(rows[:, 0] if is_one else rows, lengths)
    if target is None:
        return X, ids[first]
    values = _numbers(df, target) if isinstance(target, list) else _column(df, target)
    y = split(values[order], lengths)
    return X, y if target_per == "step" else _one_each(y, target, ids[first]), ids[first]


def _check_columns(df, wanted, features):
    columns = list(df) if isinstance(df, Mapping) else list(getattr(df, "columns", ()))
    absent = [name for name in wanted if name is not None and name not in columns]
    if absent:
        raise ValueError(f"the table has no column {absent[0]!r}; its columns are {columns}")
    twice = [name for name in wanted if columns.count(name) > 1]
    if twice:
        raise ValueError(
            f"the table has {columns.count(twice[0])} columns {twice[0]!r}; expected one: rename or "
            "drop the others"
        )
    if not features:
        raise ValueError("columns is empty; expected the name of at least one feature")
    if isinstance(df, Mapping):
        _check_lengths({name: df[name] for name in wanted if name is not None})


def _check_lengths(columns):
    """Check the columns of a dict; those of a DataFrame are all of one length."""
    single = [name for name, column in columns.items() if not hasattr(column, "__len__")]
    if single:
        raise ValueError(
            f"column {single[0]!r} is a single value ({columns[single[0]]!r:.80}); expected a value "
            "for each row"
        )
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"the columns have the lengths {lengths}; expected the same, a value for each row"
        )


def _column(df, name):
    """A column as an array: of strings or numbers, or of objects where both are there."""
    values = df[name]
    refuse_lossy(values, f"column {name!r}", "value")
    if isinstance(values, list | tuple) and any(isinstance(value, tuple) for value in values):
        values = np.fromiter(values, object, len(values))  # a tuple is one value
    values = as_values(values)
    if values.ndim != 1:
        raise ValueError(f"column {name!r} has shape {values.shape}; expected a value for each row")
    return values


def _complete(df, name):
    """A column in which nothing may be missing."""
    values = _column(df, name)
    if not len(values):
        raise ValueError("the table has no rows; expected one for each time step")
    missing = np.flatnonzero(where_missing(values))
    if len(missing):
        raise ValueError(
            f"column {name!r} has no value in row {missing[0]} (counted from 0); expected a "
            "sequence and a time in every row: drop or fill those rows"
        )
    return values


def _order(df, codes, ids, time):
    """The rows of the first sequence in the order of time, those of the second, ..."""
    if time is None:
        return np.argsort(codes, kind="stable")
    times = _complete(df, time)
    try:
        order = np.lexsort((_ranks(df[time], times), codes))
    except TypeError as error:
        raise ValueError(f"column {time!r} cannot be sorted: {error}") from error
    before, after = order[:-1], order[1:]
    twice = np.flatnonzero((codes[before] == codes[after]) & (times[before] == times[after]))
    if len(twice):
        a, b = before[twice[0]], after[twice[0]]
        raise ValueError(
            f"sequence {_shown(ids[a])} has two rows with {time!r} = {_shown(times[a])}, rows {a} and {b} "
            f"(counted from 0), and there are {len(twice)} such pairs in all; drop or aggregate "
            "duplicates first"
        )
    return order


def _ranks(column, times):
    """What sorts as times do: of an ordered Categorical the codes, whose names say no order."""
    if not getattr(getattr(column, "dtype", None), "ordered", False):
        return times
    return np.asarray(getattr(column, "cat", column).codes)


def _features(df, names):
    """Columns as a 2-D array: float if all are numbers, otherwise object."""
    columns = [_column(df, name) for name in names]
    for name, column in zip(names, columns, strict=True):
        if holds_dates(column):
            raise ValueError(
                f"column {name!r} holds dates or time differences; expected numbers or symbols: "
                "pass the time since some date as a number"
            )
    columns = [_numbers_if_possible(column) for column in columns]
    if any(column.dtype.kind not in "fiub" for column in columns):
        return np.stack([column.astype(object) for column in columns], axis=1)
    return np.stack(columns, axis=1, dtype=common_float(columns), casting="unsafe")


def _numbers(df, names):
    """Columns of numbers as a 2-D array."""
    rows = _features(df, names)
    if rows.dtype == object:
        kinds = {name: _numbers_if_possible(_column(df, name)).dtype.kind for name in names}
        name = next(name for name, kind in kinds.items() if kind not in "fiub")
        raise ValueError(
            f"target has the column {name!r}, which holds more than numbers; expected numbers where there "
            "are several targets."
        )
    return rows


def _numbers_if_possible(column):
    """An object column of numbers, some of them missing, as floats; others as they are."""
    if column.dtype != object:
        return column
    missing = where_missing(column)
    if missing.all() or not all(isinstance(value, Number) for value in column[~missing]):
        return column
    numbers = np.full(len(column), np.nan)
    numbers[~missing] = column[~missing].astype(np.float64)
    return numbers


def _one_each(y, target, ids):
    """The one target of each sequence, or the one of each column."""
    if isinstance(target, list):
        columns = [[rows[:, k] for rows in y] for k in range(len(target))]
        return np.stack(
            [_one_each(column, name, ids) for column, name in zip(columns, target, strict=True)],
            axis=1,
        )
    for labels, name in zip(y, ids, strict=True):
        missing = where_missing(labels)
        same = missing if missing[0] else ~missing
        same[same] = missing[0] | (labels[same] == labels[0])
        if not same.all():
            other = labels[np.argmin(same)]
            raise ValueError(
                f"sequence {_shown(name)} has the targets {_shown(labels[0])} and {_shown(other)} in column "
                f"{target!r}; expected one for the sequence, or pass target_per='step'"
            )
    return np.array([labels[0] for labels in y], y[0].dtype)


def _shown(value):
    """A value in a message: what NumPy has of Python's kinds without NumPy's name."""
    is_plain = isinstance(value, np.generic) and value.dtype.kind in "biufU"
    return repr(value.item() if is_plain else value)
