"""Moving rows of a batch, and sums over rows. A row of threads walks along the columns of a row;
`index` is an int64 array of the host.
"""

import numpy as np

from .launch import over, rows_over
from .memory import Scratch, to_host
from .primitives import cuda, first_row, kernel, row_step
from .reduce import sum_of_squares

_scratch = Scratch()


@kernel
def _gather(source, source_column, index, out, out_column, width):
    for k in range(first_row(), index.shape[0], row_step()):
        i = index[k]
        for j in range(cuda.threadIdx.x, width, cuda.blockDim.x):
            value = source[i, source_column + j] if i >= 0 else out.dtype.type(0)
            out[k, out_column + j] = value


def gather(source, source_column, index, out, out_column, width, n_jobs):
    """out[k, out_column + j] = source[index[k], source_column + j] for j < width; zeros where
    index[k] < 0.
    """
    rows_over(_gather, index.size, source, source_column, index, out, out_column, width)


@kernel
def _put_rows(source, index, out, width):
    for k in range(first_row(), index.shape[0], row_step()):
        for j in range(cuda.threadIdx.x, width, cuda.blockDim.x):
            out[index[k], j] = source[k, j]


def put_rows(source, index, out, width, n_jobs):
    """out[index[k], j] = source[k, j] for j < width; the rows of `index` are distinct."""
    rows_over(_put_rows, index.size, source, index, out, width)


@kernel
def _scatter_add(source, source_column, order, starts, rows, out, out_column, width):
    """rows[s] gets the rows order[starts[s]:starts[s + 1]] of the source, in this order."""
    for s in range(first_row(), rows.shape[0], row_step()):
        for j in range(cuda.threadIdx.x, width, cuda.blockDim.x):
            total = out[rows[s], out_column + j]
            for k in range(starts[s], starts[s + 1]):
                total += source[order[k], source_column + j]
            out[rows[s], out_column + j] = total


def scatter_add(source, source_column, index, out, out_column, width):
    """out[index[k], out_column + j] += source[k, source_column + j] for j < width, where
    index[k] >= 0, in order of k.
    """
    order = np.argsort(index, kind="stable")
    order = order[np.count_nonzero(index < 0) :]
    targets = index[order]
    changes = np.flatnonzero(np.diff(targets, prepend=-1))
    starts = np.append(changes, targets.size)
    args = (source, source_column, order, starts, targets[changes], out, out_column, width)
    rows_over(_scatter_add, changes.size, *args)


@kernel
def _sum_rows(x, first, out):
    for j in range(cuda.grid(1), out.shape[0], cuda.gridsize(1)):
        total = out.dtype.type(0)
        for r in range(first, x.shape[0]):
            total += x[r, j]
        out[j] = total


def sum_rows(x, first, out):
    """out (n,) = the sum of x[first:, :n] over rows, in their order."""
    over(_sum_rows, out.size, x, first, out)


@kernel
def _add_scaled(values, factor, out):
    for k in range(cuda.grid(1), out.shape[0], cuda.gridsize(1)):
        out[k] += factor * values[k]


def add_decay(values, slopes, strength):
    """slopes += strength * values, for contiguous arrays of one shape; returns the sum of squares
    of the values.
    """
    values = values.reshape(-1)
    over(_add_scaled, values.size, values, values.dtype.type(strength), slopes.reshape(-1))
    return sum_of_squares(values)


def take(source, index, column, width):
    """source[index, column : column + width], as a new array of the host."""
    n = index.size
    taken = _scratch.array("taken", n * width, source.dtype).reshape(n, width)
    gather(source, column, index, taken, 0, width, 1)
    return to_host(taken)
