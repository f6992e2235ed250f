"""Products of matrices: exact sums in the dtype of the arrays, over k in ascending order.

A block of threads computes a tile of the result, each thread PER x PER elements of it; both factors
go through shared memory, DEPTH of k at a time. An element's sum does not depend on the tile that it
lies in, so a row of the result does not depend on the other rows.

Long sums over few elements are cut into pieces, so that there is work for the whole device; where
they are cut depends on the shapes alone.
"""

from .launch import over, tiles_over
from .memory import Scratch
from .primitives import SIMULATED, cuda, kernel

SIDE, PER, DEPTH = (2, 2, 3) if SIMULATED else (16, 4, 16)  # threads of a block: SIDE x SIDE
TILE = SIDE * PER
SLICE = DEPTH, TILE + 1  # of a factor in shared memory; + 1: or columns would share a bank
SUMS = PER, PER
PIECE = 5 if SIMULATED else 256  # least of k in a piece of a long sum
ENOUGH = 4 if SIMULATED else 512  # tiles that keep a device busy

_scratch = Scratch()


@kernel
def product(out, ldo, a, a_i, a_k, b, b_k, b_j, M, N, K, n_pieces):
    """out[p, i, j] = sum of a[i a_i + k a_k] b[k b_k + j b_j] over the k of piece p.

    out (n_pieces * M, ldo) flat; a, b flat; one of a_i and a_k is 1, and one of b_k and b_j
    """
    A = cuda.shared.array(SLICE, a.dtype)
    B = cuda.shared.array(SLICE, a.dtype)
    sums = cuda.local.array(SUMS, a.dtype)
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    thread, zero = y * SIDE + x, a.dtype.type(0)
    across, down = (N + TILE - 1) // TILE, (M + TILE - 1) // TILE
    for place in range(cuda.blockIdx.x, across * down * n_pieces, cuda.gridDim.x):
        piece, tile = place // (across * down), place % (across * down)
        i0, j0 = tile // across * TILE, tile % across * TILE
        first, last = piece * K // n_pieces, (piece + 1) * K // n_pieces
        for p in range(PER):
            for q in range(PER):
                sums[p, q] = zero
        for k0 in range(first, last, DEPTH):
            for e in range(thread, DEPTH * TILE, SIDE * SIDE):
                # Neighbours among the threads read neighbours in memory.
                k, i = (e % DEPTH, e // DEPTH) if a_k == 1 else (e // TILE, e % TILE)
                inside = k0 + k < last and i0 + i < M
                A[k, i] = a[(i0 + i) * a_i + (k0 + k) * a_k] if inside else zero
                k, j = (e % DEPTH, e // DEPTH) if b_k == 1 else (e // TILE, e % TILE)
                inside = k0 + k < last and j0 + j < N
                B[k, j] = b[(k0 + k) * b_k + (j0 + j) * b_j] if inside else zero
            cuda.syncthreads()
            for k in range(DEPTH):
                for p in range(PER):
                    for q in range(PER):
                        sums[p, q] += A[k, p * SIDE + y] * B[k, q * SIDE + x]
            cuda.syncthreads()
        for p in range(PER):
            for q in range(PER):
                i, j = i0 + p * SIDE + y, j0 + q * SIDE + x
                if i < M and j < N:
                    out[(piece * M + i) * ldo + j] = sums[p, q]


@kernel
def add_pieces(out, pieces, n_pieces):
    """out = the sum of the pieces, in their order."""
    n = out.shape[0]
    for e in range(cuda.grid(1), n, cuda.gridsize(1)):
        total = pieces[e]
        for p in range(1, n_pieces):
            total += pieces[p * n + e]
        out[e] = total


def _run(out, ldo, a, a_strides, b, b_strides, sizes, n_pieces=1):
    M, N, K = sizes
    tiles = -(-M // TILE) * -(-N // TILE) * n_pieces
    tiles_over(
        product, tiles, (SIDE, SIDE), out, ldo, a.reshape(-1), *a_strides, b.reshape(-1),
        *b_strides, M, N, K, n_pieces,
    )  # fmt: skip


def multiply(out, a, a_rows, K, piece, b, n_rows, n_columns, n_jobs, training=False):
    sizes = n_rows, n_columns, K
    _run(out.reshape(-1), out.shape[1], a, (K, 1), b, (n_columns, 1), sizes)


def multiply_columns(out, a, width, b, n_rows, n_columns, first=0):
    """out[:n_rows] = a[:n_rows, columns] @ b[columns], where columns are `width` from `first` on;
    out (n_rows, n_columns), b with rows of n_columns.
    """
    sizes, a_strides, flat = (n_rows, n_columns, width), (a.shape[1], 1), a.reshape(-1)[first:]
    b = b.reshape(-1)[first * n_columns :]
    _run(out.reshape(-1), n_columns, flat, a_strides, b, (n_columns, 1), sizes)


def outer(dW, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride, n_jobs):
    sizes = n_inputs, n_columns, n_rows
    strides = (1, a.shape[1]), (d_stride or n_columns, 1)
    tiles = -(-n_inputs // TILE) * -(-n_columns // TILE)
    n_pieces = max(1, min(n_rows // PIECE, ENOUGH // tiles))
    if n_pieces == 1:
        _run(dW.reshape(-1), n_columns, a, strides[0], d, strides[1], sizes)
        return
    n = n_inputs * n_columns
    pieces = _scratch.array("pieces", n_pieces * n, dW.dtype)
    _run(pieces, n_columns, a, strides[0], d, strides[1], sizes, n_pieces)
    over(add_pieces, n, dW.reshape(-1)[:n], pieces, n_pieces)


@kernel
def transposed(out, W, n_columns, first, n_used):
    for e in range(cuda.grid(1), n_columns * n_used, cuda.gridsize(1)):
        out[e] = W[(first + e % n_used) * n_columns + e // n_used]


def transpose(out, W, n_inputs, n_columns, first_input, n_used, n_jobs):
    over(
        transposed,
        n_columns * n_used,
        out.reshape(-1),
        W.reshape(-1),
        n_columns,
        first_input,
        n_used,
    )
