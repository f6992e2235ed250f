"""What it gains to split a layer's work by units, where there are few sequences and large weights.

    python3 examples/benchmarks/few_sequences.py

Predictions and training steps of one LSTM layer in float32, each step split by units, and with the whole
sequences shared out among the threads. From which sizes on the package splits by units was read off this
table. The bits are the same, which is asserted. Threads that meet after every step wait for one another:
``--busy 2`` measures beside two busy processes, and the mean of the calls, not the fastest of a turn.
"""

import argparse
import sys
import time

import numpy as np
from _layer import Layer, Shape
from _timing import Table, fastest, machine, print_facts, take_turns
from waiting import busy

from seqlearn_lstm.kernels import get_backend
from seqlearn_lstm.kernels.cpu import split

BY_UNITS, BY_SEQUENCES = ((0, np.inf),), ()
SHAPES = [
    Shape(1, 300, 8, 384),
    Shape(1, 200, 64, 512),
    Shape(5, 5, 10, 256),
    Shape(5, 20, 64, 256),
    Shape(8, 20, 64, 256),
    Shape(8, 50, 64, 384),
    Shape(24, 50, 64, 384),
    Shape(24, 50, 64, 512),
    Shape(48, 50, 64, 512),
]


class Split:
    """A layer's call, its work split in one of both ways."""

    def __init__(self, call, way):
        self.call, self.way = call, way

    def __call__(self):
        split.BY_UNITS = self.way
        self.call()


def mean(call, count):
    """Seconds of a call, the mean of so many."""
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def check(layer):
    """The bits must be the same."""
    found = []
    for way in (BY_UNITS, BY_SEQUENCES):
        Split(layer.step, way)()
        found.append([array.tobytes() for array in layer.results()])
    assert found[0] == found[1]


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    available = get_backend("cpu").available_threads()
    parser.add_argument("--threads", type=int, default=available, help="default: all")
    parser.add_argument("--seconds", type=float, default=5, help="for each shape (default: 5)")
    parser.add_argument("--busy", type=int, default=0, help="busy processes (default: 0)")
    args = parser.parse_args()
    if args.threads < 2:
        sys.exit("there is nothing to split for one thread")
    print_facts(machine(args.threads))
    with busy(args.busy):
        measure(args, mean if args.busy else fastest)


def measure(args, clock):
    """Print a row for each shape."""
    print(f"{'':18} {'prediction':>34} {'training step':>34}")
    columns = ["B x T x I x H", *2 * ["sequences, ms", "units, ms", "gain"]]
    table = Table(columns, first_width=18)
    for shape in SHAPES:
        layer = Layer(shape.lengths(), shape.I, shape.H, n_jobs=args.threads)
        check(layer)
        ways = {"sequences": BY_SEQUENCES, "units": BY_UNITS}
        calls = {
            (what, name): Split(call, way)
            for what, call in (("prediction", layer.forward), ("step", layer.step))
            for name, way in ways.items()
        }
        turns, row = take_turns(calls, args.seconds, clock=clock), [str(shape)]
        for what in ("prediction", "step"):
            names = (what, "sequences"), (what, "units")
            row += [f"{1e3 * turns.median(name):.2f}" for name in names]
            row.append(f"x{turns.ratio(*names):.2f}")
        table.row(row)


if __name__ == "__main__":
    main()
