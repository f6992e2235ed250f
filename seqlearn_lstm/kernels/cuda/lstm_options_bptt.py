"""Back-propagation through time for `lstm_options`, whose docstring says what the arrays are.

extras (9, H), sums (B, 13 H)   as in `lstm_extras`; a thread adds to its elements of sums step by step

Under layer normalisation a step has two parts again: the recurrent product, and row by row the way
back through the normalisations.
"""

from .activations import squash, unsquash
from .launch import together
from .layer_norm import CELL_MEAN, CELL_SCALE, gate_backward, row_mean
from .lstm import GATES
from .lstm_extras import CELL_GAIN, CELL_SHIFT, EXTRAS, SUMS, P
from .lstm_options import rounds, row_of_thread
from .primitives import cuda, kernel, part
from .steps import (
    BLOCK,
    DEPTH,
    FACTOR,
    GROUPS,
    PER,
    UNITS,
    count_tiles,
    make_backward,
    make_backward_step,
)

WEIGHTS, SUM = (DEPTH, UNITS), (PER, 1)


@part
def cell_backward(d_c, d_o, cell, new, gates, extras, sums, r, u, H, options):
    """From the gradient at the new cell of one row and unit to the ones before i, f and g, in the
    row of gates; and to the cell before, which is returned.
    """
    peephole, _, _, activation, _ = options
    one = gates.dtype.type(1)
    i, f, g = gates[u], gates[H + u], gates[2 * H + u]
    if peephole:
        d_c += d_o * extras[P + 2, u]
    d_i, d_f = d_c * g * (i * (one - i)), d_c * cell * (f * (one - f))
    gates[u] = d_i
    gates[H + u] = d_f
    gates[2 * H + u] = unsquash(d_c * i, g, activation, one)
    d_c *= f
    if peephole:
        d_c += d_i * extras[P, u] + d_f * extras[P + 1, u]
        sums[r, P * H + u] += d_i * cell
        sums[r, (P + 1) * H + u] += d_f * cell
        sums[r, (P + 2) * H + u] += d_o * new
    return d_c


# ---- without layer normalisation -----------------------------------------------------------------


@part
def backward_point(d_h, cell, options, before, after, r, u, H):
    c, all_gates, extras, sums, dc = cell
    gates, new = all_gates[before], c[after, u]
    one, o = c.dtype.type(1), gates[3 * H + u]
    y = squash(new, options[4], one)
    d_o = d_h * y * (o * (one - o))
    d_c = dc[r, u] + unsquash(d_h * o, y, options[4], one)
    gates[3 * H + u] = d_o
    dc[r, u] = cell_backward(d_c, d_o, c[before, u], new, gates, extras, sums, r, u, H, options)
    return one - one


backward = make_backward(backward_point)


# ---- with layer normalisation --------------------------------------------------------------------


@part
def output_point(d_h, cell, options, before, after, r, u, H):
    return d_h


output_step = make_backward_step(output_point)


@part
def outputs_backward(dh, c, gates, mean, scale, extras, sums, r, width, H, kind):
    """From the gradient at the outputs of a row, dh, to the one before o, in gates, and to what the
    cells' normalisation is multiplied with, in dh. Returned: the means that go through it.
    """
    one, plain, slope = dh.dtype.type(1), dh.dtype.type(0), dh.dtype.type(0)
    for u in range(cuda.threadIdx.x, width, UNITS):
        d_h, o, normal = dh[u], gates[3 * H + u], (c[u] - mean) * scale
        y = squash(normal * extras[CELL_GAIN, u] + extras[CELL_SHIFT, u], kind, one)
        gates[3 * H + u] = d_h * y * (o * (one - o))
        d = unsquash(d_h * o, y, kind, one)
        sums[r, CELL_SHIFT * H + u] += d
        sums[r, CELL_GAIN * H + u] += d * normal
        d *= extras[CELL_GAIN, u]
        dh[u] = d
        plain += d
        slope += d * normal
    n = dh.dtype.type(H)
    return row_mean(plain, n), row_mean(slope, n)


@part
def backward_row(r, width, before, after, all_dh, cell, options, H):
    """From the gradient at the outputs of a row, in dh, to the one at its products, in gates, and
    dc; the product that comes is added to dh: zero.
    """
    all_c, all_gates, centred, stats, extras, sums, all_dc = cell
    dh, c, gates, dc = all_dh[r], all_c[after], all_gates[before], all_dc[r]
    mean, scale = stats[before, CELL_MEAN], stats[before, CELL_SCALE]
    plain, slope = outputs_backward(
        dh, c, gates, mean, scale, extras, sums, r, width, H, options[4]
    )
    for u in range(cuda.threadIdx.x, width, UNITS):
        d_c = dc[u] + scale * (dh[u] - plain - (c[u] - mean) * scale * slope)
        dc[u] = cell_backward(
            d_c, gates[3 * H + u], all_c[before, u], c[u], gates, extras, sums, r, u, H, options
        )
        dh[u] = dh.dtype.type(0)
    # As many as there are gates, which the compiler is not to know: unrolled, this loop takes more
    # registers than there are.
    for gate in range(stats.shape[1] - 2):
        gate_backward(gates, centred[before], stats[before, gate], extras, sums, r, gate, width, H)


@kernel
def normalised_backward(d, UT, dh, mask, d_out, cell, options, live, slots, H):
    """d (n_slots, 4 H), UT, dh, mask, d_out: as in `steps`; cell: as `backward_row` takes it"""
    A = cuda.shared.array(FACTOR, dh.dtype)
    W = cuda.shared.array(WEIGHTS, dh.dtype)
    sums = cuda.local.array(SUM, dh.dtype)
    for t in range(live.shape[0] - 1, -2, -1):
        output_step(sums, A, W, d, UT, dh, mask, d_out, (), (), t, live, slots, H)
        if t >= 0:
            cuda.cg.this_grid().sync()
            for i in range(rounds(live[t])):
                r, there = row_of_thread(i, live[t])
                before, after = slots[t] + r, slots[t + 1] + r
                backward_row(r, H if there else 0, before, after, dh, cell, options, H)
            cuda.cg.this_grid().sync()


def lstm_options_backward(
    d_out, c, gates, centred, stats, sums, UT, extras, mask, dh, dc, live, slots, n_units, options,
    n_jobs,
):  # fmt: skip
    B, columns, options = int(live[0]), GATES * n_units, tuple(map(int, options))
    d, n = gates.reshape(-1, columns), count_tiles(B, n_units)
    extras = extras.reshape(EXTRAS, n_units)
    sums[...] = 0
    sums = sums.reshape(-1, SUMS * n_units)
    if options[2]:
        cell = c, d, centred.reshape(-1, columns), stats, extras, sums, dc
        run, n = normalised_backward, max(n, -(-B // GROUPS))
    else:
        run, cell = backward, (c, d, extras, sums, dc)
    together(
        run, n, BLOCK, d, UT.reshape(-1), dh, mask, d_out, cell, options, live, slots, n_units
    )  # fmt: skip
