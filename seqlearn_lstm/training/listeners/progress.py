"""What a training prints."""

from contextlib import suppress

from ...summary import data_lines, layer_lines, layer_table
from ..listener import Listener


class ProgressLines(Listener):
    """Prints a line after each epoch: loss, score, seconds, time left."""

    def begin(self, task, state):
        self.n_epochs, self.seconds = 0, 0.0  # of this call

    def after_epoch(self, task, state, seconds):
        self.n_epochs += 1
        self.seconds += seconds
        last = task.settings.max_iter
        left = (last - state.epoch) * self.seconds / self.n_epochs
        score = f"  score {state.validation_scores[-1]:.4f}" if task.validate else ""
        _say(
            f"epoch {state.epoch:{len(str(last))}}/{last}  loss {state.loss_curve[-1]:.5f}{score}  "
            f"{seconds:.2f} s  at most {left:.0f} s left"
        )
        return False


class Tables(Listener):
    """Prints the layers and the data before the first epoch.

    Parameters
    ----------
    n_validation : int or None
        How many sequences there are to validate with.
    """

    def __init__(self, n_validation):
        self.n_validation = n_validation

    def begin(self, task, state):
        network = task.network
        layers = layer_table(network.architecture, network.get_parameters())
        tables = layer_lines(layers), data_lines(task, self.n_validation)
        _say(*tables, sep="\n\n", end="\n\n")


def _say(*lines, **how):
    """Print; where that fails, as on a full disk or into a closed file, nothing is said and the
    training goes on.
    """
    with suppress(OSError, ValueError):
        print(*lines, **how, flush=True)
