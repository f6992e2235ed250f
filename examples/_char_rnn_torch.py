"""char-rnn's network and training in PyTorch, to compare with: the same layers, sizes and batches."""

import numpy as np
import torch
from torch import nn


class TorchModel:
    """Two LSTM layers on vectors of characters.

    Parameters
    ----------
    text : str
        Has all characters.
    settings : dict
        Of `LSTMLanguageModel`; the solver is RMSprop.
    """

    def __init__(self, text, settings):
        torch.manual_seed(0)
        self.settings, sizes = settings, settings["hidden_layer_sizes"]
        self.codes = {letter: code for code, letter in enumerate(sorted(set(text)))}
        self.network = nn.ModuleDict(
            {
                "embedding": nn.Embedding(len(self.codes), 64),
                "lstm": nn.LSTM(64, sizes[0], len(sizes), batch_first=True),
                "output": nn.Linear(sizes[-1], len(self.codes)),
            }
        )
        self.solver = torch.optim.RMSprop(
            self.network.parameters(), settings["learning_rate"], alpha=settings["solver"].rho
        )
        nn.init.normal_(self.network["embedding"].weight, std=1 / 8)
        for name, values in self.network["lstm"].named_parameters():
            nn.init.uniform_(values, -0.08, 0.08)
            if name.startswith("bias_ih"):  # the other bias has no part in the forget gate's 1
                values.data[sizes[0] : 2 * sizes[0]] = 1
        self.loss = nn.CrossEntropyLoss()

    def forward(self, codes, states):
        """Scores (n_pieces, n_steps, n_letters) and the states after them."""
        found, states = self.network["lstm"](self.network["embedding"](codes), states)
        return self.network["output"](found), states

    def partial_fit(self, text):
        """One epoch: pieces of the text side by side, in windows that hand their states on."""
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
            nn.utils.clip_grad_value_(self.network.parameters(), self.settings["clip_value"])
            self.solver.step()

    @torch.no_grad()
    def score(self, text):
        """The mean logarithm of a character's probability."""
        codes = self.encode(text)[None]
        return -self.loss(self.forward(codes[:, :-1], None)[0][0], codes[0, 1:]).item()

    def n_parameters(self):
        """How many numbers there are; each gate has two biases."""
        return sum(values.numel() for values in self.network.parameters())

    def encode(self, text):
        """Codes of characters."""
        return torch.from_numpy(np.array([self.codes[letter] for letter in text]))
