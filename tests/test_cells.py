"""Cells: how their parameters start, what they refuse, which layer computes them."""

import numpy as np
import pytest
from sklearn.base import clone

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
            LSTM(layer_norm=True), 4,
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


@pytest.mark.parametrize(
    "cell, error, message",
    [
        ("lstn", TypeError, "expected one of"),
        (LSTM, TypeError, "cell is"),
        (LSTM(activation="softmax"), ValueError, "activation"),
        (LSTM(kernel_initializer="gauss"), ValueError, "kernel_initializer"),
        (LSTM(recurrent_initializer=-1.0), ValueError, "recurrent_initializer"),
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
