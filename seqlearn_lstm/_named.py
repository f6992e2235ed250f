"""Objects that stand for a choice and its settings, which a name may stand for as well."""

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import validate_parameter_constraints


class Named(BaseEstimator):
    """Base of such objects; the settings are searchable like those of any estimator."""

    _parameter_constraints = {}

    def check(self):
        """Raise ValueError where a setting is out of range."""
        validate_parameter_constraints(
            self._parameter_constraints,
            self.get_params(deep=False),
            caller_name=type(self).__name__,
        )


def named(what, table, base, value):
    """The object that a name of `table` or an object of class `base` stands for, checked.

    Raises
    ------
    ValueError
        If it is a name that is not in the table, or a setting is out of range.
    TypeError
        If it is neither a name nor such an object.
    """
    if isinstance(value, str) and value in table:
        return table[value]()
    if not isinstance(value, base):
        error = ValueError if isinstance(value, str) else TypeError
        names = sorted(table)
        raise error(f"{what} is {value!r}; expected one of {names} or a {what} object")
    value.check()
    return value
