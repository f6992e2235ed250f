"""Solvers: how parameters follow their gradients. A solver holds settings; its state is arrays that
the training loop keeps.

``solver="adam"`` names one with its usual settings; ``solver=Adam(beta_1=0.8)`` gives others,
searchable as ``solver__beta_1``. The learning rate belongs to the estimator.
"""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, validate_parameter_constraints

__all__ = ["SGD", "Adam"]


class _Solver(BaseEstimator):
    _parameter_constraints = {}
    _slots = ()  # names of the state's arrays, each like theta

    def check(self):
        """Raise ValueError where a setting is out of range."""
        validate_parameter_constraints(
            self._parameter_constraints,
            self.get_params(deep=False),
            caller_name=type(self).__name__,
        )

    def start(self, kernels, theta):
        """The state before the first update: {name: array like theta}, and the number of
        updates.
        """
        arrays = {name: kernels.zeros(theta.shape, theta.dtype) for name in self._slots}
        return {"n_updates": 0, **arrays}


class Adam(_Solver):
    """Adam: steps scaled by running means of the gradient and of its square.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the running mean of the gradient, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the running mean of the squared gradient, in [0, 1).
    epsilon : float, default=1e-8
        Added to the root of the latter, above 0.

    References
    ----------
    D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.

    Examples
    --------
    >>> from seqlearn_lstm import LSTMClassifier
    >>> from seqlearn_lstm.solvers import Adam
    >>> LSTMClassifier(solver=Adam(beta_1=0.8)).get_params()["solver__beta_1"]
    0.8
    """

    _parameter_constraints = {
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
    }
    _slots = ("mean", "square")

    def __init__(self, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def step(self, kernels, theta, gradient, state, learning_rate, scale, n_jobs):
        """Update theta and the state in place; the gradient counts `scale` times."""
        state["n_updates"] += 1
        t = state["n_updates"]
        rate = learning_rate / (1 - self.beta_1**t)
        root_correction = 1 / np.sqrt(1 - self.beta_2**t)
        kernels.adam(
            theta, gradient, state["mean"], state["square"], scale, rate, float(self.beta_1),
            float(self.beta_2), root_correction, float(self.epsilon), n_jobs,
        )  # fmt: skip


class SGD(_Solver):
    """Stochastic gradient descent, with momentum.

    ``velocity = momentum * velocity + gradient``; then ``theta -= learning_rate * velocity`` or,
    with `nesterov`, ``theta -= learning_rate * (gradient + momentum * velocity)``.

    Parameters
    ----------
    momentum : float, default=0.9
        In [0, 1).
    nesterov : bool, default=True
        Whether to look ahead along the velocity.

    References
    ----------
    I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization and momentum in deep learning",
    ICML 2013.

    Examples
    --------
    >>> from seqlearn_lstm.solvers import SGD
    >>> SGD(momentum=0.0)
    SGD(momentum=0.0)
    """

    _parameter_constraints = {
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "nesterov": ["boolean"],
    }
    _slots = ("velocity",)

    def __init__(self, momentum=0.9, nesterov=True):
        self.momentum = momentum
        self.nesterov = nesterov

    def step(self, kernels, theta, gradient, state, learning_rate, scale, n_jobs):
        """Update theta and the state in place; the gradient counts `scale` times."""
        state["n_updates"] += 1
        kernels.sgd(
            theta, gradient, state["velocity"], scale, float(learning_rate), float(self.momentum),
            bool(self.nesterov), n_jobs,
        )  # fmt: skip


SOLVERS = {"adam": Adam, "sgd": SGD}


def step_rows(solver, kernels, table, rows, gradient, state, *settings):
    """Update some rows of a table and of its state; the others are not touched, as if they had not
    been in the batch at all ("lazy" in TensorFlow, `SparseAdam` in PyTorch).

    table, and the state's arrays  (n, width);  rows (k,) distinct;  gradient (k, width)
    """
    arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
    compact = state | {name: value[rows].reshape(-1) for name, value in arrays.items()}
    values = table[rows].reshape(-1)
    solver.step(kernels, values, gradient.reshape(-1), compact, *settings)
    table[rows] = values.reshape(gradient.shape)
    for name, value in arrays.items():
        value[rows] = compact.pop(name).reshape(gradient.shape)
    state.update(compact)


def make_solver(solver):
    """The solver that a name or an object stands for, its settings checked.

    Raises
    ------
    TypeError
        If it is neither a known name nor a solver.
    ValueError
        If a setting is out of range.
    """
    if isinstance(solver, str) and solver in SOLVERS:
        return SOLVERS[solver]()
    if not isinstance(solver, _Solver):
        raise TypeError(
            f"solver must be one of {sorted(SOLVERS)} or an object of seqlearn_lstm.solvers, got {solver!r}"
        )
    solver.check()
    return solver
