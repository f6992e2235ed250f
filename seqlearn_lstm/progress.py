"""What a training prints."""

from .training import Listener


class ProgressLines(Listener):
    """Prints a line after each epoch: loss, score, seconds, time left."""

    def after_epoch(self, task, state, seconds):
        last = task.settings.max_iter
        left = (last - state.epoch) * seconds
        score = f"  score {state.validation_scores[-1]:.4f}" if state.validation_scores else ""
        print(
            f"epoch {state.epoch:{len(str(last))}}/{last}  loss {state.loss_curve[-1]:.5f}{score}  "
            f"{seconds:.2f} s  at most {left:.0f} s left",
            flush=True,
        )
        return False
