"""A network bound to a backend: an embedding or numbers, perhaps a projection, recurrent layers,
pooling, a dense layer.
"""

import numpy as np

from .cells import CELLS
from .dropout import EMBEDDING, NoMasks
from .flat_parameters import FlatParameters
from .layers import Dense, Embedding, Projection, Workspace, input_stream
from .pooling import POOLINGS


class Network(FlatParameters):
    """An architecture bound to a backend.

    Attributes
    ----------
    layers : list of lists
        The directions of each recurrent layer, from the bottom; `recurrent` has them all in one.
    """

    def __init__(
        self, architecture, kernels, dtype, n_jobs, recurrent_dropout=False, precision="float32",
        training=False,
    ):  # fmt: skip
        self.architecture, self.kernels, self.n_jobs = architecture, kernels, n_jobs
        self.dtype = np.dtype(dtype)
        self.work = Workspace(kernels, dtype)
        self.pooling = POOLINGS[architecture.pooling]
        self._build(recurrent_dropout)
        for part in self.recurrent:
            part.precision, part.training = precision, training
        self._lay_out()

    def _build(self, recurrent_dropout):
        a, kernels, dtype = self.architecture, self.kernels, self.dtype
        name, settings = a.cell
        cell = CELLS[name](**settings)
        layer = cell.layer(recurrent_dropout)
        self.embedding = self.projection = None
        if a.embedding_dim:
            self.embedding = Embedding(kernels, a.n_in, a.embedding_dim, dtype)
        if a.input_projection:
            self.projection = Projection(
                kernels, "projection", a.n_inputs, a.input_projection, dtype
            )
        self.recurrent = [
            layer(kernels, cell, *row, a.learn_initial, dtype) for row in a.recurrent_layers()
        ]
        n = a.n_directions
        self.layers = [self.recurrent[i : i + n] for i in range(0, len(self.recurrent), n)]
        self.dense = Dense(kernels, "output", a.n_features, a.n_out, dtype)

    @property
    def parts(self):
        """Those whose parameters lie in `theta`, from the bottom."""
        bottom = [self.projection] if self.projection else []
        return [*bottom, *self.recurrent, self.dense]

    def take_rows(self, rows):
        """The container's rows where this network reads them: numbers are uploaded, the codes of
        symbols stay on the host.
        """
        return rows if self.embedding else self.kernels.to_device(rows)

    # ---- one batch -----------------------------------------------------------------------------

    def forward(self, batch, rows, keep, masks=None, given=None):
        """Scores of a batch (rows, n_out padded), for the rows of ``pooling.index(batch)``.

        keep   what `backpropagate` needs
        masks  what is left out; None: nothing
        given  None, or the states to start from: (n_kinds, B, n_units) for each direction
        """
        return self.scores(batch, self.states(batch, rows, keep, masks, given), masks)

    def states(self, batch, rows, keep, masks=None, given=None):
        """The states of the directions of each layer, from the bottom."""
        masks = masks or NoMasks()
        streams = self._inputs(batch, rows, masks)
        found, number = [], 0
        for depth, layer in enumerate(self.layers):
            if depth > 0:
                below = zip(self.layers[depth - 1], found[-1], strict=True)
                streams = [part.outputs(batch, state) for part, state in below]
            found.append([])
            for part in layer:
                both = self._masks_of(batch, depth, number, masks)
                start = None if given is None else given[number]
                found[-1].append(
                    part.forward(batch, streams, self.work, self.n_jobs, keep, both, start)
                )
                number += 1
        return found

    def scores(self, batch, states, masks=None):
        """From the `states` of a batch to its scores."""
        features = self.begin_features(batch)
        self.add_features(batch, states, features)
        return self.end_features(batch, features, masks)

    # Features are pooled in three steps, for a batch may come in windows.

    def begin_features(self, batch):
        """Room for the pooled states of a batch, with a column of ones before them."""
        for part in self.layers[-1]:
            self.pooling.begin(part, batch, self.work)
        return self.dense.inputs(len(self.pooling.index(batch)), self.work)

    def add_features(self, batch, states, features):
        """Pool the `states` of a batch, or of one window of it."""
        for part, state, column in zip(self.layers[-1], states[-1], self._columns(), strict=True):
            self.pooling.add(part, batch, state, features, 1 + column, self.work, self.n_jobs)

    def end_features(self, batch, features, masks=None):
        """From pooled states to scores."""
        self.pooling.end(self.kernels, batch, features, 1, self.work)
        self._drop_features(batch, features, 1, masks or NoMasks())
        return self.dense.forward(features, self.work, self.n_jobs)

    def scores_in_blocks(self, batch, features, most):
        """`end_features` of a prediction, `most` scores at a time: yields which rows, their scores."""
        self.pooling.end(self.kernels, batch, features, 1, self.work)
        n = max(1, most // self.dense.n_columns)
        for begin in range(0, len(features), n):
            rows = slice(begin, begin + n)
            yield rows, self.dense.forward(features[rows], self.work, self.n_jobs)

    # ---- states that are handed on -------------------------------------------------------------

    @property
    def state_width(self):
        """Columns of all states of a sequence side by side."""
        return sum(part.n_kinds * part.n_units for part in self.recurrent)

    def first_states(self, n):
        """The states of n sequences before their first step where none are given, (n,
        state_width).
        """
        row = np.hstack([part.first_states().reshape(-1) for part in self.recurrent])
        return np.tile(row, (n, 1))

    def cut_states(self, values):
        """All states of some sequences (n, state_width) as `forward` takes them: for each direction
        of each layer, from the bottom, h and, of an LSTM, c.
        """
        cut, column = [], 0
        for part in self.recurrent:
            width = part.n_kinds * part.n_units
            block = values[:, column : column + width].reshape(len(values), part.n_kinds, -1)
            cut.append(block.swapaxes(0, 1))
            column += width
        return cut

    def final_states(self, batch, states):
        """All states of each sequence after its last step, (B, state_width), in the batch's
        order, of the `states` of all layers.
        """
        finals = []
        for layer, found in zip(self.layers, states, strict=True):
            for part, state in zip(layer, found, strict=True):
                finals += state.final(self.kernels, batch, part.n_units)
        return np.hstack(finals)

    # ---- and back ------------------------------------------------------------------------------

    def backpropagate(self, batch, d_scores, masks=None, need_inputs=False):
        """Fill `gradient`, and the embedding's, from the gradient at the scores;
        `forward(..., keep=True)` with the same masks went before.

        Returns the gradient at the inputs, or at the rows of the embedding, (n_slots, n_inputs);
        None where it is not needed.
        """
        d_features = self.scores_back(batch, d_scores, masks)
        return self.states_back(batch, d_features, masks, need_inputs)

    def scores_back(self, batch, d_scores, masks=None):
        """Fill the gradient of the output layer; returns that at the pooled states, without a
        column of ones.
        """
        d_features = self.dense.backpropagate(d_scores, self.work, self.n_jobs)
        self._drop_features(batch, d_features, 0, masks or NoMasks())
        return d_features

    def states_back(self, batch, d_features, masks=None, need_inputs=False):
        """Fill the gradient of all below the pooling, for a batch or one window of it; returns that
        at the inputs as `backpropagate` does.
        """
        masks = masks or NoMasks()
        slopes = [
            self.pooling.backpropagate(part, batch, d_features, column, self.work, self.n_jobs)
            for part, column in zip(self.layers[-1], self._columns(), strict=True)
        ]
        number = len(self.recurrent)
        for depth in range(len(self.layers) - 1, -1, -1):
            layer = self.layers[depth]
            number -= len(layer)
            below = depth > 0 or self.projection or self.embedding or need_inputs
            inputs = [
                part.backpropagate(
                    batch, slope, self.work, self.n_jobs, below,
                    self._masks_of(batch, depth, number + i, masks),
                )
                for i, (part, slope) in enumerate(zip(layer, slopes, strict=True))
            ]  # fmt: skip
            if depth > 0:
                slopes = self._lower_slopes(batch, self.layers[depth - 1], inputs)
        if not below:
            return None
        d_inputs = self._inputs_back(batch, inputs, masks, need_inputs)
        return d_inputs[:, : self.architecture.n_inputs] if need_inputs else None

    # ---- below the recurrent layers ------------------------------------------------------------

    def _inputs(self, batch, rows, masks):
        """What the first recurrent layer reads."""
        if self.embedding:
            key, rate = masks.key(EMBEDDING), masks.rates.embedding
            streams = [self.embedding.stream(batch, rows, key, masks.numbers(batch), rate)]
        else:
            streams = [input_stream(batch, rows)]
        if self.projection:
            mask = masks.inputs(batch, self.architecture.n_inputs)
            return self.projection.project(batch, streams, mask, self.work, self.n_jobs)
        return streams

    def _inputs_back(self, batch, inputs, masks, need_inputs):
        """The gradients of the projection and the embedding; returns that at the inputs, as far as
        it is needed.
        """
        width = self.recurrent[0].n_in
        d_inputs = self.work.array("inputs", "d", (batch.n_slots, inputs[0].shape[1]))
        d_inputs[:, :width] = inputs[0][:, :width]
        d_inputs[:, width:] = 0
        for other in inputs[1:]:
            self.kernels.scatter_add(other, 0, batch.reverse, d_inputs, 0, width)
        if self.projection:
            mask = masks.inputs(batch, self.architecture.n_inputs)
            d_inputs = self.projection.project_back(
                batch, d_inputs, mask, self.work, self.n_jobs, bool(self.embedding or need_inputs)
            )
        if self.embedding:
            self.embedding.backpropagate(batch, d_inputs, self.work)
        return d_inputs

    # ---- between layers ------------------------------------------------------------------------

    def _masks_of(self, batch, depth, number, masks):
        """The masks that one direction of a layer is run with."""
        part = self.recurrent[number]
        if depth > 0:
            inputs = masks.outputs(batch, part.n_in, depth - 1, part.backward)
        elif self.projection:
            inputs = None
        else:
            inputs = masks.inputs(batch, part.n_in, part.backward)
        return inputs, masks.recurrent(batch, part.n_padded, number)

    def _drop_features(self, batch, features, column, masks):
        """Scale the features of each sequence, or of each of its steps, by the top layer's mask."""
        width = self.architecture.n_features
        mask = masks.features(batch, width, len(self.layers) - 1, self.pooling)
        if mask is not None:
            self.kernels.scale_rows(features, column, *mask, width, self.n_jobs)

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

    def _columns(self):
        return [i * part.n_units for i, part in enumerate(self.layers[-1])]
