"""Gradients from central differences, to hold others against."""

import numpy as np


def numeric_gradient(f, array, eps=1e-5, n_samples=None, seed=0):
    """The gradient of ``f()`` with respect to `array` (float64), whose current values f reads.

    With `n_samples`, only so many entries drawn at random are computed. Returns (indices, slopes):
    flat indices into the array and the derivative at each.
    """
    assert array.dtype == np.float64, "differences of float32 tell nothing"
    flat = array.reshape(-1)
    assert np.shares_memory(flat, array), "the array must be contiguous: its entries are moved"
    indices = np.arange(flat.size)
    if n_samples is not None and n_samples < flat.size:
        indices = np.random.default_rng(seed).choice(flat.size, n_samples, replace=False)
    slopes = np.empty(len(indices))
    for k, index in enumerate(indices):
        value = flat[index]
        flat[index] = value + eps
        above = f()
        flat[index] = value - eps
        below = f()
        flat[index] = value
        slopes[k] = (above - below) / (2 * eps)
    return indices, slopes


def relative_error(actual, expected):
    """The largest difference, in units of the largest expected value; NaN where either has one."""
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    assert actual.shape == expected.shape, (actual.shape, expected.shape)
    difference = np.abs(actual - expected).max(initial=0)
    return difference / max(np.abs(expected).max(initial=0), 1e-300) if difference else 0.0


def assert_gradient(f, array, gradient, bound=1e-6, eps=1e-5, n_samples=None, name=""):
    """`gradient` is that of ``f()`` at `array`, and is not just zero."""
    assert gradient.shape == array.shape, (name, gradient.shape, array.shape)
    indices, slopes = numeric_gradient(f, array, eps, n_samples)
    assert np.abs(slopes).max() > 0, f"{name}: this test cannot fail"
    error = relative_error(gradient.reshape(-1)[indices], slopes)
    assert error <= bound, f"{name}: relative error {error:.2e}"
