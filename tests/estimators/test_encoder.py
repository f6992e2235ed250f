"""LSTMEncoder: the states of a network, as features."""

import pickle

import naive
import naive_network
import numpy as np
import pytest
from estimator_helpers import SMALL, identical, padded, ragged, small
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union

from seqlearn_lstm import (
    LSTMEncoder,
    LSTMLanguageModel,
    LSTMRegressor,
    LSTMSequenceTagger,
    inspection,
)

X, Y = ragged()
POOLINGS = {
    "last": lambda forward, backward: np.concatenate([forward[-1], backward[0]]),
    "mean": lambda forward, backward: np.hstack([forward, backward]).mean(axis=0),
    "max": lambda forward, backward: np.hstack([forward, backward]).max(axis=0),
    "steps": lambda forward, backward: np.hstack([forward, backward]),
}


def expected(model, x, pooling, states, difference):
    """What the encoder should hand out of a fitted bidirectional model with one layer."""
    parts = []
    for kind in {"h": [0], "c": [1], "both": [0, 1]}[states]:
        both = []
        for name, read in (("forward", x), ("backward", x[::-1])):
            part = naive_network.of_part(model.parameters_, f"layer_0.{name}")
            zeros = np.zeros(len(part["U"]))
            values = naive.lstm(read, zeros, zeros, part["W"], part["U"], part["b"])[kind]
            steps = np.diff(values, axis=0) if difference else values[1:]
            both.append(steps if name == "forward" else steps[::-1])
        parts.append(POOLINGS[pooling](*both))
    return np.concatenate(parts, axis=-1)


@pytest.fixture(scope="module")
def fitted():
    return small(bidirectional=True, dtype="float64").fit(X, Y)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("states", ["h", "c", "both"])
@pytest.mark.parametrize("difference", [False, True])
def test_states_equal_naive(fitted, pooling, states, difference):
    encoder = LSTMEncoder(
        estimator=FrozenEstimator(fitted), pooling=pooling, states=states, difference=difference
    ).fit(X)
    found = encoder.transform(X)
    assert len(found) == len(X)
    for row, x in zip(found, X, strict=True):
        np.testing.assert_allclose(
            row, expected(fitted, x, pooling, states, difference), rtol=1e-12, atol=1e-14
        )
    width = len(encoder.get_feature_names_out())
    assert all(row.shape[-1] == width for row in found)


def test_states_depend_on_the_sequence_alone(fitted):
    encoder = LSTMEncoder(estimator=FrozenEstimator(fitted), states="both").fit(X)
    together = encoder.transform(X)
    alone = np.concatenate([encoder.transform([x]) for x in X])
    assert alone.tobytes() == together.tobytes()


def test_names():
    model = small(bidirectional=True, hidden_layer_sizes=(4, 2))
    encoder = LSTMEncoder(estimator=model, states="both").fit(X, Y)
    assert encoder.get_feature_names_out().tolist() == [
        "forward_h0", "forward_h1", "backward_h0", "backward_h1",
        "forward_c0", "forward_c1", "backward_c0", "backward_c1",
    ]  # fmt: skip


def test_fits_a_clone_of_its_estimator():
    model = small()
    encoder = LSTMEncoder(estimator=model).fit(X, Y, sample_weight=np.ones(len(X)))
    assert not hasattr(model, "parameters_")
    assert encoder.estimator_.predict(X).tobytes() == clone(model).fit(X, Y).predict(X).tobytes()
    assert encoder.n_features_in_ == 3


def test_set_output_in_a_union():
    pytest.importorskip("pandas")
    union = make_union(
        LSTMEncoder(estimator=small()), LSTMEncoder(estimator=small(), states="c")
    ).set_output(transform="pandas")
    frame = union.fit_transform(X, Y)
    assert frame.shape == (len(X), 12)
    assert frame.columns[0] == "lstmencoder-1__forward_h0"
    ragged_states = LSTMEncoder(estimator=small(), pooling="steps").set_output(transform="pandas")
    with pytest.raises(ValueError, match="ragged"):
        ragged_states.fit(X, Y).transform(X)


@pytest.mark.parametrize("model", [None, small()], ids=["itself", "estimator"])
def test_fit_transform_leaves_out_the_padding(model):
    filled, lengths = padded(X[:20], fill=0), np.array([len(x) for x in X[:20]])
    encoder = LSTMEncoder(**SMALL, estimator=model, pooling="mean")
    states = encoder.fit_transform(filled, Y[:20], lengths=lengths)
    assert identical(states, encoder.transform(X[:20]))
    classifier = LogisticRegression()
    make_pipeline(encoder, classifier).fit(filled, Y[:20], lstmencoder__lengths=lengths)
    assert identical(classifier.coef_, LogisticRegression().fit(states, Y[:20]).coef_)
    with config_context(enable_metadata_routing=True):
        routed = encoder.set_fit_request(lengths=True).set_transform_request(lengths=True)
        make_pipeline(routed, classifier).fit(filled, Y[:20], lengths=lengths)
        assert identical(classifier.coef_, LogisticRegression().fit(states, Y[:20]).coef_)


@pytest.mark.parametrize("nest", [0, 1], ids=["an estimator", "an encoder"])
def test_metadata_is_routed_to_the_estimator(nest):
    weights = np.random.default_rng(0).uniform(0.1, 3, len(X))
    given = dict(sample_weight=weights, X_val=X[:9], y_val=Y[:9])
    model = small()
    expected = clone(model).fit(X, Y, **given)
    with config_context(enable_metadata_routing=True):
        model.set_fit_request(sample_weight=True, X_val=True, y_val=True)
        inside = LSTMEncoder(estimator=model) if nest else model
        for last in (LogisticRegression().set_fit_request(sample_weight=True), "passthrough"):
            pipeline = make_pipeline(LSTMEncoder(estimator=inside), last).fit(X, Y, **given)
            found = pipeline[0]._source
            assert found.loss_curve_ == expected.loss_curve_
            assert found.validation_scores_ == expected.validation_scores_
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            LSTMEncoder(estimator=small()).fit(X, Y, sample_weight=weights)
        with pytest.raises(TypeError, match="there is no estimator"):
            LSTMEncoder(**SMALL).fit(X, sample_weight=weights)


def test_fit_transform_gives_what_set_output_says():
    pd = pytest.importorskip("pandas")
    encoder = LSTMEncoder(estimator=small()).set_output(transform="pandas")
    together = encoder.fit_transform(X, Y, sample_weight=np.ones(len(X)))
    pd.testing.assert_frame_equal(together, encoder.transform(X))


def test_a_network_reads_the_states_of_another():
    """The change of the cell states, read by a second network, searched through the pipeline."""
    encoder = LSTMEncoder(estimator=small(), states="c", difference=True, pooling="steps")
    model = make_pipeline(encoder, small())
    search = GridSearchCV(model, {"lstmencoder__estimator__hidden_layer_sizes": [(3,), (5,)]}, cv=2)
    search.fit(X, Y)
    states = search.best_estimator_[0].transform(X)
    assert [len(state) for state in states] == [len(x) for x in X]
    again = pickle.loads(pickle.dumps(search))
    assert again.predict(X).tobytes() == search.predict(X).tobytes()


@pytest.mark.parametrize("freeze", [clone, lambda encoder: FrozenEstimator(encoder.fit(X, Y))])
@pytest.mark.parametrize("inside", [small(), None], ids=["estimator", "itself"])
def test_an_encoder_in_an_encoder(freeze, inside):
    inner = LSTMEncoder(**SMALL, estimator=inside)
    encoder = LSTMEncoder(estimator=freeze(inner), pooling="mean").fit(X, Y)
    alone = clone(inner).set_params(pooling="mean").fit(X, Y)
    assert identical(encoder.transform(X), alone.transform(X))
    assert encoder.summary() == alone.summary()
    assert encoder.get_feature_names_out().tolist() == alone.get_feature_names_out().tolist()
    assert encoder.n_features_in_ == 3
    assert identical(encoder.final_states(X), alone.final_states(X))
    again = pickle.loads(pickle.dumps(encoder))
    assert identical(again.transform(X), encoder.transform(X))


def test_pools_what_a_tagger_or_a_regressor_knows():
    tagger = LSTMSequenceTagger(**SMALL).fit(X, [np.sign(x[:, 0]) for x in X])
    regressor = LSTMRegressor(**SMALL).fit(X, [x.sum() for x in X])
    for model in (tagger, regressor):
        encoder = LSTMEncoder(estimator=FrozenEstimator(model), pooling="max").fit(X)
        assert encoder.transform(X).shape == (len(X), 6)


@pytest.mark.parametrize("params", [{}, dict(initial_state="learned", hidden_layer_sizes=(4, 6))])
@pytest.mark.parametrize("states", ["h", "c"])
def test_the_mark_before_a_text_is_no_step_of_it(params, states):
    model = LSTMLanguageModel(**SMALL | params).fit(["abcab", "ba", "cc"] * 4)
    texts = ["abc", "b", "cab" * 9]

    def encoded(**how):
        return LSTMEncoder(estimator=FrozenEstimator(model), states=states, **how).fit(texts)

    steps = encoded(pooling="steps").transform(texts)
    assert [len(found) for found in steps] == [len(text) for text in texts]
    for text, found in zip(texts, steps, strict=True):
        read = inspection.states(model, text).activations[states]  # with the mark
        assert identical(found, read[1:])
        assert identical(encoded().transform([text])[0], read[-1])
        change = encoded(pooling="steps", difference=True).transform([text])[0]
        assert identical(change, np.diff(read, axis=0))
        for pooling, expected in (("mean", found.mean(axis=0)), ("max", found.max(axis=0))):
            pooled = encoded(pooling=pooling).transform([text])[0]
            np.testing.assert_allclose(pooled, expected, rtol=1e-5)
    with pytest.raises(ValueError, match="sequence 1 of X has length 0"):
        encoded().transform(["a", ""])


def test_learns_without_targets():
    """The next step of a noisy rotation is told by its states far better than by the mean."""
    rng = np.random.default_rng(0)
    waves = [
        np.sin(speed * np.arange(30) + phase)[:, None]
        for speed, phase in zip(rng.choice([0.2, 0.9], 60), rng.uniform(0, 6, 60), strict=True)
    ]
    encoder = LSTMEncoder((12,), learning_rate=0.02, max_iter=40, n_jobs=1, random_state=0)
    states = encoder.fit(waves).transform(waves)
    assert states.shape == (60, 12)
    assert encoder.loss_curve_[-1] < 0.05 * np.var(np.concatenate(waves)) < encoder.loss_curve_[0]
    fast = [np.abs(np.diff(wave[:, 0])).max() > 0.5 for wave in waves]
    assert LogisticRegression().fit(states[:40], fast[:40]).score(states[40:], fast[40:]) == 1


def test_learns_the_next_symbol():
    texts = ["abcabcabc", "bcabca", "cabcab"] * 10
    encoder = LSTMEncoder(
        (8,), embedding_dim=4, learning_rate=0.05, max_iter=60, n_jobs=1, random_state=0
    ).fit(texts)
    assert encoder.loss_curve_[-1] < 0.05  # log(3) without knowing the last letter
    assert encoder.transform(texts).shape == (30, 8)
    assert set(encoder.vocabulary_.symbols) == {None, *"abc"}


def test_stops_early_by_the_training_loss():
    """There are no targets to score validation data with."""
    rate = dict(
        learning_rate=0.3, max_iter=12, random_state=0
    )  # so high that the last is not the best
    best, last = (LSTMEncoder((3,), early_stopping=early, **rate).fit(X) for early in (True, False))
    assert best.loss_curve_ == last.loss_curve_
    assert best.best_iter_ == 1 + np.argmin(best.loss_curve_) < best.n_iter_
    stopped = LSTMEncoder((3,), **rate | dict(max_iter=best.best_iter_)).fit(X)
    assert best.transform(X).tobytes() == stopped.transform(X).tobytes()
    assert not {"bidirectional", "monitor", "scoring"} & best.get_params().keys()


@pytest.mark.parametrize(
    "params, x, y, error, message",
    [
        ({}, [[[1.0]], [[2.0]]], None, ValueError, "1 step"),
        ({"estimator": LogisticRegression()}, X, Y, ValueError, "estimator"),
        (
            {"estimator": FrozenEstimator(LogisticRegression().fit([[0], [1]], [0, 1]))},
            X,
            Y,
            TypeError,
            "this package",
        ),
        ({"estimator": FrozenEstimator(small())}, X, Y, NotFittedError, "not fitted"),
        ({"pooling": "median"}, X, Y, ValueError, "pooling"),
    ],
)
def test_errors_leave_the_encoder_as_it_was(params, x, y, error, message):
    encoder = LSTMEncoder(estimator=small()).fit(X, Y)
    before = encoder.transform(X)
    encoder.set_params(**params) if "estimator" in params else encoder.set_params(
        estimator=None, **params
    )
    attributes = sorted(vars(encoder))
    with pytest.raises(error, match=message):
        encoder.fit(x, y)
    assert sorted(vars(encoder)) == attributes
    encoder.set_params(pooling="last")
    assert encoder.transform(X).tobytes() == before.tobytes()


class NeverAsked:
    """A sequence that ends the fit which reads it."""

    def __array__(self, *args, **kwargs):
        raise AssertionError("X was read")


GATED = small(cell="gru")
WITHOUT_CELL_STATES = {
    "itself": LSTMEncoder(**SMALL, cell="gru"),
    "estimator": LSTMEncoder(estimator=GATED),
    "inside of another": LSTMEncoder(estimator=LSTMEncoder(estimator=GATED)),
    "frozen": LSTMEncoder(estimator=FrozenEstimator(clone(GATED).fit(X, Y))),
}
without_cell_states = pytest.mark.parametrize(
    "encoder", WITHOUT_CELL_STATES.values(), ids=WITHOUT_CELL_STATES.keys()
)


@without_cell_states
@pytest.mark.parametrize("states", ["c", "both"])
def test_cell_states_that_there_are_not_are_refused_before_a_fit(encoder, states):
    with pytest.raises(ValueError, match=f"states is '{states}', but a cell of \"gru\""):
        clone(encoder).set_params(states=states).fit([NeverAsked()], Y)


@without_cell_states
def test_output_that_there_is_not_is_refused_after_a_fit(encoder):
    encoder = clone(encoder).fit(X, Y)
    for params, message in (
        ({"states": "c"}, "states is 'c', but a cell of"),
        ({"states": "h", "pooling": "median"}, "The 'pooling' parameter"),
        ({"states": "all", "pooling": "last"}, "The 'states' parameter"),
    ):
        encoder.set_params(**params)
        with pytest.raises(ValueError, match=message):
            encoder.transform(X)
        with pytest.raises(ValueError, match=message):
            encoder.get_feature_names_out()
    assert encoder.set_params(states="h").transform(X).shape == (len(X), 6)


def test_a_fit_leaves_nothing_of_one_of_another_kind():
    encoder = LSTMEncoder(**SMALL, estimator=small()).fit(X, Y)
    encoder.set_params(estimator=None, warm_start=True).fit(X)
    alone = LSTMEncoder(**SMALL).fit(X)
    assert encoder.transform(X).tobytes() == alone.transform(X).tobytes()
    encoder.set_params(estimator=small()).fit(X, Y)
    fitted = {name for name in vars(encoder) if name.endswith("_")}
    assert fitted == {"estimator_", "n_features_in_"}


@pytest.mark.parametrize("truncate", ["pre", "post"])
def test_states_of_steps_are_those_of_all_steps(truncate):
    """`max_timesteps` cuts what becomes one output; the states of steps are one for each step."""
    inner = small(max_timesteps=3, truncate=truncate).fit(X, Y)
    states = LSTMEncoder(estimator=FrozenEstimator(inner), pooling="steps").fit(X).transform(X)
    assert [len(values) for values in states] == [len(x) for x in X]
    whole = LSTMEncoder(
        estimator=FrozenEstimator(inner.set_params(max_timesteps=None)), pooling="steps"
    )
    assert identical(whole.fit(X).transform(X), states)
    tagger = LSTMSequenceTagger(**SMALL)
    tags = [np.arange(len(x)) % 2 for x in X]
    encoder = LSTMEncoder(estimator=small(max_timesteps=3), pooling="steps").fit(X, Y)
    assert make_pipeline(FrozenEstimator(encoder), tagger).fit(X, tags).score(X, tags) >= 0
