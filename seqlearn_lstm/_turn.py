"""Locks that outlive a fork."""

import os
import threading


class Turn:
    """Whose turn it is: ``with turn.lock``. A forked child starts with a new lock: who held the old one is
    not there to release it.
    """

    def __init__(self):
        self.renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.renew)

    def renew(self):
        self.lock = threading.Lock()
