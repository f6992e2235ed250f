"""Heads: from a network's scores to a loss and its gradient, and to predictions. `says_classes`: a
score belongs to a class, not to a number.
"""

from dataclasses import dataclass

import numpy as np

from .kernels import get_backend


@dataclass(frozen=True)
class SoftmaxHead:
    """Softmax over classes with the weighted cross-entropy, divided by the sum of the weights."""

    n_classes: int

    says_classes = True

    @property
    def n_outputs(self):
        return self.n_classes

    def loss_and_gradient(self, kernels, scores, targets, weights):
        """Mean loss of a batch; `scores` (n, C padded) become its gradient.

        targets (n,) int64 class indices; weights (n,) float64, not all zero
        """
        return kernels.softmax_cross_entropy(
            scores, targets, weights, float(weights.sum()), self.n_classes
        )

    # Predictions lie on the host, whatever has computed them.

    def probabilities(self, scores):
        """Softmax in float64 of plain scores (n, C)."""
        padded = self._padded(scores)
        get_backend("cpu").softmax(padded, self.n_classes)
        return padded[:, : self.n_classes].copy()

    def log_probabilities(self, scores):
        """Log of `probabilities`, exact where a probability is too small for a float."""
        logs = np.empty((len(scores), self.n_classes))
        get_backend("cpu").log_softmax(self._padded(scores), logs, self.n_classes)
        return logs

    def _padded(self, scores):
        kernels = get_backend("cpu")
        columns = kernels.padded(self.n_classes, np.float64)
        padded = kernels.zeros((len(scores), columns), np.float64)
        padded[:, : self.n_classes] = scores
        return padded


ERRORS = {"squared_error": 0, "absolute_error": 1, "huber": 2}  # the kernels' numbers


@dataclass(frozen=True)
class RegressionHead:
    """The mean over outputs of a loss of the error, and over sequences or steps by their
    weights.
    """

    n_outputs: int
    loss: str
    delta: float

    says_classes = False

    def loss_and_gradient(self, kernels, scores, targets, weights):
        """Mean loss of a batch; `scores` (n, k padded) become its gradient; targets (n, k)
        float64.
        """
        return kernels.regression_loss(
            scores, targets, weights, float(weights.sum()), ERRORS[self.loss], float(self.delta)
        )
