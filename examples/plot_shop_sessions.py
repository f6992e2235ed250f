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

Run it with ``python3 examples/plot_shop_sessions.py``; ``--plot FILE`` draws the ROC curves, and how
probable a purchase is after each event of some held-out sessions, as a stream says it (with
matplotlib). Where PyTorch is installed, an epoch of its LSTM is timed beside ours.
"""

import argparse
import time

import numpy as np
from _beside_torch import HAS_TORCH, race, training
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from seqlearn_lstm import LSTMClassifier
from seqlearn_lstm.datasets import load_shop_sessions
from seqlearn_lstm.symbols import Vocabulary

NETWORK = LSTMClassifier(
    (32,),
    embedding_dim=16,
    pooling="mean",
    learning_rate=3e-3,
    random_state=0,
)
N_EPOCHS = 15
N_JOBS = 1  # threads are for larger batches; the result is the same
FOLDS = dict(n_splits=5, shuffle=True, random_state=0)
PAYMENT = {"payment_details", "payment_error", "purchase"}


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Predict purchases in a web shop.")
    parser.add_argument("--plot", metavar="FILE", help="picture of the ROC curves")
    parser.add_argument(
        "--jobs", type=int, metavar="N", default=N_JOBS, help="threads (default: 1)"
    )
    args = parser.parse_args(arguments)
    try:
        X, y = before_payment(load_shop_sessions().data)
    except FileNotFoundError as error:
        print(f"No sessions ({error}).\nMade-up ones instead, in which order decides.")
        X, y = made_up(1_000, seed=0)
    print(f"{len(X)} sessions before payment, {y.mean():.1%} with a purchase; held-out ROC AUC:")
    probabilities, areas = compare(X, y, n_jobs=args.jobs)
    if HAS_TORCH:
        beside_torch(X, y, args.jobs)
    if args.plot:
        draw(args.plot, y, probabilities, *event_by_event(X, y, n_jobs=args.jobs))
    return areas


def compare(X, y, max_iter=N_EPOCHS, n_jobs=N_JOBS):
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
        "LSTM": clone(NETWORK).set_params(max_iter=max_iter, n_jobs=n_jobs),
    }
    folds = StratifiedKFold(**FOLDS)
    probabilities, areas = {}, {}
    for name, model in models.items():
        start = time.perf_counter()
        p = cross_val_predict(model, X, y, cv=folds, method="predict_proba")[:, 1]
        seconds = time.perf_counter() - start
        parts = [roc_auc_score(y[part], p[part]) for _, part in folds.split(X, y)]
        print(f"  {name:<38} {np.mean(parts):.3f} +- {np.std(parts):.3f} ({seconds:.0f} s)")
        probabilities[name], areas[name] = p, np.mean(parts)
    return probabilities, areas


def event_by_event(X, y, max_iter=N_EPOCHS, n=6, n_jobs=N_JOBS):
    """How probable a purchase is after each event, for the longest sessions of a held-out part: half of
    them end with one.

    Returns
    -------
    curves : list of ndarray of shape (n_events,)
    ends : list of bool
        Whether there is a purchase.
    """
    known, new = next(StratifiedKFold(**FOLDS).split(X, y))
    model = clone(NETWORK).set_params(max_iter=max_iter, n_jobs=n_jobs)
    model.fit([X[i] for i in known], y[known])
    longest = sorted(new, key=lambda i: -len(X[i]))
    members = [i for end in (False, True) for i in [i for i in longest if y[i] == end][: n // 2]]
    curves = [as_they_come(model, X[i]) for i in members]
    whole = model.predict_proba([X[i] for i in members])[:, 1]
    assert np.array_equal(whole, [curve[-1] for curve in curves])
    return curves, [bool(y[i]) for i in members]


def as_they_come(model, events):
    """The probability of a purchase after each event, from a stream."""
    stream, probabilities = model.stream(), []
    for event in events:
        stream.push(event)
        probabilities.append(stream.predict_proba()[1])
    return np.array(probabilities)


def beside_torch(X, y, n_jobs=N_JOBS, n_rounds=3):
    """Print the seconds of an epoch here and in PyTorch, whose sequences are packed."""
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

    vocabulary = Vocabulary.learn(X)
    codes = [torch.from_numpy(vocabulary.encode([session]).rows[:, 0]) for session in X]
    settings = NETWORK.get_params()
    width, (n_units,) = settings["embedding_dim"], settings["hidden_layer_sizes"]
    labels, embedding = torch.from_numpy(np.int64(y)), nn.Embedding(len(vocabulary), width)
    lstm, output = nn.LSTM(width, n_units), nn.Linear(n_units, 2)

    def loss_of(members):
        events = pack_sequence([codes[i] for i in members], enforce_sorted=False)
        read = lstm(events._replace(data=embedding(events.data)))[0]
        states, lengths = pad_packed_sequence(read)  # zeros behind the ends
        scores = output(states.sum(0) / lengths[:, None])
        return nn.functional.cross_entropy(scores, labels[members])

    parts = nn.ModuleList([embedding, lstm, output])
    solver = torch.optim.Adam(parts.parameters(), lr=settings["learning_rate"])
    theirs = training(solver, loss_of, len(X), settings["batch_size"], clip_norm=1.0)
    model = clone(NETWORK).set_params(max_iter=1, n_jobs=n_jobs)
    return race(lambda: model.fit(X, y), theirs, n_jobs, n_rounds)


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


def draw(file, y, probabilities, curves, ends):
    """The ROC curves of all folds together; and the probability of a purchase, event by event."""
    from matplotlib.figure import Figure  # drawn into a file: needs no display

    figure = Figure(figsize=(10, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, p in probabilities.items():
        left.plot(*roc_curve(y, p)[:2], label=name)
    left.plot([0, 1], [0, 1], color="black", linewidth=0.5)
    left.set(xlabel="share of visits without purchase", ylabel="share of purchases found")
    left.legend(loc="lower right")
    for curve, end in zip(curves, ends, strict=True):
        right.plot(range(1, len(curve) + 1), curve, ".-", color=("C0", "C1")[end])
    right.set(
        xlabel="events so far", ylabel="probability of a purchase", ylim=(0, 1),
        title="Held-out sessions: orange ones end with a purchase",
    )  # fmt: skip
    figure.savefig(file)


if __name__ == "__main__":
    main()
