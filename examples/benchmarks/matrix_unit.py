"""What the matrix unit of newer x86 processors gains, where Numba's target and the system offer one.

    python3 examples/benchmarks/matrix_unit.py

Training steps of one LSTM layer in float32, with the unit for all that it can serve and without it.
From which sizes on the package asks for it was read off this table. The unit works in bfloat16: the
errors, of products of 20,000 rows, say whether its sums of three slices are as exact as those of
float32.
"""

import argparse
import sys

import numpy as np
from _layer import DENSE, Layer, Shape
from _timing import Table, machine, print_facts, take_turns

from seqlearn_lstm.kernels import get_backend
from seqlearn_lstm.kernels.cpu import amx

ALWAYS, NEVER = 0, np.inf
OTHERS = [Shape(B, 50, 64, H) for H in (64, 128, 256) for B in (16, 32, 64, 128)]


class Limited:
    """A layer's training step, with limits from which on the unit serves it."""

    def __init__(self, layer, limit):
        self.layer, self.limit, self.sliced = layer, limit, layer.kernels.sliced

    def __call__(self):
        self.sliced.FORTH = self.sliced.OUTER = self.sliced.MULTIPLY = (self.limit,) * 3
        self.sliced.BACK = (self.limit,) * 2
        self.layer.step()


def errors(positive, n=20_000, k=128, m=128):
    """The error of a weight gradient beside the sums of sizes, root mean square, by the unit and by
    tiles of float32; of numbers of both signs, or of positive ones, whose sums grow.
    """
    cpu, rng = get_backend("cpu"), np.random.default_rng(0)
    a, d = (rng.standard_normal((n, columns), dtype=np.float32) for columns in (k, m))
    if positive:
        a, d = abs(a), abs(d)
    exact, found = a.T.astype(np.float64) @ d.astype(np.float64), []
    size = abs(a).T.astype(np.float64) @ abs(d).astype(np.float64)
    for limit in (ALWAYS, NEVER):
        cpu.sliced.OUTER = (limit,) * 3
        flat = cpu.zeros(k * m, np.float32)
        cpu.outer(flat, a, d.reshape(-1), n, k, m, n, m, 1)
        found.append(np.sqrt(np.mean(((cpu.layout.unpack(flat, k) - exact) / size) ** 2)))
    return found


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    available = get_backend("cpu").available_threads()
    parser.add_argument("--threads", type=int, default=available, help="default: all")
    parser.add_argument("--seconds", type=float, default=5, help="for each shape (default: 5)")
    args = parser.parse_args()
    if not amx.available():
        sys.exit(
            "Numba's target has no matrix unit, or the system does not let this process use it"
        )
    print_facts(machine(args.threads))
    table = Table(["B x T x I x H", "without, ms", "with, ms", "gain"], first_width=24)
    for shape in (*DENSE, *OTHERS):
        layer = Layer(shape.lengths(), shape.I, shape.H, n_jobs=args.threads)
        turns = take_turns({name: Limited(layer, name) for name in (NEVER, ALWAYS)}, args.seconds)
        times = (f"{1e3 * turns.median(name):.2f}" for name in (NEVER, ALWAYS))
        table.row([str(shape), *times, f"x{turns.ratio(NEVER, ALWAYS):.2f}"])
    print("\nerror of a gradient, beside the sum of sizes:")
    for what, positive in (("both signs", False), ("positive", True)):
        by_unit, by_tiles = errors(positive)
        print(f"{what:12} {by_unit:.2e} by the unit, {by_tiles:.2e} without")


if __name__ == "__main__":
    main()
