"""Precision, recall and F1 of chunks."""

from typing import NamedTuple

import numpy as np

from .chunks import chunks_of, letters_of
from .steps import paired, where_known


class ChunkScores(NamedTuple):
    """Precision, recall and F1 of chunks, each between 0 and 1."""

    precision: float
    recall: float
    f1: float


def chunk_precision_recall_f1(y_true, y_pred, *, scheme="iob2", average="micro", zero_division=0.0):
    """Precision, recall and F1 of chunks, equal to those of conlleval.

    A predicted chunk is right if a true one has its type, its first and its last step. Precision is
    the share of predicted chunks that are right, recall the share of true chunks that were found,
    and F1 their harmonic mean, ``2 * right / (true + predicted)``.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of str of shape (n_timesteps_i,)
        True labels. Steps whose label is None, NaN, pandas.NA or the integer -1 are removed from both
        sides, so that the steps around them become neighbours.
    y_pred : list of n_sequences array-likes of str of shape (n_timesteps_i,)
        Predicted labels.
    scheme : {"iob1", "iob2", "ioe1", "ioe2", "iobes", "bilou"}, default="iob2"
        Which letters there are, as in `get_chunks`.
    average : {"micro", "macro", "weighted"} or None, default="micro"
        "micro" counts all chunks, as conlleval does in its first line; "macro" is the mean of the
        scores of all types that are true or predicted; "weighted" weighs each type by its true
        chunks; None gives the scores of each type.
    zero_division : float, default=0.0
        The score where there is nothing to count.

    Returns
    -------
    scores : (precision, recall, f1), or dict of such
        Floats between 0 and 1 (conlleval prints per cent); for ``average=None`` a dict with an
        entry for each type, in sorted order.

    Raises
    ------
    ValueError
        If the numbers of sequences or their lengths differ, or a label does not belong to the
        scheme.

    References
    ----------
    Tjong Kim Sang, E. F., and S. Buchholz (2000), "Introduction to the CoNLL-2000 Shared Task:
    Chunking", and its script conlleval.

    Examples
    --------
    >>> from seqlearn_lstm.metrics import chunk_precision_recall_f1
    >>> y_true = [["B-PER", "I-PER", "O", "B-LOC"]]
    >>> y_pred = [["B-PER", "O", "O", "B-LOC"]]
    >>> precision, recall, f1 = chunk_precision_recall_f1(y_true, y_pred)
    >>> precision, recall, f1
    (0.5, 0.5, 0.5)
    >>> chunk_precision_recall_f1(y_true, y_pred, average=None)["LOC"].f1
    1.0
    """
    if average not in ("micro", "macro", "weighted", None):
        raise ValueError(f"average is {average!r}; expected 'micro', 'macro', 'weighted' or None")
    types, counts = _count(y_true, y_pred, scheme)
    if average == "micro":
        return ChunkScores(*_scores(counts.sum(axis=0), zero_division))
    each = [_scores(row, zero_division) for row in counts]
    if average is None:
        return {name: ChunkScores(*scores) for name, scores in zip(types, each, strict=True)}
    weights = counts[:, 1] if average == "weighted" else np.ones(len(counts))
    if not weights.any():
        return ChunkScores(*[float(zero_division)] * 3)
    return ChunkScores(*np.average(each, axis=0, weights=weights).tolist())


def chunk_precision(y_true, y_pred, *, scheme="iob2", average="micro", zero_division=0.0):
    """The share of predicted chunks that are right; see `chunk_precision_recall_f1`.

    Parameters
    ----------
    y_true, y_pred, scheme, average, zero_division
        As in `chunk_precision_recall_f1`.

    Returns
    -------
    precision : float, or dict of float

    Examples
    --------
    >>> from seqlearn_lstm.metrics import chunk_precision
    >>> chunk_precision([["B-PER", "B-PER"]], [["B-PER", "O"]])
    1.0
    """
    return _only("precision", y_true, y_pred, scheme, average, zero_division)


def chunk_recall(y_true, y_pred, *, scheme="iob2", average="micro", zero_division=0.0):
    """The share of true chunks that were found; see `chunk_precision_recall_f1`.

    Parameters
    ----------
    y_true, y_pred, scheme, average, zero_division
        As in `chunk_precision_recall_f1`.

    Returns
    -------
    recall : float, or dict of float

    Examples
    --------
    >>> from seqlearn_lstm.metrics import chunk_recall
    >>> chunk_recall([["B-PER", "B-PER"]], [["B-PER", "O"]])
    0.5
    """
    return _only("recall", y_true, y_pred, scheme, average, zero_division)


def chunk_f1(y_true, y_pred, *, scheme="iob2", average="micro", zero_division=0.0):
    """The harmonic mean of precision and recall; see `chunk_precision_recall_f1`.

    Parameters
    ----------
    y_true, y_pred, scheme, average, zero_division
        As in `chunk_precision_recall_f1`.

    Returns
    -------
    f1 : float, or dict of float

    Examples
    --------
    >>> from seqlearn_lstm.metrics import chunk_f1
    >>> chunk_f1([["B-PER", "I-PER", "B-PER"]], [["B-PER", "I-PER", "O"]], scheme="iob2")
    0.6666666666666666
    """
    return _only("f1", y_true, y_pred, scheme, average, zero_division)


def _count(y_true, y_pred, scheme):
    """The types in sorted order, and for each the number of right, true and predicted chunks."""
    letters = letters_of(scheme)
    y_true, y_pred = paired(y_true, y_pred)
    counts = {}
    for i, (true, pred, known) in enumerate(zip(y_true, y_pred, where_known(y_true), strict=True)):
        true = set(chunks_of(true[known], letters, f" of sequence {i} of y_true"))
        pred = set(chunks_of(pred[known], letters, f" of sequence {i} of y_pred"))
        for column, chunks in enumerate((true & pred, true, pred)):
            for chunk in chunks:
                counts.setdefault(chunk.type, [0, 0, 0])[column] += 1
    types = sorted(counts)
    return types, np.array([counts[name] for name in types], dtype=np.int64).reshape(-1, 3)


def _scores(counts, zero_division):
    right, true, predicted = counts.tolist()
    shares = (right, predicted), (right, true), (2 * right, true + predicted)
    return [part / whole if whole else float(zero_division) for part, whole in shares]


def _only(which, y_true, y_pred, scheme, average, zero_division):
    scores = chunk_precision_recall_f1(
        y_true, y_pred, scheme=scheme, average=average, zero_division=zero_division
    )
    if average is None:
        return {name: getattr(each, which) for name, each in scores.items()}
    return getattr(scores, which)
