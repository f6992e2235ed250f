"""A network run over windows of a batch, one after another, the states handed on from each to the
next: how sequences longer than memory are read.
"""

from .batches import prediction_batches, windows_from_start

WINDOW = 2**13  # state rows of a batch of predictions, and steps of a window of a longer sequence
MOST_INPUTS = 2**24  # numbers in these rows: fewer of them, where they are wide
MOST_SCORES = 2**22  # of predictions that lie in memory at once, unless one row has more


class Run:
    """One batch of sequences on its way through a network.

    Parameters
    ----------
    network : Network
    batch : Batch
    rows : ndarray of shape (n_rows, n_in)
        Those of the container.
    states : ndarray of shape (n_sequences, state_width) or None
        The states to start from, in the batch's order; None: zeros, or learned ones.
    masks : Masks or None
        What is left out.
    """

    def __init__(self, network, batch, rows, states=None, masks=None):
        self.network, self.batch, self.rows, self.masks = network, batch, rows, masks
        self._states, self._last = states, None

    def forward(self, window, keep):
        """The states of all layers in the next window, or in the batch itself."""
        states = self.states
        given = None if states is None else self.network.cut_states(states[: len(window)])
        found = self.network.states(window, self.rows, keep, self.masks, given)
        self._last = window, found
        return found

    @property
    def states(self):
        """All states after the last window, (n_sequences, state_width); those to start from before
        the first.
        """
        self.settle()
        return self._states

    def settle(self):
        """Take the last states out of the network's memory, before it reads something else."""
        if self._last:
            network, n = self.network, len(self.batch)
            begun = network.first_states(n) if self._states is None else self._states
            (window, found), self._last, self._states = self._last, None, begun.copy()
            self._states[: len(window)] = network.final_states(window, found)


def windows(network, batch):
    """The windows in which predictions read a batch. Only who reads in both directions needs it
    whole.
    """
    size = _rows_at_once(network)
    if network.architecture.bidirectional or batch.n_steps <= size:
        return [batch]
    return windows_from_start(batch, size)


def _rows_at_once(network):
    widest = max(part.row_stride for part in network.recurrent)
    return max(1, min(WINDOW, MOST_INPUTS // widest))


def runs(network, sequences, initial=None):
    """Yield a `Run` for each batch of predictions.

    Parameters
    ----------
    network : Network
    sequences : Sequences
    initial : ndarray of shape (n_sequences, state_width) or None
        The states to start from.
    """
    rows = network.take_rows(sequences.rows)
    for batch in prediction_batches(sequences.offsets, _rows_at_once(network)):
        states = None if initial is None else initial[batch.members]
        yield Run(network, batch, rows, states)


def pooled(run, pooling, begin, add, keep=False):
    """Pool the states of a run.

    Parameters
    ----------
    run : Run
    pooling : object of ``pooling.POOLINGS``
    begin : callable
        ``begin(batch)`` gives room for the features of a batch.
    add : callable
        ``add(window, states, features)`` pools the states of a window.
    keep : bool
        Whether the cell states of all steps are wanted.

    Yields
    ------
    batch : Batch
        What is whole now: a window, or the whole batch where its steps are pooled.
    features : ndarray
    """
    pieces = windows(run.network, run.batch)
    if pooling.per_step:
        for window in pieces:
            features = begin(window)
            add(window, run.forward(window, keep), features)
            yield window, features
    else:
        features = begin(run.batch)
        for window in pieces:
            add(window, run.forward(window, keep), features)
        yield run.batch, features


def scored(network, sequences, initial=None):
    """The scores of predictions, a block of rows at a time, however many rows or outputs there are.

    Parameters
    ----------
    network : Network
    sequences : Sequences
    initial : ndarray of shape (n_sequences, state_width) or None
        The states to start from.

    Yields
    ------
    scores : array of shape (n, n_out padded)
        Where the network computes; the next block overwrites them.
    index : ndarray of shape (n,)
        Which sequence, or, of an output at each step, which row of the container each belongs to;
        -1: none.
    """
    begin, add = network.begin_features, network.add_features
    for run in runs(network, sequences, initial):
        for batch, features in pooled(run, network.pooling, begin, add):
            index = network.pooling.index(batch)
            for rows, scores in network.scores_in_blocks(batch, features, MOST_SCORES):
                yield scores, index[rows]
