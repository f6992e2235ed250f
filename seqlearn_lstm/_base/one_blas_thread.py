"""BLAS on one thread, for one fit at a time.

The limit belongs to the whole process, and whoever lifts it brings back what stood there before. Two
fits at once in Python threads would each find the other's limit there, and bring it back for good.
"""

import os
import threading
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


class _Turn:
    """Whose turn it is to limit. A forked child starts with a new one: who held the old one is not
    there to release it.
    """

    def __init__(self):
        self.renew()

    def renew(self):
        self.lock = threading.Lock()


_turn = _Turn()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_turn.renew)


@contextmanager
def one_blas_thread():
    """Inside, BLAS works on one thread; its others would go on spinning, on our cores."""
    with _turn.lock, threadpool_limits(1, user_api="blas"):
        yield
