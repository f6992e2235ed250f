"""PerStep equals the transformer on stacked rows, in every form; concatenate, split, from_long."""

import io
import pickle

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
    TargetEncoder,
)
from sklearn.utils.estimator_checks import parametrize_with_checks

from seqlearn_lstm import LSTMClassifier, LSTMSequenceTagger
from seqlearn_lstm.preprocessing import PerStep, concatenate, from_long, split

LENGTHS = [3, 1, 4, 2]


def objects(parts):
    out = np.empty(len(parts), object)
    out[:] = parts
    return out


def padded(parts, fill=np.nan):
    X = np.full((len(parts), max(map(len, parts)), parts[0].shape[1]), fill, parts[0].dtype)
    for i, part in enumerate(parts):
        X[i, : len(part)] = part
    return X


def frames(parts, columns=("a", "b")):
    pd = pytest.importorskip("pandas")
    return [pd.DataFrame(part, columns=list(columns)) for part in parts]


def series(parts):
    return pytest.importorskip("pandas").Series(parts, index=range(len(parts))[::-1])


@pytest.fixture
def parts(make_sequences):
    return make_sequences(LENGTHS, 2)


# -- PerStep: forms --------------------------------------------------------------------------------

FORMS = {  # form -> what comes in, type of what comes back
    "list": (list, list),
    "tuple": (tuple, list),
    "nested lists": (lambda parts: [part.tolist() for part in parts], list),
    "objects in a list": (lambda parts: [part.astype(object) for part in parts], list),
    "frames": (frames, list),
    "object array": (objects, np.ndarray),
    "series": (series, np.ndarray),
    "3-D": (padded, np.ndarray),
    "3-D objects": (lambda parts: padded(parts).astype(object), np.ndarray),
}
TRANSFORMERS = {
    "scaler": StandardScaler(),
    "more columns": PolynomialFeatures(),
    "fewer columns": PCA(1),
    "sparse": KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"),
}


@pytest.mark.parametrize("transformer", TRANSFORMERS.values(), ids=TRANSFORMERS.keys())
@pytest.mark.parametrize("form, kind", FORMS.values(), ids=FORMS.keys())
def test_per_step_is_the_transformer_on_all_rows(form, kind, transformer, parts):
    rows = np.concatenate(parts)
    expected = clone(transformer).fit_transform(rows)
    expected = expected.toarray() if hasattr(expected, "toarray") else expected
    X = form(parts)
    model = PerStep(transformer).fit(X)
    for out in (model.transform(X), clone(model).fit_transform(X)):
        assert type(out) is kind
        assert all(type(part) is np.ndarray and part.ndim == 2 for part in out)
        if kind is np.ndarray and out.ndim == 3:
            np.testing.assert_allclose(out, padded(split(expected, LENGTHS)), atol=1e-12)
        else:
            assert [len(part) for part in out] == LENGTHS
            np.testing.assert_allclose(np.concatenate(out), expected, atol=1e-12)
    assert model.n_features_in_ == 2
    assert not hasattr(transformer, "n_features_in_")  # a clone was fitted
    assert list(model.get_feature_names_out()) == list(model.transformer_.get_feature_names_out())


@pytest.mark.parametrize("form", ["list", "object array", "3-D"])
def test_inverse_transform_undoes_it(form, parts):
    X = FORMS[form][0](parts)
    model = PerStep(StandardScaler())
    back = model.inverse_transform(model.fit_transform(X))
    assert type(back) is type(X)
    if form == "3-D":
        np.testing.assert_allclose(back, X)
    else:
        np.testing.assert_allclose(np.concatenate(back), np.concatenate(parts))


def test_each_form_may_follow_each_other(parts):
    model = PerStep(StandardScaler()).fit(parts)
    expected = np.concatenate(model.transform(parts))
    assert np.array_equal(np.concatenate(model.transform(objects(parts))), expected)
    assert np.array_equal(concatenate(model.transform(padded(parts)))[0], expected)


def test_one_feature_sequences_keep_their_form(make_sequences):
    ragged = [part[:, 0] for part in make_sequences(LENGTHS, 1)]
    table = np.stack([part[:3, 0] for part in make_sequences([3, 3, 3, 3], 1)])
    scaler, powers = PerStep(StandardScaler()), PerStep(PolynomialFeatures(2))
    for X in (ragged, objects(ragged), table):
        out = scaler.fit_transform(X)
        assert [np.shape(part) for part in out] == [np.shape(part) for part in X]
        flat = np.concatenate(list(out))
        np.testing.assert_allclose([flat.mean(), flat.std()], [0, 1], atol=1e-12)
        back = scaler.inverse_transform(out)
        np.testing.assert_allclose(np.concatenate(list(back)), np.concatenate(list(X)))
        assert [part.shape for part in powers.fit_transform(X)] == [(len(x), 3) for x in X]
    assert powers.fit_transform(table).shape == (4, 3, 3)
    assert list(powers.get_feature_names_out()) == ["1", "x0", "x0^2"]


def test_a_table_counts_features_as_scikit_learn_does():
    X = np.arange(6.0).reshape(2, 3)
    pd = pytest.importorskip("pandas")
    model = PerStep(StandardScaler()).fit(pd.DataFrame(X, columns=["t0", "t1", "t2"]))
    assert model.n_features_in_ == 3
    assert (
        list(model.feature_names_in_) == list(model.get_feature_names_out()) == ["t0", "t1", "t2"]
    )
    assert model.transformer_.n_features_in_ == 1
    model.fit([X, X])
    assert model.n_features_in_ == 3
    assert not hasattr(model, "feature_names_in_")


@pytest.mark.parametrize("beyond", [0.0, np.nan, np.inf])
def test_lengths_say_what_is_padding(beyond, parts):
    X = padded(parts, fill=beyond)
    model = PerStep(StandardScaler()).fit(X, lengths=LENGTHS)
    expected = PerStep(StandardScaler()).fit_transform(padded(parts))
    assert np.array_equal(model.transform(X, lengths=LENGTHS), expected, equal_nan=True)
    again = model.fit_transform(X, lengths=LENGTHS)
    assert np.array_equal(again, expected, equal_nan=True)
    np.testing.assert_allclose(model.inverse_transform(expected, lengths=LENGTHS), padded(parts))


@pytest.mark.parametrize("form", ["list", "object array", "3-D"])
@pytest.mark.parametrize("dtype, expected", [("f4", "f4"), ("f8", "f8"), ("f2", "f8")])
def test_types(form, dtype, expected, parts):
    X = FORMS[form][0]([part.astype(dtype) for part in parts])
    assert PerStep(StandardScaler()).fit_transform(X)[0].dtype == expected


def test_integers_come_back_as_integers_but_for_3d():
    to_int = PerStep(FunctionTransformer(lambda rows: rows.astype(int)))
    X = np.ones((2, 3, 1))
    assert to_int.fit_transform(list(X))[0].dtype == int
    assert to_int.fit_transform(X).dtype == np.float64  # there may be padding


@pytest.mark.parametrize("form", [np.asarray, np.ndarray.view, list], ids=["3-D", "view", "list"])
@pytest.mark.parametrize("shape", [(2, 3, 2), (2, 3)])
def test_read_only_x_is_read(form, shape):
    X = form(np.arange(np.prod(shape), dtype=float).reshape(shape))
    for x in X:
        x.flags.writeable = False  # as those of joblib's memory maps
    PerStep(StandardScaler(copy=False)).fit_transform(X)


class Borrowed:
    """An array-like that hands out the memory of an array."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype, copy=copy)

    def __len__(self):
        return len(self.array)

    def __getitem__(self, i):
        return self.array[i]


def tensor(array):
    return pytest.importorskip("torch").from_numpy(array)


def one_frame(array):
    return pytest.importorskip("pandas").DataFrame(array, columns=list("abc"), copy=False)


# What shares the memory of an array (2, 3, 3) or (3, 3), so that a change shows in the array.
SHARING = {
    "3-D": ((2, 3, 3), lambda array: array),
    "3-D view": ((2, 3, 3), lambda array: array[:, :]),
    "3-D tensor": ((2, 3, 3), tensor),
    "3-D array-like": ((2, 3, 3), Borrowed),
    "table": ((3, 3), lambda array: array),
    "table, in Fortran order": ((3, 3), lambda array: array.T),
    "frame as a table": ((3, 3), one_frame),
    "tensor as a table": ((3, 3), tensor),
    "one array": ((3, 3), lambda array: [array]),
    "one array in an object array": ((3, 3), lambda array: objects([array])),
    "one tensor": ((3, 3), lambda array: [tensor(array)]),
    "one frame": ((3, 3), lambda array: [one_frame(array)]),
    "one frame in a tuple": ((3, 3), lambda array: (one_frame(array),)),
    "one frame in an object array": ((3, 3), lambda array: objects([one_frame(array)])),
    "one frame in a Series": ((3, 3), lambda array: series([one_frame(array)])),
    "two frames": ((3, 3), lambda array: [one_frame(array[:2]), one_frame(array[2:])]),
}


@pytest.mark.parametrize("shape, form", SHARING.values(), ids=SHARING.keys())
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    "transformer", [StandardScaler(copy=False), SimpleImputer(copy=False, add_indicator=False)]
)
def test_x_is_never_modified(transformer, dtype, shape, form):
    array = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    imputes = isinstance(transformer, SimpleImputer)
    if imputes:
        array[..., 1, 1] = np.nan
    before, X = array.copy(), form(array)
    model = PerStep(transformer, allow_nan=imputes)
    model.fit(X)
    outs = [model.fit_transform(X), model.transform(X)]
    if not imputes:
        outs.append(model.inverse_transform(X))
    np.testing.assert_array_equal(array, before)
    for out in outs:  # nor does a change of what came back show in what went in
        for part in out:
            part[:] = -1
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("allow_nan", [False, True])
def test_what_is_not_finite_in_a_table_is_named(allow_nan):
    table = np.arange(8.0).reshape(2, 4)
    model = PerStep(StandardScaler(), allow_nan=allow_nan).fit(table)
    table[1, 2] = np.inf
    for method in (model.fit, model.transform):
        with pytest.raises(ValueError, match="sequence 1 of X contains infinity at time step 2"):
            method(table)
    table[1, 2] = np.nan
    if allow_nan:
        assert np.isnan(model.transform(table)).sum() == 1
    else:
        with pytest.raises(ValueError, match="sequence 1 of X contains NaN at time step 2"):
            model.fit(table)


# -- PerStep: symbols, frames, NaN -----------------------------------------------------------------


def test_symbols_are_encoded_per_step():
    X = [["a", "b", "a"], ["c"]]
    model = PerStep(OneHotEncoder()).fit(X)
    expected = [[[1, 0, 0], [0, 1, 0], [1, 0, 0]], [[0, 0, 1]]]
    for form in (X, objects(X), [np.array(x)[:, None] for x in X], [np.array(x, "O") for x in X]):
        assert [part.tolist() for part in model.transform(form)] == expected
    assert [part.tolist() for part in model.inverse_transform(model.transform(X))] == [
        [["a"], ["b"], ["a"]],
        [["c"]],
    ]


def test_symbols_beside_numbers():
    X = [[["a", 1.0], ["b", 2.0]], [["a", 3.0]]]
    columns = ColumnTransformer(
        [("symbols", OneHotEncoder(), [0]), ("numbers", "passthrough", [1])]
    )
    out = PerStep(columns).fit_transform(X)
    assert [part.tolist() for part in out] == [[[1, 0, 1], [0, 1, 2]], [[1, 0, 3]]]


def test_columns_of_frames_have_their_names():
    pd = pytest.importorskip("pandas")
    X = [
        pd.DataFrame({"word": ["a", "b"], "size": [1.0, 3.0]}, index=[7, 7]),
        pd.DataFrame({"word": ["a"], "size": [2.0]}),
    ]
    columns = ColumnTransformer(
        [("w", OneHotEncoder(), ["word"]), ("s", StandardScaler(), ["size"])]
    )
    model = PerStep(columns).fit(X)
    assert list(model.feature_names_in_) == ["word", "size"]
    assert list(model.get_feature_names_out()) == ["w__word_a", "w__word_b", "s__size"]
    assert model.transform(X)[1].tolist() == [[1, 0, 0]]
    with pytest.raises(ValueError, match="sequence 1 of X has the columns"):
        model.transform([X[0], X[1][["size", "word"]]])
    with pytest.raises(ValueError, match="sequence 1 of X has length 0"):
        model.transform([X[0], X[1][:0]])


@pytest.mark.parametrize("form", [list, objects, padded, frames])
def test_imputers_need_allow_nan(form, parts):
    parts[2][1, 0] = np.nan
    expected = SimpleImputer().fit_transform(np.concatenate(parts))
    with pytest.raises(ValueError, match="sequence 2 of X contains NaN at time step 1, feature 0"):
        PerStep(SimpleImputer()).fit(form(parts))
    out = PerStep(SimpleImputer(), allow_nan=True).fit_transform(form(parts))
    assert np.array_equal(concatenate(out)[0], expected)
    if form is padded:
        assert np.array_equal(np.isnan(out).all(axis=2).sum(axis=1), 4 - np.array(LENGTHS))


def test_nan_at_the_end_is_padding_in_3d_but_a_value_elsewhere():
    parts = [np.array([[1.0], [3.0]]), np.array([[5.0], [np.nan]])]
    model = PerStep(SimpleImputer(), allow_nan=True)
    assert [part.ravel().tolist() for part in model.fit_transform(parts)] == [[1, 3], [5, 3]]
    assert model.fit_transform(np.stack(parts)[:, :, 0]).tolist() == [[1, 3], [5, 3]]
    assert np.isnan(model.fit_transform(np.stack(parts))[1, 1, 0])


def test_missing_symbols():
    X = [["a"], ["a", None]]
    with pytest.raises(ValueError, match="sequence 1 of X contains NaN at time step 1, feature 0"):
        PerStep(OneHotEncoder()).fit(X)
    out = PerStep(OneHotEncoder(), allow_nan=True).fit_transform(X)
    assert [part.tolist() for part in out] == [[[1, 0]], [[1, 0], [0, 1]]]


# -- PerStep: targets and weights ------------------------------------------------------------------


def test_targets_of_sequences_and_of_steps(parts):
    rows = np.concatenate(parts)
    labels = np.array(["u", "d", "u", "d"])
    per_step = np.repeat(labels, LENGTHS)
    expected = SelectKBest(k=1).fit(rows, per_step).scores_
    as_list = split(per_step, LENGTHS)
    for y in (labels, labels.tolist(), series(labels), as_list, objects(as_list)):
        assert np.array_equal(
            PerStep(SelectKBest(k=1)).fit(parts, y).transformer_.scores_, expected
        )
    y = [part.tolist() for part in as_list]
    assert np.array_equal(PerStep(SelectKBest(k=1)).fit(parts, y).transformer_.scores_, expected)


def test_several_targets_of_a_sequence(parts):
    seen = []

    class Spy(StandardScaler):
        def fit_transform(self, X, y=None):
            seen.append(y)
            return super().fit_transform(X)

    Y = np.arange(8.0).reshape(4, 2)
    PerStep(Spy()).fit_transform(parts, Y)
    assert np.array_equal(seen[0], np.repeat(Y, LENGTHS, axis=0))
    PerStep(Spy()).fit_transform(parts, [["x", None, 1], ["y"], ["x"] * 4, ["z"] * 2])
    assert seen[1].tolist() == ["x", None, 1, "y", *"xxxx", *"zz"]


def test_weights_of_sequences_and_of_steps(parts):
    weights = [1.0, 0.0, 2.0, 3.0]
    per_step = np.repeat(weights, LENGTHS)
    expected = StandardScaler().fit(np.concatenate(parts), sample_weight=per_step).mean_
    for given in (weights, split(per_step, LENGTHS)):
        model = PerStep(StandardScaler()).fit(parts, sample_weight=given)
        assert np.array_equal(model.transformer_.mean_, expected)


def test_fit_transform_is_the_transformers_own():
    X, y = [["a", "b", "a"], ["b", "c", "a"]] * 5, [0, 1] * 5
    rows = np.concatenate(X)[:, None]
    encoder = TargetEncoder(cv=KFold(2))  # which does not let a step see its own target
    expected = encoder.fit_transform(rows, np.repeat(y, 3))
    out = PerStep(encoder).fit_transform(X, y)
    assert np.array_equal(np.concatenate(out), expected.ravel())
    assert not np.array_equal(expected, encoder.transform(rows))


# -- PerStep: among scikit-learn's tools -----------------------------------------------------------


# It gives lists and wants an array: here a list comes back as a list, for its sequences need not be of
# one length, and who reads them tells a list from a table.
LISTS = {"check_transformer_data_not_an_array": "a list comes back as a list"}


@pytest.mark.filterwarnings("ignore:This may take:UserWarning")
@parametrize_with_checks([PerStep(StandardScaler())], expected_failed_checks=lambda _: LISTS)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


class LastStep(LogisticRegression):
    """A cheap classifier of sequences."""

    def fit(self, X, y):
        return super().fit([x[-1] for x in X], y)

    def predict(self, X):
        return super().predict([x[-1] for x in X])


def test_grid_search_over_the_inner_parameters(make_sequences, rng):
    X = make_sequences(rng.integers(1, 6, 30), 2)
    y = np.array([x[-1, 0] > 0 for x in X])
    model = make_pipeline(PerStep(StandardScaler()), LastStep())
    grid = [{"perstep__transformer__with_mean": [True, False]}, {"perstep__transformer": [PCA(1)]}]
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 3
    assert search.predict(X).shape == (30,)


def test_before_the_lstm(parts):
    model = make_pipeline(PerStep(StandardScaler()), LSTMClassifier((4,), max_iter=1, n_jobs=1))
    model.fit([100 * part for part in parts], ["u", "d", "u", "d"])
    assert model.predict_proba(parts).shape == (4, 2)


def test_copies(parts):
    model = PerStep(StandardScaler(with_mean=False)).fit(parts)
    expected = np.concatenate(model.transform(parts))
    file = io.BytesIO()
    joblib.dump(model, file)
    for copy in (pickle.loads(pickle.dumps(model)), joblib.load(io.BytesIO(file.getvalue()))):
        assert np.array_equal(np.concatenate(copy.transform(parts)), expected)
    fresh = clone(model)
    assert not hasattr(fresh, "transformer_")
    assert fresh.get_params()["transformer__with_mean"] is False


def test_output_settings_leave_sequences_arrays(parts):
    pytest.importorskip("pandas")
    expected = PerStep(StandardScaler()).fit_transform(parts)
    model = make_pipeline(PerStep(StandardScaler())).set_output(transform="pandas")
    inner = PerStep(StandardScaler().set_output(transform="pandas"))
    with config_context(transform_output="pandas"):
        under = PerStep(StandardScaler()).fit_transform(parts)
    for out in (model.fit_transform(parts), inner.fit_transform(parts), under):
        assert all(type(part) is np.ndarray for part in out)
        assert np.array_equal(np.concatenate(out), np.concatenate(expected))


def test_methods_are_those_of_the_transformer(parts):
    assert hasattr(PerStep(StandardScaler()), "inverse_transform")
    assert not hasattr(PerStep(PolynomialFeatures()).fit(parts), "inverse_transform")
    assert list(PerStep(StandardScaler()).fit(parts).get_feature_names_out(["p", "q"])) == [
        "p",
        "q",
    ]


# -- PerStep: errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings, error, message",
    [
        (dict(X=[]), ValueError, "X holds 0 sequences"),
        (dict(X=None), TypeError, "X has type NoneType"),
        (dict(X="abc"), TypeError, "X has type str"),
        (dict(X=["abc"]), ValueError, "sequence 0 of X holds strings"),
        (dict(X=[np.ones((2, 2)), np.ones((2, 3))]), ValueError, "sequence 1 of X has 3 features"),
        (dict(X=[["a"], []]), ValueError, "sequence 1 of X has length 0"),
        (dict(X=[[[1.0], [1.0, 2.0]]]), ValueError, "sequence 0 of X is ragged"),
        (dict(y=[1, 2]), ValueError, "y has 2 entries; expected 4"),
        (dict(y=[[1] * 3, [1], [1] * 3, [1] * 2]), ValueError, "y has 3 entries for sequence 2"),
        (dict(y=[[1] * 3, 1, [1] * 4, [1] * 2]), ValueError, "y has a single value for sequence 1"),
        (dict(sample_weight=[1.0]), ValueError, "sample_weight has 1 entries; expected 4"),
        (dict(lengths=[1, 1, 1, 1]), ValueError, "lengths was given with X that is not a 3-D"),
        (dict(X=np.ma.masked_array(np.eye(3))), TypeError, "X is a masked array.*filled"),
        (dict(X=np.ma.masked_array([["a"]])), TypeError, "X is a masked array.*filled"),
    ],
)
@pytest.mark.parametrize("allow_nan", [False, True])
def test_bad_input_leaves_it_as_it_was(settings, error, message, allow_nan, parts):
    model = PerStep(StandardScaler(), allow_nan=allow_nan).fit([part[:, :1] for part in parts])
    before = dict(vars(model))
    with pytest.raises(error, match=message):
        model.fit(**{"X": parts} | settings)
    assert vars(model) == before


def test_a_failing_transformer_leaves_it_as_it_was(parts):
    model = PerStep(PCA(2)).fit(parts)
    before = dict(vars(model))
    with pytest.raises(ValueError, match="n_components"):
        model.fit(np.ones((3, 4)))
    assert vars(model) == before


def test_other_errors(parts):
    with pytest.raises(TypeError, match=r"transformer is .*expected an object with fit"):
        PerStep(LogisticRegression()).fit(parts)
    with pytest.raises(NotFittedError):
        PerStep(StandardScaler()).transform(parts)
    with pytest.raises(ValueError, match="X has 1 features, but PerStep is expecting 2 features"):
        PerStep(StandardScaler()).fit(parts).transform([part[:, :1] for part in parts])
    with pytest.raises(ValueError, match="made 2 rows of 10; expected one that keeps"):
        PerStep(FunctionTransformer(lambda rows: rows[:2])).fit_transform(parts)


# -- concatenate and split -------------------------------------------------------------------------

CASES = {
    "features": [np.arange(6.0).reshape(3, 2), np.ones((1, 2))],
    "float32": [np.ones((2, 1), np.float32), np.zeros((1, 1), np.float32)],
    "labels": [np.array([1, 2]), np.array([0])],
    "strings": [np.array(["DT", "NN"]), np.array(["UH"])],
    "with missing": [np.array(["DT", None], object), np.array(["UH"], object)],
    "more axes": [np.ones((2, 3, 4)), np.ones((1, 3, 4))],
}


@pytest.mark.parametrize("X", CASES.values(), ids=CASES.keys())
def test_split_undoes_concatenate_and_back(X):
    rows, lengths = concatenate(X)
    assert (len(rows), lengths.tolist()) == (sum(map(len, X)), [len(x) for x in X])
    for part, x in zip(split(rows, lengths), X, strict=True):
        assert part.dtype == rows.dtype == x.dtype
        assert np.array_equal(part, x)
    again, lengths_again = concatenate(split(rows, lengths))
    assert np.array_equal(again, rows)
    assert np.array_equal(lengths_again, lengths)


def test_concatenate_other_forms(parts):
    rows = np.concatenate(parts)
    for X in (objects(parts), padded(parts), frames(parts), tuple(part.tolist() for part in parts)):
        assert np.array_equal(concatenate(X)[0], rows)
        assert concatenate(X)[1].tolist() == LENGTHS
    assert concatenate([[1, "a"], [None]])[0].tolist() == [1, "a", None]  # not "1"
    assert concatenate([np.array([1]), np.array(["a"])])[0].tolist() == [1, "a"]


def test_columns_of_frames_are_concatenated_in_one_order(parts):
    for columns in ("ba", "ac"):
        X = [*frames(parts[:2]), *frames(parts[2:], columns)]
        for form in (list, tuple, objects, series):
            with pytest.raises(ValueError, match=r"sequence 2 of X has the columns .*sequence 0"):
                concatenate(form(X))


def test_split_gives_views_and_frames():
    rows = np.zeros((3, 1))
    assert all(np.shares_memory(part, rows) for part in split(rows, [1, 2]))
    (frame,) = frames([np.ones((3, 2))])
    assert [part.index.tolist() for part in split(frame, [1, 2])] == [[0], [1, 2]]


@pytest.mark.parametrize(
    "function, arguments, message",
    [
        (concatenate, ([],), "X holds 0 sequences"),
        (concatenate, ([[1], []],), "sequence 1 of X has length 0"),
        (concatenate, ([1, 2],), r"sequence 0 of X is a single value.*pass \[X\]"),
        (concatenate, (["ab", "c"],), r"single value \(ab\).*list\(x\): it is a single symbol"),
        (
            concatenate,
            ([[[1]], [[1, 2]]],),
            r"sequence 1 of X have shape \(2,\).*sequence 0 \(1,\)",
        ),
        (concatenate, ([[1], [[1]]],), r"sequence 1 of X have shape \(1,\).*sequence 0 \(\)"),
        (split, ([1, 2, 3], [2, 2]), "lengths add up to 4, but there are 3 rows"),
        (split, ([1, 2, 3], [4, -1]), r"lengths is \[4, -1\]; expected .* positive whole numbers"),
        (split, ([1, 2, 3], [3, 0]), "positive whole numbers"),
        (split, ([1, 2, 3], [1.5, 1.5]), "positive whole numbers"),
        (split, ([1, 2, 3], 3), "positive whole numbers"),
        (split, (3, [3]), "rows is a single value"),
    ],
)
def test_bad_rows_and_lengths(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)


def test_masks_are_not_lost():
    masked = np.ma.masked_array([[1.0]], mask=True)
    with pytest.raises(TypeError, match="X is a masked array"):
        concatenate(masked)
    with pytest.raises(TypeError, match="sequence 1 of X is a masked array"):
        concatenate([[[1.0]], masked])
    with pytest.raises(TypeError, match="rows is a masked array"):
        split(masked, [1])


def test_tensors_that_require_grad_are_named():
    tensor = pytest.importorskip("torch").zeros(2, 1, requires_grad=True)
    with pytest.raises(TypeError, match=r"rows is a tensor that requires grad.*detach"):
        split(tensor, [2])
    with pytest.raises(TypeError, match=r"column 'x' is a tensor that requires grad.*detach"):
        from_long({"id": [0, 0], "x": tensor[:, 0]}, "id", None, "x")


def test_bytes_beside_numbers_stay_what_they_are():
    assert concatenate([[b"a", 1], [b"b"]])[0].tolist() == [b"a", 1, b"b"]
    assert concatenate([[b"a"], [b"bc"]])[0].dtype == "S2"


def test_lists_of_numbers_have_any_length_after_a_fit_on_lists_of_one():
    scaler = PerStep(StandardScaler()).fit([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    longer = [[1.0, 2.0, 3.0, 4.0, 5.0]] * 2
    assert np.array_equal(scaler.transform(longer)[0], scaler.transform([longer[0], [1.0]])[0])
    with pytest.raises(ValueError, match="expecting 3 features"):
        scaler.transform(np.array(longer))


def test_a_list_comes_back_as_a_list_of_sequences():
    """Also where its sequences happen to be of one length: who reads it is to see the same."""
    lists = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    for X in (lists, [*lists, [7.0]], [[1.0], [2.0], [3.0]]):
        found = PerStep(StandardScaler()).fit_transform(X)
        assert isinstance(found, list) and [x.shape for x in found] == [(len(x),) for x in X]


def test_a_tagger_reads_lists_behind_a_transformer_as_it_does_alone():
    rng = np.random.default_rng(0)
    X = [rng.standard_normal(n).tolist() for n in (3, 2, 4, 1, 5, 2)]
    y = [[value > 0 for value in x] for x in X]
    alone = LSTMSequenceTagger((3,), max_iter=2, random_state=0).fit(X, y)
    behind = make_pipeline(PerStep(FunctionTransformer()), clone(alone)).fit(X, y)
    for asked in ([[1.0], [-1.0], [2.0]], [[1.0, 2.0], [-1.0, 0.5]]):
        expected = alone.predict_proba(asked)
        found = behind.predict_proba(asked)
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


SYMBOLS = {
    "Series": lambda pd, X: [pd.Series(x) for x in X],
    "Series of strings": lambda pd, X: [pd.Series(x, dtype="string") for x in X],
    "Categorical": lambda pd, X: [pd.Categorical(x) for x in X],
    "DataFrame": lambda pd, X: pd.DataFrame(X),
    "objects": lambda pd, X: np.array(X, dtype=object),
    "strings": lambda pd, X: np.array(X),
}


@pytest.mark.parametrize("form", SYMBOLS.values(), ids=SYMBOLS)
def test_symbols_in_every_form(form):
    pd = pytest.importorskip("pandas")
    X = [["a", "b", "a"], ["c", "b", "b"]]
    expected = PerStep(OneHotEncoder()).fit_transform(X)
    found = PerStep(OneHotEncoder()).fit_transform(form(pd, X))
    assert np.array_equal(np.array(list(found)), np.array(expected))


def test_missing_values_of_every_type_of_column_are_let_through():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {"whole": pd.array([1, None], "Int64"), "kind": pd.Categorical(["a", None])}
    )
    frame["when"], frame["word"] = pd.to_datetime(["2020-01-01", None]), ["x", None]
    found = PerStep(FunctionTransformer(lambda rows: rows.isna()), allow_nan=True).fit_transform(
        [frame]
    )
    assert found[0].tolist() == [[False] * 4, [True] * 4]


@pytest.mark.parametrize("allow_nan", [True, False])
def test_infinity_is_never_let_through(allow_nan):
    pd = pytest.importorskip("pandas")
    values = np.array([[1.0, 2.0], [np.inf, 0.0]])
    for X in ([values[:1], values], [pd.DataFrame(values[:1]), pd.DataFrame(values)]):
        with pytest.raises(ValueError, match=r"equence 1.* infinity"):
            PerStep(FunctionTransformer(), allow_nan=allow_nan).fit(X)


# -- from_long -------------------------------------------------------------------------------------

LONG = {
    "user": ["b", "a", "b", "a", "b"],
    "hour": [3, 1, 1, 0, 2],
    "heat": [0.3, 1.1, 0.1, 1.0, 0.2],
    "count": [3, 11, 1, 10, 2],
    "event": ["z", "q", "x", "p", "y"],
    "bought": [1, 0, 1, 0, 1],
}


def as_frame(table):
    return pytest.importorskip("pandas").DataFrame(table, index=range(5)[::-1])


@pytest.mark.parametrize("form", [dict, as_frame])
def test_long_tables_by_hand(form):
    X, y, ids = from_long(form(LONG), "user", "hour", ["heat", "count"], "bought")
    assert ids.tolist() == ["b", "a"]
    assert [x.tolist() for x in X] == [[[0.1, 1], [0.2, 2], [0.3, 3]], [[1.0, 10], [1.1, 11]]]
    assert X[0].dtype == np.float64
    assert [labels.tolist() for labels in y] == [[1, 1, 1], [0, 0]]
    _, y, _ = from_long(form(LONG), "user", "hour", ["heat"], "bought", target_per="sequence")
    assert y.tolist() == [1, 0]
    X, _ = from_long(form(LONG), "user", None, ["count"])
    assert [x.ravel().tolist() for x in X] == [[3, 1, 2], [11, 10]]


@pytest.mark.parametrize("form", [dict, as_frame])
def test_several_targets_of_long_tables(form):
    """A column for each, in the order of the list; of one, too."""
    _, y, _ = from_long(form(LONG), "user", "hour", "event", ["heat", "bought"])
    assert [rows.tolist() for rows in y] == [[[0.1, 1], [0.2, 1], [0.3, 1]], [[1.0, 0], [1.1, 0]]]
    table = form(LONG | {"half": [2.5, 0, 2.5, 0, 2.5]})
    _, y, _ = from_long(table, "user", None, "event", ["bought", "half"], target_per="sequence")
    assert y.tolist() == [[1, 2.5], [0, 0]]
    _, y, _ = from_long(table, "user", "hour", "event", ["heat"])
    assert [rows.tolist() for rows in y] == [[[0.1], [0.2], [0.3]], [[1.0], [1.1]]]
    for target, message in (
        (["heat", "event"], "target has the column 'event', which holds more than numbers"),
        (["heat", "cold"], "no column 'cold'"),
        ([], "target is an empty list"),
    ):
        with pytest.raises(ValueError, match=message):
            from_long(table, "user", "hour", "count", target)
    with pytest.raises(ValueError, match=r"'b' has the targets 0.1 and 0.2 in column 'heat'"):
        from_long(table, "user", "hour", "count", ["half", "heat"], target_per="sequence")


def test_messages_of_long_tables_show_plain_values():
    table = {
        "id": np.array([0, 0]),
        "t": np.array([1.5, 1.5]),
        "x": [1, 2],
        "y": np.array(["a", "b"]),
    }
    with pytest.raises(ValueError, match=r"^sequence 0 has two rows with 't' = 1.5, rows 0 and 1 "):
        from_long(table, "id", "t", "x")
    with pytest.raises(ValueError, match=r"^sequence 0 has the targets 'a' and 'b' in column 'y'"):
        from_long(table, "id", None, "x", "y", target_per="sequence")
    days = table | {"t": np.array(["2020-01-01"] * 2, "M8[ns]")}
    with pytest.raises(ValueError, match=r"rows with 't' = .*2020-01-01"):
        from_long(days, "id", "t", "x")


@pytest.mark.parametrize("form", [dict, as_frame])
def test_symbols_of_long_tables(form):
    X, _ = from_long(form(LONG), "user", "hour", "event")
    assert [x.tolist() for x in X] == [["x", "y", "z"], ["p", "q"]]
    assert X[0].dtype == object
    X, _ = from_long(form(LONG), "user", "hour", ["event", "heat"])
    assert X[1].tolist() == [["p", 1.0], ["q", 1.1]]


def test_columns_named_by_numbers():
    table = {0: [0, 0, 1], 1: [1, 2, 1], 2: [0.5, 1.5, 2.5]}
    X, ids = from_long(table, 0, 1, 2)
    assert [x.tolist() for x in X] == [[0.5, 1.5], [2.5]] and ids.tolist() == [0, 1]
    assert [x.tolist() for x in from_long(table, 0, 1, [2])[0]] == [[[0.5], [1.5]], [[2.5]]]


def test_types_of_long_tables():
    columns = {
        "s": np.array([1.0, 2.0], np.float32),
        "i": [1, 2],
        "n": [1, None],
        "b": [True, False],
    }
    table = {"id": [0, 0], "t": [0, 1]} | columns
    assert from_long(table, "id", "t", ["s"])[0][0].dtype == np.float32
    assert from_long(table, "id", "t", ["s", "i"])[0][0].dtype == np.float64
    assert from_long(table, "id", "t", "b")[0][0].tolist() == [1.0, 0.0]
    np.testing.assert_array_equal(from_long(table, "id", "t", "n")[0][0], [1, np.nan])


def test_times_and_ids_of_any_type():
    pd = pytest.importorskip("pandas")
    times = pd.to_datetime(["2024-01-02", "2024-01-01", "2024-01-01"])
    table = pd.DataFrame({"id": [(1, 2), (1, 2), (0, 0)], "t": times, "x": [2.0, 1.0, 0.0]})
    X, ids = from_long(table, "id", "t", "x")
    assert ([x.tolist() for x in X], list(ids)) == ([[1, 2], [0]], [(1, 2), (0, 0)])
    nullable = pd.DataFrame({"id": [7, 7], "t": ["b", "a"], "x": [1.5, pd.NA]})
    nullable = nullable.astype({"id": "Int64", "x": "Float64"})
    X, ids = from_long(nullable, "id", "t", "x")
    np.testing.assert_array_equal(X[0], [np.nan, 1.5])
    assert ids.tolist() == [7]


@pytest.mark.parametrize("form", [dict, as_frame])
def test_ordered_categories_are_times_in_their_order(form):
    pd = pytest.importorskip("pandas")
    levels = ["low", "mid", "high"]
    times = pd.Categorical(["mid", "low", "high", "high", "low"], categories=levels, ordered=True)
    table = form({"id": [0, 0, 0, 1, 1], "t": times, "x": [2, 1, 3, 5, 4]})
    assert [x.tolist() for x in from_long(table, "id", "t", "x")[0]] == [[1, 2, 3], [4, 5]]
    numbers = pd.Categorical([1, 2, 3, 1, 2], categories=[3, 2, 1], ordered=True)
    X, _ = from_long(form(dict(table) | {"t": numbers}), "id", "t", "x")
    assert [x.tolist() for x in X] == [[3, 1, 2], [4, 5]]
    times = pd.Categorical(["low", None, "high", "high", "low"], categories=levels, ordered=True)
    with pytest.raises(ValueError, match="'t' has no value in row 1"):
        from_long(form(dict(table) | {"t": times}), "id", "t", "x")
    times = pd.Categorical(["low", "mid", "low", "high", "low"], categories=levels, ordered=True)
    with pytest.raises(ValueError, match=r"0.* has two rows with 't' = 'low', rows 0 and 2"):
        from_long(form(dict(table) | {"t": times}), "id", "t", "x")


@pytest.mark.parametrize("form", [dict, as_frame])
def test_values_of_several_types_stay_what_they_are(form):
    table = form(LONG | {"user": ["a", 1, "1", "a", 1]})
    X, ids = from_long(table, "user", "hour", "heat")
    assert ids.tolist() == ["a", 1, "1"]
    assert [x.tolist() for x in X] == [[1.0, 0.3], [1.1, 0.2], [0.1]]
    table = form(LONG | {"event": ["z", np.nan, 1, np.nan, "1"]})
    X, y, _ = from_long(table, "user", "hour", "event", "event")
    for parts in (X, y):
        assert parts[0].tolist() == [1, "1", "z"]
        assert all(value is np.nan for value in parts[1])


@pytest.mark.parametrize("name", ["user", "hour", "heat", "bought"])
def test_masks_of_columns_are_not_lost(name):
    table = LONG | {name: np.ma.masked_array([1, 2, 3, 4, 5], mask=[0, 1, 0, 0, 0])}
    with pytest.raises(TypeError, match=f"column '{name}' is a masked array"):
        from_long(table, "user", "hour", "heat", "bought")


def test_a_column_that_is_there_twice():
    pd = pytest.importorskip("pandas")
    rows = [[0, 1.0, 2.0, 0], [0, 3.0, 4.0, 1]]
    for names in (["id", "x", "x", "y"], ["id", "y", "x", "y"], ["id", "x", "id", "y"]):
        with pytest.raises(ValueError, match=r"the table has 2 columns '(id|x|y)'; expected one"):
            from_long(pd.DataFrame(rows, columns=names), "id", None, ["x"], "y")
    table = pd.DataFrame(rows, columns=["id", "other", "other", "x"])
    assert from_long(table, "id", None, "x")[0][0].tolist() == [0, 1]


def days(**options):
    return pytest.importorskip("pandas").date_range("2024-01-01", periods=5, **options)


DATES = {
    "time zone": lambda: days(tz="Europe/Berlin"),
    "periods": lambda: days().to_period("D"),
    "list of Timestamps": lambda: list(days()),
    "list of dates": lambda: days().date.tolist(),
    "times of day": lambda: days().time,
    "dates, one missing": lambda: [None, *days()[1:]],
    "dates beside symbols": lambda: ["x", *days()[1:]],
    "differences": lambda: list(days() - days()[0]),
    "objects of NumPy": lambda: np.arange(5).astype("M8[D]").astype(object),
    "differences of NumPy": lambda: np.array([np.timedelta64(1, "D"), 0, 1, 2, 3], object),
}


@pytest.mark.parametrize("form", [dict, as_frame])
@pytest.mark.parametrize("dates", DATES.values(), ids=DATES.keys())
def test_dates_are_no_features_but_times(form, dates):
    table = form(LONG | {"heat": dates()})
    with pytest.raises(ValueError, match="column 'heat' holds dates or time differences"):
        from_long(table, "user", "hour", ["heat", "count"])
    X, _ = from_long(form(LONG | {"hour": days(tz="UTC")}), "user", "hour", "count")
    assert [x.tolist() for x in X] == [[3, 1, 2], [11, 10]]


def test_numbers_may_be_missing_as_times_are():
    pd = pytest.importorskip("pandas")
    X, _ = from_long({"id": [0, 0], "x": [1.5, pd.NaT]}, "id", None, "x")
    np.testing.assert_array_equal(X[0], [1.5, np.nan])


def change(**columns):
    return LONG | columns


@pytest.mark.parametrize(
    "table, arguments, message",
    [
        (LONG, ("user", "minute", ["heat"]), r"no column 'minute'; its columns are \['user', "),
        (LONG, ("user", "hour", ["heat", "cold"]), "no column 'cold'"),
        (LONG, ("user", "hour", "cold"), "no column 'cold'"),
        (LONG, ("user", "hour", ["heat"], "label"), "no column 'label'"),
        (LONG, ("user", "hour", []), "columns is empty"),
        (
            change(hour=[3, 1, 1, 0, 3]),
            ("user", "hour", ["heat"]),
            r"sequence .*'b'.* has two rows with 'hour' = .*3.*, rows 0 and 4 .*there are 1 such",
        ),
        (
            change(user=["b", None, "b", "a", "b"]),
            ("user", "hour", "heat"),
            "'user' has no value in",
        ),
        (
            change(user=[1, 2, np.nan, 1, 1]),
            ("user", "hour", "heat"),
            "'user' has no value in row 2",
        ),
        (
            change(hour=[1, 2, 3, np.nan, 1]),
            ("user", "hour", "heat"),
            "'hour' has no value in row 3",
        ),
        (
            change(user=["b", np.nan, "b", "a", "b"]),
            ("user", "hour", "heat"),
            "'user' has no value in row 1",
        ),
        (
            change(hour=["3", "1", "1", np.nan, "2"]),
            ("user", "hour", "heat"),
            "'hour' has no value in row 3",
        ),
        (
            change(hour=[9, 1, "10", 0, 11]),
            ("user", "hour", "heat"),
            "column 'hour' cannot be sorted",
        ),
        (
            change(hour=np.array([1, "x", 2, 0, 3], object)),
            ("user", "hour", "heat"),
            "column 'hour' cannot be sorted",
        ),
        (
            change(heat=np.array(["2024-01-01"] * 5, "M8[D]")),
            ("user", "hour", "heat"),
            "column 'heat' holds dates",
        ),
        ({"user": [], "hour": [], "heat": []}, ("user", "hour", "heat"), "the table has no rows"),
        (
            change(heat=[0.1, 0.2, 0.3]),
            ("user", "hour", ["heat", "count"]),
            r"lengths \{'user': 5, 'hour': 5, 'heat': 3, 'count': 5\}; expected the same",
        ),
        (
            change(hour=[0, 1, 2, 3, 4, 5]),
            ("user", "hour", "heat"),
            r"\{'user': 5, 'hour': 6, 'heat': 5\}",
        ),
        (change(bought=[1]), ("user", None, "heat", "bought"), "'heat': 5, 'bought': 1"),
        (
            change(user=[[1], [2], [1], [2], [1]]),
            ("user", None, "heat"),
            r"'user' has shape \(5, 1\)",
        ),
        (
            change(user=np.array([None, *[[1], [2, 3]] * 2], object)[[1, 2, 3, 4, 1]]),
            ("user", None, "heat"),
            "column 'user' cannot tell sequences apart: unhashable type",
        ),
        (change(hour=np.zeros((5, 2))), ("user", "hour", "heat"), r"'hour' has shape \(5, 2\)"),
        (change(heat=np.zeros((5, 2))), ("user", "hour", "heat"), r"'heat' has shape \(5, 2\)"),
        (change(heat=0.5), ("user", "hour", "heat"), r"column 'heat' is a single value \(0.5\)"),
    ],
)
def test_bad_long_tables(table, arguments, message):
    with pytest.raises(ValueError, match=message):
        from_long(table, *arguments)


@pytest.mark.parametrize(
    "ids", [[(1, 2), (1, 2), (3, 4)], [(1, 2), (1, 2), (3,)], ["a", "a", (1,)]]
)
def test_ids_may_be_tuples(ids):
    X, found = from_long({"id": ids, "t": [1, 0, 0], "x": [0.5, 1.5, 2.5]}, "id", "t", "x")
    assert [x.tolist() for x in X] == [[1.5, 0.5], [2.5]]
    assert found.tolist() == [ids[0], ids[2]]


@pytest.mark.parametrize("labels", [[1, 0, 0, 0, 1], [1, 0, np.nan, 0, 1], [np.nan, 0, 1, 0, 1]])
def test_targets_of_sequences_must_be_one(labels):
    table = change(bought=labels)
    with pytest.raises(ValueError, match=r"sequence .*'b'.* has the targets .* in column 'bought'"):
        from_long(table, "user", "hour", "heat", "bought", target_per="sequence")
    with pytest.raises(ValueError, match="target_per is"):
        from_long(table, "user", "hour", "heat", "bought", target_per="row")


def test_missing_targets_of_sequences():
    table = change(bought=np.array([None, "no", None, "no", None], object))
    y = from_long(table, "user", "hour", "heat", "bought", target_per="sequence")[1]
    assert y.tolist() == [None, "no"]
    table = change(bought=[np.nan, 0, np.nan, 0, np.nan])
    y = from_long(table, "user", "hour", "heat", "bought", target_per="sequence")[1]
    np.testing.assert_array_equal(y, [np.nan, 0])
