"""Every form of input gives the same container; every bad input an error that names the culprit."""

import copy
import pickle
import sys
import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from seqlearn_lstm.sequences import Sequences, check_sequences, is_tabular

LENGTHS = [3, 1, 4, 2]


def ragged(n_features=2, lengths=LENGTHS, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, n_features)) for n in lengths]


def padded(parts, fill=np.nan):
    X = np.full((len(parts), max(map(len, parts)), parts[0].shape[1]), fill)
    for i, part in enumerate(parts):
        X[i, : len(part)] = part
    return X


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


def frames(parts):
    pd = pytest.importorskip("pandas")
    return [pd.DataFrame(part) for part in parts]


def series(parts):
    pd = pytest.importorskip("pandas")
    return pd.Series(list(parts), index=np.arange(len(parts))[::-1], dtype=object)


def table_frame(X):
    return pytest.importorskip("pandas").DataFrame(X)


RAGGED_FORMS = {
    "list": list,
    "tuple": tuple,
    "object array": objects,
    "fortran order": lambda parts: [np.asfortranarray(part) for part in parts],
    "nested lists": lambda parts: [part.tolist() for part in parts],
    "lists of arrays": lambda parts: [list(part) for part in parts],
    "object sequences": lambda parts: [part.astype(object) for part in parts],
    "arrays in arrays": lambda parts: objects([objects(list(part)) for part in parts]),
    "only __array__": lambda parts: [OnlyArray(part) for part in parts],
    "list of frames": frames,
    "series of arrays": series,
    "series of lists": lambda parts: series([part.tolist() for part in parts]),
    "NaN padding": padded,
    "3-D only __array__": lambda parts: OnlyArray(padded(parts)),
    "3-D objects": lambda parts: padded(parts).astype(object),
    "3-D fortran order": lambda parts: np.asfortranarray(padded(parts)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", RAGGED_FORMS.values(), ids=RAGGED_FORMS.keys())
def test_all_ragged_forms_are_one(form, dtype):
    parts = ragged()
    X = form(parts)
    sequences = check_sequences(X, dtype=dtype)
    assert sequences.rows.dtype == dtype
    assert sequences.rows.flags.c_contiguous
    assert sequences.offsets.dtype == np.int64
    assert np.array_equal(sequences.rows, np.concatenate(parts).astype(dtype))
    assert sequences.offsets.tolist() == [0, 3, 4, 8, 10]
    assert not is_tabular(X)


ONE_FEATURE_FORMS = {
    "1-D arrays": lambda parts: [part[:, 0] for part in parts],
    "lists of numbers": lambda parts: [part[:, 0].tolist() for part in parts],
    "tuples of numbers": lambda parts: tuple(tuple(part[:, 0].tolist()) for part in parts),
    "object array": lambda parts: objects([part[:, 0] for part in parts]),
    "object array of lists": lambda parts: objects([part[:, 0].tolist() for part in parts]),
    "series": lambda parts: series([part[:, 0] for part in parts]),
    "series of series": lambda parts: [series(part[:, 0]) for part in parts],
    "2-D": list,
}


@pytest.mark.parametrize("lengths", [LENGTHS, [3, 3, 3]], ids=["ragged", "equal"])
@pytest.mark.parametrize("form", ONE_FEATURE_FORMS.values(), ids=ONE_FEATURE_FORMS.keys())
def test_all_one_feature_forms_are_one(form, lengths):
    parts = ragged(n_features=1, lengths=lengths)
    sequences = check_sequences(form(parts), dtype=np.float64)
    assert np.array_equal(sequences.rows, np.concatenate(parts))
    assert sequences.offsets.tolist() == [0, *np.cumsum(lengths)]


TABLE_FORMS = {
    "array": np.asarray,
    "fortran order": np.asfortranarray,
    "nested lists": np.ndarray.tolist,
    "nested tuples": lambda X: tuple(map(tuple, X.tolist())),
    "objects": lambda X: X.astype(object),
    "only __array__": OnlyArray,
    "frame": table_frame,
}


@pytest.mark.parametrize("form", TABLE_FORMS.values(), ids=TABLE_FORMS.keys())
def test_all_tables_are_one(form):
    X = np.random.default_rng(0).normal(size=(4, 3))
    sequences = check_sequences(form(X), dtype=np.float64)
    assert is_tabular(form(X))
    assert np.array_equal(sequences.rows, X.reshape(-1, 1))
    assert sequences.offsets.tolist() == [0, 3, 6, 9, 12]


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.float32, np.longdouble])
@pytest.mark.parametrize("form", [np.asarray, list], ids=["array", "list"])
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1)])
def test_types_of_numbers(dtype, form, shape):
    X = form((np.arange(6) % 2).reshape(shape).astype(dtype))
    assert check_sequences(X).rows.ravel().tolist() == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize("beyond", [0.0, np.nan, np.inf, 1e300])
def test_lengths_ignore_what_lies_beyond(beyond):
    parts = ragged()
    sequences = check_sequences(padded(parts, fill=beyond), lengths=LENGTHS)
    assert np.array_equal(sequences.rows, np.concatenate(parts).astype(np.float32))
    assert sequences.lengths.tolist() == LENGTHS


def test_a_3d_array_without_padding():
    X = np.random.default_rng(0).normal(size=(3, 4, 2))
    sequences = check_sequences(X, dtype=np.float64)
    assert np.array_equal(sequences.rows, X.reshape(-1, 2))
    assert sequences.lengths.tolist() == [4, 4, 4]


@pytest.mark.parametrize("form", [*RAGGED_FORMS.values()], ids=RAGGED_FORMS.keys())
def test_input_is_not_modified(form):
    X = form(ragged())
    before = copy.deepcopy(X)
    check_sequences(X)
    assert pickle.dumps(X) == pickle.dumps(before)


def test_read_only_input():
    X = np.random.default_rng(0).normal(size=(3, 4, 2))
    X[1, 2:] = np.nan
    X.setflags(write=False)
    assert check_sequences(X, dtype=np.float64).lengths.tolist() == [4, 2, 4]
    assert len(check_sequences(list(X[::2]), dtype=np.float64)) == 2


# The container ------------------------------------------------------------------------------------


def test_container():
    parts = ragged()
    sequences = check_sequences(parts, dtype=np.float64)
    assert (len(sequences), sequences.n_features) == (4, 2)
    assert sequences.lengths.tolist() == LENGTHS
    assert sequences.lengths.dtype == np.int64
    assert all(np.array_equal(*pair) for pair in zip(sequences, parts, strict=True))
    assert np.array_equal(sequences[-1], parts[-1])
    assert np.shares_memory(sequences[2], sequences.rows)
    with pytest.raises(IndexError):
        sequences[4]


@pytest.mark.parametrize(
    "indices", [[2, 0], [1, 1, 3], [-1], [True, False, True, False], np.array([], int)], ids=str
)
def test_take(indices):
    parts = objects(ragged())
    taken = check_sequences(parts, dtype=np.float64).take(indices)
    expected = parts[np.asarray(indices)]
    assert isinstance(taken, Sequences)
    assert len(taken) == len(expected)
    assert all(np.array_equal(*pair) for pair in zip(taken, expected, strict=True))


def test_container_can_be_pickled():
    sequences = check_sequences(ragged())
    again = pickle.loads(pickle.dumps(sequences))
    assert np.array_equal(again.rows, sequences.rows)
    assert np.array_equal(again.offsets, sequences.offsets)


# Errors -------------------------------------------------------------------------------------------


def with_third(value):
    """A good collection with ``value`` in place of sequence 2."""
    return [np.zeros((3, 2)), np.zeros((1, 2)), value, np.zeros((2, 2))]


def with_value(value, i=2, t=1, form=list):
    parts = [part.astype(np.asarray(value).dtype) for part in ragged()]
    parts[i][t, 1] = value
    return form(parts)


def structured(n):
    return np.zeros(n, dtype=[("a", float), ("b", float)])


BAD = {  # what: X, type of the error, pattern of its message
    "NaN": (with_value(np.nan), ValueError, "sequence 2 .*NaN at time step 1, feature 1"),
    "None": (with_third([[0, None]]), ValueError, "sequence 2 .*NaN at time step 0, feature 1"),
    "infinity": (with_value(-np.inf), ValueError, "sequence 2 .*infinity at time step 1"),
    "too large": (with_value(1e39), ValueError, r"sequence 2 .*too large for float32 \(1e\+39\)"),
    "NaN in 3-D": (with_value(np.nan, form=padded), ValueError, "sequence 2 .*NaN at time step 1"),
    "NaN first": (with_value(np.nan, t=0, form=padded), ValueError, "sequence 2 .*time step 0"),
    "inf in 3-D": (with_value(np.inf, form=padded), ValueError, "sequence 2 .*infinity"),
    "large in 3-D": (with_value(1e39, form=padded), ValueError, "sequence 2 .*too large"),
    "NaN in 1-D": (
        [[1.0], [2.0, np.nan]],
        ValueError,
        "sequence 1 .*NaN at time step 1, feature 0",
    ),
    "no sequences": ([], ValueError, "0 sequences"),
    "no sequences, objects": (np.empty(0, object), ValueError, "0 sequences"),
    "no sequences, 3-D": (np.empty((0, 3, 2)), ValueError, "0 sequences"),
    "no steps": (with_third(np.empty((0, 2))), ValueError, "sequence 2 .*length 0"),
    "no steps, list": (with_third([]), ValueError, "sequence 2 .*length 0"),
    "no steps, 3-D": (np.empty((2, 0, 3)), ValueError, "sequence 0 .*length 0"),
    "all padding": (
        padded(with_third(np.full((2, 2), np.nan))),
        ValueError,
        "sequence 2 .*length 0",
    ),
    "no features": ([np.empty((3, 0))], ValueError, r"sequence 0 .*0 feature\(s\)"),
    "no features, 3-D": (np.empty((2, 3, 0)), ValueError, r"sequence 0 .*0 feature\(s\)"),
    "other features": (
        with_third(np.zeros((3, 5))),
        ValueError,
        "sequence 2 .*5 .*sequence 0 .*2 ",
    ),
    "mixed 1-D, 2-D": (with_third(np.zeros(3)), ValueError, "sequence 2 .*1-D.*sequence 0 .*2-D"),
    "3-D sequence": (with_third(np.zeros((1, 3, 2))), ValueError, r"sequence 2 .*\(1, 3, 2\)"),
    "ragged": (with_third([[1, 2], [3]]), ValueError, "sequence 2 .*ragged"),
    "ragged, objects": (with_third(objects([[1, 2], [3]])), ValueError, "sequence 2 .*ragged"),
    "string": (with_third("abc"), ValueError, "sequence 2 .*strings.*takes numbers"),
    "list of strings": (["ab", "c"], ValueError, "sequence 0 .*strings.*embedding"),
    "array of strings": (np.array(["ab", "c"]), ValueError, "sequence 0 .*strings"),
    "symbols": ([["a", "b"], ["c"]], ValueError, "sequence 0 .*strings"),
    "table of symbols": ([["a", "b"], ["c", "d"]], ValueError, "sequence 0 .*strings"),
    "2-D symbols": (np.array([["a", "b"], ["c", "d"]]), ValueError, "sequence 0 .*strings"),
    "some strings": (with_third([[1, "a"]]), ValueError, "sequence 2 .*strings"),
    "object strings": (
        with_third(np.array([[1, "a"]], object)),
        ValueError,
        "sequence 2 .*strings",
    ),
    "bytes": (with_third(b"abc"), ValueError, "sequence 2 .*bytes.*decode them to strings"),
    "lists of bytes": ([[b"a", b"b"], [b"b"]], ValueError, "sequence 0 .*decode them to strings"),
    "dicts": ([[{"a": 1}], [{"b": 1}]], ValueError, "0 of X holds what is no number.*An estimator"),
    "objects": (with_third([[1, object()]]), ValueError, "sequence 2 .*no number"),
    "complex": (with_third(np.zeros((2, 2), complex)), ValueError, "sequence 2 .*Complex data not"),
    "complex 3-D": (np.zeros((2, 2, 2), complex), ValueError, "Complex data not supported"),
    "dates": (with_third(np.zeros((2, 2), "M8[s]")), ValueError, "sequence 2 .*dates"),
    "durations": (with_third(np.zeros((2, 2), "m8[s]")), ValueError, "sequence 2 .*differences"),
    "structured": (with_third(structured(2)), ValueError, "sequence 2 .*structured"),
    "sparse": (
        with_third(sparse.csr_array(np.eye(2))),
        TypeError,
        r"sequence 2 .*sparse.*toarray\(",
    ),
    "sparse X": (sparse.csr_matrix(np.eye(2)), TypeError, r"[Ss]parse.*toarray\("),
    "masked": (with_third(np.ma.masked_array(np.eye(2))), TypeError, "sequence 2 .*masked.*filled"),
    "masked table": (np.ma.masked_array(np.eye(3)), TypeError, r"X is a masked.*filled\(np.nan\)"),
    "masked 3-D": (np.ma.masked_array(np.zeros((2, 2, 2))), TypeError, "masked.*filled"),
    "None in a list": (with_third(None), TypeError, "sequence 2 .*NoneType"),
    "dict in a list": (with_third({0: 1}), TypeError, "sequence 2 .*dict"),
    "number in a list": (with_third(1.5), TypeError, "sequence 2 .*float"),
    "None X": (None, TypeError, "NoneType.*expected a list"),
    "dict X": ({"a": [1]}, TypeError, "dict.*expected a list"),
    "set X": ({1, 2}, TypeError, "set.*expected a list"),
    "string X": ("abc", TypeError, "str.*expected a list"),
    "generator X": ((x for x in [1]), TypeError, "generator.*expected a list"),
    "scalar X": (1.5, TypeError, "float.*expected a list"),
    "NumPy scalar X": (np.float64(1.5), TypeError, "float64.*expected a list"),
    "0-D X": (np.array(1.5), TypeError, "ndarray.*expected a list"),
    "4-D X": (np.zeros((2, 2, 2, 2)), ValueError, "4 dimensions.*expected a list"),
    # 2-D and what scikit-learn takes for a bad table: in scikit-learn's own words.
    "1-D X": (np.arange(3.0), ValueError, "Reshape your data"),
    "1-D list": ([1.0, 2.0], ValueError, "Reshape your data"),
    "1-D objects": (np.array([1, 2.0], object), ValueError, "Reshape your data"),
    "0 columns": (
        np.empty((3, 0)),
        ValueError,
        r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum",
    ),
    "0 rows": (np.empty((0, 3)), ValueError, r"0 sample\(s\)"),
    "complex table": (np.zeros((2, 2), complex), ValueError, "Complex data not supported"),
    "NaN in a table": (
        np.array([[2, 3], [1, np.nan]]),
        ValueError,
        "sequence 1 of X contains NaN at time step 1",
    ),
    "inf in a table": (
        [[1, 2, np.inf]],
        ValueError,
        "sequence 0 of X contains infinity at time step 2",
    ),
    "large in a table": (
        [[1, 1], [1e39, 2]],
        ValueError,
        r"sequence 1 .* too large for float32 \(1e\+39\) at time step 0",
    ),
    "object table": (np.array([[{}, 1]], object), TypeError, "argument must be .* string.* number"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("X, error, pattern", BAD.values(), ids=BAD.keys())
def test_bad_input(X, error, pattern):
    with pytest.raises(error, match=f"(?s){pattern}"):
        check_sequences(X)


@pytest.mark.parametrize("lengths", [None, [3] * 100], ids=["NaN", "lengths"])
def test_padding_is_not_copied(lengths):
    """It may be most of X."""
    X = np.full((100, 2000, 10), np.nan)
    X[:, :3] = 1
    tracemalloc.start()
    read = check_sequences(X, lengths=lengths)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read.rows.shape == (300, 10)
    assert most < X.nbytes / 4


def test_float64_holds_what_float32_cannot():
    assert check_sequences(with_value(1e39), dtype=np.float64).rows.max() == 1e39


X3 = np.zeros((3, 4, 2))


@pytest.mark.parametrize(
    "X, lengths, pattern",
    [
        (X3, [1, 2], r"lengths has shape \(2,\); expected \(3,\)"),
        (X3, [[1, 2, 3]], r"lengths has shape \(1, 3\)"),
        (X3, 3, r"lengths has shape \(\)"),
        (X3, [1.0, 2.0, 3.0], "float64; expected integers"),
        (X3, [True, True, True], "bool; expected integers"),
        (X3, [1, 2, 5], r"lengths\[2\] is 5; expected 1 to 4.* sequence 2"),
        (X3, [1, 0, 4], r"lengths\[1\] is 0; expected 1 to 4.* sequence 1"),
        (X3, [-1, 0, 4], r"lengths\[0\] is -1"),
        (list(X3), [1, 2, 3], "not a 3-D array"),
        (X3[:, :, 0], [1, 2, 3], "not a 3-D array"),
    ],
)
def test_bad_lengths(X, lengths, pattern):
    with pytest.raises(ValueError, match=pattern):
        check_sequences(X, lengths=lengths)


def test_nan_within_the_given_lengths():
    X = X3.copy()
    X[1, 3] = np.nan
    with pytest.raises(ValueError, match=r"sequence 1 .*NaN at time step 3"):
        check_sequences(X, lengths=[1, 4, 2])


@pytest.mark.parametrize(
    "X, index, got",
    [
        (with_third(np.zeros((3, 5))), 2, 5),
        (ragged(3), 0, 3),
        (np.zeros((3, 4, 3)), 0, 3),
        ([[1.0, 2.0], [3.0]], 0, 1),
        (np.zeros((3, 4)), 0, 1),
    ],
)
def test_features_unlike_those_of_the_fitted_estimator(X, index, got):
    pattern = f"X has {got} features, but LSTM is expecting 2 features as input .*sequence {index}"
    with pytest.raises(ValueError, match=pattern):
        check_sequences(X, n_features=2, name="LSTM")


def test_features_as_expected():
    assert check_sequences(ragged(), n_features=2).n_features == 2
    assert check_sequences(np.zeros((3, 4)), n_features=1).n_features == 1


@pytest.mark.parametrize("X", [v[0] for v in BAD.values()], ids=BAD.keys())
def test_is_tabular_never_raises(X):
    assert is_tabular(X) in (True, False)


@pytest.mark.parametrize("beside", ["float64", "float32", "Int64", "boolean"])
def test_missing_values_beside_columns_of_other_types(beside):
    """Such a DataFrame is an array of objects, in which pandas.NA stands as it is."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": pd.array([1.0, 2.0, None], "Float64"), "b": [0, 1, 0]})
    frame["b"] = frame["b"].astype(beside)
    with pytest.raises(ValueError, match=r"sequence 1 .*NaN at time step 2, feature 0"):
        check_sequences([np.zeros((1, 2)), frame])
    with pytest.raises(ValueError, match=r"sequence 0 .*NaN at time step 1, feature 1"):
        check_sequences([np.array([[0.0, 1.0], [0.0, pd.NA]], object)])
    assert check_sequences([frame.iloc[:2]]).rows.tolist() == [[1, 0], [2, 1]]


def test_pandas_with_missing_values():
    pd = pytest.importorskip("pandas")
    X = [
        pd.DataFrame({"a": [1, 2], "b": [True, False]}),
        pd.DataFrame({"a": [1, pd.NA], "b": [0, 1]}),
    ]
    with pytest.raises(ValueError, match="sequence 1"):
        check_sequences(X)
    assert check_sequences(X[:1]).rows.tolist() == [[1, 1], [2, 0]]


@pytest.mark.parametrize("form", [list, tuple, objects, series])
def test_columns_of_frames_are_in_one_order(form):
    first, second = frames([np.eye(2), np.zeros((1, 2))])
    assert len(check_sequences(form([first, second]))) == 2
    with pytest.raises(
        ValueError, match=r"sequence 1 of X has the columns \[1, 0\], .* 0 has \[0, 1"
    ):
        check_sequences(form([first, second[[1, 0]]]))


@pytest.mark.parametrize("form", [frames, series, objects, list])
def test_pandas_is_not_imported(form, monkeypatch):
    X = form(ragged())
    monkeypatch.setitem(sys.modules, "pandas", None)  # importing it is an error from here on
    assert len(check_sequences(X)) == 4
