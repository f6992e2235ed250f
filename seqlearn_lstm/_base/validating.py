"""What a fit validates with after each epoch: a share of its sequences, or others."""

import math
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from inspect import signature
from numbers import Real
from typing import Any

import joblib
import numpy as np
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split

from ..randomness import Purpose, random_stream
from ..sequences import Sequences
from ..training import Diverged
from .given import pieces, some, uncut
from .reading import check_initial


@dataclass(frozen=True)
class Validation:
    """Sequences, and what belongs to them.

    Attributes
    ----------
    sequences : Sequences
    X : object
        The same in the form that the caller gave, for a scoring function of their own.
    y : array-like
    weights, states : ndarray or None
        As `score` takes weights, and `predict` the states to start from.
    """

    sequences: Sequences
    X: Any
    y: Any
    weights: np.ndarray | None = None
    states: np.ndarray | None = None

    def __len__(self):
        return len(self.sequences)

    def states_of(self, X):
        """The states to start from where X is what is validated with, and none of another X's."""
        return self.states if X is self.sequences or X is self.X else None

    @property
    def data(self):
        """Arrays and values that are equal where what is scored is the same."""
        X = self.sequences
        return [X.rows, X.offsets, self.states, joblib.hash((self.y, self.weights))]


def of_others(estimator, others, network):
    """The `Validation` with what a caller gives to validate with."""
    with about_others():
        estimator._check_given(others.y)
        sequences = estimator._read_again(others.X, others.lengths)
        estimator._check_others(others, sequences)
        every = np.arange(len(sequences))
        weights = _weights(estimator, others, sequences, every)
        states = check_initial(others.initial_states, sequences, network)
    X, y = uncut(estimator, others, sequences)
    if not _is_function(estimator.scoring):
        y = estimator._part_of(y, sequences, every)  # a target, or an array of them, for each
    return Validation(sequences, X, y, weights, states)


def _is_function(scoring):
    """Whether it is a function of the caller's, which sees data in the form that they gave."""
    return callable(scoring) and not hasattr(scoring, "_score_func")


@contextmanager
def about_others():
    """Errors about what is read say that it is validation data."""
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"validation data: {error}") from error


def held_out(estimator, sequences, given, initial, strata, seed):
    """(the sequences to learn from, the `Validation` with the others)."""
    _check_fraction(estimator, len(sequences), strata)
    draw = np.random.RandomState(random_stream(seed, Purpose.VALIDATION).integers(2**32))
    chosen, held = train_test_split(
        np.arange(len(sequences)), test_size=float(estimator.validation_fraction), random_state=draw,
        stratify=strata,
    )  # fmt: skip
    weights, rest = _weights(estimator, given, sequences, held), sequences.take(held)
    if weights is not None and not any(map(np.any, weights)):
        raise ValueError(
            "all sequences that are held out to validate with have the weight 0; expected X_val "
            "and y_val, or another validation_fraction or random_state"
        )
    y, states = estimator._part_of(given.y, sequences, held), None
    if initial is not None:
        states = initial[held]
    X = _as_given(estimator, given, sequences, rest, held)
    return chosen, Validation(rest, X, y, weights, states)


def _weights(estimator, given, sequences, indices):
    """The weights of the sequences at `indices`, as `score` takes them."""
    if given.sample_weight is None:
        return None
    return estimator._weights_of(given.sample_weight, sequences, indices)


def _check_fraction(estimator, n_sequences, strata):
    """Raise ValueError where either part would be too small, in the words of `fit`."""
    fraction = estimator.validation_fraction
    n_held = math.ceil(fraction * n_sequences)
    least = 1 if strata is None else len(np.unique(strata))
    if not least <= n_held <= n_sequences - least:
        why = "" if strata is None else f", one of each of {least} classes,"
        raise ValueError(
            f"validation_fraction is {fraction}, which holds out {n_held} of {n_sequences} sequences; "
            f"expected at least {least}{why} both to learn from and to validate with: another "
            f"validation_fraction, {estimator._more_to_hold_out}"
        )


def _as_given(estimator, given, sequences, rest, held):
    """The held-out part of X as the caller's function for scoring is to see it."""
    if given.X is None or not callable(estimator.scoring):
        return rest
    if given.lengths is None:
        return some(given.X, held)
    return some(pieces(given.X, sequences), held)


def scorer_of(estimator, network, validation, state):
    """A function that scores the network as it is; None without anything to validate with.

    Where the network's outputs are no finite numbers, which many a score cannot take, its error is
    `Diverged`.
    """
    if validation is None:
        return None
    _check_scoring(estimator, network)
    probe = copy(estimator)
    probe._validation = validation
    score = _score_of(probe, validation)

    def validate():
        probe.parameters_, found, error = network.get_parameters(), np.nan, None
        try:
            found = _number(score())
        except ValueError as raised:
            error = raised
        if not np.isfinite(found) and not _has_finite_outputs(probe, validation):
            seen = "the outputs for the validation data are not all finite"
            raise Diverged.in_epoch(state.epoch, seen) from error
        if error is not None:
            raise error
        return found

    return validate


def _number(score):
    """A score as a float; an array without axes is a number, too."""
    value = score.item() if getattr(score, "shape", None) == () else score
    if not isinstance(value, Real) or np.ma.is_masked(score):
        raise ValueError(f"scoring returned {score!r}; expected a number")
    return float(value)


def _check_scoring(estimator, network):
    """Refuse what scikit-learn's names stand for where there are predictions of steps."""
    name = estimator.scoring
    if isinstance(name, str) and network.pooling.per_step:
        labels = ", or a scorer of seqlearn_lstm.metrics such as scorer('step_accuracy')"
        raise ValueError(
            f"scoring is {name!r}, which scikit-learn has for single values, but a "
            f"{type(estimator).__name__} predicts an array for each sequence; expected None, a "
            f"function of (estimator, X, y){labels if hasattr(estimator, 'classes_') else ''}"
        )


def _score_of(probe, validation):
    """A function that scores what `probe` predicts."""
    score = check_scoring(probe, probe.scoring)
    X, weights = validation.sequences, {}
    metric = probe.score if probe.scoring is None else getattr(score, "_score_func", None)
    if metric is None:  # a function of the caller's, which may look into X
        X = validation.X
    elif validation.weights is not None and "sample_weight" in signature(metric).parameters:
        weights = {"sample_weight": validation.weights}
    return lambda: score(probe, X, validation.y, **weights)


def _has_finite_outputs(probe, validation):
    return np.isfinite(probe._scores(validation.sequences, None)[0]).all()
