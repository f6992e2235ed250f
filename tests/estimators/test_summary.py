"""The tables of layers and data: their counts are the sizes of the arrays, whatever the network."""

import io
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from estimator_helpers import NETWORKS, SMALL, ragged, small
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from seqlearn_lstm import (
    LSTMClassifier,
    LSTMEncoder,
    LSTMLanguageModel,
    LSTMRegressor,
    LSTMSequenceTagger,
)
from seqlearn_lstm.architecture import Architecture
from seqlearn_lstm.cells import GRU, LSTM, RNN
from seqlearn_lstm.sequences import Sequences
from seqlearn_lstm.summary import data_lines

X, Y = ragged()
WORDS = [["a", "b"], ["b", "c", "c"], ["a"], ["c"]]
CELLS = {
    "lstm": LSTM(),
    "peephole": LSTM(peephole=True),
    "no forget gate": LSTM(forget_gate=False, peephole=True),
    "layer norm": LSTM(layer_norm=True),
    "gru": GRU(),
    "gru as published": GRU(reset_after=False),
    "rnn": RNN(),
}


def counted(model):
    """The sum over the layers, the total, and what the arrays hold."""
    table = model.summary(output_dict=True)
    sizes = sum(values.size for values in model.parameters_.values())
    return sum(layer["n_parameters"] for layer in table["layers"]), table["n_parameters"], sizes


@pytest.mark.parametrize("params", NETWORKS.values(), ids=NETWORKS.keys())
def test_counts_are_the_sizes_of_the_arrays(params):
    assert len(set(counted(small(**params, max_iter=1).fit(X, Y)))) == 1


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
@pytest.mark.parametrize("symbols", [False, True], ids=["numbers", "symbols"])
def test_counts_of_every_cell(cell, symbols):
    params = dict(cell=cell, initial_state="learned", bidirectional=True, max_iter=1)
    params |= dict(hidden_layer_sizes=(5, 3), input_projection=4)
    model = small(**params).fit(WORDS if symbols else X, [0, 1, 0, 1] if symbols else Y)
    assert len(set(counted(model))) == 1
    found = {layer["name"]: layer for layer in model.summary(output_dict=True)["layers"]}
    for name, layer in found.items():
        own = {key: v.size for key, v in model.parameters_.items() if key.startswith(f"{name}.")}
        assert layer["n_parameters"] == sum(own.values())
    assert found["layer_0"]["output_shape"] == (None, 10)
    assert found["pooling"]["output_shape"] == (6,)


def test_the_count_that_another_library_gets_wrong():
    """28 features, 100 units, 10 classes: 52,610 with all biases."""
    rng = np.random.default_rng(0)
    images, digits = rng.random((10, 28, 28)), np.arange(10)
    text = LSTMClassifier((100,), max_iter=1, n_jobs=1).fit(images, digits).summary()
    assert re.search(r"^layer_0 +LSTM +\(T, 100\) +51,600$", text, re.MULTILINE)
    assert re.search(r"^output +dense +\(10,\) +1,010$", text, re.MULTILINE)
    assert re.search(r"^total +52,610$", text, re.MULTILINE)


def test_every_estimator_has_one():
    tags = [np.where(x[:, 0] > 0, "up", "down") for x in X]
    tagger = LSTMSequenceTagger(**SMALL).fit(X, tags)
    assert tagger.summary(output_dict=True)["layers"][-1]["output_shape"] == (None, 2)
    regressor = LSTMRegressor(**SMALL).fit(X, np.ones((len(X), 3)) * [[i] for i in range(len(X))])
    assert regressor.summary(output_dict=True)["layers"][-1]["output_shape"] == (3,)
    assert len(set(counted(LSTMEncoder(**SMALL).fit(X)))) == 1
    for inner in (regressor, FrozenEstimator(regressor)):
        encoder = LSTMEncoder(estimator=inner).fit(X, np.ones((len(X), 3)))
        assert encoder.summary() == regressor.summary()
    text = LSTMLanguageModel(**SMALL).fit("a rose is a rose. " * 9)
    assert len(set(counted(text))) == 1
    with pytest.raises(NotFittedError):
        LSTMEncoder(estimator=regressor).summary()
    with pytest.raises(NotFittedError):
        small().summary()


def test_settings_of_a_cell_are_named_where_they_are_unusual():
    kinds = [
        layer["kind"]
        for layer in small(cell=LSTM(peephole=True), bidirectional=True, max_iter=1)
        .fit(X, Y)
        .summary(output_dict=True)["layers"]
    ]
    assert kinds == ["numbers", "LSTM(peephole=True), both directions", "last", "dense"]


def test_tables_before_the_first_epoch(capsys):
    model = small(max_iter=2, verbose=2, early_stopping=True, validation_fraction=0.25).fit(X, Y)
    printed = capsys.readouterr().out
    lengths = [len(x) for x in X]
    assert printed.startswith(model.summary() + "\n\ndata\n")
    assert re.search(r"^sequences +30$", printed, re.MULTILINE)
    assert re.search(r"^features +3$", printed, re.MULTILINE)
    assert re.search(r"^classes +3, for each sequence$", printed, re.MULTILINE)
    assert re.search(r"^batches +4 an epoch, of 8 sequences$", printed, re.MULTILINE)
    assert re.search(r"^validation +10 sequences\n\nepoch 1/2  loss", printed, re.MULTILINE)
    small(max_iter=1, verbose=2).fit(X, Y)
    printed = capsys.readouterr().out
    steps = (
        rf"^steps +{sum(lengths)}: {min(lengths)} to {max(lengths)} in a sequence, the median is "
    )
    assert re.search(f"{steps}{np.median(lengths):g}$", printed, re.MULTILINE)
    assert re.search(r"^validation +none$", printed, re.MULTILINE)
    LSTMRegressor(**SMALL, verbose=2).fit(WORDS, [1.0, 2.0, 3.0, 4.0])
    printed = capsys.readouterr().out
    assert re.search(r"^symbols +4$", printed, re.MULTILINE)
    assert re.search(r"^outputs +1, for each sequence$", printed, re.MULTILINE)
    small(max_iter=1, verbose=2, bptt_steps=4).fit(X, Y)
    assert "8 sequences, in windows of 4 steps\n" in capsys.readouterr().out
    small(max_iter=1, verbose=1).fit(X, Y)
    assert "layer" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "lengths, expected",
    [
        ([1_234_567], "1,234,567"),
        ([1_000_000, 2_000_000], "1,500,000"),
        ([1_234_567, 1_234_568], "1,234,567.5"),
        ([3, 3, 5, 7], "4"),
        ([1, 2], "1.5"),
    ],
)
def test_a_median_length_keeps_all_its_digits(lengths, expected):
    offsets = np.cumsum([0, *lengths])
    task = SimpleNamespace(
        sequences=Sequences(np.broadcast_to(0.0, (offsets[-1], 1)), offsets),
        settings=SimpleNamespace(batch_size=1, bptt_steps=None),
        network=SimpleNamespace(architecture=Architecture(1, (1,), False, "last", 1)),
        head=SimpleNamespace(n_outputs=1, says_classes=False),
    )
    text = data_lines(task, None)
    assert re.search(rf"^steps .*, the median is {re.escape(expected)}$", text, re.MULTILINE)


def test_time_left_is_the_mean_of_the_epochs_so_far(capsys):
    from seqlearn_lstm.training import Settings, Task, TrainingState
    from seqlearn_lstm.training.listeners import ProgressLines

    settings = dict.fromkeys(Settings.__dataclass_fields__) | {"max_iter": 10}
    task = Task(*[None] * 6, Settings(**settings))
    state = TrainingState(0, None, {}, loss_curve=[1.0, 0.5])
    lines = ProgressLines()
    lines.begin(task, state)
    for state.epoch, seconds in ((7, 1.0), (8, 5.0)):  # a run that goes on after six
        lines.after_epoch(task, state, seconds)
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("1.00 s  at most 3 s left")
    assert second.endswith("5.00 s  at most 6 s left")


@pytest.mark.parametrize("verbose", [1, 2])
@pytest.mark.parametrize("kind", [OSError, ValueError])
def test_what_cannot_be_printed_loses_no_fit(kind, verbose, monkeypatch):
    """As on a full disk, into a pipe that nobody reads any more, or into a closed file."""

    class Closed(io.StringIO):
        def write(self, text):
            raise kind("nobody reads this")

    monkeypatch.setattr(sys, "stdout", Closed())
    assert small(max_iter=2, verbose=verbose).fit(X, Y).n_iter_ == 2
