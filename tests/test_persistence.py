"""Weights from elsewhere: each format's own equations give what the cells here give."""

import re
import threading
from functools import partial

import numpy as np
import pytest
from naive import sigmoid
from sklearn.frozen import FrozenEstimator

from seqlearn_lstm import LSTMClassifier, LSTMEncoder, LSTMSequenceTagger
from seqlearn_lstm.cells import GRU, LSTM, RNN
from seqlearn_lstm.functional import cell_steps
from seqlearn_lstm.persistence import (
    from_char_rnn,
    from_keras,
    from_onnx,
    from_torch,
    to_char_rnn,
    to_keras,
    to_onnx,
    to_torch,
    with_parameters,
)
from seqlearn_lstm.schedules import StepDecay
from seqlearn_lstm.solvers import SGD

N_IN, H = 3, 5
KEY = "layer_0.forward."


def drawn(*shapes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape) for shape in shapes]


def sequence():
    return np.random.default_rng(1).standard_normal((7, N_IN))


def states(parameters, cell, key=KEY):
    """All hidden states, by the parameters of one direction."""
    mine = {n.removeprefix(key): v for n, v in parameters.items() if n.startswith(key)}
    return cell_steps(sequence(), mine, cell)["h"]


def run(step, *start):
    """All hidden states of a step (x, h, ...) -> (h, ...)."""
    found, now = [], start
    for x in sequence():
        now = step(x, *now)
        found.append(now[0])
    return found


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


ZEROS = np.zeros(H)

# ---- Torch7's two linear layers ------------------------------------------------------------------


def test_char_rnn():
    given = drawn((4 * H, N_IN), 4 * H, (4 * H, H), 4 * H)

    def step(x, h, c):
        i2h_weight, i2h_bias, h2h_weight, h2h_bias = given
        sums = i2h_weight @ x + i2h_bias + h2h_weight @ h + h2h_bias
        gates, g = sigmoid(sums[: 3 * H]), np.tanh(sums[3 * H :])
        i, f, o = gates[:H], gates[H : 2 * H], gates[2 * H :]
        c = f * c + i * g
        return o * np.tanh(c), c

    parameters = from_char_rnn(*given)
    close(states(parameters, "lstm"), run(step, ZEROS, ZEROS))
    back = to_char_rnn(from_char_rnn(*given, layer=2), layer=2)
    np.testing.assert_array_equal(back[0], given[0])
    np.testing.assert_array_equal(back[1], given[1] + given[3])
    np.testing.assert_array_equal(back[2], given[2])
    assert not back[3].any()


# ---- Keras ---------------------------------------------------------------------------------------


def keras_lstm(x, h, c, kernel, recurrent_kernel, bias):
    z0, z1, z2, z3 = np.split(x @ kernel + h @ recurrent_kernel + bias, 4)
    c = sigmoid(z1) * c + sigmoid(z0) * np.tanh(z2)
    return sigmoid(z3) * np.tanh(c), c


def keras_gru(x, h, kernel, recurrent_kernel, bias):
    input_bias, recurrent_bias = bias if np.ndim(bias) == 2 else (bias, None)
    x_z, x_r, x_h = np.split(x @ kernel + input_bias, 3)
    if recurrent_bias is not None:  # reset_after
        h_z, h_r, h_h = np.split(h @ recurrent_kernel + recurrent_bias, 3)
        z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
        hh = np.tanh(x_h + r * h_h)
    else:
        h_z, h_r = np.split(h @ recurrent_kernel[:, : 2 * H], 2)
        z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
        hh = np.tanh(x_h + (r * h) @ recurrent_kernel[:, 2 * H :])
    return (z * h + (1 - z) * hh,)


def keras_rnn(x, h, kernel, recurrent_kernel, bias):
    return (np.tanh(x @ kernel + h @ recurrent_kernel + bias),)


KERAS = {
    "lstm": ("lstm", keras_lstm, 4, (4 * H,)),
    "gru": ("gru", keras_gru, 3, (2, 3 * H)),
    "gru before": (GRU(reset_after=False), keras_gru, 3, (3 * H,)),
    "rnn": ("rnn", keras_rnn, 1, (H,)),
}


@pytest.mark.parametrize("name", KERAS)
def test_keras(name):
    cell, step, n, bias = KERAS[name]
    weights = drawn((N_IN, n * H), (H, n * H), bias)
    start = [ZEROS] * (2 if n == 4 else 1)
    expected = run(lambda *now: step(*now, *weights), *start)
    close(states(from_keras(weights), cell), expected)
    back = to_keras(from_keras(weights), cell)  # a GRU's biases of two gates are added up
    close(run(lambda *now: step(*now, *back), *start), expected)
    assert [w.shape for w in back] == [w.shape for w in weights]


def test_keras_both_directions_and_no_bias():
    weights = drawn((N_IN, 4 * H), (H, 4 * H), (N_IN, 4 * H), (H, 4 * H))
    parameters = from_keras(weights, layer=1)
    for key, pair in (("forward", weights[:2]), ("backward", weights[2:])):
        expected = run(lambda *now, pair=pair: keras_lstm(*now, *pair, 0), ZEROS, ZEROS)
        close(states(parameters, "lstm", f"layer_1.{key}."), expected)
    back = to_keras(parameters, layer=1)
    for k, w in zip((0, 1, 3, 4), weights, strict=True):
        np.testing.assert_array_equal(back[k], w)
    gru = drawn((N_IN, 3 * H), (H, 3 * H))
    assert f"{KEY}b_n" in from_keras(gru) and f"{KEY}b_n" not in from_keras(gru, reset_after=False)


# ---- ONNX ----------------------------------------------------------------------------------------


def onnx_lstm(x, h, c, W, R, B, P):
    w, p = W @ x + R @ h + B[: 4 * H] + B[4 * H :], np.split(P, 3)
    i, o, f, c_ = np.split(w, 4)
    i, f, c_ = sigmoid(i + p[0] * c), sigmoid(f + p[2] * c), np.tanh(c_)
    c = f * c + i * c_
    return sigmoid(o + p[1] * c) * np.tanh(c), c


def onnx_gru(x, h, W, R, B, linear_before_reset):
    Wz, Wr, Wh = np.split(W @ x + B[: 3 * H], 3)
    (Rz, Rr, Rh), (Rbz, Rbr, Rbh) = np.split(R, 3), np.split(B[3 * H :], 3)
    z, r = sigmoid(Wz + Rz @ h + Rbz), sigmoid(Wr + Rr @ h + Rbr)
    if linear_before_reset:
        ht = np.tanh(Wh + r * (Rh @ h + Rbh))
    else:
        ht = np.tanh(Wh + Rh @ (r * h) + Rbh)
    return ((1 - z) * ht + z * h,)


def onnx_rnn(x, h, W, R, B):
    return (np.tanh(W @ x + R @ h + B[:H] + B[H:]),)


@pytest.mark.parametrize("n_directions", [1, 2])
@pytest.mark.parametrize("peephole", [False, True])
def test_onnx_lstm(peephole, n_directions):
    shapes = [(4 * H, N_IN), (4 * H, H), (8 * H,), (3 * H,)]
    W, R, B, P = drawn(*((n_directions, *shape) for shape in shapes))
    given = {"W": W, "R": R, "B": B} | ({"P": P} if peephole else {})
    cell, parameters = LSTM(peephole=peephole), from_onnx(**given)
    back = to_onnx(parameters, cell)
    assert {n: v.shape for n, v in back.items()} == {n: v.shape for n, v in given.items()}
    for k, direction in enumerate(("forward", "backward")[:n_directions]):
        p = P[k] if peephole else np.zeros(3 * H)
        expected = run(lambda *now, p=p, k=k: onnx_lstm(*now, W[k], R[k], B[k], p), ZEROS, ZEROS)
        close(states(parameters, cell, f"layer_0.{direction}."), expected)
        close(states(from_onnx(**back), cell, f"layer_0.{direction}."), expected)


@pytest.mark.parametrize("after", [False, True])
def test_onnx_gru(after):
    W, R, B = drawn((1, 3 * H, N_IN), (1, 3 * H, H), (1, 6 * H))
    parameters = from_onnx(W, R, B, linear_before_reset=int(after))
    expected = run(lambda *now: onnx_gru(*now, W[0], R[0], B[0], after), ZEROS)
    cell = GRU(reset_after=after)
    close(states(parameters, cell), expected)
    back = to_onnx(parameters, cell)
    close(states(from_onnx(**back, linear_before_reset=after), cell), expected)


def test_onnx_rnn():
    W, R, B = drawn((1, H, N_IN), (1, H, H), (1, 2 * H))
    expected = run(lambda *now: onnx_rnn(*now, W[0], R[0], B[0]), ZEROS)
    close(states(from_onnx(W, R, B), "rnn"), expected)
    close(states(from_onnx(**to_onnx(from_onnx(W, R, B), "rnn")), "rnn"), expected)
    assert not from_onnx(W, R)[f"{KEY}b"].any()


ONNX_CELLS = {  # operator, cell, attributes for each direction, attributes
    "lstm": ("LSTM", LSTM(), {}, {}),
    "peepholes, linear": (
        "LSTM", LSTM(peephole=True, activation="linear"),
        {
            "activations": ["Sigmoid", "Affine", "Affine"],
            "activation_alpha": [1.0, 1.0],
            "activation_beta": [0.0, 0.0],
        },
        {},
    ),
    "gru": ("GRU", GRU(), {}, {"linear_before_reset": 1}),
    "gru, reset before": ("GRU", GRU(reset_after=False), {}, {}),
    "rnn": ("RNN", RNN("relu"), {"activations": ["Relu"]}, {}),
}  # fmt: skip


def onnx_outputs(operator, inputs, x, attributes):
    """The states at each step (n_timesteps, n_directions * H), by onnxruntime."""
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    names = [
        "X",
        "W",
        "R",
        "B",
        "",
        "initial_h",
        *(["initial_c", "P"] if operator == "LSTM" else []),
    ]
    arrays = {"X": x[:, None]} | inputs
    names = [name if name in arrays else "" for name in names]
    assert set(arrays) == {name for name in names if name}
    node = onnx.helper.make_node(operator, names, ["Y"], **attributes)
    float32 = onnx.TensorProto.FLOAT
    infos = [onnx.helper.make_tensor_value_info(k, float32, v.shape) for k, v in arrays.items()]
    y = onnx.helper.make_tensor_value_info("Y", float32, None)
    opset = onnx.helper.make_opsetid("", 14)
    graph = onnx.helper.make_graph([node], "layer", infos, [y])
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9)
    session = runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (found,) = session.run(None, arrays)
    return found.reshape(len(x), -1)  # from (n_timesteps, n_directions, 1, H)


@pytest.mark.parametrize("initial_state", ["zeros", "learned"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", ONNX_CELLS)
def test_onnxruntime(name, bidirectional, initial_state):
    """A fitted layer, with its learned first states, gives the same states there."""
    operator, cell, each, attributes = ONNX_CELLS[name]
    X = np.random.default_rng(0).standard_normal((12, 6, N_IN)).astype(np.float32)
    model = LSTMClassifier(
        (H,), cell=cell, bidirectional=bidirectional, initial_state=initial_state, max_iter=20,
        learning_rate=0.05, random_state=0, n_jobs=1,
    ).fit(X, [0, 1] * 6)  # fmt: skip
    inputs = to_onnx(model.parameters_, cell)
    assert ("initial_h" in inputs) == (initial_state == "learned")
    n_directions = 1 + bidirectional
    attributes = attributes | {key: n_directions * value for key, value in each.items()}
    attributes["direction"] = "bidirectional" if bidirectional else "forward"
    found = onnx_outputs(operator, inputs, X[0], attributes | {"hidden_size": H})
    expected = top_states(model, X[:1])[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ONNX_CELLS)
def test_first_states_there_and_back(name):
    operator, cell, *_ = ONNX_CELLS[name]
    X = np.random.default_rng(0).standard_normal((12, 6, N_IN))
    model = LSTMClassifier(
        (H,), cell=cell, bidirectional=True, initial_state="learned", max_iter=2, random_state=0
    ).fit(X, [0, 1] * 6)
    inputs = to_onnx(model.parameters_, cell)
    shapes = {k: v.shape for k, v in inputs.items() if k.startswith("initial")}
    expected = ["initial_h", "initial_c"][: 1 + (operator == "LSTM")]
    assert shapes == dict.fromkeys(expected, (2, 1, H))
    reset = {"linear_before_reset": True} if getattr(cell, "reset_after", False) else {}
    back = from_onnx(**inputs, **reset)
    assert back.keys() == {k for k in model.parameters_ if k.startswith("layer_0")}
    for key, value in back.items():
        np.testing.assert_array_equal(value, model.parameters_[key])


def test_one_of_two_first_states():
    """The other is zeros, as ONNX has it."""
    W, R, initial = drawn((1, 4 * H, N_IN), (1, 4 * H, H), (1, 1, H))
    found = from_onnx(W, R, initial_c=initial)
    np.testing.assert_array_equal(found[f"{KEY}c0"], initial[0, 0])
    assert found[f"{KEY}h0"].tolist() == [0] * H


# ---- PyTorch, in whole networks ------------------------------------------------------------------


def network(cell, sizes=(4,), bidirectional=False, dtype="float64"):
    """A fitted network of this shape, and sequences."""
    rng = np.random.default_rng(2)
    X = [rng.standard_normal((n, N_IN)) for n in (4, 9, 1, 6)]
    tagger = LSTMSequenceTagger(
        sizes, cell=cell, bidirectional=bidirectional, max_iter=1, dtype=dtype, random_state=0
    )
    return tagger.fit(X, [np.arange(len(x)) % 3 for x in X]), X


def top_states(model, X):
    encoder = LSTMEncoder(estimator=FrozenEstimator(model), pooling="steps")
    return encoder.fit(X).transform(X)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("n_layers, bidirectional", [(1, False), (2, True)])
@pytest.mark.parametrize(
    "name, cell", [("LSTM", "lstm"), ("GRU", "gru"), ("RNN", "rnn"), ("RNN", "relu")]
)
def test_torch(name, cell, n_layers, bidirectional, bias):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    more = {"nonlinearity": "relu"} if cell == "relu" else {}
    cell = RNN("relu") if cell == "relu" else cell

    def module(bias):
        return getattr(torch.nn, name)(
            N_IN, 4, n_layers, bidirectional=bidirectional, bias=bias, dtype=torch.float64, **more
        )

    theirs = module(bias)
    ours, X = network(cell, (4,) * n_layers, bidirectional)
    before = {n: v.copy() for n, v in ours.parameters_.items()}
    loaded = with_parameters(ours, from_torch(theirs.state_dict()))
    with torch.no_grad():
        expected = [theirs(torch.from_numpy(x))[0].numpy() for x in X]
    for found, states in zip(top_states(loaded, X), expected, strict=True):
        close(found, states)
    assert all(np.array_equal(before[n], v) for n, v in ours.parameters_.items())

    state = {n: torch.from_numpy(v) for n, v in to_torch(loaded.parameters_, cell).items()}
    again = module(bias=True)  # what comes from here has biases
    again.load_state_dict(state)
    with torch.no_grad():
        for x, states in zip(X, expected, strict=True):
            close(again(torch.from_numpy(x))[0].numpy(), states)


def test_torch_of_a_larger_module():
    torch = pytest.importorskip("torch")
    module = torch.nn.ModuleDict({"lstm": torch.nn.LSTM(3, 2), "linear": torch.nn.Linear(2, 1)})
    found = from_torch(dict(module.named_parameters()), prefix="lstm.")  # these require gradients
    assert set(found) == {f"{KEY}{n}" for n in "WUb"}
    with pytest.raises(ValueError, match=r"'linear.weight' is no parameter of a recurrent layer"):
        from_torch({"weight_ih_l0": np.ones((8, 3)), "linear.weight": np.ones((1, 2))})


def test_torch_in_bfloat16():
    torch = pytest.importorskip("torch")
    module = torch.nn.LSTM(3, 2, dtype=torch.bfloat16)
    found = from_torch(module.state_dict())
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}
    expected = from_torch(module.float().state_dict())  # the same numbers, with room for more
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


# ---- into an estimator ---------------------------------------------------------------------------


def test_with_parameters_goes_on_from_them():
    rng = np.random.default_rng(0)
    X, y = [rng.standard_normal((n, 2)) for n in (3, 5, 4, 6)], ["a", "b", "a", "b"]
    first, second = (
        LSTMClassifier((4,), max_iter=2, warm_start=True, random_state=seed).fit(X, y)
        for seed in (0, 1)
    )
    changed = with_parameters(first, second.parameters_)
    np.testing.assert_array_equal(changed.predict_proba(X), second.predict_proba(X))
    assert changed.parameters_["output.W"] is not second.parameters_["output.W"]
    loss = second.fit(X, y).loss_curve_[2]
    assert changed.fit(X, y).loss_curve_[2] == loss  # and not where `first` had been
    assert first.fit(X, y).loss_curve_[2] != loss


def test_with_some_parameters():
    ours, X = network("gru", dtype="float32")
    changed = with_parameters(ours, {f"{KEY}b_n": np.arange(4.0)})
    assert changed.parameters_[f"{KEY}b_n"].dtype == np.float32
    assert changed.parameters_[f"{KEY}b_n"].tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(changed.parameters_[f"{KEY}W"], ours.parameters_[f"{KEY}W"])
    assert not np.array_equal(top_states(changed, X)[0], top_states(ours, X)[0])
    whole = with_parameters(ours, {"output.b": [1, -2, 3]}).parameters_["output.b"]
    assert whole.dtype == np.float32 and whole.tolist() == [1, -2, 3]


def test_settings_are_not_shared():
    _, X = network("lstm")
    first = LSTMClassifier(
        (2,), cell=LSTM(), solver=SGD(), schedule=StepDecay(), max_iter=1,
        random_state=np.random.RandomState(0),
    ).fit(X, [0, 1, 0, 1])  # fmt: skip
    before = repr(first)
    changed = with_parameters(first, {})
    assert changed.random_state is not first.random_state
    changed.set_params(solver__momentum=0.0, cell__peephole=True, schedule__every=3)
    assert repr(first) == before and repr(changed) != before
    weighted = LSTMClassifier((2,), class_weight={0: 1, 1: 2}, max_iter=1).fit(X, [0, 1, 0, 1])
    assert with_parameters(weighted, {}).class_weight is not weighted.class_weight


def test_what_was_fitted_is_not_shared():
    _, X = network("lstm")
    first = LSTMClassifier((2,), record=["loss"], max_iter=2).fit(X, list("abab"))
    kept = {name: np.copy(value) for name, value in first.record_.items()}
    changed = with_parameters(first, {})
    changed.classes_[:] = "z"
    changed.loss_curve_.append(0.0)
    changed.parameters_["output.b"][:] = 7
    changed.record_["loss"][:] = 7
    assert first.classes_.tolist() == ["a", "b"] and len(first.loss_curve_) == 2
    assert not (first.parameters_["output.b"] == 7).any()
    assert first.record_["loss"].tolist() == kept["loss"].tolist()


def test_settings_that_cannot_be_copied_are_shared():
    """Such as a scoring that holds a lock, or a file."""
    _, X = network("lstm")
    scoring = partial(isinstance, threading.Lock())
    first = LSTMClassifier((2,), scoring=scoring, max_iter=1).fit(X, [0, 1, 0, 1])
    assert with_parameters(first, {}).scoring is scoring


# ---- what is refused -----------------------------------------------------------------------------

GOOD = {f"{KEY}W": np.ones((3, 8)), f"{KEY}U": np.ones((2, 8)), f"{KEY}b": np.ones(8)}
ROWS = {"weight_ih_l0": np.ones((8, 3)), "weight_hh_l0": np.ones((8, 2))}
FIRST = {f"{KEY}h0": np.ones(2), f"{KEY}c0": np.ones(2)}
BOTH = GOOD | {n.replace("for", "back"): v for n, v in GOOD.items()}


def layer(number, n_in, n_units, key="forward"):
    """Canonical parameters of an LSTM."""
    shapes = {"W": (n_in, 4 * n_units), "U": (n_units, 4 * n_units), "b": 4 * n_units}
    return {f"layer_{number}.{key}.{name}": np.ones(shape) for name, shape in shapes.items()}


def rows(suffix, n_columns, n_in, n_units):
    """PyTorch's weights of one direction of a layer."""
    shapes = {"ih": (n_columns, n_in), "hh": (n_columns, n_units)}
    return {f"weight_{name}{suffix}": np.ones(shape) for name, shape in shapes.items()}


def gru():
    W, U, b, b_n = drawn((3, 6), (2, 6), 6, 2)
    return {f"{KEY}W": W, f"{KEY}U": U, f"{KEY}b": b, f"{KEY}b_n": b_n}


def peepholes(*shape, key="forward"):
    return {f"layer_0.{key}.p": np.ones(shape)}


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: from_torch({}), 'state has no "weight_ih_l0"'),
        (lambda: from_torch({"weight_ih_l0": np.ones((8, 3))}), r"\['weight_hh_l0'\] are missing"),
        (lambda: from_torch(ROWS | {"weight_hr_l0": np.ones((8, 2))}), "weight_hr_l0' is no"),
        (lambda: from_torch(ROWS | {"bias_ih_l0": np.ones(7), "bias_hh_l0": np.ones(7)}), r"bias has shape \(7,\).*\(8,\)"),
        (lambda: from_torch(ROWS | {"weight_hh_l0": np.ones((6, 2))}), r"\(3, 8\).*\(2, 6\)"),
        (lambda: from_torch(ROWS | {"weight_hh_l0": np.ones((8, 4))}), "4 or 3 or 1 times"),
        (lambda: from_torch(ROWS | {"bias_ih_l0": np.arange(8)}), "bias_ih_l0 has dtype int64"),
        (lambda: from_char_rnn(*drawn((6, 3), 6, (6, 2), 6)), "expected 4 times as many columns"),
        (lambda: from_keras([np.ones((3, 8))]), "there are 1 arrays"),
        (lambda: from_keras(drawn((3, 6), (2, 6), (3, 6))), r"\(3, 6\); expected \(2, 3"),
        (lambda: from_onnx(np.ones((8, 3)), np.ones((8, 2))), "expected three dimensions"),
        (lambda: from_onnx(*drawn((1, 8, 3), (1, 8, 2), (1, 8))), r"B has .* expected \(1, 16\)"),
        (lambda: from_onnx(*drawn((1, 6, 3), (1, 6, 2)), P=np.ones((1, 6))), "beside an LSTM only"),
        (lambda: to_torch({}), "there is no layer_0.forward.W"),
        (lambda: to_torch({f"{KEY}W": np.ones((3, 8))}), r"\['U', 'b'\] are missing"),
        (lambda: to_torch(GOOD, "gru"), r"has \['U', 'W', 'b'\]; expected \['U', 'W', 'b', 'b_n'\]"),
        (lambda: to_torch(GOOD, "rnn"), r"W has shape \(3, 8\); expected \(3, 2\) for RNN\(\)"),
        (lambda: to_torch(GOOD | {f"{KEY}b": np.ones(7)}), r"b has shape \(7,\); expected \(8,\)"),
        (lambda: to_torch(GOOD | {f"{KEY}b_n": np.ones(2)}), r"'b_n'\]; expected \['U', 'W', 'b'\]"),
        (lambda: to_torch(GOOD | {f"{KEY}h0": np.ones(2)}), r"'h0'\]; expected \['U', 'W', 'b'\]"),
        (lambda: to_torch(GOOD | FIRST), r'leave out the names that end in "\.h0" and "\.c0", and pass'),
        (lambda: to_keras(GOOD | FIRST), r'leave out the names that end in "\.h0" and "\.c0", and pass'),
        (lambda: to_onnx(GOOD | {f"{KEY}h0": np.ones(2)}), r"'h0'\]; expected \['U', 'W', 'b', 'c0', 'h0'"),
        (lambda: to_onnx(gru() | FIRST, "gru"), r"'h0'\]; expected \['U', 'W', 'b', 'b_n', 'h0'\]"),
        (lambda: from_onnx(*drawn((1, 8, 3), (1, 8, 2)), initial_h=np.ones((1, 5, 2))), r"expected \(1, 1, 2\)"),
        (lambda: from_onnx(*drawn((1, 6, 3), (1, 6, 2)), initial_c=np.ones((1, 1, 2))), "beside an LSTM"),
        (lambda: to_torch(GOOD, LSTM(peephole=True)), "expected peephole=False"),
        (lambda: to_torch(GOOD, LSTM(activation="relu")), "expected activation='tanh'"),
        (lambda: to_torch(GOOD, GRU(reset_after=False)), "expected reset_after=True"),
        (lambda: to_keras(GOOD, LSTM(forget_gate=False)), "expected forget_gate=True"),
        (lambda: to_keras(GOOD, layer=1), "there is no layer_1.forward.W"),
        (lambda: to_onnx(GOOD, LSTM(layer_norm=True)), "expected layer_norm=False"),
        (lambda: to_char_rnn(BOTH), "two"),
        (lambda: to_torch(GOOD | layer(1, 2, 3)), r"layer_1.* 3 units, .* expected 2 and 2: the lay"),
        (lambda: to_torch(GOOD | layer(1, 3, 2)), "layer_1.forward has 3 inputs .* expected 2 and 2"),
        (lambda: to_torch(BOTH | layer(1, 4, 2)), "layer_1 has 1 directions; expected 2 as layer_0"),
        (lambda: to_keras(GOOD | layer(0, 3, 3, "backward")), r"\(3, 8\) and .*ward.W \(3, 12\)"),
        (lambda: to_onnx(GOOD, LSTM(peephole=True)), r"\['U', 'W', 'b'\]; expected \['U', 'W', 'b', 'p"),
        (lambda: to_onnx(GOOD | peepholes(3)), r"p has shape \(3,\); expected \(6,\) for LSTM\(\)"),
        (lambda: to_onnx(BOTH | peepholes(6, key="backward")), r"layer_0.forward has \['U', 'W', 'b'\];"),
        (lambda: to_onnx(gru() | peepholes(6), "gru"), r"'p'\]; expected \['U', 'W', 'b', 'b_n'\]"),
        (lambda: from_torch(ROWS | rows("_l0_reverse", 12, 5, 3)), r"forward.W has shape \(3, 8\) and .*\(5, 12\)"),
        (lambda: from_torch(ROWS | rows("_l1", 6, 7, 2)), "layer_1.forward has 7 inputs .* expected 2 and 2"),
        (lambda: from_torch(ROWS | rows("_l1", 6, 2, 2)), r"layer_1.forward.U has shape \(2, 6\); expected \(2, 8\)"),
        (lambda: to_torch(GOOD | {f"{KEY}W": np.float64(1)}), r"forward.W has shape \(\); expected a matrix"),
        (lambda: to_torch(GOOD | {f"{KEY}U": np.float64(1)}), r"forward.U has shape \(\); expected a matrix"),
        (lambda: from_keras([[[1.0], [2.0, 3.0]], np.ones(1)]), r"weights\[0\] is ragged; expected an array"),
        (lambda: from_keras(drawn((3, 8), (2, 8), (2, 16), (4, 16))), "one layer at a time"),
        (lambda: from_keras(drawn((3, 8), (2, 8), 8, (2, 8), (2, 8), 8)), r"\(3, 8\) and .*\(2, 8\)"),
    ],
)  # fmt: skip
def test_formats_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("number", [None, -1, "a", 1.5, True])
@pytest.mark.parametrize(
    "call",
    [
        lambda k: from_keras(drawn((3, 8), (2, 8)), layer=k),
        lambda k: from_onnx(*drawn((1, 8, 3), (1, 8, 2)), layer=k),
        lambda k: from_char_rnn(*drawn((8, 3), 8, (8, 2), 8), layer=k),
        lambda k: to_keras(GOOD, layer=k),
    ],
    ids=["keras", "onnx", "char-rnn", "to keras"],
)
def test_layers_have_numbers(call, number):
    with pytest.raises(ValueError, match=f"^layer is {number!r}; expected a whole number"):
        call(number)


@pytest.mark.parametrize("left_out", ["_l0", "_l1_reverse", "l0_rev", "bias_hh", "bias_ih_l1_rev"])
def test_torch_names_that_are_missing(left_out):
    state = {
        f"lstm.{kind}_{source}_l{number}{suffix}": np.ones((8, 4) if kind == "weight" else 8)
        for number in range(2)
        for suffix in ("", "_reverse")
        for kind in ("weight", "bias")
        for source in ("ih", "hh")
    }
    missing = [name for name in state if left_out in name]
    some = {name: value for name, value in state.items() if name not in missing}
    with pytest.raises(ValueError, match=rf"^{re.escape(str(missing))} are missing; expected"):
        from_torch(some, prefix="lstm.")


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"output.V": np.ones(2)}, r"\['output.V'\] are no parameters of this estimator; it has"),
        ({"output.b": np.ones(2)}, r"output.b has shape \(2,\); expected \(3,\)"),
        (
            {"output.b": np.array([0, np.inf, 0])},
            "output.b has numbers that are not finite in float32",
        ),
        (
            {"output.b": np.array([0, 1e300, 0])},
            "output.b has numbers that are not finite in float32",
        ),
        ({"output.b": [True, False, True]}, "output.b has dtype bool; expected real numbers"),
        ({"output.b": [0, 1j, 2]}, "output.b has dtype complex128; expected real numbers"),
        ({"output.b": [[1], [2, 3]]}, "output.b is ragged; expected an array of numbers"),
        ({"output.b": ["0", "1", "2"]}, "output.b has dtype <U1; expected real numbers"),
    ],
)
def test_an_estimator_refuses(parameters, message):
    model, _ = network("lstm", dtype="float32")
    with pytest.raises(ValueError, match=message):
        with_parameters(model, parameters)


def test_what_is_no_dict_is_refused():
    model, _ = network("lstm")
    with pytest.raises(TypeError, match="parameters is a list; expected a dict of canonical"):
        with_parameters(model, [1])
    for call in (
        lambda: from_torch(ROWS | {0: 1}),
        lambda: to_torch(GOOD | {0: 1}),
        lambda: with_parameters(model, {0: 1, "output.b": [0, 0, 0]}),
    ):
        with pytest.raises(TypeError, match=r"has the key 0, no name; expected .*dict of"):
            call()
    with pytest.raises(TypeError, match="prefix is None; expected a string"):
        from_torch(ROWS, prefix=None)
    with pytest.raises(TypeError, match="weights is a NoneType; expected a list of arrays"):
        from_keras(None)
    for to_format in (to_torch, to_keras, to_onnx, to_char_rnn):
        with pytest.raises(TypeError, match="parameters is a LSTMSequenceTagger; expected a dict"):
            to_format(model)
    with pytest.raises(
        TypeError, match=r"state is a LSTMSequenceTagger; expected module.state_dict\(\)"
    ):
        from_torch(model)
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"state is a LSTM; expected module.state_dict\(\)"):
        from_torch(torch.nn.LSTM(3, 2))


def test_an_estimator_without_a_network_refuses():
    _, X = network("lstm")
    around = LSTMEncoder(estimator=LSTMClassifier((2,), max_iter=1)).fit(X, [0, 1, 0, 1])
    with pytest.raises(TypeError, match="without parameters_"):
        with_parameters(around, {})


def test_an_onnx_gru_is_reset_before_the_product_unless_it_is_said():
    W, R = np.random.default_rng(0).normal(size=(1, 9, 2)), np.ones((1, 9, 3))
    plain, said = from_onnx(W, R), from_onnx(W, R, linear_before_reset=False)
    assert plain.keys() == said.keys() != from_onnx(W, R, linear_before_reset=True).keys()


def test_a_copy_with_parameters_draws_numbers_of_its_own():
    X, y = [np.ones((3, 2)), np.zeros((2, 2))] * 3, [0, 1] * 3
    model = LSTMClassifier((2,), max_iter=1, random_state=np.random.RandomState(0)).fit(X, y)
    assert with_parameters(model, {}).random_state is not model.random_state
