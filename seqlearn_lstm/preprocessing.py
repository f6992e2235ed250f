"""Between sequences and tables: transformers per time step, rows and lengths, long tables.

`PerStep` runs a scikit-learn transformer over the time steps of sequences, `concatenate` and
`split` translate to and from the rows-and-lengths form of hmmlearn and seqlearn, `from_long` reads
a table with one row for each time step. Data frames are known by what they can do; pandas is not
imported unless sequences are its frames.
"""

from collections.abc import Mapping
from numbers import Number

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import check_array, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from .sequences import _READERS, _form, _padded_lengths, check_sequences, is_tabular

__all__ = ["PerStep", "concatenate", "from_long", "split"]


def _has(method):
    """Check for `available_if`: the transformer, the fitted one if there is one, has `method`."""
    return lambda self: hasattr(getattr(self, "transformer_", self.transformer), method)


class PerStep(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Make any scikit-learn transformer work on the time steps of sequences.

    The transformer is fitted on the rows of all sequences, one below the other, so that a scaler
    learns one mean for each feature over all time steps; `transform` gives back sequences in the
    form in which they came:

    ===============================================  ============================================
    X                                                what comes back
    ===============================================  ============================================
    list or tuple of (n_timesteps_i, n_features)     list of (n_timesteps_i, n_features_out)
    object array or Series of such                   1-D object array of such
    (n_sequences, n_timesteps, n_features)           (n_sequences, n_timesteps, n_features_out),
                                                     padding is NaN
    (n_sequences, n_timesteps): one-feature          the same, or 3-D if there are more columns
    collection of (n_timesteps_i,): one-feature      the same, or 2-D if there are more columns
    ===============================================  ============================================

    Sequences that are all pandas DataFrames reach the transformer as one DataFrame, those with
    symbols as an object array: one-hot encoders and column transformers work per step, too. What
    comes back are always dense arrays; a transformer's sparse output is made dense.

    Parameters
    ----------
    transformer : transformer object
        Is cloned, and the clone fitted. Must keep the number of rows; may change that of columns.
    allow_nan : bool, default=False
        Whether NaN may reach the transformer (an imputer). Trailing time steps of a 3-D X in which
        every feature is NaN are padding all the same; lists and tables have no padding.

    Attributes
    ----------
    transformer_ : transformer object
        The fitted transformer.
    n_features_in_ : int
        Features of a time step; for a 2-D X, as everywhere in scikit-learn, its columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Only if X was a DataFrame or a collection of DataFrames.

    See Also
    --------
    concatenate : Sequences as rows and lengths.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from seqlearn_lstm.preprocessing import PerStep
    >>> X = [np.array([[0.0], [2.0], [4.0]]), np.array([[2.0]])]
    >>> scaler = PerStep(StandardScaler(with_std=False)).fit(X)
    >>> [x.ravel().tolist() for x in scaler.transform(X)]
    [[-2.0, 0.0, 2.0], [0.0]]
    >>> sorted(scaler.get_params())[-2:]
    ['transformer__with_mean', 'transformer__with_std']
    """

    def __init__(self, transformer, *, allow_nan=False):
        self.transformer = transformer
        self.allow_nan = allow_nan

    def fit(self, X, y=None, sample_weight=None, lengths=None):
        """Fit the transformer on the time steps of all sequences.

        Parameters
        ----------
        X : list or array of sequences
            Any form of the table above.
        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs), or list, default=None
            A target for each sequence, repeated at each of its steps; or for each step: a list of
            n_sequences arrays of shape (n_timesteps_i,).
        sample_weight : array-like of shape (n_sequences,), or list, default=None
            As `y`; handed on to the transformer if given.
        lengths : array-like of int of shape (n_sequences,), default=None
            With a 3-D X: how many steps of each sequence are real.

        Returns
        -------
        self : PerStep

        Raises
        ------
        TypeError
            If the transformer is none, or X is nothing that holds sequences.
        ValueError
            If X, y or `lengths` do not fit; the error names the sequence. The estimator is then as
            it was before.
        """
        self._fit(X, y, sample_weight, lengths, transform=False)
        return self

    def fit_transform(self, X, y=None, sample_weight=None, lengths=None):
        """Fit the transformer and transform X by the transformer's own `fit_transform`.

        Parameters
        ----------
        X, y, sample_weight, lengths
            As in `fit`.

        Returns
        -------
        X_out : list or array of sequences
            In the form of X.
        """
        return self._fit(X, y, sample_weight, lengths, transform=True)

    def transform(self, X, lengths=None):
        """Transform each time step.

        Parameters
        ----------
        X : list or array of sequences
            Any form, not necessarily that of `fit`. Never modified.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.

        Returns
        -------
        X_out : list or array of sequences
            In the form of X.
        """
        check_is_fitted(self)
        rows, lengths = self._read(X, lengths, reset=False)
        return _give_back(self.transformer_.transform(rows), X, lengths)

    @available_if(_has("inverse_transform"))
    def inverse_transform(self, X, lengths=None):
        """Undo the transformation of each time step.

        Parameters
        ----------
        X : list or array of sequences
            What `transform` returned, or the like, with n_features_out features.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.

        Returns
        -------
        X_original : list or array of sequences
            In the form of X.
        """
        check_is_fitted(self)
        rows, lengths = self._read(X, lengths, reset=None)
        return _give_back(self.transformer_.inverse_transform(rows), X, lengths)

    @available_if(_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features=None):
        """Names of the features of a time step after the transformation.

        Parameters
        ----------
        input_features : array-like of str of shape (`n_features_in_`,), default=None
            Names of the features before it.

        Returns
        -------
        names : ndarray of str of shape (n_features_out,)
            If a 2-D X stays 2-D, the names of its columns.
        """
        check_is_fitted(self)
        if not self._tabular:
            return self.transformer_.get_feature_names_out(input_features)
        columns = _check_feature_names_in(self, input_features)
        names = self.transformer_.get_feature_names_out()
        return columns if len(names) == 1 else names

    def set_output(self, *, transform=None):
        """Do nothing: sequences are given back as arrays whatever the output of tables shall be.

        It is here so that a pipeline which ends in a table can be told ``set_output("pandas")``.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Ignored.

        Returns
        -------
        self : PerStep
        """
        return self

    def _fit(self, X, y, sample_weight, lengths, transform):
        if not hasattr(self.transformer, "transform"):
            raise TypeError(
                f"transformer is {self.transformer!r}; expected an object with fit and transform, "
                "such as StandardScaler()."
            )
        before = dict(vars(self))
        try:
            rows, lengths = self._read(X, lengths, reset=True)
            y = _per_step(y, lengths, "y")
            weights = _per_step(sample_weight, lengths, "sample_weight")
            weights = {} if weights is None else {"sample_weight": weights}
            self.transformer_ = clone(self.transformer)
            if transform and hasattr(self.transformer_, "fit_transform"):
                out = self.transformer_.fit_transform(rows, y, **weights)
            else:
                self.transformer_.fit(rows, y, **weights)
                out = self.transformer_.transform(rows) if transform else None
            if hasattr(self.transformer_, "feature_names_in_"):
                self.feature_names_in_ = self.transformer_.feature_names_in_
            return _give_back(out, X, lengths) if transform else None
        except BaseException:  # the estimator stays what it was
            vars(self).clear()
            vars(self).update(before)
            raise

    def _read(self, X, lengths, reset):
        """X as rows for the transformer, and the number of steps of each sequence.

        `reset`: whether X is that of `fit` (True), must fit to it (False), or need not (None).
        """
        tabular = lengths is None and is_tabular(X)
        if tabular:
            rows, lengths = self._read_table(X, reset)
        elif lengths is None and _are_frames(X):
            rows, lengths = _stack_frames(X, self.allow_nan)
        elif lengths is None and _hold_symbols(X):
            rows, lengths = _stack_symbols(X, self.allow_nan)
        else:
            n_features = None if reset is not False else self._n_step_features
            rows, lengths = self._read_numbers(X, lengths, n_features)
        if isinstance(X, np.ndarray) and np.may_share_memory(rows, X):
            rows = rows.copy()  # the transformer may work in place
        if reset:
            self._tabular, self._n_step_features = tabular, rows.shape[1]
            if not tabular:
                self.n_features_in_ = rows.shape[1]
                vars(self).pop("feature_names_in_", None)  # of an earlier fit
        return rows, lengths

    def _read_table(self, X, reset):
        checks = {
            "dtype": [np.float64, np.float32],
            "ensure_all_finite": "allow-nan" if self.allow_nan else True,
        }
        if reset or (reset is False and self._tabular):
            X = validate_data(self, X, reset=reset, **checks)
        else:  # its columns are time steps, and sequences of other forms have any number of them
            X = check_array(X, input_name="X", estimator=self, **checks)
        return X.reshape(-1, 1), np.full(len(X), X.shape[1])

    def _read_numbers(self, X, lengths, n_features):
        dtype, name = _float_type(X), type(self).__name__
        if self.allow_nan and (lengths is None or _form(X) == "padded"):
            sequences, _ = _READERS[_form(X)](X, dtype, lengths, n_features, name)
        else:
            sequences = check_sequences(
                X, dtype=dtype, lengths=lengths, n_features=n_features, name=name
            )
        return sequences.rows, sequences.lengths

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.transformer)
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = self.allow_nan
        tags.target_tags.required = inner.target_tags.required
        tags.transformer_tags.preserves_dtype = inner.transformer_tags.preserves_dtype
        tags.non_deterministic = inner.non_deterministic
        return tags


# Rows and lengths ---------------------------------------------------------------------------------


def concatenate(X):
    """Put sequences one below the other, as hmmlearn and seqlearn take them.

    Parameters
    ----------
    X : list or array of sequences
        Arrays of shape (n_timesteps_i, n_features) or (n_timesteps_i,); or targets for each step,
        symbols too. In a 3-D array of numbers, trailing steps of which all is NaN are padding.

    Returns
    -------
    rows : ndarray of shape (n_rows, n_features) or (n_rows,)
        All time steps. Of the sequences' type; of type object where they mix symbols and numbers.
    lengths : ndarray of int64 of shape (n_sequences,)
        How many rows belong to each sequence; their sum is n_rows.

    Raises
    ------
    ValueError
        If X holds no sequence, or one that is empty or has other features than the first.

    See Also
    --------
    split : The inverse.
    seqlearn_lstm.model_selection.SequenceKFold : Cross-validation for this form.

    Examples
    --------
    >>> from seqlearn_lstm.preprocessing import concatenate
    >>> rows, lengths = concatenate([[1, 2, 3], [4, 5]])
    >>> rows.tolist(), lengths.tolist()
    ([1, 2, 3, 4, 5], [3, 2])
    """
    if isinstance(X, np.ndarray) and X.ndim == 3 and X.shape[2] and X.dtype.kind in "fiub":
        X = [x[:length] for x, length in zip(X, _padded_lengths(X), strict=True)]
    parts = [_array(x) for x in X]
    if not parts:
        raise ValueError("X holds 0 sequences; expected at least 1.")
    for i, part in enumerate(parts):
        if part.ndim == 0:
            raise ValueError(
                f"sequence {i} of X is a single value ({part}); expected a list of sequences; for "
                "one sequence pass [X]."
            )
        if len(part) == 0:
            raise ValueError(f"sequence {i} of X has length 0; expected at least 1 time step.")
        if part.shape[1:] != parts[0].shape[1:]:
            raise ValueError(
                f"the time steps of sequence {i} of X have shape {part.shape[1:]}, but those of "
                f"sequence 0 {parts[0].shape[1:]}; expected the same in every sequence."
            )
    return _join(parts), np.array([len(part) for part in parts], np.int64)


def split(rows, lengths):
    """Cut rows into sequences: the inverse of `concatenate`.

    Parameters
    ----------
    rows : array-like of shape (n_rows, n_features) or (n_rows,), or DataFrame
        The time steps of all sequences, or their targets.
    lengths : array-like of int of shape (n_sequences,)
        How many rows belong to each sequence.

    Returns
    -------
    X : list of n_sequences arrays of shape (n_timesteps_i, n_features) or (n_timesteps_i,)
        Views of `rows`; DataFrames if that is one.

    Raises
    ------
    ValueError
        If `lengths` are no positive integers whose sum is n_rows.

    Examples
    --------
    >>> from seqlearn_lstm.preprocessing import split
    >>> [x.tolist() for x in split(["DT", "NN", "UH"], [2, 1])]
    [['DT', 'NN'], ['UH']]
    """
    rows = rows if _is_frame(rows) else _array(rows)
    if rows.ndim == 0:
        raise ValueError(f"rows is a single value ({rows}); expected one row for each time step.")
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or not (lengths > 0).all():
        raise ValueError(
            f"lengths must be a list of positive whole numbers, one for each sequence; got "
            f"{lengths.tolist()!r:.80}."
        )
    if lengths.sum() != len(rows):
        raise ValueError(
            f"lengths add up to {lengths.sum()}, but there are {len(rows)} rows; expected the "
            "number of rows of each sequence, in order, none left out."
        )
    stops = np.cumsum(lengths)
    pick = rows.iloc if _is_frame(rows) else rows
    return [pick[a:b] for a, b in zip(stops - lengths, stops, strict=True)]


# Long tables --------------------------------------------------------------------------------------


def from_long(df, sequence, time, columns, target=None, *, target_per="step"):
    """Read sequences from a long table: one row for each time step.

    Parameters
    ----------
    df : DataFrame (pandas, polars, ...) or dict of columns
        Its rows in any order.
    sequence : str
        Name of the column that says to which sequence a row belongs.
    time : str or None
        Name of the column that orders the rows of a sequence. None: they are in order.
    columns : list of str, or str
        Names of the features. A single name that is no list gives 1-D sequences.
    target : str, default=None
        Name of the column of targets.
    target_per : {"step", "sequence"}, default="step"
        Whether to return a target for each step, or one for each sequence, in which it must then
        be the same at each step.

    Returns
    -------
    X : list of n_sequences arrays of shape (n_timesteps_i, n_features) or (n_timesteps_i,)
        In the order in which the sequences first appear in the table, each sorted by time. The
        type is float if all columns are numbers (missing ones are NaN; float32 if all columns
        are), otherwise object.
    y : list of n_sequences arrays (n_timesteps_i,), or ndarray of shape (n_sequences,)
        Only if there is a `target`.
    ids : ndarray of shape (n_sequences,)
        The value of `sequence` for each.

    Raises
    ------
    ValueError
        If a column is not there, the table is empty, an id or a time is missing, a sequence has
        two rows for one time, a feature is a date, or a target differs within its sequence.

    Examples
    --------
    >>> from seqlearn_lstm.preprocessing import from_long
    >>> table = {"who": ["b", "a", "b"], "hour": [2, 1, 1], "heat": [0.2, 0.5, 0.1]}
    >>> X, ids = from_long(table, "who", "hour", ["heat"])
    >>> ids.tolist(), [x.tolist() for x in X]
    (['b', 'a'], [[[0.1], [0.2]], [[0.5]]])
    """
    if target_per not in ("step", "sequence"):
        raise ValueError(f"target_per must be 'step' or 'sequence', got {target_per!r}.")
    names = [columns] if isinstance(columns, str) else list(columns)
    _check_columns(df, [sequence, time, *names, target], names)
    ids = _complete(df, sequence)
    seen = {}
    codes = np.array([seen.setdefault(value, len(seen)) for value in ids.tolist()])
    order = _order(df, codes, ids, time)
    first = np.unique(codes, return_index=True)[1]
    lengths = np.bincount(codes)
    rows = _features(df, names)[order]
    X = split(rows[:, 0] if isinstance(columns, str) else rows, lengths)
    if target is None:
        return X, ids[first]
    y = split(np.asarray(df[target])[order], lengths)
    return X, y if target_per == "step" else _one_each(y, target, ids[first]), ids[first]


def _check_columns(df, wanted, features):
    columns = list(df) if isinstance(df, Mapping) else list(getattr(df, "columns", ()))
    absent = [name for name in wanted if name is not None and name not in columns]
    if absent:
        raise ValueError(f"the table has no column {absent[0]!r}; its columns are {columns}.")
    if not features:
        raise ValueError("columns is empty; expected the name of at least one feature.")


def _complete(df, name):
    """A column in which nothing may be missing."""
    values = np.asarray(df[name])
    if not len(values):
        raise ValueError("the table has no rows; expected one for each time step.")
    missing = np.flatnonzero(_missing(values))
    if len(missing):
        raise ValueError(
            f"column {name!r} has no value in row {missing[0]} (counted from 0); expected a "
            "sequence and a time in every row: drop or fill those rows."
        )
    return values


def _order(df, codes, ids, time):
    """The rows of the first sequence in the order of time, those of the second, ..."""
    if time is None:
        return np.argsort(codes, kind="stable")
    times = _complete(df, time)
    try:
        order = np.lexsort((times, codes))
    except TypeError as error:
        raise ValueError(f"column {time!r} cannot be sorted: {error}.") from error
    before, after = order[:-1], order[1:]
    twice = np.flatnonzero((codes[before] == codes[after]) & (times[before] == times[after]))
    if len(twice):
        a, b = before[twice[0]], after[twice[0]]
        raise ValueError(
            f"sequence {ids[a]!r} has two rows with {time!r} = {times[a]!r}, rows {a} and {b} "
            f"(counted from 0), and there are {len(twice)} such pairs in all; drop or aggregate "
            "duplicates first."
        )
    return order


def _features(df, names):
    """Columns as a 2-D array: float if all are numbers, otherwise object."""
    columns = [np.asarray(df[name]) for name in names]
    for name, column in zip(names, columns, strict=True):
        if column.dtype.kind in "mM":
            raise ValueError(
                f"column {name!r} holds dates or time differences; expected numbers or symbols: "
                "pass the time since some date as a number."
            )
    columns = [_numbers_if_possible(column) for column in columns]
    if any(column.dtype.kind not in "fiub" for column in columns):
        return np.stack([column.astype(object) for column in columns], axis=1)
    return np.stack(columns, axis=1, dtype=_common_float(columns), casting="unsafe")


def _numbers_if_possible(column):
    """An object column of numbers, some of them missing, as floats; others as they are."""
    if column.dtype != object:
        return column
    missing = _missing(column)
    if missing.all() or not all(isinstance(value, Number) for value in column[~missing]):
        return column
    numbers = np.full(len(column), np.nan)
    numbers[~missing] = column[~missing].astype(np.float64)
    return numbers


def _one_each(y, target, ids):
    """The one target of each sequence."""
    for labels, name in zip(y, ids, strict=True):
        missing = _missing(labels)
        same = missing if missing[0] else ~missing
        same[same] = missing[0] | (labels[same] == labels[0])
        if not same.all():
            other = labels[np.argmin(same)]
            raise ValueError(
                f"sequence {name!r} has the targets {labels[0]!r} and {other!r} in column "
                f"{target!r}; expected one for the sequence, or pass target_per='step'."
            )
    return np.array([labels[0] for labels in y], y[0].dtype)


# Helpers ------------------------------------------------------------------------------------------


def _is_frame(x):
    return hasattr(x, "iloc") and hasattr(x, "columns")


def _are_frames(X):
    return isinstance(X, (list, tuple)) and len(X) > 0 and all(map(_is_frame, X))


def _stack_frames(X, allow_nan):
    """DataFrames one below the other, for a transformer that knows columns by their names."""
    import pandas as pd  # which is there, for its frames are

    for i, frame in enumerate(X):
        if list(frame.columns) != list(X[0].columns):
            raise ValueError(
                f"sequence {i} of X has the columns {list(frame.columns)}, but sequence 0 has "
                f"{list(X[0].columns)}; expected the same in every sequence."
            )
        if len(frame) == 0:
            raise ValueError(f"sequence {i} of X has length 0; expected at least 1 time step.")
    rows = pd.concat(X, ignore_index=True)
    lengths = np.array([len(frame) for frame in X])
    if not allow_nan:
        _check_nothing_missing(rows.isna().to_numpy(), lengths)
    return rows, lengths


def _hold_symbols(X):
    """Tell whether there are strings among the values of sequences."""
    return (isinstance(X, (list, tuple)) or np.ndim(X) in (1, 2, 3)) and any(map(_is_symbolic, X))


def _is_symbolic(x):
    if hasattr(x, "dtype") and x.dtype != object:
        return getattr(x.dtype, "kind", "") in ("U", "T") and np.ndim(x) > 0
    return isinstance(x, (list, tuple, np.ndarray)) and any(
        isinstance(value, str) or _is_symbolic(value) for value in x
    )


def _stack_symbols(X, allow_nan):
    rows, lengths = concatenate(X)
    rows = rows.reshape(len(rows), -1).astype(object)
    if not allow_nan:
        _check_nothing_missing(_missing(rows), lengths)
    return rows, lengths


def _check_nothing_missing(missing, lengths):
    if missing.any():
        row, column = np.argwhere(missing)[0]
        index = np.searchsorted(np.cumsum(lengths), row, side="right")
        step = row - lengths[:index].sum()
        raise ValueError(
            f"sequence {index} of X contains NaN at time step {step}, feature {column}; impute or "
            "drop such values first, or pass allow_nan=True for a transformer that takes them."
        )


def _give_back(out, X, lengths):
    """What a transformer returned for all rows, in the form of X."""
    rows = out.toarray() if issparse(out) else np.asarray(out)
    rows = rows.reshape(len(rows), -1) if rows.ndim == 1 else rows
    if len(rows) != lengths.sum():
        raise ValueError(
            f"the transformer made {len(rows)} rows of {lengths.sum()}; expected one that keeps "
            "the number of rows."
        )
    if is_tabular(X) or (isinstance(X, np.ndarray) and X.ndim == 2):
        shape = (len(lengths), lengths[0])
        return rows.reshape(shape if rows.shape[1] == 1 else shape + (-1,))
    is_list = isinstance(X, (list, tuple))
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


def _per_step(values, lengths, name):
    """Targets or weights, of sequences or steps, as one array with an entry for each row."""
    if values is None:
        return None
    array = np.asarray(values) if hasattr(values, "__array__") else None
    values = list(values) if array is None else array
    if len(values) != len(lengths):
        raise ValueError(
            f"{name} has {len(values)} entries; expected {len(lengths)}, one for each sequence."
        )
    if array is not None and (array.ndim > 1 or array.dtype != object):
        return np.repeat(array, lengths, axis=0)
    parts = [_array(value) for value in values]
    if all(part.ndim == 0 for part in parts):
        return np.repeat(_array(list(values)), lengths)
    for i, (part, length) in enumerate(zip(parts, lengths, strict=True)):
        if part.ndim == 0 or len(part) != length:
            got = "a single value" if part.ndim == 0 else f"{len(part)} entries"
            raise ValueError(
                f"{name} has {got} for sequence {i}; expected {length}, one for each time step."
            )
    return _join(parts)


def _array(x):
    """An array-like as an array; as objects where NumPy would turn numbers into strings."""
    if hasattr(x, "__array__") or isinstance(x, str):
        return np.asarray(x)
    objects = np.array(x, dtype=object)
    if objects.dtype == object and any(isinstance(value, str) for value in objects.ravel()):
        all_strings = all(isinstance(value, str) for value in objects.ravel())
        return objects.astype(np.str_) if all_strings else objects
    return np.asarray(x)


def _join(parts):
    """Concatenate; as objects where NumPy would turn numbers into strings."""
    kinds = {part.dtype.kind for part in parts}
    dtype = object if len(kinds) > 1 and kinds & set("UST") else None
    return np.concatenate(parts, dtype=dtype)


def _float_type(X):
    """The type of the rows: float32 if all of X is, otherwise float64."""
    one_array = getattr(getattr(X, "dtype", None), "kind", "O") != "O"
    return _common_float([X] if one_array or not np.iterable(X) else X)


def _common_float(arrays):
    single = all(getattr(array, "dtype", None) == np.float32 for array in arrays)
    return np.float32 if single else np.float64


def _missing(values):
    """Where an array holds nothing: NaN, NaT, None or pandas.NA."""
    if values.dtype != object:
        return values != values if values.dtype.kind in "fcmM" else np.zeros(values.shape, bool)
    found = [_is_missing(value) for value in values.ravel().tolist()]
    return np.array(found, dtype=bool).reshape(values.shape)


def _is_missing(value):
    if value is None:
        return True
    differs = value != value  # pandas.NA compares to NA, which is neither true nor false
    return not isinstance(differs, (bool, np.bool_)) or bool(differs)
