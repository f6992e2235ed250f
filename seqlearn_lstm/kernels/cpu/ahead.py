"""The products of the inputs with their weights, of all steps before the first one.

A step then needs the recurrent weights alone, of which more stay in the cache. Sums are continued where
they were left: the bits are the same.
"""

from .areas import columns_of, rows_of
from .blocks import GATES
from .compile import part
from .simd import at
from .target import VECTOR_BYTES
from .tile import tile

WEIGHTS_IN_CACHE = 2**20  # bytes; as many are left for what is multiplied
MOST_ROWS = 64  # of a step: with more, the products take longer than reading the weights


@part
def is_worth_it(W, live, kept):
    """Whether there is room for the products of all steps, and each step would wait for its weights."""
    large = W.size * W.itemsize > WEIGHTS_IN_CACHE
    return large and live[0] <= MOST_ROWS and live.shape[0] > 1 and kept[1] > 0


@part
def multiply_ahead(out, columns, z, W, K, first_row, last_row, live, slots, kept, area):
    """Where it gains, out (n_slots, columns), panelled, = z @ W, but from row `first_row` to row
    `last_row` of W (K, columns) alone: for a share's area.
    """
    if not is_worth_it(W, live, kept):
        return
    L, ldz, n_slots = VECTOR_BYTES // W.itemsize, z.shape[1], out.shape[0] // columns
    left, right = columns_of(area, columns)
    for q in range(left, right, GATES * L):
        width = min(GATES * L, columns - q)
        for t in range(live.shape[0]):
            for j in range(area.n_blocks):
                first, last = rows_of(j, area)
                rows = min(last, live[t]) - first
                if rows <= 0:
                    break
                tile(
                    rows, width // L, at(out, q * n_slots + (slots[t] + first) * width), width,
                    at(z, (slots[t] + first) * ldz + first_row), ldz, 1, 1, 0,
                    at(W, q * K + first_row * width), width, last_row - first_row, 0,
                )  # fmt: skip
