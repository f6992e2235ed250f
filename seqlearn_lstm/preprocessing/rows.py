"""Rows and lengths: sequences one below the other, as hmmlearn and seqlearn take them."""

import numpy as np

from ..arrays import as_values, join_values
from ..sequences import check_lengths, common_frame
from ..sequences.lengths import padded_lengths
from ..sequences.values import refuse_lossy
from ._arrays import is_pandas_frame


def concatenate(X):
    """Put sequences one below the other, as hmmlearn and seqlearn take them.

    Parameters
    ----------
    X : list or array of sequences
        Arrays of shape (n_timesteps_i, n_features) or (n_timesteps_i,); or targets for each step,
        symbols too. A string is one symbol, not a sequence: ``list(text)`` holds its characters. In
        a 3-D array of numbers, trailing steps whose features are all NaN are padding.

    Returns
    -------
    rows : ndarray of shape (n_rows, n_features) or (n_rows,)
        All time steps, of the type of the sequences; of type object if they mix symbols and numbers.
    lengths : ndarray of int64 of shape (n_sequences,)
        How many rows belong to each sequence; their sum is n_rows.

    Raises
    ------
    TypeError
        If X or one of its sequences is a masked array, or a tensor that requires grad.
    ValueError
        If X holds no sequence, or one that is empty or has other features than the first; or if
        DataFrames have different columns, or the same columns in another order.

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
        X = [x[:length] for x, length in zip(X, padded_lengths(X), strict=True)]
    refuse_lossy(X, "X")
    X = list(X)
    for i, x in enumerate(X):
        refuse_lossy(x, f"sequence {i} of X")
    common_frame(X)
    parts = [as_values(x) for x in X]
    if not parts:
        raise ValueError("X holds 0 sequences; expected at least 1")
    for i, part in enumerate(parts):
        if part.ndim == 0:
            raise ValueError(
                f"sequence {i} of X is a single value ({part!s:.80}); expected a list of sequences; "
                "for one sequence pass [X], and of a string list(x): it is a single symbol"
            )
        if len(part) == 0:
            raise ValueError(f"sequence {i} of X has length 0; expected at least 1 time step")
        if part.shape[1:] != parts[0].shape[1:]:
            raise ValueError(
                f"the time steps of sequence {i} of X have shape {part.shape[1:]}, but those of "
                f"sequence 0 {parts[0].shape[1:]}; expected the same in every sequence"
            )
    return join_values(parts), np.array([len(part) for part in parts], np.int64)


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
        Views of `rows`; DataFrames if `rows` is one.

    Raises
    ------
    TypeError
        If `rows` or `lengths` is a masked array, or a tensor that requires grad.
    ValueError
        If `lengths` are not positive integers that add up to n_rows.

    Examples
    --------
    >>> from seqlearn_lstm.preprocessing import split
    >>> [x.tolist() for x in split(["DT", "NN", "UH"], [2, 1])]
    [['DT', 'NN'], ['UH']]
    """
    refuse_lossy(rows, "rows", "value")
    rows = rows if is_pandas_frame(rows) else as_values(rows)
    if rows.ndim == 0:
        raise ValueError(f"rows is a single value ({rows}); expected one row for each time step")
    lengths = check_lengths(lengths, len(rows))
    stops = np.cumsum(lengths)
    pick = rows.iloc if is_pandas_frame(rows) else rows
    return [pick[a:b] for a, b in zip(stops - lengths, stops, strict=True)]
