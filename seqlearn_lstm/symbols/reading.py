"""Every form of symbols becomes a list of checked sequences of symbols."""

import itertools
from numbers import Number

import numpy as np

from ..sequences import refuse_unfit

_EXPECTED = (
    "a list of sequences of symbols, each a list or a 1-D array of strings or whole numbers, or a "
    "string as the sequence of its characters"
)
_SEVERAL = (
    "Several columns, of symbols or of symbols and numbers, are not supported yet; expected one "
    "symbol at each time step."
)
_MISSING = "It is missing: drop such time steps, or give them a symbol such as '<missing>'."
_PLAIN_KINDS = "Uiub"  # kinds of NumPy dtypes: arrays of these hold nothing but symbols
_PLAIN_TYPES = {str, int, bool, np.str_}  # the same for the steps of lists
_REFUSED = (  # types of a step -> which error, and why it is no symbol
    ((list, tuple, np.ndarray, np.void), ValueError, _SEVERAL),
    ((type(None),), ValueError, _MISSING),
    ((bytes, bytearray), ValueError, "Decode bytes to strings."),
    ((np.datetime64, np.timedelta64), ValueError, "Make strings of the parts that matter."),
)
_STEPS = 2  # levels of nesting from a sequence down to the values of its time steps
_MISSING_NAMES = {"NAType", "NaTType"}  # of pandas, which need not be installed


def holds_symbols(X):
    """Tell whether X holds strings, as a sequence, among its steps or in a step. Never raises.

    Parameters
    ----------
    X : object
        Anything. Sequences of whole numbers are numbers, unless an estimator is told otherwise.

    Returns
    -------
    answer : bool
    """
    try:
        return not isinstance(X, str) and _holds_strings(X, depth=_STEPS + 1)
    except Exception:  # an X whose own methods fail: whoever reads it has better words
        return False


def check_symbols(X):
    """Read any supported form of X as a list of sequences of symbols.

    Parameters
    ----------
    X : collection, 1-D array of strings, or 2-D table
        See the table at the head of this package. Never modified.

    Returns
    -------
    sequences : list of str, list, tuple or ndarray of shape (n_timesteps_i,)
        The caller's own sequences.

    Raises
    ------
    TypeError
        If X or one of its sequences is nothing that holds symbols, or a symbol cannot be hashed.
    ValueError
        If X or a sequence is empty; if a symbol is missing (None, NaN), a number that is not whole,
        or several values. The error names the sequence and the time step.
    """
    return [_sequence(x, i) for i, x in enumerate(as_collection(X))]


# Which form ---------------------------------------------------------------------------------------


def _holds_strings(values, depth):
    """Tell whether strings stand in nested collections, at most `depth` levels down."""
    if isinstance(values, str):
        return True
    if not isinstance(values, (list, tuple)):
        if not hasattr(values, "__array__"):
            return False
        values = values.to_numpy() if hasattr(values, "iloc") else np.asarray(values)
        if values.dtype != object:
            return values.dtype.kind in "UT"
        values = values.ravel().tolist()
    types = set(map(type, values))
    if depth == _STEPS and types <= {list, tuple}:  # nested lists of numbers, mostly: all at once
        types = set(map(type, itertools.chain.from_iterable(values)))
    if any(issubclass(kind, str) for kind in types):
        return True
    nested = [k for k in types if issubclass(k, (list, tuple)) or hasattr(k, "__array__")]
    nested = [kind for kind in nested if not issubclass(kind, np.generic)]
    return bool(nested) and depth > 1 and any(_holds_strings(x, depth - 1) for x in values)


def as_collection(X):
    """Return X as a list or tuple of sequences."""
    refuse_unfit(X, "X")
    if not isinstance(X, (list, tuple)):
        array = _checked_array(X, "X", _EXPECTED)
        if array.ndim > 2:
            raise ValueError(f"X has {array.ndim} dimensions, not 1 or 2; expected {_EXPECTED}")
        if array.ndim == 2 and len({_is_numeric(dtype) for dtype in getattr(X, "dtypes", ())}) > 1:
            raise ValueError(f"X has columns of symbols and columns of numbers. {_SEVERAL}")
        X = list(array) if array.ndim == 2 else array.tolist()
    if len(X) == 0:
        raise ValueError("X holds 0 sequences, 0 sample(s); a minimum of 1 is required.")
    return X


def _is_numeric(dtype):
    return getattr(dtype, "kind", "O") in "iufbc"


def _checked_array(x, what, expected):
    """Return what NumPy makes of an array-like with at least one axis."""
    array = np.asarray(x) if hasattr(x, "__array__") else None
    if array is None or array.ndim == 0:
        raise TypeError(f"{what} has type {type(x).__name__}; expected {expected}")
    if array.dtype.kind == "f" and getattr(x.dtype, "kind", "f") in "iub":
        return np.asarray(x, dtype=object)  # pandas: whole numbers beside pandas.NA, no fractions
    return array


# One sequence -------------------------------------------------------------------------------------


def _sequence(x, index):
    """Return one checked sequence."""
    what = f"sequence {index} of X"
    if not isinstance(x, (str, list, tuple)):
        refuse_unfit(x, what)
        x = _checked_array(
            x, what, "a list or 1-D array of symbols, or a string; one sequence goes into [X]"
        )
        x = x[:, 0] if x.ndim == 2 and x.shape[1] == 1 else x
        if x.ndim > 1:
            raise ValueError(f"{what} has shape {x.shape}. {_SEVERAL}")
    if len(x) == 0:
        raise ValueError(f"{what} has length 0; expected at least 1 symbol")
    is_plain = isinstance(x, str) or (isinstance(x, np.ndarray) and x.dtype.kind in _PLAIN_KINDS)
    if not is_plain:
        _check_steps(x, what)
    return x


def _check_steps(x, what):
    """Check each step of a sequence by its type: types are few, and found at once."""
    steps = list(x)
    refused = {kind for kind in set(map(type, steps)) - _PLAIN_TYPES if _refusal(kind)}
    if not refused:
        return
    step = next(step for step, value in enumerate(steps) if type(value) in refused)
    raise _no_symbol(steps[step], f"{what} holds", f" at time step {step}")


def check_symbol(value):
    """Raise TypeError or ValueError where a single step is no symbol."""
    if type(value) not in _PLAIN_TYPES and _refusal(type(value)):
        raise _no_symbol(value, "the step is")


def _no_symbol(value, what, where=""):
    """The error that says why a value is no symbol."""
    error, why = _refusal(type(value))
    why = _MISSING if isinstance(value, Number) and value != value else why
    return error(
        f"{what} {value!r:.80} ({type(value).__name__}){where}; expected a symbol, such as a string "
        f"or a whole number. {why}"
    )


def _refusal(kind):
    """Return which error says why values of a type are no symbols; None if they are."""
    for kinds, error, why in _REFUSED:
        if issubclass(kind, kinds):
            return error, why
    if kind.__name__ in _MISSING_NAMES:
        return ValueError, _MISSING
    if issubclass(kind, Number) and not issubclass(kind, (int, np.integer, np.bool_)):
        return ValueError, (
            "Columns of numbers beside symbols are not supported yet; categories in numbers must "
            "be whole: use .astype(int), or strings."
        )
    if kind.__hash__ is None:
        return TypeError, "Symbols must be hashable."
    if hasattr(kind, "__array__") and not issubclass(kind, np.generic):
        return ValueError, _SEVERAL
    return None
