"""Adding two marked numbers
=========================

The test that LSTM networks were made for: two marked numbers that stand far apart are added.

A sequence has 50 to 54 steps of two features: a random number in [0, 1], and a mark, which is 1 at
one step of the first half and at one of the second, elsewhere 0. The target is the sum of the two
marked numbers. Whoever forgets what he read some forty steps ago cannot do better than always say
1, with a mean squared error of 1/6. After S. Hochreiter and J. Schmidhuber (1997), "Long Short-Term
Memory", Neural Computation 9(8); the lengths and sizes are those of Lasagne's recurrent example.

No sequence is ever seen twice: one epoch over as many sequences as there are. Run it with ``python3
examples/plot_addition.py``; ``--plot FILE`` draws what it predicts (with matplotlib), ``--small``
takes short sequences. Where PyTorch is installed, an epoch of its LSTM is timed beside ours.
"""

import argparse
import time

import numpy as np
from _beside_torch import HAS_TORCH, race, training

from seqlearn_lstm import LSTMRegressor

ELSEWHERE = {100_000: 0.016, 300_000: 0.0005}  # told of PyTorch with these settings, not measured


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Learn to add two marked numbers.")
    parser.add_argument("--plot", metavar="FILE", help="picture of the last model's predictions")
    parser.add_argument("--small", action="store_true", help="short sequences, some seconds")
    parser.add_argument("--jobs", type=int, metavar="N", help="threads (default: all cores)")
    args = parser.parse_args(arguments)
    run = small if args.small else whole
    predicted, expected = run(args.jobs)
    if args.plot:
        draw(args.plot, predicted, expected)


def whole(n_jobs=None):
    """The task as it is told of."""
    errors, predicted, expected = compare(list(ELSEWHERE), n_jobs=n_jobs)
    for size, error in ELSEWHERE.items():
        print(f"(PyTorch, the same settings, after {size} sequences: {error})")
    if HAS_TORCH:
        print("10,000 sequences:", end=" ")
        beside_torch(*marked_numbers(10_000, 50, 54, seed=0), n_jobs=n_jobs)
    assert errors[100_000] <= 0.02 and errors[300_000] <= 0.001
    return predicted, expected


def small(n_jobs=None):
    """Sequences of 10 to 12 steps, and a smaller network."""
    errors, predicted, expected = compare(
        [60_000], units=50, lengths=(10, 12), n_test=1_000, n_jobs=n_jobs
    )
    assert errors[60_000] <= 0.01
    return predicted, expected


def compare(sizes, units=100, lengths=(50, 54), n_test=10_000, n_jobs=None):
    """Learn from so many sequences each, and print the errors on new ones.

    Returns
    -------
    errors : dict
        The mean squared error for each of the `sizes`.
    predicted, expected : ndarray of shape (n_test,)
        Of the last model.
    """
    X_new, y_new, lengths_new = marked_numbers(n_test, *lengths, seed=1)
    baseline = np.mean((y_new - 1) ** 2)
    print(f"mean squared error on {n_test} new sequences, always saying 1: {baseline:.4f}")
    errors = {}
    for size in sizes:
        X, y, real = marked_numbers(size, *lengths, seed=0)
        model = network(units, n_jobs)
        start = time.perf_counter()
        model.fit(X, y, lengths=real)
        seconds = time.perf_counter() - start
        predicted = model.predict(X_new, lengths=lengths_new)
        errors[size] = np.mean((predicted - y_new) ** 2)
        print(f"... after {size} sequences ({seconds:.0f} s): {errors[size]:.5f}", flush=True)
    check_forms(model, X_new, lengths_new)
    return errors, predicted, y_new


def network(units, n_jobs=None):
    """The network, which reads each sequence once."""
    return LSTMRegressor(
        (units,),
        bidirectional=True,
        batch_size=100,
        learning_rate=1e-3,
        max_iter=1,  # fresh sequences all the time: an epoch is all there is
        n_jobs=n_jobs,
        random_state=0,
    )


def marked_numbers(n, shortest, longest, seed):
    """Numbers with marks, padded with zeros, and the sums of the marked ones.

    Returns
    -------
    X : ndarray of shape (n, longest, 2)
    y : ndarray of shape (n,)
    lengths : ndarray of shape (n,)
        How many steps of each sequence are real.
    """
    rng = np.random.default_rng(seed)
    lengths = rng.integers(shortest, longest + 1, n)
    first = rng.integers(lengths // 2)
    second = rng.integers(lengths // 2, lengths)
    X = np.zeros((n, longest, 2), np.float32)
    X[:, :, 0] = rng.random((n, longest), np.float32)
    every = np.arange(n)
    X[every, first, 1] = X[every, second, 1] = 1
    X[np.arange(longest) >= lengths[:, None]] = 0
    return X, X[every, first, 0] + X[every, second, 0], lengths


def beside_torch(X, y, lengths, units=100, n_jobs=None, n_rounds=3):
    """Print the seconds of an epoch here and in PyTorch, which reads packed sequences: padding would
    change what the direction from the end on sees.
    """
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence

    lstm = torch.nn.LSTM(X.shape[2], units, batch_first=True, bidirectional=True)
    output = torch.nn.Linear(2 * units, 1)
    X_torch, y_torch, n_steps = map(torch.from_numpy, (X, y, lengths))

    def loss_of(members):
        packed = pack_padded_sequence(
            X_torch[members], n_steps[members], batch_first=True, enforce_sorted=False
        )
        finals = torch.cat(tuple(lstm(packed)[1][0]), dim=1)
        return torch.nn.functional.mse_loss(output(finals)[:, 0], y_torch[members])

    solver = torch.optim.Adam([*lstm.parameters(), *output.parameters()], lr=1e-3)
    model, theirs = network(units, n_jobs), training(solver, loss_of, len(X), 100, clip_norm=1.0)
    return race(lambda: model.fit(X, y, lengths=lengths), theirs, n_jobs, n_rounds)


def check_forms(model, X, lengths):
    """The same sequences in three forms: the same predictions, to the bit."""
    padded = model.predict(X, lengths=lengths)
    ragged = model.predict([x[:length] for x, length in zip(X, lengths, strict=True)])
    full = lengths == X.shape[1]  # of one length: a 3-D array needs no `lengths`
    array = model.predict(X[full])
    assert np.array_equal(padded, ragged) and np.array_equal(padded[full], array)
    print("padded with lengths, as a ragged list, as a 3-D array: the same predictions, to the bit")


def draw(file, predicted, expected):
    """The predicted sums over the true ones."""
    from matplotlib.figure import Figure  # drawn into a file: needs no display

    figure = Figure(figsize=(5, 5))
    axes = figure.subplots()
    axes.plot(expected, predicted, ".", markersize=2)
    axes.plot([0, 2], [0, 2], color="black", linewidth=0.5)
    axes.set(xlabel="sum of the two marked numbers", ylabel="predicted", title="New sequences")
    figure.savefig(file)


if __name__ == "__main__":
    main()
