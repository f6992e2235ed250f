"""Solvers follow their textbooks and PyTorch, in the dense, over rows, and after a break."""

import pickle
from typing import NamedTuple

import naive
import numpy as np
import pytest
from gradcheck import relative_error
from one_layer import copy_to
from sklearn.base import clone

from seqlearn_lstm.solvers import (
    SGD,
    SOLVERS,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Nadam,
    RMSprop,
    make_solver,
    step_rows,
)

STEPS, SCALE = 10, 0.37
BOUND = {"float32": 2e-6, "float64": 1e-12}


class Case(NamedTuple):
    """A solver; the textbook (theta, g, t, rate, *state) to the next (theta, *state), with what its
    state begins with; and PyTorch's class with the same settings, if there is one.
    """

    solver: object
    textbook: object
    start: tuple
    torch: tuple | None
    rate: float = 0.03


CASES = {
    "sgd": Case(
        SGD(),
        lambda theta, g, t, rate, *state: naive.sgd(theta, g, *state, rate, 0.9, True),
        (0,), ("SGD", {"momentum": 0.9, "nesterov": True}),
    ),
    "sgd, heavy ball": Case(
        SGD(momentum=0.5, nesterov=False),
        lambda theta, g, t, rate, *state: naive.sgd(theta, g, *state, rate, 0.5, False),
        (0,), ("SGD", {"momentum": 0.5}),
    ),
    "sgd, plain": Case(
        SGD(momentum=0, nesterov=False),
        lambda theta, g, t, rate, *state: naive.sgd(theta, g, *state, rate, 0, False),
        (0,), ("SGD", {}),
    ),
    "rmsprop": Case(
        RMSprop(),
        lambda theta, g, t, rate, *state: naive.rmsprop(theta, g, *state, rate, 0.99, 1e-8),
        (0,), ("RMSprop", {}),
    ),
    "rmsprop, rho": Case(
        RMSprop(rho=0.5, epsilon=0.1),
        lambda theta, g, t, rate, *state: naive.rmsprop(theta, g, *state, rate, 0.5, 0.1),
        (0,), ("RMSprop", {"alpha": 0.5, "eps": 0.1}),
    ),
    "rmsprop, global": Case(
        RMSprop(global_scale=True, rho=0.9),
        lambda theta, g, t, rate, *state: naive.global_rmsprop(theta, g, *state, rate, 0.9, 1e-8),
        (0,), None,
    ),
    "adagrad": Case(
        Adagrad(),
        lambda theta, g, t, rate, *state: naive.adagrad(theta, g, *state, rate, 1e-10),
        (0,), ("Adagrad", {}),
    ),
    "adagrad, start": Case(
        Adagrad(initial_square=0.1, epsilon=1e-3),
        lambda theta, g, t, rate, *state: naive.adagrad(theta, g, *state, rate, 1e-3),
        (0.1,), ("Adagrad", {"initial_accumulator_value": 0.1, "eps": 1e-3}),
    ),
    "adadelta": Case(  # with steps that are large enough to show errors in them
        Adadelta(),
        lambda theta, g, t, rate, *state: naive.adadelta(theta, g, *state, rate, 0.9, 1e-6),
        (0, 0), ("Adadelta", {}), 30.0,
    ),
    "adadelta, rho": Case(
        Adadelta(rho=0.5, epsilon=1e-3),
        lambda theta, g, t, rate, *state: naive.adadelta(theta, g, *state, rate, 0.5, 1e-3),
        (0, 0), ("Adadelta", {"rho": 0.5, "eps": 1e-3}), 1.0,
    ),
    "adam": Case(
        Adam(),
        lambda theta, g, t, rate, *state: naive.adam(theta, g, *state, t, rate, 0.9, 0.999, 1e-8),
        (0, 0), ("Adam", {}),
    ),
    "adam, betas": Case(
        Adam(beta_1=0.8, beta_2=0.99, epsilon=1e-3),
        lambda theta, g, t, rate, *state: naive.adam(theta, g, *state, t, rate, 0.8, 0.99, 1e-3),
        (0, 0), ("Adam", {"betas": (0.8, 0.99), "eps": 1e-3}),
    ),
    "amsgrad": Case(
        AMSGrad(),
        lambda theta, g, t, rate, *state: naive.amsgrad(
            theta, g, *state, t, rate, 0.9, 0.999, 1e-8
        ),
        (0, 0, 0), ("Adam", {"amsgrad": True}),
    ),
    "amsgrad, betas": Case(  # with a mean square that falls now and then
        AMSGrad(beta_1=0.5, beta_2=0.3),
        lambda theta, g, t, rate, *state: naive.amsgrad(theta, g, *state, t, rate, 0.5, 0.3, 1e-8),
        (0, 0, 0), ("Adam", {"amsgrad": True, "betas": (0.5, 0.3)}),
    ),
    "adamw": Case(
        AdamW(),
        lambda theta, g, t, rate, *state: naive.adamw(
            theta, g, *state, t, rate, 0.9, 0.999, 1e-8, 0.01
        ),
        (0, 0), ("AdamW", {}),
    ),
    "adamw, decay": Case(
        AdamW(weight_decay=0.5),
        lambda theta, g, t, rate, *state: naive.adamw(
            theta, g, *state, t, rate, 0.9, 0.999, 1e-8, 0.5
        ),
        (0, 0), ("AdamW", {"weight_decay": 0.5}),
    ),
    "nadam": Case(
        Nadam(),
        lambda theta, g, t, rate, *state: naive.nadam(
            theta, g, *state, t, rate, 0.9, 0.999, 1e-8, 0.004
        ),
        (0, 0), ("NAdam", {}),
    ),
    "nadam, decay": Case(
        Nadam(beta_1=0.8, momentum_decay=1),
        lambda theta, g, t, rate, *state: naive.nadam(
            theta, g, *state, t, rate, 0.8, 0.999, 1e-8, 1
        ),
        (0, 0), ("NAdam", {"betas": (0.8, 0.999), "momentum_decay": 1}),
    ),
}  # fmt: skip
ALL_CASES = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
SETTINGS = {  # what is in range, and what is not
    SGD: {"momentum": ([0, 0.9], [-0.1, 1, "much"]), "nesterov": ([True, False], ["yes", None])},
    RMSprop: {
        "rho": ([0, 0.99], [-0.1, 1]), "epsilon": ([1e-8], [0, -1]),
        "global_scale": ([True], ["yes"]),
    },
    Adagrad: {"initial_square": ([0, 2], [-1]), "epsilon": ([1e-8], [0])},
    Adadelta: {"rho": ([0, 0.99], [-0.1, 1]), "epsilon": ([1e-8], [0])},
    **{
        kind: {
            "beta_1": ([0, 0.99], [-0.1, 1]), "beta_2": ([0, 0.99], [-0.1, 1]),
            "epsilon": ([1e-8], [0, np.nan]),
        }
        for kind in (Adam, AMSGrad)
    },
    AdamW: {"beta_2": ([0.5], [1]), "weight_decay": ([0, 2], [-1])},
    Nadam: {"beta_1": ([0.5], [1]), "momentum_decay": ([0, 1], [-1])},
}  # fmt: skip


@pytest.fixture
def theta(rng, dtype):
    """Parameters of a number that no vector divides."""
    return rng.standard_normal(253).astype(dtype)


@pytest.fixture
def gradients(rng, dtype):
    """(STEPS, n), of very different sizes."""
    values = rng.standard_normal((STEPS, 253)) * 10 ** rng.uniform(-3, 1, 253)
    return values.astype(dtype)


def follow(kernels, case, theta, gradients, state=None, n_jobs=1):
    """Theta after each of the updates, and the state after the last."""
    theta, trajectory = copy_to(kernels, theta), []
    state = case.solver.start(kernels, theta) if state is None else state
    for gradient in gradients:
        case.solver.step(
            kernels, theta, copy_to(kernels, gradient), state, case.rate, SCALE, n_jobs
        )
        trajectory.append(theta.copy())
    return np.array(trajectory), state


# ---- what they compute ---------------------------------------------------------------------------


@ALL_CASES
def test_the_trajectory_is_the_textbooks(kernels, dtype, theta, gradients, case):
    ours, _ = follow(kernels, case, theta, gradients)
    truth = theta.astype(np.float64), *case.start
    for t, gradient in enumerate(gradients.astype(np.float64), start=1):
        truth = case.textbook(truth[0], SCALE * gradient, t, case.rate, *truth[1:])
        assert relative_error(ours[t - 1], truth[0]) <= BOUND[dtype.name]
    assert relative_error(ours[-1], theta) > 1e-3, "this test cannot fail"


@pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if case.torch],
    ids=[name for name, case in CASES.items() if case.torch],
)
def test_the_trajectory_is_that_of_torch(kernels, dtype, theta, gradients, case):
    torch = pytest.importorskip("torch")
    name, settings = case.torch
    parameter = torch.nn.Parameter(torch.from_numpy(theta.copy()))
    optimizer = getattr(torch.optim, name)([parameter], lr=case.rate, **settings)
    ours, _ = follow(kernels, case, theta, gradients)
    # PyTorch keeps NAdam's product of all mu in float32, whatever the parameters are.
    bound = max(BOUND[dtype.name], 1e-7) if name == "NAdam" else BOUND[dtype.name]
    for mine, gradient in zip(ours, gradients, strict=True):
        parameter.grad = torch.from_numpy((SCALE * gradient).astype(dtype))
        optimizer.step()
        assert relative_error(mine, parameter.detach().numpy()) <= bound


@ALL_CASES
def test_any_number_of_threads_gives_the_same_bits(kernels, theta, gradients, case, n_jobs_to_try):
    runs = [follow(kernels, case, theta, gradients, n_jobs=n)[0] for n in n_jobs_to_try]
    assert len({run.tobytes() for run in runs}) == 1


def test_a_global_scale_keeps_the_direction(kernels, theta, gradients, dtype):
    solver = RMSprop(global_scale=True, rho=0.9, epsilon=1e-300)
    case = CASES["rmsprop, global"]._replace(solver=solver)
    after, _ = follow(kernels, case, theta, gradients[:1])
    g = gradients[0].astype(np.float64)
    # The first step is the rate / sqrt(1 - rho) long, whatever the size of the gradient.
    step = g / np.linalg.norm(g) * case.rate / np.sqrt(0.1)
    assert relative_error(after[0], theta - step) <= BOUND[dtype.name]


def test_weight_decay_is_for_all_parameters(kernels, theta):
    """Also where there is no gradient; and the two are apart: it is not scaled by any mean."""
    zeros = np.zeros((1, theta.size), theta.dtype)
    after, _ = follow(kernels, CASES["adamw, decay"], theta, zeros)
    rtol = 2 * np.finfo(theta.dtype).eps
    np.testing.assert_allclose(after[0], theta * (1 - 0.03 * 0.5), rtol=rtol)


def test_a_small_weight_decay_keeps_its_digits_in_float32(kernels, rng):
    """A factor 1 - 1e-7 would not: the nearest float32 is 1 - 1.19e-7."""
    theta = copy_to(kernels, rng.uniform(1, 2, 4096).astype(np.float32))
    before, zeros = theta.astype(np.float64), np.zeros_like(theta)
    solver = AdamW(weight_decay=1e-4)
    solver.step(kernels, theta, zeros, solver.start(kernels, theta), 1e-3, 1.0, 1)
    # On average: what goes from one element is about its last digit.
    assert abs((before - theta).sum() / before.sum() / 1e-7 - 1) < 0.05


# ---- some rows of a table ------------------------------------------------------------------------


def table_steps(kernels, case, table, state, steps):
    """The table after updates of (rows, gradient at them)."""
    table = copy_to(kernels, table)
    for rows, gradient in steps:
        step_rows(
            case.solver,
            kernels,
            table,
            rows,
            copy_to(kernels, gradient),
            state,
            case.rate,
            SCALE,
            1,
        )
    return table


@ALL_CASES
def test_rows_that_are_all_touched_are_a_dense_step(kernels, dtype, theta, gradients, case):
    table, rows = theta[:250].reshape(50, 5), np.arange(50)
    state = case.solver.start(kernels, table)
    steps = [(rows, gradient[:250].reshape(50, 5)) for gradient in gradients]
    ours = table_steps(kernels, case, table, state, steps)
    dense, dense_state = follow(kernels, case, theta[:250], gradients[:, :250])
    np.testing.assert_array_equal(ours.reshape(-1), dense[-1])
    assert state.keys() == dense_state.keys()
    for name, value in state.items():
        np.testing.assert_array_equal(np.ravel(value), np.ravel(dense_state[name]))


@ALL_CASES
def test_rows_that_are_not_touched_stay(kernels, rng, dtype, case):
    table = rng.standard_normal((20, 5)).astype(dtype)
    state = case.solver.start(kernels, table)
    touched = np.array([3, 17, 8])
    before = pickle.loads(pickle.dumps(state))
    gradient = rng.standard_normal((3, 5)).astype(dtype)
    after = table_steps(kernels, case, table, state, [(touched, gradient)])
    others = np.setdiff1d(np.arange(20), touched)
    np.testing.assert_array_equal(after[others], table[others])
    assert (after[touched] != table[touched]).all()
    arrays = [name for name, value in state.items() if isinstance(value, np.ndarray)]
    for name in arrays:
        np.testing.assert_array_equal(state[name][others], before[name][others])


def test_a_global_scale_over_some_rows_is_that_of_the_whole_table(kernels, rng, dtype):
    """Rows that are not touched have no gradient: they add nothing, and do not move."""
    case = CASES["rmsprop, global"]
    table = rng.standard_normal((20, 5)).astype(dtype)
    state, steps, dense = case.solver.start(kernels, table), [], np.zeros((STEPS, 20, 5), dtype)
    for whole in dense:
        rows = rng.permutation(20)[:7]
        steps.append((rows, rng.standard_normal((7, 5)).astype(dtype)))
        whole[rows] = steps[-1][1]
    ours = table_steps(kernels, case, table, state, steps)
    expected, dense_state = follow(kernels, case, table.reshape(-1), dense.reshape(STEPS, -1))
    # The squares are summed in another order.
    assert relative_error(ours.reshape(-1), expected[-1]) <= BOUND[dtype.name]
    assert abs(state["square"] / dense_state["square"] - 1) <= BOUND[dtype.name]


@ALL_CASES
def test_no_rows(kernels, rng, dtype, case):
    table = rng.standard_normal((20, 5)).astype(dtype)
    state = case.solver.start(kernels, table)
    none = [(np.zeros(0, np.int64), np.zeros((0, 5), dtype))]
    np.testing.assert_array_equal(table_steps(kernels, case, table, state, none), table)
    assert state["n_updates"] == 1


# ---- the state, and the objects ------------------------------------------------------------------


@ALL_CASES
def test_a_pickled_run_goes_on_to_the_bit(kernels, theta, gradients, case):
    unbroken, end = follow(kernels, case, theta, gradients)
    half, state = follow(kernels, case, theta, gradients[:5])
    solver, state = pickle.loads(pickle.dumps((case.solver, state)))
    resumed, state = follow(kernels, case._replace(solver=solver), half[-1], gradients[5:], state)
    np.testing.assert_array_equal(resumed, unbroken[5:])
    assert state.keys() == end.keys()
    for name, value in state.items():
        np.testing.assert_array_equal(value, end[name])


@ALL_CASES
def test_the_state_is_arrays_and_plain_numbers(kernels, dtype, theta, gradients, case):
    start = case.solver.start(kernels, theta)
    _, state = follow(kernels, case, theta, gradients)
    assert (start.pop("n_updates"), state.pop("n_updates")) == (0, STEPS)
    assert start.keys() == state.keys()
    for value in state.values():
        assert type(value) in (float, np.ndarray)
        if isinstance(value, np.ndarray):
            assert (value.shape, value.dtype) == (theta.shape, dtype)


@ALL_CASES
def test_clones_have_the_settings(case):
    copy = clone(case.solver)
    assert copy is not case.solver
    assert type(copy) is type(case.solver)
    assert copy.get_params() == case.solver.get_params()


def test_a_name_stands_for_the_usual_settings():
    assert set(SOLVERS) == {case.split(",")[0] for case in CASES}
    for name, kind in SOLVERS.items():
        solver = make_solver(name)
        assert type(solver) is kind
        assert solver.get_params() == kind().get_params()


def settings_in_range(good):
    return [
        (kind, name, value)
        for kind, settings in SETTINGS.items()
        for name, (inside, outside) in settings.items()
        for value in (inside if good else outside)
    ]


@pytest.mark.parametrize("kind, name, value", settings_in_range(True))
def test_settings_in_range(kind, name, value):
    solver = kind(**{name: value})
    assert make_solver(solver) is solver
    assert solver.get_params()[name] == value


@pytest.mark.parametrize("kind, name, value", settings_in_range(False))
def test_settings_out_of_range(kind, name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of {kind.__name__}"):
        make_solver(kind(**{name: value}))


@pytest.mark.parametrize(
    "solver, error",
    [
        ("adamant", ValueError),
        ("Adam", ValueError),
        (None, TypeError),
        (Adam, TypeError),
        (3, TypeError),
    ],
)
def test_no_solver(solver, error):
    with pytest.raises(error, match=r"expected one of \['adadelta', 'adagrad', 'adam'"):
        make_solver(solver)
