"""The Python twins of PTX instructions do what PTX says of these, in the simulator: rounding, and who
has what of a warp's product.
"""

import numpy as np
import pytest
from rounding import nearest

from seqlearn_lstm.kernels.cuda.primitives import SIMULATED, cuda
from seqlearn_lstm.kernels.cuda.ptx import mma, mma_bf16, pack_bf16, tf32

pytestmark = pytest.mark.skipif(not SIMULATED, reason="a device has the instructions themselves")

NUMBERS = [0.0, -0.0, 1.0, -3.5, 1e-30, 3e38, 1 / 3, -np.pi, np.inf, -np.inf, np.nan]


def halves(word):
    """The numbers in the lower and the upper half of a word."""
    return np.uint32([word << 16 & 0xFFFF0000, word & 0xFFFF0000]).view(np.float32)


@pytest.mark.parametrize(
    "bits, rounded",
    [(11, tf32), (8, lambda x: halves(pack_bf16(x, 0))[0])],
    ids=["tf32", "pack_bf16"],
)
def test_numbers_are_rounded_to_the_nearest(rng, bits, rounded):
    numbers = [*NUMBERS, *rng.standard_normal(200)]
    for x in np.float32(numbers):
        np.testing.assert_array_equal(rounded(x), nearest(x, bits))


def test_packed_ties_go_to_the_even_one():
    step = 2.0**-7
    tie, next_tie = 1 + step / 2, 1 + 3 * step / 2
    np.testing.assert_array_equal(halves(pack_bf16(tie, next_tie)), [1, 1 + 2 * step])
    np.testing.assert_array_equal(halves(pack_bf16(tie + 1e-6, -tie)), [1 + step, -1])


def multiplied(instruction, a, b, C):
    """A product of a warp; a(g, q) and b(g, q) give what stands in the lane 4 g + q."""
    D = np.full((16, 8), np.nan, np.float32)

    def kernel(D):
        g, q = divmod(cuda.threadIdx.x, 4)
        c = [C[g + 8 * i, 2 * q + j] for i in range(2) for j in range(2)]
        d = instruction(*a(g, q), *b(g, q), *c)
        D[g, 2 * q], D[g, 2 * q + 1], D[g + 8, 2 * q], D[g + 8, 2 * q + 1] = d

    cuda.jit(kernel)[1, 32](D)
    return D


def test_mma(rng):
    A, B, C = (
        rng.integers(-8, 9, shape).astype(np.float32) for shape in ((16, 8), (8, 8), (16, 8))
    )
    found = multiplied(
        mma,
        lambda g, q: (A[g, q], A[g + 8, q], A[g, q + 4], A[g + 8, q + 4]),
        lambda g, q: (B[q, g], B[q + 4, g]),
        C,
    )
    np.testing.assert_array_equal(found, A @ B + C)


def test_mma_bf16(rng):
    shapes = (16, 16), (16, 8), (16, 8)
    A, B, C = (rng.integers(-8, 9, shape).astype(np.float32) for shape in shapes)

    def a(g, q):
        rows_and_columns = [(g + 8 * (i % 2), 2 * q + 8 * (i // 2)) for i in range(4)]
        return [pack_bf16(A[r, k], A[r, k + 1]) for r, k in rows_and_columns]

    def b(g, q):
        return [pack_bf16(B[k, g], B[k + 1, g]) for k in (2 * q, 2 * q + 8)]

    np.testing.assert_array_equal(multiplied(mma_bf16, a, b, C), A @ B + C)
