"""Names of what decides about a training: equal where it is the same, in every process."""

import hashlib
from functools import partial
from types import CodeType, MethodType, ModuleType

import numpy as np


def fingerprint(what):
    """A name for arrays and plain values, in their order."""
    found = hashlib.sha256()
    for value in what:
        if isinstance(value, np.ndarray):
            found.update(f"{value.dtype} {value.shape}".encode())
            found.update(np.ascontiguousarray(value).view(np.uint8).data)
        else:
            found.update(repr(value).encode())
    return found.hexdigest()


def name_of(value, inside=()):
    """A plain value whose repr stands for a parameter: NumPy's numbers as Python's, functions by
    their code, objects by their class and settings, for a repr may tell where they lie in memory.

    inside   ids of the objects that it is a part of: they may be a part of it, too
    """
    if id(value) in inside:
        return "itself"

    def parts(*values):
        return [name_of(part, (*inside, id(value))) for part in values]

    if isinstance(value, np.generic | np.ndarray):
        return name_of(value.tolist())
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)(parts(*value))
    if isinstance(value, set | frozenset):  # whose order differs from process to process
        return sorted(map(repr, parts(*value)))
    if isinstance(value, dict):
        return list(zip(parts(*value), parts(*value.values()), strict=True))
    if isinstance(value, partial):
        return ["partial", *parts(value.func, value.args, value.keywords)]
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, CodeType):
        return [value.co_code, value.co_names, *parts(*value.co_consts)]
    if isinstance(value, MethodType):
        return ["method", *parts(value.__func__, value.__self__)]
    if hasattr(value, "__code__"):
        return [_path(value), *parts(value.__code__, value.__defaults__, *_closed_over(value))]
    if hasattr(value, "__qualname__"):  # a class, or a function that is not written in Python
        return _path(value)
    if hasattr(value, "__dict__"):
        return [_path(type(value)), *parts(vars(value))]
    return _path(type(value)) if _tells_address(value) else value


def _tells_address(value):
    """Whether a repr says where the value lies in memory, as that of a NumPy RandomState does."""
    return not isinstance(value, str | bytes) and " at 0x" in repr(value)


def _closed_over(function):
    """The settings of a function that another one made; what it fills while it runs is none."""
    cells = getattr(function, "__closure__", None) or ()
    values = [cell.cell_contents for cell in cells]
    return [value for value in values if not isinstance(value, list | dict | set)]


def _path(value):
    module = getattr(value, "__module__", None)  # a bound slot has none
    return f"{module}.{value.__qualname__}"
