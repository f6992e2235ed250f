"""A whole network: its scores equal the naive ones, its gradient is that of central differences."""

import naive_network
import numpy as np
import pytest
from gradcheck import assert_gradient, relative_error

from seqlearn_lstm.architecture import Architecture
from seqlearn_lstm.batches import plan, windows_from_start
from seqlearn_lstm.cells import GRU, LSTM, RNN, plain
from seqlearn_lstm.dropout import Masks, Rates
from seqlearn_lstm.heads import SoftmaxHead
from seqlearn_lstm.network import Network
from seqlearn_lstm.training.loop import _decay

LENGTHS = [4, 1, 6, 2, 2, 6]
N_IN, N_CLASSES = 3, 4
ARCHITECTURES = [
    Architecture(N_IN, sizes, bidirectional, pooling, N_CLASSES)
    for sizes in [(5,), (6, 19), (3, 4, 2)]
    for bidirectional in (False, True)
    for pooling in ("last", "mean", "max", "steps")
]
ARCHITECTURES += [
    Architecture(N_IN, sizes, bidirectional, pooling, N_CLASSES, **more)
    for sizes, bidirectional, pooling in (
        ((5,), False, "last"), ((6, 19), True, "steps"), ((4, 3), True, "mean"),
    )
    for more in (
        {"input_projection": 7},
        {"learn_initial": True},
        {"embedding_dim": 5},
        {"embedding_dim": 17, "input_projection": 3, "learn_initial": True},
    )
]  # fmt: skip
CELLS = [
    LSTM(peephole=True),
    LSTM(forget_gate=False),
    LSTM(layer_norm=True, bias_initializer="zeros"),  # `Problem` adds noise to all of them
    LSTM(activation="relu", kernel_initializer=0.3),
    LSTM(peephole=True, forget_gate=False, layer_norm=True, activation="sigmoid"),
    GRU(),
    GRU(reset_after=False),
    RNN(),
    RNN("relu", recurrent_initializer="identity"),
]
ARCHITECTURES += [
    Architecture(
        N_IN, sizes, True, pooling, N_CLASSES, cell=plain(cell), learn_initial=pooling == "mean"
    )
    for cell in CELLS
    for sizes, pooling in (((6, 19), "steps"), ((5, 3), "mean"))
]
ARCHITECTURE = pytest.mark.parametrize(
    "architecture",
    ARCHITECTURES,
    ids=lambda a: "-".join(
        map(str, (*a.hidden_layer_sizes, a.bidirectional, *vars(a).values()))
    ).replace(" ", ""),
)


class Problem:
    """A network with all its parameters random, biases too, and sequences to learn."""

    def __init__(
        self, architecture, kernels, dtype=np.float64, n_jobs=1, lengths=LENGTHS, seed=0, rates=None
    ):
        rng = np.random.default_rng(seed)
        self.architecture, self.n = architecture, len(lengths)
        recurrent = rates is not None and rates.recurrent > 0
        self.network = Network(architecture, kernels, dtype, n_jobs, recurrent)
        self.parameters = {
            name: np.ascontiguousarray(value + rng.normal(scale=0.3, size=value.shape), dtype)
            for name, value in self.network.initial_parameters(rng).items()
        }
        self.network.set_parameters(self.parameters)
        self.kernels, self.head = kernels, SoftmaxHead(architecture.n_out)
        self.offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self.rows = rng.standard_normal((sum(lengths), architecture.n_in)).astype(dtype)
        if architecture.embedding_dim:
            self.rows = rng.integers(0, architecture.n_in, (sum(lengths), 1))
        self.masks = Masks(kernels, dtype, rates, seed=3, epoch=1) if rates else None
        self.starts = self.offsets if architecture.pooling == "steps" else np.arange(self.n + 1)
        self.targets = rng.integers(0, architecture.n_out, self.starts[-1])
        self.weights = np.append(rng.uniform(0.5, 2, self.starts[-1]), 0)  # -1 finds no weight

    def sequence(self, k):
        return self.rows[self.offsets[k] : self.offsets[k + 1]]

    def scores(self, members=None, keep=False):
        """(n, n_out), or (n_rows, n_out) with scores at each step, in the order of `members`."""
        batch = plan(self.offsets, np.arange(self.n) if members is None else members)
        padded = self.network.forward(batch, self.rows, keep, self.masks)
        index = self.network.pooling.index(batch)
        scores = np.empty((self.starts[-1], self.architecture.n_out), self.network.dtype)
        scores[index[index >= 0]] = padded[index >= 0, : self.architecture.n_out]
        return scores if members is None else self.of(scores, members)

    def of(self, scores, members):
        """The scores of some sequences, one after another."""
        return np.concatenate([scores[self.starts[k] : self.starts[k + 1]] for k in members])

    def loss(self, backward=False, strength=0.0, members=None):
        """The weighted mean loss with the decay; `backward` fills the network's gradient, too."""
        batch = plan(self.offsets, np.arange(self.n) if members is None else members)
        scores = self.network.forward(batch, self.rows, backward, self.masks)
        index = self.network.pooling.index(batch)
        loss = self.head.loss_and_gradient(
            self.kernels, scores, self.targets[index], self.weights[index]
        )
        if backward:
            self.network.backpropagate(batch, scores, self.masks)
            loss += _decay(self.network, strength) if strength else 0
        elif strength:
            parameters = self.network.get_parameters()
            squares = sum((v**2).sum() for name, v in parameters.items() if name[-1] != "b")
            loss += strength / 2 * squares
        return loss

    def loss_at(self, parameters, strength=0.0):
        self.network.set_parameters(parameters)
        return self.loss(strength=strength)


def check_gradient(problem, n_samples=None, strength=0.0):
    """Each parameter array's gradient against central differences."""
    loss = problem.loss(backward=True, strength=strength)
    gradients = problem.network.get_parameters(gradient=True)
    moved = {name: value.copy() for name, value in problem.parameters.items()}
    assert loss == pytest.approx(problem.loss_at(moved, strength), rel=1e-13)
    assert sorted(gradients) == sorted(moved)
    for name, value in moved.items():
        assert_gradient(
            lambda: problem.loss_at(moved, strength), value, gradients[name],
            n_samples=n_samples, name=name,
        )  # fmt: skip


@ARCHITECTURE
def test_gradient_equals_differences(kernels, architecture):
    check_gradient(Problem(architecture, kernels), n_samples=10)


def test_every_entry_of_the_gradient(kernels):
    architecture = Architecture(2, (3, 2), True, "mean", 3)
    check_gradient(Problem(architecture, kernels))


@pytest.mark.parametrize("rates", [None, Rates(inputs=0.3, outputs=0.4)], ids=["whole", "dropout"])
@pytest.mark.parametrize("more", [{}, {"input_projection": 4}], ids=str)
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "steps"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_gradient_at_the_inputs(kernels, bidirectional, pooling, more, rates):
    architecture = Architecture(N_IN, (6, 5), bidirectional, pooling, N_CLASSES, **more)
    problem = Problem(architecture, kernels, rates=rates)
    batch = plan(problem.offsets, np.arange(problem.n))
    scores = problem.network.forward(batch, problem.rows, True, problem.masks)
    index = problem.network.pooling.index(batch)
    problem.head.loss_and_gradient(kernels, scores, problem.targets[index], problem.weights[index])
    slots = problem.network.backpropagate(batch, scores, problem.masks, need_inputs=True)
    gradient = np.empty_like(problem.rows)
    gradient[batch.source[batch.source >= 0]] = slots[batch.source >= 0]
    assert_gradient(problem.loss, problem.rows, gradient)


RATES = {
    "inputs": Rates(inputs=0.4),
    "outputs": Rates(outputs=0.5),
    "embedding": Rates(embedding=0.4),
    "recurrent": Rates(recurrent=0.4),
    "all": Rates(inputs=0.3, outputs=0.4, recurrent=0.3, embedding=0.3),
    "each step": Rates(inputs=0.3, outputs=0.4, recurrent=0.3, embedding=0.3, per_step=True),
}
DROPPED = [
    (rates, Architecture(N_IN, (6, 5), True, pooling, N_CLASSES, **more))
    for rates in RATES
    for pooling in ("max", "steps")
    for more in ({}, {"input_projection": 4}, {"embedding_dim": 5})
    if rates != "embedding" or "embedding_dim" in more
]
DROPPED += [
    ("all", Architecture(N_IN, (6, 5), True, "mean", N_CLASSES, cell=plain(cell))) for cell in CELLS
]
DROPOUT = pytest.mark.parametrize(
    "rates, architecture", DROPPED,
    ids=[f"{r}-{a.pooling}-{a.embedding_dim}-{a.input_projection}-{a.cell}" for r, a in DROPPED],
)  # fmt: skip


@DROPOUT
def test_gradient_with_dropout(kernels, rates, architecture):
    problem = Problem(architecture, kernels, rates=RATES[rates])
    check_gradient(problem, n_samples=10)
    with_masks = problem.scores()
    problem.masks = None
    assert not np.array_equal(with_masks, problem.scores())


@pytest.mark.parametrize(
    "more", [{}, {"input_projection": 4}, *({"cell": plain(cell)} for cell in CELLS)], ids=str
)
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "steps"])
@pytest.mark.parametrize("rates", ["all", "each step"])
def test_scores_with_dropout_equal_naive(kernels, rates, pooling, more):
    """One mask for all steps of a sequence, or one for each, on the inputs and between layers; what
    is pooled has one for the sequence.
    """
    architecture = Architecture(N_IN, (6, 5), True, pooling, N_CLASSES, **more)
    problem = Problem(architecture, kernels, rates=RATES[rates])
    batch = plan(problem.offsets, np.arange(problem.n))
    pooled = problem.masks.features(batch, 10, 1, problem.network.pooling)
    between = {"inputs": problem.masks.inputs(batch, N_IN)}
    between["outputs", 0] = problem.masks.outputs(batch, 12, 0)
    per_step = RATES[rates].per_step
    recurrent = {
        part.key: problem.masks.recurrent(batch, part.n_padded, number)[:, : part.n_units]
        for number, part in enumerate(problem.network.recurrent)
    }
    expected = np.empty_like(problem.scores())
    for rank, k in enumerate(batch.members):
        slots = np.array([*map(list(batch.source).index, range(*problem.offsets[k : k + 2]))])
        own = slots if per_step else rank
        masks = {name: mask.values[own] for name, mask in between.items()}
        masks["outputs", 1] = pooled.values[own if pooling == "steps" else rank]
        masks |= {("recurrent", key): mask[rank] for key, mask in recurrent.items()}
        rows = slice(problem.starts[k], problem.starts[k + 1])
        expected[rows] = naive_network.network_scores(
            problem.parameters, architecture, problem.sequence(k), masks
        )
    assert relative_error(problem.scores(), expected) <= 1e-14


def test_steps_have_masks_of_their_own(kernels):
    """Which a direction that reads them backwards meets at the same steps, and a window, too."""
    rates = Rates(inputs=0.4, outputs=0.4, per_step=True)
    masks = Masks(kernels, np.float64, rates, seed=3, epoch=1)
    batch = plan(np.array([0, 6, 10]), np.arange(2))
    for kind in (masks.inputs, lambda batch, width, *more: masks.outputs(batch, width, 0, *more)):
        values = kind(batch, 50).values
        alive = batch.source >= 0
        assert len(np.unique(values[alive], axis=0)) == 10
        mirrored = kind(batch, 50, True).values
        np.testing.assert_array_equal(mirrored[alive], values[batch.reverse[alive]])
        for window in windows_from_start(batch, 4):
            alike = np.equal.outer(window.source, batch.source) & alive
            found = kind(window, 50).values[alike.any(axis=1)]
            np.testing.assert_array_equal(found, values[alike[alike.any(axis=1)].argmax(axis=1)])


@DROPOUT
def test_dropout_depends_on_the_sequence_alone(kernels, dtype, rates, architecture):
    problem = Problem(architecture, kernels, dtype, rates=RATES[rates])
    together = problem.scores()
    alone = np.concatenate([problem.scores(np.array([k])) for k in range(problem.n)])
    assert alone.tobytes() == together.tobytes()


@pytest.mark.parametrize("sizes, n_out", [((5,), 4), ((3, 18), 130)])
def test_decay(kernels, sizes, n_out):
    """L2 on all weights and no bias; 130 outputs are several panels."""
    architecture = Architecture(N_IN, sizes, True, "last", n_out)
    check_gradient(Problem(architecture, kernels), n_samples=15, strength=0.7)


@ARCHITECTURE
def test_scores_equal_naive(kernels, dtype, architecture):
    problem = Problem(architecture, kernels, dtype)
    expected = np.vstack(
        [
            naive_network.network_scores(problem.parameters, architecture, problem.sequence(k))
            for k in range(problem.n)
        ]
    )
    bound = {"float32": 3e-6, "float64": 1e-14}[dtype.name]
    for keep in (False, True):
        assert relative_error(problem.scores(keep=keep), expected) <= bound


@ARCHITECTURE
def test_scores_depend_on_the_sequence_alone(kernels, dtype, architecture):
    problem = Problem(architecture, kernels, dtype, lengths=[*LENGTHS, 1, 9, 3, 3, 5, 2, 6])
    together = problem.scores()
    alone = np.concatenate([problem.scores(np.array([k])) for k in range(problem.n)])
    order = np.random.default_rng(0).permutation(problem.n)
    assert alone.tobytes() == together.tobytes()
    assert problem.scores(order).tobytes() == problem.of(together, order).tobytes()
    assert problem.scores(keep=True).tobytes() == together.tobytes()


@ARCHITECTURE
def test_any_number_of_threads_gives_the_same_bits(kernels, dtype, architecture, n_jobs_to_try):
    bits = set()
    for n_jobs in n_jobs_to_try:
        problem = Problem(architecture, kernels, dtype, n_jobs)
        loss = problem.loss(backward=True)
        bits.add((loss, problem.scores().tobytes(), problem.network.gradient.tobytes()))
    assert len(bits) == 1


@ARCHITECTURE
def test_batches_leave_no_trace(kernels, architecture):
    """Memory is used again from batch to batch; what stood there does not matter."""
    problem = Problem(architecture, kernels)
    loss = problem.loss(backward=True)
    gradient = problem.network.gradient.copy()
    for array in problem.network.work.memory.values():
        array.fill(-1 if array.dtype.kind == "i" else np.nan)
    assert problem.loss(backward=True) == loss
    assert problem.network.gradient.tobytes() == gradient.tobytes()
    problem.loss(backward=True, members=np.array([4, 0]))
    assert problem.network.gradient.tobytes() != gradient.tobytes()
    assert problem.loss(backward=True) == loss
    assert problem.network.gradient.tobytes() == gradient.tobytes()


@ARCHITECTURE
def test_parameters_round_trip(kernels, dtype, architecture):
    problem = Problem(architecture, kernels, dtype)
    found = problem.network.get_parameters()
    assert sorted(found) == sorted(problem.parameters)
    for name, value in problem.parameters.items():
        np.testing.assert_array_equal(found[name], value, name, strict=True)
        assert not np.shares_memory(found[name], problem.network.theta)
    n_values = sum(value.size for value in found.values())
    stored = np.count_nonzero(problem.network.theta)
    if problem.network.embedding:
        stored += np.count_nonzero(problem.network.embedding.table)
    assert stored == n_values  # nothing twice, padding zero


@ARCHITECTURE
def test_weight_views_are_all_but_the_biases(kernels, dtype, architecture):
    network = Problem(architecture, kernels, dtype).network
    if network.embedding:
        network.embedding.touched = np.arange(N_IN)
        network.embedding.gradient = network.embedding.table
    network.gradient[:] = network.theta
    for values, slopes in network.weight_views():
        assert np.shares_memory(values, network.theta)
        assert np.shares_memory(slopes, network.gradient)
        np.testing.assert_array_equal(values, slopes, strict=True)
        values[...] = 0
        slopes[...] = 0
    for gradient in (False, True):
        for name, value in network.get_parameters(gradient).items():
            is_weight = name[-1] in "WU" and not name.startswith("embedding")
            assert np.all(value == 0) if is_weight else np.any(value != 0), name


@ARCHITECTURE
def test_padding_has_no_gradient(kernels, dtype, architecture):
    """So a solver, which sees flat arrays only, leaves it zero."""
    network = Problem(architecture, kernels, dtype)
    network.loss(backward=True)
    gradients = network.network.get_parameters(gradient=True)
    n_values = sum(np.count_nonzero(value) for value in gradients.values())
    stored = np.count_nonzero(network.network.gradient)
    if network.network.embedding:
        stored += np.count_nonzero(network.network.embedding.gradient)
    assert stored == n_values


def test_initial_parameters(kernels):
    network = Network(Architecture(7, (5, 6), True, "last", 3), kernels, np.float32, 1)
    parameters = network.initial_parameters(np.random.default_rng(0))
    widths = {0: (7, 5), 1: (10, 6)}
    for layer, (n_in, n_units) in widths.items():
        for name in ("forward", "backward"):
            W, U, b = (parameters[f"layer_{layer}.{name}.{letter}"] for letter in "WUb")
            assert W.shape == (n_in, 4 * n_units)
            assert 0.8 < np.abs(W).max() / np.sqrt(6 / (n_in + n_units)) <= 1
            assert np.array_equal(b, np.repeat([0, 1, 0, 0], n_units))
            for gate in np.split(U, 4, axis=1):
                np.testing.assert_allclose(gate.T @ gate, np.eye(n_units), atol=1e-14)
            assert len(np.unique(U)) == U.size
    assert parameters["output.W"].shape == (12, 3)
    assert not parameters["output.b"].any()
    again = network.initial_parameters(np.random.default_rng(0))
    assert all(np.array_equal(again[name], value) for name, value in parameters.items())
