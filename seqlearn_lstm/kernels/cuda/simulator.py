"""CUDA's programming model on the CPU, for tests and for looking into a kernel: a stand-in for
``numba.cuda`` that runs the source of a kernel as Python.

All threads of a launch exist at once, each a coroutine that runs until it waits. Barriers of warps,
blocks, clusters and the grid are real: none goes on before all have come. Shared and local memory
starts as NaN. The order in which threads run is drawn anew from barrier to barrier, from a seed, and
some blocks are slower than others: a missing barrier shows as a wrong number or as NaN, in the same
way each time. What shows on a device only: memory that is not yet visible to another thread, which is
what fences are for.
"""

import random
import sys
from itertools import product
from types import SimpleNamespace

import numpy as np

try:
    from greenlet import getcurrent, greenlet
except ImportError as error:
    raise ImportError(
        "NUMBA_ENABLE_CUDASIM is set, but the simulator of CUDA needs greenlet, which is not "
        'installed; expected pip install "seqlearn_lstm[test]", or that variable unset'
    ) from error

WARP = 32
LATENESS = 0.0, 0.5, 0.98  # of blocks: how likely one stays behind the others, from turn to turn


class BarrierError(RuntimeError):
    """Threads of one group wait at different places, or for one that has left."""


class Kernel:
    """What `jit` gives: ``kernel[n_blocks, n_threads](*arguments)`` runs it.

    Attributes
    ----------
    py_func : callable
        The source.
    """

    seed = 0  # of the order of all launches

    def __init__(self, py_func):
        self.py_func = py_func

    def __getitem__(self, configuration):
        n_blocks, n_threads = (_three(size) for size in configuration[:2])
        return lambda *arguments: _Launch(self, n_blocks, n_threads, arguments).run()


def _three(size):
    """A size of one to three dimensions as x, y, z."""
    size = (size,) if isinstance(size, int | np.integer) else tuple(size)
    return tuple(int(n) for n in size) + (1,) * (3 - len(size))


class _Launch:
    """All threads of a launch, and where each of them waits."""

    def __init__(self, kernel, n_blocks, n_threads, arguments):
        self.shared, self.waiting, self.posted = {}, {}, {}
        self.barriers, self.watching = {}, []
        self.block_shape, self.grid_shape = n_threads, n_blocks
        self.size = {"grid": int(np.prod(n_threads) * np.prod(n_blocks))}
        self.size["block"] = self.size["warp"] = int(np.prod(n_threads))
        self.make_clusters(1)
        self.threads = []
        for z, y, x in product(*map(range, n_blocks[::-1])):
            block = x + n_blocks[0] * (y + n_blocks[1] * z)
            for k, (tz, ty, tx) in enumerate(product(*map(range, n_threads[::-1]))):
                thread = greenlet(_quietly)
                thread.launch, thread.block, thread.number = self, block, k
                thread.blockIdx = SimpleNamespace(x=x, y=y, z=z)
                thread.threadIdx = SimpleNamespace(x=tx, y=ty, z=tz)
                self.threads.append(thread)
        self.arguments = kernel.py_func, *map(_seen, arguments)
        self.order = random.Random(Kernel.seed)

    def run(self):
        ready = list(self.threads)
        lateness = {thread.block: self.order.choice(LATENESS) for thread in ready}
        while ready:
            self.order.shuffle(ready)
            blocks = sorted({thread.block for thread in ready})
            late = [block for block in blocks if self.order.random() < lateness[block]]
            late = set(late) if len(late) < len(blocks) else ()
            for thread in ready:
                if thread.block not in late:
                    thread.switch(*(() if thread else self.arguments))  # the first time: a call
            ready = [thread for thread in ready if thread.block in late] + self._released()
        if any(not thread.dead for thread in self.threads):
            raise BarrierError(f"threads wait for others that never come: {self._waits()}")

    def make_clusters(self, n_blocks):
        """Let so many blocks, one after another, be a cluster."""
        n_all = self.size["grid"] // self.size["block"]
        if n_all % n_blocks:
            raise ValueError(f"{n_all} blocks are no multiple of clusters of {n_blocks}")
        self.cluster, self.size["cluster"] = n_blocks, n_blocks * self.size["block"]

    def beside(self, array, rank):
        """The shared array of another block of the cluster, where this block has `array`."""
        place = next(place for (_, place), other in self.shared.items() if other is array)
        block = getcurrent().block
        return self.shared[block - block % self.cluster + int(rank), place]

    def _members(self, kind, thread):
        """(name of the thread's group, how many it has)."""
        n = self.size[kind]
        if kind == "grid":
            return (kind,), n
        if kind == "warp":
            warp = thread.number // WARP
            return (kind, thread.block, warp), min(WARP, n - warp * WARP)
        return (kind, thread.block // (self.cluster if kind == "cluster" else 1)), n

    def wait(self, kind, value=None):
        """Let a thread wait for its group, and see what the others brought: {number: value}."""
        thread = getcurrent()
        group, n = self._members(kind, thread)
        place = _place()
        self.waiting.setdefault(group, []).append((thread, place, n))
        values = self.posted.setdefault(group, {})
        values[thread.number] = value
        thread.parent.switch()
        return values

    def until(self, condition):
        """Let a thread wait for what others do: until the condition, a function, gives True."""
        thread = getcurrent()
        self.watching.append((thread, _place(), condition))
        thread.parent.switch()

    def _released(self):
        """The threads whose groups are complete, or whose conditions are true."""
        found, watching = [], []
        for entry in self.watching:
            thread, _, condition = entry
            (found.append(thread) if condition() else watching.append(entry))
        self.watching = watching
        for group, entries in list(self.waiting.items()):
            if len({place for _, place, _ in entries}) > 1:
                raise BarrierError(f"threads of one group wait at several places: {self._waits()}")
            if len(entries) == entries[0][2]:
                found += [thread for thread, _, _ in entries]
                del self.waiting[group], self.posted[group]
        return found

    def _waits(self):
        lines = [
            f"{entries[0][1]}: {len(entries)} of {group}" for group, entries in self.waiting.items()
        ]
        lines += sorted({f"{place}: for a condition" for _, place, _ in self.watching})
        return "; ".join(lines)


def _quietly(py_func, *arguments):
    """Run a thread: what overflows becomes infinite without a warning, as on a device."""
    with np.errstate(all="ignore"):
        py_func(*arguments)


def _seen(argument):
    """What a kernel sees of an argument, or of an element: arrays only through `Memory`."""
    if isinstance(argument, tuple):
        return tuple(map(_seen, argument))
    return Memory(argument) if isinstance(argument, np.ndarray) else argument


def _place():
    """Where in a kernel the running thread stands: file, line, instruction of the line."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}:{frame.f_lasti}"


class Memory:
    """An array as kernels see it: an index below zero, which NumPy would count from the end, is an
    error, and so is one past the end, even of a range, which NumPy would cut short.
    """

    __slots__ = ("array", "dtype", "shape", "size")

    def __init__(self, array):
        self.array, self.dtype, self.shape, self.size = array, array.dtype, array.shape, array.size

    def __getitem__(self, key):
        self._check(key)
        return _seen(self.array[key])

    def __setitem__(self, key, value):
        self._check(key)
        self.array[key] = value.array if isinstance(value, Memory) else value

    def _check(self, key):
        keys = key if isinstance(key, tuple) else (key,)
        for k, n in zip(keys, self.shape, strict=False):
            if isinstance(k, slice):
                if not 0 <= (k.start or 0) <= n or not 0 <= (n if k.stop is None else k.stop) <= n:
                    raise IndexError(f"range {k.start}:{k.stop} of {n} elements")
            elif k < 0:
                raise IndexError(f"index {key} is negative")


def _unknown(shape, dtype):
    """Memory that nobody has written to."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        unknown = np.nan
    else:  # what is no index; of the bits of numbers: NaN
        unknown = np.iinfo(dtype).min or np.iinfo(dtype).max
    return Memory(np.full(shape, unknown, dtype))


# ---- what a kernel sees --------------------------------------------------------------------------


class _Shared:
    def array(self, shape, dtype, alignment=None):
        thread, place = getcurrent(), _place()
        memory = thread.launch.shared
        if (thread.block, place) not in memory:
            memory[thread.block, place] = _unknown(shape, dtype)
        return memory[thread.block, place]


class _Local:
    def array(self, shape, dtype):
        return _unknown(shape, dtype)


class _Grid:
    def sync(self):
        getcurrent().launch.wait("grid")


class Cuda:
    """The names of ``numba.cuda`` that kernels use, with their meanings."""

    shared, local = _Shared(), _Local()
    cg = SimpleNamespace(this_grid=_Grid)
    threadIdx = property(lambda self: getcurrent().threadIdx)
    blockIdx = property(lambda self: getcurrent().blockIdx)

    @property
    def blockDim(self):
        x, y, z = getcurrent().launch.block_shape
        return SimpleNamespace(x=x, y=y, z=z)

    @property
    def gridDim(self):
        x, y, z = getcurrent().launch.grid_shape
        return SimpleNamespace(x=x, y=y, z=z)

    @property
    def laneid(self):
        return getcurrent().number % WARP

    def grid(self, n_dimensions):
        thread = getcurrent()
        return thread.block * thread.launch.size["block"] + thread.number

    def gridsize(self, n_dimensions):
        return getcurrent().launch.size["grid"]

    def syncthreads(self):
        getcurrent().launch.wait("block")

    def syncwarp(self, mask=0xFFFFFFFF):
        getcurrent().launch.wait("warp")

    def shfl_sync(self, mask, value, lane):
        thread = getcurrent()
        values = thread.launch.wait("warp", value)
        return values.get(thread.number // WARP * WARP + int(lane), value)

    def shfl_xor_sync(self, mask, value, lane_mask):
        thread = getcurrent()
        values = thread.launch.wait("warp", value)
        other = thread.number ^ lane_mask
        return values.get(other, value)

    def jit(self, function=None, *, device=False, **_):
        def wrap(py_func):
            return py_func if device else Kernel(py_func)

        return wrap(function) if function else wrap


cuda = Cuda()
