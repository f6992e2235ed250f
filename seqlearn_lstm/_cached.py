"""Attributes that are computed once."""


class cached:
    """As functools.cached_property, without a lock. Python 3.11 holds one, for all objects of a class, while
    it computes: a process that is forked meanwhile by another thread would wait for it for ever.
    """

    def __init__(self, function):
        self.function, self.__doc__ = function, function.__doc__

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        value = vars(instance)[self.name] = self.function(instance)
        return value
