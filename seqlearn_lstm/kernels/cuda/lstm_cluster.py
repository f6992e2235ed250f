"""The LSTM, forward, on clusters of blocks: the recurrent weights stay in registers through all steps,
and the blocks of a cluster send each other the new states. For sm_90 and up, float32, H <= 512.

`cluster` says how the work lies. Rows as in `batches.Batch`: row slots[t] + r is step t of sequence r.

pre    (n_slots, 4 H)         what bias and inputs give to the gates i, f, g, o
U      (H, 4 H)               the recurrent weights
z      (n_states, ldz)        columns from `column` on: IN initial h in rows 0..B; OUT h of all steps
c      (n_states or B, H)     IN initial c in rows 0..B; OUT row kept[t + 1] + r
gates  (n_slots or B, 4 H)    OUT activated gates, row kept[t] + r; may be `pre` if kept is slots

Kernels get all of them flat. Shared memory of a block: states (2, 8, stride), h of all units, in
words of the product, before the step and after it in turn; arrived, a barrier for each of the two.
"""

from functools import cache

import numpy as np

from .cluster import (
    ROWS,
    VECTOR,
    ZERO,
    activations,
    apart,
    gate_parts,
    kernel_of,
    part_of,
    shape_of,
    steps_of,
)
from .cluster_lanes import ALL, lanes_of, n_registers
from .cluster_product import Weights, make_loader, make_product
from .launch import over_clusters
from .primitives import cuda
from .ptx import (
    cluster_of,
    cluster_rank,
    cluster_sync,
    expect,
    open_barrier,
    wait,
)


def lstm_cluster_forward(
    pre, U, z, column, c, gates, live, slots, kept, n_units, precision, cluster=None
):
    """Fill the h columns of z, c and gates, from the pre-activations and the initial states. Returns
    whether the device has such clusters; if not, nothing is filled.

    cluster: the number of blocks of one, if not the least.
    """
    shape = shape_of(n_units, precision, cluster)
    flat = (array.reshape(-1) for array in (pre, U, z, c, gates))
    arguments = (*flat, live, slots, kept, z.shape[1], column)
    n, compiled = -(-int(live[0]) // ROWS), forward_kernel(shape, precision)
    return over_clusters(compiled, n, shape.cluster, shape.threads, *arguments)


@cache
def forward_kernel(shape, precision):
    """The kernel of one shape."""
    H, CLUSTER, SHARE, PADDED, THREADS = *shape, shape.padded, shape.threads
    part, lanes = part_of(precision), lanes_of(precision)
    unit_of, row_of, source_of = lanes.unit_of, lanes.row_of, lanes.source_of
    rounded, UNIT_STEP = lanes.rounded, lanes.unit_step
    WORD, FACTORS, _, store, send_four = lanes.words
    FOURS, WORDS, WEIGHTS = PADDED // 4, PADDED // FACTORS, n_registers(precision, PADDED)
    STRIDE = apart(WORDS, 16)
    BUFFER, BYTES = ROWS * STRIDE, 4 * ROWS * WORDS
    STATES, SENDS = 2 * BUFFER, -(-CLUSTER // 4)
    layout = Weights((4 * 4 * H, 4 * H, H), (4, 1, 0))
    load_weights = make_loader(precision, PADDED, layout, H)
    product = make_product(precision, PADDED, STRIDE)
    sigmoid, tanh = activations(precision)
    load_gates, store_gates = gate_parts(precision, H)

    @part
    def load_state(z, live, row, unit, ldz, column):
        inside = unit < H and row < live[0]
        x = z[np.uint64(row * ldz + column + unit if inside else 0)]
        return rounded(x) if inside else ZERO

    @part
    def load_states(states, z, live, first, ldz, column):
        for k in range(cuda.threadIdx.x, ROWS * FOURS, THREADS):
            r, unit = k // FOURS, 4 * (k % FOURS)
            h0 = load_state(z, live, first + r, unit, ldz, column)
            h1 = load_state(z, live, first + r, unit + 1, ldz, column)
            h2 = load_state(z, live, first + r, unit + 2, ldz, column)
            h3 = load_state(z, live, first + r, unit + 3, ldz, column)
            store(states, np.uint32(r * STRIDE + unit // FACTORS), h0, h1, h2, h3)

    @part
    def send(states, arrived, buffer, row, unit, h, lane):
        """The four lanes of a row have its h of four units: each sends all of them to some blocks."""
        u = unit_of(lane)
        base = lane - u * UNIT_STEP
        h0 = cuda.shfl_sync(ALL, h, base)
        h1 = cuda.shfl_sync(ALL, h, base + UNIT_STEP)
        h2 = cuda.shfl_sync(ALL, h, base + 2 * UNIT_STEP)
        h3 = cuda.shfl_sync(ALL, h, base + 3 * UNIT_STEP)
        to = np.uint32(buffer * BUFFER + row * STRIDE + (unit - u) // FACTORS)
        for k in range(SENDS):
            rank = u + 4 * k
            if rank < CLUSTER:
                send_four(states, to, arrived, np.uint32(buffer), np.uint32(rank), h0, h1, h2, h3)

    @kernel_of(shape, precision)
    def forward(pre, U, z, c, gates, live, slots, kept, ldz, column):
        cluster_of(CLUSTER)
        states = cuda.shared.array(STATES, WORD, VECTOR)
        arrived = cuda.shared.array(2, np.int64)
        weights = cuda.local.array(WEIGHTS, WORD)
        thread = cuda.threadIdx.x
        lane = thread & 31
        first = cuda.blockIdx.x // CLUSTER * ROWS
        first_unit = np.int64(cluster_rank()) * SHARE + (thread >> 5) * 4
        unit, r = first_unit + unit_of(lane), row_of(lane)
        row, n_steps = first + r, steps_of(live, first)
        k = 4 * FACTORS * source_of(lane)
        load_weights(weights, 0, U, k * (4 * H) + unit, k, unit, lane)
        load_states(states, z, live, first, ldz, column)
        if thread == 0:
            open_barrier(arrived, 0)
            open_barrier(arrived, 1)
        cluster_sync()

        alive = unit < H and row < live[0]
        slot, after, kept_slot, kept_after = slots[0], slots[1], kept[0], kept[1]
        xi = xf = xg = xo = c_t = ZERO
        if alive:
            xi, xf, xg, xo = load_gates(pre, slot + row, unit)
            c_t = c[np.uint64(row * H + unit)]
        for t in range(n_steps):
            before, buffer = t & 1, (t + 1) & 1
            if thread == 0:
                expect(arrived, np.uint32(buffer), np.uint32(BYTES))
            si, sf, sg, so = product(weights, 0, states, before * BUFFER, lane)
            i, f, g, o = sigmoid(xi + si), sigmoid(xf + sf), tanh(xg + sg), sigmoid(xo + so)
            c_t = f * c_t + i * g
            h = o * tanh(c_t)
            send(states, arrived, buffer, r, unit, rounded(h), lane)
            # While it is under way: what the step leaves behind, and the inputs of the next one.
            if alive:
                z[np.uint64((after + row) * ldz + column + unit)] = h
                c[np.uint64((kept_after + row) * H + unit)] = c_t
                store_gates(gates, kept_slot + row, unit, i, f, g, o)
            if t + 1 < n_steps:
                slot, after, kept_slot, kept_after = after, slots[t + 2], kept_after, kept[t + 2]
                alive = unit < H and row < live[t + 1]
                if alive:
                    xi, xf, xg, xo = load_gates(pre, slot + row, unit)
            wait(arrived, np.uint32(buffer), np.uint32((t >> 1) & 1))

    return forward
