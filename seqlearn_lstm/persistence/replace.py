"""Other parameters in a fitted estimator."""

from copy import copy

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from .._base.fits import fitted_attributes
from .gates import CANONICAL, array, check_named


def with_parameters(estimator, parameters):
    """A fitted estimator with other parameters.

    Weights from elsewhere need an estimator of their shapes first: one that was fitted for one
    epoch, to data with the right number of features and all the classes, will do.

    Parameters
    ----------
    estimator : fitted estimator
        An estimator of this package that has `parameters_`. It is not changed.
    parameters : dict of str to array-like
        Canonical parameters, all or some, by the names of `parameters_`; the others stay.

    Returns
    -------
    changed : estimator
        A copy, in the precision of `estimator`. What its solver knew is forgotten: with
        ``warm_start=True`` a further `fit` goes on from the parameters alone.

    Raises
    ------
    TypeError
        If `estimator` has no parameters, or `parameters` is no dict.
    ValueError
        If a name is unknown, a shape differs, or a number is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm import LSTMRegressor
    >>> from seqlearn_lstm.persistence import with_parameters
    >>> X, y = np.zeros((4, 5, 2)), np.zeros(4)
    >>> model = LSTMRegressor((3,), max_iter=1, random_state=0).fit(X, y)
    >>> changed = with_parameters(model, {"output.W": np.zeros((3, 1)), "output.b": [7.0]})
    >>> float(changed.predict(X)[0])
    7.0
    """
    check_is_fitted(estimator)
    if not hasattr(estimator, "parameters_"):
        raise TypeError(
            f"estimator is a {type(estimator).__name__} without parameters_; expected a fitted "
            "estimator of this package with a network of its own"
        )
    check_named(parameters, "parameters", CANONICAL)
    known = estimator.parameters_
    unknown = sorted(parameters.keys() - known.keys())
    if unknown:
        raise ValueError(f"{unknown} are no parameters of this estimator; it has {sorted(known)}")
    read = {
        name: _like(known[name], array(value, name, "fiu"), name)
        for name, value in parameters.items()
    }
    changed = copy(estimator)
    # Settings that can change, such as a solver, would otherwise be those of `estimator`, too.
    for name, value in estimator.get_params(deep=False).items():
        if hasattr(value, "get_params") or isinstance(value, np.random.RandomState | dict | list):
            setattr(changed, name, clone(value, safe=False))
    vars(changed).update(fitted_attributes(estimator))
    changed.parameters_ |= read
    vars(changed).pop("_training", None)
    return changed


def _like(old, new, name):
    """The array `new` in the precision of `old`, whose shape it must have."""
    if new.shape != old.shape:
        raise ValueError(f"{name} has shape {new.shape}; expected {old.shape}")
    with np.errstate(over="ignore"):  # too large for float32: an error below
        new = new.astype(old.dtype)
    if not np.isfinite(new).all():
        raise ValueError(
            f"{name} has numbers that are not finite in {old.dtype}; expected finite ones only"
        )
    return new
