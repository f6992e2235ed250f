"""What a training may raise or warn of. Each message says what was seen, and the usual cures."""

from sklearn.exceptions import ConvergenceWarning

__all__ = [
    "ConstantPredictionWarning",
    "ExplodingGradientWarning",
    "NothingAveragedWarning",
    "SaturationWarning",
    "ScheduleEndedWarning",
    "TrainingDiverged",
    "TrainingWarning",
]


class TrainingWarning(ConvergenceWarning):
    """A fit ended with a network that has probably not learned what it could.

    Base of the warnings of this module. `fit` issues each at most once, after its last epoch.
    Warnings about the network's behaviour need at least 100 updates. `partial_fit` issues
    `ScheduleEndedWarning` only.

    Examples
    --------
    >>> import warnings
    >>> from seqlearn_lstm.exceptions import TrainingWarning
    >>> warnings.simplefilter("error", TrainingWarning)  # a search then counts such a fit as failed
    >>> warnings.simplefilter("default", TrainingWarning)
    """


class ConstantPredictionWarning(TrainingWarning):
    """All sequences that were trained with, or all their steps, are predicted alike, though their
    targets differ.
    """


class SaturationWarning(TrainingWarning):
    """Most units of a layer have gates that are nearly always shut or open, where they hardly
    learn.
    """


class ScheduleEndedWarning(TrainingWarning):
    """A `partial_fit` learns nothing, because the schedule of the learning rate, which ends after
    `max_iter` passes, is at zero.
    """


class ExplodingGradientWarning(TrainingWarning):
    """The norm of the gradient has grown by orders of magnitude, or was far above `clip_norm` in
    every update of the last epoch.
    """


class NothingAveragedWarning(TrainingWarning):
    """The fit ended before the first epoch that `average` includes, so no mean was taken."""


class TrainingDiverged(ValueError):
    """The loss, its gradient, the parameters or what they predict are no longer finite numbers.

    Parameters
    ----------
    message : str
        What is no longer finite, and the usual cures.
    estimator : estimator, default=None
        As the attribute.

    Attributes
    ----------
    estimator : estimator or None
        A copy of the estimator as it was after the last good epoch; None if the first epoch went
        wrong.
    """

    def __init__(self, message, estimator=None):
        super().__init__(message)
        self.estimator = estimator
