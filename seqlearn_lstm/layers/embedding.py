"""The embedding: a row of numbers for each symbol. Only the rows that a batch touches have a
gradient.
"""

import numpy as np

from ..kernels import get_backend
from .memory import Stream


class Embedding:
    """A table (n_symbols, n_out padded) that stands apart from the flat parameters, so that an
    update costs what the batch touches.

    Attributes
    ----------
    table : ndarray of shape (n_symbols, n_padded)
    touched : ndarray of shape (n_touched,)
        The symbols of the last batch.
    gradient : ndarray of shape (n_touched, n_padded)
        The gradient at their rows.
    """

    key = "embedding"

    def __init__(self, kernels, n_symbols, n_out, dtype):
        self.kernels, self.n_symbols, self.n_out = kernels, n_symbols, n_out
        self.table = kernels.zeros((n_symbols, kernels.padded(n_out, dtype)), dtype)
        self.touched = self.gradient = None

    def initial(self, rng):
        """Draw normal numbers, so small that the row of a symbol has a length of about one."""
        return {"W": rng.normal(0, 1 / np.sqrt(self.n_out), (self.n_symbols, self.n_out))}

    def pack(self, parameters):
        self.table[:, : self.n_out] = parameters["W"]

    def unpack(self, gradient=False):
        if not gradient:
            return {"W": self.canonical(self.table)}
        dense = np.zeros((self.n_symbols, self.n_out), self.table.dtype)
        dense[self.touched] = self.canonical(self.gradient)
        return {"W": dense}

    def canonical(self, rows):
        """Rows of the table, or of what lies as it does, without padding: a copy of the host."""
        return self.kernels.to_host(rows)[:, : self.n_out].copy()

    def stream(self, batch, codes, key, numbers, rate):
        """The rows of a batch's symbols as a stream.

        codes    (n_rows, 1) int64: the container's rows
        key      what the random numbers of dropout depend on, together with `numbers`
        numbers  (B,): a number for each sequence, so that each gets random numbers of its own
        rate     the share of symbols that is left out, each wherever it occurs in a sequence
        """
        symbols = np.where(batch.source < 0, -1, codes[batch.source, 0])
        if rate:
            # Symbols lie on the host, whatever computes.
            drop_symbols = get_backend("cpu").drop_symbols
            drop_symbols(symbols, numbers, batch.live, batch.slots, key, rate)
        mirrored = batch.reverse

        def index(backward):
            return np.where(mirrored < 0, -1, symbols[mirrored]) if backward else symbols

        self._symbols = symbols
        return Stream(self.table, 0, self.n_out, index)

    def backpropagate(self, batch, d_rows, work):
        """Sum the gradient at the rows of each slot (n_slots, n_out padded) for each symbol."""
        known = self._symbols >= 0
        index = np.full(batch.n_slots, -1)
        self.touched, index[known] = np.unique(self._symbols[known], return_inverse=True)
        self.gradient = work.array(self.key, "d", (len(self.touched), self.table.shape[1]))
        self.gradient[:] = 0
        self.kernels.scatter_add(d_rows, 0, index, self.gradient, 0, self.n_out)

    def put_gradients(self, parts, work):
        """Add several gradients up, pairs (touched, gradient), and take the sum as this batch's."""
        self.touched = np.unique(np.concatenate([touched for touched, _ in parts]))
        self.gradient = work.array(self.key, "sum", (len(self.touched), self.table.shape[1]))
        self.gradient[:] = 0
        for touched, gradient in parts:
            index = self.touched.searchsorted(touched)
            self.kernels.scatter_add(gradient, 0, index, self.gradient, 0, self.n_out)
