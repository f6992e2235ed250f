"""What kernels are written with: ``numba.cuda``, or, with ``NUMBA_ENABLE_CUDASIM=1``, its stand-in
on the CPU, in which the same source runs.

``kernel`` compiles what is launched, ``part`` what kernels call. Kernels name CUDA's own things as
``cuda.threadIdx``, ``cuda.syncthreads()``; what Numba does not offer stands in `ptx`. A number in a
kernel takes the dtype of its array, ``x.dtype.type(2)``: a plain 2.0 would be float64, and slow.
"""

import os

import numpy as np
from numba import config

SIMULATED = bool(config.ENABLE_CUDASIM)
if SIMULATED:
    from .simulator import cuda
else:
    from numba import cuda

    if "NUMBA_CUDA_LOW_OCCUPANCY_WARNINGS" not in os.environ:
        config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # small batches make small grids, as they must

PORTABLE_CLUSTER = 8  # blocks, which a cluster has on nearly every device that knows clusters

kernel = cuda.jit
part = cuda.jit(device=True)


if SIMULATED:

    def wrapping(function):
        """A `part` with unsigned integers that wrap around, of which NumPy would warn."""
        return np.errstate(over="ignore")(function)
else:
    wrapping = part


# ---- a row of threads, ``cuda.threadIdx.x``, for each row of an array ----------------------------


@part
def first_row():
    """The first row of the calling thread."""
    return cuda.blockIdx.x * cuda.blockDim.y + cuda.threadIdx.y


@part
def row_step():
    """From there to its next: how many rows a launch has threads for."""
    return cuda.gridDim.x * cuda.blockDim.y


def why_no_device(to_install):
    """What keeps kernels from running; None: nothing. `to_install` are words for what may be missing."""
    if SIMULATED:
        return None
    if not cuda.is_available():
        error = " ".join(str(cuda.cuda_error() or "").split())
        return (
            f"no GPU was found ({error})" if error else f"libNVVM is missing; expected {to_install}"
        )
    from numba.cuda.cudadrv.driver import driver
    from numba.cuda.cudadrv.nvrtc import get_arch_option
    from numba.cuda.cudadrv.runtime import runtime

    if driver.pid != os.getpid():
        return "this process was forked from one that had begun to use the GPU"
    try:
        have, needed = driver.get_version(), runtime.get_version()
        major, minor = cuda.gpus[0].compute_capability
        get_arch_option(major, minor, "a" if (major, minor) >= (9, 0) else "")
    except Exception as error:  # of several libraries: they are missing, or do not know the GPU
        return f"no kernel can be compiled ({error})"
    if have[0] < needed[0]:
        versions = f"CUDA {have[0]}.{have[1]} and the compiler of {needed[0]}.{needed[1]}"
        return f"the driver is of {versions}; expected {to_install}"
    return None


def why_not_now():
    """What keeps a device that is there from being used; None: nothing."""
    try:
        cuda.current_context()
    except Exception as error:  # others have filled it, or have it for themselves
        return f"the GPU cannot be used ({error})"
    return None


def has_room_for_clusters(kernel, arguments, size, threads):
    """Whether clusters of `size` blocks of so many threads can run. Small devices, and slices of
    large ones, give a cluster less than eight blocks; for more than eight a driver must be asked.
    """
    if SIMULATED:
        return True
    from numba.cuda.cudadrv.driver import CudaAPIError, binding, driver

    compiled = kernel.compile(tuple(map(kernel.typeof_pyval, arguments)))
    function = compiled._codelibrary.get_cufunc()
    attributes = binding.CUfunction_attribute
    allowed = attributes.CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED
    cluster = binding.CUlaunchAttribute()
    cluster.id = binding.CUlaunchAttributeID.CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION
    shape = cluster.value.clusterDim
    shape.x, shape.y, shape.z = size, 1, 1
    config = binding.CUlaunchConfig()
    config.gridDimX, config.gridDimY, config.gridDimZ = size, 1, 1
    config.blockDimX, config.blockDimY, config.blockDimZ = threads, 1, 1
    config.attrs, config.numAttrs = [cluster], 1
    try:
        if size > PORTABLE_CLUSTER:
            driver.cuKernelSetAttribute(allowed, 1, function.handle, function.device.id)
        return driver.cuOccupancyMaxActiveClusters(function.handle, config) > 0
    except CudaAPIError as error:
        if "INVALID_CLUSTER_SIZE" not in str(error):
            raise
        return False


def capability():
    """The compute capability of the device: (major, minor)."""
    return (7, 5) if SIMULATED else tuple(cuda.get_current_device().compute_capability)
