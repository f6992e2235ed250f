"""Whole fits beside skorch and a plain PyTorch loop; memory; what a first fit takes.

    python3 examples/benchmarks/fit.py

All data is split into parts; an epoch over a part is one turn. Modules, solvers and what else a fit
sets up are made anew in each turn, on all sides.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import cycle, pairwise
from pathlib import Path

import numpy as np
from _fits import CANDIDATES, make_data
from _layer import Layer
from _needed import require
from _peak import Peak
from _timing import Goal, machine, print_facts, take_turns

from seqlearn_lstm.kernels import get_backend

IMPORTS = {
    "Python": "pass",
    "numba": "import numba",
    "scikit-learn": "from sklearn.neural_network import MLPClassifier",
    "seqlearn_lstm": "import seqlearn_lstm",
}
FIRST_FIT = """
from seqlearn_lstm import LSTMClassifier
from seqlearn_lstm.datasets import load_japanese_vowels
X, y = load_japanese_vowels(subset="train", return_X_y=True)
LSTMClassifier(max_iter=1).fit(X, y)
"""

# ---- in processes of their own -----------------------------------------------------------------


def run(arguments, environment):
    """(seconds, output) of a fresh Python."""
    start = time.perf_counter()
    process = subprocess.run(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, check=True
    )
    return time.perf_counter() - start, process.stdout


def import_seconds(repeats):
    """{module: median seconds of a process that imports it}, the modules taking turns."""
    seconds = {name: [] for name in IMPORTS}
    for _ in range(repeats + 1):
        for name, code in IMPORTS.items():
            seconds[name].append(run(["-c", code], os.environ)[0])
    return {name: statistics.median(values[1:]) for name, values in seconds.items()}


def first_fits(environment, repeats):
    """Seconds of a process that fits, the cache of kernels being empty, and then filled."""
    empty, *filled = (run(["-c", FIRST_FIT], environment)[0] for _ in range(1 + repeats))
    return {"empty": empty, "filled": statistics.median(filled)}


def memory(environment, args):
    """{candidate: {"before": MiB, "peak": MiB}} of one fit."""
    script = str(Path(__file__).with_name("_fits.py"))
    sizes = [str(args.sequences), str(args.threads)]
    return {name: json.loads(run([script, name, *sizes], environment)[1]) for name in CANDIDATES}


def processes(args):
    """What only a fresh process can tell."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}
        return {
            "first fit": first_fits(environment, args.repeats),
            "import": import_seconds(args.repeats),
            "memory": memory(environment, args),
        }


# ---- in this process, taking turns -------------------------------------------------------------


def epochs(args):
    """Each candidate's epoch over a part: seconds, ratio to ours, loss."""
    X, y = make_data(args.sequences)
    bounds = np.linspace(0, args.sequences, args.parts + 1, dtype=int)
    parts = [(X[start:stop], y[start:stop]) for start, stop in pairwise(bounds)]
    losses = {}

    def turn_of(name):
        fit, turns = CANDIDATES[name](args.threads), cycle(parts)

        def turn():
            losses[name] = fit(*next(turns))

        return turn

    turns = take_turns({name: turn_of(name) for name in CANDIDATES}, args.seconds, fewest_calls=1)
    return {
        name: {"s": turns.median(name), "ratio": turns.ratio(name, "ours"), "loss": losses[name]}
        for name in CANDIDATES
    } | {"calm rounds": turns.n_calm, "rounds": len(turns.waiting)}


def shares_of_peak(args):
    """What a large layer reaches."""
    layer = Layer(np.full(128, 50), 512, 512, bidirectional=False, n_jobs=args.threads)
    peak = Peak(args.threads)
    calls = {"step": layer.step, "forward": layer.forward, "peak": peak}
    turns = take_turns(calls, args.seconds / 3)
    return {
        "step": peak.share(turns, "step", layer.flops(training=True)),
        "forward": peak.share(turns, "forward", layer.flops(training=False)),
        "peak Gflop/s": peak.flops / turns.median("peak") / 1e9,
    }


# ---- what is printed ---------------------------------------------------------------------------


def report(figures, args):
    """All figures, then those that have a goal."""
    fits, peak = figures["epochs"], figures["peak"]
    n = args.sequences // args.parts
    print(f"one epoch over {n} sequences, {fits['calm rounds']}/{fits['rounds']} rounds calm")
    for name in CANDIDATES:
        row, mib = fits[name], figures["memory"][name]
        print(
            f"  {name:8} {1e3 * row['s']:8.1f} ms  x{row['ratio']:.2f}   loss {row['loss']:.3f}   "
            f"memory {mib['peak']:.0f} MiB, of which {mib['before']:.0f} before the fit"
        )
    print(
        f"multiply-add peak of {args.threads} threads: {peak['peak Gflop/s']:.0f} Gflop/s; "
        f"of it, forward at B 128, H 512: {100 * peak['forward']:.0f} %"
    )
    imports = ", ".join(f"{name} {seconds:.2f}" for name, seconds in figures["import"].items())
    print(f"seconds of a process that imports: {imports}\n")
    for goal in (
        Goal("an epoch, skorch's time / ours", fits["skorch"]["ratio"], least=2.5),
        Goal("an epoch, a plain PyTorch loop's time / ours", fits["plain"]["ratio"], least=1.8),
        Goal("training step at B 128, H 512, % of the peak", 100 * peak["step"], least=60),
        Goal("seconds to import", figures["import"]["seqlearn_lstm"], most=1.5),
        Goal("seconds to a first fit, empty cache", figures["first fit"]["empty"], most=12),
        Goal("seconds to a first fit, filled cache", figures["first fit"]["filled"], most=2),
    ):
        print(goal)


def main():
    """Measure and print."""
    args = parse_arguments()
    require("torch", "skorch")
    import skorch
    import torch  # before any kernel has run: see _torch.py

    figures = processes(args)
    figures |= {"epochs": epochs(args), "peak": shares_of_peak(args)}
    facts = machine(args.threads, PyTorch=torch.__version__, skorch=skorch.__version__)
    print_facts(facts)
    report(figures, args)
    if args.json:
        Path(args.json).write_text(json.dumps({"machine": facts, **figures}, indent=1))


def parse_arguments():
    """The command line."""
    available = get_backend("cpu").available_threads()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--threads", type=int, default=available, help="of all sides (default: all)"
    )
    parser.add_argument("--sequences", type=int, default=20_000, help="in all (default: 20000)")
    parser.add_argument(
        "--parts", type=int, default=5, help="that they are split into (default: 5)"
    )
    parser.add_argument("--seconds", type=float, default=60, help="for the epochs (default: 60)")
    parser.add_argument("--repeats", type=int, default=5, help="of fresh processes (default: 5)")
    parser.add_argument("--json", metavar="FILE", help="write all figures to a file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
