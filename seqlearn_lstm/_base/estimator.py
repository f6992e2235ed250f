"""What the front doors share: train, keep host arrays, run sequences through the fitted network."""

import warnings

import numpy as np
from sklearn.utils._param_validation import validate_parameter_constraints
from sklearn.utils.validation import check_is_fitted

from .._named import Searchable
from ..architecture import Architecture
from ..cells import CELLS
from ..kernels import get_backend
from ..network import Network
from ..pooling import STEPS
from ..schedules import SCHEDULES
from ..sequences import truncate_sequences
from ..solvers import SOLVERS
from ..summary import layer_lines, layer_table
from ..unrolling import runs, scored, windows
from .asked import threads_of
from .fits import TRANSIENT
from .fitting import FitsNetwork
from .reading import check_initial

WHERE = ("device", "n_jobs", "precision")
FORMAT_VERSION = 3  # of what is pickled


class SequenceEstimator(FitsNetwork, Searchable):
    """Base of the estimators: a recurrent network with some head.

    Streams, encoders and `inspection` use fitted estimators through these names, which no subclass
    may drop or give another meaning. Other private names stay within `_base` and the estimator:

    ``_source``                         the estimator that holds the network, mostly the one itself
    ``_architecture``                   the settings of its network, as a dict
    ``_bound_network(kernels, n_jobs)`` the fitted network
    ``_prepared(X, lengths, device)``   the fitted network, and X as it reads it
    ``_prepared_steps(X, lengths, whole)``  both, and the states before the first step of X; whole: of
                                        no sequence a step is cut off
    ``_read_again(X, lengths)``         X as a container with the features of `fit`
    ``_read_on(X, lengths)``            the same, of sequences that go on from given states
    ``_check_names(X)``                 refuses DataFrames with other columns than those of `fit`
    ``_code(symbol)``                   the code of one symbol, checked
    ``_symbols_read(x)``                the symbols of a sequence, and any that are read beside them
    ``_possible(scores)``               scores, those that cannot be meant out of the way
    ``_head``                           where there are predictions: turns scores into probabilities
    ``_decided(scores)``                where there are predictions: turns scores into them
    """

    _tables = {"solver": SOLVERS, "schedule": SCHEDULES, "cell": CELLS}
    # The cure where nothing can be held out
    _more_to_hold_out = "more sequences, or X_val and y_val"

    # ---- predict -------------------------------------------------------------------------------

    def _scores(self, X, lengths, initial_states=None):
        """The network's scores in the caller's order, and the sequences.

        Returns
        -------
        scores : ndarray of shape (n_sequences, n_out) or (n_rows, n_out)
            Of sequences; or of rows, for a network with an output at each step.
        sequences : Sequences
        """
        blocks, n, sequences = self._predicting(X, lengths, initial_states)
        scores = np.empty((n, self._architecture["n_out"]), self._dtype)
        for block, index in blocks:
            scores[index] = block
        return scores, sequences

    def _predicting(self, X, lengths, initial_states=None):
        """What `_blocks_of_scores` yields, how many there are of all scores, and the sequences."""
        network, sequences = self._prepared(X, lengths)
        n = len(sequences.rows) if network.pooling.per_step else len(sequences)
        if initial_states is None and hasattr(self, "_validation"):  # who scores passes none
            initial_states = self._validation.states_of(X)
        initial = check_initial(initial_states, sequences, network)
        return self._blocks_of_scores(network, sequences, initial), n, sequences

    def _blocks_of_scores(self, network, sequences, initial):
        """Yield scores (n, n_out), a block at a time, and to which sequence, or row, each belongs."""
        for scores, index in scored(network, sequences, initial):
            known = index >= 0
            scores = network.kernels.to_host(scores)
            yield scores[known, : network.architecture.n_out], index[known]

    def _possible(self, scores):
        """Scores (n, n_out) with those that cannot be meant out of the way: here, all can."""
        return scores

    def final_states(self, X, lengths=None, initial_states=None):
        """All states after the last step of each sequence, from which another sequence can go on.

        Parameters
        ----------
        X : list or array of sequences
            As in `fit`.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            The states before the first step; None: those that `fit` started from. If they are
            given, a language model does not read its start mark.

        Returns
        -------
        states : ndarray of shape (n_sequences, n_states)
            Side by side, for each layer from the bottom and each of its directions, the hidden
            states and, for an LSTM, the cell states.
        """
        check_is_fitted(self)
        if initial_states is not None:
            X, lengths = self._source._read_on(X, lengths), None
        network, sequences = self._prepared(X, lengths)
        initial = check_initial(initial_states, sequences, network)
        found = np.empty((len(sequences), network.state_width), network.dtype)
        for run in runs(network, sequences, initial):
            for window in windows(network, run.batch):
                run.forward(window, False)
            found[run.batch.members] = run.states
        return found

    def _prepared(self, X, lengths, device=None, whole=False):
        """The fitted network, and X as it reads it; `whole`: with the steps that `max_timesteps` cuts
        off.
        """
        check_is_fitted(self)
        self._check_where()
        sequences = self._read_again(X, lengths)
        if self._architecture["pooling"] != STEPS and not whole:
            sequences, _ = truncate_sequences(sequences, self.max_timesteps, self.truncate)
        kernels = self._kernels if device is None else get_backend(device)
        return self._bound_network(kernels, threads_of(self, kernels)), sequences

    def _check_where(self):
        """Raise ValueError where the parameters that say where and how to compute, which may be newer
        than the fit, cannot be used.
        """
        constraints = {name: self._parameter_constraints[name] for name in WHERE}
        given = {name: getattr(self, name) for name in WHERE}
        validate_parameter_constraints(constraints, given, type(self).__name__)

    def _read_on(self, X, lengths):
        """`_read_again` of sequences that go on from given states: what it would put before them was
        read before those states.
        """
        return self._read_again(X, lengths)

    def _prepared_steps(self, X, lengths, whole):
        """`_prepared` for who wants the states of the steps of X: the third value are the states
        before the first step, None: those that `fit` started from.
        """
        return *self._prepared(X, lengths, whole=whole), None

    def _bound_network(self, kernels, n_jobs):
        """The fitted network."""
        check_is_fitted(self)
        architecture = Architecture(**self._architecture)
        network = Network(architecture, kernels, self._dtype, n_jobs, precision=self.precision)
        network.set_parameters(self.parameters_)
        return network

    def summary(self, output_dict=False):
        """The layers of the fitted network: their outputs and how many parameters they have.

        Parameters
        ----------
        output_dict : bool, default=False
            Whether plain values are returned instead of text.

        Returns
        -------
        summary : str or dict
            A table; T stands for the steps of a sequence. Or a dict: ``"layers"``, a list of dicts
            with ``"name"``, ``"kind"``, ``"output_shape"`` (None for T) and ``"n_parameters"``, and
            ``"n_parameters"``, of all layers.

        Examples
        --------
        >>> import numpy as np
        >>> from seqlearn_lstm import LSTMClassifier
        >>> X, y = np.ones((4, 28, 28)), [0, 1, 0, 1]
        >>> print(LSTMClassifier((100,), max_iter=1).fit(X, y).summary())
        layer    kind     output shape  parameters
        ------------------------------------------
        input    numbers  (T, 28)                0
        layer_0  LSTM     (T, 100)          51,600
        pooling  last     (100,)                 0
        output   dense    (2,)                 202
        ------------------------------------------
        total                               51,802
        """
        check_is_fitted(self)
        fitted = self._source
        table = layer_table(Architecture(**fitted._architecture), fitted.parameters_)
        return table if output_dict else layer_lines(table)

    @property
    def _source(self):
        """The estimator that holds the network."""
        return self

    # ---- scikit-learn --------------------------------------------------------------------------

    def __sklearn_is_fitted__(self):
        return hasattr(self, "parameters_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags

    def __getstate__(self):
        state = super().__getstate__() | {"_format_version": FORMAT_VERSION}
        return {name: value for name, value in state.items() if name not in TRANSIENT}

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_format_version", None)
        if version != FORMAT_VERSION:
            warnings.warn(
                f"this {type(self).__name__} was saved in format {version}, this version of seqlearn_lstm reads "
                f"format {FORMAT_VERSION}: check its predictions, or fit it again",
                UserWarning,
                stacklevel=2,
            )
        super().__setstate__(state)
