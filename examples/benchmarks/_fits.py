"""The same fit three times: the package's, skorch's and a plain PyTorch loop's.

One epoch of Adam with batches of 100, on sequences of 28 steps and 28 features; a layer of 100
units, a softmax on its last state. Started as a program, this fits once and prints
the memory it took:

    python3 examples/benchmarks/_fits.py plain 20000
"""

import json
import resource
import sys

import numpy as np

N_STEPS, N_FEATURES, N_CLASSES, N_UNITS, BATCH_SIZE, RATE = 28, 28, 10, 100, 100, 1e-3


def make_data(n):
    """(X, y): a pattern of each class under as much noise, in random order."""
    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((N_CLASSES, N_STEPS, N_FEATURES), dtype=np.float32)
    y = rng.integers(N_CLASSES, size=n)
    X = rng.standard_normal((n, N_STEPS, N_FEATURES), dtype=np.float32)
    for start in range(0, n, 1000):  # in parts: what is made on the way would count as memory
        X[start : start + 1000] += patterns[y[start : start + 1000]]
    return X, y


# ---- each gives a function (X, y) -> loss of the epoch -----------------------------------------


def ours(n_threads):
    """`LSTMClassifier`."""
    from seqlearn_lstm import LSTMClassifier

    def fit(X, y):
        model = LSTMClassifier(
            (N_UNITS,), batch_size=BATCH_SIZE, learning_rate=RATE, max_iter=1, n_jobs=n_threads
        )
        return model.fit(X, y).loss_curve_[-1]

    return fit


def plain(n_threads):
    """A loop as one writes it by hand, without a `DataLoader`, which would be slower."""
    import torch

    torch.set_num_threads(n_threads)
    criterion, module_class = torch.nn.CrossEntropyLoss(), torch_module()

    def fit(X, y):
        X, y = torch.from_numpy(X), torch.from_numpy(y)
        module, total = module_class().train(), 0.0
        solver = torch.optim.Adam(module.parameters(), lr=RATE)
        for members in torch.randperm(len(X)).split(BATCH_SIZE):
            solver.zero_grad()
            loss = criterion(module(X[members]), y[members])
            loss.backward()
            solver.step()
            total += loss.item() * len(members)
        return total / len(X)

    return fit


def skorch(n_threads):
    """skorch's classifier, without a validation set and without printing."""
    import torch
    from skorch import NeuralNetClassifier

    torch.set_num_threads(n_threads)
    module_class = torch_module()

    def fit(X, y):
        net = NeuralNetClassifier(
            module_class, criterion=torch.nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=RATE,
            batch_size=BATCH_SIZE, max_epochs=1, train_split=None, iterator_train__shuffle=True,
            callbacks__valid_acc=None, callbacks__print_log=None, verbose=0,
        )  # fmt: skip
        return net.fit(X, y).history[-1, "train_loss"]

    return fit


def torch_module():
    """``nn.LSTM``, and ``nn.Linear`` on its last state, as a class."""
    import torch

    class Classifier(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(N_FEATURES, N_UNITS, batch_first=True)
            self.output = torch.nn.Linear(N_UNITS, N_CLASSES)

        def forward(self, x):
            _, (last, _) = self.lstm(x)
            return self.output(last[-1])

    return Classifier


# PyTorch first: see _torch.py
CANDIDATES = {"plain": plain, "skorch": skorch, "ours": ours}

# ---- memory ------------------------------------------------------------------------------------


def peak_memory():
    """The most memory that this process has held, in MiB."""
    if sys.platform == "linux":  # where getrusage counts the parent process, too
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def main(name, n_sequences, n_threads):
    """Print {"before": MiB, "peak": MiB}: with all modules and data, and after the fit."""
    fit = CANDIDATES[name](n_threads)
    X, y = make_data(n_sequences)
    before = peak_memory()
    fit(X, y)
    print(json.dumps({"before": before, "peak": peak_memory()}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
