"""The inputs of ONNX's operators ``LSTM``, ``GRU`` and ``RNN``: W, R, B, P, initial_h and initial_c."""

import numpy as np

from ..architecture import DIRECTIONS
from .gates import (
    FIRST_STATES,
    PEEPHOLES,
    array,
    canonical,
    checked_cell,
    directions,
    layer_key,
    permuted,
    translated,
)

_INITIAL = dict(zip(FIRST_STATES, ("initial_h", "initial_c"), strict=True))


def from_onnx(
    W, R, B=None, P=None, *, initial_h=None, initial_c=None, linear_before_reset=False, layer=0
):
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
    initial_h, initial_c : array-like of shape (n_directions, 1, H), default=None
        First states, the same for every sequence, and, of an ``LSTM``, first cell states. None: zeros;
        if both are, there are no parameters of them.
    linear_before_reset : bool, default=False
        The attribute of a ``GRU``; PyTorch writes files with 1.
    layer : int, default=0
        The number of the layer, from the bottom; the results for several are combined with ``|``.

    Returns
    -------
    parameters : dict of str to ndarray
        "layer_0.forward.W" and so on, for ``cell="lstm"`` (``LSTM(peephole=True)`` with `P`),
        ``"gru"`` (``GRU(reset_after=False)`` without `linear_before_reset`) or ``"rnn"``;
        ``initial_state="learned"`` with first states.

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
    B = np.zeros((len(W), 2 * n_columns), W.dtype) if B is None else B
    given = {"B": B, "P": P, "initial_h": initial_h, "initial_c": initial_c}
    given = {name: array(value, name) for name, value in given.items() if value is not None}
    _check_given(given, R)
    found = {}
    found = {}
    for number, direction in enumerate(DIRECTIONS[: len(W)]):
        key, biases = layer_key(layer, direction), np.split(given["B"][number], 2)
        found |= canonical(
            key, W[number].T, R[number].T, *biases, "onnx", bool(linear_before_reset)
        )
        if "P" in given:
            found[f"{key}.p"] = permuted(given["P"][number], PEEPHOLES["onnx"], PEEPHOLES["here"])
        if given.keys() & set(_INITIAL.values()):
            states = FIRST_STATES if n_columns == 4 * H else FIRST_STATES[:1]
            zeros = np.zeros((len(W), 1, H), R.dtype)
            found |= {f"{key}.{k}": given.get(_INITIAL[k], zeros)[number, 0] for k in states}
    return found


def _check_given(given, R):
    """Raise ValueError where {name: array} of what comes beside W and R does not go with R."""
    n_directions, n_columns, H = R.shape
    shapes = {"B": (2 * n_columns,), "P": (3 * H,), "initial_h": (1, H), "initial_c": (1, H)}
    for name, value in given.items():
        expected = n_directions, *shapes[name]
        if value.shape != expected:
            raise ValueError(f"{name} has shape {value.shape}; expected {expected}")
    for name in ("P", "initial_c"):
        if name in given and n_columns != 4 * H:
            raise ValueError(
                f"{name} was given with R of shape {R.shape}; expected it beside an LSTM only"
            )


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
        ``LSTM(activation="relu")``. A linear one is "Affine", and the attributes `activation_alpha` and
        `activation_beta` must then be given, with a 1 and a 0 for each "Affine".
    layer : int, default=0
        The number of the layer.

    Returns
    -------
    inputs : dict of str to ndarray
        "W", "R", "B" and, with peepholes, "P", of the shapes that `from_onnx` takes; with learned
        first states also "initial_h" and, of an LSTM, "initial_c", each of shape (n_directions, 1, H):
        to be repeated along the second axis for a batch of several sequences.

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
    further = _further(cell, set().union(*(arrays for _, arrays in both)))
    for key, arrays in both:
        W, U, b_in, b_states = translated(key, arrays, cell, "onnx", further)
        parts.append({"W": W.T, "R": U.T, "B": np.concatenate([b_in, b_states])})
        if "p" in further:
            parts[-1]["P"] = permuted(arrays["p"], PEEPHOLES["here"], PEEPHOLES["onnx"])
        parts[-1] |= {_INITIAL[k]: arrays[k][None] for k in FIRST_STATES if k in further}
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}


def _further(cell, given):
    """What all directions must have beside W, U and b, where one has some of it."""
    peepholes = ("p",) if hasattr(cell, "peephole") and (cell.peephole or "p" in given) else ()
    states = FIRST_STATES[: cell.layer(False).n_kinds]
    return (*peepholes, *states) if given & set(FIRST_STATES) else peepholes
