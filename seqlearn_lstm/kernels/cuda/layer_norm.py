"""Layer normalisation inside an LSTM; ``cpu.layer_norm`` has its formulas.

The UNITS threads of a row of a block go through one row of an array together; those that have none
take part in the sums with a `width` of 0. Neither the device nor the launch changes the order of a
sum.

centred (n_slots or B, 4 H)  a gate's products less their mean
stats   (n_slots or B, 6)    scales of i, f, g, o; mean and scale of the cell state
"""

import math

from .lstm_extras import BIAS, GAIN
from .primitives import cuda, part
from .steps import UNITS

EPSILON = 1e-5
CELL_MEAN, CELL_SCALE = 4, 5


@part
def row_mean(value, H):
    """The sum of what the threads of a row bring, divided by H; for each of them."""
    distance = UNITS // 2
    while distance > 0:
        value += cuda.shfl_xor_sync(0xFFFFFFFF, value, distance)
        distance //= 2
    return value / H


@part
def moments(a, row, first, width, H):
    """Mean and scale of H elements of a row, from column `first` on."""
    x, kind = cuda.threadIdx.x, a.dtype.type
    n, total, squares = kind(H), kind(0), kind(0)
    for u in range(x, width, UNITS):
        total += a[row, first + u]
    mean = row_mean(total, n)
    for u in range(x, width, UNITS):
        centred = a[row, first + u] - mean
        squares += centred * centred
    return mean, kind(1) / math.sqrt(row_mean(squares, n) + kind(EPSILON))


@part
def centre(a, stats, row, gate, width, H):
    """One gate of a row of a: less its mean. Its scale, which stats keeps, is returned."""
    x, first = cuda.threadIdx.x, gate * H
    mean, scale = moments(a, row, first, width, H)
    for u in range(x, width, UNITS):
        a[row, first + u] -= mean
    if x == 0 and width > 0:
        stats[row, gate] = scale
    return scale


@part
def gate_backward(d, centred, scale, extras, sums, r, gate, width, H):
    """From the gradient behind the gain of one gate of a row, d, to the one at its products; what
    it adds to the gradients of gain and bias goes to row r of sums.
    """
    x, kind = cuda.threadIdx.x, d.dtype.type
    n, plain, slope = kind(H), kind(0), kind(0)
    for u in range(x, width, UNITS):
        e = gate * H + u
        normal, behind = centred[e] * scale, d[e]
        sums[r, BIAS * H + e] += behind
        sums[r, GAIN * H + e] += behind * normal
        behind *= extras[GAIN + gate, u]
        d[e] = behind
        plain += behind
        slope += behind * normal
    plain, slope = row_mean(plain, n), row_mean(slope, n)
    for u in range(x, width, UNITS):
        e = gate * H + u
        d[e] = scale * (d[e] - plain - centred[e] * scale * slope)
