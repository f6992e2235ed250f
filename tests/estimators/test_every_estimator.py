"""The promises, for every estimator with every kind of network: two tables, multiplied."""

import io
import pickle

import joblib
import numpy as np
import pytest
from estimator_helpers import NETWORKS, SMALL, identical, objects, ragged, same_fit
from sklearn.base import clone

from seqlearn_lstm import LSTMClassifier, LSTMEncoder, LSTMRegressor, LSTMSequenceTagger
from seqlearn_lstm.kernels.cpu import threads

X, LABELS = ragged(n=30)
NUMBERS = [x.sum() for x in X]
STEPS = [x[:, :2].cumsum(axis=0) for x in X]
TAGS = [np.where(x[:, 0] > 0, "up", "down") for x in X]
# name -> (estimator, what it learns, whether it pools): pooling is no parameter of the others
ESTIMATORS = {
    "classifier": (LSTMClassifier(class_weight="balanced"), LABELS, True),
    "regressor, squared": (LSTMRegressor(), NUMBERS, True),
    "regressor, absolute": (LSTMRegressor(loss="absolute_error"), np.c_[NUMBERS, NUMBERS], True),
    "regressor, Huber, steps": (LSTMRegressor(loss="huber", target="step"), STEPS, True),
    "tagger": (LSTMSequenceTagger(), TAGS, False),
    "encoder": (LSTMEncoder(pooling="steps"), None, True),
}

LEARN_TARGETS = [name for name, (_, y, _) in ESTIMATORS.items() if y is not None]


def cases():
    for name, (estimator, y, pools) in ESTIMATORS.items():
        for network, params in NETWORKS.items():
            if name == "encoder" and params.get("bidirectional"):
                continue  # an encoder would read the next step, and has no such parameter
            own = {k: v for k, v in params.items() if k != "pooling" or pools}
            model = clone(estimator).set_params(**SMALL | own)
            yield pytest.param(model, y, id=f"{name}: {network}")


every = pytest.mark.parametrize("model, y", list(cases()))


def outputs(model, sequences):
    """What it predicts or hands out, a value or an array for each sequence."""
    function = model.transform if hasattr(model, "transform") else model.predict
    return list(function(sequences))


@every
def test_promises(model, y, monkeypatch):
    model.fit(X, y)
    together = outputs(model, X)

    # 2. a prediction depends on its sequence alone
    for k in (0, 11, 29):
        assert identical(outputs(model, X[k : k + 1])[0], together[k])
    backwards = outputs(model, X[::-1])[::-1]
    assert all(identical(a, b) for a, b in zip(backwards, together, strict=True))

    # 3. same bits for any number of threads, which share even the smallest work here
    with monkeypatch.context() as patched:
        patched.setattr(threads, "GRAIN", 1)
        assert same_fit(clone(model).set_params(n_jobs=2).fit(X, y), model)

    # 6. bad input leaves the estimator as it was
    before = dict(vars(model))
    broken = [*X[:-1], np.full_like(X[-1], np.nan)]
    with pytest.raises(ValueError, match="sequence 29"):
        model.fit(broken, y)
    with pytest.raises(ValueError, match="sequence 29"):
        outputs(model, broken)
    assert identical(vars(model), before)

    # 8. what is fitted is plain: out of a pickle and out of joblib the same
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    for again in (pickle.loads(pickle.dumps(model)), joblib.load(file)):
        assert all(identical(a, b) for a, b in zip(outputs(again, X), together, strict=True))


@every
def test_seeds_differ(model, y):
    one = clone(model).set_params(max_iter=1).fit(X, y)
    assert same_fit(clone(one).fit(X, y), one)
    assert not same_fit(clone(one).set_params(random_state=1).fit(X, y), one)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_mask_of_a_table_is_not_lost(name):
    table = np.arange(12.0).reshape(4, 3)
    model, y = clone(ESTIMATORS[name][0]).set_params(**SMALL), np.array([0, 1, 0, 1])
    y = [np.arange(3.0)] * 4 if "steps" in name else y  # a tagger reads rows of one sequence
    model.fit(table, y)
    outputs(model, table)
    masked = np.ma.masked_array(table, mask=np.eye(4, 3))
    for use in (lambda: outputs(model, masked), lambda: model.fit(masked, y)):
        with pytest.raises(TypeError, match="X is a masked array, its mask would be lost"):
            use()


@pytest.mark.parametrize("form", [list, objects])
@pytest.mark.parametrize("name", LEARN_TARGETS)
def test_weights_of_steps_are_for_taggers(name, form):
    estimator, y, _ = ESTIMATORS[name]
    weights = form([np.ones(len(x)) for x in X])
    model = clone(estimator).set_params(**SMALL)
    if name == "tagger":
        model.fit(X, y, sample_weight=weights)
        return
    words = (
        rf"sample_weight has an array of shape \({len(X[0])},\) for sequence 0; expected a number"
    )
    with pytest.raises(ValueError, match=words):
        model.fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("name", LEARN_TARGETS)
def test_no_other_mask_is_lost(name):
    mask = np.ma.masked_array
    estimator, y, _ = ESTIMATORS[name]
    model = clone(estimator).set_params(**SMALL).fit(X, y)
    masked = {
        "sample_weight": mask(np.ones(30)),
        "initial_states": mask(np.zeros((30, 12))),
        "y": [mask(values) for values in y] if "step" in name or name == "tagger" else mask(y),
        "lengths": mask(np.full(30, 3)),
    }
    for what, values in masked.items():
        given = {"X": np.ones((30, 4, 3)) if what == "lengths" else X, "y": y, what: values}
        with pytest.raises(TypeError, match=f"^{what}.* is a masked array, its mask would be lost"):
            model.fit(**given)
    with pytest.raises(TypeError, match="sample_weight is a masked"):
        model.score(X, y, sample_weight=masked["sample_weight"])
    with pytest.raises(TypeError, match=r"^y.* is a masked array, its mask would be lost"):
        model.score(X, masked["y"])
    with pytest.raises(ValueError, match="requires y to be passed"):
        model.score(X, None)
    with pytest.raises(TypeError, match="initial_states is a masked"):
        model.predict(X, initial_states=masked["initial_states"])


@pytest.mark.parametrize("kind", [LSTMClassifier, LSTMRegressor, LSTMSequenceTagger, LSTMEncoder])
@pytest.mark.parametrize(
    "given, more, message",
    [
        ((), dict(foo=1), "got an unexpected keyword argument 'foo'"),
        (((4,), "gru"), {}, "too many positional arguments"),
    ],
)
def test_arguments_that_it_does_not_have(kind, given, more, message):
    with pytest.raises(TypeError, match=rf"{kind.__name__}\.__init__\(\): {message}"):
        kind(*given, **more)
