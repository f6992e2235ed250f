"""Accuracy of steps and of sequences, and what all metrics check of labels."""

import numpy as np

from ..labels import are_equal, missing_labels


def step_accuracy(y_true, y_pred, *, sample_weight=None):
    """The share of time steps whose label is right.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of shape (n_timesteps_i,)
        True labels; steps whose label is None, NaN, pandas.NA or the integer -1 are left out.
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
        If the numbers of sequences or their lengths differ, a weight is negative or not finite, or no
        step has a label and a weight.

    Examples
    --------
    >>> from seqlearn_lstm.metrics import step_accuracy
    >>> step_accuracy([["DT", "NN"], ["UH", None]], [["DT", "VB"], ["UH", "NN"]])
    0.6666666666666666
    """
    y_true, y_pred = paired(y_true, y_pred)
    known = where_known(y_true)
    weights = _step_weights(sample_weight, y_true)
    parts = zip(y_true, y_pred, known, weights, strict=True)
    right = sum(float(w[k] @ _right(t, p, k)[k]) for t, p, k, w in parts)
    total = sum(float(w[k].sum()) for w, k in zip(weights, known, strict=True))
    return _share(right, total, "step")


def sequence_accuracy(y_true, y_pred, *, sample_weight=None):
    """The share of sequences in which every label is right.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of shape (n_timesteps_i,)
        True labels; steps whose label is None, NaN, pandas.NA or the integer -1 are left out, and
        sequences that have no others.
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
        If the numbers of sequences or their lengths differ, a weight is negative or not finite, or no
        sequence has a label and a weight.

    Examples
    --------
    >>> from seqlearn_lstm.metrics import sequence_accuracy
    >>> sequence_accuracy([["DT", "NN"], ["UH", None]], [["DT", "VB"], ["UH", "NN"]])
    0.5
    """
    y_true, y_pred = paired(y_true, y_pred)
    weights = _sequence_weights(sample_weight, y_true)
    right = total = 0.0
    for true, pred, known, weight in zip(y_true, y_pred, where_known(y_true), weights, strict=True):
        right += weight * (known.any() and _right(true, pred, known)[known].all())
        total += weight * known.any()
    return _share(right, total, "sequence")


def paired(y_true, y_pred):
    """Both as lists of 1-D arrays, as many and as long."""
    y_true, y_pred = _labels(y_true, "y_true"), _labels(y_pred, "y_pred")
    if len(y_true) != len(y_pred):
        raise ValueError(
            f"y_true holds {len(y_true)} sequences, but y_pred {len(y_pred)}; expected as many"
        )
    for i, (true, pred) in enumerate(zip(y_true, y_pred, strict=True)):
        if len(true) != len(pred):
            raise ValueError(
                f"sequence {i} has {len(true)} labels in y_true, but {len(pred)} in y_pred; "
                "expected one for each time step in both"
            )
    return y_true, y_pred


def _labels(y, name):
    y = [_as_labels(labels) for labels in y]
    for i, labels in enumerate(y):
        if labels.ndim != 1:
            what = "a single label" if labels.ndim == 0 else f"an array of shape {labels.shape}"
            raise ValueError(
                f"{name} has {what} for sequence {i}; expected a list with the labels of each "
                f"sequence. The labels of one sequence go into a list: [{name}]; those of "
                "concatenated sequences through preprocessing.split."
            )
    return y


def _as_labels(labels):
    """Labels as an array; lists as objects, or NumPy turns numbers beside strings into strings."""
    if hasattr(labels, "__array__") or isinstance(labels, str):
        return np.asarray(labels)
    return np.array(labels, dtype=object)


def where_known(y_true):
    """Where there is a label, for each sequence."""
    return [~missing_labels(labels) for labels in y_true]


def _right(true, pred, known):
    """Which steps are right (n_timesteps,): their label is known, and said."""
    both = known & ~missing_labels(pred)
    right = np.zeros(len(known), dtype=bool)
    right[both] = are_equal(true[both], pred[both])
    return right


def _sequence_weights(sample_weight, y):
    """A weight for each sequence (n_sequences,)."""
    if sample_weight is None:
        return np.ones(len(y))
    shapes = {np.shape(weight) for weight in sample_weight} - {()}
    if shapes or len(sample_weight) != len(y):
        what = f"arrays of shape {min(shapes)}" if shapes else f"{len(sample_weight)} numbers"
        raise ValueError(
            f"sample_weight holds {what}; expected {len(y)} numbers, one for each sequence"
        )
    weights = np.asarray(sample_weight, dtype=np.float64)
    for i, weight in enumerate(weights):
        _check_weight(weight, i)
    return weights


def _check_weight(weight, i):
    """Raise ValueError where a weight of sequence i, or of its steps, is none."""
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError(
            f"sample_weight of sequence {i} is {weight}; expected finite numbers that are not negative"
        )


def _step_weights(sample_weight, y):
    """A weight for each step, for each sequence."""
    if sample_weight is None:
        return [np.ones(len(labels)) for labels in y]
    if len(sample_weight) != len(y):
        raise ValueError(
            f"sample_weight has {len(sample_weight)} entries; expected {len(y)}, one for each "
            "sequence"
        )
    weights = [np.asarray(weight, dtype=np.float64) for weight in sample_weight]
    for i, (weight, labels) in enumerate(zip(weights, y, strict=True)):
        if weight.shape not in ((), labels.shape):
            raise ValueError(
                f"sample_weight has shape {weight.shape} for sequence {i}; expected a number, or "
                f"one for each time step: {labels.shape}"
            )
        _check_weight(weight, i)
    return [
        np.broadcast_to(weight, labels.shape) for weight, labels in zip(weights, y, strict=True)
    ]


def _share(right, total, what):
    if not total > 0:
        raise ValueError(
            f"there is no {what} with a label and a weight in y_true; expected at least one"
        )
    return float(right / total)
