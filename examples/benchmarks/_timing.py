"""What the benchmarks share: taking turns, the multiply-add peak, goals and tables.

A shared machine changes its speed by a factor within seconds, so nothing is timed by itself. All
candidates run in one process and take turns of a few calls, of which the fastest counts; every
ratio is one of neighbouring turns, and the median of the ratios is reported. The system counts how
often another process took a core away: rounds in which none did are used, if there are enough.
"""

import math
import platform
import resource
import sys
import time
from dataclasses import dataclass, field

import numba
import numpy as np

import seqlearn_lstm
from seqlearn_lstm.kernels.cpu import target, threads
from seqlearn_lstm.kernels.cpu.share import hand_out
from seqlearn_lstm.kernels.cpu.simd import fma, load, store

# ---- taking turns ------------------------------------------------------------------------------


PAUSE = 0.015  # seconds before a turn: OpenMP threads without work spin for some 8 ms
FEWEST_ROUNDS = 5
PATIENCE = 4  # how many times longer than asked for the fewest rounds may take


@dataclass
class Turns:
    """What each candidate took in each round."""

    seconds: dict  # {name: [seconds of the fastest call of a turn, round by round]}
    interruptions: list = field(default_factory=list)  # involuntary context switches of each round

    @property
    def n_calm(self):
        """How many rounds no other process disturbed."""
        return self.interruptions.count(0)

    def too_few(self, until):
        """Whether another round is needed, at all or for the fewest if `until` has not passed."""
        n = len(self.interruptions)
        return n == 0 or (n < FEWEST_ROUNDS and time.perf_counter() < until)

    def used(self):
        """The calm rounds; if they are too few, the calmest third."""
        interruptions = np.array(self.interruptions)
        limit = 0
        if self.n_calm < FEWEST_ROUNDS:
            limit = np.quantile(interruptions, 1 / 3, method="higher")
        return np.flatnonzero(interruptions <= limit)

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


def take_turns(calls, seconds, turn=0.005, fewest_calls=3):
    """Let the candidates ``{name: function}`` take turns for `seconds`.

    Each round is a turn of everyone, the next round has them in the opposite order. A turn is as
    many calls for each, so many that they take about `turn` seconds.
    """
    for call in calls.values():
        call()
    mean = sum(_fastest(call, 1) for call in calls.values()) / len(calls)
    count = max(fewest_calls, round(turn / mean))
    turns = Turns({name: [] for name in calls})
    order, end = list(calls), time.perf_counter() + seconds
    while time.perf_counter() < end or turns.too_few(until=end + PATIENCE * seconds):
        before = _interruptions()
        for name in order:
            time.sleep(PAUSE)
            turns.seconds[name].append(_fastest(calls[name], count))
        turns.interruptions.append(_interruptions() - before)
        order.reverse()
    return turns


def _fastest(call, count):
    seconds = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _interruptions():
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


# ---- the machine's peak ------------------------------------------------------------------------

PEAK_SUMS, PEAK_REPEATS = 12, 20_000  # enough sums that no multiply-add waits for the one before


@numba.njit(nogil=True, error_model="numpy")
def _multiply_adds(sums, factors, repeats, share, n_shares, launcher):
    """Multiply-adds in registers and nothing else: sums (n_shares, 12 L), factors (2, L)."""
    if launcher != 0:
        hand_out()
        return
    L, start = factors.shape[1], share * sums.shape[1]
    x, y = load(factors, 0), load(factors, L)
    a, b, c = load(sums, start), load(sums, start + L), load(sums, start + 2 * L)
    d, e, f = load(sums, start + 3 * L), load(sums, start + 4 * L), load(sums, start + 5 * L)
    g, h, i = load(sums, start + 6 * L), load(sums, start + 7 * L), load(sums, start + 8 * L)
    j, k, m = load(sums, start + 9 * L), load(sums, start + 10 * L), load(sums, start + 11 * L)
    for _ in range(repeats):
        a, b, c, d = fma(x, y, a), fma(x, y, b), fma(x, y, c), fma(x, y, d)
        e, f, g, h = fma(x, y, e), fma(x, y, f), fma(x, y, g), fma(x, y, h)
        i, j, k, m = fma(x, y, i), fma(x, y, j), fma(x, y, k), fma(x, y, m)
    store(sums, start, (a + b + c + d) + (e + f + g + h) + (i + j + k + m))


class Peak:
    """The multiply-adds that `n_jobs` threads can do in float32 if they do nothing else."""

    def __init__(self, n_jobs):
        lanes = target.lanes(np.dtype(np.float32))
        rng = np.random.default_rng(0)
        self.n_jobs = n_jobs
        self.sums = rng.standard_normal((n_jobs, PEAK_SUMS * lanes), dtype=np.float32)
        self.factors = rng.standard_normal((2, lanes), dtype=np.float32)
        self.flops = 2 * self.sums.size * PEAK_REPEATS

    def __call__(self):
        args = (self.sums, self.factors, PEAK_REPEATS)
        threads.run(_multiply_adds, args, self.n_jobs, self.flops, self.n_jobs)


def share_of_peak(turns, name, flops, peak):
    """The rate of `name`, which does `flops`, divided by that of ``turns["peak"]``."""
    return flops / peak.flops * turns.ratio("peak", name)


# ---- what is printed ---------------------------------------------------------------------------


def machine(n_jobs, **versions):
    """Where the figures come from, as {what: value}."""
    numba.get_num_threads()  # starts the threads: only then the layer is known
    return {
        "CPU": _cpu_name(),
        "threads": n_jobs,
        "vectors of Numba's target": f"{target.VECTOR_BYTES} bytes",
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
