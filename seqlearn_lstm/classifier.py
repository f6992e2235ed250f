"""LSTMClassifier: a label for each sequence."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from ._base.parameters import CLASS_WEIGHT, POOLING, takes
from ._base.supervised import LabelEstimator
from .arrays import is_missing
from .heads import SoftmaxHead
from .labels import class_factors, code_labels
from .sequences import refuse_lossy


@takes(POOLING, CLASS_WEIGHT)
class LSTMClassifier(ClassifierMixin, LabelEstimator):
    """Classify sequences of any length with a long short-term memory network.

    The network reads a sequence step by step; its pooled states go through a softmax over the
    classes, and the cross-entropy is minimised by back-propagation through time. All its
    computations are compiled by Numba for the processor it runs on.

    `fit` takes a label for each sequence: `y` of shape (n_sequences,), strings or numbers.

    Parameters
    ----------
    <parameters>

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    parameters_ : dict of str to ndarray
        ``"layer_0.forward.W"`` (n_in, 4 * n_units), ``"layer_0.forward.U"`` (n_units, 4 * n_units),
        ``"layer_0.forward.b"`` (4 * n_units,), and so on for each layer and direction, gates in the
        order i, f, g, o as in Keras and PyTorch; ``"output.W"`` (n_pooled, n_classes) and
        ``"output.b"`` (n_classes,); ``"embedding.W"`` (n_symbols, embedding_dim),
        ``"projection.W"`` and ``"projection.b"``, and ``"layer_0.forward.h0"`` (and ``"c0"``) of
        learned initial states, where there are any. Other cells: see `seqlearn_lstm.cells`.
    loss_curve_ : list of float
        Mean training loss of each epoch.
    n_iter_ : int
        Number of epochs.
    vocabulary_ : Vocabulary
        The known symbols, if fitted on symbols; see `seqlearn_lstm.symbols.Vocabulary`.
    validation_scores_ : list of float
        Score of the validation data after each epoch, if there are any; NaN for epochs without them.
    best_iter_ : int
        The epoch whose parameters were kept, counted from 1; with `early_stopping` only.
    record_ : dict of str to ndarray
        What `record` asked for; see the user guide.
    n_features_in_ : int
        Number of features of a step; if fitted on a table, the number of its columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if fitted on a list of DataFrames; names of the columns, if fitted on
        a DataFrame as a table.

    References
    ----------
    Hochreiter, S., and J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997.
    Gers, F. A., J. Schmidhuber and F. Cummins, "Learning to Forget", Neural Computation 12(10), 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm import LSTMClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((n, 2)) for n in rng.integers(5, 20, 60)]
    >>> y = ["up" if x.sum() > 0 else "down" for x in X]
    >>> model = LSTMClassifier((16,), learning_rate=0.01, random_state=0).fit(X, y)
    >>> model.predict(X[:3]).tolist() == y[:3]
    True
    """

    def _read_targets(self, y, sequences, sample_weight, classes, goes_on):
        labels = self._check_targets(y, sequences)
        self.classes_, targets = code_labels(labels, self._possible_classes(classes, goes_on))
        weights = self._check_weights(sample_weight, np.ones(len(labels)))
        factors = class_factors(self.class_weight, self.classes_, labels, weights)
        weights = self._check_weights(weights, factors)
        return self._head, self.pooling, targets, weights

    def _check_targets(self, y, sequences):
        labels = _check_labels(y)
        check_consistent_length(sequences, labels)
        return labels

    def _check_others(self, others, sequences):
        self._check_some_known(self._check_targets(others.y, sequences))

    def predict(self, X, lengths=None, initial_states=None):
        """The most probable label of each sequence.

        Parameters
        ----------
        X : list or array of sequences
            As in `fit`.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            As in `fit`.

        Returns
        -------
        y : ndarray of shape (n_sequences,)
        """
        return self._said(X, lengths, initial_states)[0]

    def predict_proba(self, X, lengths=None, initial_states=None):
        """The probability of each class.

        Parameters
        ----------
        X : list or array of sequences
            As in `fit`.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            As in `fit`.

        Returns
        -------
        probabilities : ndarray of shape (n_sequences, n_classes)
            Columns in the order of `classes_`, float64.
        """
        return self._in_blocks(SoftmaxHead.probabilities, X, lengths, initial_states)[0]

    def predict_log_proba(self, X, lengths=None, initial_states=None):
        """The logarithm of the probability of each class.

        Parameters
        ----------
        X : list or array of sequences
            As in `fit`.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            As in `fit`.

        Returns
        -------
        log_probabilities : ndarray of shape (n_sequences, n_classes)
            Finite even where `predict_proba` gives 0.
        """
        return self._in_blocks(SoftmaxHead.log_probabilities, X, lengths, initial_states)[0]

    def decision_function(self, X, lengths=None, initial_states=None):
        """The scores before the softmax.

        Parameters
        ----------
        X : list or array of sequences
            As in `fit`.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            As in `fit`.

        Returns
        -------
        scores : ndarray of shape (n_sequences, n_classes) or (n_sequences,)
            For two classes the difference, above zero for ``classes_[1]``.
        """
        scores, _ = self._scores(X, lengths, initial_states)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def score(self, X, y, sample_weight=None, lengths=None, initial_states=None):
        """The share of sequences whose label is right.

        Parameters
        ----------
        X : list or array of sequences
            As in `fit`.
        y : array-like of shape (n_sequences,)
            The labels.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weight of each sequence.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            As in `fit`.

        Returns
        -------
        accuracy : float
        """
        self._check_given(y)
        refuse_lossy(sample_weight, "sample_weight", "0")
        return accuracy_score(
            y, self.predict(X, lengths, initial_states), sample_weight=sample_weight
        )


def _check_labels(y):
    """y as a 1-D array of labels."""
    _refuse_missing(y)
    y = check_array(y, ensure_2d=False, dtype=None, ensure_min_samples=0, input_name="y")
    y = column_or_1d(y, warn=True)
    check_classification_targets(y)
    return y


def _refuse_missing(y):
    """Name the sequence that has None, NaN or pandas.NA for its label."""
    values = np.asarray(y)
    if values.dtype.kind in "US" and isinstance(y, list | tuple):
        values = np.array(y, dtype=object)  # beside strings NumPy makes "nan" of NaN
    if values.dtype.kind not in "Of" or values.ndim != 1:
        return
    for i, label in enumerate(values.tolist()):
        if is_missing(label):
            raise ValueError(f"y is {label} for sequence {i}; expected a label for each one")
