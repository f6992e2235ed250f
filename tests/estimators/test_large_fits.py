"""Fits large enough for the matrix unit: they use it, reproducibly, in threads and in forked children."""

import os
import threading

import numpy as np
import pytest

from seqlearn_lstm import LSTMClassifier
from seqlearn_lstm.cells import GRU, LSTM, RNN
from seqlearn_lstm.functional import cell_steps
from seqlearn_lstm.kernels.cpu import amx, sliced

pytestmark = pytest.mark.skipif(not amx.available(), reason="the processor has no matrix unit")


@pytest.fixture
def used(monkeypatch):
    """Names of what the unit was asked for."""
    names = set()

    def seeing(name, is_served):
        function = getattr(sliced, name)

        def see(*args):
            found = function(*args)
            if is_served(found):
                names.add(name)
            return found

        monkeypatch.setattr(sliced, name, see)

    for name in ("weights", "transposed"):
        seeing(name, lambda found: found.right.size > 0)
    for name in ("outer", "multiply"):
        seeing(name, bool)
    return names


def problem():
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((n, 5), dtype=np.float32) for n in rng.integers(12, 20, 80)]
    return X, [int(x[:, 0].sum() > 0) for x in X]


def fit(n_jobs=1, **settings):
    settings = {"hidden_layer_sizes": 96, "batch_size": 80, "max_iter": 2} | settings
    model = LSTMClassifier(**settings, n_jobs=n_jobs, random_state=0)
    return model.fit(*problem())


def bits(model):
    return b"".join(values.tobytes() for values in model.parameters_.values())


@pytest.mark.parametrize(
    "cell",
    [LSTM(), LSTM(peephole=True, layer_norm=True), GRU(), GRU(reset_after=False), RNN()],
    ids=["lstm", "options", "gru", "gru before", "rnn"],
)
def test_a_fit_uses_it(used, cell, tiny_shares):
    settings = {"cell": cell, "hidden_layer_sizes": 256 if isinstance(cell, RNN) else 192}
    one, two = (fit(n_jobs, **settings) for n_jobs in (1, 2))
    goes_forth = isinstance(cell, LSTM) or getattr(cell, "reset_after", False)
    assert used == {"transposed", "outer"} | ({"weights"} if goes_forth else set())
    assert bits(one) == bits(two)
    used.clear()
    exact = fit(**settings, dtype="float64")
    assert not used
    np.testing.assert_allclose(one.loss_curve_, exact.loss_curve_, rtol=1e-4)


def test_a_stack_uses_it_between_its_layers(used, tiny_shares):
    one, two = (fit(n_jobs, hidden_layer_sizes=(96, 96)) for n_jobs in (1, 2))
    assert "multiply" in used
    assert bits(one) == bits(two)


def test_predictions_do_without_it(used):
    """They have the bits of single steps: of a sequence alone, and of a stream."""
    model = fit(hidden_layer_sizes=192, max_iter=1)
    used.clear()
    X, _ = problem()
    together = model.predict_proba(X * 2)[: len(X)]
    assert not used
    for k in (0, 17):
        assert model.predict_proba([X[k]]).tobytes() == together[k].tobytes()
        stream = model.stream()
        for step in X[k]:
            stream.push(step)
        assert stream.predict_proba().tobytes() == together[k].tobytes()


def test_cells_on_their_own_do_without_it(used):
    rng, (X, _) = np.random.default_rng(0), problem()
    W, U, b = (rng.standard_normal((n, 768), dtype=np.float32) / 14 for n in (5, 192, 1))
    states = cell_steps(X, {"W": W, "U": U, "b": b[0]})
    assert not used
    assert (
        cell_steps(X[:1], {"W": W, "U": U, "b": b[0]})["h"][0].tobytes() == states["h"][0].tobytes()
    )


def test_small_layers_do_without_it(used):
    fit(hidden_layer_sizes=16)
    assert not used


def test_two_fits_at_once():
    alone, found = bits(fit()), []
    threads = [threading.Thread(target=lambda: found.append(bits(fit(2)))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone, alone]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child():
    expected = bits(fit(2))
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if bits(fit(2)) == expected else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
