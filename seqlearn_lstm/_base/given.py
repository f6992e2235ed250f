"""What a caller gives to a fit, in the form in which it came."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

BESIDE = "sample_weight", "lengths", "initial_states"  # fields that X and y may come without


@dataclass(frozen=True)
class Given:
    """Sequences, and what belongs to them, as a caller gives them; None: nothing."""

    X: Any = None
    y: Any = None
    sample_weight: Any = None
    lengths: Any = None
    initial_states: Any = None


NOTHING = Given()


def check_others(given, others):
    """Raise ValueError where `others` are no validation data beside what is `given` to learn from."""
    if (others.X is None) != (others.y is None):
        raise ValueError("X_val and y_val belong together; got only one of them")
    names = [name for name in BESIDE if getattr(others, name) is not None]
    if others.X is None and names:
        raise ValueError(f"{names[0]}_val was given without X_val and y_val; expected all of them")
    if given.lengths is not None and others.lengths is None and getattr(others.X, "ndim", 1) > 1:
        raise ValueError(
            f"lengths was given with X, but X_val has shape {others.X.shape} and no lengths_val; "
            "expected lengths_val, or X_val as a list of sequences"
        )


def uncut(estimator, given, sequences):
    """X and y as they came; where lengths say how X is cut, which who gets them would not know, as
    lists.
    """
    if given.lengths is None:
        return given.X, given.y
    every = np.arange(len(sequences))
    y = None if given.y is None else estimator._part_of(given.y, sequences, every)
    return pieces(given.X, sequences), y


def pieces(X, sequences):
    """The sequences that X was cut into by lengths: of rows in a DataFrame, with its columns."""
    if not hasattr(X, "iloc"):
        return list(sequences)
    return [X.iloc[start:stop] for start, stop in pairwise(sequences.offsets)]


def some(values, indices):
    """The values at `indices`, of a collection, an array or a table, such as a frame of polars."""
    found = _safe_indexing(values, indices)
    return tuple(found) if isinstance(values, tuple) else found
