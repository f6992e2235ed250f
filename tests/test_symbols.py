"""Every form of symbols gives the same codes; every bad input an error that names the culprit."""

import copy
import datetime
import pickle
import re
import sys
from collections import Counter
from decimal import Decimal
from enum import Enum

import numpy as np
import pytest
from scipy import sparse

from seqlearn_lstm.sequences import check_sequences, truncate_sequences
from seqlearn_lstm.symbols import UNKNOWN, Vocabulary, check_symbols, holds_symbols

WORDS = [["the", "cat", "sat"], ["the"], ["a", "cat", "on", "the"]]
NUMBERS = [[7, 3, 7], [5], [-1, 7, 3, 3]]
STRINGS = ["abc", "b", "cab d"]


def named(value):
    """What a value is called: the same in every process."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


def objects(parts):
    out = np.empty(len(parts), object)
    out[:] = parts
    return out


class OnlyArray:
    """An array-like with ``__array__`` and nothing else."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)


class Broken:
    """An array-like whose ``__array__`` fails."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no array of this")


class Colour(Enum):
    RED = 1
    BLUE = 2


def series(values, **options):
    return pytest.importorskip("pandas").Series(values, **options)


def frame(columns):
    return pytest.importorskip("pandas").DataFrame(columns)


def codes(X):
    """The vocabulary of X, and its codes as lists."""
    sequences = check_symbols(X)
    vocabulary = Vocabulary.learn(sequences)
    return vocabulary, [part[:, 0].tolist() for part in vocabulary.encode(sequences)]


def decode(vocabulary, coded):
    return [[vocabulary.symbols[code] for code in part] for part in coded]


# Forms --------------------------------------------------------------------------------------------

RAGGED_FORMS = {
    "list of lists": list,
    "tuple of tuples": lambda parts: tuple(map(tuple, parts)),
    "object array": objects,
    "list of arrays": lambda parts: [np.array(part) for part in parts],
    "list of object arrays": lambda parts: [np.array(part, object) for part in parts],
    "list of NumPy scalars": lambda parts: [list(np.array(part)) for part in parts],
    "only __array__": lambda parts: [OnlyArray(part) for part in parts],
    "strided arrays": lambda parts: [np.array(part[::-1])[::-1] for part in parts],
    "arrays of one column": lambda parts: [np.array(part)[:, None] for part in parts],
    "series of lists": lambda parts: series(parts, index=range(len(parts), 0, -1)),
    "list of series": lambda parts: [series(part) for part in parts],
    "frames of one column": lambda parts: [frame({"symbol": part}) for part in parts],
}


@pytest.mark.parametrize("parts", [WORDS, NUMBERS], ids=["words", "numbers"])
@pytest.mark.parametrize("form", RAGGED_FORMS.values(), ids=RAGGED_FORMS.keys())
def test_all_ragged_forms_are_one(form, parts):
    X = form(parts)
    vocabulary, coded = codes(X)
    assert (vocabulary.symbols, coded) == (codes(parts)[0].symbols, codes(parts)[1])
    assert decode(vocabulary, coded) == parts
    assert holds_symbols(X) == (parts is WORDS)


STRING_FORMS = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "object array": objects,
    "list of np.str_": lambda X: list(np.array(X)),
    "StringDType": lambda X: np.array(X, np.dtypes.StringDType()),
    "series": series,
    "only __array__": OnlyArray,
    "lists of characters": lambda X: [list(x) for x in X],
}


@pytest.mark.parametrize("form", STRING_FORMS.values(), ids=STRING_FORMS.keys())
def test_strings_are_sequences_of_characters(form):
    vocabulary, coded = codes(form(STRINGS))
    assert decode(vocabulary, coded) == [list(x) for x in STRINGS]
    assert holds_symbols(form(STRINGS))


TABLE_FORMS = {
    "lists": np.ndarray.tolist,
    "array": np.asarray,
    "fortran order": np.asfortranarray,
    "objects": lambda X: X.astype(object),
    "frame": frame,
}


@pytest.mark.parametrize("table", [[["a", "b"], ["c", "a"]], [[4, 2], [2, 9]]], ids=str)
@pytest.mark.parametrize("form", TABLE_FORMS.values(), ids=TABLE_FORMS.keys())
def test_rows_of_a_table_are_sequences(form, table):
    vocabulary, coded = codes(form(np.array(table)))
    assert decode(vocabulary, coded) == table


@pytest.mark.parametrize(
    "symbols",
    [
        [Colour.RED, Colour.BLUE],
        [True, False],
        ["", " "],
        ["\0", "ä"],
        [datetime.date.min],
        [datetime.datetime.min, datetime.time.min],
        [frozenset("a"), frozenset("b")],
        [1, "1"],
    ],
    ids=str,
)
def test_any_hashable_value_is_a_symbol(symbols):
    vocabulary, coded = codes([symbols])
    assert decode(vocabulary, coded) == [symbols]


ALL_FORMS = [form(WORDS) for form in RAGGED_FORMS.values()]
ALL_FORMS += [form(STRINGS) for form in STRING_FORMS.values()]


@pytest.mark.parametrize(
    "X", ALL_FORMS, ids=[*RAGGED_FORMS, *(f"{s} of str" for s in STRING_FORMS)]
)
def test_input_is_not_modified(X):
    before = copy.deepcopy(X)
    codes(X)
    assert pickle.dumps(X) == pickle.dumps(before)


def test_sequences_are_not_copied():
    table = np.array([[1, 2], [3, 4]])
    X = [WORDS[0], "text", table[0]]
    assert all(got is given for got, given in zip(check_symbols(X), X, strict=True))
    assert np.shares_memory(check_symbols(table)[1], table)


@pytest.mark.parametrize("form", [series, objects, list])
def test_pandas_is_not_imported(form, monkeypatch):
    X = form(WORDS)
    monkeypatch.setitem(sys.modules, "pandas", None)  # importing it is an error from here on
    assert holds_symbols(X)
    assert len(check_symbols(X)) == 3


# Strings or not -----------------------------------------------------------------------------------

NESTED = []
NESTED.append(NESTED)


@pytest.mark.parametrize(
    "X, expected",
    [
        ([[1.0, 2.0], ["a"]], True),
        ([[None, "a"]], True),
        ([[["a", 1.5]], [["b", 2.5]]], True),
        ([np.zeros((2, 2)), "abc"], True),
        ([np.array([[1, "a"]], object)], True),
        (np.array([[1.5, "a"]], object), True),
        ([[1, 2], [3]], False),
        ([1.5, 2.5], False),
        (np.zeros((2, 3)), False),
        (np.zeros((2, 3, 4)), False),
        (np.zeros((2, 3), object), False),
        ([np.zeros((2, 3)), np.zeros((1, 3))], False),
        ([[[1, 2], [3, 4]]], False),
        ([[b"a"]], False),
        ("abc", False),  # a single string is no X
        (b"abc", False),
        (None, False),
        (1.5, False),
        ({"a": ["b"]}, False),
        ({"a"}, False),
        ((x for x in ["a"]), False),
        ([], False),
        (np.empty((0, 3)), False),
        (sparse.csr_array(np.eye(2)), False),
        ([None, {}, object()], False),
        (Broken(), False),
        ([Broken()], False),
        (NESTED, False),
    ],
    ids=named,
)
def test_holds_symbols(X, expected):
    assert holds_symbols(X) is expected


@pytest.mark.parametrize(
    "columns, expected",
    [({"a": ["x", "y"], "b": [1, 2]}, True), ({"a": [1.5, 2], "b": [1, 2]}, False)],
)
def test_frames_that_hold_symbols(columns, expected):
    assert holds_symbols(frame(columns)) is expected
    assert holds_symbols([frame(columns)]) is expected


# The vocabulary -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "X, options, known",
    [
        (WORDS, {}, ["the", "cat", "a", "on", "sat"]),
        (WORDS, {"min_count": 2}, ["the", "cat"]),
        (WORDS, {"min_count": 4}, []),
        (WORDS, {"max_vocabulary": 3}, ["the", "cat", "a"]),
        (WORDS, {"max_vocabulary": 3, "min_count": 3}, ["the"]),
        (WORDS, {"max_vocabulary": 99}, ["the", "cat", "a", "on", "sat"]),
        (NUMBERS, {}, [3, 7, -1, 5]),
        (["ba", "b"], {}, ["b", "a"]),
        ([["z", 1, "a"], [2, 1]], {}, [1, "z", "a", 2]),  # they do not sort: first appearance
        ([["z", 1, "a", "z", "a"]], {"min_count": 2}, ["a", "z"]),  # but these do
    ],
)
def test_order_of_codes(X, options, known):
    vocabulary = Vocabulary.learn(check_symbols(X), **options)
    assert vocabulary.symbols == [None, *known]
    assert len(vocabulary) == 1 + len(known)


@pytest.mark.parametrize("known, twice", [("abca", "'a'"), (["x", 1, True], "1")], ids=str)
def test_vocabulary_has_each_symbol_once(known, twice):
    with pytest.raises(ValueError, match=f"has the symbol {twice} more than once"):
        Vocabulary(known)


def test_the_list_of_symbols_is_the_callers_own():
    vocabulary = Vocabulary("ab")
    vocabulary.symbols.append("c")
    assert vocabulary.symbols == [None, "a", "b"]
    assert len(vocabulary) == 3


def test_vocabulary_of_random_words_counts_right():
    rng = np.random.default_rng(0)
    X = [rng.geometric(0.1, size=n).tolist() for n in rng.integers(1, 40, size=200)]
    counts = Counter(symbol for x in X for symbol in x)
    expected = sorted(counts, key=lambda symbol: (-counts[symbol], symbol))
    assert Vocabulary.learn(X).symbols[1:] == expected


def test_codes_and_their_container():
    sequences = check_symbols(WORDS)
    encoded = Vocabulary(["cat", "the"]).encode(sequences)
    assert encoded.rows.tolist() == [[2], [1], [0], [2], [0], [1], [0], [2]]
    assert encoded.offsets.tolist() == [0, 3, 4, 8]
    assert (encoded.rows.dtype, encoded.offsets.dtype) == (np.int64, np.int64)
    assert encoded.rows.flags.c_contiguous


def test_unknown_symbols():
    vocabulary = Vocabulary.learn([["a", "b"]])
    assert "a" in vocabulary and np.str_("a") in vocabulary
    assert "c" not in vocabulary and None not in vocabulary
    assert vocabulary.encode([["c", "b"], "xay"]).rows.ravel().tolist() == [
        *[UNKNOWN, 2],
        *[UNKNOWN, 1, UNKNOWN],
    ]
    assert Vocabulary([]).encode(["ab"]).rows.ravel().tolist() == [UNKNOWN, UNKNOWN]


@pytest.mark.parametrize("X", [WORDS, NUMBERS, STRINGS], ids=["words", "numbers", "strings"])
@pytest.mark.parametrize("form", [RAGGED_FORMS["list of NumPy scalars"], list])
def test_vocabulary_can_be_pickled_and_holds_plain_values(X, form):
    X = form([list(x) for x in X])
    vocabulary = Vocabulary.learn(check_symbols(X))
    again = pickle.loads(pickle.dumps(vocabulary))
    assert again.symbols == vocabulary.symbols
    assert np.array_equal(again.encode(X).rows, vocabulary.encode(X).rows)
    assert {type(symbol) for symbol in vocabulary.symbols[1:]} <= {str, int}
    assert b"numpy" not in pickle.dumps(vocabulary)


# Truncation ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "max_timesteps, truncate, expected",
    [
        (None, "pre", WORDS),
        (9, "pre", WORDS),
        (4, "post", WORDS),
        (2, "pre", [["cat", "sat"], ["the"], ["on", "the"]]),
        (2, "post", [["the", "cat"], ["the"], ["a", "cat"]]),
        (1, "pre", [["sat"], ["the"], ["the"]]),
        (np.uint8(1), "post", [["the"], ["the"], ["a"]]),
    ],
)
def test_truncation(max_timesteps, truncate, expected):
    vocabulary = Vocabulary.learn(WORDS)
    whole = vocabulary.encode(WORDS)
    cut, kept = truncate_sequences(whole, max_timesteps, truncate)
    assert np.array_equal(cut.rows, vocabulary.encode(expected).rows)
    assert np.array_equal(cut.offsets, vocabulary.encode(expected).offsets)
    flat = np.array([word for sentence in WORDS for word in sentence])
    assert flat[kept].tolist() == [word for sentence in expected for word in sentence]


@pytest.mark.parametrize("truncate, first", [("pre", 3), ("post", 0)])
def test_truncation_of_numbers(truncate, first):
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(n, 2)) for n in (5, 1, 2)]
    cut, kept = truncate_sequences(check_sequences(parts, dtype=np.float64), 2, truncate)
    expected = [parts[0][first : first + 2], parts[1], parts[2]]
    assert all(np.array_equal(*pair) for pair in zip(cut, expected, strict=True))
    assert kept.tolist() == [first, first + 1, 5, 6, 7]


def test_nothing_is_copied_where_nothing_is_cut():
    sequences = check_sequences([[1.0, 2.0], [3.0]])
    for max_timesteps in (None, 2):
        cut, kept = truncate_sequences(sequences, max_timesteps)
        assert cut is sequences
        assert kept == slice(None)


@pytest.mark.parametrize(
    "options, pattern",
    [
        ({"max_timesteps": 0}, "max_timesteps is 0; expected a whole number of at least 1"),
        ({"max_timesteps": -2}, "max_timesteps is -2"),
        ({"max_timesteps": 2.0}, "max_timesteps is 2.0"),
        ({"max_timesteps": True}, "max_timesteps is True"),
        ({"max_timesteps": "2"}, "max_timesteps is '2'"),
        ({"max_timesteps": 2, "truncate": "end"}, "truncate is 'end'; expected 'pre' or 'post'"),
        ({"max_timesteps": 2, "truncate": None}, "truncate is None"),
    ],
)
def test_bad_truncation(options, pattern):
    with pytest.raises(ValueError, match=pattern):
        truncate_sequences(check_sequences([[1.0]]), **options)


# Errors -------------------------------------------------------------------------------------------


def with_third(value):
    """A good collection with ``value`` in place of sequence 2."""
    return [["a", "b"], ["c"], value, ["d"]]


AT_STEP_1 = "(?s)sequence 2 of X holds .*at time step 1; expected a symbol.*"

BAD = {  # what: X, type of the error, pattern of its message
    "None": (with_third(["a", None]), ValueError, f"{AT_STEP_1}missing"),
    "NaN": (with_third(["a", np.nan]), ValueError, f"{AT_STEP_1}missing"),
    "float32 NaN": (with_third(["a", np.float32("nan")]), ValueError, f"{AT_STEP_1}missing"),
    "None in objects": (with_third(objects(["a", None])), ValueError, f"{AT_STEP_1}missing"),
    "float": (with_third(["a", 1.5]), ValueError, f"{AT_STEP_1}must be whole"),
    "whole float": (with_third([1, 2.0]), ValueError, f"{AT_STEP_1}must be whole"),
    "NumPy float": (with_third(["a", np.float32(2)]), ValueError, f"{AT_STEP_1}must be whole"),
    "floats": (with_third(np.zeros(2)), ValueError, "sequence 2 .*time step 0.*must be whole"),
    "float table": (np.zeros((2, 2)), ValueError, "sequence 0 .*0.0.*time step 0"),
    "complex": (with_third(["a", 1j]), ValueError, f"{AT_STEP_1}whole"),
    "decimal": (with_third(["a", Decimal(1)]), ValueError, f"{AT_STEP_1}whole"),
    "bytes": (with_third(["a", b"b"]), ValueError, f"{AT_STEP_1}Decode"),
    "array of bytes": (with_third(np.array([b"b"])), ValueError, "sequence 2 .*Decode"),
    "dates": (with_third(np.zeros(2, "M8[ns]")), ValueError, "sequence 2 .*step 0.*parts"),
    "list": (with_third(["a", ["b", "c"]]), ValueError, f"{AT_STEP_1}not supported yet"),
    "tuple": (with_third(["a", ("b", 1.5)]), ValueError, f"{AT_STEP_1}not supported yet"),
    "array": (with_third(["a", np.zeros(2)]), ValueError, f"{AT_STEP_1}not supported yet"),
    "structured": (with_third(np.zeros(1, "f4, U3")), ValueError, "sequence 2 .*not supported"),
    "2-D": (
        with_third(np.full((2, 3), "a")),
        ValueError,
        r"sequence 2 .*shape \(2, 3\).*not supported yet",
    ),
    "2-D mixed": (with_third(np.array([["a", 1.5]], object)), ValueError, "sequence 2 .*supported"),
    "dict": (with_third(["a", {}]), TypeError, f"{AT_STEP_1}hashable"),
    "set": (with_third(["a", {1}]), TypeError, f"{AT_STEP_1}hashable"),
    "no steps": (with_third([]), ValueError, "sequence 2 of X has length 0"),
    "no characters": (["ab", ""], ValueError, "sequence 1 of X has length 0"),
    "no steps, array": (with_third(np.empty(0, "U1")), ValueError, "sequence 2 .*length 0"),
    "no columns": (np.empty((2, 0), "U1"), ValueError, "sequence 0 .*length 0"),
    "no sequences": ([], ValueError, "0 sequences"),
    "no sequences, array": (np.empty(0, "U1"), ValueError, "0 sequences"),
    "None in X": (
        with_third(None),
        TypeError,
        "sequence 2 of X has type NoneType; expected a list",
    ),
    "dict in X": (with_third({"a": 1}), TypeError, "sequence 2 .*dict"),
    "bytes in X": (with_third(b"abc"), TypeError, "sequence 2 .*bytes"),
    "number in X": ([3, 4], TypeError, r"sequence 0 .*int; .*one sequence goes into \[X\]"),
    "array of numbers": (np.arange(3), TypeError, "sequence 0 .*int"),
    "0-D in X": (with_third(np.array("abc")), TypeError, "sequence 2 .*ndarray"),
    "sparse in X": (with_third(sparse.csr_array(np.eye(2))), TypeError, "sequence 2 .*sparse"),
    "masked in X": (with_third(np.ma.masked_array([1])), TypeError, "sequence 2 .*masked"),
    "string X": ("abc", TypeError, "X has type str; expected a list"),
    "None X": (None, TypeError, "X has type NoneType"),
    "dict X": ({"a": ["b"]}, TypeError, "X has type dict"),
    "set X": ({"a"}, TypeError, "X has type set"),
    "generator X": ((x for x in ["a"]), TypeError, "X has type generator"),
    "0-D X": (np.array("abc"), TypeError, "X has type ndarray"),
    "3-D X": (np.full((2, 2, 2), "a"), ValueError, "X has 3 dimensions, not 1 or 2"),
    "sparse X": (sparse.csr_array(np.eye(2)), TypeError, "X is sparse"),
    "masked X": (np.ma.masked_array([[1]]), TypeError, "X is a masked"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("X, error, pattern", BAD.values(), ids=BAD.keys())
def test_bad_input(X, error, pattern):
    assert holds_symbols(X) in (True, False)
    with pytest.raises(error, match=pattern):
        check_symbols(X)


MIXED = {"word": ["a", "b"], "number": [1.5, 2]}
BAD_FRAMES = {  # of pandas' own: columns or series -> X, and the pattern of the message
    "a frame per sequence": (lambda pd: [pd.DataFrame(MIXED)], r"sequence 0 .*\(2, 2\).*supported"),
    "one frame": (lambda pd: pd.DataFrame(MIXED), "columns of symbols and columns of numbers"),
    "whole numbers": (
        lambda pd: pd.DataFrame({"a": ["x"], "b": [1]}),
        "columns of symbols and columns of numbers.*not supported yet",
    ),
    "pandas.NA": (
        lambda pd: [["a"], pd.Series(["a", pd.NA], dtype="string")],
        "sequence 1 .*time step 1.*missing",
    ),
    "pandas.NaT": (lambda pd: [["a", pd.NaT]], "sequence 0 .*time step 1.*missing"),
    "missing in a Series of strings": (lambda pd: pd.Series(["ab", None]), "sequence 1 .*has type"),
}


@pytest.mark.parametrize("make, pattern", BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
def test_bad_frames(make, pattern):
    X = make(pytest.importorskip("pandas"))
    assert holds_symbols(X)
    with pytest.raises((TypeError, ValueError), match=pattern):
        check_symbols(X)


def test_what_is_missing_among_whole_numbers_makes_no_fractions_of_them():
    pd = pytest.importorskip("pandas")
    X = [pd.Series([3, 5, None, 2], dtype="Int64")]
    with pytest.raises(ValueError, match=r"sequence 0 of X holds <NA> .* time step 2.*missing"):
        check_symbols(X)
    assert list(check_symbols([X[0].dropna()])[0]) == [3, 5, 2]


def test_codes_are_symbols_again():
    vocabulary = Vocabulary(["b", 3, "a"])
    codes = vocabulary.encode([["a", "c", 3, "b"]]).rows[:, 0]
    assert vocabulary.decode(codes).tolist() == ["a", None, 3, "b"]
    assert vocabulary.decode(codes[:0]).shape == (0,)
