"""The entry points of clipping and of the solvers' updates: each a kernel and the size of its work."""

import math

import numpy as np

from . import moments, updates
from .layout import lanes, zeros
from .threads import run

_UPDATE_WORK, _SQUARE_WORK = 24, 4  # as many multiply-adds take as long as an element


def _update(kernel, arrays, numbers, n_jobs):
    """The kernel on all whole vectors, then on what is left, in a vector of its own."""
    n, L = arrays[0].size, lanes(arrays[0].dtype)
    run(kernel, (*arrays, *numbers), n_jobs, n * _UPDATE_WORK, n)
    left = n % L
    if left:
        vectors = [zeros(L, array.dtype) for array in arrays]
        for vector, array in zip(vectors, arrays, strict=True):
            vector[:left] = array[n - left :]
        run(kernel, (*vectors, *numbers), 1, L, L)
        for vector, array in zip(vectors, arrays, strict=True):
            array[n - left :] = vector[:left]


def sum_of_squares(x, n_jobs=1):
    sums = np.empty(-(-x.size // updates.CHUNK))
    run(updates.squares, (x, sums), n_jobs, x.size * _SQUARE_WORK, sums.size)
    found = float(sums.cumsum()[-1]) if sums.size else 0.0  # one after another
    # The squares of one chunk may be too large for float32, though no number of x is.
    return found if math.isfinite(found) else float(np.square(x, dtype=np.float64).sum())


def clip_scale(gradients, limit, n_jobs):
    norm = math.sqrt(sum(sum_of_squares(gradient, n_jobs) for gradient in gradients))
    return norm, limit / norm if norm > limit else 1.0


def clip_values(gradient, limit, n_jobs):
    _update(updates.clip_values, (gradient,), (limit,), n_jobs)


def descend(theta, gradient, scale, rate, n_jobs):
    _update(updates.descend, (theta, gradient), (scale, rate), n_jobs)


def sgd(theta, gradient, velocity, scale, rate, momentum, nesterov, n_jobs):
    numbers = (scale, rate, momentum, nesterov)
    _update(updates.sgd, (theta, gradient, velocity), numbers, n_jobs)


def rmsprop(theta, gradient, square, scale, rate, rho, epsilon, n_jobs):
    _update(updates.rmsprop, (theta, gradient, square), (scale, rate, rho, epsilon), n_jobs)


def adagrad(theta, gradient, square, scale, rate, epsilon, n_jobs):
    _update(updates.adagrad, (theta, gradient, square), (scale, rate, epsilon), n_jobs)


def adadelta(theta, gradient, square, change, scale, rate, rho, epsilon, n_jobs):
    arrays, numbers = (theta, gradient, square, change), (scale, rate, rho, epsilon)
    _update(updates.adadelta, arrays, numbers, n_jobs)


def adam(
    theta, gradient, m, v, scale, rate, decay, beta_1, beta_2, root_correction, epsilon, n_jobs
):  # fmt: skip
    numbers = (scale, rate, decay, beta_1, beta_2, root_correction, epsilon)
    _update(moments.adam, (theta, gradient, m, v), numbers, n_jobs)


def amsgrad(
    theta, gradient, m, v, largest, scale, rate, beta_1, beta_2, root_correction, epsilon, n_jobs
):  # fmt: skip
    numbers = (scale, rate, beta_1, beta_2, root_correction, epsilon)
    _update(moments.amsgrad, (theta, gradient, m, v, largest), numbers, n_jobs)


def nadam(
    theta, gradient, m, v, scale, gradient_rate, rate, beta_1, beta_2, root_correction, epsilon,
    n_jobs,
):  # fmt: skip
    numbers = (scale, gradient_rate, rate, beta_1, beta_2, root_correction, epsilon)
    _update(moments.nadam, (theta, gradient, m, v), numbers, n_jobs)
