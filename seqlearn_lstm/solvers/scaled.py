"""Solvers that scale a gradient by the size of those before it, and keep no mean of the gradient
itself.

All add epsilon to the root, as PyTorch does; Keras adds it within the root of RMSprop and Adagrad.
"""

import math
from numbers import Real

from sklearn.utils._param_validation import Interval

from .base import Solver

_SHARE = [Interval(Real, 0, 1, closed="left")]
_POSITIVE = [Interval(Real, 0, None, closed="neither")]


class RMSprop(Solver):
    """Steps scaled by a running mean of the squared gradient.

    ``square = rho * square + (1 - rho) * gradient**2``;
    ``theta -= learning_rate * gradient / (sqrt(square) + epsilon)``.

    Parameters
    ----------
    rho : float, default=0.99
        Decay of the running mean, in [0, 1). PyTorch's default (its name is `alpha`); Keras and the
        lecture have 0.9.
    epsilon : float, default=1e-8
        Added to the root, above 0. Keras adds 1e-7 within the root.
    global_scale : bool, default=False
        True: use one running mean, of the squared norm of the whole gradient, instead of one per
        element, so that the step has the direction of the gradient. The table of an embedding has a
        scale of its own; all other parameters share one.

    References
    ----------
    Tieleman, T., and G. Hinton, "Lecture 6.5: rmsprop", COURSERA: Neural Networks for Machine
    Learning, 2012.

    Examples
    --------
    >>> from seqlearn_lstm.solvers import RMSprop
    >>> RMSprop(rho=0.95)
    RMSprop(rho=0.95)
    """

    _parameter_constraints = {
        "rho": _SHARE,
        "epsilon": _POSITIVE,
        "global_scale": ["boolean"],
    }

    def __init__(self, rho=0.99, epsilon=1e-8, global_scale=False):
        self.rho = rho
        self.epsilon = epsilon
        self.global_scale = global_scale

    @property
    def _slots(self):
        return () if self.global_scale else ("square",)

    def start(self, kernels, theta):
        """As of all solvers; a global scale is a number."""
        state = super().start(kernels, theta)
        return state | {"square": 0.0} if self.global_scale else state

    def _update(self, kernels, arrays, state, rate, scale, n_jobs):
        rho, epsilon = float(self.rho), float(self.epsilon)
        if not self.global_scale:
            kernels.rmsprop(*arrays, scale, rate, rho, epsilon, n_jobs)
            return
        theta, gradient = arrays
        # Rows that are not there have no gradient: for `step_rows` the sum is that of the table.
        squares = float(scale) ** 2 * float(kernels.sum_of_squares(gradient, n_jobs))
        state["square"] = rho * state["square"] + (1 - rho) * squares
        kernels.descend(
            theta, gradient, scale, rate / (math.sqrt(state["square"]) + epsilon), n_jobs
        )


class Adagrad(Solver):
    """Steps scaled by the sum of all squared gradients so far.

    ``square += gradient**2``; ``theta -= learning_rate * gradient / (sqrt(square) + epsilon)``.

    Parameters
    ----------
    initial_square : float, default=0.0
        What the sum begins with, not below 0. PyTorch's default; Keras has 0.1.
    epsilon : float, default=1e-10
        Added to the root, above 0. Keras adds 1e-7 within the root.

    References
    ----------
    Duchi, J., E. Hazan and Y. Singer, "Adaptive Subgradient Methods for Online Learning and
    Stochastic Optimization", JMLR 12, 2011.

    Examples
    --------
    >>> from seqlearn_lstm.solvers import Adagrad
    >>> Adagrad(initial_square=0.1)
    Adagrad(initial_square=0.1)
    """

    _parameter_constraints = {
        "initial_square": [Interval(Real, 0, None, closed="left")],
        "epsilon": _POSITIVE,
    }
    _slots = ("square",)

    def __init__(self, initial_square=0.0, epsilon=1e-10):
        self.initial_square = initial_square
        self.epsilon = epsilon

    def start(self, kernels, theta):
        """As of all solvers, from `initial_square` on."""
        state = super().start(kernels, theta)
        state["square"][...] = self.initial_square
        return state

    def _update(self, kernels, arrays, state, rate, scale, n_jobs):
        kernels.adagrad(*arrays, scale, rate, float(self.epsilon), n_jobs)


class Adadelta(Solver):
    """Steps whose size follows that of the steps before.

    ``square = rho * square + (1 - rho) * gradient**2``;
    ``step = gradient * sqrt((change + epsilon) / (square + epsilon))``;
    ``change = rho * change + (1 - rho) * step**2``; ``theta -= learning_rate * step``.

    The paper has no learning rate: it is ``learning_rate=1.0`` of the estimator, whose default is
    far too small for this solver.

    Parameters
    ----------
    rho : float, default=0.9
        Decay of both running means, in [0, 1). PyTorch's default; Keras and the paper have 0.95.
    epsilon : float, default=1e-6
        Added to both means, above 0. It sets the size of the first steps. Keras has 1e-7.

    References
    ----------
    Zeiler, M. D., "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701, 2012.

    Examples
    --------
    >>> from seqlearn_lstm import LSTMClassifier
    >>> from seqlearn_lstm.solvers import Adadelta
    >>> LSTMClassifier(solver=Adadelta(), learning_rate=1.0)
    LSTMClassifier(learning_rate=1.0, solver=Adadelta())
    """

    _parameter_constraints = {"rho": _SHARE, "epsilon": _POSITIVE}
    _slots = ("square", "change")

    def __init__(self, rho=0.9, epsilon=1e-6):
        self.rho = rho
        self.epsilon = epsilon

    def _update(self, kernels, arrays, state, rate, scale, n_jobs):
        kernels.adadelta(*arrays, scale, rate, float(self.rho), float(self.epsilon), n_jobs)
