"""The product of `gemm` that training takes most time for, by the matrix unit."""

from .amx import CONFIGURED, TILE_DEPTH, TILE_SIDE, configure, release
from .compile import kernel, part
from .share import hand_out
from .simd import at, load, stack, store
from .sliced_product import BLOCK, multiply_block
from .slices import PANEL, SLICED, depth_of, slice_pairs, slice_turned, tiles_of

# What a sum is made of at a time. The slices of so many rows of some hundred inputs fit the near cache.
ROWS_AT_A_TIME = 8 * TILE_DEPTH
BLOCK_ELEMENTS = BLOCK * BLOCK


@part
def slice_columns(right, j, begin, end, d, n, N, n_columns, d_rows, d_stride):
    """Slice the columns of d from `begin` to `end`, N rows from row n on, as a right factor."""
    tile, k = depth_of(N) * SLICED, begin
    while k < end:
        q = k // PANEL * PANEL
        width = min(PANEL, n_columns - q)
        start, stride = (q, d_stride) if d_stride > 0 else (q * d_rows, width)
        rest = min(q + width, end) - k
        place = j + (k - begin) // TILE_SIDE * tile
        slice_pairs(right, place, tile, d, start + n * stride + k - q, stride, rest, N)
        k += rest


@part
def put_block(rows, columns, source, target, t, stride, add):
    """Copy a block, or add it, to element t of `target` on; `columns` are whole vectors."""
    for r in range(rows):
        for k in range(0, columns, TILE_SIDE):
            x, place = load(source, r * BLOCK + k), t + r * stride + k
            store(target, place, load(target, place) + x if add else x)


@kernel
def outer(
    dW, left, right, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride, share, n_shares, launcher
):  # fmt: skip
    """As `gemm.outer`. A share is a range of columns.

    left   the unit's configuration, then room for slices of ROWS_AT_A_TIME rows of all inputs, for
           each share
    right  room for the slices of as many rows of all columns
    """
    if launcher != 0:
        hand_out()
        return
    lda, blocks = a.shape[1], (n_columns + BLOCK - 1) // BLOCK
    begin = share * blocks // n_shares * BLOCK
    end = min((share + 1) * blocks // n_shares * BLOCK, n_columns)
    deepest = depth_of(min(n_rows, ROWS_AT_A_TIME)) * SLICED
    i, j = CONFIGURED + share * tiles_of(n_inputs) * deepest, begin // TILE_SIDE * deepest
    block = stack(dW, BLOCK_ELEMENTS)
    configure(at(left, 0))
    for n in range(0, n_rows, ROWS_AT_A_TIME):
        N = min(ROWS_AT_A_TIME, n_rows - n)
        depth = depth_of(N)
        tile = depth * SLICED
        slice_turned(left, i, tile, a, n * lda, lda, n_inputs, N)
        slice_columns(right, j, begin, end, d, n, N, n_columns, d_rows, d_stride)
        for column in range(begin, end, BLOCK):
            q = column // PANEL * PANEL
            width = min(PANEL, n_columns - q)
            for k in range(0, n_inputs, BLOCK):
                rows, columns = min(BLOCK, n_inputs - k), min(BLOCK, end - column)
                multiply_block(
                    rows, columns, block, 0, BLOCK, left, i + k // TILE_SIDE * tile,
                    right, j + (column - begin) // TILE_SIDE * tile, depth,
                )  # fmt: skip
                place = q * n_inputs + k * width + column - q
                put_block(rows, columns, block, dW, place, width, n > 0)
    release()
