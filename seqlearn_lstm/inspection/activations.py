"""The states and gates of a layer while it reads one sequence."""

import numpy as np
from sklearn.utils import Bunch

from ..architecture import DIRECTIONS
from .reading import position, read_one


def states(estimator, x, *, layer=-1, direction="forward", initial_states=None):
    """The states and gates of one layer at each step of one sequence.

    Parameters
    ----------
    estimator : fitted estimator
        One of this package; or a pipeline, a search or another meta-estimator that ends in one: x
        then goes through the earlier steps of the pipeline first. For an `LSTMEncoder`, the states
        are those of the estimator that it contains.
    x : array-like of shape (n_timesteps, n_features), list of symbols, or str
        One sequence, in the form of those in `fit`; for a language model, it may be empty.
    layer : int, default=-1
        Which of the recurrent layers, 0 being the lowest; -1: the highest.
    direction : {"forward", "backward"}, default="forward"
        Which direction of the layer; backward only where the network is bidirectional.
    initial_states : array-like of shape (1, n_states), default=None
        The states before the first step, as ``final_states`` of the estimator returns them; a
        language model then starts from these states, without its start mark.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        With the attributes

        activations : dict of str to ndarray of shape (n_timesteps_seen, n_units)
            "h", the hidden states after each step; of an LSTM "c", the cell states; and the gates:
            of an LSTM "i", "f" (where it has one), "g" and "o", of a GRU "r", "u" and "n".
        steps : ndarray of int of shape (n_timesteps_seen,)
            Which steps of x were read: all, unless `max_timesteps` cuts x.
        symbols : list or None
            The symbol at each of them; None where steps are numbers.
        n_timesteps : int
            Steps of x; for a language model, including its start mark, which is step 0.

    Raises
    ------
    ValueError, TypeError
        If x cannot be read, or there is no such layer or direction.

    See Also
    --------
    seqlearn_lstm.display.StateDisplay : Draws them.

    Notes
    -----
    Row t belongs to step t in both directions: the backward one has then read x from its end up to
    and including step t. The gates g and n are the candidates for the new state, between -1 and 1;
    the others are between 0 and 1. With other activations than tanh, g has their range.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm import LSTMClassifier
    >>> from seqlearn_lstm.inspection import states
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((n, 2)) for n in rng.integers(5, 20, 20)]
    >>> y = ["up" if x.sum() > 0 else "down" for x in X]
    >>> model = LSTMClassifier((8,), max_iter=5, random_state=0).fit(X, y)
    >>> found = states(model, X[0])
    >>> {name: values.shape for name, values in found.activations.items()}["f"] == (len(X[0]), 8)
    True
    >>> list(found.activations)
    ['h', 'c', 'i', 'f', 'g', 'o']
    """
    reading = read_one(estimator, x, initial_states)
    network, batch = reading.network, reading.batch
    depth = position(layer, len(network.layers), "layer")
    number = _direction_number(direction, network.architecture.n_directions)
    states = network.states(batch, reading.rows, True, given=reading.given)[depth][number]
    return Bunch(
        activations=_in_time(network, batch, network.layers[depth][number], states),
        steps=reading.steps,
        symbols=reading.symbols,
        n_timesteps=reading.n_timesteps,
    )


def _direction_number(direction, n_directions):
    expected = DIRECTIONS[:n_directions]
    if direction not in expected:
        raise ValueError(
            f"direction is {direction!r}; expected {' or '.join(map(repr, expected))}"
            + (", for the network is not bidirectional" if n_directions == 1 else "")
        )
    return expected.index(direction)


def _in_time(network, batch, part, states):
    """States after, and gates of, each step in the order of time."""
    after = batch.reversed_after if part.backward else batch.after
    slots = batch.reverse if part.backward else np.arange(batch.n_slots)
    found = {
        kind: lie.rows[after, lie.column : lie.column + part.n_units]
        for kind, lie in zip("hc"[: part.n_kinds], (states, states.of_cells()), strict=False)
    }
    gates = part.gate_activations(batch, network.work)
    return found | {letter: values[slots] for letter, values in gates.items()}
