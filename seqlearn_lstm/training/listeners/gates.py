"""What the gates of a network in training do, as a prediction would have it: without dropout.

A second network reads, for the workspace of the first belongs to its next update.
"""

import numpy as np

from ...batches import plan
from ...network import Network

CANDIDATES = "gn"  # no gates, but what they let through
MOST_ROWS, MOST_STEPS = 2**12, 2**9  # that are read: gates of all steps lie in memory
SHUT, OPEN = 0.01, 0.99  # beyond which a sigmoid hardly moves


class GateReader:
    """Reads sequences of a task with its network's current parameters."""

    def __init__(self, task):
        self.task, self.network = task, None

    @property
    def has_gates(self):
        return any(part.gate_names for part in self.task.network.recurrent)

    def read(self, members):
        """Yield (key of the direction, {letter: (n_rows, n_units)}) over the first steps of so many
        of the sequences `members` as are few enough.
        """
        network, sequences, initial = self._current(), self.task.sequences, self.task.initial
        lengths = np.minimum(sequences.lengths[members], MOST_STEPS)
        members = members[: max(1, np.searchsorted(lengths.cumsum(), MOST_ROWS, side="right"))]
        begun = sequences.take(members, MOST_STEPS)
        batch = plan(begun.offsets, np.arange(len(members)))
        given = None
        if initial is not None:
            given = network.cut_states(initial[members[batch.members]])
        network.states(batch, begun.rows, True, given=given)
        alive = batch.source >= 0
        for part in network.recurrent:
            gates = part.gate_activations(batch, network.work)
            yield part.key, {letter: values[alive] for letter, values in gates.items()}

    def _current(self):
        trained = self.task.network
        if self.network is None:
            self.network = Network(
                trained.architecture, trained.kernels, trained.dtype, trained.n_jobs
            )
        self.network.set_parameters(trained.get_parameters())
        return self.network


def saturated(gate, axis=None):
    """The share of activations that are nearly shut or open."""
    return np.mean((gate < SHUT) | (gate > OPEN), axis=axis)
