"""Products of panelled matrices equal NumPy's; a row's bits depend on that row alone."""

import numpy as np
import pytest
from backends import CPU_ONLY, large
from naive import panelled, unpanelled
from one_layer import copy_to, unknown

SHAPES = [
    *[(1, 1, 1), (2, 3, 5), (6, 7, 16), (7, 1, 33)],
    *[large(13, 40, 64), large(50, 129, 70), large(3, 9, 257)],
]
SHAPE = pytest.mark.parametrize("n, k, m", SHAPES)
BOUND = {"float32": 1e-6, "float64": 2e-15}


def product_bound(a, b, dtype):
    """Rounding of a @ b: a small part of the sums of absolute values."""
    return BOUND[dtype.name] * (np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64))


def normal(rng, dtype, *shape):
    return rng.standard_normal(shape).astype(dtype)


def in_pieces(a, piece):
    """A matrix in panels of `piece` columns, the last one narrower, one after another."""
    panels = [a[:, start : start + piece] for start in range(0, a.shape[1], piece)]
    return np.concatenate([panel.ravel() for panel in panels])


def pieces_to_try(kernels, whole, part):
    """Rows as they are, and in panels, where the backend has some."""
    return (whole,) if kernels.panel_columns(whole, np.float32) == whole else (whole, part)


def multiply(kernels, a, b, piece=None, n_rows=None, n_jobs=1, spare=3):
    """``a[:n_rows] @ b``; `spare` rows and columns more than needed must stay as they are."""
    dtype, K = b.dtype, a.shape[1]
    piece, n_rows = piece or K, n_rows or len(a)
    columns = kernels.padded(b.shape[1], dtype)
    out = unknown(kernels, (n_rows + spare, columns + spare), dtype)
    a_flat = copy_to(kernels, in_pieces(a, piece))
    b_flat = copy_to(kernels, panelled(b, kernels))
    kernels.multiply(out, a_flat, len(a), K, piece, b_flat, n_rows, columns, n_jobs)
    assert np.isnan(out[n_rows:]).all()
    assert np.isnan(out[:, columns:]).all()
    assert not out[:n_rows, b.shape[1] : columns].any()
    return out[:n_rows, : b.shape[1]].copy()


@SHAPE
@pytest.mark.parametrize("n_pieces", [1, 2, 3])
def test_multiply(kernels, rng, dtype, n, k, m, n_pieces):
    piece = pieces_to_try(kernels, k, -(-k // n_pieces))[-1]
    a, b = normal(rng, dtype, n, k), normal(rng, dtype, k, m)
    product = multiply(kernels, a, b, piece)
    difference = np.abs(product - a.astype(np.float64) @ b.astype(np.float64))
    assert np.all(difference <= product_bound(a, b, dtype))


def test_multiply_takes_some_of_the_rows(kernels, rng, dtype):
    a, b = normal(rng, dtype, 9, 10), normal(rng, dtype, 10, 4)
    for piece in pieces_to_try(kernels, 10, 4):
        some = multiply(kernels, a, b, piece, n_rows=4)
        np.testing.assert_array_equal(some, multiply(kernels, a, b, piece)[:4], strict=True)


def test_multiply_row_depends_on_itself_alone(kernels, rng, dtype):
    a, b = normal(rng, dtype, 20, 22), normal(rng, dtype, 22, 70)
    for piece in pieces_to_try(kernels, 22, 8):
        together = multiply(kernels, a, b, piece)
        for first, last in [(0, 1), (19, 20), (0, 7), (3, 20), (5, 11)]:
            alone = multiply(kernels, a[first:last].copy(), b, piece)
            np.testing.assert_array_equal(alone, together[first:last], strict=True)


@SHAPE
@pytest.mark.parametrize("as_panels", [True, False], ids=["panels", "plain rows"])
def test_outer(kernels, rng, dtype, n, k, m, as_panels):
    """a^T @ d, for d as the gates lie and as scores lie, with rows to spare.

    There are more rows than are summed in one go.
    """
    n = 23 * n
    columns = kernels.padded(m, dtype)
    a, d = normal(rng, dtype, n, k), normal(rng, dtype, n, columns)
    wide, longer = np.full((n + 1, k + 2), np.nan, dtype), np.full((n + 1, columns), np.nan, dtype)
    wide[:n, :k], longer[:n] = a, d
    d_flat = copy_to(kernels, panelled(longer, kernels) if as_panels else longer.ravel())
    flat, d_stride = unknown(kernels, k * columns, dtype), 0 if as_panels else columns
    kernels.outer(flat, copy_to(kernels, wide), d_flat, n, k, columns, n + 1, d_stride, 1)
    exact = a.T.astype(np.float64) @ d.astype(np.float64)
    difference = np.abs(unpanelled(flat, k, kernels) - exact)
    assert np.all(difference <= product_bound(a.T, d, dtype))


@SHAPE
def test_transpose(kernels, rng, dtype, n, k, m):
    """Rows n .. n + k of a matrix of n + k + 2 rows; what is infinite stays by itself."""
    W = normal(rng, dtype, n + k + 2, m)
    W[n, 0] = np.inf
    columns = kernels.padded(m, dtype)
    out = unknown(kernels, columns * kernels.padded(k, dtype), dtype)
    kernels.transpose(out, copy_to(kernels, panelled(W, kernels)), n + k + 2, columns, n, k, 1)
    expected = np.zeros((columns, kernels.padded(k, dtype)), dtype)
    expected[:m, :k] = W[n : n + k].T
    np.testing.assert_array_equal(unpanelled(out, columns, kernels), expected, strict=True)


@SHAPE
def test_any_number_of_threads_gives_the_same_bits(kernels, rng, dtype, n, k, m, n_jobs_to_try):
    columns = kernels.padded(m, dtype)
    a, b, d = (normal(rng, dtype, *shape) for shape in ((n, k), (k, m), (n, columns)))
    flat = copy_to(kernels, panelled(b, kernels))
    results = set()
    for n_jobs in n_jobs_to_try:
        dW = unknown(kernels, k * columns, dtype)
        kernels.outer(dW, a, d.reshape(-1), n, k, columns, n, columns, n_jobs)
        turned = unknown(kernels, columns * kernels.padded(k, dtype), dtype)
        kernels.transpose(turned, flat, k, columns, 0, k, n_jobs)
        product = multiply(kernels, a, b, n_jobs=n_jobs)
        assert np.isfinite(dW).all()
        results.add((product.tobytes(), dW.tobytes(), turned.tobytes()))
    assert len(results) == 1


@SHAPE
def test_dense_layer_packs_and_unpacks(kernels, rng, dtype, n, k, m):
    W, b = normal(rng, dtype, k, m), normal(rng, dtype, m)
    flat = unknown(kernels, (1 + k) * kernels.padded(m, dtype), dtype)
    kernels.pack_dense(b, W, flat)
    expected = panelled(np.vstack([b, W]), kernels)
    np.testing.assert_array_equal(flat, expected, strict=True)
    for ours, truth in zip(kernels.unpack_dense(flat, k, m), (b, W), strict=True):
        np.testing.assert_array_equal(ours, truth, strict=True)
    panels = kernels.panels(flat, 1 + k, kernels.padded(m, dtype))
    assert sum(panel.size for panel in panels) == flat.size
    np.testing.assert_array_equal(np.hstack([panel[0] for panel in panels])[:m], b, strict=True)
    assert all(np.shares_memory(panel, flat) for panel in panels)


@CPU_ONLY  # a device aligns its memory itself
def test_memory_starts_at_a_cache_line(kernels, dtype):
    for shape in [(1,), (3, 5), (33, 65)]:
        array = kernels.zeros(shape, dtype)
        assert array.shape == shape
        assert array.dtype == dtype
        assert array.ctypes.data % 64 == 0
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert not array.any()
    assert kernels.zeros((0, 7), dtype).shape == (0, 7)


@CPU_ONLY  # for the vectors of a processor
def test_sizes(kernels, dtype):
    L = kernels.lanes(dtype)
    for n in range(1, 3 * L):
        assert kernels.padded(n, dtype) % L == 0
        assert n <= kernels.padded(n, dtype) < n + L
        assert kernels.gate_columns(n, dtype) % L == 0
        assert 4 * n <= kernels.gate_columns(n, dtype) < 4 * n + max(L, 4)
        assert kernels.row_stride(n, dtype) >= n
        assert kernels.row_stride(n, dtype) * dtype.itemsize % 128 == 64


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("width", [1, 16, 37])
def test_put_rows(kernels, dtype, width, n_jobs):
    """Rows go to their places, in their first columns; the others stay."""
    rng = np.random.default_rng(0)
    out, source = kernels.zeros((30, 40), dtype), kernels.zeros((12, 48), dtype)
    out[:], source[:] = rng.standard_normal(out.shape), rng.standard_normal(source.shape)
    index, expected = rng.permutation(30)[:12], out.copy()
    expected[index, :width] = source[:, :width]
    kernels.put_rows(source, index, out, width, n_jobs)
    np.testing.assert_array_equal(out, expected)


@CPU_ONLY
@SHAPE
@pytest.mark.parametrize("n_shares", [1, 2, 3, 8])
def test_each_number_of_a_gradient_belongs_to_one_share(kernels, rng, dtype, n, k, m, n_shares):
    """Which all write at once."""
    columns = kernels.padded(m, dtype)
    a, d = normal(rng, dtype, n, k), normal(rng, dtype, n, columns).ravel()
    times = np.zeros(k * columns, int)
    kernels.tile.link(dtype)
    for share in range(n_shares):
        dW = unknown(kernels, k * columns, dtype)
        kernels.gemm.outer(dW, a, d, n, k, columns, n, columns, share, n_shares, 0)
        times += np.isfinite(dW)
    assert (times == 1).all()
