"""The parameters that a training offers: those after the last epoch, or their mean over some epochs.

A step size that stays large leads around a minimum, not into it; the mean of where it led lies closer
(Polyak and Juditsky 1992; of epochs: stochastic weight averaging, Izmailov et al. 2018).
"""

from typing import NamedTuple


class Parameters(NamedTuple):
    """All that a network learns, as arrays of its backend.

    Attributes
    ----------
    theta : ndarray
        The flat parameters.
    table : ndarray or None
        The embedding's table, where there is one.
    """

    theta: object
    table: object


def parameters_of(network):
    """A copy of what a network has."""
    return Parameters(*(array if array is None else array.copy() for array in _arrays(network)))


def put(network, parameters):
    """Give a network its parameters."""
    for array, values in zip(_arrays(network), parameters, strict=True):
        if array is not None:
            array[:] = values


def _arrays(network):
    return network.theta, network.embedding.table if network.embedding else None


def mean_with(network, state, first_epoch):
    """The mean of the parameters after each epoch from `first_epoch` on, with those that the network has
    now, one epoch behind `state`; None where it has none yet.
    """
    if first_epoch is None or state.epoch + 1 < first_epoch:
        return None
    now, n = parameters_of(network), state.n_averaged + 1
    if n > 1:
        before = Parameters(state.mean_theta, state.mean_table)
        for array, mean in zip(now, before, strict=True):
            if array is not None:
                mean = network.kernels.to_host(mean)
                array[:] = mean + (network.kernels.to_host(array) - mean) / n
    return now


def offered(state):
    """What is taken where nothing is restored: the mean, where there is one."""
    if state.mean_theta is not None:
        return Parameters(state.mean_theta, state.mean_table)
    return Parameters(state.theta, state.table)
