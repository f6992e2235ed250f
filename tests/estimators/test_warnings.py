"""Warnings of trainings that went wrong: given where they belong, once, and nowhere else."""

import tracemalloc
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from estimator_helpers import SMALL, identical, ragged, small
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from seqlearn_lstm import (
    LSTMClassifier,
    LSTMLanguageModel,
    LSTMRegressor,
    LSTMSequenceTagger,
)
from seqlearn_lstm.cells import GRU, LSTM, RNN
from seqlearn_lstm.exceptions import (
    ConstantPredictionWarning,
    ExplodingGradientWarning,
    SaturationWarning,
    ScheduleEndedWarning,
    TrainingDiverged,
    TrainingWarning,
)
from seqlearn_lstm.heads import RegressionHead, SoftmaxHead
from seqlearn_lstm.pooling import POOLINGS
from seqlearn_lstm.schedules import CosineDecay, WarmUp
from seqlearn_lstm.sequences import Sequences
from seqlearn_lstm.training.listeners import HealthCheck

X, Y = ragged()
LONG = dict(max_iter=25, n_iter_no_change=None)  # 5 updates an epoch: more than a hundred
NUMBERS = [float(x[:, 0].mean()) for x in X]
TAGS = [np.where(x[:, 0] > 0, "up", "down") for x in X]
STUCK = dict(learning_rate=1e-9)


def seen(model, data=X, y=Y, **fit_params):
    """The categories of the warnings of a fit, and their words."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(data, y, **fit_params)
    return [w.category for w in caught], " ".join(str(w.message) for w in caught)


def test_a_good_fit_is_silent():
    for model, y in (
        (LSTMClassifier(), Y),
        (LSTMRegressor(), NUMBERS),
        (LSTMSequenceTagger(bidirectional=True), TAGS),
        (LSTMRegressor(target="step"), [x[:, :2] for x in X]),
    ):
        assert seen(model.set_params(**SMALL | LONG), y=y) == ([], "")


# ---- constant predictions ------------------------------------------------------------------------


@pytest.mark.parametrize("n", [40, 400], ids=["all looked at", "a sample first"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_constant_classes(n, dtype):
    zeros, rare = np.zeros((n, 3, 2)), np.where(np.arange(n) % 20 == 0, "rare", "common")
    params = dict(max_iter=30, n_iter_no_change=None, batch_size=n // 4, dtype=dtype)
    categories, words = seen(small(**params), zeros, rare)
    assert categories == [ConstantPredictionWarning]
    assert "after epoch 30 the same class is predicted for every sequence" in words
    assert "more epochs" in words and "or weights where one class" in words


@pytest.mark.parametrize("target", ["sequence", "step"])
def test_constant_numbers(target):
    y = NUMBERS if target == "sequence" else [x[:, :2] for x in X]
    model = LSTMRegressor(**SMALL | LONG | STUCK, target=target, pooling="mean", input_projection=1)
    categories, words = seen(
        model, [0 * x[:1] for x in X], [v[:1] for v in y] if target == "step" else y
    )
    assert categories == [ConstantPredictionWarning]
    assert f"the same number is predicted for every {target}" in words


def test_a_few_that_differ_are_enough():
    """A sample may be all alike by chance; then everything is looked at."""
    n, counted = 200, []
    task = SimpleNamespace(
        head=SoftmaxHead(2), network=SimpleNamespace(pooling=POOLINGS["last"]), initial=None,
        sequences=Sequences(np.zeros((n, 1)), np.arange(n + 1)), weights=np.ones(n),
        targets=np.arange(n) % 2,
    )  # fmt: skip

    def predict(sequences, initial):
        counted.append(len(sequences))
        classes = np.zeros(len(sequences), int)
        classes[70:71] = odd  # of which a sample of 64 knows nothing
        yield np.eye(2)[classes], np.arange(len(classes))

    odd = 1
    assert HealthCheck(predict)._constant(task) is None
    assert counted == [64, 200]
    odd = 0
    assert "same class" in HealthCheck(predict)._constant(task)


def test_the_first_difference_ends_the_search():
    """Of scores of all steps, as many as there are, only the first block is computed."""
    n, blocks = 5000, []
    task = SimpleNamespace(
        head=SoftmaxHead(3), initial=None, weights=np.ones(2 * n), targets=np.arange(2 * n) % 3,
        network=SimpleNamespace(
            pooling=POOLINGS["steps"], architecture=SimpleNamespace(bidirectional=False)
        ),
        sequences=Sequences(np.zeros((2 * n, 1)), np.array([0, n, 2 * n])),
    )  # fmt: skip

    def predict(sequences, initial):
        for rows in np.split(np.arange(len(sequences.rows)), 4):
            blocks.append(len(rows))
            yield np.eye(3)[rows % 3 if len(blocks) == stop else 0 * rows], rows

    stop = 1
    assert HealthCheck(predict)._constant(task) is None
    assert blocks == [2 * 512 / 4]  # of a sample, the first steps
    stop, blocks[:] = 6, []
    assert HealthCheck(predict)._constant(task) is None
    assert blocks == [2 * 512 / 4] * 4 + [2 * n / 4] * 2


@pytest.mark.parametrize("model", ["tagger", "language model"])
def test_memory_of_the_look_is_bounded(model):
    """Of scores there are never more than of some steps, although all steps are looked at."""
    n, n_classes = 24_000, 400
    steps = np.arange(n) % n_classes
    params = SMALL | STUCK | dict(bptt_steps=50, max_iter=1, batch_size=1)
    if model == "tagger":
        fit, data = LSTMSequenceTagger(**params).fit, ([np.zeros((n, 1), np.float32)], [steps])
    else:
        fit, data = LSTMLanguageModel(**params).fit, ([steps],)
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConstantPredictionWarning)
            fit(*data)
        assert tracemalloc.get_traced_memory()[1] < n * n_classes * 4 / 1.5
    finally:
        tracemalloc.stop()


def constant_of(said, targets):
    """What a check says of numbers that were predicted."""
    n = len(targets)
    task = SimpleNamespace(
        head=RegressionHead(targets.shape[1], "squared_error", 1.0), initial=None,
        network=SimpleNamespace(pooling=POOLINGS["last"]), weights=np.ones(n), targets=targets,
        sequences=Sequences(np.zeros((n, 1)), np.arange(n + 1)),
    )  # fmt: skip

    def predict(sequences, initial):
        index = np.arange(len(sequences))
        yield said[index], index

    return HealthCheck(predict)._constant(task)


def test_columns_whose_targets_do_not_vary_are_no_reason():
    """Whatever is predicted there; the others decide."""
    rng = np.random.default_rng(0)
    varies, noise = rng.standard_normal((2, 60, 1))
    ones = np.ones_like(varies)
    targets = np.hstack([varies, ones])
    assert "the same number" in constant_of(np.hstack([ones, noise]), targets)
    assert constant_of(np.hstack([noise, ones]), targets) is None


@pytest.mark.parametrize("n", [60, 400], ids=["all looked at", "a sample first"])
def test_equal_numbers_far_from_zero_are_equal(n):
    """Their deviation in float32 is above that of the targets."""
    targets = 10_000.123 + 0.01 * np.random.default_rng(0).standard_normal((n, 1))
    equal = np.full_like(targets, 10_000.123, dtype=np.float32)
    assert equal.std() > 0.01 * targets.std()
    assert "the same number" in constant_of(equal, targets)
    assert constant_of(targets, targets) is None


def test_targets_that_do_not_vary_are_no_reason():
    model = LSTMRegressor(**SMALL | LONG)
    assert seen(model, y=np.ones(len(X))) == ([], "")
    assert seen(small(**LONG | STUCK), [0 * x for x in X], np.ones(len(X))) == ([], "")


def test_unknown_labels_do_not_count():
    zeros = np.zeros((40, 1, 3))
    rare = [np.array(["b" if i % 9 == 8 else "a"], object) for i in range(40)]
    model = LSTMSequenceTagger(**SMALL | LONG)
    categories, words = seen(model, zeros, rare)
    assert categories == [ConstantPredictionWarning] and "for every step" in words
    known = [np.where(labels == "a", labels, None) for labels in rare]
    assert seen(model, zeros, known) == ([], "")


# ---- schedules that ended ------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", ["cosine", WarmUp(1, then="cosine")])
def test_a_pass_that_learns_nothing(schedule):
    model = small(schedule=schedule, max_iter=3)
    for _ in range(3):
        model.partial_fit(X, Y)
    before = model.parameters_
    with pytest.warns(ScheduleEndedWarning, match="3 passes were made, and"):
        model.partial_fit(X, Y)
    assert identical(model.parameters_, before)


@pytest.mark.parametrize(
    "params",
    [dict(schedule="constant"), dict(schedule=CosineDecay(floor=0.1)), dict(max_iter=5)],
    ids=str,
)
def test_a_pass_after_the_cures(params):
    model = small(schedule="cosine").fit(X, Y).set_params(**params)
    before = model.parameters_
    model.partial_fit(X, Y)
    assert not identical(model.parameters_, before)


def test_the_end_of_a_schedule_moves_on_with_warm_start():
    model = small(schedule="cosine", warm_start=True).fit(X, Y)
    before = model.parameters_
    assert not identical(model.fit(X, Y).parameters_, before)


# ---- saturated gates -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [LSTM(), LSTM(peephole=True), LSTM(forget_gate=False), GRU(), GRU(reset_after=False)],
    ids=["lstm", "peephole", "no forget gate", "gru", "gru as published"],
)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_saturated_gates(cell, bidirectional):
    model = small(**LONG, cell=cell, bidirectional=bidirectional)
    categories, words = seen(model, [1e6 * x for x in X])
    assert categories.count(SaturationWarning) == 1
    assert "of 6 units in layer_0.forward are nearly always below 0.01 or above 0.99" in words
    assert "standardised features" in words


def test_what_does_not_saturate():
    huge = [1e6 * x for x in X]
    for cell in (LSTM(layer_norm=True), RNN()):
        assert SaturationWarning not in seen(small(**LONG, cell=cell), huge)[0]
    # an open forget gate is how a cell remembers
    remembers = small(**LONG, cell=LSTM(forget_bias=20.0))
    assert seen(remembers) == ([], "")


# ---- a norm that explodes ------------------------------------------------------------------------


def test_a_norm_far_above_its_limit():
    model = LSTMRegressor(**SMALL | LONG)
    categories, words = seen(model, y=[1e6 * v for v in NUMBERS])
    assert ExplodingGradientWarning in categories
    assert "never below 100 times clip_norm" in words and "targets" in words


def test_a_norm_that_grows():
    task = SimpleNamespace(settings=SimpleNamespace(clip_norm=None))
    check = HealthCheck(None)
    for typical, is_found in (
        ([1.0, 1.0, 2.0], False),
        ([1e-6, 1e-3], False),  # small all the same
        ([1e6, 1e5], False),  # it falls
        ([0.5, 3.0, 1e4], True),
    ):
        check.typical, check.norms = typical, typical[-1:]
        assert bool(check._exploded(task)) == is_found


# ---- once, where it belongs ----------------------------------------------------------------------


def test_one_of_each_kind_in_a_fit():
    huge = [1e6 * x for x in X]
    model = LSTMRegressor(**SMALL | LONG)
    categories, _ = seen(model, huge, [1e6 * v for v in NUMBERS])
    assert len(set(categories)) == len(categories) >= 2
    assert all(issubclass(category, TrainingWarning) for category in categories)
    assert issubclass(TrainingWarning, ConvergenceWarning)
    assert issubclass(TrainingDiverged, ValueError)


def test_too_early_to_say():
    huge = [1e6 * x for x in X]
    assert seen(small(max_iter=19), huge) == ([], "")
    assert seen(small(max_iter=20, n_iter_no_change=None), huge)[0] == [SaturationWarning]
    model = small()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(25):
            model.partial_fit(huge, Y)
        small(batch_size=1).partial_fit(huge * 3, [*Y] * 3)  # 120 updates, of one pass


def test_what_is_taken_counts(monkeypatch):
    """With early stopping, the parameters of the best epoch, not of the last."""
    from seqlearn_lstm.training.listeners import health

    looked_at = []

    def look(check, task):
        looked_at.append(task.network.get_parameters())

    monkeypatch.setattr(health.HealthCheck, "_saturated", look)
    params = dict(early_stopping=True, validation_fraction=0.25, learning_rate=0.3, max_iter=30)
    model = small(**LONG | params).fit(X, Y)
    assert model.best_iter_ < model.n_iter_
    (parameters,) = looked_at
    assert identical(parameters, model.parameters_)


def test_as_an_error_it_leaves_the_estimator_as_it_was():
    model = small(**LONG).fit(X, Y)
    before = dict(vars(model))
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingWarning)
        with pytest.raises(SaturationWarning):
            model.fit([1e6 * x for x in X], Y)
    assert vars(model) == before
    clone(model).fit(X, Y)
