"""The next letter of Huckleberry Finn
===================================

One network reads the novel and says the next letter; others stand beside it, and one of them reads
another's mind.

The novel is written with 34 symbols; a network of 200 cells reads it in windows of 50, as did one
that was written with Theano in 2015. Each part of the story is a function:

* ``letters``: 200 cells, on the text they learned from and on the last 5 %, which they did not see;
  where PyTorch is installed, an epoch of its LSTM is timed beside ours;
* ``n-grams``: what a table of the last five or six letters says. With six it says *more* letters
  right than the network, which in turn says of each how probable it is;
* ``solvers``: RMSprop with a scale for each weight, and with one for all;
* ``stack``: two layers;
* ``model-1``: one network predicts how the cells of another change, and a third reads its states;
* ``kill``: a fit is killed and goes on, to the same bits at the end;
* ``caesar``: each letter is to be replaced by the next one of the alphabet.

Run it with ``python3 examples/plot_next_letter.py``, or name some parts behind it; ``--plot FILE``
draws the curves, and the gates of the first network (with matplotlib). The novel is read from the
folder that the environment variable SEQLEARN_LSTM_DATA names. Without it, sentences of a small
grammar do.
"""

import argparse
from itertools import pairwise

import numpy as np
from _beside_torch import HAS_TORCH, race
from _interrupted import kill_and_go_on
from _text import NGram, n_parameters, split, text_of
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from seqlearn_lstm import LSTMEncoder, LSTMLanguageModel, LSTMSequenceTagger
from seqlearn_lstm.datasets import load_huckleberry_finn, make_text
from seqlearn_lstm.solvers import RMSprop

SYMBOLS = "abcdefghijklmnopqrstuvwxyz .,:;!?'"
# What the forerunner reported: shares of letters right, of the text that it learned from.
REPORTED = {"letters": 0.542, "stack": 0.497}

NOVEL = dict(
    letters=dict(
        hidden_layer_sizes=(200,), bptt_steps=50, batch_size=64, dropout=0.1, max_iter=12,
        learning_rate=4e-3, schedule="cosine", n_iter_no_change=None,
    ),
    solvers=dict(max_iter=3, dropout=0.0, schedule="constant"),
    stack=dict(hidden_layer_sizes=(500, 400), batch_size=32, max_iter=2, learning_rate=2e-3),
    prefix=100_000,
    model_1=dict(max_iter=10, dropout=0.0, schedule="constant", batch_size=32),
)  # fmt: skip
MADE_UP = NOVEL | dict(
    letters=NOVEL["letters"]
    | dict(hidden_layer_sizes=(64,), learning_rate=1e-2, batch_size=32, max_iter=8),
    solvers=dict(max_iter=2),
    stack=dict(hidden_layer_sizes=(48, 32), max_iter=3),
    prefix=30_000,
    model_1=dict(max_iter=6, dropout=0.0, schedule="constant"),
)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="The next letter.")
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--jobs", type=int, help="threads (default: all)")
    parser.add_argument("--plot", metavar="FILE", help="picture of curves and gates")
    args = parser.parse_args(arguments)
    if unknown := set(args.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(unknown)}; expected some of {', '.join(PARTS)}")
    text, is_made_up = text_of(load_huckleberry_finn, lambda: make_text(3_000, random_state=0))
    story = Story(text, MADE_UP if is_made_up else NOVEL, is_made_up, args.jobs)
    for part in args.parts or PARTS:
        print(f"--- {part}")
        PARTS[part](story)
    if args.plot and "letters" in story.models:
        draw(args.plot, story)
    return story.found


class Story:
    """The text, the settings, and what the parts have found."""

    def __init__(self, text, settings, is_made_up, n_jobs=None):
        self.train, self.valid = split(text.data)
        self.settings, self.is_made_up, self.n_jobs = settings, is_made_up, n_jobs
        self.floor = getattr(text, "score", None)
        self.found, self.models = {}, {}

    def model(self, **others):
        """The network of the first part, with other settings."""
        settings = dict(verbose=1) | self.settings["letters"] | others
        return LSTMLanguageModel(**settings, n_jobs=self.n_jobs, random_state=0)


# ---- the parts -------------------------------------------------------------------------------------


def letters(story):
    """200 cells, on the text they learned from and on what they did not read."""
    model = story.model().fit(story.train, X_val=story.valid)
    story.models["letters"] = model
    known, new = model.accuracy(story.train), model.accuracy(story.valid)
    nats = -model.score(story.valid)
    print(
        f"{n_parameters(model)} parameters; {known:.1%} of the letters right that it learned from"
    )
    print(f"held out: {new:.1%} right, {nats:.4f} nats a letter")
    print(f"it writes: {model.generate('the ', 100, temperature=0.7, random_state=0)!r}")
    story.found["letters"] = dict(known=known, new=new, nats=nats)
    if story.is_made_up:
        print(f"(who knows the grammar has {-story.floor:.4f} nats)")
        assert nats <= 0.05 - story.floor
    else:
        print(f"(the forerunner: {REPORTED['letters']:.1%} of those that it learned from)")
        assert known > REPORTED["letters"] and new > 0.587 and nats <= 1.41
        if HAS_TORCH:
            beside_torch(story)


def beside_torch(story, n_rounds=1):
    """Print the seconds of an epoch of the first network here and in PyTorch."""
    from _char_rnn_torch import TorchModel

    model = story.model(max_iter=1, schedule="constant", verbose=0)
    theirs = TorchModel(story.train, story.settings["letters"])
    return race(
        lambda: model.partial_fit(story.train),
        lambda: theirs.partial_fit(story.train),
        story.n_jobs,
        n_rounds,
    )


def n_grams(story):
    """What tables of the last letters say: the honest baseline."""
    commonest = max(set(story.train), key=story.train.count)
    tables = {
        f"always {commonest!r}": NGram(0),
        "the last 5": NGram(5, back_off=False),
        "the last 6, or as many as are known": NGram(6),
    }
    for name, table in tables.items():
        table.fit(story.train)
        found = table.accuracy(story.train), table.accuracy(story.valid)
        print(f"{name}: {found[1]:.1%} right held out ({found[0]:.1%} of what was counted)")
        story.found[name] = found[1]


def solvers(story):
    """RMSprop with a scale for each weight, and with one for all, as the forerunner had it."""
    kinds = {
        "a scale for each weight": dict(solver=RMSprop(rho=0.95), learning_rate=5e-3),
        "one scale for all": dict(solver=RMSprop(rho=0.95, global_scale=True), learning_rate=1.0),
    }
    for name, how in kinds.items():
        model = story.model(**story.settings["solvers"] | how)
        story.models[name] = model.fit(story.train, X_val=story.valid)
        story.found[name] = -model.validation_scores_[-1]
    print(*(f"{name}: {story.found[name]:.4f} nats held out" for name in kinds), sep="\n")


def stack(story):
    """Two layers."""
    model = story.model(**story.settings["stack"]).fit(story.train)
    known, new = model.accuracy(story.train[: len(story.valid)]), model.accuracy(story.valid)
    sizes = " and ".join(map(str, model.hidden_layer_sizes))
    print(
        f"{sizes} cells, {model.n_iter_} epochs: {known:.1%} right of the first letters that they"
    )
    print(f"learned from, {new:.1%} held out")
    story.found["stack"] = dict(known=known, new=new)
    if not story.is_made_up:
        print(
            f"(the forerunner, after days: {REPORTED['stack']:.1%} of those that it learned from)"
        )
        assert known > REPORTED["stack"]


def model_1(story):
    """Does a network learn faster that sees what another network is about to think?"""
    text, how = story.train[: story.settings["prefix"]], story.settings["model_1"]
    how = story.settings["letters"] | how | dict(n_jobs=story.n_jobs, random_state=0)
    texts, y = pieces(text, how["batch_size"])
    X = as_rows(texts)
    first = LSTMSequenceTagger(**how).fit(X, y)
    mind = make_pipeline(
        LSTMEncoder(estimator=FrozenEstimator(first), states="c", difference=True, pooling="steps"),
        LSTMEncoder(pooling="steps", **how | dict(hidden_layer_sizes=(100,), max_iter=5)),
    )
    third = make_pipeline(SideBySide([FunctionTransformer(), mind]), LSTMSequenceTagger(**how))
    third.fit(X, y)
    vectors = LSTMSequenceTagger(**how, embedding_dim=34).fit(texts, y)

    texts, y = pieces(story.valid, 1)
    X = as_rows(texts)
    story.models |= {
        "alone": first,
        "with the other's mind": third[-1],
        "letters as vectors": vectors,
    }
    scores = [first.score(X, y), third.score(X, y), vectors.score(texts, y)]
    story.found["model-1"] = is_faster(first, third[-1], vectors, scores)


def is_faster(first, third, vectors, scores, share=0.7):
    """Print how the three compare; returns after how many epochs the second is as low as the first
    at its end, or None, and the scores.
    """
    goal, n = first.loss_curve_[-1], first.n_iter_
    epochs = next((k for k, loss in enumerate(third.loss_curve_, 1) if loss <= goal), None)
    verdict = "yes" if epochs and epochs <= share * n else "no"
    print(f"alone: loss {goal:.4f} after {n} epochs, held out {scores[0]:.1%} right")
    print(f"with the other's mind: {third.loss_curve_[-1]:.4f}, {scores[1]:.1%}")
    print(
        f"as low as alone in {share:.0%} of its updates? {verdict}: after {epochs} of {n} epochs;"
    )
    print("but the other, and who predicts its changes, had to learn before")
    print(f"alone, letters as learned vectors: {vectors.loss_curve_[-1]:.4f}, {scores[2]:.1%}")
    return dict(zip(["alone", "with", "vectors"], scores, strict=True)) | dict(epochs=epochs)


def kill(story):
    """A fit that is killed in the middle of its third epoch goes on, to the same bits."""
    kill_and_go_on(story.train[:20_000])
    story.found["kill"] = True


def caesar(story, n=200):
    """The Caesar cipher: a small network is right in all letters of new words."""
    rng = np.random.default_rng(0)
    alphabet = np.array(list(SYMBOLS[:26]))
    X = [rng.integers(26, size=size) for size in rng.integers(1, 20, 2 * n)]
    y = [alphabet[(x + 1) % 26] for x in X]
    X = ["".join(alphabet[x]) for x in X]
    model = LSTMSequenceTagger(
        (16,), embedding_dim=8, learning_rate=0.03, max_iter=30, n_jobs=1, random_state=0
    )
    score = model.fit(X[:n], y[:n]).score(X[n:], y[n:])
    (coded,) = model.predict(["veni"])
    print(f"{score:.0%} right; veni becomes {''.join(coded)}")
    story.found["caesar"] = score
    assert score == 1


PARTS = {
    "letters": letters,
    "n-grams": n_grams,
    "solvers": solvers,
    "stack": stack,
    "model-1": model_1,
    "kill": kill,
    "caesar": caesar,
}


# ---- what they are made of -------------------------------------------------------------------------


def pieces(text, n):
    """A text as n texts, and the letters that follow each of theirs."""
    ends = np.linspace(0, len(text) - 1, n + 1).astype(int)
    cuts = list(pairwise(ends))
    return [text[a:b] for a, b in cuts], [list(text[a + 1 : b + 1]) for a, b in cuts]


def as_rows(texts):
    """Texts as numbers: for each letter a row with a single 1."""
    one = dict(zip(SYMBOLS, np.eye(34, dtype=np.float32), strict=True))
    return [np.array([one[letter] for letter in text]) for text in texts]


class SideBySide(TransformerMixin, BaseEstimator):
    """What several transformers make of sequences, beside each other at each step."""

    def __init__(self, parts):
        self.parts = parts

    def fit(self, X, y=None):
        self.parts_ = [clone(part).fit(X, y) for part in self.parts]
        return self

    def transform(self, X):
        found = [part.transform(X) for part in self.parts_]
        return [np.hstack(rows) for rows in zip(*found, strict=True)]


def draw(file, story):
    """The losses of all parts over each other; and the gates of the first network."""
    from matplotlib.figure import Figure  # drawn into a file: needs no display

    from seqlearn_lstm.display import StateDisplay, TrainingCurveDisplay

    figure = Figure(figsize=(9, 12), layout="constrained")
    curves, *gates = figure.subplots(5, height_ratios=[3, 1, 1, 1, 1])
    models = story.models
    TrainingCurveDisplay.from_estimators(list(models.values()), names=list(models), ax=curves)
    StateDisplay.from_estimator(
        models["letters"], story.valid[:40], units=slice(16), kinds=["c", "i", "f", "o"], ax=gates
    )  # fmt: skip
    figure.savefig(file)


if __name__ == "__main__":
    main()
