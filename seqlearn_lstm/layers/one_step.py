"""A single step of a recurrent layer: what streams are made of."""


class OneStep:
    """One direction of a recurrent layer, and the memory of one step of one sequence.

    Parameters
    ----------
    part : Recurrent
        On the CPU, with its parameters; it reads forward.
    batch : Batch
        Of one sequence of one step.
    work : Workspace
    """

    def __init__(self, part, batch, work):
        self.part, self.batch, self.work = part, batch, work
        self.z = work.array(part.key, "z", (2, part.row_stride))
        self.z[:] = 0
        self.z[:, 0] = 1
        self.arrays = part._state_arrays(batch, self.z, work, keep=False)
        part._set_initial(batch, self.arrays, None)

    def states(self):
        """Views of the states before the next step."""
        width = self.part.n_padded
        return [array[0, column : column + width] for array, column in self.arrays]

    def step(self, x):
        """From inputs (n_in,) to the states after the step (n_units,), from which the next one starts."""
        part, (rows, column) = self.part, self.arrays[0]
        self.z[0, 1 : 1 + part.n_in] = x
        part._forward(self.batch, self.z, self.arrays, part.no_rows, self.work, 1, False)
        rows[0, column : column + part.n_padded] = rows[1, column : column + part.n_padded]
        return rows[0, column : column + part.n_units]
