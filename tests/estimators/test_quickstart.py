"""The example that the README starts with runs as it is."""

from pathlib import Path

import pytest
from estimator_helpers import run_python

SCRIPT = Path(__file__).parents[2] / "examples" / "quickstart.py"


@pytest.mark.skipif(not SCRIPT.exists(), reason="examples/ is not beside these tests")
def test_quickstart():
    printed = run_python(f"import runpy; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')")
    assert "accuracy on 90 new utterances: " in printed
    assert "the same predictions" in printed
    assert printed.count("\nepoch ") >= 10
