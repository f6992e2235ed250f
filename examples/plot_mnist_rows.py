"""Handwritten digits, row by row
==============================

After a benchmark of DLL, a C++ library.

An image of MNIST is a sequence of its 28 rows of 28 pixels; 100 LSTM cells read it from the top, and
a softmax on the last state names the digit. As there: Adam at 0.001, batches of 100, at most 50
epochs. DLL took the weights of the best epoch on the *training* images and got 2.44 % of the test
images wrong; here 5,000 of the training images are held out to choose the epoch by, and the test
images are looked at once, at the end. (DLL's cell also squashes the cell state at each step, and its
Adam has no bias correction: its figure is what is compared, not its equations.)

A second run goes back only 20 of the 28 steps with each gradient (``bptt_steps=20``).

The images (four files, see ``datasets.load_mnist``) are read from the folder that the environment
variable SEQLEARN_LSTM_DATA names. Without them, the 8 x 8 digits that scikit-learn brings along do, a
much smaller task: 1,797 images in all.

Run it with ``python3 examples/plot_mnist_rows.py``: some minutes on two cores. ``--plot FILE`` draws
how learning went and which digits are taken for which (with matplotlib); ``--epochs N`` is for those in
a hurry. Where PyTorch is installed, an epoch of its LSTM is timed beside ours.
"""

import argparse
import time

import numpy as np
from _beside_torch import HAS_TORCH, race, training
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split

from seqlearn_lstm import LSTMClassifier
from seqlearn_lstm.datasets import load_mnist

SETTINGS = dict(
    hidden_layer_sizes=(100,),
    learning_rate=1e-3,
    batch_size=100,
    max_iter=50,
    early_stopping=True,
    validation_fraction=1 / 12,  # 5,000 images
    n_iter_no_change=None,  # all epochs are run, and the best one is taken
    random_state=0,
)
SMALL = SETTINGS | dict(batch_size=20, learning_rate=3e-3)
TRUNCATED = dict(bptt_steps=20)
ELSEWHERE = (
    "DLL: 2.44 % wrong, 20.8 s an epoch at its fastest, 1 s to test; both told, not measured"
)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Classify digits, row by row.")
    parser.add_argument("--plot", metavar="FILE", help="picture of the curves and the confusions")
    parser.add_argument("--epochs", type=int, default=50, help="at most (default: 50)")
    parser.add_argument("--jobs", type=int, metavar="N", help="threads (default: all cores)")
    args = parser.parse_args(arguments)
    changes = dict(max_iter=args.epochs, n_jobs=args.jobs)
    try:
        train, test = (load_mnist(subset=part, return_X_y=True) for part in ("train", "test"))
        train, test = ((X / np.float32(255), y) for X, y in (train, test))
        settings, most = SETTINGS, 0.016
    except FileNotFoundError as error:
        print(f"No MNIST ({error}).\nThe small digits of scikit-learn instead: an easier task.")
        train, test = small_digits()
        settings, most = SMALL, 0.05
    model, error = learn(train, test, settings | changes)
    print(f"({ELSEWHERE})")
    print(f"\ntruncated: {TRUNCATED}")
    learn(train, test, settings | TRUNCATED | changes)
    if HAS_TORCH:
        beside_torch(train, settings | changes)
    if args.plot:
        draw(args.plot, model, confusion_matrix(test[1], model.predict(test[0])))
    assert args.epochs < 50 or error <= most
    return error


def small_digits():
    """scikit-learn's digits, split in two: (X, y) to train with and to test."""
    digits = load_digits()
    X = (digits.images / 16).astype(np.float32)
    X, X_test, y, y_test = train_test_split(X, digits.target, test_size=500, random_state=0)
    return (X, y), (X_test, y_test)


def learn(train, test, settings):
    """Fit, and print the network, the seconds and the share of test images that is wrong.

    Returns
    -------
    model : LSTMClassifier
    error : float
    """
    (X, y), (X_test, y_test) = train, test
    model = LSTMClassifier(**settings, verbose=1)
    start = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - start
    describe(model)
    start = time.perf_counter()
    error = 1 - model.score(X_test, y_test)
    evaluation = time.perf_counter() - start
    print(
        f"{len(y)} images to learn from, of which {settings['validation_fraction']:.1%} choose the "
        f"epoch: {model.best_iter_} of {model.n_iter_}; {seconds / model.n_iter_:.2f} s an epoch, "
        "validation and, in the first, compiling included"
    )
    print(f"{len(y_test)} test images: {error:.2%} wrong, in {evaluation:.2f} s", flush=True)
    return model, error


def describe(model):
    """Print the parameters of the layers and return their number."""
    layers = {}
    for name, values in model.parameters_.items():
        layer, _, part = name.rpartition(".")
        layers.setdefault(layer, []).append((part, values))
    for layer, parts in layers.items():
        shapes = ", ".join(f"{part} {' x '.join(map(str, v.shape))}" for part, v in parts)
        print(f"  {layer:<18} {shapes:<36} {sum(v.size for _, v in parts):>8,}")
    total = sum(values.size for values in model.parameters_.values())
    print(f"  {'parameters':<55} {total:>8,}")
    return total


def beside_torch(train, settings, n_rounds=3):
    """Print the seconds of an epoch here and in PyTorch."""
    import torch

    X, y = train
    batch_size, rate, n_units = (
        settings[name] for name in ("batch_size", "learning_rate", "hidden_layer_sizes")
    )
    lstm = torch.nn.LSTM(X.shape[2], *n_units, batch_first=True)
    output = torch.nn.Linear(*n_units, 10)
    X_torch, y_torch = torch.from_numpy(X), torch.from_numpy(y)

    def loss_of(members):
        scores = output(lstm(X_torch[members])[1][0][-1])
        return torch.nn.functional.cross_entropy(scores, y_torch[members])

    solver = torch.optim.Adam([*lstm.parameters(), *output.parameters()], lr=rate)
    fresh = settings | dict(early_stopping=False, warm_start=True, max_iter=1)
    model = LSTMClassifier(**fresh)
    theirs = training(solver, loss_of, len(X), batch_size)
    return race(lambda: model.fit(X, y), theirs, settings["n_jobs"], n_rounds)


def draw(file, model, confusions):
    """How learning went, and which digits are taken for which."""
    from matplotlib.figure import Figure  # drawn into a file: needs no display

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = range(1, model.n_iter_ + 1)
    left.semilogy(epochs, model.loss_curve_, label="training loss")
    wrong = 1 - np.array(model.validation_scores_)
    left.semilogy(epochs, wrong, label="wrong in validation")
    left.axvline(model.best_iter_, color="black", linewidth=0.5, label="taken")
    left.set(xlabel="epoch")
    left.legend()
    np.fill_diagonal(confusions, 0)  # all the others are too few to be seen beside it
    right.imshow(confusions, cmap="Blues", vmax=1.5 * confusions.max() + 1)
    for (row, column), count in np.ndenumerate(confusions):
        right.text(column, row, count or "", ha="center", va="center", fontsize=8)
    digits = range(len(confusions))
    right.set(
        xlabel="taken for", ylabel="is", xticks=digits, yticks=digits, title="Wrong test images"
    )
    figure.savefig(file)


if __name__ == "__main__":
    main()
