"""How the work of a recurrent layer is split: when by units, and that nothing changes but the time. All
tests of layers run split by units, too: see ``conftest.py``.
"""

import inspect

import numpy as np
import pytest
from one_layer import random_layer, run_layer

from seqlearn_lstm.kernels import get_backend
from seqlearn_lstm.kernels.cpu import split
from seqlearn_lstm.kernels.cpu.carry import Transposed

CPU = get_backend("cpu")
MIB = 2**18  # numbers of float32
# weights, rows of a step, threads, units -> whether it is by units
CASES = {
    "few rows, weights that fill a cache": (MIB, 5, 2, 256, True),
    "more of them": (MIB, 7, 2, 256, False),
    "more of them, more threads": (MIB, 7, 4, 256, True),
    "weights that leave room": (MIB - 16, 5, 2, 256, False),
    "weights for which there is no room": (3 * MIB, 24, 2, 384, True),
    "the same for more rows": (3 * MIB, 25, 2, 384, False),
    "one row": (3 * MIB, 1, 2, 384, True),
    "one row, a step too short for threads": (MIB, 1, 2, 256, False),
    "one thread": (3 * MIB, 5, 1, 384, False),
    "one panel": (3 * MIB, 5, 2, 2, False),
}


@pytest.fixture
def ran(monkeypatch):
    """The kernels that were run, in their order."""
    kernels, run = [], split.run

    def see(kernel, args, n_jobs, work, most):
        kernels.append(kernel)
        if callable(kernel):
            run(kernel, args, n_jobs, work, most)

    monkeypatch.setattr(split, "run", see)
    return kernels


@pytest.mark.parametrize("n_weights, rows, n_jobs, n_units, by_units", CASES.values(), ids=CASES)
def test_when(monkeypatch, ran, n_weights, rows, n_jobs, n_units, by_units):
    monkeypatch.setattr(split, "available_threads", lambda: 8)
    live = np.full(10, rows)
    slots = np.append(np.arange(11) * rows, 10 * rows)
    weights = CPU.zeros(n_weights, np.float32)
    for form, expected in (("by units", by_units), (None, False)):
        split.run_layer(
            "by sequences", form, (), weights, live, slots, CPU.padded(n_units, np.float32), n_jobs
        )
        assert ran.pop() == ("by units" if expected else "by sequences")


@pytest.mark.parametrize("by_unit", [True, False], ids=["matrix unit", "tiles"])
@pytest.mark.parametrize("cell", ["lstm", "lstm_options", "gru", "rnn"])
def test_the_matrix_unit_goes_back_by_sequences(monkeypatch, cell, by_unit):
    """Its blocks are those of all units."""
    array, forms = CPU.zeros((1, 16), np.float32), []
    backward = getattr(CPU, f"{cell}_backward")
    given = dict.fromkeys(inspect.signature(backward).parameters, array)
    numbers = dict(n_units=16, n_jobs=2, act=0, options=[0] * 5, precision="float32")
    given |= {name: value for name, value in numbers.items() if name in given}
    back = Transposed(array, array if by_unit else array[:0], array)
    monkeypatch.setattr(CPU.sliced, "transposed", lambda *args: back)
    monkeypatch.setattr(CPU.recurrent, "run_layer", lambda *args: forms.append(args[:2]))
    backward(**given)
    ((by_sequences, by_units),) = forms
    assert by_sequences.__name__ == f"{cell}_backward"
    assert by_units is None if by_unit else by_units.__name__ == f"{cell}_backward_by_units"


@pytest.mark.skipif(CPU.available_threads() < 2, reason="one thread")
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("lengths", [[7], [5, 1, 3, 5, 2]], ids=["one", "ragged"])
def test_any_number_of_threads_gives_the_same_bits(rng, ran, lengths, keep):
    n_in, n_units, n = 40, 400, len(lengths)
    sequences = [rng.standard_normal((length, n_in), np.float32) for length in lengths]
    layer = random_layer(rng, n_in, n_units, np.float32)
    h0, c0, dh, dc = (rng.standard_normal((n, n_units), np.float32) for _ in range(4))
    bits = []
    for n_jobs in (1, 2):
        run = run_layer(CPU, sequences, h0, c0, *layer, n_jobs, keep)
        bits.append([run.z[:, 1 + n_in : 1 + n_in + n_units].tobytes()])
        bits[-1].append(run.c.tobytes() if not keep else b"")
        if keep:
            d_outs = [np.cos(states[1:]) for states in run.hs]
            found = run.backward(d_outs, dh, dc)
            bits[-1] += [
                np.concatenate(x).tobytes() if isinstance(x, list) else x.tobytes() for x in found
            ]
    assert bits[0] == bits[1]
    names = [kernel.__name__ for kernel in ran]
    ways = ["lstm_forward", "lstm_backward"][: 1 + keep]
    assert names == ways + [f"{name}_by_units" for name in ways]
