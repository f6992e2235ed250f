"""Solver steps: one pass over the flat parameters, a thread for each.

theta gradient, and the state: velocity square change (n,); the gradient is multiplied by `scale`
first (clipping), and g is the product. The numbers have the dtype of the arrays; `rest` is 1 - rho,
from the host, for in float32 that difference would have lost most digits of a small one.
"""

import math

from .launch import over
from .primitives import cuda, kernel


def update(step, arrays, *numbers):
    """Launch a step over arrays of one length, and hand it its numbers in their dtype."""
    over(step, arrays[0].size, *arrays, *map(arrays[0].dtype.type, numbers))


def clip_values(gradient, limit, n_jobs):
    """Every element between -limit and limit; not-a-number stays: a diverged training shows."""
    update(_clip_values, (gradient,), limit)


def descend(theta, gradient, scale, rate, n_jobs):
    """theta -= rate * g."""
    update(_descend, (theta, gradient), scale, rate)


def sgd(theta, gradient, velocity, scale, rate, momentum, nesterov, n_jobs):
    """velocity = momentum * velocity + g; theta -= rate * velocity, or rate * (g + momentum *
    velocity) after Nesterov.
    """
    step = _nesterov if nesterov else _sgd
    update(step, (theta, gradient, velocity), scale, rate, momentum)


def rmsprop(theta, gradient, square, scale, rate, rho, epsilon, n_jobs):
    """square = rho * square + (1 - rho) * g^2; theta -= rate * g / (sqrt(square) + epsilon)."""
    update(_rmsprop, (theta, gradient, square), scale, rate, rho, 1 - rho, epsilon)


def adagrad(theta, gradient, square, scale, rate, epsilon, n_jobs):
    """square += g^2; theta -= rate * g / (sqrt(square) + epsilon)."""
    update(_adagrad, (theta, gradient, square), scale, rate, epsilon)


def adadelta(theta, gradient, square, change, scale, rate, rho, epsilon, n_jobs):
    """square as of `rmsprop`; step = g * sqrt((change + epsilon) / (square + epsilon));
    change = rho * change + (1 - rho) * step^2; theta -= rate * step.
    """
    update(_adadelta, (theta, gradient, square, change), scale, rate, rho, 1 - rho, epsilon)


@kernel
def _clip_values(gradient, limit):
    for k in range(cuda.grid(1), gradient.shape[0], cuda.gridsize(1)):
        if gradient[k] > limit:
            gradient[k] = limit
        elif gradient[k] < -limit:
            gradient[k] = -limit


@kernel
def _descend(theta, gradient, scale, rate):
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        theta[k] -= (gradient[k] * scale) * rate


@kernel
def _sgd(theta, gradient, velocity, scale, rate, momentum):
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        speed = velocity[k] * momentum + gradient[k] * scale
        velocity[k] = speed
        theta[k] -= speed * rate


@kernel
def _nesterov(theta, gradient, velocity, scale, rate, momentum):
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        g = gradient[k] * scale
        speed = velocity[k] * momentum + g
        velocity[k] = speed
        theta[k] -= (speed * momentum + g) * rate


@kernel
def _rmsprop(theta, gradient, square, scale, rate, rho, rest, epsilon):
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        g = gradient[k] * scale
        mean = square[k] * rho + (g * g) * rest
        square[k] = mean
        theta[k] -= (g * rate) / (math.sqrt(mean) + epsilon)


@kernel
def _adagrad(theta, gradient, square, scale, rate, epsilon):
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        g = gradient[k] * scale
        total = square[k] + g * g
        square[k] = total
        theta[k] -= (g * rate) / (math.sqrt(total) + epsilon)


@kernel
def _adadelta(theta, gradient, square, change, scale, rate, rho, rest, epsilon):
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        g, before = gradient[k] * scale, change[k]
        mean = square[k] * rho + (g * g) * rest
        square[k] = mean
        step = g * math.sqrt((before + epsilon) / (mean + epsilon))
        change[k] = before * rho + (step * step) * rest
        theta[k] -= step * rate
