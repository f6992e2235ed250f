"""How well labels of time steps are predicted: by step, by sequence, by chunk.

Labels are a list of sequences of labels: lists or arrays of any lengths, or a 1-D object array of
such. A true label that is None, or -1 where labels are integers, is missing: its step is left out.

A *chunk* is a run of steps of one type, such as a name in a sentence, written in labels like
"B-PER", "I-PER" and "O". Chunks are read as conlleval does, the script of the CoNLL shared tasks:
whatever the scheme, "O" is outside; within the rest a new chunk starts

* after "O", and at the start of a sequence;
* where the type is not that of the step before;
* at "B" and "S"; and after "E" and "S";

and every chunk ends before the next starts, before "O", or with the sequence. So ill-formed labels
are chunks, too: "O I-PER" starts one, and "I-PER I-LOC" are two. (The script itself knows no "S",
nor "B" after "E": they are read as its ports for IOBES read them.)
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.metrics import make_scorer

__all__ = [
    "chunk_f1",
    "chunk_precision",
    "chunk_precision_recall_f1",
    "chunk_recall",
    "get_chunks",
    "scorer",
    "sequence_accuracy",
    "step_accuracy",
]

# What stands before the first hyphen of a label -> the letter whose rules it follows. conlleval
# reads IOB1 and IOB2 by the same rules: the name of a scheme says which letters may occur.
SCHEMES = {
    "iob1": {"I": "I", "O": "O", "B": "B"},
    "iob2": {"I": "I", "O": "O", "B": "B"},
    "ioe1": {"I": "I", "O": "O", "E": "E"},
    "ioe2": {"I": "I", "O": "O", "E": "E"},
    "iobes": {"I": "I", "O": "O", "B": "B", "E": "E", "S": "S"},
    "bilou": {"I": "I", "O": "O", "B": "B", "L": "E", "U": "S"},
}


class ChunkScores(NamedTuple):
    """Precision, recall and F1 of chunks, each between 0 and 1."""

    precision: float
    recall: float
    f1: float


class Chunk(NamedTuple):
    """A run of steps ``labels[start:stop]`` of one type."""

    type: str
    start: int
    stop: int


# Steps and sequences ------------------------------------------------------------------------------


def step_accuracy(y_true, y_pred, *, sample_weight=None):
    """The share of time steps whose label is right.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of shape (n_timesteps_i,)
        True labels; steps whose label is None, or the integer -1, are left out.
    y_pred : list of n_sequences array-likes of shape (n_timesteps_i,)
        Predicted labels.
    sample_weight : array-like of shape (n_sequences,), or list, default=None
        A weight for each sequence, which each of its steps gets; or a list of n_sequences arrays of
        shape (n_timesteps_i,).

    Returns
    -------
    accuracy : float
        Between 0 and 1; long sequences count for more than short ones.

    Raises
    ------
    ValueError
        If the numbers of sequences or their lengths differ, or no step has a label and a weight.

    Examples
    --------
    >>> from seqlearn_lstm.metrics import step_accuracy
    >>> step_accuracy([["DT", "NN"], ["UH", None]], [["DT", "VB"], ["UH", "NN"]])
    0.6666666666666666
    """
    y_true, y_pred = _pair(y_true, y_pred)
    known = _known(y_true)
    weights = _step_weights(sample_weight, y_true)
    parts = zip(y_true, y_pred, known, weights, strict=True)
    right = sum(float(w[k] @ _equal(t, p)[k]) for t, p, k, w in parts)
    total = sum(float(w[k].sum()) for w, k in zip(weights, known, strict=True))
    return _share(right, total, "step")


def sequence_accuracy(y_true, y_pred, *, sample_weight=None):
    """The share of sequences in which every label is right.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of shape (n_timesteps_i,)
        True labels; steps whose label is None, or the integer -1, are left out, and sequences that
        have no others.
    y_pred : list of n_sequences array-likes of shape (n_timesteps_i,)
        Predicted labels.
    sample_weight : array-like of shape (n_sequences,), default=None
        A weight for each sequence.

    Returns
    -------
    accuracy : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If the numbers of sequences or their lengths differ, or no sequence has a label and a
        weight.

    Examples
    --------
    >>> from seqlearn_lstm.metrics import sequence_accuracy
    >>> sequence_accuracy([["DT", "NN"], ["UH", None]], [["DT", "VB"], ["UH", "NN"]])
    0.5
    """
    y_true, y_pred = _pair(y_true, y_pred)
    weights = np.ones(len(y_true)) if sample_weight is None else np.asarray(sample_weight, float)
    if weights.shape != (len(y_true),):
        raise ValueError(
            f"sample_weight has shape {weights.shape}; expected ({len(y_true)},): one weight for "
            "each sequence."
        )
    right = total = 0.0
    for true, pred, known, weight in zip(y_true, y_pred, _known(y_true), weights, strict=True):
        right += weight * (known.any() and _equal(true, pred)[known].all())
        total += weight * known.any()
    return _share(right, total, "sequence")


# Chunks -------------------------------------------------------------------------------------------


def get_chunks(labels, scheme="iob2"):
    """The chunks of one sequence, as conlleval finds them.

    Parameters
    ----------
    labels : array-like of str of shape (n_timesteps,)
        "O", or a letter of the scheme with a hyphen and the type of the chunk: "B-PER". The type is
        all after the first hyphen, and empty without one.
    scheme : {"iob1", "iob2", "ioe1", "ioe2", "iobes", "bilou"}, default="iob2"
        Which letters there are; see the head of `seqlearn_lstm.metrics` for their rules.

    Returns
    -------
    chunks : list of (type, start, stop)
        In the order of time; a chunk is ``labels[start:stop]``.

    Raises
    ------
    ValueError
        If a label is not of the scheme.

    Examples
    --------
    >>> from seqlearn_lstm.metrics import get_chunks
    >>> [tuple(chunk) for chunk in get_chunks(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"])]
    [('PER', 0, 2), ('LOC', 3, 4), ('LOC', 4, 5)]
    """
    return _chunks(labels, _letters(scheme), "")


def chunk_precision_recall_f1(y_true, y_pred, *, scheme="iob2", average="micro", zero_division=0.0):
    """Precision, recall and F1 of chunks, equal to those of conlleval.

    A predicted chunk is right if a true one has its type, its first and its last step. Precision is
    the share of predicted chunks that are right, recall the share of true chunks that were found,
    and F1 their harmonic mean, ``2 * right / (true + predicted)``.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of str of shape (n_timesteps_i,)
        True labels. Steps whose label is None are cut out of both sides, and what they part joins.
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
        If the numbers of sequences or their lengths differ, or a label is not of the scheme.

    References
    ----------
    E. F. Tjong Kim Sang and S. Buchholz (2000), "Introduction to the CoNLL-2000 Shared Task:
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
        raise ValueError(f"average must be 'micro', 'macro', 'weighted' or None, got {average!r}.")
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


# Scorers ------------------------------------------------------------------------------------------

SCORERS = {  # name -> metric of (y_true, y_pred), larger is better
    "step_accuracy": step_accuracy,
    "sequence_accuracy": sequence_accuracy,
    "chunk_precision": chunk_precision,
    "chunk_recall": chunk_recall,
    "chunk_f1": chunk_f1,
}


def scorer(name, **settings):
    """A scorer by name, for ``scoring=`` of scikit-learn's searches and cross-validation.

    scikit-learn looks up its own names only, so ``scoring="chunk_f1"`` is not known to it.

    Parameters
    ----------
    name : {"step_accuracy", "sequence_accuracy", "chunk_precision", "chunk_recall", "chunk_f1"}
        Name of a metric of this module.
    **settings
        Its keyword arguments, such as ``scheme="iobes"``.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y)`` gives the metric of ``estimator.predict(X)``.

    Raises
    ------
    ValueError
        If there is no metric of that name.

    Examples
    --------
    Any estimator whose `predict` gives labels for each step can be scored:

    >>> from sklearn.base import BaseEstimator
    >>> from sklearn.model_selection import GridSearchCV
    >>> from seqlearn_lstm.metrics import scorer
    >>> class Constant(BaseEstimator):
    ...     def __init__(self, label="O"):
    ...         self.label = label
    ...
    ...     def fit(self, X, y):
    ...         return self
    ...
    ...     def predict(self, X):
    ...         return [[self.label] * len(x) for x in X]
    >>> X = [[[0.1]], [[0.2], [0.3]], [[0.4]], [[0.5], [0.6]]]
    >>> y = [["B-PER"], ["B-PER", "O"], ["O"], ["B-PER", "B-PER"]]
    >>> search = GridSearchCV(
    ...     Constant(),
    ...     {"label": ["O", "B-PER"]},
    ...     scoring={"f1": scorer("chunk_f1", scheme="iob2"), "steps": scorer("step_accuracy")},
    ...     refit="f1",
    ...     cv=2,
    ... )
    >>> search.fit(X, y).best_params_
    {'label': 'B-PER'}
    """
    if name not in SCORERS:
        raise ValueError(f"there is no scorer {name!r}; there are {sorted(SCORERS)}.")
    return make_scorer(SCORERS[name], **settings)


# Helpers ------------------------------------------------------------------------------------------


def _pair(y_true, y_pred):
    """Both as lists of 1-D arrays, as many and as long."""
    y_true, y_pred = _labels(y_true, "y_true"), _labels(y_pred, "y_pred")
    if len(y_true) != len(y_pred):
        raise ValueError(
            f"y_true holds {len(y_true)} sequences, but y_pred {len(y_pred)}; expected as many."
        )
    for i, (true, pred) in enumerate(zip(y_true, y_pred, strict=True)):
        if len(true) != len(pred):
            raise ValueError(
                f"sequence {i} has {len(true)} labels in y_true, but {len(pred)} in y_pred; "
                "expected one for each time step in both."
            )
    return y_true, y_pred


def _labels(y, name):
    y = [_array(labels) for labels in y]
    for i, labels in enumerate(y):
        if labels.ndim != 1:
            what = "a single label" if labels.ndim == 0 else f"an array of shape {labels.shape}"
            raise ValueError(
                f"{name} has {what} for sequence {i}; expected a list with the labels of each "
                f"sequence. The labels of one sequence go into a list: [{name}]; those of "
                "concatenated sequences through preprocessing.split."
            )
    return y


def _array(labels):
    """Labels as an array; lists as objects, or NumPy turns numbers beside strings into strings."""
    if hasattr(labels, "__array__") or isinstance(labels, str):
        return np.asarray(labels)
    return np.array(labels, dtype=object)


def _known(y_true):
    """Where there is a label, for each sequence."""
    return [_is_known(labels) for labels in y_true]


def _is_known(labels):
    if labels.dtype != object:
        return labels != -1 if labels.dtype.kind == "i" else np.ones(len(labels), bool)
    missing = [v is None or (isinstance(v, Integral) and v == -1) for v in labels]
    return ~np.array(missing, dtype=bool)


def _equal(a, b):
    if a.dtype.kind != b.dtype.kind:
        a, b = a.astype(object), b.astype(object)
    return np.asarray(a == b, dtype=bool)


def _step_weights(sample_weight, y):
    """A weight for each step, for each sequence."""
    if sample_weight is None:
        return [np.ones(len(labels)) for labels in y]
    if len(sample_weight) != len(y):
        raise ValueError(
            f"sample_weight has {len(sample_weight)} entries; expected {len(y)}, one for each "
            "sequence."
        )
    weights = [np.asarray(weight, dtype=np.float64) for weight in sample_weight]
    for i, (weight, labels) in enumerate(zip(weights, y, strict=True)):
        if weight.shape not in ((), labels.shape):
            raise ValueError(
                f"sample_weight has shape {weight.shape} for sequence {i}; expected a number, or "
                f"one for each time step: {labels.shape}."
            )
    return [
        np.broadcast_to(weight, labels.shape) for weight, labels in zip(weights, y, strict=True)
    ]


def _share(right, total, what):
    if not total > 0:
        raise ValueError(
            f"there is no {what} with a label and a weight in y_true; expected at least one."
        )
    return float(right / total)


def _letters(scheme):
    if scheme not in SCHEMES:
        raise ValueError(f"there is no scheme {scheme!r}; there are {sorted(SCHEMES)}.")
    return SCHEMES[scheme]


def _chunks(labels, letters, where):
    """The chunks of a sequence; `where` names it in errors."""
    found, start = [], None
    last, last_type = "O", ""
    for step, label in enumerate(labels):
        prefix, _, kind = label.partition("-") if isinstance(label, str) else ("", "", "")
        letter = letters.get(prefix)
        if letter is None:
            raise ValueError(
                f"label {label!r} at time step {step}{where} is not of the scheme; expected 'O', "
                f"or one of {sorted(set(letters) - {'O'})} followed by a hyphen and a type."
            )
        starts = letter != "O" and (
            last in ("O", "E", "S") or letter in ("B", "S") or kind != last_type
        )
        if start is not None and (starts or letter == "O"):
            found.append(Chunk(last_type, start, step))
            start = None
        if starts:
            start = step
        last, last_type = letter, kind
    if start is not None:
        found.append(Chunk(last_type, start, len(labels)))
    return found


def _count(y_true, y_pred, scheme):
    """The types in sorted order, and for each the number of right, true and predicted chunks."""
    letters = _letters(scheme)
    y_true, y_pred = _pair(y_true, y_pred)
    counts = {}
    for i, (true, pred, known) in enumerate(zip(y_true, y_pred, _known(y_true), strict=True)):
        true = set(_chunks(true[known], letters, f" of sequence {i} of y_true"))
        pred = set(_chunks(pred[known], letters, f" of sequence {i} of y_pred"))
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
