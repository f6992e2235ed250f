"""Adam and its kin: steps scaled by running means of the gradient and of its square.

Keras has 1e-7 for epsilon throughout.
"""

import math
from numbers import Real

from sklearn.utils._param_validation import Interval

from .base import Solver

_SHARE = [Interval(Real, 0, 1, closed="left")]
_MOMENTS = {
    "beta_1": _SHARE,
    "beta_2": _SHARE,
    "epsilon": [Interval(Real, 0, None, closed="neither")],
}


class Adam(Solver):
    """Adam: steps scaled by running means of the gradient and of its square.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the running mean of the gradient, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the running mean of the squared gradient, in [0, 1).
    epsilon : float, default=1e-8
        Added to the square root of the latter, above 0.

    References
    ----------
    Kingma, D. P., and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.

    Examples
    --------
    >>> from seqlearn_lstm import LSTMClassifier
    >>> from seqlearn_lstm.solvers import Adam
    >>> LSTMClassifier(solver=Adam(beta_1=0.8)).get_params()["solver__beta_1"]
    0.8
    """

    _parameter_constraints = _MOMENTS
    _slots = ("mean", "square")

    def __init__(self, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def _numbers(self, t):
        """What ends the arguments of a kernel, at update t."""
        beta_1, beta_2 = float(self.beta_1), float(self.beta_2)
        return beta_1, beta_2, 1 / math.sqrt(1 - beta_2**t), float(self.epsilon)

    def _rate(self, rate, t):
        """The learning rate, with the correction for a mean that began with zero."""
        return rate / (1 - float(self.beta_1) ** t)

    def _update(self, kernels, arrays, state, rate, scale, n_jobs):
        t = state["n_updates"]
        kernels.adam(*arrays, scale, self._rate(rate, t), 0.0, *self._numbers(t), n_jobs)


class AMSGrad(Adam):
    """Adam that divides by the largest running mean of the squared gradient so far: its steps never
    grow where gradients vanish.

    With Adam's corrections for the first steps, as in PyTorch and Keras; the paper has none.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the running mean of the gradient, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the running mean of the squared gradient, in [0, 1).
    epsilon : float, default=1e-8
        Added to the square root of its largest value, above 0.

    References
    ----------
    Reddi, S. J., S. Kale and S. Kumar, "On the Convergence of Adam and Beyond", ICLR 2018,
    algorithm 2.

    Examples
    --------
    >>> from seqlearn_lstm.solvers import AMSGrad
    >>> AMSGrad(beta_2=0.99)
    AMSGrad(beta_2=0.99)
    """

    _slots = ("mean", "square", "largest")

    def _update(self, kernels, arrays, state, rate, scale, n_jobs):
        t = state["n_updates"]
        kernels.amsgrad(*arrays, scale, self._rate(rate, t), *self._numbers(t), n_jobs)


class AdamW(Adam):
    """Adam with a decay of the parameters that is not part of the gradient, so that it is neither
    averaged nor scaled.

    Each update takes ``learning_rate * weight_decay`` of each parameter away: of *all* parameters,
    biases too, as in PyTorch by default (the estimator's `alpha` spares biases). Of an embedding,
    only the rows of symbols in the batch decay. The paper does not multiply by the learning rate,
    only by its schedule.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the running mean of the gradient, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the running mean of the squared gradient, in [0, 1).
    epsilon : float, default=1e-8
        Added to the square root of the latter, above 0.
    weight_decay : float, default=0.01
        Strength of the decay, not below 0. PyTorch's default; Keras has 0.004.

    References
    ----------
    Loshchilov, I., and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, algorithm 2.

    Examples
    --------
    >>> from seqlearn_lstm.solvers import AdamW
    >>> AdamW(weight_decay=0.1)
    AdamW(weight_decay=0.1)
    """

    _parameter_constraints = {**_MOMENTS, "weight_decay": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, beta_1=0.9, beta_2=0.999, epsilon=1e-8, weight_decay=0.01):
        super().__init__(beta_1, beta_2, epsilon)
        self.weight_decay = weight_decay

    def _update(self, kernels, arrays, state, rate, scale, n_jobs):
        t, decay = state["n_updates"], rate * float(self.weight_decay)
        kernels.adam(*arrays, scale, self._rate(rate, t), decay, *self._numbers(t), n_jobs)


class Nadam(Adam):
    """Adam that looks ahead along the mean of the gradient, as Nesterov's momentum does.

    In place of `beta_1` the step uses ``mu_t = beta_1 * (1 - 0.96**(t * momentum_decay) / 2)``,
    which grows with the number t of the update.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the running mean of the gradient, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the running mean of the squared gradient, in [0, 1).
    epsilon : float, default=1e-8
        Added to the square root of the latter, above 0.
    momentum_decay : float, default=0.004
        How fast mu approaches `beta_1`, not below 0. As in the paper and PyTorch; Keras has 1.

    References
    ----------
    Dozat, T., "Incorporating Nesterov Momentum into Adam", ICLR 2016 workshop, algorithm 2.

    Examples
    --------
    >>> from seqlearn_lstm.solvers import Nadam
    >>> Nadam(beta_1=0.95)
    Nadam(beta_1=0.95)
    """

    _parameter_constraints = {
        **_MOMENTS,
        "momentum_decay": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, beta_1=0.9, beta_2=0.999, epsilon=1e-8, momentum_decay=0.004):
        super().__init__(beta_1, beta_2, epsilon)
        self.momentum_decay = momentum_decay

    def start(self, kernels, theta):
        """As of all solvers, and the product of all mu so far."""
        return super().start(kernels, theta) | {"mu_product": 1.0}

    def _mu(self, t):
        return float(self.beta_1) * (1 - 0.5 * 0.96 ** (t * float(self.momentum_decay)))

    def _update(self, kernels, arrays, state, rate, scale, n_jobs):
        t = state["n_updates"]
        mu, next_mu = self._mu(t), self._mu(t + 1)
        state["mu_product"] *= mu
        gradient_rate = rate * (1 - mu) / (1 - state["mu_product"])
        mean_rate = rate * next_mu / (1 - state["mu_product"] * next_mu)
        kernels.nadam(*arrays, scale, gradient_rate, mean_rate, *self._numbers(t), n_jobs)
