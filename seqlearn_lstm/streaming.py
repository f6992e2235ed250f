"""Streams: a prediction after each step, from the states that the steps before have left."""

from copy import copy

import numpy as np

from .batches import plan
from .kernels import get_backend
from .layers import OneStep
from .sequences import as_numbers


class Stream:
    """One sequence that a fitted estimator reads step by step; made by its ``stream()``.

    What `push` returns equals ``predict`` of all steps so far, to the bit; a step costs the same
    however many went before. A stream can be pickled and goes on where it was.

    Parameters
    ----------
    estimator : fitted estimator
        It is read here, once: a later fit of it changes nothing for the stream.

    Attributes
    ----------
    estimator : estimator
        The copy that is read; its attributes are those of the fit.
    n_steps : int
        How many steps have been pushed.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm import LSTMClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((n, 2)) for n in rng.integers(5, 20, 20)]
    >>> y = ["up" if x.sum() > 0 else "down" for x in X]
    >>> model = LSTMClassifier((8,), max_iter=5, random_state=0).fit(X, y)
    >>> stream = model.stream()
    >>> labels = [stream.push(step) for step in X[0]]
    >>> labels[-1] == model.predict(X[:1])[0]
    True
    """

    def __init__(self, estimator):
        # A fit gives an estimator other attributes and changes none of them in place.
        self.estimator = copy(estimator)
        self.n_steps, self._pooled, self._scores = 0, None, None
        self._build()

    def _build(self):
        """The network and the memory of one step."""
        # A single step has nothing to share: no device is faster than one core.
        network = self._network = self.estimator._bound_network(get_backend("cpu"), n_jobs=1)
        architecture = network.architecture
        if architecture.bidirectional:
            raise ValueError(
                "bidirectional is True, so that later steps would change earlier predictions; expected "
                "a network of one direction for a stream"
            )
        if self.estimator.max_timesteps is not None and not network.pooling.per_step:
            raise ValueError(
                "max_timesteps is set, so that predict reads only a part of a sequence; expected None "
                "for a stream"
            )
        self._batch = plan(np.array([0, 1]), np.array([0]))
        self._layers = [OneStep(part, self._batch, network.work) for part in network.recurrent]
        self._features = network.dense.inputs(1, network.work)
        if network.projection:
            self._projected = network.projection.inputs(1, network.work)

    def push(self, x):
        """Read one more step.

        Parameters
        ----------
        x : array-like of shape (n_features,), a number, or a symbol
            If `fit` was given DataFrames, the names of a Series, or of a DataFrame of one row, must
            be the same, in the same order.

        Returns
        -------
        prediction : label or number(s)
            What ``predict`` would return for all steps so far; where there is an output at each
            step, the one of this step.

        Raises
        ------
        ValueError, TypeError
            If the step cannot be used; the stream is then as it was before.
        """
        self._advance(self._read(x))
        return self.estimator._decided(self._scores)[0]

    def _advance(self, values):
        """Read the numbers of one step: all of it, or, where it is interrupted, nothing."""
        before = self._memory()
        try:
            self._read_on(values)
        except BaseException:
            self._recall(before)
            raise

    def _read_on(self, values):
        network = self._network
        if network.projection:
            self._projected[0, 1:] = values
            projected = network.projection.forward(self._projected, network.work, 1)
            values = projected[0, : network.projection.n_out]
        for layer in self._layers:
            values = layer.step(values)
        self.n_steps += 1
        self._pooled, features = network.pooling.step(self._pooled, values, self.n_steps)
        self._features[0, 1:] = features
        scores = network.dense.forward(self._features, network.work, 1)
        self._scores = scores[:, : network.architecture.n_out]

    def predict_proba(self):
        """The probability of each class after the last step.

        Returns
        -------
        probabilities : ndarray of shape (n_classes,)

        Raises
        ------
        AttributeError
            If the estimator has no probabilities.
        ValueError
            If there was no step yet.
        """
        if not hasattr(self.estimator, "predict_proba"):
            name = type(self.estimator).__name__
            raise AttributeError(f"{name} has no predict_proba, and neither do its streams")
        if self._scores is None:
            raise ValueError("no step has been pushed yet; expected push(x) first")
        head = self.estimator._head
        return head.probabilities(self._scores)[0]

    def _read(self, x):
        """The numbers of one step, checked."""
        network = self._network
        if network.embedding:
            return self._row(self.estimator._code(x))
        if type(x) is not np.ndarray and hasattr(self.estimator, "feature_names_in_"):
            self._check_names(x)
        values = _numbers(x, network.dtype)
        if values.size != network.architecture.n_in:
            raise ValueError(
                f"a step has {values.size} features, but {type(self.estimator).__name__} is "
                f"expecting {network.architecture.n_in}"
            )
        if not np.isfinite(values).all():
            raise ValueError(
                f"the step contains NaN, infinity or what is too large for {values.dtype}; "
                "expected finite numbers"
            )
        return values

    def _check_names(self, x):
        """Check the names of a row of a DataFrame, whichever form it has."""
        is_series = hasattr(x, "to_frame") and hasattr(x, "index")
        names = list(x.index if is_series else getattr(x, "columns", ()))
        if names == list(self.estimator.feature_names_in_):
            return  # as nearly always, and quickly
        if is_series and all(isinstance(name, str) for name in names):
            x = x.to_frame().T
        if hasattr(x, "columns"):
            self.estimator._check_names([x])

    def _row(self, code):
        """The numbers that stand for a symbol."""
        embedding = self._network.embedding
        return embedding.table[code, : embedding.n_out]

    def _memory(self):
        """What the steps so far have left, in arrays that the next one does not overwrite."""
        states = [state.copy() for layer in self._layers for state in layer.states()]
        pooled = None if self._pooled is None else self._pooled.copy()
        scores = None if self._scores is None else self._scores.copy()
        return self.n_steps, pooled, scores, states

    def _recall(self, memory):
        self.n_steps, self._pooled, self._scores, states = memory
        places = [place for layer in self._layers for place in layer.states()]
        for place, state in zip(places, states, strict=True):
            place[:] = state

    def __getstate__(self):
        return {"estimator": self.estimator, "memory": self._memory()}

    def __setstate__(self, state):
        self.estimator = state["estimator"]
        self._build()
        self._recall(state["memory"])


class SymbolStream(Stream):
    """A stream of a language model, which reads symbols by their codes, too."""

    @property
    def scores(self):
        """The scores of all symbols to come next (1, n_out), in memory that a step overwrites."""
        return self._scores

    def begin(self, mark):
        """Read the code of what stands before a sequence and is none of its steps."""
        self.push_code(mark)
        self.n_steps = 0

    def push_code(self, code):
        """Read the symbol with this code."""
        self._advance(self._row(code))


def _numbers(x, dtype):
    """What was given as a step, a number or several, as a 1-D array of real numbers."""
    if type(x) is not np.ndarray or x.dtype.kind not in "fiub":
        is_number = not isinstance(x, list | tuple) and np.ndim(x) == 0
        x = as_numbers(np.atleast_1d(x) if is_number else x, "the step")
    if x.dtype != dtype:
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
            x = x.astype(dtype)
    return x.reshape(-1)
