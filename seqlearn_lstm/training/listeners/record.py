"""A record of a training: chosen numbers, every so many updates, in a bounded buffer.

The buffer is thinned when it is full: every second entry stays, and from then on twice as many
updates lie between two. So the whole training stays in it, evenly, with its first update.
"""

import numpy as np

from ..listener import Listener
from .gates import CANDIDATES, GateReader, saturated

SETTINGS = ("names", "every", "size")


def _statistics(values):
    """Of an array, in float64."""
    values = values.astype(np.float64)
    return {
        "norm": float(np.sqrt(np.square(values).sum())),
        "mean": float(values.mean()),
        "std": float(values.std()),
        "min": float(values.min()),
        "max": float(values.max()),
    }


def _of_arrays(prefix, arrays):
    """{"prefix.name of the array.statistic": number}."""
    return {
        f"{prefix}.{name}.{statistic}": value
        for name, values in arrays.items()
        for statistic, value in _statistics(values).items()
    }


def _weights(task, update, gates):
    return _of_arrays("weights", task.network.get_parameters())


def _gradients(task, update, gates):
    return _of_arrays("gradients", task.network.get_parameters(gradient=True))


def _gates(task, update, gates):
    found = {}
    for key, values in gates.read(update.batch.members):
        for letter, gate in values.items():
            found |= _of_arrays("gates", {f"{key}.{letter}": gate})
            if letter not in CANDIDATES:
                found[f"gates.{key}.{letter}.saturated"] = float(saturated(gate))
    return found


# name -> function(task, update, gates) that gives {column: number}
QUANTITIES = {
    "loss": lambda task, update, gates: {"loss": update.loss},
    "norm": lambda task, update, gates: {"norm": update.norm},
    "rate": lambda task, update, gates: {"rate": update.rate},
    "weights": _weights,
    "gradients": _gradients,
    "gates": _gates,
}
LATE = {"loss", "norm"}  # what may be on a device until after the epoch


class Recorder(Listener):
    """Keeps what is asked for; ``state.record`` is brought up to date after each epoch.

    Parameters
    ----------
    names : collection of str
        Of `QUANTITIES`; their order means nothing.
    every : int
        Updates from one entry to the next, at first.
    size : int
        Most entries.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown.
    """

    def __init__(self, names, every, size):
        self.names, self.every, self.size = _checked(names), int(every), int(size)

    def begin(self, task, state):
        self.gates = GateReader(task)
        if "gates" in self.names and not self.gates.has_gates:
            raise ValueError(
                f'record has "gates", but a cell of "{task.network.architecture.cell[0]}" has none; '
                f"expected some of {sorted(set(QUANTITIES) - {'gates'})}"
            )
        settings = {name: getattr(self, name) for name in SETTINGS}
        past = state.record
        if past is None or any(past[name] != settings[name] for name in SETTINGS):
            past = settings | {"step": self.every, "n_updates": 0, "columns": {}}
        self.step, self.n_updates = past["step"], past["n_updates"]
        self.columns = {name: list(values) for name, values in past["columns"].items()}

    def after_update(self, task, state, update):
        if self.n_updates % self.step == 0 and len(self.columns.get("update", ())) == self.size:
            self._thin()
        if self.n_updates % self.step == 0:
            entry = {"update": self.n_updates + 1, "epoch": state.epoch + 1}
            for name in self.names:
                entry |= QUANTITIES[name](task, update, self.gates)
            for name, value in entry.items():
                self.columns.setdefault(name, []).append(value)
        self.n_updates += 1

    def _thin(self):
        for values in self.columns.values():
            del values[1::2]
        self.step *= 2

    def after_epoch(self, task, state, seconds):
        for name in LATE.intersection(self.columns):
            self.columns[name] = list(map(float, self.columns[name]))
        state.record = {name: getattr(self, name) for name in SETTINGS} | {
            "step": self.step,
            "n_updates": self.n_updates,
            "columns": {name: list(values) for name, values in self.columns.items()},
        }
        return False


def as_arrays(record):
    """``state.record`` for the user: {name: array}, all of one length."""
    return {name: np.array(values) for name, values in record["columns"].items()}


def _checked(names):
    names = tuple(names)
    unknown = [name for name in names if not (isinstance(name, str) and name in QUANTITIES)]
    if unknown:
        raise ValueError(f"record has {unknown}; expected some of {sorted(QUANTITIES)}")
    # In one order: a set has another in each process, and none says what is recorded.
    return tuple(name for name in QUANTITIES if name in names)
