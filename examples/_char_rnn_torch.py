"""Networks of characters in PyTorch, to compare with: the same layers, sizes and batches."""

import numpy as np
import torch
from torch import nn

from seqlearn_lstm.solvers import AdamW, RMSprop


def _solver_of(parameters, settings):
    """The same solver, of PyTorch."""
    rate, solver = settings["learning_rate"], settings.get("solver")
    if isinstance(solver, RMSprop):
        return torch.optim.RMSprop(parameters, rate, alpha=solver.rho)
    if isinstance(solver, AdamW):
        return torch.optim.AdamW(parameters, rate, weight_decay=solver.weight_decay)
    return torch.optim.Adam(parameters, rate)


class TorchModel:
    """LSTM layers on vectors of characters.

    Parameters
    ----------
    text : str
        Has all characters.
    settings : dict
        Of `LSTMLanguageModel`; the solver is an `RMSprop`, an `AdamW`, or Adam.
    """

    def __init__(self, text, settings):
        torch.manual_seed(0)
        self.settings, sizes = settings, settings["hidden_layer_sizes"]
        self.codes = {letter: code for code, letter in enumerate(sorted(set(text)))}
        self.network = nn.ModuleDict(
            {
                "embedding": nn.Embedding(len(self.codes), 64),
                "lstm": nn.LSTM(64, sizes[0], len(sizes), batch_first=True),
                "dropout": nn.Dropout(settings.get("dropout", 0.0)),
                "output": nn.Linear(sizes[-1], len(self.codes)),
            }
        )
        self.solver = _solver_of(self.network.parameters(), settings)
        nn.init.normal_(self.network["embedding"].weight, std=1 / 8)
        for name, values in self.network["lstm"].named_parameters():
            nn.init.uniform_(values, -0.08, 0.08)
            if name.startswith("bias_ih"):  # the other bias has no part in the forget gate's 1
                values.data[sizes[0] : 2 * sizes[0]] = 1
        self.loss = nn.CrossEntropyLoss()

    def forward(self, codes, states):
        """Scores (n_pieces, n_steps, n_letters) and the states after them."""
        found, states = self.network["lstm"](self.network["embedding"](codes), states)
        return self.network["output"](self.network["dropout"](found)), states

    def partial_fit(self, text):
        """One epoch: pieces of the text side by side, in windows that hand their states on."""
        self.network.train()
        n, size = self.settings["batch_size"], self.settings["bptt_steps"]
        pieces = self.encode(text)[: (len(text) - 1) // n * n + 1]
        inputs, targets = pieces[:-1].reshape(n, -1), pieces[1:].reshape(n, -1)
        states = None
        for begin in range(0, inputs.shape[1], size):
            window = slice(begin, begin + size)
            scores, states = self.forward(inputs[:, window], states)
            states = tuple(state.detach() for state in states)
            self.solver.zero_grad()
            loss = self.loss(scores.flatten(0, 1), targets[:, window].flatten())
            loss.backward()
            self.clip(self.network.parameters())
            self.solver.step()

    def clip(self, parameters):
        """As the settings say: each value, or else the norm."""
        if "clip_value" in self.settings:
            nn.utils.clip_grad_value_(parameters, self.settings["clip_value"])
        else:
            nn.utils.clip_grad_norm_(parameters, 1.0)

    @torch.no_grad()
    def score(self, text):
        """The mean logarithm of a character's probability."""
        codes = self.encode(text)[None]
        self.network.eval()
        return -self.loss(self.forward(codes[:, :-1], None)[0][0], codes[0, 1:]).item()

    def n_parameters(self):
        """How many numbers there are; each gate has two biases."""
        return sum(values.numel() for values in self.network.parameters())

    def encode(self, text):
        """Codes of characters."""
        return torch.from_numpy(np.array([self.codes[letter] for letter in text]))
