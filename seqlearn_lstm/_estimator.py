"""What the front doors share: check the input, train, keep host arrays, run sequences through the
fitted network.
"""

import warnings
from contextlib import contextmanager
from dataclasses import asdict
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from .architecture import Architecture
from .batches import prediction_batches
from .cells import make_cell, plain
from .dropout import Rates
from .kernels import get_backend
from .network import Network
from .pooling import STEPS
from .sequences import check_sequences, is_tabular, truncate_sequences
from .solvers import make_solver
from .symbols import Vocabulary, check_symbols, holds_symbols
from .training import INITIAL, Settings, Task, first_state, random_stream, train

FORMAT_VERSION = 2  # of what is pickled
EMBEDDING_DIM = 64  # of strings, where nothing else is said


class SequenceEstimator(BaseEstimator):
    """Base of the estimators: a recurrent network with some head."""

    # ---- fit -----------------------------------------------------------------------------------

    def _check_given(self, y):
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y is None."
            )

    def _read_sequences(self, X, lengths):
        """X of `fit` as a ragged container; sets what scikit-learn says about features."""
        symbols = self.embedding_dim is not None or holds_symbols(X)
        self._tabular = not symbols and self._is_table(X, lengths)
        vars(self).pop("vocabulary_", None)  # of an earlier fit
        if symbols:
            sequences = self._learn_symbols(X, lengths)
        elif self._tabular:
            sequences = self._read_table(X, lengths, reset=True)
        else:
            sequences = check_sequences(X, dtype=self.dtype, lengths=lengths)
        if not self._tabular:
            self.n_features_in_ = sequences.n_features
            vars(self).pop("feature_names_in_", None)  # of an earlier fit
        self._n_step_features = sequences.n_features
        return sequences

    def _learn_symbols(self, X, lengths):
        """X of symbols as their codes, by a vocabulary learned from it."""
        symbols = _check_symbols(X, lengths)
        self.vocabulary_ = Vocabulary.learn(symbols, self.min_count, self.max_vocabulary)
        return self.vocabulary_.encode(symbols)

    def _is_table(self, X, lengths):
        return lengths is None and is_tabular(X)

    def _reads_table(self, X, lengths):
        """Whether X of a prediction is a table as `fit` got one."""
        return self._tabular and self._is_table(X, lengths)

    def _read_table(self, X, lengths, reset):
        """A table: one-feature sequences, time along the columns."""
        with np.errstate(over="ignore"):  # scikit-learn's own message follows
            X = validate_data(self, X, dtype=self.dtype if reset else self._dtype, reset=reset)
        return check_sequences(X, dtype=self.dtype if reset else self._dtype)

    def _check_weights(self, sample_weight, factors):
        """The weight of each target in the loss: the user's times a factor, its class's weight for
        instance (n,).
        """
        weights = factors * _check_sample_weight(
            sample_weight, np.empty((len(factors), 0)), dtype=np.float64, ensure_non_negative=True
        )
        if not (weights.any() and (weights >= 0).all() and np.isfinite(weights).all()):
            raise ValueError(
                "sample_weight, times class_weight where there is one, must be finite, not negative, and above zero for "
                "some target"
            )
        return weights

    def _train(self, sequences, head, pooling, targets, weights, initial_states=None):
        """Fit the network and keep it as plain arrays and values."""
        kernels, solver = self._kernels, make_solver(self.solver)
        architecture = self._plan(sequences, head, pooling)
        sequences, kept = truncate_sequences(sequences, self.max_timesteps, self.truncate)
        if pooling == STEPS:
            targets, weights = targets[kept], weights[kept]
        network = Network(
            architecture, kernels, self.dtype, self._threads(kernels), self.recurrent_dropout > 0
        )
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        with threadpool_limits(1, user_api="blas"):  # its threads go on spinning, on our cores
            network.set_parameters(network.initial_parameters(random_stream(seed, INITIAL)))
        state = first_state(network, solver, seed)
        settings = self._settings(network, len(sequences))
        initial = _check_initial(initial_states, sequences, network)
        try:
            train(
                Task(network, head, solver, sequences, targets, weights, settings, initial), state
            )
        except FloatingPointError as error:
            raise ValueError(f"{type(self).__name__}: {error}") from None
        self._architecture = asdict(architecture)
        self._dtype = self.dtype
        self.parameters_ = network.get_parameters()
        self.loss_curve_ = state.loss_curve
        self.n_iter_ = state.epoch
        return self

    def _plan(self, sequences, head, pooling):
        """The network that the parameters and the data ask for."""
        symbols = hasattr(self, "vocabulary_")
        return Architecture(
            n_in=len(self.vocabulary_) if symbols else sequences.n_features,
            hidden_layer_sizes=_check_sizes(self.hidden_layer_sizes),
            bidirectional=bool(self.bidirectional),
            pooling=pooling,
            n_out=head.n_outputs,
            cell=plain(make_cell(self.cell)),
            embedding_dim=(self.embedding_dim or EMBEDDING_DIM) if symbols else None,
            input_projection=self.input_projection,
            learn_initial=self.initial_state == "learned",
        )

    def _settings(self, network, n_sequences):
        never = self.n_iter_no_change is None
        return Settings(
            batch_size=n_sequences if self.batch_size is None else int(self.batch_size),
            max_iter=self.max_iter,
            shuffle=self.shuffle,
            tol=self.tol,
            n_iter_no_change=self.max_iter if never else self.n_iter_no_change,
            learning_rate=self.learning_rate,
            alpha=self.alpha,
            clip_norm=self.clip_norm,
            dropout=Rates(
                self.input_dropout, self.dropout, self.recurrent_dropout, self._symbol_dropout()
            ),
            n_jobs=network.n_jobs,
            verbose=int(self.verbose),
        )

    def _symbol_dropout(self):
        return self.embedding_dropout if hasattr(self, "vocabulary_") else 0.0

    def _threads(self, kernels):
        """How many threads `n_jobs` means here."""
        available = kernels.available_threads()
        if self.n_jobs is None:
            return available
        if self.n_jobs == 0:
            raise ValueError(
                "n_jobs is 0; expected a number of threads, -1 for all, or None for all"
            )
        wanted = self.n_jobs if self.n_jobs > 0 else available + 1 + self.n_jobs
        return max(1, min(available, wanted))

    @contextmanager
    def _unchanged_on_error(self):
        """Whatever goes wrong inside, the estimator is afterwards what it was before."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    # ---- predict -------------------------------------------------------------------------------

    def _scores(self, X, lengths, initial_states=None):
        """The network's scores in the caller's order, and the sequences.

        Returns
        -------
        scores : ndarray of shape (n_sequences, n_out), or (n_rows, n_out) for a network with an
        output at each step
        sequences : Sequences
        """
        network, sequences = self._prepared(X, lengths)
        architecture = network.architecture
        n = len(sequences.rows) if architecture.pooling == STEPS else len(sequences)
        scores = np.empty((n, architecture.n_out), self._dtype)
        initial = _check_initial(initial_states, sequences, network)
        for batch in prediction_batches(sequences.offsets):
            given = None if initial is None else network.cut_states(initial[batch.members])
            padded = network.forward(batch, sequences.rows, False, given=given)
            index = network.pooling.index(batch)
            known = index >= 0
            scores[index[known]] = padded[known, : architecture.n_out]
        return scores, sequences

    def final_states(self, X, lengths=None, initial_states=None):
        """All states after the last step of each sequence, from which another can go on.

        Parameters
        ----------
        X : list or array of sequences
            As in `fit`.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            The states before the first step; None: those that `fit` started from.

        Returns
        -------
        states : ndarray of shape (n_sequences, n_states)
            For each layer from the bottom and each direction the hidden states and, of an LSTM, the
            cell states, side by side.
        """
        network, sequences = self._prepared(X, lengths)
        initial = _check_initial(initial_states, sequences, network)
        found = np.empty((len(sequences), network.state_width), network.dtype)
        for batch in prediction_batches(sequences.offsets):
            given = None if initial is None else network.cut_states(initial[batch.members])
            found[batch.members] = network.final_states(batch, sequences.rows, given)
        return found

    def _prepared(self, X, lengths):
        """The fitted network, and X as it reads it."""
        check_is_fitted(self)
        sequences = self._read_again(X, lengths)
        architecture = Architecture(**self._architecture)
        if architecture.pooling != STEPS:
            sequences, _ = truncate_sequences(sequences, self.max_timesteps, self.truncate)
        network = Network(architecture, self._kernels, self._dtype, self._threads(self._kernels))
        network.set_parameters(self.parameters_)
        return network, sequences

    def _read_again(self, X, lengths):
        """X of a prediction, which must have the features that were fitted."""
        if hasattr(self, "vocabulary_"):
            return self.vocabulary_.encode(_check_symbols(X, lengths))
        if self._reads_table(X, lengths):
            return self._read_table(X, lengths, reset=False)
        return check_sequences(
            X,
            dtype=self._dtype,
            lengths=lengths,
            n_features=self._n_step_features,
            name=type(self).__name__,
        )

    @property
    def _kernels(self):
        return get_backend("cpu")

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
        return super().__getstate__() | {"_format_version": FORMAT_VERSION}

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


def _check_initial(states, sequences, network):
    """The states to start from as an array of the network's own kind; None where none are given."""
    if states is None:
        return None
    if network.architecture.learn_initial:
        raise ValueError(
            'initial_states were given, but initial_state is "learned"; expected "zeros" beside them'
        )
    states = check_array(states, dtype=network.dtype, input_name="initial_states")
    expected = (len(sequences), network.state_width)
    if states.shape != expected:
        raise ValueError(
            f"initial_states has shape {states.shape}; expected {expected}: for each sequence what "
            "final_states gives"
        )
    return states


def _check_symbols(X, lengths):
    if lengths is not None:
        raise ValueError(
            "lengths was given with X of symbols; expected lengths only beside numbers: pass a "
            "list of sequences of symbols"
        )
    return check_symbols(X)


def _check_sizes(sizes):
    """``hidden_layer_sizes`` as a tuple of ints."""
    sizes = (sizes,) if isinstance(sizes, Integral) else tuple(sizes)
    if not sizes or not all(isinstance(size, Integral) and size >= 1 for size in sizes):
        raise ValueError(
            f"hidden_layer_sizes must be one or more positive whole numbers, got {sizes}"
        )
    return tuple(int(size) for size in sizes)
