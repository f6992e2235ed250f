"""A panelled matrix transposed: squares of L x L elements turn in registers."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .compile import kernel
from .share import hand_out
from .simd import INT, LANE, Vector, at
from .target import VECTOR_BYTES
from .tile import PANEL_VECTORS


@intrinsic
def turn(typingctx, out, ldo, a, lda, n):
    """out (L, L) = a (n, L) transposed, with zeros for the rows from n on, which are not read; n from
    1 to L. Row strides in elements.
    """
    vector = Vector(out.dtype)

    def codegen(context, builder, signature, args):
        out, ldo, a, lda, n = args
        numbers = [ir.Constant(INT, k) for k in range(vector.lanes)]

        def row(pointer, stride, k):
            return builder.gep(pointer, [builder.mul(k, stride)], source_etype=vector.element)

        rows = []
        for k in numbers:
            exists = builder.icmp_signed("<", k, n)
            source = row(a, lda, builder.select(exists, k, numbers[0]))
            zero = ir.Constant(vector.llvm, None)
            rows.append(builder.select(exists, vector.load(builder, source), zero))
        for k, value in zip(numbers, _turned(builder, rows), strict=True):
            vector.store(builder, value, row(out, ldo, k))
        return context.get_dummy_value()

    return types.void(out, types.intp, a, types.intp, types.intp), codegen


def _turned(builder, rows):
    """Eklundh's transposition: rows that are 1, 2, 4 ... apart exchange what lies off the diagonal."""
    rows, L, distance = list(rows), len(rows), 1
    while distance < L:
        for k in range(L):
            if k & distance:
                continue
            pair = rows[k], rows[k + distance]
            for start in (0, distance):
                lanes = [
                    start + (lane if lane & distance == 0 else lane - distance + L)
                    for lane in range(L)
                ]
                mask = ir.Constant(ir.VectorType(LANE, L), lanes)
                rows[k + start] = builder.shuffle_vector(*pair, mask)
        distance *= 2
    return rows


@kernel
def transpose(out, W, n_inputs, n_columns, first_input, n_used, share, n_shares, launcher):
    """out = W[first_input : first_input + n_used]^T, both panelled; the columns of `out` are padded
    to the lanes with zeros.

    W (n_inputs, n_columns), n_columns a multiple of the lanes; out (n_columns, n_used padded). A
    share is a range of W's columns.
    """
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // W.itemsize
    panel, n_padded, vectors = PANEL_VECTORS * L, (n_used + L - 1) // L * L, n_columns // L
    for n in range(share * vectors // n_shares * L, (share + 1) * vectors // n_shares * L, L):
        start = n // panel * panel
        stride = min(panel, n_columns - start)
        source = start * n_inputs + first_input * stride + n - start
        for k in range(0, n_padded, L):
            q = k // panel * panel
            width = min(panel, n_padded - q)
            turn(
                at(out, q * n_columns + n * width + k - q), width, at(W, source + k * stride), stride,
                min(L, n_used - k),
            )  # fmt: skip
