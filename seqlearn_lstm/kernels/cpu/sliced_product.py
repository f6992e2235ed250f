"""Products of sliced matrices by the matrix unit.

    a b = a3 b1 + a1 b1 + a2 b1 + a2 b2 + a1 b2 + a1 b3

What is left out is at most 2**-24 of the product of a and b, as much as rounding it takes away. A sum runs
over the tiles of its row and its column in order, and over these six in this order, whatever is computed
beside it. Along a sum that grows, the small ones of the six are rounded away one by one: long sums are
to be made of parts.
"""

from .amx import ROW_BYTES, TILE_SIDE, TILE_SIZE, clear_tile, load_tile, multiply_tiles, store_tile
from .compile import inlined, part
from .simd import at, load, store
from .slices import PANEL, SLICED

BLOCK = 2 * TILE_SIDE  # rows and columns that are computed together, in four registers
BLOCK_ELEMENTS = BLOCK * BLOCK
BAND = BLOCK * PANEL  # elements: the rows of a block in a whole panel
FLOAT_BYTES, SAME_ROW = 4, 0  # a stride of 0 fills all rows of a tile alike


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
def _begin(two_rows, two_columns, bias, b):
    if bias is None:
        clear_tile(0)
        clear_tile(1)
        clear_tile(2)
        clear_tile(3)
    else:
        load_tile(0, at(bias, b), SAME_ROW)
        if two_columns:
            load_tile(1, at(bias, b + TILE_SIDE), SAME_ROW)
        if two_rows:
            load_tile(2, at(bias, b), SAME_ROW)
            if two_columns:
                load_tile(3, at(bias, b + TILE_SIDE), SAME_ROW)


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
def multiply_block(rows, columns, out, o, ldo, left, i, right, j, depth, bias=None, b=0):
    """out = left @ right, for at most BLOCK rows and columns; what is written are whole tiles.

    out from element o on, row stride ldo; left and right sliced, from elements i and j on, `depth`
    tiles along the sums. A bias, from element b on, is what the sums begin with in each row.
    """
    two_rows, two_columns = rows > TILE_SIDE, columns > TILE_SIDE
    next_tile = depth * SLICED
    _begin(two_rows, two_columns, bias, b)
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
def put_block(rows, columns, source, lds, target, t, stride, add):
    """Copy a block, or add it, to element t of `target` on; `columns` are whole vectors."""
    for r in range(rows):
        for k in range(0, columns, TILE_SIDE):
            x, place = load(source, r * lds + k), t + r * stride + k
            store(target, place, load(target, place) + x if add else x)


@part
def multiply_band(rows, width, out, left, i, right, q, depth):
    """out (rows, width) = left @ right: at most BLOCK rows, in the columns of one panel from q on. Whole
    tiles are written: out has room for BAND.
    """
    for k in range(0, width, BLOCK):
        j = (q + k) // TILE_SIDE * depth * SLICED
        multiply_block(rows, min(BLOCK, width - k), out, k, width, left, i, right, j, depth)
