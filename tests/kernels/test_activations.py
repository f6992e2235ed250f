"""tanh, sigmoid, exp and the gates of an LSTM against NumPy in float64, over their whole range."""

import numpy as np
import pytest
from numba import njit
from one_layer import copy_to

from seqlearn_lstm.kernels.cpu import activations, target
from seqlearn_lstm.kernels.cpu.layout import lanes
from seqlearn_lstm.kernels.cpu.simd import load, store

# Absolute and relative error; single precision loses some more where multiply-adds round twice
BOUNDS = {
    "float32": (2.5e-7 if target.HAS_FMA else 3.5e-7, 6e-7),
    "float64": (4e-16, 1.5e-15),
}


def over_an_array(function):
    @njit(error_model="numpy")
    def loop(x, out, L):
        for k in range(0, x.size, L):
            store(out, k, function(load(x, k)))

    def apply(x):
        L = lanes(x.dtype)
        padded = np.zeros(-(-x.size // L) * L, x.dtype)
        padded[: x.size] = x
        out = np.full_like(padded, np.nan)
        loop(padded, out, L)
        return out[: x.size]

    return apply


tanh, sigmoid, exp = map(over_an_array, (activations.tanh, activations.sigmoid, activations.exp))


@njit(error_model="numpy")
def _gates(pre, out, L):
    for k in range(0, pre.shape[1], L):
        i, f, g, o = activations.lstm_gates(
            load(pre, k),
            load(pre, k + pre.shape[1]),
            load(pre, k + 2 * pre.shape[1]),
            load(pre, k + 3 * pre.shape[1]),
        )
        store(out, k, i)
        store(out, k + pre.shape[1], f)
        store(out, k + 2 * pre.shape[1], g)
        store(out, k + 3 * pre.shape[1], o)


def everywhere(dtype):
    """Numbers of both signs: dense where the functions bend, and of all sizes there are."""
    info = np.finfo(dtype)
    powers = np.arange(np.log2(float(info.smallest_subnormal)), np.log2(float(info.max)))
    sizes = 2.0**powers
    magnitudes = [np.linspace(0, 25, 50_001), np.linspace(25, 800, 2001), sizes, 1.37 * sizes]
    positive = np.concatenate([*magnitudes, [info.max, info.tiny]]).astype(dtype)
    return np.concatenate([positive[np.isfinite(positive)], -positive[np.isfinite(positive)]])


def naive_sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


@pytest.mark.parametrize(
    "ours, truth", [(tanh, np.tanh), (sigmoid, naive_sigmoid)], ids=["tanh", "sigmoid"]
)
def test_whole_range(ours, truth, dtype):
    x = everywhere(dtype)
    expected = truth(x.astype(np.float64))
    error = np.abs(ours(x) - expected)
    absolute, _ = BOUNDS[dtype.name]
    assert error.max() <= absolute, f"at {x[error.argmax()]}"
    saturated = np.abs(x) > 50
    assert np.all(np.abs(ours(x)) <= 1 + absolute)
    assert error[saturated].max() <= absolute


def test_tanh_is_relatively_exact_near_zero(dtype):
    x = everywhere(dtype)
    x = x[(np.abs(x) >= 1e6 * np.finfo(dtype).tiny) & (np.abs(x) < 1)]  # its factors are normal
    expected = np.tanh(x.astype(np.float64))
    error = np.abs(tanh(x) / expected - 1)
    assert error.max() <= BOUNDS[dtype.name][1], f"at {x[error.argmax()]}"


def test_exp(dtype):
    lowest = {"float32": -86.0, "float64": -690.0}[dtype.name]
    x = everywhere(dtype)
    x = x[x <= 0]
    expected = np.exp(np.maximum(x.astype(np.float64), lowest))
    error = np.abs(exp(x) / expected - 1)
    assert error.max() <= BOUNDS[dtype.name][1], f"at {x[error.argmax()]}"
    assert np.all(exp(np.zeros(1, dtype)) == 1)


def test_gates_share_a_division(kernels, dtype, rng):
    """Every gate, next to gates of every other size."""
    L = lanes(dtype)
    x = everywhere(dtype)
    x = x[: len(x) // L * L]
    pre = copy_to(kernels, np.array([rng.permutation(x) for _ in range(4)]))
    out = np.full_like(pre, np.nan)
    _gates(pre, out, L)
    absolute, _ = BOUNDS[dtype.name]
    exact = pre.astype(np.float64)
    for gate, function in enumerate((naive_sigmoid, naive_sigmoid, np.tanh, naive_sigmoid)):
        error = np.abs(out[gate] - function(exact[gate]))
        assert error.max() <= 2 * absolute, f"gate {gate} at {pre[:, error.argmax()]}"


@pytest.mark.parametrize("ours", [tanh, sigmoid, exp], ids=["tanh", "sigmoid", "exp"])
def test_infinity_is_a_large_number(ours, dtype):
    x = np.array([-np.inf, np.inf] if ours is not exp else [-np.inf], dtype)
    largest = np.copysign(np.array(np.finfo(dtype).max, dtype), x)
    np.testing.assert_array_equal(ours(x), ours(largest), strict=True)


@pytest.mark.parametrize("ours", [tanh, sigmoid, exp], ids=["tanh", "sigmoid", "exp"])
def test_not_a_number_stays_not_a_number(ours, dtype):
    x = np.linspace(-1, 0, 2 * lanes(dtype), dtype=dtype)
    x[1] = np.nan
    assert np.array_equal(np.isnan(ours(x)), np.isnan(x))
