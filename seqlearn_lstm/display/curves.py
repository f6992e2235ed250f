"""Curves of trainings: taken from estimators, checked, joined."""

import numpy as np

from .drawing import listed


def read_curves(losses, scores, bests, joined):
    """What the caller gave, checked, as lists with an entry for each curve to draw.

    Returns
    -------
    losses : list of ndarray of shape (n_epochs_i,)
    scores : list of (ndarray of shape (n_epochs_i,) or None)
    bests : list of (int or None)
    joins : list of list of int
        After which epochs the next part begins.
    """
    losses = [
        _curve(values, f"loss_curves[{i}]")
        for i, values in enumerate(listed(losses, "loss_curves"))
    ]
    if not losses:
        raise ValueError("loss_curves holds no curve; expected one at least")
    scores = [
        None if values is None else _curve(values, f"validation_scores[{i}]", len(losses[i]))
        for i, values in enumerate(one_for_each(scores, len(losses), "validation_scores"))
    ]
    bests = one_for_each(bests, len(losses), "best_iters")
    for i, (best, values) in enumerate(zip(bests, losses, strict=True)):
        _check_best(best, len(values), f"best_iters[{i}]")
    joins = [[] for _ in losses]
    if joined:
        ends = np.cumsum([len(part) for part in losses]).tolist()
        bests = [None if bests[-1] is None else bests[-1] + ends[-1] - len(losses[-1])]
        scores, joins = [_join(losses, scores)], [ends[:-1]]
        losses = [np.concatenate(losses)]
    bests = [_best(*pair) for pair in zip(bests, scores, strict=True)]
    return losses, scores, bests, joins


def one_for_each(values, n, name):
    """A list of `n` values; of None where nothing was given."""
    if isinstance(values, str):  # whose letters are no values
        raise TypeError(f"{name} is {values!r:.80}; expected a list")
    values = [None] * n if values is None else listed(values, name)
    if len(values) != n:
        raise ValueError(f"{name} has length {len(values)}; expected {n}: one for each curve")
    return values


def _curve(values, name, n_epochs=None):
    values = np.asarray(values, dtype=np.float64)
    expected = "(n_epochs,)" if n_epochs is None else f"({n_epochs},): one for each epoch"
    if values.ndim != 1 or not len(values) or n_epochs not in (None, len(values)):
        raise ValueError(f"{name} has shape {values.shape}; expected {expected}")
    return values


def _join(losses, scores):
    """The scores of the parts as one curve, NaN in those without any."""
    if all(part is None for part in scores):
        return None
    pairs = zip(losses, scores, strict=True)
    return np.concatenate([np.full(len(a), np.nan) if b is None else b for a, b in pairs])


def _check_best(best, n_epochs, name):
    """Refuse what is no epoch of a curve."""
    if best is None or (type(best) is not bool and best in range(1, n_epochs + 1)):
        return
    raise ValueError(
        f"{name} is {best!r}; expected None, or a whole number from 1 to {n_epochs}: an epoch of its "
        "curve"
    )


def _best(best, scores):
    """The best epoch: as it was said, or by the scores."""
    if best is not None:
        return int(best)
    return None if scores is None or np.isnan(scores).all() else int(np.nanargmax(scores)) + 1
