"""Streams: the prediction after each step is that of all steps so far, to the bit."""

import copy
import pickle

import numpy as np
import pytest
from estimator_helpers import NETWORKS, SMALL, identical, ragged, small
from scipy.sparse import csr_array

from seqlearn_lstm import LSTMRegressor, LSTMSequenceTagger, unrolling
from seqlearn_lstm.cells import LSTM

X, Y = ragged()
ONE_WAY = {name: params for name, params in NETWORKS.items() if not params.get("bidirectional")}
networks = pytest.mark.parametrize("params", ONE_WAY.values(), ids=ONE_WAY.keys())


@networks
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_equals_predict_on_every_prefix(params, pooling):
    model = small(**params | {"pooling": pooling}).fit(X, Y)
    x = max(X, key=len)
    stream = model.stream()
    for t, step in enumerate(x):
        assert stream.push(step) == model.predict([x[: t + 1]])[0]
        assert identical(stream.predict_proba(), model.predict_proba([x[: t + 1]])[0])
    assert stream.n_steps == len(x)


@networks
def test_taggers_and_regressors(params):
    params = {name: value for name, value in params.items() if name != "pooling"}
    x = max(X, key=len)
    tagger = LSTMSequenceTagger(**SMALL | params).fit(X, [np.sign(x[:, 0]) for x in X])
    stream = tagger.stream()
    assert identical(np.array([stream.push(step) for step in x]), tagger.predict([x])[0])
    targets = [x.cumsum(axis=0) for x in X]
    regressor = LSTMRegressor(**SMALL | params, target="step").fit(X, targets)
    stream = regressor.stream()
    assert identical(np.array([stream.push(step) for step in x]), regressor.predict([x])[0])


def test_a_long_stream_has_the_mean_of_predict(monkeypatch):
    """To the bit, though `predict` reads it in windows."""
    monkeypatch.setattr(unrolling, "WINDOW", 1000)
    model = small(pooling="mean", hidden_layer_sizes=(20, 5)).fit(X, Y)
    x = np.random.default_rng(0).normal(1, 1, (3100, 3)).astype(np.float32)
    stream = model.stream()
    for step in x:
        stream.push(step)
    assert identical(stream.predict_proba(), model.predict_proba([x])[0])


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("where", ["first layer", "second layer", "scores"])
def test_an_interrupted_step_was_not_read(pooling, where, monkeypatch):
    """Wherever it was: pushed again, it is read once."""
    model = small(pooling=pooling, hidden_layer_sizes=(6, 4)).fit(X, Y)
    x, stream = max(X, key=len), model.stream()
    for step in x[:-1]:
        stream.push(step)
    seen = stream.predict_proba()
    layers, dense = stream._layers, stream._network.dense
    place, name = {
        "first layer": (layers[0], "step"),
        "second layer": (layers[1], "step"),
        "scores": (dense, "forward"),
    }[where]
    done = getattr(place, name)

    def interrupted(*args):
        done(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(place, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            stream.push(x[-1])
    assert stream.n_steps == len(x) - 1
    assert identical(stream.predict_proba(), seen)
    stream.push(x[-1])
    assert identical(stream.predict_proba(), model.predict_proba([x])[0])


def test_symbols():
    words = [["a", "b", "c"], ["c", "a"], ["b", "b", "a", "c"]] * 4
    model = small(embedding_dim=4, input_projection=3).fit(words, [0, 1, 0] * 4)
    stream = model.stream()
    for t, word in enumerate(["a", "never seen", "c"]):
        prefix = ["a", "never seen", "c"][: t + 1]
        assert stream.push(word) == model.predict([prefix])[0]
        assert identical(stream.predict_proba(), model.predict_proba([prefix])[0])


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_goes_on_out_of_a_pickle(pooling):
    model = small(pooling=pooling).fit(X, Y)
    x = max(X, key=len)
    stream = model.stream()
    for step in x[:4]:
        stream.push(step)
    again = pickle.loads(pickle.dumps(stream))
    assert identical(again.predict_proba(), stream.predict_proba())
    for step in x[4:]:
        again.push(step)
    assert identical(again.predict_proba(), model.predict_proba([x])[0])
    other = model.stream()
    other.push(x[0])
    assert identical(other.predict_proba(), model.predict_proba([x[:1]])[0])


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_goes_its_own_way(pooling, copied):
    model = small(pooling=pooling).fit(X, Y)
    x = max(X, key=len)
    stream = model.stream()
    for step in x[:4]:
        stream.push(step)
    other = copied(stream)
    for step in x[4:]:
        stream.push(step)
    assert identical(other.predict_proba(), model.predict_proba([x[:4]])[0])
    other.push(-x[4])
    assert identical(other.predict_proba(), model.predict_proba([np.r_[x[:4], -x[4:5]]])[0])
    assert identical(stream.predict_proba(), model.predict_proba([x])[0])


@pytest.mark.parametrize("pass_on", [copy.copy, lambda stream: pickle.loads(pickle.dumps(stream))])
def test_a_later_fit_changes_nothing_for_a_stream(pass_on):
    model = small(pooling="mean").fit(X, Y)
    x = max(X, key=len)
    expected = model.predict_proba([x])[0]
    stream = model.stream()
    for step in x[:4]:
        stream.push(step)
    model.partial_fit(X, Y)
    other = pass_on(stream)
    for step in x[4:]:
        stream.push(step)
        other.push(step)
    assert identical(stream.predict_proba(), expected)
    assert identical(other.predict_proba(), expected)
    assert not identical(model.predict_proba([x])[0], expected)


def test_labels_of_a_stream_are_those_of_its_own_fit():
    model = small().fit(X, Y)
    stream = model.stream()
    model.fit(X, [f"class {label}" for label in Y])
    assert stream.push(X[0][0]) in Y


def test_a_pickle_holds_the_parameters_once():
    model = small(hidden_layer_sizes=(50,)).fit(X, Y)
    together = len(pickle.dumps((model, model.stream())))
    assert together < 1.2 * len(pickle.dumps(model))


def test_what_has_no_stream_or_no_probabilities():
    cut = small(max_timesteps=3).fit(X, Y)
    with pytest.raises(ValueError, match="max_timesteps"):
        cut.stream()
    with pytest.raises(ValueError, match="push"):
        small().fit(X, Y).stream().predict_proba()
    with pytest.raises(AttributeError, match="LSTMRegressor has no predict_proba"):
        LSTMRegressor(**SMALL).fit(X, Y).stream().predict_proba()
    words = small(embedding_dim=2).fit([["a", "b"], ["b"]], [0, 1]).stream()
    for step in (None, np.nan, ["a"], 1.5):
        with pytest.raises(ValueError, match=r"^the step is .*; expected a symbol"):
            words.push(step)
    tagger = LSTMSequenceTagger(**SMALL, max_timesteps=2).fit(X, [np.sign(x[:, 0]) for x in X])
    assert tagger.stream().push(X[0][0]) == tagger.predict(X[:1])[0][0]


NO_STEPS = {
    "strings": (["1.5", "2", "3"], ValueError, "holds strings"),
    "strings in objects": (np.array(["1.5", "2", "3"], object), ValueError, "holds strings"),
    "mask": (np.ma.masked_array([1.0, 2, 3], [0, 1, 0]), TypeError, "mask would be lost"),
    "sparse": (csr_array([[1.0, 2, 3]]), TypeError, "sparse"),
    "dates": (np.array(["2020-01-01"] * 3, "M8[D]"), ValueError, "holds dates"),
    "differences": (np.array([1, 2, 3], "m8[s]"), ValueError, "holds time differences"),
    "complex": ([1j, 2, 3], ValueError, "holds complex numbers"),
    "ragged": ([[1, 2], [3]], ValueError, "ragged"),
    "missing": ([1, None, 3], ValueError, "NaN"),
    "large": ([1e300, 0, 0], ValueError, "too large for float32"),
    "dict": ({"a": 1}, ValueError, "no number"),
}


@pytest.mark.parametrize("step, error, message", NO_STEPS.values(), ids=NO_STEPS.keys())
def test_a_step_is_refused_as_predict_refuses_it(step, error, message):
    stream = small().fit(X, Y).stream()
    with pytest.raises(error, match=message):
        stream.push(step)
    assert stream.n_steps == 0


def test_forms_of_a_step():
    model = small().fit([x[:, :1] for x in X], Y)
    expected = model.predict_proba([[[1]]])[0]
    steps = [1, 1.0, True, [1], (1,), [[1]], np.array(1), np.int8(1), np.array([1], object)]
    for step in steps:
        stream = model.stream()
        stream.push(step)
        assert identical(stream.predict_proba(), expected)
    for step in ("1", np.ma.masked, np.datetime64("2020-01-01")):
        with pytest.raises((TypeError, ValueError), match="the step"):
            model.stream().push(step)


def test_errors_leave_the_stream_as_it_was():
    with pytest.raises(ValueError, match="bidirectional"):
        small(bidirectional=True).fit(X, Y).stream()
    model = small().fit(X, Y)
    stream, undisturbed = model.stream(), model.stream()
    for t, step in enumerate(X[0]):
        with pytest.raises(ValueError, match="2 features"):
            stream.push(step[:2])
        with pytest.raises(ValueError, match="NaN"):
            stream.push(step * np.nan)
        stream.push(step)
        undisturbed.push(step)
        assert stream.n_steps == t + 1
    assert identical(stream.predict_proba(), undisturbed.predict_proba())


def test_a_network_that_overflows_shows_in_the_stream_and_in_predict():
    """Cell states that run to -infinity give no numbers in the end: no maximum hides it."""
    model = small(cell=LSTM(activation="linear"), pooling="max", hidden_layer_sizes=(3,)).fit(X, Y)
    W, U, b = (model.parameters_[f"layer_0.forward.{letter}"] for letter in "WUb")
    W[:], U[:], b[:] = 0, 0, 20  # all gates are open
    U[:, 6:9], b[6:9] = 3 * np.eye(3), -1
    x, stream = np.zeros((200, X[0].shape[1])), model.stream()
    for step in x:
        stream.push(step)
    assert np.isnan(stream.predict_proba()).all()
    assert identical(stream.predict_proba(), model.predict_proba([x])[0])
