"""Dropout: which values are left out while a network trains.

Masks are functions of (seed, epoch, layer, sequence, unit) and of nothing else, one for all steps
of a sequence (Gal and Ghahramani 2016); where windows are updates of their own, one for all steps
of a window. Inputs and the outputs of layers may have one for each step instead, told by its row in
the data (Zaremba, Sutskever and Vinyals 2014). So they do not depend on threads or on the batch, and
a resumed run leaves out what an unbroken one would have left out.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .randomness import Purpose

INPUTS, OUTPUTS, RECURRENT, EMBEDDING = range(4)
FIRST_BITS = 32  # the window's first step, above the number of the sequence


@dataclass(frozen=True)
class Rates:
    """The share of values left out, in [0, 1): of the inputs, of the outputs of each recurrent
    layer, of the states on their way to the next step, of the symbols. `per_step`: whether inputs and
    outputs are left out anew at each step.
    """

    inputs: float = 0.0
    outputs: float = 0.0
    recurrent: float = 0.0
    embedding: float = 0.0
    per_step: bool = False

    def any(self):
        return any((self.inputs, self.outputs, self.recurrent, self.embedding))


class Mask(NamedTuple):
    """What values are multiplied by, and where: row r of it belongs to ``slots[t] + r``, for each t,
    where r is below ``live[t]``.
    """

    values: Any
    live: np.ndarray
    slots: np.ndarray


class Masks:
    """The masks of an epoch.

    Parameters
    ----------
    per_window : bool, default=False
        Whether each window of a sequence has masks of its own.
    """

    def __init__(self, kernels, dtype, rates, seed, epoch, per_window=False, n_jobs=1):
        self.per_window, self.n_jobs = per_window, n_jobs
        self.kernels, self.dtype, self.rates = kernels, np.dtype(dtype), rates
        self.seed, self.epoch, self.keys = seed, epoch, {}
        self.batch, self.made = None, {}  # of the last batch

    def key(self, kind, layer=0):
        """What tells these masks from all others."""
        if (kind, layer) not in self.keys:
            numbers = [self.seed, Purpose.DROPOUT, self.epoch, kind, layer]
            state = np.random.SeedSequence(numbers).generate_state(1, np.uint64)
            self.keys[kind, layer] = state[0]
        return self.keys[kind, layer]

    def numbers(self, batch):
        """What tells the sequences of a batch from all others, (B,)."""
        return batch.members + (batch.first << FIRST_BITS if self.per_window else 0)

    def inputs(self, batch, width, backward=False):
        """The `Mask` of the inputs, in the order in which a direction reads them, or None. Symbols
        that are left in make up for the others.
        """
        mask = self._between(batch, width, self.rates.inputs, INPUTS, 0, backward)
        if not self.rates.embedding:
            return mask
        name, made = (EMBEDDING, backward and self.rates.per_step), self._made_of(batch)
        if name not in made:
            n = len(batch) if mask is None else len(mask.values)
            whole = self.kernels.zeros((n, width), self.dtype)
            whole[...] = 1 / (1 - self.rates.embedding)
            if mask is not None:
                plan = _side_by_side(n)
                self.kernels.scale_rows(whole, 0, mask.values, *plan, width, self.n_jobs)
            made[name] = whole
        where = (batch.live, batch.slots) if mask is None else mask[1:]
        return Mask(made[name], *where)

    def outputs(self, batch, width, layer, backward=False):
        """The `Mask` of the outputs of a layer, likewise, or None."""
        return self._between(batch, width, self.rates.outputs, OUTPUTS, layer, backward)

    def features(self, batch, width, layer, pooling):
        """The `Mask` of the outputs of the top layer, pooled, or None."""
        if pooling.per_step:
            return self.outputs(batch, width, layer)
        values = self._made(batch, width, self.rates.outputs, (OUTPUTS, layer), self.numbers)
        return None if values is None else Mask(values, *_side_by_side(len(batch)))

    def recurrent(self, batch, width, direction):
        """(B, width) for the states of one direction of a layer, or None."""
        return self._made(batch, width, self.rates.recurrent, (RECURRENT, direction), self.numbers)

    def _between(self, batch, width, rate, kind, layer, backward):
        if not self.rates.per_step:
            values = self._made(batch, width, rate, (kind, layer), self.numbers)
            return None if values is None else Mask(values, batch.live, batch.slots)
        numbers = _backward_rows if backward else _rows
        values = self._made(batch, width, rate, (kind, layer), numbers)
        return None if values is None else Mask(values, *_side_by_side(batch.n_slots))

    def _made(self, batch, width, rate, name, numbers):
        """What (kind, layer) multiplies, a row for each of the numbers of a batch; None: all stays."""
        if not rate:
            return None
        made = self._made_of(batch)
        if (name, numbers) not in made:
            rows = numbers(batch)
            mask = self.kernels.zeros((len(rows), width), self.dtype)
            self.kernels.dropout_mask(mask, rows, self.key(*name), float(rate), self.n_jobs)
            made[name, numbers] = mask
        return made[name, numbers]

    def _made_of(self, batch):
        """What was made for a batch: the way back needs it again."""
        if batch is not self.batch:
            self.batch, self.made = batch, {}
        return self.made


def _rows(batch):
    """What tells the steps of a batch from all others, (n_slots,)."""
    return batch.source


def _backward_rows(batch):
    return batch.reversed_source


@lru_cache(maxsize=256)  # so that a device, which keeps what it has seen, need not read it again
def _side_by_side(n):
    """(live, slots) of n rows of their own."""
    return np.array([n]), np.array([0, n, n])


class NoMasks:
    """Nothing is left out: predictions, and training without dropout."""

    rates = Rates()

    def key(self, kind, layer=0):
        return np.uint64(0)

    def numbers(self, batch):
        return batch.members

    def inputs(self, *_):
        return None

    outputs = features = recurrent = inputs
