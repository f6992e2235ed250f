"""One direction of a recurrent layer: what all cells share.

A direction that is `backward` reads each sequence from its end, through the same kernels: only the
rows that `Stream.index` names differ.
"""

import numpy as np

from .._cached import cached
from .memory import States, Stream
from .part import Part


class Recurrent(Part):
    """Base of the cells' layers.

    A cell says how many kinds of states it carries (`n_kinds`: 1, h; 2, h and c), which gates its
    kernels keep (`kept_gates`, in their order) and which of them are its own (`gate_names`, in the
    canonical order), what its canonical parameters are, and runs its kernels in `_forward` and
    `_backward`.

    Parameters
    ----------
    cell : cell object
        The settings: see `seqlearn_lstm.cells`.
    learn_initial : bool
        Whether the states before the first step are parameters; otherwise they are zeros.
    """

    n_kinds = 1
    kept_gates = gate_names = ""
    precision = "float32"  # what products may round their factors to, on a backend that gains by it
    training = False  # whether rounding need not be that of single steps, as a prediction's

    def __init__(self, kernels, cell, key, n_in, n_units, backward, learn_initial, dtype):
        self.kernels, self.cell, self.key, self.backward = kernels, cell, key, backward
        self.n_in, self.n_units, self.dtype = n_in, n_units, np.dtype(dtype)
        self.learn_initial = learn_initial
        self.n_padded = kernels.padded(n_units, dtype)
        self.sizes = self._sizes()
        if learn_initial:
            self.sizes.append(self.n_kinds * self.n_padded)

    # ---- parameters ----------------------------------------------------------------------------

    def _sizes(self):
        return [(1 + self.n_in + self.n_units) * self.n_columns]

    @cached
    def n_columns(self):
        return self.kernels.gate_columns(self.n_units, self.dtype)

    @cached
    def row_stride(self):
        return self.kernels.row_stride(1 + self.n_in + self.n_padded, self.dtype)

    @cached
    def no_rows(self):
        """What kernels take for a mask, or for gradients at outputs, where there are none."""
        return self.kernels.zeros((0, self.n_padded), self.dtype)

    def _panels(self, flat):
        return self.kernels.panels(flat, 1 + self.n_in + self.n_units, self.n_columns)

    def initial(self, rng):
        parameters = self._initial_cell(rng)
        if self.learn_initial:
            parameters |= {name: np.zeros(self.n_units) for name in self._state_names()}
        return parameters

    def _initial_cell(self, rng):
        """W, U, b of a cell whose gates all start alike."""
        W, U, b = self.cell.initial_weights(rng, self.n_in, self.n_units)
        return {"W": W, "U": U, "b": b}

    def pack(self, parameters, arrays):
        self._pack_cell(parameters, arrays)
        if self.learn_initial:
            states = arrays[-1].reshape(self.n_kinds, -1)
            for state, name in zip(states, self._state_names(), strict=True):
                state[: self.n_units] = parameters[name]

    def unpack(self, arrays):
        parameters = self._unpack_cell(arrays)
        if self.learn_initial:
            states = self.kernels.to_host(arrays[-1]).reshape(self.n_kinds, -1)
            for name, state in zip(self._state_names(), states, strict=True):
                parameters[name] = state[: self.n_units].copy()
        return parameters

    def _state_names(self):
        return ("h0", "c0")[: self.n_kinds]

    # ---- forward -------------------------------------------------------------------------------

    def forward(self, batch, streams, work, n_jobs, keep, masks=(None, None), given=None):
        """All states of a batch.

        streams  what the inputs are, side by side
        keep     what `backpropagate` needs
        masks    a `Mask` of the inputs, and what recurrent connections are multiplied by (B, n_units
                 padded); None
        given    None, or the states to start from, (n_kinds, B, n_units) in the batch's order
        """
        input_mask, recurrent_mask = masks
        z = work.array(self.key, "z", (batch.n_states, self.row_stride))
        z[:, 0] = 1
        column = 1
        for stream in streams:
            index = stream.index(self.backward)
            self.kernels.gather(stream.rows, stream.column, index, z, column, stream.width, n_jobs)
            column += stream.width
        if input_mask is not None:
            self.kernels.scale_rows(z, 1, *input_mask, self.n_in, n_jobs)
        arrays = self._state_arrays(batch, z, work, keep)
        self._set_initial(batch, arrays, given)
        if recurrent_mask is None:
            recurrent_mask = self.no_rows
        self._forward(batch, z, arrays, recurrent_mask, work, n_jobs, keep)
        (rows, column), *cells = arrays
        return States(rows, column, cells[0][0] if cells else None, keep)

    def _set_initial(self, batch, arrays, given):
        """Write the states before the first step."""
        if given is None and self.learn_initial:
            given = self.values[-1].reshape(self.n_kinds, -1)[:, : self.n_units]
        for kind, (array, column) in enumerate(arrays):
            array[: len(batch), column : column + self.n_padded] = 0
            if given is not None:
                array[: len(batch), column : column + self.n_units] = given[kind]

    def first_states(self):
        """The states before the first step where none are given, (n_kinds, n_units)."""
        if not self.learn_initial:
            return np.zeros((self.n_kinds, self.n_units), self.dtype)
        states = self.kernels.to_host(self.values[-1])
        return states.reshape(self.n_kinds, -1)[:, : self.n_units]

    def _state_arrays(self, batch, z, work, keep):
        """(array, first column) of each kind of state, h first; rows as in ``batches``."""
        return [(work.array(self.key, "h", (batch.n_states, self.n_padded)), 0)]

    def _forward(self, batch, z, arrays, mask, work, n_jobs, keep):
        raise NotImplementedError

    def _gates(self, batch, work, keep):
        n = batch.n_slots if keep else len(batch)
        return work.array(self.key, "gates", (n * self.n_columns,))

    def outputs(self, batch, states):
        """The states after each step as the next layer's input."""

        def index(backward):
            return batch.after if backward == self.backward else batch.reversed_after

        return Stream(states.rows, states.column, self.n_units, index)

    def gate_activations(self, batch, work):
        """The gates of each slot's step, as ``forward(..., keep=True)`` has left them: {letter:
        (n_slots, n_units)}; `backpropagate` overwrites them.
        """
        if not self.gate_names:
            return {}
        gates = self._gates(batch, work, True)
        kept = self.kernels.unpack_gates(gates, batch.n_slots, self.n_units)
        found = dict(zip(self.kept_gates, kept, strict=True))
        return {letter: found[letter] for letter in self.gate_names}

    # ---- backward ------------------------------------------------------------------------------

    def final_gradients(self, batch, work):
        """The gradients at the final states, (dh,) or (dh, dc), zeros: to be filled before
        `backpropagate`.
        """
        arrays = work.array(self.key, "final", (self.n_kinds, len(batch), self.n_padded))
        arrays[:] = 0
        return tuple(arrays)

    def output_gradient(self, batch, work):
        """The gradient at the output of each slot's step, zero in padded units; the others are to
        be filled.
        """
        d_out = work.array(self.key, "d_out", (batch.n_slots, self.n_padded))
        d_out[:, self.n_units :] = 0
        return d_out

    def backpropagate(self, batch, slopes, work, n_jobs, need_inputs, masks=(None, None)):
        """Fill the gradient of the parameters.

        slopes  (d_out, dh) or (d_out, dh, dc): `output_gradient` (or no rows), `final_gradients`;
                the latter become the gradients at the initial states

        Returns the gradient at the inputs (n_slots, n_in padded), or None where it is not needed.
        """
        input_mask, recurrent_mask = masks
        d_out, *finals = slopes
        if recurrent_mask is None:
            recurrent_mask = self.no_rows
        z = work.array(self.key, "z", (batch.n_states, self.row_stride))
        self._backward(batch, z, d_out, finals, recurrent_mask, work, n_jobs)
        if self.learn_initial:
            starts = self.slopes[-1].reshape(self.n_kinds, -1)
            for start, gradient in zip(starts, finals, strict=True):
                self.kernels.sum_rows(gradient, batch.n_carried, start)
        if not need_inputs:
            return None
        dx = self._input_gradient(batch, work, n_jobs)
        if input_mask is not None:
            self.kernels.scale_rows(dx, 0, *input_mask, self.n_in, n_jobs)
        return dx

    def _backward(self, batch, z, d_out, finals, mask, work, n_jobs):
        """BPTT, and the gradients of the cell's parameters."""
        raise NotImplementedError

    def _recurrent_transposed(self, work, n_jobs):
        """U transposed, for BPTT."""
        K = 1 + self.n_in + self.n_units
        UT = work.array(self.key, "UT", (self.n_columns * self.n_padded,))
        self.kernels.transpose(
            UT, self.weights, K, self.n_columns, 1 + self.n_in, self.n_units, n_jobs
        )
        return UT

    def _weight_gradient(self, batch, z, gates, n_jobs):
        """The gradient of [b; W; U], from that at the pre-activations."""
        K, n_slots = 1 + self.n_in + self.n_units, batch.n_slots
        self.kernels.outer(self.gradient, z, gates, n_slots, K, self.n_columns, n_slots, 0, n_jobs)

    def _input_gradient(self, batch, work, n_jobs):
        """(n_slots, n_in padded), from the gradient at the pre-activations."""
        kernels, n_slots, n_columns = self.kernels, batch.n_slots, self.n_columns
        gates, width = self._gates(batch, work, True), kernels.padded(self.n_in, work.dtype)
        WT = work.array(self.key, "WT", (n_columns * width,))
        dx = work.array(self.key, "dx", (n_slots, width))
        K, panel = 1 + self.n_in + self.n_units, kernels.panel_columns(n_columns, work.dtype)
        kernels.transpose(WT, self.weights, K, n_columns, 1, self.n_in, n_jobs)
        kernels.multiply(dx, gates, n_slots, n_columns, panel, WT, n_slots, width, n_jobs, True)
        return dx
