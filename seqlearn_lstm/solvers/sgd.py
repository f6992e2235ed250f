"""Stochastic gradient descent."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from .base import Solver


class SGD(Solver):
    """Stochastic gradient descent, with momentum.

    ``velocity = momentum * velocity + gradient``; then ``theta -= learning_rate * velocity`` or,
    with `nesterov`, ``theta -= learning_rate * (gradient + momentum * velocity)``.

    Parameters
    ----------
    momentum : float, default=0.9
        Decay of the velocity, in [0, 1). The default of PyTorch and Keras is 0.
    nesterov : bool, default=True
        Whether to look ahead along the velocity. The default of PyTorch and Keras is False.

    References
    ----------
    Sutskever, I., J. Martens, G. Dahl and G. Hinton, "On the importance of initialization
    and momentum in deep learning", ICML 2013.

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

    def _update(self, kernels, arrays, state, rate, scale, n_jobs):
        kernels.sgd(*arrays, scale, rate, float(self.momentum), bool(self.nesterov), n_jobs)
