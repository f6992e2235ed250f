"""Objects that stand for a choice and its settings, which a name may stand for as well."""

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import validate_parameter_constraints


class Searchable(BaseEstimator):
    """Base of what has settings of its own, and parts with theirs, such as ``solver__beta_1``."""

    _tables = {}  # {parameter: {name: class of the object that it stands for}}

    def set_params(self, **params):
        """Set parameters, as of any estimator, or of the objects that they are: ``solver__beta_1``.

        Parameters
        ----------
        **params : dict
            Their names and values.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If there is no such parameter, or what it is, a name for instance, has none itself.
        """
        own = self.get_params(deep=False)
        for name in params:
            key, nested, setting = name.partition("__")
            value = params.get(key, own.get(key))
            if nested and key in own and not hasattr(value, "set_params"):
                raise ValueError(self._no_settings(key, value, setting.partition("__")[0]))
        return super().set_params(**params)

    def _no_settings(self, key, value, setting):
        """What is wrong where a setting is set of a value that has none."""
        table = self._tables.get(key, {})
        kinds = [table[value]] if isinstance(value, str) and value in table else []
        having = [kind for kind in [*kinds, *table.values()] if setting in kind().get_params()]
        such = f", such as {key}={having[0].__name__}()" if having else ""
        is_name = ", a name" if isinstance(value, str) else ""
        return f"{key} is {value!r}{is_name}; expected an object that has {setting}{such}"


class Named(Searchable):
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
