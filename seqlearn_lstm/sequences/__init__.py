"""Every form of input becomes one ragged container: flat rows and offsets.

=====================  ==========================================================================
form of X              how it is read
=====================  ==========================================================================
collection             list, tuple, 1-D object array or Series of (n_timesteps_i, n_features)
                       arrays, nested lists or DataFrames; or all 1-D: one-feature sequences
padded                 (n_sequences, n_timesteps, n_features) array; trailing all-NaN steps are
                       padding, or ``lengths`` counts the real steps
table                  (n_sequences, n_timesteps) array, DataFrame or list of equally long lists:
                       one-feature sequences, time along the columns
=====================  ==========================================================================

A form is one row of ``READERS``. Arrays are read, never written; ``rows`` may share memory with X.
"""

import numpy as np

from .checks import check_finite
from .container import Sequences, offsets_of, truncate_sequences
from .forms import form_of, is_tabular
from .frames import common_frame
from .lengths import check_lengths, place_of
from .readers import READERS
from .values import as_numbers, refuse_kinds, refuse_lossy, refuse_unfit

__all__ = [
    "Sequences",
    "as_numbers",
    "check_finite",
    "check_lengths",
    "check_sequences",
    "common_frame",
    "is_tabular",
    "offsets_of",
    "place_of",
    "refuse_kinds",
    "refuse_lossy",
    "refuse_unfit",
    "truncate_sequences",
]


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
        complex numbers; if numbers of features, or the columns of DataFrames, disagree; if
        ``lengths`` does not fit.
        The error names the sequence, and the time step where there is one.
    """
    dtype = np.dtype(dtype)
    form = form_of(X)
    if lengths is not None and form != "padded":
        raise ValueError(
            "lengths was given with X that is not a 3-D array; expected lengths only beside a "
            "(n_sequences, n_timesteps, n_features) array: other forms carry their own lengths"
        )
    sequences, originals = READERS[form](X, dtype, lengths, n_features, name)
    check_finite(sequences, originals)
    return sequences
