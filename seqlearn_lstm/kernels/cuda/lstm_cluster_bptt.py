"""Back-propagation through time of the LSTM on clusters of blocks: as `lstm_cluster` forward, the
recurrent weights stay in registers. Each block multiplies the gradients at the gates of its units,
and sends each block what it adds to dh of the units there.

d_out  (n_slots or 0, ldd)    gradient at the output of each slot's step; no rows: there is none
c      (n_states, H)          as the forward pass left it
gates  (n_slots, 4 H)         IN activated gates; OUT the gradient at the pre-activations, zero in dead slots
U      (H, 4 H)               the recurrent weights
dh dc  (B, H)                 IN the gradient at the final states; OUT at the initial states

Kernels get all of them flat. Shared memory of a block: errors (2, 8, stride), gradients at the four
gates of each of its units, unit by unit, in words of the product; received (2, blocks, 8, width), what
each block adds to dh; arrived, a barrier for each half of it. Halves take turns from step to step.
"""

from functools import cache

import numpy as np

from .cluster import (
    ONE,
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
    unrolled,
)
from .cluster_lanes import lanes_of, n_registers
from .cluster_product import TILE, Weights, make_loader, make_product
from .launch import over_clusters
from .primitives import cuda
from .ptx import (
    cluster_of,
    cluster_rank,
    cluster_sync,
    expect,
    open_barrier,
    send4,
    wait,
)


def lstm_cluster_backward(
    d_out, c, gates, U, dh, dc, live, slots, n_units, precision, cluster=None
):
    """BPTT: gates become the gradient at the pre-activations, dh and dc the gradient at the initial
    states. Returns whether the device has such clusters; if not, nothing changes.

    cluster: the number of blocks of one, if not the least.
    """
    shape = shape_of(n_units, precision, cluster)
    has_outputs = len(d_out) > 0
    flat = [x.reshape(-1) for x in (d_out if has_outputs else dh, c, gates, U, dh, dc)]
    arguments = (*flat, live, slots, d_out.shape[1], int(has_outputs))
    n, compiled = -(-int(live[0]) // ROWS), backward_kernel(shape, precision)
    return over_clusters(compiled, n, shape.cluster, shape.threads, *arguments)


@cache
def backward_kernel(shape, precision):
    """The kernel of one shape."""
    H, CLUSTER, SHARE, PADDED = *shape, shape.padded
    part, lanes = part_of(precision), lanes_of(precision)
    unit_of, row_of, source_of = lanes.unit_of, lanes.row_of, lanes.source_of
    rounded = lanes.rounded
    WORD, FACTORS, _, store, _ = lanes.words
    K, TILES, A_UNIT = 4 * SHARE, max(1, CLUSTER // 4), 4 // FACTORS
    A_TILE = n_registers(precision, K)
    STRIDE, WIDTH = apart(K // FACTORS, 16), apart(SHARE, 4)
    ERRORS, HALF, BYTES = ROWS * STRIDE, CLUSTER * ROWS * WIDTH, 4 * ROWS * PADDED
    ALL_ERRORS, RECEIVED, WEIGHTS = 2 * ERRORS, 2 * HALF, TILES * A_TILE
    layout = Weights((1, H, 4 * H), (1, 0, 1))
    load_weights = make_loader(precision, K, layout, H)
    product = make_product(precision, K, STRIDE)
    _, tanh = activations(precision)
    load_gates, store_gates = gate_parts(precision, H)

    @part
    def load_tile(k, weights, U, warp, rank, lane):
        source = rank * SHARE + FACTORS * source_of(lane)
        output = (warp * TILES + k) * TILE + 4 * unit_of(lane)
        load_weights(weights, k * A_TILE, U, output * (4 * H) + source, source, output, lane)

    @part
    def send_tile(k, weights, errors, received, arrived, buffer, warp, rank, lane):
        output = (warp * TILES + k) * TILE + 4 * unit_of(lane)
        if CLUSTER >= 4 or output < PADDED:  # a small cluster has fewer tiles than warps
            d0, d1, d2, d3 = product(weights, k * A_TILE, errors, buffer * ERRORS, lane)
            to = buffer * HALF + (rank * ROWS + row_of(lane)) * WIDTH + output % SHARE
            send4(
                received, np.uint32(to), arrived, np.uint32(buffer), np.uint32(output // SHARE),
                d0, d1, d2, d3,
            )  # fmt: skip

    @part
    def load_step(d_out, c, gates, place, unit, alive, has_slot, ldd, has_outputs):
        i = f = g = o = d = c_before = ZERO
        if has_slot:
            c_before = c[np.uint64(place * H + unit)]
        if alive:
            i, f, g, o = load_gates(gates, place, unit)
            if has_outputs:
                d = d_out[np.uint64(place * ldd + unit)]
        return i, f, g, o, d, c_before

    load_tiles = unrolled(part, load_tile, 0, TILES)
    send_tiles = unrolled(part, send_tile, 0, TILES)

    @part
    def sum_of(received, buffer, r, local):
        d = ZERO
        for rank in range(CLUSTER):
            d += received[np.uint32(buffer * HALF + (rank * ROWS + r) * WIDTH + local)]
        return d

    @kernel_of(shape, precision)
    def backward(d_out, c, gates, U, dh, dc, live, slots, ldd, has_outputs):
        cluster_of(CLUSTER)
        errors = cuda.shared.array(ALL_ERRORS, WORD, VECTOR)
        received = cuda.shared.array(RECEIVED, np.float32, VECTOR)
        arrived = cuda.shared.array(2, np.int64)
        weights = cuda.local.array(WEIGHTS, WORD)
        thread, rank = cuda.threadIdx.x, np.int64(cluster_rank())
        lane, warp = thread & 31, thread >> 5
        first = cuda.blockIdx.x // CLUSTER * ROWS
        local, r = warp * 4 + unit_of(lane), row_of(lane)
        unit, row = rank * SHARE + local, first + r
        load_tiles(weights, U, warp, rank, lane)
        if thread == 0:
            open_barrier(arrived, 0)
            open_barrier(arrived, 1)
        cluster_sync()

        # One step beyond the last of these rows, if there is one: their dead slots are in it.
        last = min(steps_of(live, first), live.shape[0] - 1)
        slot, after = slots[last], slots[last + 1]
        exists = unit < H and row < live[0]
        alive = unit < H and row < live[last]
        has_slot = unit < H and row < after - slot
        d_h = d_c = c_after = ZERO
        if exists:
            d_h, d_c = dh[np.uint64(row * H + unit)], dc[np.uint64(row * H + unit)]
        if alive:
            c_after = c[np.uint64((after + row) * H + unit)]
        i, f, g, o, d, c_before = load_step(
            d_out, c, gates, slot + row, unit, alive, has_slot, ldd, has_outputs
        )
        for step in range(last + 1):
            buffer = step & 1
            if thread == 0:
                expect(arrived, np.uint32(buffer), np.uint32(BYTES))
            di = df = dg = do = ZERO
            if alive:
                squashed = tanh(c_after)
                d_h += d
                d_c += d_h * o * (ONE - squashed * squashed)
                di = d_c * g * (i * (ONE - i))
                df = d_c * c_before * (f * (ONE - f))
                dg = d_c * i * (ONE - g * g)
                do = d_h * squashed * (o * (ONE - o))
                d_c *= f
            to = np.uint32(buffer * ERRORS + r * STRIDE + A_UNIT * local)
            store(errors, to, rounded(di), rounded(df), rounded(dg), rounded(do))
            if has_slot:
                store_gates(gates, slot + row, unit, di, df, dg, do)
                c_after = c_before
            was_alive = alive
            # What the step before reads is on its way during the product.
            t = last - step - 1
            if t >= 0:
                after, slot = slot, slots[t]
                alive = unit < H and row < live[t]
                has_slot = unit < H and row < after - slot
                i, f, g, o, d, c_before = load_step(
                    d_out, c, gates, slot + row, unit, alive, has_slot, ldd, has_outputs
                )
            cuda.syncthreads()
            send_tiles(weights, errors, received, arrived, buffer, warp, rank, lane)
            wait(arrived, np.uint32(buffer), np.uint32((step >> 1) & 1))
            if was_alive:
                d_h = sum_of(received, buffer, r, local)
        if exists:
            dh[np.uint64(row * H + unit)] = d_h
            dc[np.uint64(row * H + unit)] = d_c

    return backward
