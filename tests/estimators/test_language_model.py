"""LSTMLanguageModel: what it says of sequences, what it writes, and how it learns."""

import itertools
import math
import pickle
import re
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from estimator_helpers import SMALL, identical, same_fit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from seqlearn_lstm import LSTMEncoder, LSTMLanguageModel, inspection, unrolling
from seqlearn_lstm.cells import LSTM
from seqlearn_lstm.sampling import draw
from seqlearn_lstm.symbols import END

TEXT = "the cat sat on the mat. " * 12
NAMES = ["anna", "bob", "carla", "dan", "eve", "frank"] * 4
WORDS = [name.replace("n", "n ").split() + ["!"] for name in NAMES]
QUICK = SMALL | dict(hidden_layer_sizes=(8,), batch_size=4)
CASES = {
    "text": ({}, TEXT),
    "names": ({}, NAMES),
    "words": (dict(dtype="float64"), WORDS),
    "numbers": (dict(cell="gru"), [[1, 2, 3, 4], [2, 4], [1, 1, 1]] * 5),
    "stream of words": (dict(cell=LSTM(peephole=True)), [list(itertools.chain(*WORDS))]),
    "dropout, two layers": (
        dict(hidden_layer_sizes=(6, 7), dropout=0.2, recurrent_dropout=0.1, embedding_dropout=0.1),
        TEXT,
    ),
    "dropout at each step": (
        dict(hidden_layer_sizes=(6, 7), dropout=0.2, input_dropout=0.1, dropout_per="step"),
        TEXT,
    ),
    "learned states, projection": (dict(initial_state="learned", input_projection=5), NAMES),
    "rare symbols": (dict(min_count=5), NAMES),
}
cases = pytest.mark.parametrize("params, X", CASES.values(), ids=CASES.keys())


def unfitted(**params):
    return LSTMLanguageModel(**(QUICK | params))


def listed(X):
    return [X] if isinstance(X, str) else X


# ---- what it says --------------------------------------------------------------------------------


@cases
def test_score_is_the_mean_log_probability_of_what_came_next(params, X):
    model = unfitted(**params).fit(X)
    codes = {symbol: code for code, symbol in enumerate(model.classes_)}
    sequences = [x[:20] for x in listed(X)[:5]]
    ends = [END] if len(listed(X)) > 1 else []
    total, n = 0.0, 0
    for x in sequences:
        prefixes = [x[:k] for k in range(len(x) + len(ends))]
        probabilities = model.predict_proba(prefixes)
        for row, symbol in zip(probabilities, [*x, *ends], strict=True):
            total += math.log(row[codes.get(symbol, 0)])
            n += 1
    bound = 1e-12 if model.dtype == "float64" else 1e-5
    assert model.score(sequences) == pytest.approx(total / n, rel=bound)
    assert model.perplexity(sequences) == pytest.approx(math.exp(-total / n), rel=bound)
    assert model.bits_per_symbol(sequences) == pytest.approx(-total / n / math.log(2), rel=bound)


@cases
def test_blocks_of_scores_say_the_same(params, X, monkeypatch):
    """However few there are at once: some blocks then have no step at all."""
    model = unfitted(**params).fit(X)
    whole = model.score(X), model.accuracy(X), model.predict_proba(X)
    monkeypatch.setattr(unrolling, "MOST_SCORES", 1)
    assert model.score(X) == pytest.approx(whole[0], rel=1e-6)
    assert model.accuracy(X) == whole[1]
    assert identical(model.predict_proba(X), whole[2])


@cases
def test_accuracy_is_how_often_predict_is_right(params, X):
    model = unfitted(**params).fit(X)
    sequences = [x[:20] for x in listed(X)[:5]]
    ends = [END] if len(listed(X)) > 1 else []
    right = []
    for x in sequences:
        said = model.predict([x[:k] for k in range(len(x) + len(ends))])
        right += [a == b for a, b in zip(said, [*x, *ends], strict=True)]
    assert model.accuracy(sequences) == np.mean(right)


def test_what_is_not_known_is_never_right():
    model = unfitted(min_count=9, max_iter=30).fit(["aaab", "aaac", "aaad", "aaae"] * 2)
    assert model.accuracy(["x"]) in (0, 0.5)  # the end after it may be right


def test_a_perplexity_too_large_for_a_float_is_infinite():
    model = unfitted(max_iter=1).fit(NAMES)
    model.parameters_["output.b"][model.classes_.tolist().index("a")] = 5000
    assert model.score(["eve"]) < -4000 and model.perplexity(["eve"]) == math.inf
    assert model.bits_per_symbol(["eve"]) == -model.score(["eve"]) / math.log(2)


@pytest.mark.parametrize("method", ["score", "accuracy", "perplexity"])
def test_it_must_be_fitted(method):
    with pytest.raises(NotFittedError):
        getattr(LSTMLanguageModel(), method)("a text")


@cases
def test_a_prediction_depends_on_its_sequence_alone(params, X):
    model = unfitted(**params).fit(X)
    sequences = [x[:k] for k, x in enumerate(listed(X)[:5])]  # the first one is empty
    together = model.predict_proba(sequences)
    assert np.allclose(together.sum(axis=1), 1)
    for row, x in zip(together, sequences, strict=True):
        assert identical(model.predict_proba([x])[0], row)


@cases
def test_a_stream_says_what_predict_says(params, X):
    model = unfitted(**params).fit(X)
    x, stream = listed(X)[0][:12], model.stream()
    for k, symbol in enumerate(x):
        prediction = stream.push(symbol)
        assert prediction == model.predict([x[: k + 1]])[0]
        assert identical(stream.predict_proba(), model.predict_proba([x[: k + 1]])[0])


def test_a_text_is_one_sequence():
    model = unfitted().fit(TEXT)
    assert same_fit(model, unfitted().fit([TEXT]))
    assert model.score(TEXT) == model.score([TEXT])
    assert identical(model.predict_proba(TEXT), model.predict_proba([TEXT]))
    assert model.predict(TEXT).shape == (1,)


def test_a_text_is_one_sequence_to_every_method():
    model = unfitted(max_iter=1).fit(TEXT)
    assert identical(model.final_states("hello"), model.final_states(["hello"]))
    with pytest.raises(TypeError, match="unexpected keyword argument 'lengths'"):
        model.final_states("hello", lengths=[1, 4])
    encoder = LSTMEncoder(estimator=unfitted(max_iter=1)).fit(TEXT)
    assert identical(encoder.transform("hello"), encoder.transform(["hello"]))


def test_every_form_of_symbols_is_read_alike():
    """Rows of a table, of numbers as of strings; elements of a Series or an array."""
    rows = [["a", "b", "c"], ["b", "c", "a"], ["c", "c", "b"]] * 4
    counted = [["abc".index(symbol) for symbol in row] for row in rows]
    texts = ["".join(row) for row in rows]
    forms = [(rows, np.array(rows)), (counted, np.array(counted)), (texts, np.array(texts))]
    with suppress(ImportError):  # without pandas, arrays alone
        import pandas as pd

        forms += [(rows, pd.DataFrame(rows, columns=["time 0", "time 1", "time 2"]))]
        forms += [(counted, pd.DataFrame(counted)), (texts, pd.Series(texts, index=texts))]
    for plain, X in forms:
        expected, model = unfitted(max_iter=1).fit(plain), unfitted(max_iter=1).fit(X)
        assert same_fit(model, expected)
        assert type(model.generate(n=3)) is type(expected.generate(n=3))
        assert model.predict(X).tolist() == expected.predict(plain).tolist()
        assert identical(model.predict_proba(X), expected.predict_proba(plain))
        assert model.score(X) == expected.score(plain)
        assert identical(model.final_states(X), expected.final_states(plain))
        validated = unfitted(max_iter=1).fit(plain, X_val=X)
        assert validated.validation_scores_ == [validated.score(plain)]


def test_symbols_and_columns():
    model = unfitted().fit(NAMES)
    letters = sorted(set("".join(NAMES)))
    assert sorted(model.classes_[1:-1]) == letters
    assert model.classes_[0] is None
    assert model.classes_[-1] is END
    assert model.predict_proba(["an"]).shape == (1, len(letters) + 2)
    assert END in pickle.loads(pickle.dumps(model)).vocabulary_


def test_what_is_not_known_is_one_symbol_and_never_said():
    model = unfitted(min_count=9, max_iter=30).fit(["aaab", "aaac", "aaad", "aaae"] * 2)
    assert list(model.classes_) == [None, "a", END]
    assert identical(model.predict_proba(["aax"]), model.predict_proba(["aab"]))
    probabilities = model.predict_proba(["aaa"])[0]
    assert probabilities.argmax() == 0  # something rare comes next
    assert model.predict(["aaa"])[0] is not None
    assert set(model.generate("aaa", 50, random_state=0)) <= {"a"}


# ---- learning ------------------------------------------------------------------------------------


@cases
def test_the_training_loss_is_the_score(params, X):
    """Nothing is learned here: each symbol counts once, with the states of the windows before."""
    dead = dict(learning_rate=1e-300, max_iter=1, dtype="float64", batch_size=1, bptt_steps=7)
    dead |= dict.fromkeys([name for name in params if name.endswith("dropout")], 0.0)
    model = unfitted(**params | dead).fit(X)
    assert model.loss_curve_[0] == pytest.approx(-model.score(X), rel=1e-12)


@pytest.mark.parametrize("batch_size", [2, 5, 32, None, 10_000, np.uint8(255)])
def test_pieces_of_a_stream_hold_each_symbol_once(batch_size):
    dead = dict(learning_rate=1e-300, max_iter=1, dtype="float64", batch_size=batch_size)
    inputs, targets = unfitted(**dead).fit(TEXT)._transitions([TEXT])
    assert len(targets) == len(TEXT) == len(inputs.rows)
    model = unfitted(**dead).fit(TEXT)
    # Pieces begin with nothing before them: close to the score, but not the same.
    close = 0.1 if batch_size != 10_000 else 1
    assert model.loss_curve_[0] == pytest.approx(-model.score(TEXT), rel=close)


def test_learns_a_text_by_heart():
    model = unfitted(hidden_layer_sizes=(32,), max_iter=60).fit(TEXT)
    assert model.perplexity(TEXT) < 1.05
    assert model.generate("the ", 20, temperature=0) == "cat sat on the mat. "


def test_learns_where_sequences_end():
    model = unfitted(hidden_layer_sizes=(32,), max_iter=120, batch_size=6).fit(NAMES)
    assert {model.generate(top_p=0.9, random_state=seed) for seed in range(40)} == set(NAMES)
    assert model.predict(["bob"])[0] is END
    assert model.predict(["bo", "fran"]).tolist() == ["b", "k"]


def test_a_text_has_no_end():
    model = unfitted(max_iter=1).fit(TEXT)
    assert len(model.generate(n=3000, temperature=3.0, random_state=0)) == 3000
    assert END not in model.predict([TEXT[:k] for k in range(40)])


@cases
def test_goes_on_to_the_same_bits(params, X, tmp_path):
    whole = unfitted(**params, max_iter=4).fit(X)
    two = unfitted(**params, max_iter=2, warm_start=True).fit(X)
    two = pickle.loads(pickle.dumps(two))
    assert same_fit(two.fit(X), whole)
    assert same_fit(unfitted(**params, max_iter=4, n_jobs=2).fit(X), whole)
    passes = unfitted(**params)
    for _ in range(4):
        passes.partial_fit(X)
    assert same_fit(passes, whole)
    saved = unfitted(**params, max_iter=4, checkpoint=tmp_path / "run")
    assert same_fit(saved.fit(X), whole)
    assert same_fit(saved.fit(X), whole)
    assert not same_fit(unfitted(**params | {"random_state": 1}, max_iter=4).fit(X), whole)


def test_later_calls_keep_the_vocabulary():
    model = unfitted().partial_fit(NAMES)
    before = list(model.classes_)
    model.partial_fit(["zoe", "anna"])
    assert list(model.classes_) == before
    assert model.n_iter_ == 2
    assert model.partial_fit("a text beside names").score(NAMES) < 0


def test_sequences_after_a_stream_are_read_one_by_one(monkeypatch):
    """A stream says nothing about ends, but those of several sequences later are learned."""
    read, train = [], LSTMLanguageModel._train

    def note(model, inputs, head, pooling, targets, *args, **kwargs):
        ends = np.count_nonzero(targets == len(model.vocabulary_) - 1)
        read.append((inputs.lengths.tolist(), ends))
        return train(model, inputs, head, pooling, targets, *args, **kwargs)

    monkeypatch.setattr(LSTMLanguageModel, "_train", note)
    text, names = "".join(NAMES), NAMES[:6]
    model = unfitted(max_iter=1).fit(text)
    assert sum(read[0][0]) == len(text) and len(read[0][0]) == 4 and read[0][1] == 0
    model.partial_fit(names).partial_fit(NAMES[0])
    each = [len(name) + 1 for name in names]
    assert read[1:] == [(each, 6), (each[:1], 1)]
    unfitted(max_iter=1, warm_start=True).fit(text).fit(names)
    assert read[-1] == (each, 6)
    model.fit(text)  # anew
    assert read[-1] == read[0]


def test_ends_are_learned_after_a_first_sequence():
    model = unfitted(hidden_layer_sizes=(32,)).partial_fit(["".join(NAMES)])
    assert END not in model.predict(["bob"])
    for _ in range(120):
        model.partial_fit(NAMES[:6])
    assert model.predict(["bob"])[0] is END


def test_a_failed_call_learns_no_ends():
    model = unfitted(max_iter=1).fit(TEXT)
    score = model.score(TEXT)
    with pytest.raises(ValueError, match="sequence 1 of X has length 0"):
        model.partial_fit(["the", ""])
    assert model.score(TEXT) == score


@pytest.mark.parametrize("X", [TEXT, NAMES], ids=["text", "names"])
def test_early_stopping(X):
    model = unfitted(early_stopping=True, max_iter=30, validation_fraction=0.25).fit(X)
    assert len(model.validation_scores_) == model.n_iter_
    assert max(model.validation_scores_) == model.validation_scores_[model.best_iter_ - 1]
    given = unfitted(early_stopping=True, max_iter=5).fit(X, X_val=X)
    assert given.score(X) == max(given.validation_scores_)


@pytest.mark.parametrize("batch_size", [1, None])
def test_of_a_single_piece_nothing_can_be_held_out(batch_size):
    with pytest.raises(ValueError, match=r"1 of 1 sequences.*of a text, a larger batch_size"):
        unfitted(early_stopping=True, batch_size=batch_size).fit(TEXT)


def test_is_searched():
    search = GridSearchCV(unfitted(), {"hidden_layer_sizes": [(2,), (20,)]}, cv=3)
    search.set_params(estimator__max_iter=20).fit(NAMES)
    assert search.best_params_ == {"hidden_layer_sizes": (20,)}
    assert search.best_score_ == pytest.approx(
        np.mean([search.cv_results_[f"split{k}_test_score"][1] for k in range(3)])
    )


def test_what_was_fitted_before_leaves_no_trace():
    model = unfitted().fit(NAMES)
    assert same_fit(model.fit(TEXT), unfitted().fit(TEXT))
    assert isinstance(model.generate(n=5, random_state=0), str)
    assert isinstance(clone(model).fit(WORDS).generate(n=5, random_state=0), list)


# ---- writing -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def writer():
    return unfitted(max_iter=2).fit(TEXT)


def test_what_is_drawn_is_fixed_by_the_seed(writer):
    texts = [writer.generate("the ", 200, random_state=seed) for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2]
    assert len(texts[0]) == 200
    letters = itertools.islice(writer.iter_generate("the ", random_state=0), 200)
    assert "".join(letters) == texts[0]


def test_each_letter_is_drawn_from_what_predict_proba_says(writer):
    text, rng = (
        writer.generate("the ", 30, temperature=0.7, random_state=0),
        np.random.RandomState(0),
    )
    for k, letter in enumerate(text):
        with np.errstate(divide="ignore"):
            logs = np.log(writer.predict_proba(["the " + text[:k]])[0])
        logs[[0, -1]] = -np.inf
        assert writer.classes_[draw(logs, rng, 0.7)] == letter


@pytest.mark.parametrize("temperature", [1e-3, 1e-320, 1.0])
def test_it_writes_where_numpy_raises(writer, temperature):
    """In the cold, probabilities become 0, which is as it should be."""
    how = dict(n=20, temperature=temperature, top_p=0.9, random_state=0)
    with np.errstate(all="raise"):
        written = writer.generate(**how)
    assert written == writer.generate(**how)


def test_greedy(writer):
    text = writer.generate("th", 30, temperature=0)
    assert text == writer.generate("th", 30, top_k=1, random_state=0)
    assert text == writer.generate("th", 30, top_p=1e-9, random_state=0)
    expected = "th"
    for _ in range(30):
        expected += writer.predict([expected])[0]
    assert "th" + text == expected


def test_stops(writer):
    text = writer.generate("the ", 300, random_state=0)
    first = text.index("t")
    assert writer.generate("the ", 300, stop="t", random_state=0) == text[:first]
    first = min(text.index("t"), text.index("a"))
    assert writer.generate("the ", 300, stop=["a", "t"], random_state=0) == text[:first]
    assert writer.generate(n=0) == ""


@pytest.mark.parametrize("form", [tuple, set, np.array, lambda stop: np.array(stop, object)])
def test_stops_in_any_form(writer, form):
    expected = writer.generate("the ", 300, stop=["a", "t"], random_state=0)
    assert writer.generate("the ", 300, stop=form(["a", "t"]), random_state=0) == expected


def test_stops_at_numbers():
    model = unfitted(max_iter=1).fit([[1, 2, 3, 4] * 20])
    written = model.generate(n=50, random_state=0)
    first = min(written.index(2), written.index(3))
    assert model.generate(n=50, stop=np.array([2, 3]), random_state=0) == written[:first]
    first = written.index(3)
    assert model.generate(n=50, stop=np.int64(3), random_state=0) == written[:first]


def test_the_mark_is_no_step_of_a_stream(writer):
    stream = writer.stream()
    assert stream.n_steps == 0
    assert identical(stream.predict_proba(), writer.predict_proba([""])[0])
    again = pickle.loads(pickle.dumps(stream))
    stream.push("t")
    again.push("t")
    assert stream.n_steps == again.n_steps == 1
    assert identical(again.predict_proba(), writer.predict_proba(["t"])[0])


def test_no_prime_is_the_beginning(writer):
    greedy = writer.generate(n=5, temperature=0)
    assert greedy == writer.generate("", 5, temperature=0) == writer.generate([], 5, temperature=0)
    assert greedy[0] == writer.predict([""])[0]


def test_a_later_fit_changes_nothing_of_what_is_written():
    model = unfitted(max_iter=2).fit(TEXT)
    expected = model.generate("the ", 40, random_state=0)
    written = model.iter_generate("the ", random_state=0)
    first = list(itertools.islice(written, 10))
    model.fit(WORDS)
    assert "".join([*first, *itertools.islice(written, 30)]) == expected


def test_words_are_written_as_a_list():
    model = unfitted(max_iter=2).fit(WORDS)
    written = model.generate(["an"], 10, random_state=0)
    assert isinstance(written, list)
    assert set(written) <= set(itertools.chain(*WORDS))


SCORES = np.log([0.4, 0.05, 0.3, 0.15, 0.1])
DRAWS = {  # settings -> probabilities
    "all": ({}, [0.4, 0.05, 0.3, 0.15, 0.1]),
    "cold": (dict(temperature=0.5), np.square([0.4, 0.05, 0.3, 0.15, 0.1]) / 0.285),
    "three": (dict(top_k=3), np.array([0.4, 0, 0.3, 0.15, 0]) / 0.85),
    "more than there are": (dict(top_k=9), [0.4, 0.05, 0.3, 0.15, 0.1]),
    "nucleus": (dict(top_p=0.69), np.array([0.4, 0, 0.3, 0, 0]) / 0.7),
    "nucleus of three": (dict(top_k=3, top_p=0.9), np.array([0.4, 0, 0.3, 0.15, 0]) / 0.85),
    "largest": (dict(temperature=0), [1, 0, 0, 0, 0]),
    "coldest": (dict(temperature=5e-324), [1, 0, 0, 0, 0]),
}


@pytest.mark.parametrize("how, expected", DRAWS.values(), ids=DRAWS.keys())
def test_draws_have_the_probabilities_that_are_meant(how, expected):
    rng, n = np.random.RandomState(0), 20_000
    counts = np.bincount([draw(SCORES, rng, **how) for _ in range(n)], minlength=5)
    expected = np.array(expected)
    np.testing.assert_allclose(expected.sum(), 1)
    assert not counts[expected == 0].any()
    spread = np.sqrt(expected * (1 - expected) / n)
    assert (np.abs(counts / n - expected) <= 5 * spread).all()  # five standard deviations


# ---- errors --------------------------------------------------------------------------------------

ERRORS = {
    "numbers": ([[0.5, 1.5]], {}, ValueError, "sequence 0 of X holds 0.5"),
    "nothing": ([], {}, ValueError, "0 sequences"),
    "empty": (["ab", ""], {}, ValueError, "sequence 1 of X has length 0"),
    "empty text": ("", {}, ValueError, "length 0"),
    "missing": ([["a", None]], {}, ValueError, "time step 1"),
    "nothing known": ("abcabc", dict(min_count=50), ValueError, "min_count is 50"),
    "no collection": (3, {}, TypeError, "int"),
    "parameter": (TEXT, dict(bptt_steps=0), ValueError, "bptt_steps"),
    "partial and early": (NAMES, dict(checkpoint="x", warm_start=True), ValueError, "checkpoint"),
}


@pytest.mark.parametrize("X, params, error, message", ERRORS.values(), ids=ERRORS.keys())
def test_errors_leave_it_as_it_was(X, params, error, message):
    model = unfitted(max_iter=1).fit(NAMES)
    scores = model.score(NAMES)
    before = dict(vars(model.set_params(**params)))
    with pytest.raises(error, match=message):
        model.fit(X)
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())
    assert model.score(NAMES) == scores


OTHERS = {
    "empty": (["ab", ""], ValueError, "sequence 1 of X has length 0"),
    "end": ([["a"], ["b", END]], ValueError, r"sequence 1 of X has symbols\.END"),
    "numbers": ([[0.5, 1.5]], ValueError, "sequence 0 of X holds 0.5"),
    "no collection": (3, TypeError, "X has type int"),
}


@pytest.mark.parametrize("X_val, error, message", OTHERS.values(), ids=OTHERS)
def test_errors_of_the_validation_data_say_so(X_val, error, message):
    with pytest.raises(error, match=f"^validation data: {message}"):
        unfitted().fit(NAMES, X_val=X_val)


NO_SEQUENCES = [None, 5, {"a": 1}, iter("ab"), np.array(5), [np.array(5)], [5], [{}]]


@pytest.mark.parametrize("method", ["fit", "predict", "predict_proba", "score", "final_states"])
@pytest.mark.parametrize("X", NO_SEQUENCES, ids=lambda X: type(X).__name__)
def test_what_holds_no_sequences_is_refused(writer, method, X):
    with pytest.raises(TypeError, match=r"X has type \w+; expected a list"):
        getattr(clone(writer) if method == "fit" else writer, method)(X)


@pytest.mark.parametrize(
    "how, message",
    [
        (dict(n=-1), "n is -1"),
        (dict(n=2.5), "n is 2.5"),
        (dict(temperature=-1), "temperature is -1"),
        (dict(temperature=math.nan), "temperature is nan"),
        (dict(top_k=0), "top_k is 0"),
        (dict(top_p=0), "top_p is 0"),
        (dict(top_p=1.5), "top_p is 1.5"),
        (dict(temperature="1"), "temperature is '1'"),
        (dict(temperature=None), "temperature is None"),
        (dict(top_k="1"), "top_k is '1'"),
        (dict(top_p="0.5"), "top_p is '0.5'"),
    ],
    ids=str,
)
def test_errors_of_writing(writer, how, message):
    with pytest.raises(ValueError, match=message):
        writer.generate(**how)


@pytest.mark.parametrize(
    "how, message",
    [
        (dict(prime=5), "prime has type int; expected a string"),
        (dict(prime={"a": 1}), "prime has type dict; expected a string"),
        (dict(stop=[["a"]]), "stop is .*; expected a symbol"),
        (dict(stop={"a": 1}), "stop is .*; expected a symbol"),
    ],
    ids=str,
)
def test_errors_of_what_symbols_are(writer, how, message):
    with pytest.raises(TypeError, match=message):
        writer.generate(**how)


@pytest.mark.parametrize("stop", ["mat", ["t", "mat"], np.array(["mat"]), "\0", 3, [None]], ids=str)
def test_what_is_never_written_cannot_stop(writer, stop):
    never = repr("mat") if "mat" in str(stop) else repr(stop[0] if isinstance(stop, list) else stop)
    with pytest.raises(ValueError, match=f"stop has .*{re.escape(never)}.* such as \\[' ', 't'"):
        writer.generate("the ", stop=stop)
    assert writer.generate("the ", 3, stop=[]) is not None
    assert len(writer.generate("the ", 3, stop=END, random_state=0)) == 3


def test_it_reads_in_one_direction():
    assert not {"bidirectional", "stateful", "scoring"} & LSTMLanguageModel().get_params().keys()
    with pytest.raises(TypeError):
        LSTMLanguageModel(bidirectional=True)


def test_its_states_and_gradients_can_be_seen():
    """The mark of the beginning is a step of its own."""
    model = unfitted(max_iter=1).fit(NAMES)
    found = inspection.states(model, "bob")
    assert found.symbols == [END, *"bob"]
    assert found.activations["h"].shape == (4, 8)
    assert model.final_states(["bob"])[0, :8].tolist() == found.activations["h"][-1].tolist()
    found = inspection.saliency(model, "bob", target="b")
    assert found.saliency.shape == (4, 1)
    assert found.symbols == [END, *"bob"]


def test_what_goes_on_from_states_begins_with_no_mark():
    """It was read once, before the first symbol of the beginning."""
    model = unfitted(max_iter=1, hidden_layer_sizes=(8, 5)).fit(NAMES)
    begun, whole = model.final_states(["car", "fr"]), model.final_states(["carla", "frank"])
    encoder = LSTMEncoder(estimator=FrozenEstimator(model)).fit(NAMES)
    for reader in (model, encoder):
        assert identical(reader.final_states(["la", "ank"], initial_states=begun), whole)
    with pytest.raises(ValueError, match="sequence 1 of X has length 0"):
        model.final_states(["la", ""], initial_states=begun)
    with pytest.raises(ValueError, match="lengths was given with X of symbols"):
        encoder.final_states(["la", "ank"], lengths=[2, 3], initial_states=begun)


@pytest.mark.parametrize(
    "rest", ["la", ["l", "a"], np.array(["l", "a"])], ids=["str", "list", "array"]
)
def test_what_goes_on_is_seen_without_a_mark(rest):
    model = unfitted(max_iter=1, dtype="float64").fit(NAMES)
    begun = model.final_states(["car"])
    found = inspection.states(model, rest, initial_states=begun)
    assert found.symbols == ["l", "a"] and found.n_timesteps == 2
    for name, values in inspection.states(model, "carla").activations.items():
        assert identical(found.activations[name], values[-2:])
    found = inspection.saliency(model, rest, target="b", initial_states=begun)
    whole = inspection.saliency(model, "carla", target="b")
    assert (found.symbols, found.score) == (["l", "a"], whole.score)
    np.testing.assert_allclose(found.gradient, whole.gradient[-2:], rtol=1e-12, atol=1e-15)
    with pytest.raises(ValueError, match="length 0; expected at least 1 symbol"):
        inspection.states(model, "", initial_states=begun)


def test_memory_of_a_long_text_is_bounded():
    """The scores of all its characters would take far more than its codes."""
    letters = "".join(map(chr, range(97, 97 + 200)))
    model = unfitted(max_iter=1).fit(letters * 2)
    text = letters * 500  # 100,000 characters
    scores_of_all = len(text) * len(model.classes_) * 4
    model.predict(text[:1000])
    tracemalloc.start()
    try:
        model.predict_proba(text)
        assert tracemalloc.get_traced_memory()[1] < scores_of_all / 3
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", ["score", "accuracy"])
def test_memory_of_a_large_vocabulary_is_bounded(method):
    """What is read at once has fewer steps where each has more scores."""
    numbers = [[*range(3000)] * 3]
    model = unfitted(max_iter=1).fit(numbers)
    scores_of_all = len(numbers[0]) * len(model.classes_) * 4
    getattr(model, method)([numbers[0][:100]])
    tracemalloc.start()
    try:
        getattr(model, method)(numbers)
        assert tracemalloc.get_traced_memory()[1] < scores_of_all / 2
    finally:
        tracemalloc.stop()


def test_memory_of_many_predictions_is_bounded():
    """There are never the scores of all sequences at once."""
    model = unfitted(max_iter=1).fit([[*range(3000)] * 2])
    begun = [[i % 3000] for i in range(20_000)]
    scores_of_all = len(begun) * len(model.classes_) * 4
    model.predict(begun[:100])
    tracemalloc.start()
    try:
        model.predict(begun)
        assert tracemalloc.get_traced_memory()[1] < scores_of_all / 2
    finally:
        tracemalloc.stop()


def test_ends_are_not_among_the_symbols():
    """The model adds them itself; one more would be read as the beginning of another sequence."""
    bad = [["a", "b"], ["b", END, "a"]]
    with pytest.raises(ValueError, match=r"sequence 1 of X has symbols\.END at time step 1"):
        unfitted().fit(bad)
    model = unfitted(max_iter=1).fit([["a", "b"], ["b", "a"]])
    for method in (model.partial_fit, model.score, model.predict, model.final_states):
        with pytest.raises(ValueError, match=r"sequence 1 of X has symbols\.END at time step 1"):
            method(bad)
    assert model.n_iter_ == 1
    begun = model.final_states(["a"])
    for states in (None, begun):
        with pytest.raises(ValueError, match=r"sequence 0 of X has symbols\.END at time step 1"):
            inspection.states(model, bad[1], initial_states=states)
    stream = model.stream()
    for call in (lambda: stream.push(END), lambda: model.generate(bad[1], 3)):
        with pytest.raises(ValueError, match=r"the step is symbols\.END; expected sequences"):
            call()
    assert (stream.n_steps, stream.push("a")) == (0, model.predict("a")[0])


@pytest.mark.parametrize("method", ["predict", "predict_proba", "score", "perplexity", "accuracy"])
def test_not_fitted(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(LSTMLanguageModel(), method)("a")


def test_only_strings_alone_are_joined():
    mixed = LSTMLanguageModel(**SMALL).fit(["abab", ["a", "b"]])
    assert isinstance(mixed.generate(n=3, random_state=0), list)


def test_what_a_language_model_cannot_use_is_no_parameter_of_it():
    fixed = {"bidirectional", "stateful", "max_timesteps", "truncate", "scoring"}
    assert not fixed & LSTMLanguageModel().get_params().keys()
