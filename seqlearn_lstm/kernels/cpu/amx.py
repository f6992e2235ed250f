"""The matrix unit of newer x86 processors (AMX): eight tile registers, and whether they may be used.

A tile register holds 16 rows of 64 bytes, here always all of them:

    sums      16 x 16 float32
    left      16 x 32 bfloat16: 16 rows of the left factor, 32 of its columns
    right     16 pairs of rows x 16 columns, bfloat16: the two rows of a pair alternate

``configure(place)``           from CONFIGURATION on: the registers are there, until ``release()``
``clear_tile(n)  load_tile(n, place, stride)  store_tile(n, place, stride)``      stride in bytes
``multiply_tiles(n, left, right)``      register n += left @ right

bfloat16 is the upper half of a float32; a place holds two of them in each float32. Products are exact
and sums rounded to float32, those of even and of odd columns apart at first; denormal numbers count
as zero (Intel, "Architecture Instruction Set Extensions", TDPBF16PS). Register numbers are constants
of the source: the compiler of Numba knows nothing of these registers, so what is in them stays from
one call to the next.
"""

import ctypes
import os
import platform
import sys
from functools import cache

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from .layout import zeros
from .target import VECTOR_BYTES

TILE_SIDE = 16  # rows of a register, and columns of sums
TILE_DEPTH = 32  # bfloat16 in a row
TILE_SIZE = 256  # float32 in a register: a tile in memory
ROW_BYTES = 64

_PALETTE, _COLUMN_BYTES, _ROWS = 0, 16, 48  # where the configuration has them
_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA = 158, 0x1023, 18  # Linux on x86-64


def _configuration():
    table = zeros(16, np.float32)
    table.view(np.uint8)[_PALETTE] = 1
    table.view(np.uint8)[_COLUMN_BYTES : _COLUMN_BYTES + 16 : 2] = ROW_BYTES
    table.view(np.uint8)[_ROWS : _ROWS + 8] = TILE_SIDE
    return table


CONFIGURATION = _configuration()
CONFIGURED = CONFIGURATION.size  # where what follows a configuration begins


def _compiled_for():
    """Whether Numba compiles for a processor that has a matrix unit."""
    features = cpu_target.target_context.codegen()._tm_features.split(",")
    return (
        VECTOR_BYTES == 64
        and {"+amx-tile", "+amx-bf16"} <= set(features)
        and (sys.platform, platform.machine()) == ("linux", "x86_64")
    )


COMPILED_FOR = _compiled_for()
if COMPILED_FOR:
    llvm.initialize_native_asmparser()


@cache
def available():
    """Whether this process may use the unit.

    Linux must be asked, and refuses where a stack for signals is too small for the unit's registers;
    from then on it refuses such stacks. Who wants neither sets SEQLEARN_LSTM_MATRIX_UNIT to 0.
    """
    if not COMPILED_FOR or os.environ.get("SEQLEARN_LSTM_MATRIX_UNIT") == "0":
        return False
    ask = ctypes.CDLL(None).syscall
    return ask(_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA) == 0


def _emit(builder, text, operands=()):
    """One instruction, which is neither left out nor moved past another access to memory."""
    constraints = ",".join(["r" for _ in operands] + ["~{memory}"])
    function = ir.FunctionType(ir.VoidType(), [operand.type for operand in operands])
    builder.asm(function, text, constraints, list(operands), True)


def _instruction(text):
    """An intrinsic without a result: `text` with the numbers of registers and the operands in it."""

    def define(types_of, builder, args):
        numbers = [kind.literal_value for kind in types_of if isinstance(kind, types.Literal)]
        operands = [
            arg
            for kind, arg in zip(types_of, args, strict=True)
            if not isinstance(kind, types.Literal)
        ]
        _emit(builder, text.format(*(f"%tmm{n}" for n in numbers)), operands)

    return define


_configure, _release = _instruction("ldtilecfg ($0)"), _instruction("tilerelease")
_clear, _multiply = _instruction("tilezero {0}"), _instruction("tdpbf16ps {2}, {1}, {0}")
_load = _instruction("tileloadd ($0,$1,1), {0}")
_store = _instruction("tilestored {0}, ($0,$1,1)")


def _typed(define, *kinds):
    def codegen(context, builder, signature, args):
        define(kinds, builder, args)
        return context.get_dummy_value()

    return types.void(*kinds), codegen


@intrinsic
def configure(typingctx, place):
    return _typed(_configure, place)


@intrinsic
def release(typingctx):
    return _typed(_release)


@intrinsic(prefer_literal=True)
def clear_tile(typingctx, n):
    return _typed(_clear, n)


@intrinsic(prefer_literal=True)
def multiply_tiles(typingctx, n, left, right):
    return _typed(_multiply, n, left, right)


@intrinsic(prefer_literal=True)
def load_tile(typingctx, n, place, stride):
    return _typed(_load, n, place, types.intp)


@intrinsic(prefer_literal=True)
def store_tile(typingctx, n, place, stride):
    return _typed(_store, n, place, types.intp)
