"""What bends the sums, for single numbers; `one` is 1 in their dtype."""

import math

from .primitives import part


@part
def sigmoid(x, one):
    """Right for large sums too: nothing overflows."""
    e = math.exp(-abs(x))
    return (one if x >= 0 else e) / (one + e)
