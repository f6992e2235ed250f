"""LSTMRegressor: numbers of sequences and of steps."""

import pickle

import numpy as np
import pytest
from estimator_helpers import SMALL, identical, padded, ragged
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_score

from seqlearn_lstm import LSTMRegressor


def small(**params):
    return LSTMRegressor(**(SMALL | params))


def sums(n=40, seed=0):
    """Sequences with two targets each: the means of their features."""
    X, _ = ragged(n, seed=seed)
    return X, np.array([x[:, :2].mean(axis=0) for x in X])


def running(X):
    return [np.cumsum(x[:, 0]) / 5 for x in X]


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_learns(loss):
    X, y = sums(200)
    model = small(hidden_layer_sizes=(16,), max_iter=40, loss=loss).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.8


def test_learns_a_number_for_each_step():
    X, _ = sums(200)
    y = running(X)
    model = small(hidden_layer_sizes=(16,), max_iter=40, target="step").fit(X[:150], y[:150])
    predicted = model.predict(X[150:])
    assert predicted.dtype == object
    assert [len(p) for p in predicted] == [len(x) for x in X[150:]]
    score = r2_score(np.concatenate(y[150:]), np.concatenate(predicted))
    assert model.score(X[150:], y[150:]) == pytest.approx(score, rel=1e-12)
    assert score > 0.8


def test_shapes_follow_the_target():
    X, y = sums()
    assert small().fit(X, y).predict(X).shape == (40, 2)
    assert small().fit(X, y[:, 0]).predict(X).shape == (40,)
    assert small().fit(X, y[:, :1]).predict(X).shape == (40, 1)
    steps = small(target="step").fit(X, [x[:, :2] for x in X]).predict(X)
    assert steps[3].shape == (len(X[3]), 2)


def test_the_loss_is_the_one_that_was_asked_for():
    """One epoch at a learning rate of nothing: the loss curve holds the first loss."""
    X, y = sums()
    formulas = {
        "squared_error": lambda error: error**2,
        "absolute_error": np.abs,
        "huber": lambda error: np.where(
            np.abs(error) <= 0.3, error**2 / 2, 0.3 * (np.abs(error) - 0.15)
        ),
    }
    weights = np.linspace(0, 2, len(X))
    for loss, formula in formulas.items():
        model = small(loss=loss, delta=0.3, max_iter=1, learning_rate=1e-30, dtype="float64")
        model.fit(X, y, sample_weight=weights)
        expected = np.average(formula(model.predict(X) - y).mean(axis=1), weights=weights)
        assert model.loss_curve_ == [pytest.approx(expected, rel=1e-10)]


@pytest.mark.parametrize("target", ["sequence", "step"])
def test_forms_batches_threads_and_pickles_give_the_same_bits(target, monkeypatch):
    from seqlearn_lstm.kernels.cpu import threads

    monkeypatch.setattr(threads, "GRAIN", 1)
    X, y = sums()
    y = y if target == "sequence" else running(X)
    model = small(target=target, bidirectional=True).fit(X, y)
    together = model.predict(X)
    for other, form in [
        (small(target=target, bidirectional=True, n_jobs=2).fit(padded(X), y), padded(X)),
        (pickle.loads(pickle.dumps(model)), X),
    ]:
        assert identical(other.parameters_, model.parameters_)
        assert identical(other.predict(form), together)
    assert identical(model.predict(X[5:6])[0], together[5])


def test_cross_validation_over_lists():
    X, y = sums()
    assert cross_val_score(small(max_iter=1), X, y, cv=3).shape == (3,)
    assert cross_val_score(small(max_iter=1, target="step"), X, running(X), cv=3).shape == (3,)


@pytest.mark.parametrize(
    "params, change, message",
    [
        ({}, lambda X, y: (X, y[:-1]), "inconsistent"),
        ({}, lambda X, y: (X, np.where(y > 0, np.nan, y)), "NaN"),
        ({}, lambda X, y: (X, None), "requires y"),
        ({}, lambda X, y: (X, np.zeros((40, 2, 2))), "dim 3"),
        ({"loss": "cubed"}, lambda X, y: (X, y), "loss"),
        ({"target": "step"}, lambda X, y: (X, [*running(X)[:-1], [0.0]]), "sequence 39"),
        ({"target": "step"}, lambda X, y: (X, y[:, 0]), "single value"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(params, change, message):
    X, y = sums()
    model = small().fit(X, y)
    before = dict(vars(model))
    model.set_params(**params)
    with pytest.raises(ValueError, match=message):
        model.fit(*change(X, y))
    assert identical(vars(model), before | params)


@pytest.mark.parametrize("value", [np.nan, np.inf, None])
def test_a_target_that_is_no_number_is_found(value):
    X = [np.zeros((n, 1)) for n in (3, 2, 4)]
    y = [[0.0] * 3, [0.0, 0.0], [0.0, 0.0, value, 0.0]]
    with pytest.raises(ValueError, match=r"y of sequence 2 is .* at time step 2; expected finite"):
        LSTMRegressor(target="step").fit(X, y)


@pytest.mark.parametrize("clip", [dict(clip_value=1.0), dict(clip_norm=1.0)], ids=str)
def test_a_gradient_whose_square_is_too_large_for_float32_is_clipped(clip):
    X, _ = ragged()
    y = np.random.default_rng(0).standard_normal(len(X)) * 1e22
    model = LSTMRegressor((3,), max_iter=2, random_state=0, **clip).fit(X, y)
    assert np.isfinite(model.loss_curve_).all() and np.isfinite(model.predict(X)).all()
