"""The record of a training: true numbers, evenly spaced, in a bounded buffer, the same after a stop."""

import pickle

import numpy as np
import pytest
from estimator_helpers import NETWORKS, SMALL, identical, ragged, same_fit, small
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from seqlearn_lstm import (
    LSTMClassifier,
    LSTMEncoder,
    LSTMLanguageModel,
    LSTMRegressor,
    LSTMSequenceTagger,
)
from seqlearn_lstm.cells import GRU, LSTM
from seqlearn_lstm.solvers import SGD

X, Y = ragged()  # 40 sequences: 5 updates an epoch
SIGNS = [np.sign(x[:, 0]) for x in X]
WORDS = [[f"w{int(10 * v) % 7}" for v in x[:, 0]] for x in X]
ALL = ["loss", "norm", "rate", "weights", "gradients", "gates"]
STATISTICS = {"norm": np.linalg.norm, "mean": np.mean, "std": np.std, "min": np.min, "max": np.max}


def recorded(model, data=X, y=Y):
    return model.fit(data, y).record_


# ---- what stands in it ---------------------------------------------------------------------------


@pytest.mark.parametrize("params", NETWORKS.values(), ids=NETWORKS.keys())
def test_every_network(params):
    names = [name for name in ALL if name != "gates" or "relu" not in str(params.get("cell"))]
    plain = small(**params).fit(X, Y)
    model = small(**params, record=names).fit(X, Y)
    assert same_fit(model, plain)  # who looks on changes nothing
    record = model.record_
    assert all(values.shape == (15,) and values.dtype.kind in "if" for values in record.values())
    assert all(np.isfinite(values).all() for values in record.values())
    assert record["update"].tolist() == list(range(1, 16))
    assert record["epoch"].tolist() == [1] * 5 + [2] * 5 + [3] * 5
    for name, values in model.parameters_.items():
        for statistic, function in STATISTICS.items():
            expected = function(values.astype(np.float64))
            np.testing.assert_allclose(record[f"weights.{name}.{statistic}"][-1], expected, 1e-12)
            assert f"gradients.{name}.{statistic}" in record
    shares = [v for key, v in record.items() if key.endswith(".saturated")]
    assert all(((v >= 0) & (v <= 1)).all() for v in shares)
    assert bool(shares) == ("gates" in names)


def test_gradients_loss_norm_and_rate():
    """Plain gradient descent without limits: a step is the rate times the gradient."""
    params = dict(solver=SGD(momentum=0), clip_norm=None, batch_size=None, dtype="float64")
    before, after = (small(**params, max_iter=n, record=ALL).fit(X, Y) for n in (4, 5))
    record = after.record_
    assert record["loss"].tolist() == after.loss_curve_
    assert record["rate"].tolist() == [0.02] * 5
    squares = 0.0
    for name in after.parameters_:
        gradient = (before.parameters_[name] - after.parameters_[name]) / 0.02
        for statistic, function in STATISTICS.items():
            value = record[f"gradients.{name}.{statistic}"][-1]
            np.testing.assert_allclose(value, function(gradient), rtol=1e-9, atol=1e-12)
        squares += record[f"gradients.{name}.norm"] ** 2
    np.testing.assert_allclose(record["norm"], np.sqrt(squares), rtol=1e-12)


@pytest.mark.parametrize(
    "cell, letters",
    [(LSTM(), "ifgo"), (LSTM(forget_gate=False), "igo"), (GRU(), "run")],
    ids=["lstm", "no forget gate", "gru"],
)
def test_gates_are_those_of_the_sequences(cell, letters):
    """Of sequences of one step, from the parameters after the update, without dropout."""
    rng = np.random.default_rng(0)
    one = rng.standard_normal((24, 1, 3))
    params = dict(cell=cell, dtype="float64", dropout=0.5, batch_size=None, max_iter=2)
    model = small(**params, record=["gates"]).fit(one, np.arange(24) % 3)
    own = {name[len("layer_0.forward.") :]: v for name, v in model.parameters_.items()}
    sums = one[:, 0] @ own["W"] + own["b"]
    found = dict(zip(letters, np.split(sums, len(letters), axis=1), strict=True))
    found = {k: np.tanh(v) if k in "gn" else 1 / (1 + np.exp(-v)) for k, v in found.items()}
    if "n" in found:  # from the state zero: b_n alone, through the reset gate
        candidate = np.split(sums, 3, axis=1)[2]
        found["n"] = np.tanh(candidate + found["r"] * own["b_n"])
    for letter, gate in found.items():
        for statistic in ("mean", "std", "min", "max"):
            value = model.record_[f"gates.layer_0.forward.{letter}.{statistic}"][-1]
            np.testing.assert_allclose(value, STATISTICS[statistic](gate), rtol=1e-9, atol=1e-12)
        share = model.record_.get(f"gates.layer_0.forward.{letter}.saturated")
        if letter in "gn":
            assert share is None
        else:
            assert share[-1] == np.mean((gate < 0.01) | (gate > 0.99))


def test_saturation_is_seen():
    shares = [
        recorded(small(record=["gates"], max_iter=1), [scale * x for x in X])[
            "gates.layer_0.forward.i.saturated"
        ][0]
        for scale in (1.0, 1e4)
    ]
    assert shares[0] < 0.05 and shares[1] > 0.9


@pytest.mark.parametrize("params", [{}, dict(bidirectional=True, hidden_layer_sizes=(3, 4))])
def test_symbols(params):
    model = small(**params, record=ALL).fit(WORDS, Y)
    record = model.record_
    np.testing.assert_allclose(
        record["weights.embedding.W.norm"][-1],
        np.linalg.norm(model.parameters_["embedding.W"].astype(np.float64)),
        rtol=1e-12,
    )
    squares = sum(v**2 for k, v in record.items() if k[:9] == "gradients" and k[-5:] == ".norm")
    np.testing.assert_allclose(record["norm"], np.sqrt(squares), rtol=1e-5)


@pytest.mark.parametrize(
    "model, data, y",
    [
        (LSTMRegressor(**SMALL), X, [x.sum() for x in X]),
        (LSTMSequenceTagger(**SMALL, bptt_steps=4), X, SIGNS),
        (LSTMSequenceTagger(**SMALL, stateful=True, shuffle=False), X, SIGNS),
        (LSTMEncoder(**SMALL), X, None),
        (LSTMLanguageModel(**SMALL, bptt_steps=6), "a rose is a rose is a rose. " * 9, None),
    ],
    ids=["regressor", "windows", "stateful", "encoder", "language model"],
)
def test_every_estimator(model, data, y):
    plain = clone(model).fit(data, y)
    watched = clone(model).set_params(record=ALL).fit(data, y)
    assert same_fit(watched, plain) and not hasattr(plain, "record_")
    n_updates = len(watched.record_["update"])
    assert n_updates >= 15 and all(len(v) == n_updates for v in watched.record_.values())


def test_gates_start_from_given_states():
    rng = np.random.default_rng(0)
    one, states = rng.standard_normal((24, 1, 3)), rng.standard_normal((24, 12))
    model = small(dtype="float64", batch_size=None, max_iter=2, record=["gates"])
    model.fit(one, np.arange(24) % 3, initial_states=states)
    W, U, b = (model.parameters_[f"layer_0.forward.{letter}"] for letter in "WUb")
    sums = (one[:, 0] @ W + states[:, :6] @ U + b)[:, :6]
    mean = model.record_["gates.layer_0.forward.i.mean"][-1]
    np.testing.assert_allclose(mean, np.mean(1 / (1 + np.exp(-sums))), rtol=1e-9)


# ---- which updates -------------------------------------------------------------------------------


def test_every_so_many_updates():
    whole = recorded(small(max_iter=7, record=ALL))
    some = recorded(small(max_iter=7, record=ALL, record_every=4))
    assert some["update"].tolist() == [1, 5, 9, 13, 17, 21, 25, 29, 33]
    assert all(identical(some[name], whole[name][::4]) for name in whole)


@pytest.mark.parametrize("size", [2, 3, 4, 7, 10])
@pytest.mark.parametrize("every", [1, 3])
def test_a_full_record_is_thinned(size, every):
    """Evenly spaced from the first update on, never more than `size`, at least about half."""
    whole = recorded(small(max_iter=9, record=["loss", "weights"]))
    some = small(max_iter=9, record=["loss", "weights"], record_every=every, record_size=size)
    some = recorded(some)
    updates = some["update"]
    assert updates[0] == 1 and len(set(np.diff(updates))) == 1
    step = updates[1] - updates[0]
    assert step % every == 0 and ((step // every) & (step // every - 1)) == 0
    assert size / 2 <= len(updates) <= size and updates[-1] + step > 45
    for name in whole:
        assert identical(some[name], whole[name][updates - 1])


# ---- going on ------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, dict(record_every=3, record_size=4)], ids=["all", "full"])
def test_the_same_after_a_stop(params, tmp_path):
    params = dict(**params, record=ALL, dropout=0.2)
    whole = small(**params, max_iter=6).fit(X, Y)
    parts = small(**params, max_iter=4, warm_start=True).fit(X, Y)
    parts = pickle.loads(pickle.dumps(parts)).set_params(max_iter=2).fit(X, Y)
    assert identical(parts.record_, whole.record_)
    passes = small(**params)
    for _ in range(6):
        passes.partial_fit(X, Y)
    assert identical(passes.record_, whole.record_)
    saved = small(**params, max_iter=6, checkpoint=tmp_path / "run").fit(X, Y)
    assert identical(saved.record_, whole.record_)
    assert identical(clone(saved).fit(X, Y).record_, whole.record_)
    threads = small(**params, max_iter=6).set_params(n_jobs=2).fit(X, Y)
    assert identical(threads.record_, whole.record_)


def test_other_settings_begin_anew():
    model = small(record=["loss"], warm_start=True, max_iter=2).fit(X, Y)
    model.set_params(record=["rate"]).fit(X, Y)
    assert model.record_["update"].tolist() == list(range(1, 11))
    assert model.record_["epoch"].tolist() == [3] * 5 + [4] * 5
    assert not hasattr(model.set_params(record=None).fit(X, Y), "record_")
    assert not hasattr(
        small(record=["loss"]).fit(X, Y).set_params(record=None).fit(X, Y), "record_"
    )


@pytest.mark.parametrize("names", [["rate", "loss"], {"rate", "loss"}, ("loss", "rate", "loss")])
def test_the_order_of_names_is_no_setting(names):
    """A set has another one in each process."""
    params = dict(record=["loss", "rate"], warm_start=True)
    whole = small(**params, max_iter=4).fit(X, Y)
    parts = small(**params, max_iter=2).fit(X, Y).set_params(record=names).fit(X, Y)
    assert identical(parts.record_, whole.record_)


def test_a_diverged_training_keeps_its_whole_epochs():
    params = dict(learning_rate=1e25, clip_norm=None, alpha=1.0, cell="rnn", max_iter=200)
    with pytest.raises(ValueError, match="diverged") as caught:
        small(**params, solver="sgd", record=["loss"], batch_size=40).fit(X, Y)
    last = caught.value.estimator
    if last is not None:
        assert last.record_["loss"].tolist() == last.loss_curve_


# ---- a parameter like any other ------------------------------------------------------------------


def test_searched_cloned_and_plain():
    model = small(record=("loss", "gates"), record_size=5)
    search = GridSearchCV(model, {"record": [None, ["norm"], np.array(["loss"])]}, cv=2).fit(X, Y)
    assert search.best_params_["record"] is None  # the first of equals
    assert clone(model).record == ("loss", "gates")
    again = pickle.loads(pickle.dumps(model.fit(X, Y)))
    assert identical(again.record_, model.record_)
    assert all(type(values) is np.ndarray for values in again.record_.values())
    frame = pytest.importorskip("pandas").DataFrame(model.record_)
    assert frame.shape[0] == len(model.record_["update"])


def test_errors():
    before = small().fit(X, Y)
    state = dict(vars(before))
    for params, message in (
        (dict(record=["loss", "losses"]), r"record has \['losses'\]; expected some of \['gates', "),
        (dict(record=["gates"], cell="rnn"), r'record has "gates", but a cell of "rnn" has none'),
        (dict(record="loss"), "record"),
        (dict(record=["loss"], record_every=0), "record_every"),
        (dict(record=["loss"], record_size=1), "record_size"),
    ):
        before.set_params(**params)
        with pytest.raises(ValueError, match=message):
            before.fit(X, Y)
        before.set_params(record=None, record_every=1, record_size=1000, cell="lstm")
        assert identical(vars(before), state)


def test_it_costs_nothing_when_it_is_off(monkeypatch):
    from seqlearn_lstm.training.listeners import record

    def never(*args):
        raise AssertionError("nobody asked")

    monkeypatch.setattr(record, "Recorder", never)
    monkeypatch.setattr(record, "GateReader", never)
    assert not hasattr(LSTMClassifier(**SMALL).fit(X, Y), "record_")
