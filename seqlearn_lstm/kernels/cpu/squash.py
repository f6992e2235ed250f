"""Activations chosen by a number, and choices lane by lane.

``squash(x, kind)``        TANH, RELU, SIGMOID or LINEAR of a vector
``unsquash(d, y, kind)``   the gradient before an activation, from the gradient d behind it and its value y
``first_lanes(x, n)``      x with zeros from lane n on
"""

from llvmlite import ir
from numba.extending import intrinsic

from .activations import sigmoid, tanh
from .compile import inlined
from .simd import INT, maximum

TANH, RELU, SIGMOID, LINEAR = range(4)


@intrinsic
def first_lanes(typingctx, x, n):
    def codegen(context, builder, signature, args):
        numbers = ir.Constant(ir.VectorType(INT, x.lanes), list(range(x.lanes)))
        used = builder.icmp_signed("<", numbers, x.splat(builder, args[1], INT))
        return builder.select(used, args[0], ir.Constant(x.llvm, None))

    return x(x, n), codegen


@intrinsic
def where_positive(typingctx, d, y):
    """d where y > 0, else zero; where y is not a number d stays: a diverged training shows."""

    def codegen(context, builder, signature, args):
        zero = ir.Constant(y.llvm, None)
        return builder.select(builder.fcmp_unordered(">", args[1], zero), args[0], zero)

    return d(d, y), codegen


@inlined
def squash(x, kind):
    if kind == TANH:
        return tanh(x)
    if kind == RELU:
        return maximum(x, 0.0)
    if kind == SIGMOID:
        return sigmoid(x)
    return x


@inlined
def unsquash(d, y, kind):
    if kind == TANH:
        return d * (1.0 - y * y)
    if kind == RELU:
        return where_positive(d, y)
    if kind == SIGMOID:
        return d * (y * (1.0 - y))
    return d
