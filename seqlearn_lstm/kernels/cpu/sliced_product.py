"""Products of sliced matrices by the matrix unit, at least as exact as float32's own.

    a b = a3 b1 + a1 b1 + a2 b1 + a2 b2 + a1 b2 + a1 b3

What is left out is below 2**-24 of the product of a and b. A sum runs over the tiles of its row and its
column in order, and over these six in this order, whatever is computed beside it.
"""

from .amx import ROW_BYTES, TILE_SIDE, TILE_SIZE, clear_tile, load_tile, multiply_tiles, store_tile
from .compile import inlined, part
from .simd import at, load, store
from .slices import SLICED

BLOCK = 2 * TILE_SIDE  # rows and columns that are computed together, in four registers
CORNER = BLOCK * BLOCK  # elements of a block
FLOAT_BYTES = 4


@inlined
def _load_left(left, i, below, two_rows):
    load_tile(4, at(left, i), ROW_BYTES)
    if two_rows:
        load_tile(5, at(left, i + below), ROW_BYTES)


@inlined
def _load_right(right, j, aside, two_columns):
    load_tile(6, at(right, j), ROW_BYTES)
    if two_columns:
        load_tile(7, at(right, j + aside), ROW_BYTES)


@inlined
def _multiply(two_rows, two_columns):
    multiply_tiles(0, 4, 6)
    if two_columns:
        multiply_tiles(1, 4, 7)
    if two_rows:
        multiply_tiles(2, 5, 6)
        if two_columns:
            multiply_tiles(3, 5, 7)


@inlined
def _start(out, o, ldo, two_rows, two_columns, accumulate):
    """Sums from what stands in `out`, or from zero."""
    if not accumulate:
        clear_tile(0)
        clear_tile(1)
        clear_tile(2)
        clear_tile(3)
        return
    below, stride = o + TILE_SIDE * ldo, FLOAT_BYTES * ldo
    load_tile(0, at(out, o), stride)
    if two_columns:
        load_tile(1, at(out, o + TILE_SIDE), stride)
    if two_rows:
        load_tile(2, at(out, below), stride)
        if two_columns:
            load_tile(3, at(out, below + TILE_SIDE), stride)


@inlined
def _finish(out, o, ldo, two_rows, two_columns):
    below, stride = o + TILE_SIDE * ldo, FLOAT_BYTES * ldo
    store_tile(0, at(out, o), stride)
    if two_columns:
        store_tile(1, at(out, o + TILE_SIDE), stride)
    if two_rows:
        store_tile(2, at(out, below), stride)
        if two_columns:
            store_tile(3, at(out, below + TILE_SIDE), stride)


@part
def multiply_block(rows, columns, out, o, ldo, left, i, right, j, depth, accumulate):
    """out = [out +] left @ right, for at most BLOCK rows and columns; what is written are whole tiles.

    out from element o on, row stride ldo; left and right sliced, from elements i and j on, `depth`
    tiles along the sums.
    """
    two_rows, two_columns = rows > TILE_SIDE, columns > TILE_SIDE
    next_tile = depth * SLICED
    _start(out, o, ldo, two_rows, two_columns, accumulate)
    for k in range(0, next_tile, SLICED):
        a1, b1 = i + k, j + k
        a2, b2 = a1 + TILE_SIZE, b1 + TILE_SIZE
        a3, b3 = a2 + TILE_SIZE, b2 + TILE_SIZE
        _load_right(right, b1, next_tile, two_columns)
        _load_left(left, a3, next_tile, two_rows)
        _multiply(two_rows, two_columns)
        _load_left(left, a1, next_tile, two_rows)
        _multiply(two_rows, two_columns)
        _load_left(left, a2, next_tile, two_rows)
        _multiply(two_rows, two_columns)
        _load_right(right, b2, next_tile, two_columns)
        _multiply(two_rows, two_columns)
        _load_left(left, a1, next_tile, two_rows)
        _multiply(two_rows, two_columns)
        _load_right(right, b3, next_tile, two_columns)
        _multiply(two_rows, two_columns)
    _finish(out, o, ldo, two_rows, two_columns)


@part
def copy_rows(rows, width, source, s, source_stride, target, t, target_stride):
    """Copy rows of whole vectors, from element s of `source` on to element t of `target` on."""
    for r in range(rows):
        for k in range(0, width, TILE_SIDE):
            store(target, t + r * target_stride + k, load(source, s + r * source_stride + k))


@part
def multiply_inside(rows, columns, out, o, ldo, corner, left, i, right, j, depth, accumulate):
    """`multiply_block` that writes nothing beyond `rows`; `columns` are whole vectors.

    corner: room for a block
    """
    if rows % TILE_SIDE == 0:
        multiply_block(rows, columns, out, o, ldo, left, i, right, j, depth, accumulate)
        return
    if accumulate:
        copy_rows(rows, columns, out, o, ldo, corner, 0, BLOCK)
    multiply_block(rows, columns, corner, 0, BLOCK, left, i, right, j, depth, accumulate)
    copy_rows(rows, columns, corner, 0, BLOCK, out, o, ldo)
