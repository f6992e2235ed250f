"""One LSTM layer of the package, taken through a batch as `Network` does it."""

import numpy as np

from seqlearn_lstm.architecture import Architecture
from seqlearn_lstm.batches import plan
from seqlearn_lstm.kernels import get_backend
from seqlearn_lstm.layers import input_stream
from seqlearn_lstm.network import Network


class Layer:
    """Random sequences of the given lengths, and a layer with random weights, in float32.

    Attributes
    ----------
    rows : ndarray of shape (n_rows, n_in)
        The steps of all sequences, one sequence after another.
    slopes : ndarray of shape (n_rows, n_directions * n_units)
        The gradient at the layer's outputs.
    """

    def __init__(self, lengths, n_in, n_units, bidirectional, n_jobs):
        self.n_in, self.n_units, self.n_jobs = n_in, n_units, n_jobs
        self.offsets = np.concatenate([[0], np.cumsum(lengths)])
        self.members = np.arange(len(lengths))
        architecture = Architecture(n_in, (n_units,), bidirectional, pooling="last", n_out=1)
        self.kernels = get_backend("cpu")
        self.network = Network(architecture, self.kernels, np.float32, n_jobs)
        self.directions, self.work = self.network.recurrent, self.network.work
        rng, n_rows = np.random.default_rng(0), self.offsets[-1]
        self.network.set_parameters(self.network.initial_parameters(rng))
        self.rows = rng.standard_normal((n_rows, n_in), dtype=np.float32)
        self.slopes = rng.standard_normal((n_rows, architecture.n_features), dtype=np.float32)
        self.slot_slopes = self._slot_slopes()

    def _slot_slopes(self):
        """`slopes` as each direction takes it: a row for each of its slots."""
        batch, slot_slopes = plan(self.offsets, self.members), []
        for i, part in enumerate(self.directions):
            d_out = self.kernels.zeros((batch.n_slots, part.n_padded), np.float32)
            index = batch.reversed_source if part.backward else batch.source
            columns = slice(i * self.n_units, (i + 1) * self.n_units)
            d_out[index >= 0, : self.n_units] = self.slopes[index[index >= 0], columns]
            slot_slopes.append(d_out)
        return slot_slopes

    # ---- what is timed -------------------------------------------------------------------------

    def forward(self, keep=False):
        """Plan the batch, gather the inputs, compute all states."""
        batch = plan(self.offsets, self.members)
        streams = [input_stream(batch, self.rows)]
        return batch, [
            part.forward(batch, streams, self.work, self.n_jobs, keep) for part in self.directions
        ]

    def step(self):
        """`forward`, back-propagation through time, the gradients of the weights."""
        batch, _ = self.forward(keep=True)
        for part, d_out in zip(self.directions, self.slot_slopes, strict=True):
            slopes = (d_out, *part.final_gradients(batch, self.work))
            part.backpropagate(batch, slopes, self.work, self.n_jobs, need_inputs=False)

    # ---- what is compared ----------------------------------------------------------------------

    def outputs(self):
        """(n_rows, n_directions * n_units), in the order of `rows`."""
        batch, states = self.forward()
        outputs, alive = np.empty_like(self.slopes), batch.source >= 0
        for i, (part, state) in enumerate(zip(self.directions, states, strict=True)):
            stream = part.outputs(batch, state)
            columns = slice(i * self.n_units, (i + 1) * self.n_units)
            values = state.rows[stream.index(False), stream.column : stream.column + stream.width]
            outputs[batch.source[alive], columns] = values[alive]
        return outputs

    def weights(self, gradient=False):
        """(W, U, b) of each direction, or their gradients."""
        arrays = self.network.get_parameters(gradient)
        return [[arrays[f"{part.key}.{letter}"] for letter in "WUb"] for part in self.directions]

    def flops(self, training):
        """Multiplications and additions that the products need, without padding."""
        inputs = (
            self.n_in + self.n_units
        )  # of a gate: in the forward pass, and again for the gradients of its weights
        if training:
            inputs = 2 * inputs + self.n_units  # BPTT
        return 2 * len(self.rows) * len(self.directions) * 4 * self.n_units * inputs
