"""Back-propagation through windows: the gradient of each update is that of central differences in
which the states that a window was handed stay what they were.
"""

import numpy as np
import pytest
from gradcheck import assert_gradient
from test_network import LENGTHS, N_CLASSES, N_IN, RATES, Problem

from seqlearn_lstm.architecture import Architecture
from seqlearn_lstm.batches import plan, windows_from_start, windows_to_end
from seqlearn_lstm.cells import GRU, LSTM, RNN, plain
from seqlearn_lstm.dropout import Masks
from seqlearn_lstm.sequences import Sequences
from seqlearn_lstm.training import Settings, Task
from seqlearn_lstm.training.bptt import Backpropagation

CASES = {
    "plain": {},
    "learned states": {"learn_initial": True},
    "projection": {"input_projection": 4},
    "symbols": {"embedding_dim": 5},
    "symbols, projection, learned states": {
        "embedding_dim": 5, "input_projection": 3, "learn_initial": True,
    },
    "LSTM with options": {"cell": plain(LSTM(peephole=True, layer_norm=True))},
    "GRU": {"cell": plain(GRU()), "learn_initial": True},
    "GRU as published": {"cell": plain(GRU(reset_after=False))},
    "RNN": {"cell": plain(RNN())},
}  # fmt: skip
cases = pytest.mark.parametrize("more", CASES.values(), ids=CASES.keys())
POOLINGS = pytest.mark.parametrize("pooling", ["last", "mean", "max", "steps"])


def problem_of(kernels, pooling, more, rates=None):
    architecture = Architecture(N_IN, (6, 5), False, pooling, N_CLASSES, **more)
    return Problem(architecture, kernels, rates=rates)


def backpropagation(problem, bptt_steps, batch_size=None, initial=None, stateful=False):
    """The gradients of an epoch of a `Problem`, in the order of its sequences."""
    n = problem.n
    values = dict.fromkeys(Settings.__dataclass_fields__)
    values |= {"batch_size": batch_size or n, "bptt_steps": bptt_steps, "stateful": stateful}
    sequences = Sequences(problem.rows, problem.offsets)
    task = Task(
        problem.network, problem.head, None, sequences, problem.targets, problem.weights[:-1],
        Settings(**values), initial,
    )  # fmt: skip
    return Backpropagation(task, np.arange(n), problem.masks)


def frozen(problem, windows):
    """The states that each window starts from, all given, with the parameters as they are."""
    network, found = problem.network, []
    states = network.first_states(problem.n)
    for window in windows:
        found.append(states.copy())
        given = network.cut_states(states[: len(window)])
        after = network.states(window, problem.rows, True, problem.masks, given)
        states[: len(window)] = network.final_states(window, after)
    return found


def window_states(problem, window, begun):
    """The states in a window whose first `n_carried` sequences start from frozen ones."""
    network = problem.network
    states = network.first_states(len(window))
    states[: window.n_carried] = begun[: window.n_carried]
    return network.states(window, problem.rows, True, problem.masks, network.cut_states(states))


def loss_of(problem, batch, windows, begun):
    """The loss of scores whose features were pooled over windows with frozen beginnings."""
    network = problem.network
    features = network.begin_features(batch)
    for window, states in zip(windows, begun, strict=True):
        network.add_features(window, window_states(problem, window, states), features)
    scores = network.end_features(batch, features, problem.masks)
    index = network.pooling.index(batch)
    return problem.head.loss_and_gradient(
        problem.kernels, scores, problem.targets[index], problem.weights[index]
    )


def check_update(problem, gradients, loss, batch, windows, begun):
    moved = {name: value.copy() for name, value in problem.parameters.items()}

    def loss_at():
        problem.network.set_parameters(moved)
        return loss_of(problem, batch, windows, begun)

    assert loss == pytest.approx(loss_at(), rel=1e-13)
    for name, value in moved.items():
        if np.abs(gradients[name]).max() > 0 or not name.endswith(("h0", "c0")):
            assert_gradient(loss_at, value, gradients[name], n_samples=8, name=name)
        else:  # no sequence begins in this window
            assert all(window.n_carried == len(window) for window in windows)


def check_all_updates(problem, size):
    batch = plan(problem.offsets, np.arange(problem.n))
    per_step = problem.architecture.pooling == "steps"
    windows = list((windows_from_start if per_step else windows_to_end)(batch, size))
    begun = frozen(problem, windows)
    updates = [
        (*found, problem.network.get_parameters(gradient=True))
        for found in backpropagation(problem, size)
    ]
    if not per_step:
        ((_, loss, weight, gradients),) = updates
        assert weight == pytest.approx(problem.weights.sum())
        if problem.architecture.pooling == "last":
            windows, begun = windows[-1:], begun[-1:]
        check_update(problem, gradients, loss, batch, windows, begun)
    else:
        assert len(updates) == len(windows)
        for (_, loss, _, gradients), window, states in zip(updates, windows, begun, strict=True):
            check_update(problem, gradients, loss, window, [window], [states])


@POOLINGS
@cases
def test_gradient_stays_within_windows(kernels, pooling, more):
    check_all_updates(problem_of(kernels, pooling, more), size=2)


@POOLINGS
@pytest.mark.parametrize("size", [1, 4, 5])
def test_windows_of_any_size(kernels, pooling, size):
    check_all_updates(problem_of(kernels, pooling, {"learn_initial": True}), size)


@POOLINGS
@pytest.mark.parametrize("more", [{}, {"embedding_dim": 5}], ids=str)
@pytest.mark.parametrize("rates", ["all", "each step"])
def test_gradient_with_dropout_stays_within_windows(kernels, pooling, more, rates):
    check_all_updates(problem_of(kernels, pooling, more, RATES[rates]), size=2)


@pytest.mark.parametrize("per_window", [False, True])
def test_windows_that_are_updates_have_masks_of_their_own(kernels, per_window):
    masks = Masks(kernels, np.float64, RATES["all"], seed=3, epoch=1, per_window=per_window)
    batch = plan(np.array([0, 6, 12]), np.arange(2))
    first, second = windows_from_start(batch, 3)
    for kind in (masks.inputs, lambda *args: masks.outputs(*args, 0)):
        assert np.array_equal(kind(first, 50).values, kind(batch, 50).values)
        assert np.array_equal(kind(second, 50).values, kind(first, 50).values) != per_window
    assert len({*masks.numbers(first), *masks.numbers(second)}) == (4 if per_window else 2)


@POOLINGS
def test_one_window_is_the_whole_to_the_bit(kernels, pooling):
    problem = problem_of(kernels, pooling, {"learn_initial": True})
    found = []
    for steps in (None, max(LENGTHS)):
        ((_, loss, _),) = backpropagation(problem, steps)
        found.append((loss, problem.network.gradient.tobytes()))
    assert found[0] == found[1]


@POOLINGS
def test_cutting_changes_the_gradient_and_not_the_loss(kernels, pooling):
    problem = problem_of(kernels, pooling, {})
    ((_, whole, total),) = backpropagation(problem, None)
    gradient = problem.network.gradient.copy()
    losses = [(loss, weight) for _, loss, weight in backpropagation(problem, 2)]
    assert sum(loss * weight for loss, weight in losses) == pytest.approx(whole * total, rel=1e-13)
    assert not np.allclose(problem.network.gradient, gradient)


@POOLINGS
@pytest.mark.parametrize("size", [None, 1, 2, 100])
@pytest.mark.parametrize("batch_size", [1, 4, 6])
def test_updates_are_counted(kernels, pooling, size, batch_size):
    gradients = backpropagation(problem_of(kernels, pooling, {}), size, batch_size)
    assert len(gradients) == len(list(gradients))


@POOLINGS
def test_given_states_start_the_first_window(kernels, rng, pooling):
    problem = problem_of(kernels, pooling, {})
    initial = rng.standard_normal((problem.n, problem.network.state_width))
    whole, windows = (
        [(loss, weight) for _, loss, weight in backpropagation(problem, size, initial=initial)]
        for size in (None, 2)
    )
    ((loss, total),) = whole
    assert sum(np.prod(pair) for pair in windows) == pytest.approx(loss * total, rel=1e-13)
    ((other, _),) = [(x, w) for _, x, w in backpropagation(problem, None)]
    assert other != loss


@pytest.mark.parametrize("size", [None, 2])
def test_states_are_handed_on_where_nothing_is_learned(kernels, size):
    """Steps without a weight count for what comes after them."""
    problem = problem_of(kernels, "steps", {})
    first = np.concatenate([[*range(a, min(a + 2, b))] for a, b in zip(
        problem.offsets[:-1], problem.offsets[1:], strict=True)])  # fmt: skip
    problem.weights[first] = 0
    losses = [(loss, weight) for _, loss, weight in backpropagation(problem, size)]
    expected = problem.loss() * problem.weights.sum()
    assert sum(np.prod(pair) for pair in losses) == pytest.approx(expected, rel=1e-13)
    assert (losses[0][1] == 0) == (size == 2)
