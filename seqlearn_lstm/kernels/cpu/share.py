"""Work for several threads without Numba's parallel compiler, which takes seconds for every kernel.

A kernel that can be split ends its parameters with ``(..., share, n_shares, launcher)`` and begins
with

    if launcher != 0:
        hand_out()
        return

Called with ``launcher = 0`` it does share `share` of `n_shares`. Called with the address of the
threading layer's parallel loop it has itself called once for each share, by as many threads, and
returns when all have. Kernels that do so cannot raise and allocate nothing: an error in another
thread would be lost.

A kernel `..._by_units` has the same parameters, but hands out nothing itself: it runs in one thread, and
passes them on to a kernel that is handed out for each step. (Its own `share`, which is 0: the literal would be
compiled in, and every share be the first.)
"""

import os
from contextlib import contextmanager
from functools import cache

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.ufunc import parallel

from .simd import INT

SPINS = "100000"

_BYTES = ir.IntType(8).as_pointer()
# The parallel loop that Numba's layers (OpenMP, TBB, workqueue) share, and the loop body that it
# calls:
#   body(char **args, size_t *dimensions, size_t *steps, void *data)
#   loop(body, args, dimensions, steps, data, inner_ndim, array_count, n_threads)
# args[0] is moved by steps[0] for each index; dimensions[0] says how many indices one call of the
# body is for.
_BODY = ir.FunctionType(
    ir.VoidType(), [_BYTES.as_pointer(), INT.as_pointer(), INT.as_pointer(), _BYTES]
)
_LOOP = ir.FunctionType(
    ir.VoidType(),
    [_BODY.as_pointer(), *_BODY.args, INT, INT, ir.IntType(32)],
)


@cache
def parallel_loop():
    """The address of the threading layer's parallel loop; starts the threads of the process at the
    first call.
    """
    with _waiting_briefly():
        parallel._launch_threads()
    return llvm.address_of_symbol("numba_parallel_for")


@contextmanager
def _waiting_briefly():
    """While this lasts, GNU's OpenMP is told to let its threads sleep after some 1 ms without work; it
    reads so when it is loaded.

    By itself it lets them wait actively for longer. Where another process needs the cores, every
    launch then waits for a thread that waits actively for nothing.
    """
    if any(name in os.environ for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")):
        yield  # somebody has decided
        return
    os.environ["GOMP_SPINCOUNT"] = SPINS
    try:
        yield
    finally:
        del os.environ["GOMP_SPINCOUNT"]


@intrinsic
def hand_out(typingctx):
    """Call the function that this stands in once for each share; see the module."""

    def codegen(context, builder, signature, args):
        *operands, _, n_shares, launcher = builder.function.args
        packed = ir.LiteralStructType([value.type for value in operands] + [INT])
        data = cgutils.alloca_once(builder, packed)
        builder.store(cgutils.make_anonymous_struct(builder, [*operands, n_shares], packed), data)
        first_index = cgutils.alloca_once_value(builder, ir.Constant(_BYTES, None))
        count = cgutils.alloca_once_value(builder, n_shares)
        step = cgutils.alloca_once_value(builder, ir.Constant(INT, 1))
        loop = builder.inttoptr(launcher, _LOOP.as_pointer())
        builder.call(
            loop,
            [
                _body(builder.module, builder.function, packed),
                first_index,
                count,
                step,
                builder.bitcast(data, _BYTES),
                ir.Constant(INT, 0),
                ir.Constant(INT, 1),
                builder.trunc(n_shares, ir.IntType(32)),
            ],
        )
        return context.get_dummy_value()

    return types.void(), codegen


def _body(module, kernel, packed):
    """The function that a thread calls: unpack the kernel's arguments, call it for each index."""
    body = ir.Function(module, _BODY, name=f"share_of_{kernel.name}")
    body.linkage = "internal"
    args, dimensions, _, data = body.args
    builder = ir.IRBuilder(body.append_basic_block("entry"))
    values = builder.load(builder.bitcast(data, packed.as_pointer()), typ=packed)
    *operands, n_shares = (builder.extract_value(values, i) for i in range(len(packed.elements)))
    first = builder.ptrtoint(builder.load(args, typ=_BYTES), INT)
    # Its own place for the return value and the error: Numba's first two arguments
    for i in (0, 1):
        operands[i] = builder.alloca(operands[i].type.pointee)
    with cgutils.for_range(builder, builder.load(dimensions, typ=INT)) as loop:
        share = builder.add(first, loop.index)
        builder.call(kernel, [*operands, share, n_shares, ir.Constant(INT, 0)])
    builder.ret_void()
    return body
