"""CUDA kernels as machine code, on any machine with numba-cuda: all compile, for three generations
of devices, keep what they compute in registers, and leave float64 alone.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cuda_kernels import KERNELS

TESTS = Path(__file__).parent.parent


def is_installed(*names):
    try:
        return all(map(importlib.util.find_spec, names))
    except ModuleNotFoundError:
        return False


pytestmark = pytest.mark.skipif(
    not is_installed("numba_cuda", "cuda.bindings.nvjitlink"),
    reason="the compiler is in numba-cuda[cu12] or numba-cuda[cu13]",
)


@pytest.fixture(scope="module")
def lines():
    """What `cuda_compile.py` says, by kernel."""
    variables = {k: v for k, v in os.environ.items() if k != "NUMBA_ENABLE_CUDASIM"}
    path = os.pathsep.join([str(TESTS.parent), *filter(None, [variables.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, TESTS / "cuda_compile.py"],
        env=variables | {"PYTHONPATH": path}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = {}
    for line in map(json.loads, done.stdout.splitlines()):
        found.setdefault(line["kernel"], []).append(line)
    return found


def test_every_kernel_is_in_the_table(lines):
    assert lines.keys() == KERNELS.keys()


@pytest.mark.parametrize("name", KERNELS)
def test_machine_code(lines, name):
    row = KERNELS[name]
    for line in lines[name]:
        assert "error" not in line, line["error"]
        assert line["stack"] == line["spilled"] == 0, line
        assert line["registers"] <= row.registers, line
        if line["dtype"] == "float32" and not row.float64:
            assert not line["float64"], line
