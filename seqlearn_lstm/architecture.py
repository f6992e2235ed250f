"""A network as data: numbers and names, from which ``Network`` builds it."""

from dataclasses import dataclass
from itertools import pairwise

DIRECTIONS = ("forward", "backward")


@dataclass(frozen=True)
class Architecture:
    """Plain values only: what a fitted estimator keeps.

    Attributes
    ----------
    n_in : int
        Features of a step; symbols of the vocabulary where there is an embedding.
    hidden_layer_sizes : tuple of int
        Units of each recurrent layer, from the bottom.
    bidirectional : bool
    pooling : str
        A name of ``pooling.POOLINGS``.
    n_out : int
        Scores a sequence, or a step.
    cell : tuple of (str, dict)
        A name of ``cells.CELLS``, and its settings.
    embedding_dim : int or None
        Numbers that stand for a symbol; None: the inputs are numbers.
    input_projection : int or None
        Outputs of the dense layer over the inputs; None: there is none.
    learn_initial : bool
        Whether the states before the first step are parameters.
    """

    n_in: int
    hidden_layer_sizes: tuple
    bidirectional: bool
    pooling: str
    n_out: int
    cell: tuple = ("lstm", {})
    embedding_dim: int | None = None
    input_projection: int | None = None
    learn_initial: bool = False

    @property
    def n_directions(self):
        return 2 if self.bidirectional else 1

    @property
    def n_features(self):
        """Width of the pooled states."""
        return self.hidden_layer_sizes[-1] * self.n_directions

    @property
    def n_inputs(self):
        """Numbers of a step, before the projection."""
        return self.embedding_dim or self.n_in

    def recurrent_layers(self):
        """Yield (key, n_in, n_units, backward) for each direction of each layer, from the
        bottom.
        """
        bottom = self.input_projection or self.n_inputs
        widths = [bottom, *(size * self.n_directions for size in self.hidden_layer_sizes)]
        for layer, (n_in, n_out) in enumerate(pairwise(widths)):
            for backward, name in enumerate(DIRECTIONS[: self.n_directions]):
                key = f"layer_{layer}.{name}"
                yield key, n_in, n_out // self.n_directions, bool(backward)
