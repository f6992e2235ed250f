"""The LSTM with options equals its naive twin, which equals central differences; without options it
equals the plain LSTM.
"""

from itertools import product

import naive_lstm_options as twin
import numpy as np
import pytest
from backends import CPU_ONLY, cases, large
from gradcheck import assert_gradient, relative_error
from naive_lstm_options import ACTIVATIONS, Options
from one_layer import panels_of_gates, run_layer, unknown
from one_lstm_options import Problem, named, random_parameters

RNG = np.random.default_rng(7)
# name -> lengths, n_in, n_units; a vector holds 2 to 16 numbers, a tile 3 or 6 rows
CASES = {
    "one unit": ([4], 1, 1),
    "one step each": ([1] * 7, 2, 3),
    "few": ([4, 1, 2, 3, 1], 2, 5),
    "ragged": ([5, 1, 3, 8, 2, 2, 7], 3, 16),
    "many tiles": (list(RNG.integers(1, 9, 40)), 5, 20),
    "many panels": ([6, 2, 5, 1, 3, 1, 1], 7, 33),
}
FEW = CASES["few"]
LARGE = (
    "ragged",
    "many tiles",
    "many panels",
)  # the simulator's tiles are so small that the others have many
CASE = cases(CASES, LARGE)
BOOLEANS = "peephole", "forget_gate", "layer_norm"


def _name(options, masked):
    words = [name for name in BOOLEANS if getattr(options, name)]
    words += [options.activation, options.output_activation, "mask" if masked else "no mask"]
    return " ".join(words)


# All combinations of the booleans with and without masks; all activations, each with another one
_VARIANTS = [
    (Options(*flags), masked)
    for *flags, masked in product([False, True], [True, False], [False, True], [False, True])
]
_VARIANTS += [
    (Options(peephole, True, layer_norm, kind, output), masked)
    for kind, output, peephole, layer_norm, masked in (
        ("relu", "linear", False, False, False),
        ("linear", "relu", True, False, False),
        ("sigmoid", "sigmoid", False, False, True),
        ("tanh", "relu", False, True, False),
        ("linear", "sigmoid", True, True, True),
        ("sigmoid", "tanh", True, True, False),
        ("relu", "tanh", False, True, True),
    )
]
VARIANTS = {_name(*variant): variant for variant in _VARIANTS}
VARIANT = pytest.mark.parametrize("options, masked", VARIANTS.values(), ids=VARIANTS.keys())
FORGETFUL = {name: variant for name, variant in VARIANTS.items() if variant[0].forget_gate}
EVERYTHING = Options(True, True, True, "sigmoid", "tanh")
# All variants of one case, and of a small one; all cases with everything on
SAMPLES = {name: large(*CASES["many tiles"], *variant) for name, variant in VARIANTS.items()}
SAMPLES |= {f"few, {name}": (*FEW, *variant) for name, variant in VARIANTS.items()}
SAMPLES |= {
    f"everything, {name}": (large if name in LARGE else pytest.param)(*case, EVERYTHING, True)
    for name, case in CASES.items()
}
SAMPLE = pytest.mark.parametrize(
    "lengths, n_in, n_units, options, masked", SAMPLES.values(), ids=SAMPLES.keys()
)
# Batches of one take long: all variants on a device, with everything on and with nothing in the simulator.
ALONE = {f"many tiles, {name}": case for name, case in SAMPLES.items() if name in VARIANTS}
ALONE |= {f"few, {name}": large(*FEW, *variant) for name, variant in VARIANTS.items()}
ALONE |= {"few, nothing": (*FEW, Options(), False), "few, everything": (*FEW, EVERYTHING, True)}
ALONE = pytest.mark.parametrize(
    "lengths, n_in, n_units, options, masked", ALONE.values(), ids=ALONE.keys()
)
BOUND = {"float32": 1e-5, "float64": 1e-12}
# A normalisation of three units makes gradients that are small differences: half a unit in the last
# place of the inputs moves one of them by 5e-6, and so do multiply-adds, fused or not.
BACKWARD_BOUND = {"float32": 3e-5, "float64": 1e-12}


def all_bits(results):
    return b"".join(np.ascontiguousarray(array).tobytes() for _, array in named(*results))


@VARIANT
@CASE
def test_forward_equals_naive(kernels, dtype, lengths, n_in, n_units, options, masked):
    problem = Problem(lengths, n_in, n_units, options, masked, dtype)
    run = problem.run(kernels)
    for k in range(len(lengths)):
        hs, cs = twin.lstm(*problem.naive_arguments(k))
        assert relative_error(run.hs[k], hs) <= BOUND[dtype.name]
        assert relative_error(run.cs[k], cs) <= BOUND[dtype.name]


@VARIANT
@CASE
def test_backward_equals_naive(kernels, dtype, lengths, n_in, n_units, options, masked):
    problem = Problem(lengths, n_in, n_units, options, masked, dtype)
    with_outputs = len(lengths) != 7  # both are met
    ours = named(*problem.backward(problem.run(kernels), with_outputs))
    for (name, array), (_, truth) in zip(
        ours, named(*problem.naive_backward(with_outputs)), strict=True
    ):
        assert relative_error(array, truth) <= BACKWARD_BOUND[dtype.name], name


@VARIANT
def test_naive_backward_equals_differences(options, masked):
    problem = Problem([4, 2, 1, 3, 2], 2, 3, options, masked)
    gradients, dxs, dh0, dc0 = problem.naive_backward()
    used = problem.trained()
    for name in twin.Parameters.names():
        array, gradient = getattr(problem.theta, name), getattr(gradients, name)
        if name in used:
            if not options.forget_gate and name in ("W", "U", "b"):
                gates = gradient.reshape(*gradient.shape[:-1], 4, -1)
                assert not gates[..., 1, :].any()
            assert_gradient(problem.naive_loss, array, gradient, name=name)
        else:
            assert not gradient.any(), name
    arrays = [problem.h0, problem.c0, *problem.sequences]
    for array, gradient in zip(arrays, [dh0, dc0, *dxs], strict=True):
        assert_gradient(problem.naive_loss, array, gradient)


@CASE
def test_without_options_it_is_the_plain_lstm(kernels, lengths, n_in, n_units):
    problem = Problem(lengths, n_in, n_units, Options(), False)
    theta, run = problem.theta, problem.run(kernels)
    plain = run_layer(kernels, problem.sequences, problem.h0, problem.c0, theta.W, theta.U, theta.b)
    for ours, truth in zip(run.hs + run.cs, plain.hs + plain.cs, strict=True):
        assert relative_error(ours, truth) <= 1e-12
    gradients, dxs, dh0, dc0 = problem.backward(run)
    *weights, plain_dxs, plain_dh0, plain_dc0 = problem.backward(plain)
    pairs = list(zip((gradients.W, gradients.U, gradients.b), weights, strict=True))
    pairs += list(zip([*dxs, dh0, dc0], [*plain_dxs, plain_dh0, plain_dc0], strict=True))
    for ours, truth in pairs:
        assert relative_error(ours, truth) <= 1e-12


@SAMPLE
def test_what_is_off_has_no_gradient(kernels, dtype, lengths, n_in, n_units, options, masked):
    problem = Problem(lengths, n_in, n_units, options, masked, dtype)
    gradients = problem.backward(problem.run(kernels))[0]
    used = problem.trained()
    for name in twin.Parameters.names():
        assert name in used or not getattr(gradients, name).any(), name
    if not options.forget_gate:
        gates = [
            getattr(gradients, name).reshape(-1, 4, n_units) for name in ("W", "U", "b", "gain")
        ]
        assert not any(gradient[:, 1].any() for gradient in gates)
        assert not gradients.p.reshape(3, n_units)[1].any()


@SAMPLE
def test_padding_and_dead_slots_stay_zero(kernels, dtype, lengths, n_in, n_units, options, masked):
    problem = Problem(lengths, n_in, n_units, options, masked, dtype)
    run = problem.run(kernels)
    h_of_z = run.z[:, 1 + n_in : 1 + n_in + kernels.padded(n_units, dtype)]
    for states in (run.h, run.c, h_of_z):
        assert not states[:, n_units:].any()
    problem.backward(run)
    for padding in run.padding:
        assert not padding.any()


@SAMPLE
def test_products_read_masked_states(kernels, dtype, lengths, n_in, n_units, options, masked):
    problem = Problem(lengths, n_in, n_units, options, masked, dtype)
    run = problem.run(kernels)
    for k in range(len(lengths)):
        read = run.z[run.state_rows(k), 1 + n_in : 1 + n_in + n_units]
        expected = run.hs[k] * problem.mask[k] if masked else run.hs[k]
        np.testing.assert_array_equal(read, expected, strict=True)


@SAMPLE
def test_forgetting_steps_changes_nothing(kernels, dtype, lengths, n_in, n_units, options, masked):
    problem = Problem(lengths, n_in, n_units, options, masked, dtype)
    kept, forgotten = problem.run(kernels), problem.run(kernels, keep=False)
    assert forgotten.c.shape[0] == len(lengths)
    for full, short in zip(kept.hs, forgotten.hs, strict=True):
        assert full.tobytes() == short.tobytes()
    np.testing.assert_array_equal(forgotten.c, kept.c[kept.batch.final], strict=True)


@pytest.mark.large
@pytest.mark.parametrize("options", [EVERYTHING, Options(peephole=True)], ids=["all", "peephole"])
def test_inputs_multiplied_ahead_change_nothing(kernels, dtype, options):
    """Weights that the near cache does not hold are read once for all inputs, where steps are kept."""
    problem = Problem([3, 1, 5, 2, 4, 4, 1, 2, 3], 70, 267, options, True, dtype)
    kept, forgotten = problem.run(kernels), problem.run(kernels, keep=False)
    assert kept.weights.nbytes > 2**20
    for full, short in zip(kept.hs, forgotten.hs, strict=True):
        assert full.tobytes() == short.tobytes()


@SAMPLE
def test_any_number_of_threads_gives_the_same_bits(
    kernels, dtype, lengths, n_in, n_units, options, masked, n_jobs_to_try
):
    problem = Problem(lengths, n_in, n_units, options, masked, dtype)
    bits = set()
    for n_jobs in n_jobs_to_try:
        run = problem.run(kernels, n_jobs=n_jobs)
        forward = b"".join(np.concatenate(states).tobytes() for states in (run.hs, run.cs))
        short = problem.run(kernels, n_jobs=n_jobs, keep=False)
        bits.add((forward, short.c.tobytes(), all_bits(problem.backward(run))))
    assert len(bits) == 1


@ALONE
def test_a_sequence_depends_on_itself_alone(
    kernels, dtype, lengths, n_in, n_units, options, masked
):
    problem = Problem(lengths, n_in, n_units, options, masked, dtype)
    shuffled = list(np.random.default_rng(1).permutation(len(lengths)))
    everybody = problem.run(kernels)
    *_, dxs, dh0, dc0 = problem.backward(everybody)
    for batch in (
        [[k] for k in range(len(lengths))],
        np.array_split(shuffled, 1 + len(lengths) // 4),
    ):
        for members in batch:
            run = problem.run(kernels, members)
            d_outs = [problem.d_outs[k] for k in members]
            *_, dxs_here, dh_here, dc_here = run.backward(
                d_outs, problem.dh[members], problem.dc[members]
            )
            for place, k in enumerate(members):
                assert run.hs[place].tobytes() == everybody.hs[k].tobytes()
                assert run.cs[place].tobytes() == everybody.cs[k].tobytes()
                assert dxs_here[place].tobytes() == dxs[k].tobytes()
                assert dh_here[place].tobytes() == dh0[k].tobytes()
                assert dc_here[place].tobytes() == dc0[k].tobytes()


@VARIANT
def test_saturated_gates_stay_finite(kernels, dtype, options, masked):
    problem = Problem([5, 3, 1], 2, 5, options, masked, dtype)
    for array in problem.sequences:
        array *= 1e4
    run = problem.run(kernels)
    assert np.isfinite(np.concatenate(run.hs + run.cs)).all()
    for name, array in named(*problem.backward(run)):
        assert np.isfinite(array).all(), name


@CPU_ONLY  # a GPU computes with denormals as fast as with other numbers
@pytest.mark.parametrize("options, masked", FORGETFUL.values(), ids=FORGETFUL.keys())
def test_a_gradient_that_vanishes_is_zero_before(kernels, dtype, options, masked):
    """It would go on as denormals, which are ten times as slow."""
    problem = Problem([400], 2, 5, options, masked, dtype)
    problem.theta.U[:] *= dtype.type(1e-2)
    problem.theta.p[:] *= dtype.type(1e-2)
    problem.theta.b[5:10] = -20
    run = problem.run(kernels)
    problem.backward(run, with_outputs=False)
    gates = np.hstack(panels_of_gates(kernels, run.gates, 5))
    assert gates.any()
    assert not gates[:200].any()


def test_a_normalised_layer_of_one_unit_sees_nothing(kernels, dtype):
    """One unit less its mean is zero: inputs and states make no difference."""
    problem = Problem([4, 2], 2, 1, EVERYTHING, False, dtype)
    gradients, dxs, *_ = problem.backward(problem.run(kernels))
    assert not any(array.any() for array in (gradients.W, gradients.U, *dxs))
    assert gradients.b.any()


def test_not_a_number_shows(kernels, dtype):
    for kind in ACTIVATIONS:
        problem = Problem([2], 2, 3, Options(activation=kind, output_activation=kind), False, dtype)
        problem.c0[0, 1] = np.nan
        run = problem.run(kernels)
        assert np.isnan(run.hs[0][1:, 1]).all()
        assert np.isnan(problem.backward(run)[0].b).any()


def test_packing_and_back(kernels, dtype):
    rng = np.random.default_rng(0)
    for n_units in (1, 3, 16, 33):
        theta = random_parameters(rng, 1, n_units, Options(), dtype)
        parts = theta.p, theta.gain, theta.cell_gain, theta.cell_shift
        flat = unknown(kernels, kernels.lstm_extras_size(n_units, dtype), dtype)
        kernels.pack_lstm_extras(*parts, flat)
        assert np.count_nonzero(flat) == 9 * n_units  # the padding is zero
        for ours, truth in zip(kernels.unpack_lstm_extras(flat, n_units), parts, strict=True):
            np.testing.assert_array_equal(ours, truth, strict=True)
            assert not np.shares_memory(ours, flat)
