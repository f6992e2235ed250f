"""The same tests for all backends: what a test says of where it runs, and a backend with memory of
its own behind functions of NumPy arrays.
"""

import os
from functools import partial

import numpy as np
import pytest

MATRIX_UNIT = "matrix unit"  # the CPU's backend, with that for all that it serves
BY_UNITS = "by units"  # the same, its steps split by units wherever they can be
CAN_BE_SPLIT = {"test_lstm", "test_lstm_options", "test_gru", "test_rnn"}
PRODUCTS = {"test_products", "test_lstm", "test_lstm_options", "test_gru", "test_rnn"}
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
    """Leave out what makes no sense on CUDA, or is too large to be simulated, or is the same on a
    backend as on another.
    """
    left_out = [item for item in items if _is_left_out(item)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _is_left_out(item):
    backend = item.callspec.params.get("kernels") if hasattr(item, "callspec") else None
    return (
        (backend == "cuda" and _cannot_be(item))
        or (backend == MATRIX_UNIT and not _multiplies(item))
        or (backend == BY_UNITS and item.path.stem not in CAN_BE_SPLIT)
    )


def _multiplies(item):
    """Whether a test is of products in float32, and there is a matrix unit."""
    from seqlearn_lstm.kernels.cpu.amx import available

    return (
        available()
        and item.path.stem in PRODUCTS
        and item.callspec.params.get("dtype") is np.float32
    )


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


class OnMatrixUnit:
    """The CPU's backend, whose functions ask the matrix unit for all that it can serve."""

    def __init__(self, backend):
        self.backend = backend

    def __getattr__(self, name):
        function = getattr(self.backend, name)
        if name in ("lstm_forward", "lstm_options_forward", "gru_forward", "multiply"):
            function = partial(function, training=True)

        def call(*arguments):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(self.backend.sliced, "FORTH", (0, 0, 0))
                patch.setattr(self.backend.sliced, "BACK", (0, 0))
                patch.setattr(self.backend.sliced, "OUTER", (0, 0, 0))
                patch.setattr(self.backend.sliced, "MULTIPLY", (0, 0, 0))
                return function(*arguments)

        return call


class ByUnits:
    """The CPU's backend, whose recurrent layers are split by units wherever they can be, on two threads
    or more.
    """

    def __init__(self, backend):
        self.backend = backend

    def __getattr__(self, name):
        function = getattr(self.backend, name)

        def call(*arguments):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(self.backend.recurrent, "run_layer", self._run_layer)
                return function(*arguments)

        return call

    def _run_layer(self, by_sequences, by_units, args, weights, live, slots, n_padded, n_jobs):
        panels = -(-n_padded // self.backend.panel_columns(n_padded, weights.dtype))
        work = 10**9  # enough for any number of threads
        self.backend.threads.run(by_units or by_sequences, args, max(n_jobs, 2), work, panels)


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
