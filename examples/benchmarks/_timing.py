"""What the benchmarks share: taking turns, goals and tables.

A shared machine changes its speed by a factor within seconds, so nothing is timed by itself. All
candidates run in one process and take turns of a few calls, of which the fastest counts; every
ratio is one of neighbouring turns, and the median of the ratios is reported. Linux tells how long
threads waited for a core: rounds in which they hardly did are used, if there are enough.
"""

import math
import platform
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numba
import numpy as np

import seqlearn_lstm
from seqlearn_lstm.kernels.cpu.target import VECTOR_BYTES

# ---- taking turns ------------------------------------------------------------------------------

PAUSE = 0.015  # seconds before a turn: OpenMP threads without work spin for some 8 ms
CALM = 0.01  # the part of a calm round that threads may wait for a core
FEWEST_ROUNDS = 5
PATIENCE = 4  # how many times longer than asked for the fewest rounds may take


@dataclass
class Turns:
    """What each candidate took in each round."""

    seconds: dict  # {name: [seconds of the fastest call of a turn, round by round]}
    waiting: list = field(default_factory=list)  # part of each round that threads waited for a core

    @property
    def n_calm(self):
        """How many rounds were calm."""
        return sum(part <= CALM for part in self.waiting)

    def used(self):
        """The calm rounds; if they are too few, the calmest third."""
        waiting, limit = np.array(self.waiting), CALM
        if self.n_calm < FEWEST_ROUNDS:
            limit = np.quantile(waiting, 1 / 3, method="higher")
        return np.flatnonzero(waiting <= limit)

    def of(self, name):
        """Seconds of a call in the rounds that are used."""
        return np.array(self.seconds[name])[self.used()]

    def median(self, name):
        """The median of a call's seconds."""
        return float(np.median(self.of(name)))

    def ratio(self, slow, fast):
        """How many times faster `fast` is than `slow`: the median over the rounds."""
        return float(np.median(self.of(slow) / self.of(fast)))

    def best_ratio(self, slow, fast):
        """The ratio of the fastest calls of all rounds."""
        return min(self.seconds[slow]) / min(self.seconds[fast])


def fastest(call, count):
    """Seconds of the fastest of so many calls."""
    seconds = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def take_turns(calls, seconds, turn=0.005, fewest_calls=3, clock=fastest):
    """Let the candidates ``{name: function}`` take turns for `seconds`.

    Each round is a turn of everyone, the next round has them in the opposite order. A turn is as
    many calls for each, so many that they take about `turn` seconds; ``clock(call, count)`` gives
    the seconds of one.
    """
    for call in calls.values():
        call()
    mean = sum(clock(call, 1) for call in calls.values()) / len(calls)
    count = max(fewest_calls, round(turn / mean))
    turns, order = Turns({name: [] for name in calls}), list(calls)
    begin = time.perf_counter()
    while not _is_enough(len(turns.waiting), (time.perf_counter() - begin) / seconds):
        start, waited = time.perf_counter(), _seconds_waited()
        for name in order:
            time.sleep(PAUSE)
            turns.seconds[name].append(clock(calls[name], count))
        waited = _seconds_waited() - waited
        turns.waiting.append(waited / (time.perf_counter() - start))
        order.reverse()
    return turns


def _is_enough(n_rounds, spent):
    return n_rounds > 0 and spent >= (1 if n_rounds >= FEWEST_ROUNDS else PATIENCE)


def _seconds_waited():
    """How long all threads of this process have waited for a core; zero where nobody tells."""
    files = Path("/proc/self/task").glob("*/schedstat")
    return 1e-9 * sum(int(file.read_text().split()[1]) for file in files)


# ---- what is printed ---------------------------------------------------------------------------


def machine(n_jobs, **versions):
    """Where the figures come from, as {what: value}."""
    numba.get_num_threads()  # starts the threads: only then the layer is known
    return {
        "CPU": _cpu_name(),
        "threads": n_jobs,
        "vectors of Numba's target": f"{VECTOR_BYTES} bytes",
        "threading layer": numba.threading_layer(),
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "numba": numba.__version__,
        "seqlearn_lstm": seqlearn_lstm.__version__,
        **versions,
    }


def _cpu_name():
    if sys.platform == "linux":
        with open("/proc/cpuinfo") as lines:
            names = [
                line.partition(":")[2].strip() for line in lines if line.startswith("model name")
            ]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def print_facts(facts):
    """One line for each of {what: value}."""
    for what, value in facts.items():
        print(f"{what:26} {value}")
    print()


class Table:
    """Prints rows of strings under `columns`, each when it is known; the first one to the left."""

    def __init__(self, columns, first_width):
        self.widths = [first_width, *(max(len(column), 8) for column in columns[1:])]
        self.row(columns)

    def row(self, cells):
        """Print one row."""
        first, *others = zip(cells, self.widths, strict=True)
        print(f"{first[0]:{first[1]}}", *(f"{cell:>{width}}" for cell, width in others), flush=True)


def geometric_mean(values):
    """The geometric mean of positive numbers."""
    return math.exp(sum(map(math.log, values)) / len(values))


@dataclass(frozen=True)
class Goal:
    """A figure and what it should be: at least `least`, or at most `most`."""

    what: str
    value: float
    least: float = -math.inf
    most: float = math.inf

    def __str__(self):
        above = self.most == math.inf
        goal = f"at least {self.least:g}" if above else f"at most {self.most:g}"
        met = self.least <= self.value <= self.most
        verdict = "ok" if met else "below" if above else "above"
        return f"{self.what:58} {self.value:7.2f}   goal {goal:14} {verdict}"
