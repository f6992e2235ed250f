"""Solver steps: one pass over the flat parameters, a thread for each.

theta gradient, and the state: velocity square change (n,); the gradient is multiplied by `scale`
first (clipping), and g is the product. The scale lies on the device, (1,) float64; the other
numbers have the dtype of the arrays. `rest` is 1 - rho, from the host, for in float32 that
difference would have lost most digits of a small one.
"""

import math

import numpy as np

from .launch import over
from .memory import Scratch
from .numbers import as_array, take_slots
from .primitives import cuda, kernel
from .reduce import put_squares

_scratch = Scratch()


def update(step, arrays, scale, *numbers):
    """Launch a step over arrays of one length, and hand it its numbers in their dtype."""
    numbers = map(arrays[0].dtype.type, numbers)
    over(step, arrays[0].size, *arrays, as_array(scale), *numbers)


def clip_scale(gradients, limit, n_jobs):
    """The norm of flat arrays together, and the scale that makes it at most `limit`."""
    squares = _scratch.array("squares", len(gradients), np.float64)
    for k, gradient in enumerate(gradients):
        put_squares(gradient, squares[k : k + 1])
    out, numbers = take_slots(2)
    over(_clip_scale, 1, squares, limit, out)
    return tuple(numbers)


def clip_values(gradient, limit, n_jobs):
    """Every element between -limit and limit; not-a-number stays: a diverged training shows."""
    over(_clip_values, gradient.size, gradient, gradient.dtype.type(limit))


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
def _clip_scale(squares, limit, out):
    """out (2,): the root of the sum of the squares, and the scale."""
    if cuda.grid(1) == 0:
        total = 0.0
        for k in range(squares.shape[0]):
            total += squares[k]
        norm = math.sqrt(total)
        out[0] = norm
        out[1] = limit / norm if norm > limit else 1.0


@kernel
def _clip_values(gradient, limit):
    for k in range(cuda.grid(1), gradient.shape[0], cuda.gridsize(1)):
        if gradient[k] > limit:
            gradient[k] = limit
        elif gradient[k] < -limit:
            gradient[k] = -limit


@kernel
def _descend(theta, gradient, scale, rate):
    factor = theta.dtype.type(scale[0])
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        theta[k] -= (gradient[k] * factor) * rate


@kernel
def _sgd(theta, gradient, velocity, scale, rate, momentum):
    factor = theta.dtype.type(scale[0])
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        speed = velocity[k] * momentum + gradient[k] * factor
        velocity[k] = speed
        theta[k] -= speed * rate


@kernel
def _nesterov(theta, gradient, velocity, scale, rate, momentum):
    factor = theta.dtype.type(scale[0])
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        g = gradient[k] * factor
        speed = velocity[k] * momentum + g
        velocity[k] = speed
        theta[k] -= (speed * momentum + g) * rate


@kernel
def _rmsprop(theta, gradient, square, scale, rate, rho, rest, epsilon):
    factor = theta.dtype.type(scale[0])
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        g = gradient[k] * factor
        mean = square[k] * rho + (g * g) * rest
        square[k] = mean
        theta[k] -= (g * rate) / (math.sqrt(mean) + epsilon)


@kernel
def _adagrad(theta, gradient, square, scale, rate, epsilon):
    factor = theta.dtype.type(scale[0])
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        g = gradient[k] * factor
        total = square[k] + g * g
        square[k] = total
        theta[k] -= (g * rate) / (math.sqrt(total) + epsilon)


@kernel
def _adadelta(theta, gradient, square, change, scale, rate, rho, rest, epsilon):
    factor = theta.dtype.type(scale[0])
    for k in range(cuda.grid(1), theta.shape[0], cuda.gridsize(1)):
        g, before = gradient[k] * factor, change[k]
        mean = square[k] * rho + (g * g) * rest
        square[k] = mean
        step = g * math.sqrt((before + epsilon) / (mean + epsilon))
        change[k] = before * rho + (step * step) * rest
        theta[k] -= step * rate
