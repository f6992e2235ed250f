"""What a share computes of a step: some sequences and all units, or all sequences and some units; see
`split`. Sequences come in blocks of rows.
"""

from typing import NamedTuple

from .blocks import GATES
from .compile import part
from .target import TILE_ROWS
from .tile import PANEL_VECTORS


class Area(NamedTuple):
    """Some sequences and some units.

    Attributes
    ----------
    begin, end : int
        First and last + 1 of the sequences.
    left, right : int
        First and last + 1 of the units, with padding; whole panels of vectors, but for the last.
    n_blocks : int
        Blocks that the sequences come in, of at most TILE_ROWS.
    """

    begin: int
    end: int
    left: int
    right: int
    n_blocks: int


@part
def steps_of(n, live):
    """The steps of the first n sequences together."""
    steps = 0
    for t in range(live.shape[0]):
        steps += min(n, live[t])
    return steps


@part
def cut(steps, live):
    """The smallest number of sequences, counted from the longest, that have at least `steps` steps
    together.
    """
    low, high = 0, live[0]
    while low < high:
        middle = (low + high) // 2
        if steps_of(middle, live) < steps:
            low = middle + 1
        else:
            high = middle
    return low


@part
def sequences_of(share, n_shares, live, n_padded):
    """A share's sequences, with all units.

    Shares are neighbours, with about as many steps each: where the rows of two threads alternate in
    memory, each slows down the other's writing.
    """
    steps = steps_of(live[0], live)
    begin = cut(share * steps // n_shares, live)
    end = cut((share + 1) * steps // n_shares, live)
    return Area(begin, end, 0, n_padded, (end - begin + TILE_ROWS - 1) // TILE_ROWS)


@part
def units_of(share, n_shares, live, n_padded, L):
    """A share's units, with all sequences."""
    panel = PANEL_VECTORS * L
    n = (n_padded + panel - 1) // panel
    left, right = share * n // n_shares * panel, (share + 1) * n // n_shares * panel
    n_blocks = (live[0] + TILE_ROWS - 1) // TILE_ROWS
    return Area(0, live[0], left, min(right, n_padded), n_blocks)


@part
def rows_of(j, area):
    """First and last + 1 of the sequences in the j-th of an area's blocks, about as many in each."""
    n, n_blocks = area.end - area.begin, area.n_blocks
    return area.begin + j * n // n_blocks, area.begin + (j + 1) * n // n_blocks


@part
def columns_of(area, columns):
    """First and last + 1 of the columns of the gates of an area's units, of `columns` in all."""
    return GATES * area.left, min(GATES * area.right, columns)
