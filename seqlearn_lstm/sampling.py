"""Drawing a symbol from scores, as language models do when they write."""

from numbers import Integral, Real

import numpy as np


def draw(scores, rng, temperature=1.0, top_k=None, top_p=None):
    """Draw the index of one score.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Logarithms of probabilities, up to a constant; -inf is never drawn.
    rng : RandomState
        One number is drawn from it, whatever the parameters are.
    temperature : float, default=1
        What scores are divided by: below 1, likely ones become likelier; 0: the largest is taken.
    top_k : int, default=None
        Only the k largest; None: all. Equal ones: the first.
    top_p : float, default=None
        Only the fewest largest whose probabilities add up to at least this (Holtzman et al. 2020);
        None: all.

    Returns
    -------
    index : int
    """
    number = rng.random_sample()
    if temperature == 0:
        return int(scores.argmax())
    order = np.argsort(-scores, kind="stable")[:top_k]
    below = scores[order].astype(np.float64) - scores[order[0]]
    with np.errstate(over="ignore", under="ignore"):  # in the cold, all but the largest become 0
        weights = np.exp(below / temperature)
    sums = np.cumsum(weights)
    if top_p is not None:
        sums = sums[: 1 + int(np.searchsorted(sums, top_p * sums[-1]))]
    return int(order[np.searchsorted(sums, number * sums[-1], side="right")])


def check_sampling(temperature, top_k, top_p):
    """Raise ValueError where `draw` cannot work."""
    if not (isinstance(temperature, Real) and 0 <= temperature < np.inf):
        raise ValueError(f"temperature is {temperature!r}; expected a number of at least 0")
    if top_k is not None and not (isinstance(top_k, Integral) and top_k >= 1):
        raise ValueError(f"top_k is {top_k!r}; expected a whole number of at least 1, or None")
    if top_p is not None and not (isinstance(top_p, Real) and 0 < top_p <= 1):
        raise ValueError(f"top_p is {top_p!r}; expected a probability above 0, or None")
