"""Validation data of the caller's own: their weights, lengths and first states."""

import numpy as np
import pytest
from estimator_helpers import SMALL, identical, padded, ragged, same_fit
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from seqlearn_lstm import LSTMClassifier, LSTMRegressor, LSTMSequenceTagger
from seqlearn_lstm._base.validating import Validation
from seqlearn_lstm.metrics import scorer
from seqlearn_lstm.preprocessing import PerStep

X, Y = ragged()
X_VAL, Y_VAL = ragged(n=20, seed=1)
LENGTHS = [len(x) for x in X_VAL]
ONCE = SMALL | {"max_iter": 1}


def sums(X):
    return np.array([x.sum() for x in X])


def sums_so_far(X):
    return [x.cumsum(axis=0)[:, 0] for x in X]


def signs(X):
    return [np.where(x[:, 0] > 0, "up", "down") for x in X]


# estimator, targets to learn, targets to validate with
KINDS = {
    "classifier": (LSTMClassifier(**ONCE), Y, Y_VAL),
    "regressor": (LSTMRegressor(**ONCE), sums(X), sums(X_VAL)),
    "of steps": (LSTMRegressor(**ONCE, target="step"), sums_so_far(X), sums_so_far(X_VAL)),
    "tagger": (LSTMSequenceTagger(**ONCE), signs(X), signs(X_VAL)),
}


@pytest.fixture(params=KINDS)
def kind(request):
    model, y, y_val = KINDS[request.param]
    return clone(model), y, y_val


def validated(model, y, y_val, X_val=X_VAL, **more):
    """The only score, and the fitted model."""
    model = clone(model).fit(X, y, X_val=X_val, y_val=y_val, **more)
    return model.validation_scores_[0], model


def test_weights(kind):
    """They weigh the score alone; scorers of scikit-learn's get them, too."""
    weights = np.random.default_rng(0).random(len(X_VAL))
    plain, unweighted = validated(*kind)
    score, model = validated(*kind, sample_weight_val=weights)
    assert score == model.score(X_VAL, kind[2], sample_weight=weights) != plain
    assert same_fit(model, unweighted)


def test_weights_in_a_scorer():
    weights = np.arange(len(X_VAL))
    model, y, y_val = KINDS["regressor"]
    model = clone(model).set_params(scoring="neg_mean_squared_error")
    score, fitted = validated(model, y, y_val, sample_weight_val=weights)
    expected = -np.average((fitted.predict(X_VAL) - y_val) ** 2, weights=weights)
    assert score == pytest.approx(expected, rel=1e-12)


def test_weights_of_steps():
    rng = np.random.default_rng(0)
    weights = [rng.random(n) for n in LENGTHS]
    score, model = validated(*KINDS["tagger"], sample_weight_val=weights)
    assert score == model.score(X_VAL, signs(X_VAL), sample_weight=weights)


def test_padded(kind):
    """What stands behind the last step is not read."""
    score, _ = validated(*kind)
    assert validated(*kind, X_val=padded(X_VAL, 9.0), lengths_val=LENGTHS)[0] == score
    assert validated(*kind, X_val=padded(X_VAL))[0] == score


def test_concatenated():
    model, y, y_val = KINDS["tagger"]
    score, _ = validated(model, y, y_val)
    rows, labels = np.concatenate(X_VAL), np.concatenate(y_val)
    flat = clone(model).fit(
        np.concatenate(X), np.concatenate(y), lengths=[len(x) for x in X],
        X_val=rows, y_val=labels, lengths_val=LENGTHS,
    )  # fmt: skip
    assert flat.validation_scores_ == [score]


def test_a_function_sees_lists_where_lengths_cut():
    seen = []

    def scoring(estimator, x, y):
        seen.append((x, y))
        return estimator.score(x, y)

    model, y, y_val = KINDS["tagger"]
    for X_val, more in ((X_VAL, {}), (padded(X_VAL, 9.0), {"lengths_val": LENGTHS})):
        validated(clone(model).set_params(scoring=scoring), y, y_val, X_val, **more)
    (x, y), (cut, y_cut) = seen
    assert x is X_VAL and y is y_val
    assert (
        type(cut) is list
        and all(map(np.array_equal, x, cut))
        and all(map(np.array_equal, y, y_cut))
    )


def test_first_states(kind):
    _, model = validated(*kind)
    shape, rng = model.final_states(X_VAL).shape, np.random.default_rng(0)
    scores = set()
    for states in rng.normal(0, 5, (4, *shape)):
        score, model = validated(*kind, initial_states_val=states)
        assert score == model.score(X_VAL, kind[2], initial_states=states)
        scores.add(score)
    assert len(scores) > 1


def test_first_states_are_those_of_that_very_data(kind):
    """What else a scoring function predicts starts as any prediction does."""
    model, y, y_val = kind
    _, plain = validated(*kind)
    states = np.random.default_rng(0).normal(0, 5, plain.final_states(X_VAL).shape)
    seen, kept = [], []

    def scoring(estimator, x, y):
        seen[:] = [estimator.predict(data) for data in (x, [*x], X)]
        kept[:] = estimator.__getstate__()
        return 0.0

    model = model.set_params(scoring=scoring)
    _, model = validated(model, y, y_val, initial_states_val=states)
    assert identical(seen[0], model.predict(X_VAL, initial_states=states))
    assert identical(seen[1:], [model.predict(X_VAL), model.predict(X)])
    assert not identical(*seen[:2])
    assert "parameters_" in kept and "_validation" not in kept  # in a pickle that it makes


def test_first_states_of_what_is_held_out():
    model, y, _ = KINDS["regressor"]
    states = np.random.default_rng(0).normal(0, 5, model.fit(X, y).final_states(X).shape)
    seen = []

    def scoring(estimator, x, y):
        seen[:] = [x, estimator.predict(x), estimator.predict([*x])]
        return 0.0

    model = clone(model).set_params(scoring=scoring, early_stopping=True)
    model.fit(X, y, initial_states=states)
    held = [next(i for i, given in enumerate(X) if given is x) for x in seen[0]]
    assert identical(seen[1], model.predict(seen[0], initial_states=states[held]))
    assert identical(seen[2], model.predict(seen[0]))


def test_pipeline_transforms_them():
    """scikit-learn's `transform_input` names what goes through the steps before."""
    with config_context(enable_metadata_routing=True):
        model = LSTMClassifier(**ONCE).set_fit_request(
            X_val=True, y_val=True, sample_weight_val=True
        )
        pipeline = Pipeline(
            [("scale", PerStep(StandardScaler())), ("model", model)], transform_input=["X_val"]
        )
        weights = np.arange(len(X_VAL))
        pipeline.fit(X, Y, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=weights)
    scaled = pipeline[0].transform(X_VAL)
    scores = pipeline[1].validation_scores_
    assert scores == [pipeline[1].score(scaled, Y_VAL, sample_weight=weights)]


def test_a_checkpoint_knows_them(tmp_path):
    model = LSTMClassifier(**ONCE, checkpoint=tmp_path / "run")
    weights = np.ones(len(X_VAL))
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=weights)
    assert model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=weights).n_iter_ == 1
    with pytest.raises(ValueError, match="another"):
        model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=2 * weights)


ALL = dict(X_val=X_VAL, y_val=Y_VAL)
REFUSED = {
    "labels": (ALL | dict(y_val=Y_VAL[:-1]), "validation data: .*inconsistent numbers of samples"),
    "none": (ALL | dict(y_val=[None] * 20), "validation data: .*None"),
    "features": (ALL | dict(X_val=[x[:, :2] for x in X_VAL]), "validation data: .*features"),
    "NaN": (ALL | dict(X_val=[*X_VAL[:-1], X_VAL[-1] * np.nan]), "validation data: .*19"),
    "weights": (ALL | dict(sample_weight_val=np.ones(3)), "validation data: sample_weight"),
    "negative": (ALL | dict(sample_weight_val=-np.ones(20)), "validation data: .*[Nn]egative"),
    "no weight": (ALL | dict(sample_weight_val=np.zeros(20)), "validation data: .*non-zero"),
    "lengths": (ALL | dict(X_val=padded(X_VAL), lengths_val=[1]), "validation data: .*lengths"),
    "states": (ALL | dict(initial_states_val=np.ones((20, 3))), "validation data: initial_states"),
    "alone": (dict(sample_weight_val=np.ones(20)), "sample_weight_val .* without X_val and y_val"),
    "half": (dict(y_val=Y_VAL), "X_val and y_val belong together"),
}


@pytest.mark.parametrize("given, message", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_before_the_training(given, message, capsys):
    model = LSTMClassifier(**ONCE, verbose=1)
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, **given)
    assert not hasattr(model, "parameters_") and capsys.readouterr().out == ""


def test_a_wrong_type_is_told_of_the_validation_data():
    for more in (dict(X_val=5), dict(y_val=np.ma.masked_equal(Y_VAL, 0))):
        with pytest.raises(TypeError, match="validation data: "):
            LSTMClassifier(**ONCE).fit(X, Y, **ALL | more)


WRONG = {
    "strings": ("classifier", {"y_val": [str(y) for y in Y_VAL]}, "none of which is among"),
    "other labels": ("classifier", {"y_val": Y_VAL + 7}, "none of which is among"),
    "numbers": ("tagger", {"y_val": [np.zeros(n, int) for n in LENGTHS]}, "none of which"),
    "outputs": ("regressor", {"y_val": np.ones((20, 2))}, "y has 2 outputs; expected 1"),
    "outputs of steps": (
        "of steps",
        {"y_val": [np.ones((n, 2)) for n in LENGTHS]},
        "y has 2 outputs",
    ),
    "weights": (
        "tagger",
        {
            "y_val": [np.full(LENGTHS[0], None), *signs(X_VAL)[1:]],
            "sample_weight_val": np.eye(20)[0],
        },
        "sample_weight is 0 for all steps whose label is known",
    ),
}


@pytest.mark.parametrize("kind, given, message", WRONG.values(), ids=WRONG)
def test_what_could_never_be_predicted(kind, given, message, capsys):
    model, y, _ = KINDS[kind]
    with pytest.raises(ValueError, match=f"validation data: .*{message}"):
        clone(model).set_params(verbose=1).fit(X, y, **ALL | given)
    assert capsys.readouterr().out == ""


def test_a_label_that_is_new_is_wrong():
    labels = np.where(np.arange(20) < 5, 9, Y_VAL)
    score, model = validated(KINDS["classifier"][0], Y, labels)
    assert score == (model.predict(X_VAL) == labels).mean()


def test_a_scorer_of_tags_takes_concatenated_rows():
    model, y, y_val = KINDS["tagger"]
    model = clone(model).set_params(scoring=scorer("step_accuracy"))
    flat = model.fit(
        np.concatenate(X),
        np.concatenate(y),
        X_val=np.concatenate(X_VAL),
        y_val=np.concatenate(y_val),
    )
    assert flat.validation_scores_ == [flat.score(np.concatenate(X_VAL), np.concatenate(y_val))]


def test_they_have_no_name_where_nobody_asks(monkeypatch):
    """A name is made of all of them, which takes its time."""
    monkeypatch.setattr(Validation, "data", None)
    validated(LSTMClassifier(**ONCE), Y, Y_VAL)


def test_a_checkpoint_does_not_mind_the_form(tmp_path):
    model = LSTMClassifier(**ONCE, checkpoint=tmp_path / "run")
    model.fit(X, Y, **ALL, sample_weight_val=np.ones(20))
    again = model.fit(X, Y, X_val=padded(X_VAL), y_val=Y_VAL, sample_weight_val=[1] * 20)
    assert again.n_iter_ == 1


def test_tags_that_are_no_tags():
    model, y, y_val = KINDS["tagger"]
    with pytest.raises(ValueError, match="validation data: sequence 0 has"):
        clone(model).fit(X, y, X_val=X_VAL, y_val=[y_val[0][:0], *y_val[1:]])


def test_lengths_of_what_is_learned_are_not_those_of_the_validation():
    lengths = [len(x) for x in X]
    with pytest.raises(
        ValueError, match="no lengths_val; expected lengths_val, or X_val as a list"
    ):
        LSTMClassifier(**ONCE).fit(
            padded(X, 0.0), Y, lengths=lengths, X_val=padded(X_VAL, 0.0), y_val=Y_VAL
        )


@pytest.fixture
def pl():
    return pytest.importorskip("polars")


@pytest.mark.parametrize("given", [{}, {"X_val": X_VAL}])
def test_targets_in_series_of_polars(pl, kind, given):
    """Of held-out sequences and of others, flat or a list for each sequence."""
    model, *targets = kind
    as_series = [pl.Series([np.asarray(part).tolist() for part in y]) for y in targets]
    scores = []
    for y, y_val in (targets, as_series):
        others = given | {"y_val": y_val} if given else {}
        scores.append(clone(model).set_params(early_stopping=True).fit(X, y, **others))
    assert identical(*(model.validation_scores_ for model in scores))


def test_several_targets_in_a_frame_of_polars(pl):
    y = np.array([x.mean(axis=0) for x in X], np.float64)
    model = LSTMRegressor(**ONCE, early_stopping=True)
    scores = [clone(model).fit(X, given).validation_scores_ for given in (y, pl.DataFrame(y))]
    assert identical(*scores)


def test_a_function_sees_the_form_of_polars_that_was_given(pl):
    table, seen = pl.DataFrame(np.random.default_rng(0).normal(size=(len(X), 4))), []

    def score(model, X, y):
        seen.append(X)
        return model.score(X, y)

    held = LSTMClassifier(**ONCE, early_stopping=True, scoring=score)
    again = clone(held).fit(table.to_numpy(), Y).validation_scores_
    assert held.fit(table, Y).validation_scores_ == again
    assert isinstance(seen[-1], pl.DataFrame) and (seen[-1].to_numpy() == seen[0]).all()
