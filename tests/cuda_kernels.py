"""The table of all CUDA kernels: what they take, and what their machine code may take.

Names in signatures: x a number of the kernel's dtype, v (n,), m (n, k), s a matrix of any strides;
i int64, iv (n,), im (n, k); d float64; u uint64. ``*3 * [v]`` is three of them.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """What a kernel takes, and its limits.

    `float64`: why it computes in float64 even where its arrays are float32; else it must not.
    """

    signatures: tuple
    registers: int = 64  # so that all threads that a multiprocessor has room for run at once
    float64: str = ""
    dtypes: tuple = ("float32", "float64")
    architectures: tuple = ("sm_75", "sm_80", "sm_90a")


def row(*signatures, **limits):
    return Row(signatures, **limits)


KERNELS = {
    "memory._fill": row("m, x", "s, x", "im, i"),
    "memory._copy": row("m, m", "s, s", "im, im"),
    "memory._add": row("m, m", "s, s"),
    "moments._adam": row("*4 * [v], *9 * [x]"),
    "moments._amsgrad": row("*5 * [v], *8 * [x]"),
    "moments._nadam": row("*4 * [v], *9 * [x]"),
    "updates._adadelta": row("*4 * [v], *5 * [x]"),
    "updates._adagrad": row("*3 * [v], *3 * [x]"),
    "updates._clip_values": row("v, x"),
    "updates._descend": row("v, v, x, x"),
    "updates._nesterov": row("*3 * [v], *3 * [x]"),
    "updates._rmsprop": row("*3 * [v], *5 * [x]"),
    "updates._sgd": row("*3 * [v], *3 * [x]"),
}
