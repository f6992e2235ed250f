"""One sequence: an array of real numbers, whatever the caller has."""

import numpy as np
from scipy.sparse import issparse

_NUMBERS_ONLY = (
    "An estimator takes numbers in all that it is fitted on and predicts; or, with an embedding, "
    "symbols in all of it, such as strings."
)
_REFUSED_KINDS = {  # kind of a NumPy dtype -> why arrays of it are no numbers, though some can be made so
    "U": "holds strings. Expected numbers.",
    "S": "holds bytes. Expected numbers, or symbols: decode them to strings.",
    "T": "holds strings. Expected numbers.",
    "c": "holds complex numbers. Complex data not supported: pass real and imaginary parts as "
    "two features.",
    "M": "holds dates. Expected numbers: pass the time since some date.",
    "m": "holds time differences. Expected numbers: divide by a unit of time.",
    "V": "has a structured dtype. Expected numbers: make its fields the columns of a plain array.",
}


def as_sequence(x, index):
    """Return one sequence of a collection as a 1-D or 2-D array of real numbers."""
    if type(x) is np.ndarray and x.dtype.kind in "fiub" and x.ndim in (1, 2):
        return x  # as nearly always
    what = f"sequence {index} of X"
    x = as_numbers(x, what)
    if x.ndim not in (1, 2):
        raise ValueError(f"{what} has shape {x.shape}; expected (n_timesteps, n_features)")
    return x


def as_numbers(x, what):
    """Return an array-like as an array of real numbers; ``what`` names it in errors."""
    refuse_unfit(x, what)
    try:
        array = x.to_numpy() if hasattr(x, "iloc") else np.asarray(x)  # of pandas, much faster
        if array.dtype == object:  # find the true dtype, and open arrays within the array
            array = np.asarray(array.tolist())
    except ValueError as error:
        raise ValueError(
            f"{what} is ragged: its time steps have different numbers of features; expected an "
            "array of shape (n_timesteps, n_features)"
        ) from error
    if array.dtype.kind in "UT":
        raise ValueError(f"{what} holds strings. {_NUMBERS_ONLY}")
    refuse_kinds(array, what)
    if array.ndim == 0:
        raise TypeError(f"{what} has type {type(x).__name__}; expected an array with time steps")
    try:
        return _plain_numbers(array) if array.dtype == object else array
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} holds what is no number: {error}. {_NUMBERS_ONLY}") from error


def _plain_numbers(objects):
    """Objects as float64. What pandas.NA, which columns of several types leave as it is, keeps from it
    is NaN.
    """
    try:
        return objects.astype(np.float64)
    except TypeError:
        is_na = [type(value).__name__ == "NAType" for value in objects.flat]
        filled = np.where(np.reshape(is_na, objects.shape), np.nan, objects)
        return filled.astype(np.float64)


def refuse_kinds(array, what):
    """Refuse arrays that hold no real numbers, of which NumPy would make some: of dates those since
    1970, of strings what they spell.
    """
    if array.dtype == object:
        try:
            array = np.asarray(array.tolist())
        except ValueError:
            return  # ragged, or nothing that NumPy knows: who makes numbers of it will say so
    if array.dtype.kind in _REFUSED_KINDS:
        raise ValueError(f"{what} {_REFUSED_KINDS[array.dtype.kind]}")


def refuse_unfit(x, what):
    """Refuse containers whose values np.asarray would lose."""
    if issparse(x):
        raise TypeError(
            f"{what} is sparse, but dense data is required. Use '.toarray()' to convert it."
        )
    refuse_lossy(x, what)


def refuse_lossy(x, what, value="np.nan"):
    """Refuse masked arrays, of which np.asarray would lose the mask, and tensors that require grad,
    which it refuses without saying which argument it was.

    value   what errors propose for what is masked
    """
    if np.ma.isMaskedArray(x):
        raise TypeError(
            f"{what} is a masked array, its mask would be lost. Use '.filled({value})'."
        )
    if getattr(x, "requires_grad", False) is True:
        raise TypeError(
            f"{what} is a tensor that requires grad, its gradient would be lost. Use '.detach()'."
        )
