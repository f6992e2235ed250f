"""Arrays on the device, and their way there and back."""

import threading
import weakref
from math import prod

import numpy as np

from .primitives import SIMULATED, cuda, kernel


class DeviceArray:
    """An array on the device, or a view of one.

    It can be cut (``x[a:b]``, ``x[:, a:b]``, ``x[i]``), reshaped, written to (``x[...] = `` a
    number, an array of the host or of the device) and added to (``x += y``). All else is a
    kernel's work. It never becomes an array of the host by itself: ``to_host`` says where that
    happens.

    Attributes
    ----------
    memory : array of numba.cuda, or of NumPy in the simulator
    """

    __slots__ = ("memory",)
    __array_ufunc__ = None  # an operation of NumPy with it is an error

    def __init__(self, memory):
        self.memory = memory

    shape = property(lambda self: self.memory.shape)
    dtype = property(lambda self: np.dtype(self.memory.dtype))
    size = property(lambda self: prod(self.memory.shape))

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        return DeviceArray(self.memory[_checked(key)])

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __setitem__(self, key, value):
        target = self.memory if key is Ellipsis else self.memory[_ranges(_checked(key))]
        if not isinstance(value, DeviceArray) and np.ndim(value) == 0:
            _each(_fill, target, value)
        else:
            source = on_device(value, self.dtype).memory
            _each(_copy, target, _stretched(source, target.shape))

    def __iadd__(self, other):
        _each(_add, self.memory, other.memory)
        return self

    def __array__(self, *_, **__):
        raise TypeError("an array on the device is no NumPy array; to_host(array) makes one")

    def reshape(self, *shape):
        return DeviceArray(self.memory.reshape(*shape))

    def copy(self):
        new = empty(self.shape, self.dtype)
        new[...] = self
        return new

    def __deepcopy__(self, memo):
        return self.copy()

    def __reduce__(self):
        raise TypeError("an array on the device cannot be pickled; to_host(array) can")


def empty(shape, dtype):
    """Memory with anything in it: NaN in the simulator."""
    shape, dtype = (shape,) if np.ndim(shape) == 0 else tuple(shape), np.dtype(dtype)
    shape = tuple(map(int, shape))
    if SIMULATED:
        return DeviceArray(np.full(shape, np.nan if dtype.kind == "f" else -1, dtype))
    return DeviceArray(_allocated(lambda: cuda.device_array(shape, dtype), shape, dtype))


def zeros(shape, dtype):
    """An array of zeros."""
    new = empty(shape, dtype)
    new[...] = 0
    return new


def to_device(array):
    """A copy of an array of the host, on the device."""
    array = np.ascontiguousarray(array)
    if SIMULATED:
        return DeviceArray(array.copy())
    return DeviceArray(_allocated(lambda: cuda.to_device(array), array.shape, array.dtype))


def to_host(array):
    """An array of the device as a new one of the host; those of the host as they are."""
    if not isinstance(array, DeviceArray):
        return array
    memory = array.memory
    if SIMULATED:
        return memory.copy()
    if not memory.is_c_contiguous():
        return to_host(array.copy())
    return memory.copy_to_host()


def on_device(array, dtype=None):
    """An array that kernels can read. Plans of batches, which nobody writes to, are uploaded
    once.
    """
    if isinstance(array, DeviceArray):
        return array
    if dtype is None and array.dtype == np.int64:
        return _uploads.get(array)
    return to_device(np.asarray(array, dtype))


def _checked(key):
    """A key that makes a view."""
    for part in key if isinstance(key, tuple) else (key,):
        if not isinstance(part, int | np.integer | slice):
            raise TypeError(f"an array on the device is cut by numbers and slices, got {part!r}")
    return key


def _ranges(key):
    """A pair of keys with ranges in the place of numbers, so that a matrix stays one."""
    if not isinstance(key, tuple):
        return key
    return tuple(k if isinstance(k, slice) else slice(k, k + 1) for k in key)


class _Uploads:
    """Integer arrays of the host and their copies, as long as the former live."""

    def __init__(self):
        self.known = {}

    def get(self, array):
        key = id(array)
        if key not in self.known:
            forget = weakref.ref(array, lambda _: self.known.pop(key, None))
            self.known[key] = forget, to_device(array)
        return self.known[key][1]


_uploads = _Uploads()


def _allocated(allocate, shape, dtype):
    """What `allocate` gives; MemoryError where there is no room."""
    from numba.cuda.cudadrv.driver import CudaAPIError

    try:
        return allocate()
    except CudaAPIError as error:
        if "OUT_OF_MEMORY" not in str(error):
            raise
        free, total = cuda.current_context().get_memory_info()
        raise MemoryError(
            f"the device has {free / 2**20:,.0f} of {total / 2**20:,.0f} MiB left, too little for "
            f"an array of {prod(shape) * dtype.itemsize / 2**20:,.0f} MiB"
        ) from error


class Scratch(threading.local):
    """Memory for a call and no longer, kept for the next one: each thread of the host has its own,
    for all of its calls run one after another.
    """

    def __init__(self):
        self.memory = {}

    def array(self, name, size, dtype):
        """A flat array with anything in it."""
        key = name, np.dtype(dtype)
        if key not in self.memory or self.memory[key].size < size:
            self.memory[key] = empty(size, dtype)
        return self.memory[key][:size]


# ---- numbers and arrays into arrays --------------------------------------------------------------


@kernel
def _fill(target, value):
    n, m = target.shape
    for k in range(cuda.grid(1), n * m, cuda.gridsize(1)):
        target[k // m, k % m] = value


@kernel
def _copy(target, source):
    n, m = target.shape
    for k in range(cuda.grid(1), n * m, cuda.gridsize(1)):
        i, j = k // m, k % m
        target[i, j] = source[i if source.shape[0] > 1 else 0, j if source.shape[1] > 1 else 0]


@kernel
def _add(target, source):
    n, m = target.shape
    for k in range(cuda.grid(1), n * m, cuda.gridsize(1)):
        target[k // m, k % m] += source[k // m, k % m]


THREADS, MOST_BLOCKS = (4, 3) if SIMULATED else (256, 2**12)


def _each(function, target, other):
    """Launch a kernel for each element of a target, seen as a matrix."""
    n = prod(target.shape)
    if n == 0:
        return
    is_number = not getattr(other, "shape", ())
    other = np.dtype(target.dtype).type(other) if is_number else _matrix(other)
    function[min(-(-n // THREADS), MOST_BLOCKS), THREADS](_matrix(target), other)


def _matrix(memory):
    """Memory of any dimensions as two."""
    if len(memory.shape) == 2:
        return memory
    if len(memory.shape) == 1:
        return memory.reshape(1, -1)
    return memory.reshape(-1, memory.shape[-1])


def _stretched(source, shape):
    """The source of a copy, where it has fewer dimensions than the target or ones in its shape; the
    kernel repeats it.
    """
    if len(shape) == 3 and source.shape != shape:
        raise ValueError(f"cannot copy an array of shape {source.shape} into one of shape {shape}")
    fits = all(n in (1, m) for n, m in zip(source.shape[::-1], shape[::-1], strict=False))
    if not fits or len(source.shape) > len(shape):
        raise ValueError(f"cannot copy an array of shape {source.shape} into one of shape {shape}")
    return source
