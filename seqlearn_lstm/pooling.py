"""Pooling: from the states of all steps to the features of a sequence, and the gradient back.

Features of a batch are (B, 1 + n_features): the first column is one, for the bias of the dense layer.
"""

import numpy as np


class LastPooling:
    """The final state of each direction: what it knows when it has read the whole sequence."""

    def forward(self, layer, batch, z, features, column, work):
        layer.kernels.gather(z, 1 + layer.n_in, batch.final, features, column, layer.n_units)

    def backpropagate(self, layer, batch, d_features, column, work):
        """Returns (d_out, dh, dc) for `LSTMDirection.backpropagate`; d_features has no column of ones."""
        dh, dc = layer.final_gradients(batch, work)
        dh[:, : layer.n_units] = d_features[:, column : column + layer.n_units]
        return np.zeros((0, layer.n_padded), work.dtype), dh, dc


class MeanPooling:
    """The mean of the states over the steps."""

    def forward(self, layer, batch, z, features, column, work):
        layer.kernels.pool_mean(
            z, 1 + layer.n_in, batch.live, batch.slots, batch.lengths, features, column, layer.n_units
        )

    def backpropagate(self, layer, batch, d_features, column, work):
        d_out = layer.output_gradient(batch, work)
        layer.kernels.pool_mean_backward(
            d_features, column, batch.live, batch.slots, batch.lengths, d_out, layer.n_units
        )
        return d_out, *layer.final_gradients(batch, work)


class MaxPooling:
    """The largest value of each unit over the steps."""

    def _steps(self, layer, batch, work):
        return work.array(layer.key, "largest", (len(batch), layer.n_units), np.int64)

    def forward(self, layer, batch, z, features, column, work):
        layer.kernels.pool_max(
            z, 1 + layer.n_in, batch.live, batch.slots, self._steps(layer, batch, work), features,
            column, layer.n_units,
        )  # fmt: skip

    def backpropagate(self, layer, batch, d_features, column, work):
        d_out = layer.output_gradient(batch, work)
        layer.kernels.pool_max_backward(
            d_features, column, batch.live, batch.slots, self._steps(layer, batch, work), d_out,
            layer.n_units,
        )  # fmt: skip
        return d_out, *layer.final_gradients(batch, work)


POOLING = {"last": LastPooling(), "mean": MeanPooling(), "max": MaxPooling()}
