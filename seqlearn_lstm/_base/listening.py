"""Who is told how a fit goes on, as an estimator's parameters and callbacks say."""

from ..training.listeners import Callbacks, HealthCheck, ProgressLines, Recorder, Tables
from .fits import fitted_attributes, has_callbacks
from .given import uncut
from .learned import learned_so_far


def listeners_of(estimator, task, state, checkpoint, n_validation, told, partial):
    """The listeners of a training, in the order in which they are told.

    Parameters
    ----------
    checkpoint : Checkpoint or None
    n_validation : int or None
        How many sequences there are to validate with.
    told : dict or None
        What callbacks are given, if there are any.
    partial : bool
        Whether this is a pass of `partial_fit`.
    """
    how = estimator.record, int(estimator.record_every), int(estimator.record_size)

    def so_far():
        found = learned_so_far(task.network, state, task.settings)
        return fitted_attributes(estimator) | found

    def fitted():
        return fitted_attributes(estimator)

    def predict(sequences, initial):
        network, sequences = estimator._prepared(sequences, None)
        return estimator._blocks_of_scores(network, sequences, initial)

    every = (
        (estimator.record is not None, lambda: Recorder(*how)),  # what a checkpoint saves, too
        (checkpoint is not None, lambda: checkpoint),
        (estimator.verbose > 1, lambda: Tables(n_validation)),
        (estimator.verbose > 0, ProgressLines),
        (has_callbacks(estimator), lambda: Callbacks(estimator, told, so_far, fitted)),
        (not partial, lambda: HealthCheck(predict)),
    )
    return [make() for is_wanted, make in every if is_wanted]


def for_callbacks(estimator, given, sequences=None):
    """What callbacks are given; None where there are none."""
    if not has_callbacks(estimator):
        return None
    X, y = uncut(estimator, given, sequences)
    weights = None if given.sample_weight is None else {"sample_weight": given.sample_weight}
    return {"X": X, "y": y, "metadata": weights}
