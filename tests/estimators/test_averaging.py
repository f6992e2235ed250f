"""`average`: what is learned is the mean of the parameters after some epochs, and nothing else changes."""

import warnings

import numpy as np
import pytest
from estimator_helpers import identical, ragged, same_fit, small
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.utils._param_validation import InvalidParameterError

from seqlearn_lstm import (
    LSTMClassifier,
    LSTMEncoder,
    LSTMLanguageModel,
    LSTMRegressor,
    LSTMSequenceTagger,
)
from seqlearn_lstm.exceptions import NothingAveragedWarning, TrainingDiverged
from seqlearn_lstm.schedules import Schedule

X, Y = ragged(n=30)
X_VAL, Y_VAL = ragged(n=12, seed=1)
TEXT = "the cat sat on the mat. " * 8
NET = dict(hidden_layer_sizes=(5,), learning_rate=0.02, batch_size=8, random_state=0, n_jobs=1)
MODELS = {
    "classifier": (LSTMClassifier(**NET), (X, Y)),
    "two layers, both directions": (
        LSTMClassifier(**NET | {"hidden_layer_sizes": (5, 18)}, bidirectional=True, cell="gru"),
        (X, Y),
    ),
    "float64": (LSTMClassifier(**NET, dtype="float64", dropout=0.2), (X, Y)),
    "symbols": (LSTMClassifier(**NET), ([list("abcab"[: 1 + n % 5]) for n in range(30)], Y)),
    "regressor": (LSTMRegressor(**NET, initial_state="learned"), (X, [x.sum() for x in X])),
    "tagger": (LSTMSequenceTagger(**NET), (X, [np.sign(x[:, 0]) for x in X])),
    "encoder": (LSTMEncoder(**NET), (X,)),
    "text": (LSTMLanguageModel(**NET, bptt_steps=5), (TEXT,)),
}
models = pytest.mark.parametrize("model, data", MODELS.values(), ids=MODELS)


def after(model, data, epochs, **params):
    return clone(model).set_params(max_iter=epochs, **params).fit(*data)


def mean_of(fits, name):
    return np.mean([fit.parameters_[name].astype(np.float64) for fit in fits], axis=0)


@models
@pytest.mark.parametrize("average", [True, 1, 3, 5])
def test_the_mean_of_the_parameters_after_each_epoch(model, data, average):
    each = [after(model, data, epochs) for epochs in range(1, 6)]
    found = after(model, data, 5, average=average)
    assert found.loss_curve_ == each[-1].loss_curve_  # the training is the same
    for name, values in found.parameters_.items():
        expected = mean_of(each[int(average) - 1 :], name)
        rounding = 8 * np.finfo(values.dtype).eps
        np.testing.assert_allclose(values, expected, rtol=rounding, atol=rounding)
    assert same_fit(found, each[-1]) == (average == 5)


def test_what_is_validated_is_the_mean():
    data = dict(X_val=X_VAL, y_val=Y_VAL)
    whole = small(max_iter=6, average=3).fit(X, Y, **data)
    for epochs, score in enumerate(whole.validation_scores_, start=1):
        so_far = small(max_iter=epochs, average=min(3, epochs)).fit(X, Y)
        assert so_far.score(X_VAL, Y_VAL) == score


@pytest.mark.parametrize("monitor", ["validation", "train"])
def test_the_best_mean_is_restored(monitor):
    params = dict(average=2, monitor=monitor, learning_rate=0.5)
    stopped = small(max_iter=8, early_stopping=True, **params).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    best = stopped.best_iter_
    assert identical(
        stopped.parameters_, small(max_iter=max(2, best), **params).fit(X, Y).parameters_
    ) == (best >= 2)
    if monitor == "validation":
        assert stopped.score(X_VAL, Y_VAL) == max(stopped.validation_scores_)


def test_partial_fit_averages_its_passes():
    model = small(average=2)
    for _ in range(4):
        model.partial_fit(X, Y, classes=[0, 1, 2])
    assert same_fit(model, small(average=2, max_iter=4).fit(X, Y))


def test_a_training_goes_on_from_its_last_parameters_not_from_their_mean():
    model = small(average=True, warm_start=True, max_iter=3).fit(X, Y)
    model.set_params(average=False, max_iter=2).fit(X, Y)
    assert same_fit(model, small(max_iter=5).fit(X, Y))
    model.set_params(average=6).fit(X, Y)  # the mean begins anew
    assert same_fit(model, small(average=6, max_iter=7).fit(X, Y))


@pytest.mark.parametrize("average", [2, 3, 4, 5, 6])
def test_epochs_that_are_no_longer_to_be_averaged_are_forgotten(average):
    """And what is scored is what is kept, whenever the mean begins."""
    data = dict(X_val=X_VAL, y_val=Y_VAL)
    model = small(average=True, warm_start=True, max_iter=3).fit(X, Y, **data)
    model.set_params(average=average, max_iter=2).fit(X, Y, **data)
    assert model.score(X_VAL, Y_VAL) == model.validation_scores_[-1]
    first = average if average >= 4 else 4  # a mean of epochs 1 to 3 tells nothing of its last ones
    each = [small(max_iter=epochs).fit(X, Y) for epochs in (4, 5)][min(first - 4, 1) :]
    for name, values in model.parameters_.items():
        np.testing.assert_allclose(values, mean_of(each, name), rtol=1e-6, atol=1e-6)


def test_a_best_epoch_is_one_of_those_averaged_or_not():
    """Which epoch of a training without a mean is the best says nothing of one with it."""
    params = dict(early_stopping=True, monitor="train", warm_start=True)
    model = small(**params, average=True, max_iter=5).fit(X, Y)
    model.set_params(average=False, max_iter=1, learning_rate=100).fit(X, Y)
    assert model.loss_curve_[-1] > min(model.loss_curve_) and model.best_iter_ == 6


def test_callbacks_see_the_mean_and_disturb_nothing():
    monitor = ScoringMonitor(scoring="accuracy")
    model = small(average=2, max_iter=4).set_callbacks(monitor).fit(X, Y)
    assert same_fit(model, small(average=2, max_iter=4).fit(X, Y))
    log = monitor.get_logs().data_as_pandas
    seen = log[log.task_name == "epoch"].accuracy.tolist()
    for epochs, accuracy in enumerate(seen, start=1):
        assert small(average=min(2, epochs), max_iter=epochs).fit(X, Y).score(X, Y) == accuracy


class TooMuch(Schedule):
    """Steps that lead away from the fourth epoch on."""

    def factor(self, epoch, step, n_steps, max_iter, losses, updates=None):
        return 1.0 if epoch < 3 else 1e30


def test_a_training_that_runs_away_leaves_the_mean():
    params = dict(solver="sgd", clip_norm=None, average=2)
    with pytest.raises(TrainingDiverged) as caught:
        small(**params, max_iter=6, schedule=TooMuch()).fit(X, Y)
    assert same_fit(caught.value.estimator, small(**params, max_iter=3).fit(X, Y))


@pytest.mark.parametrize("average", [0, -1, 1.5, "yes", None])
def test_bad_values(average):
    with pytest.raises(InvalidParameterError, match="'average' parameter"):
        small(average=average).fit(X, Y)


@pytest.mark.parametrize(
    "params", [dict(tol=1e9, n_iter_no_change=1), dict(early_stopping=True)], ids=str
)
def test_a_fit_that_ends_before_the_first_epoch_to_average(params):
    stop = dict(tol=1e9, n_iter_no_change=1, max_iter=6)
    with pytest.warns(NothingAveragedWarning, match="ended after epoch 2, but average is 4"):
        early = small(average=4, **stop | params).fit(X, Y)
    assert same_fit(early, small(**stop | params).fit(X, Y))


@pytest.mark.parametrize("average, warm_start", [(2, False), (4, True), (False, False)])
def test_no_warning_where_a_mean_was_taken_may_come_or_was_not_asked_for(average, warm_start):
    with warnings.catch_warnings():
        warnings.simplefilter("error", NothingAveragedWarning)
        small(average=average, warm_start=warm_start, tol=1e9, n_iter_no_change=1).fit(X, Y)
        small(average=4).partial_fit(X, Y)


def test_no_epoch_to_average():
    with pytest.raises(ValueError, match="average is 4, but max_iter is 3"):
        small(average=4, max_iter=3).fit(X, Y)
    small(average=4, max_iter=3, warm_start=True).fit(X, Y)
    small(average=4, max_iter=3).partial_fit(X, Y)
