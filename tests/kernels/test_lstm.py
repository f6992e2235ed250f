"""The LSTM layer, forward and back through time, equals its naive twin and central differences."""

import naive
import numpy as np
import pytest
from backends import CPU_ONLY, cases, large
from gradcheck import assert_gradient, relative_error
from one_layer import random_layer, run_layer, unknown

RNG = np.random.default_rng(7)
# name -> lengths, n_in, n_units; a vector holds 2 to 16 numbers, a tile 3 or 6 rows
CASES = {
    "one step of one": ([1], 1, 1),
    "one sequence": ([9], 3, 5),
    "all of one step": ([1] * 7, 2, 4),
    "equal lengths": ([4] * 7, 2, 16),
    "few": ([4, 1, 2, 3, 1], 2, 5),
    "ragged": ([5, 1, 3, 8, 2, 2, 7, 1, 4, 6, 3, 1, 1], 3, 19),
    "one long": ([1, 1, 30, 1], 4, 8),
    "many tiles": (list(RNG.integers(1, 13, 50)), 7, 33),
    "many panels": ([6, 2, 5, 5], 70, 70),
}
LARGE = (
    "ragged",
    "many tiles",
    "many panels",
)  # the simulator's tiles are so small that the others have many
CASE = cases(CASES, LARGE)
BOUND = {"float32": 3e-6, "float64": 1e-14}


class Problem:
    """Random sequences, initial states, weights and gradients from above."""

    def __init__(self, lengths, n_in, n_units, dtype=np.float64, seed=0):
        rng = np.random.default_rng(seed)

        def normal(*shape):
            return rng.standard_normal(shape).astype(dtype)

        self.sequences = [normal(length, n_in) for length in lengths]
        self.h0, self.c0, self.dh, self.dc = (normal(len(lengths), n_units) for _ in range(4))
        self.layer = random_layer(rng, n_in, n_units, dtype)
        self.d_outs = [normal(length, n_units) for length in lengths]

    def run(self, kernels, members=None, n_jobs=1, keep=True):
        k = list(range(len(self.sequences))) if members is None else members
        sequences = [self.sequences[i] for i in k]
        return run_layer(kernels, sequences, self.h0[k], self.c0[k], *self.layer, n_jobs, keep)

    def backward(self, run, with_outputs=True):
        return run.backward(self.d_outs if with_outputs else None, self.dh, self.dc)

    def naive_backward(self, with_outputs=True):
        layer = [array.astype(np.float64) for array in self.layer]
        parts = [
            naive.lstm_backward(
                x, h0, c0, *layer, d_out if with_outputs else np.zeros_like(d_out), dh, dc
            )
            for x, h0, c0, d_out, dh, dc in zip(
                self.sequences, self.h0, self.c0, self.d_outs, self.dh, self.dc, strict=True
            )
        ]
        dW, dU, db, dx, dh0, dc0 = zip(*parts, strict=True)
        return sum(dW), sum(dU), sum(db), dx, np.array(dh0), np.array(dc0)


def all_bits(results):
    """Gradients as one string of bytes."""
    dW, dU, db, dxs, dh0, dc0 = results
    return b"".join(np.ascontiguousarray(array).tobytes() for array in (dW, dU, db, *dxs, dh0, dc0))


@CASE
def test_forward_equals_naive(kernels, dtype, lengths, n_in, n_units):
    problem = Problem(lengths, n_in, n_units, dtype)
    run = problem.run(kernels)
    layer = [array.astype(np.float64) for array in problem.layer]
    for k, x in enumerate(problem.sequences):
        hs, cs = naive.lstm(x, problem.h0[k], problem.c0[k], *layer)
        assert relative_error(run.hs[k], hs) <= BOUND[dtype.name]
        assert relative_error(run.cs[k], cs) <= BOUND[dtype.name]


@CASE
@pytest.mark.parametrize("with_outputs", [True, False], ids=["every step", "last state"])
def test_backward_equals_naive(kernels, dtype, lengths, n_in, n_units, with_outputs):
    problem = Problem(lengths, n_in, n_units, dtype)
    *gradients, dxs, dh0, dc0 = problem.backward(problem.run(kernels), with_outputs)
    *naive_gradients, naive_dxs, naive_dh0, naive_dc0 = problem.naive_backward(with_outputs)
    bound = 10 * BOUND[dtype.name]
    for name, ours, truth in zip(
        ("dW", "dU", "db", "dh0", "dc0"),
        (*gradients, dh0, dc0),
        (*naive_gradients, naive_dh0, naive_dc0),
        strict=True,
    ):
        assert relative_error(ours, truth) <= bound, name
    for ours, truth in zip(dxs, naive_dxs, strict=True):
        assert relative_error(ours, truth) <= bound, "dx"


@pytest.mark.parametrize(
    "n_units, n_samples", [large(3, None), large(19, 40)], ids=["every entry", "sample"]
)
def test_backward_equals_differences(kernels, n_units, n_samples):
    problem = Problem([4, 2, 1, 3, 2], 2, n_units)

    def loss():
        run = problem.run(kernels)
        total = (np.array([hs[-1] for hs in run.hs]) * problem.dh).sum()
        total += (np.array([cs[-1] for cs in run.cs]) * problem.dc).sum()
        for hs, d_out in zip(run.hs, problem.d_outs, strict=True):
            total += (hs[1:] * d_out).sum()
        return total

    dW, dU, db, dxs, dh0, dc0 = problem.backward(problem.run(kernels))
    arrays = [*problem.layer, problem.h0, problem.c0, *problem.sequences]
    names = ["W", "U", "b", "h0", "c0", *(f"x of sequence {k}" for k in range(len(dxs)))]
    gradients = [dW, dU, db, dh0, dc0, *dxs]
    for name, array, gradient in zip(names, arrays, gradients, strict=True):
        assert_gradient(loss, array, gradient, n_samples=n_samples, name=name)


@CASE
def test_padding_and_dead_slots_stay_zero(kernels, dtype, lengths, n_in, n_units):
    problem = Problem(lengths, n_in, n_units, dtype)
    run = problem.run(kernels)
    h = run.z[:, 1 + n_in : 1 + n_in + kernels.padded(n_units, dtype)]
    assert not h[:, n_units:].any()
    assert not run.c[:, n_units:].any()
    problem.backward(run)
    for padding in run.padding:
        assert not padding.any()


@CASE
def test_forgetting_steps_changes_nothing(kernels, dtype, lengths, n_in, n_units):
    problem = Problem(lengths, n_in, n_units, dtype)
    kept, forgotten = problem.run(kernels), problem.run(kernels, keep=False)
    assert forgotten.c.shape[0] == len(lengths)
    for full, short in zip(kept.hs, forgotten.hs, strict=True):
        assert full.tobytes() == short.tobytes()
    np.testing.assert_array_equal(forgotten.c, kept.c[kept.batch.final], strict=True)


@pytest.mark.large
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("n_in", [1, 70])
def test_inputs_multiplied_ahead_change_nothing(kernels, dtype, n_in, n_jobs, tiny_shares):
    """Weights that the near cache does not hold are read once for all inputs, where steps are kept."""
    problem = Problem([3, 1, 5, 2, 4, 4, 1, 2, 3], n_in, 267, dtype)
    kept, forgotten = (problem.run(kernels, n_jobs=n_jobs, keep=keep) for keep in (True, False))
    assert kept.weights.nbytes > 2**20
    for full, short in zip(kept.hs, forgotten.hs, strict=True):
        assert full.tobytes() == short.tobytes()
    np.testing.assert_array_equal(forgotten.c, kept.c[kept.batch.final], strict=True)


@CASE
def test_any_number_of_threads_gives_the_same_bits(
    kernels, dtype, lengths, n_in, n_units, n_jobs_to_try
):
    problem = Problem(lengths, n_in, n_units, dtype)
    bits = set()
    for n_jobs in n_jobs_to_try:
        run = problem.run(kernels, n_jobs=n_jobs)
        forward = b"".join(np.concatenate(states).tobytes() for states in (run.hs, run.cs))
        short = problem.run(kernels, n_jobs=n_jobs, keep=False)
        bits.add((forward, short.c.tobytes(), all_bits(problem.backward(run))))
    assert len(bits) == 1


@pytest.mark.parametrize("case", [large("many tiles"), "few"])
def test_a_sequence_depends_on_itself_alone(kernels, dtype, case):
    lengths, n_in, n_units = CASES[case]
    problem = Problem(lengths, n_in, n_units, dtype)
    rng = np.random.default_rng(1)
    everybody = problem.run(kernels)
    shuffled = list(rng.permutation(len(lengths)))
    for members in (
        [[k] for k in range(len(lengths))],
        [shuffled],
        np.array_split(shuffled, 1 + len(lengths) // 4),
    ):
        for batch in members:
            run = problem.run(kernels, batch)
            for place, k in enumerate(batch):
                assert run.hs[place].tobytes() == everybody.hs[k].tobytes()
                assert run.cs[place].tobytes() == everybody.cs[k].tobytes()


@pytest.mark.parametrize("case", [large("ragged"), "few"])
def test_gradients_of_a_sequence_depend_on_itself_alone(kernels, dtype, case):
    problem = Problem(*CASES[case], dtype)
    *_, dxs, dh0, dc0 = problem.backward(problem.run(kernels))
    for k, d_out in enumerate(problem.d_outs):
        alone = problem.run(kernels, [k])
        *_, dxs_alone, dh_alone, dc_alone = alone.backward(
            [d_out], problem.dh[[k]], problem.dc[[k]]
        )
        assert dxs_alone[0].tobytes() == dxs[k].tobytes()
        assert dh_alone[0].tobytes() == dh0[k].tobytes()
        assert dc_alone[0].tobytes() == dc0[k].tobytes()


def test_saturated_gates_stay_finite(kernels, dtype):
    problem = Problem([5, 3, 1], 2, 5, dtype)
    for array in problem.sequences:
        array *= 1e4
    run = problem.run(kernels)
    assert np.isfinite(np.concatenate(run.hs + run.cs)).all()
    for array in problem.backward(run)[:3]:
        assert np.isfinite(array).all()


@CPU_ONLY  # a GPU computes with denormals as fast as with other numbers
def test_a_gradient_that_vanishes_leaves_no_denormals(kernels, dtype):
    """They would be ten times as slow; the gradient of the last step is as it was."""
    W, U, b = random_layer(np.random.default_rng(0), 2, 5, dtype)
    b[5:10] = -20  # forget everything
    x = np.zeros((400, 2), dtype)
    nothing, one = np.zeros((1, 5), dtype), np.ones((1, 5), dtype)
    run = run_layer(kernels, [x], nothing, nothing, W, U * dtype.type(1e-2), b)
    run.backward(None, one, nothing)
    sizes = np.abs(run.gates[run.gates != 0])
    assert sizes.size and sizes.min() >= np.finfo(dtype).tiny
    assert np.count_nonzero(run.gates[: run.gates.size // 2]) < run.gates.size // 2


@CASE
def test_packing_and_back(kernels, dtype, lengths, n_in, n_units):
    W, U, b = random_layer(np.random.default_rng(0), n_in, n_units, dtype)
    n_rows, n_columns = 1 + n_in + n_units, kernels.gate_columns(n_units, dtype)
    flat = unknown(kernels, n_rows * n_columns, dtype)
    kernels.pack_lstm(b, W, U, flat)
    assert np.count_nonzero(flat) == n_rows * 4 * n_units  # the padding is zero
    for ours, truth in zip(kernels.unpack_lstm(flat, n_in, n_units), (b, W, U), strict=True):
        np.testing.assert_array_equal(ours, truth, strict=True)
        assert not np.shares_memory(ours, flat)
    bias = np.concatenate([panel[0] for panel in kernels.panels(flat, n_rows, n_columns)])
    np.testing.assert_array_equal(np.sort(bias[bias != 0]), np.sort(b), strict=True)


@CASE
def test_gates_out_of_panels(kernels, dtype, lengths, n_in, n_units):
    """Gates lie as the columns of weights do: those of [b; W; U] come out as they went in."""
    W, U, b = random_layer(np.random.default_rng(0), n_in, n_units, dtype)
    flat = unknown(kernels, (1 + n_in + n_units) * kernels.gate_columns(n_units, dtype), dtype)
    kernels.pack_lstm(b, W, U, flat)
    gates = kernels.unpack_gates(flat, 1 + n_in + n_units, n_units)
    expected = np.array(np.split(np.concatenate([b[None], W, U]), 4, axis=1))
    np.testing.assert_array_equal(gates, expected, strict=True)
    assert not np.shares_memory(gates, flat)
