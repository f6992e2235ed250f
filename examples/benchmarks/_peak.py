"""The multiply-adds that this machine can do: what a kernel's rate is compared with."""

import numba
import numpy as np

from seqlearn_lstm.kernels.cpu import threads
from seqlearn_lstm.kernels.cpu.layout import lanes
from seqlearn_lstm.kernels.cpu.share import hand_out
from seqlearn_lstm.kernels.cpu.simd import fma, load, store

SUMS = 12  # enough that no multiply-add waits for the one before
REPEATS = 400_000  # some milliseconds: a processor needs a while to reach its speed


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
        n_lanes = lanes(np.dtype(np.float32))
        rng = np.random.default_rng(0)
        self.n_jobs = n_jobs
        self.sums = rng.standard_normal((n_jobs, SUMS * n_lanes), dtype=np.float32)
        self.factors = rng.standard_normal((2, n_lanes), dtype=np.float32)
        self.flops = 2 * self.sums.size * REPEATS

    def __call__(self):
        args = (self.sums, self.factors, REPEATS)
        threads.run(_multiply_adds, args, self.n_jobs, self.flops, self.n_jobs)

    def share(self, turns, name, flops):
        """The rate of `name`, which does `flops`, in units of that of ``turns["peak"]``."""
        return flops / self.flops * turns.ratio("peak", name)
