"""The table of all CUDA kernels: what they take, and what their machine code may take.

Names in signatures: x a number of the kernel's dtype, v (n,), m (n, k), s a matrix of any strides;
i int64, iv (n,), im (n, k); d float64, dv (n,), dm (n, k); u uint64. ``*3 * [v]`` is three of them,
``(v, m)`` a tuple.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """What a kernel takes, and its limits.

    `stack`: bytes, spilled ones too, in float64; float32 keeps to registers.
    `float64`: why it computes in float64 even where its arrays are float32; else it must not.
    """

    signatures: tuple
    registers: int = 64  # so that all threads that a multiprocessor has room for run at once
    float64: str = ""
    stack: int = 0
    dtypes: tuple = ("float32", "float64")
    architectures: tuple = ("sm_75", "sm_80", "sm_90a")


def row(*signatures, **limits):
    return Row(signatures, **limits)


STEPS = 255  # a block for each multiprocessor is enough: it has as much to do as there are rows

KERNELS = {
    "copies._add": row("v, *5 * [i], v, i, i, i"),
    "copies._copy": row("v, *5 * [i], v, i, i, i", "iv, *5 * [i], iv, i, i, i"),
    "copies._fill": row("v, *5 * [i], x", "iv, *5 * [i], i"),
    "dropout._dropout_mask": row("m, iv, u, u, x"),
    "dropout._scale_rows": row("m, i, m, iv, iv, i"),
    "errors._regression_loss": row(
        "m, dm, dv, d, i, d, dv", float64="the errors of numbers are float64 by contract"
    ),
    "gemm.add_pieces": row("v, v, i"),
    "gemm.product": row("v, i, v, i, i, v, i, i, i, i, i, i", registers=128),
    "gemm.transposed": row("v, v, i, i, i"),
    "gru.backward": row("m, v, m, m, m, 2 * (m,), (), iv, iv, i", registers=STEPS),
    "gru.forward": row("m, i, v, i, m, 4 * (m,), (), iv, iv, iv, i", registers=STEPS),
    "gru_before.backward": row("m, m, m, v, v, m, m, m, m, m, iv, iv, i", registers=STEPS),
    "gru_before.forward": row("m, i, m, m, m, v, v, m, m, iv, iv, iv, i", registers=STEPS),
    "heads._cross_entropy": row(
        "m, iv, dv, d, i, dv",
        registers=128,  # it unrolls its loops; a device runs no more rows than a batch has
        float64="weights and losses are float64 by contract",
    ),
    "lstm.backward": row("m, v, m, m, m, 3 * (m,), (), iv, iv, i", registers=STEPS),
    "lstm.forward": row("m, i, v, i, m, 3 * (m,), (), iv, iv, iv, i", registers=STEPS),
    "lstm_extras_gradient.over_sequences": row("v, v, m, i, i"),
    "lstm_options.forward": row(
        "m, i, v, i, m, 6 * (m,), 5 * (i,), iv, iv, iv, i", registers=STEPS
    ),
    "lstm_options.normalised_forward": row(
        "m, i, v, m, 8 * (m,), 5 * (i,), iv, iv, iv, i", registers=STEPS
    ),
    "lstm_options_bptt.backward": row(
        "m, v, m, m, m, 5 * (m,), 5 * (i,), iv, iv, i", registers=STEPS
    ),
    "lstm_options_bptt.normalised_backward": row(
        "m, v, m, m, m, 7 * (m,), 5 * (i,), iv, iv, i", registers=STEPS, stack=48
    ),
    "moments._adam": row("*4 * [v], dv, *8 * [x]"),
    "moments._amsgrad": row("*5 * [v], dv, *7 * [x]"),
    "moments._nadam": row("*4 * [v], dv, *8 * [x]"),
    "pooling._pool_max": row("m, i, iv, iv, iv, im, m, i, i"),
    "pooling._pool_max_backward": row("m, i, iv, iv, iv, im, m, i"),
    "pooling._pool_mean": row(
        "dm, iv, m, i, i",
        float64="sums are float64 by contract, and are divided before they are rounded",
    ),
    "pooling._pool_mean_backward": row("m, i, iv, iv, iv, m, i"),
    "pooling._pool_sum": row(
        "m, i, iv, iv, iv, dm, i, i", float64="long sequences are summed in float64 by contract"
    ),
    "reduce._squares": row("v, dv", float64="it sums in float64 by contract"),
    "reduce._sums": row("dv, dv", float64="it sums losses in float64"),
    "rnn.backward": row("m, v, m, m, m, 2 * (m,), (i,), iv, iv, i", registers=STEPS),
    "rnn.forward": row("m, i, v, i, m, 3 * (m,), (i,), iv, iv, iv, i", registers=STEPS),
    "rows._add_scaled": row("v, x, v"),
    "rows._gather": row("m, i, iv, m, i, i"),
    "rows._put_rows": row("m, iv, m, i"),
    "rows._scatter_add": row("m, i, iv, iv, iv, m, i, i"),
    "rows._sum_rows": row("m, i, v"),
    "states.entered": row("m, m, i, m, i"),
    "updates._adadelta": row("*4 * [v], dv, *4 * [x]"),
    "updates._adagrad": row("*3 * [v], dv, *2 * [x]"),
    "updates._clip_scale": row("dv, d, dv", float64="norms are float64 by contract"),
    "updates._clip_values": row("v, x"),
    "updates._descend": row("v, v, dv, x"),
    "updates._nesterov": row("*3 * [v], dv, *2 * [x]"),
    "updates._rmsprop": row("*3 * [v], dv, *4 * [x]"),
    "updates._sgd": row("*3 * [v], dv, *2 * [x]"),
}

# Kernels of clusters are made for each number of units: {name: (module, function, units, precision)}.
MADE = {
    f"{module}({n_units}, {precision})": (module, function, n_units, precision)
    for module, function in (
        ("lstm_cluster", "forward_kernel"),
        ("lstm_cluster_bptt", "backward_kernel"),
    )
    # The most, which need the most registers; and some whose clusters are smaller
    for precision, sizes in {"float32": [256], "tf32": [256], "bf16": [100, 512]}.items()
    for n_units in sizes
}
CLUSTERS = "sm_90a", "sm_100a", "sm_120a"
# It takes all registers there are, and on sm_100a spills 32 bytes more
ONLY = {"lstm_cluster(512, bf16)": ("sm_90a",)}
ON_CLUSTERS = dict(registers=STEPS, dtypes=("float32",))
KERNELS |= {
    name: row(
        "*5 * [v], *3 * [iv], i, i" if module == "lstm_cluster" else "*6 * [v], *2 * [iv], i, i",
        architectures=ONLY.get(name, CLUSTERS),
        **ON_CLUSTERS,
    )
    for name, (module, *_) in MADE.items()
}
