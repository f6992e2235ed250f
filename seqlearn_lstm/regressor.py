"""LSTMRegressor: numbers for each sequence, or for each step."""

from numbers import Real

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_array, check_consistent_length

from ._estimator import SequenceEstimator
from .heads import ERRORS, RegressionHead
from .pooling import STEPS
from .targets import flatten_steps, split_steps


class LSTMRegressor(RegressorMixin, SequenceEstimator):
    """Predict numbers from sequences of any length with a long short-term memory network.

    One or several numbers for each sequence, from the pooled states, or for each step, from its
    state. Targets far from unit scale are learned slowly:
    `sklearn.compose.TransformedTargetRegressor` standardises them.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each LSTM layer, from the bottom.
    bidirectional : bool, default=False
        Whether each layer reads the sequence in both directions, with as many units each.
    pooling : {"last", "mean", "max"}, default="last"
        What the output layer sees of the top layer: the final state of each direction, the mean of
        the states over the steps, or each unit's largest.
    target : {"sequence", "step"}, default="sequence"
        Whether there are numbers for each sequence or for each of its steps; `pooling` is for the
        former.
    loss : {"squared_error", "absolute_error", "huber"}, default="squared_error"
        What is minimised: the mean over the outputs, and over sequences or steps by their weights.
    delta : float, default=1.0
        Where Huber's loss turns from quadratic to linear.
    solver : {"adam", "sgd"} or solver object, default="adam"
        How the parameters are updated; see `seqlearn_lstm.solvers`.
    learning_rate : float, default=1e-3
        Step size of the solver.
    alpha : float, default=0.0
        Strength of the L2 penalty on weights (not on biases): each batch's loss, a mean over its
        sequences, grows by ``alpha / 2 * |W|^2`` divided by the sum of their weights, as in
        scikit-learn's `MLPClassifier`.
    clip_norm : float or None, default=1.0
        Largest Euclidean norm of a batch's gradient; a longer one is scaled down. None: no limit.
    batch_size : int or None, default=32
        Sequences per update. None: all of them.
    max_iter : int, default=100
        Most passes over the data (epochs).
    shuffle : bool, default=True
        Whether each epoch draws a new order of the sequences.
    tol : float, default=1e-4
        An epoch makes progress if its mean loss is lower than the best so far by more than this.
    n_iter_no_change : int or None, default=10
        Training ends after so many epochs in a row without progress. None: it goes on to
        `max_iter`.
    random_state : int, RandomState instance or None, default=None
        Fixes the initial weights and the order of the sequences, and with them every bit of the
        fitted model.
    n_jobs : int or None, default=None
        Number of threads; None and -1: all that this process may use (joblib leaves its process
        workers their share of the cores). The result does not depend on it.
    dtype : {"float32", "float64"}, default="float32"
        Precision of all computations.
    verbose : int, default=0
        1 prints a line after each epoch.

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
    n_features_in_ : int
        Number of features: of a step, or, fitted on a table, of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, fitted on a table that has them.

    References
    ----------
    P. J. Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35(1), 1964.

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

    _parameter_constraints = {
        **SequenceEstimator._parameter_constraints,
        "target": [StrOptions({"sequence", "step"})],
        "loss": [StrOptions(set(ERRORS))],
        "delta": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        *,
        bidirectional=False,
        pooling="last",
        target="sequence",
        loss="squared_error",
        delta=1.0,
        solver="adam",
        learning_rate=1e-3,
        alpha=0.0,
        clip_norm=1.0,
        batch_size=32,
        max_iter=100,
        shuffle=True,
        tol=1e-4,
        n_iter_no_change=10,
        random_state=None,
        n_jobs=None,
        dtype="float32",
        verbose=0,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.target = target
        self.loss = loss
        self.delta = delta
        self.solver = solver
        self.learning_rate = learning_rate
        self.alpha = alpha
        self.clip_norm = clip_norm
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.dtype = dtype
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None, lengths=None):
        """Fit the network.

        Parameters
        ----------
        X : list or array of sequences
            Arrays of shape (n_timesteps_i, n_features) of any lengths, a (n_sequences, n_timesteps,
            n_features) array, or a (n_sequences, n_timesteps) table of one-feature sequences; see
            the user guide.
        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs)
            Numbers; with ``target="step"`` a list of arrays of shape (n_timesteps_i,) or
            (n_timesteps_i, n_outputs).
        sample_weight : array-like of shape (n_sequences,), default=None
            Weight of each sequence in the loss.
        lengths : array-like of int of shape (n_sequences,), default=None
            With three-dimensional `X`: how many steps of each sequence are real.

        Returns
        -------
        self : LSTMRegressor

        Raises
        ------
        ValueError, TypeError
            If the input cannot be used, or the loss diverged; the estimator is then as it was
            before.
        """
        with self._unchanged_on_error():
            self._validate_params()
            self._check_given(y)
            sequences = self._read_sequences(X, lengths)
            targets = self._check_targets(y, sequences)
            weights = self._check_weights(sample_weight, np.ones(len(sequences)))
            if self.target == "step":
                weights = np.repeat(weights, sequences.lengths)
            self._flat_target = targets.ndim == 1
            targets = targets.reshape(len(targets), -1)
            self.n_outputs_ = targets.shape[1]
            head = RegressionHead(self.n_outputs_, self.loss, self.delta)
            pooling = STEPS if self.target == "step" else self.pooling
            return self._train(sequences, head, pooling, targets, weights)

    def _check_targets(self, y, sequences):
        """Targets as a float64 array (n,) or (n, n_outputs), of sequences or rows."""
        if self.target == "step":
            y = flatten_steps(y, sequences.offsets)
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        if y.ndim > 2 or (y.ndim == 2 and y.shape[1] == 0):
            raise ValueError(
                f"y must hold one number or a row of numbers each, got shape {y.shape}"
            )
        check_consistent_length(sequences if self.target == "sequence" else sequences.rows, y)
        return y

    def predict(self, X, lengths=None):
        """The numbers of each sequence, or of each step.

        Parameters
        ----------
        X : list or array of sequences
            As in `fit`.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.

        Returns
        -------
        y : ndarray of shape (n_sequences,) or (n_sequences, n_outputs)
            Float64; with ``target="step"`` an object array of one array (n_timesteps_i,) or
            (n_timesteps_i, n_outputs) each.
        """
        values, sequences = self._flat_prediction(X, lengths)
        if self._architecture["pooling"] == STEPS:
            return split_steps(values, sequences.offsets)
        return values

    def _flat_prediction(self, X, lengths):
        scores, sequences = self._scores(X, lengths)
        values = scores.astype(np.float64)
        return (values[:, 0] if self._flat_target else values), sequences

    def score(self, X, y, sample_weight=None, lengths=None):
        """The coefficient of determination R2, over sequences or, with ``target="step"``, over all
        steps.

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

        Returns
        -------
        r2 : float
        """
        values, sequences = self._flat_prediction(X, lengths)
        if self._architecture["pooling"] == STEPS:
            y = flatten_steps(y, sequences.offsets)
            if sample_weight is not None:
                sample_weight = np.repeat(sample_weight, sequences.lengths)
        return r2_score(y, values, sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
