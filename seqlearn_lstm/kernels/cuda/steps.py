"""Recurrent layers step by step: what all cells share, forward and back through time.

One kernel runs all steps: its blocks are all on the device at once and wait for each other after
each step. A block computes tiles of (rows, units), each thread PER rows of one unit; what a cell
makes of the sums for one row and one unit is a function, its *point*.

    B sequences of a batch, longest first; H units; G gates; live, slots, kept: how its rows lie, as in the contract
"""

from .primitives import SIMULATED, cuda, kernel, part

UNITS, GROUPS, PER, DEPTH = (2, 2, 2, 3) if SIMULATED else (32, 8, 2, 16)
BLOCK = UNITS, GROUPS  # threads
THREADS, ROWS = UNITS * GROUPS, PER * GROUPS  # of a tile: ROWS x UNITS
FACTOR = DEPTH, ROWS + 1  # of the states in shared memory; + 1: or columns would share a bank


def count_tiles(n_rows, n_units):
    """Tiles of (n_rows, n_units)."""
    return -(-n_rows // ROWS) * -(-n_units // UNITS)


def make_tile_product(G, of=None, skip=0):
    """The function that adds a product of states and weights to a tile's sums: of G gates, from the
    `skip`-th on, of the `of` that the weights have.
    """
    width, n_gates = G * UNITS, of or G

    @part
    def tile_product(sums, A, W, a, row, n_rows, column, b, first, unit, n_units, K):
        """sums[p, skip + g] += sum_k a[row + i, column + k] * b[first + k, (skip + g) n_units + unit + x]
        for the thread's rows i = p * GROUPS + y below n_rows.

        A (DEPTH, ROWS + 1), W (DEPTH, >= G * UNITS) shared; b flat, with rows of `of` * n_units
        """
        x, y, zero = cuda.threadIdx.x, cuda.threadIdx.y, sums.dtype.type(0)
        for k0 in range(0, K, DEPTH):
            for e in range(y * UNITS + x, ROWS * DEPTH, THREADS):
                i, k = e // DEPTH, e % DEPTH
                inside = i < n_rows and k0 + k < K
                A[k, i] = a[row + i, column + k0 + k] if inside else zero
            for e in range(y * UNITS + x, DEPTH * width, THREADS):
                k, g, u = e // width, e % width // UNITS, unit + e % UNITS
                inside = k0 + k < K and u < n_units
                place = ((first + k0 + k) * n_gates + skip + g) * n_units + u
                W[k, e % width] = b[place] if inside else zero
            cuda.syncthreads()
            for k in range(DEPTH):
                for p in range(PER):
                    for g in range(G):
                        sums[p, skip + g] += A[k, p * GROUPS + y] * W[k, g * UNITS + x]
            cuda.syncthreads()

    return tile_product


def make_forward_step(point, G, n_read=None, skip=0):
    """The function for one step of a cell's forward pass, but for the wait behind it.

    ``point(sums, p, cell, numbers, column, before, after, k, k_after, r, u, H)`` takes the
    pre-activations ``sums[p, :]`` of row r and unit u; `before` and `after` are the state rows of
    the step, `k` and `k_after` the same where cells and gates are kept. Of the G gates, the product
    adds to `n_read` from the `skip`-th on: the others do not read the states.
    """
    tile_product = make_tile_product(n_read or G, G, skip)

    @part
    def forward_step(
        sums, A, W, a, row, column, b, first, pre, pre_row, cell, numbers, t, live, slots, kept, H
    ):
        """a[row:, column:]: what the product reads; pre[pre_row:, : G H]: what else is summed; pre
        without rows: nothing
        """
        x, y, across = cuda.threadIdx.x, cuda.threadIdx.y, (H + UNITS - 1) // UNITS
        n_rows = live[t]
        n_tiles = (n_rows + ROWS - 1) // ROWS * across
        for tile in range(cuda.blockIdx.x, n_tiles, cuda.gridDim.x):
            i0, unit = tile // across * ROWS, tile % across * UNITS
            u = unit + x
            for p in range(PER):
                r = i0 + p * GROUPS + y
                for g in range(G):
                    inside = r < n_rows and u < H and pre.shape[0] > 0
                    sums[p, g] = pre[pre_row + r, g * H + u] if inside else sums.dtype.type(0)
            tile_product(sums, A, W, a, row + i0, n_rows - i0, column, b, first, unit, H, H)
            for p in range(PER):
                r = i0 + p * GROUPS + y
                if r < n_rows and u < H:
                    point(
                        sums, p, cell, numbers, column, slots[t] + r, slots[t + 1] + r,
                        kept[t] + r, kept[t + 1] + r, r, u, H,
                    )  # fmt: skip

    return forward_step


def make_forward(point, G, n_read=None, skip=0):
    """The kernel of a cell's forward pass, from what `make_forward_step` takes."""
    weights, totals = (DEPTH, (n_read or G) * UNITS), (PER, G)
    forward_step = make_forward_step(point, G, n_read, skip)

    @kernel
    def forward(z, column, b, first, pre, cell, numbers, live, slots, kept, H):
        """z (n_states, >= column + H): the states that the product reads; b flat: weights, those of
        the states from row `first` on; pre (n_slots, G H): all else that is summed; cell: a tuple
        of the cell's arrays
        """
        A = cuda.shared.array(FACTOR, z.dtype)
        W = cuda.shared.array(weights, z.dtype)
        sums = cuda.local.array(totals, z.dtype)
        for t in range(live.shape[0]):
            forward_step(
                sums, A, W, z, slots[t], column, b, first, pre, slots[t], cell, numbers, t, live,
                slots, kept, H,
            )  # fmt: skip
            cuda.cg.this_grid().sync()

    return forward


def make_backward_step(point, n_read=None, skip=0):
    """The function for one step of a cell's back-propagation, but for the wait behind it.

    ``point(d_h, cell, numbers, before, after, r, u, H)`` takes the gradient at the output of one
    row and unit, writes that at its pre-activations, and returns what goes to the state before the
    step by other ways than the recurrent product. That product reads `n_read` gates from the
    `skip`-th on; None: all.
    """
    tile_product = make_tile_product(1)
    n_gates = n_read or 0

    @part
    def backward_step(sums, A, W, d, UT, dh, mask, d_out, cell, numbers, t, live, slots, H):
        """Step t, or, where that is -1, what of the first step goes to the initial states."""
        x, y, across = cuda.threadIdx.x, cuda.threadIdx.y, (H + UNITS - 1) // UNITS
        n, first = d.shape[1], skip * H
        K = n_gates * H if n_gates > 0 else n - first
        n_rows = live[max(t, 0)]
        n_after = live[t + 1] if t + 1 < live.shape[0] else 0
        n_tiles = (n_rows + ROWS - 1) // ROWS * across
        for tile in range(cuda.blockIdx.x, n_tiles, cuda.gridDim.x):
            i0, unit = tile // across * ROWS, tile % across * UNITS
            u = unit + x
            for p in range(PER):
                sums[p, 0] = dh.dtype.type(0)
            if i0 < n_after:
                tile_product(
                    sums, A, W, d, slots[t + 1] + i0, n_after - i0, first, UT, first, unit, H, K
                )
            for p in range(PER):
                r = i0 + p * GROUPS + y
                if r < n_rows and u < H:
                    d_h = sums[p, 0] * mask[r, u] if mask.shape[0] > 0 else sums[p, 0]
                    d_h += dh[r, u]
                    if t >= 0:
                        if d_out.shape[0] > 0:
                            d_h += d_out[slots[t] + r, u]
                        d_h = point(d_h, cell, numbers, slots[t] + r, slots[t + 1] + r, r, u, H)
                    dh[r, u] = d_h
        if t >= 0:
            clear_rows(d, slots[t] + n_rows, slots[t + 1])

    return backward_step


@part
def clear_rows(a, first, last):
    """Zeros in rows of a matrix."""
    start, n = cuda.threadIdx.y * UNITS + cuda.threadIdx.x, a.shape[1]
    for e in range(cuda.blockIdx.x * THREADS + start, (last - first) * n, THREADS * cuda.gridDim.x):
        a[first + e // n, e % n] = a.dtype.type(0)


def make_backward(point, n_read=None, skip=0):
    """The kernel of a cell's back-propagation through time, from what `make_backward_step` takes."""
    weights, totals = (DEPTH, UNITS), (PER, 1)
    backward_step = make_backward_step(point, n_read, skip)

    @kernel
    def backward(d, UT, dh, mask, d_out, cell, numbers, live, slots, H):
        """d (n_slots, n): OUT the gradient at the pre-activations, zero in dead slots; UT flat
        (n, H); dh (B, H): IN the gradient at the final states, OUT at the initial ones; mask (B or
        0, H): what the states were multiplied with before the product; d_out (n_slots or 0, H)
        """
        A = cuda.shared.array(FACTOR, dh.dtype)
        W = cuda.shared.array(weights, dh.dtype)
        sums = cuda.local.array(totals, dh.dtype)
        for t in range(live.shape[0] - 1, -2, -1):
            backward_step(sums, A, W, d, UT, dh, mask, d_out, cell, numbers, t, live, slots, H)
            cuda.cg.this_grid().sync()

    return backward
