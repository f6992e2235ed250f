"""Time on a device: events that it notes down between the calls of a stream."""

import time
from dataclasses import dataclass, field

import numpy as np


class HostEvent:
    """What `torch.cuda.Event` and `numba.cuda.event` are, for work of the host."""

    def record(self):
        self.seconds = time.perf_counter()

    def synchronize(self):
        pass

    def elapsed_time(self, end):
        """Milliseconds, as theirs."""
        return 1e3 * (end.seconds - self.seconds)


@dataclass
class Candidate:
    """A call whose work is done when an event says so.

    Attributes
    ----------
    call, new_event : callables without arguments
    launching : list of float
        Seconds that the host took for a call, in each turn; if they are as many as the device's, the
        device waited for the host.
    """

    call: object
    new_event: object
    launching: list = field(default_factory=list)

    def __call__(self):
        """Run once, to the end."""
        self.seconds(1)

    def seconds(self, count):
        """The mean over so many calls, one right after another."""
        start, end = self.new_event(), self.new_event()
        self.call()  # so that the device has something to do when the first event is noted
        start.record()
        begin = time.perf_counter()
        for _ in range(count):
            self.call()
        self.launching.append((time.perf_counter() - begin) / count)
        end.record()
        end.synchronize()
        return 1e-3 * start.elapsed_time(end) / count

    def launching_seconds(self):
        """The median over turns."""
        return float(np.median(self.launching))
