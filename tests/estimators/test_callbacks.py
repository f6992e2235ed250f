"""scikit-learn's callbacks: each epoch is a task, through searches and pipelines; True stops."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
from estimator_helpers import SMALL, identical, padded, ragged, same_fit, small
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from seqlearn_lstm import (
    LSTMClassifier,
    LSTMEncoder,
    LSTMLanguageModel,
    LSTMRegressor,
    LSTMSequenceTagger,
)
from seqlearn_lstm._base import listening
from seqlearn_lstm.preprocessing import PerStep

X, Y = ragged()
Y = np.array(Y)
FITTED = ["classes_", "loss_curve_", "parameters_", "record_"]
MACHINERY = {"_callback_fit_ctx", "_parent_callback_ctx", "_skl_callbacks_to_teardown"}


class Watcher:
    """Notes what happens; stops after `stop_at` epochs, fails there with `fails`."""

    def __init__(self, stop_at=None, fails=False):
        self.stop_at, self.fails = stop_at, fails
        self.events, self.contexts = [], []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")
        self.contexts.append((estimator, context))

    def on_fit_task_end(self, estimator, context):
        self.events.append(f"end {context.task_name}")
        reached = self.stop_at is not None and self.events.count("end epoch") >= self.stop_at
        if reached and self.fails:
            raise RuntimeError("the callback failed")
        return reached and context.task_name == "epoch"


class Models(Watcher):
    """Keeps the fitted estimators that it is given, and what it is given beside them."""

    def __init__(self, **params):
        super().__init__(**params)
        self.models, self.given, self.before = [], [], []

    def on_fit_task_begin(self, estimator, context, *, fitted_estimator=None):
        super().on_fit_task_begin(estimator, context)
        if context.task_name == "epoch":
            self.before.append(fitted_estimator)

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.models.append(fitted_estimator)
        self.given.append((X, y, metadata))
        return super().on_fit_task_end(estimator, context)


class Everywhere(Watcher):
    """One that searches and pipelines hand on."""

    max_propagation_depth = None


def test_the_order_of_a_fit():
    watcher = Watcher()
    small(max_iter=2).set_callbacks(watcher).fit(X, Y)
    epochs = ["begin epoch", "end epoch"] * 2
    assert watcher.events == ["setup", "begin fit", *epochs, "end fit", "teardown"]
    (_, fit), (_, first), (_, second) = watcher.contexts
    assert (fit.max_subtasks, fit.estimator_name) == (2, "LSTMClassifier")
    assert (first.parent, first.task_id, second.task_id) == (fit, 0, 1)


@pytest.mark.parametrize(
    "model, data, y",
    [
        (LSTMRegressor(**SMALL), X, [x.sum() for x in X]),
        (LSTMSequenceTagger(**SMALL), X, [np.sign(x[:, 0]) for x in X]),
        (LSTMEncoder(**SMALL), X, None),
        (LSTMLanguageModel(**SMALL), "a rose is a rose is a rose. " * 9, None),
    ],
    ids=["regressor", "tagger", "encoder", "language model"],
)
def test_every_estimator(model, data, y):
    watcher, whole = Models(stop_at=2), clone(model).set_params(max_iter=2).fit(data, y)
    assert same_fit(model.set_callbacks(watcher).fit(data, y), whole)
    assert all(given[0] is data and given[1] is y for given in watcher.given)
    assert watcher.events.count("end epoch") == 2
    assert same_fit(watcher.models[1], whole)


def test_nothing_changes_and_nothing_stays():
    plain, watched = small().fit(X, Y), small().set_callbacks(Models()).fit(X, Y)
    assert same_fit(plain, watched)
    assert vars(watched).keys() - vars(plain).keys() == {"_skl_callbacks"}
    assert vars(plain).keys() <= vars(watched).keys()
    assert clone(watched)._skl_callbacks == watched._skl_callbacks  # as scikit-learn has it
    assert vars(watched.set_callbacks()).keys() == vars(plain).keys()


def test_partial_fit_is_a_task_of_one_epoch():
    watcher = Watcher()
    model = small().set_callbacks(watcher)
    for _ in range(2):
        model.partial_fit(X, Y)
    one = ["setup", "begin fit", "begin epoch", "end epoch", "end fit", "teardown"]
    assert watcher.events == one * 2
    assert watcher.contexts[0][1].max_subtasks == 1


# ---- the fitted estimator ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [
        {},
        dict(bidirectional=True, hidden_layer_sizes=(4, 5), dropout=0.2, dtype="float64"),
        dict(early_stopping=True, validation_fraction=0.25, learning_rate=0.2),
        dict(warm_start=True),
    ],
    ids=["default", "stack", "early stopping", "warm start"],
)
@pytest.mark.parametrize("symbols", [False, True], ids=["numbers", "symbols"])
def test_it_is_what_fit_would_return_then(params, symbols):
    data = [[f"w{int(10 * v) % 5}" for v in x[:, 0]] for x in X] if symbols else X
    watcher = Models()
    model = small(**params, max_iter=4).set_callbacks(watcher).fit(data, Y)
    *epochs, last = watcher.models
    assert same_fit(last, model)
    for n, seen in enumerate(epochs, 1):
        until = small(**params, max_iter=n).fit(data, Y)
        assert same_fit(seen, until)
        assert identical(seen.predict_proba(data), until.predict_proba(data))
        for name in ("n_iter_", "validation_scores_", "best_iter_"):
            assert getattr(seen, name, None) == getattr(until, name, None)
        assert not vars(pickle.loads(pickle.dumps(seen))).keys() & MACHINERY
    for before, after in zip(watcher.before[1:], epochs, strict=False):
        assert identical(before.parameters_, after.parameters_)
    assert identical(watcher.before[0].loss_curve_, [])
    if "warm_start" in params:  # one of the middle goes on like any other
        again = epochs[1].set_callbacks().set_params(max_iter=2).fit(data, Y)
        assert same_fit(again, model)


class Predicts(Watcher):
    """Asks the estimator that is being fitted for predictions."""

    def __init__(self):
        super().__init__()
        self.predicted = []

    def on_fit_task_end(self, estimator, context):
        try:
            self.predicted.append(estimator.predict(X))
        except NotFittedError:
            self.predicted.append(None)


@pytest.mark.parametrize("units", [(20, 4), (4, 20)])
def test_while_it_learns_anew_it_predicts_nothing(units):
    """The parameters of the fit before are none of the network that is being fitted."""
    before, now = units
    model, asks = small(hidden_layer_sizes=(before,)).fit(X, Y), Predicts()
    model.set_params(hidden_layer_sizes=(now,)).set_callbacks(asks).fit(X, Y)
    during, after = asks.predicted[:-1], asks.predicted[-1]
    assert during and all(labels is None for labels in during)
    assert after is None or len(after) == len(X)


def test_it_is_a_copy_of_its_own():
    """Before, after and at the end of the epochs."""
    watcher = Models()
    model = small(record=["loss"]).set_callbacks(watcher).fit(X, Y)
    kept = deepcopy({name: getattr(model, name) for name in FITTED})
    for seen in watcher.before + watcher.models:
        seen.classes_[:] = 7
        seen.loss_curve_.append(7.0)
        for arrays in (seen.parameters_, getattr(seen, "record_", {})):
            for values in arrays.values():
                values[:] = 7
    assert identical({name: getattr(model, name) for name in FITTED}, kept)


def test_it_costs_nothing_unless_one_asks(monkeypatch):
    from seqlearn_lstm.network import Network

    calls, get_parameters = [], Network.get_parameters

    def counted(network, gradient=False):
        calls.append(network)
        return get_parameters(network, gradient)

    monkeypatch.setattr(Network, "get_parameters", counted)
    small().set_callbacks(Watcher()).fit(X, Y)
    assert len(calls) == 1
    small().set_callbacks(Models()).fit(X, Y)
    assert len(calls) == 2 + 2 * 3


def test_nothing_is_made_for_nobody(monkeypatch):
    """What callbacks are given may be cut into as many pieces as there are sequences."""
    monkeypatch.setattr(listening, "uncut", None)
    small().fit(X, Y)
    with pytest.raises(TypeError):
        small().set_callbacks(Watcher()).fit(X, Y)


def test_what_callbacks_are_given():
    watcher, weights = Models(), np.arange(1.0, len(X) + 1)
    small().set_callbacks(watcher).fit(X, Y, sample_weight=weights)
    for x, y, metadata in watcher.given:
        assert x is X and y is Y and metadata["sample_weight"] is weights
    # a score of padding would be wrong without the lengths: lists have their own
    lengths, zeros = [len(x) for x in X], padded(X, fill=0.0)
    monitor, watcher = ScoringMonitor(scoring="accuracy"), Models()
    model = small().set_callbacks(watcher, monitor).fit(zeros, Y, lengths=lengths)
    assert all(map(identical, watcher.given[0][0], X))
    assert monitor.get_logs().data[0]["accuracy"] == model.score(X, Y)
    tags, rows = [np.where(x[:, 0] > 0, "up", "down") for x in X], np.concatenate(X)
    tagger = LSTMSequenceTagger(**SMALL).set_callbacks(watcher)
    tagger.fit(rows, np.concatenate(tags), lengths=lengths)
    assert all(map(identical, watcher.given[-1][1], tags))
    assert all(map(identical, watcher.given[-1][0], X))


# ---- stopping ------------------------------------------------------------------------------------


def test_true_ends_the_training():
    model = small(max_iter=9).set_callbacks(Watcher(stop_at=2)).fit(X, Y)
    assert same_fit(model, small(max_iter=2).fit(X, Y))
    assert model.n_iter_ == len(model.loss_curve_) == 2


def test_stopped_early_stopping_takes_the_best_epoch():
    params = dict(early_stopping=True, validation_fraction=0.25, learning_rate=0.3, batch_size=4)
    model = small(**params, max_iter=9).set_callbacks(Watcher(stop_at=6)).fit(X, Y)
    assert model.n_iter_ == 6
    assert model.best_iter_ == 1 + int(np.argmax(model.validation_scores_))
    best = small(**params, max_iter=model.best_iter_).fit(X, Y)
    assert identical(model.parameters_, best.parameters_)


def test_stopped_warm_start_goes_on():
    model = small(max_iter=9, warm_start=True).set_callbacks(Watcher(stop_at=2)).fit(X, Y)
    model.set_callbacks().set_params(max_iter=3).fit(X, Y)
    assert same_fit(model, small(max_iter=5).fit(X, Y))


def test_stopped_checkpoint_goes_on(tmp_path):
    model = small(max_iter=5, checkpoint=tmp_path / "run").set_callbacks(Watcher(stop_at=2))
    assert model.fit(X, Y).n_iter_ == 2
    watcher = Watcher()
    model.set_callbacks(watcher).fit(X, Y)
    assert watcher.contexts[0][1].max_subtasks == 3  # what is left
    assert same_fit(model, small(max_iter=5).fit(X, Y))


# ---- errors --------------------------------------------------------------------------------------


def test_torn_down_when_anything_fails():
    model = small().fit(X, Y)
    before = dict(vars(model))
    for callback, y in ((Watcher(stop_at=2, fails=True), Y), (Watcher(), Y[:-1])):
        model.set_callbacks(callback)
        with pytest.raises((RuntimeError, ValueError), match=r"callback failed|inconsistent"):
            model.fit(X, y)
        assert callback.events[-1:] == (["teardown"] if callback.fails else [])
        assert identical(vars(model.set_callbacks()), before)
    diverging = Watcher()
    hopeless = small(learning_rate=1e30, clip_norm=None, max_iter=50).set_callbacks(diverging)
    with pytest.raises(ValueError, match="diverged") as caught:
        hopeless.fit(X, Y)
    assert diverging.events[-1] == "teardown" and not vars(hopeless).keys() & MACHINERY
    if caught.value.estimator is not None:
        assert not vars(caught.value.estimator).keys() & MACHINERY


def test_no_callback():
    with pytest.raises(TypeError, match="FitCallback protocol"):
        small().set_callbacks("a string")


# ---- inside of others ----------------------------------------------------------------------------


def test_scores_through_a_search_over_a_pipeline():
    monitor = ScoringMonitor(scoring="accuracy")
    pipeline = make_pipeline(PerStep(StandardScaler()), small(max_iter=3))
    pipeline[-1].set_callbacks(monitor)
    grid = {"lstmclassifier__learning_rate": [0.01, 0.1]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(X, Y)
    log = monitor.get_logs().data_as_pandas
    epochs = log[log.task_name == "epoch"]
    assert epochs.groupby("parent_task_id_path").size().tolist() == [3] * 5  # 2 x 2, and the refit
    path = max(p for p in epochs.parent_task_id_path if len(p) == 3)
    assert len(path) == 3 and log.estimator_name.eq("LSTMClassifier").all()
    refit = epochs[epochs.parent_task_id_path.map(len) == epochs.parent_task_id_path.map(len).min()]
    assert refit.accuracy.iloc[-1] == search.score(X, Y)
    assert not vars(search.best_estimator_[-1]).keys() & MACHINERY


def test_handed_on_by_a_search_and_a_pipeline():
    watcher = Everywhere()
    search = GridSearchCV(
        make_pipeline(PerStep(StandardScaler()), small(max_iter=2)),
        {"lstmclassifier__learning_rate": [0.01, 0.1]},
        cv=2,
    )
    search.set_callbacks(watcher).fit(X, Y)
    assert watcher.events.count("setup") == watcher.events.count("teardown") == 1
    assert watcher.events.count("end epoch") == 5 * 2
    scaled = [context for _, context in watcher.contexts if context.estimator_name == "PerStep"]
    assert {context.task_name for context in scaled} == {"fit"}
    assert not any("_skl_callbacks" in vars(step) for step in search.best_estimator_)


def test_an_encoder_hands_on_to_its_estimator():
    watcher, inner = Everywhere(), Watcher()
    encoder = LSTMEncoder(estimator=small(max_iter=2).set_callbacks(inner)).set_callbacks(watcher)
    encoder.fit(X, Y)
    assert [(type(e).__name__, c.task_name) for e, c in watcher.contexts] == [
        ("LSTMEncoder", "fit"),
        ("LSTMClassifier", "fit"),
        ("LSTMClassifier", "epoch"),
        ("LSTMClassifier", "epoch"),
    ]
    assert inner.events.count("end epoch") == 2  # one's own callbacks stay one's own
    classifier = watcher.contexts[1][1]
    assert (classifier.source_estimator_name, classifier.source_task_name) == (
        "LSTMEncoder",
        "fit-estimator",
    )
    for model in (encoder, encoder.estimator_):
        assert not vars(model).keys() & MACHINERY
    assert encoder.estimator_._skl_callbacks == [inner]
    encoder.set_params(estimator=FrozenEstimator(small().fit(X, Y))).fit(X, Y)
    assert encoder._source.__dict__.keys() == small().fit(X, Y).__dict__.keys()
    alone = [
        "setup",
        "begin fit",
        "begin fit-estimator",
        "end fit-estimator",
        "end fit",
        "teardown",
    ]
    assert watcher.events[-6:] == alone


def test_a_stopped_estimator_of_an_encoder():
    encoder = LSTMEncoder(estimator=small(max_iter=5)).set_callbacks(Everywhere(stop_at=2))
    assert encoder.fit(X, Y).estimator_.n_iter_ == 2


def test_progress_bar(capsys):
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    model = LSTMClassifier(**SMALL).set_callbacks(ProgressBar()).fit(X, Y)
    assert "LSTMClassifier - fit" in capsys.readouterr().out
    assert same_fit(pickle.loads(pickle.dumps(model)), model)


def test_the_beginning_of_a_fit_is_given_its_data():
    class Given(Watcher):
        def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
            self.contexts.append((X, y, metadata))

    watcher, weights = Given(), np.ones(len(X))
    small(max_iter=1).set_callbacks(watcher).fit(X, Y, sample_weight=weights)
    assert len(watcher.contexts) == 2  # the fit and its epoch
    for x, y, metadata in watcher.contexts:
        assert x is X and y is Y and metadata["sample_weight"] is weights
