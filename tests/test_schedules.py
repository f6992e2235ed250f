"""Schedules give the factors that their words say, and depend on their arguments alone."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from seqlearn_lstm.schedules import (
    SCHEDULES,
    Constant,
    CosineDecay,
    ExponentialDecay,
    ReduceOnPlateau,
    StepDecay,
    WarmUp,
    make_schedule,
)

N_STEPS, MAX_ITER = 4, 20
FLAT = [1.0] * MAX_ITER  # an epoch makes progress, no other does
FALLING = [1.0 / (1 + epoch) for epoch in range(MAX_ITER)]

# schedule, losses, {(epoch, step): factor}
FACTORS = {
    "constant": (Constant(), FLAT, {(0, 0): 1, (0, 3): 1, (19, 3): 1}),
    "step": (
        StepDecay(every=3, gamma=0.5), FLAT,
        {(0, 0): 1, (2, 3): 1, (3, 0): 0.5, (5, 3): 0.5, (6, 0): 0.25, (19, 0): 0.5**6},
    ),
    "step, usual": (StepDecay(), FLAT, {(9, 3): 1, (10, 0): 0.1, (19, 3): 0.1}),
    "exponential": (
        ExponentialDecay(gamma=0.5, start=2), FLAT,
        {(0, 0): 1, (1, 3): 1, (2, 0): 0.5, (2, 3): 0.5, (3, 0): 0.25, (6, 0): 0.5**5},
    ),
    "exponential, from the first epoch": (
        ExponentialDecay(gamma=0.9, start=1), FLAT, {(0, 0): 1, (1, 0): 0.9, (5, 0): 0.9**5},
    ),
    "exponential, char-rnn": (  # rate *= 0.97 at the end of epoch 10, 11, ... counted from one
        ExponentialDecay(), FLAT, {(9, 3): 1, (10, 0): 0.97, (11, 0): 0.97**2},
    ),
    "cosine": (
        CosineDecay(), FLAT,
        {
            (0, 0): 1, (5, 0): 0.5 + np.sqrt(0.125), (10, 0): 0.5, (15, 0): 0.5 - np.sqrt(0.125),
            (10, 2): (1 + np.cos(np.pi * 10.5 / 20)) / 2,
            (19, 3): (1 + np.cos(np.pi * 19.75 / 20)) / 2, (20, 0): 0, (25, 0): 0,
        },
    ),
    "cosine, floor": (CosineDecay(floor=0.2), FLAT, {(0, 0): 1, (10, 0): 0.6, (20, 0): 0.2}),
    "warm-up, an epoch": (
        WarmUp(), FLAT, {(0, 0): 0.25, (0, 1): 0.5, (0, 3): 1, (1, 0): 1, (19, 3): 1},
    ),
    "warm-up, epochs": (
        WarmUp(2), FLAT, {(0, 0): 0.125, (0, 3): 0.5, (1, 0): 0.625, (1, 3): 1, (2, 0): 1},
    ),
    "warm-up, updates": (
        WarmUp(5, unit="updates"), FLAT, {(0, 0): 0.2, (0, 3): 0.8, (1, 0): 1, (1, 1): 1},
    ),
    "warm-up, then": (
        WarmUp(2, then=StepDecay(every=1, gamma=0.5)), FLAT,
        {(0, 0): 0.125, (1, 0): 0.625 * 0.5, (1, 3): 0.5, (2, 0): 0.25},
    ),
    "warm-up, then a name": (WarmUp(then="cosine"), FLAT, {(0, 0): 0.25, (10, 0): 0.5}),
    "plateau": (
        ReduceOnPlateau(patience=2, gamma=0.5), FLAT,
        {(0, 0): 1, (2, 3): 1, (3, 0): 0.5, (4, 3): 0.5, (5, 0): 0.25, (7, 0): 0.125},
    ),
    "plateau, floor": (
        ReduceOnPlateau(patience=1, gamma=0.5, floor=0.3), FLAT,
        {(1, 0): 1, (2, 0): 0.5, (3, 0): 0.3, (9, 0): 0.3},
    ),
    "plateau, progress": (
        ReduceOnPlateau(patience=1, gamma=0.5), FALLING, {(0, 0): 1, (10, 0): 1, (20, 0): 1},
    ),
    "plateau, progress between": (  # all but epochs 2, 3 and 5, 6 make some
        ReduceOnPlateau(patience=2, gamma=0.5), [3, 2, 2, 2, 1, 1, 1],
        {(3, 0): 1, (4, 0): 0.5, (5, 0): 0.5, (6, 0): 0.5, (7, 0): 0.25},
    ),
    "plateau, tol": (
        ReduceOnPlateau(patience=1, gamma=0.5, tol=0.5), [3, 2.5, 1.9, 1.5],
        {(1, 0): 1, (2, 0): 0.5, (3, 0): 0.5, (4, 0): 0.25},
    ),
    "plateau, a loss that rises": (
        ReduceOnPlateau(patience=2, gamma=0.5), [1, 3, 2, 1.5],
        {(2, 0): 1, (3, 0): 0.5, (4, 0): 0.5},
    ),
}  # fmt: skip
ALL_CASES = pytest.mark.parametrize(
    "schedule, losses, factors", FACTORS.values(), ids=FACTORS.keys()
)
SETTINGS = {  # what is in range, and what is not
    StepDecay: {"every": ([1], [0, 2.5]), "gamma": ([1, 0.1], [0, 1.1, "half"])},
    ExponentialDecay: {"gamma": ([1], [0, 2]), "start": ([1], [0])},
    CosineDecay: {"floor": ([0, 1], [-0.1, 1.1])},
    WarmUp: {"length": ([1], [0]), "unit": (["updates"], ["steps", None])},
    ReduceOnPlateau: {
        "gamma": ([1], [0]), "patience": ([1], [0]), "tol": ([0], [-1]), "floor": ([0], [2]),
    },
}  # fmt: skip


def factor(schedule, losses, epoch, step):
    return schedule.factor(epoch, step, N_STEPS, MAX_ITER, losses)


@ALL_CASES
def test_factors(schedule, losses, factors):
    for (epoch, step), expected in factors.items():
        result = factor(schedule, losses[:epoch], epoch, step)
        assert type(result) is float
        assert abs(result - expected) <= 1e-15, (epoch, step)


@ALL_CASES
def test_factors_depend_on_the_arguments_alone(schedule, losses, factors):
    """So that a resumed training goes on as if it had never stopped."""
    times = [(epoch, step) for epoch in range(MAX_ITER) for step in range(N_STEPS)]
    forwards = {time: factor(schedule, losses[: time[0]], *time) for time in times}
    other = pickle.loads(pickle.dumps(schedule))
    for epoch, step in reversed(times):
        result = factor(other, losses, epoch, step)
        assert result == forwards[epoch, step], "losses of epochs to come must not count"
        assert 0 < result <= 1


@ALL_CASES
def test_clones_have_the_settings(schedule, losses, factors):
    copy = clone(schedule)
    assert copy is not schedule
    assert repr(copy) == repr(schedule)


@pytest.mark.parametrize("kind, name", [(StepDecay, "every"), (ExponentialDecay, "start")])
def test_more_epochs_than_a_small_number_counts(kind, name):
    small, plain = (kind(**{name: make(10)}) for make in (np.int8, int))
    assert small.factor(200, 0, 1, 300, []) == plain.factor(200, 0, 1, 300, [])


@pytest.mark.parametrize("unit", ["epochs", "updates"])
def test_more_updates_than_a_small_length_counts(unit):
    small, plain = (WarmUp(make(20), unit=unit) for make in (np.int8, int))
    for epoch, step in ((0, 0), (0, 99), (1, 30), (19, 99), (20, 0)):
        found = small.factor(epoch, step, 100, MAX_ITER, [])
        assert found == plain.factor(epoch, step, 100, MAX_ITER, [])
        assert type(found) is float


def test_decays_are_those_of_torch():
    torch = pytest.importorskip("torch")
    theirs = {
        ExponentialDecay(gamma=0.8, start=1): lambda o: torch.optim.lr_scheduler.ExponentialLR(
            o, 0.8
        ),
        StepDecay(every=3): lambda o: torch.optim.lr_scheduler.StepLR(o, 3),
        CosineDecay(floor=0.1): lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(
            o, MAX_ITER, eta_min=0.1
        ),
    }
    for schedule, make in theirs.items():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        scheduler = make(optimizer)
        for epoch in range(MAX_ITER):
            expected = optimizer.param_groups[0]["lr"]
            assert abs(factor(schedule, FLAT, epoch, 0) - expected) <= 1e-12
            optimizer.step()
            scheduler.step()


def test_a_warm_up_counts_updates_where_it_is_told_them():
    warm_up = WarmUp(20, unit="updates", then=WarmUp(40, unit="updates"))
    for updates, expected in ((0, 1 / 800), (9, 10 * 10 / 800), (29, 0.75), (50, 1)):
        assert warm_up.factor(1, 0, 2, MAX_ITER, FLAT, updates) == pytest.approx(
            expected, rel=1e-15
        )


def test_a_name_stands_for_the_usual_settings():
    for name, kind in SCHEDULES.items():
        schedule = make_schedule(name)
        assert type(schedule) is kind
        assert schedule.get_params() == kind().get_params()


def test_settings_are_searchable():
    warm_up = WarmUp(3, then=StepDecay())
    assert warm_up.get_params()["then__gamma"] == 0.1
    warm_up.set_params(then__gamma=0.5, length=2)
    assert factor(warm_up, FLAT, 10, 0) == 0.5


def settings_in_range(good):
    return [
        (kind, name, value)
        for kind, settings in SETTINGS.items()
        for name, (inside, outside) in settings.items()
        for value in (inside if good else outside)
    ]


@pytest.mark.parametrize("kind, name, value", settings_in_range(True))
def test_settings_in_range(kind, name, value):
    schedule = kind(**{name: value})
    assert make_schedule(schedule) is schedule


@pytest.mark.parametrize("kind, name, value", settings_in_range(False))
def test_settings_out_of_range(kind, name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of {kind.__name__}"):
        make_schedule(kind(**{name: value}))


@pytest.mark.parametrize(
    "schedule, error",
    [
        ("linear", ValueError),
        (WarmUp(then="linear"), ValueError),
        (None, TypeError),
        (StepDecay, TypeError),
        (0.5, TypeError),
    ],
)
def test_no_schedule(schedule, error):
    with pytest.raises(error, match=r"expected one of \['constant', 'cosine', 'exponential'"):
        make_schedule(schedule)


def test_a_schedule_within_is_checked():
    with pytest.raises(ValueError, match="'every' parameter of StepDecay"):
        make_schedule(WarmUp(then=StepDecay(every=0)))
