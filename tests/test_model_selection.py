"""Folds of whole sequences in rows-and-lengths form."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from seqlearn_lstm import LSTMSequenceTagger
from seqlearn_lstm.model_selection import SequenceKFold
from seqlearn_lstm.preprocessing import split

LENGTHS = [3, 1, 4, 1, 5, 9, 2, 6]

KINDS = [{}, {"shuffle": True, "random_state": 0}, {"shuffle": True, "random_state": 3}]


@pytest.mark.parametrize("settings", KINDS)
@pytest.mark.parametrize("n_splits", [2, 3, 8])
def test_folds_are_whole_sequences_each_tested_once(n_splits, settings):
    owner = np.repeat(np.arange(len(LENGTHS)), LENGTHS)
    X = np.arange(sum(LENGTHS))[:, None]
    folds = SequenceKFold(n_splits, lengths=LENGTHS, **settings)
    tested = []
    for train, test in folds.split(X):
        assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(len(X)))
        assert not set(owner[train]) & set(owner[test])
        for rows in (train, test):
            members = np.unique(owner[rows])
            lengths = folds.split_lengths(rows)
            assert np.array_equal(rows, np.flatnonzero(np.isin(owner, members)))
            assert np.array_equal(lengths, np.take(LENGTHS, members))
            for part in split(X[rows], lengths):
                assert len(np.unique(owner[part.ravel()])) == 1
        tested.append(test)
    assert np.array_equal(np.sort(np.concatenate(tested)), np.arange(len(X)))
    assert len(tested) == folds.get_n_splits() == folds.get_n_splits(X) == n_splits


@pytest.mark.parametrize("settings", KINDS)
def test_folds_are_balanced(settings, rng):
    lengths = rng.integers(1, 30, 100)
    folds = SequenceKFold(5, lengths=lengths, **settings).split(np.empty(lengths.sum()))
    sizes = [len(test) for _, test in folds]
    assert max(sizes) - min(sizes) <= lengths.max()
    if not settings:
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("dtype", [np.uint64, np.uint8, np.int16])
def test_lengths_of_any_integers(dtype):
    folds = SequenceKFold(3, lengths=np.array(LENGTHS, dtype))
    expected = SequenceKFold(3, lengths=LENGTHS)
    X = np.empty((sum(LENGTHS), 1))
    for (train, test), (wanted, wanted_test) in zip(folds.split(X), expected.split(X), strict=True):
        assert np.array_equal(train, wanted)
        assert np.array_equal(test, wanted_test)
        assert np.array_equal(folds.split_lengths(train), expected.split_lengths(wanted))


def test_random_state_fixes_the_folds():
    X = np.empty((sum(LENGTHS), 1))

    def folds(**settings):
        splits = SequenceKFold(3, lengths=LENGTHS, **settings).split(X)
        return [test.tolist() for _, test in splits]

    assert folds() == folds()
    assert folds(shuffle=True, random_state=1) == folds(shuffle=True, random_state=1)
    assert folds(shuffle=True, random_state=1) != folds(shuffle=True, random_state=2)


def test_it_is_a_splitter_for_scikit_learn(rng):
    lengths = rng.integers(1, 5, 30)
    X = rng.standard_normal((lengths.sum(), 2))
    y = (X[:, 0] > 0).astype(int)
    folds = SequenceKFold(3, lengths=lengths)
    assert cross_val_score(LogisticRegression(), X, y, cv=folds).min() > 0.8
    assert "n_splits=3" in repr(folds)


def test_a_loop_with_lengths_scores_as_lists_do(rng):
    lengths = np.array([3, 1, 4, 2])
    X = rng.standard_normal((lengths.sum(), 2))
    y, member = (X[:, 0] > 0).astype(int), np.repeat(np.arange(4), lengths)
    tagger = LSTMSequenceTagger((4,), max_iter=2, n_jobs=1, random_state=0)
    folds, scores, sides = SequenceKFold(2, lengths=lengths), [], []
    for train, test in folds.split(X):
        tagger.fit(X[train], y[train], lengths=folds.split_lengths(train))
        scores.append(tagger.score(X[test], y[test], lengths=folds.split_lengths(test)))
        sides.append((np.unique(member[train]), np.unique(member[test])))
    lists = split(X, lengths), split(y, lengths)
    assert cross_val_score(tagger, *lists, cv=sides).tolist() == scores


@pytest.mark.parametrize(
    "settings, message",
    [
        (dict(n_splits=1, lengths=[1, 2]), "n_splits is 1; expected a whole number of at least 2"),
        (dict(n_splits=2.0, lengths=[1, 2]), "n_splits is 2.0; expected a whole number"),
        (dict(n_splits=3, lengths=[1, 2]), "n_splits is 3, but there are 2 sequences"),
        (dict(lengths=[1.0, 2.0]), "positive whole numbers"),
        (dict(lengths=[1, 0]), "positive whole numbers"),
        (dict(lengths=[]), "positive whole numbers"),
        (dict(lengths=np.array([], int)), "n_splits is 5, but there are 0 sequences"),
        (
            dict(lengths=np.array([1, 2**63], np.uint64)),
            "9223372036854775808.*positive whole numbers",
        ),
        (dict(lengths=[[1], [2]]), "positive whole numbers"),
        (dict(n_splits=2, lengths=[1, 2], random_state=0), "random_state has no effect"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        SequenceKFold(**settings)


def test_masks_of_lengths_are_not_lost():
    masked = np.ma.array([2, 3], mask=[False, True])
    for call in (lambda: SequenceKFold(2, lengths=masked), lambda: split(np.zeros(5), masked)):
        with pytest.raises(TypeError, match="lengths is a masked array"):
            call()


def test_rows_that_do_not_fit():
    folds = SequenceKFold(2, lengths=[2, 3])
    with pytest.raises(ValueError, match=r"add up to 5, but there are 4 rows.*need KFold"):
        next(folds.split(np.empty((4, 1))))
    for rows in ([0], [1, 0], [0, 1, 3], [0, 0, 1]):
        with pytest.raises(ValueError, match="all rows of some sequences"):
            folds.split_lengths(rows)
    for rows in ([4, 5], [-1]):
        with pytest.raises(ValueError, match="expected 0 to 4"):
            folds.split_lengths(rows)
    for rows in ([], np.array([], int)):
        with pytest.raises(ValueError, match="rows is empty; expected those of at least one seq"):
            folds.split_lengths(rows)


def test_lengths_are_copied():
    lengths = np.array([1, 1, 1])
    folds = SequenceKFold(3, lengths=lengths)
    lengths[0] = 7
    assert folds.split_lengths([0, 1]).tolist() == [1, 1]
