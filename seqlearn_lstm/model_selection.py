"""Cross-validation for sequences in the concatenated form: rows and lengths.

Sequences in a list, an object array or a 3-D array need nothing from here: one entry is one
sequence, and scikit-learn's own splitters, searches and `cross_val_score` do the right thing.
"""

from numbers import Integral

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state

from .sequences import check_lengths

__all__ = ["SequenceKFold"]


class SequenceKFold(BaseCrossValidator):
    """K folds of whole sequences, for rows with `lengths`.

    Only for the concatenated form of hmmlearn and seqlearn, in which X has one row for each time
    step: scikit-learn's splitters would cut through sequences, and would not cut `lengths` at all.
    Each row is in the test fold once; a sequence is never divided. **Sequences in a list or a 3-D
    array need only the ordinary splitters**, such as `KFold` and `StratifiedKFold`.

    Use it in a loop of your own, with `split_lengths`; **not as `cv` of cross_val_score or searches:
    they do not pass lengths on**, and a tagger would read all rows of a side as one sequence.

    Each sequence in turn goes to the fold that has the fewest rows so far, the longest first, or
    in random order with `shuffle`; so no fold has more rows than another plus one longest sequence.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds; at least 2, and no more than there are sequences.
    lengths : array-like of int of shape (n_sequences,)
        How many rows belong to each sequence, in the order of the rows.
    shuffle : bool, default=False
        Whether folds are drawn at random.
    random_state : int, RandomState instance or None, default=None
        Fixes the folds that are drawn; only with `shuffle`.

    Raises
    ------
    TypeError
        If `lengths` is a masked array.
    ValueError
        If `n_splits` or `lengths` cannot be used; or, when X is split, if `lengths` do not add up to
        its number of rows.

    See Also
    --------
    seqlearn_lstm.preprocessing.split : Rows and lengths as a list, the better way.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm.model_selection import SequenceKFold
    >>> X = np.arange(7.0).reshape(7, 1)
    >>> folds = SequenceKFold(2, lengths=[2, 3, 2])
    >>> for train, test in folds.split(X):
    ...     print(train, folds.split_lengths(train), test, folds.split_lengths(test))
    [0 1 5 6] [2 2] [2 3 4] [3]
    [2 3 4] [3] [0 1 5 6] [2 2]
    """

    def __init__(self, n_splits=5, *, lengths, shuffle=False, random_state=None):
        if not isinstance(n_splits, Integral) or n_splits < 2:
            raise ValueError(f"n_splits is {n_splits!r}; expected a whole number of at least 2")
        self.n_splits = int(n_splits)
        self.lengths = check_lengths(lengths)
        if self.n_splits > len(self.lengths):
            raise ValueError(
                f"n_splits is {n_splits}, but there are {len(self.lengths)} sequences; expected no "
                "more folds than sequences"
            )
        if random_state is not None and not shuffle:
            raise ValueError("random_state has no effect without shuffle=True; leave it out")
        self.shuffle = shuffle
        self.random_state = random_state

    def split(self, X, y=None, groups=None):
        """Yield the rows to train on and the rows to test on, fold by fold.

        Parameters
        ----------
        X : array-like of shape (n_rows, ...)
            Only its number of rows is looked at.
        y, groups : object
            Ignored.

        Yields
        ------
        train, test : ndarray of int
            Indices of rows, ascending; the rows of a sequence are all in one, side by side.
        """
        n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
        check_lengths(self.lengths, n_rows, "Sequences in a list need KFold, not this.")
        fold_of_rows = np.repeat(self._folds(), self.lengths)
        for fold in range(self.n_splits):
            in_test = fold_of_rows == fold
            yield np.flatnonzero(~in_test), np.flatnonzero(in_test)

    def split_lengths(self, rows):
        """The lengths that go with the rows of one side of a split.

        Parameters
        ----------
        rows : array-like of int
            `train` or `test` as `split` yields them.

        Returns
        -------
        lengths : ndarray of int of shape (n_sequences_of_this_side,)
            For ``fit(X[rows], y[rows], lengths=lengths)``.

        Raises
        ------
        ValueError
            If `rows` are not whole sequences in ascending order, or there are none.
        """
        rows = np.asarray(rows)
        if rows.size == 0:
            raise ValueError("rows is empty; expected those of at least one sequence")
        n_rows = self.lengths.sum()
        if rows.min() < 0 or rows.max() >= n_rows:
            raise ValueError(
                f"rows has indices from {rows.min()} to {rows.max()}; expected 0 to {n_rows - 1}"
            )
        members = np.unique(np.repeat(np.arange(len(self.lengths)), self.lengths)[rows])
        chosen = np.zeros(len(self.lengths), bool)
        chosen[members] = True
        if not np.array_equal(rows, np.flatnonzero(np.repeat(chosen, self.lengths))):
            raise ValueError(
                "rows has parts of sequences, or another order; expected all rows of some sequences "
                "in ascending order"
            )
        return self.lengths[chosen]

    def get_n_splits(self, X=None, y=None, groups=None):
        """The number of folds.

        Parameters
        ----------
        X, y, groups : object
            Ignored.

        Returns
        -------
        n_splits : int
        """
        return self.n_splits

    def _folds(self):
        """The fold of each sequence."""
        if self.shuffle:
            order = check_random_state(self.random_state).permutation(len(self.lengths))
        else:
            order = np.argsort(-self.lengths, kind="stable")
        n_rows = np.zeros(self.n_splits, np.int64)
        folds = np.empty(len(self.lengths), np.int64)
        for sequence in order:
            folds[sequence] = n_rows.argmin()
            n_rows[folds[sequence]] += self.lengths[sequence]
        return folds
