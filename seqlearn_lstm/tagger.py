"""LSTMSequenceTagger: a label for each step of a sequence."""

import warnings
from numbers import Real

import numpy as np
from sklearn.utils.validation import _check_sample_weight, validate_data

from ._base.given import some
from ._base.parameters import CLASS_WEIGHT, takes
from ._base.supervised import LabelEstimator
from .heads import SoftmaxHead
from .labels import (
    are_equal,
    as_labels,
    check_step_labels,
    class_factors,
    code_labels,
    is_minus_one,
    is_missing,
    missing_labels,
)
from .pooling import STEPS
from .sequences import Sequences, check_finite, is_tabular, refuse_kinds, refuse_lossy
from .targets import (
    are_for_each,
    check_one_per_row,
    concatenated,
    flatten_steps,
    is_flat,
    split_some,
    split_steps,
)

_NOT_KNOWN = "which says of a step that its label is not known; expected labels that are classes"


@takes(CLASS_WEIGHT)
class LSTMSequenceTagger(LabelEstimator):
    """Label every step of sequences of any length with a long short-term memory network.

    The states of the top layer at each step go through a softmax over the classes; the
    cross-entropy over all labelled steps is minimised by back-propagation through time. With
    ``bidirectional=True`` a label depends on what follows, too.

    It takes lists or arrays of sequences as all estimators here do, with a list of label arrays;
    or, as seqlearn and hmmlearn have it, all rows one after another with ``lengths``, and a label
    for each row. Weights are for sequences, or, as a list of arrays or flat, for steps.

    Parameters
    ----------
    <parameters>

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    parameters_ : dict of str to ndarray
        As in `LSTMClassifier`.
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
        Number of features of a step.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if fitted on DataFrames.

    Notes
    -----
    Steps with the label None, NaN or pandas.NA, or the integer -1, are unknown: they count neither in
    the loss nor in the score.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm import LSTMSequenceTagger
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((n, 1)) for n in rng.integers(5, 20, 60)]
    >>> y = [np.where(np.cumsum(x) > 0, "above", "below") for x in X]
    >>> tagger = LSTMSequenceTagger((16,), learning_rate=0.01, random_state=0).fit(X, y)
    >>> tagger.predict(X[:1])[0].shape == y[0].shape
    True
    """

    def _read_targets(self, y, sequences, sample_weight, classes, goes_on):
        labels, known = self._check_targets(y, sequences)
        possible = self._possible_classes(classes, goes_on)
        self.classes_, codes = code_labels(check_step_labels(labels, known), possible)
        _refuse_unknown(self.class_weight, self.classes_)
        _warn_of_one_class(self.classes_, labels[~known])
        targets, factors = np.full(len(labels), -1), np.zeros(len(labels))
        targets[known] = codes
        weights = self._row_weights(sample_weight, sequences)
        weights = self._check_weights(weights, known.astype(np.float64))
        factors[known] = class_factors(
            self.class_weight, self.classes_, self.classes_[codes], weights[known]
        )
        weights = self._check_weights(weights, factors)
        return self._head, STEPS, targets, weights

    def _check_targets(self, y, sequences):
        """The labels of all steps, and which of them are known."""
        labels = self._flat(y, sequences, "y")
        known = ~missing_labels(labels)
        if not known.any():
            raise ValueError("y has no known label: every step is None, NaN or -1")
        return labels, known

    def _check_others(self, others, sequences):
        labels, known = self._check_targets(others.y, sequences)
        self._check_some_known(labels[known])
        if not self._row_weights(others.sample_weight, sequences)[known].any():
            raise ValueError("sample_weight is 0 for all steps whose label is known")

    def _part_of(self, y, sequences, indices):
        if getattr(y, "ndim", 1) == 1 and not is_flat(y):
            return some(y, indices)
        return split_some(self._flat(y, sequences, "y"), sequences, indices)

    def _weights_of(self, sample_weight, sequences, indices):
        weights = self._row_weights(sample_weight, sequences)
        parts = split_some(self._check_weights(weights, np.ones(len(weights))), sequences, indices)
        if all((part == part[0]).all() for part in parts):
            return np.array([part[0] for part in parts])  # what metrics of whole sequences take
        return list(parts)

    def predict(self, X, lengths=None, initial_states=None):
        """The most probable label of each step.

        Parameters
        ----------
        X : list or array of sequences, or array-like of shape (n_rows, n_features)
            As in `fit`.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            As in `fit`.

        Returns
        -------
        y : ndarray of object of shape (n_sequences,), or ndarray of shape (n_rows,)
            For each sequence an array of shape (n_timesteps_i,); for concatenated rows a flat array.
        """
        return self._in_its_form(X, lengths, *self._said(X, lengths, initial_states))

    def predict_proba(self, X, lengths=None, initial_states=None):
        """The probability of each class at each step.

        Parameters
        ----------
        X : list or array of sequences, or array-like of shape (n_rows, n_features)
            As in `fit`.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            As in `fit`.

        Returns
        -------
        probabilities : ndarray of object of shape (n_sequences,), or ndarray of shape (n_rows, n_classes)
            For each sequence an array of shape (n_timesteps_i, n_classes), float64; for concatenated
            rows one array of all rows. Columns in the order of `classes_`.
        """
        found = self._in_blocks(SoftmaxHead.probabilities, X, lengths, initial_states)
        return self._in_its_form(X, lengths, *found)

    def predict_log_proba(self, X, lengths=None, initial_states=None):
        """The logarithm of the probability of each class at each step.

        Parameters
        ----------
        X : list or array of sequences, or array-like of shape (n_rows, n_features)
            As in `fit`.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            As in `fit`.

        Returns
        -------
        log_probabilities : ndarray of object of shape (n_sequences,), or ndarray of shape (n_rows, n_classes)
            In the form of `predict_proba`; finite even where that gives 0.
        """
        found = self._in_blocks(SoftmaxHead.log_probabilities, X, lengths, initial_states)
        return self._in_its_form(X, lengths, *found)

    def _in_its_form(self, X, lengths, rows, sequences):
        """What was predicted for all rows: flat where X came so, otherwise an array for each sequence."""
        return rows if self._reads_table(X, lengths) else split_steps(rows, sequences.offsets)

    def score(self, X, y, sample_weight=None, lengths=None, initial_states=None):
        """The share of steps whose label is right, among those whose label is known.

        Parameters
        ----------
        X : list or array of sequences, or array-like of shape (n_rows, n_features)
            As in `fit`.
        y : list of array-likes of shape (n_timesteps_i,), or array-like of shape (n_rows,)
            The labels.
        sample_weight : array-like, default=None
            As in `fit`.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            As in `fit`.

        Returns
        -------
        accuracy : float

        Raises
        ------
        ValueError
            If no step has a known label and a weight.
        """
        self._check_given(y)
        said, sequences = self._said(X, lengths, initial_states)
        labels = self._flat(y, sequences, "y")
        weights = _check_sample_weight(
            self._row_weights(sample_weight, sequences), sequences.rows, dtype=np.float64,
            ensure_non_negative=True,
        )  # fmt: skip
        known = ~missing_labels(labels)
        if not weights[known].any():
            raise ValueError(
                "no step has a known label and a weight; expected at least one in what is scored"
            )
        return float(np.average(are_equal(said[known], labels[known]), weights=weights[known]))

    # ---- input ---------------------------------------------------------------------------------

    def _is_table(self, X, lengths, y=None):
        is_list = isinstance(X, list | tuple) and lengths is None
        return is_tabular(X) and not (is_list and are_for_each(y, X))

    def _reads_table(self, X, lengths):
        if hasattr(self, "vocabulary_"):
            return False
        # Lists of numbers are sequences of one feature where they were in `fit`, however long now.
        is_list = isinstance(X, list | tuple) and self._n_step_features == 1 and not self._tabular
        return is_tabular(X) and not is_list

    def _read_table(self, X, lengths, reset):
        """Concatenated rows: here a table is no collection of one-feature sequences."""
        given = validate_data(self, X, ensure_all_finite=False, reset=reset)
        refuse_kinds(given, "X")
        with np.errstate(over="ignore"):  # an error follows
            rows = np.ascontiguousarray(given, self.dtype if reset else self._dtype)
        sequences = concatenated(rows, lengths)
        check_finite(sequences, Sequences(given, sequences.offsets))
        return sequences

    def _possible_classes(self, classes, goes_on):
        """As in the base; what stands for "not known" is refused."""
        if classes is not None:
            classes = as_labels(classes, "classes")
            unknown = classes[missing_labels(classes)].tolist()
            if unknown:
                raise ValueError(f"classes has {unknown[0]!r}, {_NOT_KNOWN}")
            if classes.dtype == object:
                classes = np.array(classes.tolist())
        return super()._possible_classes(classes, goes_on)

    def _flat(self, y, sequences, name):
        """Labels of all rows, flat, whether they came so or as a list of arrays."""
        if not is_flat(y):
            return flatten_steps(y, sequences.offsets, name, labels=True)
        labels = as_labels(y, name)
        check_one_per_row(labels, sequences, name)
        return labels

    def _row_weights(self, sample_weight, sequences):
        """A weight for each row, from one for each sequence or for each row."""
        refuse_lossy(sample_weight, "sample_weight", "0")
        if sample_weight is None:
            return np.ones(len(sequences.rows))
        if isinstance(sample_weight, Real):
            return np.full(len(sequences.rows), sample_weight)
        if not is_flat(sample_weight):
            return flatten_steps(sample_weight, sequences.offsets, "sample_weight")
        weights = np.asarray(sample_weight)
        if len(weights) == len(sequences):
            return np.repeat(weights, sequences.lengths)
        check_one_per_row(weights, sequences, "sample_weight")
        return weights


def _warn_of_one_class(classes, unknown):
    """Warn where all labels are one class and the integer -1, which may be meant as the other."""
    if len(classes) == 1 and any(map(is_minus_one, unknown.tolist())):
        warnings.warn(
            f"y has the labels -1 and {classes.tolist()[0]!r} alone, and the integer -1 says that a label is "
            "not known, so that there is one class to learn; expected other labels, such as 0 and 1, where "
            "-1 is a class",
            UserWarning,
            stacklevel=2,
        )


def _refuse_unknown(class_weight, classes):
    """Refuse weights for what stands for "not known"; a -1 among floats is a class."""
    for label in class_weight if isinstance(class_weight, dict) else ():
        if is_missing(label) or (is_minus_one(label) and label not in classes.tolist()):
            raise ValueError(f"class_weight has {label!r}, {_NOT_KNOWN}")
