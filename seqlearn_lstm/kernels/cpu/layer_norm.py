"""Layer normalisation inside an LSTM, row by row (Ba, Kiros and Hinton 2016).

    normalised = (a - mean) * scale,   scale = 1 / sqrt(variance + EPSILON)   over the H units of a row
    da = scale * (d - mean(d) - normalised * mean(d * normalised))            d: the gradient at `normalised`

Each of the four gates of a row has its own mean and scale, and so has its cell state.

centred (n_slots or B, 4 Hg)  panelled as the gates in `lstm`: a less its mean, zero in padded units
stats   (n_slots or B, 6)     scales of i, f, g, o; mean and scale of the cell state
"""

from math import sqrt

from .blocks import GATES, get_gate, put_gate
from .compile import inlined, part
from .lstm_extras import CELL_GAIN, EXTRAS, GAIN
from .simd import at, fma, load, splat, store, total
from .squash import first_lanes
from .target import VECTOR_BYTES

EPSILON = 1e-5
CELL_MEAN, CELL_SCALE, STATS = 4, 5, 6


@inlined
def scale_of(squares, n_units):
    return 1.0 / sqrt(total(squares) / n_units + EPSILON)


@part
def centre_gates(rows, centred, columns, row, stats, n_units):
    """`rows` rows of products, from `row` on: less the mean of each gate; and their scales."""
    L = VECTOR_BYTES // centred.itemsize
    panel, n_rows = GATES * L, centred.shape[0] // columns
    for r in range(row, row + rows):
        for gate in range(GATES):
            sums = splat(centred, 0.0)
            for q in range(0, columns, panel):
                width = min(panel, columns - q)
                place = at(centred, q * n_rows + r * width)
                sums = sums + get_gate(place, gate, width // GATES, L)
            mean, squares = total(sums) / n_units, splat(centred, 0.0)
            for q in range(0, columns, panel):
                width = min(panel, columns - q)
                place = at(centred, q * n_rows + r * width)
                x = get_gate(place, gate, width // GATES, L) - mean
                x = first_lanes(x, n_units - q // GATES)
                put_gate(place, gate, x, width // GATES, L)
                squares = fma(x, x, squares)
            stats[r, gate] = scale_of(squares, n_units)


@part
def gates_backward(rows, gates, d_gates, centred, columns, row, stats, extras, n_units):
    """From the gradient behind the gains, which moves to d_gates, to the one at the products, in
    `gates`.
    """
    L, Hp = VECTOR_BYTES // gates.itemsize, extras.shape[0] // EXTRAS
    panel, n_rows = GATES * L, gates.shape[0] // columns
    for r in range(row, row + rows):
        for gate in range(GATES):
            gain, scale = (GAIN + gate) * Hp, stats[r, gate]
            sums, moments = splat(gates, 0.0), splat(gates, 0.0)
            for q in range(0, columns, panel):
                width = min(panel, columns - q)
                k, units = q * n_rows + r * width, width // GATES
                d = get_gate(at(gates, k), gate, units, L)
                put_gate(at(d_gates, k), gate, d, units, L)
                d = d * load(extras, gain + q // GATES)
                sums = sums + d
                moments = fma(d, get_gate(at(centred, k), gate, units, L), moments)
            mean, slope = total(sums) / n_units, total(moments) / n_units * scale * scale
            for q in range(0, columns, panel):
                width = min(panel, columns - q)
                k, units = q * n_rows + r * width, width // GATES
                d = get_gate(at(gates, k), gate, units, L) * load(extras, gain + q // GATES) - mean
                d = fma(get_gate(at(centred, k), gate, units, L), -slope, d) * scale
                put_gate(at(gates, k), gate, first_lanes(d, n_units - q // GATES), units, L)


@part
def measure_cells(rows, c, k, stats, row, n_units):
    """Mean and scale of `rows` rows of c, which start at its element k."""
    L, ldc = VECTOR_BYTES // c.itemsize, c.shape[1]
    for r in range(rows):
        sums, squares = splat(c, 0.0), splat(c, 0.0)
        for u in range(0, ldc, L):
            sums = sums + load(c, k + r * ldc + u)
        mean = total(sums) / n_units
        for u in range(0, ldc, L):
            x = first_lanes(load(c, k + r * ldc + u) - mean, n_units - u)
            squares = fma(x, x, squares)
        stats[row + r, CELL_MEAN], stats[row + r, CELL_SCALE] = mean, scale_of(squares, n_units)


@part
def cells_backward(rows, c, k, d, first, d_cell, row, stats, extras, n_units):
    """From the gradient behind the cells' gain, in `rows` rows of d from `first` on, to the one at
    c, in place; what stood there moves to d_cell.
    """
    L, Hp = VECTOR_BYTES // c.itemsize, c.shape[1]
    for r in range(rows):
        mean, scale = stats[row + r, CELL_MEAN], stats[row + r, CELL_SCALE]
        here, cell = (first + r) * Hp, k + r * Hp
        sums, moments = splat(c, 0.0), splat(c, 0.0)
        for u in range(0, Hp, L):
            store(d_cell, (row + r) * Hp + u, load(d, here + u))
            x = load(d, here + u) * load(extras, CELL_GAIN * Hp + u)
            sums = sums + x
            moments = fma(x, load(c, cell + u) - mean, moments)
        mean_d, slope = total(sums) / n_units, total(moments) / n_units * scale * scale
        for u in range(0, Hp, L):
            x = load(d, here + u) * load(extras, CELL_GAIN * Hp + u) - mean_d
            x = fma(load(c, cell + u) - mean, -slope, x) * scale
            store(d, here + u, first_lanes(x, n_units - u))
