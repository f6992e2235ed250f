"""States of the cells that keep them twice: plain, and as the recurrent product reads them.

h    (n_states, H)              states
z    (n_states, >= column + H)  from `column` on: h * mask
mask (B or 0, H)                one row for each sequence, the same at all steps; no rows: h itself
"""

from .launch import over
from .primitives import cuda, kernel, part


@part
def remember(x, h, row, unit, z, column, mask, r):
    """A new state of the r-th sequence, in row `row`."""
    h[row, unit] = x
    z[row, column + unit] = x * mask[r, unit] if mask.shape[0] > 0 else x


@kernel
def entered(h, z, column, mask, B):
    H = h.shape[1]
    for e in range(cuda.grid(1), B * H, cuda.gridsize(1)):
        remember(h[e // H, e % H], h, e // H, e % H, z, column, mask, e // H)


def enter(h, z, column, mask, B):
    """The initial states, which stand in the first B rows of h alone, into z."""
    over(entered, B * h.shape[1], h, z, column, mask, B)
