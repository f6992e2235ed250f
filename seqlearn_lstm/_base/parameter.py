"""One row of a table of parameters, and what a class becomes by such rows."""

import inspect
import textwrap
from typing import NamedTuple

from sklearn.utils._param_validation import StrOptions

_PLACE = "    <parameters>"  # in the docstring of a class that is decorated


class Parameter(NamedTuple):
    """A parameter: what scikit-learn's validation lets through, and what the docs say."""

    name: str
    default: object
    constraint: list | str
    kind: str
    meaning: str

    def doc(self):
        """Its lines in a numpydoc section."""
        text = " ".join(self.meaning.split())
        lines = textwrap.wrap(text, 92, break_on_hyphens=False)  # "scikit-learn" stays one word
        return [
            f"{self.name} : {self.kind}, default={self.default!r}",
            *(f"    {line}" for line in lines),
        ]


def one_of(*names):
    """The constraint and the kind of a parameter that is one of these strings."""
    listed = ", ".join(f'"{name}"' for name in names)
    return [StrOptions(set(names))], f"{{{listed}}}"


def built_from(cls, rows, fixed):
    """Give a class a constructor, scikit-learn's constraints and a section of its docstring by `rows`, and the
    class attributes `fixed`, {name: value}. Returns the class.
    """
    for name, value in fixed.items():
        setattr(cls, name, value)
    cls._parameter_constraints = {row.name: row.constraint for row in rows}
    cls.__init__ = _constructor(rows)
    cls.__init__.__qualname__ = f"{cls.__qualname__}.__init__"
    if cls.__doc__:  # python -OO leaves none
        lines = [line for row in rows for line in row.doc()]
        cls.__doc__ = cls.__doc__.replace(_PLACE, textwrap.indent("\n".join(lines), "    "))
    return cls


def _constructor(parameters):
    """An ``__init__`` that stores its arguments: the first by position or name, others by name."""
    first, *others = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    kinds = [first] + others * (len(parameters) - 1)
    signature = inspect.Signature(
        [inspect.Parameter("self", first)]
        + [
            inspect.Parameter(row.name, kind, default=row.default)
            for row, kind in zip(parameters, kinds, strict=True)
        ]
    )

    def __init__(*args, **kwargs):
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{__init__.__qualname__}(): {error}") from None
        bound.apply_defaults()
        self, *values = bound.arguments.values()
        for row, value in zip(parameters, values, strict=True):
            setattr(self, row.name, value)

    __init__.__signature__ = signature
    return __init__
