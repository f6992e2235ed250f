"""Back-propagation through time: how far back it goes, and what the gradient of one update is made
of.

Without `bptt_steps` a batch is one update, and the gradient goes back to the first step of each
sequence. With it, longer sequences are cut into windows that hand their states on; the gradient
stays within a window (Williams and Peng 1990). Where there is an output at each step, each window
is an update. Otherwise all windows of a batch are one, and they end where the sequences end, so
that the last step's gradient goes back by `bptt_steps` whole steps.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..batches import Batch, training_batches, windows_from_start, windows_to_end
from ..unrolling import Run


class Gradient(NamedTuple):
    """What was just left in the network: the gradient of a mean loss.

    Attributes
    ----------
    batch : Batch
        Of what.
    loss : float, or a number that is still on a device
        The mean loss.
    weight : float
        Sum of the weights of its targets; 0: there is nothing to learn, and no gradient.
    """

    batch: Batch
    loss: float
    weight: float


class Backpropagation:
    """The gradients of one epoch.

    Parameters
    ----------
    task : Task
    order : ndarray of shape (n_sequences,)
        The sequences in the order in which they are learned from.
    masks : Masks or None
        What is left out.
    """

    def __init__(self, task, order, masks):
        self.task, self.order, self.masks = task, order, masks
        self.weights = np.append(task.weights, 0.0)  # what -1 finds: a row that belongs to nothing
        self.ends = None  # states after the last batch, in its order of sequences: where they go on

    def __iter__(self):
        """Yield a `Gradient` for each update; it lies in the network until the next."""
        size = self.task.settings.batch_size
        for batch in training_batches(self.task.sequences.offsets, self.order, size):
            if self.ends is not None:
                batch = replace(batch, n_carried=len(batch))
            run = Run(self.task.network, batch, self.task.rows, self._begin(batch), self.masks)
            yield from self._gradients(run)
            if self.task.settings.stateful:
                self.ends = np.empty_like(run.states)
                self.ends[batch.members - batch.members.min()] = run.states

    def __len__(self):
        """How many updates there are."""
        settings, lengths = self.task.settings, self.task.sequences.lengths[self.order]
        starts = range(0, len(lengths), settings.batch_size)
        if settings.bptt_steps is None or not self.task.network.pooling.per_step:
            return len(starts)
        longest = np.maximum.reduceat(lengths, starts)
        return int(np.ceil(longest / settings.bptt_steps).sum())

    def _begin(self, batch):
        """The states that a batch starts from, in its order; None: those of the network."""
        if self.ends is not None:
            return self.ends[batch.members - batch.members.min()]
        return None if self.task.initial is None else self.task.initial[batch.members]

    def _gradients(self, run):
        settings, batch = self.task.settings, run.batch
        size = settings.bptt_steps
        if size is None or batch.n_steps <= size:
            yield self._of_whole(run, batch, settings.stateful)
        elif self.task.network.pooling.per_step:
            for window in windows_from_start(batch, size):
                yield self._of_whole(run, window, True)
        else:
            yield self._of_windows(run, list(windows_to_end(batch, size)))

    def _of_whole(self, run, batch, goes_on):
        """The gradient of a batch, or of a window that has outputs of its own."""
        network = self.task.network
        index = network.pooling.index(batch)
        weights = self.weights[index]
        weight = float(weights.sum())
        if weight == 0 and not goes_on:
            return Gradient(batch, 0.0, weight)
        states = run.forward(batch, True)
        if weight == 0:
            return Gradient(batch, 0.0, weight)
        scores = network.scores(batch, states, self.masks)
        loss = self._loss(scores, index, weights)
        network.backpropagate(batch, scores, self.masks)
        return Gradient(batch, loss, weight)

    def _of_windows(self, run, windows):
        """The gradient of a batch whose windows have no outputs of their own."""
        network, batch, begun = self.task.network, run.batch, []
        features = network.begin_features(batch)
        for window in windows:
            if network.pooling.reads_all_steps:  # otherwise none is computed once more
                states = run.states
                begun.append(None if states is None else states[: len(window)].copy())
            states = run.forward(window, keep=window is windows[-1])
            network.add_features(window, states, features)
        run.settle()
        index = network.pooling.index(batch)
        weights = self.weights[index]
        weight = float(weights.sum())
        if weight == 0:
            return Gradient(batch, 0.0, weight)
        scores = network.end_features(batch, features, self.masks)
        loss = self._loss(scores, index, weights)
        d_features = network.scores_back(batch, scores, self.masks)
        self._windows_back(run, windows, begun, d_features)
        return Gradient(batch, loss, weight)

    def _windows_back(self, run, windows, begun, d_features):
        """From the gradient at the pooled states to that of the parameters. Only the last window's
        states are still there; those of the others are computed once more, where they matter.
        """
        network = run.network
        network.states_back(windows[-1], d_features, self.masks)
        if not network.pooling.reads_all_steps:
            return
        total = GradientSum(network)
        for window, states in zip(windows[-2::-1], begun[-2::-1], strict=True):
            Run(network, run.batch, run.rows, states, self.masks).forward(window, keep=True)
            network.states_back(window, d_features, self.masks)
            total.add()
        total.put()

    def _loss(self, scores, index, weights):
        """The mean loss; `scores` become its gradient."""
        task = self.task
        return task.head.loss_and_gradient(
            task.network.kernels, scores, task.targets[index], weights
        )


class GradientSum:
    """The sum of gradients that lay in a network one after another; that of the output layer counts
    once.
    """

    def __init__(self, network):
        self.network, self.total = network, network.gradient.copy()
        network.dense.gradient[:] = 0
        self.tables = [self._table()]

    def _table(self):
        part = self.network.embedding
        return (part.touched, part.gradient.copy()) if part else None

    def add(self):
        """Add what lies in the network."""
        self.total += self.network.gradient
        self.tables.append(self._table())

    def put(self):
        """Lay the sum into the network."""
        self.network.gradient[:] = self.total
        if self.network.embedding:
            self.network.embedding.put_gradients(self.tables, self.network.work)
