"""What is given to a cell, checked: its parameters, as a layer that computes, and its states."""

from collections.abc import Mapping

import numpy as np

from ..cells import make_cell
from ..kernels import get_backend
from ..sequences import refuse_lossy

STATES = ("h", "c")  # in the order of a layer's kinds


def layer_of(parameters, cell):
    """A layer of one direction with these parameters, which are checked."""
    cell, kernels = make_cell(cell), get_backend("cpu")
    check_names(parameters, {"W", "U"}, "parameters", others=True)
    given = {name: numbers(value, None, name) for name, value in parameters.items()}
    for name in ("W", "U"):
        if given[name].ndim != 2 or 0 in given[name].shape:
            raise ValueError(f"{name} has shape {given[name].shape}; expected a matrix")
    dtype = np.result_type(*given.values())
    dtype = np.dtype(np.float32 if dtype in (np.float16, np.float32) else np.float64)
    n_in, n_units = len(given["W"]), len(given["U"])
    part = cell.layer(False)(kernels, cell, "cell", n_in, n_units, False, False, dtype)
    values = [kernels.zeros(size, dtype) for size in part.sizes]
    part.bind(values, values)
    expected = {name: value.shape for name, value in part.unpack(values).items()}
    check_names(given, expected, f"parameters of {cell!r}")
    for name, shape in expected.items():
        if given[name].shape != shape:
            raise ValueError(
                f"{name} has shape {given[name].shape}; expected {shape} for {cell!r} with {n_in} "
                f"inputs, the rows of W, and {n_units} units, the rows of U"
            )
    part.pack({name: value.astype(dtype) for name, value in given.items()}, values)
    return part


def check_starts(part, initial, n_sequences, called):
    """The states before the first step, {name: (n_sequences, H)}.

    called  what the caller calls the states of a kind, with {} in place of its letter
    """
    initial, names = {} if initial is None else initial, STATES[: part.n_kinds]
    check_names(initial, (), "initial_states", others=names)
    shape, found = (n_sequences, part.n_units), {}
    for name in names:
        what = called.format(name)
        value = numbers(initial.get(name, np.zeros(part.n_units)), part.dtype, what)
        if value.shape not in (shape, shape[1:]):
            raise ValueError(
                f"{what} has shape {value.shape}; expected {shape[1:]}, or {shape}: a row for each "
                "sequence"
            )
        found[name] = np.broadcast_to(value, shape)
    return found


def check_names(given, expected, what, others=()):
    """Raise where `given` is no dict with the names that are expected.

    others  names that may be there or not; True: any
    """
    if not isinstance(given, Mapping):
        raise TypeError(f"{what} has type {type(given).__name__}; expected a dict")
    unknown = () if others is True else set(given) - set(expected) - set(others)
    if unknown or set(expected) - set(given):
        names = sorted({*expected, *(() if others is True else others)})
        raise ValueError(f"{what}: got {sorted(given, key=str)}; expected {names}")


def numbers(value, dtype, name):
    """An array of finite real numbers, of `dtype` if one is given."""
    refuse_lossy(value, name, "0")
    try:
        array = np.asarray(value)
        array = array.astype(np.float64) if array.dtype == object else array
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} cannot be read as an array of numbers: {error}") from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {array.dtype}; expected real numbers")
    with np.errstate(over="ignore"):  # too large for float32: an error below
        read = array if dtype is None else array.astype(dtype)
    if not np.isfinite(read).all():
        place = tuple(map(int, np.argwhere(~np.isfinite(read))[0]))
        found = f"has {array[place]} at {list(place)}" if place else f"is {value!r:.80}"
        raise ValueError(
            f"{name} {found}; expected finite numbers within the range of {read.dtype}"
        )
    return read
