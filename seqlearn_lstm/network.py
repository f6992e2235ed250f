"""A network as data: stacked, perhaps bidirectional LSTM layers, pooling, a dense layer.

``Architecture`` says what it is, in numbers and names; ``initial_parameters`` draws its canonical
parameters; ``Network`` binds both to a backend: all parameters in one flat array `theta`, their
gradients in another of the same layout, and views of both for each part. Solvers see the flat
arrays only.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .layers import GATES, Dense, LSTMDirection, Workspace, input_stream
from .pooling import POOLING

DIRECTIONS = ("forward", "backward")
CACHE_LINE = 16  # elements, in the smaller precision


@dataclass(frozen=True)
class Architecture:
    """n_in features a step, units of each layer, n_out scores a sequence, or a step."""

    n_in: int
    hidden_layer_sizes: tuple
    bidirectional: bool
    pooling: str
    n_out: int

    @property
    def n_directions(self):
        return 2 if self.bidirectional else 1

    @property
    def n_features(self):
        """Width of the pooled states."""
        return self.hidden_layer_sizes[-1] * self.n_directions

    def lstm_layers(self):
        """Yield (key, n_in, n_units, backward) for each direction of each layer, from the
        bottom.
        """
        widths = [self.n_in, *(size * self.n_directions for size in self.hidden_layer_sizes)]
        for layer, (n_in, n_out) in enumerate(pairwise(widths)):
            for backward, name in enumerate(DIRECTIONS[: self.n_directions]):
                key = f"layer_{layer}.{name}"
                yield key, n_in, n_out // self.n_directions, bool(backward)


def initial_parameters(architecture, rng):
    """Draw canonical parameters, float64: {name: array}.

    Input weights are Glorot-uniform for each gate (Glorot and Bengio 2010), recurrent weights
    orthogonal for each gate (Saxe et al. 2014), biases zero but for the forget gate's: one, so that
    a new cell remembers (Gers et al. 2000).
    """
    parameters = {}
    for key, n_in, n_units, _ in architecture.lstm_layers():
        b = np.zeros((GATES, n_units))
        b[1] = 1
        parameters[f"{key}.W"] = np.hstack([_glorot(rng, n_in, n_units) for _ in range(GATES)])
        parameters[f"{key}.U"] = np.hstack([_orthogonal(rng, n_units) for _ in range(GATES)])
        parameters[f"{key}.b"] = b.ravel()
    parameters["output.W"] = _glorot(rng, architecture.n_features, architecture.n_out)
    parameters["output.b"] = np.zeros(architecture.n_out)
    return parameters


def _glorot(rng, n_in, n_out):
    bound = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-bound, bound, (n_in, n_out))


def _orthogonal(rng, n):
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return q * np.sign(
        np.diag(r)
    )  # without the signs, some rotations would be likelier than others


class Network:
    """An architecture bound to a backend.

    Attributes
    ----------
    theta, gradient : ndarray of shape (n,)
        All parameters and their gradients, in the backend's own layout; padding is zero and stays
        so.
    """

    def __init__(self, architecture, kernels, dtype, n_jobs):
        self.architecture, self.kernels, self.n_jobs = architecture, kernels, n_jobs
        self.dtype = np.dtype(dtype)
        self.work = Workspace(kernels, dtype)
        rows = list(architecture.lstm_layers())
        sizes = [
            (1 + n_in + n_units) * kernels.gate_columns(n_units, dtype)
            for _, n_in, n_units, _ in rows
        ]
        n_features, n_out = architecture.n_features, architecture.n_out
        sizes.append((1 + n_features) * kernels.padded(n_out, dtype))
        self.theta, self.gradient = (
            kernels.zeros(sum(map(_whole, sizes)), dtype) for _ in range(2)
        )
        *theta, dense = _cut(self.theta, sizes)
        *gradient, dense_gradient = _cut(self.gradient, sizes)
        self.lstm = [
            LSTMDirection(kernels, *row, values, slopes)
            for row, values, slopes in zip(rows, theta, gradient, strict=True)
        ]
        self.dense = Dense(kernels, n_features, n_out, dense, dense_gradient)
        self.pooling = POOLING[architecture.pooling]

    @property
    def layers(self):
        """The directions of each layer, from the bottom."""
        n = self.architecture.n_directions
        return [self.lstm[start : start + n] for start in range(0, len(self.lstm), n)]

    # ---- parameters ----------------------------------------------------------------------------

    def set_parameters(self, parameters):
        """Take canonical parameters {name: array}."""
        for part in self.lstm:
            b, W, U = (parameters[f"{part.key}.{letter}"] for letter in "bWU")
            self.kernels.pack_lstm(b, W, U, part.weights)
        self.kernels.pack_dense(parameters["output.b"], parameters["output.W"], self.dense.weights)

    def get_parameters(self, gradient=False):
        """Canonical parameters (or their gradients) {name: array}, copies."""
        parameters = {}
        for part in self.lstm:
            flat = part.gradient if gradient else part.weights
            b, W, U = self.kernels.unpack_lstm(flat, part.n_in, part.n_units)
            parameters |= {f"{part.key}.W": W, f"{part.key}.U": U, f"{part.key}.b": b}
        flat = self.dense.gradient if gradient else self.dense.weights
        b, W = self.kernels.unpack_dense(flat, self.dense.n_in, self.dense.n_out)
        return parameters | {"output.W": W, "output.b": b}

    def weight_views(self):
        """Pairs of views (weights, their gradients) without the biases: what L2 decay is for."""
        parts = [(part, 1 + part.n_in + part.n_units) for part in self.lstm]
        for part, n_rows in [*parts, (self.dense, 1 + self.dense.n_in)]:
            n_columns = part.weights.size // n_rows
            both = (
                self.kernels.panels(flat, n_rows, n_columns)
                for flat in (part.weights, part.gradient)
            )
            yield from ((values[1:], slopes[1:]) for values, slopes in zip(*both, strict=True))

    # ---- one batch -----------------------------------------------------------------------------

    def forward(self, batch, rows, keep):
        """Scores of a batch (rows, n_out padded), for the rows of ``pooling.index(batch)``; `keep`
        what `backpropagate` needs.
        """
        streams, states = [input_stream(batch, rows)], []
        for depth, layer in enumerate(self.layers):
            if depth > 0:
                below = zip(self.layers[depth - 1], states, strict=True)
                streams = [part.outputs(batch, z) for part, z in below]
            states = [part.forward(batch, streams, self.work, self.n_jobs, keep) for part in layer]
        features = self._features(batch)
        features[:, 0] = 1
        for part, z, column in zip(layer, states, self._columns(), strict=True):
            self.pooling.forward(part, batch, z, features, 1 + column, self.work, self.n_jobs)
        return self.dense.forward(features, self.work, self.n_jobs)

    def backpropagate(self, batch, d_scores):
        """Fill `gradient` from the gradient at the scores; `forward(..., keep=True)` went
        before.
        """
        d_features = self.dense.backpropagate(
            self._features(batch), d_scores, self.work, self.n_jobs
        )
        slopes = [
            self.pooling.backpropagate(part, batch, d_features, column, self.work, self.n_jobs)
            for part, column in zip(self.layers[-1], self._columns(), strict=True)
        ]
        for depth in range(len(self.layers) - 1, -1, -1):
            inputs = [
                part.backpropagate(batch, *slope, self.work, self.n_jobs, depth > 0)
                for part, slope in zip(self.layers[depth], slopes, strict=True)
            ]
            if depth > 0:
                slopes = self._lower_slopes(batch, self.layers[depth - 1], inputs)

    def _lower_slopes(self, batch, layer, inputs):
        """From the gradients at the inputs of a layer's directions to those at the outputs of the
        layer below.
        """
        slopes, column = [], 0
        for part in layer:
            d_out = part.output_gradient(batch, self.work)
            d_out[:, : part.n_units] = inputs[part.backward][:, column : column + part.n_units]
            for other in inputs[1 - part.backward : 2 - part.backward] if len(inputs) > 1 else ():
                self.kernels.scatter_add(other, column, batch.reverse, d_out, 0, part.n_units)
            slopes.append((d_out, *part.final_gradients(batch, self.work)))
            column += part.n_units
        return slopes

    def _features(self, batch):
        n_rows = len(self.pooling.index(batch))
        return self.work.array("output", "features", (n_rows, 1 + self.dense.n_in))

    def _columns(self):
        return [i * part.n_units for i, part in enumerate(self.layers[-1])]


def _whole(size):
    """Elements up to the next cache line: each part's parameters start at one."""
    return -(-size // CACHE_LINE) * CACHE_LINE


def _cut(flat, sizes):
    """Views of `sizes` elements, each from the start of a cache line."""
    starts = np.cumsum([0, *map(_whole, sizes)])
    return [flat[start : start + size] for start, size in zip(starts, sizes, strict=False)]
