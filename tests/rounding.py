"""Rounding of numbers, by arithmetic rather than by their bits."""

import numpy as np


def nearest(x, bits):
    """The nearest numbers with so many bits of mantissa, the first one counted; of two, the even one."""
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa * 2**bits) / 2**bits, exponent)
