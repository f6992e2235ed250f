"""Metrics of labels per step: worked by hand, and against conlleval's rules taken literally."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV, cross_validate

from seqlearn_lstm import metrics
from seqlearn_lstm.metrics import (
    chunk_f1,
    chunk_precision,
    chunk_precision_recall_f1,
    chunk_recall,
    get_chunks,
    scorer,
    sequence_accuracy,
    step_accuracy,
)


def objects(parts):
    out = np.empty(len(parts), object)
    out[:] = parts
    return out


FORMS = {
    "lists": lambda parts: [list(part) for part in parts],
    "tuples": lambda parts: tuple(tuple(part) for part in parts),
    "arrays": lambda parts: [np.array(part) for part in parts],
    "arrays of objects": lambda parts: [np.array(part, dtype=object) for part in parts],
    "object array": lambda parts: objects([np.array(part) for part in parts]),
    "series": lambda parts: pytest.importorskip("pandas").Series(
        [list(part) for part in parts], index=range(len(parts))[::-1]
    ),
}
forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())


# -- steps and sequences ---------------------------------------------------------------------------

TRUE = [["a", "b", "a"], ["b"], ["a", "a"]]
PRED = [["a", "b", "b"], ["b"], ["b", "a"]]


@forms
@pytest.mark.parametrize("pred_form", [FORMS["lists"], FORMS["object array"]])
def test_accuracies_by_hand(form, pred_form):
    assert step_accuracy(form(TRUE), pred_form(PRED)) == 4 / 6
    assert sequence_accuracy(form(TRUE), pred_form(PRED)) == 1 / 3


@pytest.mark.parametrize("missing", [None, float("nan"), -1])
def test_labels_that_are_not_known_are_left_out(missing):
    true, pred = [["a", missing, "b"], [missing]], [["a", "a", "a"], ["b"]]
    assert step_accuracy(true, pred) == 1 / 2
    assert sequence_accuracy([*true, ["a"]], [*pred, ["a"]]) == 1 / 2
    numbers = [np.array([1.0, np.nan, 2.0])]
    assert step_accuracy(numbers, [np.array([1.0, 1.0, 1.0])]) == 1 / 2


def test_weights_by_hand():
    weights = [1, 5, 2]
    assert step_accuracy(TRUE, PRED, sample_weight=weights) == (2 + 5 + 2) / (3 + 5 + 4)
    assert sequence_accuracy(TRUE, PRED, sample_weight=weights) == 5 / 8
    per_step = [[1, 0, 1], [3], np.array([1.0, 2.0])]
    assert step_accuracy(TRUE, PRED, sample_weight=per_step) == (1 + 3 + 2) / (2 + 3 + 3)


@pytest.mark.parametrize(
    "y_true",
    [
        [["0", None, "1"], [None], ["1"]],
        [[0, -1, 1], [-1], [1]],
        [np.array([0, -1, 1]), np.array([-1]), np.array([1])],
        [[0, None, 1], [-1], [1]],
    ],
    ids=["None", "-1", "-1 in arrays", "both"],
)
@pytest.mark.parametrize("at_missing", ["0", "1"])
def test_missing_labels_are_left_out(y_true, at_missing):
    y_pred = [["0", at_missing, "0"], [at_missing], ["1"]]
    if y_true[2][0] != "1":
        y_pred = [[int(label) for label in part] for part in y_pred]
    assert step_accuracy(y_true, y_pred) == 2 / 3
    assert sequence_accuracy(y_true, y_pred) == 1 / 2


def test_floats_and_strings_named_minus_one_are_labels():
    assert step_accuracy([np.array([-1.0, 1.0])], [np.array([-1.0, 0.0])]) == 1 / 2
    assert step_accuracy([["-1", "1"]], [["-1", "0"]]) == 1 / 2


def test_numbers_equal_whatever_their_type_but_never_strings():
    assert step_accuracy([[1, 0]], [np.array([1.0, 0.0], np.float32)]) == 1
    assert step_accuracy([np.array([1, 0])], [np.array(["1", "0"])]) == 0
    assert step_accuracy([[1, "0"]], [["1", "0"]]) == 1 / 2


PAIR_METRICS = [step_accuracy, sequence_accuracy, chunk_precision_recall_f1, chunk_f1]


@pytest.mark.parametrize("metric", PAIR_METRICS)
@pytest.mark.parametrize(
    "y_true, y_pred, message",
    [
        ([["O"]], [["O"], ["O"]], "y_true holds 1 sequences, but y_pred 2"),
        ([["O"], ["O"]], [["O"], ["O", "O"]], "sequence 1 has 1 labels in y_true, but 2 in y_pred"),
        (["O", "B-X"], [["O"], ["O"]], r"y_true has a single label for sequence 0.*\[y_true\]"),
        ([["O"]], np.array(["O"]), "y_pred has a single label for sequence 0"),
        ([["O"]], [[["O"]]], r"y_pred has an array of shape \(1, 1\) for sequence 0"),
    ],
)
def test_what_does_not_fit_is_named(metric, y_true, y_pred, message):
    with pytest.raises(ValueError, match=message):
        metric(y_true, y_pred)


def test_bad_weights_and_nothing_to_count():
    with pytest.raises(ValueError, match=r"shape \(2,\) for sequence 1; expected a number"):
        step_accuracy(TRUE, PRED, sample_weight=[1, [1, 2], 1])
    with pytest.raises(ValueError, match="2 entries; expected 3"):
        step_accuracy(TRUE, PRED, sample_weight=[1, 2])
    with pytest.raises(ValueError, match="holds 2 numbers; expected 3 numbers"):
        sequence_accuracy(TRUE, PRED, sample_weight=[1, 2])
    with pytest.raises(ValueError, match="no step with a label"):
        step_accuracy([[None]], [["a"]])
    with pytest.raises(ValueError, match="no sequence with a label"):
        sequence_accuracy([[-1]], [[0]])


# -- chunks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scheme, labels, expected",
    [
        ("iob2", "B-X I-X O B-Y", [("X", 0, 2), ("Y", 3, 4)]),
        ("iob2", "B-X B-X I-X", [("X", 0, 1), ("X", 1, 3)]),
        ("iob2", "", []),
        ("iob2", "O O", []),
        # ill-formed in IOB2
        ("iob2", "O I-X I-X", [("X", 1, 3)]),
        ("iob2", "I-X", [("X", 0, 1)]),
        ("iob2", "B-X I-Y I-Y", [("X", 0, 1), ("Y", 1, 3)]),
        ("iob2", "B-X O I-X", [("X", 0, 1), ("X", 2, 3)]),
        # well-formed in IOB1: B only between chunks of one type
        ("iob1", "I-X I-X B-X I-X I-Y O", [("X", 0, 2), ("X", 2, 4), ("Y", 4, 5)]),
        # E at the end of a chunk before another of its type (IOE1), of every chunk (IOE2)
        ("ioe1", "I-X E-X I-X O I-Y", [("X", 0, 2), ("X", 2, 3), ("Y", 4, 5)]),
        ("ioe2", "E-X I-X E-X O I-Y E-Y", [("X", 0, 1), ("X", 1, 3), ("Y", 4, 6)]),
        ("iobes", "S-X B-X I-X E-X O B-Y E-Y", [("X", 0, 1), ("X", 1, 4), ("Y", 5, 7)]),
        # ill-formed in IOBES
        ("iobes", "S-X I-X E-X I-X", [("X", 0, 1), ("X", 1, 3), ("X", 3, 4)]),
        ("iobes", "B-X S-X E-X", [("X", 0, 1), ("X", 1, 2), ("X", 2, 3)]),
        ("iobes", "B-X E-Y", [("X", 0, 1), ("Y", 1, 2)]),
        ("bilou", "U-X B-X I-X L-X O", [("X", 0, 1), ("X", 1, 4)]),
        # the type is all after the first hyphen, or nothing
        ("iob2", "B-X-1 I-X-1 I-X-2", [("X-1", 0, 2), ("X-2", 2, 3)]),
        ("iob2", "B I O I", [("", 0, 2), ("", 3, 4)]),
    ],
)
def test_chunks_by_hand(scheme, labels, expected):
    labels = labels.split()
    assert get_chunks(labels, scheme) == expected
    assert get_chunks(np.array(labels, dtype=str), scheme) == expected


# The script's own conditions, pair by pair: previous letter and letter.
ENDS = {"BB", "BO", "IB", "IO", "EE", "EI", "EO"}
STARTS = {"BB", "IB", "OB", "OI", "EE", "EI", "OE"}
IOBES = {"ES", "EB", "SE", "SI", "SS", "SB", "BS", "IS"}  # of its ports: both ends and starts


def conlleval(y_true, y_pred):
    """Count as the script does, walking along with a flag: {type: [right, true, predicted]}."""
    counts = {}

    def add(kind, column):
        counts.setdefault(kind, [0, 0, 0])[column] += 1

    def changed(before, after):
        (a, kind_a), (b, kind_b) = before, after
        ends = a + b in ENDS | IOBES | {"SO"} or (a != "O" and kind_a != kind_b)
        starts = a + b in STARTS | IOBES | {"OS"} or (b != "O" and kind_a != kind_b)
        return ends, starts

    last_true = last_pred = ("O", "")
    in_right = False
    for true, pred in zip(y_true, y_pred, strict=True):
        steps = [*zip(true, pred, strict=True), ("O", "O")]  # a boundary after each sequence
        for true_label, pred_label in steps:
            now_true = (true_label[0], true_label[2:])
            now_pred = (pred_label[0], pred_label[2:])
            true_ends, true_starts = changed(last_true, now_true)
            pred_ends, pred_starts = changed(last_pred, now_pred)
            if in_right:
                if true_ends and pred_ends and last_true[1] == last_pred[1]:
                    in_right = False
                    add(last_true[1], 0)
                elif true_ends != pred_ends or now_true[1] != now_pred[1]:
                    in_right = False
            if true_starts and pred_starts and now_true[1] == now_pred[1]:
                in_right = True
            if true_starts:
                add(now_true[1], 1)
            if pred_starts:
                add(now_pred[1], 2)
            last_true, last_pred = now_true, now_pred
    return counts


@pytest.mark.parametrize("scheme", ["iob1", "iob2", "ioe1", "ioe2", "iobes"])
def test_equal_to_conlleval_on_any_labels_well_formed_or_not(scheme, rng):
    letters = sorted(set(metrics.SCHEMES[scheme]) - {"O"})
    labels = ["O", "O"] + [f"{letter}-{kind}" for letter in letters for kind in "XY"]
    y_true = [rng.choice(labels, n).tolist() for n in rng.integers(1, 12, 200)]
    y_pred = [
        [label if rng.random() < 0.7 else str(rng.choice(labels)) for label in part]
        for part in y_true
    ]
    counts = conlleval(y_true, y_pred)
    each = chunk_precision_recall_f1(y_true, y_pred, scheme=scheme, average=None)
    assert list(each) == ["X", "Y"] == sorted(counts)
    for kind, (right, true, pred) in counts.items():
        assert 0 < right < min(true, pred)
        assert each[kind] == pytest.approx((right / pred, right / true, 2 * right / (true + pred)))
    right, true, pred = np.sum(list(counts.values()), axis=0)
    overall = chunk_precision_recall_f1(y_true, y_pred, scheme=scheme)
    assert overall == pytest.approx((right / pred, right / true, 2 * right / (true + pred)))


CHUNKS_TRUE = [["B-X", "I-X", "O", "B-Y"], ["B-X", "B-Y"]]  # X: 2, Y: 2
CHUNKS_PRED = [["B-X", "I-X", "O", "B-X"], ["I-X", "O"]]  # X: 3, of which 2 are right


@forms
def test_averages_by_hand(form):
    y_true, y_pred = form(CHUNKS_TRUE), form(CHUNKS_PRED)
    micro = chunk_precision_recall_f1(y_true, y_pred)
    assert micro == pytest.approx((2 / 3, 2 / 4, 4 / 7))
    each = chunk_precision_recall_f1(y_true, y_pred, average=None)
    assert each["X"] == pytest.approx((2 / 3, 1, 4 / 5))
    assert each["Y"] == (0, 0, 0)
    macro = chunk_precision_recall_f1(y_true, y_pred, average="macro")
    assert macro == pytest.approx((1 / 3, 1 / 2, 2 / 5))
    weighted = chunk_precision_recall_f1(y_true, y_pred, average="weighted")
    assert weighted == pytest.approx((1 / 3, 1 / 2, 2 / 5))  # as many X as Y
    assert all(type(score) is float for scores in (micro, macro, weighted) for score in scores)


@pytest.mark.parametrize("average", ["micro", "macro", "weighted", None])
def test_single_scores_are_parts_of_the_whole(average):
    whole = chunk_precision_recall_f1(CHUNKS_TRUE, CHUNKS_PRED, average=average)
    for metric, name in [
        (chunk_precision, "precision"),
        (chunk_recall, "recall"),
        (chunk_f1, "f1"),
    ]:
        part = metric(CHUNKS_TRUE, CHUNKS_PRED, average=average)
        if average is None:
            assert part == {kind: getattr(scores, name) for kind, scores in whole.items()}
        else:
            assert part == getattr(whole, name)


@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
def test_nothing_to_count(average):
    nothing = [["O", "O"]]
    assert chunk_precision_recall_f1(nothing, nothing, average=average) == (0, 0, 0)
    assert chunk_f1(nothing, nothing, average=average, zero_division=1.0) == 1
    assert chunk_precision_recall_f1(nothing, nothing, average=None) == {}


def test_steps_without_a_true_label_are_cut_out_of_both_sides():
    y_true = [["B-X", None, "I-X", "O", None]]
    y_pred = [["B-X", "O", "I-X", "O", "B-Y"]]
    assert chunk_precision_recall_f1(y_true, y_pred) == (1, 1, 1)


@pytest.mark.parametrize(
    "y_pred, settings, message",
    [
        ([["O"], ["E-X"]], {}, "label 'E-X' at time step 0 of sequence 1 of y_pred"),
        ([["O"], [None]], {}, "label None at time step 0 of sequence 1 of y_pred"),
        ([["O"], ["X-B"]], {"scheme": "iobes"}, r"expected 'O', or one of \['B', 'E', 'I', 'S'\]"),
        ([["O"], ["O"]], {"scheme": "iob"}, "no scheme 'iob'; there are .*'iob1', 'iob2'"),
        ([["O"], ["O"]], {"average": "samples"}, "average is 'samples'; expected 'micro'"),
    ],
)
def test_bad_labels_and_settings(y_pred, settings, message):
    with pytest.raises(ValueError, match=message):
        chunk_f1([["O"], ["O"]], y_pred, **settings)


# -- scorers ---------------------------------------------------------------------------------------


def near(x, center):
    return np.where(np.abs(x[:, 0] - center) < 0.5, "B-X", "O")


class Near(BaseEstimator):
    """Tags "B-X" where the feature is near the center; predicts an object array, as a tagger."""

    def __init__(self, center=0.0):
        self.center = center

    def fit(self, X, y):
        return self

    def predict(self, X):
        return objects([near(x, self.center) for x in X])


@pytest.fixture
def tagged(rng):
    X = [rng.standard_normal((n, 1)) for n in rng.integers(2, 6, 20)]
    return X, [near(x, 0.5).tolist() for x in X]


@pytest.mark.parametrize("name", sorted(metrics.SCORERS))
def test_scorers_by_name(name, tagged):
    X, y = tagged
    model = Near(0.3)
    assert scorer(name)(model, X, y) == metrics.SCORERS[name](y, model.predict(X)) < 1
    search = GridSearchCV(Near(), {"center": [0.0, 0.5, 1.0]}, scoring=scorer(name), cv=4)
    search.fit(X, y)
    assert search.best_params_ == {"center": 0.5}
    assert search.best_score_ == 1


def test_scorers_with_settings(tagged):
    X, y = tagged
    scoring = {"a": scorer("chunk_f1", scheme="iobes", average="macro"), "b": scorer("chunk_f1")}
    scores = cross_validate(Near(), X, y, scoring=scoring, cv=2, error_score="raise")
    assert np.array_equal(scores["test_a"], scores["test_b"])  # only one type, only B


def test_an_unknown_scorer():
    with pytest.raises(ValueError, match=r"no scorer 'f1'; there are .*'chunk_f1'"):
        scorer("f1")


@pytest.mark.parametrize("metric", [step_accuracy, sequence_accuracy])
@pytest.mark.parametrize("weight", [-1, np.nan, np.inf])
def test_weights_that_are_none(metric, weight):
    with pytest.raises(ValueError, match=r"sample_weight of sequence 1 is .*; expected finite"):
        metric(TRUE, PRED, sample_weight=[1, weight, 1])


def test_sequences_have_no_weights_of_steps():
    weights = [np.ones(len(labels)) for labels in TRUE]
    with pytest.raises(
        ValueError, match=r"holds arrays of shape .*; expected 3 numbers, one for each"
    ):
        sequence_accuracy(TRUE, PRED, sample_weight=weights)


def test_a_missing_label_of_pandas_is_left_out_and_a_missing_answer_is_wrong():
    pd = pytest.importorskip("pandas")
    true = [pd.Series(["A", None, "B"], dtype="string"), ["A", pd.NA]]
    said = [["A", "B", "B"], np.array([pd.NA, "A"], dtype=object)]
    assert step_accuracy(true, said) == 2 / 3
    assert sequence_accuracy(true, said) == 1 / 2
