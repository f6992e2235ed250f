"""Scores to a loss and its gradient. scores (n, C): a warp for each row, a thread for every 32nd
class.
"""

import math

import numpy as np

from .launch import tiles_over
from .memory import Scratch
from .primitives import SIMULATED, cuda, first_row, kernel, row_step
from .reduce import total, warp_largest, warp_sum

WARP = 32
WARPS = 1 if SIMULATED else 4  # of a block

_scratch = Scratch()


@kernel
def _cross_entropy(scores, targets, weights, total_weight, n_classes, losses):
    """scores become the gradient; losses (n,) float64: weights[r] times the loss of row r."""
    lane = cuda.threadIdx.x
    for row in range(first_row(), scores.shape[0], row_step()):
        target, score = targets[row], scores.dtype.type(0)
        if target < 0 or weights[row] == 0.0:
            for j in range(lane, n_classes, WARP):
                scores[row, j] = 0
            if lane == 0:
                losses[row] = 0
            continue
        highest = scores.dtype.type(-math.inf)
        for j in range(lane, n_classes, WARP):
            value = scores[row, j]
            highest = value if value > highest else highest
            if j == target:
                score = value
        highest, denominator = warp_largest(highest), scores.dtype.type(0)
        for j in range(lane, n_classes, WARP):
            denominator += math.exp(scores[row, j] - highest)
        denominator = warp_sum(denominator)
        weight = scores.dtype.type(weights[row] / total_weight)
        factor = weight / denominator
        for j in range(lane, n_classes, WARP):
            slope = math.exp(scores[row, j] - highest) * factor
            scores[row, j] = slope - weight if j == target else slope
        if lane == target % WARP:  # the thread that saw the target's score
            losses[row] = weights[row] * (highest - score + math.log(denominator))


def softmax_cross_entropy(scores, targets, weights, total_weight, n_classes):
    """The loss -sum_r weights[r] log softmax(scores[r])[targets[r]] / total_weight; scores become
    its gradient.

    targets (n,) int64, below zero: the row does not count; weights (n,) float64. Returns the loss.
    """
    n = scores.shape[0]
    losses = _scratch.array("losses", n, np.float64)
    args = (scores, targets, weights, total_weight, n_classes, losses)
    tiles_over(_cross_entropy, -(-n // WARPS), (WARP, WARPS), *args)
    return total(losses) / total_weight
