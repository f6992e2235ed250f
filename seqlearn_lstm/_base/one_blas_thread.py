"""BLAS on one thread, for one fit at a time.

The limit belongs to the whole process, and whoever lifts it brings back what stood there before. Two
fits at once in Python threads would each find the other's limit there, and bring it back for good.
"""

from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from .._turn import Turn

_turn = Turn()


@contextmanager
def one_blas_thread():
    """Inside, BLAS works on one thread; its others would go on spinning, on our cores."""
    with _turn.lock, threadpool_limits(1, user_api="blas"):
        yield
