"""Sequences in windows: trained with `bptt_steps` and `stateful`, and read when they are long."""

import tracemalloc

import numpy as np
import pytest
from estimator_helpers import NETWORKS, SMALL, identical, ragged, same_fit, small
from sklearn.base import clone

from seqlearn_lstm import (
    LSTMClassifier,
    LSTMEncoder,
    LSTMRegressor,
    LSTMSequenceTagger,
    batches,
    unrolling,
)
from seqlearn_lstm._base import fitting
from seqlearn_lstm.network import Network
from seqlearn_lstm.solvers import SGD
from seqlearn_lstm.training import Listener

X, LABELS = ragged(n=30)
TAGS = [np.where(x[:, 0] > 0, "up", "down") for x in X]
WORDS = [[f"w{int(10 * v) % 7}" for v in x[:, 0]] for x in X]
STEPS = [x[:, :2].cumsum(axis=0) for x in X]
ONE_WAY = {k: v for k, v in NETWORKS.items() if not v.get("bidirectional")}
ESTIMATORS = {
    "classifier": (LSTMClassifier(), X, LABELS),
    "classifier, mean": (LSTMClassifier(pooling="mean"), X, LABELS),
    "classifier, max": (LSTMClassifier(pooling="max"), X, LABELS),
    "symbols": (LSTMClassifier(pooling="max", embedding_dropout=0.2), WORDS, LABELS),
    "tagger": (LSTMSequenceTagger(dropout=0.2, recurrent_dropout=0.2), X, TAGS),
    "regressor of steps": (LSTMRegressor(target="step", initial_state="learned"), X, STEPS),
    "encoder": (LSTMEncoder(input_projection=5), WORDS, None),
}
estimators = pytest.mark.parametrize("model, x, y", ESTIMATORS.values(), ids=ESTIMATORS.keys())


def unfitted(model, **params):
    return clone(model).set_params(**(SMALL | params))


# ---- training ------------------------------------------------------------------------------------


@estimators
def test_the_loss_of_all_windows_is_that_of_the_whole(model, x, y):
    """A learning rate that changes nothing: the states go on from window to window."""
    dead = dict(dtype="float64", learning_rate=1e-300, max_iter=1, alpha=0.0)
    # Windows that are updates have masks of their own.
    dead |= dict.fromkeys(["dropout", "recurrent_dropout", "embedding_dropout"], 0.0)
    whole, windows = (unfitted(model, bptt_steps=k, **dead).fit(x, y) for k in (None, 3))
    np.testing.assert_allclose(windows.loss_curve_, whole.loss_curve_, rtol=1e-12)


def test_a_step_is_left_out_alike_in_all_windows():
    model = LSTMSequenceTagger(**SMALL, dropout=0.5, input_dropout=0.2, dropout_per="step")
    params = dict(dtype="float64", learning_rate=1e-300, max_iter=3, hidden_layer_sizes=(4, 5))
    whole, windows = (
        clone(model).set_params(bptt_steps=k, **params).fit(X, TAGS) for k in (None, 3)
    )
    np.testing.assert_allclose(windows.loss_curve_, whole.loss_curve_, rtol=1e-12)
    assert len(set(whole.loss_curve_)) == 3  # each epoch leaves out others


@estimators
def test_windows_learn(model, x, y):
    fitted = unfitted(model, bptt_steps=3, max_iter=15).fit(x, y)
    assert fitted.loss_curve_[-1] < 0.9 * fitted.loss_curve_[0]
    assert not same_fit(fitted, unfitted(model, max_iter=15).fit(x, y))


@estimators
def test_windows_that_hold_all_change_no_bit(model, x, y):
    assert same_fit(unfitted(model).fit(x, y), unfitted(model, bptt_steps=12).fit(x, y))


@estimators
def test_goes_on_to_the_same_bits(model, x, y, tmp_path, monkeypatch):
    params = dict(bptt_steps=3, schedule="cosine", max_iter=6)
    whole = unfitted(model, **params).fit(x, y)
    stopped = unfitted(model, **params, n_jobs=2, checkpoint=tmp_path / "run")
    listeners = fitting.listeners_of
    with monkeypatch.context() as patch:
        patch.setattr(
            fitting, "listeners_of", lambda *args: [*listeners(*args), Interrupts(epoch=4)]
        )
        with pytest.raises(KeyboardInterrupt):
            stopped.fit(x, y)
    assert same_fit(stopped.fit(x, y), whole)


class Interrupts(Listener):
    """Ends a fit in the middle of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def after_update(self, task, state, update):
        if state.epoch == self.epoch:
            raise KeyboardInterrupt


def streams(n_streams=4, n_pieces=3, length=5, seed=0):
    """Streams as wholes and as pieces (piece p of stream s is number p * n_streams + s), with the
    label of each step.
    """
    rng = np.random.default_rng(seed)
    whole = rng.standard_normal((n_streams, n_pieces * length, 2))
    labels = (whole.cumsum(axis=1)[:, :, 0] > 0).astype(int)
    cut = [np.concatenate(np.split(values, n_pieces, axis=1)) for values in (whole, labels)]
    return (list(whole), list(labels)), (list(cut[0]), list(cut[1]))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("initial_state", ["zeros", "learned"])
def test_streams_in_pieces_learn_as_wholes_do(cell, initial_state):
    """To the bit: pieces that are handed on are windows of the whole."""
    whole, pieces = streams()
    tagger = LSTMSequenceTagger(
        **SMALL | dict(batch_size=4, shuffle=False, cell=cell, initial_state=initial_state)
    )
    windows = clone(tagger).set_params(bptt_steps=5).fit(*whole)
    handed_on = clone(tagger).set_params(stateful=True).fit(*pieces)
    assert same_fit(windows, handed_on)
    assert not same_fit(windows, clone(tagger).fit(*pieces))
    shorter = clone(tagger).set_params(stateful=True, bptt_steps=2).fit(*pieces)
    assert not same_fit(shorter, handed_on)


def test_pieces_with_one_label_are_handed_on():
    """The state before a piece is what the pieces before it left: without it, nothing tells these
    labels.
    """
    rng = np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], (8, 6))  # of 8 streams, in 6 pieces
    pieces = [np.full((3, 1), sign) for sign in signs.T.reshape(-1)]
    before = np.concatenate([signs[:, :1], signs[:, :-1]], axis=1).T.reshape(-1)
    params = dict(hidden_layer_sizes=(16,), learning_rate=0.01, batch_size=8, shuffle=False)
    losses = [
        LSTMClassifier(
            **params, stateful=stateful, max_iter=100, n_iter_no_change=None, random_state=0
        )
        .fit(pieces, before)
        .loss_curve_[-1]
        for stateful in (True, False)
    ]
    assert losses[0] < 0.2
    assert losses[1] > 5 / 6 * np.log(2)  # the first piece of a stream alone tells its own label


def test_each_epoch_starts_anew():
    _, pieces = streams()
    dead = dict(learning_rate=1e-30, stateful=True, shuffle=False, batch_size=4)
    tagger = LSTMSequenceTagger(**SMALL | dead).fit(*pieces)
    assert len(set(tagger.loss_curve_)) == 1


# ---- errors --------------------------------------------------------------------------------------

BOTH = dict(bidirectional=True)
ERRORS = {
    "bptt, bidirectional": (dict(bptt_steps=3, **BOTH), {}, "bptt_steps=3 cannot be combined with bidi"),
    "stateful, bidirectional": (dict(stateful=True, **BOTH), {}, "cannot be combined with bidirectional"),
    "stateful, shuffled": (dict(stateful=True), {}, "stateful=True cannot be combined with shuffle"),
    "stateful, cut": (
        dict(stateful=True, shuffle=False, max_timesteps=3), {}, "cannot be combined with max_timesteps",
    ),
    "stateful, held out": (
        dict(stateful=True, shuffle=False, early_stopping=True), {}, "early_stopping without X_val",
    ),
    "stateful, given": (
        dict(stateful=True, shuffle=False), dict(initial_states=np.zeros((30, 12))),
        "cannot be combined with initial_states",
    ),
    "no step": (dict(bptt_steps=0), {}, "bptt_steps"),
}  # fmt: skip


@pytest.mark.parametrize("params, further, message", ERRORS.values(), ids=ERRORS.keys())
def test_errors(params, further, message):
    model = small(**params)
    before = dict(vars(model))
    with pytest.raises(ValueError, match=message):
        model.fit(X, LABELS, **further)
    assert vars(model) == before


def test_an_encoder_takes_them_too():
    with pytest.raises(ValueError, match="stateful=True cannot be combined with shuffle"):
        LSTMEncoder(stateful=True).fit(X)


# ---- long sequences that are read ----------------------------------------------------------------


def everything_of(model, x):
    names = ("decision_function", "predict_proba", "predict", "transform", "final_states")
    return {name: getattr(model, name)(x) for name in names if hasattr(model, name)}


@pytest.mark.parametrize("window", [1, 4])
@estimators
def test_windows_change_no_bit_of_a_prediction(model, x, y, window, monkeypatch):
    fitted = unfitted(model).fit(x, y)
    whole = everything_of(fitted, x)
    monkeypatch.setattr(unrolling, "WINDOW", window)
    assert identical(everything_of(fitted, x), whole)


@pytest.mark.parametrize("params", NETWORKS.values(), ids=NETWORKS.keys())
def test_windows_change_no_bit_of_any_network(params, monkeypatch):
    fitted = small(**params).fit(X, LABELS)
    whole = everything_of(fitted, X)
    monkeypatch.setattr(unrolling, "WINDOW", 3)
    assert identical(everything_of(fitted, X), whole)


@pytest.mark.parametrize("most", [1, 50])
@estimators
def test_blocks_of_scores_change_no_bit(model, x, y, most, monkeypatch):
    fitted = unfitted(model).fit(x, y)
    whole = everything_of(fitted, x)
    monkeypatch.setattr(unrolling, "MOST_SCORES", most)
    assert identical(everything_of(fitted, x), whole)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "steps"])
@pytest.mark.parametrize("states", ["h", "both"])
@pytest.mark.parametrize("difference", [False, True])
def test_windows_change_no_bit_of_states(pooling, states, difference, monkeypatch):
    encoder = LSTMEncoder(**SMALL, pooling=pooling, states=states, difference=difference).fit(X)
    whole = encoder.transform(X)
    monkeypatch.setattr(unrolling, "WINDOW", 3)
    assert identical(encoder.transform(X), whole)


def test_given_states_start_the_first_window(monkeypatch):
    fitted = small(hidden_layer_sizes=(6, 4)).fit(X, LABELS)
    begun = np.random.default_rng(0).standard_normal((30, 20)).astype(np.float32)
    whole = fitted.predict_proba(X, initial_states=begun)
    ends = fitted.final_states(X, initial_states=begun)
    monkeypatch.setattr(unrolling, "WINDOW", 3)
    assert identical(fitted.predict_proba(X, initial_states=begun), whole)
    assert identical(fitted.final_states(X, initial_states=begun), ends)
    assert not identical(fitted.predict_proba(X), whole)


def peak(function, *args):
    """Bytes that a call had at most, beyond what was there before."""
    tracemalloc.start()
    try:
        function(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("states", ["h", "c", "both"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_means_of_long_sequences_are_exact(states, dtype):
    """A sum in float32 would be off by a thousandth."""
    params = SMALL | dict(states=states, hidden_layer_sizes=(3,), max_iter=1, dtype=dtype)
    encoder = LSTMEncoder(**params).fit([x[:, :1] for x in X])
    long = [np.full((100_000, 1), 0.7)]
    steps = encoder.set_params(pooling="steps").transform(long)[0]
    mean = encoder.set_params(pooling="mean").transform(long)[0]
    rtol = {"float32": 1e-6, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(mean, steps.mean(axis=0, dtype=np.float64), rtol=rtol)


def test_memory_of_a_long_prediction_is_bounded():
    """A million steps need no more than a hundred thousand, but for copies of X itself."""
    model = LSTMClassifier((32,), **SMALL_WITHOUT_SIZE).fit(*ragged(n=20, n_features=1))
    short, long = (np.zeros((n, 1), np.float32) for n in (100_000, 1_000_000))
    model.predict([short])
    few, many = peak(model.predict, [short]), peak(model.predict, [long])
    assert many - few < 2 * (long.nbytes - short.nbytes)
    states_of_all_steps = len(long) * 32 * 4
    assert many < states_of_all_steps / 4


def test_memory_of_predictions_of_many_classes_is_bounded():
    """There are never the scores of all sequences at once."""
    n_classes, n = 2000, 20_000
    few, many = np.zeros((10, 1, 1)), np.zeros((n, 1, 1))
    model = LSTMClassifier((4,), **SMALL_WITHOUT_SIZE)
    model.partial_fit(few, np.arange(10), classes=np.arange(n_classes))
    model.predict(few), model.predict_proba(few)
    scores_of_all = n * n_classes * 4
    assert peak(model.predict, many) < scores_of_all / 2
    assert peak(model.predict_proba, many) < 4 * scores_of_all  # float64


def test_memory_of_a_long_fit_is_bounded():
    x, y = np.zeros((100_000, 1), np.float32), np.zeros(100_000, int)
    y[::2] = 1
    params = SMALL_WITHOUT_SIZE | dict(solver=SGD(), max_iter=1)
    tagger = LSTMSequenceTagger((32,), **params, bptt_steps=50)
    classifier = LSTMClassifier((32,), **params, bptt_steps=50)
    states_of_all_steps = len(x) * (4 * 32 + 32 + 32) * 4
    assert peak(tagger.fit, [x], [y]) < states_of_all_steps / 4
    assert peak(classifier.fit, [x, -x], [0, 1]) < states_of_all_steps / 4


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_memory_of_many_windows_is_bounded(pooling):
    """Of the states between windows only those stay that are needed on the way back: with "last"
    none, otherwise those of sequences that go on.
    """
    n, length = 64, 2000
    X = [np.zeros((length if pooling == "last" or i == 0 else 1, 1)) for i in range(n)]
    params = SMALL_WITHOUT_SIZE | dict(solver=SGD(), max_iter=1, batch_size=n)
    model = LSTMClassifier((64,), **params, pooling=pooling, bptt_steps=2)
    y = np.arange(n) % 2
    model.fit([x[:4] for x in X], y)  # what is compiled counts, too
    states_of_all = length // 2 * n * 2 * 64 * 4
    assert peak(model.fit, X, y) < states_of_all / 2


SMALL_WITHOUT_SIZE = {name: value for name, value in SMALL.items() if name != "hidden_layer_sizes"}


def test_a_sequence_longer_than_a_batch_is_read_in_windows(monkeypatch):
    seen, cut = [], batches._window

    def note(batch, first, ends):
        seen.append(len(first))
        return cut(batch, first, ends)

    monkeypatch.setattr(batches, "_window", note)
    model = small().fit(X, LABELS)
    assert not seen
    model.predict([np.zeros((unrolling.WINDOW * 2 + 1, 3))])
    assert seen == [1, 1, 1]


def test_of_wide_inputs_a_prediction_reads_fewer_rows_at_once(monkeypatch):
    model = small().fit(X, LABELS)
    expected, long = model.predict_proba(X), np.ones((50, model.n_features_in_))
    alone = model.predict_proba([long])
    monkeypatch.setattr(unrolling, "MOST_INPUTS", 200)
    sizes, states = [], Network.states

    def note(network, batch, *args):
        sizes.append(batch.n_slots)
        return states(network, batch, *args)

    monkeypatch.setattr(Network, "states", note)
    assert identical(model.predict_proba(X), expected)
    assert identical(model.predict_proba([long]), alone)
    assert max(sizes) <= 200 / model.n_features_in_


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_windows_within_pieces_hand_on_the_same_states(pooling):
    """A learning rate that changes nothing: the loss is that of pieces without windows."""
    rng = np.random.default_rng(0)
    pieces = [rng.standard_normal((n, 2)) for n in rng.integers(1, 9, 24)]
    dead = dict(learning_rate=1e-300, dtype="float64", max_iter=1, stateful=True, shuffle=False)
    whole, windows, apart = (
        small(**dead | changes, pooling=pooling).fit(pieces, np.arange(24) % 2).loss_curve_[0]
        for changes in ({}, {"bptt_steps": 2}, {"stateful": False})
    )
    assert windows == pytest.approx(whole, rel=1e-12)
    assert apart != pytest.approx(whole, rel=1e-6)
