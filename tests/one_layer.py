"""One direction of an LSTM layer, run through a backend's contract alone.

Sequences go in and come out in the caller's order. All memory that a kernel must not read is
filled with NaN first, so that it shows where one does.
"""

from dataclasses import dataclass

import numpy as np

from seqlearn_lstm.batches import plan


def copy_to(kernels, array):
    """The array in the backend's own memory."""
    out = kernels.zeros(np.shape(array), array.dtype)
    out[...] = array
    return out


def unknown(kernels, shape, dtype):
    """Memory that nobody has written yet."""
    out = kernels.zeros(shape, dtype)
    out.fill(np.nan)
    return out


def random_layer(rng, n_in, n_units, dtype=np.float64):
    """Canonical (W, U, b) large enough to bend the gates."""
    shapes = (n_in, 4 * n_units), (n_units, 4 * n_units), (4 * n_units,)
    W, U, b = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    return W, U / np.sqrt(n_units).astype(dtype), b


@dataclass
class LayerRun:
    """A forward pass that has been made.

    `hs` and `cs` are lists of (T + 1, H), row 0 the initial state.
    """

    kernels: object
    batch: object
    z: np.ndarray
    c: np.ndarray
    gates: np.ndarray
    weights: np.ndarray
    n_in: int
    n_units: int
    n_jobs: int

    def state_rows(self, k):
        """Rows of the states of the caller's k-th sequence, from the initial to the final one."""
        rank = int(np.flatnonzero(self.batch.members == k)[0])
        return self.batch.slots[: self.batch.lengths[rank] + 1] + rank

    @property
    def hs(self):
        h = self.z[:, 1 + self.n_in : 1 + self.n_in + self.n_units]
        return [h[self.state_rows(k)] for k in range(len(self.batch))]

    @property
    def cs(self):
        c = self.c[:, : self.n_units]
        return [c[self.state_rows(k)] for k in range(len(self.batch))]

    def backward(self, d_outs, dh, dc):
        """(dW, dU, db, dxs, dh0, dc0), the last three for each sequence; overwrites the gates.

        d_outs  list of (T, H), or None;  dh dc  (n, H)
        """
        kernels, batch, weights = self.kernels, self.batch, self.weights
        dtype, n_slots, K = weights.dtype, batch.n_slots, 1 + self.n_in + self.n_units
        n_columns = kernels.gate_columns(self.n_units, dtype)
        Hp = kernels.padded(self.n_units, dtype)
        members = batch.members
        d_out = kernels.zeros((0 if d_outs is None else n_slots, Hp), dtype)
        if d_outs is not None:
            d_out[batch.dead] = np.nan
            for k, values in enumerate(d_outs):
                d_out[self.state_rows(k)[:-1], : self.n_units] = values
        dh_padded, dc_padded = (kernels.zeros((len(batch), Hp), dtype) for _ in range(2))
        dh_padded[:, : self.n_units], dc_padded[:, : self.n_units] = dh[members], dc[members]

        n_jobs = self.n_jobs
        UT = unknown(kernels, n_columns * Hp, dtype)
        kernels.transpose(UT, weights, K, n_columns, 1 + self.n_in, self.n_units, n_jobs)
        kernels.lstm_backward(
            d_out, self.c, self.gates, UT, dh_padded, dc_padded, batch.live, batch.slots,
            self.n_units, n_jobs,
        )  # fmt: skip
        gradient = unknown(kernels, weights.shape, dtype)
        kernels.outer(gradient, self.z, self.gates, n_slots, K, n_columns, n_slots, 0, n_jobs)
        width, panel = kernels.padded(self.n_in, dtype), 4 * kernels.lanes(dtype)
        WT = unknown(kernels, n_columns * width, dtype)
        kernels.transpose(WT, weights, K, n_columns, 1, self.n_in, n_jobs)
        dx = unknown(kernels, (n_slots, width), dtype)
        kernels.multiply(dx, self.gates, n_slots, n_columns, panel, WT, n_slots, width, n_jobs)

        self.padding = [dh_padded[:, self.n_units :], dc_padded[:, self.n_units :]]
        self.padding += [dx[:, self.n_in :], dx[batch.dead], self.dead_gates()]
        self.padding += [self.padded_gates(flat) for flat in (self.gates, gradient)]
        db, dW, dU = kernels.unpack_lstm(gradient, self.n_in, self.n_units)
        dxs = [dx[self.state_rows(k)[:-1], : self.n_in] for k in range(len(batch))]
        dh0, dc0 = np.empty_like(dh), np.empty_like(dc)
        dh0[members], dc0[members] = (d[:, : self.n_units] for d in (dh_padded, dc_padded))
        return dW, dU, db, dxs, dh0, dc0

    def dead_gates(self):
        """The gates of dead slots, all columns."""
        panels = panels_of_gates(self.kernels, self.gates, self.n_units)
        return np.hstack([panel[self.batch.dead] for panel in panels])

    def padded_gates(self, flat):
        """What stands in flat panels of gates or weights for the units that do not exist."""
        panels = panels_of_gates(self.kernels, flat, self.n_units)
        gates = np.concatenate([panel.reshape(len(panel), 4, -1) for panel in panels], axis=2)
        return gates[:, :, self.n_units :]


def panels_of_gates(kernels, flat, n_units):
    n_columns = kernels.gate_columns(n_units, flat.dtype)
    return kernels.panels(flat, flat.size // n_columns, n_columns)


def run_layer(kernels, sequences, h0, c0, W, U, b, n_jobs=1, keep=True):
    """The forward pass; h0 and c0 (n, H). ``keep=False`` keeps the final cells only, (n, Hp)."""
    dtype, (n_in, n_units) = W.dtype, (W.shape[0], U.shape[0])
    offsets = np.concatenate([[0], np.cumsum([len(x) for x in sequences])]).astype(np.int64)
    rows = copy_to(kernels, np.concatenate(sequences).astype(dtype))
    batch = plan(offsets, np.arange(len(sequences)))
    n_columns = kernels.gate_columns(n_units, dtype)
    weights = unknown(kernels, (1 + n_in + n_units) * n_columns, dtype)
    kernels.pack_lstm(b, W, U, weights)

    B, Hp = len(batch), kernels.padded(n_units, dtype)
    z = unknown(kernels, (batch.n_states, kernels.row_stride(1 + n_in + Hp, dtype) + 16), dtype)
    z[:, 0] = 1
    kernels.gather(rows, 0, batch.source, z, 1, n_in, 1)
    z[:B, 1 + n_in : 1 + n_in + Hp] = 0
    z[:B, 1 + n_in : 1 + n_in + n_units] = h0[batch.members]
    c = unknown(kernels, (batch.n_states if keep else B, Hp), dtype)
    c[:B] = 0
    c[:B, :n_units] = c0[batch.members]
    n_gates = batch.n_slots if keep else B
    gates = unknown(kernels, n_gates * n_columns, dtype)
    kept = batch.slots if keep else np.zeros_like(batch.slots)
    kernels.lstm_forward(z, c, gates, weights, batch.live, batch.slots, kept, n_in, n_units, n_jobs)
    return LayerRun(kernels, batch, z, c, gates, weights, n_in, n_units, n_jobs)
