"""Arrays on the device, and their way there and back."""

import threading
import weakref
from functools import cache
from math import prod

import numpy as np

from . import copies
from .primitives import SIMULATED, cuda


class DeviceArray:
    """An array on the device, or a view of one.

    It can be cut (``x[a:b]``, ``x[:, a:b]``, ``x[i]``), reshaped, written to (``x[...] = `` a
    number, an array of the host or of the device) and added to (``x += y``). All else is a
    kernel's work. Elements are copied in any order: into a view that overlaps what it is written
    from, only from where it already is. It never becomes an array of the host by itself: ``to_host``
    says where that happens.

    Attributes
    ----------
    flat : array of numba.cuda, or of NumPy in the simulator
        The memory that it is a view of, one-dimensional.
    start : int
        Its first element there.
    shape, strides : tuple of int
        Strides in elements.
    """

    __slots__ = ("_memory", "flat", "shape", "start", "strides")
    __array_ufunc__ = None  # an operation of NumPy with it is an error

    def __init__(self, flat, shape, start=0, strides=None):
        self.flat, self.shape, self.start, self._memory = flat, shape, start, None
        self.strides = _contiguous(shape) if strides is None else strides

    dtype = property(lambda self: np.dtype(self.flat.dtype))
    size = property(lambda self: prod(self.shape))

    @property
    def memory(self):
        """What a kernel takes: the view itself, whose elements lie side by side."""
        if self._memory is None:
            self._check_contiguous("a kernel takes")
            cut = self.flat[self.start : self.start + self.size] if self.size else self.flat[:0]
            self._memory = cut.reshape(self.shape)
        return self._memory

    def _check_contiguous(self, what):
        pairs = zip(self.strides, _contiguous(self.shape), self.shape, strict=True)
        if self.size and any(ours != theirs for ours, theirs, n in pairs if n > 1):
            raise ValueError(f"{what} elements side by side; got strides {self.strides}")

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        keys = key if isinstance(key, tuple) else (key,)
        if len(keys) > len(self.shape):
            raise IndexError(f"{len(keys)} keys for an array of shape {self.shape}")
        start, shape, strides = self.start, [], []
        for k, n, stride in zip(keys, self.shape, self.strides, strict=False):
            first, length = _range(k, n)
            start += first * stride
            if isinstance(k, slice):
                shape.append(length)
                strides.append(stride)
        rest = len(keys)
        shape, strides = (*shape, *self.shape[rest:]), (*strides, *self.strides[rest:])
        return DeviceArray(self.flat, shape, start, strides)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __setitem__(self, key, value):
        target = (self if key is Ellipsis else self[key])._matrix()
        if not isinstance(value, DeviceArray) and np.ndim(value) == 0:
            copies.fill(target, self.dtype.type(value))
        else:
            copies.copy(target, on_device(value, self.dtype)._matrix())

    def __iadd__(self, other):
        copies.add(self._matrix(), other._matrix())
        return self

    def _matrix(self):
        """The array as a matrix; where it has more dimensions, its elements lie side by side."""
        if len(self.shape) < 2:
            missing = 2 - len(self.shape)
            shape, strides = (1,) * missing + self.shape, (0,) * missing + self.strides
        elif len(self.shape) == 2:
            shape, strides = self.shape, self.strides
        else:
            self._check_contiguous("an array of more than two dimensions has")
            shape = prod(self.shape[:-1]), self.shape[-1]
            strides = _contiguous(shape)
        return copies.Matrix(self.flat, self.start, *strides, *shape)

    def __array__(self, *_, **__):
        raise TypeError("an array on the device is no NumPy array; to_host(array) makes one")

    def reshape(self, *shape):
        self._check_contiguous("what is reshaped has")
        shape = shape[0] if isinstance(shape[0], tuple) else shape
        given, known = shape, prod(n for n in shape if n >= 0)
        shape = tuple(self.size // known if n < 0 and known else n for n in given)
        if prod(shape) != self.size or any(n < 0 for n in shape) or given.count(-1) > 1:
            raise ValueError(f"cannot reshape {self.shape} into {shape}")
        return DeviceArray(self.flat, shape, self.start)

    def copy(self):
        new = empty(self.shape, self.dtype)
        new[...] = self
        return new

    def __deepcopy__(self, memo):
        return self.copy()

    def __reduce__(self):
        raise TypeError("an array on the device cannot be pickled; to_host(array) can")


def _contiguous(shape):
    """The strides of elements that lie side by side."""
    return tuple(prod(shape[k + 1 :]) for k in range(len(shape)))


def _range(key, n):
    """(first, length) of a number or a slice of n elements."""
    if isinstance(key, slice):
        first, stop, step = key.indices(n)
        if step == 1:
            return first, max(0, stop - first)
    elif isinstance(key, int | np.integer):
        if not -n <= key < n:
            raise IndexError(f"index {key} of {n} elements")
        return key % n, 1
    raise TypeError(f"an array on the device is cut by its numbers and by slices, got {key!r}")


def empty(shape, dtype):
    """Memory with anything in it: NaN in the simulator."""
    shape, dtype = (shape,) if np.ndim(shape) == 0 else tuple(shape), np.dtype(dtype)
    shape = tuple(map(int, shape))
    if prod(shape) == 0:
        return DeviceArray(_nothing(dtype), shape)
    return DeviceArray(_flat(prod(shape), dtype), shape)


@cache
def _nothing(dtype):
    """What arrays without elements are views of, for nothing has no address."""
    return _flat(1, dtype)


def _flat(size, dtype):
    if SIMULATED:
        return np.full(size, np.nan if dtype.kind == "f" else -1, dtype)
    return _allocated(lambda: cuda.device_array(size, dtype), (size,), dtype)


def zeros(shape, dtype):
    """An array of zeros."""
    new = empty(shape, dtype)
    new[...] = 0
    return new


def to_device(array):
    """A copy of an array of the host, on the device."""
    array, shape = np.ascontiguousarray(array), np.shape(array)
    if not array.size:
        return empty(shape, array.dtype)
    flat = array.reshape(-1)
    if SIMULATED:
        return DeviceArray(flat.copy(), shape)
    if flat.strides != (flat.itemsize,):
        # A single element may have other strides, for which kernels would be compiled anew.
        flat = flat.copy()
    return DeviceArray(_allocated(lambda: cuda.to_device(flat), shape, array.dtype), shape)


def to_host(array):
    """An array of the device as a new one of the host; those of the host as they are."""
    if not isinstance(array, DeviceArray):
        return array
    if array.strides != _contiguous(array.shape):
        array = array.copy()
    if not array.size:
        return np.empty(array.shape, array.dtype)
    return array.memory.copy() if SIMULATED else array.memory.copy_to_host()


def on_device(array, dtype=None):
    """An array that kernels can read. Plans of batches, which nobody writes to, are uploaded
    once.
    """
    if isinstance(array, DeviceArray):
        return array
    if dtype is None and array.dtype == np.int64:
        return _uploads.get(array)
    return to_device(np.asarray(array, dtype))


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
            self.memory.pop(key, None)  # first: there may be no room for both
            self.memory[key] = empty(size, dtype)
        return self.memory[key][:size]
