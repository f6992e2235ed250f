"""One direction of an LSTM layer with options, run through a backend's contract alone, as in
`one_layer`; and random problems for it.
"""

from dataclasses import dataclass

import naive_lstm_options as twin
import numpy as np
from one_layer import LayerRun, copy_to, unknown

from seqlearn_lstm.batches import plan


def random_parameters(rng, n_in, n_units, options, dtype=np.float64):
    """Large enough to bend the gates; zeros for a forget gate that does not exist."""
    H = n_units
    shapes = (n_in, 4, H), (H, 4, H), (4, H), (3, H), (4, H), (H,), (H,)
    W, U, b, p, gain, cell_gain, cell_shift = (rng.standard_normal(shape) for shape in shapes)
    if not options.forget_gate:
        W[:, 1], U[:, 1], b[1] = 0, 0, 0
    arrays = W.reshape(n_in, -1), U.reshape(H, -1) / np.sqrt(H), b, p, gain, cell_gain, cell_shift
    flat = (array if array.ndim == 2 and len(array) == n else array.ravel()
            for array, n in zip(arrays, (n_in, H, 0, 0, 0, 0, 0), strict=True))  # fmt: skip
    return twin.Parameters(*(array.astype(dtype) for array in flat))


@dataclass
class OptionsRun(LayerRun):
    """A forward pass that has been made; `hs` and `cs` as of a `LayerRun`."""

    h: np.ndarray
    centred: np.ndarray
    stats: np.ndarray
    extras: np.ndarray
    mask: np.ndarray
    codes: tuple

    @property
    def hs(self):
        return [self.h[self.state_rows(k), : self.n_units] for k in range(len(self.batch))]

    def backward(self, d_outs, dh, dc):
        """(gradients: Parameters, dxs, dh0, dc0), the last three for each sequence; overwrites the
        gates.

        d_outs  list of (T, H), or None;  dh dc  (n, H)
        """
        kernels, batch, weights, n_jobs = self.kernels, self.batch, self.weights, self.n_jobs
        dtype, n_slots, K = weights.dtype, batch.n_slots, 1 + self.n_in + self.n_units
        n_columns = kernels.gate_columns(self.n_units, dtype)
        Hp, members = kernels.padded(self.n_units, dtype), batch.members
        d_out = kernels.zeros((0 if d_outs is None else n_slots, Hp), dtype)
        if d_outs is not None:
            d_out[batch.dead] = np.nan
            for k, values in enumerate(d_outs):
                d_out[self.state_rows(k)[:-1], : self.n_units] = values
        dh_padded, dc_padded = (kernels.zeros((len(batch), Hp), dtype) for _ in range(2))
        dh_padded[:, : self.n_units], dc_padded[:, : self.n_units] = dh[members], dc[members]
        some = self.codes[0] or self.codes[2]  # peepholes or layer normalisation
        size = len(batch) * kernels.lstm_sums_size(self.n_units, dtype) if some else 0
        sums = unknown(kernels, size, dtype)

        UT = unknown(kernels, n_columns * Hp, dtype)
        kernels.transpose(UT, weights, K, n_columns, 1 + self.n_in, self.n_units, n_jobs)
        kernels.lstm_options_backward(
            d_out, self.c, self.gates, self.centred, self.stats, sums, UT, self.extras, self.mask,
            dh_padded, dc_padded, batch.live, batch.slots, self.n_units, self.codes, n_jobs,
        )  # fmt: skip
        gradient = unknown(kernels, weights.shape, dtype)
        kernels.outer(gradient, self.z, self.gates, n_slots, K, n_columns, n_slots, 0, n_jobs)
        d_extras = unknown(kernels, self.extras.shape, dtype)
        kernels.lstm_options_gradient(
            gradient, d_extras, sums, self.n_in, self.n_units, self.codes, n_jobs
        )  # fmt: skip
        width, panel = kernels.padded(self.n_in, dtype), 4 * kernels.lanes(dtype)
        WT = unknown(kernels, n_columns * width, dtype)
        kernels.transpose(WT, weights, K, n_columns, 1, self.n_in, n_jobs)
        dx = unknown(kernels, (n_slots, width), dtype)
        kernels.multiply(dx, self.gates, n_slots, n_columns, panel, WT, n_slots, width, n_jobs)

        self.padding = [array[:, self.n_units :] for array in (dh_padded, dc_padded)]
        self.padding += [dx[:, self.n_in :], dx[batch.dead], self.dead_gates()]
        self.padding += [self.padded_gates(flat) for flat in (self.gates, gradient)]
        self.padding += [d_extras.reshape(-1, Hp)[:, self.n_units :]]
        db, dW, dU = kernels.unpack_lstm(gradient, self.n_in, self.n_units)
        extras = kernels.unpack_lstm_extras(d_extras, self.n_units)
        dxs = [dx[self.state_rows(k)[:-1], : self.n_in] for k in range(len(batch))]
        dh0, dc0 = np.empty_like(dh), np.empty_like(dc)
        dh0[members], dc0[members] = (d[:, : self.n_units] for d in (dh_padded, dc_padded))
        return twin.Parameters(dW, dU, db, *extras), dxs, dh0, dc0


def run_options(kernels, sequences, h0, c0, theta, options, mask=None, n_jobs=1, keep=True):
    """The forward pass; h0, c0 and mask (n, H), mask=None: none. ``keep=False`` keeps the final
    cells only, (n, Hp).
    """
    dtype, (n_in, n_units) = theta.W.dtype, (len(theta.W), len(theta.U))
    offsets = np.concatenate([[0], np.cumsum([len(x) for x in sequences])]).astype(np.int64)
    rows = copy_to(kernels, np.concatenate(sequences).astype(dtype))
    batch = plan(offsets, np.arange(len(sequences)))
    n_columns, Hp = kernels.gate_columns(n_units, dtype), kernels.padded(n_units, dtype)
    weights = unknown(kernels, (1 + n_in + n_units) * n_columns, dtype)
    kernels.pack_lstm(theta.b, theta.W, theta.U, weights)
    extras = unknown(kernels, kernels.lstm_extras_size(n_units, dtype), dtype)
    kernels.pack_lstm_extras(theta.p, theta.gain, theta.cell_gain, theta.cell_shift, extras)

    B, n_rows = len(batch), batch.n_slots if keep else len(batch)
    z = unknown(kernels, (batch.n_states, kernels.row_stride(1 + n_in + Hp, dtype) + 16), dtype)
    z[:, 0] = 1
    kernels.gather(rows, 0, batch.source, z, 1, n_in, 1)
    h = unknown(kernels, (batch.n_states, Hp), dtype)
    c = unknown(kernels, (batch.n_states if keep else B, Hp), dtype)
    for states, initial in ((h, h0), (c, c0)):
        states[:B] = 0
        states[:B, :n_units] = initial[batch.members]
    gates = unknown(kernels, n_rows * n_columns, dtype)
    centred = unknown(kernels, gates.size if options.layer_norm else 0, dtype)
    stats = unknown(kernels, (n_rows if options.layer_norm else 0, 6), dtype)
    masks = kernels.zeros((0 if mask is None else B, Hp), dtype)
    if mask is not None:
        masks[:, :n_units] = mask[batch.members]
    kept = batch.slots if keep else np.zeros_like(batch.slots)
    codes = options.codes()
    kernels.lstm_options_forward(
        z, h, c, gates, centred, stats, weights, extras, masks, batch.live, batch.slots, kept, n_in,
        n_units, codes, n_jobs,
    )  # fmt: skip
    return OptionsRun(
        kernels, batch, z, c, gates, weights, n_in, n_units, n_jobs, h, centred, stats, extras,
        masks, codes,
    )  # fmt: skip


class Problem:
    """Random sequences, initial states, masks, parameters and gradients from above."""

    def __init__(self, lengths, n_in, n_units, options, masked, dtype=np.float64, seed=0):
        rng = np.random.default_rng(seed)

        def normal(*shape):
            return rng.standard_normal(shape).astype(dtype)

        B, self.options = len(lengths), options
        self.sequences = [normal(length, n_in) for length in lengths]
        self.h0, self.c0, self.dh, self.dc = (normal(B, n_units) for _ in range(4))
        self.theta = random_parameters(rng, n_in, n_units, options, dtype)
        self.d_outs = [normal(length, n_units) for length in lengths]
        drawn = (rng.random((B, n_units)) < 0.7) / 0.7
        self.mask = drawn.astype(dtype) if masked else None

    def run(self, kernels, members=None, n_jobs=1, keep=True):
        k = list(range(len(self.sequences))) if members is None else members
        mask = None if self.mask is None else self.mask[k]
        sequences = [self.sequences[i] for i in k]
        return run_options(
            kernels, sequences, self.h0[k], self.c0[k], self.theta, self.options, mask, n_jobs, keep
        )

    def backward(self, run, with_outputs=True):
        return run.backward(self.d_outs if with_outputs else None, self.dh, self.dc)

    def naive_arguments(self, k):
        theta = self.theta.map(lambda array: array.astype(np.float64))
        mask = np.ones(self.h0.shape[1]) if self.mask is None else self.mask[k]
        return self.sequences[k], self.h0[k], self.c0[k], theta, self.options, mask

    def naive_backward(self, with_outputs=True):
        """(gradients: Parameters, dxs, dh0, dc0) as `backward`."""
        parts = [
            twin.lstm_backward(*self.naive_arguments(k), d_out * with_outputs, dh, dc)
            for k, (d_out, dh, dc) in enumerate(zip(self.d_outs, self.dh, self.dc, strict=True))
        ]
        gradients, dxs, dh0, dc0 = zip(*parts, strict=True)
        sums = (sum(getattr(g, name) for g in gradients) for name in twin.Parameters.names())
        return twin.Parameters(*sums), dxs, np.array(dh0), np.array(dc0)

    def naive_loss(self):
        total = 0.0
        for k, (d_out, dh, dc) in enumerate(zip(self.d_outs, self.dh, self.dc, strict=True)):
            hs, cs = twin.lstm(*self.naive_arguments(k))
            total += (hs[1:] * d_out).sum() + hs[-1] @ dh + cs[-1] @ dc
        return total

    def trained(self):
        """Names of the parameters that the options use."""
        names = ["W", "U", "b"] + ["p"] * self.options.peephole
        return names + ["gain", "cell_gain", "cell_shift"] * self.options.layer_norm


def named(gradients, dxs, dh0, dc0):
    """Results of a backward pass as (name, array) pairs."""
    yield from ((name, getattr(gradients, name)) for name in twin.Parameters.names())
    # All together: a normalisation of a few units that hardly differ leaves of one sequence's
    # gradient what rounding W to float32 alone moves by more than the bound.
    yield "x", np.concatenate(dxs)
    yield from (("h0", dh0), ("c0", dc0))
