"""Losses of numbers: the error of each output, squared, absolute or Huber's.

scores (n, k); targets (n, k) float64; the error is scores - targets, and float64: one thread each.
"""

import math

import numpy as np

from .launch import over
from .memory import Scratch
from .primitives import cuda, kernel, part
from .reduce import total

SQUARED, ABSOLUTE = 0, 1

_scratch = Scratch()


@part
def error_loss(error, kind, delta):
    """(loss, its derivative) of one error; Huber 1964: quadratic up to `delta`, linear beyond."""
    if kind == SQUARED:
        return error * error, 2.0 * error
    if kind == ABSOLUTE:
        return abs(error), math.copysign(1.0, error) if error != 0.0 else 0.0
    if abs(error) <= delta:
        return 0.5 * error * error, error
    return delta * (abs(error) - 0.5 * delta), math.copysign(delta, error)


@kernel
def _regression_loss(scores, targets, weights, total_weight, kind, delta, losses):
    """scores become the gradient; losses (n * k,): what each output adds to the loss."""
    n, outputs = targets.shape
    for k in range(cuda.grid(1), n * outputs, cuda.gridsize(1)):
        row, j = k // outputs, k % outputs
        weight = weights[row] / (total_weight * outputs)
        if weight == 0.0:
            scores[row, j] = 0
            losses[k] = 0
        else:
            value, slope = error_loss(scores[row, j] - targets[row, j], kind, delta)
            scores[row, j] = weight * slope
            losses[k] = weight * value


def regression_loss(scores, targets, weights, total_weight, kind, delta):
    """sum_r weights[r] mean_j loss(scores[r, j] - targets[r, j]) / total_weight; scores become its
    gradient.

    weights (n,) float64, zero: the row does not count. Returns the loss.
    """
    losses = _scratch.array("losses", targets.size, np.float64)
    args = (scores, targets, weights, total_weight, kind, delta, losses)
    over(_regression_loss, losses.size, *args)
    return total(losses)
