"""Layer normalisation inside an LSTM, row by row (Ba, Kiros and Hinton 2016).

    normalised = (a - mean) * scale,   scale = 1 / sqrt(variance + EPSILON)   over the H units of a row
    da = scale * (d - mean(d) - normalised * mean(d * normalised))            d: the gradient at `normalised`

Each of the four gates of a row has its own mean and scale, and so has its cell state.

centred (n_slots or B, 4 Hg)  panelled as the gates in `lstm`: a less its mean, zero in padded units
stats   (n_slots or B, 6)     scales of i, f, g, o; mean and scale of the cell state
"""

from math import sqrt

from .blocks import GATES, add, get_gates, put_gates
from .compile import inlined, part
from .lstm_extras import BIAS, CELL_GAIN, CELL_SHIFT, EXTRAS, GAIN, SUMS
from .simd import at, fma, load, splat, store, total
from .squash import first_lanes
from .target import VECTOR_BYTES

EPSILON = 1e-5
CELL_MEAN, CELL_SCALE = 4, 5


@inlined
def scale_of(squares, n_units):
    return 1.0 / sqrt(total(squares) / n_units + EPSILON)


@part
def centre_gates(rows, centred, columns, row, stats, n_units):
    """Subtract the mean of each gate from `rows` rows of products, from `row` on, in place, and
    write the scale of each gate to stats.
    """
    L = VECTOR_BYTES // centred.itemsize
    panel, n_rows = GATES * L, centred.shape[0] // columns
    for r in range(row, row + rows):
        zero = splat(centred, 0.0)
        i, f, g, o = zero, zero, zero, zero
        for q in range(0, columns, panel):
            width = min(panel, columns - q)
            a = get_gates(at(centred, q * n_rows + r * width), width // GATES, L)
            i, f, g, o = i + a[0], f + a[1], g + a[2], o + a[3]
        mean_i, mean_f, mean_g, mean_o = (
            total(i) / n_units,
            total(f) / n_units,
            total(g) / n_units,
            total(o) / n_units,
        )
        i, f, g, o = zero, zero, zero, zero
        for q in range(0, columns, panel):
            width, left = min(panel, columns - q), n_units - q // GATES
            place, units = at(centred, q * n_rows + r * width), width // GATES
            a = get_gates(place, units, L)
            x_i, x_f = first_lanes(a[0] - mean_i, left), first_lanes(a[1] - mean_f, left)
            x_g, x_o = first_lanes(a[2] - mean_g, left), first_lanes(a[3] - mean_o, left)
            put_gates(place, x_i, x_f, x_g, x_o, units, L)
            i, f, g, o = fma(x_i, x_i, i), fma(x_f, x_f, f), fma(x_g, x_g, g), fma(x_o, x_o, o)
        stats[r, 0], stats[r, 1] = scale_of(i, n_units), scale_of(f, n_units)
        stats[r, 2], stats[r, 3] = scale_of(g, n_units), scale_of(o, n_units)


@part
def gates_backward(rows, gates, centred, columns, row, stats, extras, sums, first, n_units):
    """One step back through the normalisation of the gates: in `gates`, the gradient after the
    gains is overwritten by the gradient at the products. What a row adds to the gradients of gains
    and biases is added to `sums`, from its row `first` on.
    """
    L, Hp = VECTOR_BYTES // gates.itemsize, extras.shape[0] // EXTRAS
    panel, n_rows = GATES * L, gates.shape[0] // columns
    for r in range(row, row + rows):
        mine = (first + r - row) * SUMS * Hp
        zero = splat(gates, 0.0)
        i, f, g, o = zero, zero, zero, zero  # sums of the gradients
        m_i, m_f, m_g, m_o = zero, zero, zero, zero  # and of what they meet
        for q in range(0, columns, panel):
            width = min(panel, columns - q)
            k, units, gain = q * n_rows + r * width, width // GATES, GAIN * Hp + q // GATES
            d, x = get_gates(at(gates, k), units, L), get_gates(at(centred, k), units, L)
            add_to_sums(sums, mine + q // GATES, Hp, d, x, stats, r)
            d_i, d_f, d_g, d_o = behind_gains(d, extras, gain, Hp)
            i, f, g, o = i + d_i, f + d_f, g + d_g, o + d_o
            m_i, m_f = fma(d_i, x[0], m_i), fma(d_f, x[1], m_f)
            m_g, m_o = fma(d_g, x[2], m_g), fma(d_o, x[3], m_o)
        n, s_i, s_f, s_g, s_o = n_units, stats[r, 0], stats[r, 1], stats[r, 2], stats[r, 3]
        mean_i, mean_f, mean_g, mean_o = total(i) / n, total(f) / n, total(g) / n, total(o) / n
        slope_i, slope_f = total(m_i) / n * s_i * s_i, total(m_f) / n * s_f * s_f
        slope_g, slope_o = total(m_g) / n * s_g * s_g, total(m_o) / n * s_o * s_o
        for q in range(0, columns, panel):
            width, left = min(panel, columns - q), n_units - q // GATES
            k, units, gain = q * n_rows + r * width, width // GATES, GAIN * Hp + q // GATES
            d, x = get_gates(at(gates, k), units, L), get_gates(at(centred, k), units, L)
            d_i, d_f, d_g, d_o = behind_gains(d, extras, gain, Hp)
            d_i = first_lanes(fma(x[0], -slope_i, d_i - mean_i) * s_i, left)
            d_f = first_lanes(fma(x[1], -slope_f, d_f - mean_f) * s_f, left)
            d_g = first_lanes(fma(x[2], -slope_g, d_g - mean_g) * s_g, left)
            d_o = first_lanes(fma(x[3], -slope_o, d_o - mean_o) * s_o, left)
            put_gates(at(gates, k), d_i, d_f, d_g, d_o, units, L)


@inlined
def add_to_sums(sums, k, Hp, d, x, stats, r):
    """Add what one row contributes to the gradients of the gates' biases, d, and of their gains, d
    times what was normalised.
    """
    add(sums, k + BIAS * Hp, d[0])
    add(sums, k + (BIAS + 1) * Hp, d[1])
    add(sums, k + (BIAS + 2) * Hp, d[2])
    add(sums, k + (BIAS + 3) * Hp, d[3])
    add(sums, k + GAIN * Hp, d[0] * (x[0] * stats[r, 0]))
    add(sums, k + (GAIN + 1) * Hp, d[1] * (x[1] * stats[r, 1]))
    add(sums, k + (GAIN + 2) * Hp, d[2] * (x[2] * stats[r, 2]))
    add(sums, k + (GAIN + 3) * Hp, d[3] * (x[3] * stats[r, 3]))


@inlined
def behind_gains(d, extras, gain, Hp):
    """The gradients of the four gates before their gains: those after them, d, times the gains."""
    return (
        d[0] * load(extras, gain),
        d[1] * load(extras, gain + Hp),
        d[2] * load(extras, gain + 2 * Hp),
        d[3] * load(extras, gain + 3 * Hp),
    )


@part
def measure_cells(rows, c, k, stats, row, n_units):
    """Write the mean and the scale of `rows` rows of c to stats. The first row starts at element k
    of c.
    """
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
def cells_backward(rows, c, k, d, first, row, stats, extras, sums, n_units):
    """One step back through the normalisation of the cells: in `rows` rows of d, from `first` on,
    the gradient after gain and shift is overwritten by the gradient at c. What a row adds to the
    gradients of gain and shift is added to `sums`.
    """
    L, Hp = VECTOR_BYTES // c.itemsize, c.shape[1]
    for r in range(rows):
        mean, scale = stats[row + r, CELL_MEAN], stats[row + r, CELL_SCALE]
        here, cell, mine = (first + r) * Hp, k + r * Hp, (first + r) * SUMS * Hp
        plain, moments = splat(c, 0.0), splat(c, 0.0)
        for u in range(0, Hp, L):
            behind, centred = load(d, here + u), load(c, cell + u) - mean
            add(sums, mine + CELL_SHIFT * Hp + u, behind)
            add(sums, mine + CELL_GAIN * Hp + u, behind * (centred * scale))
            x = behind * load(extras, CELL_GAIN * Hp + u)
            plain = plain + x
            moments = fma(x, centred, moments)
        mean_d, slope = total(plain) / n_units, total(moments) / n_units * scale * scale
        for u in range(0, Hp, L):
            x = load(d, here + u) * load(extras, CELL_GAIN * Hp + u) - mean_d
            x = fma(load(c, cell + u) - mean, -slope, x) * scale
            store(d, here + u, first_lanes(x, n_units - u))
