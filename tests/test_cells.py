"""Cells: how their parameters start, what they refuse, which layer computes them."""

import numpy as np
import pytest
from sklearn.base import clone

from seqlearn_lstm import LSTMClassifier, LSTMLanguageModel
from seqlearn_lstm.architecture import Architecture
from seqlearn_lstm.cells import CELLS, GRU, INITIALIZERS, LSTM, RNN, make_cell, plain
from seqlearn_lstm.layers import GRUBeforeLayer, GRULayer, OptionsLSTM, PlainLSTM, RNNLayer
from seqlearn_lstm.network import Network

SHAPE = (300, 200)
# name -> (variance, bound of the values), for 300 inputs and 200 outputs
RANDOM = {
    "glorot_uniform": (2 / 500, np.sqrt(6 / 500)),
    "glorot_normal": (2 / 500, np.inf),
    "he_uniform": (2 / 300, np.sqrt(6 / 300)),
    "he_normal": (2 / 300, np.inf),
    "lecun_uniform": (1 / 300, np.sqrt(3 / 300)),
    "torch_uniform": (1 / 600, np.sqrt(1 / 200)),
}
FIXED = {"zeros": np.zeros(SHAPE), "ones": np.ones(SHAPE), "identity": np.eye(*SHAPE)}


def test_every_initializer_is_tested():
    assert set(INITIALIZERS) == {*RANDOM, *FIXED, "orthogonal"}


@pytest.mark.parametrize("name", RANDOM)
def test_random_initializers(name):
    values = INITIALIZERS[name](np.random.default_rng(0), *SHAPE)
    variance, bound = RANDOM[name]
    assert values.shape == SHAPE
    # 60,000 draws: the spread of a sample variance is below 1 %, of a mean below 0.005 deviations
    assert values.var() == pytest.approx(variance, rel=0.04)
    assert abs(values.mean()) < 0.02 * np.sqrt(variance)
    assert np.abs(values).max() <= bound
    if bound < np.inf:
        assert np.abs(values).max() > 0.99 * bound


@pytest.mark.parametrize("name", FIXED)
def test_fixed_initializers(name):
    np.testing.assert_array_equal(INITIALIZERS[name](None, *SHAPE), FIXED[name])


@pytest.mark.parametrize("shape", [(5, 5), (7, 4), (4, 7)])
def test_orthogonal(shape):
    values = INITIALIZERS["orthogonal"](np.random.default_rng(0), *shape)
    assert values.shape == shape
    product = values.T @ values if shape[0] >= shape[1] else values @ values.T
    np.testing.assert_allclose(product, np.eye(min(shape)), atol=1e-14)


def parameters(cell, kernels):
    architecture = Architecture(6, (5,), False, "last", 2, cell=plain(cell))
    network = Network(architecture, kernels, np.float64, 1)
    drawn = network.initial_parameters(np.random.default_rng(0))
    return {name.removeprefix("layer_0.forward."): value for name, value in drawn.items()}


@pytest.mark.parametrize(
    "cell, n_gates, more",
    [
        (LSTM(), 4, {}),
        (LSTM(peephole=True), 4, {"p": np.zeros(15)}),
        (LSTM(forget_gate=False, peephole=True), 3, {"p": np.zeros(10)}),
        (
            LSTM(layer_norm=True, bias_initializer="zeros"), 4,
            {"gain": np.ones(20), "cell_gain": np.ones(5), "cell_shift": np.zeros(5)},
        ),
        (GRU(), 3, {"b_n": np.zeros(5)}),
        (GRU(reset_after=False), 3, {}),
        (RNN(), 1, {}),
    ],
    ids=str,
)  # fmt: skip
def test_parameters_of_a_new_cell(kernels, cell, n_gates, more):
    found = parameters(cell, kernels)
    assert found.keys() == {"W", "U", "b", "output.W", "output.b", *more}
    assert found["W"].shape == (6, 5 * n_gates) and np.abs(found["W"]).max() <= np.sqrt(6 / 11)
    for gate in np.split(found["U"], n_gates, axis=1):
        np.testing.assert_allclose(gate.T @ gate, np.eye(5), atol=1e-14)
    forgets = isinstance(cell, LSTM) and cell.forget_gate
    bias = np.repeat([0, 1, 0, 0], 5) if forgets else np.zeros(5 * n_gates)
    np.testing.assert_array_equal(found["b"], bias)
    for name, values in more.items():
        np.testing.assert_array_equal(found[name], values)


def test_settings_of_the_start(kernels):
    cell = LSTM(
        forget_bias=-2.5, kernel_initializer=0.08, recurrent_initializer="identity",
        bias_initializer="ones",
    )  # fmt: skip
    found = parameters(cell, kernels)
    assert 0.07 < np.abs(found["W"]).max() <= 0.08
    np.testing.assert_array_equal(found["U"], np.tile(np.eye(5), 4))
    np.testing.assert_array_equal(found["b"], np.repeat([1, -2.5, 1, 1], 5))


def test_biases_under_layer_normalisation_differ_from_unit_to_unit(kernels):
    """By default; what is drawn before them is drawn as ever."""
    found = parameters(LSTM(layer_norm=True), kernels)
    i, f, g, o = np.split(found.pop("b"), 4)
    np.testing.assert_array_equal(f, np.ones(5))
    drawn = np.concatenate([i, g, o])
    assert np.abs(drawn).max() <= 0.1 and len(set(drawn)) == 15 and g.std() > 0.03
    plain_cell = parameters(LSTM(), kernels)
    for name in "WU":
        np.testing.assert_array_equal(found[name], plain_cell[name])


def test_a_plain_cell_draws_no_biases(kernels):
    drawn, zeros = (parameters(cell, kernels) for cell in (LSTM(), LSTM(bias_initializer="zeros")))
    assert drawn.keys() == zeros.keys()
    for name, values in drawn.items():
        np.testing.assert_array_equal(values, zeros[name])


NOTHING = np.zeros((10, 2))
NOISE = [np.random.default_rng(k).standard_normal((20, 2)) for k in range(60)]
STARTS_WITH_NOTHING = [np.vstack([NOTHING, x]) for x in NOISE]
LABELS = [int(x.sum() > 0) for x in NOISE]
TEXT = "the cat sat on the mat. " * 40
WITHOUT_INPUTS = {
    "some sequences": (LSTMClassifier((16,), input_dropout=0.3), NOISE, LABELS),
    "many sequences": (LSTMClassifier((16,), input_dropout=0.5), NOISE, LABELS),
    "first steps": (LSTMClassifier((16,)), STARTS_WITH_NOTHING, LABELS),
    "first steps, two layers": (LSTMClassifier((16, 8)), STARTS_WITH_NOTHING, LABELS),
    "all steps": (LSTMClassifier((16,)), [NOTHING] * 4, [0, 1] * 2),
    "symbols": (LSTMLanguageModel((32,), embedding_dropout=0.5), TEXT, None),
}


@pytest.mark.parametrize("model, x, y", WITHOUT_INPUTS.values(), ids=WITHOUT_INPUTS.keys())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_without_inputs_under_layer_normalisation(model, x, y, dtype):
    """Zeros where states are zero, too, would be normalised from variance 0, step after step."""
    for seed in range(3):
        fitted = clone(model).set_params(
            cell=LSTM(layer_norm=True), max_iter=3, record=["norm"], random_state=seed, n_jobs=1,
            dtype=dtype,
        )  # fmt: skip
        fitted.fit(x, y)
        assert fitted.record_["norm"][0] < 100


@pytest.mark.parametrize(
    "cell, recurrent_dropout, layer",
    [
        (LSTM(), False, PlainLSTM),
        (LSTM(), True, OptionsLSTM),
        (LSTM(forget_bias=0.0), False, PlainLSTM),
        (LSTM(peephole=True), False, OptionsLSTM),
        (LSTM(forget_gate=False), False, OptionsLSTM),
        (LSTM(layer_norm=True), False, OptionsLSTM),
        (LSTM(activation="relu"), False, OptionsLSTM),
        (GRU(), True, GRULayer),
        (GRU(reset_after=False), False, GRUBeforeLayer),
        (RNN("relu"), True, RNNLayer),
    ],
)
def test_the_layer_that_computes_it(cell, recurrent_dropout, layer):
    assert cell.layer(recurrent_dropout) is layer


class OwnCell(LSTM):
    """A cell for which there is no kernel."""


@pytest.mark.parametrize(
    "cell, error, message",
    [
        (OwnCell(), TypeError, r"of a class of its own.* expected one of \['LSTM'"),
        ("lstn", ValueError, "expected one of"),
        ("LSTM", ValueError, "expected one of"),
        (3, TypeError, "expected one of"),
        (LSTM, TypeError, "cell is"),
        (LSTM(activation="softmax"), ValueError, "activation"),
        (LSTM(kernel_initializer="gauss"), ValueError, "kernel_initializer"),
        (LSTM(recurrent_initializer=-1.0), ValueError, "recurrent_initializer"),
        (LSTM(bias_initializer=-1.0), ValueError, "bias_initializer"),
        (LSTM(kernel_initializer=None), ValueError, "kernel_initializer"),
        (GRU(bias_initializer=None), ValueError, "bias_initializer"),
        (RNN("sigmoid"), ValueError, "activation"),
        (GRU(reset_after="yes"), ValueError, "reset_after"),
    ],
)
def test_what_is_refused(cell, error, message):
    with pytest.raises(error, match=message):
        make_cell(cell)


@pytest.mark.parametrize("name", CELLS)
def test_names(name):
    cell = make_cell(name)
    assert plain(cell) == (name, clone(cell).get_params())
