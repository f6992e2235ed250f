"""Every form of input becomes one ragged container: flat rows and offsets.

=====================  ==========================================================================
form of X              how it is read
=====================  ==========================================================================
collection             list, tuple, 1-D object array or Series of (n_timesteps_i, n_features)
                       arrays, nested lists or DataFrames; or all 1-D: one-feature sequences
padded                 (n_sequences, n_timesteps, n_features) array; trailing all-NaN steps are
                       padding, or ``lengths`` counts the real steps
table                  (n_sequences, n_timesteps) array, DataFrame or list of equally long lists:
                       one-feature sequences, time along the columns; scikit-learn's own rules
=====================  ==========================================================================

A form is one row of ``_READERS``. Arrays are read, never written; ``rows`` may share memory with X.
"""

import math
import numbers
from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array

_EXPECTED = (
    "a list of (n_timesteps, n_features) arrays, a (n_sequences, n_timesteps, n_features) array, "
    "or a (n_sequences, n_timesteps) array of one-feature sequences"
)
_NUMBERS_ONLY = "This estimator takes numbers; symbols need an estimator with an embedding."
_REFUSED_KINDS = {  # kind of a NumPy dtype -> why arrays of it are no sequences of numbers
    "U": f"holds strings. {_NUMBERS_ONLY}",
    "S": f"holds bytes. {_NUMBERS_ONLY}",
    "T": f"holds strings. {_NUMBERS_ONLY}",
    "c": "holds complex numbers. Complex data not supported: pass real and imaginary parts as "
    "two features.",
    "M": "holds dates. Expected numbers: pass the time since some date.",
    "m": "holds time differences. Expected numbers: divide by a unit of time.",
    "V": "has a structured dtype. Expected numbers: make its fields the columns of a plain array.",
}
_UNFIT = (  # test, what to say: containers whose values np.asarray would lose
    (issparse, "is sparse, but dense data is required. Use '.toarray()' to convert it."),
    (np.ma.isMaskedArray, "is a masked array, its mask would be lost. Use '.filled(np.nan)'."),
)


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """Sequences of any lengths, one after another; a plain container without checks.

    Attributes
    ----------
    rows : ndarray of shape (n_rows, n_features), float32 or float64, C-contiguous
        The time steps of all sequences. May share memory with what the caller gave: read only.
    offsets : ndarray of shape (n_sequences + 1,), int64
        Sequence i is ``rows[offsets[i]:offsets[i + 1]]``.
    """

    rows: np.ndarray
    offsets: np.ndarray

    def __len__(self):
        return len(self.offsets) - 1

    def __getitem__(self, i):
        i = range(len(self))[i]  # counts from the end, and an IndexError ends a for loop
        return self.rows[self.offsets[i] : self.offsets[i + 1]]

    @property
    def n_features(self):
        """Number of features of each time step."""
        return self.rows.shape[1]

    @property
    def lengths(self):
        """Number of time steps of each sequence, int64 of shape (n_sequences,)."""
        return np.diff(self.offsets)

    def take(self, indices):
        """Return a new container with the sequences at ``indices`` (integers or a mask)."""
        indices = np.asarray(indices)
        lengths = self.lengths[indices]
        offsets = _offsets(lengths)
        shift = np.repeat(self.offsets[:-1][indices] - offsets[:-1], lengths)
        return Sequences(self.rows[shift + np.arange(len(shift))], offsets)


def check_sequences(X, *, dtype=np.float32, lengths=None, n_features=None, name="this estimator"):
    """Read any supported form of X into one ragged container.

    Parameters
    ----------
    X : collection, 3-D padded array, or 2-D table
        See the table at the head of this module. Never modified.
    dtype : {np.float32, np.float64}, default=np.float32
        Type of the rows.
    lengths : array-like of int of shape (n_sequences,), default=None
        Real time steps of each sequence of a 3-D X; what lies beyond is ignored, NaN or not.
        Without it, trailing time steps in which every feature is NaN are padding.
    n_features : int, default=None
        The number of features per time step that a fitted estimator expects.
    name : str, default="this estimator"
        The estimator's name, for errors.

    Returns
    -------
    sequences : Sequences

    Raises
    ------
    TypeError
        If X or one of its sequences is sparse, or nothing that holds sequences (a dict, a set, a
        scalar, None).
    ValueError
        If X or a sequence is empty, holds NaN, infinity, values too large for ``dtype``, strings or
        complex numbers; if numbers of features disagree; if ``lengths`` does not fit.
        The error names the sequence, and the time step where there is one.
    """
    dtype = np.dtype(dtype)
    form = _form(X)
    if lengths is not None and form != "padded":
        raise ValueError(
            "lengths was given with X that is not a 3-D array; expected lengths only beside a "
            "(n_sequences, n_timesteps, n_features) array: other forms carry their own lengths."
        )
    sequences, originals = _READERS[form](X, dtype, lengths, n_features, name)
    _check_finite(sequences, originals)
    return sequences


def is_tabular(X):
    """Tell whether X is scikit-learn's plain 2-D input, to be checked by scikit-learn itself.

    True for 2-D arrays, DataFrames and lists of equally long lists of numbers; and for the two
    things which scikit-learn refuses with better words than ours: sparse X, and 1-D X of numbers.
    False for collections, 3-D arrays, strings, and whatever ``check_sequences`` refuses.
    """
    try:
        return _form(X) == "table"
    except (TypeError, ValueError):
        return False


# Which form ---------------------------------------------------------------------------------------


def _form(X):
    """Return the key of ``_READERS`` for X."""
    if isinstance(X, (list, tuple)):
        return "table" if _is_nested_table(X) else "collection"
    if issparse(X):
        return "table"
    if not hasattr(X, "__array__") or _shape(X) == ():
        raise TypeError(f"X has type {type(X).__name__}; expected {_EXPECTED}.")
    n_dims = len(_shape(X))
    if n_dims > 3:
        raise ValueError(f"X has {n_dims} dimensions, not 1 to 3; expected {_EXPECTED}.")
    array = np.asarray(X) if n_dims == 1 else X  # a Series knows its kind only as an array
    kind = getattr(getattr(array, "dtype", None), "kind", "")
    if n_dims == 1 and kind == "O":
        return "table" if len(array) and _is_number(array[0]) else "collection"
    if kind in ("U", "S", "T"):
        return "collection"  # which names the sequence and says what to do
    return "padded" if n_dims == 3 else "table"


def _is_nested_table(X):
    """Tell whether a list is a table: equally long lists of numbers, or (badly) only numbers."""
    if not X or _is_number(X[0]):
        return bool(X)
    width = len(X[0]) if isinstance(X[0], (list, tuple)) else 0
    return width > 0 and all(
        isinstance(row, (list, tuple)) and len(row) == width and _is_number(row[0]) for row in X
    )


def _shape(X):
    return X.shape if hasattr(X, "shape") else np.asarray(X).shape


def _is_number(x):
    return isinstance(x, (numbers.Number, np.number, np.bool_))


# One reader for each form: -> the container, and the caller's own sequences for errors ------------


def _read_table(X, dtype, lengths, n_features, name):
    with np.errstate(over="ignore"):  # too large for float32: an error below, no warning before it
        table = check_array(X, dtype=dtype, order="C", input_name="X", estimator=name)
    hint = "2-D X is read as one-feature sequences; a single sequence goes into a list: [X]"
    _check_steps([(1,)], n_features, name, hint)
    n_sequences, n_steps = table.shape
    offsets = np.arange(n_sequences + 1, dtype=np.int64) * n_steps
    return Sequences(table.reshape(-1, 1), offsets), table


def _read_padded(X, dtype, lengths, n_features, name):
    X = _numbers(X, "X").reshape(_shape(X))  # objects lose the axes after an empty one
    _check_any(len(X))
    _check_steps([X.shape[2:]], n_features, name)
    with np.errstate(over="ignore"):
        steps = X.astype(dtype, order="C", copy=False)
    lengths = _padded_lengths(steps) if lengths is None else _given_lengths(lengths, X.shape)
    _check_not_empty(lengths)
    live = np.arange(X.shape[1]) < lengths[:, None]
    rows = steps.reshape(-1, X.shape[2]) if live.all() else steps[live]
    return Sequences(rows, _offsets(lengths)), X


def _read_collection(X, dtype, lengths, n_features, name):
    X = X if isinstance(X, (list, tuple)) else np.asarray(X)
    _check_any(len(X))
    parts = [_sequence(x, i) for i, x in enumerate(X)]
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    _check_not_empty(lengths)
    _check_steps([part.shape[1:] for part in parts], n_features, name)
    with np.errstate(over="ignore"):
        rows = np.concatenate(parts, dtype=dtype, casting="unsafe")
    n_features = math.prod(parts[0].shape[1:])
    return Sequences(np.ascontiguousarray(rows).reshape(-1, n_features), _offsets(lengths)), parts


_READERS = {"table": _read_table, "padded": _read_padded, "collection": _read_collection}


# One sequence -------------------------------------------------------------------------------------


def _sequence(x, index):
    """Return one sequence of a collection as a 1-D or 2-D array of real numbers."""
    if type(x) is np.ndarray and x.dtype.kind in "fiub" and x.ndim in (1, 2):
        return x  # as nearly always
    what = f"sequence {index} of X"
    x = _numbers(x, what)
    if x.ndim not in (1, 2):
        raise ValueError(f"{what} has shape {x.shape}; expected (n_timesteps, n_features).")
    return x


def _numbers(x, what):
    """Return an array-like as an array of real numbers; ``what`` names it in errors."""
    for is_unfit, problem in _UNFIT:
        if is_unfit(x):
            raise TypeError(f"{what} {problem}")
    try:
        array = np.asarray(x)
        if array.dtype == object:  # find the true dtype, and open arrays within the array
            array = np.asarray(array.tolist())
    except ValueError as error:
        raise ValueError(
            f"{what} is ragged: its time steps have different numbers of features; expected an "
            "array of shape (n_timesteps, n_features)."
        ) from error
    if array.dtype.kind in _REFUSED_KINDS:
        raise ValueError(f"{what} {_REFUSED_KINDS[array.dtype.kind]}")
    if array.ndim == 0:
        raise TypeError(f"{what} has type {type(x).__name__}; expected an array with time steps.")
    try:
        return array.astype(np.float64) if array.dtype == object else array
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} holds what is no number: {error}. {_NUMBERS_ONLY}") from error


# Lengths ------------------------------------------------------------------------------------------


def _offsets(lengths):
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _padded_lengths(steps):
    """Return how many steps stand before the trailing ones in which every feature is NaN."""
    padding = np.isnan(steps[:, :, 0])
    padding[padding] = np.isnan(steps[padding]).all(axis=1)  # the other features: few steps only
    live = ~padding[:, ::-1]
    if live.shape[1] == 0:
        return np.zeros(len(live), np.int64)
    return np.where(live.any(axis=1), live.shape[1] - live.argmax(axis=1), 0)


def _given_lengths(lengths, shape):
    lengths = np.asarray(lengths)
    if lengths.shape != shape[:1]:
        raise ValueError(
            f"lengths has shape {lengths.shape}; expected ({shape[0]},): one for each sequence."
        )
    if lengths.dtype.kind not in "iu":
        raise ValueError(f"lengths has dtype {lengths.dtype}; expected integers.")
    wrong = np.flatnonzero((lengths < 1) | (lengths > shape[1]))
    if len(wrong):
        raise ValueError(
            f"lengths[{wrong[0]}] is {lengths[wrong[0]]}; expected 1 to {shape[1]}, the number of "
            f"time steps of X, for sequence {wrong[0]}."
        )
    return lengths.astype(np.int64)


# Checks over all sequences at once; only a failure looks for the culprit --------------------------


def _check_any(n_sequences):
    if n_sequences == 0:
        raise ValueError("X holds 0 sequences, 0 sample(s); a minimum of 1 is required.")


def _check_not_empty(lengths):
    if not lengths.all():
        raise ValueError(
            f"sequence {np.argmin(lengths != 0)} of X has length 0; expected at least 1 time step "
            "(trailing time steps of a 3-D X in which every feature is NaN are padding)."
        )


def _check_steps(shapes, n_features, name, hint=""):
    """Check the shape of one time step in each sequence: (n_features,), or () for one feature."""
    for index, shape in enumerate(shapes):
        width = math.prod(shape)
        if width == 0:
            raise ValueError(f"sequence {index} of X has 0 feature(s); a minimum of 1 is required.")
        if n_features not in (None, width):
            raise ValueError(
                f"X has {width} features, but {name} is expecting {n_features} features as input "
                f"(sequence {index} of X). {hint}".rstrip()
            )
        if shape != shapes[0]:
            raise ValueError(
                f"sequence {index} of X has {_describe(shape)}, but sequence 0 has "
                f"{_describe(shapes[0])}; expected the same in every sequence."
            )


def _describe(shape):
    return f"{shape[0]} features (2-D)" if shape else "no axis of features (1-D)"


def _check_finite(sequences, originals):
    finite = np.isfinite(sequences.rows)
    if finite.all():
        return
    row, feature = np.argwhere(~finite)[0]
    index = np.searchsorted(sequences.offsets, row, side="right") - 1
    step = row - sequences.offsets[index]
    value, dtype = np.ravel(originals[index][step])[feature], sequences.rows.dtype
    what = f"a value too large for {dtype} ({value:.3g})"
    what = "infinity" if np.isinf(value) else "NaN" if np.isnan(value) else what
    raise ValueError(
        f"sequence {index} of X contains {what} at time step {step}, feature {feature}; expected "
        "finite numbers. Impute, drop or scale such values first."
    )
