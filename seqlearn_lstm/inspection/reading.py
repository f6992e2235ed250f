"""One sequence, read by the network that a fitted estimator holds."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._base.estimator import SequenceEstimator
from .._base.reading import check_initial
from ..batches import Batch, plan
from ..network import Network
from ..symbols import check_symbols

# Where others keep the estimator that they have fitted: searches; a regressor with transformed
# targets; an encoder, a classifier with a tuned threshold.
INSIDE = ("best_estimator_", "regressor_", "estimator_")


@dataclass(frozen=True)
class Reading:
    """What the network sees of a sequence x.

    Attributes
    ----------
    source : estimator
        The estimator of this package whose network it is.
    network : Network
    rows : ndarray of shape (n_timesteps, n_features)
        The steps that a prediction reads, or the codes of their symbols.
    batch : Batch
        The one sequence, so its slots are its steps.
    given : list of ndarray, or None
        The states to start from, as `Network.forward` takes them.
    n_timesteps : int
        Steps of x, with those that `max_timesteps` cuts off.
    steps : ndarray of int of shape (n_timesteps_seen,)
        Which of them are read.
    symbols : list or None
        The symbol at each step that is read; None: the steps are numbers.
    """

    source: SequenceEstimator
    network: Network
    rows: np.ndarray
    batch: Batch
    given: list | None
    n_timesteps: int
    steps: np.ndarray
    symbols: list | None


def read_one(estimator, x, initial_states=None):
    """A `Reading` of one sequence x, in any form that `fit` takes for one in a list; with states to
    start from, x goes on, and nothing is read beside it.
    """
    source, X = network_estimator(estimator, x)
    goes_on = initial_states is not None
    try:
        everything = source._read_on(X, None) if goes_on else source._read_again(X, None)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"x is read as one sequence, [x]: {error}") from error
    network, seen = source._prepared(everything, None, device="cpu")
    initial = check_initial(initial_states, seen, network)
    n_timesteps, n_seen = len(everything.rows), len(seen.rows)
    first = n_timesteps - n_seen if source.truncate == "pre" else 0
    return Reading(
        source=source,
        network=network,
        rows=seen.rows,
        batch=plan(seen.offsets, np.array([0])),
        given=None if initial is None else network.cut_states(initial),
        n_timesteps=n_timesteps,
        steps=np.arange(first, first + n_seen),
        symbols=_symbols(source, X, goes_on, slice(first, first + n_seen)),
    )


def network_estimator(estimator, x=None):
    """(the fitted estimator of this package within others, [x] as it gets it).

    Raises
    ------
    NotFittedError
        If one of them is not fitted.
    TypeError
        If there is none of this package at the end.
    """
    outer, X, before = estimator, [x], []
    while True:
        check_is_fitted(estimator)
        if isinstance(estimator, Pipeline):
            before += [estimator[:-1]] if len(estimator) > 1 else []
            estimator = estimator[-1]
        elif isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        else:
            name = next((name for name in INSIDE if hasattr(estimator, name)), None)
            if name is None:
                break
            estimator = getattr(estimator, name)
    if not isinstance(estimator, SequenceEstimator):
        raise TypeError(
            f"estimator is a {_described(outer, estimator)}; expected an estimator of "
            "seqlearn_lstm, or a pipeline or a search that ends in one"
        )
    if x is not None:
        for steps in before:
            X = steps.transform(X)
    return estimator, _alone(X)


def _described(outer, inner):
    names = type(outer).__name__, type(inner).__name__
    found = names[0] if outer is inner else f"{names[0]} that ends in a {names[1]}"
    has_one = getattr(inner, "refit", True)  # of a search
    return found if has_one else f"{found} with refit=False, which keeps no fitted estimator"


def _alone(X):
    """A list of one sequence as an object array, which is never taken for a table; what a pipeline
    has made of it stays as it is.
    """
    if not isinstance(X, list):
        return X
    alone = np.empty(1, object)
    alone[0] = X[0]
    return alone


def _symbols(source, X, goes_on, seen):
    if not hasattr(source, "vocabulary_"):
        return None
    # An empty one has been read: by a language model, for which the mark of its beginning is there.
    is_empty = isinstance(X, np.ndarray) and len(X[0]) == 0
    (x,) = [[]] if is_empty else check_symbols(X)
    x = x.tolist() if isinstance(x, np.ndarray) else list(x)
    return x[seen] if goes_on else source._symbols_read(x)[seen]


def position(value, n, name):
    """A number from -n to n - 1 as one from 0 to n - 1; `name` says what is counted."""
    expected = f"expected a whole number from {-n} to {n - 1}"
    if not isinstance(value, Integral):
        raise TypeError(f"{name} is {value!r}; {expected}")
    if not -n <= value < n:
        raise ValueError(f"{name} is {value}; {expected}")
    return int(value) % n
