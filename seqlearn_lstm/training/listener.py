"""Who is told how a training goes on."""

from dataclasses import dataclass

from ..batches import Batch


@dataclass(frozen=True)
class Update:
    """What one update of the parameters was made of.

    Attributes
    ----------
    batch : Batch
        What the gradient in the network was computed of.
    loss : float, or a number that is still on a device
        Mean loss of the batch, with the L2 term. ``float(loss)`` waits for it: better after the
        epoch.
    norm : float, or a number that is still on a device
        Euclidean norm of the gradient, before it was clipped to `clip_norm`.
    rate : float
        The step size.
    """

    batch: Batch
    loss: float
    norm: float
    rate: float


class Listener:
    """Is told how a training goes on. A checkpoint is one, a line on the screen another."""

    def begin(self, task, state):
        """Before the first epoch of this call."""

    def before_epoch(self, task, state):
        """Before each epoch."""

    def after_update(self, task, state, update):
        """After an update; the gradient still lies in ``task.network``."""

    def after_epoch(self, task, state, seconds):
        """After an epoch, `state` is up to date; True ends the training."""
        return False

    def end(self, task, state):
        """After the last epoch of this call; ``task.network`` holds the parameters that were
        taken, and so does the estimator.
        """
