"""The GRU layer, with its reset gate behind or before the recurrent product, equals its naive twin,
central differences and `torch.nn.GRU`.
"""

import numpy as np
import pytest
from backends import CPU_ONLY
from cell_facts import CellFacts, Problem
from gradcheck import relative_error
from one_cell import GRU, GRUBefore
from one_layer import unknown

LENGTHS = [5, 1, 9, 3, 3, 12, 2, 7, 1, 4]


class TestGRU(CellFacts):
    """Both places of the reset gate."""

    @pytest.fixture(params=[GRU(), GRUBefore()], ids=lambda cell: cell.name)
    def cell(self, request):
        return request.param

    def test_saturated_gates_stay_finite(self, kernels, cell, dtype):
        problem = Problem(cell, [5, 3, 1], 2, 5, dtype=dtype)
        for array in problem.sequences:
            array *= 1e4
        run = problem.run(kernels)
        assert np.isfinite(np.concatenate(run.hs)).all()
        for gradient in run.backward(problem.d_outs, problem.dh)[0]:
            assert np.isfinite(gradient).all()


@pytest.mark.parametrize("n_in, n_units", [(1, 1), (3, 5), (2, 16), (4, 33)])
def test_the_candidate_out_and_back(kernels, dtype, n_in, n_units):
    W, U, b, b_n = (a.astype(dtype) for a in GRU().random(np.random.default_rng(0), n_in, n_units))
    K, Hp = 1 + n_in + n_units, kernels.padded(n_units, dtype)
    flat = unknown(kernels, K * kernels.gate_columns(n_units, dtype), dtype)
    kernels.pack_gru(b, W, U, b_n, flat)
    V = unknown(kernels, n_units * Hp, dtype)
    kernels.take_candidate(V, flat, n_in, n_units)
    matrix = np.hstack(kernels.panels(V, n_units, Hp))
    np.testing.assert_array_equal(matrix[:, :n_units], U[:, 2 * n_units :], strict=True)
    assert not matrix[:, n_units:].any()
    other = unknown(kernels, flat.size, dtype)
    U_without = np.hstack([U[:, : 2 * n_units], np.zeros_like(U[:, 2 * n_units :])])
    kernels.pack_gru(b, W, U_without, b_n, other)
    kernels.put_candidate(other, V, n_in, n_units)
    np.testing.assert_array_equal(other, flat, strict=True)


def test_clearing_touches_what_is_no_parameter(kernels, dtype):
    n_in, n_units = 3, 21
    flat = kernels.zeros((1 + n_in + n_units) * kernels.gate_columns(n_units, dtype), dtype)
    flat.fill(1)
    kernels.clear_gru(flat, n_in, n_units)
    for parameter in kernels.unpack_gru(flat, n_in, n_units):
        assert (parameter == 1).all()
    n_gated = kernels.gate_columns(n_units, dtype) // 4
    assert np.count_nonzero(flat == 0) == n_gated * (n_units + n_in)


@CPU_ONLY  # on a device the cell equals its naive twin, as this one does
def test_equals_torch(kernels):
    torch = pytest.importorskip("torch")
    problem = Problem(GRU(), LENGTHS, 4, 20, dtype=np.float32)
    run = problem.run(kernels)
    hs, (gradients, dxs, dh0) = run.hs, run.backward(problem.d_outs, problem.dh)
    layer = torch.nn.GRU(4, 20)
    W, U, b, b_n = (torch.from_numpy(array) for array in problem.parameters)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(W.T)
        layer.weight_hh_l0.copy_(U.T)
        layer.bias_ih_l0.copy_(b)
        layer.bias_hh_l0.zero_()
        layer.bias_hh_l0[40:] = b_n
    for k, x in enumerate(problem.sequences):
        x, h0 = (torch.from_numpy(a).requires_grad_() for a in (x, problem.h0[k : k + 1]))
        states, final = layer(x, h0)
        loss = (states * torch.from_numpy(problem.d_outs[k])).sum()
        (loss + (final[0] * torch.from_numpy(problem.dh[k])).sum()).backward()
        assert relative_error(hs[k][1:], states.detach().numpy()) <= 1e-5
        assert relative_error(dxs[k], x.grad.numpy()) <= 1e-5
        assert relative_error(dh0[k : k + 1], h0.grad.numpy()) <= 1e-5
    truths = [layer.weight_ih_l0.grad.T, layer.weight_hh_l0.grad.T, layer.bias_ih_l0.grad]
    truths.append(layer.bias_hh_l0.grad[40:])
    for name, gradient, truth in zip(GRU.names, gradients, truths, strict=True):
        assert relative_error(gradient, truth.numpy()) <= 1e-5, name
