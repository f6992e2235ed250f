"""The ragged container: flat rows and offsets."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """Sequences of any lengths, one after another; a plain container without checks.

    Attributes
    ----------
    rows : ndarray of shape (n_rows, n_features), float32 or float64, C-contiguous
        The time steps of all sequences; int64 where they are codes of symbols. May share memory
        with what the caller gave: read only.
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

    def rows_of(self, indices, most=None):
        """Return the rows of the sequences at ``indices`` (integers or a mask), in their order; of
        each at ``most`` so many first ones.
        """
        return self._taken(indices, most)[0]

    def take(self, indices, most=None):
        """Return a new container with the sequences at ``indices`` (integers or a mask); of each at
        ``most`` so many first steps.
        """
        kept, offsets = self._taken(indices, most)
        return Sequences(self.rows[kept], offsets)

    def _taken(self, indices, most):
        indices = np.asarray(indices)
        lengths = self.lengths[indices]
        lengths = lengths if most is None else np.minimum(lengths, most)
        return _runs(self.offsets[:-1][indices], lengths)


def offsets_of(lengths):
    """Return where each sequence begins, and the last ends: int64, (n_sequences + 1,)."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _runs(starts, lengths):
    """Return the indices of runs of rows, one after another, and the offsets of the runs."""
    offsets = offsets_of(lengths)
    shift = np.repeat(starts - offsets[:-1], lengths)
    return shift + np.arange(len(shift)), offsets


def truncate_sequences(sequences, max_timesteps, truncate="pre"):
    """Cut long sequences.

    Parameters
    ----------
    sequences : Sequences
    max_timesteps : int or None
        Longer sequences are cut to so many steps; None cuts none.
    truncate : {"pre", "post"}, default="pre"
        Where to cut: at the beginning, so that the last steps stay, or at the end.

    Returns
    -------
    cut : Sequences
        The same object where nothing is too long.
    kept : ndarray of shape (n_kept_rows,), int64, or slice
        The rows that stay: ``flat_targets[kept]`` cuts what belongs to the steps alike.

    Raises
    ------
    ValueError
        If a parameter is none of the above.
    """
    _check_truncation(max_timesteps, truncate)
    if max_timesteps is None or (sequences.lengths <= max_timesteps).all():
        return sequences, slice(None)
    lengths = np.minimum(sequences.lengths, max_timesteps)
    at_the_end = truncate == "post"
    starts = sequences.offsets[:-1] if at_the_end else sequences.offsets[1:] - lengths
    kept, offsets = _runs(starts, lengths)
    return Sequences(sequences.rows[kept], offsets), kept


def _check_truncation(max_timesteps, truncate):
    """Check the parameters that say how to cut; a ValueError says what they may be."""
    is_count = isinstance(max_timesteps, Integral) and not isinstance(max_timesteps, bool)
    if max_timesteps is not None and not (is_count and max_timesteps >= 1):
        raise ValueError(
            f"max_timesteps is {max_timesteps!r}; expected a whole number of at least 1, or None"
        )
    if truncate not in ("pre", "post"):
        raise ValueError(f"truncate is {truncate!r}; expected 'pre' or 'post'")
