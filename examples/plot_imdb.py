"""Reviews of films
================

Does the writer like the film? Reviews as sequences of words, and three classifiers beside each
other.

* An LSTM with the settings of well-known examples: the last 100 of a review's words, one direction,
  the final state.
* An LSTM that reads 400 words in both directions, takes the largest state of each unit, and leaves
  out words in training. These settings were chosen on a part of the training reviews.
* TF-IDF with logistic regression, which counts words and pairs of words, takes seconds and is hard
  to beat where single words tell as much as here.

The reviews (A. L. Maas et al. 2011, for research) are read from the folder that the environment
variable SEQLEARN_LSTM_DATA names; the last 5,000 of a fixed order are held out. Without them,
made-up ones do, in which "not" turns the meaning of what follows: there, counting is no use.

Run it with ``python3 examples/plot_imdb.py``: some minutes on two cores. ``--plot FILE`` draws how
sure the second network is (with matplotlib). Where PyTorch is installed, an epoch of the same first
network is timed beside it.
"""

import argparse
import time
from itertools import pairwise

import numpy as np
from _beside_torch import HAS_TORCH, race, training
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from seqlearn_lstm import LSTMClassifier
from seqlearn_lstm.datasets import load_imdb
from seqlearn_lstm.symbols import Vocabulary

FORERUNNER = dict(
    hidden_layer_sizes=(128,),
    embedding_dim=128,
    max_vocabulary=20_000,
    max_timesteps=100,  # the last ones: conclusions stand at the end
    dropout=0.5,
    learning_rate=1e-3,
    batch_size=32,
    max_iter=3,
)
MORE = FORERUNNER | dict(
    hidden_layer_sizes=(64,),
    embedding_dim=64,
    bidirectional=True,
    pooling="max",
    max_timesteps=400,
    embedding_dropout=0.2,
    learning_rate=2e-3,
)

# Accuracies told of elsewhere, not measured here; the split of the reviews is not the same for all.
ELSEWHERE = {
    "(PyTorch's LSTM, the settings above)": 0.804,
    "(Keras' example, 4 epochs)": 0.8146,
}


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Classify film reviews.")
    parser.add_argument("--plot", metavar="FILE", help="picture of the predicted probabilities")
    parser.add_argument("--jobs", type=int, metavar="N", help="threads (default: all cores)")
    args = parser.parse_args(arguments)
    forerunner, more = (settings | dict(n_jobs=args.jobs) for settings in (FORERUNNER, MORE))
    try:
        train, test = (load_imdb(subset=part, return_X_y=True) for part in ("train", "test"))
        expected, others = {"LSTM as elsewhere": 0.80, "LSTM with more": 0.86}, ELSEWHERE
    except FileNotFoundError as error:
        print(f"No reviews ({error}).\nMade-up ones instead.")
        train, test = made_up(3_000, seed=0), made_up(1_000, seed=1)
        expected, others = {"LSTM with more": 0.95}, {}
    accuracies, model = compare(train, test, forerunner, more)
    for name, accuracy in others.items():
        print(f"  {name:<36} {accuracy:.4f}")
    if HAS_TORCH:
        beside_torch(train, forerunner)
    if args.plot:
        draw(args.plot, model.predict_proba(test[0])[:, 1], test[1])
    for name, least in expected.items():
        assert accuracies[name] >= least, f"{name}: expected at least {least}"
    return accuracies


def compare(train, test, forerunner=FORERUNNER, more=MORE):
    """Fit all three and print the accuracies on the test reviews.

    Returns
    -------
    accuracies : dict
        By the name of the model.
    model : LSTMClassifier
        The second network.
    """
    print(f"{len(train[0])} reviews to learn from, {len(test[0])} held out")
    models = {
        "TF-IDF, logistic regression": make_pipeline(
            TfidfVectorizer(analyzer=words_and_pairs, min_df=2, sublinear_tf=True),
            LogisticRegression(C=10, max_iter=1_000),
        ),
        "LSTM as elsewhere": LSTMClassifier(**forerunner, verbose=1, random_state=0),
        "LSTM with more": LSTMClassifier(**more, verbose=1, random_state=0),
    }
    accuracies, seconds = {}, {}
    for name, model in models.items():
        start = time.perf_counter()
        model.fit(*train)
        seconds[name] = (time.perf_counter() - start) / getattr(model, "n_iter_", 1)
        accuracies[name] = model.score(*test)
    for name, accuracy in accuracies.items():
        unit = "s an epoch" if name.startswith("LSTM") else "s"
        print(f"  {name:<36} {accuracy:.4f}  {seconds[name]:.1f} {unit}")
    return accuracies, models["LSTM with more"]


def beside_torch(train, settings=FORERUNNER, n_rounds=3):
    """Print the seconds of an epoch here and in PyTorch."""
    model = LSTMClassifier(**settings | {"max_iter": 1}, random_state=0)
    theirs = torch_epoch(*train, settings)
    return race(lambda: model.fit(*train), theirs, settings.get("n_jobs"), n_rounds)


def torch_epoch(X, y, settings):
    """A function that makes one pass with the same network, as one writes it by hand: the last
    words of each review, padded in front.
    """
    import torch
    from torch import nn

    vocabulary = Vocabulary.learn(X, max_vocabulary=settings["max_vocabulary"])
    codes = torch.zeros((len(X), settings["max_timesteps"]), dtype=torch.long)
    for row, words in zip(codes, X, strict=True):
        known = vocabulary.encode([words[-len(row) :]]).rows[:, 0]
        row[len(row) - len(known) :] = torch.from_numpy(known)
    labels, width = torch.from_numpy(np.asarray(y, np.int64)), settings["embedding_dim"]
    (n_units,) = settings["hidden_layer_sizes"]
    embedding, lstm = (
        nn.Embedding(len(vocabulary), width),
        nn.LSTM(width, n_units, batch_first=True),
    )
    output = nn.Sequential(nn.Dropout(settings["dropout"]), nn.Linear(n_units, 2))
    parts = nn.ModuleList([embedding, lstm, output])

    def loss_of(members):
        scores = output(lstm(embedding(codes[members]))[1][0][-1])
        return nn.functional.cross_entropy(scores, labels[members])

    solver = torch.optim.Adam(parts.parameters(), lr=settings["learning_rate"])
    return training(solver, loss_of, len(codes), settings["batch_size"], clip_norm=1.0)


def words_and_pairs(words):
    return words + [f"{left} {right}" for left, right in pairwise(words)]


def made_up(n, seed):
    """Reviews of one opinion, which a "not" turns if it stands before it: (words, labels)."""
    rng = np.random.default_rng(seed)
    X, y = [], rng.integers(0, 2, n)
    for like, turned in zip(y, rng.integers(0, 2, n), strict=True):
        opinion = ["very", "good" if like != turned else "bad"]
        end = [["not", *opinion], ["the", "end"]] if turned else [opinion, ["not", "the", "end"]]
        words = [f"word{k}" for k in rng.integers(0, 100, rng.integers(3, 20))]
        place = rng.integers(len(words) + 1)
        X.append(words[:place] + end[0] + words[place:] + end[1])
    return X, y


def draw(file, probabilities, target):
    """How sure the network is of the reviews that are positive and of those that are not."""
    from matplotlib.figure import Figure  # drawn into a file: needs no display

    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    for label, name in enumerate(("negative", "positive")):
        axes.hist(probabilities[target == label], np.linspace(0, 1, 41), alpha=0.6, label=name)
    axes.set(xlabel="predicted probability of a positive review", ylabel="held-out reviews")
    axes.legend()
    figure.savefig(file)


if __name__ == "__main__":
    main()
