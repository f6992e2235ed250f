"""What surrounds a fit: an estimator that stays what it was where it fails, and scikit-learn's
callbacks.
"""

from contextlib import contextmanager
from copy import copy
from functools import wraps

from sklearn.callback import with_callbacks
from sklearn.frozen import FrozenEstimator

# What scikit-learn and a validation leave on an estimator while it is fitted: no part of what is
# fitted.
TRANSIENT = (
    "_callback_fit_ctx", "_parent_callback_ctx", "_skl_callbacks_to_teardown", "_validation",
)  # fmt: skip


def fits(method):
    """Decorator of a method that fits: whatever goes wrong inside, the estimator is afterwards what
    it was before. scikit-learn's callbacks are torn down first, for they are found through it.
    """
    followed = with_callbacks(method)

    @wraps(method)
    def whole_or_nothing(estimator, *args, **kwargs):
        before = dict(vars(estimator))
        try:
            return followed(estimator, *args, **kwargs)
        except BaseException:
            estimator.__dict__ = before  # in one step, which no second interrupt divides
            raise

    return whole_or_nothing


def fitted_attributes(estimator):
    """{name: value} of what a fit has left on an estimator, for a copy of it: arrays and lists are not
    shared. What lies in them is, for labels and symbols that are copied would be other ones.
    """
    names = filter(is_fitted_name, vars(estimator))
    return {name: _copied(getattr(estimator, name)) for name in names}


def _copied(value):
    if isinstance(value, dict):
        return {key: copy(part) for key, part in value.items()}
    return copy(value)


def is_fitted_name(name):
    """Whether an attribute has a name as scikit-learn's fits give."""
    return name.endswith("_") and not name.startswith("_")


def has_callbacks(estimator):
    """Whether somebody wants to know how its fit goes on."""
    return hasattr(estimator, "_skl_callbacks") or hasattr(estimator, "_parent_callback_ctx")


@contextmanager
def followed_inside(estimator, inner, X, y):
    """While `inner` is fitted as a part of `estimator`, the callbacks of the latter follow it, as
    in scikit-learn's meta-estimators.
    """
    told = dict(estimator=estimator, X=X, y=y)
    fit = estimator._init_callback_context(max_subtasks=1).call_on_fit_task_begin(**told)
    task = fit.subcontext(task_name="fit-estimator")
    if isinstance(inner, FrozenEstimator):  # whose fit does nothing
        task.call_on_fit_task_begin(**told)
        yield
    else:
        with task.propagate_callback_context(inner):
            task.call_on_fit_task_begin(**told)
            yield
    task.call_on_fit_task_end(**told)
    fit.call_on_fit_task_end(**told, reconstruction_attributes={})
