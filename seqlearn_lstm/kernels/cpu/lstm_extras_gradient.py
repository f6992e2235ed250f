"""The gradient of an LSTM's further parameters, and of the bias that stands behind a normalisation.

Each is the sum over the sequences of what `lstm_options_backward` has summed over the steps of each.
A share is a range of vectors of units and takes the sequences in their order: the bits do not depend
on the number of shares.
"""

from .blocks import GATES, gate_columns, put_gate
from .compile import kernel, part
from .lstm_extras import BIAS, EXTRAS, SUMS
from .share import hand_out
from .simd import at, load, splat, store
from .target import VECTOR_BYTES


@part
def over_sequences(sums, k, stride):
    """Add up one vector of each sequence: those at k, k + stride, ... of sums."""
    x = splat(sums, 0.0)
    for place in range(k, sums.shape[0], stride):
        x = x + load(sums, place)
    return x


@kernel
def lstm_options_gradient(
    gradient, d_extras, sums, n_in, n_units, options, share, n_shares, launcher
):
    """Fill d_extras after the backward pass.

    With layer normalisation, also row 0 of the gradient of W, that of the bias: what `gemm.outer`
    has written there is the sum of gradients at the products, not at the bias.
    """
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // gradient.itemsize
    panel, columns, K = GATES * L, gate_columns(n_units, L), 1 + n_in + n_units
    Hp = d_extras.shape[0] // EXTRAS
    vectors, stride = Hp // L, SUMS * Hp
    for vector in range(share * vectors // n_shares, (share + 1) * vectors // n_shares):
        unit, q = vector * L, vector * panel
        width = min(panel, columns - q)
        for row in range(EXTRAS):
            store(d_extras, row * Hp + unit, over_sequences(sums, row * Hp + unit, stride))
        if options.layer_norm:
            for gate in range(GATES):
                b = over_sequences(sums, (BIAS + gate) * Hp + unit, stride)
                put_gate(at(gradient, q * K), gate, b, width // GATES, L)
