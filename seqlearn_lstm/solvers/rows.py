"""Updates of some rows of a table: what an embedding needs."""

import numpy as np


def step_rows(solver, kernels, table, rows, gradient, state, *settings):
    """Update some rows of a table and of its state; the others are not touched, as if they had not
    been in the batch at all ("lazy" in TensorFlow, `SparseAdam` in PyTorch).

    The numbers of the state belong to the whole table.

    table, and the state's arrays  (n, width);  rows (k,) distinct;  gradient (k, width)
    """
    arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
    compact = state | {name: value[rows].reshape(-1) for name, value in arrays.items()}
    values = table[rows].reshape(-1)
    solver.step(kernels, values, gradient.reshape(-1), compact, *settings)
    table[rows] = values.reshape(gradient.shape)
    for name, value in arrays.items():
        value[rows] = compact.pop(name).reshape(gradient.shape)
    state.update(compact)
