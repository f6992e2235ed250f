"""Which sequence is computed where: the plan of one batch, in numbers only.

A batch holds B sequences, longest first; T is the longest length. Its arrays are time-major and
hold live rows only, so there is no mask and no work on padding::

    lengths 3 2 2 1       r=0  r=1  r=2  r=3
    slots[0] =  0   t=0    0    1    2    3     live[0] = 4
    slots[1] =  4   t=1    4    5    6   (7)    live[1] = 3    (7): dead, sequence 3 has ended
    slots[2] =  8   t=2    8   (9) (10)         live[2] = 1
    slots[3] = 11         11                                   the state after the last step
    slots[4] = 12

``live[t]`` sequences have a step t. Row ``slots[t] + r`` belongs to step t of the r-th sequence:
its input, its gates and its state *before* the step; ``slots[t + 1] + r`` is its state *after* it.
So a sequence of length L has L + 1 state rows. If others go on, the last of them is a dead slot:
the final state stands there, the input and the gate gradients are zero. Thus gates and the states
before them lie side by side, and one contiguous matrix product gives the gradients of the weights.

Arrays of inputs and gates have ``n_slots`` rows, arrays of states ``n_states``.
Results go back to the caller's order by ``out[batch.members] = values`` (one for each sequence)
and ``out[batch.source[alive]] = values[alive]``, ``alive = batch.source >= 0`` (one for each step).
"""

from dataclasses import dataclass

import numpy as np

from ._cached import cached
from .kernels import get_backend


@dataclass(frozen=True, eq=False)
class Batch:
    """The plan of one batch of sequences; all arrays are int64, none is to be written.

    Attributes
    ----------
    members : ndarray of shape (n_sequences,)
        Index of each sequence in the container, longest first.
    starts : ndarray of shape (n_sequences,)
        First row of each sequence in the container.
    lengths : ndarray of shape (n_sequences,)
        Number of time steps of each, descending.
    first : ndarray of shape (n_sequences,)
        With which of its steps each sequence begins in this batch. All are 0 unless the batch is a
        window of another one.
    totals : ndarray of shape (n_sequences,)
        Number of time steps of each sequence as a whole. Equal to `lengths` unless the batch is a
        window.
    n_carried : int
        How many sequences go on from states that were handed on to them, for instance by the window
        before. They stand before the others, which start from their initial states.
    """

    members: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    first: np.ndarray
    totals: np.ndarray
    n_carried: int = 0

    def __len__(self):
        return len(self.members)

    @property
    def n_steps(self):
        """Length of the longest sequence, T."""
        return int(self.lengths[0])

    @cached
    def live(self):
        """Number of sequences with a step t, (n_steps,)."""
        return self._steps[0]

    @cached
    def slots(self):
        """First row of step t, (n_steps + 2,); the last two entries are ``n_slots`` and
        ``n_states``.
        """
        return self._steps[1]

    @cached
    def _steps(self):
        live, slots = np.empty(self.n_steps, np.int64), np.empty(self.n_steps + 2, np.int64)
        get_backend("cpu").plan_steps(self.lengths, live, slots)
        return live, slots

    @cached
    def n_slots(self):
        """Number of rows of inputs and gates, dead ones included."""
        return int(self.slots[-2])

    @cached
    def n_states(self):
        """Number of rows of states: all time steps, and one initial state for each sequence."""
        return int(self.slots[-1])

    @cached
    def source(self):
        """Row of the container that feeds each slot, (n_slots,); -1 in dead slots."""
        return self._sources(backward=False)

    @cached
    def reversed_source(self):
        """Row of the container that feeds each slot of the reversed batch; -1 in dead slots."""
        return self._sources(backward=True)

    @cached
    def after(self):
        """State row after the step of each slot, (n_slots,); -1 in dead slots."""
        return self._states(shift=1, backward=False)

    @cached
    def reversed_after(self):
        """State row of a reversed batch after the slot's own time step; -1 in dead slots."""
        return self._states(shift=1, backward=True)

    @cached
    def reverse(self):
        """Slot of the mirrored step of the same sequence, (n_slots,); -1 in dead slots.

        It is its own inverse. The backward direction of a bidirectional layer needs nothing else.
        """
        return self._states(shift=0, backward=True)

    @cached
    def final(self):
        """State row of each sequence's final state, (n_sequences,)."""
        return self.slots[self.lengths] + np.arange(len(self))

    @cached
    def dead(self):
        """Dead slots, (n_dead,): the final states of all sequences shorter than the longest."""
        return self.final[self.lengths < self.n_steps]

    def _sources(self, backward):
        rows = np.empty(self.n_slots, np.int64)
        get_backend("cpu").plan_sources(
            self.starts, self.lengths, self.live, self.slots, backward, rows
        )
        return rows

    def _states(self, shift, backward):
        rows = np.empty(self.n_slots, np.int64)
        get_backend("cpu").plan_states(shift, self.lengths, self.live, self.slots, backward, rows)
        return rows


def plan(offsets, members):
    """Plan one batch.

    Parameters
    ----------
    offsets : ndarray of shape (n + 1,), int64
        Offsets of the container; every sequence has at least one time step.
    members : array-like of int of shape (n_sequences,)
        Its sequences that make up the batch, at least one. Equally long ones keep their order.

    Returns
    -------
    batch : Batch
    """
    members = np.asarray(members, dtype=np.int64)
    lengths = offsets[members + 1] - offsets[members]
    order = np.argsort(-lengths, kind="stable")
    members, lengths = members[order], lengths[order]
    return Batch(members, offsets[members], lengths, np.zeros_like(lengths), lengths)


def windows_from_start(batch, size):
    """Yield windows of a batch, `size` steps of each sequence from its beginning on; the last ones
    of a sequence may be fewer.
    """
    for begin in range(0, batch.n_steps, size):
        ends = batch.lengths[batch.lengths > begin]
        yield _window(batch, np.full(len(ends), begin), np.minimum(ends, begin + size))


def windows_to_end(batch, size):
    """Yield windows of a batch in the order of time, `size` steps of each sequence up to its end;
    the first ones of a sequence may be fewer.
    """
    for left in range((batch.n_steps - 1) // size, -1, -1):
        ends = batch.lengths[batch.lengths > left * size] - left * size
        yield _window(batch, np.maximum(ends - size, 0), ends)


def _window(batch, first, ends):
    """Steps `first` ... `ends` of the batch's first sequences."""
    n = len(first)
    n_carried = max(min(batch.n_carried, n), np.count_nonzero(first))
    members, starts, totals = batch.members[:n], batch.starts[:n] + first, batch.totals[:n]
    return Batch(members, starts, ends - first, first, totals, int(n_carried))


def training_batches(offsets, order, batch_size):
    """Yield the plans of consecutive chunks of ``order``; the last chunk may be smaller."""
    for start in range(0, len(order), batch_size):
        yield plan(offsets, order[start : start + batch_size])


def prediction_batches(offsets, max_rows=2**13):
    """Yield the plans of batches that hold every sequence once, longest first.

    Neighbours in length share a batch, so its steps stay even.

    Parameters
    ----------
    offsets : ndarray of shape (n_sequences + 1,), int64
    max_rows : int, default=8192
        Most state rows of a batch, ``n_states``: it bounds the memory. A sequence which is longer
        is a batch of its own.
    """
    order = np.argsort(-np.diff(offsets), kind="stable")
    ends = np.cumsum(np.diff(offsets)[order] + 1)  # state rows up to and with each sequence
    start, rows_before = 0, 0
    while start < len(order):
        stop = int(ends.searchsorted(rows_before + max_rows, side="right"))
        stop = max(stop, start + 1)
        yield plan(offsets, order[start:stop])
        start, rows_before = stop, ends[stop - 1]
