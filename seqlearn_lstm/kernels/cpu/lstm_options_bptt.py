"""Back-propagation through time for `lstm_options`, whose docstring says what the arrays are.

A step goes from the output to the cells, and from the cells to the products; in between and behind,
over all units of a row, through the normalisations.
"""

from .areas import columns_of, rows_of, sequences_of, units_of
from .blocks import GATES, add, clear, gate_columns, get_gate, put_gate
from .carry import carry_back
from .compile import kernel, part
from .layer_norm import CELL_MEAN, CELL_SCALE, cells_backward, gates_backward
from .lstm_extras import CELL_GAIN, CELL_SHIFT, SUMS, P
from .share import hand_out
from .simd import at, fma, load, splat, store, without_tiny
from .squash import squash, unsquash
from .target import VECTOR_BYTES


@part
def backward_outputs(
    rows, width, gates, u, d_out, d, c, after, stats, s, extras, unit, dh, k, options
):
    """One step back from h = o * act(x), for one panel's units. The gradient at h is dh + d_out.

    In the gates, o is overwritten by the gradient before its activation. dh becomes the gradient at
    x, which is the cell or, with layer normalisation, what the gain and the shift have made of it.
    """
    L, Hp, ldd, units = VECTOR_BYTES // c.itemsize, c.shape[1], d_out.shape[1], width // GATES
    for r in range(rows):
        x = load(c, after + r * Hp)
        if options.layer_norm:
            x = (x - stats[s + r, CELL_MEAN]) * stats[s + r, CELL_SCALE]
            x = fma(x, load(extras, CELL_GAIN * Hp + unit), load(extras, CELL_SHIFT * Hp + unit))
        y, place = squash(x, options.output_activation), at(gates, u + r * width)
        o, d_h = get_gate(place, 3, units, L), load(dh, k + r * Hp)
        if d_out.shape[0] > 0:
            d_h = d_h + load(d_out, d + r * ldd)
        d_h = without_tiny(d_h)  # for the reason that stands in `lstm_bptt`
        put_gate(place, 3, d_h * y * (o * (1.0 - o)), units, L)
        store(dh, k + r * Hp, unsquash(d_h * o, y, options.output_activation))


@part
def backward_cells(
    rows, width, gates, u, c, before, after, extras, unit, dh, dc, k, sums, mine, options
):
    """One step back from the new c to the gates and the c before, for one panel's units. The
    gradient at c is the sum of dc and dh.

    i, f and g are overwritten by the gradients before their activations, dc by the gradient at the
    c before. dh becomes zero: `carry_back` adds the gradient at the states before to it.
    """
    L, Hp, units = VECTOR_BYTES // c.itemsize, c.shape[1], width // GATES
    for r in range(rows):
        place, cell = at(gates, u + r * width), load(c, before + r * Hp)
        i, f = get_gate(place, 0, units, L), get_gate(place, 1, units, L)
        g, d_o = get_gate(place, 2, units, L), get_gate(place, 3, units, L)
        d_c = load(dc, k + r * Hp) + load(dh, k + r * Hp)
        if options.peephole:
            d_c = fma(d_o, load(extras, (P + 2) * Hp + unit), d_c)
        d_c = without_tiny(d_c)
        d_i, d_f = d_c * g * (i * (1.0 - i)), d_c * cell * (f * (1.0 - f))
        put_gate(place, 0, d_i, units, L)
        put_gate(place, 1, d_f, units, L)
        put_gate(place, 2, unsquash(d_c * i, g, options.activation), units, L)
        d_c = d_c * f
        if options.peephole:
            d_c = fma(d_i, load(extras, P * Hp + unit), d_c)
            d_c = fma(d_f, load(extras, (P + 1) * Hp + unit), d_c)
            here = mine + r * SUMS * Hp + unit
            add(sums, here + P * Hp, d_i * cell)
            add(sums, here + (P + 1) * Hp, d_f * cell)
            add(sums, here + (P + 2) * Hp, d_o * load(c, after + r * Hp))
        store(dc, k + r * Hp, d_c)
        store(dh, k + r * Hp, splat(d_c, 0.0))


@part
def backward_begin(sums, n_padded, options, area):
    """Set the sums of an area's sequences and units to zero."""
    if options.peephole or options.layer_norm:
        for row in range(area.begin * SUMS, area.end * SUMS):
            for k in range(row * n_padded + area.left, row * n_padded + area.right):
                sums[k] = 0.0


@part
def backward_step(
    d_out, c, gates, centred, stats, sums, extras, dh, dc, live, slots, n_units, options, t, area
):
    """Step t back, for a share's area, up to the gradient at a; with layer normalisation of all
    units.
    """
    L = VECTOR_BYTES // c.itemsize
    panel, columns = GATES * L, gate_columns(n_units, L)
    Hp, ldd, n_gates = c.shape[1], d_out.shape[1], gates.shape[0] // columns
    left, right = columns_of(area, columns)
    for j in range(area.n_blocks):
        first, last = rows_of(j, area)
        alive = max(first, min(last, live[t]))
        rows, row, after = alive - first, slots[t] + first, (slots[t + 1] + first) * Hp
        for q in range(left, right, panel):
            width, unit = min(panel, columns - q), q // GATES
            backward_outputs(
                rows, width, gates, q * n_gates + row * width, d_out, row * ldd + unit,
                c, after + unit, stats, row, extras, unit, dh, first * Hp + unit, options,
            )  # fmt: skip
        if options.layer_norm:
            cells_backward(rows, c, after, dh, first, row, stats, extras, sums, n_units)
        for q in range(left, right, panel):
            width, unit = min(panel, columns - q), q // GATES
            backward_cells(
                rows, width, gates, q * n_gates + row * width, c, row * Hp + unit, after + unit,
                extras, unit, dh, dc, first * Hp + unit, sums, first * SUMS * Hp, options,
            )  # fmt: skip
        if options.layer_norm:
            gates_backward(rows, gates, centred, columns, row, stats, extras, sums, first, n_units)
        ended = min(last, slots[t + 1] - slots[t])
        clear(gates, n_gates, left, right, columns, panel, slots[t] + alive, slots[t] + ended)


@kernel
def lstm_options_backward(
    d_out, c, gates, centred, stats, sums, weights, extras, mask, dh, dc, live, slots, n_units, options,
    share, n_shares, launcher,
):  # fmt: skip
    """BPTT: gates become the gradient at a, dh and dc the gradient at the initial states; sums what
    `lstm_options_gradient` adds up.

    d_out dh dc  as in `lstm_bptt.lstm_backward`
    """
    if launcher != 0:
        hand_out()
        return
    columns = gate_columns(n_units, VECTOR_BYTES // c.itemsize)
    area, n_gates = sequences_of(share, n_shares, live, c.shape[1]), gates.shape[0] // columns
    backward_begin(sums, c.shape[1], options, area)
    for t in range(live.shape[0] - 1, -1, -1):
        backward_step(
            d_out, c, gates, centred, stats, sums, extras, dh, dc, live, slots, n_units, options, t,
            area,
        )  # fmt: skip
        carry_back(share, area, live[t], dh, gates, slots[t], n_gates, columns, weights, mask)


@kernel
def lstm_options_backward_step(
    d_out, c, gates, centred, stats, sums, weights, extras, mask, dh, dc, live, slots, n_units, options, t,
    share, n_shares, launcher,
):  # fmt: skip
    """Step t of `lstm_options_backward` without layer normalisation, split by units; see
    `lstm_bptt.lstm_backward_step`.
    """
    if launcher != 0:
        hand_out()
        return
    L, k = VECTOR_BYTES // c.itemsize, t + 1
    columns, area = gate_columns(n_units, L), units_of(share, n_shares, live, c.shape[1], L)
    if k == live.shape[0]:
        backward_begin(sums, c.shape[1], options, area)
    else:
        n_gates = gates.shape[0] // columns
        carry_back(share, area, live[k], dh, gates, slots[k], n_gates, columns, weights, mask)
    if t >= 0:
        backward_step(
            d_out, c, gates, centred, stats, sums, extras, dh, dc, live, slots, n_units, options, t,
            area,
        )  # fmt: skip


@kernel
def lstm_options_backward_by_units(
    d_out, c, gates, centred, stats, sums, weights, extras, mask, dh, dc, live, slots, n_units, options,
    share, n_shares, launcher,
):  # fmt: skip
    """`lstm_options_backward` without layer normalisation, each step split by units."""
    for t in range(live.shape[0] - 1, -2, -1):
        lstm_options_backward_step(
            d_out, c, gates, centred, stats, sums, weights, extras, mask, dh, dc, live, slots, n_units,
            options, t, share, n_shares, launcher,
        )  # fmt: skip
