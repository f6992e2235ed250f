"""LSTMEncoder: the states of a recurrent network as features."""

import numpy as np
from sklearn.base import TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import validate_parameter_constraints
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import check_is_fitted

from ._base.asked import check_combination
from ._base.estimator import SequenceEstimator
from ._base.fits import fits, followed_inside, is_fitted_name
from ._base.given import Given
from ._base.listening import for_callbacks
from ._base.parameter import Parameter, one_of
from ._base.parameters import EARLY_STOPPING, takes
from ._base.state_features import state_features
from .architecture import DIRECTIONS
from .cells import CELLS, make_cell, plain
from .heads import RegressionHead, SoftmaxHead
from .pooling import POOLINGS, STEPS
from .targets import split_steps

ESTIMATOR = Parameter(
    "estimator", None, [SequenceEstimator, FrozenEstimator, None],
    "estimator of this package or None",
    """The estimator whose states are returned; `fit` fits a clone of it. A fitted one is used as it
    is if it is wrapped in `sklearn.frozen.FrozenEstimator`. None: the encoder itself learns,
    without `y`, to predict the next step of `X`. The network and training parameters apply only
    then; with an estimator, only `pooling`, `states` and `difference` are used.""",
)  # fmt: skip
OUTPUT = Parameter(
    "pooling", "last", *one_of(*POOLINGS),
    """What is returned of the top layer: for each sequence the final state of each direction, the
    mean over the steps, or the largest value of each unit; or, ragged, the states of all steps.""",
)  # fmt: skip
STATES = Parameter(
    "states", "h", *one_of("h", "c", "both"),
    "The hidden states, the cell states (of an LSTM), or both side by side.",
)  # fmt: skip
DIFFERENCE = Parameter(
    "difference", False, ["boolean"], "bool",
    """Whether to return, in place of the states, how much they change from step to step; the first
    change is that from the initial state.""",
)  # fmt: skip

BEST = EARLY_STOPPING._replace(
    meaning="""Whether the parameters of the epoch with the lowest training loss are kept at the
    end.""",
)
# It reads what it is to predict in one direction, and has no targets to score validation data with.
ALONE = dict(bidirectional=False, monitor="train", validation_fraction=0.1, scoring=None)


@takes(ESTIMATOR, OUTPUT, STATES, DIFFERENCE, BEST, **ALONE)
class LSTMEncoder(TransformerMixin, SequenceEstimator):
    """Turn sequences into the states of a recurrent network.

    In a `Pipeline`, one network can thus read another's states; in a `FeatureUnion`, states stand
    beside other features.

    Parameters
    ----------
    <parameters>

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator whose states are returned, if `estimator` is given.
    parameters_ : dict of str to ndarray
        As in `LSTMClassifier`, if `estimator` is None.
    loss_curve_ : list of float
        Mean training loss of each epoch, if `estimator` is None.
    n_iter_ : int
        Number of epochs, if `estimator` is None.
    best_iter_ : int
        The epoch whose parameters are kept, if `estimator` is None and `early_stopping` is True.
    vocabulary_ : Vocabulary
        The symbols, if `estimator` is None and `X` holds symbols; see
        `seqlearn_lstm.symbols.Vocabulary`.
    record_ : dict of str to ndarray
        What `record` asked for, if `estimator` is None; see the user guide.
    n_features_in_ : int
        Number of features of a step; if fitted on a table, the number of its columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if fitted on a list of DataFrames; names of the columns, if fitted on
        a DataFrame as a table.

    Notes
    -----
    Without `estimator`, numbers are predicted with the squared error and symbols with the
    cross-entropy, at every step but each sequence's last.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from seqlearn_lstm import LSTMClassifier, LSTMEncoder
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((n, 2)) for n in rng.integers(5, 20, 60)]
    >>> y = np.array([x.sum() > 0 for x in X])
    >>> lstm = LSTMClassifier((16,), learning_rate=0.01, max_iter=30, random_state=0)
    >>> model = make_pipeline(LSTMEncoder(estimator=lstm, pooling="mean"), LogisticRegression())
    >>> bool(model.fit(X, y).score(X, y) > 0.9)
    True
    >>> LSTMEncoder((3,), max_iter=1, random_state=0).fit(X).get_feature_names_out().tolist()
    ['forward_h0', 'forward_h1', 'forward_h2']
    """

    @fits
    def fit(self, X, y=None, *, lengths=None, **fit_params):
        """Fit the estimator, or learn to predict the next step.

        Parameters
        ----------
        X : list or array of sequences
            As in `LSTMClassifier.fit`, or as `estimator` reads it.
        y : array-like, default=None
            What `estimator` learns.
        lengths : array-like of int of shape (n_sequences,), default=None
            With three-dimensional `X`: how many steps of each sequence are real.
        **fit_params : dict
            What else the ``fit`` of `estimator` takes, such as ``sample_weight``; with scikit-learn's
            metadata routing, what `estimator` requests.

        Returns
        -------
        self : LSTMEncoder

        Raises
        ------
        ValueError, TypeError
            If the input cannot be used, or the loss diverged; the encoder is then as it was before.
        RuntimeError
            If `device` is "cuda", and no GPU can be used.
        """
        self._validate_params()
        self._check_cells_to_be()
        goes_on = self.estimator is None and self.warm_start and "estimator_" not in vars(self)
        if not goes_on:
            self._forget()
        if self.estimator is not None:
            return self._learn_inside(X, y, lengths, fit_params)
        if fit_params:
            raise TypeError(f"{sorted(fit_params)} were given, but there is no estimator")
        return self._learn_next(X, lengths)

    def _learn_inside(self, X, y, lengths, fit_params):
        """Fit a clone of `estimator`."""
        if _routing_enabled():
            fit_params = process_routing(self, "fit", **fit_params).estimator.fit
        inner, given = clone(self.estimator), {} if lengths is None else {"lengths": lengths}
        with followed_inside(self, inner, X, y):
            self.estimator_ = inner.fit(X, y, **fit_params, **given)
            for name in ("n_features_in_", "feature_names_in_"):
                vars(self).pop(name, None)
                if hasattr(self._source, name):
                    setattr(self, name, getattr(self._source, name))
            self._check_cells()
        return self

    def _forget(self):
        """Drop what an earlier fit left, which may have been of another kind."""
        for name in filter(is_fitted_name, list(vars(self))):
            delattr(self, name)

    def _learn_next(self, X, lengths):
        check_combination(self, partial=False)
        goes_on = self.warm_start and hasattr(self, "parameters_")
        sequences = self._read_sequences(X, lengths, goes_on)
        targets, last = np.roll(sequences.rows, -1, axis=0), sequences.offsets[1:] - 1
        weights = np.ones(len(targets))
        weights[last] = 0
        if not weights.any():
            raise ValueError(
                "every sequence of X has 1 step (of a table: n_features = 1), so that there is no "
                "next one to predict; expected longer sequences, or an estimator"
            )
        if hasattr(self, "vocabulary_"):
            head, targets = SoftmaxHead(len(self.vocabulary_)), targets[:, 0]
        else:
            head = RegressionHead(sequences.n_features, "squared_error", 1.0)
            targets = targets.astype(np.float64)
        told = for_callbacks(self, Given(X, lengths=lengths), sequences)
        return self._train(sequences, head, STEPS, targets, weights, goes_on=goes_on, told=told)

    def fit_transform(self, X, y=None, *, lengths=None, **fit_params):
        """Fit, and transform the same sequences.

        Parameters
        ----------
        X : list or array of sequences
            As in `fit`.
        y : array-like, default=None
            As in `fit`.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`; they are passed to `transform`, too.
        **fit_params : dict
            As in `fit`.

        Returns
        -------
        states : ndarray of shape (n_sequences, n_features_out), or (n_sequences,) of ndarrays
            As `transform` returns them.
        """
        # scikit-learn's own would not tell `transform` the lengths: padding would be read as data.
        return self.fit(X, y, lengths=lengths, **fit_params).transform(X, lengths=lengths)

    def transform(self, X, lengths=None):
        """The states of each sequence.

        Parameters
        ----------
        X : list or array of sequences
            As in `fit`.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.

        Returns
        -------
        states : ndarray of shape (n_sequences, n_features_out), or (n_sequences,) of ndarrays
            Columns in the order of `get_feature_names_out`; with ``pooling="steps"`` an object
            array with an array (n_timesteps_i, n_features_out) for each sequence.

        Raises
        ------
        ValueError, TypeError
            If X cannot be read, or the parameters ask for states that the network does not have.
        """
        self._check_output()
        is_ragged = self.pooling == STEPS
        if is_ragged and _get_output_config("transform", self)["dense"] != "default":
            raise ValueError(
                'pooling is "steps", whose ragged states fit in no data frame; expected '
                'set_output(transform="default")'
            )
        network, sequences, initial = self._source._prepared_steps(X, lengths, whole=is_ragged)
        found = state_features(
            network, sequences, initial, self.pooling, self._kinds, self.difference
        )
        return split_steps(found, sequences.offsets) if is_ragged else found

    def get_metadata_routing(self):
        """What this encoder takes itself, and what it passes on to `estimator`.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide on metadata routing.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        if self.estimator is None:
            return router
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def get_feature_names_out(self, input_features=None):
        """The direction, the kind of state and the unit of each column.

        Parameters
        ----------
        input_features : object, default=None
            Ignored.

        Returns
        -------
        names : ndarray of str, of shape (n_features_out,)
        """
        self._check_output()
        architecture = self._source._architecture
        directions = DIRECTIONS[: 2 if architecture["bidirectional"] else 1]
        names = [
            f"{direction}_{kind}{unit}"
            for kind in self._kinds
            for direction in directions
            for unit in range(architecture["hidden_layer_sizes"][-1])
        ]
        return np.array(names, dtype=object)

    @property
    def _kinds(self):
        return ("h", "c") if self.states == "both" else (self.states,)

    @property
    def _source(self):
        """The estimator whose states are handed out; of an encoder in this one, its own."""
        source = getattr(self, "estimator_", self)
        while isinstance(source, FrozenEstimator):
            source = source.estimator
        return source if source is self else getattr(source, "_source", source)

    def _prepared(self, X, lengths, device=None, whole=False):
        prepared = super()._prepared if self._source is self else self._source._prepared
        return prepared(X, lengths, device, whole)

    def _check_output(self):
        """Raise ValueError where the parameters, which may be newer than the fit, ask for what the
        network does not have.
        """
        check_is_fitted(self)
        constraints = {row.name: row.constraint for row in (OUTPUT, STATES, DIFFERENCE)}
        given = {name: getattr(self, name) for name in constraints}
        validate_parameter_constraints(constraints, given, type(self).__name__)
        self._check_cells()

    def _check_cells(self):
        """Raise ValueError where cell states are asked for of a network that has none, and TypeError
        where a frozen estimator is not of this package.
        """
        if not isinstance(self._source, SequenceEstimator):
            raise TypeError(
                f"estimator is a frozen {type(self._source).__name__}; expected an estimator of "
                "this package"
            )
        check_is_fitted(self._source)
        self._check_cell(*self._source._architecture["cell"])

    def _check_cells_to_be(self):
        """Raise ValueError before a fit where `_check_cells` would do so after it. A frozen
        estimator is left to that check, for nothing is fitted.
        """
        trained = self
        while isinstance(trained, LSTMEncoder) and trained.estimator is not None:
            trained = trained.estimator
        if not isinstance(trained, FrozenEstimator):
            self._check_cell(*plain(make_cell(trained.cell)))

    def _check_cell(self, name, settings):
        if "c" in self._kinds and CELLS[name](**settings).layer(False).n_kinds == 1:
            raise ValueError(f'states is {self.states!r}, but a cell of "{name}" has "h" only')

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_") or super().__sklearn_is_fitted__()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.transformer_tags.preserves_dtype = []
        return tags
