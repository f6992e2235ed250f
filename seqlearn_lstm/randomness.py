"""Random numbers of a training: each purpose draws from a stream of its own."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What random numbers are for."""

    INITIAL = 0  # parameters
    SHUFFLE = 1
    DROPOUT = 2
    VALIDATION = 3  # which sequences are held out


def random_stream(seed, purpose, epoch=0):
    """A generator that depends on its three numbers alone, so that a resumed run draws what an
    unbroken one would.
    """
    return np.random.default_rng([seed, purpose, epoch])
