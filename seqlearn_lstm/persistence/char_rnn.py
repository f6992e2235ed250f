"""The LSTM cell of char-rnn and of the nngraph tutorials: two linear layers, gates i, f, o, g."""

from .gates import array, canonical, checked_cell, directions, layer_key, translated

_NAMES = ("i2h.weight", "i2h.bias", "h2h.weight", "h2h.bias")


def from_char_rnn(i2h_weight, i2h_bias, h2h_weight, h2h_bias, *, layer=0):
    """Canonical parameters from the two linear layers of a Torch7 cell.

    ``i2h`` maps the inputs and ``h2h`` the states to the sums of the gates, of which the first three
    quarters, i, f and o, go through a sigmoid and the last, g, through tanh.

    Parameters
    ----------
    i2h_weight : array-like of shape (4 * H, n_in)
    i2h_bias : array-like of shape (4 * H,)
    h2h_weight : array-like of shape (4 * H, H)
    h2h_bias : array-like of shape (4 * H,)
    layer : int, default=0
        The number of the layer, from the bottom; the results for several are combined with ``|``.

    Returns
    -------
    parameters : dict of str to ndarray
        "layer_0.forward.W", "layer_0.forward.U" and "layer_0.forward.b", for ``cell="lstm"``.

    Raises
    ------
    ValueError
        If shapes disagree, or `layer` is no whole number.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm.persistence import from_char_rnn
    >>> parameters = from_char_rnn(np.ones((8, 3)), np.ones(8), np.ones((8, 2)), np.ones(8))
    >>> parameters["layer_0.forward.U"].shape
    (2, 8)
    """
    given = (i2h_weight, i2h_bias, h2h_weight, h2h_bias)
    W, b_in, U, b_states = (array(*pair) for pair in zip(given, _NAMES, strict=True))
    return canonical(layer_key(layer, "forward"), W.T, U.T, b_in, b_states, "char-rnn")


def to_char_rnn(parameters, *, layer=0):
    """The two linear layers of a Torch7 cell from canonical parameters.

    Parameters
    ----------
    parameters : dict of str to ndarray
        Of an LSTM in one direction, as a fitted estimator has them in `parameters_`; those of other
        layers are ignored.
    layer : int, default=0
        The number of the layer.

    Returns
    -------
    i2h_weight, i2h_bias, h2h_weight, h2h_bias : ndarray
        Of the shapes that `from_char_rnn` takes; the last one holds zeros.

    Raises
    ------
    ValueError
        If the layer has no such cell, or shapes disagree.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm.persistence import to_char_rnn
    >>> parameters = {"layer_0.forward.W": np.ones((3, 8)), "layer_0.forward.U": np.ones((2, 8))}
    >>> to_char_rnn(parameters | {"layer_0.forward.b": np.ones(8)})[0].shape
    (8, 3)
    """
    (key, arrays), *others = directions(parameters, layer)
    if others:
        raise ValueError(f"layer_{layer} has two directions; expected one")
    W, U, b_in, b_states = translated(key, arrays, checked_cell("lstm", "char-rnn"), "char-rnn")
    return W.T.copy(), b_in, U.T.copy(), b_states
