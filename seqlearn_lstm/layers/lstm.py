"""The plain LSTM: the fastest of the cells."""

import numpy as np

from .recurrent import Recurrent


class PlainLSTM(Recurrent):
    """One direction of a layer of ``LSTM()`` cells. Canonical W (n_in, 4 H), U (H, 4 H), b (4 H,),
    gates i, f, g, o.
    """

    n_kinds = 2
    kept_gates = gate_names = "ifgo"

    def _pack_cell(self, parameters, arrays):
        self.kernels.pack_lstm(*(parameters[letter] for letter in "bWU"), arrays[0])

    def _unpack_cell(self, arrays):
        b, W, U = self.kernels.unpack_lstm(arrays[0], self.n_in, self.n_units)
        return {"W": W, "U": U, "b": b}

    def _state_arrays(self, batch, z, work, keep):
        n = batch.n_states if keep else len(batch)
        return [(z, 1 + self.n_in), (work.array(self.key, "c", (n, self.n_padded)), 0)]

    def _forward(self, batch, z, arrays, mask, work, n_jobs, keep):
        kept = batch.slots if keep else np.zeros_like(batch.slots)
        self.kernels.lstm_forward(
            z, arrays[1][0], self._gates(batch, work, keep), self.weights, batch.live, batch.slots,
            kept, self.n_in, self.n_units, n_jobs, self.precision, self.training,
        )  # fmt: skip

    def _backward(self, batch, z, d_out, finals, mask, work, n_jobs):
        c = work.array(self.key, "c", (batch.n_states, self.n_padded))
        gates, UT = self._gates(batch, work, True), self._recurrent_transposed(work, n_jobs)
        self.kernels.lstm_backward(
            d_out, c, gates, UT, *finals, batch.live, batch.slots, self.n_units, n_jobs,
            self.precision,
        )  # fmt: skip
        self._weight_gradient(batch, z, gates, n_jobs)
