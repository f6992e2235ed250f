"""Visits to a shop
================

Will this visit to a web shop end with a purchase? Said before the visitor is asked to pay.

A session is a list of events such as "search" or "add_to_cart", cut before the first page of
payment: what comes then would give the answer away. An LSTM reads the events in their order; a
logistic regression gets how often each occurs, and no order. Both are judged by the area under the
ROC curve (.5: by chance; 1: without error) in five parts of the data, each held out once.

The click stream is synthetic, as its makers say, and it shows: in many sessions somebody buys
before any page of payment. There is little order in it to learn; expect the network to be ahead of
the counts by less than the parts differ from one another, or not at all. Its settings, the best of
four, were chosen on these very parts, which flatters it a little.

The sessions are read from the folder that the environment variable SEQLEARN_LSTM_DATA names.
Without them, a simpler invention takes their place, in which order alone decides.

Run it with ``python3 examples/plot_shop_sessions.py``; ``--plot FILE`` draws the ROC curves (with
matplotlib).
"""

import argparse
import time

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from seqlearn_lstm import LSTMClassifier
from seqlearn_lstm.datasets import load_shop_sessions

PAYMENT = {"payment_details", "payment_error", "purchase"}


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Predict purchases in a web shop.")
    parser.add_argument("--plot", metavar="FILE", help="picture of the ROC curves")
    file = parser.parse_args(arguments).plot
    try:
        X, y = before_payment(load_shop_sessions().data)
    except FileNotFoundError as error:
        print(f"No sessions ({error}).\nMade-up ones instead, in which order decides.")
        X, y = made_up(1_000, seed=0)
    print(f"{len(X)} sessions before payment, {y.mean():.1%} with a purchase; held-out ROC AUC:")
    probabilities, areas = compare(X, y)
    if file:
        draw(file, y, probabilities)
    return areas


def compare(X, y, max_iter=15):
    """Print the ROC AUC of the models: mean and standard deviation over the held-out parts.

    Returns
    -------
    probabilities, areas : dict
        By the name of the model: of a purchase in each session, by a model that did not see it; and
        the mean of the parts' areas.
    """
    models = {
        # sklearn's vectorizer takes text; the analyzer says that these are words already.
        "counts of events, logistic regression": make_pipeline(
            CountVectorizer(analyzer=list), LogisticRegression(max_iter=1_000)
        ),
        "LSTM": LSTMClassifier(
            (32,),
            embedding_dim=16,
            pooling="mean",
            learning_rate=3e-3,
            max_iter=max_iter,
            n_jobs=1,  # threads are for larger batches; the result is the same
            random_state=0,
        ),
    }
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    probabilities, areas = {}, {}
    for name, model in models.items():
        start = time.perf_counter()
        p = cross_val_predict(model, X, y, cv=folds, method="predict_proba")[:, 1]
        seconds = time.perf_counter() - start
        parts = [roc_auc_score(y[part], p[part]) for _, part in folds.split(X, y)]
        print(f"  {name:<38} {np.mean(parts):.3f} +- {np.std(parts):.3f} ({seconds:.0f} s)")
        probabilities[name], areas[name] = p, np.mean(parts)
    return probabilities, areas


def before_payment(sessions):
    """The events before any payment, and whether there is a purchase in the whole session.

    Sessions that begin with a payment are left out: there is nothing to predict from.
    """
    cut = [first(session, PAYMENT) for session in sessions]
    X = [session[:end] for session, end in zip(sessions, cut, strict=True) if end]
    y = ["purchase" in session for session, end in zip(sessions, cut, strict=True) if end]
    return X, np.array(y)


def first(session, events):
    """Where the first of some events stands; the length of the session if none does."""
    return next((i for i, event in enumerate(session) if event in events), len(session))


def made_up(n, seed):
    """Sessions whose visitors buy if they compare before they fill their cart."""
    rng = np.random.default_rng(seed)
    X = [[*rng.choice(["search", "catalog", "home"], length)] for length in rng.integers(2, 15, n)]
    buys = rng.random(n) < 0.5
    for session, buy in zip(X, buys, strict=True):
        early, late = np.sort(rng.integers(0, len(session) + 1, 2))
        pair = ("compare", "add_to_cart") if buy else ("add_to_cart", "compare")
        session.insert(late, pair[1])  # the later one first: it moves nothing before it
        session.insert(early, pair[0])
    return X, buys


def draw(file, y, probabilities):
    """The ROC curves of all folds together."""
    from matplotlib.figure import Figure  # drawn into a file: needs no display

    figure = Figure(figsize=(5, 5))
    axes = figure.subplots()
    for name, p in probabilities.items():
        axes.plot(*roc_curve(y, p)[:2], label=name)
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.5)
    axes.set(xlabel="share of visits without purchase", ylabel="share of purchases found")
    axes.legend(loc="lower right")
    figure.savefig(file)


if __name__ == "__main__":
    main()
