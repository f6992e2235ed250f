"""float32 matrices as sums of three bfloat16 matrices, in the tiles that the matrix unit multiplies.

    x = x1 + x2 + x3: x1 is the bfloat16 nearest to x, x2 the one nearest to x - x1, x3 the rest

x3 is a bfloat16, too: nothing of x is lost. (But what is below 2**-126 the unit takes for zero; and x1
is infinite, and x2 no number, for an x that is infinite or within 2**-9 of the largest float32.)

A sliced matrix is flat. Its 16 rows (of a left factor) or 16 columns (of a right one) lie together: for
every 32 columns (rows) the tiles of x1, x2 and x3, see `amx`. What is missing to whole tiles is zero
along the sums and arbitrary across them.

SLICED     elements that hold the three tiles
"""

from llvmlite import ir
from numba.extending import intrinsic

from .amx import TILE_DEPTH, TILE_SIDE, TILE_SIZE
from .compile import inlined, kernel, part
from .share import hand_out
from .simd import LANE, at, load, load_first, splat, stack, store
from .tile import PANEL_VECTORS
from .transposition import turn

SLICES = 3
SLICED = SLICES * TILE_SIZE
PANEL = PANEL_VECTORS * TILE_SIDE
_INT, _PAIR = ir.IntType(32), ir.IntType(16)
_UPPER, _HALF = 0xFFFF0000 - (1 << 32), 0x8000  # the upper bits; half of the last of them


def _bits(builder, x, kind, count):
    return builder.bitcast(x, ir.VectorType(kind, count))


@intrinsic
def nearest(typingctx, x):
    """The bfloat16 nearest to x; of two, the larger one in size."""

    def codegen(context, builder, signature, args):
        mask, half = (
            ir.Constant(ir.VectorType(_INT, x.lanes), [n] * x.lanes) for n in (_UPPER, _HALF)
        )
        bits = builder.add(_bits(builder, args[0], _INT, x.lanes), half)
        return builder.bitcast(builder.and_(bits, mask), x.llvm)

    return x(x), codegen


def _joining(order):
    """An intrinsic of x and y that gives the upper halves of all their lanes, in an order."""

    @intrinsic
    def operation(typingctx, x, y):
        def codegen(context, builder, signature, args):
            n = 2 * x.lanes
            halves = [_bits(builder, arg, _PAIR, n) for arg in args]
            mask = ir.Constant(ir.VectorType(LANE, n), list(order(n)))
            return builder.bitcast(builder.shuffle_vector(*halves, mask), x.llvm)

        return x(x, y), codegen

    return operation


beside = _joining(lambda n: range(1, 2 * n, 2))  # those of x, then those of y
between = _joining(lambda n: (half for k in range(1, n, 2) for half in (k, k + n)))  # in turns


@part
def depth_of(n):
    """Tiles along the sums of a product with n terms."""
    return (n + TILE_DEPTH - 1) // TILE_DEPTH


@part
def tiles_of(n):
    """Tiles across: of n rows of a left factor, or n columns of a right one."""
    return (n + TILE_SIDE - 1) // TILE_SIDE


@part
def place_of(share, begin, depth):
    """Where the rows of a share that begins with row `begin` lie among those of all shares: no tile is
    of two.
    """
    return (begin // TILE_SIDE + share) * depth * SLICED


@inlined
def read(a, k, n):
    """The vector that starts at element k, of which n lanes or all are there; others are zero."""
    if n >= TILE_SIDE:
        return load(a, k)
    return load_first(a, k, n)


@inlined
def put_beside(out, o, x, y):
    """Slice x and y into a row of a left factor's tiles."""
    for s in range(SLICES):
        x1, y1 = nearest(x), nearest(y)
        store(out, o + s * TILE_SIZE, beside(x1, y1))
        x, y = x - x1, y - y1


@inlined
def put_between(out, o, x, y):
    """Slice x and y into a row of a right factor's tiles."""
    for s in range(SLICES):
        x1, y1 = nearest(x), nearest(y)
        store(out, o + s * TILE_SIZE, between(x1, y1))
        x, y = x - x1, y - y1


@part
def slice_rows(out, o, below, a, start, stride, n_rows, width):
    """A left factor, or some columns of one, from `n_rows` rows of `width` elements of a, whose element
    `start` is the first; the tiles of the next 16 rows begin `below` elements further on.
    """
    for r in range(n_rows):
        source = start + r * stride
        target = o + r // TILE_SIDE * below + r % TILE_SIDE * TILE_SIDE
        for k in range(0, width, TILE_DEPTH):
            x, y = read(a, source + k, width - k), splat(a, 0.0)
            if width - k > TILE_SIDE:
                y = read(a, source + k + TILE_SIDE, width - k - TILE_SIDE)
            put_beside(out, target + k // TILE_DEPTH * SLICED, x, y)


@part
def slice_panels(out, o, a, first, a_rows, n_rows, K):
    """A left factor from a panelled matrix: a (a_rows, K), its rows from `first` on."""
    below = depth_of(K) * SLICED
    for q in range(0, K, PANEL):
        width, place = min(PANEL, K - q), o + q // TILE_DEPTH * SLICED
        slice_rows(out, place, below, a, q * a_rows + first * width, width, n_rows, width)


@part
def slice_pairs(out, o, aside, a, start, stride, width, K):
    """`width` columns of a right factor, from K rows of a, whose element `start` is the first; the
    tiles of the next 16 columns begin `aside` elements further on.
    """
    for k in range(0, depth_of(K) * TILE_DEPTH, 2):
        target = o + k // TILE_DEPTH * SLICED + k % TILE_DEPTH // 2 * TILE_SIDE
        for q in range(0, width, TILE_SIDE):
            source = start + k * stride + q
            x, y = splat(a, 0.0), splat(a, 0.0)
            if k < K:
                x = read(a, source, width - q)
            if k + 1 < K:
                y = read(a, source + stride, width - q)
            put_between(out, target, x, y)
            target += aside


@part
def slice_turned(out, o, below, a, start, stride, width, K):
    """`width` rows of the left factor that is a transposed: columns of its K rows; the tiles of the
    next 16 begin `below` elements further on.
    """
    pairs = stack(a, SLICED)
    for k in range(0, K, TILE_DEPTH):
        for q in range(0, width, TILE_SIDE):
            rows = min(TILE_DEPTH, K - k)
            slice_pairs(
                pairs, 0, 0, a, start + k * stride + q, stride, min(TILE_SIDE, width - q), rows
            )
            target = o + q // TILE_SIDE * below + k // TILE_DEPTH * SLICED
            for s in range(0, SLICED, TILE_SIZE):
                turn(at(out, target + s), TILE_SIDE, at(pairs, s), TILE_SIDE, TILE_SIDE)


@kernel
def slice_weights(out, W, first, K, n_columns, share, n_shares, launcher):
    """A right factor from a panelled matrix W (K, n_columns), its rows from `first` on. A share is a range
    of columns.
    """
    if launcher != 0:
        hand_out()
        return
    rows, tiles = K - first, n_columns // TILE_SIDE
    below = depth_of(rows) * SLICED
    for c in range(share * tiles // n_shares, (share + 1) * tiles // n_shares):
        q = c * TILE_SIDE // PANEL * PANEL
        width = min(PANEL, n_columns - q)
        start = q * K + first * width + c * TILE_SIDE - q
        slice_pairs(out, c * below, 0, W, start, width, TILE_SIDE, rows)
