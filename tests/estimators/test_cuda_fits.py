"""Fits on CUDA: those of the CPU, which wait for the device once an epoch."""

import re
import sys

import numpy as np
import pytest
from sklearn.base import clone

from seqlearn_lstm import LSTMClassifier, LSTMLanguageModel, LSTMRegressor
from seqlearn_lstm.exceptions import TrainingDiverged
from seqlearn_lstm.solvers import RMSprop

LENGTHS, Y = (3, 1, 4, 2, 2, 3), [0, 1, 0, 1, 1, 0]
TINY = dict(hidden_layer_sizes=(2,), max_iter=2, batch_size=2, learning_rate=0.1, random_state=0)
TINY |= dict(precision="float32")  # or clusters of a GPU would round


@pytest.fixture
def X(rng):
    return [rng.standard_normal((n, 2)).astype(np.float32) for n in LENGTHS]


@pytest.fixture
def copies(monkeypatch):
    """Everything that has been copied from the device to the host."""
    from seqlearn_lstm.kernels import get_backend

    get_backend("cuda")
    seen = []

    def count(to_host):
        return lambda array: seen.append(array) or to_host(array)

    for name, module in list(sys.modules.items()):
        if name.startswith("seqlearn_lstm.kernels.cuda") and hasattr(module, "to_host"):
            monkeypatch.setattr(module, "to_host", count(module.to_host))
    return seen


def both(model, X, y=None):
    """The model, fitted on the CPU and on CUDA."""
    return [clone(model).set_params(device=device).fit(X, y) for device in ("cpu", "cuda")]


WAYS = {
    "default": {},
    "alpha": dict(alpha=0.1),
    "clip_value": dict(clip_value=0.01),
    "clip_norm": dict(clip_norm=0.02, alpha=0.1, clip_value=0.05),
    "no clip_norm": dict(clip_norm=None),
    "average": dict(average=2, early_stopping=True, monitor="train"),
    "one scale": dict(solver=RMSprop(global_scale=True)),
    "learned states, two layers": dict(initial_state="learned", hidden_layer_sizes=(2, 1)),
}


@pytest.mark.parametrize("params", WAYS.values(), ids=WAYS.keys())
def test_the_losses_are_those_of_the_cpu(X, params):
    cpu, cuda = both(LSTMClassifier(**TINY | params, dtype="float64"), X, Y)
    np.testing.assert_allclose(cuda.loss_curve_, cpu.loss_curve_, rtol=1e-12)
    assert all(isinstance(loss, float) for loss in cuda.loss_curve_)


@pytest.mark.parametrize(
    "params", [{}, dict(clip_value=1, alpha=0.1), dict(initial_state="learned")],
    ids=["default", "clip_value and alpha", "learned states"],
)  # fmt: skip
def test_the_host_waits_once_an_epoch(X, copies, params):
    def count(**how):
        copies.clear()
        LSTMClassifier(**TINY | params | how, device="cuda").fit(X, Y)
        return len(copies)

    one = count(max_iter=1)
    assert count(max_iter=1, batch_size=6) == count(max_iter=1, batch_size=1) == one
    assert count(max_iter=3) == one + 2
    assert count(max_iter=3, record=["loss", "norm"]) == one + 2


def test_a_diverged_training_keeps_its_last_good_epoch(X):
    targets, seen = [x.sum() for x in X], []
    for device in ("cpu", "cuda"):
        model = LSTMRegressor(**TINY, solver="sgd", clip_norm=None, warm_start=True, device=device)
        parameters = model.fit(X, targets).parameters_
        with pytest.raises(TrainingDiverged, match="in epoch 3 the loss") as caught:
            model.set_params(learning_rate=1e30).fit(X, targets)
        numbers = re.search(r"the loss is (\S+) and .* gradient (\S+):", str(caught.value))
        seen.append(list(map(float, numbers.groups())))
        for one in (model, caught.value.estimator):
            assert one.n_iter_ == len(one.loss_curve_) == 2
            assert all((one.parameters_[name] == parameters[name]).all() for name in parameters)
    assert seen[0] == pytest.approx(seen[1], rel=1e-5, nan_ok=True)


def test_an_infinite_gradient_is_seen_though_it_is_cut(X, monkeypatch):
    def cut(network, settings):
        network.gradient[...] = 0

    monkeypatch.setattr("seqlearn_lstm.training.loop._cut_values", cut)
    for device in ("cpu", "cuda"):
        model = LSTMRegressor(**TINY, clip_value=1.0, device=device)
        with pytest.raises(TrainingDiverged, match="in epoch 1 the loss"):
            model.fit(X, [1e39] * len(X))


def test_record_and_lines(X, capsys):
    model = LSTMClassifier(**TINY, record=["loss", "norm", "rate"], verbose=1, dtype="float64")
    cpu, cuda = both(model, X, Y)
    lines = [line.split("  ")[1] for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 4 and lines[:2] == lines[2:]
    assert cuda.record_.keys() == cpu.record_.keys()
    for name, values in cuda.record_.items():
        assert values.dtype == cpu.record_[name].dtype
        np.testing.assert_allclose(values, cpu.record_[name], rtol=1e-12)


def test_a_language_model():
    words = [["a", "b", "c"], ["b", "a"], ["c", "c", "a", "b"]]
    model = LSTMLanguageModel(**TINY, embedding_dim=2, dtype="float64", clip_norm=0.05)
    cpu, cuda = both(model, words)
    np.testing.assert_allclose(cuda.loss_curve_, cpu.loss_curve_, rtol=1e-12)
    np.testing.assert_allclose(cuda.score(words), cpu.score(words), rtol=1e-12)
