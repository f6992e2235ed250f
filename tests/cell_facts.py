"""What is true of every recurrent cell: a test class per cell inherits these tests.

The class gives a fixture ``cell``, one of the cells of `one_cell`.
"""

import numpy as np
import pytest
from backends import CPU_ONLY, cases, large
from gradcheck import assert_gradient, relative_error
from one_cell import run_cell
from one_layer import unknown

RNG = np.random.default_rng(7)
# name -> lengths, n_in, n_units; a vector holds 2 to 16 numbers, a tile 3 or 6 rows
CASES = {
    "one step of one": ([1], 1, 1),
    "one sequence": ([9], 3, 3),
    "all of one step": ([1] * 7, 2, 4),
    "whole vectors": ([4] * 7, 2, 16),
    "few": ([4, 1, 2, 3, 1], 2, 5),
    "ragged": ([5, 1, 3, 8, 2, 2, 7, 1, 4, 6, 3, 1, 1], 3, 20),
    "many tiles": (list(RNG.integers(1, 13, 40)), 7, 33),
    "many panels": ([6, 2, 5, 5], 70, 70),
}
LARGE = (
    "ragged",
    "many tiles",
    "many panels",
)  # the simulator's tiles are so small that the others have many
CASE = cases(CASES, LARGE)
MASKED = pytest.mark.parametrize("masked", [False, True], ids=["no mask", "mask"])
BOUND = {"float32": 1e-5, "float64": 1e-13}


class Problem:
    """Random sequences, initial states, masks, weights and gradients from above."""

    def __init__(self, cell, lengths, n_in, n_units, masked=False, dtype=np.float64):
        rng = np.random.default_rng(0)

        def normal(*shape):
            return rng.standard_normal(shape).astype(dtype)

        self.cell, n = cell, len(lengths)
        self.sequences = [normal(length, n_in) for length in lengths]
        self.h0, self.dh = normal(n, n_units), normal(n, n_units)
        self.parameters = [array.astype(dtype) for array in cell.random(rng, n_in, n_units)]
        self.d_outs = [normal(length, n_units) for length in lengths]
        dropped = rng.random((n, n_units)) < 0.4
        self.masks = np.where(dropped, 0, 1 / 0.6).astype(dtype) if masked else None

    def run(self, kernels, members=None, **options):
        k = list(range(len(self.sequences))) if members is None else members
        sequences, masks = [self.sequences[i] for i in k], self.masks
        masks = None if masks is None else masks[k]
        h0, parameters = self.h0[k], self.parameters
        return run_cell(kernels, self.cell, sequences, h0, parameters, masks, **options)

    def _each(self):
        """x, h0, the parameters and the mask of each sequence, float64."""
        parameters = [array.astype(np.float64) for array in self.parameters]
        masks = np.ones_like(self.h0) if self.masks is None else self.masks
        for x, h0, mask in zip(self.sequences, self.h0, masks, strict=True):
            yield x.astype(np.float64), h0.astype(np.float64), *parameters, mask

    def naive(self):
        return [self.cell.naive(*args) for args in self._each()]

    def naive_backward(self, with_outputs=True):
        parts = [
            self.cell.naive_backward(*args, d_out if with_outputs else np.zeros_like(d_out), dh)
            for args, d_out, dh in zip(self._each(), self.d_outs, self.dh, strict=True)
        ]
        *gradients, dx, dh0 = zip(*parts, strict=True)
        return [sum(gradient) for gradient in gradients], dx, np.array(dh0)

    def loss(self, all_states):
        """Whose gradients `d_outs` and `dh` are."""
        final = sum((hs[-1] * dh).sum() for hs, dh in zip(all_states, self.dh, strict=True))
        pairs = zip(all_states, self.d_outs, strict=True)
        return final + sum((hs[1:] * d_out).sum() for hs, d_out in pairs)


def bits_of(gradients, dxs, dh0):
    """Gradients as one string of bytes."""
    return b"".join(np.ascontiguousarray(array).tobytes() for array in (*gradients, *dxs, dh0))


class CellFacts:
    """The tests."""

    @CASE
    @MASKED
    def test_forward_equals_naive(self, kernels, cell, dtype, lengths, n_in, n_units, masked):
        problem = Problem(cell, lengths, n_in, n_units, masked, dtype)
        run = problem.run(kernels)
        for ours, truth in zip(run.hs, problem.naive(), strict=True):
            assert relative_error(ours, truth) <= BOUND[dtype.name]
        seen = run.z[:, 1 + n_in : 1 + n_in + n_units]
        for k, hs in enumerate(run.hs):
            mask = 1 if problem.masks is None else problem.masks[k]
            np.testing.assert_array_equal(seen[run.state_rows(k)], hs * mask)

    @CASE
    @MASKED
    @pytest.mark.parametrize("with_outputs", [True, False], ids=["every step", "last state"])
    def test_backward_equals_naive(
        self, kernels, cell, dtype, lengths, n_in, n_units, masked, with_outputs
    ):
        problem = Problem(cell, lengths, n_in, n_units, masked, dtype)
        run = problem.run(kernels)
        gradients, dxs, dh0 = run.backward(problem.d_outs if with_outputs else None, problem.dh)
        naive_gradients, naive_dxs, naive_dh0 = problem.naive_backward(with_outputs)
        ours, truths = (*gradients, *dxs, dh0), (*naive_gradients, *naive_dxs, naive_dh0)
        names = [*cell.names, *["x"] * len(dxs), "h0"]
        for name, gradient, truth in zip(names, ours, truths, strict=True):
            assert relative_error(gradient, truth) <= BOUND[dtype.name], name

    @MASKED
    @pytest.mark.parametrize(
        "n_units, n_samples", [(3, None), (20, 40)], ids=["every entry", "sample"]
    )
    def test_naive_backward_equals_differences(self, cell, n_units, n_samples, masked):
        problem = Problem(cell, [4, 2, 1, 3, 2], 2, n_units, masked)
        gradients, dxs, dh0 = problem.naive_backward()

        def loss():
            return problem.loss(problem.naive())

        arrays = [*problem.parameters, *problem.sequences, problem.h0]
        names = [*cell.names, *["x"] * len(dxs), "h0"]
        for name, array, gradient in zip(names, arrays, (*gradients, *dxs, dh0), strict=True):
            if name == "b_n" and not cell.with_b_n:
                assert not gradient.any()
                continue
            assert_gradient(loss, array, gradient, n_samples=n_samples, name=name)

    @CASE
    def test_padding_and_dead_slots_stay_zero(self, kernels, cell, dtype, lengths, n_in, n_units):
        problem = Problem(cell, lengths, n_in, n_units, True, dtype)
        run = problem.run(kernels)
        states = run.z[:, 1 + n_in : 1 + n_in + run.n_padded]
        assert not states[:, n_units:].any()
        assert not run.h[:, n_units:].any()
        run.backward(problem.d_outs, problem.dh)
        for padding in run.padding:
            assert not padding.any()

    @CASE
    def test_weights_that_are_not_parameters_have_no_gradient(
        self, kernels, cell, dtype, lengths, n_in, n_units
    ):
        problem = Problem(cell, lengths, n_in, n_units, True, dtype)
        run = problem.run(kernels)
        gradients, _, _ = run.backward(problem.d_outs, problem.dh)
        again = unknown(kernels, run.weights.shape, dtype)
        cell.pack(kernels, gradients, again)
        np.testing.assert_array_equal(again, run.gradient, strict=True)

    @CASE
    @MASKED
    def test_forgetting_steps_changes_nothing(
        self, kernels, cell, dtype, lengths, n_in, n_units, masked
    ):
        problem = Problem(cell, lengths, n_in, n_units, masked, dtype)
        kept, forgotten = problem.run(kernels), problem.run(kernels, keep=False)
        for full, short in zip(kept.hs, forgotten.hs, strict=True):
            assert full.tobytes() == short.tobytes()

    @CASE
    @MASKED
    def test_any_number_of_threads_gives_the_same_bits(
        self, kernels, cell, dtype, lengths, n_in, n_units, masked, n_jobs_to_try
    ):
        problem = Problem(cell, lengths, n_in, n_units, masked, dtype)
        bits = set()
        for n_jobs in n_jobs_to_try:
            run = problem.run(kernels, n_jobs=n_jobs)
            states = np.concatenate(run.hs).tobytes()
            bits.add((states, bits_of(*run.backward(problem.d_outs, problem.dh))))
        assert len(bits) == 1

    @pytest.mark.parametrize("case", [large("many tiles"), large("ragged"), "few"])
    def test_a_sequence_depends_on_itself_alone(self, kernels, cell, dtype, case):
        problem = Problem(cell, *CASES[case], True, dtype)
        n = len(problem.sequences)
        everybody = problem.run(kernels)
        hs = everybody.hs
        _, dxs, dh0 = everybody.backward(problem.d_outs, problem.dh)
        shuffled = list(np.random.default_rng(1).permutation(n))
        for batches in ([[k] for k in range(n)], [shuffled], np.array_split(shuffled, 1 + n // 4)):
            for members in batches:
                run = problem.run(kernels, members)
                d_outs = [problem.d_outs[k] for k in members]
                states = run.hs
                _, some_dxs, some_dh0 = run.backward(d_outs, problem.dh[members])
                for place, k in enumerate(members):
                    assert states[place].tobytes() == hs[k].tobytes()
                    assert some_dxs[place].tobytes() == dxs[k].tobytes()
                    assert some_dh0[place].tobytes() == dh0[k].tobytes()

    @CPU_ONLY  # a GPU computes with denormals as fast as with other numbers
    def test_a_gradient_that_vanishes_leaves_no_denormals(self, kernels, cell, dtype):
        """They would be ten times as slow; the gradient of the last step is as it was."""
        parameters = [array.astype(dtype) for array in cell.random(np.random.default_rng(0), 2, 5)]
        _, U, b, *_ = parameters
        U *= dtype.type(1e-2)
        if len(b) > 5:
            b[5:10] = -20  # u: forget everything
        x, h0 = np.zeros((400, 2), dtype), np.zeros((1, 5), dtype)
        run = run_cell(kernels, cell, [x], h0, parameters)
        run.backward(None, np.ones((1, 5), dtype))
        sizes = np.abs(run.d_pre[run.d_pre != 0])
        assert sizes.size
        assert np.count_nonzero(run.d_pre) < run.d_pre.size // 2
        assert sizes.min() >= np.finfo(dtype).tiny

    @CASE
    def test_packing_and_back(self, kernels, cell, dtype, lengths, n_in, n_units):
        parameters = Problem(cell, lengths, n_in, n_units, dtype=dtype).parameters
        n_columns = cell.columns(kernels, n_units, dtype)
        flat = unknown(kernels, (1 + n_in + n_units) * n_columns, dtype)
        cell.pack(kernels, parameters, flat)
        assert np.count_nonzero(flat) == sum(np.count_nonzero(array) for array in parameters)
        back = cell.unpack(kernels, flat, n_in, n_units)
        for ours, truth in zip(back, parameters, strict=True):
            np.testing.assert_array_equal(ours, truth, strict=True)
            assert not np.shares_memory(ours, flat)
