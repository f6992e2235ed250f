"""Dropout: which values are left out while a network trains.

Masks are functions of (seed, epoch, layer, sequence, unit) and of nothing else, one for all steps
of a sequence (Gal and Ghahramani 2016); where windows are updates of their own, one for all steps
of a window. So they do not depend on threads or on the batch, and a resumed run leaves out what an
unbroken one would have left out.
"""

from dataclasses import dataclass

import numpy as np

PURPOSE = 2  # of random numbers, beside those of ``training``
INPUTS, OUTPUTS, RECURRENT, EMBEDDING = range(4)
FIRST_BITS = 32  # the window's first step, above the number of the sequence


@dataclass(frozen=True)
class Rates:
    """The share of values left out, in [0, 1): of the inputs, of the outputs of each recurrent
    layer, of the states on their way to the next step, of the symbols.
    """

    inputs: float = 0.0
    outputs: float = 0.0
    recurrent: float = 0.0
    embedding: float = 0.0

    def any(self):
        return any((self.inputs, self.outputs, self.recurrent, self.embedding))


class Masks:
    """The masks of an epoch.

    Parameters
    ----------
    per_window : bool, default=False
        Whether each window of a sequence has masks of its own.
    """

    def __init__(self, kernels, dtype, rates, seed, epoch, per_window=False):
        self.per_window = per_window
        self.kernels, self.dtype, self.rates = kernels, np.dtype(dtype), rates
        self.seed, self.epoch, self.keys = seed, epoch, {}
        self.batch, self.made = None, {}  # those of the last batch: the way back needs them again

    def key(self, kind, layer=0):
        """What tells these masks from all others."""
        if (kind, layer) not in self.keys:
            numbers = [self.seed, PURPOSE, self.epoch, kind, layer]
            state = np.random.SeedSequence(numbers).generate_state(1, np.uint64)
            self.keys[kind, layer] = state[0]
        return self.keys[kind, layer]

    def numbers(self, batch):
        """What tells the sequences of a batch from all others, (B,)."""
        return batch.members + (batch.first << FIRST_BITS if self.per_window else 0)

    def inputs(self, batch, width):
        """(B, width) for the inputs, or None. Symbols that are left in make up for the others."""
        mask = self._mask(batch, width, self.rates.inputs, INPUTS, 0)
        if not self.rates.embedding:
            return mask
        whole = self.kernels.zeros((len(batch), width), self.dtype)
        whole[...] = 1 / (1 - self.rates.embedding)
        if mask is not None:
            n = len(batch)
            self.kernels.scale_rows(whole, 0, mask, np.array([n]), np.array([0, n, n]), width, 1)
        return whole

    def outputs(self, batch, width, layer):
        """(B, width) for the outputs of a layer, or None."""
        return self._mask(batch, width, self.rates.outputs, OUTPUTS, layer)

    def recurrent(self, batch, width, direction):
        """(B, width) for the states of one direction of a layer, or None."""
        return self._mask(batch, width, self.rates.recurrent, RECURRENT, direction)

    def _mask(self, batch, width, rate, kind, layer):
        if not rate:
            return None
        if batch is not self.batch:
            self.batch, self.made = batch, {}
        if (kind, layer) not in self.made:
            mask = self.kernels.zeros((len(batch), width), self.dtype)
            self.kernels.dropout_mask(mask, self.numbers(batch), self.key(kind, layer), float(rate))
            self.made[kind, layer] = mask
        return self.made[kind, layer]


class NoMasks:
    """Nothing is left out: predictions, and training without dropout."""

    rates = Rates()

    def key(self, kind, layer=0):
        return np.uint64(0)

    def numbers(self, batch):
        return batch.members

    def inputs(self, batch, width):
        return None

    def outputs(self, batch, width, layer):
        return None

    recurrent = outputs
