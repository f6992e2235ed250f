"""How many time steps each sequence has: in a padded array, and among rows one after another."""

import math

import numpy as np

from .values import refuse_lossy

_AT_ONCE = 2**18  # numbers looked at: what is found of each takes memory, too


def padded_lengths(steps):
    """Return how many steps stand before the trailing ones in which every feature is NaN."""
    most = max(1, _AT_ONCE // max(1, math.prod(steps.shape[1:])))
    starts = range(0, len(steps), most)
    return np.concatenate([_padded_lengths(steps[start : start + most]) for start in starts])


def _padded_lengths(steps):
    padding = np.isnan(steps[:, :, 0])
    padding[padding] = np.isnan(steps[padding]).all(axis=1)  # the other features: few steps only
    live = ~padding[:, ::-1]
    if live.shape[1] == 0:
        return np.zeros(len(live), np.int64)
    return np.where(live.any(axis=1), live.shape[1] - live.argmax(axis=1), 0)


def given_lengths(lengths, shape):
    """Return checked lengths beside a padded array of a shape, as int64."""
    refuse_lossy(lengths, "lengths", "1")
    lengths = np.asarray(lengths)
    if lengths.shape != shape[:1]:
        raise ValueError(
            f"lengths has shape {lengths.shape}; expected ({shape[0]},): one for each sequence"
        )
    if lengths.dtype.kind not in "iu":
        raise ValueError(f"lengths has dtype {lengths.dtype}; expected integers")
    wrong = np.flatnonzero((lengths < 1) | (lengths > shape[1]))
    if len(wrong):
        raise ValueError(
            f"lengths[{wrong[0]}] is {lengths[wrong[0]]}; expected 1 to {shape[1]}, the number of "
            f"time steps of X, for sequence {wrong[0]}"
        )
    return lengths.astype(np.int64)


def check_lengths(lengths, n_rows=None, hint=""):
    """Return the lengths of sequences whose rows stand one after another, as int64.

    Parameters
    ----------
    lengths : array-like of int of shape (n_sequences,)
        There may be no sequence.
    n_rows : int, default=None
        How many rows all sequences have; None: this is not known yet.
    hint : str
        What an error adds where the lengths do not fit the rows.

    Raises
    ------
    TypeError
        If `lengths` is a masked array.
    ValueError
        If the lengths are not positive integers, or do not add up to `n_rows`.
    """
    refuse_lossy(lengths, "lengths", "1")
    lengths = np.asarray(lengths)
    is_list = lengths.ndim == 1 and lengths.dtype.kind in "iu"
    # Beyond int64, lengths could not be added up.
    if not is_list or (lengths < 1).any() or (lengths > np.iinfo(np.int64).max).any():
        raise ValueError(
            f"lengths is {lengths.tolist()!r:.80}; expected a list of positive whole numbers, one for "
            "each sequence"
        )
    lengths = lengths.astype(np.int64)
    if n_rows is not None and lengths.sum() != n_rows:
        raise ValueError(
            f"lengths add up to {lengths.sum()}, but there are {n_rows} rows; expected the number "
            f"of rows of each sequence, in order, none left out. {hint}".rstrip()
        )
    return lengths


def place_of(row, offsets):
    """(the sequence, its step) that a row of all is; `offsets`: where each sequence begins."""
    index = np.searchsorted(offsets, row, side="right") - 1
    return index, row - offsets[index]
