"""LSTM layers of the package, taken through a batch as `Network` does it."""

from typing import NamedTuple

import numpy as np

from seqlearn_lstm.architecture import Architecture
from seqlearn_lstm.batches import plan
from seqlearn_lstm.kernels import get_backend
from seqlearn_lstm.network import Network


class Shape(NamedTuple):
    """A layer and its batch: sequences, steps, inputs, units."""

    B: int
    T: int
    I: int  # noqa: E741
    H: int
    bidirectional: bool = False
    ragged: bool = False
    n_layers: int = 1

    def __str__(self):
        layers = f", {self.n_layers} layers" if self.n_layers > 1 else ""
        return f"{self.B}x{self.T}x{self.I}x{self.H}{layers}{', ragged' if self.ragged else ''}"

    def lengths(self):
        """T for each sequence; or, of a ragged batch, between a tenth of it and T."""
        if not self.ragged:
            return np.full(self.B, self.T)
        shortest = max(1, self.T // 10)
        return np.random.default_rng(0).integers(shortest, self.T, self.B, endpoint=True)


DENSE = (  # those that are timed
    Shape(100, 28, 28, 100),
    Shape(5, 5, 10, 256),
    Shape(32, 100, 128, 128),
    Shape(128, 50, 64, 200),
    Shape(128, 50, 512, 512),
    Shape(1, 1000, 8, 64),
    Shape(32, 50, 8, 32),
)


class Layer:
    """Random sequences of the given lengths, and a layer, or a stack of them, with random weights.
    They are numbers of float32, whatever computes with them.

    Attributes
    ----------
    rows : ndarray of shape (n_rows, n_in)
        The steps of all sequences, one sequence after another.
    slopes : ndarray of shape (n_rows, n_directions * n_units)
        The gradient at the outputs of the top layer.
    """

    def __init__(
        self, lengths, n_in, n_units, bidirectional=False, n_jobs=1, n_layers=1, device="cpu",
        dtype=np.float32, precision="float32",
    ):  # fmt: skip
        self.n_in, self.n_units, self.n_jobs, self.n_layers = n_in, n_units, n_jobs, n_layers
        self.bidirectional = bidirectional
        self.offsets = np.concatenate([[0], np.cumsum(lengths)])
        self.members = np.arange(len(lengths))
        units = (n_units,) * n_layers
        architecture = Architecture(n_in, units, bidirectional, pooling="last", n_out=1)
        self.kernels = get_backend(device)
        self.network = Network(architecture, self.kernels, dtype, n_jobs, precision=precision)
        rng, n_rows = np.random.default_rng(0), self.offsets[-1]
        drawn = self.network.initial_parameters(rng)
        self.network.set_parameters({name: np.float32(x) for name, x in drawn.items()})
        self.rows = rng.standard_normal((n_rows, n_in), dtype=np.float32)
        self.slopes = rng.standard_normal((n_rows, architecture.n_features), dtype=np.float32)
        self.inputs = self.network.take_rows(self.rows.astype(dtype))
        self.network.pooling = _Slopes(self._slot_slopes())

    def _slot_slopes(self):
        """{key: `slopes` as a direction of the top layer takes it, a row for each of its slots}."""
        batch, slot_slopes = plan(self.offsets, self.members), {}
        for part, columns in self._top():
            index = batch.reversed_source if part.backward else batch.source
            values = np.zeros((batch.n_slots, part.n_padded), self.network.dtype)
            values[index >= 0, : self.n_units] = self.slopes[index[index >= 0], columns]
            slot_slopes[part.key] = self.kernels.zeros(values.shape, values.dtype)
            slot_slopes[part.key][...] = values
        return slot_slopes

    def _top(self):
        """Pairs of the top layer's directions and their columns of the outputs."""
        for i, part in enumerate(self.network.layers[-1]):
            yield part, slice(i * self.n_units, (i + 1) * self.n_units)

    # ---- what is timed -------------------------------------------------------------------------

    def forward(self, keep=False):
        """Plan the batch, gather the inputs, compute all states: as a prediction does, or, to `keep` them
        for a step back, as training does.
        """
        for part in self.network.recurrent:
            part.training = keep
        batch = plan(self.offsets, self.members)
        return batch, self.network.states(batch, self.inputs, keep)

    def step(self):
        """`forward`, back-propagation through time, the gradients of the weights."""
        batch, _ = self.forward(keep=True)
        self.network.states_back(batch, None)

    # ---- what is compared ----------------------------------------------------------------------

    def outputs(self):
        """(n_rows, n_directions * n_units), in the order of `rows`."""
        batch, states = self.forward()
        outputs, alive = np.empty(self.slopes.shape, self.network.dtype), batch.source >= 0
        for (part, columns), state in zip(self._top(), states[-1], strict=True):
            stream = part.outputs(batch, state)
            values = self.kernels.take(
                state.rows, stream.index(False)[alive], stream.column, stream.width
            )
            outputs[batch.source[alive], columns] = values
        return outputs

    def weights(self, gradient=False):
        """(W, U, b) of each direction of each layer, from the bottom, or their gradients."""
        arrays = self.network.get_parameters(gradient)
        parts = self.network.recurrent
        return [[arrays[f"{part.key}.{letter}"] for letter in "WUb"] for part in parts]

    def results(self):
        """`outputs`, and the gradients that the last `step` has left."""
        return [self.outputs(), *(x for arrays in self.weights(gradient=True) for x in arrays)]

    def flops(self, training):
        """Multiplications and additions that the products need, without padding."""
        inputs = 0
        for part in self.network.recurrent:
            read = part.n_in + self.n_units
            inputs += read  # of a gate
            if training:  # the gradients of its weights, BPTT, and the gradient for the layer below
                inputs += read + self.n_units + (part.n_in if self._is_above(part) else 0)
        return 2 * len(self.rows) * 4 * self.n_units * inputs

    def _is_above(self, part):
        return part not in self.network.layers[0]


def largest_difference(results, others):
    """The largest difference of any element, in units of the largest value of its array."""
    pairs = zip(results, others, strict=True)
    return float(np.max([abs(x - other).max() / abs(other).max() for x, other in pairs]))


class _Slopes:
    """In the place of a pooling: the gradients at the outputs, which are given."""

    def __init__(self, slopes):
        self.slopes = slopes

    def backpropagate(self, layer, batch, d_features, column, work, n_jobs):
        return self.slopes[layer.key], *layer.final_gradients(batch, work)
