"""Accuracy on real sequences: who speaks, and which digit is spoken."""

import os

import numpy as np
import pytest

from seqlearn_lstm import LSTMClassifier
from seqlearn_lstm.datasets import DATA_VARIABLE, load_japanese_vowels, load_spoken_digits

SETTINGS = dict(
    hidden_layer_sizes=(64,),
    bidirectional=True,
    learning_rate=3e-3,
    batch_size=32,
    clip_norm=1.0,
    n_iter_no_change=None,  # all epochs: what it is compared with has no early end
    n_jobs=1,  # the same bits, and the same time on a busy machine
)

needs_data = pytest.mark.skipif(
    not os.environ.get(DATA_VARIABLE), reason=f"{DATA_VARIABLE} names no folder of data sets"
)


def standardised(X_train, X_test):
    """Both, scaled by what the training frames alone say."""
    frames = np.concatenate(X_train)
    mean, std = frames.mean(axis=0), frames.std(axis=0)
    return [[(x - mean) / std for x in X] for X in (X_train, X_test)]


def japanese_vowels(**kwargs):
    X_train, y_train = load_japanese_vowels(subset="train", return_X_y=True, **kwargs)
    X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True, **kwargs)
    return *standardised(X_train, X_test), y_train, y_test


def accuracy(data, seed, **params):
    X_train, X_test, y_train, y_test = data
    model = LSTMClassifier(**SETTINGS, **params, random_state=seed).fit(X_train, y_train)
    return model.score(X_test, y_test)


def test_installed_japanese_vowels():
    assert accuracy(japanese_vowels(), 0, max_iter=30) >= 0.97


@needs_data
def test_japanese_vowels():
    data = japanese_vowels(full=True)
    assert [len(part) for part in data] == [270, 370, 270, 370]
    found = [accuracy(data, seed, max_iter=60) for seed in range(5)]
    print(found)
    assert np.median(found) >= 0.975


@needs_data
def test_spoken_digits():
    X, y = load_spoken_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(X))
    train, test = order[:2400], order[2400:]
    X_train, X_test = standardised([X[i] for i in train], [X[i] for i in test])
    data = (X_train, X_test, y[train], y[test])
    found = [accuracy(data, seed, max_iter=20) for seed in range(3)]
    print(found)
    assert np.median(found) >= 0.985
