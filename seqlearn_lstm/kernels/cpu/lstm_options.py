"""The LSTM layer with options, each alone or with others; without any, it is the layer of `lstm`.

    a = [x_t | h~_(t-1)] @ [W; U],  h~ = h * mask          the mask of a sequence is the same at all steps
    i, f = sigmoid(y + p * c_(t-1));  o = sigmoid(y + p * c_t);  g = act(y)    y = gain * norm(a) + b, or a + b
    c_t = f * c_(t-1) + i * g;   h_t = o * act(cell_gain * norm(c_t) + cell_shift), or o * act(c_t)

peephole (Gers and Schmidhuber 2000; Graves 2013), no forget gate: f = 1 (Hochreiter and Schmidhuber
1997), layer normalisation (`layer_norm`), recurrent dropout (Gal and Ghahramani 2016), and other
activations (`squash`). `lstm_extras` has the numbers of the options and the further parameters.

z c gates W             as in `lstm`, but the h columns of z hold h~; W has zeros for a gate that does not exist
weights                 forward, W as `sliced_step.Sliced`; back, as in `lstm`
h       (n_states, Hp)  the states; rows as in z
mask    (B or 0, Hp)    no rows: none
centred stats           as in `layer_norm`; no rows without it
sums                    as in `lstm_extras`; no rows without peepholes and layer normalisation

Products of all panels come first, then all else of a step: a normalisation needs all units of a
row.
"""

from numba import types
from numba.extending import overload

from .activations import lstm_gates, sigmoid
from .ahead import is_worth_it, multiply_ahead
from .amx import COMPILED_FOR, TILE_SIDE
from .areas import columns_of, rows_of, sequences_of, units_of
from .blocks import GATES, enter, gate_columns, get_gate, put_gate, remember
from .compile import ALWAYS_INLINED, kernel, part
from .layer_norm import CELL_MEAN, CELL_SCALE, centre_gates, measure_cells
from .lstm_extras import CELL_GAIN, CELL_SHIFT, GAIN, P
from .share import hand_out
from .simd import at, fma, load, splat, store
from .sliced_step import multiply_step
from .squash import TANH, first_lanes, squash
from .target import VECTOR_BYTES
from .tile import tile


@part
def forward_cells(
    rows, width, raw, gates, u, stats, s, bias, extras, unit, n_units, c, before, after, h, out,
    options,
):  # fmt: skip
    """Compute the gates and cells of one panel's units from `raw`: the pre-activations or, with
    layer normalisation, the centred products. The output gates are stored in h, too, for
    `forward_outputs`.
    """
    L, Hp, units = VECTOR_BYTES // c.itemsize, c.shape[1], width // GATES
    for r in range(rows):
        source, target = at(raw, u + r * width), at(gates, u + r * width)
        i, f = get_gate(source, 0, units, L), get_gate(source, 1, units, L)
        a, o = get_gate(source, 2, units, L), get_gate(source, 3, units, L)
        if options.layer_norm:
            gain = at(extras, GAIN * Hp + unit)
            i = fma(i * stats[s + r, 0], load(gain, 0), get_gate(bias, 0, units, L))
            f = fma(f * stats[s + r, 1], load(gain, Hp), get_gate(bias, 1, units, L))
            a = fma(a * stats[s + r, 2], load(gain, 2 * Hp), get_gate(bias, 2, units, L))
            o = fma(o * stats[s + r, 3], load(gain, 3 * Hp), get_gate(bias, 3, units, L))
        cell = load(c, before + r * Hp)
        if options.peephole:
            i = fma(cell, load(extras, P * Hp + unit), i)
            f = fma(cell, load(extras, (P + 1) * Hp + unit), f)
        y = o
        i, f, g, o = lstm_gates(i, f, a, o)
        if options.activation != TANH:
            g = squash(a, options.activation)
        if not options.forget_gate:
            f = splat(f, 1.0)
        # Units that do not exist: an activation may make something of nothing, and i and o keep it
        # out of c and h.
        i = first_lanes(i, n_units - unit)
        cell = fma(f, cell, i * g)
        if options.peephole:
            o = sigmoid(fma(cell, load(extras, (P + 2) * Hp + unit), y))
        o = first_lanes(o, n_units - unit)
        store(c, after + r * Hp, cell)
        store(h, out + r * Hp, o)
        put_gate(target, 0, i, units, L)
        put_gate(target, 1, f, units, L)
        put_gate(target, 2, g, units, L)
        put_gate(target, 3, o, units, L)


@part
def forward_outputs(rows, c, k, stats, s, extras, h, out, z, column, mask, first, area, options):
    """Compute the states of an area's units from the new cells and from the output gates, which stand
    in h from its row `out` on. They overwrite these; masked, they are written to z.
    """
    L, Hp = VECTOR_BYTES // c.itemsize, c.shape[1]
    for r in range(rows):
        for u in range(area.left, area.right, L):
            x = load(c, k + r * Hp + u)
            if options.layer_norm:
                x = (x - stats[s + r, CELL_MEAN]) * stats[s + r, CELL_SCALE]
                x = fma(x, load(extras, CELL_GAIN * Hp + u), load(extras, CELL_SHIFT * Hp + u))
            y = load(h, (out + r) * Hp + u) * squash(x, options.output_activation)
            remember(y, h, out + r, u, z, column, mask, first + r)


@part
def _by_tiles(z, raw, W, bias, live, slots, kept, n_in, n_units, t, area):
    L = VECTOR_BYTES // W.itemsize
    panel, columns, K = GATES * L, gate_columns(n_units, L), 1 + n_in + n_units
    ldz, n_gates = z.shape[1], raw.shape[0] // columns
    left, right = columns_of(area, columns)
    done = 1 + n_in if is_worth_it(W, live, kept) else bias
    for q in range(left, right, panel):
        width = min(panel, columns - q)
        for j in range(area.n_blocks):
            first, last = rows_of(j, area)
            rows = min(last, live[t]) - first
            if rows <= 0:
                break
            tile(
                rows, width // L, at(raw, q * n_gates + (kept[t] + first) * width), width,
                at(z, (slots[t] + first) * ldz + done), ldz, 1, 1, 0,
                at(W, q * K + done * width), width, K - done, done - bias,
            )  # fmt: skip


@part
def _by_matrix_unit(z, raw, W, weights, bias, live, slots, kept, n_in, n_units, t, share, area):
    columns, K = gate_columns(n_units, TILE_SIDE), n_in + n_units
    begin, end = area.begin, min(area.end, live[t])
    if begin >= end:
        return
    if bias == 0:
        multiply_step(z, raw, W, weights, slots, kept, t, K, columns, share, begin, end)
    else:
        multiply_step(z, raw, None, weights, slots, kept, t, K, columns, share, begin, end)


def products(z, raw, W, weights, bias, live, slots, kept, n_in, n_units, t, share, area):
    """The products of step t, from row `bias` of W on, for a share's area."""
    raise TypeError("for compiled code")


@overload(products, jit_options=ALWAYS_INLINED)
def _products(z, raw, W, weights, bias, live, slots, kept, n_in, n_units, t, share, area):
    def by_tiles(z, raw, W, weights, bias, live, slots, kept, n_in, n_units, t, share, area):
        _by_tiles(z, raw, W, bias, live, slots, kept, n_in, n_units, t, area)

    def by_either(z, raw, W, weights, bias, live, slots, kept, n_in, n_units, t, share, area):
        if weights.right.size > 0:
            _by_matrix_unit(
                z, raw, W, weights, bias, live, slots, kept, n_in, n_units, t, share, area
            )
        else:
            _by_tiles(z, raw, W, bias, live, slots, kept, n_in, n_units, t, area)

    return by_either if COMPILED_FOR and W.dtype == types.float32 else by_tiles


@part
def forward_step(
    z, h, c, gates, centred, stats, W, weights, extras, mask, live, slots, kept, n_in, n_units,
    options, t, share, area,
):  # fmt: skip
    """Step t, for a share's area; with layer normalisation of all units."""
    L, Hp = VECTOR_BYTES // W.itemsize, c.shape[1]
    panel, columns, K = GATES * L, gate_columns(n_units, L), 1 + n_in + n_units
    left, right = columns_of(area, columns)
    n_gates = gates.shape[0] // columns
    # A normalisation would take out what the bias adds.
    raw, bias = (centred, 1) if options.layer_norm else (gates, 0)
    products(z, raw, W, weights, bias, live, slots, kept, n_in, n_units, t, share, area)
    for j in range(area.n_blocks):
        first, last = rows_of(j, area)
        rows = min(last, live[t]) - first
        if rows <= 0:
            break
        row, before, after = kept[t] + first, (kept[t] + first) * Hp, (kept[t + 1] + first) * Hp
        out = slots[t + 1] + first
        if options.layer_norm:
            centre_gates(rows, centred, columns, row, stats, n_units)
        for q in range(left, right, panel):
            width, unit = min(panel, columns - q), q // GATES
            forward_cells(
                rows, width, raw, gates, q * n_gates + row * width, stats, row, at(W, q * K),
                extras, unit, n_units, c, before + unit, after + unit, h, out * Hp + unit,
                options,
            )  # fmt: skip
        if options.layer_norm:
            measure_cells(rows, c, after, stats, row, n_units)
        forward_outputs(
            rows, c, after, stats, row, extras, h, out, z, 1 + n_in, mask, first, area, options
        )


@kernel
def lstm_options_forward(
    z, h, c, gates, centred, stats, W, weights, extras, mask, live, slots, kept, n_in, n_units,
    options, share, n_shares, launcher,
):  # fmt: skip
    """Fill h, the h columns of z, c, gates, centred and stats, from the x columns of z and the
    initial states.

    kept (T + 2,)  as in `lstm.lstm_forward`: where c, gates, centred and stats of a step stand
    """
    if launcher != 0:
        hand_out()
        return
    area = sequences_of(share, n_shares, live, c.shape[1])
    enter(area, h, z, 1 + n_in, mask)
    columns, K = gate_columns(n_units, VECTOR_BYTES // W.itemsize), 1 + n_in + n_units
    raw, bias = (centred, 1) if options.layer_norm else (gates, 0)
    if weights.right.size == 0:
        multiply_ahead(raw, columns, z, W, K, bias, 1 + n_in, live, slots, kept, area)
    for t in range(live.shape[0]):
        forward_step(
            z, h, c, gates, centred, stats, W, weights, extras, mask, live, slots, kept, n_in,
            n_units, options, t, share, area,
        )  # fmt: skip


@kernel
def lstm_options_forward_step(
    z, h, c, gates, centred, stats, W, weights, extras, mask, live, slots, kept, n_in, n_units,
    options, t, share, n_shares, launcher,
):  # fmt: skip
    """Step t of `lstm_options_forward` without layer normalisation, split by units."""
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // W.itemsize
    area = units_of(share, n_shares, live, c.shape[1], L)
    if t == 0:
        columns, K = gate_columns(n_units, L), 1 + n_in + n_units
        multiply_ahead(gates, columns, z, W, K, 0, 1 + n_in, live, slots, kept, area)
    forward_step(
        z, h, c, gates, centred, stats, W, weights, extras, mask, live, slots, kept, n_in, n_units,
        options, t, share, area,
    )  # fmt: skip


@kernel
def lstm_options_forward_by_units(
    z, h, c, gates, centred, stats, W, weights, extras, mask, live, slots, kept, n_in, n_units,
    options, share, n_shares, launcher,
):  # fmt: skip
    """`lstm_options_forward` without layer normalisation, each step split by units."""
    # Here, for all units: each share of the first step reads those of the others.
    enter(sequences_of(0, 1, live, c.shape[1]), h, z, 1 + n_in, mask)
    for t in range(live.shape[0]):
        lstm_options_forward_step(
            z, h, c, gates, centred, stats, W, weights, extras, mask, live, slots, kept, n_in,
            n_units, options, t, share, n_shares, launcher,
        )  # fmt: skip
