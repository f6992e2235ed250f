"""What an LSTM with options has besides its weights: the options as numbers, and its further
parameters.

extras (9, Hp) flat   rows of one vector of units each, zero in padded units:
    P, P + 1, P + 2   peepholes of i, f, o        GAIN ... GAIN + 3   gains of i, f, g, o
    CELL_GAIN         gain of the cell state      CELL_SHIFT          what is added to it

sums (B, 13, Hp) flat   a row for each sequence: what its steps add to the gradient of each row of extras,
    BIAS ... BIAS + 3   and to that of the biases of i, f, g, o

Canonical: p (3 H,) i, f, o; gain (4 H,) i, f, g, o; cell_gain (H,); cell_shift (H,). The rows of an
option that is off are not read, and their gradient is zero.
"""

from typing import NamedTuple

import numpy as np

from .layout import padded

P, GAIN, CELL_GAIN, CELL_SHIFT, EXTRAS = 0, 3, 7, 8, 9
BIAS, SUMS = EXTRAS, EXTRAS + 4


class Options(NamedTuple):
    """The options as integers, for kernels.

    The first three are 0 or 1; the activations are numbers of `squash`.
    """

    peephole: int
    forget_gate: int
    layer_norm: int
    activation: int
    output_activation: int


def lstm_extras_size(n_units, dtype):
    """Number of elements of `extras`."""
    return EXTRAS * padded(n_units, dtype)


def lstm_sums_size(n_units, dtype):
    """Number of elements of `sums` for each sequence."""
    return SUMS * padded(n_units, dtype)


def pack_lstm_extras(p, gain, cell_gain, cell_shift, flat):
    """Write canonical parameters into `flat`, an `extras`."""
    rows = flat.reshape(EXTRAS, -1)
    values = np.concatenate([p, gain, cell_gain, cell_shift]).reshape(EXTRAS, -1)
    rows[:, : values.shape[1]] = values
    rows[:, values.shape[1] :] = 0


def unpack_lstm_extras(flat, n_units):
    """Read canonical (p, gain, cell_gain, cell_shift) out of an `extras`, as new arrays."""
    rows = flat.reshape(EXTRAS, -1)[:, :n_units]
    parts = rows[:GAIN], rows[GAIN:CELL_GAIN], rows[CELL_GAIN], rows[CELL_SHIFT]
    return tuple(part.flatten() for part in parts)
