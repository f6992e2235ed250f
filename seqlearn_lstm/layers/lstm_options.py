"""The LSTM with options: peepholes, no forget gate, other activations, layer normalisation,
recurrent dropout.
"""

import numpy as np

from .recurrent import Recurrent

ACTIVATIONS = {"tanh": 0, "relu": 1, "sigmoid": 2, "linear": 3}  # the kernels' numbers
WITH_F = {"W": 4, "U": 4, "b": 4, "gain": 4, "p": 3}  # how many gates have columns, f the second


class OptionsLSTM(Recurrent):
    """One direction of a layer of LSTM cells with any options.

    Canonical as of `PlainLSTM`, without the columns of f where there is no forget gate; ``p``
    (3 H,), the peepholes of i, f, o; under layer normalisation ``gain`` (4 H,), ``cell_gain`` and
    ``cell_shift`` (H,).
    """

    n_kinds = 2
    kept_gates = "ifgo"

    def _sizes(self):
        return [*super()._sizes(), self.kernels.lstm_extras_size(self.n_units, self.dtype)]

    @property
    def gate_names(self):
        return "ifgo" if self.cell.forget_gate else "igo"

    @property
    def _options(self):
        cell = self.cell
        code = ACTIVATIONS[cell.activation]
        return cell.peephole, cell.forget_gate, cell.layer_norm, code, code

    # ---- parameters ----------------------------------------------------------------------------

    def _initial_cell(self, rng):
        H, parameters = self.n_units, super()._initial_cell(rng)
        if self.cell.peephole:
            parameters["p"] = np.zeros(3 * H)
        if self.cell.layer_norm:
            parameters |= {"gain": np.ones(4 * H), "cell_gain": np.ones(H)}
            parameters["cell_shift"] = np.zeros(H)
        if not self.cell.forget_gate:
            _without_f(parameters)
        return parameters

    def _pack_cell(self, parameters, arrays):
        H = self.n_units
        whole = dict(parameters)
        if not self.cell.forget_gate:
            for name in WITH_F.keys() & whole.keys():
                whole[name] = _with_f(whole[name], H)
        self.kernels.pack_lstm(whole["b"], whole["W"], whole["U"], arrays[0])
        extras = [
            np.asarray(whole.get(name, np.zeros(n * H)), self.dtype)
            for name, n in (("p", 3), ("gain", 4), ("cell_gain", 1), ("cell_shift", 1))
        ]
        self.kernels.pack_lstm_extras(*extras, arrays[1])

    def _unpack_cell(self, arrays):
        b, W, U = self.kernels.unpack_lstm(arrays[0], self.n_in, self.n_units)
        p, gain, cell_gain, cell_shift = self.kernels.unpack_lstm_extras(arrays[1], self.n_units)
        found = {"W": W, "U": U, "b": b}
        if self.cell.peephole:
            found["p"] = p
        if self.cell.layer_norm:
            found |= {"gain": gain, "cell_gain": cell_gain, "cell_shift": cell_shift}
        if not self.cell.forget_gate:
            _without_f(found)
        return found

    # ---- forward and back ----------------------------------------------------------------------

    def _state_arrays(self, batch, z, work, keep):
        n = batch.n_states if keep else len(batch)
        return [
            *super()._state_arrays(batch, z, work, keep),
            (work.array(self.key, "c", (n, self.n_padded)), 0),
        ]

    def _normalised(self, batch, work, keep):
        """(centred, stats): what layer normalisation keeps for the way back, or nothing."""
        n = (batch.n_slots if keep else len(batch)) if self.cell.layer_norm else 0
        centred = work.array(self.key, "centred", (n * self.n_columns,))
        return centred, work.array(self.key, "stats", (n, 6))

    def _forward(self, batch, z, arrays, mask, work, n_jobs, keep):
        kept = batch.slots if keep else np.zeros_like(batch.slots)
        centred, stats = self._normalised(batch, work, keep)
        self.kernels.lstm_options_forward(
            z, arrays[0][0], arrays[1][0], self._gates(batch, work, keep), centred,
            stats, self.weights, self.values[1], mask, batch.live, batch.slots, kept,
            self.n_in, self.n_units, self._options, n_jobs, self.training,
        )  # fmt: skip

    def _backward(self, batch, z, d_out, finals, mask, work, n_jobs):
        c = work.array(self.key, "c", (batch.n_states, self.n_padded))
        gates, UT = self._gates(batch, work, True), self._recurrent_transposed(work, n_jobs)
        centred, stats = self._normalised(batch, work, True)
        n = len(batch) if self.cell.peephole or self.cell.layer_norm else 0
        size = n * self.kernels.lstm_sums_size(self.n_units, self.dtype)
        sums = work.array(self.key, "sums", (size,))
        self.kernels.lstm_options_backward(
            d_out, c, gates, centred, stats, sums, UT, self.values[1], mask, *finals, batch.live,
            batch.slots, self.n_units, self._options, n_jobs,
        )  # fmt: skip
        self._weight_gradient(batch, z, gates, n_jobs)
        self.kernels.lstm_options_gradient(
            self.gradient, self.slopes[1], sums, self.n_in, self.n_units, self._options, n_jobs
        )


def _without_f(parameters):
    """Take the columns of f out of all parameters."""
    for name in WITH_F.keys() & parameters.keys():
        blocks = np.split(parameters[name], WITH_F[name], axis=-1)
        parameters[name] = np.concatenate([blocks[0], *blocks[2:]], axis=-1)


def _with_f(array, n_units):
    """Put zeros where the columns of f are."""
    zeros = np.zeros_like(array[..., :n_units])
    return np.concatenate([array[..., :n_units], zeros, array[..., n_units:]], axis=-1)
