"""The state dict of PyTorch's ``nn.LSTM``, ``nn.GRU`` and ``nn.RNN``."""

import re

from ..architecture import DIRECTIONS
from .gates import (
    CANONICAL,
    array,
    canonical,
    check_named,
    checked_cell,
    directions,
    translated,
)

_NAME = re.compile(r"(weight|bias)_(ih|hh)_l(\d+)(_reverse)?")
_SUFFIX = dict(zip(DIRECTIONS, ("", "_reverse"), strict=True))


def from_torch(state, *, prefix=""):
    """Canonical parameters from PyTorch's.

    Weights are transposed. The two biases are added up, except those of a GRU's n.

    Parameters
    ----------
    state : dict of str to tensor or ndarray
        ``module.state_dict()`` of an ``nn.LSTM``, ``nn.GRU`` or ``nn.RNN``, of any number of layers,
        in one direction or both, with biases or without: "weight_ih_l0" and so on. Tensors of
        bfloat16 become arrays of float32.
    prefix : str, default=""
        Only names that begin with it are read: "lstm." where the module is the attribute `lstm` of
        another.

    Returns
    -------
    parameters : dict of str to ndarray
        "layer_0.forward.W" and so on. The cells that they are for are ``cell="lstm"``, ``"gru"`` or
        ``"rnn"``.

    Raises
    ------
    TypeError
        If `state` is not a dict of names, but for instance a module, or `prefix` is no string.
    ValueError
        If a name is missing or unknown, or shapes disagree, as those of a module cannot.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm.persistence import from_torch
    >>> state = {"weight_ih_l0": np.ones((8, 3)), "weight_hh_l0": np.ones((8, 2))}
    >>> parameters = from_torch(state | {"bias_ih_l0": np.ones(8), "bias_hh_l0": np.ones(8)})
    >>> parameters["layer_0.forward.W"].shape
    (3, 8)
    """
    check_named(state, "state", "module.state_dict(), or another dict of names to tensors")
    if not isinstance(prefix, str):
        raise TypeError(f"prefix is {prefix!r}; expected a string, which names begin with")
    parts = {}
    for name, value in state.items():
        if not name.startswith(prefix):
            continue
        match = _NAME.fullmatch(name.removeprefix(prefix))
        if match is None:
            raise ValueError(
                f"{name!r} is no parameter of a recurrent layer without proj_size; expected "
                f'"{prefix}weight_ih_l0" and its kin, or a prefix that tells them from others'
            )
        kind, source, number, reverse = match.groups()
        key = f"layer_{number}.{DIRECTIONS[reverse is not None]}"
        parts.setdefault(key, {})[f"{kind}_{source}"] = array(value, name)
    if not parts:
        raise ValueError(f'state has no "{prefix}weight_ih_l0"; it has {sorted(state)}')
    missing = [f"{prefix}{name}" for name in _expected(parts) if f"{prefix}{name}" not in state]
    if missing:
        raise ValueError(
            f"{missing} are missing; expected layers counted from 0, the same directions in each, "
            f"and both biases of all or none; there are {sorted(state)}"
        )
    found = {}
    for key, arrays in parts.items():
        biases = arrays.get("bias_ih"), arrays.get("bias_hh")
        found |= canonical(key, arrays["weight_ih"].T, arrays["weight_hh"].T, *biases, "torch")
    _check_one_module([directions(found, k) for k in range(_n_layers(parts))])
    return found


def _expected(parts):
    """The names of a module that has as many layers, and whatever a part of one here has.

    parts   {"layer_0.forward": {"weight_ih": array, ...}}
    """
    has_backward = any(key.endswith(DIRECTIONS[1]) for key in parts)
    has_biases = any(arrays.keys() & {"bias_ih", "bias_hh"} for arrays in parts.values())
    return [
        f"{kind}_{source}_l{number}{suffix}"
        for number in range(_n_layers(parts))
        for suffix in list(_SUFFIX.values())[: 1 + has_backward]
        for kind in ("weight", "bias")[: 1 + has_biases]
        for source in ("ih", "hh")
    ]


def _n_layers(names):
    """How many layers the names speak of that begin with one."""
    return len({name.partition(".")[0] for name in names if name.startswith("layer_")})


def to_torch(parameters, cell="lstm"):
    """PyTorch's parameters from canonical ones.

    Parameters
    ----------
    parameters : dict of str to ndarray
        As a fitted estimator has them in `parameters_`; what does not belong to a recurrent layer is
        ignored.
    cell : {"lstm", "gru", "rnn"} or cell object, default="lstm"
        The cell that they belong to. ``RNN("relu")`` needs an ``nn.RNN(nonlinearity="relu")``.

    Returns
    -------
    state : dict of str to ndarray
        "weight_ih_l0" and so on, each contiguous; all biases are in "bias_ih_l0", except a GRU's
        `b_n`.
        ``module.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()})`` reads it.

    Raises
    ------
    ValueError
        If PyTorch has no such cell, shapes disagree, or layers differ in their directions or in
        their numbers of units, as those of a module cannot.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm.persistence import to_torch
    >>> parameters = {"layer_0.forward.W": np.ones((3, 8)), "layer_0.forward.U": np.ones((2, 8))}
    >>> sorted(to_torch(parameters | {"layer_0.forward.b": np.ones(8)}))
    ['bias_hh_l0', 'bias_ih_l0', 'weight_hh_l0', 'weight_ih_l0']
    """
    cell = checked_cell(cell, "torch")
    check_named(parameters, "parameters", CANONICAL)
    n_layers = max(1, _n_layers(parameters))
    layers, state = [directions(parameters, k) for k in range(n_layers)], {}
    for number, layer in enumerate(layers):
        for key, arrays in layer:
            W, U, b_in, b_states = translated(key, arrays, cell, "torch")
            suffix = f"l{number}{_SUFFIX[key.partition('.')[2]]}"
            state |= {f"weight_ih_{suffix}": W.T.copy(), f"weight_hh_{suffix}": U.T.copy()}
            state |= {f"bias_ih_{suffix}": b_in, f"bias_hh_{suffix}": b_states}
    _check_one_module(layers)
    return state


def _check_one_module(layers):
    """Raise where no module has layers of these sizes.

    layers   for each of them [(key, {name: array}), ...], a pair for each direction
    """
    n_directions = len(layers[0])
    W, U = (layers[0][0][1][name] for name in "WU")
    n_in, n_units = len(W), len(U)
    for number, layer in enumerate(layers):
        if len(layer) != n_directions:
            raise ValueError(
                f"layer_{number} has {len(layer)} directions; expected {n_directions} as layer_0, "
                "for those of a module of PyTorch all have the same"
            )
        for key, arrays in layer:
            found = len(arrays["W"]), len(arrays["U"])
            expected = n_directions * n_units if number else n_in, n_units
            if found != expected:
                raise ValueError(
                    f"{key} has {found[0]} inputs and {found[1]} units, the rows of W and of U; "
                    f"expected {expected[0]} and {expected[1]}: the layers of a module of PyTorch "
                    "have as many units each, and read all those of the layer below"
                )
            if arrays["U"].shape != U.shape:
                raise ValueError(
                    f"{key}.U has shape {arrays['U'].shape}; expected {U.shape} as of layer_0, for "
                    "the layers of a module of PyTorch have the same cell"
                )
