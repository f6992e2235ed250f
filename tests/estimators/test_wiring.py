"""Each parameter of a fit does what it says: told by what is learned, or by what the loop is given."""

import pickle

import numpy as np
import pytest
from estimator_helpers import identical, ragged, same_fit, small

from seqlearn_lstm.dropout import Masks, Rates
from seqlearn_lstm.schedules import StepDecay, WarmUp
from seqlearn_lstm.solvers import SGD
from seqlearn_lstm.training import loop

X, Y = ragged(n=48)
WORDS = [[f"w{int(10 * v) % 7}" for v in x[:, 0]] for x in X]
PLAIN = SGD(momentum=0)


def test_a_schedule_moves_the_learning_rate():
    """After a drop to next to nothing, an epoch changes nothing; before it, everything."""
    drop = StepDecay(every=2, gamma=1e-30)
    model = small(solver=PLAIN, schedule=drop, max_iter=5, n_iter_no_change=None).fit(X, Y)
    two = small(solver=PLAIN, max_iter=2).fit(X, Y)
    assert identical(model.parameters_, two.parameters_)
    assert not identical(two.parameters_, small(solver=PLAIN, max_iter=1).fit(X, Y).parameters_)


def test_a_schedule_is_asked_before_each_update(monkeypatch):
    asked = []

    def factor(self, epoch, step, n_steps, max_iter, losses, updates):
        asked.append((epoch, step, n_steps, max_iter, len(losses), updates))
        return 1.0

    monkeypatch.setattr(StepDecay, "factor", factor)
    small(schedule=StepDecay(), max_iter=2, batch_size=20).fit(X, Y)
    assert asked == [(e, step, 3, 2, e, 3 * e + step) for e in range(2) for step in range(3)]


def test_a_warm_up_counts_the_updates_that_were_made():
    """Passes of other sizes, through a pickle, and from the parameters of a fit that kept no state."""
    model = small(schedule=WarmUp(20, unit="updates"), batch_size=4, learning_rate=1.0)
    model.set_params(record=["rate"], solver=PLAIN)
    for n in (40, 4, 8, 40):
        model = pickle.loads(pickle.dumps(model)).partial_fit(X[:n], Y[:n], classes=[0, 1, 2])
    expected = [*range(1, 21), 20, 20, 20]
    np.testing.assert_allclose(20 * model.record_["rate"], expected, rtol=1e-12)
    model = small(schedule=WarmUp(20, unit="updates"), batch_size=4, learning_rate=1.0, max_iter=1)
    model.set_params(record=["rate"]).fit(X[:40], Y[:40]).partial_fit(X[:40], Y[:40])
    np.testing.assert_allclose(20 * model.record_["rate"], range(11, 21), rtol=1e-12)


def test_single_values_are_clipped():
    """A step of plain SGD is never longer than the rate times the limit, and reaches it."""
    params = dict(solver=PLAIN, batch_size=None, max_iter=1, dtype="float64", clip_norm=None)
    start = small(**params, learning_rate=1e-300).fit(X, Y).parameters_
    moved = small(**params, learning_rate=0.5, clip_value=1e-4).fit(X, Y).parameters_
    steps = np.concatenate([np.ravel(moved[name] - start[name]) for name in start])
    assert np.abs(steps).max() == pytest.approx(0.5e-4, rel=1e-9)


@pytest.mark.parametrize("embedding, per", [(0.4, "sequence"), (0.0, "step")])
def test_rates_of_dropout_reach_the_masks(monkeypatch, embedding, per):
    made = []

    class Spy(Masks):
        def __init__(self, kernels, dtype, rates, seed, epoch, **more):
            made.append((rates, seed, epoch))
            super().__init__(kernels, dtype, rates, seed, epoch, **more)

    monkeypatch.setattr(loop, "Masks", Spy)
    params = dict(input_dropout=0.1, dropout=0.2, recurrent_dropout=0.3, dropout_per=per)
    small(**params, embedding_dropout=embedding, embedding_dim=3).fit(WORDS, Y)
    rates, seeds, epochs = zip(*made, strict=True)
    assert set(rates) == {Rates(0.1, 0.2, 0.3, embedding, per_step=per == "step")}
    assert len(set(seeds)) == 1 and epochs == (0, 1, 2)


@pytest.mark.parametrize(
    "numbers", [(0, 0, 1), (0, 1, 0), (1, 0, 0)], ids=["unit", "layer", "epoch"]
)
def test_masks_differ_where_anything_differs(kernels, numbers):
    """The seed, the epoch and the layer each make other masks of the same batch."""
    from seqlearn_lstm.batches import plan

    batch = plan(np.array([0, 3, 5, 9]), np.arange(3))
    seed, epoch, layer = numbers
    rates = Rates(outputs=0.5)
    first = Masks(kernels, np.float64, rates, 0, 0).outputs(batch, 200, 0).values
    other = Masks(kernels, np.float64, rates, seed, epoch).outputs(batch, 200, layer).values
    assert 0.3 < (first != other).mean() < 0.7


def test_predictions_leave_nothing_out():
    model = small(dropout=0.5, input_dropout=0.5, recurrent_dropout=0.5).fit(X, Y)
    plain = small().fit(X, Y)
    plain.parameters_ = model.parameters_
    assert identical(plain.predict_proba(X), model.predict_proba(X))


def test_learned_states_are_learned():
    model = small(initial_state="learned").fit(X, Y)
    assert all(model.parameters_[f"layer_0.forward.{name}"].any() for name in ("h0", "c0"))
    assert not same_fit(model, small().fit(X, Y))


# ---- whole numbers of any kind -------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [
        dict(input_projection=np.int8(3)),
        dict(input_projection=np.uint8(200)),
        dict(input_projection=True),
        dict(embedding_dim=np.int8(3)),
        dict(embedding_dim=np.uint8(200)),
        dict(embedding_dim=True),
        dict(max_iter=True),
        dict(batch_size=np.uint8(40), n_jobs=np.uint8(200), n_iter_no_change=np.int8(1)),
        dict(record=["loss"], record_every=np.int8(1), record_size=np.int8(2), max_iter=50),
    ],
    ids=repr,
)
def test_whole_numbers_of_any_kind(params):
    """Small ones of NumPy's, which overflow, and True, which is 1."""
    x = WORDS if "embedding_dim" in params else X
    small_ones = {name: value for name, value in params.items() if name != "record"}
    plain = params | {name: int(value) for name, value in small_ones.items()}
    model, expected = small(**params).fit(x, Y), small(**plain).fit(x, Y)
    assert same_fit(model, expected)
    assert identical(model.predict_proba(x[:3]), expected.predict_proba(x[:3]))
    if "record" in params:
        assert identical(model.record_, expected.record_)


def test_a_share_may_be_a_small_number():
    model = small(early_stopping=True, validation_fraction=np.float32(0.25), max_iter=1).fit(X, Y)
    assert len(model.validation_scores_) == 1


@pytest.mark.parametrize("size", [np.uint8(100), np.int8(100)], ids=repr)
def test_windows_of_long_sequences_of_any_kind(size):
    """All steps are read: from 256 on they are more than the type of the number can count."""
    x, y = [np.ones((300, 2)), np.zeros((700, 2))], [0, 1]
    params = dict(max_iter=1, hidden_layer_sizes=(2,))
    model = small(**params, bptt_steps=size).fit(x, y)
    assert same_fit(model, small(**params, bptt_steps=100).fit(x, y))


def test_more_epochs_than_a_small_number_counts():
    model = small(max_iter=np.uint8(200), n_iter_no_change=None, warm_start=True)
    x, y = X[:4], [0, 1, 0, 1]
    assert model.fit(x, y).fit(x, y).n_iter_ == 400


def test_symbols_that_are_cut_to_steps_of_any_kind():
    model = small(max_timesteps=np.uint8(2), max_iter=1).fit(WORDS, Y)
    assert same_fit(model, small(max_timesteps=2, max_iter=1).fit(WORDS, Y))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_recurrent_dropout_reaches_every_cell(cell):
    plain, dropped = (small(cell=cell, recurrent_dropout=p).fit(X, Y) for p in (0.0, 0.5))
    assert dropped.loss_curve_ != plain.loss_curve_
