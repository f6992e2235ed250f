"""PyTorch's side of the benchmarks.

To be imported before any kernel has run. If Numba's threads start first, PyTorch takes over their
OpenMP library with Numba's settings of it, and packed sequences become a hundred times slower.
"""

import numpy as np
import torch

WARM_UP = 3  # calls before one is recorded, as PyTorch's manual has it
DTYPES = {"float32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16}


class TorchLayer:
    """``nn.LSTM`` with a `Layer`'s weights, sequences and gradient at the outputs; with "bf16" all of
    them are bfloat16.
    """

    def __init__(self, lengths, layer, packed, device="cpu", precision="float32"):
        self.packed, self.lengths = packed, torch.tensor(lengths)
        self.device, self.dtype = device, DTYPES[precision]
        self.training, self.inference = self._module(layer), self._module(layer).eval()
        self.x = self._padded(layer.rows)
        slopes = self._padded(layer.slopes)
        self.slopes = self._pack(slopes).data if self.packed else slopes

    def _module(self, layer):
        module = torch.nn.LSTM(
            layer.n_in, layer.n_units, layer.n_layers, bidirectional=layer.bidirectional,
            batch_first=self.packed,
        )  # fmt: skip
        with torch.no_grad():
            for parameters, (W, U, b) in zip(_by_direction(module), layer.weights(), strict=True):
                for parameter, values in zip(parameters, (W.T, U.T, b, 0 * b), strict=True):
                    parameter.copy_(torch.tensor(values))
        return module.to(self.device, self.dtype)

    def _padded(self, rows):
        sequences = torch.tensor(rows).split(self.lengths.tolist())
        padded = torch.nn.utils.rnn.pad_sequence(sequences, batch_first=self.packed)
        return padded.contiguous().to(self.device, self.dtype)

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
            [row[:n].numpy() for row, n in zip(padded.float().cpu(), self.lengths, strict=True)]
        )

    def results(self):
        """As `Layer.results`."""
        results = [self.outputs()]
        for parameters in _by_direction(self.training):
            W, U, b, _ = (parameter.grad.float().cpu().numpy() for parameter in parameters)
            results += [W.T, U.T, b]
        return results


def _by_direction(module):
    """Yield (W, U, b, the second bias) of each direction."""
    parameters = list(module.parameters())
    yield from (parameters[start : start + 4] for start in range(0, len(parameters), 4))


def recorded(step):
    """What replays `step`, recorded once as a CUDA graph: its kernels without PyTorch."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay
