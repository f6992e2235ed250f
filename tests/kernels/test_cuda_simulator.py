"""Facts of the simulator of CUDA: what a device would compute it computes, and a barrier that is
missing shows, whatever the order of the threads.
"""

import runpy
import sys

import numpy as np
import pytest

from seqlearn_lstm.kernels.cuda import simulator
from seqlearn_lstm.kernels.cuda.simulator import BarrierError, Kernel, cuda

SEEDS = range(6)


def launch(kernel, n_blocks, n_threads, *arguments, seed=0):
    Kernel.seed, before = seed, Kernel.seed
    try:
        cuda.jit(kernel)[n_blocks, n_threads](*arguments)
    finally:
        Kernel.seed = before


# ---- barriers ------------------------------------------------------------------------------------


def neighbours(wait):
    """A block hands its numbers round; `wait` after the numbers are written."""

    def kernel(x, out):
        shared = cuda.shared.array(x.shape[0], x.dtype)
        k, n = cuda.threadIdx.x, cuda.blockDim.x
        shared[k] = x[k]
        if wait:
            cuda.syncthreads()
        out[k] = shared[(k + 1) % n]

    return kernel


def round_and_round(wait):
    """Three times; `wait` after they are read, before the next ones are written."""

    def kernel(x, out):
        shared = cuda.shared.array(x.shape[0], x.dtype)
        k, n = cuda.threadIdx.x, cuda.blockDim.x
        value = x[k]
        for _ in range(3):
            shared[k] = value
            cuda.syncthreads()
            value = shared[(k + 1) % n]
            if wait:
                cuda.syncthreads()
        out[k] = value

    return kernel


def other_blocks(wait):
    """The grid hands its numbers round, through global memory."""

    def kernel(x, out):
        k, n = cuda.grid(1), cuda.gridsize(1)
        x[k] *= 2
        if wait:
            cuda.cg.this_grid().sync()
        out[k] = x[(k + cuda.blockDim.x) % n] / 2

    return kernel


def half_warps(wait):
    """Each warp hands its numbers to its other half."""

    def kernel(x, out):
        shared = cuda.shared.array(x.shape[0], x.dtype)
        k = cuda.threadIdx.x
        shared[k] = x[k]
        if wait:
            cuda.syncwarp()
        out[k] = shared[k ^ 16]

    return kernel


BARRIERS = {
    "syncthreads": (neighbours, 1, 6, lambda x: np.roll(x, -1)),
    "syncthreads in a loop": (round_and_round, 1, 6, lambda x: np.roll(x, -3)),
    "grid": (other_blocks, 3, 2, lambda x: np.roll(x, -2)),
    "syncwarp": (half_warps, 1, 64, lambda x: x.reshape(2, 2, 16)[:, ::-1].reshape(-1)),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kernel, n_blocks, n_threads, expected", BARRIERS.values(), ids=BARRIERS)
def test_a_missing_barrier_shows(kernel, n_blocks, n_threads, expected, seed):
    results = {}
    for wait in (True, False):
        x = np.arange(1.0, n_blocks * n_threads + 1)
        truth, results[wait] = expected(x), np.zeros_like(x)
        launch(kernel(wait), n_blocks, n_threads, x, results[wait], seed=seed)
    np.testing.assert_array_equal(results[True], truth)
    assert not np.array_equal(results[False], truth)


@pytest.mark.parametrize("seed", SEEDS)
def test_threads_at_different_barriers(seed):
    def kernel():
        if cuda.threadIdx.x < 2:
            cuda.syncthreads()
        else:
            cuda.syncthreads()

    with pytest.raises(BarrierError, match="several places"):
        launch(kernel, 1, 4, seed=seed)


@pytest.mark.parametrize("barrier", [cuda.syncthreads, cuda.syncwarp, cuda.cg.this_grid().sync])
def test_a_thread_that_leaves_while_others_wait(barrier):
    def kernel():
        if cuda.grid(1) != 3:
            barrier()

    with pytest.raises(BarrierError, match="never come"):
        launch(kernel, 2, 2)


def test_a_barrier_of_a_block_is_not_one_of_the_grid():
    def kernel():
        if cuda.blockIdx.x == 0:
            cuda.syncthreads()
        else:
            cuda.cg.this_grid().sync()

    with pytest.raises(BarrierError, match="never come"):
        launch(kernel, 2, 2)


def test_blocks_wait_for_themselves_only():
    def kernel(out):
        for _ in range(cuda.blockIdx.x):
            cuda.syncthreads()
        out[cuda.grid(1)] = 1

    out = np.zeros(6)
    launch(kernel, 3, 2, out)
    assert out.all()


# ---- the order of threads ------------------------------------------------------------------------


def order_of(seed):
    order = []

    def kernel():
        order.append(cuda.grid(1))
        cuda.syncthreads()
        order.append(cuda.grid(1))

    launch(kernel, 2, 4, seed=seed)
    return tuple(order)


def test_the_seed_draws_the_order():
    assert len({order_of(seed) for seed in SEEDS}) == len(SEEDS)
    assert order_of(1) == order_of(1)
    assert order_of(1)[:8] != order_of(1)[8:], "each barrier draws it anew"


# ---- memory --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["shared", "local"])
def test_memory_that_nobody_has_written(kind, dtype):
    def kernel(out, numbers):
        memory = getattr(cuda, kind)
        out[0] = memory.array(3, dtype)[1]
        numbers[0] = memory.array((2, 2), np.int64)[1, 1]

    for _ in range(2):  # the second launch finds nothing of the first
        out, numbers = np.zeros(1, dtype), np.zeros(1, np.int64)
        launch(kernel, 1, 1, out, numbers)
        assert np.isnan(out[0])
        assert numbers[0] < -(2**62)


def test_each_block_has_shared_memory_of_its_own():
    def kernel(out):
        shared = cuda.shared.array(2, np.float64)
        shared[cuda.threadIdx.x] = cuda.blockIdx.x
        cuda.syncthreads()
        out[cuda.grid(1)] = shared[1 - cuda.threadIdx.x]

    out = np.zeros(6)
    launch(kernel, 3, 2, out)
    np.testing.assert_array_equal(out, [0, 0, 1, 1, 2, 2])


def test_each_thread_has_local_memory_of_its_own():
    def kernel(out):
        local = cuda.local.array(1, np.float64)
        local[0] = cuda.grid(1)
        cuda.syncthreads()
        out[cuda.grid(1)] = local[0]

    out = np.zeros(4)
    launch(kernel, 2, 2, out)
    np.testing.assert_array_equal(out, range(4))


def test_shared_arrays_of_one_line_are_several():
    def kernel(out):
        a, b = cuda.shared.array(1, np.float64), cuda.shared.array(1, np.float64)
        a[0], b[0] = 1, 2
        out[0] = a[0]

    out = np.zeros(1)
    launch(kernel, 1, 1, out)
    assert out[0] == 1


def reads(memory, key):
    return memory[key]


def writes(memory, key):
    memory[key] = 0


@pytest.mark.parametrize("access", [reads, writes])
@pytest.mark.parametrize("shape, key", [(3, -1), (3, 3), ((2, 2), (0, -1)), ((2, 2), (2, 0))])
def test_what_lies_outside_of_an_array(access, shape, key):
    def of_caller(x):
        access(x, key)

    def shared(x):
        access(cuda.shared.array(shape, np.float64), key)

    def local(x):
        access(cuda.local.array(shape, np.float64), np.int64(key) if shape == 3 else key)

    for kernel in (of_caller, shared, local):
        with pytest.raises(IndexError):
            launch(kernel, 1, 1, np.zeros(shape))


@pytest.mark.parametrize(
    "key", [slice(2, 9), slice(-2, 2), slice(4, 5), (-1, slice(0, 2))], ids=str
)
def test_ranges_end_with_the_array(key):
    def kernel(x):
        x[key]

    with pytest.raises(IndexError):
        launch(kernel, 1, 1, np.zeros((3, 3)))


@pytest.mark.parametrize(
    "find", [lambda x, pair: pair[0], lambda x, pair: x[1]], ids=["tuple", "row"]
)
def test_arrays_within_others_have_ends_too(find):
    def kernel(x, pair):
        find(x, pair)[-1]

    with pytest.raises(IndexError):
        launch(kernel, 1, 1, np.zeros((3, 3)), (np.zeros(3), 1))


def test_what_kernels_see_of_arrays():
    def kernel(x, out):
        n, m = x.shape
        out[0], out[1], out[2] = n, m, x.size
        out[3] = x.dtype.type(0.1)
        out[4 : 4 + m] = x[1, 0:m]

    out = np.zeros(6)
    launch(kernel, 1, 1, np.arange(4, dtype=np.float32).reshape(2, 2), out)
    np.testing.assert_array_equal(out, [2, 2, 4, np.float32(0.1), 2, 3])


# ---- numbers -------------------------------------------------------------------------------------


def test_shuffles():
    def kernel(out):
        value = cuda.grid(1)
        for shift in (16, 8, 4, 2, 1):
            value += cuda.shfl_xor_sync(0xFFFFFFFF, value, shift)
        out[cuda.grid(1)] = value

    out = np.zeros(128)
    launch(kernel, 2, 64, out)
    np.testing.assert_array_equal(out, np.repeat(np.arange(128).reshape(4, 32).sum(axis=1), 32))


def test_a_shuffle_keeps_what_has_no_partner():
    def kernel(out):
        out[cuda.laneid] = cuda.shfl_xor_sync(0xFFFFFFFF, cuda.laneid, 2)

    out = np.zeros(3)
    launch(kernel, 1, 3, out)
    np.testing.assert_array_equal(out, [2, 1, 0])


def test_where_a_thread_stands():
    def kernel(out):
        (tx, ty), n = (cuda.threadIdx.x, cuda.threadIdx.y), cuda.blockDim.x
        out[cuda.blockIdx.x, ty, tx] = 100 * cuda.gridDim.x + 10 * cuda.blockDim.y + n

    out = np.zeros((2, 3, 4))
    launch(kernel, 2, (4, 3), out)
    assert (out == 234).all()


def test_numbers_overflow_without_a_warning():
    def kernel(x):
        x[0] *= x[0]
        x[1] = x[0] - x[0]

    x = np.full(2, 1e30, np.float32)
    launch(kernel, 1, 1, x)
    assert np.isposinf(x[0])
    assert np.isnan(x[1])


def test_an_error_of_a_thread_reaches_the_caller():
    def kernel():
        cuda.syncthreads()
        if cuda.grid(1) == 3:
            raise ZeroDivisionError
        cuda.syncthreads()

    with pytest.raises(ZeroDivisionError):
        launch(kernel, 2, 2)


# ---- where it cannot run -------------------------------------------------------------------------


def test_without_greenlet(monkeypatch):
    monkeypatch.setitem(sys.modules, "greenlet", None)
    with pytest.raises(ImportError, match=r'needs greenlet.* pip install "seqlearn_lstm\[test\]"'):
        runpy.run_path(simulator.__file__)
