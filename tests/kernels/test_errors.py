"""Losses of numbers against their formulas, and their gradients against central differences."""

import numpy as np
import pytest
from gradcheck import assert_gradient

DELTA = 0.7
KINDS = {
    0: lambda error: error**2,
    1: np.abs,
    2: lambda error: np.where(
        np.abs(error) <= DELTA, error**2 / 2, DELTA * (np.abs(error) - DELTA / 2)
    ),
}
KIND = pytest.mark.parametrize("kind", KINDS)


class Problem:
    def __init__(self, kernels, rng, dtype, n=7, n_outputs=3):
        self.kernels = kernels
        self.padded = kernels.zeros((n, kernels.padded(n_outputs, dtype)), dtype)
        self.scores = rng.standard_normal((n, n_outputs)).astype(dtype)
        self.targets = rng.standard_normal((n, n_outputs))
        self.weights = rng.uniform(0.5, 2, n)
        self.weights[2] = 0

    def loss(self, kind):
        self.padded[:, : self.scores.shape[1]] = self.scores
        total = self.weights.sum()
        return self.kernels.regression_loss(
            self.padded, self.targets, self.weights, total, kind, DELTA
        )


@KIND
def test_loss_equals_the_formula(kernels, rng, dtype, kind):
    problem = Problem(kernels, rng, dtype)
    errors = KINDS[kind](problem.scores - problem.targets).mean(axis=1)
    expected = np.average(errors, weights=problem.weights)
    assert problem.loss(kind) == pytest.approx(expected, rel=1e-12)


@KIND
def test_gradient_equals_differences(kernels, rng, kind):
    problem = Problem(kernels, rng, np.float64)
    problem.loss(kind)
    gradient = problem.padded[:, :3].copy()
    assert_gradient(lambda: problem.loss(kind), problem.scores, gradient)


@KIND
def test_rows_without_weight_and_padding_have_no_gradient(kernels, rng, dtype, kind):
    problem = Problem(kernels, rng, dtype)
    problem.padded[:] = np.nan
    problem.loss(kind)
    assert np.all(problem.padded[2] == 0)
    assert np.all(problem.padded[:, 3:] == 0)
    assert np.count_nonzero(problem.padded) == 6 * 3
