"""Solver steps equal their textbooks, over several updates."""

import naive
import numpy as np
import pytest
from gradcheck import relative_error
from one_layer import copy_to

STEPS = 10
BOUND = {"float32": 2e-6, "float64": 1e-12}
SCALE, RATE = 0.37, 0.01


@pytest.fixture
def gradients(rng, dtype):
    """(STEPS, n), of very different sizes; the last entries are padding."""
    n = 256
    values = rng.standard_normal((STEPS, n)) * 10 ** rng.uniform(-4, 2, n)
    values[:, -5:] = 0
    return values.astype(dtype)


@pytest.fixture
def theta(rng, dtype):
    values = rng.standard_normal(256).astype(dtype)
    values[-5:] = 0
    return values


def run_adam(kernels, theta, gradients, beta_1, beta_2, epsilon, n_jobs=1):
    theta = copy_to(kernels, theta)
    m, v = (kernels.zeros(theta.shape, theta.dtype) for _ in range(2))
    for t, gradient in enumerate(gradients, start=1):
        rate, root_correction = RATE / (1 - beta_1**t), 1 / np.sqrt(1 - beta_2**t)
        kernels.adam(
            theta, copy_to(kernels, gradient), m, v, SCALE, rate, beta_1, beta_2,
            float(root_correction), epsilon, n_jobs,
        )  # fmt: skip
    return theta, m, v


def run_sgd(kernels, theta, gradients, momentum, nesterov, n_jobs=1):
    theta = copy_to(kernels, theta)
    velocity = kernels.zeros(theta.shape, theta.dtype)
    for gradient in gradients:
        kernels.sgd(
            theta, copy_to(kernels, gradient), velocity, SCALE, RATE, momentum, nesterov, n_jobs
        )
    return theta, velocity


def assert_same(ours, truths, bound):
    for mine, truth in zip(ours, truths, strict=True):
        assert relative_error(mine, truth) <= bound
    assert not ours[0][-5:].any()


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.0, 0.5), (0.5, 0.0)])
def test_adam_is_the_textbook(kernels, dtype, theta, gradients, betas):
    expected = theta.astype(np.float64), np.zeros(256), np.zeros(256)
    for t, gradient in enumerate(gradients.astype(np.float64), start=1):
        expected = naive.adam(
            expected[0], SCALE * gradient, *expected[1:], t, RATE, *betas, epsilon=1e-8
        )
    ours = run_adam(kernels, theta, gradients, *betas, 1e-8)
    assert_same(ours, expected, BOUND[dtype.name])


SGD_CASES = pytest.mark.parametrize(
    "momentum, nesterov", [(0.0, False), (0.9, False), (0.9, True), (0.0, True)]
)


@SGD_CASES
def test_sgd_is_the_textbook(kernels, dtype, theta, gradients, momentum, nesterov):
    expected = theta.astype(np.float64), np.zeros(256)
    for gradient in gradients.astype(np.float64):
        expected = naive.sgd(expected[0], SCALE * gradient, expected[1], RATE, momentum, nesterov)
    ours = run_sgd(kernels, theta, gradients, momentum, nesterov)
    assert_same(ours, expected, BOUND[dtype.name])


def run_torch(make_optimizer, theta, gradients):
    torch = pytest.importorskip("torch")
    parameter = torch.nn.Parameter(torch.from_numpy(theta.copy()))
    optimizer = make_optimizer(torch.optim, [parameter])
    for gradient in gradients:
        parameter.grad = torch.from_numpy((SCALE * gradient).astype(gradient.dtype))
        optimizer.step()
    return parameter.detach().numpy()


def test_adam_is_that_of_torch(kernels, dtype, theta, gradients):
    ours, *_ = run_adam(kernels, theta, gradients, 0.8, 0.99, 1e-8)
    theirs = run_torch(
        lambda optim, parameters: optim.Adam(parameters, RATE, (0.8, 0.99), 1e-8), theta, gradients
    )
    assert relative_error(ours, theirs) <= BOUND[dtype.name]


@pytest.mark.parametrize("momentum, nesterov", [(0.0, False), (0.9, False), (0.9, True)])
def test_sgd_is_that_of_torch(kernels, dtype, theta, gradients, momentum, nesterov):
    ours, _ = run_sgd(kernels, theta, gradients, momentum, nesterov)
    theirs = run_torch(
        lambda optim, parameters: optim.SGD(parameters, RATE, momentum, nesterov=nesterov),
        theta, gradients,
    )  # fmt: skip
    assert relative_error(ours, theirs) <= BOUND[dtype.name]


def test_any_number_of_threads_gives_the_same_bits(kernels, dtype, theta, gradients, n_jobs_to_try):
    results = set()
    for n_jobs in n_jobs_to_try:
        arrays = run_adam(kernels, theta, gradients, 0.9, 0.999, 1e-8, n_jobs)
        arrays += run_sgd(kernels, theta, gradients, 0.9, True, n_jobs)
        results.add(b"".join(array.tobytes() for array in arrays))
    assert len(results) == 1


def test_sum_of_squares(kernels, rng, dtype):
    L = kernels.lanes(dtype)
    for n in (0, L, 2 * L, 3 * L, 4096, 4096 + L, 3 * 4096 + 7 * L):
        x = copy_to(kernels, rng.standard_normal(n).astype(dtype))
        expected = np.square(x.astype(np.float64)).sum()
        result = kernels.sum_of_squares(x)
        assert isinstance(result, float)
        assert abs(result - expected) <= BOUND[dtype.name] * expected


def test_sum_of_squares_counts_every_entry(kernels, dtype):
    n = 4096 + 3 * kernels.lanes(dtype)
    x = kernels.zeros(n, dtype)
    for k in range(n):
        x[k] = 3
        assert kernels.sum_of_squares(x) == 9
        x[k] = 0
    x[n // 2] = np.nan
    assert np.isnan(kernels.sum_of_squares(x))
