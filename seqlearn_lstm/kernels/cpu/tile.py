"""The register tile: rows x vectors of a product, held in registers for the whole sum. Everything
else is Python.

``out (rows, vectors * lanes) = [out +] a (rows, pieces * K) @ b (pieces * K, vectors * lanes)``

out   at `out`, row stride `ldo`                                    written; also read where `accumulate`
a     at `a`, element (r, k) at r * row_stride + k * column_stride  read (a transposed operand has row_stride 1); it lies in
      `pieces` pieces of K columns, one every `piece_stride`
b     at `b`, row stride `ldb`                                      read, `vectors` whole registers a row

All pointers come from ``at(array, k)``; strides count elements. Each sum runs over k in order, from
zero or from `out`, with one accumulator: the bits do not depend on the tile's height, or on where a
caller cuts K in two.

Numba's auto-vectoriser cannot be brought to keep the accumulators in registers (the best plain loop
reaches half of the machine's rate), hence LLVM by hand: one ``switch`` over all heights and widths,
each its own loop over k.
"""

from functools import cache
from itertools import chain

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.numpy_support import from_dtype

from .compile import callback
from .simd import INT, Vector
from .target import TILE_ROWS

PANEL_VECTORS = 4


class _Tile:
    """Emits one tile of `rows` x `vectors` accumulators."""

    def __init__(self, builder, vector, rows, vectors):
        self.builder, self.vector = builder, vector
        self.rows, self.vectors = range(rows), range(vectors)

    def element(self, pointer, index):
        return self.builder.gep(pointer, [index], source_etype=self.vector.element)

    def grid(self, pointer, ld):
        """Pointers to all accumulators of the tile."""
        rows = [self.element(pointer, self.builder.mul(_int(r), ld)) for r in self.rows]
        return [
            [self.element(row, _int(v * self.vector.lanes)) for v in self.vectors] for row in rows
        ]

    def map(self, function, grid):
        return [[function(value) for value in row] for row in grid]

    def never_unroll(self):
        """LLVM would write each loop out several times: no faster, and twice as long to compile."""
        module = self.builder.module
        disable = module.add_metadata(["llvm.loop.unroll.disable"])
        loop = module.add_metadata([f"tile {len(module.metadata)}"])
        loop.operands = (loop, disable)  # LLVM tells loops apart by a node that names itself first
        return loop

    def emit(
        self, out, ldo, a, row_stride, column_stride, pieces, piece_stride, b, ldb, K, accumulate
    ):
        builder, targets = self.builder, self.grid(out, ldo)
        entry = builder.block
        load, piece, step, next_piece, done = (
            builder.append_basic_block(name) for name in ("load", "piece", "step", "next", "done")
        )
        builder.cbranch(accumulate, load, piece)
        builder.position_at_end(load)
        loaded = self.map(lambda pointer: self.vector.load(builder, pointer), targets)
        builder.branch(piece)

        builder.position_at_end(piece)
        zero = ir.Constant(self.vector.llvm, None)
        index, a_piece, b_piece = builder.phi(INT), builder.phi(a.type), builder.phi(b.type)
        before = self.map(lambda _: builder.phi(self.vector.llvm), targets)
        for start, values in ((entry, self.map(lambda _: zero, targets)), (load, loaded)):
            self.enter((index, a_piece, b_piece), (_int(0), a, b), start)
            self.enter_grid(before, values, start)
        builder.branch(step)

        builder.position_at_end(step)
        k, a_column, b_row = builder.phi(INT), builder.phi(a.type), builder.phi(b.type)
        sums = self.map(lambda _: builder.phi(self.vector.llvm), targets)
        updated = self.multiply_add(a_column, row_stride, b_row, sums)
        following = builder.add(k, _int(1))
        next_row = self.element(b_row, ldb)
        self.enter((k, a_column, b_row), (_int(0), a_piece, b_piece), piece)
        self.enter(
            (k, a_column, b_row), (following, self.element(a_column, column_stride), next_row), step
        )
        self.enter_grid(sums, before, piece)
        self.enter_grid(sums, updated, step)
        branch = builder.cbranch(builder.icmp_signed("<", following, K), step, next_piece)
        branch.set_metadata("llvm.loop", self.never_unroll())

        builder.position_at_end(next_piece)
        index_after = builder.add(index, _int(1))
        a_after = self.element(a_piece, piece_stride)
        self.enter((index, a_piece, b_piece), (index_after, a_after, next_row), next_piece)
        self.enter_grid(before, updated, next_piece)
        builder.cbranch(builder.icmp_signed("<", index_after, pieces), piece, done)

        builder.position_at_end(done)
        for target, value in zip(chain(*targets), chain(*updated), strict=True):
            self.vector.store(builder, value, target)

    def multiply_add(self, a_column, row_stride, b_row, sums):
        """Add the products of one k to all sums: for each column of accumulators a vector of b, for
        each row an element of a in every lane. Returns the new sums.
        """
        builder, vector = self.builder, self.vector
        weights = [
            vector.load(builder, self.element(b_row, _int(v * vector.lanes))) for v in self.vectors
        ]
        updated = []
        for r in self.rows:
            pointer = self.element(a_column, builder.mul(_int(r), row_stride))
            x = vector.splat(builder, builder.load(pointer, align=vector.bytes, typ=vector.element))
            updated.append([vector.fma(builder, x, weights[v], sums[r][v]) for v in self.vectors])
        return updated

    def enter(self, phis, values, block):
        """Say which values the phi nodes take when control comes from `block`."""
        for phi, value in zip(phis, values, strict=True):
            phi.add_incoming(value, block)

    def enter_grid(self, phis, values, block):
        self.enter(chain(*phis), chain(*values), block)


def _int(value):
    return ir.Constant(INT, value)


@intrinsic
def _all_tiles(typingctx, operands):
    """One case for each shape of a tile; `operands` is a tuple of what `tile` takes."""
    vector = Vector(operands[2].dtype)  # that of `out`

    def codegen(context, builder, signature, args):
        rows, vectors, *operands, accumulate = cgutils.unpack_tuple(builder, *args)
        accumulate = builder.icmp_signed("!=", accumulate, _int(0))
        end = builder.append_basic_block("end")
        shape = builder.add(builder.mul(rows, _int(PANEL_VECTORS + 1)), vectors)
        switch = builder.switch(shape, end)
        for r in range(1, TILE_ROWS + 1):
            for v in range(1, PANEL_VECTORS + 1):
                case = builder.append_basic_block(f"tile_{r}x{v}")
                switch.add_case(_int(r * (PANEL_VECTORS + 1) + v), case)
                builder.position_at_end(case)
                _Tile(builder, vector, r, v).emit(*operands, accumulate)
                builder.branch(end)
        builder.position_at_end(end)
        return context.get_dummy_value()

    return types.void(operands), codegen


def _signature(dtype):
    pointer, number = types.CPointer(dtype), types.intp
    return types.void(
        number, number,                           # rows, vectors
        pointer, number,                          # out, ldo
        pointer, number, number, number, number,  # a, row_stride, column_stride, pieces, piece_stride
        pointer, number,                          # b, ldb
        number, number,                           # K, accumulate
    )  # fmt: skip


def _tile(
    rows, vectors, out, ldo, a, row_stride, column_stride, pieces, piece_stride, b, ldb, K,
    accumulate,
):  # fmt: skip
    operands = (
        rows, vectors, out, ldo, a, row_stride, column_stride, pieces, piece_stride, b, ldb, K,
        accumulate,
    )  # fmt: skip
    _all_tiles(operands)


def _symbol(dtype):
    return f"seqlearn_lstm_tile_{dtype}"


@cache
def link(dtype):
    """Compile the tiles of a NumPy dtype, or load them, and give the linker their address.

    All kernels share this machine code, which takes longer to compile than the rest of a kernel.
    Whoever calls a kernel that uses tiles calls this before, for a kernel from the disk cache asks
    for the address when it is loaded.
    """
    dtype = from_dtype(dtype)
    compiled = callback(_signature(dtype))(_tile)
    llvm.add_symbol(_symbol(dtype), compiled.address)
    return compiled  # which keeps the code alive


@intrinsic
def tile(
    typingctx, rows, vectors, out, ldo, a, row_stride, column_stride, pieces, piece_stride, b, ldb,
    K, accumulate,
):  # fmt: skip
    """See the module. rows 1..TILE_ROWS; vectors 1..PANEL_VECTORS; pieces, K >= 1; accumulate: an
    integer, 0 or not.
    """

    def codegen(context, builder, signature, args):
        function = ir.FunctionType(ir.VoidType(), [value.type for value in args])
        symbol = _symbol(out.dtype)
        builder.call(cgutils.get_or_insert_function(builder.module, function, symbol), args)
        return context.get_dummy_value()

    return _signature(out.dtype), codegen
