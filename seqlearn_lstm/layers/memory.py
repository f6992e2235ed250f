"""What passes between the parts of a network: memory that is kept from batch to batch, rows of
inputs, states.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np


class Workspace:
    """Named arrays that are handed out again for every batch and grow when one is larger.

    The system clears each page of a fresh array when it is touched first; one kept is not cleared again.
    """

    def __init__(self, kernels, dtype):
        self.kernels, self.dtype, self.memory, self.last = kernels, np.dtype(dtype), {}, {}

    def array(self, key, name, shape, dtype=None):
        """An array of `shape` with whatever stood in it before."""
        last = self.last.get((key, name))
        if last is not None and last.shape == shape:  # as of most batches
            return last
        dtype = self.dtype if dtype is None else dtype
        size = prod(shape)
        if last is None or self.memory[key, name].size < size:
            # What is too small goes first: on a device there may be no room for both.
            last = self.last[key, name] = self.memory[key, name] = None
            self.memory[key, name] = self.kernels.zeros(size, dtype)
        array = self.last[key, name] = self.memory[key, name][:size].reshape(shape)
        return array


@dataclass(frozen=True)
class Stream:
    """Inputs of a layer: some columns of an array, and which of its rows each slot reads.

    Attributes
    ----------
    rows : ndarray of shape (n, >= column + width)
    column, width : int
        The inputs are the columns from `column` to ``column + width``.
    index : callable
        ``index(backward)`` gives, for each slot of a direction, the row that it reads; -1 for none.
    """

    rows: np.ndarray
    column: int
    width: int
    index: Callable[[bool], np.ndarray]


def input_stream(batch, rows):
    """The container's rows (n_rows, n_features) as a layer's input."""

    def index(backward):
        return batch.reversed_source if backward else batch.source

    return Stream(rows, 0, rows.shape[1], index)


def slot_stream(batch, rows, width):
    """Rows that lie as the slots of the batch (n_slots, >= width) as a layer's input."""

    def index(backward):
        if backward:
            return batch.reverse
        return np.where(batch.source < 0, -1, np.arange(batch.n_slots))

    return Stream(rows, 0, width, index)


@dataclass(frozen=True)
class States:
    """What a direction has computed.

    Attributes
    ----------
    rows : ndarray of shape (n_states, n)
        Hidden states in the columns from `column` on.
    column : int
    cells : ndarray of shape (n_states, n), (n_sequences, n) or None
        Cell states, from column 0 on, where the cell has any.
    keeps : bool
        Whether the cell states are those of all steps, or of the last step of each sequence.
    """

    rows: np.ndarray
    column: int
    cells: np.ndarray | None = None
    keeps: bool = True

    def of_cells(self):
        """The cell states in the place of the hidden ones."""
        return States(self.cells, 0)

    def final(self, kernels, batch, n_units):
        """The states after the last step of each sequence, (n_sequences, n_units) of each kind, as
        arrays of the host.
        """
        found = [kernels.take(self.rows, batch.final, self.column, n_units)]
        if self.cells is not None:
            index = batch.final if self.keeps else np.arange(len(batch))
            found.append(kernels.take(self.cells, index, 0, n_units))
        return found
