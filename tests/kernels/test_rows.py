"""Sums over rows, and the decay of weights, equal NumPy's."""

import numpy as np
import pytest

SHAPES = [(1, 1), (3, 5), (40, 1), (7, 37)]
SHAPE = pytest.mark.parametrize("shape", SHAPES, ids=str)


@SHAPE
@pytest.mark.parametrize("first", [0, 1])
def test_sum_rows(kernels, rng, dtype, shape, first):
    """Up to the order of the sum; no rows give zeros."""
    n, width = shape
    x, out = rng.standard_normal((n, width + 2)).astype(dtype), np.full(width, np.nan, dtype)
    expected = np.zeros(width, dtype)
    for row in x[first:]:
        expected += row[:width]
    kernels.sum_rows(x, first, out)
    bound = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(out, expected, rtol=bound, atol=bound)


@SHAPE
def test_add_decay(kernels, rng, dtype, shape):
    values, slopes = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    expected = slopes.astype(np.float64) + 0.3 * values.astype(np.float64)
    penalty = kernels.add_decay(values, slopes, 0.3)
    assert isinstance(penalty, float)
    assert penalty == pytest.approx(np.square(values, dtype=np.float64).sum(), rel=1e-13)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(slopes, expected, rtol=0, atol=4 * eps * np.abs(expected).max())


def test_put_rows(kernels, rng, dtype, n_jobs_to_try):
    source, index = rng.standard_normal((5, 9)).astype(dtype), np.array([4, 7, 0, 3, 2])
    expected = np.full((8, 11), np.nan, dtype)
    expected[index, :7] = source[:, :7]
    for n_jobs in n_jobs_to_try:
        out = np.full((8, 11), np.nan, dtype)
        kernels.put_rows(source, index, out, 7, n_jobs)
        np.testing.assert_array_equal(out, expected, strict=True)


@pytest.mark.parametrize("index", [[], [-1, -1], [3] * 20, [-1, 2, 0, 2, -1, 1, 0, 2]], ids=str)
def test_scatter_add_in_the_order_of_rows(kernels, rng, dtype, index):
    index = np.array(index, np.int64)
    source, out = (rng.standard_normal((n, 6)).astype(dtype) for n in (len(index), 5))
    expected = out.copy()
    for k, i in enumerate(index):
        if i >= 0:
            expected[i, 1:5] += source[k, 2:6]
    kernels.scatter_add(source, 2, index, out, 1, 4)
    np.testing.assert_array_equal(out, expected, strict=True)
