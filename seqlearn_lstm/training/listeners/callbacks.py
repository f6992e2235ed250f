"""scikit-learn's callbacks: a fit is a task, each epoch one below it."""

from ..._base.fits import fitted_attributes
from ..listener import Listener


class Callbacks(Listener):
    """Tells scikit-learn's callbacks; one that returns True ends the training.

    Parameters
    ----------
    estimator : estimator
        With `CallbackSupportMixin`, inside of a method with `with_callbacks`.
    given : dict
        ``X``, ``y`` and ``metadata`` for the callbacks.
    learned : callable
        ``learned()`` gives what the estimator would keep if the training ended here.
    """

    def __init__(self, estimator, given, learned):
        self.estimator, self.given, self.learned = estimator, given, learned

    def begin(self, task, state):
        n_epochs = max(0, task.settings.max_iter - state.epoch)
        self.fit = self.estimator._init_callback_context(max_subtasks=n_epochs)
        self.fit.call_on_fit_task_begin(estimator=self.estimator, **self.given)

    def before_epoch(self, task, state):
        self.epoch = self.fit.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(**self._now())

    def after_epoch(self, task, state, seconds):
        return self.epoch.call_on_fit_task_end(**self._now())

    def end(self, task, state):
        # By now the estimator has all that was learned.
        whole = {"reconstruction_attributes": lambda: fitted_attributes(self.estimator)}
        self.fit.call_on_fit_task_end(estimator=self.estimator, **self.given, **whole)

    def _now(self):
        return dict(estimator=self.estimator, **self.given, reconstruction_attributes=self.learned)
