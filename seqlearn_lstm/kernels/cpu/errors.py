"""Losses of numbers: the error of each output, squared, absolute or Huber's.

scores (n, Cp) padded; targets (n, k) float64; the error is scores - targets
"""

import math

from .compile import kernel, part

SQUARED, ABSOLUTE, HUBER = 0, 1, 2


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
def regression_loss(scores, targets, weights, total_weight, kind, delta):
    """sum_r weights[r] mean_j loss(scores[r, j] - targets[r, j]) / total_weight; scores become its
    gradient.

    weights (n,) float64, zero: the row does not count. Returns the loss as float64.
    """
    n, outputs = targets.shape
    loss = 0.0
    for row in range(n):
        weight = weights[row] / (total_weight * outputs)
        for j in range(outputs):
            if weight == 0.0:
                scores[row, j] = 0.0
                continue
            value, slope = error_loss(scores[row, j] - targets[row, j], kind, delta)
            loss += weight * value
            scores[row, j] = weight * slope
        for j in range(outputs, scores.shape[1]):
            scores[row, j] = 0.0
    return loss
