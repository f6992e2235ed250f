"""States as features: what an encoder makes of the states of a network's top layer."""

import numpy as np

from ..layers import States
from ..pooling import POOLINGS
from ..unrolling import pooled, runs


def state_features(network, sequences, initial, pooling, kinds, difference):
    """Run sequences through a network and pool the states of its top layer.

    Parameters
    ----------
    network : Network
    sequences : Sequences
    initial : ndarray of shape (n_sequences, state_width) or None
        The states to start from.
    pooling : str
        A key of `POOLINGS`: how the steps become features. It need not be the network's own.
    kinds : sequence of {"h", "c"}
        Hidden states, cell states, or both.
    difference : bool
        Whether to pool the changes from step to step instead of the states.

    Returns
    -------
    features : ndarray of shape (n_sequences, n_features), or (n_rows, n_features) of single steps
        In the order of the container; columns by kind, then by direction, then by unit.
    """
    pooling = POOLINGS[pooling]
    n_rows = len(sequences.rows) if pooling.per_step else len(sequences)
    found = np.empty((n_rows, len(kinds) * network.architecture.n_features), network.dtype)

    def begin(batch):
        shape = len(pooling.index(batch)), found.shape[1]
        return network.work.array("encoder", "features", shape)

    def add(window, states, features):
        column = 0
        for part, state in _top_layer(network, window, states[-1], kinds, difference):
            pooling.add(part, window, state, features, column, network.work, network.n_jobs)
            column += part.n_units

    for run in runs(network, sequences, initial):
        for batch, features in pooled(run, pooling, begin, add, keep="c" in kinds):
            pooling.end(network.kernels, batch, features, 0, network.work)
            index = pooling.index(batch)
            found[index[index >= 0]] = network.kernels.to_host(features)[index >= 0]
    return found


def _top_layer(network, window, states, kinds, difference):
    """Yield, for each kind, the directions of the top layer and what is pooled of their states."""
    for kind in kinds:
        for part, state in zip(network.layers[-1], states, strict=True):
            state = state.of_cells() if kind == "c" else state
            if difference:
                state = _changes(network.kernels, window, state, part.n_units)
            yield part, state


def _changes(kernels, window, state, n_units):
    """The change that each step made, in the place of the state after it."""
    values = kernels.to_host(state.rows)[:, state.column : state.column + n_units]
    changes = np.zeros_like(values)
    known = window.after >= 0
    after, before = window.after[known], np.flatnonzero(known)
    changes[after] = values[after] - values[before]
    return States(kernels.to_device(changes), 0)
