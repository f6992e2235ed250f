"""The inputs W, R, B and P of ONNX's operators ``LSTM``, ``GRU`` and ``RNN``."""

import numpy as np

from ..architecture import DIRECTIONS
from .gates import (
    PEEPHOLES,
    array,
    canonical,
    checked_cell,
    directions,
    layer_key,
    permuted,
    translated,
)


def from_onnx(W, R, B=None, P=None, *, linear_before_reset=False, layer=0):
    """Canonical parameters from those of one of ONNX's recurrent operators.

    Parameters
    ----------
    W : array-like of shape (n_directions, n_gates * H, n_in)
        Weights of the inputs, the forward direction first. An ``LSTM`` has the gates i, o, f, c, a
        ``GRU`` z, r, h.
    R : array-like of shape (n_directions, n_gates * H, H)
        Weights of the states.
    B : array-like of shape (n_directions, 2 * n_gates * H), default=None
        Biases of the inputs and then of the states; None: zeros.
    P : array-like of shape (n_directions, 3 * H), default=None
        Peepholes of an ``LSTM``, gates i, o, f; None: there are none.
    linear_before_reset : bool, default=False
        The attribute of a ``GRU``; PyTorch writes files with 1.
    layer : int, default=0
        The number of the layer, from the bottom; the results for several are combined with ``|``.

    Returns
    -------
    parameters : dict of str to ndarray
        "layer_0.forward.W" and so on, for ``cell="lstm"`` (``LSTM(peephole=True)`` with `P`),
        ``"gru"`` (``GRU(reset_after=False)`` without `linear_before_reset`) or ``"rnn"``.

    Raises
    ------
    ValueError
        If shapes disagree, or `layer` is no whole number.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm.persistence import from_onnx
    >>> from_onnx(np.ones((1, 8, 3)), np.ones((1, 8, 2)))["layer_0.forward.W"].shape
    (3, 8)
    """
    W, R = array(W, "W"), array(R, "R")
    if W.ndim != 3 or R.ndim != 3 or len(W) != len(R) or len(W) not in (1, 2):
        raise ValueError(
            f"W has shape {W.shape} and R {R.shape}; expected three dimensions, of which the first "
            "is the number of directions, 1 or 2"
        )
    n_columns, H = R.shape[1:]
    B = np.zeros((len(W), 2 * n_columns), W.dtype) if B is None else array(B, "B")
    P = None if P is None else array(P, "P")
    for name, value, width in (("B", B, 2 * n_columns), ("P", P, 3 * H)):
        if value is not None and value.shape != (len(W), width):
            raise ValueError(f"{name} has shape {value.shape}; expected ({len(W)}, {width})")
    if P is not None and n_columns != 4 * H:
        raise ValueError(f"P was given with R of shape {R.shape}; expected it beside an LSTM only")
    found = {}
    for number, direction in enumerate(DIRECTIONS[: len(W)]):
        key, biases = layer_key(layer, direction), np.split(B[number], 2)
        found |= canonical(
            key, W[number].T, R[number].T, *biases, "onnx", bool(linear_before_reset)
        )
        if P is not None:
            found[f"{key}.p"] = permuted(P[number], PEEPHOLES["onnx"], PEEPHOLES["here"])
    return found


def to_onnx(parameters, cell="lstm", *, layer=0):
    """The inputs of one of ONNX's recurrent operators from canonical parameters.

    Parameters
    ----------
    parameters : dict of str to ndarray
        As a fitted estimator has them in `parameters_`; those of other layers are ignored.
    cell : {"lstm", "gru", "rnn"} or cell object, default="lstm"
        The cell that they belong to. A GRU needs the attribute ``linear_before_reset=1``, unless it
        is ``GRU(reset_after=False)``; a cell with another activation than tanh needs `activations`,
        for each direction: ``["Relu"]`` for ``RNN("relu")``, ``["Sigmoid", "Relu", "Relu"]`` for
        ``LSTM(activation="relu")``.
    layer : int, default=0
        The number of the layer.

    Returns
    -------
    inputs : dict of str to ndarray
        "W", "R", "B" and, with peepholes, "P", of the shapes that `from_onnx` takes.

    Raises
    ------
    ValueError
        If ONNX has no such cell, or shapes disagree.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm.persistence import to_onnx
    >>> parameters = {"layer_0.forward.W": np.ones((3, 8)), "layer_0.forward.U": np.ones((2, 8))}
    >>> to_onnx(parameters | {"layer_0.forward.b": np.ones(8)})["B"].shape
    (1, 16)
    """
    cell, parts, both = checked_cell(cell, "onnx"), [], directions(parameters, layer)
    # All directions have peepholes or none, and other cells none.
    given = any("p" in arrays for _, arrays in both)
    peephole = hasattr(cell, "peephole") and (cell.peephole or given)
    for key, arrays in both:
        W, U, b_in, b_states = translated(key, arrays, cell, "onnx", peephole)
        parts.append({"W": W.T, "R": U.T, "B": np.concatenate([b_in, b_states])})
        if peephole:
            parts[-1]["P"] = permuted(arrays["p"], PEEPHOLES["here"], PEEPHOLES["onnx"])
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}
