"""How kernels are launched: over elements, a block for each row, or all blocks together.

Every kernel is right for any number of blocks and threads; in the simulator they are few, so that
small inputs span several.
"""

from .memory import on_device
from .primitives import SIMULATED, has_room_for_clusters

THREADS = 4 if SIMULATED else 128  # of a block
MOST_BLOCKS = 3 if SIMULATED else 2**12
ROWS_OF_THREADS = (2, 2) if SIMULATED else (32, 4)  # a warp walks along a row


def over(kernel, n, *arguments):
    """Launch threads for n elements; the kernel goes through them in steps of ``cuda.gridsize(1)``."""
    if n:
        blocks = min(-(-n // THREADS), MOST_BLOCKS)
        kernel[blocks, THREADS](*map(unwrapped, arguments))


def blocks_over(kernel, n, *arguments):
    """Launch blocks for n rows; the kernel goes through them in steps of ``cuda.gridDim.x``."""
    if n:
        kernel[min(n, MOST_BLOCKS), THREADS](*map(unwrapped, arguments))


def rows_over(kernel, n, *arguments):
    """Launch a row of threads for each of n rows; the kernel goes through them from `first_row()`
    in steps of `row_step()`.
    """
    tiles_over(kernel, -(-n // ROWS_OF_THREADS[1]), ROWS_OF_THREADS, *arguments)


def tiles_over(kernel, n, threads, *arguments):
    """Launch blocks of `threads` (x, y) for n tiles; the kernel goes through them in steps of
    ``cuda.gridDim.x``.
    """
    if n:
        kernel[min(n, MOST_BLOCKS), threads](*map(unwrapped, arguments))


def together(kernel, n, threads, *arguments):
    """Launch blocks of `threads` (x, y) for n tiles, no more than the device runs at once, so that
    the kernel may wait for all of them with ``cuda.cg.this_grid().sync()``.
    """
    given = tuple(map(unwrapped, arguments))
    most = min(MOST_BLOCKS, _resident(kernel, threads, given))
    kernel[max(1, min(n, most)), threads](*given)


def over_clusters(kernel, n, size, threads, *arguments):
    """Launch n clusters of `size` blocks. Returns whether the device has them; if not, nothing runs."""
    given = tuple(map(unwrapped, arguments))
    if kernel not in _has_room:
        _has_room[kernel] = has_room_for_clusters(kernel, given, size, threads)
    if _has_room[kernel]:
        kernel[n * size, threads](*given)
    return _has_room[kernel]


def _resident(kernel, threads, given):
    """How many blocks run at once: what registers and shared memory leave room for."""
    if SIMULATED:
        return MOST_BLOCKS
    key = kernel, threads, given[0].dtype
    if key not in _known:
        compiled = kernel.compile(tuple(map(kernel.typeof_pyval, given)))
        _known[key] = compiled.max_cooperative_grid_blocks(threads)
    return _known[key]


_known = {}  # (kernel, threads, dtype): blocks
_has_room = {}  # kernel, of one size of clusters: whether they fit


def unwrapped(argument):
    """An argument as a kernel takes it: arrays of the host are uploaded."""
    if isinstance(argument, tuple):
        return tuple(map(unwrapped, argument))
    is_array = getattr(argument, "shape", ()) != ()  # a scalar of NumPy has a shape, too
    return on_device(argument).memory if is_array else argument


def available_threads():
    """How many threads `n_jobs` may ask for: only the one that launches."""
    return 1
