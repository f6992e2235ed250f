"""An epoch of a classifier on a device: the package's `fit`, and PyTorch's loop.

`fit` starts anew each time. PyTorch's module, solver and graph are kept, and the data alone are
uploaded anew, which is the better for it. One more difference: `fit` clips the norm of gradients.
"""

import numpy as np
import torch
from _torch import DTYPES, recorded

from seqlearn_lstm import LSTMClassifier

N_CLASSES, RATE = 10, 1e-3


class Data:
    """Sequences of a shape: a pattern of each class under as much noise."""

    def __init__(self, shape, n_batches):
        rng, n = np.random.default_rng(0), n_batches * shape.B
        self.shape = shape
        self.lengths = np.tile(shape.lengths(), n_batches)
        self.y = rng.integers(N_CLASSES, size=n)
        self.y[:N_CLASSES] = np.arange(min(n, N_CLASSES))  # each class is there
        patterns = rng.standard_normal((N_CLASSES, shape.T, shape.I), dtype=np.float32)
        self.X = rng.standard_normal((n, shape.T, shape.I), dtype=np.float32)
        self.X += patterns[self.y]
        self.sequences = [x[:n] for x, n in zip(self.X, self.lengths, strict=True)]


def ours(data, device, precision, n_jobs=None):
    """A function that fits for an epoch and returns its loss."""
    shape = data.shape
    model = LSTMClassifier(
        (shape.H,) * shape.n_layers, batch_size=shape.B, learning_rate=RATE, max_iter=1,
        random_state=0, device=device, precision=precision,
        n_jobs=n_jobs,
    )  # fmt: skip
    X = data.sequences if shape.ragged else data.X
    return lambda: model.fit(X, data.y).loss_curve_[-1]


class TorchEpoch:
    """The same epoch as a loop, time-major; calling it returns the loss.

    kind : {"eager", "graph", "packed"}
        "graph": an update is recorded and replayed.
    precision : {"float32", "tf32", "bf16"}
        "bf16": inputs, LSTM and its solver in bfloat16.
    """

    def __init__(self, data, kind, device, precision):
        shape, self.data, self.kind, self.device = data.shape, data, kind, device
        dtype = DTYPES[precision]
        self.lstm = torch.nn.LSTM(shape.I, shape.H, shape.n_layers).to(device, dtype)
        self.output = torch.nn.Linear(shape.H, N_CLASSES).to(device)
        parameters = [*self.lstm.parameters(), *self.output.parameters()]
        self.solver = torch.optim.Adam(
            parameters, lr=RATE, fused=device == "cuda", capturable=kind == "graph"
        )
        self.criterion = torch.nn.CrossEntropyLoss()
        n = len(data.y)
        self.X = torch.empty(shape.T, n, shape.I, device=device, dtype=dtype)
        self.y, self.last = (torch.zeros(n, dtype=torch.int64, device=device) for _ in range(2))
        self.lengths = torch.from_numpy(data.lengths)
        self.members = torch.arange(shape.B, device=device)
        self.loss = torch.zeros((), device=device)
        self._upload()
        self.update = recorded(self._update) if kind == "graph" else self._update

    def _upload(self):
        uploaded = torch.from_numpy(self.data.X).to(self.device)
        self.X.copy_(uploaded.transpose(0, 1))
        self.y.copy_(torch.from_numpy(self.data.y))
        self.last.copy_(self.lengths - 1)

    def _scores(self):
        x = self.X[:, self.members]
        if self.kind == "packed":
            lengths = self.lengths[self.chosen]
            x = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
            return self.output(self.lstm(x)[1][0][-1].float())
        states, rows = self.lstm(x)[0], torch.arange(len(self.members), device=self.device)
        return self.output(states[self.last[self.members], rows].float())

    def _update(self):
        """An update with the sequences `members`; adds to `loss`."""
        self.solver.zero_grad()
        loss = self.criterion(self._scores(), self.y[self.members])
        loss.backward()
        self.solver.step()
        self.loss += loss.detach()

    def __call__(self):
        self._upload()
        self.loss.zero_()
        batches = torch.randperm(len(self.data.y)).split(self.data.shape.B)
        for self.chosen in batches:
            self.members.copy_(self.chosen)
            self.update()
        return self.loss.item() / len(batches)
