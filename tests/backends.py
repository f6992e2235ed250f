"""The same tests for all backends: what a test says of where it runs, and a backend with memory of
its own behind functions of NumPy arrays.
"""

import os

import numpy as np
import pytest

CPU_ONLY = pytest.mark.parametrize("kernels", ["cpu"], indirect=True)


def large(*case):
    """A case that the simulator would take too long for."""
    return pytest.param(*case, marks=pytest.mark.large)


def cases(every, too_large):
    """A test for each of ``{name: (lengths, n_in, n_units)}``, some too large to be simulated."""
    return pytest.mark.parametrize(
        "lengths, n_in, n_units",
        [large(*case) if name in too_large else case for name, case in every.items()],
        ids=every.keys(),
    )


def pytest_collection_modifyitems(config, items):
    """Leave out what makes no sense on CUDA, or is too large to be simulated."""
    left_out = [item for item in items if _is_cuda(item) and _cannot_be(item)]
    items[:] = [item for item in items if not (_is_cuda(item) and _cannot_be(item))]
    config.hook.pytest_deselected(items=left_out)


def _is_cuda(item):
    return hasattr(item, "callspec") and item.callspec.params.get("kernels") == "cuda"


# Whose float32 the simulator leaves out: the same source as in float64, with other rounding. Fits of
# all of them in float32 are in `estimators/test_devices.py`.
CELLS = {"test_gru", "test_rnn", "test_lstm_options"}


def _cannot_be(item):
    if "n_jobs_to_try" in item.fixturenames:
        return True  # CUDA knows no such thing
    again = item.path.stem in CELLS and item.callspec.params.get("dtype") is np.float32
    return os.environ.get("NUMBA_ENABLE_CUDASIM") == "1" and (
        again or item.get_closest_marker("large") is not None
    )


class OnHost:
    """A backend with memory of its own, behind functions that take and fill NumPy arrays. Plans of
    batches, flat int64, it uploads itself.
    """

    def __init__(self, backend):
        self.backend = backend

    def zeros(self, shape, dtype):
        return np.zeros(shape, dtype)

    def panels(self, flat, n_rows, n_columns):
        (cut,) = self.backend.panels(flat, n_rows, n_columns)
        return [cut]

    def __getattr__(self, name):
        function = getattr(self.backend, name)

        def call(*arguments):
            on_device = {
                k: self.backend.to_device(array)
                for k, array in enumerate(arguments)
                if isinstance(array, np.ndarray) and (array.ndim > 1 or array.dtype != np.int64)
            }
            found = function(*(on_device.get(k, given) for k, given in enumerate(arguments)))
            for k, array in on_device.items():
                if arguments[k].flags.writeable:
                    arguments[k][...] = self.backend.to_host(array)
            return _as_float(found)

        return call


def _as_float(found):
    """Numbers that are still on the device as floats; all else as it is."""
    from seqlearn_lstm.kernels.cuda.numbers import Number

    if isinstance(found, tuple):
        return tuple(map(_as_float, found))
    return float(found) if isinstance(found, Number) else found
