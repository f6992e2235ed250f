"""The vector type computes as IEEE arithmetic says, and the register tile is a product."""

import math

import numpy as np
import pytest
from numba import njit

from seqlearn_lstm.kernels.cpu import simd, target
from seqlearn_lstm.kernels.cpu.layout import lanes
from seqlearn_lstm.kernels.cpu.simd import (
    at,
    fma,
    largest,
    load,
    load_first,
    maximum,
    minimum,
    power_of_two,
    round_to_even,
    splat,
    sqrt,
    stack,
    store,
    store_first,
    total,
)
from seqlearn_lstm.kernels.cpu.tile import PANEL_VECTORS, link, tile

OPERATIONS = {
    "x + y": lambda x, y, z: x + y,
    "x - y": lambda x, y, z: x - y,
    "x * y": lambda x, y, z: x * y,
    "x / y": lambda x, y, z: x / y,
    "x + 3": lambda x, y, z: x + x.dtype.type(3),
    "0.1 - x": lambda x, y, z: x.dtype.type(0.1) - x,
    "x * 0.1": lambda x, y, z: x * x.dtype.type(0.1),
    "1 / x": lambda x, y, z: x.dtype.type(1) / x,
    "minimum(x, y)": lambda x, y, z: np.minimum(x, y),
    "maximum(x, 0.1)": lambda x, y, z: np.maximum(x, x.dtype.type(0.1)),
    "sqrt(x * x)": lambda x, y, z: np.sqrt(x * x),
    "round_to_even(x)": lambda x, y, z: np.round(x),
    "power_of_two(round_to_even(x))": lambda x, y, z: 2 ** np.round(x),
}


@njit(error_model="numpy")
def every_operation(x, y, z, out, L):
    for k in range(0, x.size, L):
        a, b = load(x, k), load(y, k)
        store(out, 0 * x.size + k, a + b)
        store(out, 1 * x.size + k, a - b)
        store(out, 2 * x.size + k, a * b)
        store(out, 3 * x.size + k, a / b)
        store(out, 4 * x.size + k, a + 3)
        store(out, 5 * x.size + k, 0.1 - a)
        store(out, 6 * x.size + k, a * 0.1)
        store(out, 7 * x.size + k, 1 / a)
        store(out, 8 * x.size + k, minimum(a, b))
        store(out, 9 * x.size + k, maximum(a, 0.1))
        store(out, 10 * x.size + k, sqrt(a * a))
        store(out, 11 * x.size + k, round_to_even(a))
        store(out, 12 * x.size + k, power_of_two(round_to_even(a)))
        # not in the table: see the tests below
        store(out, 13 * x.size + k, fma(a, b, load(z, k)))
        store(out, 14 * x.size + k, fma(a, 2.0, 0.25))
        store(out, 15 * x.size + k, splat(x, total(a)))
        store(out, 16 * x.size + k, splat(x, largest(a)))


@pytest.fixture
def operands(rng, dtype):
    """x, y, z: some vectors each; x has halves, for rounding, and no zeros."""
    L = lanes(dtype)
    x, y, z = (rng.normal(scale=5, size=(3, L)).astype(dtype) for _ in range(3))
    x[0, :2] = -2.5, 1.5
    return x, y, z


@pytest.fixture
def results(operands):
    """(name or number of the operation) -> what came out."""
    x, y, z = operands
    out = np.full((17, *x.shape), np.nan, x.dtype)
    every_operation(x, y, z, out, x.shape[1])
    return dict(zip([*OPERATIONS, *range(13, 17)], out, strict=True))


def test_every_operation_is_that_of_numpy(operands, results):
    for name, operation in OPERATIONS.items():
        np.testing.assert_array_equal(results[name], operation(*operands), name, strict=True)


def test_multiply_add(operands, results, dtype):
    x, y, z = (array.astype(np.longdouble) for array in operands)
    eps = np.finfo(dtype).eps
    assert np.all(np.abs(results[13] - (x * y + z)) <= eps * (np.abs(x * y) + np.abs(z)))
    np.testing.assert_array_equal(results[14], operands[0] * 2 + dtype.type(0.25))


def test_multiply_add_rounds_once_where_the_processor_can(dtype):
    eps, L = np.finfo(dtype).eps, lanes(dtype)
    x = np.full((1, L), 1 + eps, dtype)
    z = np.full((1, L), -(1 + 2 * eps), dtype)
    out = np.empty((17, 1, L), dtype)
    every_operation(x, x, z, out, L)
    assert np.all(out[13] == (eps**2 if target.HAS_FMA else 0))


def test_reductions(operands, results):
    x = operands[0]
    np.testing.assert_array_equal(results[16], np.broadcast_to(x.max(axis=1)[:, None], x.shape))
    exact = np.array([math.fsum(row) for row in x])
    bound = np.finfo(x.dtype).eps * np.abs(x).sum(axis=1)
    assert np.all(np.abs(results[15] - exact[:, None]) <= bound[:, None])
    assert np.all(results[15] == results[15][:, :1])


@njit(error_model="numpy")
def through_the_stack(x, out, L):
    """Backwards by vectors, through memory of its own, to and from addresses."""
    memory = stack(x, 64)
    for k in range(0, x.size, L):
        store(memory, k, load(at(x, k), 0))
    for k in range(0, x.size, L):
        store(at(out, k), 0, load(memory, x.size - L - k))


def test_addresses_and_the_stack(dtype):
    """Vectors may start anywhere, in an array of any number of dimensions."""
    L = lanes(dtype)
    x = np.arange(4 * L, dtype=dtype).reshape(2, 2, L)
    out = np.full((2, 2, L), np.nan, dtype)
    through_the_stack(x, out, L)
    np.testing.assert_array_equal(out.reshape(4, L), x.reshape(4, L)[::-1], strict=True)
    shifted = np.full(4 * L + 1, np.nan, dtype)
    through_the_stack(x, shifted[1:].reshape(2, 2, L), L)
    np.testing.assert_array_equal(shifted[1:], out.ravel(), strict=True)


@njit(error_model="numpy")
def the_first(x, k, loaded, stored, n):
    store(loaded, 0, load_first(x, k, n))
    store_first(stored, k, load(x, k), n)


def test_the_first_lanes_of_a_vector(dtype):
    L, k = lanes(dtype), 3
    x = np.arange(1, k + L + 1, dtype=dtype)
    for n in range(L + 1):
        loaded, stored = np.full(L, np.nan, dtype), np.full(k + L, np.nan, dtype)
        the_first(x, k, loaded, stored, n)
        np.testing.assert_array_equal(loaded, np.where(np.arange(L) < n, x[k:], 0), strict=True)
        written = (np.arange(k + L) >= k) & (np.arange(k + L) < k + n)
        np.testing.assert_array_equal(stored, np.where(written, x, np.nan), strict=True)


def test_a_vector_fills_a_register():
    assert target.VECTOR_BYTES in (16, 32, 64)
    for dtype in (np.float32, np.float64):
        assert lanes(np.dtype(dtype)) * np.dtype(dtype).itemsize == target.VECTOR_BYTES
    assert simd.Vector(simd.types.float32).lanes == target.VECTOR_BYTES // 4


# ---- the register tile ---------------------------------------------------------------------------


@njit(error_model="numpy")
def one_tile(rows, vectors, out, a, row_stride, column_stride, b, K, accumulate):
    """a (pieces, K, rows) or (pieces, rows, K); b (pieces * K, columns)."""
    tile(
        rows, vectors, at(out, 0), out.shape[1], at(a, 0), row_stride, column_stride, a.shape[0],
        rows * K, at(b, 0), b.shape[1], K, accumulate,
    )  # fmt: skip


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("accumulate", [0, 1, 5])
def test_tile_is_a_product(rng, dtype, transposed, accumulate):
    link(dtype)
    L = lanes(dtype)
    for rows in range(1, target.TILE_ROWS + 1):
        for vectors in range(1, PANEL_VECTORS + 1):
            for K, pieces in [(1, 1), (2, 1), (7, 1), (1, 2), (3, 4)]:
                width = vectors * L
                # Whole numbers: the sums are exact, so nothing is forgiven.
                a = rng.integers(-9, 10, (pieces, rows, K)).astype(dtype)
                b = rng.integers(-9, 10, (pieces * K, width + 3)).astype(dtype)
                before = rng.integers(-9, 10, (rows + 1, width + 5)).astype(dtype)
                out = before.copy()
                strides = (1, rows) if transposed else (K, 1)
                stored = a.transpose(0, 2, 1).copy() if transposed else a
                one_tile(rows, vectors, out, stored, *strides, b, K, accumulate)
                expected = before.copy()
                expected[:rows, :width] *= accumulate != 0
                expected[:rows, :width] += np.hstack(list(a)) @ b[:, :width]
                shape = f"{rows} rows, {vectors} vectors, {pieces} pieces of {K}"
                np.testing.assert_array_equal(out, expected, shape, strict=True)
