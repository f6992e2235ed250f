"""Numbers and arrays into arrays, by kernels: views of memory of any strides."""

from typing import NamedTuple

from .primitives import SIMULATED, cuda, kernel

THREADS, MOST_BLOCKS = (4, 3) if SIMULATED else (256, 2**12)


class Matrix(NamedTuple):
    """A matrix within flat memory: element (i, j) is ``flat[start + i * down + j * across]``."""

    flat: object
    start: int
    down: int
    across: int
    n_rows: int
    n_columns: int


@kernel
def _fill(x, start, down, across, n_rows, n_columns, value):
    for k in range(cuda.grid(1), n_rows * n_columns, cuda.gridsize(1)):
        x[start + k // n_columns * down + k % n_columns * across] = value


@kernel
def _copy(x, start, down, across, n_rows, n_columns, y, y_start, y_down, y_across):
    for k in range(cuda.grid(1), n_rows * n_columns, cuda.gridsize(1)):
        i, j = k // n_columns, k % n_columns
        x[start + i * down + j * across] = y[y_start + i * y_down + j * y_across]


@kernel
def _add(x, start, down, across, n_rows, n_columns, y, y_start, y_down, y_across):
    for k in range(cuda.grid(1), n_rows * n_columns, cuda.gridsize(1)):
        i, j = k // n_columns, k % n_columns
        x[start + i * down + j * across] += y[y_start + i * y_down + j * y_across]


def fill(target, value):
    """Write a number of the target's dtype to all elements."""
    _launch(_fill, target, value)


def copy(target, source):
    """Write a matrix; one of a single row or column is repeated."""
    _launch(_copy, target, *_repeated(target, source))


def add(target, source):
    """Add a matrix."""
    _launch(_add, target, *_repeated(target, source))


def _launch(function, target, *more):
    n = target.n_rows * target.n_columns
    if n:
        function[min(-(-n // THREADS), MOST_BLOCKS), THREADS](*target, *more)


def _repeated(target, source):
    """The source's first four fields; it stays in its row, or column, where it has only one."""
    shapes = (source.n_rows, source.n_columns), (target.n_rows, target.n_columns)
    if any(n not in (1, m) for n, m in zip(*shapes, strict=True)):
        raise ValueError(f"cannot copy an array of shape {shapes[0]} into one of shape {shapes[1]}")
    down = source.down if source.n_rows > 1 else 0
    return source.flat, source.start, down, source.across if source.n_columns > 1 else 0
