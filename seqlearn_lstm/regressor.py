"""LSTMRegressor: numbers for each sequence, or for each step."""

from numbers import Real

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_array, check_consistent_length

from ._base.given import Given
from ._base.parameter import Parameter, one_of
from ._base.parameters import POOLING, takes
from ._base.supervised import SupervisedEstimator
from .heads import ERRORS, RegressionHead
from .pooling import STEPS
from .sequences import place_of, refuse_kinds
from .targets import flatten_steps, split_steps

TARGET = Parameter(
    "target", "sequence", *one_of("sequence", "step"),
    """Whether to predict numbers for each sequence or for each of its steps; `pooling` has an
    effect on the former only.""",
)  # fmt: skip
LOSS = Parameter(
    "loss", "squared_error", *one_of(*ERRORS),
    """The loss to minimise: averaged over outputs, then over sequences or steps, weighted by
    `sample_weight`.""",
)  # fmt: skip
DELTA = Parameter(
    "delta", 1.0, [Interval(Real, 0, None, closed="neither")], "float",
    "The error at which Huber's loss turns from quadratic to linear, in the unit of the targets.",
)  # fmt: skip


@takes(POOLING, TARGET, LOSS, DELTA)
class LSTMRegressor(RegressorMixin, SupervisedEstimator):
    """Predict numbers from sequences of any length with a long short-term memory network.

    One or several numbers for each sequence, from the pooled states, or for each step, from its
    state. Targets far from unit scale are learned slowly:
    `sklearn.compose.TransformedTargetRegressor` standardises them.

    `fit` takes `y` of shape (n_sequences,) or (n_sequences, n_outputs); with ``target="step"`` a
    list of arrays of shape (n_timesteps_i,) or (n_timesteps_i, n_outputs).

    Parameters
    ----------
    <parameters>

    Attributes
    ----------
    n_outputs_ : int
        How many numbers are predicted for each sequence or step.
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
        Number of features of a step; if fitted on a table, the number of its columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if fitted on a list of DataFrames; names of the columns, if fitted on
        a DataFrame as a table.

    References
    ----------
    Huber, P. J., "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35(1), 1964.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm import LSTMRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((n, 2)) for n in rng.integers(5, 10, 80)]
    >>> y = [x[:, 0].mean() for x in X]
    >>> model = LSTMRegressor((16,), learning_rate=0.01, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.8)
    True
    """

    def partial_fit(self, X, y, sample_weight=None, lengths=None, initial_states=None):
        """Make one more pass over sequences, old ones or new.

        Parameters
        ----------
        X : list or array of sequences
            As in `fit`.
        y : array-like
            As in `fit`.
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
            As `fit`.
        """
        return self._learn(Given(X, y, sample_weight, lengths, initial_states), partial=True)

    def _read_targets(self, y, sequences, sample_weight, classes, goes_on):
        targets = self._check_targets(y, sequences)
        weights = self._check_weights(sample_weight, np.ones(len(sequences)))
        if self.target == "step":
            weights = np.repeat(weights, sequences.lengths)
        self._flat_target = targets.ndim == 1
        targets = targets.reshape(len(targets), -1)
        self.n_outputs_ = targets.shape[1]
        head = RegressionHead(self.n_outputs_, self.loss, self.delta)
        return head, STEPS if self.target == "step" else self.pooling, targets, weights

    def _check_targets(self, y, sequences):
        """Targets as a float64 array (n,) or (n, n_outputs), of sequences or rows."""
        if self.target == "step":
            y = flatten_steps(y, sequences.offsets)
        refuse_kinds(np.asarray(y), "y")
        checks = dict(ensure_2d=False, dtype=np.float64, input_name="y")
        y = check_array(y, **checks, ensure_all_finite=self.target == "sequence")
        if self.target == "step":
            _check_finite(y, sequences.offsets)
        if y.ndim > 2 or (y.ndim == 2 and y.shape[1] == 0):
            raise ValueError(
                f"y has shape {y.shape}; expected a number, or a row of numbers, for each sequence or step"
            )
        check_consistent_length(sequences if self.target == "sequence" else sequences.rows, y)
        return y

    def _check_others(self, others, sequences):
        targets = self._check_targets(others.y, sequences)
        n_outputs = targets.reshape(len(targets), -1).shape[1]
        if n_outputs != self.n_outputs_:
            raise ValueError(
                f"y has {n_outputs} outputs; expected {self.n_outputs_}, as in the fit"
            )

    def predict(self, X, lengths=None, initial_states=None):
        """The numbers of each sequence, or of each step.

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
        y : ndarray of shape (n_sequences,) or (n_sequences, n_outputs)
            Float64; with ``target="step"`` an object array of one array (n_timesteps_i,) or
            (n_timesteps_i, n_outputs) each.
        """
        values, sequences = self._flat_prediction(X, lengths, initial_states)
        if self._architecture["pooling"] == STEPS:
            return split_steps(values, sequences.offsets)
        return values

    def _flat_prediction(self, X, lengths, initial_states=None):
        scores, sequences = self._scores(X, lengths, initial_states)
        return self._decided(scores), sequences

    def _decided(self, scores):
        values = scores.astype(np.float64)
        return values[:, 0] if self._flat_target else values

    def score(self, X, y, sample_weight=None, lengths=None, initial_states=None):
        """The coefficient of determination, R2, over the sequences or, with ``target="step"``, over
        all steps.

        Parameters
        ----------
        X : list or array of sequences
            As in `fit`.
        y : array-like
            As in `fit`.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weight of each sequence.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            As in `fit`.

        Returns
        -------
        r2 : float
        """
        self._check_given(y)
        values, sequences = self._flat_prediction(X, lengths, initial_states)
        if sample_weight is not None:
            sample_weight = self._check_weights(sample_weight, np.ones(len(sequences)))
        if self._architecture["pooling"] == STEPS:
            y = flatten_steps(y, sequences.offsets)
            if sample_weight is not None:
                sample_weight = np.repeat(sample_weight, sequences.lengths)
        return r2_score(y, values, sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _check_finite(y, offsets):
    """Raise ValueError where a target of a step, (n_rows,) or (n_rows, n_outputs), is no finite number."""
    rows = np.flatnonzero(~np.isfinite(y).reshape(len(y), -1).all(axis=1))
    if len(rows):
        i, step = place_of(rows[0], offsets)
        raise ValueError(
            f"y of sequence {i} is {y[rows[0]]} at time step {step}; expected finite numbers"
        )
