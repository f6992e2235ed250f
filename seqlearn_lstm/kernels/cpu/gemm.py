"""Products of whole matrices, made of register tiles.

A *panelled* matrix of K rows and N columns (N a multiple of the lanes L) lies in a flat array, panel after panel: panel q
holds columns 4 L q ... of all rows, its row stride is its own width: 4 L, or less in the last one.
"""

from .compile import kernel
from .target import TILE_ROWS
from .share import hand_out
from .simd import at
from .tile import PANEL_VECTORS, tile

ROWS_IN_CACHE = 128


@kernel
def multiply(out, a, b, n_rows, n_columns, lanes, share, n_shares, launcher):
    """out[:n_rows, :n_columns] = the sum over p of a[p] @ b[p KA : (p + 1) KA].

    out (>= n_rows, ldo); a (PA, >= n_rows, KA): the columns of the left matrix in PA pieces; b panelled (PA KA, n_columns);
    n_columns a multiple of `lanes`. A share is a range of rows.
    """
    if launcher != 0:
        hand_out()
        return
    PA, a_rows, KA = a.shape
    ldo, panel = out.shape[1], PANEL_VECTORS * lanes
    first, last = share * n_rows // n_shares, (share + 1) * n_rows // n_shares
    for q in range(0, n_columns, panel):
        width = min(panel, n_columns - q)
        for r in range(first, last, TILE_ROWS):
            for p in range(PA):
                tile(
                    min(TILE_ROWS, last - r), width // lanes, at(out, r * ldo + q), ldo,
                    at(a, (p * a_rows + r) * KA), KA, 1,
                    at(b, q * PA * KA + p * KA * width), width, KA, p,
                )


@kernel
def outer(dW, a, d, n_rows, n_inputs, n_columns, d_panel, d_row, lanes, share, n_shares, launcher):
    """dW = a[:n_rows, :n_inputs]^T @ d[:n_rows]: a panelled matrix (n_inputs, n_columns).

    a (>= n_rows, lda); d flat: column panel q of row n starts at q d_panel + n d_row. A share is a range of tiles of dW: each
    output is summed by one thread over all rows in order, so that there is no reduction.
    """
    if launcher != 0:
        hand_out()
        return
    lda, panel = a.shape[1], PANEL_VECTORS * lanes
    heights, panels = (n_inputs + TILE_ROWS - 1) // TILE_ROWS, (n_columns + panel - 1) // panel
    first, last = share * heights * panels // n_shares, (share + 1) * heights * panels // n_shares
    for q in range(first // heights, (last + heights - 1) // heights):
        width = min(panel, n_columns - q * panel)
        top, bottom = max(first - q * heights, 0), min(last - q * heights, heights)
        for n in range(0, n_rows, ROWS_IN_CACHE):
            for k in range(top * TILE_ROWS, min(bottom * TILE_ROWS, n_inputs), TILE_ROWS):
                tile(
                    min(TILE_ROWS, n_inputs - k), width // lanes, at(dW, q * panel * n_inputs + k * width), width,
                    at(a, n * lda + k), 1, lda,
                    at(d, q * d_panel + n * d_row), d_row, min(ROWS_IN_CACHE, n_rows - n), n,
                )


@kernel
def transpose(out, W, n_inputs, n_columns, first_input, n_used, lanes, share, n_shares, launcher):
    """out = W[first_input : first_input + n_used]^T, both panelled; the columns of `out` are padded to the lanes with zeros.

    W (n_inputs, n_columns); out (n_columns, n_used padded). A share is a range of W's columns.
    """
    if launcher != 0:
        hand_out()
        return
    panel, n_padded = PANEL_VECTORS * lanes, (n_used + lanes - 1) // lanes * lanes
    first, last = share * n_columns // n_shares, (share + 1) * n_columns // n_shares
    for q in range(0, n_padded, panel):
        width = min(panel, n_padded - q)
        for n in range(first, last):
            start = n // panel * panel
            stride = min(panel, n_columns - start)
            source = start * n_inputs + first_input * stride + n - start
            target = q * n_columns + n * width
            used = min(width, n_used - q)
            for k in range(used):
                out[target + k] = W[source + (q + k) * stride]
            for k in range(used, width):
                out[target + k] = 0.0
