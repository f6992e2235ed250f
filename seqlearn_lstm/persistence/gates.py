"""In which order the formats lay gates side by side, and the way from one order to another.

W (n_in, G H), U (H, G H) and the two biases (G H,), of the inputs and of the states, are what all
formats boil down to; G is the number of gates. Here they are one, b, but for a GRU's n, which keeps
that of the states, b_n, inside of its reset.
"""

from numbers import Integral

import numpy as np

from ..architecture import DIRECTIONS
from ..cells import make_cell, plain

# format -> the gates of a cell, by how many there are, in our letters
GATES = {
    "here": {4: "ifgo", 3: "run", 1: "h"},
    "torch": {4: "ifgo", 3: "run", 1: "h"},
    "keras": {4: "ifgo", 3: "urn", 1: "h"},
    "onnx": {4: "iofg", 3: "urn", 1: "h"},
    "char-rnn": {4: "ifog"},
}
CANONICAL = "a dict of canonical parameters, as parameters_ of a fitted estimator"
PEEPHOLES = {"here": "ifo", "onnx": "iof"}
FIRST_STATES = "h0", "c0"  # of these, all but LSTMs have the first
FURTHER = {"p": len(PEEPHOLES["here"]), "h0": 1, "c0": 1}  # -> how many numbers for each unit
# format -> the settings of a cell that it has in one way only
_PLAIN = {"forget_gate": True, "layer_norm": False}
ONLY = {
    "torch": {
        "lstm": _PLAIN | {"peephole": False, "activation": "tanh"},
        "gru": {"reset_after": True},
    },
    "keras": {"lstm": _PLAIN | {"peephole": False}},
    "onnx": {"lstm": _PLAIN},
    "char-rnn": {"lstm": _PLAIN | {"peephole": False, "activation": "tanh"}},
}


def permuted(array, source, target):
    """The blocks of the last axis, whose letters are `source`, in the order of `target`."""
    blocks = dict(zip(source, np.split(array, len(source), axis=-1), strict=True))
    return np.concatenate([blocks[letter] for letter in target], axis=-1)


def canonical(key, W, U, b_in, b_states, source, reset_after=True):
    """{name: array} of one direction of a layer, from arrays in a format's own order of gates.

    key       begins the names, "layer_0.forward"
    b_in, b_states    None where there are no biases
    """
    if W.ndim != 2 or U.ndim != 2 or W.shape[1] != U.shape[1] or 0 in U.shape:
        raise ValueError(
            f"{key}: the weights of the inputs are {W.shape} and those of the states {U.shape}, "
            "gates along the columns; expected as many columns"
        )
    n_units, n_columns = U.shape
    orders = GATES[source]
    if n_columns not in [n_units * n for n in orders]:
        raise ValueError(
            f"{key}: the weights of the states are {U.shape}, gates along the columns; expected "
            f"{' or '.join(str(n) for n in orders)} times as many columns as rows"
        )
    n_gates = n_columns // n_units
    biases = [np.zeros(n_columns, U.dtype) if b is None else b for b in (b_in, b_states)]
    for bias in biases:
        if bias.shape != (n_columns,):
            raise ValueError(f"{key}: a bias has shape {bias.shape}; expected ({n_columns},)")
    orders = orders[n_gates], GATES["here"][n_gates]
    W, U, b, b_states = (permuted(array, *orders) for array in (W, U, *biases))
    found = {"W": W, "U": U}
    if n_gates == 3 and reset_after:
        b_states, found["b_n"] = np.split(b_states, [2 * n_units])
        b_states = np.concatenate([b_states, np.zeros_like(found["b_n"])])
    found["b"] = b + b_states
    return {f"{key}.{name}": value for name, value in found.items()}


def translated(key, parameters, cell, target, further=()):
    """(W, U, b_in, b_states) in a format's order of gates, from {name: array} of one direction.

    further   names in FURTHER of what must be there as well; nothing else must
    """
    for name in "WU":
        if parameters[name].ndim != 2:
            raise ValueError(
                f"{key}.{name} has shape {parameters[name].shape}; expected a matrix, gates along "
                "the columns"
            )
    n_units, n_columns = len(parameters["U"]), cell.n_gates * len(parameters["U"])
    shapes = {"W": (len(parameters["W"]), n_columns), "U": (n_units, n_columns), "b": (n_columns,)}
    if getattr(cell, "reset_after", False):
        shapes["b_n"] = (n_units,)
    shapes |= {name: (FURTHER[name] * n_units,) for name in further}
    if parameters.keys() != shapes.keys():
        raise ValueError(
            f"{key} has {sorted(parameters)}; expected {sorted(shapes)}, for which {target} has a "
            f"place in {cell!r}{_cure(parameters.keys() - shapes.keys())}"
        )
    for name, shape in shapes.items():
        if parameters[name].shape != shape:
            raise ValueError(
                f"{key}.{name} has shape {parameters[name].shape}; expected {shape} for {cell!r} "
                f"with {n_units} units, the rows of U"
            )
    W, U, b = (parameters[name] for name in "WUb")
    b_states = np.zeros_like(b)
    if "b_n" in parameters:
        b_states[2 * n_units :] = parameters["b_n"]
    orders = GATES["here"][cell.n_gates], GATES[target][cell.n_gates]
    return tuple(permuted(array, *orders) for array in (W, U, b, b_states))


def _cure(names):
    """What to do with names for which there is no place, where that is known."""
    if names.isdisjoint(FIRST_STATES):
        return ""
    return (
        ': leave out the names that end in ".h0" and ".c0", and pass these learned first states to the '
        "layer beside its inputs"
    )


def check_named(arrays, name, expected):
    """Refuse what is no mapping of names to arrays, such as a module or an estimator."""
    if not hasattr(arrays, "items"):
        raise TypeError(f"{name} is a {type(arrays).__name__}; expected {expected}")
    for key in arrays:
        if not isinstance(key, str):
            raise TypeError(f"{name} has the key {key!r}, no name; expected {expected}")


def layer_key(layer, direction):
    """What begins the names of one direction of a layer: "layer_0.forward"."""
    if not isinstance(layer, Integral) or isinstance(layer, bool) or layer < 0:
        raise ValueError(f"layer is {layer!r}; expected a whole number, 0 for the lowest layer")
    return f"layer_{layer}.{direction}"


def directions(parameters, layer):
    """[(key, {name: array}), ...] of the directions of a layer; others are passed over."""
    check_named(parameters, "parameters", CANONICAL)
    both = []
    for direction in DIRECTIONS:
        key = layer_key(layer, direction)
        found = {
            name.removeprefix(f"{key}."): array(value, name)
            for name, value in parameters.items()
            if name.startswith(f"{key}.")
        }
        if found:
            missing = sorted({"W", "U", "b"} - found.keys())
            if missing:
                raise ValueError(f"{key} has {sorted(found)}; {missing} are missing")
            both.append((key, found))
        elif direction == DIRECTIONS[0]:
            raise ValueError(
                f"there is no {key}.W among {sorted(parameters)}; expected canonical parameters, "
                "as parameters_ has them"
            )
    check_alike(parameters, layer, "as in a bidirectional layer")
    return both


def check_alike(parameters, layer, expected):
    """Raise where W or U of one direction of a layer has another shape than of the other."""
    for name in "WU":
        keys = [f"{layer_key(layer, direction)}.{name}" for direction in DIRECTIONS]
        shapes = [np.shape(parameters[key]) for key in keys if key in parameters]
        if len(set(shapes)) > 1:
            raise ValueError(
                f"{keys[0]} has shape {shapes[0]} and {keys[1]} {shapes[1]}; expected equal shapes, "
                f"{expected}"
            )


def array(value, name, kinds="f"):
    """A tensor of any library as an array of floating point numbers.

    kinds   of dtypes that are taken: "fiu" with integers
    """
    for method in ("detach", "cpu"):
        value = getattr(value, method, lambda value=value: value)()
    if str(getattr(value, "dtype", None)) == "torch.bfloat16":  # which NumPy has not
        value = value.float()
    try:
        found = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is ragged; expected an array of numbers") from error
    if found.dtype.kind not in kinds:
        numbers = "floating point numbers" if kinds == "f" else "real numbers"
        raise ValueError(f"{name} has dtype {found.dtype}; expected {numbers}")
    return found


def checked_cell(cell, target):
    """The cell that a name or an object stands for, if the format `target` has it."""
    cell = make_cell(cell)
    name, settings = plain(cell)
    if cell.n_gates not in GATES[target]:
        raise ValueError(f"cell is {cell!r}; expected another, for {target} has no such cell")
    for setting, value in ONLY[target].get(name, {}).items():
        if settings[setting] != value:
            raise ValueError(
                f"cell is {cell!r}; expected {setting}={value!r}, for {target} knows no other"
            )
    return cell
