"""A training's state as plain values in the canonical layout, so that it goes on wherever it is
read: on another backend, or on a machine whose vectors are wider.
"""

from copy import deepcopy

from .state import TrainingState

FLAT = "theta", "best_theta", "mean_theta"
TABLES = "table", "best_table", "mean_table"


def portable(state, network):
    """``{attribute: value}`` of a `TrainingState` whose arrays belong to a network.

    Flat arrays become dicts {name: array} of canonical ones; those of an embedding's table lose
    their padding.
    """

    def flat(array):
        return network.unpack(array)

    def table(array):
        return network.embedding.canonical(array)

    return _mapped(vars(state), flat, table)


def restored(values, network):
    """The `TrainingState` that `portable` was made from, with arrays for a network."""

    def flat(canonical):
        array = network.kernels.zeros(network.theta.shape, network.dtype)
        network.pack(canonical, array)
        return array

    def table(canonical):
        array = network.kernels.zeros(network.embedding.table.shape, network.dtype)
        array[:, : canonical.shape[1]] = canonical
        return array

    return TrainingState(**_mapped(values, flat, table))


def _mapped(values, flat, table):
    """A copy whose arrays have gone through a function: `flat` those that lie as the parameters,
    `table` those that lie as an embedding's table.
    """
    found = {}
    for name, value in values.items():
        if name == "solver_state":
            found[name] = _each_array(value, flat)
        elif name == "table_state" and value is not None:
            found[name] = _each_array(value, table)
        elif name in FLAT + TABLES and value is not None:
            found[name] = (flat if name in FLAT else table)(value)
        else:
            found[name] = deepcopy(value)
    return found


def _each_array(state, change):
    """A solver's state, whose numbers stay as they are."""
    return {name: value if _is_number(value) else change(value) for name, value in state.items()}


def _is_number(value):
    return isinstance(value, int | float)
