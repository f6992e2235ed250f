"""Who may use threads, and how many: the rules that keep a user's process alive.

Numba's threads can kill a process in two ways, and both are closed here: the workqueue layer aborts
when two Python threads enter parallel code at once (who finds it busy works alone); the OpenMP
layer kills a forked child that enters it (a child works alone). All kernels give the same bits for
any number of shares, so nobody notices.
"""

import os
import threading

import numba

from .share import parallel_loop

GRAIN = 500_000  # multiply-adds worth a share: ten microseconds of one core, more than waking a thread takes
COPY_WORK = 8  # as many take as long as an element that is copied, which waits for memory


class _Team:
    """One Python thread at a time shares its work; nobody does in a forked child."""

    def __init__(self):
        self.may_share = True
        # One that its holder may take again: an interrupt between taking and giving back may leave it
        # held, and that thread works on as before.
        self.busy = threading.RLock()

    def close(self):
        self.may_share = False


_team = _Team()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_team.close)


def available_threads():
    """Threads that this process may use: the cores, or what NUMBA_NUM_THREADS says.

    joblib sets it in its process workers: the cores divided by the workers.
    """
    return numba.config.NUMBA_NUM_THREADS if _team.may_share else 1


def run(kernel, args, n_jobs, work, most):
    """Call ``kernel(*args, share, n_shares, launcher)`` on at most `n_jobs` threads.

    work   multiply-adds in all: small work is not worth waking a thread
    most   how many shares the work can be cut into
    """
    n_shares = min(n_jobs, most, work // GRAIN, available_threads())
    if n_shares < 2 or not _team.busy.acquire(blocking=False):
        kernel(*args, 0, 1, 0)
        return
    try:
        kernel(*args, 0, n_shares, parallel_loop())
    finally:
        _team.busy.release()
