"""DataFrames in a list: their columns are the features, in one order, in `fit` and ever after."""

import pickle
import warnings

import numpy as np
import pytest
from estimator_helpers import SMALL, identical, objects, ragged, same_fit, small
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from seqlearn_lstm import LSTMClassifier, LSTMEncoder, LSTMRegressor, LSTMSequenceTagger
from seqlearn_lstm.inspection import saliency
from seqlearn_lstm.preprocessing import PerStep

pd = pytest.importorskip("pandas")

X, LABELS = ragged(n=12)
TAGS = [np.where(x[:, 0] > 0, "up", "down") for x in X]
ESTIMATORS = {  # name -> (estimator, what it learns)
    "classifier": (LSTMClassifier(**SMALL), LABELS),
    "regressor": (LSTMRegressor(**SMALL), [x.sum() for x in X]),
    "tagger": (LSTMSequenceTagger(**{k: v for k, v in SMALL.items() if k != "pooling"}), TAGS),
    "encoder": (LSTMEncoder(**SMALL), None),
    "encoder of another": (LSTMEncoder(estimator=LSTMClassifier(**SMALL)), LABELS),
}
every = pytest.mark.parametrize("model, y", ESTIMATORS.values(), ids=ESTIMATORS.keys())
ORDER, NAMES = "must be in the same order as they were in fit", "unseen at fit time:\n- d"
LOST, NEW = "X does not have valid feature names, but", "X has feature names, but"


def frames(sequences=X, columns="abc"):
    return [pd.DataFrame(x, columns=list(columns)) for x in sequences]


def turned(sequences=X):
    return [frame[list("cba")] for frame in frames(sequences)]


def with_second(frame):
    return [*frames()[:1], frame, *frames()[2:]]


def outputs(model, sequences):
    function = model.transform if hasattr(model, "transform") else model.predict
    return list(function(sequences))


# ---- fit and what follows it ---------------------------------------------------------------------


@every
def test_names_of_fit_bind_what_follows(model, y):
    model, plain = clone(model).fit(frames(), y), clone(model).fit(X, y)
    assert list(model.feature_names_in_) == list("abc")
    assert model.feature_names_in_.dtype == object
    assert not hasattr(plain, "feature_names_in_")
    named = outputs(model, frames())
    assert identical(named, outputs(plain, X))
    with pytest.raises(ValueError, match=ORDER):
        outputs(model, turned())
    with pytest.raises(ValueError, match=NAMES):
        outputs(model, frames(columns="abd"))
    with pytest.warns(UserWarning, match=LOST):
        assert identical(outputs(model, X), named)
    with pytest.warns(UserWarning, match=NEW):
        assert identical(outputs(plain, frames()), named)


@every
def test_a_fit_forgets_the_names_of_the_one_before(model, y):
    model = clone(model).fit(frames(), y)
    assert list(model.fit(frames(columns="xyz"), y).feature_names_in_) == list("xyz")
    assert not hasattr(model.fit(X, y), "feature_names_in_")


@every
def test_copies(model, y):
    model = clone(model).fit(frames(), y)
    assert not hasattr(clone(model), "feature_names_in_")
    again = pickle.loads(pickle.dumps(model))
    assert identical(outputs(again, frames()), outputs(model, frames()))
    with pytest.raises(ValueError, match=ORDER):
        outputs(again, turned())


METHODS = {
    "predict_proba": lambda model: model.predict_proba(turned()),
    "decision_function": lambda model: model.decision_function(turned()),
    "score": lambda model: model.score(turned(), LABELS),
    "final_states": lambda model: model.final_states(turned()),
    "partial_fit": lambda model: model.partial_fit(turned(), LABELS),
    "warm start": lambda model: model.set_params(warm_start=True).fit(turned(), LABELS),
    "X_val": lambda model: model.fit(frames(), LABELS, X_val=turned(), y_val=LABELS),
    "object array": lambda model: model.predict(objects(turned())),
    "Series": lambda model: model.predict(pd.Series(turned())),
    "tuple": lambda model: model.predict(tuple(turned())),
    "saliency": lambda model: saliency(model, turned()[0]),
}


@pytest.mark.parametrize("use", METHODS.values(), ids=METHODS.keys())
def test_every_method_checks(use):
    model = small().fit(frames(), LABELS)
    before = {name: value for name, value in vars(model).items() if name != "warm_start"}
    with pytest.raises(ValueError, match=ORDER):
        use(model)
    assert identical({name: vars(model)[name] for name in before}, before)


def test_the_first_partial_fit_learns_the_names():
    model = small().partial_fit(frames(), LABELS)
    assert list(model.feature_names_in_) == list("abc")
    model.partial_fit(frames(), LABELS)
    with pytest.raises(ValueError, match=ORDER):
        model.partial_fit(turned(), LABELS)
    with pytest.warns(UserWarning, match=LOST):
        model.partial_fit(X, LABELS)
    assert list(model.feature_names_in_) == list("abc")


def test_validation_and_cross_validation_say_nothing():
    model = small(early_stopping=True, validation_fraction=0.3).fit(frames(), LABELS)
    assert list(model.feature_names_in_) == list("abc")
    small(early_stopping=True).fit(frames(), LABELS, X_val=frames(), y_val=LABELS)
    assert len(cross_val_predict(small(), frames(), LABELS, cv=2)) == len(X)


# ---- one call ------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("form", [list, tuple, objects, pd.Series])
def test_columns_differ_within_a_call(model, y, form):
    model = clone(model).fit(frames(), y)
    before = dict(vars(model))
    for bad in (turned()[1], frames(columns="abd")[1]):
        got = str(list(bad.columns)).strip("[]")
        message = (
            rf"sequence 1 of X has the columns \[{got}\], but sequence 0 has \['a', 'b', 'c'\]"
        )
        for use in (lambda X: outputs(model, X), lambda X: model.fit(X, y)):
            with pytest.raises(ValueError, match=message):
                use(form(with_second(bad)))
    assert identical(vars(model), before)


def test_columns_without_names_have_an_order_all_the_same():
    numbered = [pd.DataFrame(x) for x in X]
    model = small().fit(numbered, LABELS)
    assert not hasattr(model, "feature_names_in_")
    np.testing.assert_array_equal(model.predict(X), model.predict(numbered))
    with pytest.raises(ValueError, match=r"sequence 1 of X has the columns \[2, 1, 0\]"):
        model.predict([numbered[0], numbered[1][[2, 1, 0]]])


def test_names_of_several_types_are_refused_as_by_scikit_learn():
    model = small().fit(frames(), LABELS)
    before = dict(vars(model))
    with pytest.raises(TypeError, match="Feature names are only supported if all"):
        model.fit([pd.DataFrame(x, columns=["a", 1, "c"]) for x in X], LABELS)
    assert identical(vars(model), before)


def test_arrays_beside_frames_are_in_their_order():
    some = [X[0], *frames()[1:5], *X[5:]]
    model = small().fit(some, LABELS)
    assert list(model.feature_names_in_) == list("abc")
    assert same_fit(model, small().fit(frames(), LABELS))
    np.testing.assert_array_equal(model.predict(some), model.predict(frames()))
    with pytest.raises(ValueError, match=ORDER):
        model.predict([X[0], *turned()[1:]])
    with pytest.raises(ValueError, match=r"sequence 2 of X has the columns .*, but sequence 1 has"):
        model.predict([X[0], frames()[1], turned()[2]])


def test_other_libraries_have_frames_too():
    class Frame:
        """What frames of polars and others have in common."""

        def __init__(self, x, columns):
            self.x, self._columns = x, columns

        columns = property(lambda self: self._columns)
        dtypes = property(lambda self: [self.x.dtype] * self.x.shape[1])

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.x, dtype)

    with pytest.raises(ValueError, match=r"sequence 1 of X has the columns \['b', 'a', 'c'\]"):
        small().fit([Frame(X[0], list("abc")), Frame(X[1], list("bac"))], [0, 1])


def steps_of(frame):
    """Each step as the forms in which a DataFrame gives it away."""
    for i, (_, row) in enumerate(frame.iterrows()):
        yield row, frame.iloc[i : i + 1], frame.iloc[i].astype(object)


def test_names_of_a_step_of_a_stream():
    model = small().fit(frames(), LABELS)
    stream, plain = model.stream(), model.stream()
    good, bad, other = (f(X[:1])[0] for f in (frames, turned, lambda X: frames(X, "abd")))
    for x, *forms in zip(X[0], steps_of(good), steps_of(bad), steps_of(other), strict=True):
        for step in forms[1]:
            with pytest.raises(ValueError, match=ORDER):
                stream.push(step)
        for step in forms[2]:
            with pytest.raises(ValueError, match=NAMES):
                stream.push(step)
        plain.push(x)
        for step in forms[0]:
            again = pickle.loads(pickle.dumps(stream))
            again.push(step)
            assert identical(again.predict_proba(), plain.predict_proba())
        stream.push(list(x))  # what has no names is in the order of fit
    stream.push(pd.Series(X[0][0]))
    assert (
        small().fit(X, LABELS).stream().push(forms[1][0]) in LABELS
    )  # nor is there any to keep to


def test_names_of_steps_are_no_columns_of_a_table():
    table = pd.DataFrame(np.arange(24.0).reshape(6, 4) / 24, columns=list("wxyz"))
    stream = small().fit(table, [0, 1] * 3).stream()
    assert stream.push(pd.Series([0.5], ["v"])) == stream.push(pd.DataFrame({"v": [0.5]}))


# ---- tables, symbols, pipelines ------------------------------------------------------------------


def test_columns_of_a_table_are_time_steps():
    table = pd.DataFrame(np.arange(24.0).reshape(6, 4) / 24, columns=list("wxyz"))
    model, y = small().fit(table, [0, 1] * 3), [0, 1] * 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = model.predict(table)
        as_frames = [pd.DataFrame({"v": row}) for row in table.to_numpy()]
        np.testing.assert_array_equal(model.predict(as_frames), expected)
        np.testing.assert_array_equal(model.predict(list(table.to_numpy())), expected)
    model.fit(as_frames, y)
    assert (model.n_features_in_, list(model.feature_names_in_)) == (1, ["v"])


def test_columns_of_concatenated_rows_are_features():
    model, flat = clone(ESTIMATORS["tagger"][0]), pd.concat(frames())
    lengths = [len(x) for x in X]
    model.fit(flat, np.concatenate(TAGS), lengths=lengths)
    expected = model.predict(flat, lengths=lengths)
    assert identical(np.concatenate(list(model.predict(frames()))), expected)
    with pytest.raises(ValueError, match=ORDER):
        model.predict(turned())
    model.fit(frames(), TAGS)
    assert identical(model.predict(flat, lengths=lengths), expected)
    with pytest.raises(ValueError, match=ORDER):
        model.predict(pd.concat(turned()), lengths=lengths)


def test_symbols_in_frames():
    words = [pd.DataFrame({"word": ["a", "b"]}), pd.DataFrame({"word": ["b"]})] * 3
    model = small().fit(words, [0, 1] * 3)
    assert list(model.feature_names_in_) == ["word"]
    model.predict(words)
    with pytest.raises(ValueError, match="unseen at fit time:\n- lemma"):
        model.predict([pd.DataFrame({"lemma": ["a"]})])
    with pytest.raises(ValueError, match="sequence 1 of X has the columns"):
        small().fit([words[0], words[1].set_axis(["lemma"], axis=1)], [0, 1])


def mixed(some):
    return [x if i % 2 else some[i] for i, x in enumerate(X)]


@pytest.mark.parametrize("form", [list, tuple, objects, pd.Series])
def test_a_scaler_keeps_the_names_of_frames_beside_arrays(form):
    expected = PerStep(StandardScaler()).fit(frames())
    scaler = PerStep(StandardScaler()).fit(form(mixed(frames())))
    assert list(scaler.feature_names_in_) == list("abc")
    assert identical(list(scaler.transform(form(mixed(frames())))), expected.transform(frames()))
    assert identical(scaler.transform(frames()), expected.transform(frames()))
    for fitted in (scaler, expected):
        for bad in (turned(), mixed(turned())):
            with pytest.raises(ValueError, match=ORDER):
                fitted.transform(form(bad))
        with pytest.raises(ValueError, match=NAMES):
            fitted.transform(form(mixed(frames(columns="abd"))))
    with pytest.raises(ValueError, match="sequence 2 of X has the columns"):
        scaler.transform(form([frames()[0], X[1], turned()[2], *X[3:]]))


def test_arrays_beside_frames_of_a_scaler():
    """They are read as frames with the same columns: by transformers of columns by name, too."""
    by_name = PerStep(ColumnTransformer([("b", "passthrough", ["b"])])).fit(mixed(frames()))
    for x, column in zip(X, by_name.transform(mixed(frames())), strict=True):
        np.testing.assert_array_equal(column, x[:, 1:2])
    words = [pd.DataFrame({"word": ["a", "b"]}), np.array([["b"]]), [["a"]]]
    codes = PerStep(OneHotEncoder()).fit_transform(words)
    assert [x.tolist() for x in codes] == [[[1, 0], [0, 1]], [[0, 1]], [[1, 0]]]
    scaler, frame = PerStep(StandardScaler()), frames()[0]
    for bad in (X[1][:, :2], X[1][:, 0], [["a", "b"]]):
        with pytest.raises(ValueError, match=r"sequence 1 of X has shape .*the columns \['a', 'b'"):
            scaler.fit([frame, bad])
    with pytest.raises(ValueError, match="sequence 1 of X is ragged"):
        scaler.fit([frame, [[1, 2, 3], [4]]])
    with pytest.raises(ValueError, match="sequence 1 of X contains NaN at time step 0, feature 2"):
        scaler.fit([frame, [[1.0, 2.0, None]]])
    with pytest.raises(TypeError, match="sequence 1 of X is a masked array"):
        scaler.fit([frame, np.ma.masked_array(X[1], X[1] > 0)])


def test_a_scaler_keeps_the_names_of_frames_of_polars():
    pl = pytest.importorskip("polars")
    some = [pl.DataFrame(x, schema=list("abc")) for x in X]
    scaler = PerStep(StandardScaler()).fit(some)
    assert list(scaler.feature_names_in_) == list("abc")
    doubled = [x.astype(np.float64) for x in X]
    assert identical(scaler.transform(some), PerStep(StandardScaler()).fit_transform(doubled))
    with pytest.raises(ValueError, match=ORDER):
        scaler.transform([frame[list("cba")] for frame in some])
    assert not hasattr(scaler.fit(X), "feature_names_in_")


def test_behind_a_scaler_of_frames():
    model = make_pipeline(PerStep(StandardScaler()), small()).fit(frames(), LABELS)
    expected = model.predict(frames())
    for form in (tuple, objects, pd.Series):
        np.testing.assert_array_equal(model.predict(form(frames())), expected)
        with pytest.raises(ValueError, match=ORDER):
            model.predict(form(turned()))
