"""The tests of kernels run on both backends."""

import pytest
from backends import OnHost


@pytest.fixture(scope="session", params=["cpu", "cuda"])
def kernels(request):
    """A backend whose functions take and fill arrays of the host."""
    from seqlearn_lstm.kernels import get_backend

    backend = get_backend(request.param)
    return OnHost(backend) if request.param == "cuda" else backend
