"""scikit-learn's callbacks: a fit is a task, each epoch one below it."""

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
    fitted : callable
        ``fitted()`` gives what it has kept, once the training has ended.
    """

    def __init__(self, estimator, given, learned, fitted):
        self.estimator, self.given = estimator, given
        self.learned, self.fitted = learned, fitted

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
        self.fit.call_on_fit_task_end(**self._with(self.fitted))

    def _now(self):
        return self._with(self.learned)

    def _with(self, attributes):
        return dict(estimator=self.estimator, **self.given, reconstruction_attributes=attributes)
