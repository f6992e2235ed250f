"""The weights of Keras' ``LSTM``, ``GRU`` and ``SimpleRNN`` layers."""

import numpy as np

from ..architecture import DIRECTIONS
from .gates import array, canonical, check_alike, checked_cell, directions, layer_key, translated


def from_keras(weights, *, layer=0, reset_after=True):
    """Canonical parameters from those of one of Keras' recurrent layers.

    Parameters
    ----------
    weights : list of ndarray
        ``layer.get_weights()``, of one layer at a time: kernel, recurrent kernel and, if there is
        one, bias; of a ``Bidirectional`` layer those of the forward and then of the backward one.
    layer : int, default=0
        The number of the layer, from the bottom; the results for several are combined with ``|``.
    reset_after : bool, default=True
        For a GRU without a bias, whether its reset gate is applied after the product; the shape of
        a bias says so by itself.

    Returns
    -------
    parameters : dict of str to ndarray
        "layer_0.forward.W" and so on, for ``cell="lstm"``, ``"gru"`` (``GRU(reset_after=False)``
        where there is no "layer_0.forward.b_n") or ``"rnn"``.

    Raises
    ------
    TypeError
        If `weights` is no list.
    ValueError
        If the number of arrays is another, shapes disagree, or `layer` is no whole number.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm.persistence import from_keras
    >>> weights = [np.ones((3, 8)), np.ones((2, 8)), np.ones(8)]
    >>> sorted(from_keras(weights))
    ['layer_0.forward.U', 'layer_0.forward.W', 'layer_0.forward.b']
    """
    if not np.iterable(weights):
        raise TypeError(
            f"weights is a {type(weights).__name__}; expected a list of arrays, layer.get_weights()"
        )
    arrays = [array(value, f"weights[{k}]") for k, value in enumerate(weights)]
    if len(arrays) not in (2, 3, 4, 6):
        raise ValueError(
            f"there are {len(arrays)} arrays; expected kernel, recurrent kernel and perhaps bias, "
            "once, or twice where the layer is bidirectional"
        )
    n_directions = 1 if len(arrays) < 4 else 2
    size, found = len(arrays) // n_directions, {}
    for number, direction in enumerate(DIRECTIONS[:n_directions]):
        W, U, *bias = arrays[number * size : (number + 1) * size]
        biases, after = (None, None), reset_after
        if bias:  # two rows: of the inputs, of the states
            after = bias[0].ndim == 2
            biases = tuple(bias[0]) if after else (bias[0], None)
            if len(biases) != 2:
                raise ValueError(f"a bias has shape {bias[0].shape}; expected (2, 3 * units)")
        found |= canonical(layer_key(layer, direction), W, U, *biases, "keras", after)
    check_alike(found, layer, "for a bidirectional layer; give the weights of one layer at a time")
    return found


def to_keras(parameters, cell="lstm", *, layer=0):
    """The weights of one of Keras' recurrent layers from canonical parameters.

    Parameters
    ----------
    parameters : dict of str to ndarray
        As a fitted estimator has them in `parameters_`; those of other layers are ignored.
    cell : {"lstm", "gru", "rnn"} or cell object, default="lstm"
        The cell that they belong to. One with another activation than tanh needs a layer with the
        same `activation`.
    layer : int, default=0
        The number of the layer.

    Returns
    -------
    weights : list of ndarray
        For ``layer.set_weights``: kernel, recurrent kernel and bias; twice, the backward ones last,
        where there are two directions.

    Raises
    ------
    ValueError
        If Keras has no such cell, or shapes disagree.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm.persistence import to_keras
    >>> parameters = {"layer_0.forward.W": np.ones((3, 8)), "layer_0.forward.U": np.ones((2, 8))}
    >>> [w.shape for w in to_keras(parameters | {"layer_0.forward.b": np.ones(8)})]
    [(3, 8), (2, 8), (8,)]
    """
    cell, weights = checked_cell(cell, "keras"), []
    for key, arrays in directions(parameters, layer):
        W, U, b_in, b_states = translated(key, arrays, cell, "keras")
        two_rows = getattr(cell, "reset_after", False)
        weights += [W, U, np.stack([b_in, b_states]) if two_rows else b_in]
    return weights
