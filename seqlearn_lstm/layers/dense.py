"""A dense layer, and what it is used for: the output, and the projection of the inputs."""

import numpy as np

from .initializers import glorot_uniform
from .memory import slot_stream
from .part import Part


class Dense(Part):
    """y = [1 | x] @ [b; W]."""

    def __init__(self, kernels, key, n_in, n_out, dtype):
        self.kernels, self.key, self.n_in, self.n_out = kernels, key, n_in, n_out
        self.n_columns = kernels.padded(n_out, dtype)
        self.sizes = [(1 + n_in) * self.n_columns]

    def initial(self, rng):
        return {"W": glorot_uniform(rng, self.n_in, self.n_out), "b": np.zeros(self.n_out)}

    def pack(self, parameters, arrays):
        self.kernels.pack_dense(parameters["b"], parameters["W"], arrays[0])

    def unpack(self, arrays):
        b, W = self.kernels.unpack_dense(arrays[0], self.n_in, self.n_out)
        return {"W": W, "b": b}

    def _panels(self, flat):
        return self.kernels.panels(flat, 1 + self.n_in, self.n_columns)

    def inputs(self, n, work):
        """(n, 1 + n_in), to be filled; column 0 is one."""
        x = self._kept_inputs(n, work)
        x[:, 0] = 1
        return x

    def _kept_inputs(self, n, work):
        """What `inputs` gave last, as it was filled."""
        return work.array(self.key, "x", (n, 1 + self.n_in))

    def forward(self, x, work, n_jobs):
        """x as `inputs` gave it; returns (n, n_out padded)."""
        n, K = x.shape
        y = work.array(self.key, "y", (n, self.n_columns))
        self.kernels.multiply(y, x.reshape(-1), n, K, K, self.weights, n, self.n_columns, n_jobs)
        return y

    def backpropagate(self, dy, work, n_jobs, need_inputs=True):
        """Fill the gradient of the weights, after a `forward` of all that `inputs` gave; returns that
        at the inputs (n, n_in padded), without the column of ones; None where it is not needed.
        """
        kernels, (n, columns) = self.kernels, dy.shape
        x = self._kept_inputs(n, work)
        kernels.outer(
            self.gradient, x, dy.reshape(-1), n, 1 + self.n_in, columns, n, columns, n_jobs
        )
        if not need_inputs:
            return None
        n_padded = kernels.padded(self.n_in, work.dtype)
        WT = work.array(self.key, "WT", (columns * n_padded,))
        dx = work.array(self.key, "dx", (n, n_padded))
        kernels.transpose(WT, self.weights, 1 + self.n_in, columns, 1, self.n_in, n_jobs)
        kernels.multiply(dx, dy.reshape(-1), n, columns, columns, WT, n, n_padded, n_jobs)
        return dx


class Projection(Dense):
    """A dense layer over the inputs of every step."""

    def project(self, batch, streams, mask, work, n_jobs):
        """The inputs of a batch, projected, as a stream."""
        x, column = self.inputs(batch.n_slots, work), 1
        for stream in streams:
            self.kernels.gather(
                stream.rows, stream.column, stream.index(False), x, column, stream.width, n_jobs
            )
            column += stream.width
        if mask is not None:
            self.kernels.scale_rows(x, 1, *mask, self.n_in, n_jobs)
        return [slot_stream(batch, self.forward(x, work, n_jobs), self.n_out)]

    def project_back(self, batch, d_projected, mask, work, n_jobs, need_inputs):
        """The gradient at the inputs, from the gradient at what `project` has returned (n_slots,
        n_out padded).
        """
        dx = self.backpropagate(d_projected, work, n_jobs, need_inputs)
        if need_inputs and mask is not None:
            self.kernels.scale_rows(dx, 0, *mask, self.n_in, n_jobs)
        return dx
