"""One direction of a layer of any recurrent cell, run through a backend's contract alone.

A ``Cell`` knows its canonical parameters and which kernels compute it; a ``CellRun`` is a forward
pass that has been made. Memory that a kernel must not read is filled with NaN first, as in
`one_layer`; masks of padded units are some number.
"""

from dataclasses import dataclass, field

import naive_cells
import numpy as np
from one_layer import copy_to, unknown

from seqlearn_lstm.batches import plan


class Cell:
    """name and names (of the parameters), and below what differs from cell to cell."""

    def columns(self, kernels, n_units, dtype):
        """Columns of the weights and of the gradient at the pre-activations."""
        return kernels.gate_columns(n_units, dtype)

    def transposed(self, run, weights, n_rows, columns, first, n_used):
        """Rows of panelled weights, transposed."""
        kernels, dtype = run.kernels, weights.dtype
        out = unknown(kernels, columns * kernels.padded(n_used, dtype), dtype)
        kernels.transpose(out, weights, n_rows, columns, first, n_used, run.n_jobs)
        return out

    def recurrent_transposed(self, run):
        columns = self.columns(run.kernels, run.n_units, run.weights.dtype)
        return self.transposed(run, run.weights, run.n_rows, columns, 1 + run.n_in, run.n_units)

    def outer(self, run, n_inputs, columns, a, d):
        gradient = unknown(run.kernels, n_inputs * columns, d.dtype)
        n_slots = run.batch.n_slots
        run.kernels.outer(gradient, a, d, n_slots, n_inputs, columns, n_slots, 0, run.n_jobs)
        return gradient

    def weights_gradient(self, run, d_pre):
        columns = self.columns(run.kernels, run.n_units, d_pre.dtype)
        return self.outer(run, run.n_rows, columns, run.z, d_pre)


class GRU(Cell):
    """The reset gate behind the recurrent product."""

    name, names, with_b_n = "gru", ("W", "U", "b", "b_n"), True

    def random(self, rng, n_in, n_units):
        U = rng.standard_normal((n_units, 3 * n_units)) / np.sqrt(n_units)
        W, b = rng.standard_normal((n_in, 3 * n_units)), rng.standard_normal(3 * n_units)
        return [W, U, b, rng.standard_normal(n_units) * self.with_b_n]

    def naive(self, x, h0, W, U, b, b_n, mask):
        return naive_cells.gru(x, h0, W, U, b, b_n if self.with_b_n else None, mask)

    def naive_backward(self, x, h0, W, U, b, b_n, mask, d_out, dh):
        b_n = b_n if self.with_b_n else None
        return naive_cells.gru_backward(x, h0, W, U, b, b_n, mask, d_out, dh)

    def pack(self, kernels, parameters, flat):
        W, U, b, b_n = parameters
        kernels.pack_gru(b, W, U, b_n, flat)

    def unpack(self, kernels, flat, n_in, n_units):
        b, W, U, b_n = kernels.unpack_gru(flat, n_in, n_units)
        return [W, U, b, b_n]

    def forward(self, run):
        run.gates = run.unknown(run.n_kept * self.columns(run.kernels, run.n_units, run.dtype))
        run.kernels.gru_forward(
            run.z, run.h, run.gates, run.weights, run.mask, run.batch.live, run.batch.slots,
            run.kept, run.n_in, run.n_units, run.n_jobs,
        )  # fmt: skip

    def backward(self, run, d_out, dh):
        """The gradient at the pre-activations and that of the weights; dh is overwritten."""
        run.kernels.gru_backward(
            d_out, run.h, run.gates, self.recurrent_transposed(run), dh, run.mask, run.batch.live,
            run.batch.slots, run.n_units, run.n_jobs,
        )  # fmt: skip
        gradient = self.weights_gradient(run, run.gates)
        run.kernels.clear_gru(gradient, run.n_in, run.n_units)
        return run.gates, gradient


class GRUBefore(GRU):
    """The reset gate before the recurrent product: there is no b_n, it is zero."""

    name, with_b_n = "gru_before", False

    def forward(self, run):
        kernels, H = run.kernels, run.n_units
        run.gates = run.unknown(run.n_kept * self.columns(kernels, H, run.dtype))
        run.a = run.unknown((run.n_kept, kernels.row_stride(run.n_padded, run.dtype)))
        run.V = run.unknown(H * run.n_padded)
        kernels.take_candidate(run.V, run.weights, run.n_in, H)
        kernels.gru_before_forward(
            run.z, run.h, run.a, run.gates, run.weights, run.V, run.mask, run.batch.live,
            run.batch.slots, run.kept, run.n_in, H, run.n_jobs,
        )  # fmt: skip

    def backward(self, run, d_out, dh):
        kernels, H, Hp = run.kernels, run.n_units, run.n_padded
        d_a = run.unknown(run.batch.n_slots * Hp)
        kernels.gru_before_backward(
            d_out, run.h, run.a, run.gates, d_a, self.recurrent_transposed(run),
            self.transposed(run, run.V, H, Hp, 0, H), dh, run.mask, run.batch.live,
            run.batch.slots, H, run.n_jobs,
        )  # fmt: skip
        gradient = self.weights_gradient(run, run.gates)
        kernels.put_candidate(gradient, self.outer(run, H, Hp, run.a, d_a), run.n_in, H)
        return run.gates, gradient


class RNN(Cell):
    """The plain recurrent layer."""

    names = ("W", "U", "b")

    def __init__(self, activation):
        self.name, self.activation = f"rnn {activation}", activation
        self.code = ("tanh", "relu").index(activation)

    def columns(self, kernels, n_units, dtype):
        return kernels.padded(n_units, dtype)

    def random(self, rng, n_in, n_units):
        U = rng.standard_normal((n_units, n_units)) / np.sqrt(n_units)
        return [rng.standard_normal((n_in, n_units)), U, rng.standard_normal(n_units)]

    def naive(self, x, h0, W, U, b, mask):
        return naive_cells.rnn(x, h0, W, U, b, mask, self.activation)

    def naive_backward(self, x, h0, W, U, b, mask, d_out, dh):
        return naive_cells.rnn_backward(x, h0, W, U, b, mask, self.activation, d_out, dh)

    def pack(self, kernels, parameters, flat):
        W, U, b = parameters
        kernels.pack_rnn(b, W, U, flat)

    def unpack(self, kernels, flat, n_in, n_units):
        b, W, U = kernels.unpack_rnn(flat, n_in, n_units)
        return [W, U, b]

    def forward(self, run):
        run.kernels.rnn_forward(
            run.z, run.h, run.weights, run.mask, run.batch.live, run.batch.slots, run.n_in,
            run.n_units, self.code, run.n_jobs,
        )  # fmt: skip

    def backward(self, run, d_out, dh):
        d_pre = run.unknown(run.batch.n_slots * run.n_padded)
        run.kernels.rnn_backward(
            d_out, run.h, d_pre, self.recurrent_transposed(run), dh, run.mask, run.batch.live,
            run.batch.slots, run.n_units, self.code, run.n_jobs,
        )  # fmt: skip
        return d_pre, self.weights_gradient(run, d_pre)


@dataclass
class CellRun:
    """A forward pass; the cell adds what it keeps for its backward pass."""

    kernels: object
    cell: Cell
    batch: object
    weights: np.ndarray
    z: np.ndarray
    h: np.ndarray
    mask: np.ndarray
    kept: np.ndarray
    n_kept: int
    n_in: int
    n_units: int
    n_jobs: int
    padding: list = field(default_factory=list)

    def __post_init__(self):
        self.dtype, self.n_rows = self.weights.dtype, 1 + self.n_in + self.n_units
        self.n_padded = self.kernels.padded(self.n_units, self.dtype)

    def unknown(self, shape):
        return unknown(self.kernels, shape, self.dtype)

    def state_rows(self, k):
        """Rows of the states of the caller's k-th sequence, from the initial to the final one."""
        rank = int(np.flatnonzero(self.batch.members == k)[0])
        return self.batch.slots[: self.batch.lengths[rank] + 1] + rank

    @property
    def hs(self):
        """A list of (T + 1, H), row 0 the initial state."""
        h = self.h[:, : self.n_units]
        return [h[self.state_rows(k)] for k in range(len(self.batch))]

    def backward(self, d_outs, dh):
        """Gradients of the parameters, and for each sequence of x and h0; once only.

        d_outs  list of (T, H), or None;  dh  (n, H)
        """
        kernels, batch, dtype, members = self.kernels, self.batch, self.dtype, self.batch.members
        d_out = kernels.zeros((0 if d_outs is None else batch.n_slots, self.n_padded), dtype)
        if d_outs is not None:
            d_out[batch.dead] = np.nan
            for k, values in enumerate(d_outs):
                d_out[self.state_rows(k)[:-1], : self.n_units] = values
        dh_padded = kernels.zeros((len(batch), self.n_padded), dtype)
        dh_padded[:, : self.n_units] = dh[members]
        d_pre, gradient = self.cell.backward(self, d_out, dh_padded)

        n_slots, columns = batch.n_slots, self.cell.columns(kernels, self.n_units, dtype)
        width, panel = kernels.padded(self.n_in, dtype), 4 * kernels.lanes(dtype)
        WT = self.cell.transposed(self, self.weights, self.n_rows, columns, 1, self.n_in)
        dx = self.unknown((n_slots, width))
        kernels.multiply(dx, d_pre, n_slots, columns, panel, WT, n_slots, width, self.n_jobs)
        self.gradient, self.d_pre = gradient, d_pre
        self.padding = [dh_padded[:, self.n_units :], dx[:, self.n_in :], dx[batch.dead]]
        self.padding += [rows[batch.dead] for rows in kernels.panels(d_pre, n_slots, columns)]
        dxs = [dx[self.state_rows(k)[:-1], : self.n_in] for k in range(len(batch))]
        dh0 = np.empty_like(dh)
        dh0[members] = dh_padded[:, : self.n_units]
        return self.cell.unpack(kernels, gradient, self.n_in, self.n_units), dxs, dh0


def run_cell(kernels, cell, sequences, h0, parameters, masks=None, n_jobs=1, keep=True):
    """The forward pass; h0 and masks (n, H). ``keep=False`` keeps no gates: no backward pass."""
    dtype, (n_in, n_units) = parameters[0].dtype, (len(parameters[0]), len(parameters[1]))
    offsets = np.concatenate([[0], np.cumsum([len(x) for x in sequences])]).astype(np.int64)
    batch = plan(offsets, np.arange(len(sequences)))
    B, Hp = len(batch), kernels.padded(n_units, dtype)
    n_columns = cell.columns(kernels, n_units, dtype)
    weights = unknown(kernels, (1 + n_in + n_units) * n_columns, dtype)
    cell.pack(kernels, parameters, weights)
    z = unknown(kernels, (batch.n_states, kernels.row_stride(1 + n_in + Hp, dtype) + 16), dtype)
    z[:, 0] = 1
    rows = copy_to(kernels, np.concatenate(sequences).astype(dtype))
    kernels.gather(rows, 0, batch.source, z, 1, n_in, 1)
    h = unknown(kernels, (batch.n_states, Hp), dtype)
    h[:B] = 0
    h[:B, :n_units] = h0[batch.members]
    mask = kernels.zeros((0 if masks is None else B, Hp), dtype)
    if masks is not None:
        mask[:] = 3
        mask[:, :n_units] = masks[batch.members]
    kept, n_kept = (batch.slots, batch.n_slots) if keep else (np.zeros_like(batch.slots), B)
    run = CellRun(kernels, cell, batch, weights, z, h, mask, kept, n_kept, n_in, n_units, n_jobs)
    cell.forward(run)
    return run
