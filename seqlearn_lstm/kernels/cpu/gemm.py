"""Products of whole matrices, made of register tiles.

A *panelled* matrix of M rows and N columns (N a multiple of the lanes L) lies in a flat array,
panel after panel: the panel of columns q ... q + width starts at element q M and has the row stride
`width`, which is 4 L, or less in the last one. Weights lie so, and the gates of an LSTM: a product
reads either along its rows or along its columns without a gap.
"""

from .compile import inlined, kernel
from .share import hand_out
from .simd import at
from .target import TILE_ROWS, VECTOR_BYTES
from .tile import PANEL_VECTORS, tile

ROWS_IN_CACHE = 128  # of d: 32 KiB a panel, in the first-level cache
BYTES_IN_CACHE = 2**19  # of dW: in the second-level cache while all rows pass by


@inlined
def multiply_rows(rows, out, o, ldo, a, r, a_rows, K, piece, b, q, width, accumulate):
    """Compute `rows` rows of one panel of a @ b, from row r on, into out from its element o on, which
    they are added to where `accumulate` is not 0.

    a is panelled, with panels of `piece` columns. The panel of b begins at its column q and has
    `width` columns.
    """
    vectors = width * b.itemsize // VECTOR_BYTES
    whole = K // piece
    if whole > 0:
        tile(
            rows, vectors, at(out, o), ldo, at(a, r * piece), piece, 1, whole, a_rows * piece,
            at(b, q * K), width, piece, accumulate,
        )  # fmt: skip
    rest = K - whole * piece
    if rest > 0:
        done = whole * piece
        tile(
            rows, vectors, at(out, o), ldo, at(a, done * a_rows + r * rest), rest, 1, 1, 0,
            at(b, q * K + done * width), width, rest, whole + accumulate,
        )  # fmt: skip


@kernel
def multiply(out, a, a_rows, K, piece, b, n_rows, n_columns, share, n_shares, launcher):
    """out[:n_rows, :n_columns] = a[:n_rows] @ b.

    out (>= n_rows, ldo); a (a_rows, K) flat, panelled with panels of `piece` columns (piece = K:
    rows one after another); b (K, n_columns) flat, panelled; n_columns a multiple of the lanes. A
    share is a range of rows.
    """
    if launcher != 0:
        hand_out()
        return
    ldo, panel = out.shape[1], PANEL_VECTORS * VECTOR_BYTES // b.itemsize
    first, last = share * n_rows // n_shares, (share + 1) * n_rows // n_shares
    for q in range(0, n_columns, panel):
        for r in range(first, last, TILE_ROWS):
            rows = min(TILE_ROWS, last - r)
            multiply_rows(
                rows, out, r * ldo + q, ldo, a, r, a_rows, K, piece, b, q, min(panel, n_columns - q), 0
            )  # fmt: skip


@kernel
def outer(dW, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride, share, n_shares, launcher):
    """dW = a[:n_rows, :n_inputs]^T @ d[:n_rows]: a panelled matrix (n_inputs, n_columns).

    a (>= n_rows, lda); d flat, (d_rows, n_columns) panelled, or with plain rows of `d_stride`
    elements where that is not 0. A share is a range of tiles of dW, which are neighbours in memory, as
    the shares of an update are: each output is summed by one thread over all rows in order, without a
    reduction.
    """
    if launcher != 0:
        hand_out()
        return
    lda, panel = a.shape[1], PANEL_VECTORS * VECTOR_BYTES // dW.itemsize
    heights = (n_inputs + TILE_ROWS - 1) // TILE_ROWS
    panels = (n_columns + panel - 1) // panel
    first, last = share * heights * panels // n_shares, (share + 1) * heights * panels // n_shares
    end = (last + heights - 1) // heights
    step = max(1, BYTES_IN_CACHE // (n_inputs * panel * dW.itemsize))
    for left in range(first // heights, end, step):
        for n in range(0, n_rows, ROWS_IN_CACHE):
            N = min(ROWS_IN_CACHE, n_rows - n)
            for p in range(left, min(left + step, end)):
                q, before = p * panel, p * heights
                width = min(panel, n_columns - q)
                start, stride = (q, d_stride) if d_stride > 0 else (q * d_rows, width)
                for height in range(max(0, first - before), min(heights, last - before)):
                    k = height * TILE_ROWS
                    tile(
                        min(TILE_ROWS, n_inputs - k), width * dW.itemsize // VECTOR_BYTES,
                        at(dW, q * n_inputs + k * width), width,
                        at(a, n * lda + k), 1, lda, 1, 0, at(d, start + n * stride), stride, N, n,
                    )  # fmt: skip
