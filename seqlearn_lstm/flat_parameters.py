"""The parameters of a network in one flat array `theta`, their gradients in another of the same
layout, with views of both for each part: solvers see the flat arrays only. The table of an
embedding alone stands apart, for a batch touches few of its rows.
"""

import numpy as np

ALIGNMENT = 16  # elements: a line of the cache, in the smaller precision


class FlatParameters:
    """What has `parts` and perhaps an embedding, and their parameters.

    Attributes
    ----------
    theta, gradient : ndarray of shape (n,)
        All parameters but the embedding's and their gradients, in the backend's own layout; padding
        is zero and stays so.
    embedding : Embedding or None
    """

    def _lay_out(self):
        """Make the flat arrays, and bind the parts to them."""
        sizes = [size for part in self.parts for size in part.sizes]
        self.theta, self.gradient = (
            self.kernels.zeros(sum(map(_whole, sizes)), self.dtype) for _ in range(2)
        )
        both = zip(self._arrays(self.theta), self._arrays(self.gradient), strict=True)
        for (part, values), (_, slopes) in both:
            part.bind(values, slopes)

    def initial_parameters(self, rng):
        """Draw canonical parameters, float64: {name: array}."""
        parts = [self.embedding, *self.parts] if self.embedding else self.parts
        return _named((part, part.initial(rng)) for part in parts)

    def set_parameters(self, parameters):
        """Take canonical parameters {name: array}."""
        self.pack(parameters, self.theta)
        if self.embedding:
            self.embedding.pack(_of(self.embedding, parameters))

    def get_parameters(self, gradient=False):
        """Canonical parameters (or their gradients) {name: array}, copies."""
        found = self.unpack(self.gradient if gradient else self.theta)
        if self.embedding:
            found |= _named([(self.embedding, self.embedding.unpack(gradient))])
        return found

    def pack(self, canonical, flat):
        """Canonical arrays {name: array} into a flat one like `theta`."""
        for part, arrays in self._arrays(flat):
            part.pack(_of(part, canonical), arrays)

    def unpack(self, flat):
        """A flat array like `theta` as canonical ones {name: array} of the host, copies."""
        found = _named((part, part.unpack(arrays)) for part, arrays in self._arrays(flat))
        return {name: np.array(value) for name, value in found.items()}  # no views of larger ones

    def _arrays(self, flat):
        """Yield each part with its views of a flat array."""
        views = _cut(flat, [size for part in self.parts for size in part.sizes])
        for part in self.parts:
            n = len(part.sizes)
            yield part, views[:n]
            views = views[n:]

    def weight_views(self):
        """Pairs of views (weights, their gradients) without the biases: what L2 decay is for."""
        for part in self.parts:
            yield from part.decayed()


def _named(parts):
    """{"key.name": array} from pairs (part, {name: array})."""
    return {f"{part.key}.{name}": value for part, arrays in parts for name, value in arrays.items()}


def _of(part, canonical):
    """The arrays of one part, by their names without its key."""
    prefix = f"{part.key}."
    return {
        name.removeprefix(prefix): value
        for name, value in canonical.items()
        if name.startswith(prefix)
    }


def _whole(size):
    """Elements up to the next cache line: each part's parameters start at one."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def _cut(flat, sizes):
    """Views of `sizes` elements, each from the start of a cache line."""
    starts = np.cumsum([0, *map(_whole, sizes)])
    return [flat[start : start + size] for start, size in zip(starts, sizes, strict=False)]
