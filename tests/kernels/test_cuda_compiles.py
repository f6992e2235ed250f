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
from cuda_kernels import KERNELS, MADE

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


def python(*arguments):
    """What a Python without the simulator prints, a line of JSON each."""
    variables = {k: v for k, v in os.environ.items() if k != "NUMBA_ENABLE_CUDASIM"}
    path = [str(TESTS.parent), str(TESTS), *filter(None, [variables.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, *arguments],
        env=variables | {"PYTHONPATH": os.pathsep.join(path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return list(map(json.loads, done.stdout.splitlines()))


@pytest.fixture(scope="module")
def kernels_lines():
    """What `cuda_compile.py` says, by kernel."""
    found = {}
    for line in python(TESTS / "cuda_compile.py"):
        found.setdefault(line["kernel"], []).append(line)
    return found


def test_every_kernel_is_in_the_table(kernels_lines):
    assert kernels_lines.keys() == KERNELS.keys()


@pytest.mark.parametrize("name", KERNELS)
def test_machine_code(kernels_lines, name):
    row = KERNELS[name]
    assert len(kernels_lines[name]) >= len(row.signatures) * len(row.architectures)
    for line in kernels_lines[name]:
        assert "error" not in line, line["error"]
        stack = row.stack if line["dtype"] == "float64" else 0
        assert max(line["stack"], line["spilled"]) <= stack, line
        assert line["registers"] <= row.registers, line
        if line["dtype"] == "float32" and not row.float64:
            assert not line["float64"], line


BAD = """
import json, math, sys
from cuda_compile import argument_types, compiled, kernels_of
from numba import cuda
from numba.cuda import types

@cuda.jit
def promotes(x):
    x[0] *= 0.1

@cuda.jit
def indexes(x, k):
    stored = cuda.local.array(32, x.dtype)
    for i in range(32):
        stored[(i * k) % 32] = x[i]
    cuda.syncthreads()
    for i in range(32):
        x[i] = stored[(i + k) % 32]

@cuda.jit
def many(x):
    a = cuda.local.array(30, types.float32)
    for i in range(30):
        a[i] = x[i]
    for _ in range(x.shape[0]):
        for i in range(30):
            a[i] = a[i] * a[(i + 1) % 30] + a[(i + 5) % 30]
    for i in range(30):
        x[i] = a[i]

@cuda.jit
def unknown(x):
    x[0] = nothing_of_the_kind

@cuda.jit
def waits(x):
    x[0] = 1
    cuda.cg.this_grid().sync()
    x[1] = x[0]

few = cuda.jit(max_registers=24)(many.py_func)
bounded = cuda.jit(launch_bounds=(1024, 2))(many.py_func)
several = {"a": promotes, 2: [promotes]}
for name, kernel in kernels_of(sys.modules["__main__"]).items():
    signature = argument_types("v, i" if "indexes" in name else "v", "float32")
    for architecture, facts in compiled(kernel, signature, ["sm_90a"]):
        print(json.dumps({"kernel": name.rpartition(".")[2]} | facts))
"""


WRITES = """
import json, re
from cuda_compile import argument_types, found, linked, lowered
from cuda_kernels import KERNELS, MADE

kernels = found()
for name in MADE:
    signature = argument_types(KERNELS[name].signatures[0], "float32")
    library = lowered(kernels[name], signature, "sm_90a")
    ptx = library.get_asm_str(cc=(9, 0, "a"))
    linked(re.sub(r"[.]version .*", ".version 8.1", ptx), "sm_90a", None)  # or an error
    calls = re.findall(r"call .* asm .*aligned.*", library.get_llvm_str())
    print(json.dumps({
        "kernel": name,
        "cluster": re.findall(r"[.]reqnctapercluster (.*)", ptx),
        "convergent": [call.endswith("convergent") for call in calls],
        "shared": re.findall(r"[.]shared [.]align (.*) [.]b8 .*[[](.*)[]]", ptx),
    }))
"""


def test_what_kernels_of_clusters_rely_on():
    """The compilers of CUDA 12.1 know their instructions; what is read in fours is aligned, and what a
    warp does together stays together.
    """
    lines = {line["kernel"]: line for line in python("-c", WRITES)}
    assert lines.keys() == MADE.keys()
    for name, line in lines.items():
        size = {"100, bf16": 4, "512, bf16": 16}.get(name.partition("(")[2][:-1], 8)
        assert line["cluster"] == [f"{size}, 1, 1"]
        assert line["convergent"] and all(line["convergent"])
        assert {(align, n == "16") for align, n in line["shared"]} == {("16", False), ("8", True)}


ASKS = """
import json
from types import SimpleNamespace as Some
from seqlearn_lstm.kernels.cuda.primitives import has_room_for_clusters
from numba.cuda.cudadrv.driver import CudaAPIError, binding, driver

function = Some(handle=binding.CUkernel(1), device=Some(id=2))
library = Some(get_cufunc=lambda: function)
kernel = Some(typeof_pyval=type, compile=lambda types: Some(_codelibrary=library))

def most(function, config):
    (cluster,) = config.attrs
    shape = cluster.value.clusterDim
    assert int(binding.CUfunction(function)) == 1 and config.numAttrs == 1
    assert cluster.id == binding.CUlaunchAttributeID.CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION
    asked.append([config.gridDimX, config.blockDimX, shape.x, shape.y, shape.z])
    if answer is None:
        code = binding.CUresult.CUDA_ERROR_INVALID_CLUSTER_SIZE
        raise CudaAPIError(code, f"Call to cuOccupancyMaxActiveClusters results in {code.name}")
    return answer

driver.cuKernelSetAttribute = lambda *given: asked.append([getattr(x, "name", int(x)) for x in given])
driver.cuOccupancyMaxActiveClusters = most
for size, answer in ((8, 3), (8, 0), (16, 1), (16, None)):
    asked = []
    print(json.dumps([has_room_for_clusters(kernel, (3, 4.0), size, 256), asked]))
"""


def test_a_driver_is_asked_for_room_for_clusters():
    """With the names that it has in numba-cuda, a device being elsewhere."""
    attribute = ["CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED", 1, 1, 2]
    eight, sixteen = [8, 256, 8, 1, 1], [16, 256, 16, 1, 1]
    assert python("-c", ASKS) == [
        [True, [eight]], [False, [eight]],
        [True, [attribute, sixteen]], [False, [attribute, sixteen]],
    ]  # fmt: skip


MACHINES = """
import json, os
from types import SimpleNamespace as Some
from seqlearn_lstm import kernels
from seqlearn_lstm.kernels.cuda import primitives
from numba.cuda.cudadrv.driver import driver
from numba.cuda.cudadrv.runtime import runtime

def asked():
    found = []
    for device in ("cuda", "auto"):
        try:
            found.append(kernels.get_backend(device).__name__.rpartition(".")[2])
        except RuntimeError as error:
            found.append(str(error))
    print(json.dumps(found), flush=True)

def machine(error=None, there=True, version=runtime.get_version(), capability=(8, 0), full=""):
    def current_context():
        if full:
            raise OSError(full)

    gpus = [Some(compute_capability=capability)]
    primitives.cuda = Some(
        is_available=lambda: there, cuda_error=lambda: error, gpus=gpus,
        current_context=current_context,
    )
    driver.pid, driver.get_version = os.getpid(), lambda: version
    kernels._why_never.cache_clear()
    asked()

machine("no\\n driver", False)
machine(None, False)
machine(version=(11, 8))
machine(capability=(3, 0))
machine(capability=(99, 0))
machine(full="out of memory")
machine()
if child := os.fork():
    os.waitpid(child, 0)
else:
    asked()
    os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_what_a_machine_lacks():
    *without, with_all, forked = python("-c", MACHINES)
    says = ["no GPU was found (no driver)", "libNVVM is missing", "CUDA 11.8 and the compiler of 1"]
    says += [*2 * ["no kernel can be compiled"], "the GPU cannot be used (out of memory)"]
    for (error, auto), reason in zip(without, says, strict=True):
        assert reason in error and 'device="cpu"' in error and auto == "cpu"
    assert with_all == ["cuda", "cuda"]
    assert "forked" in forked[0] and forked[1] == "cpu"


UPLOADS = """
import json
from types import SimpleNamespace as Some
import numpy as np
from seqlearn_lstm.kernels.cuda import memory

memory.cuda = Some(to_device=lambda array: array)
numbers = np.arange(6.0)
single = np.broadcast_to(numbers[0], (1,)), numbers[::3][:1], np.broadcast_to(numbers[0], (1, 1))
for given in (*single, numbers.reshape(2, 3).T, numbers[::2]):
    print(json.dumps(memory.to_device(given).flat.strides))
"""


def test_what_is_uploaded_has_one_layout():
    """Numba compiles a kernel for each layout of an array, and takes strides of zero for one."""
    assert python("-c", UPLOADS) == 5 * [[8]]


def test_what_is_bad_is_seen():
    lines = {line["kernel"]: line for line in python("-c", BAD)}
    plain = {"promotes", "indexes", "many", "few", "bounded", "unknown", "waits"}
    assert lines.keys() == plain | {"several['a']"}
    assert lines["promotes"]["float64"] == lines["several['a']"]["float64"] != []
    assert lines["indexes"]["stack"] >= 128
    assert lines["bounded"]["registers"] <= 32 < lines["many"]["registers"]
    assert lines["bounded"]["spilled"] > 0 == lines["many"]["spilled"]
    assert lines["few"]["registers"] <= 24
    assert "nothing_of_the_kind" in lines["unknown"]["error"]
    assert lines["waits"]["stack"] == lines["waits"]["spilled"] == 0
    assert not any(lines[name]["float64"] for name in ("indexes", "many", "waits"))
