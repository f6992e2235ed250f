"""Softmax and cross-entropy equal their naive twins and central differences."""

import naive
import numpy as np
import pytest
from backends import large
from gradcheck import assert_gradient

CLASSES = [1, 2, 3, 16, 17, 70, 300]
BOUND = {"float32": 2e-6, "float64": 1e-14}
# Probabilities are made on the host, of scores that are no longer on a device
HOST = pytest.mark.parametrize("kernels", ["cpu"], indirect=True)


def padded_scores(kernels, scores):
    """Scores in the backend's memory; the padding is whatever a product left there."""
    n, n_classes = scores.shape
    out = kernels.zeros((n, kernels.padded(n_classes, scores.dtype)), scores.dtype)
    out[:, n_classes:] = np.nan
    out[:, :n_classes] = scores
    return out


def loss_and_gradient(kernels, scores, targets, weights):
    """The loss and its gradient (n, C); what is not a number stays in its row."""
    padded, n_classes = padded_scores(kernels, scores), scores.shape[1]
    loss = kernels.softmax_cross_entropy(padded, targets, weights, float(weights.sum()), n_classes)
    np.testing.assert_array_equal(padded[np.isfinite(padded).all(axis=1), n_classes:], 0)
    return loss, padded[:, :n_classes]


@pytest.fixture
def problem(rng, dtype, n_classes):
    """Scores, targets (some ignored), weights (one of them zero)."""
    scores = rng.normal(scale=3, size=(11, n_classes)).astype(dtype)
    targets = rng.integers(0, n_classes, 11)
    targets[[2, 7]] = -1
    weights = rng.uniform(0.1, 4, 11)
    weights[5] = 0
    return scores, targets, weights


@HOST
@pytest.mark.parametrize("n_classes", CLASSES)
def test_probabilities(kernels, dtype, problem):
    scores, n_classes = problem[0], problem[0].shape[1]
    expected = np.array([naive.log_softmax(row.astype(np.float64)) for row in scores])
    padded = padded_scores(kernels, scores)
    kernels.softmax(padded, n_classes)
    np.testing.assert_allclose(padded[:, :n_classes], np.exp(expected), rtol=5 * BOUND[dtype.name])
    assert not padded[:, n_classes:].any()
    logs = np.full_like(scores, np.nan)
    kernels.log_softmax(padded_scores(kernels, scores), logs, n_classes)
    bound = BOUND[dtype.name]
    np.testing.assert_allclose(logs, expected, rtol=bound, atol=bound)


@pytest.mark.parametrize("n_classes", CLASSES)
def test_loss_and_gradient_equal_naive(kernels, dtype, problem):
    _, targets, weights = problem
    loss, gradient = loss_and_gradient(kernels, *problem)
    naive_loss, naive_gradient = naive.softmax_cross_entropy(*problem)
    bound = BOUND[dtype.name]
    assert abs(loss - naive_loss) <= bound * max(1, naive_loss)
    np.testing.assert_allclose(gradient, naive_gradient, rtol=0, atol=bound)
    assert not gradient[(targets < 0) | (weights == 0)].any()


@pytest.mark.parametrize("dtype", [np.float64], indirect=True)
@pytest.mark.parametrize("n_classes", [2, 3, large(17), large(70)])
def test_gradient_equals_differences(kernels, problem):
    scores, targets, weights = problem
    _, gradient = loss_and_gradient(kernels, *problem)
    assert_gradient(
        lambda: loss_and_gradient(kernels, scores, targets, weights)[0],
        scores, np.ascontiguousarray(gradient), n_samples=60,
    )  # fmt: skip


def test_one_class_costs_nothing(kernels, rng, dtype):
    scores = rng.standard_normal((4, 1)).astype(dtype)
    loss, gradient = loss_and_gradient(kernels, scores, np.zeros(4, np.int64), np.ones(4))
    assert loss == 0
    assert not gradient.any()


def huge_scores(size, dtype):
    return np.array([[size, -size, 0], [-size, -size, -size], [size, size, -size]], dtype)


@pytest.mark.parametrize("size", [1e4, 1e29], ids=["1e4", "1e29"])
def test_the_loss_of_huge_scores_stays_finite(kernels, dtype, size):
    scores = huge_scores(size, dtype)
    targets, weights = np.array([1, 0, 0]), np.ones(3)
    loss, gradient = loss_and_gradient(kernels, scores, targets, weights)
    naive_loss, naive_gradient = naive.softmax_cross_entropy(scores, targets, weights)
    np.testing.assert_allclose(loss, naive_loss, rtol=1e-6)
    np.testing.assert_allclose(gradient, naive_gradient, atol=BOUND[dtype.name])


@HOST
@pytest.mark.parametrize("size", [1e4, 1e29], ids=["1e4", "1e29"])
def test_probabilities_of_huge_scores_stay_finite(kernels, dtype, size):
    scores = huge_scores(size, dtype)
    padded = padded_scores(kernels, scores)
    kernels.softmax(padded, 3)
    np.testing.assert_allclose(
        padded[:, :3], [[1, 0, 0], [1 / 3] * 3, [0.5, 0.5, 0]], atol=BOUND[dtype.name]
    )
    logs = np.full_like(scores, np.nan)
    kernels.log_softmax(padded_scores(kernels, scores), logs, 3)
    np.testing.assert_allclose(logs[0], [0, -2 * size, -size], rtol=1e-6)


@pytest.mark.parametrize("n_classes", [17])
def test_a_score_that_is_not_a_number_shows_in_the_loss(kernels, problem):
    """Wherever it stands: a training that diverged must not go on unseen."""
    for column in range(17):
        scores, targets, weights = problem
        broken = scores.copy()
        broken[0, column] = np.nan
        loss, gradient = loss_and_gradient(kernels, broken, targets, weights)
        assert np.isnan(loss), column
        assert np.isnan(gradient[0]).all(), column
        assert np.isfinite(gradient[1:]).all(), column


@HOST
@pytest.mark.parametrize("n_classes", [3, 70])
def test_probabilities_of_a_row_depend_on_itself_alone(kernels, problem):
    scores, n_classes = problem[0], problem[0].shape[1]
    together = padded_scores(kernels, scores)
    kernels.softmax(together, n_classes)
    for row in range(len(scores)):
        alone = padded_scores(kernels, scores[row : row + 1])
        kernels.softmax(alone, n_classes)
        assert alone.tobytes() == together[row].tobytes()


@pytest.mark.parametrize("n_classes", [3, 70])
def test_the_gradient_of_a_row_depends_on_itself_alone(kernels, problem):
    scores, targets, weights = problem
    n_classes, total_weight = scores.shape[1], float(weights.sum())
    together = padded_scores(kernels, scores)
    loss = kernels.softmax_cross_entropy(together, targets, weights, total_weight, n_classes)
    losses = []
    for row in range(len(scores)):
        alone, own = padded_scores(kernels, scores[row : row + 1]), slice(row, row + 1)
        args = targets[own], weights[own], total_weight, n_classes
        losses.append(kernels.softmax_cross_entropy(alone, *args))
        assert alone.tobytes() == together[row].tobytes()
    assert loss == pytest.approx(sum(losses), rel=1e-13)
