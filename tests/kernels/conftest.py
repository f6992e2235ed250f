"""The tests of kernels run on both backends, and where there is a matrix unit on that, too."""

import pytest
from backends import MATRIX_UNIT, OnHost, OnMatrixUnit

WRAPPED = {"cpu": lambda backend: backend, MATRIX_UNIT: OnMatrixUnit, "cuda": OnHost}


@pytest.fixture(scope="session", params=WRAPPED)
def kernels(request):
    """A backend whose functions take and fill arrays of the host."""
    from seqlearn_lstm.kernels import get_backend

    name = "cpu" if request.param == MATRIX_UNIT else request.param
    return WRAPPED[request.param](get_backend(name))
