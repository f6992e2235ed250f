"""Both backends keep the same contract, name by name."""

import inspect

import pytest

from seqlearn_lstm.kernels import cpu, cuda

HOST = {"drop_symbols", "log_softmax", "plan_sources", "plan_states", "plan_steps", "softmax"}


def argument_names(function):
    """Of a function, or of what a compiled one was written as."""
    return list(inspect.signature(getattr(function, "py_func", function)).parameters)


def test_both_have_the_same_names():
    assert set(cuda.__all__) == set(cpu.__all__) - HOST


@pytest.mark.parametrize("name", sorted(set(cpu.__all__) - HOST))
def test_arguments_have_the_same_names_in_the_same_order(name):
    assert argument_names(getattr(cuda, name)) == argument_names(getattr(cpu, name))
