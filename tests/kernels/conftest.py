"""The tests of kernels run on both backends, and on that of the CPU in its other ways, too: with a matrix
unit, and split by units.
"""

import pytest
from backends import BY_UNITS, MATRIX_UNIT, ByUnits, OnHost, OnMatrixUnit

WRAPPED = {
    "cpu": lambda backend: backend,
    MATRIX_UNIT: OnMatrixUnit,
    BY_UNITS: ByUnits,
    "cuda": OnHost,
}


@pytest.fixture(scope="session", params=WRAPPED)
def kernels(request):
    """A backend whose functions take and fill arrays of the host."""
    from seqlearn_lstm.kernels import get_backend

    name = request.param if request.param == "cuda" else "cpu"
    return WRAPPED[request.param](get_backend(name))
