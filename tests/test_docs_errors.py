"""The errors that the documentation quotes are those of the package."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from seqlearn_lstm import (
    LSTMClassifier,
    LSTMEncoder,
    LSTMLanguageModel,
    LSTMRegressor,
    LSTMSequenceTagger,
)
from seqlearn_lstm.cells import RNN
from seqlearn_lstm.display import StateDisplay
from seqlearn_lstm.inspection import saliency, states

ROOT = Path(__file__).parents[1]
RNG = np.random.default_rng(0)
NUMBERS = [RNG.standard_normal((n, 2)) for n in (4, 2, 5)]
LABELS = ["up", "down", "up"]
TAGS = [["a"] * len(x) for x in NUMBERS]
FORMS, CELLS, TRAINING, PICTURES = (
    f"docs/{name}.rst" for name in ("input_forms", "cells", "training", "pictures")
)
CLASSIFIER, REGRESSOR, TAGGER, ENCODER, LANGUAGE = (
    f"docs/estimators/{name}.rst"
    for name in ("classifier", "regressor", "tagger", "encoder", "language_model")
)
SMALL = dict(hidden_layer_sizes=(4,), max_iter=1, n_jobs=1, random_state=0)
classifier, encoder = LSTMClassifier(**SMALL), LSTMEncoder(**SMALL)
regressor, tagger = LSTMRegressor(**SMALL), LSTMSequenceTagger(**SMALL)


def fit(model, X, y=None, **params):
    return clone(model).set_params(**params).fit(X, y)


def mixed_frame():
    return pytest.importorskip("pandas").DataFrame({"a": ["x", "y"], "b": [1, 2]})


def frames_in_two_orders():
    frame = pytest.importorskip("pandas").DataFrame({"a": [0.0], "b": [1.0]})
    return [frame, frame[["b", "a"]]]


def draw_cells_of_a_gru():
    pytest.importorskip("matplotlib")
    StateDisplay.from_estimator(fit(classifier, NUMBERS, LABELS, cell="gru"), NUMBERS[0], kinds="c")


ERRORS = [  # page, what it says, what raises it
    (FORMS, "sequence 1 of X has length 0", lambda: fit(classifier, [[0.5, 1], []], [0, 1])),
    (
        FORMS, "sequence 1 of X has 5 features (2-D), but sequence 0 has 2 features (2-D)",
        lambda: fit(classifier, [np.zeros((3, 2)), np.zeros((3, 5))], [0, 1]),
    ),
    (
        FORMS, "sequence 1 of X has the columns ['b', 'a'], but sequence 0 has ['a', 'b']",
        lambda: fit(classifier, frames_in_two_orders(), [0, 1]),
    ),
    (
        FORMS, "X has 3 features, but LSTMClassifier is expecting 2 features",
        lambda: fit(classifier, NUMBERS, LABELS).predict([np.zeros((3, 3))]),
    ),
    (
        FORMS, "lengths[1] is 5; expected 1 to 4, the number of time steps of X",
        lambda: clone(classifier).fit(np.zeros((3, 4, 2)), LABELS, lengths=[1, 5, 2]),
    ),
    (
        FORMS, "sequence 1 of X holds None (NoneType) at time step 1; expected a symbol",
        lambda: fit(classifier, [["a", "b"], ["a", None]], [0, 1]),
    ),
    (
        FORMS, "sequence 1 of X holds 1.5 (float) at time step 1; expected a symbol",
        lambda: fit(classifier, [["a", "b"], ["a", 1.5]], [0, 1]),
    ),
    (
        FORMS, "X has columns of symbols and columns of numbers. Several columns",
        lambda: fit(classifier, mixed_frame(), [0, 1]),
    ),
    (
        CLASSIFIER, "lengths was given with X that is not a 3-D array",
        lambda: clone(classifier).fit(NUMBERS, LABELS, lengths=[4, 2, 5]),
    ),
    (
        CLASSIFIER, "lengths was given with X of symbols",
        lambda: clone(classifier).fit([["a", "b"], ["b"]], [0, 1], lengths=[2, 1]),
    ),
    (
        CLASSIFIER, "sequence 0 of X has shape (4, 2). Several columns",
        lambda: fit(classifier, NUMBERS, LABELS, embedding_dim=4),
    ),
    (
        CLASSIFIER, "y should be a 1d array, got an array of shape (3, 2) instead",
        lambda: fit(classifier, NUMBERS, [[0, 1], [1, 0], [1, 1]]),
    ),
    (
        CLASSIFIER, "Unknown label type: continuous",
        lambda: fit(classifier, NUMBERS, [0.5, 1.5, 2.5]),
    ),
    (
        CLASSIFIER, "The 'pooling' parameter of LSTMClassifier must be",
        lambda: fit(classifier, NUMBERS, LABELS, pooling="steps"),
    ),
    (
        CLASSIFIER, "the training diverged. A smaller learning_rate",
        lambda: fit(classifier, NUMBERS, LABELS, learning_rate=1e38, max_iter=9, tol=0),
    ),
    (
        REGRESSOR, "The requested array has an inhomogeneous shape",
        lambda: fit(regressor, NUMBERS, [x[:, 0] for x in NUMBERS]),
    ),
    (
        REGRESSOR, "expected a value for each time step",
        lambda: fit(regressor, NUMBERS, [0.5, 1, 2], target="step"),
    ),
    (
        REGRESSOR, "sequence 0 has 4 time steps in X, but 3 values in y",
        lambda: fit(regressor, NUMBERS, [x[:-1, 0] for x in NUMBERS], target="step"),
    ),
    (REGRESSOR, "Input y contains NaN", lambda: fit(regressor, NUMBERS, [0.5, np.nan, 2])),
    (TAGGER, "unexpected keyword argument 'pooling'", lambda: LSTMSequenceTagger(pooling="mean")),
    (
        TAGGER, "sequence 2 has 5 time steps in X, but 4 values in y",
        lambda: fit(tagger, NUMBERS, [*TAGS[:2], TAGS[2][:-1]]),
    ),
    (
        TAGGER, "y has no known label: every step is None, NaN or -1",
        lambda: fit(tagger, NUMBERS, [[None] * len(x) for x in NUMBERS]),
    ),
    (
        TAGGER, "class_weight has -1, which says of a step that its label is not known",
        lambda: fit(
            tagger, NUMBERS, [np.where(x[:, 0] > 0, 1, -1) for x in NUMBERS],
            class_weight={-1: 2, 1: 1},
        ),
    ),
    (
        TAGGER, "lengths add up to 10, but there are 11 rows",
        lambda: clone(tagger).fit(np.concatenate(NUMBERS), np.ones(11), lengths=[4, 2, 4]),
    ),
    (
        TAGGER, "sequence 0 of X holds what is no number",
        lambda: fit(tagger, [[{"word": 1}], [{"word": 2}]], [["a"], ["b"]]),
    ),
    (
        ENCODER, "states is 'c', but a cell of \"gru\" has \"h\" only",
        lambda: fit(encoder, NUMBERS, cell="gru", states="c"),
    ),
    (
        ENCODER, 'pooling is "steps", whose ragged states fit in no data frame',
        lambda: fit(encoder, NUMBERS, pooling="steps")
        .set_output(transform="pandas")
        .transform(NUMBERS),
    ),
    (
        ENCODER, "every sequence of X has 1 step",
        lambda: fit(encoder, [[[1.0]], [[2.0]]]),
    ),
    (
        ENCODER, "['sample_weight'] were given, but there is no estimator",
        lambda: clone(encoder).fit(NUMBERS, sample_weight=[1, 1, 1]),
    ),
    (
        ENCODER, "requires y to be passed, but the target y is None",
        lambda: fit(encoder, NUMBERS, estimator=classifier),
    ),
    (
        LANGUAGE, "Columns of numbers beside symbols are not supported yet; categories in numbers must",
        lambda: LSTMLanguageModel().fit([[0.5, 1.5]]),
    ),
    (
        LANGUAGE, "sequence 1 of X has length 0; expected at least 1 symbol",
        lambda: LSTMLanguageModel().fit(["ab", ""]),
    ),
    (
        LANGUAGE, "temperature is -1; expected a number of at least 0",
        lambda: LSTMLanguageModel(max_iter=1).fit("abc").generate(temperature=-1),
    ),
    (
        CELLS, "cell is 'elman'; expected one of ['gru', 'lstm', 'rnn'] or a cell object",
        lambda: fit(classifier, NUMBERS, LABELS, cell="elman"),
    ),
    (
        CELLS, "The 'activation' parameter of RNN must be a str among",
        lambda: fit(classifier, NUMBERS, LABELS, cell=RNN("sigmoid")),
    ),
    (
        CELLS, "must be a float in the range [0.0, 1.0). Got 1.0 instead",
        lambda: fit(classifier, NUMBERS, LABELS, dropout=1.0),
    ),
    (
        TRAINING, "schedule is 'linear'; expected one of",
        lambda: fit(classifier, NUMBERS, LABELS, schedule="linear"),
    ),
    (
        TRAINING,
        "solver is 'adam', a name; expected an object that has beta_1, such as solver=Adam()",
        lambda: fit(classifier, NUMBERS, LABELS, solver__beta_1=0.8),
    ),
    (
        TRAINING, "X_val and y_val belong together; got only one of them",
        lambda: clone(classifier).fit(NUMBERS, LABELS, X_val=NUMBERS),
    ),
    (
        TRAINING, "partial_fit makes one pass and never stops early",
        lambda: clone(classifier).set_params(early_stopping=True).partial_fit(NUMBERS, LABELS),
    ),
    (
        TRAINING, "average is 20, but max_iter is 10, so that no epoch would be averaged",
        lambda: fit(classifier, NUMBERS, LABELS, average=20, max_iter=10),
    ),
    (
        TRAINING, "a checkpoint belongs to one fit from its start to its end",
        lambda: fit(classifier, NUMBERS, LABELS, checkpoint="file", warm_start=True),
    ),
    (
        TRAINING, "this fit cannot continue: the changed parameters or data need a different network",
        lambda: fit(classifier, NUMBERS, LABELS, warm_start=True)
        .set_params(hidden_layer_sizes=(5,))
        .fit(NUMBERS, LABELS),
    ),
    (
        TRAINING,
        "bptt_steps=10 cannot be combined with bidirectional: the backward direction reads later "
        "steps first",
        lambda: fit(classifier, NUMBERS, LABELS, bptt_steps=10, bidirectional=True),
    ),
    (
        TRAINING, "stateful=True cannot be combined with shuffle: sequences go on in the order of X",
        lambda: fit(classifier, NUMBERS, LABELS, stateful=True),
    ),
    (
        TRAINING, "stateful=True cannot be combined with max_timesteps: steps would be left out",
        lambda: fit(
            classifier, NUMBERS, LABELS, stateful=True, shuffle=False, max_timesteps=3
        ),
    ),
    (
        TRAINING, 'initial_states were given, but initial_state is "learned"',
        lambda: clone(classifier)
        .set_params(initial_state="learned")
        .fit(NUMBERS, LABELS, initial_states=np.zeros((3, 8))),
    ),
    (
        TRAINING, 'record has "gates", but a cell of "rnn" has none',
        lambda: fit(classifier, NUMBERS, LABELS, record=["gates"], cell="rnn"),
    ),
    (
        PICTURES, "x is read as one sequence, [x]",
        lambda: states(fit(classifier, NUMBERS, LABELS), NUMBERS),
    ),
    (
        PICTURES,
        "direction is 'backward'; expected 'forward', for the network is not bidirectional",
        lambda: states(fit(classifier, NUMBERS, LABELS), NUMBERS[0], direction="backward"),
    ),
    (PICTURES, "kinds holds 'c'; expected some of", draw_cells_of_a_gru),
    (
        PICTURES, "step is 3, but LSTMClassifier has one output for the whole sequence",
        lambda: saliency(fit(classifier, NUMBERS, LABELS), NUMBERS[0], step=3),
    ),
    (
        PICTURES, "LSTMEncoder has learned without targets and predicts none",
        lambda: saliency(fit(encoder, NUMBERS), NUMBERS[0]),
    ),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # of the diverging fit
@pytest.mark.parametrize("page, message, provoke", ERRORS, ids=[row[1] for row in ERRORS])
def test_errors_say_what_the_page_says(page, message, provoke):
    if not (ROOT / page).exists():
        pytest.skip("docs/ is not beside these tests")
    text = (ROOT / page).read_text(encoding="utf-8")
    assert f"- {message}" in " ".join(text.split())
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        provoke()
