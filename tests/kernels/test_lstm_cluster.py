"""The LSTM on clusters of blocks equals its naive twin, in the simulator or on a GPU that has them: all
precisions, any width.
"""

from dataclasses import dataclass

import naive
import numpy as np
import pytest
from gradcheck import relative_error
from one_layer import random_layer
from rounding import nearest

from seqlearn_lstm.batches import plan
from seqlearn_lstm.kernels.cuda import launch, lstm_cluster, lstm_cluster_bptt, to_device, to_host
from seqlearn_lstm.kernels.cuda.cluster import shape_of
from seqlearn_lstm.kernels.cuda.lstm_cluster import lstm_cluster_forward
from seqlearn_lstm.kernels.cuda.lstm_cluster_bptt import lstm_cluster_backward
from seqlearn_lstm.kernels.cuda.primitives import SIMULATED, capability
from seqlearn_lstm.kernels.cuda.simulator import BarrierError, Kernel
from seqlearn_lstm.kernels.cuda.tiers import CLUSTERS, LARGE_CLUSTERS, tier

IN_THE_SIMULATOR = pytest.mark.skipif(not SIMULATED, reason="looks into the simulator")

# name -> lengths, n_units, blocks of a cluster; 8 rows are one cluster's
CASES = {
    "one unit": ([2], 1, 1),
    "narrow": ([3, 1, 2], 5, 1),
    "two clusters": ([3, 1, 2, 2, 3, 1, 1, 3, 2, 1, 3], 20, 2),
    "whole tiles": ([2, 4, 1], 32, 1),
    "padded": ([2, 3], 40, 4),
    "the largest cluster": ([1, 2], 33, 8),
}
CASE = pytest.mark.parametrize("lengths, n_units, blocks", CASES.values(), ids=CASES.keys())
# Exact: as of the portable kernels. tf32: factors are rounded to 11 bits, the first one not stored,
# by up to 2^-11 = 5e-4 each; sums of many of them lose less, and steps add up. bf16: to 8 bits, by up
# to 2^-8, eight times as much.
BOUND = {"float32": 3e-6, "tf32": 2e-3, "bf16": 1.6e-2}


@pytest.fixture(params=["float32", "tf32", "bf16"])
def precision(request):
    return request.param


def require_clusters(blocks):
    """Skip on a GPU that has no clusters of so many blocks."""
    if SIMULATED:
        return
    if capability() < CLUSTERS:
        pytest.skip("the GPU is older than sm_90")
    if blocks > 8 and capability()[0] not in LARGE_CLUSTERS:
        pytest.skip("the GPU is not known to have clusters of 16 blocks")


@dataclass
class Problem:
    """Random pre-activations of the inputs, states and gradients, of sequences in the caller's order."""

    lengths: list
    n_units: int

    def __post_init__(self):
        rng, H = np.random.default_rng(0), self.n_units

        def normal(*shape):
            return rng.standard_normal(shape).astype(np.float32)

        self.U = random_layer(rng, 1, H, np.float32)[1]
        self.pre = [normal(length, 4 * H) for length in self.lengths]
        self.d_outs = [normal(length, H) for length in self.lengths]
        self.h0, self.c0, self.dh, self.dc = (normal(len(self.lengths), H) for _ in range(4))

    def layer(self):
        """Canonical weights of a layer whose inputs are the pre-activations."""
        return np.eye(4 * self.n_units), self.U.astype(np.float64), np.zeros(4 * self.n_units)

    def naive_states(self, k):
        return naive.lstm(self.pre[k], self.h0[k], self.c0[k], *self.layer())

    def naive_gradients(self, k, with_outputs):
        """(gradient at the pre-activations, dh0, dc0)"""
        d_out = self.d_outs[k] if with_outputs else np.zeros_like(self.d_outs[k])
        states = self.h0[k], self.c0[k]
        found = naive.lstm_backward(
            self.pre[k], *states, *self.layer(), d_out, self.dh[k], self.dc[k]
        )
        return found[3:]


class Run:
    """A forward pass; what must not be read is NaN. `hs`, `cs` and `gates` by sequence."""

    def __init__(self, problem, precision, blocks, members=None, keep=True):
        require_clusters(blocks)
        self.problem, self.precision, self.blocks = problem, precision, blocks
        self.members = list(range(len(problem.lengths))) if members is None else members
        offsets = np.append(0, np.cumsum([problem.lengths[k] for k in self.members]))
        self.batch = plan(offsets, np.arange(len(self.members)))
        batch, H, column = self.batch, problem.n_units, 3
        self.order = [self.members[k] for k in batch.members]
        n_kept, n_states = (batch.n_slots, batch.n_states) if keep else (len(batch),) * 2
        pre = self.by_slot(problem.pre)
        z, c = unknown(batch.n_states, column + H + 2), unknown(n_states, H)
        z[: len(batch), column : column + H] = problem.h0[self.order]
        c[: len(batch)] = problem.c0[self.order]
        self.U, z, self.c, pre = map(to_device, (problem.U, z, c, pre))
        self.gates = pre if keep else to_device(unknown(n_kept, 4 * H))
        kept = batch.slots if keep else np.zeros_like(batch.slots)
        ran = lstm_cluster_forward(
            pre, self.U, z, column, self.c, self.gates, batch.live, batch.slots, kept, H, precision,
            blocks,
        )  # fmt: skip
        if not ran:
            pytest.skip("the GPU is too small for clusters of so many blocks")
        z = to_host(z)
        self.around = np.delete(z, np.s_[column : column + H], axis=1)
        self.h = z[:, column : column + H]
        self.hs = [self.h[rows] for rows in self.state_rows()]
        if keep:
            self.cs = [to_host(self.c)[rows] for rows in self.state_rows()]

    def state_rows(self):
        """Rows of the states of each sequence, of those in `order`."""
        slots, lengths = self.batch.slots, self.batch.lengths
        return [slots[: lengths[r] + 1] + r for r in range(len(self.batch))]

    def by_slot(self, sequences):
        """Rows of all slots; NaN in dead ones."""
        out = unknown(self.batch.n_slots, sequences[0].shape[1])
        for r, rows in enumerate(self.state_rows()):
            out[rows[:-1]] = sequences[self.order[r]]
        return out

    def backward(self, with_outputs=True):
        """[(gradient at the pre-activations, dh0, dc0)] of those in `order`; and of dead slots."""
        problem, batch = self.problem, self.batch
        d_out = self.by_slot(problem.d_outs)
        d_out = to_device(np.hstack([d_out, unknown(len(d_out), 1)]))
        dh, dc = to_device(problem.dh[self.order]), to_device(problem.dc[self.order])
        assert lstm_cluster_backward(
            d_out if with_outputs else d_out[:0], self.c, self.gates, self.U, dh, dc,
            batch.live, batch.slots, problem.n_units, self.precision, self.blocks,
        )  # fmt: skip
        gates, dh, dc = map(to_host, (self.gates, dh, dc))
        rows = self.state_rows()
        return [(gates[rows[r][:-1]], dh[r], dc[r]) for r in range(len(batch))], gates[batch.dead]


def unknown(*shape):
    return np.full(shape, np.nan, np.float32)


@CASE
def test_forward_equals_naive(precision, lengths, n_units, blocks):
    problem = Problem(lengths, n_units)
    run = Run(problem, precision, blocks)
    for r, k in enumerate(run.order):
        hs, cs = problem.naive_states(k)
        assert relative_error(run.hs[r], hs) <= BOUND[precision]
        assert relative_error(run.cs[r], cs) <= BOUND[precision]
    assert np.isnan(run.around).all()


ROUNDED = {"two clusters": CASES["two clusters"], "sixteen blocks": ([1, 2], 125, 16)}


def naive_bf16(problem, k):
    """(hs, cs), (gradient at the pre-activations, dh0, dc0): the naive twin with the factors of the
    recurrent products rounded to 8 bits, and nothing else.
    """
    W, U, b = problem.layer()
    U, pre, hs, cs = nearest(U, 8), problem.pre[k], [problem.h0[k]], [problem.c0[k]]
    for x in pre:
        h, c = naive.lstm_step(x, nearest(hs[-1], 8), cs[-1], W, U, b)
        hs.append(h)
        cs.append(c)
    dh, dc, d_pre = problem.dh[k], problem.dc[k], np.zeros_like(pre)
    for t in reversed(range(len(pre))):  # a step each: between two of them dh is a product
        state, d_out = (nearest(hs[t], 8), cs[t]), problem.d_outs[k][t : t + 1]
        *_, d_pre[t : t + 1], _, dc = naive.lstm_backward(
            pre[t : t + 1], *state, W, U, b, d_out, dh, dc
        )
        dh = U @ nearest(d_pre[t], 8)
    return (hs, cs), (d_pre, dh, dc)


@pytest.mark.parametrize("lengths, n_units, blocks", ROUNDED.values(), ids=ROUNDED.keys())
def test_bf16_rounds_factors_and_nothing_else(lengths, n_units, blocks):
    problem = Problem(lengths, n_units)
    run = Run(problem, "bf16", blocks)
    gradients, _ = run.backward()
    for r, k in enumerate(run.order):
        states, expected = naive_bf16(problem, k)
        ours = run.hs[r], run.cs[r], *gradients[r]
        for a, b in zip(ours, (*states, *expected), strict=True):
            assert relative_error(a, np.array(b)) <= 2 * BOUND["float32"]


def check_backward(precision, lengths, n_units, blocks, with_outputs=True):
    problem = Problem(lengths, n_units)
    run = Run(problem, precision, blocks)
    found, dead = run.backward(with_outputs)
    for k, ours in zip(run.order, found, strict=True):
        for a, b in zip(ours, problem.naive_gradients(k, with_outputs), strict=True):
            assert relative_error(a, b) <= 2 * BOUND[precision]
    np.testing.assert_array_equal(dead, 0)


@CASE
def test_backward_equals_naive(precision, lengths, n_units, blocks):
    check_backward(precision, lengths, n_units, blocks)


def test_backward_from_the_last_state_alone(precision):
    check_backward(precision, *CASES["narrow"], with_outputs=False)


def test_forgetting_steps_changes_nothing(precision):
    problem = Problem([3, 1, 2], 20)
    kept, forgotten = Run(problem, precision, 2), Run(problem, precision, 2, keep=False)
    assert kept.h.tobytes() == forgotten.h.tobytes()
    assert to_host(forgotten.c).tobytes() == to_host(kept.c)[kept.batch.final].tobytes()


def test_a_sequence_depends_on_itself_alone(precision):
    problem = Problem([3, 1, 2, 2, 3, 1, 1, 3, 2], 5)
    everybody = Run(problem, precision, 1)
    gradients, _ = everybody.backward()
    for k in (1, 8):
        alone, r = Run(problem, precision, 1, [k]), everybody.order.index(k)
        assert alone.hs[0].tobytes() == everybody.hs[r].tobytes()
        for a, b in zip(alone.backward()[0][0], gradients[r], strict=True):
            assert a.tobytes() == b.tobytes()


def test_saturated_gates_stay_finite(precision):
    problem = Problem([3, 1], 5)
    problem.pre = [1e4 * x for x in problem.pre]
    run = Run(problem, precision, 1)
    assert np.isfinite(np.concatenate(run.hs + run.cs)).all()
    for arrays in run.backward()[0]:
        assert all(np.isfinite(array).all() for array in arrays)


@IN_THE_SIMULATOR
@pytest.mark.parametrize("seed", range(2))
def test_no_order_of_the_threads_matters(precision, monkeypatch, seed):
    problem = Problem([3, 2], 20)
    usual = Run(problem, precision, 2)
    gradients, _ = usual.backward()
    monkeypatch.setattr(Kernel, "seed", seed + 1)
    run = Run(problem, precision, 2)
    assert run.h.tobytes() == usual.h.tobytes()
    for ours, theirs in zip(run.backward()[0], gradients, strict=True):
        assert all(a.tobytes() == b.tobytes() for a, b in zip(ours, theirs, strict=True))


@IN_THE_SIMULATOR
class TestMistakesAreCaught:
    """What a missing barrier would do; the simulator must show it, or it proves nothing."""

    @staticmethod
    def is_wrong():
        problem = Problem([3, 2], 20)
        try:
            run = Run(problem, "float32", 2)
            gradients = run.backward()[0]
        except (BarrierError, KeyError, OverflowError):
            return True
        for r, k in enumerate(run.order):
            pairs = zip(gradients[r], problem.naive_gradients(k, True), strict=True)
            errors = [relative_error(a, b) for a, b in pairs]
            errors.append(relative_error(run.hs[r], problem.naive_states(k)[0]))
            if not max(errors) <= 1e-3:
                return True
        return False

    def test_none_without_one(self):
        assert not self.is_wrong()

    @pytest.mark.parametrize(
        "module", [lstm_cluster, lstm_cluster_bptt], ids=["forward", "backward"]
    )
    @pytest.mark.parametrize("name", ["wait", "expect", "cluster_sync", "open_barrier"])
    def test_missing(self, monkeypatch, module, name):
        monkeypatch.setattr(module, name, lambda *_: None)
        assert self.is_wrong()

    def test_missing_barrier_of_the_block(self, monkeypatch):
        monkeypatch.setattr(lstm_cluster_bptt.cuda, "syncthreads", lambda: None, raising=False)
        assert self.is_wrong()


@pytest.mark.parametrize("n_units", [1, 5, 32, 33, 64, 100, 128, 129, 200, 255, 256])
@pytest.mark.parametrize("blocks", [None, 8])
def test_shapes_hold_the_units(precision, n_units, blocks):
    shape = shape_of(n_units, precision, blocks)
    piece = 16 if precision == "tf32" else 32
    assert n_units <= shape.padded < n_units + max(2 * piece, 8 * 8)
    assert shape.threads <= 256
    assert shape.padded % piece == 0 and 4 * shape.share % piece == 0
    assert blocks in (None, shape.cluster) and shape.cluster in (1, 2, 4, 8)


@pytest.mark.parametrize("n_units", [257, 300, 384, 385, 511, 512])
def test_shapes_of_sixteen_blocks_hold_the_units(n_units):
    shape = shape_of(n_units, "bf16")
    assert shape.cluster == 16 and shape.threads <= 256
    assert n_units <= shape.padded < n_units + 128 and shape.share % 8 == 0


@IN_THE_SIMULATOR
def test_nothing_runs_where_clusters_do_not_fit(monkeypatch):
    asked, ran = [], []
    sizes = iter([True, False])

    def room(kernel, given, size, threads):
        asked.append((kernel, given, size, threads))
        return next(sizes)

    monkeypatch.setattr(launch, "has_room_for_clusters", room)
    kernels = [Kernel(lambda k: ran.append(k)), Kernel(lambda k: ran.append(k))]
    for kernel, fits in zip(kernels, (True, False), strict=True):
        for _ in range(2):
            assert launch.over_clusters(kernel, 1, 8, 1, fits) == fits
    assert asked == [(kernels[0], (True,), 8, 1), (kernels[1], (False,), 8, 1)]
    assert ran == 2 * 8 * [True]


@pytest.mark.parametrize("precision, n_units", [("float32", 256), ("tf32", 256), ("bf16", 512)])
def test_tiers(precision, n_units):
    def found(n_units, capability=(9, 0), dtype="float32"):
        return tier(n_units, np.dtype(dtype), precision, capability)

    assert found(n_units) == found(1) == found(n_units, (10, 0)) == found(1, (12, 0)) == "cluster"
    assert found(n_units + 1) == found(64, (8, 9)) == found(64, dtype="float64") == "portable"


def test_units_beyond_those_of_eight_blocks():
    """On devices that are not known to give a cluster more of them."""
    assert tier(256, np.float32, "bf16", (12, 0)) == "cluster"
    assert tier(257, np.float32, "bf16", (12, 0)) == "portable"
