"""Sequences of any length in scikit-learn's pipelines, searches, ensembles, and on disk."""

import pickle

import joblib
import numpy as np
import pytest
import sklearn
from estimator_helpers import SMALL, identical, objects, padded, ragged, same_fit, small
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    train_test_split,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from seqlearn_lstm import LSTMClassifier, LSTMEncoder, LSTMRegressor
from seqlearn_lstm.preprocessing import PerStep
from seqlearn_lstm.schedules import WarmUp
from seqlearn_lstm.solvers import SGD, Adam

FORMS = {"list": list, "object array": objects, "padded 3-D": padded}
forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
FOLDS = StratifiedKFold(3)


def halved():
    """A transformer of ragged sequences; made within a function, so that workers need no import."""

    def halve(X):
        return X * 0.5 if isinstance(X, np.ndarray) and X.dtype != object else [x / 2 for x in X]

    return FunctionTransformer(halve)


def learner(**params):
    """A classifier that learns these data nearly without error."""
    return small(**{"max_iter": 15, "learning_rate": 0.05, **params})


@forms
def test_pipeline(form):
    X, y = ragged()
    model = make_pipeline(halved(), learner()).fit(form(X), y)
    alone = learner().fit([x / 2 for x in X], y)
    np.testing.assert_array_equal(
        model.predict_proba(form(X)), alone.predict_proba([x / 2 for x in X])
    )
    assert model.score(form(X), y) == alone.score([x / 2 for x in X], y) > 0.9


@forms
def test_grid_search_with_two_processes(form):
    X, y = ragged(n=30)
    pipeline = Pipeline([("half", halved()), ("lstm", small(solver=Adam()))])
    grid = {
        "lstm__hidden_layer_sizes": [(4,), (5, 3)],
        "lstm__learning_rate": [1e-9, 0.1],
        "lstm__solver__beta_1": [0.5],
    }
    search = GridSearchCV(pipeline, grid, cv=FOLDS, n_jobs=2, error_score="raise").fit(form(X), y)
    assert search.best_params_["lstm__learning_rate"] == 0.1
    assert search.best_estimator_["lstm"].solver.beta_1 == 0.5
    expected = []
    for sizes in [(4,), (5, 3)]:
        for rate in [1e-9, 0.1]:
            model = small(hidden_layer_sizes=sizes, learning_rate=rate, solver=Adam(beta_1=0.5))
            expected.append(cross_val_score(model, [x / 2 for x in X], y, cv=FOLDS).mean())
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected)


def test_grid_search_over_solvers():
    X, y = ragged(n=30)
    grid = [{"solver": ["sgd", "adam"]}, {"solver": [SGD()], "solver__momentum": [0.0, 0.5]}]
    search = GridSearchCV(small(), grid, cv=FOLDS, error_score="raise").fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) > 1


@forms
def test_cross_val_predict(form):
    X, y = ragged(n=30)
    found = cross_val_predict(small(), form(X), y, cv=FOLDS, method="predict_proba", n_jobs=2)
    expected = np.empty((30, 3))
    for train, test in FOLDS.split(X, y):
        model = small().fit([X[i] for i in train], y[train])
        expected[test] = model.predict_proba([X[i] for i in test])
    np.testing.assert_array_equal(found, expected)


def test_arrays_that_joblib_maps_into_its_workers():
    X, y = ragged(n=30, n_features=200, shortest=30, longest=30)
    X = np.array(X, np.float64)
    assert X.nbytes > 1e6  # what joblib gives to workers as read-only files
    found = cross_val_predict(small(max_iter=1), X, y, cv=FOLDS, n_jobs=2)
    np.testing.assert_array_equal(found, cross_val_predict(small(max_iter=1), X, y, cv=FOLDS))


@forms
def test_train_test_split(form):
    X, y = ragged()
    X_train, X_test, y_train, y_test = train_test_split(form(X), y, random_state=0, stratify=y)
    assert len(X_test) == 10
    assert learner().fit(X_train, y_train).score(X_test, y_test) >= 0.8


@forms
def test_stacking_and_voting(form):
    X, y = ragged(n=60)
    models = [("small", learner()), ("mean", learner(pooling="mean", random_state=1))]
    for ensemble in (
        StackingClassifier(models, cv=FOLDS),
        VotingClassifier(models),
        VotingClassifier(models, voting="soft"),
    ):
        ensemble.fit(form(X), y)
        assert ensemble.score(form(X), y) > 0.9
    mean = (models[0][1].fit(X, y).predict_proba(X) + models[1][1].fit(X, y).predict_proba(X)) / 2
    np.testing.assert_allclose(ensemble.predict_proba(form(X)), mean, rtol=1e-12)


@forms
def test_a_network_for_each_class_or_output(form):
    X, y = ragged(n=30)
    both, numbers = np.c_[y % 2, y // 2], np.c_[y, -y] / 2
    found = OneVsRestClassifier(small()).fit(form(X), y).decision_function(form(X))
    alone = small().fit(X, y == 2).decision_function(X)
    assert identical(found[:, 2], alone.astype(found.dtype))
    labels = MultiOutputClassifier(small()).fit(form(X), both).predict(form(X))
    assert identical(labels[:, 1], small().fit(X, both[:, 1]).predict(X))
    regressor = LSTMRegressor(**SMALL)
    values = MultiOutputRegressor(regressor).fit(form(X), numbers).predict(form(X))
    assert identical(values[:, 1], regressor.fit(X, numbers[:, 1]).predict(X))


@pytest.mark.parametrize(
    "model",
    [
        AdaBoostClassifier(small()),
        BaggingClassifier(small()),
        ClassifierChain(small()),
        OneVsOneClassifier(small()),
        OutputCodeClassifier(small(), random_state=0),
        RegressorChain(LSTMRegressor(**SMALL)),
        SelfTrainingClassifier(small()),
        StackingClassifier([("lstm", small())], passthrough=True, cv=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_reads_tables_cannot_take_lists(model):
    """The user guide says so; where one of these learns to, its list becomes shorter."""
    X, y = ragged(n=30)
    y = np.c_[y % 2, y // 2] if "Chain" in type(model).__name__ else y
    with pytest.raises(ValueError, match="setting an array element with a sequence"):
        model.fit(X, y).predict(X)


@forms
@pytest.mark.parametrize("ensemble", [True, False])
def test_calibration(form, ensemble):
    X, y = ragged(n=60)
    model = CalibratedClassifierCV(learner(), cv=FOLDS, ensemble=ensemble).fit(form(X), y)
    assert model.score(form(X), y) > 0.9
    np.testing.assert_allclose(model.predict_proba(form(X)).sum(axis=1), 1)


def test_calibration_of_a_fitted_model():
    X, y = ragged(n=60)
    fitted = learner().fit(X[:30], y[:30])
    before = pickle.dumps(fitted)
    model = CalibratedClassifierCV(FrozenEstimator(fitted)).fit(X[30:], y[30:])
    assert model.score(X, y) > 0.9
    assert pickle.dumps(fitted) == before


def test_sample_weight_is_routed_through_a_grid_search():
    X, y = ragged(n=30)
    weights = np.random.default_rng(0).uniform(0.1, 3, 30)
    with sklearn.config_context(enable_metadata_routing=True):
        model = small().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(
            make_pipeline(halved(), model), {"lstmclassifier__alpha": [0.0, 1e-3]}, cv=FOLDS
        )
        search.fit(X, y, sample_weight=weights)
        best = search.best_estimator_["lstmclassifier"]
    direct = small(alpha=best.alpha).fit([x / 2 for x in X], y, sample_weight=weights)
    assert same_fit(best, direct)
    assert not same_fit(best, small(alpha=best.alpha).fit([x / 2 for x in X], y))


def test_lengths_are_routed_and_cut_into_folds():
    X, y = ragged(n=30)
    lengths = np.array([len(x) for x in X])
    with sklearn.config_context(enable_metadata_routing=True):
        model = small().set_fit_request(lengths=True)
        model.set_score_request(sample_weight=False, lengths=True)
        fitted = cross_val_score(
            model, padded(X), y, cv=FOLDS, params={"lengths": lengths}, error_score="raise"
        )
    np.testing.assert_array_equal(fitted, cross_val_score(small(), X, y, cv=FOLDS))


def test_lengths_of_zero_padding_are_routed_through_a_pipeline():
    """All methods get theirs, and the result is that of lists; without routing, fit alone does."""
    X, y = ragged(n=30)
    zeros, given = padded(X, fill=0), {"lengths": np.array([len(x) for x in X])}
    how = dict(cv=FOLDS, error_score="raise", return_estimator=True)
    with sklearn.config_context(enable_metadata_routing=True):
        scaler = PerStep(StandardScaler()).set_fit_request(lengths=True)
        model = small().set_fit_request(lengths=True).set_predict_request(lengths=True)
        model.set_score_request(lengths=True)
        pipe = make_pipeline(scaler.set_transform_request(lengths=True), model)
        routed = cross_validate(pipe, zeros, y, params=given, **how)
    pipe = make_pipeline(PerStep(StandardScaler()), small())
    lists = cross_validate(pipe, X, y, **how)
    np.testing.assert_array_equal(routed["test_score"], lists["test_score"])
    for one, other in zip(routed["estimator"], lists["estimator"], strict=True):
        assert same_fit(one[-1], other[-1])
    alone = cross_val_score(small(), zeros, y, params=given, cv=FOLDS)
    assert (alone != cross_val_score(small(), X, y, cv=FOLDS)).any()


# ---- parameters, copies --------------------------------------------------------------------------


def test_parameters_are_kept_as_given():
    given = {
        "hidden_layer_sizes": [3, 2],
        "solver": Adam(beta_1=0.5),
        "alpha": 1,
        "dtype": "float64",
    }
    model = LSTMClassifier(**given)
    for name, value in given.items():
        assert getattr(model, name) is value
    X, y = ragged()
    model.set_params(**SMALL | given).fit(X, y)
    for name, value in given.items():
        assert getattr(model, name) is value
    model.set_params(solver__beta_1=0.6, learning_rate=0.5)
    assert (model.solver.beta_1, model.get_params()["solver__beta_1"]) == (0.6, 0.6)
    assert model.get_params()["learning_rate"] == 0.5
    with pytest.raises(ValueError, match="Invalid parameter 'hidden'"):
        model.set_params(hidden=3)


@pytest.mark.parametrize(
    "owner, params, message",
    [
        (small(), {"solver__beta_1": 0.8}, "'adam', a name; expected an object that has beta_1, such as solver=Adam()"),
        (small(solver="sgd"), {"solver__beta_1": 0.8}, "'sgd', a name; .*such as solver=Adam()"),
        (small(), {"cell__peephole": True}, "'lstm', a name; .* peephole, such as cell=LSTM()"),
        (small(schedule="step"), {"schedule__gamma": 0.5}, "'step', a name; .*schedule=StepDecay()"),
        (small(), {"schedule__gamma": 0.5}, "'constant', a name; .*schedule=ExponentialDecay()"),
        (small(schedule=WarmUp()), {"schedule__then__gamma": 0.5}, "'constant', a.*then=ExponentialDecay()"),
        (small(), {"alpha__x": 1}, "0.0; expected an object that has x"),
        (small(), {"solver": "none", "solver__x": 1}, "'none', a name; expected an object that has x"),
        (LSTMEncoder(), {"estimator__alpha": 1}, "None; expected an object that has alpha"),
    ],
)  # fmt: skip
def test_settings_of_what_has_none(owner, params, message):
    model = clone(owner)
    with pytest.raises(ValueError, match=rf" is {message}$".replace("()", r"\(\)")):
        model.set_params(max_iter=9, **params)
    assert repr(model) == repr(owner) or "schedule__then__gamma" in params  # scikit-learn's order


def test_an_object_and_its_settings_at_once():
    model = small().set_params(solver__beta_1=0.8, solver=Adam(), alpha=1)
    assert (model.solver.beta_1, model.alpha) == (0.8, 1)
    search = GridSearchCV(small(solver=Adam()), {"solver__beta_1": [0.8, 0.9]}, cv=2)
    assert search.fit(*ragged(n=20)).best_params_["solver__beta_1"] in (0.8, 0.9)


def test_clone():
    X, y = ragged()
    model = small(solver=SGD(momentum=0.3), pooling="max").fit(X, y)
    copy = clone(model)
    assert not hasattr(copy, "parameters_")
    assert copy.solver is not model.solver
    assert same_fit(copy.fit(X, y), model)


# ---- on disk -------------------------------------------------------------------------------------


def assert_same_predictions(a, b, X):
    for name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        np.testing.assert_array_equal(getattr(a, name)(X), getattr(b, name)(X))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol):
    X, y = ragged()
    model = small(bidirectional=True, solver=Adam(beta_1=0.7)).fit(X, y)
    loaded = pickle.loads(pickle.dumps(model, protocol))
    assert identical(vars(loaded), vars(model))
    assert_same_predictions(loaded, model, X)
    assert same_fit(loaded.fit(X, y), model)


def test_pickle_of_an_unfitted_classifier():
    X, y = ragged()
    loaded = pickle.loads(pickle.dumps(small(alpha=0.1)))
    assert same_fit(loaded.fit(X, y), small(alpha=0.1).fit(X, y))


@pytest.mark.parametrize("params", [{}, {"dtype": "float64", "bidirectional": True}], ids=str)
@pytest.mark.parametrize("mmap_mode", [None, "r"])
def test_joblib(tmp_path, params, mmap_mode):
    X, y = ragged()
    model = make_pipeline(halved(), small(**params)).fit(X, y)
    joblib.dump(model[-1], tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib", mmap_mode=mmap_mode)
    arrays = loaded.parameters_.values()
    assert all(isinstance(values, np.memmap) == (mmap_mode == "r") for values in arrays)
    assert_same_predictions(loaded, model[-1], X)
    pickled = pickle.loads(pickle.dumps(loaded))
    assert_same_predictions(pickled, model[-1], X)


def test_sequences_on_disk_are_read_in_place(tmp_path):
    X, y = ragged()
    model = small().fit(X, y)
    joblib.dump(X, tmp_path / "X.joblib")
    mapped = joblib.load(tmp_path / "X.joblib", mmap_mode="r")
    assert not mapped[0].flags.writeable
    assert same_fit(small().fit(mapped, y), model)
    assert_same_predictions(model, small().fit(mapped, y), mapped)


def test_pickle_of_another_format_warns():
    X, y = ragged()
    model = small().fit(X, y)
    state = model.__getstate__()
    for version in (0, None):
        older = LSTMClassifier()
        with pytest.warns(UserWarning, match=f"saved in format {version}, this version"):
            older.__setstate__(state | {"_format_version": version})
        assert_same_predictions(older, model, X)
