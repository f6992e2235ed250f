"""One LSTM layer beside ``torch.nn.LSTM``: forward, and a training step, in float32 on the CPU.

    python3 examples/benchmarks/against_torch.py

The package's side is what `fit` does for a layer: plan the batch, gather its inputs, forward,
transpose the recurrent weights, back-propagate through time, gradients of the weights. PyTorch gets
time-major inputs, which it likes best. Outputs and gradients are compared before anything is timed.
"""

import argparse
import json
from importlib.util import find_spec
from pathlib import Path

from _layer import DENSE, Layer, Shape, largest_difference
from _needed import require
from _peak import Peak
from _timing import (
    Goal,
    Table,
    geometric_mean,
    machine,
    print_facts,
    take_turns,
)

from seqlearn_lstm.kernels import get_backend

if find_spec("torch"):  # --help works without it
    import torch
    from _torch import TorchLayer

TOLERANCE = 1e-4

SHAPES = {str(shape): shape for shape in DENSE} | {
    "bidirectional": Shape(64, 50, 64, 128, bidirectional=True),
    "ragged": Shape(64, 100, 64, 128, ragged=True),
}


def check(name, ours, torchs):
    """Outputs and gradients must agree."""
    ours.step()
    torchs.step()
    error = largest_difference(ours.results(), torchs.results())
    if not error <= TOLERANCE:
        raise SystemExit(f"{name}: outputs or gradients differ by {error:.1e} of the largest value")


def measure(name, shape, n_jobs, seconds):
    """The figures of one shape."""
    ours = Layer(shape.lengths(), shape.I, shape.H, shape.bidirectional, n_jobs)
    torchs, peak = TorchLayer(shape.lengths(), ours, shape.ragged), Peak(n_jobs)
    check(name, ours, torchs)
    calls = {"ours step": ours.step, "torch step": torchs.step, "peak": peak}
    calls |= {"ours forward": ours.forward, "torch forward": torchs.forward}
    turns = take_turns(calls, seconds)
    figures = {"shape": name, "rounds": len(turns.waiting), "calm rounds": turns.n_calm}
    figures["peak Gflop/s"] = peak.flops / turns.median("peak") / 1e9
    for kind in ("step", "forward"):
        figures[kind] = {
            "ours ms": 1e3 * turns.median(f"ours {kind}"),
            "torch ms": 1e3 * turns.median(f"torch {kind}"),
            "ratio": turns.ratio(f"torch {kind}", f"ours {kind}"),
            "of fastest": turns.best_ratio(f"torch {kind}", f"ours {kind}"),
            "of peak": peak.share(turns, f"ours {kind}", ours.flops(kind == "step")),
        }
    return figures


def goals(figures):
    """The goals that the measured shapes can tell about."""
    dense = [row for row in figures if not SHAPES[row["shape"]].ragged]
    for kind, what, mean, least in (
        ("step", "training step", 2.5, 1.4),
        ("forward", "forward", 2.0, 1.2),
    ):
        ratios = {row["shape"]: row[kind]["ratio"] for row in dense}
        if ratios:
            worst = min(ratios, key=ratios.get)
            yield Goal(
                f"{what}: geometric mean of {len(ratios)} ratios",
                geometric_mean(ratios.values()),
                mean,
            )
            yield Goal(f"{what}: smallest ratio ({worst})", ratios[worst], least)
    for row in figures:
        if row not in dense:
            yield Goal("ragged batch: training step", row["step"]["ratio"], 3)
            yield Goal("ragged batch: forward", row["forward"]["ratio"], 3)


def cells(row):
    """A row of the table."""
    values = [row["shape"]]
    for kind in ("step", "forward"):
        figures = row[kind]
        values += [
            f"{figures['ours ms']:.3f}",
            f"{figures['torch ms']:.3f}",
            f"x{figures['ratio']:.2f}",
        ]
        values += [f"x{figures['of fastest']:.2f}", f"{100 * figures['of peak']:.0f} %"]
    return [*values, f"{row['peak Gflop/s']:.0f}", f"{row['calm rounds']}/{row['rounds']}"]


COLUMNS = [
    "B x T x I x H",
    *2 * ["ours ms", "torch ms", "ratio", "fastest", "of peak"],
    "peak",
    "calm",
]

LEGEND = """\
ratio: PyTorch's time / ours, the median over the rounds; fastest: of each one's fastest call
of peak: our share of the multiply-add peak, padding not counted; peak: Gflop/s, all threads
calm: rounds in which other processes took no core away; if there are none, distrust the figures
                 training step                               forward"""


def main():
    """Measure and print."""
    args = parse_arguments()
    require("torch")
    torch.set_num_threads(args.threads)
    facts = machine(
        args.threads, PyTorch=f"{torch.__version__}, {torch.backends.cpu.get_cpu_capability()}"
    )
    print_facts(facts)
    print(LEGEND)
    table, figures = Table(COLUMNS, first_width=16), []
    for name in args.shapes:
        figures.append(measure(name, SHAPES[name], args.threads, args.seconds))
        table.row(cells(figures[-1]))
    print()
    for goal in goals(figures):
        print(goal)
    if args.json:
        Path(args.json).write_text(json.dumps({"machine": facts, "shapes": figures}, indent=1))


def parse_arguments():
    """The command line."""
    available = get_backend("cpu").available_threads()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--threads", type=int, default=available, help="of both sides (default: all)"
    )
    parser.add_argument("--seconds", type=float, default=10, help="for each shape (default: 10)")
    parser.add_argument(
        "--shapes", nargs="+", choices=SHAPES, default=list(SHAPES), metavar="SHAPE"
    )
    parser.add_argument("--json", metavar="FILE", help="write all figures to a file")
    args = parser.parse_args()
    if not 1 <= args.threads <= available:
        parser.error(f"--threads must be between 1 and {available}")
    return args


if __name__ == "__main__":
    main()
