"""What a network is made of: one direction of an LSTM layer, a dense layer, pooling. Each calls
kernels and nothing else.

A part owns no memory: parameters and gradients are views into the network's flat arrays, everything
else comes from a ``Workspace``, which keeps its arrays from batch to batch. ``key`` tells the
parts' arrays apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

GATES = 4  # i, f, g, o


class Workspace:
    """Named arrays that are handed out again for every batch and grow when one is larger.

    The system clears each page of a fresh array when it is touched first; one kept is not cleared again.
    """

    def __init__(self, kernels, dtype):
        self.kernels, self.dtype, self.memory = kernels, np.dtype(dtype), {}

    def array(self, key, name, shape, dtype=None):
        """An array of `shape` with whatever stood in it before."""
        dtype = self.dtype if dtype is None else dtype
        size = prod(shape)
        flat = self.memory.get((key, name))
        if flat is None or flat.size < size:
            flat = self.memory[key, name] = self.kernels.zeros(size, dtype)
        return flat[:size].reshape(shape)


@dataclass(frozen=True)
class Stream:
    """Columns ``column ... column + width`` of `rows`, and ``index(backward)``: the row for each
    slot of a direction.
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


@dataclass(frozen=True)
class LSTMDirection:
    """One direction of an LSTM layer. backward: it reads each sequence from its end, through the
    same kernels.
    """

    kernels: object
    key: str
    n_in: int
    n_units: int
    backward: bool
    weights: np.ndarray
    gradient: np.ndarray

    @cached_property
    def n_padded(self):
        return self.kernels.padded(self.n_units, self.weights.dtype)

    @cached_property
    def n_columns(self):
        return self.kernels.gate_columns(self.n_units, self.weights.dtype)

    @cached_property
    def row_stride(self):
        return self.kernels.row_stride(1 + self.n_in + self.n_padded, self.weights.dtype)

    def forward(self, batch, streams, work, n_jobs, keep, initial=None):
        """States of all steps. Returns z (n_states, ldz): see `outputs` for where the states stand.

        initial  None (zeros), or (h, c), each (B, n_units), in the batch's order
        """
        z = work.array(self.key, "z", (batch.n_states, self.row_stride))
        kept = batch.slots if keep else np.zeros_like(batch.slots)
        c = work.array(self.key, "c", (batch.n_states if keep else len(batch), self.n_padded))
        n_gates = batch.n_slots if keep else len(batch)
        gates = work.array(self.key, "gates", (n_gates * self.n_columns,))
        z[:, 0] = 1
        column = 1
        for stream in streams:
            index = stream.index(self.backward)
            self.kernels.gather(stream.rows, stream.column, index, z, column, stream.width, n_jobs)
            column += stream.width
        z[: len(batch), column:] = 0
        c[: len(batch)] = 0
        if initial is not None:
            z[: len(batch), column : column + self.n_units] = initial[0]
            c[: len(batch), : self.n_units] = initial[1]
        self.kernels.lstm_forward(
            z,
            c,
            gates,
            self.weights,
            batch.live,
            batch.slots,
            kept,
            self.n_in,
            self.n_units,
            n_jobs,
        )
        return z

    def outputs(self, batch, z):
        """The states after each step as the next layer's input."""

        def index(backward):
            return batch.after if backward == self.backward else batch.reversed_after

        return Stream(z, 1 + self.n_in, self.n_units, index)

    def final_gradients(self, batch, work):
        """(dh, dc), zeros: the gradients at the final states, to be filled before
        `backpropagate`.
        """
        both = work.array(self.key, "dh, dc", (2, len(batch), self.n_padded))
        both[:] = 0
        return both[0], both[1]

    def output_gradient(self, batch, work):
        """The gradient at the output of each slot's step, zero in padded units; the others are to
        be filled.
        """
        d_out = work.array(self.key, "d_out", (batch.n_slots, self.n_padded))
        d_out[:, self.n_units :] = 0
        return d_out

    def backpropagate(self, batch, d_out, dh, dc, work, n_jobs, need_inputs):
        """Fill the gradient of the weights; dh and dc become the gradient at the initial states.

        Returns the gradient at the inputs (n_slots, n_in padded), or None where it is not needed.
        """
        kernels, n_slots, n_columns = self.kernels, batch.n_slots, self.n_columns
        K = 1 + self.n_in + self.n_units
        z = work.array(self.key, "z", (batch.n_states, self.row_stride))
        c = work.array(self.key, "c", (batch.n_states, self.n_padded))
        gates = work.array(self.key, "gates", (n_slots * n_columns,))
        UT = work.array(self.key, "UT", (n_columns * self.n_padded,))
        kernels.transpose(UT, self.weights, K, n_columns, 1 + self.n_in, self.n_units, n_jobs)
        kernels.lstm_backward(
            d_out, c, gates, UT, dh, dc, batch.live, batch.slots, self.n_units, n_jobs
        )
        kernels.outer(self.gradient, z, gates, n_slots, K, n_columns, n_slots, 0, n_jobs)
        if not need_inputs:
            return None
        width = kernels.padded(self.n_in, work.dtype)
        WT = work.array(self.key, "WT", (n_columns * width,))
        dx = work.array(self.key, "dx", (n_slots, width))
        panel = GATES * kernels.lanes(work.dtype)
        kernels.transpose(WT, self.weights, K, n_columns, 1, self.n_in, n_jobs)
        kernels.multiply(dx, gates, n_slots, n_columns, panel, WT, n_slots, width, n_jobs)
        return dx


@dataclass(frozen=True)
class Dense:
    """scores = [1 | features] @ [b; W]."""

    kernels: object
    n_in: int
    n_out: int
    weights: np.ndarray
    gradient: np.ndarray

    def forward(self, features, work, n_jobs):
        """features (n, 1 + n_in), column 0 is one; returns (n, n_out padded)."""
        columns = self.kernels.padded(self.n_out, work.dtype)
        scores = work.array("output", "scores", (len(features), columns))
        n, K = features.shape
        self.kernels.multiply(
            scores, features.reshape(-1), n, K, K, self.weights, n, columns, n_jobs
        )
        return scores

    def backpropagate(self, features, d_scores, work, n_jobs):
        """Fill the gradient of the weights; returns the gradient at the features (n, n_in
        padded).
        """
        kernels, (n, columns) = self.kernels, d_scores.shape
        kernels.outer(
            self.gradient, features, d_scores.reshape(-1), n, 1 + self.n_in, columns, n, columns,
            n_jobs,
        )  # fmt: skip
        n_columns = kernels.padded(self.n_in, work.dtype)
        WT = work.array("output", "WT", (columns * n_columns,))
        d_features = work.array("output", "d_features", (n, n_columns))
        kernels.transpose(WT, self.weights, 1 + self.n_in, columns, 1, self.n_in, n_jobs)
        kernels.multiply(
            d_features, d_scores.reshape(-1), n, columns, columns, WT, n, n_columns, n_jobs
        )
        return d_features
