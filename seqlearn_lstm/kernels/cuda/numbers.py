"""Numbers that are still on the device, so that launches go on while nobody needs them.

Kernels write them into boards: arrays of float64, each slot of which is written once. The first
number of a board that is asked for brings all that stand on it to the host.
"""

import threading

import numpy as np

from .memory import empty, to_device, to_host

SIZE = 2**12  # slots of a board


class Board:
    """Slots for numbers, and what of them has come to the host."""

    def __init__(self):
        self.memory, self.n_taken, self.values = empty(SIZE, np.float64), 0, np.empty(0)

    def value(self, slot):
        if slot >= self.values.size:
            self.values = to_host(self.memory[: self.n_taken])
        return float(self.values[slot])


class Number:
    """``offset`` + the sum of ``factor`` times the number in a slot, over ``terms`` (board, slot,
    factor).

    ``float(number)`` waits for it. It can be added to numbers of both kinds, and multiplied with
    and divided by those of the host.
    """

    __slots__ = ("offset", "terms")
    __array_ufunc__ = None  # NumPy's numbers leave arithmetic to those below
    __eq__ = __bool__ = None  # errors: what every object has would be wrong in silence

    def __init__(self, terms, offset=0.0):
        self.terms, self.offset = terms, offset

    def __float__(self):
        total = self.offset
        for board, slot, factor in self.terms:
            total += factor * board.value(slot)
        return total

    def __add__(self, other):
        if isinstance(other, Number):
            return Number(self.terms + other.terms, self.offset + other.offset)
        return Number(self.terms, self.offset + float(other))

    def __mul__(self, factor):
        factor = float(factor)
        terms = tuple((board, slot, factor * before) for board, slot, before in self.terms)
        return Number(terms, factor * self.offset)

    def __truediv__(self, divisor):
        return self * (1 / divisor)

    __radd__, __rmul__ = __add__, __mul__

    def __reduce__(self):
        raise TypeError("a number on the device cannot be pickled; float(number) can")


class _Boards(threading.local):
    current = None  # the board of a thread of the host that has slots left


_boards = _Boards()


def take_slots(n):
    """Room for n numbers: an array (n,) for a kernel to write to, and what it will have written."""
    board = _boards.current
    if board is None or board.n_taken + n > SIZE:
        board = _boards.current = Board()
    first = board.n_taken
    board.n_taken += n
    numbers = [Number(((board, slot, 1.0),)) for slot in range(first, first + n)]
    return board.memory[first : first + n], numbers


def as_array(number):
    """A number of either kind as an array (1,), float64, that kernels read."""
    if isinstance(number, Number) and number.offset == 0 and len(number.terms) == 1:
        ((board, slot, factor),) = number.terms
        if factor == 1:
            return board.memory[slot : slot + 1]
    return to_device(np.array([float(number)]))
