"""How well a language model predicts the sequences of others, in nats, shares and bits."""

import math

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..sequences import Sequences


class JudgesSequences:
    """The part of an estimator that says how well it predicts each next symbol. It has `vocabulary_`, and
    says in `_transitions` what comes next, in `_blocks_of` the scores of that, and in `_possible` which of
    them may be meant.
    """

    def score(self, X, y=None):
        """The mean logarithm of a symbol's probability, in nats: the higher the better.

        Parameters
        ----------
        X : str, or list of sequences of symbols
            Each is read from its beginning. Its end counts where ends were learned.
        y : None
            Ignored.

        Returns
        -------
        score : float
        """
        total, n = 0.0, 0
        for scores, targets, known in self._steps_of(X, y):
            weights = known.astype(np.float64)
            loss = self._head.loss_and_gradient(self._kernels, scores, targets, weights)
            total -= float(loss) * weights.sum()
            n += np.count_nonzero(known)
        return float(total / n)

    def accuracy(self, X):
        """The share of symbols that `predict` gets right, having read what comes before them.

        Parameters
        ----------
        X : str, or list of sequences of symbols
            As in `score`. An unknown symbol never counts as right.

        Returns
        -------
        accuracy : float
            Between 0 and 1.
        """
        right, n = 0, 0
        for scores, targets, known in self._steps_of(X):
            scores = self._kernels.to_host(scores)[:, : len(self.vocabulary_)]
            said = self._possible(scores).argmax(axis=1)
            right += np.count_nonzero((said == targets) & known)
            n += np.count_nonzero(known)
        return right / n

    def perplexity(self, X):
        """``exp(-score)``: how many equally probable symbols would be as hard to predict.

        Parameters
        ----------
        X : str, or list of sequences of symbols
            As in `score`.

        Returns
        -------
        perplexity : float
            Infinite where it is too large for a float.
        """
        score = self.score(X)
        try:
            return math.exp(-score)
        except OverflowError:
            return math.inf

    def bits_per_symbol(self, X):
        """``-score / ln 2``: the bits that a symbol takes, coded with the model's probabilities.

        Parameters
        ----------
        X : str, or list of sequences of symbols
            As in `score`.

        Returns
        -------
        bits : float
        """
        return -self.score(X) / math.log(2)

    def _steps_of(self, X, y=None):
        """Yield, block by block, the scores of what comes next (n, n_out padded), the code of what
        did come, and whether that is a step at all, as some of them are.
        """
        check_is_fitted(self)
        is_ready = isinstance(X, Sequences)  # held out by `fit`: with its targets
        inputs, targets = (X, y) if is_ready else self._transitions(X)
        for scores, source in self._blocks_of(inputs):
            known = source >= 0
            if known.any():
                yield scores, targets[source], known
