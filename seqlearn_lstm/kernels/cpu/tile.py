"""The register tile: rows x vectors of a product, held in registers for the whole sum. Everything else is Python.

``out (rows, vectors * lanes) = [out +] a (rows, K) @ b (K, vectors * lanes)``

out   at `out`, row stride `ldo`                                    written; also read where `accumulate`
a     at `a`, element (r, k) at r * row_stride + k * column_stride  read (a transposed operand has row_stride 1)
b     at `b`, row stride `ldb`                                      read, `vectors` whole registers a row

All pointers come from ``at(array, k)``; strides count elements. Each sum runs over k in order, from zero or from `out`, with
one accumulator: the bits do not depend on the tile's height, or on where a caller cuts K in two.

Numba's auto-vectoriser cannot be brought to keep the accumulators in registers (the best plain loop reaches half of the
machine's rate), hence LLVM by hand: one ``switch`` over all heights and widths, each its own loop over k.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

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
        return [[self.element(row, _int(v * self.vector.lanes)) for v in self.vectors] for row in rows]

    def map(self, function, grid):
        return [[function(value) for value in row] for row in grid]

    def never_unroll(self):
        """LLVM would write each loop out several times: no faster, and twice as long to compile."""
        module = self.builder.module
        disable = module.add_metadata(["llvm.loop.unroll.disable"])
        loop = module.add_metadata([f"tile {len(module.metadata)}"])
        loop.operands = (loop, disable)  # LLVM tells loops apart by a node that names itself first
        return loop

    def emit(self, out, ldo, a, row_stride, column_stride, b, ldb, K, accumulate):
        builder, vector = self.builder, self.vector
        targets = self.grid(out, ldo)
        a_rows = [self.element(a, builder.mul(_int(r), row_stride)) for r in self.rows]
        zero = vector.splat(builder, ir.Constant(vector.element, 0.0))

        entry = builder.block
        load, loop, done = (builder.append_basic_block(name) for name in ("load", "loop", "done"))
        builder.cbranch(accumulate, load, loop)
        builder.position_at_end(load)
        loaded = self.map(lambda pointer: vector.load(builder, pointer), targets)
        builder.branch(loop)

        builder.position_at_end(loop)
        k = builder.phi(INT)
        sums = self.map(lambda _: builder.phi(vector.llvm), targets)
        b_row = self.element(b, builder.mul(k, ldb))
        weights = [vector.load(builder, self.element(b_row, _int(v * vector.lanes))) for v in self.vectors]
        updated = []
        for r in self.rows:
            pointer = self.element(a_rows[r], builder.mul(k, column_stride))
            x = vector.splat(builder, builder.load(pointer, align=vector.bytes, typ=vector.element))
            updated.append([vector.fma(builder, x, weights[v], sums[r][v]) for v in self.vectors])
        following = builder.add(k, _int(1))
        k.add_incoming(_int(0), entry)
        k.add_incoming(_int(0), load)
        k.add_incoming(following, loop)
        for r in self.rows:
            for v in self.vectors:
                sums[r][v].add_incoming(zero, entry)
                sums[r][v].add_incoming(loaded[r][v], load)
                sums[r][v].add_incoming(updated[r][v], loop)
        branch = builder.cbranch(builder.icmp_signed("<", following, K), loop, done)
        branch.set_metadata("llvm.loop", self.never_unroll())

        builder.position_at_end(done)
        for r in self.rows:
            for v in self.vectors:
                vector.store(builder, updated[r][v], targets[r][v])


def _int(value):
    return ir.Constant(INT, value)


@intrinsic
def tile(typingctx, rows, vectors, out, ldo, a, row_stride, column_stride, b, ldb, K, accumulate):
    """See the module. rows 1..TILE_ROWS; vectors 1..PANEL_VECTORS; K >= 1; accumulate: an integer, 0 or not."""
    pointer, number = types.CPointer(out.dtype), types.intp
    vector = Vector(out.dtype)

    def codegen(context, builder, signature, args):
        rows, vectors, *operands, accumulate = args
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

    signature = types.void(
        number, number, pointer, number, pointer, number, number, pointer, number, number, number
    )
    return signature, codegen
