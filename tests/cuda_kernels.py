"""The table of all CUDA kernels: what they take, and what their machine code may take.

Names in signatures: x a number of the kernel's dtype, v (n,), m (n, k), s a matrix of any strides;
i int64, iv (n,), im (n, k); d float64, dv (n,), dm (n, k); u uint64. ``*3 * [v]`` is three of them.
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
    "dropout._dropout_mask": row("m, iv, u, u, x"),
    "dropout._scale_rows": row("m, i, m, iv, iv, i"),
    "errors._regression_loss": row(
        "m, dm, dv, d, i, d, dv", float64="the errors of numbers are float64 by contract"
    ),
    "heads._cross_entropy": row(
        "m, iv, dv, d, i, dv",
        registers=128,  # it unrolls its loops; a device runs no more rows than a batch has
        float64="weights and losses are float64 by contract",
    ),
    "memory._add": row("m, m", "s, s"),
    "memory._copy": row("m, m", "s, s", "im, im"),
    "memory._fill": row("m, x", "s, x", "im, i"),
    "moments._adam": row("*4 * [v], dv, *8 * [x]"),
    "moments._amsgrad": row("*5 * [v], dv, *7 * [x]"),
    "moments._nadam": row("*4 * [v], dv, *8 * [x]"),
    "pooling._pool_max": row("m, i, iv, iv, iv, im, m, i, i"),
    "pooling._pool_max_backward": row("m, i, iv, iv, iv, im, m, i"),
    "pooling._pool_mean_backward": row("m, i, iv, iv, iv, m, i"),
    "pooling._pool_sum": row("m, i, iv, iv, iv, m, i, i"),
    "reduce._squares": row("v, dv", float64="it sums in float64 by contract"),
    "reduce._sums": row("dv, dv", float64="it sums losses in float64"),
    "rows._add_scaled": row("v, x, v"),
    "rows._divide_rows": row("m, i, iv, i"),
    "rows._gather": row("m, i, iv, m, i, i"),
    "rows._put_rows": row("m, iv, m, i"),
    "rows._scatter_add": row("m, i, iv, iv, iv, m, i, i"),
    "rows._sum_rows": row("m, i, v"),
    "updates._adadelta": row("*4 * [v], dv, *4 * [x]"),
    "updates._adagrad": row("*3 * [v], dv, *2 * [x]"),
    "updates._clip_scale": row("dv, d, dv", float64="norms are float64 by contract"),
    "updates._clip_values": row("v, x"),
    "updates._descend": row("v, v, dv, x"),
    "updates._nesterov": row("*3 * [v], dv, *2 * [x]"),
    "updates._rmsprop": row("*3 * [v], dv, *4 * [x]"),
    "updates._sgd": row("*3 * [v], dv, *2 * [x]"),
}
