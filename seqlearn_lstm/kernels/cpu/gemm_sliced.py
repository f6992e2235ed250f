"""The products of `gemm` that training takes most time for, by the matrix unit."""

from .amx import CONFIGURED, TILE_DEPTH, TILE_SIDE, configure, release
from .compile import kernel, part
from .share import hand_out
from .simd import at, stack
from .sliced_product import BLOCK, BLOCK_ELEMENTS, multiply_block, put_block
from .slices import (
    PANEL,
    SLICED,
    depth_of,
    slice_pairs,
    slice_panels,
    slice_turned,
    tiles_of,
)
from .tile import tile

# What a sum is made of at a time, and how many columns are sliced for it: the slices of both, and what they are
# made of, leave the near cache some room.
ROWS_AT_A_TIME, COLUMNS_AT_A_TIME = 4 * TILE_DEPTH, 128
# So few inputs behind the last whole tile (the bias, of sizes that are powers of two) take less time without
# the unit than one more tile.
FEW_INPUTS = 4


@part
def whole_tiles(n_inputs):
    """How many of the inputs the unit multiplies."""
    rest = n_inputs % TILE_SIDE
    return n_inputs - rest if rest <= FEW_INPUTS else n_inputs


@part
def rest_of_panel(k, end, n_columns, d_rows, d_stride):
    """From column k to `end`, or to where its panel ends: the panel's first column and its width, how
    many columns they are, and where d has the first of them and how far apart its rows are.
    """
    q = k // PANEL * PANEL
    width = min(PANEL, n_columns - q)
    start, stride = (q, d_stride) if d_stride > 0 else (q * d_rows, width)
    return q, width, min(q + width, end) - k, start + k - q, stride


@part
def slice_columns(right, j, begin, end, d, n, N, n_columns, d_rows, d_stride):
    """Slice the columns of d from `begin` to `end`, N rows from row n on, as a right factor."""
    next_tile, k = depth_of(N) * SLICED, begin
    while k < end:
        _, _, columns, start, stride = rest_of_panel(k, end, n_columns, d_rows, d_stride)
        place = j + (k - begin) // TILE_SIDE * next_tile
        slice_pairs(right, place, next_tile, d, start + n * stride, stride, columns, N)
        k += columns


@part
def multiply_rest(
    dW, block, a, first, n_inputs, begin, end, d, n, N, n_columns, d_rows, d_stride
):  # fmt: skip
    """The rows of dW from `first` on, in the columns from `begin` to `end`: what N rows from row n on
    add to them.
    """
    lda, k = a.shape[1], begin
    while k < end:
        q, width, columns, start, stride = rest_of_panel(k, end, n_columns, d_rows, d_stride)
        tile(
            n_inputs - first, columns // TILE_SIDE, block, PANEL,
            at(a, n * lda + first), 1, lda, 1, 0, at(d, start + n * stride), stride, N, 0,
        )  # fmt: skip
        place = q * n_inputs + first * width + k - q
        put_block(n_inputs - first, columns, block, PANEL, dW, place, width, n > 0)
        k += columns


@part
def multiply_columns(
    dW, block, left, i, right, j, depth, whole, n_inputs, first, last, n_columns, add
):
    """The columns of dW from `first` to `last`, in its first `whole` rows: what the slices add to them."""
    next_tile = depth * SLICED
    for k in range(0, whole, BLOCK):
        for column in range(first, last, BLOCK):
            q = column // PANEL * PANEL
            width = min(PANEL, n_columns - q)
            rows, columns = min(BLOCK, whole - k), min(BLOCK, last - column)
            multiply_block(
                rows, columns, block, 0, BLOCK, left, i + k // TILE_SIDE * next_tile,
                right, j + (column - first) // TILE_SIDE * next_tile, depth,
            )  # fmt: skip
            place = q * n_inputs + k * width + column - q
            put_block(rows, columns, block, BLOCK, dW, place, width, add)


@kernel
def outer(
    dW, left, right, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride, share, n_shares, launcher
):  # fmt: skip
    """As `gemm.outer`. A share is a range of columns.

    left   the unit's configuration, then for each share room for slices of ROWS_AT_A_TIME rows of all
           inputs
    right  for each share room for the slices of as many rows of COLUMNS_AT_A_TIME columns
    """
    if launcher != 0:
        hand_out()
        return
    lda, blocks = a.shape[1], (n_columns + BLOCK - 1) // BLOCK
    begin = share * blocks // n_shares * BLOCK
    end = min((share + 1) * blocks // n_shares * BLOCK, n_columns)
    deepest, whole = depth_of(min(n_rows, ROWS_AT_A_TIME)) * SLICED, whole_tiles(n_inputs)
    i = CONFIGURED + share * tiles_of(whole) * deepest
    j = share * tiles_of(COLUMNS_AT_A_TIME) * deepest
    block = stack(dW, BLOCK_ELEMENTS)
    configure(at(left, 0))
    for n in range(0, n_rows, ROWS_AT_A_TIME):
        N = min(ROWS_AT_A_TIME, n_rows - n)
        depth = depth_of(N)
        slice_turned(left, i, depth * SLICED, a, n * lda, lda, whole, N)
        for first in range(begin, end, COLUMNS_AT_A_TIME):
            last = min(first + COLUMNS_AT_A_TIME, end)
            slice_columns(right, j, first, last, d, n, N, n_columns, d_rows, d_stride)
            multiply_columns(
                dW, block, left, i, right, j, depth, whole, n_inputs, first, last, n_columns, n > 0
            )
        if whole < n_inputs:
            multiply_rest(
                dW, block, a, whole, n_inputs, begin, end, d, n, N, n_columns, d_rows, d_stride
            )
    release()


@kernel
def multiply(out, left, right, a, a_rows, K, n_rows, n_columns, share, n_shares, launcher):
    """As `gemm.multiply`, of a panelled a. A share is a range of rows.

    left   the unit's configuration, then room for the slices of a block of rows for each share
    right  b, sliced
    """
    if launcher != 0:
        hand_out()
        return
    ldo, depth, blocks = out.shape[1], depth_of(K), (n_rows + BLOCK - 1) // BLOCK
    i, block = CONFIGURED + share * tiles_of(BLOCK) * depth * SLICED, stack(out, BLOCK_ELEMENTS)
    configure(at(left, 0))
    for k in range(share * blocks // n_shares, (share + 1) * blocks // n_shares):
        r, rows = k * BLOCK, min(BLOCK, n_rows - k * BLOCK)
        slice_panels(left, i, a, r, a_rows, rows, K)
        for q in range(0, n_columns, BLOCK):
            columns, j = min(BLOCK, n_columns - q), q // TILE_SIDE * depth * SLICED
            if rows % TILE_SIDE == 0:
                multiply_block(rows, columns, out, r * ldo + q, ldo, left, i, right, j, depth)
            else:  # there is no room for whole tiles
                multiply_block(rows, columns, block, 0, BLOCK, left, i, right, j, depth)
                put_block(rows, columns, block, BLOCK, out, r * ldo + q, ldo, False)
    release()
