"""The LSTM layer and a whole network against `torch.nn.LSTM` on packed sequences."""

from itertools import chain

import naive_network
import numpy as np
import pytest
from gradcheck import relative_error
from one_layer import random_layer, run_layer
from test_network import Problem

from seqlearn_lstm import LSTMLanguageModel
from seqlearn_lstm.architecture import Architecture
from seqlearn_lstm.cells import GRU, LSTM, RNN, plain
from seqlearn_lstm.solvers import SGD

torch = pytest.importorskip("torch")

LENGTHS = [5, 1, 9, 3, 3, 12, 2, 7, 1, 4, 4, 6, 2]
BOUND = {"float32": 1e-5, "float64": 1e-10}
SUFFIX = {"forward": "", "backward": "_reverse"}


def torch_lstm(layers, dtype):
    """`torch.nn.LSTM` with canonical weights, layers[l][direction] = (W, U, b).

    Its gates are i, f, g, o as well; of its two biases one becomes zero.
    """
    n_in, n_units = layers[0][0][0].shape[0], layers[0][0][1].shape[0]
    lstm = torch.nn.LSTM(
        n_in, n_units, num_layers=len(layers), bidirectional=len(layers[0]) == 2,
        dtype=getattr(torch, dtype.name),
    )  # fmt: skip
    with torch.no_grad():
        for (W, U, b), names in zip(chain(*layers), torch_names(layers), strict=True):
            for name, value in zip(names, (W.T, U.T, b), strict=True):
                getattr(lstm, name).copy_(torch.from_numpy(value.copy()))
            getattr(lstm, names[2].replace("bias_ih", "bias_hh")).zero_()
    return lstm


def torch_names(layers):
    """Names of input weights, recurrent weights and bias for each direction of each layer."""
    for number, layer in enumerate(layers):
        for suffix in list(SUFFIX.values())[: len(layer)]:
            yield [f"{kind}_l{number}{suffix}" for kind in ("weight_ih", "weight_hh", "bias_ih")]


def pack(tensors):
    return torch.nn.utils.rnn.pack_sequence(tensors, enforce_sorted=False)


def unpack(packed):
    padded, lengths = torch.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    return [steps[:length] for steps, length in zip(padded, lengths, strict=True)]


class Stack:
    """Layers of one or two directions, put together from runs of single ones."""

    def __init__(self, kernels, layers, sequences, h0, c0):
        """h0 and c0 (n_layers * n_directions, n, H), as in PyTorch."""
        self.runs, inputs, part = [], sequences, 0
        self.n_units = h0.shape[2]
        for layer in layers:
            runs = []
            for backward, (W, U, b) in enumerate(layer):
                read = [mirrored(x) for x in inputs] if backward else inputs
                runs.append(run_layer(kernels, read, h0[part], c0[part], W, U, b))
                part += 1
            outputs = [[hs[1:] for hs in run.hs] for run in runs]
            if len(runs) == 2:
                outputs[1] = [mirrored(hs) for hs in outputs[1]]
            inputs = [np.hstack(steps) for steps in zip(*outputs, strict=True)]
            self.runs.append(runs)
        self.outputs = inputs
        self.h_final, self.c_final = (
            np.array([[s[-1] for s in states(run)] for runs in self.runs for run in runs])
            for states in (lambda run: run.hs, lambda run: run.cs)
        )

    def backward(self, d_outputs, dh, dc):
        """Gradients [(dW, dU, db), ...], at the inputs, at h0 and c0."""
        n_directions = len(self.runs[0])
        gradients, dh0, dc0 = [], np.empty_like(dh), np.empty_like(dc)
        for number in reversed(range(len(self.runs))):
            d_inputs, of_layer = [], []
            for backward, run in enumerate(self.runs[number]):
                columns = slice(backward * self.n_units, (backward + 1) * self.n_units)
                slopes = [np.ascontiguousarray(d[:, columns]) for d in d_outputs]
                slopes = [mirrored(d) for d in slopes] if backward else slopes
                part = number * n_directions + backward
                *weights, dxs, dh0[part], dc0[part] = run.backward(slopes, dh[part], dc[part])
                of_layer.append(weights)
                d_inputs.append([mirrored(d) for d in dxs] if backward else dxs)
            gradients = of_layer + gradients
            d_outputs = [sum(parts) for parts in zip(*d_inputs, strict=True)]
        return gradients, d_outputs, dh0, dc0


def mirrored(steps):
    return steps[::-1].copy()


@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("n_directions", [1, 2])
@pytest.mark.parametrize("n_in, n_units", [(3, 5), (6, 20)])
def test_layers(kernels, rng, dtype, make_sequences, n_layers, n_directions, n_in, n_units):
    """Outputs of all steps, final states, gradients of weights, inputs and initial states."""
    layers = [
        [
            random_layer(rng, n_directions * n_units if layer else n_in, n_units, dtype)
            for _ in range(n_directions)
        ]
        for layer in range(n_layers)
    ]
    layers = [[(W / 2, U, b) for W, U, b in layer] for layer in layers]
    sequences = make_sequences(LENGTHS, n_in, dtype)
    d_outputs = make_sequences(LENGTHS, n_directions * n_units, dtype)
    shape = (4, n_layers * n_directions, len(LENGTHS), n_units)
    h0, c0, dh, dc = rng.standard_normal(shape).astype(dtype)

    lstm = torch_lstm(layers, dtype)
    leaves = [torch.from_numpy(x.copy()).requires_grad_() for x in (*sequences, h0, c0)]
    *xs, th0, tc0 = leaves
    packed, (h_final, c_final) = lstm(pack(xs), (th0, tc0))
    outputs = unpack(packed)
    loss = sum((out * torch.from_numpy(d)).sum() for out, d in zip(outputs, d_outputs, strict=True))
    loss = loss + (h_final * torch.from_numpy(dh)).sum() + (c_final * torch.from_numpy(dc)).sum()
    loss.backward()

    ours = Stack(kernels, layers, sequences, h0, c0)
    gradients, dxs, dh0, dc0 = ours.backward(d_outputs, dh, dc)
    bound = BOUND[dtype.name]
    pairs = [
        (f"outputs {k}", *pair) for k, pair in enumerate(zip(ours.outputs, outputs, strict=True))
    ]
    pairs += [("final h", ours.h_final, h_final), ("final c", ours.c_final, c_final)]
    pairs += [(f"dx {k}", dx, x.grad) for k, (dx, x) in enumerate(zip(dxs, xs, strict=True))]
    pairs += [("dh0", dh0, th0.grad), ("dc0", dc0, tc0.grad)]
    for (dW, dU, db), names in zip(gradients, torch_names(layers), strict=True):
        slopes = [getattr(lstm, name).grad for name in names]
        pairs += zip(names, (dW.T, dU.T, db), slopes, strict=True)
    for name, mine, theirs in pairs:
        assert relative_error(mine, theirs.detach().numpy()) <= bound, name


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "steps"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("sizes", [(7,), (6, 6)])
def test_network(kernels, dtype, sizes, bidirectional, pooling):
    """Loss and gradients of a whole network against modules of PyTorch."""
    architecture = Architecture(3, sizes, bidirectional, pooling, 5)
    problem = Problem(architecture, kernels, dtype, lengths=LENGTHS)
    loss = problem.loss(backward=True)
    gradients = problem.network.get_parameters(gradient=True)

    p, directions = problem.parameters, list(SUFFIX)[: architecture.n_directions]
    keys = [[f"layer_{layer}.{name}" for name in directions] for layer in range(len(sizes))]
    layers = [[tuple(p[f"{key}.{letter}"] for letter in "WUb") for key in row] for row in keys]
    lstm = torch_lstm(layers, dtype)
    dense = torch.nn.Linear(architecture.n_features, 5, dtype=getattr(torch, dtype.name))
    with torch.no_grad():
        dense.weight.copy_(torch.from_numpy(p["output.W"].T.copy()))
        dense.bias.copy_(torch.from_numpy(p["output.b"]))
    packed, (h_final, _) = lstm(
        pack([torch.from_numpy(problem.sequence(k).copy()) for k in range(problem.n)])
    )
    pool = {
        "last": lambda k, steps: h_final[-len(directions) :, k].reshape(-1),
        "mean": lambda k, steps: steps.mean(dim=0),
        "max": lambda k, steps: steps.amax(dim=0),
        "steps": lambda k, steps: steps,
    }[pooling]
    features = torch.vstack([pool(k, steps) for k, steps in enumerate(unpack(packed))])
    losses = torch.nn.functional.cross_entropy(
        dense(features), torch.from_numpy(problem.targets), reduction="none"
    )
    weights = torch.from_numpy(problem.weights[:-1].astype(dtype))
    their_loss = (losses * weights).sum() / weights.sum()
    their_loss.backward()

    bound = BOUND[dtype.name]
    assert loss == pytest.approx(their_loss.item(), rel=bound)
    expected = {"output.W": dense.weight.grad.T, "output.b": dense.bias.grad}
    for key, names in zip(chain(*keys), torch_names(layers), strict=True):
        W, U, b = (getattr(lstm, name).grad for name in names)
        expected |= {f"{key}.W": W.T, f"{key}.U": U.T, f"{key}.b": b}
    for name, gradient in gradients.items():
        assert relative_error(gradient, expected[name].numpy()) <= bound, name


# ---- other cells, and an embedding, in whole networks --------------------------------------------


def torch_stack(cell, layers):
    """`torch.nn.GRU` or `RNN` with canonical parameters, layers[l][direction] = {name: array}."""
    name, settings = cell
    first = layers[0][0]
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[name]
    options = {"nonlinearity": settings["activation"]} if name == "rnn" else {}
    stack = kind(
        first["W"].shape[0], first["U"].shape[0], num_layers=len(layers),
        bidirectional=len(layers[0]) == 2, dtype=getattr(torch, first["W"].dtype.name), **options,
    )  # fmt: skip
    with torch.no_grad():
        for part, names in zip(chain(*layers), torch_names(layers), strict=True):
            for theirs, mine in zip(names, "WUb", strict=True):
                getattr(stack, theirs).copy_(torch.from_numpy(part[mine].T.copy()))
            inner = getattr(stack, names[2].replace("bias_ih", "bias_hh"))
            inner.zero_()
            if (
                "b_n" in part
            ):  # the bias inside of the reset, of the last of PyTorch's gates r, z, n
                inner[-len(part["b_n"]) :] = torch.from_numpy(part["b_n"])
    return stack


@pytest.mark.parametrize("embedding_dim", [None, 6])
@pytest.mark.parametrize("cell", [LSTM(), GRU(), RNN(), RNN("relu")], ids=str)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_network_of_other_cells(kernels, dtype, cell, bidirectional, embedding_dim):
    """Loss and gradients of two layers over numbers, or over embedded symbols."""
    architecture = Architecture(
        4, (6, 6), bidirectional, "steps", 5, cell=plain(cell), embedding_dim=embedding_dim
    )
    problem = Problem(architecture, kernels, dtype, lengths=LENGTHS)
    loss = problem.loss(backward=True)
    gradients = problem.network.get_parameters(gradient=True)

    p, directions = problem.parameters, list(SUFFIX)[: architecture.n_directions]
    keys = [[f"layer_{layer}.{name}" for name in directions] for layer in range(2)]
    layers = [[naive_network.of_part(p, key) for key in row] for row in keys]
    stack = torch_stack(architecture.cell, layers)
    dense = torch.nn.Linear(architecture.n_features, 5, dtype=getattr(torch, dtype.name))
    with torch.no_grad():
        dense.weight.copy_(torch.from_numpy(p["output.W"].T.copy()))
        dense.bias.copy_(torch.from_numpy(p["output.b"]))
    inputs = [torch.from_numpy(problem.sequence(k).copy()) for k in range(problem.n)]
    expected = {}
    if embedding_dim:
        table = torch.nn.Embedding.from_pretrained(torch.from_numpy(p["embedding.W"]), freeze=False)
        inputs = [table(x[:, 0]) for x in inputs]
    features = torch.vstack(unpack(stack(pack(inputs))[0]))
    losses = torch.nn.functional.cross_entropy(
        dense(features), torch.from_numpy(problem.targets), reduction="none"
    )
    weights = torch.from_numpy(problem.weights[:-1].astype(dtype))
    their_loss = (losses * weights).sum() / weights.sum()
    their_loss.backward()

    bound = BOUND[dtype.name]
    assert loss == pytest.approx(their_loss.item(), rel=bound)
    expected = {"output.W": dense.weight.grad.T, "output.b": dense.bias.grad}
    if embedding_dim:
        expected["embedding.W"] = table.weight.grad
    for key, names in zip(chain(*keys), torch_names(layers), strict=True):
        W, U, b = (getattr(stack, name).grad for name in names)
        expected |= {f"{key}.W": W.T, f"{key}.U": U.T, f"{key}.b": b}
        inner = getattr(stack, names[2].replace("bias_ih", "bias_hh")).grad
        expected[f"{key}.b_n"] = inner[-6:]
    for name, gradient in gradients.items():
        assert relative_error(gradient, expected[name].numpy()) <= bound, name


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_language_model_learns_as_a_loop_of_detached_windows_does(cell):
    """Two epochs of plain gradient descent over a text in pieces, the state carried from window to
    window: the same parameters.
    """
    text = "in the beginning there was a text, and the text was short and full of letters"
    params = dict(
        hidden_layer_sizes=(9,), cell=cell, embedding_dim=5, batch_size=3, bptt_steps=7,
        solver=SGD(momentum=0.0), clip_norm=None, dtype="float64", max_iter=2, random_state=0,
    )  # fmt: skip
    ours = LSTMLanguageModel(**params, learning_rate=0.1).fit(text)
    start = LSTMLanguageModel(**params, learning_rate=1e-300).fit(text)
    inputs, targets = ours._transitions([text])
    starts = np.linspace(0, len(targets), 4).astype(int)
    twin = TorchLanguageModel(cell, start.parameters_)
    losses = [twin.epoch(inputs.rows[:, 0], targets, starts, 7, 0.1) for _ in range(2)]
    np.testing.assert_allclose(ours.loss_curve_, losses, rtol=1e-10)
    for name, values in twin.parameters().items():
        assert relative_error(ours.parameters_[name], values) < 1e-10, name


class TorchLanguageModel:
    """An embedding, a recurrent layer and an output layer with canonical parameters."""

    def __init__(self, cell, parameters):
        self.cell, self.names = cell, list(parameters)
        self.tensors = {
            name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()
        }

    def parameters(self):
        return {name: tensor.detach().numpy() for name, tensor in self.tensors.items()}

    def step(self, x, h, c):
        """One step of the cell for the rows of x, from the equations."""
        W, U, b = (self.tensors[f"layer_0.forward.{letter}"] for letter in "WUb")
        n = h.shape[1]
        if self.cell == "lstm":
            i, f, g, o = (x @ W + h @ U + b).split(n, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            return o.sigmoid() * c.tanh(), c
        b_n = self.tensors["layer_0.forward.b_n"]
        (rx, ux, nx), (rh, uh, nh) = (a.split(n, dim=1) for a in (x @ W + b, h @ U))
        r, u = (rx + rh).sigmoid(), (ux + uh).sigmoid()
        return (1 - u) * (nx + r * (nh + b_n)).tanh() + u * h, c

    def epoch(self, codes, targets, starts, size, rate):
        """One pass over the pieces codes[starts[k]:starts[k + 1]], side by side."""
        lengths = np.diff(starts)
        n = self.tensors["layer_0.forward.U"].shape[0]
        states = [(torch.zeros(1, n).double(), torch.zeros(1, n).double()) for _ in lengths]
        total = 0.0
        for begin in range(0, max(lengths), size):
            losses = []
            for k, length in enumerate(lengths):
                h, c = (state.detach() for state in states[k])
                for t in range(begin, min(begin + size, length)):
                    row = starts[k] + t
                    x = self.tensors["embedding.W"][codes[row]][None]
                    h, c = self.step(x, h, c)
                    scores = h @ self.tensors["output.W"] + self.tensors["output.b"]
                    target = torch.tensor([targets[row]])
                    losses.append(torch.nn.functional.cross_entropy(scores, target))
                states[k] = h, c
            loss = torch.stack(losses).mean()
            total += loss.item() * len(losses)
            for tensor in self.tensors.values():
                tensor.grad = None
            loss.backward()
            with torch.no_grad():
                for tensor in self.tensors.values():
                    tensor -= rate * tensor.grad
        return total / len(targets)
