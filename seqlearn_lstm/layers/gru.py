"""The gated recurrent unit, with its reset gate after the recurrent product, or before it."""

import numpy as np

from .recurrent import Recurrent


class GRULayer(Recurrent):
    """One direction of a layer of ``GRU()`` cells. Canonical W (n_in, 3 H), U (H, 3 H), b (3 H,),
    gates r, u, n, and b_n (H,), the bias inside of the reset.
    """

    kept_gates = "nrum"
    gate_names = "run"

    def _initial_cell(self, rng):
        return {**super()._initial_cell(rng), "b_n": np.zeros(self.n_units)}

    def _pack_cell(self, parameters, arrays):
        b_n = parameters.get("b_n", np.zeros(self.n_units))
        b, W, U = (parameters[letter] for letter in "bWU")
        self.kernels.pack_gru(b, W, U, b_n, arrays[0])

    def _unpack_cell(self, arrays):
        b, W, U, b_n = self.kernels.unpack_gru(arrays[0], self.n_in, self.n_units)
        return {"W": W, "U": U, "b": b, "b_n": b_n}

    def _forward(self, batch, z, arrays, mask, work, n_jobs, keep):
        kept = batch.slots if keep else np.zeros_like(batch.slots)
        self.kernels.gru_forward(
            z, arrays[0][0], self._gates(batch, work, keep), self.weights, mask, batch.live,
            batch.slots, kept, self.n_in, self.n_units, n_jobs, self.training,
        )  # fmt: skip

    def _backward(self, batch, z, d_out, finals, mask, work, n_jobs):
        h = work.array(self.key, "h", (batch.n_states, self.n_padded))
        gates, UT = self._gates(batch, work, True), self._recurrent_transposed(work, n_jobs)
        self.kernels.gru_backward(
            d_out, h, gates, UT, finals[0], mask, batch.live, batch.slots, self.n_units, n_jobs
        )
        self._weight_gradient(batch, z, gates, n_jobs)
        self.kernels.clear_gru(self.gradient, self.n_in, self.n_units)


class GRUBeforeLayer(GRULayer):
    """One direction of a layer of ``GRU(reset_after=False)`` cells, which have no b_n."""

    def _initial_cell(self, rng):
        return Recurrent._initial_cell(self, rng)

    def _unpack_cell(self, arrays):
        found = super()._unpack_cell(arrays)
        del found["b_n"]
        return found

    def _candidate(self, work):
        """U_n as a matrix of its own."""
        V = work.array(self.key, "V", (self.n_units * self.n_padded,))
        self.kernels.take_candidate(V, self.weights, self.n_in, self.n_units)
        return V

    def _forward(self, batch, z, arrays, mask, work, n_jobs, keep):
        kept = batch.slots if keep else np.zeros_like(batch.slots)
        a = work.array(self.key, "a", (batch.n_slots if keep else len(batch), self.n_padded))
        self.kernels.gru_before_forward(
            z, arrays[0][0], a, self._gates(batch, work, keep), self.weights, self._candidate(work),
            mask, batch.live, batch.slots, kept, self.n_in, self.n_units, n_jobs,
        )  # fmt: skip

    def _backward(self, batch, z, d_out, finals, mask, work, n_jobs):
        H, Hp, n_slots = self.n_units, self.n_padded, batch.n_slots
        h = work.array(self.key, "h", (batch.n_states, Hp))
        a, d_a = (
            work.array(self.key, "a", (n_slots, Hp)),
            work.array(self.key, "d_a", (n_slots * Hp,)),
        )
        gates, UT = self._gates(batch, work, True), self._recurrent_transposed(work, n_jobs)
        V, VT = self._candidate(work), work.array(self.key, "VT", (Hp * Hp,))
        self.kernels.transpose(VT, V, H, Hp, 0, H, n_jobs)
        self.kernels.gru_before_backward(
            d_out, h, a, gates, d_a, UT, VT, finals[0], mask, batch.live, batch.slots, H, n_jobs
        )
        self._weight_gradient(batch, z, gates, n_jobs)
        dV = work.array(self.key, "dV", (H * Hp,))
        self.kernels.outer(dV, a, d_a, n_slots, H, Hp, n_slots, 0, n_jobs)
        self.kernels.put_candidate(self.gradient, dV, self.n_in, H)
