"""Solver steps of Adam and its kin: as `updates`, with running means of g and of its square.

theta gradient, and the state: m v largest (n,); g is the gradient times `scale`
rate                learning rate / (1 - beta_1^t), t = 1, 2, ... the number of the update
root_correction     1 / sqrt(1 - beta_2^t)
rest_1 rest_2       1 - beta_1, 1 - beta_2, from the host: see `updates`
"""

import math

from .primitives import cuda, kernel, part
from .updates import update


def adam(
    theta, gradient, m, v, scale, rate, decay, beta_1, beta_2, root_correction, epsilon, n_jobs
):  # fmt: skip
    """Kingma and Ba 2015; `decay` of theta goes, too: Loshchilov and Hutter 2019."""
    betas = beta_1, 1 - beta_1, beta_2, 1 - beta_2
    update(_adam, (theta, gradient, m, v), scale, rate, decay, *betas, root_correction, epsilon)


def amsgrad(
    theta, gradient, m, v, largest, scale, rate, beta_1, beta_2, root_correction, epsilon, n_jobs
):  # fmt: skip
    """Reddi et al. 2018: the largest v so far in place of v."""
    betas = beta_1, 1 - beta_1, beta_2, 1 - beta_2
    arrays = theta, gradient, m, v, largest
    update(_amsgrad, arrays, scale, rate, *betas, root_correction, epsilon)


def nadam(
    theta, gradient, m, v, scale, gradient_rate, rate, beta_1, beta_2, root_correction, epsilon,
    n_jobs,
):  # fmt: skip
    """Dozat 2016: gradient_rate * g + rate * m, the rates with all corrections for the means."""
    betas = beta_1, 1 - beta_1, beta_2, 1 - beta_2
    rates = gradient_rate, rate
    update(_nadam, (theta, gradient, m, v), scale, *rates, *betas, root_correction, epsilon)


@part
def _follow(gradient, m, v, k, scale, beta_1, rest_1, beta_2, rest_2):
    """Bring both means up to date; returns g and them."""
    g = gradient[k] * scale
    mean = m[k] * beta_1 + g * rest_1
    square = v[k] * beta_2 + (g * g) * rest_2
    m[k], v[k] = mean, square
    return g, mean, square


@kernel
def _adam(
    theta, gradient, m, v, scale, rate, decay, beta_1, rest_1, beta_2, rest_2, root_correction,
    epsilon,
):  # fmt: skip
    factor = theta.dtype.type(scale[0])
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        _, mean, square = _follow(gradient, m, v, k, factor, beta_1, rest_1, beta_2, rest_2)
        step = (mean * rate) / (math.sqrt(square) * root_correction + epsilon)
        # Not theta * (1 - decay): that number has lost most digits of a small decay.
        theta[k] -= theta[k] * decay + step


@kernel
def _amsgrad(
    theta, gradient, m, v, largest, scale, rate, beta_1, rest_1, beta_2, rest_2, root_correction,
    epsilon,
):  # fmt: skip
    factor = theta.dtype.type(scale[0])
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        _, mean, square = _follow(gradient, m, v, k, factor, beta_1, rest_1, beta_2, rest_2)
        if largest[k] > square:
            square = largest[k]
        largest[k] = square
        step = (mean * rate) / (math.sqrt(square) * root_correction + epsilon)
        theta[k] -= step


@kernel
def _nadam(
    theta, gradient, m, v, scale, gradient_rate, rate, beta_1, rest_1, beta_2, rest_2,
    root_correction, epsilon,
):  # fmt: skip
    factor = theta.dtype.type(scale[0])
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        g, mean, square = _follow(gradient, m, v, k, factor, beta_1, rest_1, beta_2, rest_2)
        step = (mean * rate + g * gradient_rate) / (math.sqrt(square) * root_correction + epsilon)
        theta[k] -= step
