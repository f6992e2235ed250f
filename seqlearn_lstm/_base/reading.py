"""How the front doors read X: numbers as a ragged container, symbols as their codes."""

import numpy as np
from sklearn.utils.validation import (
    _check_feature_names,
    _check_sample_weight,
    check_array,
    validate_data,
)

from ..sequences import (
    Sequences,
    check_sequences,
    common_frame,
    is_tabular,
    refuse_kinds,
    refuse_lossy,
)
from ..symbols import Vocabulary, check_symbol, check_symbols, holds_symbols


class ReadsSequences:
    """The part of an estimator that reads its input; sets `n_features_in_`, `feature_names_in_` and
    `vocabulary_`.
    """

    def _check_given(self, y):
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y is None."
            )
        refuse_lossy(y, "y", "value")

    def _read_sequences(self, X, lengths, goes_on=False, y=None):
        """X of `fit` as a ragged container; sets what scikit-learn says about features, or, where a
        fit goes on, keeps to it.

        y   the targets, where their form tells what X is
        """
        if goes_on:
            return self._read_again(X, lengths)
        symbols = self.embedding_dim is not None or holds_symbols(X)
        self._tabular = not symbols and self._is_table(X, lengths, y)
        vars(self).pop("vocabulary_", None)  # of an earlier fit
        if symbols:
            sequences = self._learn_symbols(X, lengths)
        elif self._tabular:
            sequences = self._read_table(X, lengths, reset=True)
        else:
            sequences = check_sequences(X, dtype=self.dtype, lengths=lengths)
        if not self._tabular:
            self.n_features_in_ = sequences.n_features
            _check_feature_names(self, common_frame(X), reset=True)
        self._n_step_features = sequences.n_features
        return sequences

    def _check_names(self, X):
        """Check the columns of DataFrames in a list against those of `fit`, by scikit-learn's rules.

        One-feature sequences that were fitted as a table have no names: its columns are time steps.
        """
        if not (self._tabular and self._n_step_features == 1):
            _check_feature_names(self, common_frame(X), reset=False)

    def _learn_symbols(self, X, lengths):
        """X of symbols as their codes, by a vocabulary learned from it."""
        symbols = _check_symbols(X, lengths)
        self.vocabulary_ = Vocabulary.learn(symbols, self.min_count, self.max_vocabulary)
        if len(self.vocabulary_) == 1:
            raise ValueError(
                f"min_count is {self.min_count}, but no symbol of X occurs that often, so every symbol would "
                "be unknown; expected a lower min_count, or more sequences"
            )
        return self.vocabulary_.encode(symbols)

    def _code(self, symbol):
        """The code of a symbol that comes alone, as a stream gets them."""
        check_symbol(symbol)
        return self.vocabulary_.encode([[symbol]]).rows[0, 0]

    def _symbols_read(self, x):
        """The symbols of one sequence, those included that are read beside it."""
        return x

    def _is_table(self, X, lengths, y=None):
        return lengths is None and is_tabular(X)

    def _reads_table(self, X, lengths):
        """Whether X of a prediction is a table as `fit` got one. Lists of numbers are sequences, which
        may be longer or shorter now, even if they happen to be of one length.
        """
        is_list = isinstance(X, list | tuple)
        return self._tabular and not is_list and self._is_table(X, lengths)

    def _read_table(self, X, lengths, reset):
        """A table: one-feature sequences, time along the columns."""
        X = validate_data(self, X, ensure_all_finite=False, reset=reset)
        return check_sequences(X, dtype=self.dtype if reset else self._dtype)

    def _check_weights(self, sample_weight, factors):
        """The weight of each target in the loss: the user's times a factor, its class's weight for
        instance (n,).
        """
        refuse_lossy(sample_weight, "sample_weight", "0")
        _refuse_steps(sample_weight)
        if sample_weight is not None:
            refuse_kinds(np.asarray(sample_weight), "sample_weight")
        weights = factors * _check_sample_weight(
            sample_weight, np.empty((len(factors), 0)), dtype=np.float64, ensure_non_negative=True
        )
        with np.errstate(over="ignore"):
            total = weights.sum()
        if not ((weights >= 0).all() and 0 < total < np.inf):
            raise ValueError(
                f"sample_weight (times class_weight, if any) has a sum of {total}; expected finite weights, "
                "none of them negative, with a finite sum above zero"
            )
        return weights

    def _read_again(self, X, lengths):
        """X of a prediction, which must have the features that were fitted; a ragged container, as
        a validation has it, is taken as it is.
        """
        if isinstance(X, Sequences):
            return X
        if not hasattr(self, "vocabulary_") and self._reads_table(X, lengths):
            return self._read_table(X, lengths, reset=False)
        self._check_names(X)
        if hasattr(self, "vocabulary_"):
            return self.vocabulary_.encode(_check_symbols(X, lengths))
        return check_sequences(
            X,
            dtype=self._dtype,
            lengths=lengths,
            n_features=self._n_step_features,
            name=type(self).__name__,
        )


def check_initial(states, sequences, network):
    """The states to start from as an array of the network's own kind; None where none are given."""
    if states is None:
        return None
    if network.architecture.learn_initial:
        raise ValueError(
            'initial_states were given, but initial_state is "learned"; expected "zeros" beside them'
        )
    refuse_lossy(states, "initial_states", "0")
    refuse_kinds(np.asarray(states), "initial_states")
    states = check_array(states, dtype=network.dtype, input_name="initial_states")
    expected = (len(sequences), network.state_width)
    if states.shape != expected:
        raise ValueError(
            f"initial_states has shape {states.shape}; expected {expected}: for each sequence a "
            "row as final_states returns it"
        )
    return states


def _refuse_steps(sample_weight):
    """Refuse weights of steps; a tagger, which takes them, has made them flat."""
    dtype = getattr(sample_weight, "dtype", None)
    if isinstance(sample_weight, list | tuple) or dtype == np.dtype(object):
        for i, weight in enumerate(sample_weight):
            if np.ndim(weight):
                raise ValueError(
                    f"sample_weight has an array of shape {np.shape(weight)} for sequence {i}; "
                    "expected a number for each sequence: weights of steps are for a tagger"
                )


def _check_symbols(X, lengths):
    if lengths is not None:
        raise ValueError(
            "lengths was given with X of symbols; expected lengths only beside numbers: pass a "
            "list of sequences of symbols"
        )
    return check_symbols(X)
