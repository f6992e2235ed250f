"""The plain recurrent layer of Elman."""

from .._cached import cached
from .recurrent import Recurrent

ACTIVATIONS = {"tanh": 0, "relu": 1}  # the kernels' numbers


class RNNLayer(Recurrent):
    """One direction of a layer of ``RNN()`` cells. Canonical W (n_in, H), U (H, H), b (H,)."""

    @cached
    def n_columns(self):
        return self.n_padded

    def _pack_cell(self, parameters, arrays):
        self.kernels.pack_rnn(*(parameters[letter] for letter in "bWU"), arrays[0])

    def _unpack_cell(self, arrays):
        b, W, U = self.kernels.unpack_rnn(arrays[0], self.n_in, self.n_units)
        return {"W": W, "U": U, "b": b}

    def _forward(self, batch, z, arrays, mask, work, n_jobs, keep):
        self.kernels.rnn_forward(
            z, arrays[0][0], self.weights, mask, batch.live, batch.slots, self.n_in, self.n_units,
            ACTIVATIONS[self.cell.activation], n_jobs,
        )  # fmt: skip

    def _backward(self, batch, z, d_out, finals, mask, work, n_jobs):
        h = work.array(self.key, "h", (batch.n_states, self.n_padded))
        d_pre, UT = self._gates(batch, work, True), self._recurrent_transposed(work, n_jobs)
        self.kernels.rnn_backward(
            d_out, h, d_pre, UT, finals[0], mask, batch.live, batch.slots, self.n_units,
            ACTIVATIONS[self.cell.activation], n_jobs,
        )  # fmt: skip
        self._weight_gradient(batch, z, d_pre, n_jobs)
