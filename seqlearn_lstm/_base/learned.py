"""What a training leaves on an estimator: plain arrays and values."""

from copy import deepcopy

from ..training import Parameters, offered, portable, put
from ..training.listeners import as_arrays

# Attributes that some fits leave and others do not.
SOMETIMES = ("validation_scores_", "best_iter_", "record_", "_training")


def learned(network, state, settings):
    """{attribute: value} of a training that has ended; the network gets the parameters that are
    taken. `settings`: None where the training failed.
    """
    restores = settings is not None and settings.restore
    best = Parameters(state.best_theta, state.best_table)
    put(network, best if restores and state.best_theta is not None else offered(state))
    found = {
        "parameters_": network.get_parameters(),
        "loss_curve_": list(state.loss_curve),
        "n_iter_": state.epoch,
    }
    if state.validation_scores:
        found["validation_scores_"] = list(state.validation_scores)
    if restores:
        found["best_iter_"] = state.best_epoch
    if state.record is not None:
        found["record_"] = as_arrays(state.record)
    if settings is None or settings.keep:
        found["_training"] = portable(state, network)
    return found


def learned_so_far(network, state, settings):
    """The same as if the training ended here, while it goes on."""
    found = learned(network, deepcopy(state), settings)
    put(network, Parameters(state.theta, state.table))
    return found
