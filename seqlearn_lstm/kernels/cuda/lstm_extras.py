"""What an LSTM with options has besides its weights: its further parameters.

extras (9, H) flat   rows of one vector of units each:
    P, P + 1, P + 2   peepholes of i, f, o        GAIN ... GAIN + 3   gains of i, f, g, o
    CELL_GAIN         gain of the cell state      CELL_SHIFT          what is added to it

sums (B, 13, H) flat   a row for each sequence: what its steps add to the gradient of each row of extras,
    BIAS ... BIAS + 3   and to that of the biases of i, f, g, o

Canonical: p (3 H,) i, f, o; gain (4 H,) i, f, g, o; cell_gain (H,); cell_shift (H,), of the host: one
after the other they are extras.
"""

import numpy as np

from .memory import to_host

P, GAIN, CELL_GAIN, CELL_SHIFT, EXTRAS = 0, 3, 7, 8, 9
BIAS, SUMS = EXTRAS, EXTRAS + 4


def lstm_extras_size(n_units, dtype):
    """Elements of `extras`."""
    return EXTRAS * n_units


def lstm_sums_size(n_units, dtype):
    """Elements of `sums` for each sequence."""
    return SUMS * n_units


def pack_lstm_extras(p, gain, cell_gain, cell_shift, flat):
    """Canonical parameters into `extras`."""
    values = np.concatenate([*map(to_host, (p, gain, cell_gain, cell_shift))])
    flat[...] = values.astype(flat.dtype)


def unpack_lstm_extras(flat, n_units):
    """`extras` to canonical (p, gain, cell_gain, cell_shift), as new arrays."""
    rows = to_host(flat).reshape(EXTRAS, n_units)
    parts = rows[:GAIN], rows[GAIN:CELL_GAIN], rows[CELL_GAIN], rows[CELL_SHIFT]
    return tuple(part.flatten() for part in parts)
