"""LSTMSequenceTagger: labels of steps, in every form, known or not."""

import pickle
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from estimator_helpers import SMALL, identical, objects, padded, ragged
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from seqlearn_lstm import LSTMSequenceTagger, unrolling
from seqlearn_lstm.preprocessing import PerStep


def small(**params):
    return LSTMSequenceTagger(**(SMALL | params))


def tagged(n=30, seed=0):
    """Sequences whose steps are labelled by the sign of a running sum: it takes memory."""
    X, _ = ragged(n, seed=seed)
    return X, [np.where(np.cumsum(x[:, 0]) > 0, "above", "below") for x in X]


def test_learns_what_needs_memory():
    X, y = tagged(150)
    tagger = small(hidden_layer_sizes=(16,), max_iter=40).fit(X[:100], y[:100])
    assert tagger.score(X[100:], y[100:]) > 0.85
    assert tagger.classes_.tolist() == ["above", "below"]


def test_forms_of_the_result():
    X, y = tagged()
    tagger = small().fit(X, y)
    labels, probabilities = tagger.predict(X), tagger.predict_proba(X)
    logarithms = tagger.predict_log_proba(X)
    for found in (labels, probabilities, logarithms, tagger.predict_proba(np.ones((5, 4, 3)))):
        assert found.dtype == object and found.ndim == 1
    assert len(labels) == len(probabilities) == len(logarithms) == len(X)
    for x, label, probability, logarithm in zip(X, labels, probabilities, logarithms, strict=True):
        np.testing.assert_allclose(np.exp(logarithm), probability, rtol=1e-12)
        assert label.shape == (len(x),)
        assert probability.shape == (len(x), 2)
        np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-12)
        assert np.array_equal(tagger.classes_[probability.argmax(axis=1)], label)


def test_all_forms_of_the_input_give_the_same_bits():
    X, y = tagged()
    lengths = [len(x) for x in X]
    model = small().fit(X, y)
    expected = np.concatenate(model.predict_proba(X))
    flat = small().fit(np.concatenate(X), np.concatenate(y), lengths=lengths)
    assert identical(flat.parameters_, model.parameters_)
    assert identical(flat.predict_proba(np.concatenate(X), lengths=lengths), expected)
    logarithms = flat.predict_log_proba(np.concatenate(X), lengths=lengths)
    np.testing.assert_allclose(np.exp(logarithms), expected, rtol=1e-12)
    for form, kwargs in [
        (objects(X), {}),
        (padded(X), {}),
        (padded(X, fill=7.0), {"lengths": lengths}),
    ]:
        other = small().fit(form, y, **kwargs)
        assert identical(other.parameters_, model.parameters_)
        assert identical(np.concatenate(other.predict_proba(form, **kwargs)), expected)
    assert model.score(X, y) == flat.score(np.concatenate(X), np.concatenate(y), lengths=lengths)


def test_a_prediction_depends_on_its_sequence_alone():
    X, y = tagged()
    tagger = small(bidirectional=True, hidden_layer_sizes=(5, 18)).fit(X, y)
    together = tagger.predict_proba(X)
    for i in (0, 7, 29):
        assert identical(tagger.predict_proba([X[i]])[0], together[i])


@pytest.mark.parametrize("missing", [None, -1])
def test_unknown_labels_count_nowhere(missing):
    X, y = tagged()
    numbers = [np.where(labels == "above", 3, 5) for labels in y]
    weights = [np.ones(len(x)) for x in X]
    hidden = [labels.astype(object if missing is None else int) for labels in numbers]
    for i in (0, 3):
        hidden[i][0] = missing
        weights[i][0] = 0
    left_out = small().fit(X, hidden)
    weighted = small().fit(X, numbers, sample_weight=weights)
    assert left_out.classes_.tolist() == [3, 5]
    assert identical(left_out.parameters_, weighted.parameters_)
    right = np.concatenate(left_out.predict(X)) == np.concatenate(numbers)
    known = np.concatenate(weights) > 0
    assert left_out.score(X, hidden) == pytest.approx(right[known].mean(), rel=1e-12)


@pytest.mark.parametrize(
    "hide",
    [
        lambda labels: [[float("nan") if k == 0 else v for k, v in enumerate(y)] for y in labels],
        lambda labels: [[None, *y[1:]] for y in labels],
        lambda labels: [pd.array([pd.NA, *y[1:]], dtype="string") for y in labels],
        lambda labels: [v for y in labels for v in (float("nan"), *y[1:])],  # flat
    ],
)
def test_unknown_labels_among_strings(hide):
    """None, NaN and pandas.NA are no labels, and no strings either."""
    X, y = tagged()
    hidden = hide([labels.tolist() for labels in y])
    weights = [np.arange(len(x)) > 0 for x in X]
    left_out = small().fit(X, hidden)
    assert left_out.classes_.tolist() == ["above", "below"]
    weighted = small().fit(X, y, sample_weight=[1.0 * w for w in weights])
    assert identical(left_out.parameters_, weighted.parameters_)
    assert left_out.score(X, hidden) == left_out.score(X, y, sample_weight=weights)


def test_minus_one_beside_none_is_unknown():
    X, y = tagged()
    numbers = [np.where(labels == "above", 3, 5).astype(object) for labels in y]
    numbers[0][0], numbers[1][0] = None, -1
    assert small().fit(X, numbers).classes_.tolist() == [3, 5]


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda y: [np.linspace(0, 1, len(labels)) for labels in y], "continuous"),
        (lambda y: [np.eye(2)[[0] * len(labels)] for labels in y], "one label for each"),
        (lambda y: [[1, *labels[1:]] for labels in y], "strings and 1"),
        (lambda y: [[b"a", *t[1:]] if len(t) > 1 else t for t in y], "strings and b'a'"),
        (lambda y: [[("a", 1)] * len(labels) for labels in y], "one label for each"),
    ],
)
def test_what_is_no_label_of_a_step(change, message):
    X, y = tagged()
    with pytest.raises(ValueError, match=message):
        small().fit(X, change(y))


def test_a_score_needs_a_known_label_and_proper_weights():
    X, y = tagged()
    tagger, first = small().fit(X, y), np.eye(len(X))[0]
    with pytest.raises(ValueError, match="no step has a known label"):
        tagger.score(X, [[None] * len(x) for x in X])
    with pytest.raises(ValueError, match="no step has a known label"):
        tagger.score(X, [["above"] * len(X[0]), *([None] * len(x) for x in X[1:])], 1 - first)
    with pytest.raises(ValueError, match="eight"):
        tagger.score(X, y, sample_weight=np.zeros(len(X)))
    with pytest.raises(ValueError, match="egative"):
        tagger.score(X, y, sample_weight=-np.ones(len(X)))
    with pytest.raises(ValueError, match="sample_weight"):
        tagger.score(X, y, sample_weight=np.ones(len(X) + 1))


def test_lists_of_numbers_are_sequences_however_long():
    """As they were in `fit`, and so not rows of one sequence."""
    rng = np.random.default_rng(0)
    X = [rng.standard_normal(n).tolist() for n in rng.integers(2, 8, 30)]
    tagger = small().fit(X, [["a" if v > 0 else "b" for v in x] for x in X])
    together = tagger.predict_proba(X)
    assert identical(tagger.predict_proba(X[:1]), together[:1])
    ones = tagger.predict([x[:1] for x in X])
    assert [len(labels) for labels in ones] == [1] * len(X)


def test_weights_of_sequences_are_weights_of_their_steps():
    X, y = tagged()
    weights = np.linspace(0.5, 2, len(X))
    steps = [np.full(len(x), weight) for x, weight in zip(X, weights, strict=True)]
    a, b = small().fit(X, y, sample_weight=weights), small().fit(X, y, sample_weight=steps)
    assert identical(a.parameters_, b.parameters_)
    assert not identical(a.parameters_, small().fit(X, y).parameters_)


def test_class_weight_is_the_weight_of_the_steps():
    X, y = tagged()
    factors = {"above": 3.0, "below": 1.0}
    weights = [np.array([factors[label] for label in labels]) for labels in y]
    a = small(class_weight=factors).fit(X, y)
    assert identical(a.parameters_, small().fit(X, y, sample_weight=weights).parameters_)


def test_balanced_classes_are_counted_with_weights():
    X, y = tagged()
    y[3] = [None] * len(y[3])
    times = np.random.default_rng(0).integers(0, 4, len(X))
    params = dict(class_weight="balanced", batch_size=None, dtype="float64", max_iter=10)
    weighted = small(**params).fit(X, y, sample_weight=times)
    repeats = np.repeat(np.arange(len(X)), times)
    repeated = small(**params).fit([X[i] for i in repeats], [y[i] for i in repeats])
    for name, values in weighted.parameters_.items():
        np.testing.assert_allclose(values, repeated.parameters_[name], atol=1e-9, err_msg=name)


def test_lists_of_lists_of_strings_in_model_selection():
    X, y = tagged()
    y = [labels.tolist() for labels in y]
    model = make_pipeline(PerStep(StandardScaler()), small(max_iter=1))
    assert cross_val_score(model, X, y, cv=3).shape == (3,)
    predicted = cross_val_predict(model, X, y, cv=3)
    assert [len(labels) for labels in predicted] == [len(x) for x in X]
    grid = GridSearchCV(model, {"lstmsequencetagger__hidden_layer_sizes": [(4,), (5,)]}, cv=2)
    assert grid.fit(X, y).best_score_ > 0


def test_clone_and_pickle():
    X, y = tagged()
    tagger = small().fit(X, y)
    again = pickle.loads(pickle.dumps(tagger))
    assert identical(again.predict_proba(X), tagger.predict_proba(X))
    assert identical(clone(tagger).fit(X, y).parameters_, tagger.parameters_)


def test_any_number_of_threads_gives_the_same_bits(monkeypatch):
    from seqlearn_lstm.kernels.cpu import threads

    monkeypatch.setattr(threads, "GRAIN", 1)
    X, y = tagged()
    one, two = (small(n_jobs=n, bidirectional=True).fit(X, y) for n in (1, 2))
    assert identical(one.parameters_, two.parameters_)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda X, y: (X, y[:-1]), "y holds 29 sequences; expected 30"),
        (lambda X, y: (X, [*y[:4], y[4][:-1], *y[5:]]), "sequence 4 has"),
        (lambda X, y: (X, [[None] * len(x) for x in X]), "no known label"),
        (lambda X, y: (X, None), "requires y"),
        (lambda X, y: ([*X[:2], X[2] * np.nan, *X[3:]], y), "equence 2"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(change, message):
    X, y = tagged()
    tagger = small().fit(X, y)
    before = dict(vars(tagger))
    with pytest.raises(ValueError, match=message):
        tagger.fit(*change(X, y))
    assert identical(vars(tagger), before)


def test_a_row_that_is_not_finite_is_named_by_its_sequence():
    rows = np.zeros((8, 2))
    for value, words in ((np.nan, "NaN"), (np.inf, "infinity"), (1e39, "1e[+]39")):
        rows[5, 1] = value
        with pytest.raises(ValueError, match=f"sequence 1 .*{words}.* time step 2, feature 1"):
            small().fit(rows, [0, 1] * 4, lengths=[3, 5])
        with pytest.raises(ValueError, match=f"sequence 0 .*{words}.* time step 5, feature 1"):
            small().fit(rows, [0, 1] * 4)


@pytest.mark.parametrize("lengths", [[3, 4], [0, 8], [2.5, 5.5]])
def test_lengths_must_fit_the_rows(lengths):
    with pytest.raises(ValueError, match="lengths"):
        small().fit(np.zeros((8, 2)), [0, 1] * 4, lengths=lengths)


def test_masks_beside_rows_are_not_lost():
    X, y = tagged()
    rows, labels, lengths = np.concatenate(X), np.concatenate(y), [len(x) for x in X]
    for name, values in (
        ("y", labels),
        ("lengths", lengths),
        ("sample_weight", np.ones(len(rows))),
    ):
        given = dict(y=labels, lengths=lengths) | {name: np.ma.masked_array(values)}
        with pytest.raises(TypeError, match=f"{name} is a masked array, its mask would be lost"):
            small().fit(rows, **given)
    weights = [np.ma.masked_array(np.ones(len(x))) for x in X]
    with pytest.raises(TypeError, match="sample_weight of sequence 0 is a masked array"):
        small().fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("method", ["predict", "score"])
def test_memory_of_labels_is_bounded(monkeypatch, method):
    """Of scores there are never more than of some steps at once, however many classes there are."""
    n, n_classes = 24_000, 400
    X, y = [np.zeros((n, 1), np.float32)], [np.arange(n) % n_classes]
    model = LSTMSequenceTagger((4,), max_iter=1, bptt_steps=1000, random_state=0).fit(X, y)
    data = (X, y) if method == "score" else (X,)
    monkeypatch.setattr(unrolling, "MOST_SCORES", 2**18)
    getattr(model, method)(*data)
    tracemalloc.start()
    try:
        getattr(model, method)(*data)
        assert tracemalloc.get_traced_memory()[1] < n * n_classes * 4 / 2
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "params", [{}, dict(early_stopping=True, validation_fraction=0.3)], ids=str
)
def test_a_scoring_function_sees_rows_with_their_names(params):
    """Cut by lengths, they keep the columns: a prediction warns of none that are missing."""
    X, y = tagged(12)
    rows = pd.DataFrame(np.concatenate(X), columns=list("uvw"))
    labels, lengths, seen = np.concatenate(y), [len(x) for x in X], []

    def scoring(tagger, X, y):
        seen.append([list(x.columns) for x in X])
        return tagger.score(X, y)

    others = {} if params else dict(X_val=rows, y_val=labels, lengths_val=lengths)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        small(scoring=scoring, max_iter=1, **params).fit(rows, labels, lengths=lengths, **others)
    assert seen == [[list(rows.columns)] * (4 if params else 12)]


def test_an_array_is_one_table_whatever_y_looks_like():
    with pytest.raises(ValueError, match="y holds 3 sequences; expected 1, as many as X"):
        small().fit(np.zeros((3, 2)), [["a", "b"]] * 3)
