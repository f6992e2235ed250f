"""Schedules: the factor on the learning rate, update by update. A schedule holds settings only.

``"cosine"`` names one with its usual settings; ``StepDecay(every=5)`` gives others, searchable like
those of a solver.

A factor depends on the arguments of ``factor`` alone, so that a resumed training goes on as if it had never
stopped.
"""

import math
from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions

from ._named import Named, named

__all__ = [
    "SCHEDULES",
    "Constant",
    "CosineDecay",
    "ExponentialDecay",
    "ReduceOnPlateau",
    "StepDecay",
    "WarmUp",
]

_COUNT = [Interval(Integral, 1, None, closed="left")]
_GAMMA = [Interval(Real, 0, 1, closed="right")]
_SHARE = [Interval(Real, 0, 1, closed="both")]


class Schedule(Named):
    """Base of the schedules."""

    def factor(self, epoch, step, n_steps, max_iter, losses, updates=None):
        """What to multiply the learning rate by, for one update.

        Parameters
        ----------
        epoch : int
            Whole passes over the data since the first update.
        step : int
            Updates in this epoch so far.
        n_steps : int
            Updates of this epoch in all.
        max_iter : int
            How many epochs there are to be at most, in all.
        losses : list of float
            The mean loss of each epoch so far; of a longer list, the first `epoch` count.
        updates : int or None, default=None
            Updates in all epochs so far, which may have been of other sizes; None: they were not.

        Returns
        -------
        factor : float
        """
        raise NotImplementedError


class Constant(Schedule):
    """The learning rate stays as it is.

    Examples
    --------
    >>> from seqlearn_lstm.schedules import Constant
    >>> Constant().factor(epoch=7, step=0, n_steps=10, max_iter=100, losses=[])
    1.0
    """

    def factor(self, epoch, step, n_steps, max_iter, losses, updates=None):
        return 1.0


class StepDecay(Schedule):
    """The learning rate drops at regular intervals.

    Parameters
    ----------
    every : int, default=10
        Number of epochs from drop to drop.
    gamma : float, default=0.1
        What each drop multiplies the learning rate by, in (0, 1]. As in PyTorch's `StepLR`.

    Examples
    --------
    >>> from seqlearn_lstm.schedules import StepDecay
    >>> StepDecay(every=5, gamma=0.5).factor(epoch=10, step=0, n_steps=10, max_iter=100, losses=[])
    0.25
    """

    _parameter_constraints = {"every": _COUNT, "gamma": _GAMMA}

    def __init__(self, every=10, gamma=0.1):
        self.every = every
        self.gamma = gamma

    def factor(self, epoch, step, n_steps, max_iter, losses, updates=None):
        return float(self.gamma ** (epoch // int(self.every)))


class ExponentialDecay(Schedule):
    """The learning rate shrinks with each epoch, after a few at the full rate.

    Parameters
    ----------
    gamma : float, default=0.97
        What each later epoch multiplies the learning rate by, in (0, 1].
    start : int, default=10
        Number of epochs at the full rate, before it shrinks. The defaults are those of Karpathy's
        char-rnn; with ``start=1`` this is PyTorch's `ExponentialLR`.

    Examples
    --------
    >>> from seqlearn_lstm.schedules import ExponentialDecay
    >>> decay = ExponentialDecay(gamma=0.5, start=10)
    >>> [decay.factor(epoch, 0, 10, 100, []) for epoch in (0, 9, 10, 11)]
    [1.0, 1.0, 0.5, 0.25]
    """

    _parameter_constraints = {"gamma": _GAMMA, "start": _COUNT}

    def __init__(self, gamma=0.97, start=10):
        self.gamma = gamma
        self.start = start

    def factor(self, epoch, step, n_steps, max_iter, losses, updates=None):
        return float(self.gamma ** max(0, epoch - int(self.start) + 1))


class CosineDecay(Schedule):
    """The learning rate falls along half a cosine, update by update, to a floor at `max_iter`.

    It depends on `max_iter`: a training that goes on with a larger one follows another cosine. A
    pass of `partial_fit` counts as an epoch; after `max_iter` of them the rate stays at the floor.

    Parameters
    ----------
    floor : float, default=0.0
        The factor at the end, in [0, 1].

    References
    ----------
    Loshchilov, I., and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR
    2017; here without restarts.

    Examples
    --------
    >>> from seqlearn_lstm.schedules import CosineDecay
    >>> CosineDecay().factor(epoch=50, step=0, n_steps=10, max_iter=100, losses=[])
    0.5
    """

    _parameter_constraints = {"floor": _SHARE}

    def __init__(self, floor=0.0):
        self.floor = floor

    def factor(self, epoch, step, n_steps, max_iter, losses, updates=None):
        done = min(1.0, (epoch + step / n_steps) / max_iter)
        # cos(pi / 2) is not quite zero in floating point, this is.
        height = 0.5 + 0.5 * math.sin(math.pi * (0.5 - done))
        return float(self.floor + (1 - self.floor) * height)


class WarmUp(Schedule):
    """The learning rate grows linearly from almost nothing; then another schedule takes over.

    Update 1, 2, ... of the first k has 1 / k, 2 / k, ... of the rate that `then` gives; that
    schedule, too, counts from the start of the training.

    Parameters
    ----------
    length : int, default=1
        How long it takes.
    unit : {"epochs", "updates"}, default="epochs"
        What `length` counts.
    then : str or schedule object, default="constant"
        The other schedule: a name of `SCHEDULES` or an object, searchable as ``then__gamma``.

    References
    ----------
    Goyal, P., et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour",
    arXiv:1706.02677, 2017.

    Examples
    --------
    >>> from seqlearn_lstm.schedules import WarmUp
    >>> warm_up = WarmUp(4, unit="updates", then="cosine")
    >>> warm_up.factor(epoch=0, step=0, n_steps=10, max_iter=100, losses=[])
    0.25
    """

    _parameter_constraints = {
        "length": _COUNT,
        "unit": [StrOptions({"epochs", "updates"})],
        "then": "no_validation",  # `make_schedule` does
    }

    @property
    def _tables(self):
        return {"then": SCHEDULES}

    def __init__(self, length=1, unit="epochs", then="constant"):
        self.length = length
        self.unit = unit
        self.then = then

    def check(self):
        """Raise ValueError where a setting is out of range or `then` is no name of a schedule, TypeError
        where it is neither a name nor a schedule.
        """
        super().check()
        make_schedule(self.then)

    def factor(self, epoch, step, n_steps, max_iter, losses, updates=None):
        done, length = epoch * n_steps + step, int(self.length)
        if self.unit == "epochs":
            length *= n_steps
        elif updates is not None:
            done = updates
        warmth = min(1.0, (done + 1) / length)
        then = make_schedule(self.then)
        return warmth * then.factor(epoch, step, n_steps, max_iter, losses, updates)


class ReduceOnPlateau(Schedule):
    """The learning rate drops whenever the loss has stopped falling.

    An epoch makes progress if its mean loss is lower than the best so far by more than `tol`, the
    estimator's own rule.

    Parameters
    ----------
    gamma : float, default=0.1
        What each drop multiplies the learning rate by, in (0, 1].
    patience : int, default=5
        How many epochs in a row without progress lead to a drop, as in Keras (PyTorch waits for one
        more); after a drop the count starts again. It should be below the estimator's
        `n_iter_no_change`, which ends the training; the default is therefore not 10, as it is there.
    tol : float, default=1e-4
        As the estimator's `tol`; PyTorch's `threshold` is relative by default.
    floor : float, default=0.0
        The lowest factor, in [0, 1].

    Examples
    --------
    >>> from seqlearn_lstm.schedules import ReduceOnPlateau
    >>> ReduceOnPlateau(patience=2).factor(3, 0, 10, 100, losses=[1.0, 1.0, 1.0])
    0.1
    """

    _parameter_constraints = {
        "gamma": _GAMMA,
        "patience": _COUNT,
        "tol": [Interval(Real, 0, None, closed="left")],
        "floor": _SHARE,
    }

    def __init__(self, gamma=0.1, patience=5, tol=1e-4, floor=0.0):
        self.gamma = gamma
        self.patience = patience
        self.tol = tol
        self.floor = floor

    def factor(self, epoch, step, n_steps, max_iter, losses, updates=None):
        best, waited, drops = math.inf, 0, 0
        for loss in losses[:epoch]:
            waited = 0 if loss < best - self.tol else waited + 1
            best = min(best, loss)
            if waited == self.patience:
                waited, drops = 0, drops + 1
        return float(max(self.floor, self.gamma**drops))


SCHEDULES = {
    "constant": Constant,
    "cosine": CosineDecay,
    "exponential": ExponentialDecay,
    "reduce_on_plateau": ReduceOnPlateau,
    "step": StepDecay,
    "warm_up": WarmUp,
}


def make_schedule(schedule):
    """The schedule that a name or an object stands for, its settings checked.

    Raises
    ------
    ValueError
        If it is a name that is not known, or a setting is out of range.
    TypeError
        If it is neither a name nor a schedule.
    """
    return named("schedule", SCHEDULES, Schedule, schedule)
