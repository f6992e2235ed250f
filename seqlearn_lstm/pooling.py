"""Pooling: from the states of all steps to the features that the dense layer sees, and the gradient
back.

A row of features belongs to a sequence, or, with "steps", to a slot: ``index(batch)`` says for each
row to which sequence of the container, or to which of its rows (-1: to none). Features are (rows, 1
+ n_features): the first column is one, for the bias.

Of windows of a batch, one after another, ``add`` takes each; ``begin`` goes before, ``end`` after
them, with the whole batch, whose first sequences a window has.
"""

import numpy as np


class _Pooling:
    per_step = False  # whether a row of features belongs to a slot
    reads_all_steps = True  # whether every step's state has a part in the features

    def begin(self, layer, batch, work):
        """Make room for a whole batch."""

    def end(self, kernels, batch, features, column, work):
        """What is left to do when all steps were added; features from `column` on."""

    def step(self, kept, values, n_steps):
        """Of a sequence that comes step by step: (what is kept of its steps, the features after them).

        kept    of the steps before; None: there were none. It may be overwritten
        values  (n,): the states after the last of n_steps
        """
        return None, values


class _OnePerSequence(_Pooling):
    """Poolings that give each sequence one row of features."""

    def index(self, batch):
        return batch.members


class LastPooling(_OnePerSequence):
    """The final state of each direction: what it knows when it has read the whole sequence."""

    reads_all_steps = False

    def add(self, layer, batch, states, features, column, work, n_jobs):
        layer.kernels.gather(
            states.rows, states.column, batch.final, features, column, layer.n_units, n_jobs
        )

    def backpropagate(self, layer, batch, d_features, column, work, n_jobs):
        """Returns (d_out, dh, ...) for `Recurrent.backpropagate`; d_features has no column of ones."""
        finals = layer.final_gradients(batch, work)
        finals[0][:, : layer.n_units] = d_features[:, column : column + layer.n_units]
        return layer.no_rows, *finals


class MeanPooling(_OnePerSequence):
    """The mean of the states over the steps."""

    def _sums(self, features, work):
        """A sum for each of the features, in the same place; float64, for sequences may be long."""
        return work.array("pooling", "sums", features.shape, np.float64)

    def step(self, kept, values, n_steps):
        sums = values.astype(np.float64) if kept is None else np.add(kept, values, out=kept)
        return sums, sums / n_steps

    def add(self, layer, batch, states, features, column, work, n_jobs):
        layer.kernels.pool_sum(
            states.rows, states.column, batch.live, batch.slots, batch.first,
            self._sums(features, work), column, layer.n_units,
        )  # fmt: skip

    def end(self, kernels, batch, features, column, work):
        width = features.shape[1] - column
        kernels.pool_mean(self._sums(features, work), batch.totals, features, column, width)

    def backpropagate(self, layer, batch, d_features, column, work, n_jobs):
        d_out = layer.output_gradient(batch, work)
        layer.kernels.pool_mean_backward(
            d_features, column, batch.live, batch.slots, batch.totals, d_out, layer.n_units
        )
        return d_out, *layer.final_gradients(batch, work)


class MaxPooling(_OnePerSequence):
    """The largest value of each unit over the steps."""

    def begin(self, layer, batch, work):
        self._steps(layer, batch, work)

    def _steps(self, layer, batch, work):
        return work.array(layer.key, "largest", (len(batch), layer.n_units), np.int64)

    def step(self, kept, values, n_steps):
        largest = values.copy() if kept is None else np.maximum(kept, values, out=kept)
        return largest, largest

    def add(self, layer, batch, states, features, column, work, n_jobs):
        layer.kernels.pool_max(
            states.rows, states.column, batch.live, batch.slots, batch.first,
            self._steps(layer, batch, work), features, column, layer.n_units,
        )  # fmt: skip

    def backpropagate(self, layer, batch, d_features, column, work, n_jobs):
        d_out = layer.output_gradient(batch, work)
        layer.kernels.pool_max_backward(
            d_features, column, batch.live, batch.slots, batch.first,
            self._steps(layer, batch, work), d_out, layer.n_units,
        )  # fmt: skip
        return d_out, *layer.final_gradients(batch, work)


class NoPooling(_Pooling):
    """The states of every step: for networks with an output at each."""

    per_step = True

    def index(self, batch):
        return batch.source

    def add(self, layer, batch, states, features, column, work, n_jobs):
        stream = layer.outputs(batch, states)
        layer.kernels.gather(
            stream.rows, stream.column, stream.index(False), features, column, layer.n_units, n_jobs
        )

    def backpropagate(self, layer, batch, d_features, column, work, n_jobs):
        d_out = layer.output_gradient(batch, work)
        if layer.backward:
            layer.kernels.gather(d_features, column, batch.reverse, d_out, 0, layer.n_units, n_jobs)
        else:
            d_out[:, : layer.n_units] = d_features[:, column : column + layer.n_units]
        return d_out, *layer.final_gradients(batch, work)


STEPS = "steps"
POOLINGS = {"last": LastPooling(), "mean": MeanPooling(), "max": MaxPooling(), STEPS: NoPooling()}
PER_SEQUENCE = [name for name, pooling in POOLINGS.items() if not pooling.per_step]
