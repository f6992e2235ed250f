"""Solver steps equal their textbooks, over several updates, whatever the size and the threads."""

from typing import NamedTuple

import naive
import numpy as np
import pytest
from gradcheck import relative_error
from one_layer import copy_to

STEPS = 10
BOUND = {"float32": 2e-6, "float64": 1e-12}
SCALE, RATE, EPSILON = 0.37, 0.01, 1e-8
SIZES = (256, 253, 33, 1)  # most are no multiple of the lanes


class Rule(NamedTuple):
    """A kernel's name, how many arrays its state has, its numbers after `scale` at update t, and
    the textbook: (theta, g, t, *state) to the next (theta, *state).
    """

    kernel: str
    n_state: int
    numbers: object
    textbook: object


def sgd(momentum, nesterov):
    return Rule(
        "sgd", 1, lambda t: (RATE, momentum, nesterov),
        lambda theta, g, t, *state: naive.sgd(theta, g, *state, RATE, momentum, nesterov),
    )  # fmt: skip


def scaled(kernel, n_state, *numbers):
    return Rule(
        kernel, n_state, lambda t: (RATE, *numbers, EPSILON),
        lambda theta, g, t, *state: getattr(naive, kernel)(
            theta, g, *state, RATE, *numbers, EPSILON
        ),
    )  # fmt: skip


def corrected(beta_1, t):
    return RATE / (1 - beta_1**t)


def moments(beta_1, beta_2, t):
    return beta_1, beta_2, float(1 / np.sqrt(1 - beta_2**t)), EPSILON


def adam(*betas):
    return Rule(
        "adam", 2, lambda t: (corrected(betas[0], t), 0.0, *moments(*betas, t)),
        lambda theta, g, t, *state: naive.adam(theta, g, *state, t, RATE, *betas, EPSILON),
    )  # fmt: skip


def adamw(decay, *betas):
    return Rule(
        "adam", 2, lambda t: (corrected(betas[0], t), RATE * decay, *moments(*betas, t)),
        lambda theta, g, t, *state: naive.adamw(theta, g, *state, t, RATE, *betas, EPSILON, decay),
    )  # fmt: skip


def amsgrad(*betas):
    return Rule(
        "amsgrad", 3, lambda t: (corrected(betas[0], t), *moments(*betas, t)),
        lambda theta, g, t, *state: naive.amsgrad(theta, g, *state, t, RATE, *betas, EPSILON),
    )  # fmt: skip


def nadam(decay, *betas):
    def rates(t):
        mu = betas[0] * (1 - 0.5 * 0.96 ** (np.arange(1, t + 2) * decay))
        both = (1 - mu[-2]) / (1 - mu[:-1].prod()), mu[-1] / (1 - mu.prod())
        return tuple(float(RATE * factor) for factor in both)

    return Rule(
        "nadam", 2, lambda t: (*rates(t), *moments(*betas, t)),
        lambda theta, g, t, *state: naive.nadam(theta, g, *state, t, RATE, *betas, EPSILON, decay),
    )  # fmt: skip


RULES = {
    "descend": Rule("descend", 0, lambda t: (RATE,), lambda theta, g, t: (theta - RATE * g,)),
    "sgd": sgd(0.0, False),
    "momentum": sgd(0.9, False),
    "nesterov": sgd(0.9, True),
    "nesterov alone": sgd(0.0, True),
    "rmsprop": scaled("rmsprop", 1, 0.9),
    "rmsprop, no memory": scaled("rmsprop", 1, 0.0),
    "adagrad": scaled("adagrad", 1),
    "adadelta": scaled("adadelta", 2, 0.9),
    "adam": adam(0.9, 0.999),
    "adam, no mean": adam(0.0, 0.5),
    "adam, no square": adam(0.5, 0.0),
    "adamw": adamw(0.5, 0.9, 0.999),
    "amsgrad": amsgrad(0.9, 0.5),
    "nadam": nadam(0.1, 0.9, 0.999),
}
ALL_RULES = pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())


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


def run(kernels, rule, theta, gradients, n_jobs=1):
    """(theta, *state) after all updates; what lies behind the arrays must stay as it is."""
    n, beyond = theta.size, 2 * kernels.lanes(theta.dtype)
    memory = [kernels.zeros(n + beyond, theta.dtype) for _ in range(1 + rule.n_state)]
    memory[0][:n] = theta
    for array in memory:
        array[n:] = np.nan
    after, *state = (array[:n] for array in memory)
    for t, gradient in enumerate(gradients, start=1):
        getattr(kernels, rule.kernel)(
            after, copy_to(kernels, gradient), *state, SCALE, *rule.numbers(t), n_jobs
        )
    assert all(np.isnan(array[n:]).all() for array in memory)
    return after, *state


@ALL_RULES
def test_steps_are_the_textbook(kernels, dtype, theta, gradients, rule):
    expected = theta.astype(np.float64), *np.zeros((rule.n_state, theta.size))
    for t, gradient in enumerate(gradients.astype(np.float64), start=1):
        expected = rule.textbook(expected[0], SCALE * gradient, t, *expected[1:])
    ours = run(kernels, rule, theta, gradients)
    for mine, truth in zip(ours, expected, strict=True):
        assert relative_error(mine, truth) <= BOUND[dtype.name]
    assert not ours[0][-5:].any(), "padding stays zero"


@ALL_RULES
def test_an_element_does_not_depend_on_the_size(kernels, theta, gradients, rule):
    whole = run(kernels, rule, theta, gradients)
    for n in SIZES:
        for part, array in zip(run(kernels, rule, theta[:n], gradients[:, :n]), whole, strict=True):
            np.testing.assert_array_equal(part, array[:n])


@ALL_RULES
def test_nothing_to_update(kernels, theta, gradients, rule):
    assert run(kernels, rule, theta[:0], gradients[:, :0])[0].size == 0


def test_any_number_of_threads_gives_the_same_bits(kernels, theta, gradients, n_jobs_to_try):
    results = set()
    for n_jobs in n_jobs_to_try:
        arrays = [
            array
            for rule in RULES.values()
            for array in run(kernels, rule, theta[:253], gradients[:, :253], n_jobs)
        ]
        clipped = copy_to(kernels, gradients[0])
        kernels.clip_values(clipped, 0.5, n_jobs)
        results.add(b"".join(array.tobytes() for array in [*arrays, clipped]))
    assert len(results) == 1


def test_clip_values(kernels, rng, dtype):
    for n in (0, *SIZES):
        values = rng.standard_normal(n).astype(dtype)
        values[:4] = np.array([np.nan, np.inf, -np.inf, 0.75])[:n]
        memory = kernels.zeros(n + 1, dtype)
        memory[:n], memory[n] = values, 7
        kernels.clip_values(memory[:n], 0.75, 1)
        np.testing.assert_array_equal(memory[:n], np.clip(values, -0.75, 0.75))
        assert memory[n] == 7


@pytest.mark.parametrize("sizes", [(253,), (33, 0, 100)])
def test_clip_scale(kernels, rng, dtype, sizes):
    gradients = [rng.standard_normal(n).astype(dtype) for n in sizes]
    truth = np.linalg.norm(np.concatenate(gradients).astype(np.float64))
    for limit in (truth / 7, truth * 7, np.inf):
        norm, scale = kernels.clip_scale([copy_to(kernels, g) for g in gradients], float(limit), 1)
        assert isinstance(norm, float) and isinstance(scale, float)
        assert norm == pytest.approx(truth, rel=BOUND[dtype.name])
        assert scale == (1 if limit > truth else limit / norm)
    gradients[0][0] = np.inf
    norm, scale = kernels.clip_scale(gradients, 1.0, 1)
    assert (norm, scale) == (np.inf, 0)
    gradients[0][0] = np.nan
    assert np.isnan(kernels.clip_scale(gradients, 1.0, 1)[0])


def test_sum_of_squares(kernels, rng, dtype):
    L = kernels.lanes(dtype)
    for n in (0, 1, L - 1, L, L + 1, 2 * L, 3 * L, 4096, 4097, 4096 + L, 3 * 4096 + 7 * L + 1):
        x = copy_to(kernels, rng.standard_normal(n + 1).astype(dtype))
        x[n] = np.nan
        expected = np.square(x[:n].astype(np.float64)).sum()
        result = kernels.sum_of_squares(x[:n])
        assert isinstance(result, float)
        assert abs(result - expected) <= BOUND[dtype.name] * expected


def test_squares_may_be_larger_than_the_numbers_can_be(kernels, dtype):
    large = np.finfo(np.float32).max / 4
    x = copy_to(kernels, np.full(5000, large, dtype))
    expected = 5000 * float(large) ** 2
    assert kernels.sum_of_squares(x) == pytest.approx(expected, rel=BOUND[dtype.name])
    norm, scale = kernels.clip_scale([x], 1.0, 1)
    assert float(norm) == pytest.approx(expected**0.5, rel=BOUND[dtype.name])
    assert float(scale) == pytest.approx(expected**-0.5, rel=BOUND[dtype.name])
    x[3] = np.inf
    assert float(kernels.sum_of_squares(x)) == np.inf


@pytest.mark.parametrize("kernels", ["cpu"], indirect=True)  # CUDA's: test_cuda_launches.py
def test_sum_of_squares_counts_every_entry(kernels, dtype):
    n = 4096 + 3 * kernels.lanes(dtype) + 1
    x = kernels.zeros(n, dtype)
    for k in range(n):
        x[k] = 3
        assert kernels.sum_of_squares(x) == 9
        x[k] = 0
    x[n // 2] = np.nan
    assert np.isnan(kernels.sum_of_squares(x))
