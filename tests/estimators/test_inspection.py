"""What a network does with one sequence: states and gates equal the naive cells', gradients those of
central differences.
"""

import naive_cells
import naive_lstm_options
import naive_network
import numpy as np
import pytest
from estimator_helpers import NETWORKS, SMALL, ragged, small
from gradcheck import assert_gradient, relative_error
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from seqlearn_lstm import (
    LSTMClassifier,
    LSTMEncoder,
    LSTMLanguageModel,
    LSTMRegressor,
    LSTMSequenceTagger,
)
from seqlearn_lstm.cells import GRU, LSTM
from seqlearn_lstm.inspection import saliency, states
from seqlearn_lstm.preprocessing import PerStep
from seqlearn_lstm.symbols import END

X, Y = ragged()
LONGEST = max(X, key=len)
WORDS = [["a", "b", "c"], ["c", "a"], ["b", "b", "a", "c"]] * 4
CELLS = {
    "LSTM": "lstm",
    "peepholes": LSTM(peephole=True),
    "no forget gate": LSTM(forget_gate=False),
    "layer normalisation": LSTM(layer_norm=True),
    "relu": LSTM(activation="relu"),
    "all options": LSTM(peephole=True, forget_gate=False, layer_norm=True, activation="sigmoid"),
    "GRU": "gru",
    "GRU as published": GRU(reset_after=False),
    "RNN": "rnn",
}
LETTERS = {"lstm": ["h", "c", "i", "f", "g", "o"], "gru": ["h", "r", "u", "n"], "rnn": ["h"]}


# ---- the naive network, with its gates -----------------------------------------------------------


def naive_lstm(x, part, settings):
    """{letter: (T, H)} of an LSTM with the parameters `part`."""
    H = len(part["U"])
    options = naive_lstm_options.Options(
        peephole=settings["peephole"],
        forget_gate=settings["forget_gate"],
        layer_norm=settings["layer_norm"],
        activation=settings["activation"],
        output_activation=settings["activation"],
    )
    whole = {name: np.zeros(n * H) for name, n in (("p", 3), ("gain", 4))}
    whole |= {"cell_gain": np.zeros(H), "cell_shift": np.zeros(H), **part}
    if not options.forget_gate:
        for name in set(part) & {"W", "U", "b", "p", "gain"}:
            whole[name] = np.insert(part[name], [H] * H, 0.0, axis=-1)
    names = naive_lstm_options.Parameters.names()
    theta = naive_lstm_options.Parameters(*(whole[name] for name in names))
    zeros = np.zeros(H)
    start = (part.get("h0", zeros), part.get("c0", zeros))
    done = naive_lstm_options.steps(x, *start, theta, options, np.ones(H))
    found = {"h": np.array([s.h for s in done]), "c": np.array([s.c for s in done])}
    found |= dict(zip("ifgo", np.array([s.gates for s in done]).swapaxes(0, 1), strict=True))
    if not options.forget_gate:
        del found["f"]
    return found


def naive_gru(x, part, settings):
    weights = part["W"], part["U"], part["b"], part.get("b_n")
    hs = naive_cells.gru(x, part.get("h0", np.zeros(len(part["U"]))), *weights, 1.0)
    steps = [naive_cells.gru_gates(x_t, h, *weights)[:3] for x_t, h in zip(x, hs, strict=False)]
    return {"h": hs[1:]} | dict(zip("run", np.array(steps).swapaxes(0, 1), strict=True))


def naive_rnn(x, part, settings):
    h0 = part.get("h0", np.zeros(len(part["U"])))
    weights = part["W"], part["U"], part["b"]
    return {"h": naive_cells.rnn(x, h0, *weights, 1.0, settings["activation"])[1:]}


NAIVE = {"lstm": naive_lstm, "gru": naive_gru, "rnn": naive_rnn}


def expected_states(model, steps):
    """For each layer, {direction: {letter: (T, H)}}, in the order of time; `steps` as the network's
    inputs.
    """
    parameters, found = model.parameters_, []
    steps = np.asarray(steps, np.float64)
    if "projection.W" in parameters:
        steps = steps @ parameters["projection.W"] + parameters["projection.b"]
    cell, settings = model._architecture["cell"]
    for layer in range(len(model._architecture["hidden_layer_sizes"])):
        found.append({})
        for direction, order in (("forward", 1), ("backward", -1)):
            part = naive_network.of_part(parameters, f"layer_{layer}.{direction}")
            if part:
                part = {name: np.asarray(value, np.float64) for name, value in part.items()}
                arrays = NAIVE[cell](steps[::order], part, settings)
                found[-1][direction] = {name: value[::order] for name, value in arrays.items()}
        steps = np.hstack([arrays["h"] for arrays in found[-1].values()])
    return found


def check_states(model, x, steps, bound):
    for layer, directions in enumerate(expected_states(model, steps)):
        for direction, arrays in directions.items():
            found = states(model, x, layer=layer, direction=direction)
            assert list(found.activations) == list(arrays)
            for name, values in arrays.items():
                ours = found.activations[name]
                assert ours.dtype == model.dtype
                assert relative_error(ours, values) <= bound, name


# ---- states and gates ----------------------------------------------------------------------------


@pytest.mark.parametrize("params", NETWORKS.values(), ids=NETWORKS.keys())
def test_states_of_networks_equal_naive(params):
    model = small(**params).fit(X, Y)
    check_states(model, LONGEST, LONGEST, 1e-12 if model.dtype == "float64" else 2e-6)


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
@pytest.mark.parametrize("dtype, bound", [("float64", 1e-12), ("float32", 5e-6)])
def test_states_and_gates_of_cells_equal_naive(cell, dtype, bound):
    """In both directions; 37 units are several panels of gates, the last one narrow."""
    model = small(cell=cell, hidden_layer_sizes=(5, 37), bidirectional=True, dtype=dtype)
    model.fit(X, Y)
    check_states(model, LONGEST, LONGEST, bound)
    letters = LETTERS[model._architecture["cell"][0]]
    if getattr(cell, "forget_gate", True) is False:
        letters = [letter for letter in letters if letter != "f"]
    assert list(states(model, LONGEST).activations) == letters


def test_states_are_those_that_the_encoder_hands_out():
    model = small(bidirectional=True).fit(X, Y)
    encoder = LSTMEncoder(estimator=FrozenEstimator(model), pooling="steps", states="both").fit(X)
    both = [states(model, LONGEST, direction=name).activations for name in ("forward", "backward")]
    ours = np.hstack([arrays[kind] for kind in "hc" for arrays in both])
    assert ours.tobytes() == encoder.transform([LONGEST])[0].tobytes()
    assert states(encoder, LONGEST).activations["h"].tobytes() == both[0]["h"].tobytes()


def test_states_of_symbols():
    model = small(embedding_dim=4, input_projection=3, dtype="float64").fit(WORDS, [0, 1, 0] * 4)
    word = ["c", "never seen", "a"]
    codes = [model.vocabulary_.symbols.index(s) for s in ("c", None, "a")]
    check_states(model, word, model.parameters_["embedding.W"][codes], 1e-12)
    assert states(model, word).symbols == word
    assert states(model, np.array(word)).symbols == word
    letters = small(embedding_dim=4).fit(["abba", "bab"] * 4, [0, 1] * 4)
    assert states(letters, "bxa").symbols == ["b", "x", "a"]


def test_states_that_are_handed_on():
    """The rest of a sequence, from the states that its beginning leaves."""
    model = small(hidden_layer_sizes=(4, 3)).fit(X, Y)
    whole = states(model, LONGEST).activations
    begun = model.final_states([LONGEST[:5]])
    rest = states(model, LONGEST[5:], initial_states=begun).activations
    for name, values in rest.items():
        np.testing.assert_array_equal(values, whole[name][5:])


@pytest.mark.parametrize("truncate, kept", [("pre", slice(-4, None)), ("post", slice(4))])
def test_what_max_timesteps_cuts_off(truncate, kept):
    model = small(max_timesteps=4, truncate=truncate).fit(X, Y)
    found = states(model, LONGEST)
    assert found.steps.tolist() == [*range(len(LONGEST))][kept]
    assert found.n_timesteps == len(LONGEST)
    alone = states(model, LONGEST[kept]).activations["h"]
    assert found.activations["h"].tobytes() == alone.tobytes()
    words = small(embedding_dim=3, max_timesteps=4, truncate=truncate).fit(WORDS, [0, 1, 0] * 4)
    assert states(words, list("abcabc")).symbols == list("abcabc")[kept]
    tagger = LSTMSequenceTagger(**SMALL, max_timesteps=4).fit(X, [np.sign(x[:, 0]) for x in X])
    assert len(states(tagger, LONGEST).steps) == len(LONGEST)  # as predict, which cuts none here


FORMS = {
    "array": lambda x: x,
    "lists": lambda x: x.tolist(),
    "data frame": lambda x: pytest.importorskip("pandas").DataFrame(x),
    "read only": lambda x: np.lib.stride_tricks.as_strided(x, writeable=False),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_forms_of_one_sequence(form):
    model, x = small().fit(X, Y), LONGEST.astype(np.float64)
    for look in (states, saliency):
        assert same(look(model, form(x)), look(model, x))


def same(a, b):
    return all(
        np.array_equal(a[name], b[name])
        if name != "activations"
        else all(np.array_equal(a[name][kind], b[name][kind]) for kind in a[name])
        for name in a
    )


def test_a_sequence_of_one_feature():
    """Fitted on a table or on lists, a flat x is one sequence; for a tagger, too."""
    table = np.random.default_rng(0).standard_normal((20, 6))
    model = small().fit(table, table[:, 0] > 0)
    expected = saliency(model, table[0])
    assert expected.gradient.shape == (6, 1)
    for x in (table[0].tolist(), table[0][:, None]):
        assert same(saliency(model, x), expected)
    score = model.decision_function(table[:1])[0]
    other = saliency(model, table[0], target=True).score
    assert other - saliency(model, table[0], target=False).score == pytest.approx(score, rel=1e-5)
    tagger = LSTMSequenceTagger(**SMALL).fit(list(table), list(table > 0))
    assert states(tagger, table[0].tolist()).activations["h"].shape == (6, 6)
    scaled = make_pipeline(StandardScaler(), small()).fit(table, table[:, 0] > 0)
    inputs = saliency(scaled, table[0]).inputs
    np.testing.assert_allclose(inputs[:, 0], scaled[0].transform(table[:1])[0], rtol=1e-6)


# ---- the gradient of a prediction ----------------------------------------------------------------


def check_moved(score, x, gradient):
    """`gradient` is that of ``score([x])`` at x."""
    x = np.array(x, np.float64)
    assert_gradient(lambda: score([x]), x, gradient)


WAYS = {
    "stack": dict(hidden_layer_sizes=(5, 4)),
    "bidirectional stack": dict(hidden_layer_sizes=(5, 18), bidirectional=True),
    "projection": dict(input_projection=7, initial_state="learned"),
    "bidirectional projection": dict(input_projection=4, bidirectional=True),
    "dropout counts for nothing": dict(dropout=0.3, input_dropout=0.3, recurrent_dropout=0.3),
}


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("params", WAYS.values(), ids=WAYS.keys())
def test_gradient_of_a_class(params, pooling):
    model = small(**params, pooling=pooling, dtype="float64").fit(X, Y)
    for number, label in enumerate(model.classes_):
        found = saliency(model, LONGEST, target=label)
        assert found.target == label
        assert found.score == model.decision_function([LONGEST.astype(float)])[0, number]
        check_moved(lambda x, k=number: model.decision_function(x)[0, k], LONGEST, found.gradient)
    assert saliency(model, LONGEST).target == model.predict([LONGEST])[0]


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
def test_gradient_of_every_cell(cell):
    model = small(cell=cell, bidirectional=True, dtype="float64").fit(X, Y)
    gradient = saliency(model, LONGEST, target=1).gradient
    check_moved(lambda x: model.decision_function(x)[0, 1], LONGEST, gradient)


@pytest.mark.parametrize("params", WAYS.values(), ids=WAYS.keys())
def test_gradient_of_outputs(params):
    targets = [x[:, :2].mean(axis=0) for x in X]
    model = LSTMRegressor(**SMALL | params, dtype="float64").fit(X, targets)
    for output in range(2):
        found = saliency(model, LONGEST, target=output)
        assert found.score == model.predict([LONGEST.astype(float)])[0, output]
        check_moved(lambda x, k=output: model.predict(x)[0, k], LONGEST, found.gradient)
    single = LSTMRegressor(**SMALL | params, dtype="float64").fit(X, [x.mean() for x in X])
    check_moved(lambda x: single.predict(x)[0], LONGEST, saliency(single, LONGEST).gradient)


@pytest.mark.parametrize("params", WAYS.values(), ids=WAYS.keys())
def test_gradient_at_a_step(params):
    model = LSTMRegressor(**SMALL | params, target="step", dtype="float64")
    model.fit(X, [x.cumsum(axis=0) for x in X])
    for step in (0, 4, -1):
        found = saliency(model, LONGEST, target=2, step=step)
        assert found.step == step % len(LONGEST)
        check_moved(lambda x, t=step: model.predict(x)[0][t, 2], LONGEST, found.gradient)
        if not params.get("bidirectional"):
            assert not found.gradient[found.step + 1 :].any()
    assert saliency(model, LONGEST, target=2).step == len(LONGEST) - 1


@pytest.mark.parametrize("bidirectional", [False, True])
def test_gradient_of_a_tag(bidirectional):
    """Of the score before the softmax; so the differences of two scores are held against those of
    the logarithms of probabilities.
    """
    tagger = LSTMSequenceTagger(**SMALL, bidirectional=bidirectional, dtype="float64")
    tagger.fit(X, [np.sign(x[:, 0]).astype(int) + 2 for x in X])
    a, b = (saliency(tagger, LONGEST, target=label, step=5) for label in tagger.classes_[:2])

    def difference(x):
        return np.subtract(*np.log(tagger.predict_proba(x)[0][5, :2]))

    assert a.score - b.score == pytest.approx(difference([LONGEST.astype(float)]), rel=1e-12)
    check_moved(difference, LONGEST, a.gradient - b.gradient)
    assert saliency(tagger, LONGEST, step=5).target == tagger.predict([LONGEST])[0][5]


@pytest.mark.parametrize("more", [{}, {"input_projection": 3}, {"bidirectional": True}], ids=str)
def test_gradient_at_symbols(more):
    """A symbol that stands in one place: its gradient is that of its row of the embedding."""
    model = small(embedding_dim=5, dtype="float64", **more).fit(WORDS, [0, 1, 0] * 4)
    word = ["c", "a", "never seen", "b"]
    found = saliency(model, word, target=1)
    table = model.parameters_["embedding.W"]
    score = lambda: -model.decision_function([word])[0]  # noqa: E731
    rows = [model.vocabulary_.symbols.index(s) for s in ("c", "a", None, "b")]
    np.testing.assert_array_equal(found.inputs, table[rows])
    difference = saliency(model, word, target=0).gradient - found.gradient
    at_table = np.zeros_like(table)
    at_table[rows] = difference
    assert_gradient(score, table, at_table)
    np.testing.assert_allclose(found.saliency[:, 0], np.linalg.norm(found.gradient, axis=1))


@pytest.mark.parametrize("X", ["abacus abaci", ["ab", "abc", "xyz"]], ids=["stream", "ends"])
def test_a_language_model_predicts_no_symbol_that_cannot_come(X):
    """Neither the unknown one, likely as it is, nor an end where none was learned."""
    model = LSTMLanguageModel(**SMALL, embedding_dim=3, min_count=2).fit(X)
    model.parameters_["output.b"][[0, -1] if isinstance(X, str) else 0] = 50
    found = saliency(model, "ab")
    assert found.target == model.predict(["ab"])[0] is not None
    assert found.target != END or model._ends


@pytest.mark.parametrize("x", ["", [], np.array([], dtype=str)], ids=["str", "list", "array"])
def test_before_a_language_model_has_read_a_symbol(x):
    """It reads the mark of the beginning alone; other estimators have nothing to read."""
    model = LSTMLanguageModel(**SMALL, embedding_dim=3).fit(["ab", "abc"])
    found = states(model, x)
    assert found.symbols == [END]
    assert found.activations["h"].tobytes() == states(model, "ab").activations["h"][:1].tobytes()
    found = saliency(model, x)
    assert (found.target, found.symbols) == (model.predict([x])[0], [END])
    with pytest.raises(ValueError, match="length 0; expected at least 1 symbol"):
        states(small(embedding_dim=3).fit(WORDS, [0, 1, 0] * 4), x)


def test_methods():
    model = small().fit(X, Y)
    plain = saliency(model, LONGEST)
    assert plain.method == "gradient"
    assert plain.saliency.tobytes() == plain.gradient.tobytes()
    np.testing.assert_array_equal(plain.inputs, LONGEST)
    times = saliency(model, LONGEST, method="times_input").saliency
    np.testing.assert_array_equal(times, plain.gradient * LONGEST)
    norm = saliency(model, LONGEST, method="norm").saliency
    np.testing.assert_allclose(norm, np.linalg.norm(plain.gradient, axis=1, keepdims=True))
    words = small(embedding_dim=5).fit(WORDS, [0, 1, 0] * 4)
    of_words = saliency(words, WORDS[0], method="times_input")
    whole = (of_words.gradient * of_words.inputs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(of_words.saliency, whole)
    assert saliency(words, WORDS[0], method="gradient").saliency.shape == (3, 5)


def test_gradient_from_given_states():
    model = small(dtype="float64").fit(X, Y)
    begun = model.final_states([LONGEST[:5]])
    found = saliency(model, LONGEST[5:], target=0, initial_states=begun)
    whole = saliency(model, LONGEST, target=0)
    np.testing.assert_allclose(found.gradient, whole.gradient[5:], rtol=1e-12, atol=1e-15)


def test_nothing_of_the_estimator_or_of_x_changes():
    model = small().fit(X, Y)
    before = {name: value.copy() for name, value in model.parameters_.items()}
    x = LONGEST.copy()
    found = [saliency(model, x), states(model, x)]
    found[0].inputs[:] = 0
    found[0].gradient[:] = 0
    found[1].activations["h"][:] = 0
    assert x.tobytes() == LONGEST.tobytes()
    assert all(np.array_equal(before[name], value) for name, value in model.parameters_.items())
    assert saliency(model, x).gradient.any()


# ---- others around, and errors -------------------------------------------------------------------


def test_the_estimator_within_others():
    scaled = make_pipeline(PerStep(StandardScaler()), small()).fit(X, Y)
    (inner,) = scaled[:-1].transform([LONGEST])
    expected = states(scaled[-1], inner).activations["h"]
    search = GridSearchCV(scaled, {"lstmclassifier__hidden_layer_sizes": [(6,)]}, cv=2).fit(X, Y)
    for model in (scaled, FrozenEstimator(scaled), search):
        assert states(model, LONGEST).activations["h"].tobytes() == expected.tobytes()
    np.testing.assert_allclose(saliency(scaled, LONGEST).inputs, inner, rtol=1e-6)
    targets = np.array([x.mean() for x in X])
    regressor = TransformedTargetRegressor(LSTMRegressor(**SMALL), transformer=StandardScaler())
    assert saliency(regressor.fit(X, targets), LONGEST).gradient.shape == LONGEST.shape


CLASSIFIER, REGRESSOR = small(), LSTMRegressor(**SMALL)
TAGGER, ALONE = LSTMSequenceTagger(**SMALL), LSTMEncoder(**SMALL)
BAD = {
    "layer": (states, CLASSIFIER, LONGEST, dict(layer=1), ValueError, "layer is 1; expected"),
    "no number": (states, CLASSIFIER, LONGEST, dict(layer=0.5), TypeError, "layer is 0.5; expected"),
    "direction": (
        states, CLASSIFIER, LONGEST, dict(direction="backward"), ValueError, "not bidirectional",
    ),
    "class": (
        saliency, CLASSIFIER, LONGEST, dict(target=7), ValueError, r"target is 7; .*\[0, 1, 2\]",
    ),
    "step": (saliency, CLASSIFIER, LONGEST, dict(step=3), ValueError, "step is 3, but .* one output"),
    "method": (saliency, CLASSIFIER, LONGEST, dict(method="l2"), ValueError, "method is 'l2'; expec"),
    "methods": (saliency, CLASSIFIER, LONGEST, dict(method=["norm"]), ValueError, r"is \['norm'\]; exp"),
    "classes": (
        saliency, CLASSIFIER, LONGEST, dict(target=np.array([1, 2])), ValueError,
        r"target is array\(\[1, 2\]\); expected one of the classes \[0, 1, 2\]",
    ),
    "output": (saliency, REGRESSOR, LONGEST, {}, ValueError, "target is None, but there are 2"),
    "late step": (saliency, TAGGER, X[0][:2], dict(step=2), ValueError, "step is 2; .* -2 to 1"),
    "features": (states, CLASSIFIER, LONGEST[:, :2], {}, ValueError, "X has 2 features"),
    "several": (states, CLASSIFIER, [LONGEST, LONGEST], {}, ValueError, "one sequence.* shape"),
    "ragged": (states, CLASSIFIER, X[:4], {}, ValueError, "x is read as one sequence.* ragged"),
    "no sequence": (states, CLASSIFIER, None, {}, TypeError, "x is read as one sequence"),
    "strings": (states, CLASSIFIER, ["a", "b"], {}, ValueError, "holds strings"),
    "no targets": (saliency, ALONE, LONGEST, {}, TypeError, "LSTMEncoder has learned without"),
    "initial": (
        states, CLASSIFIER, LONGEST, dict(initial_states=np.zeros((1, 3))), ValueError,
        r"expected \(1, 12\)",
    ),
    "not ours": (states, LogisticRegression(), LONGEST, {}, TypeError, "is a LogisticRegression"),
}  # fmt: skip


@pytest.mark.parametrize("look, model, x, params, error, message", BAD.values(), ids=BAD.keys())
def test_errors(look, model, x, params, error, message):
    if isinstance(model, LogisticRegression):
        model.fit([[0.0], [1.0]], [0, 1])
    else:
        tags = [np.sign(x[:, 0]) for x in X]
        targets = {LSTMRegressor: [x[0, :2] for x in X], LSTMSequenceTagger: tags}
        model.fit(X, targets.get(type(model), Y))
    with pytest.raises(error, match=message):
        look(model, x, **params)


def test_unfitted():
    for model in (LSTMClassifier(), make_pipeline(PerStep(StandardScaler()), LSTMClassifier())):
        with pytest.raises(NotFittedError):
            states(model, LONGEST)
    within = make_pipeline(LSTMEncoder(estimator=small()), LogisticRegression()).fit(X, Y)
    with pytest.raises(TypeError, match="Pipeline that ends in a LogisticRegression"):
        saliency(within, LONGEST)


def test_no_class_is_missing():
    NA = pytest.importorskip("pandas").NA
    with pytest.raises(
        ValueError, match=r"target is <NA>; expected one of the classes \[0, 1, 2\]"
    ):
        saliency(small().fit(X, Y), LONGEST, target=NA)


def test_a_search_without_an_estimator_says_so():
    search = GridSearchCV(small(), {"alpha": [0, 1]}, cv=2, refit=False).fit(X, Y)
    with pytest.raises(TypeError, match="GridSearchCV with refit=False, which keeps no fitted"):
        saliency(search, LONGEST)
