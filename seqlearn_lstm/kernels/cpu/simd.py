"""A vector type for Numba: one machine register of float32 or float64, with loads, stores and IEEE
arithmetic.

``load(array, k)``         the vector that starts at flat element k of a C-contiguous array of any number of dimensions
``store(array, k, x)``     writes it there
``load_first(array, k, n)  store_first(array, k, x, n)``   the same for n elements: other lanes are zero, or stay unwritten
``prefetch(array, k)``     asks for the cache line of flat element k, which will be written soon
``at(array, k)``           the address of flat element k: a typed pointer, which ``load`` and ``store`` take as well
``stack(array, n)``        n elements of the array's dtype that live as long as the function runs
``splat(like, number)``    `number` in every lane, in the dtype of an array or vector
``x + y  x - y  x * y  x / y``, with a vector or a plain number on either side
``fma(x, y, z)``           x * y + z, rounded once where the processor can; y and z may be plain numbers
``minimum maximum sqrt without_tiny``   lane by lane; of minimum(x, y) and maximum(x, y) not-a-number in x stays
``total(x) largest(x)``    over the lanes, in one fixed order

No operation is marked "fast": what the source says is what is computed, in that order, however the
code is inlined. That is what makes a prediction the same to the bit alone and in any batch.
"""

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from .target import HAS_FMA, VECTOR_BYTES

INT, LANE, _BYTES = ir.IntType(64), ir.IntType(32), ir.IntType(8).as_pointer()
# LLVM's words for: a write, soon again, of data
_TO_WRITE = [ir.Constant(LANE, n) for n in (1, 3, 1)]
_ELEMENTS = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}
_SUFFIX = {types.float32: "f32", types.float64: "f64"}


class Vector(types.Type):
    """Numba's type of one register of `dtype`, and how LLVM handles it."""

    def __init__(self, dtype):
        self.dtype = dtype
        self.bytes = dtype.bitwidth // 8
        self.lanes = VECTOR_BYTES // self.bytes
        self.element = _ELEMENTS[dtype]
        self.llvm = ir.VectorType(self.element, self.lanes)
        super().__init__(name=f"{dtype}x{self.lanes}")

    def load(self, builder, pointer):
        pointer = builder.bitcast(pointer, self.llvm.as_pointer())
        return builder.load(pointer, align=self.bytes, typ=self.llvm)

    def store(self, builder, value, pointer):
        pointer = builder.bitcast(pointer, self.llvm.as_pointer())
        builder.store(value, pointer, align=self.bytes)

    def splat(self, builder, scalar, element=None):
        undefined = ir.Constant(ir.VectorType(element or self.element, self.lanes), ir.Undefined)
        first = builder.insert_element(undefined, scalar, ir.Constant(LANE, 0))
        zeros = ir.Constant(ir.VectorType(LANE, self.lanes), [0] * self.lanes)
        return builder.shuffle_vector(first, undefined, zeros)

    def masked(self, builder, action, values, pointer, n):
        """LLVM's masked load or store of the first `n` lanes."""
        numbers = ir.Constant(ir.VectorType(INT, self.lanes), list(range(self.lanes)))
        mask = builder.icmp_signed("<", numbers, self.splat(builder, n, INT))
        pointer = builder.bitcast(pointer, self.llvm.as_pointer())
        rest = [] if values else [ir.Constant(self.llvm, None)]
        args = [*values, pointer, ir.Constant(LANE, self.bytes), mask, *rest]
        returns = ir.VoidType() if values else self.llvm
        name = f"llvm.masked.{action}.v{self.lanes}{_SUFFIX[self.dtype]}.p0"
        function = ir.FunctionType(returns, [arg.type for arg in args])
        return builder.call(cgutils.get_or_insert_function(builder.module, function, name), args)

    def cast(self, context, builder, value, from_type):
        """A vector as it is; a number in every lane."""
        if isinstance(from_type, Vector):
            return value
        return self.splat(builder, context.cast(builder, value, from_type, self.dtype))

    def call(self, builder, name, args):
        """Call LLVM's intrinsic `name` for this vector."""
        function = ir.FunctionType(self.llvm, [self.llvm] * len(args))
        name = f"llvm.{name}.v{self.lanes}{_SUFFIX[self.dtype]}"
        return builder.call(cgutils.get_or_insert_function(builder.module, function, name), args)

    def fma(self, builder, x, y, z):
        """x * y + z; where that is no instruction LLVM would call a library, 16 times slower than
        two roundings.
        """
        if HAS_FMA:
            return self.call(builder, "fma", [x, y, z])
        return builder.fadd(builder.fmul(x, y), z)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, fe_type.llvm)


# ---- memory --------------------------------------------------------------------------------------


def _element(context, builder, place, base, index):
    """The address of element `index` behind an array or a pointer."""
    if isinstance(place, types.Array):
        base = context.make_array(place)(context, builder, base).data
    return builder.gep(base, [index], source_etype=_ELEMENTS[place.dtype])


@intrinsic
def at(typingctx, place, k):
    def codegen(context, builder, signature, args):
        return _element(context, builder, place, *args)

    return types.CPointer(place.dtype)(place, types.intp), codegen


@intrinsic(prefer_literal=True)
def stack(typingctx, like, n):
    size = n.literal_value

    def codegen(context, builder, signature, args):
        memory = ir.ArrayType(_ELEMENTS[like.dtype], size)
        pointer = cgutils.alloca_once(builder, memory)
        pointer.align = VECTOR_BYTES
        return builder.bitcast(pointer, _ELEMENTS[like.dtype].as_pointer())

    return types.CPointer(like.dtype)(like, n), codegen


@intrinsic
def load(typingctx, place, k):
    vector = Vector(place.dtype)

    def codegen(context, builder, signature, args):
        return vector.load(builder, _element(context, builder, place, *args))

    return vector(place, types.intp), codegen


@intrinsic
def store(typingctx, place, k, x):
    def codegen(context, builder, signature, args):
        x.store(builder, args[2], _element(context, builder, place, *args[:2]))
        return context.get_dummy_value()

    return types.void(place, types.intp, x), codegen


@intrinsic
def load_first(typingctx, place, k, n):
    """Read the n elements from k on, and nothing beyond them. The other lanes are zero."""
    vector = Vector(place.dtype)

    def codegen(context, builder, signature, args):
        return vector.masked(
            builder, "load", [], _element(context, builder, place, *args[:2]), args[2]
        )

    return vector(place, types.intp, types.intp), codegen


@intrinsic
def store_first(typingctx, place, k, x, n):
    """Write the first n lanes of x to the elements from k on, and nothing beyond them."""

    def codegen(context, builder, signature, args):
        x.masked(builder, "store", [args[2]], _element(context, builder, place, *args[:2]), args[3])
        return context.get_dummy_value()

    return types.void(place, types.intp, x, types.intp), codegen


@intrinsic
def prefetch(typingctx, place, k):
    def codegen(context, builder, signature, args):
        pointer = builder.bitcast(_element(context, builder, place, *args), _BYTES)
        function = ir.FunctionType(ir.VoidType(), [_BYTES, LANE, LANE, LANE])
        function = cgutils.get_or_insert_function(builder.module, function, "llvm.prefetch.p0")
        builder.call(function, [pointer, *_TO_WRITE])
        return context.get_dummy_value()

    return types.void(place, types.intp), codegen


@intrinsic
def splat(typingctx, like, number):
    vector = Vector(like.dtype)

    def codegen(context, builder, signature, args):
        return vector.cast(context, builder, args[1], number)

    return vector(like, number), codegen


# ---- arithmetic ----------------------------------------------------------------------------------


def _define_operator(symbol, instruction):
    """Vector with vector, vector with number, number with vector."""

    @infer_global(symbol)
    class _Typed(AbstractTemplate):
        def generic(self, args, kws):
            vectors = [a for a in args if isinstance(a, Vector)]
            others = [a for a in args if not isinstance(a, (Vector, types.Number))]
            if len(args) == 2 and vectors and not others:
                return signature(vectors[0], *args)
            return None

    def lower(context, builder, sig, args):
        x, y = (
            sig.return_type.cast(context, builder, value, kind)
            for value, kind in zip(args, sig.args, strict=True)
        )
        return getattr(builder, instruction)(x, y)

    for kinds in ((Vector, Vector), (Vector, types.Number), (types.Number, Vector)):
        lower_builtin(symbol, *kinds)(lower)


for _symbol, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _define_operator(_symbol, _instruction)


def _either(comparison):
    """An operation on x and y that gives y where ``y <comparison> x``, else x; y may be a number.

    Not-a-number in x stays, so that a diverged training shows.
    """

    @intrinsic
    def operation(typingctx, x, y):
        def codegen(context, builder, signature, args):
            other = x.cast(context, builder, args[1], y)
            return builder.select(builder.fcmp_ordered(comparison, other, args[0]), other, args[0])

        return x(x, y), codegen

    return operation


minimum, maximum = _either("<"), _either(">")


@intrinsic
def sqrt(typingctx, x):
    def codegen(context, builder, signature, args):
        return x.call(builder, "sqrt", args)

    return x(x), codegen


@intrinsic
def without_tiny(typingctx, x):
    """Zero where |x| is below 1e-30 (float64: 1e-290); NaN stays.

    What is left has products that are no denormal numbers, which are ten times as slow.
    """
    smallest = {types.float32: 1e-30, types.float64: 1e-290}[x.dtype]

    def codegen(context, builder, signature, args):
        limit = x.splat(builder, ir.Constant(x.element, smallest))
        size = x.call(builder, "fabs", args)
        large = builder.fcmp_unordered(">=", size, limit)
        return builder.select(large, args[0], ir.Constant(x.llvm, None))

    return x(x), codegen


@intrinsic
def fma(typingctx, x, y, z):
    def codegen(context, builder, signature, args):
        y_value, z_value = (
            x.cast(context, builder, value, kind)
            for value, kind in zip(args[1:], (y, z), strict=True)
        )
        return x.fma(builder, args[0], y_value, z_value)

    return x(x, y, z), codegen


# ---- over the lanes ------------------------------------------------------------------------------


def _reduction(combine):
    """An operation that combines the halves of a vector, again and again, until one lane is left."""

    @intrinsic
    def operation(typingctx, x):
        def codegen(context, builder, signature, args):
            value, width = args[0], x.lanes
            while width > 1:
                width //= 2
                low, high = (
                    ir.Constant(ir.VectorType(LANE, width), list(range(start, start + width)))
                    for start in (0, width)
                )
                value = combine(
                    builder,
                    builder.shuffle_vector(value, value, low),
                    builder.shuffle_vector(value, value, high),
                )
            return builder.extract_element(value, ir.Constant(LANE, 0))

        return x.dtype(x), codegen

    return operation


total = _reduction(lambda builder, x, y: builder.fadd(x, y))
largest = _reduction(lambda builder, x, y: builder.select(builder.fcmp_ordered(">", x, y), x, y))


# ---- the exponent of a float: for exp ------------------------------------------------------------


@intrinsic
def round_to_even(typingctx, x):
    """The nearest whole number, by adding and taking away 1.5 * 2**(bits of the fraction): SSE2 has
    no rounding.
    """
    magic = {types.float32: 1.5 * 2**23, types.float64: 1.5 * 2**52}[x.dtype]

    def codegen(context, builder, signature, args):
        shift = x.splat(builder, ir.Constant(x.element, magic))
        return builder.fsub(builder.fadd(args[0], shift), shift)

    return x(x), codegen


@intrinsic
def power_of_two(typingctx, k):
    """2**k for a vector of whole numbers within the exponent's range."""
    fraction_bits, bias = {types.float32: (23, 127), types.float64: (52, 1023)}[k.dtype]
    integers = ir.VectorType(ir.IntType(k.dtype.bitwidth), k.lanes)

    def codegen(context, builder, signature, args):
        shift, offset = (
            ir.Constant(integers, [value] * k.lanes) for value in (fraction_bits, bias)
        )
        exponent = builder.add(builder.fptosi(args[0], integers), offset)
        return builder.bitcast(builder.shl(exponent, shift), k.llvm)

    return k(k), codegen
