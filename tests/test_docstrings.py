"""The examples in the docstrings run and give what stands beneath them."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import seqlearn_lstm

PACKAGE = Path(seqlearn_lstm.__file__).parent
EXAMPLES = {  # of a module's name -> how many lines of them there are; kernels have none
    ".".join((PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts)): found
    for path in sorted(PACKAGE.rglob("*.py"))
    if (found := path.read_text(encoding="utf-8").count(" >>> ")) and "kernels" not in path.parts
}


@pytest.fixture
def matplotlib(module):
    """Where a module draws: pictures that nobody sees, and that are closed again."""
    if ".display." not in module:
        yield
        return
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib import pyplot

    yield
    pyplot.close("all")


@pytest.mark.parametrize("module", EXAMPLES)
def test_examples(module, matplotlib):
    found = doctest.testmod(import_module(module))
    assert (found.failed, found.attempted) == (0, EXAMPLES[module])
