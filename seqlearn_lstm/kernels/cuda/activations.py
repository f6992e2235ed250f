"""Activations of single numbers; `one` is 1 in their dtype."""

import math

from .primitives import part

TANH, RELU, SIGMOID, LINEAR = range(4)


@part
def sigmoid(x, one):
    """Right for large sums too: nothing overflows."""
    e = math.exp(-abs(x))
    return (one if x >= 0 else e) / (one + e)


@part
def squash(x, kind, one):
    """TANH, RELU, SIGMOID or LINEAR of a number."""
    if kind == TANH:
        return math.tanh(x)
    if kind == RELU:
        return one - one if x < one - one else x
    if kind == SIGMOID:
        return sigmoid(x, one)
    return x


@part
def unsquash(d, y, kind, one):
    """The gradient before an activation, from the gradient d behind it and its value y; where y is
    not a number d stays, or is none either: a diverged training shows.
    """
    if kind == TANH:
        return d * (one - y * y)
    if kind == RELU:
        return one - one if y <= one - one else d
    if kind == SIGMOID:
        return d * (y * (one - y))
    return d
