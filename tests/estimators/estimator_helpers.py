"""Small ragged data, small networks, comparisons to the bit, and Python in a fresh process."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import seqlearn_lstm
from seqlearn_lstm import LSTMClassifier
from seqlearn_lstm.cells import GRU, LSTM, RNN
from seqlearn_lstm.kernels.cpu import threads

# One thread: other processes of a busy machine cannot make the tests wait for a second one.
SMALL = dict(
    hidden_layer_sizes=(6,),
    learning_rate=0.02,
    batch_size=8,
    max_iter=3,
    random_state=0,
    n_jobs=1,
)

# Networks that between them use every way through the code; for "same bits" tests.
NETWORKS = {
    "default": {},
    "last, bidirectional": dict(bidirectional=True),
    "mean, two layers": dict(pooling="mean", hidden_layer_sizes=(20, 5)),
    "max, bidirectional, two layers": dict(
        pooling="max", bidirectional=True, hidden_layer_sizes=(5, 18)
    ),
    "float64, bidirectional": dict(dtype="float64", bidirectional=True, pooling="mean"),
    "projection, learned states, dropout": dict(
        input_projection=7,
        initial_state="learned",
        dropout=0.2,
        input_dropout=0.1,
        hidden_layer_sizes=(5, 18),
        bidirectional=True,
    ),
    "LSTM with options, recurrent dropout": dict(
        cell=LSTM(peephole=True, layer_norm=True), recurrent_dropout=0.3, pooling="mean"
    ),
    "GRU, recurrent dropout": dict(cell="gru", recurrent_dropout=0.2, bidirectional=True),
    "GRU as published, two layers": dict(cell=GRU(reset_after=False), hidden_layer_sizes=(5, 7)),
    "windows": dict(bptt_steps=3, hidden_layer_sizes=(5, 7), pooling="mean", dropout=0.1),
    "dropout at each step, both directions": dict(
        bidirectional=True,
        hidden_layer_sizes=(5, 18),
        dropout=0.2,
        input_dropout=0.1,
        dropout_per="step",
    ),
    "RNN": dict(cell=RNN("relu"), bidirectional=True, pooling="max", dtype="float64"),
}


def small(**params):
    """An unfitted classifier that fits in milliseconds."""
    return LSTMClassifier(**(SMALL | params))


def ragged(n=40, n_features=3, n_classes=3, shortest=1, longest=12, seed=0):
    """Sequences of unequal length whose mean tells their class: (list of arrays, labels)."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    lengths = rng.integers(shortest, longest + 1, n)
    means = 2 * rng.standard_normal((n_classes, n_features))
    X = [
        (rng.standard_normal((length, n_features)) + means[label]).astype(np.float32)
        for length, label in zip(lengths, y, strict=True)
    ]
    return X, y


def padded(X, fill=np.nan):
    """The same sequences as one 3-D array, filled up at their ends."""
    out = np.full((len(X), max(map(len, X)), X[0].shape[1]), fill, X[0].dtype)
    for row, x in zip(out, X, strict=True):
        row[: len(x)] = x
    return out


def objects(X):
    """The same sequences as a 1-D object array."""
    out = np.empty(len(X), object)
    out[:] = X
    return out


def identical(a, b):
    """Whether two values (nested dicts, lists, arrays, numbers ...) are the same to the bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(identical(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(identical, a, b))
    if isinstance(a, np.ndarray):
        if a.dtype == object:
            return a.shape == b.shape and identical(a.tolist(), b.tolist())
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if hasattr(a, "get_params"):
        return identical(vars(a), vars(b))
    return a == b or (a != a and b != b)


def same_fit(a, b):
    """Whether two classifiers learned the same, to the bit."""
    return identical(a.parameters_, b.parameters_) and identical(a.loss_curve_, b.loss_curve_)


def digest(model):
    """A name for all that a classifier learned, to compare across processes."""
    hashed = hashlib.sha256(repr(model.loss_curve_).encode())
    for name, values in sorted(model.parameters_.items()):
        hashed.update(name.encode() + values.tobytes())
    return hashed.hexdigest()


def share_all_work():
    """Let kernels hand out even the smallest work to threads, as they do with large work only."""
    threads.GRAIN = 1


def run_python(code, *args, timeout=300, **env):
    """Run code in a new process that finds this module; returns what it printed.

    env  environment variables to set, or, if None, to unset
    """
    folders = [Path(seqlearn_lstm.__file__).parents[1], Path(__file__).parent]
    merged = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))} | env
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        env={name: str(value) for name, value in merged.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
