"""What a step of a stream costs, beside `predict` of one sequence of one step.

python3 examples/benchmarks/stream.py
"""

import argparse

import numpy as np
from _timing import Goal, Table, machine, print_facts, take_turns

from seqlearn_lstm import LSTMClassifier

STEPS_A_TURN = 100
SIZES = {"100": (100,), "2 x 128": (128, 128)}


def classifier(sizes, n_features=8):
    """A classifier that has seen a little."""
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((20, n_features)) for _ in range(20)]
    return LSTMClassifier(sizes, max_iter=1, random_state=0).fit(X, np.arange(20) % 3)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10, help="for each size (default: 10)")
    args = parser.parse_args()
    print_facts(machine(1))
    table, goals = Table(["units", "push us", "predict us"], first_width=10), []
    for name, sizes in SIZES.items():
        model = classifier(sizes)
        steps = np.random.default_rng(1).standard_normal((STEPS_A_TURN, 8)).astype(np.float32)
        stream = model.stream()

        def push(stream=stream, steps=steps):
            for step in steps:
                stream.push(step)

        def predict(model=model, steps=steps):
            for step in steps:
                model.predict(step[None, None])

        turns = take_turns({"push": push, "predict": predict}, args.seconds)
        us = {kind: 1e6 * turns.median(kind) / STEPS_A_TURN for kind in ("push", "predict")}
        table.row([name, f"{us['push']:.1f}", f"{us['predict']:.1f}"])
        goals.append(Goal(f"us a step at {name} units", us["push"], most=50))
    print()
    print(goals[0])


if __name__ == "__main__":
    main()
