"""What all tests share: a fresh cache for compiled code, a seeded generator, backend, sequences.

Each session compiles afresh, as the first one on any machine does; with ``NUMBA_CACHE_DIR`` set, what is
compiled is kept there. Without a GPU, CUDA kernels run in the simulator. Nothing may import numba before
the variables are set here.
"""

import os
import shutil
import tempfile

import numpy as np
import pytest
from backends import pytest_collection_modifyitems as pytest_collection_modifyitems

_OWN_CACHE = None
if "NUMBA_CACHE_DIR" not in os.environ:
    _OWN_CACHE = os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(prefix="seqlearn_lstm_numba_")

if not any(os.path.exists(path) for path in ("/dev/nvidiactl", "/dev/dxg")):
    os.environ.setdefault("NUMBA_ENABLE_CUDASIM", "1")

if "PYTEST_XDIST_WORKER" in os.environ:
    # Several processes share the cores: threads that wait should not keep the others from theirs.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

os.environ.setdefault("MPLBACKEND", "Agg")  # pictures are drawn into memory, on no screen


def pytest_unconfigure():
    if _OWN_CACHE is not None:
        shutil.rmtree(_OWN_CACHE, ignore_errors=True)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def kernels():
    from seqlearn_lstm.kernels import get_backend

    return get_backend("cpu")


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def dtype(request):
    return np.dtype(request.param)


@pytest.fixture
def tiny_shares(monkeypatch):
    """Hand out even the smallest work to as many threads as asked for."""
    from seqlearn_lstm.kernels.cpu import threads

    monkeypatch.setattr(threads, "GRAIN", 1)


@pytest.fixture
def n_jobs_to_try(kernels, tiny_shares):
    """1, 2 and 3, as far as there are threads; `test_instruction_sets.py` runs the kernels with three."""
    return range(1, min(3, kernels.available_threads()) + 1)


@pytest.fixture
def make_sequences(rng):
    """A factory: a list of standard normal (length, n_features) arrays, one for each length."""

    def make(lengths, n_features, dtype=np.float64):
        return [rng.standard_normal((length, n_features)).astype(dtype) for length in lengths]

    return make
