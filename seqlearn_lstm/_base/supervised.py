"""The front doors that learn from targets: how they fit, and how they read step by step."""

import numpy as np

from ..heads import SoftmaxHead
from ..streaming import Stream
from .estimator import SequenceEstimator
from .given import Given


class SupervisedEstimator(SequenceEstimator):
    """Base of the estimators with targets; what targets are, each says in `_read_targets`."""

    def fit(
        self, X, y, sample_weight=None, lengths=None, initial_states=None, X_val=None, y_val=None,
        *, sample_weight_val=None, lengths_val=None, initial_states_val=None,
    ):  # fmt: skip
        """Fit the network.

        Parameters
        ----------
        X : list or array of sequences
            Arrays of shape (n_timesteps_i, n_features) of any lengths, a (n_sequences, n_timesteps,
            n_features) array, a table, or lists of symbols; see the user guide.
        y : array-like
            Targets, as the class says: one for each sequence, or an array of one for each step.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weight of each sequence in the loss; a tagger also takes weights of steps.
        lengths : array-like of int of shape (n_sequences,), default=None
            With three-dimensional `X`: how many steps of each sequence are real. With the
            concatenated rows that a tagger takes: how many belong to each sequence; None: all to
            one.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            The states before the first step of each sequence, as `final_states` returns them; None:
            what the parameter `initial_state` says.
        X_val, y_val : as X and y, default=None
            Validation data, which are scored after each epoch. None: with early stopping, a share
            of the training data.
        sample_weight_val, lengths_val, initial_states_val : default=None
            For the validation data, what the arguments without ``_val`` are for `X`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, TypeError
            If the input cannot be used, or the loss diverged; the estimator is then as it was
            before.
        RuntimeError
            If `device` is "cuda", and no GPU can be used.
        """
        return self._learn(
            Given(X, y, sample_weight, lengths, initial_states),
            Given(X_val, y_val, sample_weight_val, lengths_val, initial_states_val),
        )

    def stream(self):
        """Start to read one sequence step by step.

        Returns
        -------
        stream : Stream
            Its ``push(x_t)`` returns the prediction after each step.

        Raises
        ------
        ValueError
            If the network is bidirectional, or `max_timesteps` cuts what `predict` reads.
        """
        return Stream(self)


class LabelEstimator(SupervisedEstimator):
    """Base of those whose targets are labels, of which a softmax chooses one."""

    @property
    def _head(self):
        return SoftmaxHead(len(self.classes_))

    def _decided(self, scores):
        """The most probable labels, from scores (n, n_classes)."""
        return self.classes_[scores.argmax(axis=1)]

    # Of the scores, only a block is in memory.

    def _said(self, X, lengths, initial_states=None):
        """The label of each sequence, or row, and the sequences."""
        blocks, n, sequences = self._predicting(X, lengths, initial_states)
        labels = np.empty(n, self.classes_.dtype)
        for scores, index in blocks:
            labels[index] = self._decided(scores)
        return labels, sequences

    def _in_blocks(self, method, X, lengths, initial_states=None):
        """What a method of the head makes of all scores, (n, n_classes), and the sequences."""
        blocks, n, sequences = self._predicting(X, lengths, initial_states)
        found = np.empty((n, len(self.classes_)))
        for scores, index in blocks:
            found[index] = method(self._head, scores)
        return found, sequences

    def _check_some_known(self, labels):
        """Raise ValueError where none of the labels can be predicted."""
        found = set(labels.tolist())
        if found.isdisjoint(self.classes_.tolist()):
            raise ValueError(
                f"y has the labels {sorted(found)[:5]}, none of which is among those of the fit, "
                f"{self.classes_.tolist()[:5]}; expected some of the same"
            )

    def _possible_classes(self, classes, goes_on):
        """All labels that there may be, or None: those that there are."""
        if not goes_on:
            return classes
        if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"classes is {np.unique(classes).tolist()}, but the fit goes on with "
                f"{self.classes_.tolist()}; expected the same, or None"
            )
        return self.classes_

    def partial_fit(
        self, X, y, classes=None, sample_weight=None, lengths=None, initial_states=None
    ):
        """Make one more pass over sequences, old ones or new.

        Parameters
        ----------
        X : list or array of sequences
            As in `fit`.
        y : array-like
            As in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that there will ever be, in the first call; None: those in its
            `y`.
        sample_weight : array-like, default=None
            As in `fit`.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            As in `fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, TypeError
            As `fit`; also if `y` has a label that is not among the classes of the first call.
        """
        if classes is not None and (isinstance(classes, str) or np.ndim(classes) != 1):
            raise TypeError(f"classes is {classes!r}; expected an array or a list of all labels")
        given = Given(X, y, sample_weight, lengths, initial_states)
        return self._learn(given, classes=classes, partial=True)
