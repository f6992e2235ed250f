"""What a step of a stream costs, beside `predict` of one sequence of one step; and how many symbols
a language model writes in a second.

python3 examples/benchmarks/stream.py
"""

import argparse

import numpy as np
from _timing import Goal, Table, machine, print_facts, take_turns

from seqlearn_lstm import LSTMClassifier, LSTMLanguageModel

STEPS_A_TURN = 100
SYMBOLS_A_TURN = 200
SIZES = {"100": (100,), "2 x 128": (128, 128)}


def classifier(sizes, n_features=8):
    """A classifier that has seen a little."""
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((20, n_features)) for _ in range(20)]
    return LSTMClassifier(sizes, max_iter=1, random_state=0).fit(X, np.arange(20) % 3)


def writer(sizes, n_symbols=65):
    """A language model that has seen a little."""
    codes = np.random.default_rng(0).integers(n_symbols, size=2_000)
    text = "".join(chr(ord("0") + code) for code in codes)
    return LSTMLanguageModel(sizes, max_iter=1, random_state=0).fit(text)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10, help="for each size (default: 10)")
    args = parser.parse_args()
    print_facts(machine(1))
    columns = ["units", "push us", "predict us", "written a second"]
    table, goals = Table(columns, first_width=10), []
    for name, sizes in SIZES.items():
        model, language = classifier(sizes), writer(sizes)
        steps = np.random.default_rng(1).standard_normal((STEPS_A_TURN, 8)).astype(np.float32)
        stream = model.stream()

        def push(stream=stream, steps=steps):
            for step in steps:
                stream.push(step)

        def predict(model=model, steps=steps):
            for step in steps:
                model.predict(step[None, None])

        def write(language=language):
            language.generate(n=SYMBOLS_A_TURN, random_state=0)

        calls = {"push": push, "predict": predict, "write": write}
        turns = take_turns(calls, args.seconds)
        us = {kind: 1e6 * turns.median(kind) / STEPS_A_TURN for kind in ("push", "predict")}
        written = SYMBOLS_A_TURN / turns.median("write")
        table.row([name, f"{us['push']:.1f}", f"{us['predict']:.1f}", f"{written:.0f}"])
        goals.append(Goal(f"us a step at {name} units", us["push"], most=50))
        goals.append(Goal(f"symbols written in a second at {name} units", written, least=5_000))
    print()
    print(goals[0], goals[-1], sep="\n")


if __name__ == "__main__":
    main()
