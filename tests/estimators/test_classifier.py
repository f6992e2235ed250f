"""LSTMClassifier does what its parameters say: compared with formulas, not with itself."""

import numpy as np
import pandas as pd
import pytest
from estimator_helpers import SMALL, identical, padded, ragged, same_fit, small
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, cross_val_score
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from seqlearn_lstm import LSTMSequenceTagger
from seqlearn_lstm.solvers import SGD, Adam
from seqlearn_lstm.training import bptt

# One update with the gradient over all sequences, in float64: theta_1 = theta_0 - rate * gradient.
RATE = 1e-3
EXACT = dict(dtype="float64", batch_size=None, clip_norm=None, solver=SGD(momentum=0.0))


def initial(X, y, **params):
    """The parameters before the first update."""
    still = small(**{**EXACT, "max_iter": 1, "learning_rate": 1e-320, **params}).fit(X, y)
    return still.parameters_


def update(X, y, params=None, **fit_params):
    """What the first update subtracts, divided by the learning rate: a gradient."""
    settings = {**EXACT, "max_iter": 1, "learning_rate": RATE, **(params or {})}
    before = initial(X, y, **{k: v for k, v in settings.items() if k != "learning_rate"})
    after = small(**settings).fit(X, y, **fit_params).parameters_
    return {name: (before[name] - after[name]) / RATE for name in before}


def norm(arrays):
    return np.sqrt(sum(np.square(a).sum() for a in arrays.values()))


def assert_close(a, b, **tolerance):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_allclose(a[name], b[name], err_msg=name, **tolerance)


# ---- the network ---------------------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, p, key, backward):
    """Outputs of one direction, in the order of x: what `parameters_` mean."""
    W, U, b = (p[f"{key}.{letter}"] for letter in "WUb")
    h = c = np.zeros(U.shape[0])
    out = []
    for row in x[::-1] if backward else x:
        i, f, g, o = np.split(row @ W + h @ U + b, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    return np.array(out[::-1] if backward else out)


def scores_by_hand(x, model):
    p = {name: values.astype(np.float64) for name, values in model.parameters_.items()}
    directions = ["forward", "backward"][: 1 + model.bidirectional]
    for layer in range(len(model.hidden_layer_sizes)):
        parts = [lstm(x, p, f"layer_{layer}.{d}", d == "backward") for d in directions]
        x = np.hstack(parts)
    pooled = {
        "last": np.hstack(
            [part[-1 if d == "forward" else 0] for part, d in zip(parts, directions, strict=True)]
        ),
        "mean": x.mean(axis=0),
        "max": x.max(axis=0),
    }[model.pooling]
    return pooled @ p["output.W"] + p["output.b"]


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("sizes", [(5,), (17, 4)], ids=str)
@pytest.mark.parametrize("dtype, atol", [("float32", 1e-5), ("float64", 1e-12)])
def test_parameters_explain_the_scores(pooling, bidirectional, sizes, dtype, atol):
    X, y = ragged(n=12)
    model = small(
        pooling=pooling, bidirectional=bidirectional, hidden_layer_sizes=sizes, dtype=dtype
    ).fit(X, y)
    expected = [scores_by_hand(x.astype(np.float64), model) for x in X]
    np.testing.assert_allclose(model.decision_function(X), expected, atol=atol, rtol=0)


def test_names_and_shapes_of_parameters():
    X, y = ragged(n_features=2, n_classes=4)
    model = small(hidden_layer_sizes=[5, 7], bidirectional=True).fit(X, y)
    shapes = {name: values.shape for name, values in model.parameters_.items()}
    expected = {"output.W": (14, 4), "output.b": (4,)}
    for d in ("forward", "backward"):
        expected |= {f"layer_0.{d}.W": (2, 20), f"layer_0.{d}.U": (5, 20), f"layer_0.{d}.b": (20,)}
        expected |= {f"layer_1.{d}.W": (10, 28), f"layer_1.{d}.U": (7, 28), f"layer_1.{d}.b": (28,)}
    assert shapes == expected
    assert {values.dtype for values in model.parameters_.values()} == {np.dtype("float32")}
    one = small(hidden_layer_sizes=5).fit(X, y)
    assert same_fit(one, small(hidden_layer_sizes=(5,)).fit(X, y))
    assert list(one.parameters_) == [
        *(f"layer_0.forward.{letter}" for letter in "WUb"), "output.W", "output.b",
    ]  # fmt: skip


def test_initial_parameters():
    X, y = ragged(n_features=40)
    p = initial(X, y, hidden_layer_sizes=(30, 20), bidirectional=True)
    for key, n_in, n_units in [("layer_0", 40, 30), ("layer_1", 60, 20)]:
        for d in ("forward", "backward"):
            W, U, b = (p[f"{key}.{d}.{letter}"] for letter in "WUb")
            zeros, ones = np.zeros(n_units), np.ones(n_units)
            np.testing.assert_allclose(b, np.hstack([zeros, ones, zeros, zeros]), atol=1e-300)
            bound = np.sqrt(6 / (n_in + n_units))
            for gate in np.split(W, 4, axis=1):
                assert 0.95 * bound < np.abs(gate).max() <= bound
                assert abs(gate.std() - bound / np.sqrt(3)) < 0.05 * bound
            for gate in np.split(U, 4, axis=1):
                np.testing.assert_allclose(gate.T @ gate, np.eye(n_units), atol=1e-12)
    bound = np.sqrt(6 / (40 + 3))
    assert 0.9 * bound < np.abs(p["output.W"]).max() <= bound
    np.testing.assert_allclose(p["output.b"], np.zeros(3), atol=1e-300)
    drawn = [values for name, values in p.items() if name.endswith(("W", "U"))]
    assert len({values.ravel()[0] for values in drawn}) == len(drawn)


# ---- the loss and its gradient -------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 7])
def test_loss_is_the_weighted_mean_of_the_cross_entropy(batch_size):
    X, y = ragged()
    weights = np.random.default_rng(0).uniform(0, 3, len(X))
    still = dict(EXACT, batch_size=batch_size, learning_rate=1e-320)
    for w in (None, weights):
        model = small(**still).fit(X, y, sample_weight=w)
        expected = log_loss(y, model.predict_proba(X), sample_weight=w)
        np.testing.assert_allclose(model.loss_curve_, [expected] * 3, rtol=1e-12)


def test_loss_counts_the_penalty():
    X, y = ragged(n=20)
    model = small(**EXACT, alpha=0.5, learning_rate=1e-320).fit(X, y)
    weights = [values for name, values in model.parameters_.items() if not name.endswith("b")]
    penalty = 0.5 / 2 * sum(np.square(w).sum() for w in weights) / 20
    expected = log_loss(y, model.predict_proba(X)) + penalty
    np.testing.assert_allclose(model.loss_curve_, [expected] * 3, rtol=1e-12)


def test_update_is_the_gradient_of_the_loss():
    X, y = ragged(n=15)
    weights = np.random.default_rng(1).uniform(0, 3, len(X))
    params = dict(EXACT, alpha=0.3, bidirectional=True, pooling="mean", max_iter=1)
    slopes = update(X, y, params, sample_weight=weights)
    model = small(**params, learning_rate=1e-320).fit(X, y)

    def loss():
        squares = sum(
            np.square(v).sum() for k, v in model.parameters_.items() if not k.endswith("b")
        )
        mean = log_loss(y, model.predict_proba(X), sample_weight=weights)
        return mean + 0.3 / 2 * squares / weights.sum()

    rng, eps = np.random.default_rng(2), 1e-5
    for name, values in model.parameters_.items():
        for index in rng.choice(values.size, 3):
            kept, both = values.flat[index], []
            for sign in (1, -1):
                values.flat[index] = kept + sign * eps
                both.append(loss())
            values.flat[index] = kept
            central = (both[0] - both[1]) / (2 * eps)
            np.testing.assert_allclose(slopes[name].flat[index], central, atol=1e-9, err_msg=name)


def test_alpha_shrinks_weights_and_no_biases():
    X, y = ragged(n=20)
    plain, decayed = update(X, y), update(X, y, {"alpha": 0.5})
    weights = initial(X, y)
    for name, slope in decayed.items():
        term = 0 if name.endswith("b") else 0.5 / 20 * weights[name]
        np.testing.assert_allclose(slope - plain[name], term, atol=1e-11, err_msg=name)


def test_clip_norm_shortens_long_gradients_only():
    X, y = ragged()
    slopes = update(X, y)
    length = norm(slopes)
    assert_close(update(X, y, {"clip_norm": 2 * length}), slopes, rtol=0, atol=1e-13)
    short = update(X, y, {"clip_norm": length / 10})
    np.testing.assert_allclose(norm(short), length / 10, rtol=1e-9)
    assert_close({name: 10 * values for name, values in short.items()}, slopes, atol=1e-10)


# ---- weights -------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, dict(dtype="float64", bidirectional=True)], ids=str)
def test_class_weight_equals_sample_weight(params):
    X, y = ragged(n=41)
    own = np.random.default_rng(0).uniform(0, 2, len(X))
    for class_weight in ({0: 1.0, 1: 5.0, 2: 0.3}, {2: 3}, "balanced"):
        weights = compute_sample_weight(class_weight, y)
        model = small(class_weight=class_weight, **params)
        assert same_fit(model.fit(X, y), small(**params).fit(X, y, sample_weight=weights))
        assert not same_fit(model, small(**params).fit(X, y))
        if class_weight == "balanced":
            weights = compute_class_weight(
                "balanced", classes=np.arange(3), y=y, sample_weight=own
            )[y]
        both = small(**params).fit(X, y, sample_weight=own * weights)
        assert same_fit(model.fit(X, y, sample_weight=own), both)


def test_class_weight_shifts_decisions():
    X, y = ragged(n_classes=2)
    X = [x * 0.1 for x in X]  # hard to tell apart
    counts = [
        np.sum(small(class_weight=weight).fit(X, y).predict(X) == 1)
        for weight in ({0: 50, 1: 1}, {0: 1, 1: 50})
    ]
    assert counts[0] < 5 < 35 < counts[1]


def test_balanced_weights_find_a_rare_class():
    X, y = ragged(n=90, n_classes=3)
    keep = [i for i in range(90) if y[i] != 2 or i < 9]
    X, y = [X[i] * 0.05 for i in keep], y[keep]
    found = {
        weight: np.mean(small(class_weight=weight, max_iter=10).fit(X, y).predict(X)[y == 2] == 2)
        for weight in (None, "balanced")
    }
    assert found["balanced"] > found[None]


def test_string_labels_in_class_weight():
    X, y = ragged()
    names = np.array(["no", "perhaps", "yes"])
    model = small(class_weight={"no": 1, "perhaps": 2, "yes": 3}).fit(X, names[y])
    assert same_fit(model, small(class_weight={0: 1, 1: 2, 2: 3}).fit(X, y))


EPOCHS = dict(dtype="float64", batch_size=None, max_iter=10)


def test_weight_zero_leaves_out():
    X, y = ragged()
    out = np.arange(len(X)) % 4 == 1
    model = small(**EPOCHS).fit(X, y, sample_weight=np.where(out, 0, 1))
    kept = [x for x, o in zip(X, out, strict=True) if not o]
    without = small(**EPOCHS).fit(kept, y[~out])
    assert_close(model.parameters_, without.parameters_, atol=1e-9)
    np.testing.assert_allclose(model.loss_curve_, without.loss_curve_, rtol=1e-10)


@pytest.mark.parametrize("class_weight", [None, {0: 3.0}, "balanced"], ids=str)
def test_weight_two_repeats(class_weight):
    X, y = ragged()
    times = np.random.default_rng(0).integers(0, 4, len(X))
    model = small(**EPOCHS, class_weight=class_weight).fit(X, y, sample_weight=times)
    repeated = small(**EPOCHS, class_weight=class_weight).fit(
        [x for x, n in zip(X, times, strict=True) for _ in range(n)], y.repeat(times)
    )
    assert_close(model.parameters_, repeated.parameters_, atol=1e-9)
    np.testing.assert_allclose(model.loss_curve_, repeated.loss_curve_, rtol=1e-10)


def test_balanced_weights_of_a_class_without_weight():
    X, y = ragged()
    own = np.where(y == 1, 0.0, 1.0)
    model = small(class_weight="balanced").fit(X, y, sample_weight=own)
    own[y != 1] = compute_sample_weight("balanced", y[y != 1])
    assert same_fit(model, small().fit(X, y, sample_weight=own))


def test_minibatch_without_weight_is_no_update():
    X, y = ragged(n=24)
    weights = np.repeat([1, 0, 1], 8)  # nothing counts in the second of three batches
    model = small(shuffle=False).fit(X, y, sample_weight=weights)
    X = [*X[:8], *X[16:]]
    assert same_fit(model, small(shuffle=False).fit(X, np.r_[y[:8], y[16:]]))


def test_only_the_ratio_of_weights_counts():
    X, y = ragged()
    weights = np.random.default_rng(0).uniform(0, 3, len(X))
    one, four = (small().fit(X, y, sample_weight=f * weights) for f in (1, 4))
    assert identical(one.parameters_, four.parameters_)


# ---- epochs and batches --------------------------------------------------------------------------


def test_learns():
    X, y = ragged(n=120)
    model = small(max_iter=20, batch_size=16).fit(X[:80], y[:80])
    assert model.score(X[80:], y[80:]) >= 0.9
    assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]


@pytest.mark.parametrize("solver", ["adam", "sgd", Adam(beta_1=0.5), SGD(nesterov=False)], ids=str)
def test_every_solver_learns(solver):
    X, y = ragged()
    model = small(solver=solver, max_iter=20, learning_rate=0.03).fit(X, y)
    assert model.score(X, y) >= 0.9


def test_a_name_stands_for_the_solver_with_its_usual_settings():
    X, y = ragged()
    for name, solver in (("adam", Adam()), ("sgd", SGD())):
        assert same_fit(small(solver=name).fit(X, y), small(solver=solver).fit(X, y))
    assert not same_fit(small(solver=Adam(beta_1=0.5)).fit(X, y), small().fit(X, y))


def test_max_iter_counts_epochs():
    X, y = ragged()
    model = small(max_iter=7, n_iter_no_change=None).fit(X, y)
    assert (model.n_iter_, len(model.loss_curve_)) == (7, 7)
    assert all(type(loss) is float for loss in model.loss_curve_)
    shorter = small(max_iter=4, n_iter_no_change=None).fit(X, y)
    assert model.loss_curve_[:4] == shorter.loss_curve_


@pytest.mark.parametrize("patience", [1, 3])
def test_training_ends_without_progress(patience):
    X, y = ragged()
    model = small(max_iter=20, tol=1e9, n_iter_no_change=patience).fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) == 1 + patience
    assert small(max_iter=20, tol=1e9, n_iter_no_change=None).fit(X, y).n_iter_ == 20


def test_progress_is_a_loss_below_the_best_by_more_than_tol():
    X, y = ragged()
    # So small a rate that it falls in every epoch, by about 1e-4.
    params = dict(EXACT, max_iter=12, learning_rate=1e-3, n_iter_no_change=2)
    falls = -np.diff(small(**params, tol=0).fit(X, y).loss_curve_)
    assert len(falls) == 11
    assert falls.min() > 0
    assert small(**params, tol=falls.min() / 2).fit(X, y).n_iter_ == 12
    assert small(**params, tol=falls.max() * 2).fit(X, y).n_iter_ == 3


def test_verbose_prints_a_line_for_each_epoch(capsys):
    X, y = ragged()
    model = small(verbose=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for epoch, (line, loss) in enumerate(zip(lines, model.loss_curve_, strict=True), 1):
        assert line.startswith(f"epoch {epoch}/3  loss {loss:.5f}  ")
    small().fit(X, y)
    assert capsys.readouterr().out == ""


def of_distinct_lengths(n=32):
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((length, 2)) for length in rng.permutation(np.arange(1, n + 1))]
    return X, np.arange(n) % 2


def test_without_shuffle_batches_are_cut_in_the_given_order():
    X, y = of_distinct_lengths()
    order = np.random.default_rng(1)
    # Within a batch sequences are sorted by length: another order there changes nothing.
    within = np.concatenate([start + order.permutation(8) for start in range(0, 32, 8)])
    model = small(shuffle=False, batch_size=8).fit(X, y)
    assert same_fit(
        model, small(shuffle=False, batch_size=8).fit([X[i] for i in within], y[within])
    )
    across = np.roll(np.arange(32), 4)
    moved = small(shuffle=False, batch_size=8).fit([X[i] for i in across], y[across])
    assert not same_fit(model, moved)
    assert not same_fit(model, small(shuffle=True, batch_size=8).fit(X, y))


def test_each_epoch_visits_every_sequence_once_in_a_new_order(monkeypatch):
    X, y = ragged()
    orders, cut = [], bptt.training_batches

    def cut_and_note(offsets, order, batch_size):
        orders.append(list(order))
        return cut(offsets, order, batch_size)

    monkeypatch.setattr(bptt, "training_batches", cut_and_note)
    small().fit(X, y)
    assert [sorted(order) for order in orders] == [list(range(len(X)))] * 3
    assert len(set(map(tuple, orders))) == 3
    small(random_state=1).fit(X, y)
    assert len(set(map(tuple, orders))) == 6
    small(shuffle=False).fit(X, y)
    assert orders[6:] == [list(range(len(X)))] * 3


def test_full_batch_has_no_order():
    X, y = ragged()
    model = small(batch_size=None).fit(X, y)
    for batch_size in (40, 1000):
        for shuffle in (True, False):
            assert same_fit(small(batch_size=batch_size, shuffle=shuffle).fit(X, y), model)
    assert not same_fit(small(batch_size=39).fit(X, y), model)
    X, y = of_distinct_lengths()
    model = small(batch_size=None).fit(X, y)
    assert same_fit(small(batch_size=None).fit(X[::-1], y[::-1]), model)


def test_last_batch_may_be_smaller():
    X, y = ragged(n=17)
    still = dict(EXACT, batch_size=8, learning_rate=1e-320)
    model = small(**still).fit(X, y)
    np.testing.assert_allclose(
        model.loss_curve_, [log_loss(y, model.predict_proba(X))] * 3, rtol=1e-12
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype(dtype):
    X, y = ragged()
    model = small(dtype=dtype).fit([x.astype(np.float64) for x in X], y)
    assert {values.dtype for values in model.parameters_.values()} == {np.dtype(dtype)}
    assert model.decision_function(X).dtype == np.dtype(dtype)
    assert model.predict_proba(X).dtype == np.float64
    assert model.predict_log_proba(X).dtype == np.float64


def test_precisions_agree():
    X, y = ragged()
    single, double = (small(dtype=f"float{bits}").fit(X, y) for bits in (32, 64))
    assert_close(single.parameters_, double.parameters_, atol=1e-4)


# ---- labels and predictions ----------------------------------------------------------------------

LABELS = {
    "str": ["no", "perhaps", "yes"],
    "object": np.array(["no", "perhaps", "yes"], object),
    "negative": [-7, 0, 3],
    "whole floats": [0.0, 1.0, 5.0],
}


@pytest.mark.parametrize("names", LABELS.values(), ids=LABELS.keys())
def test_labels_of_each_kind(names):
    X, y = ragged()
    names = np.asarray(names)
    model = small(max_iter=20).fit(X, names[y])
    np.testing.assert_array_equal(model.classes_, names)
    assert model.classes_.dtype == names.dtype
    assert model.predict(X).dtype == names.dtype
    assert same_fit(model, small(max_iter=20).fit(X, y))
    assert np.mean(model.predict(X) == names[y]) > 0.9
    assert same_fit(model, small(max_iter=20).fit(X, list(names[y])))
    assert same_fit(model, small(max_iter=20).fit(X, pd.Series(names[y])))


def test_bool_labels():
    X, y = ragged(n_classes=2)
    model = small().fit(X, y.astype(bool))
    assert model.predict(X).dtype == bool


def test_column_of_labels_warns():
    X, y = ragged()
    with pytest.warns(DataConversionWarning):
        model = small().fit(X, y[:, None])
    assert same_fit(model, small().fit(X, y))


def test_methods_agree():
    X, y = ragged()
    model = small().fit(X, y)
    scores, proba = model.decision_function(X), model.predict_proba(X)
    assert scores.shape == proba.shape == (40, 3)
    softmax = np.exp(scores.astype(np.float64))
    softmax /= softmax.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(proba, softmax, rtol=1e-13)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-15)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(softmax), rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X), proba.argmax(axis=1))
    assert model.score(X, y) == np.mean(model.predict(X) == y)


def test_two_classes():
    X, y = ragged(n_classes=2)
    model = small(max_iter=10).fit(X, np.array(["cold", "warm"])[y])
    scores, proba = model.decision_function(X), model.predict_proba(X)
    assert (scores.shape, proba.shape) == ((40,), (40, 2))
    np.testing.assert_array_equal(model.predict(X), np.where(scores > 0, "warm", "cold"))
    assert 0 < np.sum(scores > 0) < 40
    np.testing.assert_allclose(proba[:, 1], sigmoid(scores.astype(np.float64)), rtol=1e-6)


def test_one_class():
    X, _ = ragged()
    model = small().fit(X, ["only"] * 40)
    assert set(model.predict(X)) == {"only"}
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((40, 1)))
    np.testing.assert_array_equal(model.predict_log_proba(X), np.zeros((40, 1)))
    assert model.loss_curve_ == [0.0] * 3


def test_log_probabilities_are_finite_where_probabilities_vanish():
    X, y = ragged()
    model = small().fit(X, y)
    model.parameters_["output.W"] *= 1e5
    scores = model.decision_function(X).astype(np.float64)
    logs = model.predict_log_proba(X)
    assert logs.min() < -1000
    highest = scores.max(axis=1, keepdims=True)
    rest = highest + np.log(np.exp(scores - highest).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(logs, scores - rest, rtol=1e-12, atol=1e-9)
    assert model.predict_proba(X).min() < 1e-200


def test_features():
    X, y = ragged()
    model = small().fit(X, y)
    assert model.n_features_in_ == 3
    with pytest.raises(
        ValueError, match=r"X has 2 features, but LSTMClassifier is expecting 3 .*0"
    ):
        model.predict([x[:, :2] for x in X])
    with pytest.raises(ValueError, match="sequence 2 of X"):
        model.predict([X[0], X[1], np.ones((4, 5))])
    with pytest.raises(ValueError, match=r"X has 1 features, .* 3 features .*single sequence"):
        model.predict(X[0])  # one sequence, not in a list: read as a table


def test_features_of_a_table_and_of_sequences_after_it():
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 6)), columns=list("abcdef"))
    model = small().fit(table, np.arange(20) % 2)
    assert model.n_features_in_ == 6
    assert list(model.feature_names_in_) == list("abcdef")
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table[list("fedcba")])
    X, y = ragged()
    model.fit(X, y)
    assert model.n_features_in_ == 3
    assert not hasattr(model, "feature_names_in_")


def test_lengths_of_padded_sequences():
    X, y = ragged()
    lengths = [len(x) for x in X]
    model = small().fit(padded(X, 0.0), y, lengths=lengths)
    assert same_fit(model, small().fit(X, y))
    assert model.score(padded(X), y) == model.score(X, y)
    with pytest.raises(ValueError, match=r"lengths\[0\] is 99; expected 1 to"):
        model.predict(padded(X), lengths=[99] * 40)


@pytest.mark.parametrize(
    "name", ["predict", "predict_proba", "predict_log_proba", "decision_function"]
)
def test_unfitted(name):
    X, _ = ragged()
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(small(), name)(X)


def test_extreme_lengths():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in (1, 1, 3000, 2, 1)]
    y = [0, 1, 0, 1, 0]
    for pooling in ("last", "mean", "max"):
        model = small(pooling=pooling, bidirectional=True, dtype="float64").fit(X, y)
        expected = [np.ravel(scores_by_hand(x, model)) for x in X]
        np.testing.assert_allclose(
            model.decision_function(X), np.diff(expected)[:, 0], atol=1e-11, rtol=0
        )


@pytest.mark.parametrize("estimator", [small(), LSTMSequenceTagger(**SMALL)])
def test_weights_of_classes_that_a_part_of_the_data_lacks(estimator):
    X, y = ragged()
    steps = isinstance(estimator, LSTMSequenceTagger)
    y = [[label] * len(x) if steps else label for x, label in zip(X, y, strict=True)]
    classes = np.unique(np.concatenate(y) if steps else y)
    some = [i for i, label in enumerate(y) if np.ravel(label)[0] != classes[-1]]
    part = [X[i] for i in some], [y[i] for i in some]
    weighted = clone(estimator).set_params(class_weight={classes[-1]: 5.0})
    weighted.partial_fit(*part, classes=classes)
    plain = clone(estimator).partial_fit(*part, classes=classes)
    assert identical(weighted.parameters_, plain.parameters_)
    assert not identical(
        weighted.partial_fit(X, y).parameters_, plain.partial_fit(X, y).parameters_
    )


def test_later_classes_must_be_the_first_ones():
    X, y = ragged()
    model = small().partial_fit(X, y, classes=np.unique(y))
    model.partial_fit(X, y, classes=np.unique(y)[::-1])
    with pytest.raises(ValueError, match="goes on with"):
        model.partial_fit(X, y, classes=[*np.unique(y), np.unique(y)[-1] * 2])


def test_score_takes_lengths():
    X, y = ragged()
    model = small(max_iter=2).fit(X, y)
    lengths = [len(x) for x in X]
    weights = np.linspace(0, 1, len(X))
    expected = model.score(X, y, weights)
    assert model.score(padded(X, fill=3.0), y, weights, lengths=lengths) == expected
    assert expected != model.score(X, y)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA], ids=str)
@pytest.mark.parametrize("kinds", ["ab", (0, 1)], ids=str)
@pytest.mark.parametrize(
    "form", [list, tuple, lambda y: np.array(y, object), pd.Series, pd.Categorical]
)
def test_a_missing_label_is_named_in_whatever_form(form, kinds, missing):
    """NumPy would make the class "nan" of a list of strings and NaN."""
    X, _ = ragged()
    labels = [missing if i == 3 else kinds[i % 2] for i in range(len(X))]
    with pytest.raises(ValueError, match=r"y is (None|nan|<NA>) for sequence 3; expected a label"):
        small().fit(X, form(labels))


def test_lists_of_numbers_are_sequences_however_long():
    """Also where those of the fit happened to be of one length; an array keeps its columns."""
    rng = np.random.default_rng(0)
    lists, labels = rng.standard_normal((8, 3)).tolist(), [0, 1] * 4
    model = small().fit(lists, labels)
    longer = rng.standard_normal((2, 5)).tolist()
    alone = model.predict_proba(longer)
    assert identical(alone, model.predict_proba([lists[0], *longer])[1:])
    assert identical(alone, model.predict_proba([np.array(x)[:, None] for x in longer]))
    with pytest.raises(ValueError, match="X has 5 features, but"):
        model.predict(np.array(longer))
    model.partial_fit(longer, [0, 1])
    scores = cross_val_score(
        small(), [*lists, *rng.standard_normal((8, 5)).tolist()], labels * 2, cv=KFold(2)
    )
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    "y",
    [pd.Series(["a", "b", None] * 3, dtype="string"), np.array(["a", "b", None] * 3, dtype=object)],
)
def test_a_missing_label_is_named(y):
    with pytest.raises(ValueError, match="for sequence 2; expected a label for each one"):
        small().fit([np.zeros((2, 1))] * 9, y)


def test_a_class_with_one_member_is_named_by_its_label():
    X, y = [np.zeros((2, 1))] * 11, ["x"] * 5 + ["y"] * 5 + ["rare"]
    with pytest.raises(ValueError, match=r"\['rare'\]"):
        small(early_stopping=True, validation_fraction=0.3).fit(X, y)


def test_weights_whose_sum_is_too_large():
    X, y = ragged()
    with pytest.raises(ValueError, match="has a sum of inf; expected finite weights"):
        small().fit(X, y, sample_weight=np.full(len(X), 1e308))
