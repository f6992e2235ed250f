"""The LSTM layer with options; ``cpu.lstm_options`` has its formulas.

z c gates W UT          as in `lstm`, but the h columns of z hold h~
h       (n_states, H)   the states; rows as in z
mask    (B or 0, H)     no rows: none
extras  (9, H)          as in `lstm_extras`
centred stats           as in `layer_norm`; no rows without it
options                 a tuple of numbers, as in the contract

Under layer normalisation a step has two parts, for a gate's mean is that of all units: all blocks
wait behind each.
"""

from .activations import sigmoid, squash
from .launch import together
from .layer_norm import CELL_MEAN, CELL_SCALE, centre, moments
from .lstm import GATES, input_sums
from .lstm_extras import CELL_GAIN, CELL_SHIFT, EXTRAS, GAIN, P
from .primitives import cuda, kernel, part
from .states import enter, remember
from .steps import (
    BLOCK,
    DEPTH,
    FACTOR,
    GROUPS,
    PER,
    UNITS,
    count_tiles,
    make_forward,
    make_forward_step,
)

WEIGHTS, SUMS = (DEPTH, GATES * UNITS), (PER, GATES)


@part
def new_cell(i, f, a, o, c, k, k_after, gates, extras, u, H, options):
    """Gates and new cell of one row and unit from their pre-activations, into gates and c; o and
    the cell are returned.
    """
    peephole, forget_gate, _, activation, _ = options
    one, cell = c.dtype.type(1), c[k, u]
    if peephole:
        i += cell * extras[P, u]
        f += cell * extras[P + 1, u]
    i, g = sigmoid(i, one), squash(a, activation, one)
    f = sigmoid(f, one) if forget_gate else one
    cell = f * cell + i * g
    if peephole:
        o += cell * extras[P + 2, u]
    o = sigmoid(o, one)
    c[k_after, u] = cell
    gates[k, u] = i
    gates[k, H + u] = f
    gates[k, 2 * H + u] = g
    gates[k, 3 * H + u] = o
    return o, cell


# ---- without layer normalisation -----------------------------------------------------------------


@part
def forward_point(sums, p, cell, options, column, before, after, k, k_after, r, u, H):
    z, h, c, gates, extras, mask = cell
    i, f, a, o = sums[p, 0], sums[p, 1], sums[p, 2], sums[p, 3]
    o, x = new_cell(i, f, a, o, c, k, k_after, gates, extras, u, H, options)
    remember(o * squash(x, options[4], c.dtype.type(1)), h, after, u, z, column, mask, r)


forward = make_forward(forward_point, GATES)


# ---- with layer normalisation --------------------------------------------------------------------


@part
def product_point(sums, p, cell, options, column, before, after, k, k_after, r, u, H):
    (products,) = cell
    for gate in range(GATES):
        products[k, gate * H + u] = sums[p, gate]


product_step = make_forward_step(product_point, GATES)


@part
def row_of_thread(i, n_rows):
    """(row, whether there is one): neighbouring rows go to different blocks."""
    r = (i * GROUPS + cuda.threadIdx.y) * cuda.gridDim.x + cuda.blockIdx.x
    return r if r < n_rows else 0, r < n_rows


@part
def rounds(n_rows):
    """How often `row_of_thread` is to be asked, i = 0, 1 ...: as often by all threads of a block."""
    return (n_rows + GROUPS * cuda.gridDim.x - 1) // (GROUPS * cuda.gridDim.x)


@part
def forward_row(r, width, k, k_after, after, cell, b, column, options, H):
    """From the products of a row to its new state; the first `width` of H units: all or none."""
    z, h, c, gates, centred, stats, extras, mask = cell
    x, one = cuda.threadIdx.x, c.dtype.type(1)
    s_i, s_f = centre(centred, stats, k, 0, width, H), centre(centred, stats, k, 1, width, H)
    s_g, s_o = centre(centred, stats, k, 2, width, H), centre(centred, stats, k, 3, width, H)
    for u in range(x, width, UNITS):
        i = centred[k, u] * s_i * extras[GAIN, u] + b[u]
        f = centred[k, H + u] * s_f * extras[GAIN + 1, u] + b[H + u]
        a = centred[k, 2 * H + u] * s_g * extras[GAIN + 2, u] + b[2 * H + u]
        o = centred[k, 3 * H + u] * s_o * extras[GAIN + 3, u] + b[3 * H + u]
        new_cell(i, f, a, o, c, k, k_after, gates, extras, u, H, options)
    mean, scale = moments(c, k_after, 0, width, H)
    if x == 0 and width > 0:
        stats[k, CELL_MEAN] = mean
        stats[k, CELL_SCALE] = scale
    for u in range(x, width, UNITS):
        y = (c[k_after, u] - mean) * scale * extras[CELL_GAIN, u] + extras[CELL_SHIFT, u]
        new = gates[k, 3 * H + u] * squash(y, options[4], one)
        remember(new, h, after, u, z, column, mask, r)


@kernel
def normalised_forward(z, column, b, pre, cell, options, live, slots, kept, H):
    """b flat: the weights, first the biases, those of the states from row `column` on; pre
    (n_slots, 4 H): what the inputs add to the products; cell: as `forward_row` takes it
    """
    A = cuda.shared.array(FACTOR, z.dtype)
    W = cuda.shared.array(WEIGHTS, z.dtype)
    sums = cuda.local.array(SUMS, z.dtype)
    for t in range(live.shape[0]):
        product_step(
            sums, A, W, z, slots[t], column, b, column, pre, slots[t], (cell[4],), (), t, live,
            slots, kept, H,
        )  # fmt: skip
        cuda.cg.this_grid().sync()
        for i in range(rounds(live[t])):
            r, there = row_of_thread(i, live[t])
            forward_row(
                r, H if there else 0, kept[t] + r, kept[t + 1] + r, slots[t + 1] + r, cell, b,
                column, options, H,
            )  # fmt: skip
        cuda.cg.this_grid().sync()


def lstm_options_forward(
    z, h, c, gates, centred, stats, W, extras, mask, live, slots, kept, n_in, n_units, options,
    n_jobs, training=False,
):  # fmt: skip
    B, column, columns = int(live[0]), 1 + n_in, GATES * n_units
    options, b, gates = tuple(map(int, options)), W.reshape(-1), gates.reshape(-1, columns)
    extras = extras.reshape(EXTRAS, n_units)
    enter(h, z, column, mask, B)
    if options[2]:
        pre = input_sums(z, W, int(slots[-2]), n_in, columns, 1)
        cell = z, h, c, gates, centred.reshape(-1, columns), stats, extras, mask
        together(
            normalised_forward, max(count_tiles(B, n_units), -(-B // GROUPS)), BLOCK,
            z, column, b, pre, cell, options, live, slots, kept, n_units,
        )  # fmt: skip
    else:
        pre = input_sums(z, W, int(slots[-2]), n_in, columns)
        together(
            forward, count_tiles(B, n_units), BLOCK,
            z, column, b, column, pre, (z, h, c, gates, extras, mask), options, live, slots, kept,
            n_units,
        )  # fmt: skip
