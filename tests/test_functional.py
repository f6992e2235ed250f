"""Cells without an estimator: against NumPy, against themselves bit for bit, and what is refused."""

import naive
import naive_cells
import naive_lstm_options
import numpy as np
import pytest

from seqlearn_lstm import LSTMClassifier, LSTMEncoder
from seqlearn_lstm.cells import GRU, LSTM, RNN, make_cell
from seqlearn_lstm.functional import cell_step, cell_steps, lstm, lstm_step

CELLS = {
    "plain": "lstm",
    "peepholes": LSTM(peephole=True),
    "no forget gate": LSTM(forget_gate=False),
    "layer norm": LSTM(layer_norm=True),
    "all options": LSTM(peephole=True, forget_gate=False, layer_norm=True, activation="sigmoid"),
    "gru": "gru",
    "gru before": GRU(reset_after=False),
    "rnn": "rnn",
    "rectified": RNN("relu"),
}
LENGTHS = [5, 1, 9, 3, 3, 12, 2]


def drawn(cell, n_in, n_units, dtype=np.float64, seed=0):
    """Parameters of a cell, none of them zero."""
    rng, cell = np.random.default_rng(seed), make_cell(cell)
    with_f = getattr(cell, "forget_gate", True)
    n = (cell.n_gates - (not with_f)) * n_units
    shapes = {"W": (n_in, n), "U": (n_units, n), "b": (n,)}
    if getattr(cell, "peephole", False):
        shapes["p"] = ((2 + with_f) * n_units,)
    if getattr(cell, "layer_norm", False):
        shapes |= {"gain": (n,), "cell_gain": (n_units,), "cell_shift": (n_units,)}
    if getattr(cell, "reset_after", False):
        shapes["b_n"] = (n_units,)
    return {name: 0.5 * rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}


def ragged(n_in, dtype=np.float64, lengths=LENGTHS, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((n, n_in)).astype(dtype) for n in lengths]


def states_of(cell, n, n_units, seed=2):
    rng = np.random.default_rng(seed)
    kinds = ("c", "h") if isinstance(make_cell(cell), LSTM) else ("h",)
    return {kind: rng.standard_normal((n, n_units)) for kind in kinds}


def same(found, expected):
    assert found.keys() == expected.keys()
    for name in found:
        np.testing.assert_array_equal(flat(found[name]), flat(expected[name]), err_msg=name)


def flat(states):
    """Those of many sequences one after another."""
    return np.concatenate(states) if isinstance(states, list) else states


# ---- the numbers are right -----------------------------------------------------------------------


@pytest.mark.parametrize("n_in, n_units", [(3, 2), (1, 1), (7, 19), (28, 100)])
def test_a_step_is_ten_lines_of_numpy(n_in, n_units):
    def numpy_step(x, c, h, W, U, b):
        def sigmoid(a):
            return 1 / (1 + np.exp(-a))

        i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return c, sigmoid(o) * np.tanh(c)

    theta, rng = drawn("lstm", n_in, n_units), np.random.default_rng(3)
    x, c, h = (rng.standard_normal((6, width)) for width in (n_in, n_units, n_units))
    for rows in (np.s_[:], np.s_[0], np.s_[:1]):
        found = lstm_step(x[rows], c[rows], h[rows], **theta)
        for ours, theirs in zip(found, numpy_step(x[rows], c[rows], h[rows], **theta), strict=True):
            assert ours.shape == theirs.shape and ours.dtype == np.float64
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def whole(theta, cell, H):
    """As the naive twin takes them: without forget gate, with zeros in the place of f."""
    full = {"p": np.zeros(3 * H), "gain": np.ones(4 * H)}
    full |= {"cell_gain": np.ones(H), "cell_shift": np.zeros(H)} | theta
    if not cell.forget_gate:
        for name in {"W", "U", "b", "p", "gain"} & theta.keys():
            i, rest = theta[name][..., :H], theta[name][..., H:]
            full[name] = np.concatenate([i, np.zeros_like(i), rest], axis=-1)
    return naive_lstm_options.Parameters(**full)


@pytest.mark.parametrize("n_units", [3, 21])
@pytest.mark.parametrize(
    "name", ["plain", "peepholes", "no forget gate", "layer norm", "all options"]
)
def test_states_and_gates_of_an_lstm(name, n_units):
    cell, H = make_cell(CELLS[name]), n_units
    theta, X, start = drawn(cell, 4, H), ragged(4), states_of(cell, len(LENGTHS), H)
    options = naive_lstm_options.Options(
        cell.peephole, cell.forget_gate, cell.layer_norm, cell.activation, cell.activation
    )
    c, h, gates = lstm(
        X, **theta, c0=start["c"], h0=start["h"], cell=cell, return_gates=True
    )  # fmt: skip
    assert list(gates) == [*("ifgo" if cell.forget_gate else "igo")]
    for k, x in enumerate(X):
        done = naive_lstm_options.steps(
            x, start["h"][k], start["c"][k], whole(theta, cell, H), options, np.ones(H)
        )
        np.testing.assert_allclose(h[k], [s.h for s in done], rtol=0, atol=1e-12)
        np.testing.assert_allclose(c[k], [s.c for s in done], rtol=0, atol=1e-12)
        for letter, gate in gates.items():
            expected = [s.gates["ifgo".index(letter)] for s in done]
            np.testing.assert_allclose(gate[k], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_units", [3, 21])
@pytest.mark.parametrize("name", ["gru", "gru before"])
def test_states_and_gates_of_a_gru(name, n_units):
    theta, X = drawn(CELLS[name], 4, n_units), ragged(4)
    start = states_of(CELLS[name], len(X), n_units)
    found = cell_steps(X, theta, CELLS[name], initial_states=start, return_gates=True)
    assert list(found) == ["h", "r", "u", "n"]
    W, U, b, b_n = (theta.get(key) for key in ("W", "U", "b", "b_n"))
    for k, x in enumerate(X):
        hs = naive_cells.gru(x, start["h"][k], W, U, b, b_n, np.ones(n_units))
        gates = [naive_cells.gru_gates(x[t], hs[t], W, U, b, b_n)[:3] for t in range(len(x))]
        np.testing.assert_allclose(found["h"][k], hs[1:], rtol=0, atol=1e-12)
        for place, gate in enumerate(("r", "u", "n")):
            expected = [step[place] for step in gates]
            np.testing.assert_allclose(found[gate][k], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["rnn", "rectified"])
def test_states_of_a_plain_cell(name):
    cell, theta, X = make_cell(CELLS[name]), drawn(CELLS[name], 4, 5), ragged(4)
    found = cell_steps(X, theta, cell, return_gates=True)
    assert list(found) == ["h"]
    for x, h in zip(X, found["h"], strict=True):
        hs = naive_cells.rnn(x, np.zeros(5), *theta.values(), np.ones(5), cell.activation)
        np.testing.assert_allclose(h, hs[1:], rtol=0, atol=1e-12)


def test_the_cell_of_1997_never_forgets():
    theta = drawn(LSTM(forget_gate=False), 2, 3)
    theta["b"][:3] = -1e3  # the input gate is shut
    c0 = np.array([0.3, -7.0, 2.0])
    c, _ = lstm(np.ones((50, 2)), **theta, c0=c0, cell=LSTM(forget_gate=False))
    np.testing.assert_array_equal(c, np.tile(c0, (50, 1)))


# ---- the same bits -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_units", [3, 37])
@pytest.mark.parametrize("name", CELLS)
def test_a_loop_of_steps_is_the_whole_sequence(name, n_units, dtype):
    cell, theta = CELLS[name], drawn(CELLS[name], 4, n_units, dtype)
    X = ragged(4, dtype)
    states = states_of(cell, len(X), n_units)
    found = cell_steps(X, theta, cell, initial_states=states)
    for t in range(max(LENGTHS)):
        live = [k for k, n in enumerate(LENGTHS) if n > t]
        x, now = np.array([X[k][t] for k in live]), {n: s[live] for n, s in states.items()}
        after = cell_step(x, now, theta, cell)
        assert after["h"].dtype == dtype
        same(after, {n: np.array([found[n][k][t] for k in live]) for n in after})
        for n, s in states.items():
            states[n] = s.astype(dtype)
            states[n][live] = after[n]


@pytest.mark.parametrize("name", CELLS)
def test_a_row_depends_on_itself_alone(name):
    cell, theta = CELLS[name], drawn(CELLS[name], 4, 19, np.float32)
    x, states = ragged(4, lengths=[11])[0], states_of(cell, 11, 19)
    together = cell_step(x, states, theta, cell)
    for k in range(11):
        alone = cell_step(x[k], {n: s[k] for n, s in states.items()}, theta, cell)
        same(alone, {n: s[k] for n, s in together.items()})


@pytest.mark.parametrize("name", CELLS)
def test_a_sequence_depends_on_itself_alone(name):
    cell, theta = CELLS[name], drawn(CELLS[name], 4, 5, np.float32)
    X = ragged(4, lengths=np.random.default_rng(0).integers(1, 60, 300))  # several batches
    found = cell_steps(X, theta, cell, return_gates=True)
    for k in (0, 17, 299):
        alone = cell_steps(X[k], theta, cell, return_gates=True)
        same(alone, {n: values[k] for n, values in found.items()})


@pytest.mark.parametrize("name", CELLS)
def test_the_states_of_a_network(name):
    X = ragged(3, np.float32)
    encoder = LSTMEncoder((5,), cell=CELLS[name], pooling="steps", max_iter=2, random_state=0)
    prefix = "layer_0.forward."
    expected = encoder.fit(X).transform(X)
    theta = {
        n.removeprefix(prefix): v for n, v in encoder.parameters_.items() if n.startswith(prefix)
    }
    for h, states in zip(cell_steps(X, theta, CELLS[name])["h"], expected, strict=True):
        np.testing.assert_array_equal(h, states)


# ---- forms and types -----------------------------------------------------------------------------


def test_forms_of_input():
    theta = drawn("lstm", 3, 4)
    array = np.array(ragged(3, lengths=[6] * 5))
    c, h = lstm(list(array), **theta)
    assert isinstance(h, list) and h[0].shape == (6, 4)
    for other in (lstm(array, **theta), lstm(tuple(array.tolist()), **theta)):
        same(dict(zip("ch", other, strict=True)), {"c": c, "h": h})
    one = lstm(array[2], **theta)
    same(dict(zip("ch", one, strict=True)), {"c": c[2], "h": h[2]})
    cut = lstm(array, **theta, lengths=[6, 3, 1, 6, 2])
    assert [len(states) for states in cut[1]] == [6, 3, 1, 6, 2]
    np.testing.assert_array_equal(cut[1][1], h[1][:3])


def test_one_state_for_all_sequences():
    theta, X = drawn("lstm", 3, 4), ragged(3)
    start = np.arange(4.0)
    given = lstm(X, **theta, h0=start)
    rows = lstm(X, **theta, h0=np.tile(start, (len(X), 1)), c0=np.zeros(4))
    same(dict(zip("ch", given, strict=True)), dict(zip("ch", rows, strict=True)))


def test_the_parameters_say_the_precision():
    theta, x = drawn("lstm", 3, 4, np.float32), np.ones(3)
    assert lstm_step(x, np.zeros(4), np.zeros(4), **theta)[0].dtype == np.float32
    theta["b"] = theta["b"].astype(np.float64)
    assert lstm_step(x, np.zeros(4), np.zeros(4), **theta)[0].dtype == np.float64
    lists = {name: value.round().astype(int).tolist() for name, value in theta.items()}
    assert lstm([[1, 2, 3]], **lists)[0].dtype == np.float64


def test_nothing_given_is_changed():
    theta, x, states = drawn("lstm", 3, 4), np.ones((2, 3)), states_of("lstm", 2, 4)
    copies = [{n: v.copy() for n, v in given.items()} for given in (theta, states)]
    for value in (*theta.values(), x, *states.values()):
        value.setflags(write=False)
    after = cell_step(x, states, theta)
    same(theta, copies[0])
    same(states, copies[1])
    assert all(value.flags.writeable for value in after.values())


def test_a_classifier_is_its_parts():
    X = ragged(3, np.float32)
    model = LSTMClassifier((6,), max_iter=2, random_state=0).fit(X, [0, 1, 2, 0, 1, 2, 0])
    theta = {n.rpartition(".")[2]: v for n, v in model.parameters_.items() if "forward" in n}
    last = np.array([h[-1] for h in lstm(X, **theta)[1]])
    scores = last @ model.parameters_["output.W"] + model.parameters_["output.b"]
    expected = [np.exp(naive.log_softmax(row.astype(float))) for row in scores]
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-6)


# ---- what is refused -----------------------------------------------------------------------------

THETA, STATE = drawn("lstm", 3, 2), np.zeros(2)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"W": np.ones((3, 7))}, r"W has shape \(3, 7\); expected \(3, 8\)"),
        ({"W": np.ones(3)}, r"W has shape \(3,\); expected a matrix"),
        ({"U": np.ones((0, 8))}, r"U has shape \(0, 8\); expected a matrix"),
        ({"U": np.ones((3, 8))}, r"W has shape \(3, 8\); expected \(3, 12\) .* 3 units"),
        ({"b": np.ones((1, 8))}, r"b has shape \(1, 8\); expected \(8,\)"),
        ({"b": np.full(8, np.nan)}, r"b has nan at \[0\]; expected finite numbers"),
        ({"W": None}, "W is None; expected finite numbers"),
        ({"b": ["a"] * 8}, "b has dtype <U1; expected real numbers"),
        ({"b": np.ones(8) * 1j}, "b has dtype complex128; expected real numbers"),
        ({"b": [[1], [2, 3]]}, "b cannot be read as an array of numbers"),
        ({"p": np.ones(6)}, r"got \['U', 'W', 'b', 'p'\]; expected \['U', 'W', 'b'\]"),
        ({"cell": LSTM(peephole=True)}, r"got \['U', 'W', 'b'\]; expected \['U', 'W', 'b', 'p'\]"),
        ({"cell": LSTM(forget_gate=False)}, r"W has shape \(3, 8\); expected \(3, 6\)"),
        ({"cell": LSTM(forget_bias="high")}, "forget_bias"),
        ({"cell": "gru"}, r"cell is GRU\(\); expected an LSTM: functional.cell_step is for any"),
        ({"x": np.ones(4)}, r"x has shape \(4,\); expected \(3,\) or \(n, 3\)"),
        ({"x": np.ones((0, 3))}, r"x has shape \(0, 3\)"),
        ({"x": [1, np.inf, 1]}, r"x has inf at \[1\]"),
        ({"h": np.zeros(3)}, r"h has shape \(3,\); expected \(2,\), as x and U say"),
        ({"c": np.zeros((1, 2))}, r"c has shape \(1, 2\); expected \(2,\)"),
        ({"x": np.ones((4, 3))}, r"c has shape \(2,\); expected \(4, 2\)"),
    ],
)
def test_a_step_refuses(change, message):
    arguments = {"x": np.ones(3), "c": STATE, "h": STATE, **THETA}
    with pytest.raises(ValueError, match=message):
        lstm_step(**arguments | change)


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"X": [np.ones((2, 3)), np.ones((2, 4))]}, ValueError, r"4 features.*sequence 1 of X"),
        ({"X": []}, ValueError, "0 sequences"),
        ({"X": [np.ones((0, 3))]}, ValueError, "length 0"),
        ({"X": [[[np.nan, 1, 2]]]}, ValueError, "sequence 0 of X contains NaN"),
        ({"X": ["abc"]}, ValueError, "holds strings"),
        ({"X": None}, TypeError, "NoneType"),
        (
            {"h0": np.zeros((3, 2))},
            ValueError,
            r"h0 has shape \(3, 2\); expected \(2,\), or \(1, 2",
        ),
        ({"c0": [np.nan, 0]}, ValueError, r"c0 has nan at \[0\]"),
        ({"lengths": [1]}, ValueError, "lengths was given"),
        ({"cell": "elman"}, ValueError, "cell is 'elman'; expected one of"),
        ({"cell": "gru"}, ValueError, r"cell is GRU\(\); expected an LSTM: functional.cell_steps"),
        ({"cell": RNN("relu")}, ValueError, r"cell is RNN\(.*'relu'\); expected an LSTM"),
    ],
)
def test_sequences_refused(change, error, message):
    with pytest.raises(error, match=message):
        lstm(**{"X": [np.ones((2, 3))], **THETA} | change)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (({"h": STATE}, THETA), ValueError, r"states: got \['h'\]; expected \['c', 'h'\]"),
        ((STATE, THETA), TypeError, "states has type ndarray; expected a dict"),
        (({"c": STATE, "h": STATE}, {"W": 1}), ValueError, r"got \['W'\]; expected \['U', 'W'\]"),
        (({"h": STATE, 0: 1}, THETA), ValueError, r"got \[0, 'h'\]; expected"),
        (({"c": STATE, "h": STATE}, None), TypeError, "parameters has type NoneType"),
    ],
)
def test_names_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        cell_step(np.ones(3), *arguments)


def test_unknown_initial_states_refused():
    with pytest.raises(ValueError, match=r"initial_states: got \['s'\]; expected \['c', 'h'\]"):
        cell_steps(np.ones((2, 3)), THETA, initial_states={"s": STATE})


def test_bad_initial_states_are_called_what_the_caller_calls_them():
    with pytest.raises(ValueError, match=r'^initial_states\["h"\] has shape \(3,\); expected'):
        cell_steps(np.ones((2, 3)), THETA, initial_states={"h": np.zeros(3)})
    with pytest.raises(ValueError, match=r'^initial_states\["c"\] has nan at \[1\]'):
        cell_steps(np.ones((2, 3)), THETA, initial_states={"c": [0, np.nan]})


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_an_lstm_alone_has_cell_states(cell):
    """Nothing else is wrong with what is given."""
    parameters = drawn(cell, 3, 2)
    for function, arguments in (
        (lstm_step, (np.ones(3), STATE, STATE)),
        (lstm, (np.ones((2, 3)),)),
    ):
        with pytest.raises(ValueError, match=r"expected an LSTM: functional\.cell_step"):
            function(*arguments, cell=cell, **parameters)


def test_numbers_too_large_for_float32_refused():
    small = {name: value.astype(np.float32) for name, value in THETA.items()}
    with pytest.raises(ValueError, match=r"h has 1e\+300 at \[1\].* range of float32"):
        lstm_step(np.ones(3), STATE, [0, 1e300], **small)


@pytest.mark.parametrize("name", ["x", "c", "h", "W", "U", "b", "c0", "h0"])
def test_masks_are_not_lost(name):
    step = {"x": np.ones(3), "c": STATE, "h": STATE, **THETA}
    whole = {"X": np.ones((2, 3)), "c0": STATE, "h0": STATE, **THETA}
    for function, arguments in ((lstm_step, step), (lstm, whole)):
        if name in arguments:
            masked = np.ma.masked_array(arguments[name])
            with pytest.raises(TypeError, match=f"{name} is a masked array, its mask would be"):
                function(**arguments | {name: masked})


@pytest.mark.parametrize("name", ["x", "c", "h", "W", "U", "b", "c0", "h0", "X"])
def test_gradients_are_not_lost(name):
    torch = pytest.importorskip("torch")
    step = {"x": np.ones(3), "c": STATE, "h": STATE, **THETA}
    whole = {"X": np.ones((2, 3)), "c0": STATE, "h0": STATE, **THETA}
    for function, arguments in ((lstm_step, step), (lstm, whole)):
        if name in arguments:
            tensor = torch.tensor(arguments[name], requires_grad=True)
            with pytest.raises(TypeError, match=f"^{name} is a tensor that requires grad, its"):
                function(**arguments | {name: tensor})
            function(**arguments | {name: tensor.detach()})


def test_a_step_has_no_third_axis():
    parameters = {"W": np.ones((3, 2)), "U": np.ones((2, 2)), "b": np.zeros(2)}
    with pytest.raises(ValueError, match="x has shape"):
        cell_step(np.ones((1, 1, 3)), {"h": np.zeros((1, 1, 2))}, parameters, "rnn")
