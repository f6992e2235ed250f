"""Every CUDA kernel compiled to machine code, which takes no device.

In a process of its own, because the simulator, in which the tests run, replaces the compiler:

    python tests/cuda_compile.py [part of a kernel's name]

prints a line of JSON for each kernel, signature, dtype and architecture: registers, bytes of stack,
of spills and of shared memory, and the first instructions of float64. Needs numba-cuda with
nvJitLink.
"""

import importlib
import json
import pkgutil
import re
import sys
import traceback
from itertools import product

from cuda_kernels import KERNELS, MADE

ARCHITECTURES = {"sm_75": (7, 5), "sm_80": (8, 0), "sm_90a": (9, 0, "a")}
ARCHITECTURES |= {"sm_100a": (10, 0, "a"), "sm_120a": (12, 0, "a")}

# What may name f64 and computes nothing: memory, moves, and rounding to float32.
NO_ARITHMETIC = ("ld.", "st.", "mov.", "cvt.rn.f32.f64")


def found():
    """The kernels of the package by their names."""
    package = importlib.import_module("seqlearn_lstm.kernels.cuda")
    names = [info.name for info in pkgutil.iter_modules(package.__path__)]
    kernels = {}
    for name in set(names) - {"simulator"}:
        kernels |= kernels_of(importlib.import_module(f"{package.__name__}.{name}"))
    for name, made in MADE.items():
        kernels[name] = _made(package.__name__, *made)
    return dict(sorted(kernels.items()))


def _made(package, module, function, n_units, precision):
    """A kernel that is made for a number of units."""
    shape = importlib.import_module(f"{package}.cluster").shape_of(n_units, precision)
    return getattr(importlib.import_module(f"{package}.{module}"), function)(shape, precision)


def kernels_of(module):
    """Those that are a module's own: ``module.name``, ``module.name[key]``."""
    kernels = {}
    for name, value in vars(module).items():
        named = {name: value}
        if isinstance(value, dict | tuple | list):
            entries = value.items() if isinstance(value, dict) else enumerate(value)
            named = {f"{name}[{key!r}]": entry for key, entry in entries}
        for key, entry in named.items():
            if is_kernel(entry) and is_own(entry, module):
                kernels[f"{module.__name__.rpartition('.')[2]}.{key}"] = entry
    return kernels


def is_kernel(value):
    from numba.cuda.dispatcher import CUDADispatcher

    return isinstance(value, CUDADispatcher) and not value.targetoptions["device"]


def is_own(kernel, module):
    """What is written in a module, or made for it by a function of another one."""
    function = kernel.py_func
    return function.__module__ == module.__name__ or "<locals>" in function.__qualname__


def argument_types(signature, dtype):
    """A signature of the table, with its names, as Numba's types."""
    from numba.cuda import types

    x, i, d, u = getattr(types, dtype), types.int64, types.float64, types.uint64
    names = dict(x=x, i=i, d=d, u=u, v=x[::1], m=x[:, ::1], s=x[:, :], iv=i[::1], im=i[:, ::1])
    names |= dict(dv=d[::1], dm=d[:, ::1])
    given = eval(f"({signature},)", names)
    return tuple(types.BaseTuple.from_types(x) if isinstance(x, tuple) else x for x in given)


def lowered(kernel, signature, architecture):
    """A kernel's library: LLVM's code, of which `get_asm_str` makes PTX for any architecture. What
    `cuda.compile_ptx` does, too, but anew for each of them, and this takes most of the time.
    """
    from numba.cuda import compiler, dispatcher

    capability = ARCHITECTURES[architecture]
    # What kernels call is compiled for the current device, which need not be there.
    device = type("Device", (), {"compute_capability": capability})
    dispatcher.get_current_device = lambda: device
    options = kernel.targetoptions
    given = {key: options[key] for key in ("fastmath", "launch_bounds") if options.get(key)}
    return compiler._compile_pyfunc_with_fixup(
        kernel.py_func, signature, device=False, abi="numba", cc=capability, **given
    )[0]


def linked(ptx, architecture, most_registers):
    """What ptxas and the linker say of the machine code of a kernel."""
    from cuda.bindings import nvjitlink
    from numba.cuda.cudadrv.libs import get_cudalib

    options = [f"-arch={architecture}", "-verbose", "-Xptxas=-v"]
    if most_registers:
        options.append(f"-maxrregcount={most_registers}")
    handle = nvjitlink.create(len(options), options)
    try:
        nvjitlink.add_data(handle, nvjitlink.InputType.PTX, ptx.encode(), len(ptx), "kernel.ptx")
        if "cudaCG" in ptx:
            library = get_cudalib("cudadevrt", static=True)
            nvjitlink.add_file(handle, nvjitlink.InputType.LIBRARY, library)
        try:
            nvjitlink.complete(handle)
        except nvjitlink.nvJitLinkError as error:
            log = bytearray(nvjitlink.get_error_log_size(handle))
            nvjitlink.get_error_log(handle, log)
            raise RuntimeError(log.decode()) from error
        log = bytearray(nvjitlink.get_info_log_size(handle))
        nvjitlink.get_info_log(handle, log)
        return log.decode()
    finally:
        nvjitlink.destroy(handle)


def resources(log, entry):
    """The numbers of a log. Stack and spills as ptxas counts them, for what it calls of CUDA's own
    library the linker adds a few bytes of stack; registers and shared memory of the whole.
    """
    frames = re.findall(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+)", log)
    own = re.search(rf"Function properties for '{re.escape(entry)}':\n(.*)", log)[1]
    return {
        "registers": int(re.search(r"used (\d+) registers", own)[1]),
        "shared": int(re.search(r"(\d+) bytes smem", own)[1]),
        "stack": max(int(stack) for stack, _, _ in frames),
        "spilled": max(max(int(stores), int(loads)) for _, stores, loads in frames),
    }


def float64_arithmetic(ptx):
    lines = (line.strip() for line in ptx.splitlines())
    instructions = (re.sub(r"^@!?%p\d+\s+", "", line) for line in lines if line.endswith(";"))
    return [
        line for line in instructions
        if ".f64" in line and not line.startswith((".", *NO_ARITHMETIC))
    ]  # fmt: skip


def machine_code(library, architecture, most_registers):
    """What the machine code of a kernel takes."""
    ptx = library.get_asm_str(cc=ARCHITECTURES[architecture])
    entry = re.search(r"\.entry\s+([\w$]+)", ptx)[1]
    log = linked(ptx, architecture, most_registers)
    return resources(log, entry) | {"float64": float64_arithmetic(ptx)[:3]}


def compiled(kernel, signature, architectures):
    """(architecture, what its machine code takes) of one kernel for one signature."""
    try:
        library = lowered(kernel, signature, architectures[0])
        for architecture in architectures:
            most_registers = kernel.targetoptions.get("max_registers")
            yield architecture, machine_code(library, architecture, most_registers)
    except Exception:
        yield "", {"error": traceback.format_exc()[-3000:]}


def report(part=""):
    """Lines for each kernel that is compiled, and one for each without a row in the table."""
    for name, kernel in found().items():
        if part not in name:
            continue
        if name not in KERNELS:
            yield {"kernel": name}
            continue
        row, done = KERNELS[name], set()
        for signature, dtype in product(row.signatures, row.dtypes):
            types = argument_types(signature, dtype)
            if types not in done:  # one of integers is the same for both
                done.add(types)
                for architecture, facts in compiled(kernel, types, row.architectures):
                    what = dict(signature=signature, dtype=dtype, architecture=architecture)
                    yield {"kernel": name} | what | facts


if __name__ == "__main__":
    for line in report(*sys.argv[1:]):
        print(json.dumps(line), flush=True)
