"""Updates of some rows of a table: what an embedding needs."""


def step_rows(solver, kernels, table, rows, gradient, state, learning_rate, scale, n_jobs):
    """Update some rows of a table and of its state; the others are not touched, as if they had not
    been in the batch at all ("lazy" in TensorFlow, `SparseAdam` in PyTorch).

    The numbers of the state belong to the whole table.

    table, and the state's arrays  (n, width);  rows (k,) distinct;  gradient (k, width)
    """
    arrays = {name: value for name, value in state.items() if hasattr(value, "shape")}
    width = table.shape[1]

    def taken(array):
        some = kernels.zeros(gradient.shape, gradient.dtype)
        kernels.gather(array, 0, rows, some, 0, width, n_jobs)
        return some

    values, compact = taken(table), {name: taken(array) for name, array in arrays.items()}
    flat = state | {name: some.reshape(-1) for name, some in compact.items()}
    solver.step(
        kernels, values.reshape(-1), gradient.reshape(-1), flat, learning_rate, scale, n_jobs
    )
    kernels.put_rows(values, rows, table, width, n_jobs)
    for name, array in arrays.items():
        kernels.put_rows(compact[name], rows, array, width, n_jobs)
    state.update({name: value for name, value in flat.items() if name not in arrays})
