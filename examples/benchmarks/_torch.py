"""PyTorch's side of the benchmarks.

To be imported before any kernel has run. If Numba's threads start first, PyTorch takes over their
OpenMP library with Numba's settings of it, and packed sequences become a hundred times slower.
"""

import numpy as np
import torch


class TorchLayer:
    """``nn.LSTM`` with a `Layer`'s weights, sequences and gradient at the outputs."""

    def __init__(self, lengths, layer, packed):
        self.packed, self.lengths = packed, torch.tensor(lengths)
        self.training, self.inference = self._module(layer), self._module(layer).eval()
        self.x = self._padded(layer.rows)
        slopes = self._padded(layer.slopes)
        self.slopes = self._pack(slopes).data if self.packed else slopes

    def _module(self, layer):
        two = len(layer.directions) == 2
        module = torch.nn.LSTM(
            layer.n_in, layer.n_units, bidirectional=two, batch_first=self.packed
        )
        with torch.no_grad():
            for parameters, (W, U, b) in zip(_by_direction(module), layer.weights(), strict=True):
                for parameter, values in zip(parameters, (W.T, U.T, b, 0 * b), strict=True):
                    parameter.copy_(torch.tensor(values))
        return module

    def _padded(self, rows):
        sequences = torch.tensor(rows).split(self.lengths.tolist())
        return torch.nn.utils.rnn.pad_sequence(sequences, batch_first=self.packed).contiguous()

    def _pack(self, padded):
        return torch.nn.utils.rnn.pack_padded_sequence(
            padded, self.lengths, batch_first=True, enforce_sorted=False
        )

    def _run(self, module):
        return module(self._pack(self.x) if self.packed else self.x)[0]

    # ---- what is timed -------------------------------------------------------------------------

    def forward(self):
        """Inference."""
        with torch.no_grad():
            self._run(self.inference)

    def step(self):
        """Forward, back-propagation through time, the gradients of the weights."""
        self.training.zero_grad()
        out = self._run(self.training)
        (out.data if self.packed else out).backward(self.slopes)

    # ---- what is compared ----------------------------------------------------------------------

    def outputs(self):
        """As `Layer.outputs`."""
        with torch.no_grad():
            out = self._run(self.inference)
        padded = (
            torch.nn.utils.rnn.pad_packed_sequence(out, batch_first=True)[0]
            if self.packed
            else out.transpose(0, 1)
        )
        return np.concatenate(
            [row[:n].numpy() for row, n in zip(padded, self.lengths, strict=True)]
        )

    def gradients(self):
        """As ``Layer.weights(gradient=True)``."""
        for W, U, b, _ in _by_direction(self.training):
            yield W.grad.numpy().T, U.grad.numpy().T, b.grad.numpy()


def _by_direction(module):
    """Yield (W, U, b, the second bias) of each direction."""
    parameters = list(module.parameters())
    yield from (parameters[start : start + 4] for start in range(0, len(parameters), 4))
