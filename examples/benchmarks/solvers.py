"""What an update costs: clipping and each solver, beside the training step that it follows.

    python3 examples/benchmarks/solvers.py

The shapes are those of against_torch.py. A step is the forward pass, back-propagation through time
and the gradients of all parameters; an update is the norm of the gradient, the clipping and the
solver's pass over the parameters. It should cost at most a tenth of the step. Each update is timed
behind a step, and each step behind an update, as they follow one another in a fit: what one leaves in the
caches of which core decides how long the other takes.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from _layer import DENSE
from _timing import Goal, Table, machine, print_facts, take_turns

from seqlearn_lstm.architecture import Architecture
from seqlearn_lstm.batches import plan
from seqlearn_lstm.kernels import get_backend
from seqlearn_lstm.network import Network
from seqlearn_lstm.solvers import SOLVERS

MOST = 0.1  # of the step


class Behind(NamedTuple):
    """A call that is timed behind another."""

    before: Callable
    call: Callable

    def __call__(self):
        self.before()
        self.call()


def fastest_behind(pair, count):
    """Seconds of the fastest of so many calls, without what comes before each."""
    seconds = []
    for _ in range(count):
        pair.before()
        start = time.perf_counter()
        pair.call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


class Training:
    """A network on one batch, and the state of each solver."""

    def __init__(self, shape, n_jobs):
        kernels, rng = get_backend("cpu"), np.random.default_rng(0)
        architecture = Architecture(shape.I, (shape.H,), False, "last", 8)
        self.network = Network(architecture, kernels, np.float32, n_jobs, training=True)
        self.network.set_parameters(self.network.initial_parameters(rng))
        self.batch = plan(np.arange(shape.B + 1) * shape.T, np.arange(shape.B))
        self.rows = rng.standard_normal((shape.B * shape.T, shape.I), dtype=np.float32)
        self.solvers = {name: solver() for name, solver in SOLVERS.items()}
        self.states = {
            name: solver.start(kernels, self.network.theta) for name, solver in self.solvers.items()
        }

    def step(self):
        """Leave the gradient in the network."""
        scores = self.network.forward(self.batch, self.rows, True)
        scores[:] = 0.01
        self.network.backpropagate(self.batch, scores)

    def update(self, name):
        """Clip to a small norm, so that there is something to clip, and go a very small way."""
        network = self.network
        norm = network.kernels.sum_of_squares(network.gradient, network.n_jobs) ** 0.5
        how = (1e-9, min(1.0, 1e-3 / norm), network.n_jobs)
        state = self.states[name]
        self.solvers[name].step(network.kernels, network.theta, network.gradient, state, *how)


def measure(shape, args):
    """{solver: its update's share of a step}."""
    training = Training(shape, args.threads)
    updates = {name: partial(training.update, name) for name in SOLVERS}
    calls = {name: Behind(training.step, update) for name, update in updates.items()}
    calls["step"] = Behind(updates["adam"], training.step)
    turns = take_turns(calls, args.seconds, clock=fastest_behind)
    return turns.median("step"), {name: turns.ratio(name, "step") for name in SOLVERS}


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    available = get_backend("cpu").available_threads()
    parser.add_argument("--threads", type=int, default=available, help="default: all")
    parser.add_argument("--seconds", type=float, default=5, help="for each shape (default: 5)")
    args = parser.parse_args()
    print_facts(machine(args.threads))
    table = Table(["step of B x T x I x H", "ms", *SOLVERS], first_width=22)
    worst = (0.0, "")
    for shape in DENSE:
        seconds, shares = measure(shape, args)
        name = f"{shape.B}x{shape.T}x{shape.I}x{shape.H}"
        table.row([name, f"{1e3 * seconds:.2f}", *(f"{100 * x:.1f} %" for x in shares.values())])
        worst = max(worst, *((share, f"{solver}, {name}") for solver, share in shares.items()))
    print()
    print(Goal(f"an update beside the step ({worst[1]})", worst[0], most=MOST))


if __name__ == "__main__":
    main()
