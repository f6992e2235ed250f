"""Symbols in place of numbers: vocabulary and embedding inside the estimators."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from estimator_helpers import SMALL, identical, same_fit, small
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from seqlearn_lstm import (
    LSTMClassifier,
    LSTMEncoder,
    LSTMLanguageModel,
    LSTMRegressor,
    LSTMSequenceTagger,
)
from seqlearn_lstm.batches import plan

WORDS = [f"w{number}" for number in range(30)]


def sentences(n=60, seed=0):
    """Random words; the first of them decide about a label: (lists of strings, labels)."""
    rng = np.random.default_rng(seed)
    X = [[WORDS[k] for k in rng.integers(0, 30, rng.integers(1, 12))] for _ in range(n)]
    return X, ["yes" if {"w0", "w1", "w2", "w3"} & set(x) else "no" for x in X]


X, Y = sentences()
TAGS = [["low" if int(word[1:]) < 15 else "high" for word in x] for x in X]
SYMBOLS = dict(SMALL, embedding_dim=5)
OPTIONS = {
    "default": {},
    "projection, bidirectional": dict(input_projection=4, bidirectional=True),
    "dropout": dict(dropout=0.2, input_dropout=0.2, embedding_dropout=0.2),
    "rare and long": dict(min_count=12, max_timesteps=4, embedding_dim=17),
}
options = pytest.mark.parametrize("params", OPTIONS.values(), ids=OPTIONS.keys())


def test_learns_words():
    model = small(embedding_dim=8, learning_rate=0.05, max_iter=40).fit(X, Y)
    assert model.score(X, Y) == 1
    assert model.parameters_["embedding.W"].shape == (len(model.vocabulary_), 8)
    assert sorted(model.vocabulary_.symbols[1:]) == sorted({word for x in X for word in x})
    assert model.n_features_in_ == 1


def test_strings_need_no_embedding_dim():
    model = small(max_iter=1).fit(X, Y)
    assert model.parameters_["embedding.W"].shape[1] == 64
    letters = small(max_iter=1).fit(["aab", "b", "ccb"], [0, 1, 1])
    assert letters.vocabulary_.symbols == [None, "b", "a", "c"]


def test_whole_numbers_are_symbols_where_an_embedding_is_asked_for():
    rng = np.random.default_rng(0)
    numbers = [rng.integers(0, 9, rng.integers(1, 8)) for _ in range(20)]
    model = small(embedding_dim=3).fit(numbers, np.arange(20) % 2)
    assert set(model.vocabulary_.symbols[1:]) == set(np.concatenate(numbers).tolist())
    assert np.isfinite(model.predict_proba(np.array([[1, 2], [77, 3]]))).all()


@pytest.mark.parametrize(
    "model, y",
    [
        (LSTMClassifier(**SYMBOLS), Y),
        (LSTMRegressor(**SYMBOLS), [float(len(x)) for x in X]),
        (LSTMRegressor(**SYMBOLS, target="step"), [[float(len(w)) for w in x] for x in X]),
        (LSTMSequenceTagger(**SYMBOLS), TAGS),
    ],
    ids=["classifier", "regressor", "regressor, steps", "tagger"],
)
@options
def test_promises(model, y, params):
    """Same bits alone and in a batch, for any number of threads, out of a pickle, in a clone."""
    model = clone(model).set_params(**params).fit(X, y)
    together = model.predict(X)
    for k in (0, 7, 31):
        assert identical(model.predict(X[k : k + 1])[0], together[k])
    two = clone(model).set_params(n_jobs=2).fit(X, y)
    assert same_fit(model, two)
    again = pickle.loads(pickle.dumps(model))
    assert all(identical(a, b) for a, b in zip(again.predict(X), together, strict=True))


def test_unknown_words_are_all_the_same():
    model = small(embedding_dim=4, min_count=2).fit([["a", "a", "b"], ["a", "c"]], [0, 1])
    assert model.vocabulary_.symbols == [None, "a"]
    scores = model.decision_function([["a", "b"], ["a", "never seen"], ["a", "c"]])
    assert len(set(scores)) == 1


def warned(call):
    """What a call warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(warning.message) for warning in caught]


def test_texts_in_place_of_words():
    """Once for all of them; it is no error, for any symbol may be unknown."""
    model = small(embedding_dim=3).fit(X, Y)
    texts = [" ".join(x) for x in X]
    expected = model.predict_proba([list(text) for text in texts])
    for form in (list, np.array, pd.Series):
        (message,) = warned(lambda form=form: model.predict(form(texts)))
        assert message.startswith("X holds strings") and "text.split()" in message
    with pytest.warns(UserWarning, match="X holds strings"):
        assert identical(model.predict_proba(texts), expected)
    (message,) = warned(lambda: small(embedding_dim=3).fit([*X, "w1 w2"], [*Y, "no"]))
    assert message.startswith("X holds strings")
    assert not warned(lambda: model.predict([*X, "w"]))  # a symbol by itself
    letters = small(embedding_dim=3).fit(texts, Y)
    assert not warned(lambda: letters.predict(["other texts", "x"]))


def test_a_text_in_place_of_words_for_a_language_model():
    model = LSTMLanguageModel(**SMALL).fit(X)
    for call in (model.score, model.predict, lambda text: model.predict_proba([text])):
        (message,) = warned(lambda call=call: call("w1 w2"))
        assert message.startswith("X holds strings")
    (message,) = warned(lambda: model.generate("w1 w2", 3))
    assert message.startswith("prime holds strings")
    assert not warned(lambda: model.generate(["w1", "w2"], 3))


def test_a_batch_moves_the_rows_of_its_own_symbols_only():
    model = small(embedding_dim=4, max_iter=1, batch_size=None, solver="sgd")
    start = small(embedding_dim=4, max_iter=1, batch_size=None, solver="sgd", learning_rate=1e-30)
    x, weights = [["a", "b"], ["c", "b"]], [1.0, 0.0]
    moved = model.fit(x, [0, 1], sample_weight=weights).parameters_["embedding.W"]
    before = start.fit(x, [0, 1], sample_weight=weights).parameters_["embedding.W"]
    changed = {
        symbol: not np.array_equal(new, old)
        for symbol, new, old in zip(model.vocabulary_.symbols, moved, before, strict=True)
    }
    assert changed == {None: False, "a": True, "b": True, "c": False}


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_lazy_updates_are_those_of_a_dense_table_where_all_symbols_occur(solver):
    """One-hot inputs and a linear projection are an embedding; so is what they learn."""
    rng = np.random.default_rng(0)
    codes = [rng.permutation(4) for _ in range(12)]
    y = np.arange(12) % 2
    params = dict(
        hidden_layer_sizes=(5,), solver=solver, dtype="float64", batch_size=6, max_iter=4,
        clip_norm=None, n_jobs=1, random_state=0,
    )  # fmt: skip
    embedded = LSTMClassifier(embedding_dim=3, **params)
    embedded.fit(codes, y)
    order = np.argsort(embedded.vocabulary_.symbols[1:])
    table = embedded.parameters_["embedding.W"][1:][order]
    # What a dense table does when each batch touches all of its rows, by hand:
    from seqlearn_lstm.heads import SoftmaxHead
    from seqlearn_lstm.kernels import get_backend
    from seqlearn_lstm.network import Network
    from seqlearn_lstm.randomness import Purpose, random_stream
    from seqlearn_lstm.solvers import make_solver

    kernels, head = get_backend("cpu"), SoftmaxHead(2)
    architecture = embedded._prepared(codes, None)[0].architecture
    network = Network(architecture, kernels, np.float64, 1)
    seed = int(np.random.RandomState(0).randint(np.iinfo(np.int32).max))
    rng = random_stream(seed, Purpose.INITIAL)
    network.set_parameters(network.initial_parameters(rng))
    sequences = embedded.vocabulary_.encode(codes)
    rule = make_solver(solver)
    state = rule.start(kernels, network.theta)
    dense = network.embedding.table.copy()
    table_state = rule.start(kernels, dense.reshape(-1))
    for epoch in range(4):
        shuffled = random_stream(seed, Purpose.SHUFFLE, epoch).permutation(12)
        for start in (0, 6):
            batch = plan(sequences.offsets, shuffled[start : start + 6])
            scores = network.forward(batch, sequences.rows, True)
            head.loss_and_gradient(kernels, scores, y[batch.members], np.ones(6))
            network.backpropagate(batch, scores)
            gradient = np.zeros_like(dense)
            gradient[network.embedding.touched] = network.embedding.gradient
            rule.step(kernels, network.theta, network.gradient, state, 1e-3, 1.0, 1)
            flat = dense.reshape(-1)
            rule.step(kernels, flat, gradient.reshape(-1), table_state, 1e-3, 1.0, 1)
            network.embedding.table[:] = dense
    np.testing.assert_allclose(table, dense[1:, :3][order], rtol=1e-12, atol=1e-15)


def test_long_sequences_are_cut():
    long, y = [["a"] * 5 + ["b"], ["b"] * 5 + ["a"]] * 10, [0, 1] * 10
    last = small(embedding_dim=3, max_timesteps=1, learning_rate=0.1, max_iter=30).fit(long, y)
    first = clone(last).set_params(truncate="post").fit(long, y)
    assert last.predict([["b"], ["a"]]).tolist() == [0, 1]
    assert first.predict([["b"], ["a"]]).tolist() == [1, 0]
    assert last.predict([["a", "b"], ["b", "a"]]).tolist() == [0, 1]
    tagger = LSTMSequenceTagger(**SYMBOLS, max_timesteps=2).fit(X, TAGS)
    assert [len(tags) for tags in tagger.predict(X)] == [len(x) for x in X]


def test_numbers_are_cut_alike():
    rng = np.random.default_rng(0)
    numbers = [rng.standard_normal((n, 2)) for n in (3, 8, 5, 1)]
    cut = small(max_timesteps=4).fit(numbers, [0, 1, 0, 1])
    by_hand = small().fit([x[-4:] for x in numbers], [0, 1, 0, 1])
    assert same_fit(cut, by_hand)
    assert cut.decision_function(numbers).tobytes() == (
        by_hand.decision_function([x[-4:] for x in numbers]).tobytes()
    )


def test_search_and_cross_validation():
    search = GridSearchCV(LSTMClassifier(**SYMBOLS), {"min_count": [1, 3]}, cv=2).fit(X, Y)
    assert set(search.cv_results_["param_min_count"]) == {1, 3}
    scores = cross_val_score(LSTMSequenceTagger(**SYMBOLS), X, TAGS, cv=3)
    assert scores.shape == (3,) and np.isfinite(scores).all()
    states = LSTMEncoder(estimator=LSTMClassifier(**SYMBOLS)).fit_transform(X, Y)
    assert states.shape == (60, 6)


@pytest.mark.parametrize(
    "x, lengths, error, message",
    [
        ([["a", None]], None, ValueError, "sequence 0 of X holds None.*time step 1"),
        ([["a"], []], None, ValueError, "sequence 1 of X has length 0"),
        ([["a", 1.5]], None, ValueError, "sequence 0 of X holds 1.5"),
        ([["a"]], [1], ValueError, "lengths was given with X of symbols"),
        ([], None, ValueError, "0 sequences"),
    ],
)
def test_errors(x, lengths, error, message):
    model = small(embedding_dim=4).fit(X, Y)
    before = dict(vars(model))
    with pytest.raises(error, match=message):
        model.fit(x, Y[: len(x)], lengths=lengths)
    with pytest.raises(error, match=message):
        model.predict(x, lengths=lengths)
    assert identical(vars(model), before)


def test_words_where_numbers_were_learned():
    model = small().fit([[[1.0, 2.0]], [[2.0, 1.0]]], [0, 1])
    with pytest.raises(ValueError, match="strings"):
        model.predict([["a", "b"]])
    assert not hasattr(small().fit(X, Y).fit([[[1.0]], [[2.0]]], [0, 1]), "vocabulary_")


def test_tags_of_equally_long_sequences():
    """Whole numbers as symbols are no concatenated rows."""
    table = np.array([[1, 2, 1], [2, 1, 1]] * 5)
    tagger = LSTMSequenceTagger(**SYMBOLS).fit(table, (table == 1).tolist())
    assert [len(tags) for tags in tagger.predict(table)] == [3] * 10
    assert tagger.predict_proba(table[:1])[0].shape == (3, 2)


def test_symbols_that_are_all_too_rare():
    with pytest.raises(ValueError, match="min_count is 9, but no symbol of X occurs that often"):
        LSTMClassifier((4,), min_count=9).fit([["a", "b"], ["b", "c"]] * 2, [0, 1] * 2)
