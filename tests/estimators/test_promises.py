"""What an estimator promises: predictions, reproducibility, failures, state, the caller's data."""

import inspect
import sys
from numbers import Number

import numpy as np
import pandas as pd
import pytest
from estimator_helpers import (
    NETWORKS,
    digest,
    identical,
    objects,
    padded,
    ragged,
    run_python,
    same_fit,
    small,
)
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from seqlearn_lstm.batches import prediction_batches
from seqlearn_lstm.kernels.cpu import available_threads, threads
from seqlearn_lstm.solvers import Adam

networks = pytest.mark.parametrize("params", NETWORKS.values(), ids=NETWORKS.keys())


@pytest.fixture
def hand_outs(monkeypatch):
    """Let threads share even the smallest work; the list gets an entry whenever they do."""
    found, parallel_loop = [], threads.parallel_loop
    monkeypatch.setattr(threads, "GRAIN", 1)
    monkeypatch.setattr(threads, "parallel_loop", lambda: found.append(1) or parallel_loop())
    return found


# ---- a prediction depends on its sequence alone --------------------------------------------------


@networks
def test_prediction_alone_equals_prediction_in_any_batch(params):
    X, y = ragged(n=37)
    model = small(**params).fit(X, y)
    scores, rng = model.decision_function(X), np.random.default_rng(0)
    alone = np.concatenate([model.decision_function([x]) for x in X])
    np.testing.assert_array_equal(alone, scores)
    for n in [2, 3, 5, 7, 17, 37, 100]:
        some = rng.choice(len(X), n)  # in any order, some more than once
        np.testing.assert_array_equal(model.decision_function([X[i] for i in some]), scores[some])
    probabilities = model.predict_proba(X)
    np.testing.assert_array_equal(model.predict_proba(X[::-1]), probabilities[::-1])
    np.testing.assert_array_equal(model.predict(X[5:6]), model.classes_[scores[5:6].argmax(1)])


def test_prediction_does_not_depend_on_how_sequences_fall_into_batches():
    X, y = ragged(n=450, longest=40)
    offsets = np.cumsum([0, *map(len, X)])
    assert len(list(prediction_batches(offsets))) > 1
    model = small().fit(X[:20], y[:20])
    scores = model.decision_function(X)
    np.testing.assert_array_equal(model.decision_function(X[:10]), scores[:10])
    np.testing.assert_array_equal(model.decision_function(X[-200:]), scores[-200:])


def frames(X):
    return [pd.DataFrame(x) for x in X]  # their columns have numbers, not names


FORMS = {
    "tuple": tuple,
    "object array": objects,
    "Series": lambda X: pd.Series(X, index=range(7, 7 + len(X))),
    "nested lists": lambda X: [x.tolist() for x in X],
    "DataFrames": frames,
    "padded": padded,
    "float64": lambda X: [x.astype(np.float64) for x in X],
    "Fortran order": lambda X: [np.asfortranarray(x) for x in X],
    "backward views": lambda X: [np.ascontiguousarray(x[::-1])[::-1] for x in X],
    "padded, float64, Fortran order": lambda X: np.asfortranarray(padded(X).astype(np.float64)),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_form_of_input_changes_nothing(form):
    X, y = ragged()
    model = small().fit(X, y)
    given = form(X)
    np.testing.assert_array_equal(model.predict_proba(given), model.predict_proba(X))
    np.testing.assert_array_equal(model.decision_function(given), model.decision_function(X))
    assert same_fit(small().fit(given, y), model)


@pytest.mark.parametrize("fill", [np.nan, 0, np.inf, 1e30])
def test_lengths_beside_a_padded_array(fill):
    X, y = ragged()
    lengths = [len(x) for x in X]
    model, filled = small().fit(X, y), padded(X, fill)
    np.testing.assert_array_equal(
        model.predict_proba(filled, lengths=lengths), model.predict_proba(X)
    )
    for name in ("predict", "predict_log_proba", "decision_function"):
        predict = getattr(model, name)
        np.testing.assert_array_equal(predict(filled, lengths=lengths), predict(X))
    assert same_fit(small().fit(filled, y, lengths=lengths), model)


def test_equally_long_sequences_as_one_array():
    X, y = ragged(shortest=6, longest=6)
    model = small().fit(X, y)
    assert same_fit(small().fit(np.array(X), y), model)
    np.testing.assert_array_equal(model.predict_proba(np.array(X)), model.predict_proba(X))
    objects_inside = np.array(X, dtype=object)  # what np.array makes of a list of objects
    np.testing.assert_array_equal(model.predict_proba(objects_inside), model.predict_proba(X))


def test_tables_are_sequences_of_one_feature():
    X, y = ragged(n_features=1, shortest=6, longest=6)
    table = np.array(X)[:, :, 0]
    model = small().fit(table, y)
    assert model.n_features_in_ == 6
    for form in (X, np.array(X), list(table), table.tolist(), pd.DataFrame(table)):
        assert same_fit(small().fit(form, y), model)
    for form in (X, np.array(X), list(table), table.tolist()):
        np.testing.assert_array_equal(model.predict_proba(form), model.predict_proba(table))


# ---- threads change no bit -----------------------------------------------------------------------


@networks
def test_threads_change_no_bit_of_a_prediction(params, hand_outs):
    X, y = ragged()
    model = small(**params, n_jobs=1).fit(X, y)
    scores = model.decision_function(X)
    assert not hand_outs
    for n_jobs in (2, None, -1, -2, 1000):
        model.set_params(n_jobs=n_jobs)
        np.testing.assert_array_equal(model.decision_function(X), scores)
    assert hand_outs or available_threads() == 1


@networks
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_threads_change_no_bit_of_a_fit(params, solver, hand_outs):
    X, y = ragged()
    params = {**params, "solver": solver, "max_iter": 2, "alpha": 0.1}
    one = small(**params, n_jobs=1).fit(X, y)
    assert not hand_outs
    two = small(**params, n_jobs=2).fit(X, y)
    assert hand_outs or available_threads() == 1
    assert same_fit(one, two)


MORE_THREADS = """
from estimator_helpers import *
from seqlearn_lstm.kernels.cpu import available_threads
share_all_work()
assert available_threads() == 5
X, y = ragged()
for params in NETWORKS.values():
    print(*(digest(small(**{**params, "max_iter": 1, "n_jobs": n}).fit(X, y)) for n in (1, 3, 5)))
"""


def test_more_threads_than_cores_change_no_bit_of_a_fit():
    lines = run_python(MORE_THREADS, NUMBA_NUM_THREADS=5).splitlines()
    assert len(lines) == len(NETWORKS)
    for line in lines:
        assert len(line.split()) == 3
        assert len(set(line.split())) == 1


# ---- random_state fixes everything ---------------------------------------------------------------


def test_random_state_fixes_the_fit_in_a_fresh_process():
    X, y = ragged()
    here = [digest(small(**params).fit(X, y)) for params in NETWORKS.values()]
    there = run_python(
        "from estimator_helpers import *\n"
        "X, y = ragged()\n"
        "print(*(digest(small(**params).fit(X, y)) for params in NETWORKS.values()))",
        PYTHONHASHSEED="7",
    )
    assert there.split() == here


def test_random_state_of_each_kind():
    X, y = ragged()
    model = small(random_state=3).fit(X, y)
    assert same_fit(small(random_state=3).fit(X, y), model)
    assert same_fit(
        model, small(random_state=3).fit(X, y).fit(X, y)
    )  # fitted twice, as fitted once
    assert not same_fit(small(random_state=4).fit(X, y), model)
    drawn = [small(random_state=np.random.RandomState(5)).fit(X, y) for _ in range(2)]
    assert same_fit(*drawn)
    shared = np.random.RandomState(5)
    first, second = (small(random_state=shared).fit(X, y) for _ in range(2))
    assert same_fit(first, drawn[0])
    assert not same_fit(first, second)


def test_seed_decides_initial_parameters_and_order_of_sequences():
    X, y = ragged()
    first, second = (small(learning_rate=1e-9, random_state=seed).fit(X, y) for seed in (0, 1))
    for name, values in first.parameters_.items():
        if not name.endswith("b"):
            assert np.abs(values - second.parameters_[name]).max() > 0.1, name
    shuffled = small(max_iter=1).fit(X, y)
    assert not same_fit(shuffled, small(max_iter=1, shuffle=False).fit(X, y))


def test_random_state_none_differs_every_time():
    X, y = ragged()
    assert not same_fit(*(small(random_state=None).fit(X, y) for _ in range(2)))


def test_global_random_state_is_neither_read_nor_written():
    X, y = ragged()
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()  # noqa: NPY002
    model = small().fit(X, y)
    model.predict(X)
    assert identical(before, np.random.get_state())  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert same_fit(small().fit(X, y), model)


def test_estimators_do_not_influence_each_other():
    X, y = ragged()
    other_X, other_y = ragged(n=25, n_features=5, n_classes=4, longest=30, seed=1)
    solver = Adam(beta_1=0.7)
    settings = dict(vars(solver))
    first = small(solver=solver).fit(X, y)
    before, scores = dict(vars(first)), first.decision_function(X)
    second = small(solver=solver, hidden_layer_sizes=(30,)).fit(other_X, other_y)
    second.predict(other_X)
    assert identical(vars(first), before)
    assert vars(solver) == settings
    np.testing.assert_array_equal(first.decision_function(X), scores)
    assert same_fit(small(solver=Adam(beta_1=0.7)).fit(X, y), first)


# ---- a failed fit leaves the estimator as it was -------------------------------------------------


class Interrupted(Adam):
    """A solver that the user stops in the second epoch."""

    def step(self, kernels, theta, gradient, state, *args):
        super().step(kernels, theta, gradient, state, *args)
        if state["n_updates"] == 7:
            raise KeyboardInterrupt


def broken(X, index, value):
    """The same sequences with a value in the last step of one."""
    X = [x.copy() for x in X]
    X[index][-1, 1] = value
    return X


GOOD_X, GOOD_Y = ragged()
FAILURES = {  # what is set, X, y, further arguments of fit, error, words of its message
    "NaN": ({}, broken(GOOD_X, 3, np.nan), GOOD_Y, {}, ValueError, "sequence 3 of X contains NaN"),
    "infinity": ({}, broken(GOOD_X, 5, np.inf), GOOD_Y, {}, ValueError, "sequence 5 of X"),
    "empty sequence": ({}, [*GOOD_X[1:], GOOD_X[0][:0]], GOOD_Y, {}, ValueError, "sequence 39"),
    "features": ({}, [*GOOD_X[1:], np.ones((4, 2))], GOOD_Y, {}, ValueError, "sequence 39"),
    "no sequence": ({}, [], [], {}, ValueError, "0 sequences"),
    "NaN in a table": ({}, [[1.0, np.nan]] * 40, GOOD_Y, {}, ValueError, "contains NaN"),
    "X None": ({}, None, GOOD_Y, {}, TypeError, "NoneType"),
    "lengths": ({}, GOOD_X, GOOD_Y, {"lengths": [1] * 40}, ValueError, "lengths"),
    "y None": ({}, GOOD_X, None, {}, ValueError, "requires y"),
    "y too short": ({}, GOOD_X, GOOD_Y[:-1], {}, ValueError, r"\[40, 39\]"),
    "y continuous": ({}, GOOD_X, GOOD_Y + 0.5, {}, ValueError, "Unknown label type"),
    "y NaN": ({}, GOOD_X, GOOD_Y * np.nan, {}, ValueError, "y is nan for sequence 0"),
    "y two columns": ({}, GOOD_X, np.ones((40, 2), int), {}, ValueError, r"\(40, 2\)"),
    "weights too short": ({}, GOOD_X, GOOD_Y, {"sample_weight": [1, 2]}, ValueError, r"\(2,\)"),
    "negative": ({}, GOOD_X, GOOD_Y, {"sample_weight": [-1] * 40}, ValueError, "egative"),
    "all zero": ({}, GOOD_X, GOOD_Y, {"sample_weight": [0] * 40}, ValueError, "non-zero"),
    "weight NaN": ({}, GOOD_X, GOOD_Y, {"sample_weight": [np.nan] * 40}, ValueError, "NaN"),
    "diverged": ({"learning_rate": 1e38}, GOOD_X, GOOD_Y, {}, ValueError, "smaller learning_rate"),
    "diverged, sgd": (
        {"solver": "sgd", "learning_rate": 1e38, "clip_norm": None},
        GOOD_X, GOOD_Y, {}, ValueError, "diverged",
    ),
    "interrupted": ({"solver": Interrupted()}, GOOD_X, GOOD_Y, {}, KeyboardInterrupt, "^$"),
    "solver's setting": ({"solver": Adam(beta_2=1)}, GOOD_X, GOOD_Y, {}, ValueError, "'beta_2'"),
    "solver's name": ({"solver": "adamant"}, GOOD_X, GOOD_Y, {}, ValueError, "'adam', 'adamw'"),
    **{
        f"{name}={value!r}": ({name: value}, GOOD_X, GOOD_Y, {}, ValueError, name)
        for name, values in {
            "hidden_layer_sizes": [(), 0, (4, 0), (4, 2.5), "4", np.array(3)],
            "bidirectional": ["yes"],
            "pooling": ["first", None],
            "learning_rate": [0, -1.0, np.nan, "constant"],
            "alpha": [-1],
            "clip_norm": [0, -1.0],
            "batch_size": [0, 2.5, "auto"],
            "max_iter": [0, 1.5],
            "shuffle": [None],
            "tol": [-1e-4],
            "n_iter_no_change": [0],
            "class_weight": [
                "balance", 3, {0: 0, 1: 0, 2: 0}, {0: 1, 1: -1, 2: 1}, {0: 1, 1: np.nan, 2: 1},
            ],
            "random_state": ["seed", -1],
            "n_jobs": [0, 1.5],
            "dtype": ["float16", np.float32],
            "verbose": [-1],
        }.items()
        for value in values
    },
}  # fmt: skip


@pytest.mark.parametrize(
    "params, X, y, further, error, message", FAILURES.values(), ids=FAILURES.keys()
)
def test_failed_fit_leaves_the_estimator_as_it_was(params, X, y, further, error, message):
    table = pd.DataFrame(np.arange(40.0).reshape(10, 4), columns=list("abcd"))
    model = small().fit(table, np.arange(10) % 2)
    scores = model.decision_function(table)
    model.set_params(**params)
    before = dict(vars(model))
    copies = {name: value.copy() for name, value in model.parameters_.items()}
    curve = list(model.loss_curve_)
    with pytest.raises(error, match=message):
        model.fit(X, y, **further)
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())
    assert identical(model.parameters_, copies)
    assert identical(model.loss_curve_, curve)
    if "n_jobs" not in params:
        np.testing.assert_array_equal(model.decision_function(table), scores)


@pytest.mark.parametrize(
    "params, X, y, further, error, message", FAILURES.values(), ids=FAILURES.keys()
)
def test_failed_first_fit_leaves_no_trace(params, X, y, further, error, message):
    model = small(**params)
    before = dict(vars(model))
    with pytest.raises(error, match=message):
        model.fit(X, y, **further)
    assert identical(vars(model), before)
    with pytest.raises(NotFittedError):
        model.predict(GOOD_X)


@pytest.mark.parametrize("line", range(1, 4))
def test_an_interrupt_while_a_failed_fit_is_undone(line):
    """A second one, at each line that undoes what the first has ended, finds nothing half undone."""
    X, y = ragged()
    model = small().fit(X, y)
    before, lines = dict(vars(model)), []

    def undoing(frame, event, arg):
        if event == "exception" or lines:
            lines.append(event)
        if lines.count("line") == line:
            sys.settrace(None)
            raise KeyboardInterrupt
        return undoing

    def follow(frame, event, arg):
        return undoing if frame.f_code.co_name == "whole_or_nothing" else None

    sys.settrace(follow)
    try:
        with pytest.raises((ValueError, KeyboardInterrupt)):
            model.fit([x * np.nan for x in X], y)
    finally:
        sys.settrace(None)
    assert lines
    assert vars(model).keys() == before.keys()
    assert identical(model.parameters_, before["parameters_"])


def test_failed_prediction_leaves_the_estimator_as_it_was():
    X, y = ragged()
    model = small().fit(X, y)
    before = dict(vars(model))
    for bad in (broken(X, 3, np.nan), [x[:, :2] for x in X], [], None):
        with pytest.raises((ValueError, TypeError)):
            model.predict(bad)
    model.predict(X)
    assert identical(vars(model), before)


# ---- fitted state is plain; what the caller gave stays as it was ---------------------------------


def foreign(value, where):
    """Yield what is neither a plain value nor made of plain values: (where it stands, its type)."""
    if isinstance(value, (dict, list, tuple)) and type(value) in (dict, list, tuple):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from foreign(item, f"{where}.{key}")
    elif isinstance(value, BaseEstimator):  # a parameter: a solver with its settings
        yield from foreign(vars(value), where)
    elif type(value) is np.ndarray:
        if value.dtype == object or value.base is not None:
            yield where, value.dtype, value.base
    elif not (value is None or isinstance(value, (str, Number))):
        yield where, type(value)


@networks
@pytest.mark.parametrize("solver", ["sgd", Adam(beta_1=0.8)], ids=str)
def test_fitted_state_is_arrays_and_plain_values(params, solver):
    X, y = ragged()
    model = small(**params, solver=solver).fit(X, y)
    model.predict(X)
    assert list(foreign(vars(model), "")) == []
    assert list(foreign(model.__getstate__(), "")) == []
    names = set(inspect.signature(type(model).__init__).parameters) - {"self"}
    assert names <= vars(model).keys()


def test_given_arrays_are_left_alone():
    X, y = ragged()
    weights = np.linspace(0.5, 2, len(X))
    lengths = np.array([len(x) for x in X])
    cases = [
        (objects(X), y, weights, None),
        (padded(X), y, weights, None),
        (padded(X), y, weights, lengths),
        (padded(X)[:, 0].copy(), y, weights, None),
    ]
    for case in cases:
        copies = [None if a is None else a.copy() for a in case]
        parts = [x.copy() for x in X]
        given, labels, weights, lengths = case
        for array in (*case, *X):
            if array is not None:
                array.flags.writeable = False
        model = small(alpha=0.1).fit(given, labels, sample_weight=weights, lengths=lengths)
        model.predict(given, lengths=lengths)
        for array, copy in zip((*case, *X), (*copies, *parts), strict=True):
            assert identical(array, copy)
