"""Scores to probabilities, and to a loss and its gradient.

scores (n, Cp): C classes, padded to a multiple of the lanes L; rows are independent of each other.
"""

import math

from .activations import exp
from .compile import kernel, part
from .simd import largest, load, maximum, splat, store, total
from .target import VECTOR_BYTES

LOWEST = -math.inf  # the score of a class that does not exist


@part
def exp_row(scores, row, n_classes):
    """Replace a row of scores by exp(score - largest); returns the largest and the sum."""
    L = VECTOR_BYTES // scores.itemsize
    padded = scores.shape[1]
    for j in range(n_classes, padded):
        scores[row, j] = LOWEST
    top = load(scores, row * padded)
    for j in range(L, padded, L):
        top = maximum(load(scores, row * padded + j), top)
    highest = largest(top)
    sums = splat(scores, 0.0)
    for j in range(0, padded, L):
        value = exp(load(scores, row * padded + j) - highest)
        store(scores, row * padded + j, value)
        sums = sums + value
    for j in range(n_classes, padded):
        scores[row, j] = 0.0
    return highest, total(sums)


@kernel
def softmax(scores, n_classes):
    """Replace each row of scores by its softmax; padded classes become 0."""
    for row in range(scores.shape[0]):
        _, denominator = exp_row(scores, row, n_classes)
        for j in range(n_classes):
            scores[row, j] /= denominator


@kernel
def log_softmax(scores, out, n_classes):
    """out[:, :C] = log of softmax; scores become their exponentials."""
    for row in range(scores.shape[0]):
        for j in range(n_classes):
            out[row, j] = scores[row, j]
        highest, denominator = exp_row(scores, row, n_classes)
        shift = highest + math.log(denominator)
        for j in range(n_classes):
            out[row, j] -= shift


@kernel
def softmax_cross_entropy(scores, targets, weights, total_weight, n_classes):
    """The loss -sum_r weights[r] log softmax(scores[r])[targets[r]] / total_weight; scores become
    its gradient.

    targets (n,) int64, below zero: the row does not count; weights (n,) float64. Returns the loss
    as float64.
    """
    L = VECTOR_BYTES // scores.itemsize
    padded = scores.shape[1]
    loss = 0.0
    for row in range(scores.shape[0]):
        target = targets[row]
        if target < 0 or weights[row] == 0.0:
            for j in range(padded):
                scores[row, j] = 0.0
            continue
        score = scores[row, target]
        highest, denominator = exp_row(scores, row, n_classes)
        loss += weights[row] * (highest - score + math.log(denominator))
        weight = weights[row] / total_weight
        factor = splat(scores, weight / denominator)
        for j in range(0, padded, L):
            store(scores, row * padded + j, load(scores, row * padded + j) * factor)
        scores[row, target] -= weight
    return loss / total_weight
