"""What the options cost: training steps of whole networks, beside the plain LSTM.

    python3 examples/benchmarks/options.py

A step is what `fit` does with a batch: masks, forward pass, back-propagation through time,
gradients of all parameters; float32, without the solver. Recurrent dropout and layer normalisation
should cost at most 1.3 times the plain step.

With an embedding the update is part of the step: it should cost what the batch touches, whatever
the vocabulary holds.
"""

import argparse

import numpy as np
from _timing import Goal, Table, machine, print_facts, take_turns

from seqlearn_lstm.architecture import Architecture
from seqlearn_lstm.batches import plan
from seqlearn_lstm.cells import GRU, LSTM, RNN, plain
from seqlearn_lstm.dropout import Masks, Rates
from seqlearn_lstm.kernels import get_backend
from seqlearn_lstm.network import Network
from seqlearn_lstm.solvers import Adam, step_rows
from seqlearn_lstm.training import first_state

SHAPES = {"64x50x64x128": (64, 50, 64, 128), "32x100x128x256": (32, 100, 128, 256)}
OPTIONS = {  # name -> (cell, what is left out, the most that it may cost)
    "plain": (LSTM(), None, None),
    "dropout": (LSTM(), Rates(inputs=0.2, outputs=0.5), None),
    "dropout at each step": (LSTM(), Rates(inputs=0.2, outputs=0.5, per_step=True), None),
    "recurrent dropout": (LSTM(), Rates(recurrent=0.5), 1.3),
    "layer norm": (LSTM(layer_norm=True), None, 1.3),
    "peephole": (LSTM(peephole=True), None, None),
    "all of these": (LSTM(peephole=True, layer_norm=True), Rates(0.2, 0.5, 0.5), None),
    "gru": (GRU(), None, None),
    "gru, reset before": (GRU(reset_after=False), None, None),
    "rnn": (RNN(), None, None),
}


class Step:
    """A training step of one network on one batch."""

    def __init__(self, shape, cell, rates, n_jobs):
        B, T, n_in, n_units = shape
        kernels, rng = get_backend("cpu"), np.random.default_rng(0)
        architecture = Architecture(n_in, (n_units,), False, "last", 8, cell=plain(cell))
        recurrent = rates is not None and rates.recurrent > 0
        self.network = Network(architecture, kernels, np.float32, n_jobs, recurrent, training=True)
        self.network.set_parameters(self.network.initial_parameters(rng))
        self.offsets, self.members = np.arange(B + 1) * T, np.arange(B)
        self.rows = rng.standard_normal((B * T, n_in), dtype=np.float32)
        self.rates, self.epoch = rates, 0

    def __call__(self):
        batch, masks = plan(self.offsets, self.members), None
        if self.rates is not None:
            kernels = self.network.kernels
            masks = Masks(
                kernels, np.float32, self.rates, 0, self.epoch, n_jobs=self.network.n_jobs
            )
            self.epoch += 1
        scores = self.network.forward(batch, self.rows, True, masks)
        scores[:] = 0.01
        self.network.backpropagate(batch, scores, masks)


class WordStep:
    """A training step, its update included, of a network over symbols."""

    def __init__(self, n_symbols, n_jobs, shape=(32, 100, 128, 128)):
        B, T, width, n_units = shape
        kernels, rng = get_backend("cpu"), np.random.default_rng(0)
        architecture = Architecture(n_symbols, (n_units,), False, "last", 8, embedding_dim=width)
        self.network = Network(architecture, kernels, np.float32, n_jobs)
        self.network.set_parameters(self.network.initial_parameters(rng))
        self.offsets, self.members = np.arange(B + 1) * T, np.arange(B)
        self.rows = rng.integers(0, n_symbols, (B * T, 1))
        self.state = first_state(self.network, Adam(), 0)

    def __call__(self):
        network, state = self.network, self.state
        batch = plan(self.offsets, self.members)
        scores = network.forward(batch, self.rows, True)
        scores[:] = 0.01
        network.backpropagate(batch, scores)
        how = (1e-3, 1.0, network.n_jobs)
        rule, kernels, table = Adam(), network.kernels, network.embedding
        rule.step(kernels, network.theta, network.gradient, state.solver_state, *how)
        step_rows(
            rule, kernels, table.table, table.touched, table.gradient, state.table_state, *how
        )


def vocabularies(args):
    """Steps over two vocabularies beside each other; returns the goal."""
    steps = {size: WordStep(size, args.threads) for size in (5_000, 100_000)}
    turns = take_turns(steps, args.seconds)
    print(f"embedding, {turns.n_calm} calm rounds of {len(turns.waiting)}")
    table = Table(["symbols", "ms"], first_width=20)
    for size in steps:
        table.row([f"{size:,}", f"{1e3 * turns.median(size):.2f}"])
    print()
    return Goal("100,000 symbols beside 5,000", turns.ratio(100_000, 5_000), most=1.3)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    available = get_backend("cpu").available_threads()
    parser.add_argument("--threads", type=int, default=available, help="default: all")
    parser.add_argument("--seconds", type=float, default=20, help="for each shape (default: 20)")
    parser.add_argument(
        "--shapes", nargs="+", choices=SHAPES, default=list(SHAPES), metavar="SHAPE"
    )
    args = parser.parse_args()
    print_facts(machine(args.threads))
    goals = []
    for name in args.shapes:
        steps = {
            option: Step(SHAPES[name], cell, rates, args.threads)
            for option, (cell, rates, _) in OPTIONS.items()
        }
        turns = take_turns(steps, args.seconds)
        print(f"{name}, {turns.n_calm} calm rounds of {len(turns.waiting)}")
        table = Table(["", "ms", "times the plain step"], first_width=20)
        for option, (*_, most) in OPTIONS.items():
            ratio = turns.ratio(option, "plain")
            table.row([option, f"{1e3 * turns.median(option):.2f}", f"x{ratio:.2f}"])
            if most:
                goals.append(Goal(f"{name}: {option}", ratio, most=most))
        print()
    goals.append(vocabularies(args))
    for goal in goals:
        print(goal)


if __name__ == "__main__":
    main()
