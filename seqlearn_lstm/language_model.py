"""LSTMLanguageModel: the next symbol of a text or of any sequence of symbols."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._base.asked import check_combination
from ._base.estimator import SequenceEstimator
from ._base.fits import fits
from ._base.given import NOTHING, Given
from ._base.judging import JudgesSequences
from ._base.listening import for_callbacks
from ._base.parameters import BPTT_STEPS, EMBEDDING_DIM, takes
from ._base.transitions import (
    as_sequences,
    begun,
    encoded,
    in_pieces,
    refuse_end,
    refuse_lengths,
    transitions,
)
from ._base.validating import about_others
from ._base.writing import WritesSequences
from .heads import SoftmaxHead
from .pooling import STEPS
from .sequences import Sequences
from .symbols import END, UNKNOWN, Vocabulary, check_symbols
from .unrolling import scored

WINDOW = BPTT_STEPS._replace(
    default=50,
    meaning="""How many steps the gradient goes back. Sequences are cut into windows of this many
    steps, each of which starts from the states that the one before has left; every window is an
    update. None: all steps.""",
)

LENGTH = EMBEDDING_DIM._replace(meaning="Length of the vector that stands for a symbol. None: 64.")
ALONE = dict(bidirectional=False, stateful=False, max_timesteps=None, truncate="pre", scoring=None)


@takes(WINDOW, LENGTH, **ALONE)
class LSTMLanguageModel(WritesSequences, JudgesSequences, SequenceEstimator):
    """Predict the next symbol of a sequence, and write sequences.

    The symbols are characters, or whatever `X` holds: words, events, notes. A softmax over the
    vocabulary at each step says what comes next; the cross-entropy is minimised by back-propagation
    through time, in windows that hand their states on.

    `X` is a text, or a list of sequences. A text, or a list of a single sequence, is a stream: `fit`
    cuts it into `batch_size` pieces that are read side by side, and learns nothing about its end.
    Each of several sequences is read from its beginning, and its end is learned like a symbol. When
    `partial_fit` or a warm start goes on, the data that are given then decide; but once a model has
    learned ends, it reads even a single sequence up to its end.

    Parameters
    ----------
    <parameters>

    Attributes
    ----------
    vocabulary_ : Vocabulary
        The symbols; see `seqlearn_lstm.symbols.Vocabulary`.
    classes_ : ndarray of shape (n_symbols,), object
        The symbol of each column of `predict_proba`. The first, None, stands for all unknown
        symbols; the last, `seqlearn_lstm.symbols.END`, for the end of a sequence.
    parameters_ : dict of str to ndarray
        As in `LSTMClassifier`.
    loss_curve_ : list of float
        Mean training loss of each epoch, in nats per symbol.
    n_iter_ : int
        Number of epochs.
    validation_scores_ : list of float
        Score of the validation data after each epoch, if there are any; NaN for epochs without them.
    best_iter_ : int
        The epoch whose parameters were kept, counted from 1; with `early_stopping` only.
    record_ : dict of str to ndarray
        What `record` asked for; see the user guide.
    n_features_in_ : int
        Always 1.

    References
    ----------
    Mikolov, T., et al., "Recurrent neural network based language model", Interspeech 2010.

    Examples
    --------
    >>> from seqlearn_lstm import LSTMLanguageModel
    >>> text = "the cat sat on the mat. " * 40
    >>> model = LSTMLanguageModel((32,), learning_rate=0.02, batch_size=8, max_iter=40, random_state=0)
    >>> model.fit(text).generate("the c", 19, temperature=0)
    'at sat on the mat. '
    """

    _more_to_hold_out = (
        "more sequences (of a text, a larger batch_size: into so many pieces it is cut), or X_val"
    )

    def fit(self, X, y=None, X_val=None):
        """Learn to predict the next symbol.

        Parameters
        ----------
        X : str, or list of sequences of symbols
            A text, or sequences: strings or lists, of any lengths.
        y : None
            Ignored.
        X_val : as X, default=None
            Validation data, which are scored after each epoch. None: with early stopping a share of
            `X`; of a stream, some of its pieces.

        Returns
        -------
        self : LSTMLanguageModel

        Raises
        ------
        ValueError, TypeError
            If the input cannot be used, or the loss diverged; the model is then as it was before.
        RuntimeError
            If `device` is "cuda", and no GPU can be used.
        """
        return self._fit(X, X_val)

    def partial_fit(self, X, y=None):
        """Make one more pass over sequences, old ones or new.

        The first call learns the vocabulary; symbols that come later are unknown. Ends are learned
        from the first call that gets several sequences.

        Parameters
        ----------
        X : str, or list of sequences of symbols
            As in `fit`.
        y : None
            Ignored.

        Returns
        -------
        self : LSTMLanguageModel

        Raises
        ------
        ValueError, TypeError, RuntimeError
            As `fit`.
        """
        return self._fit(X, partial=True)

    @fits
    def _fit(self, X, X_val=None, partial=False):
        self._validate_params()
        goes_on = hasattr(self, "parameters_") and (partial or self.warm_start)
        check_combination(self, partial, others=Given(X_val, X_val))
        told = for_callbacks(self, Given(X))
        X = as_sequences(X)
        self._ends = len(X) > 1 or (goes_on and self._ends)
        if not goes_on:
            self._learn_symbols(X)
        inputs, targets = self._transitions(X)
        if not self._ends:  # one sequence, a stream
            inputs = in_pieces(inputs, self.batch_size)
        others = NOTHING
        if X_val is not None:
            with about_others():
                others = Given(*self._transitions(X_val))
        weights = np.ones(len(targets))
        return self._train(
            inputs, self._head, STEPS, targets, weights, Given(y=targets), others,
            goes_on=goes_on, partial=partial, told=told,
        )  # fmt: skip

    def _learn_symbols(self, X):
        """Take over what a fit that begins knows of symbols."""
        self._joins = all(isinstance(x, str) for x in X)
        symbols = check_symbols(X)
        known = Vocabulary.learn(symbols, self.min_count, self.max_vocabulary)
        # Where X holds END, `transitions` refuses it below.
        said = [symbol for symbol in known.symbols[1:] if symbol is not END]
        if not said:
            raise ValueError(
                f"min_count is {self.min_count}, but no symbol of X occurs that often, so there is "
                "none to predict; expected a lower min_count, or more sequences"
            )
        self.vocabulary_ = Vocabulary([*said, END])
        self._tabular, self.n_features_in_, self._n_step_features = False, 1, 1

    # ---- what comes next -----------------------------------------------------------------------

    def predict_proba(self, X):
        """The probability of each symbol to come next.

        Parameters
        ----------
        X : str, or list of sequences of symbols
            What has come so far; an empty sequence stands for the beginning.

        Returns
        -------
        probabilities : ndarray of shape (n_sequences, n_symbols)
            Columns in the order of `classes_`, float64.
        """
        scores = self._next_scores(X)
        return self._head.probabilities(scores)

    def predict(self, X):
        """The symbol that most probably comes next.

        Parameters
        ----------
        X : str, or list of sequences of symbols
            What has come so far; an empty sequence stands for the beginning.

        Returns
        -------
        symbols : ndarray of shape (n_sequences,), object
            Never the unknown one, and the end only where ends were learned.
        """
        check_is_fitted(self)
        inputs = self._read_again(X, None)
        said = np.empty(len(inputs), object)
        for scores, which in self._next_blocks(inputs):
            said[which] = self._decided(scores)
        return said

    def _next_scores(self, X):
        """The scores after the last symbol of each sequence, (n_sequences, n_symbols)."""
        check_is_fitted(self)
        inputs = self._read_again(X, None)
        found = np.empty((len(inputs), len(self.vocabulary_)), self._dtype)
        for scores, which in self._next_blocks(inputs):
            found[which] = scores
        return found

    def _next_blocks(self, inputs):
        """Yield, block by block, scores after last symbols, and the sequence that each belongs to.
        No others are kept, however long the sequences are.
        """
        last = inputs.offsets[1:] - 1
        is_last = np.zeros(len(inputs.rows) + 1, bool)  # one more: what -1 finds
        is_last[last] = True
        for scores, source in self._blocks_of(inputs):
            rows = np.flatnonzero(is_last[source])
            if len(rows):
                scores = self._kernels.to_host(scores)[rows, : len(self.vocabulary_)]
                yield scores, last.searchsorted(source[rows])

    def _blocks_of(self, inputs):
        """Yield, block by block, scores and the row of the container that each belongs to; -1: to
        none.
        """
        return scored(*self._prepared(inputs, None))

    # ---- symbols -------------------------------------------------------------------------------

    @property
    def classes_(self):
        return self.vocabulary_.decode(np.arange(len(self.vocabulary_)))

    @property
    def _head(self):
        return SoftmaxHead(len(self.vocabulary_))

    def _possible(self, scores):
        """Scores with those that cannot be meant out of the way."""
        scores = scores.copy()
        scores[:, UNKNOWN] = -np.inf
        if not self._ends:
            scores[:, -1] = -np.inf
        return scores

    def _decided(self, scores):
        return self.vocabulary_.decode(self._possible(scores).argmax(axis=1))

    def _read_again(self, X, lengths):
        """Sequences to go on from, each with the mark of its beginning; they may be empty."""
        if isinstance(X, Sequences):
            return X
        refuse_lengths(lengths)
        return begun(X, self.vocabulary_)

    def final_states(self, X, initial_states=None):
        """All states after the last symbol of each sequence, from which another sequence can go on.

        Parameters
        ----------
        X : str, or list of sequences of symbols
            What is read; without `initial_states`, an empty sequence stands for the beginning.
        initial_states : array-like of shape (n_sequences, n_states), default=None
            The states before the first symbol. If they are given, the model does not read its start
            mark. None: those that `fit` started from.

        Returns
        -------
        states : ndarray of shape (n_sequences, n_states)
            Side by side, for each layer from the bottom, the hidden states and, for an LSTM, the
            cell states.

        Raises
        ------
        ValueError, TypeError
            If the input cannot be used.
        """
        return super().final_states(X, initial_states=initial_states)

    def _read_on(self, X, lengths):
        """Sequences without the mark; there is a symbol in each."""
        refuse_lengths(lengths)
        return encoded(X, self.vocabulary_)

    def _code(self, symbol):
        refuse_end(symbol)
        return super()._code(symbol)

    def _prepared_steps(self, X, lengths, whole):
        """The start mark is no step of X: what comes before the first step is its state."""
        after_mark = self.final_states([""])
        network, sequences = self._prepared(self._read_on(X, lengths), None)
        shape = len(sequences), after_mark.shape[1]
        return network, sequences, np.broadcast_to(after_mark, shape)

    def _symbols_read(self, x):
        return [END, *x]

    def _transitions(self, X):
        """What is read, and what comes next: by the vocabulary, and with ends if they are learned."""
        return transitions(X, self.vocabulary_, self._ends)

    def _part_of(self, y, sequences, indices):
        return y[sequences.rows_of(indices)]
