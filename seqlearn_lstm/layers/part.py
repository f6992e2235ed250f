"""What every part of a network with parameters has in common."""


class Part:
    """A part of a network: it knows its parameters, in the backend's layout and in the canonical
    one, and owns no memory.

    Subclasses set `key`, which begins the names of the parameters, and `sizes`: elements of each
    of the arrays that `bind` gives them.
    """

    def bind(self, values, slopes):
        """Take the arrays of the parameters and of their gradients, views of flat ones."""
        self.values, self.slopes = values, slopes

    @property
    def weights(self):
        return self.values[0]

    @property
    def gradient(self):
        return self.slopes[0]

    def initial(self, rng):
        """Draw canonical parameters, {name without the key: float64 array}."""
        raise NotImplementedError

    def pack(self, parameters, arrays):
        """Write canonical parameters {name: array} into arrays like `values`."""
        raise NotImplementedError

    def unpack(self, arrays):
        """Read canonical parameters out of arrays like `values`, as new arrays on the host: the
        inverse of `pack`.
        """
        raise NotImplementedError

    def decayed(self):
        """Yield pairs of views (weights, their gradients): what L2 decay is for, so no biases."""
        for values, slopes in zip(*map(self._panels, (self.weights, self.gradient)), strict=True):
            yield values[1:], slopes[1:]

    def _panels(self, flat):
        """The first array as a list of 2-D views whose row 0 is the bias."""
        raise NotImplementedError
