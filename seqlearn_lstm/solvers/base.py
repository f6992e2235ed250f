"""What all solvers share: settings that are checked, and a state of plain arrays and numbers."""

from .._named import Named


class Solver(Named):
    """Base of the solvers. One of its own has `_slots` and `_update`."""

    _slots = ()  # names of the state's arrays, each like theta

    @property
    def kind(self):
        """A name of what the state means: one solver's is of no use to another kind."""
        return " ".join((type(self).__name__, *self._slots))

    def start(self, kernels, theta):
        """The state before the first update: {name: array like theta}, and the number of
        updates.
        """
        arrays = {name: kernels.zeros(theta.shape, theta.dtype) for name in self._slots}
        return {"n_updates": 0, **arrays}

    def step(self, kernels, theta, gradient, state, learning_rate, scale, n_jobs):
        """Update theta and the state in place; the gradient counts `scale` times, a number that may
        still be on a device.
        """
        state["n_updates"] += 1
        arrays = theta, gradient, *(state[name] for name in self._slots)
        self._update(kernels, arrays, state, float(learning_rate), scale, n_jobs)
