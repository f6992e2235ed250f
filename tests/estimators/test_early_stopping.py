"""Validation, early stopping, the best weights, and trainings that diverge."""

import traceback
from collections import deque
from fractions import Fraction

import numpy as np
import pytest
from estimator_helpers import SMALL, identical, objects, padded, ragged, same_fit, small
from sklearn.base import clone
from sklearn.metrics import r2_score

from seqlearn_lstm import LSTMClassifier, LSTMRegressor, LSTMSequenceTagger
from seqlearn_lstm._base import fitting
from seqlearn_lstm.cells import RNN
from seqlearn_lstm.exceptions import TrainingDiverged
from seqlearn_lstm.metrics import scorer
from seqlearn_lstm.training import loop

X, Y = ragged(n=60)
X_VAL, Y_VAL = ragged(n=30, seed=1)
SUMS = np.array([x.sum() for x in X])
FAST = dict(learning_rate=0.1, max_iter=30)


def test_the_best_of_all_epochs_is_restored():
    model = small(**FAST, early_stopping=True, n_iter_no_change=None).fit(
        X, Y, X_val=X_VAL, y_val=Y_VAL
    )
    scores = model.validation_scores_
    assert len(scores) == model.n_iter_ == 30
    assert model.best_iter_ == 1 + int(np.argmax(scores))
    assert model.score(X_VAL, Y_VAL) == max(scores)
    again = small(**FAST | {"max_iter": model.best_iter_}).fit(X, Y)
    assert identical(again.parameters_, model.parameters_)


def test_stops_without_progress():
    model = small(**FAST, early_stopping=True, n_iter_no_change=3, tol=0.02)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    best = np.maximum.accumulate([-np.inf, *model.validation_scores_])
    progress = np.array(model.validation_scores_) > best[:-1] + 0.02
    assert model.n_iter_ < 30
    assert not progress[-3:].any() and progress[:-3].any()


def test_monitor_train_restores_the_lowest_loss():
    model = small(learning_rate=0.5, max_iter=25, early_stopping=True, monitor="train")
    model.set_params(n_iter_no_change=None).fit(X, Y)
    assert model.best_iter_ == 1 + int(np.argmin(model.loss_curve_)) < 25
    again = clone(model).set_params(max_iter=model.best_iter_, early_stopping=False).fit(X, Y)
    assert identical(again.parameters_, model.parameters_)
    assert not hasattr(model, "validation_scores_")


def test_held_out_sequences_are_whole_and_stratified():
    """Twelve of sixty, four of each class: the same as by hand with what is left."""
    seen = []

    def scoring(estimator, x, y):
        seen.append((x, y))
        return estimator.score(x, y)

    model = small(early_stopping=True, validation_fraction=0.2, scoring=scoring).fit(X, Y)
    x, y = seen[0]
    assert len(x) == 12 and np.bincount(y).tolist() == [4, 4, 4]
    held_out = {sequence.tobytes() for sequence in x}
    assert held_out <= {sequence.tobytes() for sequence in X}
    again = small(early_stopping=True, validation_fraction=0.2).fit(X, Y)
    assert same_fit(again, model)
    other = small(early_stopping=True, validation_fraction=0.2, random_state=1).fit(X, Y)
    assert not same_fit(other, model)


@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss", "f1_macro"])
def test_any_scorer(scoring):
    model = small(scoring=scoring, early_stopping=True, max_iter=4)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert len(model.validation_scores_) == 4


TAGS = [np.where(x[:, 0] > 0, "up", "down") for x in X]


@pytest.mark.parametrize("scoring", ["step_accuracy", "chunk_f1", "sequence_accuracy"])
@pytest.mark.parametrize("per_step", [False, True])
def test_scorers_of_steps(scoring, per_step):
    """With the weights of sequences, or of steps, which `sequence_accuracy` does not take."""
    tags = [np.where(tag == "up", "B-UP", "O") for tag in TAGS]
    weights = np.random.default_rng(0).uniform(0.1, 3, len(X))
    given = [np.full(len(x), w) for x, w in zip(X, weights, strict=True)] if per_step else weights
    model = LSTMSequenceTagger(**SMALL, early_stopping=True, scoring=scorer(scoring))
    scores = model.fit(X, tags, sample_weight=given).validation_scores_
    assert len(scores) == 3
    if scoring == "step_accuracy":
        own = clone(model).set_params(scoring=None).fit(X, tags, sample_weight=given)
        np.testing.assert_allclose(scores, own.validation_scores_, rtol=1e-12)


@pytest.mark.parametrize(
    "model, y, words",
    [
        (
            LSTMSequenceTagger(scoring="accuracy"),
            TAGS,
            "'accuracy'.*scorer of seqlearn_lstm.metrics",
        ),
        (
            LSTMRegressor(scoring="r2", target="step"),
            [x[:, 0] for x in X],
            r"'r2'.*\(estimator, X, y\)$",
        ),
    ],
    ids=["tagger", "regressor"],
)
def test_names_of_scores_are_refused_for_steps_before_a_fit(model, y, words, monkeypatch):
    monkeypatch.setattr(fitting, "train", None)
    with pytest.raises(ValueError, match=words):
        model.set_params(**SMALL, early_stopping=True).fit(X, y)
    with pytest.raises(ValueError, match=words):
        model.set_params(early_stopping=False).fit(X, y, X_val=X, y_val=y)


@pytest.mark.parametrize("form, labels", [(list, list), (tuple, tuple), (objects, np.array)])
def test_a_function_sees_data_of_the_form_that_was_given(form, labels):
    seen = []

    def scoring(estimator, x, y):
        seen.append((x, y))
        return estimator.score(x, y)

    tags = form([labels(tag.tolist()) for tag in TAGS])
    for kind, y in ((LSTMClassifier, labels(Y.tolist())), (LSTMSequenceTagger, tags)):
        kind(**SMALL, early_stopping=True, scoring=scoring).fit(form(X), y)
        held, y_held = seen[-1]
        assert type(held) is type(form(X)) and type(y_held) is type(y)
        assert type(y_held[0]) is type(y[0])


def test_scores_are_recorded_without_stopping():
    model = small().fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert model.validation_scores_[-1] == model.score(X_VAL, Y_VAL)
    assert same_fit(model, small().fit(X, Y))


def test_taggers_and_regressors():
    tags = [np.where(x[:, 0] > 0, "up", "down") for x in X]
    tagger = LSTMSequenceTagger(**SMALL, early_stopping=True).fit(X, tags)
    rows, lengths = np.concatenate(X), [len(x) for x in X]
    flat = LSTMSequenceTagger(**SMALL, early_stopping=True)
    flat.fit(rows, np.concatenate(tags), lengths=lengths)
    assert same_fit(tagger, flat)
    assert tagger.validation_scores_ == flat.validation_scores_
    regressor = LSTMRegressor(**SMALL, early_stopping=True).fit(X, [x.sum() for x in X])
    assert len(regressor.validation_scores_) == 3


def test_only_half_of_the_validation_data():
    with pytest.raises(ValueError, match="X_val and y_val"):
        small().fit(X, Y, X_val=X_VAL)


def test_a_diverged_training_keeps_its_last_good_epoch():
    """The estimator is as it was; the error has a copy that can be used."""
    model = LSTMRegressor(**SMALL, solver="sgd", clip_norm=None, warm_start=True)
    targets = [x.sum() for x in X]
    model.fit(X, targets)
    parameters, prediction = model.parameters_, model.predict(X)
    with pytest.raises(TrainingDiverged, match="in epoch 4 the loss") as caught:
        model.set_params(learning_rate=1e30).fit(X, targets)
    assert model.n_iter_ == 3 and identical(model.parameters_, parameters)
    last = caught.value.estimator
    assert last.n_iter_ == 3 and identical(last.predict(X), prediction)
    with pytest.raises(TrainingDiverged) as caught:
        clone(model).fit(X, targets)
    assert caught.value.estimator is None


def test_parameters_that_are_too_large_have_diverged():
    """No loss has seen the last update of an epoch."""
    params = dict(SMALL, solver="sgd", clip_norm=None, max_iter=1, batch_size=None)
    words = [[f"w{len(x)}"] for x in X]
    for x in (X, words):
        with pytest.raises(TrainingDiverged, match="in epoch 1 the sum of the squares") as caught:
            LSTMRegressor(**params | {"learning_rate": 3e38}).fit(x, [100 * len(v) for v in X])
        assert caught.value.estimator is None


@pytest.mark.parametrize("scoring", [None, "neg_mean_squared_error", lambda e, x, y: np.nan])
def test_outputs_that_are_too_large_have_diverged(scoring):
    """A linear recurrence may stay finite over the steps that it is trained with, and no longer."""
    model = LSTMRegressor(**SMALL | {"max_iter": 20}, cell=RNN(activation="relu"))
    long = [np.ones((3000, 3)), -np.ones((3000, 3))]
    with pytest.raises(TrainingDiverged, match="the outputs for the validation data"):
        model.set_params(scoring=scoring).fit(X, 10 * SUMS, X_val=long, y_val=[0, 1])
    assert not hasattr(model, "parameters_")


def test_an_error_of_a_scoring_stays_what_it_is():
    def scoring(*given):
        raise ValueError("not today")

    with pytest.raises(ValueError, match="not today") as caught:
        small(scoring=scoring).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert type(caught.value) is ValueError


@pytest.mark.parametrize("kind", [FloatingPointError, MemoryError])
def test_an_error_of_a_scoring_keeps_its_place(kind):
    """What looks like a divergence, or like too little memory for the network, is not hidden."""

    def scoring(*given):
        raise kind("not today")

    with pytest.raises(kind, match="not today") as caught:
        small(scoring=scoring).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    first = caught.value.__cause__ or caught.value
    assert type(first) is kind and first.__traceback__ is not None
    assert traceback.extract_tb(first.__traceback__)[-1].name == "scoring"


@pytest.mark.parametrize(
    "score", [{"a": 1.0}, None, "0.5", np.array([0.5]), np.ma.masked, 1j], ids=str
)
def test_a_scoring_returns_a_number(score):
    model = small(scoring=lambda *given: score)
    with pytest.raises(ValueError, match=r"scoring returned .*; expected a number") as caught:
        model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert repr(score) in str(caught.value)


@pytest.mark.parametrize(
    "score", [True, 1, np.float32(0.5), np.int8(3), np.array(0.5), Fraction(1, 2)], ids=repr
)
def test_a_scoring_may_return_any_number(score):
    model = small(scoring=lambda *given: score).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert model.validation_scores_ == [float(score)] * model.n_iter_


@pytest.mark.filterwarnings("ignore:R.2 score is not well-defined")
def test_a_score_that_is_no_number_tells_no_best_epoch():
    model = LSTMRegressor(**SMALL, early_stopping=True)
    with pytest.raises(ValueError, match=r"after epoch 1 is nan.*validation_fraction") as caught:
        model.fit(X[:8], SUMS[:8])
    assert type(caught.value) is ValueError and not hasattr(model, "parameters_")
    model.set_params(early_stopping=False).fit(X, SUMS, X_val=X[:1], y_val=SUMS[:1])
    assert np.isnan(model.validation_scores_).all()


def test_the_lowest_score_is_one():
    scores = iter([-np.inf, -np.inf, -3.0, -np.inf])
    model = small(early_stopping=True, max_iter=2, warm_start=True, n_iter_no_change=2)
    model.set_params(scoring=lambda *given: next(scores)).fit(X, Y)
    assert model.best_iter_ == 1
    assert model.fit(X, Y).best_iter_ == 3


def test_a_new_thing_to_watch_starts_anew():
    """A score far below any negative loss is still the best of its kind."""
    model = small(warm_start=True).fit(X, Y)

    seen = iter(range(100))
    model.set_params(early_stopping=True, scoring=lambda *given: next(seen) - 1e6, max_iter=4)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert model.n_iter_ == model.best_iter_ == 7
    again = small(max_iter=3).fit(X, Y)
    again.set_params(
        warm_start=True, early_stopping=True, n_iter_no_change=1, scoring=lambda *_: -9
    )
    again.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert again.best_iter_ == 4 and again.n_iter_ == 5


@pytest.mark.parametrize(
    "model, fraction, words",
    [
        (
            LSTMClassifier(),
            0.01,
            "0.01, which holds out 1 of 60 .* at least 3, one of each of 3 classes",
        ),
        (LSTMClassifier(), 0.99, "0.99, which holds out 60 of 60 "),
        (
            LSTMRegressor(),
            0.99,
            "0.99, which holds out 60 of 60 sequences; expected at least 1 both",
        ),
    ],
)
def test_a_share_that_is_too_small_or_large(model, fraction, words):
    model.set_params(**SMALL, early_stopping=True, validation_fraction=fraction)
    with pytest.raises(ValueError, match=f"^validation_fraction is {words}"):
        model.fit(X, Y)


def test_nothing_left_to_learn():
    known_at_first = [np.array([0, 1, -1, -1, -1, -1])] * 10
    tagger = LSTMSequenceTagger(**SMALL, max_timesteps=3)
    with pytest.raises(ValueError, match="nothing is left to learn"):
        tagger.fit([np.ones((6, 2))] * 10, known_at_first)
    tagger.set_params(truncate="post").fit([np.ones((6, 2))] * 10, known_at_first)


def test_scores_stand_beside_their_epochs():
    """Epochs without anything to validate with have no score."""
    model = small(max_iter=2, warm_start=True).fit(X, Y)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL).fit(X, Y)
    assert np.isnan(model.validation_scores_).tolist() == [True] * 2 + [False] * 2 + [True] * 2


def test_the_best_vectors_of_symbols_are_restored_too():
    words = [[f"w{int(4 * v)}" for v in x[:, 0]] for x in X]
    model = small(**FAST, early_stopping=True, n_iter_no_change=None).fit(
        words[:30], Y[:30], X_val=words[30:], y_val=Y[30:]
    )
    assert model.best_iter_ < model.n_iter_
    assert model.score(words[30:], Y[30:]) == max(model.validation_scores_)
    shorter = clone(model).set_params(max_iter=model.best_iter_, early_stopping=False)
    assert identical(shorter.fit(words[:30], Y[:30]).parameters_, model.parameters_)


def losses(model, x, y, **further):
    return model.fit(x, y, **further).loss_curve_


def test_what_is_held_out_takes_its_weights_and_states_along():
    """Each sequence in turn is changed, its states, its weight: of those that are held out, nothing
    reaches the loss.
    """
    x, n = X[:12], 12
    tags = [np.where(steps[:, 0] > 0, "up", "down") for steps in x]
    model = LSTMSequenceTagger(
        **SMALL | dict(max_iter=1, shuffle=False), early_stopping=True, validation_fraction=0.4
    )
    states, weights = np.zeros((n, 12)), [np.ones(len(steps)) for steps in x]
    usual = losses(model, x, tags, initial_states=states, sample_weight=weights)
    held_out = []
    for k in range(n):
        other_x = [steps + (i == k) for i, steps in enumerate(x)]
        other_states = states + (np.arange(n) == k)[:, None]
        other_weights = [w * (1 + (i == k)) for i, w in enumerate(weights)]
        same = [
            losses(model, other_x, tags, initial_states=states, sample_weight=weights) == usual,
            losses(model, x, tags, initial_states=other_states, sample_weight=weights) == usual,
            losses(model, x, tags, initial_states=states, sample_weight=other_weights) == usual,
        ]
        assert len(set(same)) == 1
        held_out += [k] * same[0]
    assert len(held_out) == 5
    assert held_out != list(range(7, 12))  # or order would not show


def test_held_out_sequences_keep_their_weights_and_states():
    y = np.array([x.sum() for x in X])
    rng = np.random.default_rng(0)
    weights, params = rng.uniform(0, 1, len(X)), SMALL | dict(max_iter=1, early_stopping=True)
    states = rng.standard_normal((len(X), 2 * SMALL["hidden_layer_sizes"][0]))
    seen = []

    def scoring(estimator, x, y):
        seen.append((x, y))
        return estimator.score(x, y)

    plain = LSTMRegressor(**params, scoring=scoring).fit(X, y)
    model = LSTMRegressor(**params).fit(X, y, initial_states=states, sample_weight=weights)
    (held, y_held), *_ = seen
    index = [next(i for i, x in enumerate(X) if x is h) for h in held]
    assert y_held.tolist() == y[index].tolist()
    predicted = model.predict(held, initial_states=states[index])
    expected = r2_score(y_held, predicted, sample_weight=weights[index])
    assert model.validation_scores_ == pytest.approx([expected], rel=1e-12)
    assert plain.score(held, y_held) == plain.validation_scores_[0] != expected
    by_name = LSTMRegressor(**params, scoring="r2")
    by_name.fit(X, y, initial_states=states, sample_weight=weights)
    assert by_name.validation_scores_ == model.validation_scores_


def test_a_scoring_function_sees_symbols_as_they_came():
    words = [["a"] * k + ["b"] for k in range(1, 21)] * 2
    labels = [str(len(x) % 2) for x in words]

    def scoring(estimator, x, y):
        return np.mean(estimator.predict([list(symbols) for symbols in x]) == np.array(y))

    model = small(max_iter=3, early_stopping=True, scoring=scoring).fit(words, labels)
    usual = small(max_iter=3, early_stopping=True).fit(words, labels)
    assert model.validation_scores_ == usual.validation_scores_


def test_held_out_sequences_without_any_weight():
    weights = np.zeros(len(X))
    weights[1] = 1  # which is not held out
    with pytest.raises(ValueError, match="have the weight 0"):
        small(early_stopping=True).fit(X, Y, sample_weight=weights)


def test_padded_data_to_validate_with_must_be_a_list():
    """There are no lengths for them."""
    data, lengths = padded(X, fill=0.0), [len(x) for x in X]
    with pytest.raises(ValueError, match="X_val as a list of sequences"):
        small().fit(data, Y, lengths=lengths, X_val=data, y_val=Y)


@pytest.mark.parametrize("y", [range(60), np.arange(60.0), deque(range(60))])
def test_targets_of_any_form_can_be_held_out(y):
    params = SMALL | dict(max_iter=1, early_stopping=True, random_state=0)
    expected = LSTMRegressor(**params).fit(X, list(range(60)))
    assert identical(LSTMRegressor(**params).fit(X, y).parameters_, expected.parameters_)


# ---- going on with something else ----------------------------------------------------------------


REGRESSION = dict(SMALL, warm_start=True)


def test_the_best_of_other_targets_does_not_count():
    """Larger targets have larger losses, in all epochs; the parameters are taken all the same."""
    params = dict(early_stopping=True, monitor="train", n_iter_no_change=None)
    model = LSTMRegressor(**REGRESSION, **params).fit(X, SUMS)
    before = model.predict(X)
    model.fit(X, 10 * SUMS + 3)
    assert model.best_iter_ == 6 and not identical(model.predict(X), before)


@pytest.mark.parametrize("change", ["targets", "weights", "loss", "alpha"])
def test_the_patience_with_others_begins_anew(change):
    """The loss rises where another thing is learned, and falls from there: nothing stops."""
    params = dict(n_iter_no_change=2, loss="huber", max_iter=5)
    model = LSTMRegressor(**REGRESSION | params).fit(X, SUMS)
    y, weights = SUMS, None
    if change == "targets":
        y = 10 * SUMS
    elif change == "weights":
        weights = np.where(np.abs(SUMS) > 5, 1.0, 0.01)
    else:
        model.set_params(**{"loss": {"loss": "squared_error"}, "alpha": {"alpha": 10}}[change])
    model.fit(X, y, sample_weight=weights)
    assert min(model.loss_curve_[5:]) > model.loss_curve_[4] and model.n_iter_ == 10


def test_the_best_by_another_score_does_not_count():
    """An accuracy is above any log loss, which is negative."""
    model = small(early_stopping=True, warm_start=True, n_iter_no_change=None)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    model.set_params(scoring="neg_log_loss").fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert model.best_iter_ == 4 + int(np.argmax(model.validation_scores_[3:]))
    assert model.validation_scores_[3:] != model.validation_scores_[:3]


def test_the_best_of_other_validation_data_does_not_count():
    params = dict(early_stopping=True, warm_start=True, n_iter_no_change=None)
    model = small(**params, learning_rate=1e-6).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert model.best_iter_ == 1  # the same all the time
    model.fit(X, Y, X_val=X_VAL[:20], y_val=Y_VAL[:20])
    assert model.best_iter_ == 7


def test_an_index_of_labels_is_only_a_name():
    pd = pytest.importorskip("pandas")
    order = np.random.default_rng(0).permutation(len(X))
    params = dict(early_stopping=True, validation_fraction=0.25, max_iter=3)
    model = small(**params).fit(X, Y)
    other = small(**params).fit(X, pd.Series(Y, index=order))
    assert same_fit(other, model)
    assert other.validation_scores_ == model.validation_scores_


def test_the_copy_of_a_fit_that_diverged_is_of_the_last_epoch_not_the_best(monkeypatch):
    seen, scores, epoch = [], iter([2.0, 1.0, 0.0]), loop._epoch

    def scoring(estimator, X, y):
        seen.append(estimator.parameters_)
        return next(scores)

    def diverging(task, state, *rest):
        if state.epoch == 3:
            raise loop.Diverged.in_epoch(3, "the loss is nan")
        return epoch(task, state, *rest)

    monkeypatch.setattr(loop, "_epoch", diverging)
    with pytest.raises(TrainingDiverged) as caught:
        small(early_stopping=True, max_iter=9, scoring=scoring).fit(X, Y)
    assert identical(caught.value.estimator.parameters_, seen[2])


def test_some_that_are_held_out_may_have_no_weight():
    weights = np.tile([0.0, 1.0], 30)
    model = small(early_stopping=True, validation_fraction=0.25).fit(X, Y, sample_weight=weights)
    assert np.isfinite(model.validation_scores_).all()
