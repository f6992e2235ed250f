"""Sequences that start from given states, and the states that they end with."""

import numpy as np
import pytest
from estimator_helpers import SMALL, identical, ragged, small

from seqlearn_lstm import LSTMEncoder, LSTMRegressor, LSTMSequenceTagger
from seqlearn_lstm.cells import GRU, LSTM

X, Y = ragged(shortest=4)
CELLS = {"lstm": LSTM(), "gru": GRU(), "peephole": LSTM(peephole=True)}
cells = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())


@cells
def test_a_sequence_goes_on_where_its_beginning_ended(cell):
    """To the bit: a step depends on its states alone."""
    model = small(cell=cell, hidden_layer_sizes=(6, 5)).fit(X, Y)
    begun = model.final_states([x[:3] for x in X])
    rest = [x[3:] for x in X]
    went_on = model.decision_function(rest, initial_states=begun)
    assert went_on.tobytes() == model.decision_function(X).tobytes()
    ended = model.final_states(rest, initial_states=begun)
    assert ended.tobytes() == model.final_states(X).tobytes()


def test_columns():
    """Layers from the bottom, then directions, then h and c."""
    model = small(hidden_layer_sizes=(4, 3), bidirectional=True).fit(X, Y)
    states = model.final_states(X)
    assert states.shape == (len(X), 2 * 2 * (4 + 3))
    encoder = LSTMEncoder(estimator=model, states="both").fit(X, Y)
    top = encoder.transform(X)  # forward h, backward h, forward c, backward c
    found = states[:, 16:].reshape(len(X), 2, 2, 3).swapaxes(1, 2).reshape(len(X), -1)
    assert found.tobytes() == top.tobytes()


@pytest.mark.parametrize(
    "model, y",
    [
        (small(), Y),
        (small(bidirectional=True, batch_size=7), Y),
        (LSTMRegressor(**SMALL), [x.sum() for x in X]),
        (LSTMSequenceTagger(**SMALL), [np.sign(x[:, 0]) for x in X]),
    ],
)
def test_fits_from_given_states(model, y):
    """Zeros change nothing; other states do, in fit and in predict, whoever is in the batch."""
    plain = model.fit(X, y)
    width = plain.final_states(X).shape[1]
    parameters = plain.parameters_
    again = model.fit(X, y, initial_states=np.zeros((len(X), width)))
    assert identical(again.parameters_, parameters)
    given = np.random.default_rng(0).standard_normal((len(X), width))
    moved = model.fit(X, y, initial_states=given)
    assert not identical(moved.parameters_, parameters)
    together = moved.predict(X, initial_states=given)
    for k in (0, 13):
        alone = moved.predict(X[k : k + 1], initial_states=given[k : k + 1])
        assert identical(alone[0], together[k])


def test_errors():
    model = small().fit(X, Y)
    with pytest.raises(
        ValueError, match=r"initial_states has shape \(40, 5\); expected \(40, 12\)"
    ):
        model.predict(X, initial_states=np.zeros((40, 5)))
    with pytest.raises(ValueError, match="initial_states contains NaN"):
        model.fit(X, Y, initial_states=np.full((40, 12), np.nan))
    learned = small(initial_state="learned").fit(X, Y)
    with pytest.raises(ValueError, match="learned"):
        learned.predict(X, initial_states=np.zeros((40, 12)))
