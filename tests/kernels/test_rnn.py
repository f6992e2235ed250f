"""The plain recurrent layer equals its naive twin, central differences and `torch.nn.RNN`."""

import numpy as np
import pytest
from backends import CPU_ONLY
from cell_facts import CellFacts, Problem
from gradcheck import relative_error
from one_cell import RNN

LENGTHS = [5, 1, 9, 3, 3, 12, 2, 7, 1, 4]


class TestRNN(CellFacts):
    """Both activations."""

    @pytest.fixture(params=["tanh", "relu"])
    def cell(self, request):
        return RNN(request.param)

    @CPU_ONLY  # on a device the cell equals its naive twin, as this one does
    def test_equals_torch(self, kernels, cell):
        torch = pytest.importorskip("torch")
        problem = Problem(cell, LENGTHS, 4, 20, dtype=np.float32)
        run = problem.run(kernels)
        hs, (gradients, dxs, dh0) = run.hs, run.backward(problem.d_outs, problem.dh)
        layer = torch.nn.RNN(4, 20, nonlinearity=cell.activation)
        W, U, b = (torch.from_numpy(array) for array in problem.parameters)
        with torch.no_grad():
            layer.weight_ih_l0.copy_(W.T)
            layer.weight_hh_l0.copy_(U.T)
            layer.bias_ih_l0.copy_(b)
            layer.bias_hh_l0.zero_()
        for k, x in enumerate(problem.sequences):
            x, h0 = (torch.from_numpy(a).requires_grad_() for a in (x, problem.h0[k : k + 1]))
            states, final = layer(x, h0)
            loss = (states * torch.from_numpy(problem.d_outs[k])).sum()
            (loss + (final[0] * torch.from_numpy(problem.dh[k])).sum()).backward()
            assert relative_error(hs[k][1:], states.detach().numpy()) <= 1e-5
            assert relative_error(dxs[k], x.grad.numpy()) <= 1e-5
            assert relative_error(dh0[k : k + 1], h0.grad.numpy()) <= 1e-5
        truths = layer.weight_ih_l0.grad.T, layer.weight_hh_l0.grad.T, layer.bias_ih_l0.grad
        for name, gradient, truth in zip(cell.names, gradients, truths, strict=True):
            assert relative_error(gradient, truth.numpy()) <= 1e-5, name
