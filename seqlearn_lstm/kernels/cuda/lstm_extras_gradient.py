"""The gradient of an LSTM's further parameters, and of the bias that stands behind a normalisation:
the sums over the sequences, in their order, of what `lstm_options_backward` has summed over the
steps of each.
"""

from .launch import over
from .lstm_extras import EXTRAS, SUMS
from .primitives import cuda, kernel


@kernel
def over_sequences(gradient, d_extras, sums, H, layer_norm):
    """sums (B, 13 H); d_extras (9 H,); gradient flat, the biases first"""
    for e in range(cuda.grid(1), SUMS * H, cuda.gridsize(1)):
        total = sums.dtype.type(0)
        for r in range(sums.shape[0]):
            total += sums[r, e]
        if e < EXTRAS * H:
            d_extras[e] = total
        elif layer_norm:
            gradient[e - EXTRAS * H] = total


def lstm_options_gradient(gradient, d_extras, sums, n_in, n_units, options, n_jobs):
    n = SUMS * n_units
    over(
        over_sequences, n, gradient.reshape(-1), d_extras.reshape(-1), sums.reshape(-1, n), n_units,
        int(options[2]),
    )  # fmt: skip
