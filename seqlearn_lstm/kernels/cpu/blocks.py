"""What the recurrent kernels share: blocks of sequences, gates in panels, states and their gradient.

L lanes of a vector; B sequences, H units; Hg = H rounded up to L / 4, Hp = H rounded up to L. A
panel of gates is the four gates of L units side by side; in the last one, of the units that are
left. Rows are the rows of a batch, see `batches.Batch`.

z     (n_states, ldz)    rows [1 | x (I) | h~ (Hp) | free]: h~ is what the recurrent product reads, h * mask
h     (n_states, Hp)     the states themselves, in the same rows
mask  (B or 0, Hp)       one row for each sequence, the same at all steps (Gal and Ghahramani 2016); no rows: h~ = h
"""

from .compile import inlined, part
from .simd import load, load_first, prefetch, store, store_first
from .target import CACHE_LINE, TILE_ROWS, VECTOR_BYTES
from .tile import PANEL_VECTORS

GATES = 4
PANEL_ELEMENTS = PANEL_VECTORS * VECTOR_BYTES // 4  # enough for either precision
TILE_ELEMENTS = TILE_ROWS * PANEL_ELEMENTS


@part
def fetch(rows, width, array, start, stride):
    """Ask the processor to fetch `rows` rows of `width` elements, which will be written soon.

    Arrays of all steps are too large for the near caches: without this, every store would wait for
    its cache line.
    """
    line = CACHE_LINE // array.itemsize
    for r in range(rows):
        for k in range(0, width, line):
            prefetch(array, start + r * stride + k)


# ---- gates in panels -----------------------------------------------------------------------------


@part
def gate_columns(n_units, L):
    """4 Hg, the number of columns of all gates. The last panel may have fewer units than the
    others, but its four gates together fill whole vectors.
    """
    granule = max(1, L // GATES)
    return (n_units + granule - 1) // granule * granule * GATES


@inlined
def get_gate(row, gate, units, L):
    """Read one gate of a panel's units, from one row of the panel; zero in lanes without a unit."""
    if units < L:
        return load_first(row, gate * units, units)
    return load(row, gate * L)


@inlined
def put_gate(row, gate, x, units, L):
    """Write one gate of a panel's units into one row of the panel: the inverse of `get_gate`."""
    if units < L:
        store_first(row, gate * units, x, units)
    else:
        store(row, gate * L, x)


@inlined
def add(place, k, x):
    """Add a vector to the one at element k of `place`."""
    store(place, k, load(place, k) + x)


@inlined
def get_gates(row, units, L):
    """Read all four gates of a panel's units, in the order i, f, g, o."""
    return (
        get_gate(row, 0, units, L),
        get_gate(row, 1, units, L),
        get_gate(row, 2, units, L),
        get_gate(row, 3, units, L),
    )


@inlined
def put_gates(row, i, f, g, o, units, L):
    """Write all four gates of a panel's units: the inverse of `get_gates`."""
    put_gate(row, 0, i, units, L)
    put_gate(row, 1, f, units, L)
    put_gate(row, 2, g, units, L)
    put_gate(row, 3, o, units, L)


@part
def clear(gates, n_gates, left, right, columns, panel, first, last):
    """Set the gates of dead slots, the rows from `first` to `last`, to zero in the columns from `left`
    to `right`.

    The products over all slots read the dead ones, too: a gradient of zero adds nothing.
    """
    for q in range(left, right, panel):
        width = min(panel, columns - q)
        for k in range(q * n_gates + first * width, q * n_gates + last * width):
            gates[k] = 0.0


# ---- states and their gradient -------------------------------------------------------------------


@inlined
def masked(x, mask, r, unit):
    """x times the mask of the r-th sequence, for the units from `unit` on; x where there is no
    mask.
    """
    if mask.shape[0] > 0:
        return x * load(mask, r * mask.shape[1] + unit)
    return x


@inlined
def remember(x, h, row, unit, z, column, mask, r):
    """Store x, a new state of the r-th sequence, in row `row`: as it is in h, and masked in z."""
    store(h, row * h.shape[1] + unit, x)
    store(z, row * z.shape[1] + column + unit, masked(x, mask, r, unit))


@part
def enter(area, h, z, column, mask):
    """Write the initial states of an area's sequences into z, masked. They stand in h alone before."""
    L = VECTOR_BYTES // h.itemsize
    for r in range(area.begin, area.end):
        for unit in range(area.left, area.right, L):
            remember(load(h, r * h.shape[1] + unit), h, r, unit, z, column, mask, r)
