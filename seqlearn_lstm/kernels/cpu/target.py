"""What the processor that Numba compiles for can do: asked of the compiler itself, once, at import.

The answer follows ``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES``, as all of Numba's code does.

VECTOR_BYTES    bytes of one vector register: 64 (AVX-512), 32 (AVX2), 16 (SSE, NEON)
HAS_FMA         whether a multiply-add is one instruction; where it is not, LLVM would call a library for each
CACHE_LINE      bytes of a line of the cache; of some processors' half a line
TILE_ROWS       rows of the register tile: what leaves registers free for four weight vectors and a broadcast
"""

import llvmlite.binding as llvm
from numba.core.registry import cpu_target

_PROBE = """
define <16 x float> @probe(<16 x float> %a, <16 x float> %b, <16 x float> %c) {
  %d = call <16 x float> @llvm.fma.v16f32(<16 x float> %a, <16 x float> %b, <16 x float> %c)
  ret <16 x float> %d
}
declare <16 x float> @llvm.fma.v16f32(<16 x float>, <16 x float>, <16 x float>)
"""
# (what the probe's assembly holds, bytes of a vector, registers): the first row that fits
_REGISTERS = (("zmm", 64, 32), ("ymm", 32, 16), ("xmm", 16, 16), ("", 16, 32))


def _ask_the_compiler():
    codegen = cpu_target.target_context.codegen()
    module = llvm.parse_assembly(_PROBE)
    module.triple = codegen._tm.triple
    return codegen._tm.emit_assembly(module)


_assembly = _ask_the_compiler()
VECTOR_BYTES, _registers = next(row[1:] for row in _REGISTERS if row[0] in _assembly)
HAS_FMA = "fmaf" not in _assembly
CACHE_LINE = 64
TILE_ROWS = 6 if _registers == 32 else 3
