"""What Numba does not offer: clusters of blocks, tensor cores, memory of other blocks. Each stands
here once as inline PTX and once as its Python twin for the simulator. For sm_90 and up.

cluster_of(n)            first thing in a kernel: n blocks, a constant, make a cluster
cluster_rank()           the block's number in its cluster
cluster_sync()           all threads of the cluster wait for each other
tf32(x)                  x rounded to 10 bits of mantissa, as tensor cores take it
pack_bf16(x, y)          both rounded to 7 bits of mantissa, in the halves of a uint32: x in the lower one
reciprocal(x)            1 / x, to the last bit or the one before
mma(a0..a3, b0, b1, c0..c3)    of a warp: A (16, 8) @ B (8, 8) + C, in the fragments of mma.m16n8k8
mma_bf16(a0..a3, b0, b1, c0..c3)    A (16, 16) @ B (16, 8) + C; a and b: pairs of neighbours in k
load4(array, k)          four elements from k on, a multiple of 4; the array is flat and shared, of float32 or uint32
store4(array, k, a, b, c, d)   into them, of float32
store2(array, k, a, b)         into two, of uint32
open_barrier(barriers, k)      element k of a shared int64 array becomes a barrier; one thread does it
expect(barriers, k, n)   one thread, once a phase: the phase ends when n bytes have come
wait(barriers, k, parity)      until the phase of this parity has ended; phases are 0, 1, 0, 1, ...
send4(array, k, barriers, j, rank, a, b, c, d)    as store4 into the same array of the block `rank`; 16 bytes for its barrier j
send2(array, k, barriers, j, rank, a, b)          as store2, 8 bytes
"""

import numpy as np

from .primitives import SIMULATED

if SIMULATED:
    from greenlet import getcurrent

    from .simulator import BarrierError

    class _Barrier:
        """One of a block's barriers."""

        def __init__(self):
            self.phase, self.arrivals, self.n_bytes = 0, 1, 0

        def count(self, arrivals, n_bytes):
            self.arrivals -= arrivals
            self.n_bytes += int(n_bytes)
            if self.arrivals < 0:
                raise BarrierError("expect() came twice in a phase")
            if not self.arrivals and not self.n_bytes:
                self.phase, self.arrivals = self.phase + 1, 1

    def cluster_of(n):
        getcurrent().launch.make_clusters(n)

    def cluster_rank():
        return np.uint32(getcurrent().block % getcurrent().launch.cluster)

    def cluster_sync():
        getcurrent().launch.wait("cluster")

    def tf32(x):
        bits = int(np.float32(x).view(np.uint32))
        return np.uint32((bits + 0x1000) & 0xFFFFE000).view(np.float32)

    def pack_bf16(x, y):
        lower, upper = (int(np.float32(number).view(np.uint32)) for number in (x, y))
        return np.uint32(_bf16(upper) << 16 | _bf16(lower))

    def _bf16(bits):
        return bits + 0x7FFF + (bits >> 16 & 1) >> 16  # to the nearest; of two, to the even one

    def reciprocal(x):
        return np.float32(1) / x

    def mma(*fragment):
        """Lane 4 g + q has A[g, q], A[g + 8, q], A[g, q + 4], A[g + 8, q + 4]; B[q, g],
        B[q + 4, g]; C[g, 2 q], C[g, 2 q + 1], C[g + 8, 2 q], C[g + 8, 2 q + 1].
        """
        return _product_of_a_warp(fragment, lambda factors: factors)

    def mma_bf16(*fragment):
        """Lane 4 g + q has A[g, k], A[g + 8, k], A[g, k + 8], A[g + 8, k + 8]; B[k, g], B[k + 8, g],
        each of them for k = 2 q and 2 q + 1; C as of `mma`.
        """
        return _product_of_a_warp(fragment, _unpacked)

    def _unpacked(words):
        """Their lower and upper halves, (..., 2 n) of (..., n)."""
        halves = words[..., None] << np.uint32([16, 0]) & np.uint32(0xFFFF0000)
        return halves.view(np.float32).reshape(*words.shape[:-1], -1)

    def _product_of_a_warp(fragment, numbers):
        """A lane's part of A @ B + C; `numbers` gives those that stand in the a and b of a lane."""
        thread = getcurrent()
        fragments = thread.launch.wait("warp", fragment)
        if "sum" not in fragments:  # the first to come computes it for all lanes
            first = thread.number // 32 * 32
            rows = [fragments[first + lane] for lane in range(32)]
            x = numbers(np.array([row[:6] for row in rows]).T.reshape(6, 8, 4)).astype(np.float64)
            A = np.block([[x[0], x[2]], [x[1], x[3]]])
            B = np.vstack([x[4].T, x[5].T])
            c = np.array([row[6:] for row in rows], np.float64).reshape(8, 4, 2, 2)
            C = c.transpose(2, 0, 1, 3).reshape(16, 8)
            fragments["sum"] = (C + A @ B).astype(np.float32)
        g, q = divmod(thread.number % 32, 4)
        D = fragments["sum"]
        return D[g, 2 * q], D[g, 2 * q + 1], D[g + 8, 2 * q], D[g + 8, 2 * q + 1]

    def load4(array, k):
        assert k % 4 == 0
        return tuple(array[k : k + 4])

    def store4(array, k, *values):
        assert k % len(values) == 0
        array[k : k + len(values)] = values

    store2 = store4

    def open_barrier(barriers, k):
        thread = getcurrent()
        thread.launch.barriers[thread.block, k] = _Barrier()

    def expect(barriers, k, n_bytes):
        thread = getcurrent()
        thread.launch.barriers[thread.block, k].count(1, n_bytes)

    def wait(barriers, k, parity):
        thread = getcurrent()
        barrier = thread.launch.barriers[thread.block, k]
        thread.launch.until(lambda: barrier.phase % 2 != parity)

    def send4(array, k, barriers, j, rank, *values):
        launch, block = getcurrent().launch, getcurrent().block
        store4(launch.beside(array, rank), k, *values)
        barrier = launch.barriers[block - block % launch.cluster + int(rank), j]
        barrier.count(0, -4 * len(values))

    send2 = send4

else:
    from llvmlite import ir
    from numba.cuda import cgutils, types
    from numba.cuda.extending import intrinsic
    from numba.cuda.typing import signature

    uint32, float32 = types.uint32, types.float32
    four, four_words = types.UniTuple(float32, 4), types.UniTuple(uint32, 4)
    LETTERS = {float32: "f", uint32: "r"}  # of operands
    LLVM = {
        types.none: ir.VoidType(),
        uint32: ir.IntType(32),
        float32: ir.FloatType(),
        four: ir.LiteralStructType([ir.FloatType()] * 4),
        four_words: ir.LiteralStructType([ir.IntType(32)] * 4),
    }

    def _address(context, builder, array_type, array, k):
        """Where element k of a shared array lies, in 32 bits."""
        data = context.make_array(array_type)(context, builder, array).data
        shared = builder.addrspacecast(data, ir.PointerType(data.type.pointee, addrspace=3))
        first = builder.trunc(builder.ptrtoint(shared, ir.IntType(64)), LLVM[uint32])
        size = ir.Constant(LLVM[uint32], array_type.dtype.bitwidth // 8)
        return builder.add(first, builder.mul(k, size))

    def _ptx(text, constraints, returns, *given, effects=True, together=False):
        """Signature and code of inline PTX. An array and the number behind it are one operand, the
        address of that element. What all threads of a warp must do `together` no compiler moves into
        a branch or out of one.
        """

        def generate(context, builder, signature, values):
            operands, pairs = [], iter(zip(signature.args, values, strict=True))
            for kind, value in pairs:
                if isinstance(kind, types.Array):
                    value = _address(context, builder, kind, value, next(pairs)[1])
                operands.append(value)
            function = ir.FunctionType(LLVM[returns], [value.type for value in operands])
            clobbered = constraints + ",~{memory}" if effects else constraints
            code = ir.InlineAsm(function, text, clobbered.lstrip(","), side_effect=effects)
            found = builder.call(code, operands, attrs=("convergent",) if together else ())
            if returns == types.none:
                return context.get_dummy_value()
            if returns in (four, four_words):
                parts = [builder.extract_value(found, k) for k in range(4)]
                return context.make_tuple(builder, returns, parts)
            return found

        return signature(returns, *given), generate

    @intrinsic
    def cluster_of(typingctx, n):
        if not isinstance(n, types.IntegerLiteral):
            return None  # numba asks again, with the number itself

        def annotate(context, builder, signature, values):
            module, kernel = builder.module, builder.function
            notes = cgutils.get_or_insert_named_metadata(module, "nvvm.annotations")
            for axis, size in zip("xyz", (n.literal_value, 1, 1), strict=True):
                name = ir.MetaDataString(module, f"cluster_dim_{axis}")
                notes.add(module.add_metadata((kernel, name, ir.Constant(LLVM[uint32], size))))
            return context.get_dummy_value()

        return signature(types.none, n), annotate

    @intrinsic
    def cluster_rank(typingctx):
        return _ptx("mov.u32 $0, %cluster_ctarank;", "=r", uint32, effects=False)

    @intrinsic
    def cluster_sync(typingctx):
        text = "barrier.cluster.arrive.release.aligned; barrier.cluster.wait.acquire.aligned;"
        return _ptx(text, "", types.none, together=True)

    @intrinsic
    def tf32(typingctx, x):
        text = "{ .reg .b32 y; cvt.rna.tf32.f32 y, $1; mov.b32 $0, y; }"
        return _ptx(text, "=f,f", float32, float32, effects=False)

    @intrinsic
    def pack_bf16(typingctx, x, y):
        text = "cvt.rn.bf16x2.f32 $0, $2, $1;"  # the upper half comes first
        return _ptx(text, "=r,f,f", uint32, float32, float32, effects=False)

    @intrinsic
    def reciprocal(typingctx, x):
        return _ptx("rcp.approx.ftz.f32 $0, $1;", "=f,f", float32, float32, effects=False)

    @intrinsic
    def mma(typingctx, a0, a1, a2, a3, b0, b1, c0, c1, c2, c3):
        text = (
            "{ .reg .b32 a<4>, b<2>; mov.b32 a0, $4; mov.b32 a1, $5; mov.b32 a2, $6;"
            " mov.b32 a3, $7; mov.b32 b0, $8; mov.b32 b1, $9;"
            " mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"
            " {$0, $1, $2, $3}, {a0, a1, a2, a3}, {b0, b1}, {$10, $11, $12, $13}; }"
        )
        constraints = "=f,=f,=f,=f" + ",f" * 10
        return _ptx(text, constraints, four, *[float32] * 10, effects=False, together=True)

    @intrinsic
    def mma_bf16(typingctx, a0, a1, a2, a3, b0, b1, c0, c1, c2, c3):
        text = (
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"
            " {$0, $1, $2, $3}, {$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};"
        )
        constraints = "=f,=f,=f,=f" + ",r" * 6 + ",f" * 4
        given = *[uint32] * 6, *[float32] * 4
        return _ptx(text, constraints, four, *given, effects=False, together=True)

    @intrinsic
    def load4(typingctx, array, k):
        letter, returns = LETTERS[array.dtype], types.UniTuple(array.dtype, 4)
        constraints = f"={letter}," * 4 + "r"
        return _ptx("ld.shared.v4.b32 {$0, $1, $2, $3}, [$4];", constraints, returns, array, uint32)

    @intrinsic
    def store4(typingctx, array, k, a, b, c, d):
        text = "st.shared.v4.f32 [$0], {$1, $2, $3, $4};"
        return _ptx(text, "r,f,f,f,f", types.none, array, uint32, *[float32] * 4)

    @intrinsic
    def store2(typingctx, array, k, a, b):
        text = "st.shared.v2.b32 [$0], {$1, $2};"
        return _ptx(text, "r,r,r", types.none, array, uint32, uint32, uint32)

    @intrinsic
    def open_barrier(typingctx, barriers, k):
        text = "mbarrier.init.shared::cta.b64 [$0], 1;"
        return _ptx(text, "r", types.none, barriers, uint32)

    @intrinsic
    def expect(typingctx, barriers, k, n_bytes):
        # Not .relaxed, which is the same machine code but takes a compiler of CUDA 12.7 or newer.
        text = "mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [$0], $1;"
        return _ptx(text, "r,r", types.none, barriers, uint32, uint32)

    @intrinsic
    def wait(typingctx, barriers, k, parity):
        text = (
            "{ .reg .pred done; again_${:uid}:"
            " mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 done, [$0], $1;"
            " @!done bra again_${:uid}; }"
        )
        return _ptx(text, "r,r", types.none, barriers, uint32, uint32)

    def _send(kind, n):
        """Unlike a plain store and a barrier of the cluster it needs no memory fence."""
        moves = " ".join(f"mov.b32 x{k}, ${3 + k};" for k in range(n))
        text = (
            f"{{ .reg .u32 to, barrier; .reg .b32 x<{n}>;"
            " mapa.shared::cluster.u32 to, $0, $2; mapa.shared::cluster.u32 barrier, $1, $2;"
            f" {moves} st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v{n}.b32"
            f" [to], {{{', '.join(f'x{k}' for k in range(n))}}}, [barrier]; }}"
        )
        constraints = "r,r,r" + f",{LETTERS[kind]}" * n
        return text, constraints, types.none

    @intrinsic
    def send4(typingctx, array, k, barriers, j, rank, a, b, c, d):
        return _ptx(*_send(float32, 4), array, uint32, barriers, uint32, uint32, *[float32] * 4)

    @intrinsic
    def send2(typingctx, array, k, barriers, j, rank, a, b):
        return _ptx(*_send(uint32, 2), array, uint32, barriers, uint32, uint32, uint32, uint32)
