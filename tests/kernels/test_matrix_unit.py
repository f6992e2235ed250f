"""Products by the matrix unit: slices lose nothing, sums are more exact than float32's, and no thread is in
another's way. All tests of layers run on it, too: see ``conftest.py``.
"""

import numpy as np
import pytest
from one_layer import copy_to, unknown

from seqlearn_lstm.kernels import get_backend
from seqlearn_lstm.kernels.cpu import amx, slices

pytestmark = pytest.mark.skipif(not amx.available(), reason="the processor has no matrix unit")
CPU = get_backend("cpu")


def halves(sliced):
    """bfloat16 in pairs, as float32: the upper halves of their bits."""
    pairs = sliced.view(np.uint32)
    bits = np.stack([pairs << np.uint32(16), pairs & np.uint32(0xFFFF0000)], axis=-1)
    return bits.view(np.float32)


def spread(rng, *shape):
    """Numbers of very different sizes, both signs, and zeros."""
    exponents = rng.integers(-60, 60, shape)
    x = np.ldexp(rng.standard_normal(shape), exponents).astype(np.float32)
    x[rng.random(shape) < 0.1] = 0
    return x


@pytest.mark.parametrize("first", [0, 1], ids=["all rows", "without the bias"])
@pytest.mark.parametrize("K, n", [(1, 16), (2, 64), (33, 80), (100, 144)])
def test_three_slices_are_the_number(rng, K, n, first):
    W = spread(rng, K, n)
    W[0, :4] = 2.0**127, -(2.0**-100), 1 + 2.0**-7 - 2.0**-23, -1 - 2.0**-8
    above = spread(rng, first, n)
    flat = CPU.zeros(W.size + above.size, np.float32)
    CPU.layout.pack(np.concatenate([above, W]), flat)
    depth = -(-K // amx.TILE_DEPTH)
    out = unknown(CPU, n // amx.TILE_SIDE * depth * slices.SLICED, np.float32)
    slices.slice_weights(out, flat, first, first + K, n, 0, 1, 0)
    # tile of columns, tile of rows, slice, pair of rows, column, row of the pair
    parts = halves(out.reshape(n // 16, depth, 3, 16, 16)).astype(np.float64)
    total = parts.sum(axis=2).transpose(1, 2, 4, 0, 3).reshape(-1, n)
    np.testing.assert_array_equal(total[:K], W)
    assert not total[K:].any()
    nearest = parts[:, :, 0].transpose(1, 2, 4, 0, 3).reshape(-1, n)[:K]
    assert np.all(np.abs(W - nearest) <= 2.0**-8 * np.abs(W))


@pytest.fixture
def outer(monkeypatch):
    """a^T @ d, by the unit or without it."""

    def multiply(a, d, n_jobs=1, by_unit=True):
        monkeypatch.setattr(CPU.sliced, "OUTER", (0 if by_unit else np.inf,) * 3)
        n, k, m = *a.shape, d.shape[1]
        dW = unknown(CPU, k * m, np.float32)
        CPU.outer(dW, copy_to(CPU, a), copy_to(CPU, d.ravel()), n, k, m, n, m, n_jobs)
        return CPU.layout.unpack(dW, k)

    return multiply


@pytest.mark.parametrize("n_rows, part", [(1_000, 0.35), (20_000, 0.15)])
@pytest.mark.parametrize("positive", [False, True], ids=["both signs", "positive"])
def test_sums_are_more_exact_than_those_of_tiles(rng, outer, n_rows, part, positive):
    """A part of their error is left, for sums are made of parts: in one go it would be three tenths and
    more, since a small product is rounded away from a sum that has grown.
    """
    a, d = (rng.standard_normal((n_rows, k)).astype(np.float32) for k in (50, 96))
    if positive:
        a, d = abs(a), abs(d)
    exact = a.T.astype(np.float64) @ d.astype(np.float64)
    unit, tiles = (outer(a, d, by_unit=by_unit) for by_unit in (True, False))
    assert unit.tobytes() != tiles.tobytes()  # or the unit was not asked
    errors = [np.sqrt(np.mean((found - exact) ** 2)) for found in (unit, tiles)]
    assert errors[0] <= part * errors[1]


@pytest.mark.parametrize("seed", range(20))
def test_a_product_is_exact_whatever_the_sizes_of_its_factors(seed, outer):
    """To 2**-24 for what is left out, and as much for each of the roundings of five sums; but slices
    of the product that would be denormal numbers are zero.
    """
    rng = np.random.default_rng(seed)
    a, d = np.zeros((40, 20), np.float32), np.zeros((40, 32), np.float32)
    a[:20], d[:20] = np.diag(spread(rng, 20)), spread(rng, 20, 32)  # a sum has one term
    a[0, 0] = d[0, 0] = 1 + 2.0**-7 - 2.0**-23
    exact = a.T.astype(np.float64) @ d.astype(np.float64)
    np.testing.assert_allclose(outer(a, d), exact, rtol=6 * 2.0**-24, atol=8 * 2.0**-126)


def test_what_is_not_finite_shows(rng, outer):
    for wrong in (np.inf, -np.inf, np.nan):
        a, d = (rng.standard_normal((40, k)).astype(np.float32) for k in (20, 32))
        a[7, 5] = d[7, 3] = wrong
        finite = np.isfinite(outer(a, d))
        assert not finite[5].any()
        assert not finite[:, 3].any()
        assert np.delete(np.delete(finite, 5, axis=0), 3, axis=1).all()


@pytest.mark.parametrize("n_rows", [31, 128, 360, 1000])
def test_threads_keep_out_of_each_others_way(rng, outer, n_rows, tiny_shares):
    """Rows come in turns of 128, columns, too; the last turns are shorter, and threads do not wait for each
    other.
    """
    a, d = (rng.standard_normal((n_rows, k)).astype(np.float32) for k in (41, 400))
    alone = outer(a, d)
    np.testing.assert_allclose(alone, a.T @ d, rtol=1e-4, atol=1e-4)
    for _ in range(20):
        assert outer(a, d, n_jobs=2).tobytes() == alone.tobytes()


@pytest.mark.parametrize("n_inputs", [3, 16, 17, 20, 21, 33, 36])
def test_inputs_behind_the_last_whole_tile(rng, outer, n_inputs, tiny_shares):
    """A few are multiplied without the unit, in the same turns."""
    a, d = (rng.standard_normal((600, k)).astype(np.float32) for k in (n_inputs, 80))
    exact = a.T.astype(np.float64) @ d.astype(np.float64)
    alone = outer(a, d)
    np.testing.assert_allclose(alone, exact, rtol=0, atol=1e-4)  # some roundings of sums up to 100
    assert outer(a, d, n_jobs=2).tobytes() == alone.tobytes()


def test_who_wants_no_unit_has_none(monkeypatch):
    ask = amx.available.__wrapped__
    assert ask()
    monkeypatch.setenv("SEQLEARN_LSTM_MATRIX_UNIT", "0")
    assert not ask()
