"""Labels of events, by heart and by a rule
========================================

After a tutorial of Torch7's rnn from 2016: labels learned by heart, saved, gone on with; and then
what the tutorial had promised for a second part, a rule that holds for new sequences.

Part one. 100 sequences of 8 events with 10 random numbers each, and random labels, of which there are
three: there is nothing to learn but the 800 labels themselves. A linear layer 10 -> 256, two layers of
256 LSTM cells with peepholes, and a softmax at each event; 201 epochs of 20 updates. Then model and
data are saved, and a new process loads them and goes on: its next loss is the very number that an
unbroken run gets.

The tutorial took plain gradient descent, which is shown first, at its learning rate: 0.05 on the sum of
8 events is 0.4 on their mean. With momentum the same number of updates ends lower. Its own losses are
sums of some kind: the first was 3.33, 3.03 times ln 3, which is what guessing costs; the last .0011. By
the same factor that is .00036 an event; divided by the 8 events of a sequence, .00014.

Part two. Visits to a shop as events of ten kinds, 5 to 30 of them; after each event the visitor is
looking, has filled a cart, or has bought. The event alone does not tell. There are sequences to train
with, others that say when to stop, and others again for the accuracy.

Run it with ``python3 examples/plot_torch_rnn.py``: a minute or two on two quiet cores. ``--plot FILE``
draws the losses (with matplotlib); ``--device cuda`` computes on a GPU. Where PyTorch is installed, an
epoch of its LSTM, which has no peepholes, is timed beside ours on the processor.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
from _beside_torch import HAS_TORCH, race, training

from seqlearn_lstm import LSTMSequenceTagger
from seqlearn_lstm.cells import LSTM
from seqlearn_lstm.solvers import SGD

SETTINGS = dict(
    hidden_layer_sizes=(256, 256),
    cell=LSTM(peephole=True),
    input_projection=256,
    batch_size=5,
    shuffle=False,
    clip_norm=None,
    n_iter_no_change=None,  # all epochs are run
    random_state=0,
)
PLAIN = dict(solver=SGD(momentum=0.0, nesterov=False), learning_rate=0.4)
MOMENTUM = dict(solver=SGD(momentum=0.9, nesterov=False), learning_rate=0.2)
SMALL = dict(n_epochs=60, hidden_layer_sizes=(48, 48), input_projection=48)
ELSEWHERE = 1.05  # seconds of an epoch, as the tutorial tells

GO_ON = """
import sys
import joblib
model, X, y = joblib.load(sys.argv[1])
print(model.set_params(max_iter=1).fit(X, y).loss_curve_[-1].hex())
"""

STATES = {  # of a visitor: (before, event) -> after; all other events change nothing
    ("looking", "add"): "filled",
    ("filled", "remove"): "looking",
    ("filled", "pay"): "bought",
    ("bought", "add"): "filled",
}
KINDS = ["add", "remove", "pay", *[f"look_{k}" for k in range(7)]]


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Learn labels of events.")
    parser.add_argument("--plot", metavar="FILE", help="picture of the losses")
    parser.add_argument("--jobs", type=int, metavar="N", help="threads (default: all cores)")
    parser.add_argument(
        "--device", default="cpu", choices=("cpu", "cuda", "auto"), help="what computes"
    )
    parser.add_argument(
        "--small", action="store_true", help="a fifth of the labels, 48 units, 60 epochs: seconds"
    )
    args = parser.parse_args(arguments)
    X, y = random_labels(n=20 if args.small else 100)
    changes = SMALL if args.small else {}
    curves = by_heart(X, y, n_jobs=args.jobs, device=args.device, **changes)
    first, last = (curves["with momentum"][k] for k in (0, -1))
    assert abs(first / np.log(3) - 1) < 0.05 and last <= (0.01 if args.small else 1.4e-4)
    if HAS_TORCH and args.device == "cpu" and not args.small:
        beside_torch(X, y, args.jobs)
    accuracy = by_rule(n_jobs=args.jobs, device=args.device)
    assert accuracy >= 0.95
    if args.plot:
        draw(args.plot, curves)


# ---- part one ----------------------------------------------------------------------------------


def random_labels(n=100, n_steps=8, seed=0):
    """Events of 10 random numbers, and a random label, 1 to 3, for each."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, n_steps, 10), np.float32)
    return X, list(rng.integers(1, 4, (n, n_steps)))


def by_heart(X, y, n_epochs=201, **changes):
    """Learn all labels, twice; save the second model, and go on in a new process.

    Returns
    -------
    curves : dict of str to list of float
        The mean loss of an event, epoch by epoch.
    """
    curves = {}
    LSTMSequenceTagger(**SETTINGS | MOMENTUM | changes | {"max_iter": 1}).fit(X, y)  # compiles
    for name, solver in (("plain descent", PLAIN), ("with momentum", MOMENTUM)):
        model = LSTMSequenceTagger(
            **SETTINGS | solver | changes, max_iter=n_epochs, warm_start=True
        )
        start = time.perf_counter()
        model.fit(X, y)
        seconds = (time.perf_counter() - start) / n_epochs
        curves[name] = model.loss_curve_
        right = round(model.score(X, y) * sum(map(len, y)))
        print(
            f"{name}: mean loss of an event {curves[name][0]:.4f} (ln 3 is {np.log(3):.4f}), after "
            f"{n_epochs} epochs {curves[name][-1]:.2e}; {right} of {sum(map(len, y))} right; "
            f"{seconds:.3f} s an epoch (the tutorial: {ELSEWHERE})",
            flush=True,
        )
    assert right == sum(map(len, y))
    unbroken = LSTMSequenceTagger(**SETTINGS | MOMENTUM | changes, max_iter=n_epochs + 1).fit(X, y)
    resumed = gone_on(model, X, y)
    print(f"saved, and gone on with in a new process: the next epoch's loss is {resumed!r}")
    print(
        f"  of a run that was never interrupted:                             {unbroken.loss_curve_[-1]!r}"
    )
    assert resumed == unbroken.loss_curve_[-1]
    return curves


def gone_on(model, X, y):
    """The loss of one more epoch, in a process that knows nothing but a file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.joblib"
        joblib.dump((model, X, y), file)
        command = [sys.executable, "-c", GO_ON, str(file)]
        printed = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    return float.fromhex(printed.strip())


def beside_torch(X, y, n_jobs=None, n_rounds=5, n_epochs=3):
    """Print the seconds of an epoch here and in PyTorch."""
    import torch
    from torch import nn

    parts = nn.Linear(10, 256), nn.LSTM(256, 256, 2, batch_first=True), nn.Linear(256, 3)
    project, lstm, output = module = nn.ModuleList(parts)
    X_torch, y_torch = torch.from_numpy(X), torch.from_numpy(np.array(y) - 1)

    def loss_of(members):
        scores = output(lstm(project(X_torch[members]))[0])
        return nn.functional.cross_entropy(scores.flatten(0, 1), y_torch[members].flatten())

    solver = torch.optim.SGD(module.parameters(), lr=0.2, momentum=0.9)
    epoch = training(solver, loss_of, len(X), 5, shuffle=False)
    settings = SETTINGS | MOMENTUM | dict(max_iter=n_epochs, warm_start=True, n_jobs=n_jobs)
    model = LSTMSequenceTagger(**settings)
    return race(
        lambda: model.fit(X, y),
        lambda: [epoch() for _ in range(n_epochs)],
        n_jobs,
        n_rounds,
        n_epochs,
        network="PyTorch without peepholes",
    )


# ---- part two ----------------------------------------------------------------------------------


def by_rule(n_train=1_000, n_validation=200, n_test=500, n_jobs=None, device="cpu"):
    """Learn what events mean; print the accuracy on new sequences, which is returned."""
    (X, y), validation, (X_new, y_new) = (
        visits(n, seed) for seed, n in enumerate((n_train, n_validation, n_test))
    )
    model = LSTMSequenceTagger(
        (64,),
        learning_rate=0.01,
        batch_size=20,
        max_iter=30,
        early_stopping=True,
        n_iter_no_change=3,
        n_jobs=n_jobs,
        random_state=0,
        device=device,
    )
    model.fit(X, y, X_val=validation[0], y_val=validation[1])
    accuracy = model.score(X_new, y_new)
    print(
        f"visits to a shop: {n_train} to train with, {n_validation} to stop by (epoch "
        f"{model.best_iter_} was the best), {n_test} new ones: accuracy {accuracy:.4f}"
    )
    print(f"  from the event alone: {from_event_alone(X, y, X_new, y_new):.4f}")
    return accuracy


def visits(n, seed):
    """Events, one of ten numbers set in each, and what the visitor has done so far."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for length in rng.integers(5, 31, n):
        events, state, after = rng.integers(len(KINDS), size=length), "looking", []
        for event in events:
            state = STATES.get((state, KINDS[event]), state)
            after.append(state)
        X.append(np.eye(len(KINDS), dtype=np.float32)[events])
        y.append(after)
    return X, y


def from_event_alone(X, y, X_new, y_new):
    """The accuracy of the most frequent label of each kind of event."""
    events, labels = np.concatenate(X).argmax(axis=1), np.concatenate(y)
    names, codes = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(KINDS), len(names)), int)
    np.add.at(counts, (events, codes), 1)
    guessed = names[counts.argmax(axis=1)][np.concatenate(X_new).argmax(axis=1)]
    return np.mean(guessed == np.concatenate(y_new))


def draw(file, curves):
    """The losses of part one."""
    from matplotlib.figure import Figure  # drawn into a file: needs no display

    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    for name, losses in curves.items():
        axes.semilogy(range(1, len(losses) + 1), losses, label=name)
    axes.axhline(np.log(3), color="black", linewidth=0.5)
    axes.set(xlabel="epoch", ylabel="mean loss of an event")
    axes.legend()
    figure.savefig(file)


if __name__ == "__main__":
    main()
