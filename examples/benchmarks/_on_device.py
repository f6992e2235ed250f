"""What against_cudnn.py runs: results compared, then steps and epochs timed, shape by shape."""

import json
import traceback
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from _clock import Candidate, HostEvent
from _device_tables import KINDS, TABLES, goals
from _epochs import Data, TorchEpoch, ours
from _layer import Layer, Shape, largest_difference
from _timing import Table, machine, print_facts, take_turns
from _torch import TorchLayer, recorded
from numba import cuda

from seqlearn_lstm.kernels import get_backend

DENSE = (
    Shape(100, 28, 28, 100),
    Shape(32, 100, 128, 128),
    Shape(128, 50, 64, 200),
    Shape(128, 200, 64, 256),
    Shape(128, 50, 65, 512, n_layers=2),
    Shape(64, 100, 16, 32),
    Shape(64, 100, 64, 160),
)
TINY = (Shape(3, 6, 5, 7), Shape(4, 5, 3, 4, n_layers=2))

# Of the largest value of each array. Products of factors rounded to 10 bits, as tf32 has them, and
# all else in float64 gave 1e-3 at these shapes; the recurrent products alone, of factors rounded to 7
# bits, as bf16 has them, 4e-3.
TOLERANCE = {"float32": 1e-4, "tf32": 3e-3, "bf16": 1.5e-2}

TURN = 0.05  # seconds


class Bench:
    """What was asked for."""

    def __init__(self, args):
        self.simulate, self.precision, self.seconds = args.simulate, args.precision, args.seconds
        self.n_batches, self.torch_device = args.batches, "cpu" if args.simulate else "cuda"
        self.n_jobs = 1 if self.simulate else get_backend("cpu").available_threads()

    def layer(self, shape, **where):
        """The package's layers."""
        return Layer(shape.lengths(), shape.I, shape.H, n_layers=shape.n_layers, **where)

    def on_device(self, shape):
        """The same, on the device."""
        return self.layer(shape, device="cuda", precision=self.precision)

    def kinds(self, shape):
        """What PyTorch does with a shape."""
        return [
            kind for kind in KINDS
            if (shape.ragged or kind != "packed") and not (self.simulate and kind == "graph")
        ]  # fmt: skip

    def theirs(self, shape, layer):
        """{kind: (PyTorch's layers, their step)}."""

        def make(kind):
            given = kind == "packed", self.torch_device, self.precision
            torchs = TorchLayer(shape.lengths(), layer, *given)
            return torchs, recorded(torchs.step) if kind == "graph" else torchs.step

        return self._made(shape, make)

    def _made(self, shape, make):
        """{kind: make(kind)}, without those that PyTorch refuses: to record, for example."""
        found = {}
        for kind in self.kinds(shape):
            try:
                found[kind] = make(kind)
            except RuntimeError as error:
                print(f"{shape}: PyTorch, {kind}: {error}")
        return found

    # ---- each gives the figures of a shape -----------------------------------------------------

    def errors(self, shape):
        """How far results are from the processor's in float64; of `fit`, the loss of two updates
        from that in float32.
        """
        exact = self.layer(shape, n_jobs=self.n_jobs, dtype=np.float64)
        exact.step()
        expected, layer = exact.results(), self.on_device(shape)
        layer.step()
        row = {"ours": largest_difference(layer.results(), expected)}
        for kind, (torchs, step) in self.theirs(shape, layer).items():
            step()
            row[kind] = largest_difference(torchs.results(), expected)
        data = Data(shape, 2)
        on_host, on_device = (
            ours(data, device, self.precision, self.n_jobs)() for device in ("cpu", "cuda")
        )
        row["fit"] = abs(on_device / on_host - 1)
        row["right"] = all(row[name] <= TOLERANCE[self.precision] for name in ("ours", "fit"))
        return row

    def steps(self, shape):
        """A training step: microseconds for each step of time, ratios of neighbouring turns."""
        layer = self.on_device(shape)
        calls = {"ours": Candidate(layer.step, cuda.event)}
        for kind, (_, step) in self.theirs(shape, layer).items():
            calls[kind] = Candidate(step, lambda: torch.cuda.Event(enable_timing=True))
        turns = self._turns(calls)
        row = compared(turns, calls, 1e6 / shape.lengths().max())
        row["launching"] = calls["ours"].launching_seconds() / turns.median("ours")
        row["CPU"] = self._beside_cpu(shape, calls["ours"])
        return row

    def _beside_cpu(self, shape, on_device):
        """How many times longer a step takes on the processor, where there is a goal for it."""
        if shape.H < 256 or shape.B < 64:
            return None
        layer = self.layer(shape, n_jobs=self.n_jobs)
        calls = {"ours": on_device, "CPU": Candidate(layer.step, HostEvent)}
        return self._turns(calls, fewest_calls=1).ratio("CPU", "ours")

    def _turns(self, calls, fewest_calls=3):
        return take_turns(calls, self.seconds, TURN, fewest_calls, Candidate.seconds)

    def epochs(self, shape):
        """An epoch of `fit`: milliseconds, ratios of neighbouring turns."""
        data = Data(shape, self.n_batches)
        calls = {"ours": ours(data, "cuda", self.precision)}
        given = self.torch_device, self.precision
        calls |= self._made(shape, lambda kind: TorchEpoch(data, kind, *given))
        turns = take_turns(calls, self.seconds, fewest_calls=1)
        return compared(turns, calls, 1e3)


def compared(turns, calls, unit):
    """{"time": {name: median}, "ratio": {name: to ours}}."""
    return {
        "time": {name: unit * turns.median(name) for name in calls},
        "ratio": {name: turns.ratio(name, "ours") for name in calls if name != "ours"},
        "calm rounds": turns.n_calm,
        "rounds": len(turns.waiting),
    }


# ---- all of it ---------------------------------------------------------------------------------


def facts(bench):
    """Where the figures come from."""
    more = {"PyTorch": torch.__version__, "products": bench.precision}
    if not bench.simulate:
        major, minor = torch.cuda.get_device_capability()
        more |= {
            "device": f"{torch.cuda.get_device_name()}, sm_{major}{minor}",
            "numba-cuda": version("numba-cuda"),
            "CUDA of PyTorch": torch.version.cuda,
            "cuDNN": torch.backends.cudnn.version(),
        }
    return machine(bench.n_jobs, **more)


def run(args):
    """Compare, measure, print; returns the exit status."""
    if not args.simulate:
        torch.backends.cudnn.allow_tf32 = args.precision != "float32"
    bench = Bench(args)
    found = {"machine": facts(bench), "errors": [], "steps": [], "epochs": [], "failed": []}
    print_facts(found["machine"])
    shapes = over(bench.errors, chosen(args), found, args.json)
    if not (args.simulate or args.check):
        over(bench.steps, shapes, found, args.json)
        if args.batches:
            over(bench.epochs, shapes, found, args.json)
        print(*goals(found), sep="\n")
    wrong = [row["shape"] for row in found["errors"] if not row["right"]]
    if wrong or found["failed"]:
        print("wrong, or failed:", "; ".join(wrong + found["failed"]))
    return 1 if wrong or found["failed"] else 0


def chosen(args):
    """The shapes that were asked for, each with equal and with unequal lengths."""
    shapes = TINY if args.simulate else DENSE
    if args.shapes:
        shapes = [shape for shape in shapes if str(shape).partition(",")[0] in args.shapes]
    if not shapes:
        raise SystemExit(f"no such shape; expected some of {', '.join(map(str, DENSE))}")
    return [both for shape in shapes for both in (shape, shape._replace(ragged=True))]


def over(measure, shapes, found, file):
    """Measure shape by shape, print and keep the figures; returns the shapes that could be measured
    and are right. One that fails does not take the figures of the others with it.
    """
    name, good = measure.__name__, []
    legend, columns, cells = TABLES[name]
    print(legend)
    table = Table(columns, first_width=32)
    for shape in shapes:
        try:
            row = {"shape": str(shape)} | measure(shape)
        except Exception:
            traceback.print_exc()
            found["failed"].append(f"{name} of {shape}")
        else:
            found[name].append(row)
            table.row(cells(row))
            if row.get("right", True):
                good.append(shape)
        if file:
            Path(file).write_text(json.dumps(found, indent=1))
    print()
    return good
