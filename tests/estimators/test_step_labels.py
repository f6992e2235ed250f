"""Labels and weights of steps in the forms that users have them, and what is none of them."""

import numpy as np
import pandas as pd
import pytest
from estimator_helpers import SMALL, identical, objects, padded, ragged, same_fit
from sklearn.model_selection import KFold, cross_val_score

from seqlearn_lstm import LSTMSequenceTagger
from seqlearn_lstm.metrics import step_accuracy

X = [np.zeros((3, 1)), np.ones((2, 1))]
TAGS = [["a", "b", "a"], ["b", "a"]]
LARGE = 2**60  # beside LARGE + 1: the same float


def small(**params):
    return LSTMSequenceTagger(**(SMALL | params))


@pytest.mark.parametrize(
    "y, classes",
    [
        ([np.array([0, 1, -1]), np.array([np.nan, 1])], [0, 1]),
        ([[0, np.nan, -1], [LARGE, LARGE + 1]], [0, LARGE, LARGE + 1]),
        ([np.array([LARGE, LARGE + 1, 0]), np.array([np.nan, np.nan])], [0, LARGE, LARGE + 1]),
        ([np.array([0, 1, -1]), np.array([1, 2], np.uint64)], [0, 1, 2]),
        ([pd.Series([LARGE, LARGE + 1, None], dtype="Int64"), [-1, 0]], [0, LARGE, LARGE + 1]),
        (pd.Series([LARGE, LARGE + 1, None, 0, -1], dtype="Int64"), [0, LARGE, LARGE + 1]),
        ([pd.array([LARGE, LARGE + 1, None], "Int64"), [-1, 0]], [0, LARGE, LARGE + 1]),
        ([pd.array([LARGE, LARGE + 1, -1], "Int64"), [-1, 0]], [0, LARGE, LARGE + 1]),
        ([0, LARGE, LARGE + 1, np.nan, -1], [0, LARGE, LARGE + 1]),
        ([np.array(["2020", "2021", "NaT"], "M8[Y]"), np.array(["NaT", "2021"], "M8[Y]")], None),
    ],
)
def test_whole_numbers_beside_what_is_missing_stay_what_they_are(y, classes):
    rows, lengths = (X, None) if len(y) == len(X) else (np.concatenate(X), [3, 2])
    found = small().fit(rows, y, lengths=lengths).classes_.tolist()
    expected = np.array(["2020", "2021"], "M8[Y]").tolist() if classes is None else classes
    assert found == expected


@pytest.mark.parametrize(
    "y, classes",
    [
        ([[0, 1, -1], [1, 1]], [1, 0]),
        ([[0, 1, -1], [1, 1]], np.array([0.0, 1.0])),
        ([["a", None, "b"], ["a", "a"]], np.array(["b", "a"], object)),
    ],
)
def test_classes_beside_what_is_unknown(y, classes):
    model = small().partial_fit(X, y, classes=classes)
    known = small().partial_fit(X, y)
    assert model.classes_.tolist() == known.classes_.tolist()
    again = model.partial_fit(X, y, classes=classes)
    assert identical(again.parameters_, known.partial_fit(X, y).parameters_)


@pytest.mark.parametrize("unknown", [-1, np.int8(-1), None, np.nan, pd.NA, pd.NaT], ids=str)
def test_what_stands_for_unknown_is_no_class(unknown):
    y = [[0, 1, -1], [1, 1]]
    with pytest.raises(ValueError, match=r"classes has .*, which says of a step that its label is"):
        small().partial_fit(X, y, classes=np.array([0, unknown, 1], object))
    with pytest.raises(ValueError, match=r"class_weight has .*, which says of a step that its"):
        small(class_weight={0: 1, unknown: 2, 1: 1}).fit(X, y)


def test_minus_one_beside_one_class():
    """It may have been meant as the other one; among floats it is."""
    labels, expected = [[1, -1, 1], [-1, 1]], "the labels -1 and 1 alone"
    for y in (labels, [*map(np.array, labels)], np.concatenate(labels)):
        with pytest.warns(UserWarning, match=expected):
            model = small().fit(X, y)
        assert model.classes_.tolist() == [1]
    with pytest.warns(UserWarning, match=expected):
        small().partial_fit(X, labels)
    assert small().partial_fit(X, labels, classes=[0, 1]).classes_.tolist() == [0, 1]
    assert small().fit(X, [[1, None, 1], [np.nan, 1]]).classes_.tolist() == [1]
    floats = [np.array(part, float) for part in labels]
    assert small(class_weight={-1: 2, 1: 1}).fit(X, floats).classes_.tolist() == [-1, 1]


def test_another_number_below_zero_is_a_class():
    """Such as PyTorch's ignore_index within a sequence; behind its end nothing is looked at."""
    assert small().fit(X, [[0, -100, 1], [-1, 1]]).classes_.tolist() == [-100, 0, 1]
    y = np.array([[0, 1, 1], [1, 0, -100]])
    assert small().fit(padded(X), y).classes_.tolist() == [0, 1]


@pytest.mark.parametrize("classes", [{"a", "b"}, "ab", (c for c in "ab"), np.array("a")])
def test_classes_that_are_no_list(classes):
    with pytest.raises(TypeError, match="expected an array or a list of all labels"):
        small().partial_fit(X, TAGS, classes=classes)


@pytest.mark.parametrize("y", [(t for t in TAGS), dict(enumerate(TAGS)), {1, 2}, np.array(3), 3])
def test_labels_that_are_no_collection(y):
    with pytest.raises(TypeError, match=r"y has type .*; expected an array for each sequence"):
        small().fit(X, y)


@pytest.mark.parametrize("y", [["a", "b"], ["aba", "ba"], np.zeros(4, int)])
def test_labels_that_are_not_one_for_each_step(y):
    message = f"y holds {len(y)} single values, but X 2 sequences of 5 time steps in all"
    with pytest.raises(ValueError, match=message):
        small().fit(X, y)
    with pytest.raises(ValueError, match=message):
        small().fit(X, TAGS).score(X, y)


def test_weights_that_are_one_number_or_too_few():
    assert identical(
        small().fit(X, TAGS, sample_weight=1.0).parameters_, small().fit(X, TAGS).parameters_
    )
    with pytest.raises(ValueError, match="sample_weight holds 3 single values, but X 2 sequences"):
        small().fit(X, TAGS, sample_weight=[1, 1, 1])


# ---- lists of numbers ----------------------------------------------------------------------------


def numbers(lengths):
    rng = np.random.default_rng(0)
    X = [rng.standard_normal(n).tolist() for n in lengths]
    return X, [["up" if value > 0 else "down" for value in x] for x in X]


def test_lists_of_one_length_with_labels_for_each_are_sequences():
    X, y = numbers([4] * 6)
    model = small().fit(X, y)
    arrays = small().fit([np.array(x)[:, None] for x in X], y)
    assert identical(model.parameters_, arrays.parameters_)
    assert [len(labels) for labels in model.predict([[1.0, 2.0], [3.0]])] == [2, 1]


def test_folds_of_lists_may_be_of_one_length():
    X, y = numbers([3] * 4 + [5] * 4)
    assert np.isfinite(cross_val_score(small(), X, y, cv=KFold(2))).all()


@pytest.mark.parametrize("y", [["up", "down"], [["up", "down"]]])
def test_lists_with_a_label_for_each_row_are_rows(y):
    assert small().fit([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], y).n_features_in_ == 3


def test_one_list_is_a_row_or_a_sequence_as_its_labels_say():
    assert small().fit([[1.0, 2.0, 3.0]], [["up"]]).n_features_in_ == 3
    assert small().fit([[1.0, 2.0, 3.0]], [["up", "up", "down"]]).n_features_in_ == 1


def test_labels_of_lists_must_be_as_many_as_their_steps():
    with pytest.raises(ValueError, match="sequence 0 has 3 time steps in X, but 2 values in y"):
        small().fit([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [["up", "down"], ["up", "down"]])


def test_targets_of_padded_steps_do_not_count():
    X, _ = ragged(n=40)
    labels = [np.where(np.cumsum(x[:, 0]) > 0, "above", "below") for x in X]
    filled = np.full((len(X), max(map(len, X))), "other")
    for row, part in zip(filled, labels, strict=True):
        row[: len(part)] = part
    model = LSTMSequenceTagger(**SMALL).fit(X, labels)
    again = LSTMSequenceTagger(**SMALL).fit(padded(X), filled)
    assert same_fit(again, model)
    assert model.score(padded(X), filled) == model.score(X, labels)
    with pytest.raises(ValueError, match=r"sequence 39 has .* time steps in X"):
        again.fit(X, objects([*labels[:-1], [*labels[-1], "above"]]))


X_DATES, _ = ragged(n=20)
DAYS = [np.where(x[:, 0] > 0, "2020-01-01", "2021-01-01").astype("M8[D]") for x in X_DATES]
DATES = {  # form -> from NumPy's days to it
    "days": lambda days: days,
    "nanoseconds": lambda days: days.astype("M8[ns]"),
    "list of NumPy's": list,
    "dates": lambda days: days.tolist(),
    "datetimes": lambda days: days.astype("M8[s]").tolist(),
    "timestamps": lambda days: [pd.Timestamp(day) for day in days],
    "timestamps in nanoseconds": lambda days: [pd.Timestamp(day).as_unit("ns") for day in days],
    "Series": pd.Series,
}


@pytest.mark.parametrize("learned", ["days", "nanoseconds", "list of NumPy's", "Series"])
def test_dates_of_another_form_are_the_same_labels(learned):
    model = LSTMSequenceTagger(**SMALL).fit(X_DATES, [*map(DATES[learned], DAYS)])
    said = model.predict(X_DATES)
    score = model.score(X_DATES, [*map(DATES[learned], DAYS)])
    assert 0 < score < 1
    for form in DATES.values():
        y = [form(days) for days in DAYS]
        assert model.score(X_DATES, y) == score
        assert step_accuracy(y, said) == pytest.approx(score, rel=1e-12)
        assert step_accuracy([np.asarray(part) for part in said], y) == step_accuracy(y, said)


def test_other_dates_are_other_labels():
    """By a nanosecond, which a datetime of Python's has not, or by their time zone."""
    day = np.datetime64("2020-01-01")
    for other in (
        pd.Timestamp("2020-01-01 00:00:00.000000001"),
        pd.Timestamp("2020-01-01 00:00:00", tz="UTC"),
        pd.Timestamp("2020-01-01 01:00:00"),
    ):
        assert step_accuracy([[other, None]], [np.array([day, day])]) == 0
        assert step_accuracy([np.array([day])], [[other]]) == 0
        assert step_accuracy([[other, day]], [[other, day]]) == 1
