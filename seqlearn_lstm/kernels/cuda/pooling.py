"""From the states of all steps to one vector a sequence, and the gradient back to the steps;
``cpu.pooling`` says what lies where.

Forward, a row of threads goes through the steps of a sequence, each thread for its columns: one
order of the sums, as on the CPU. Backward, each step of each sequence has a row of threads; rows
k of T * B are (step, sequence), and those that are not alive have nothing to do.
"""

from .launch import rows_over
from .primitives import cuda, first_row, kernel, row_step


@kernel
def _pool_sum(z, column, live, slots, first, sums, out_column, width):
    for r in range(first_row(), first.shape[0], row_step()):
        for j in range(cuda.threadIdx.x, width, cuda.blockDim.x):
            total = sums[r, out_column + j] if first[r] != 0 else sums.dtype.type(0)
            for t in range(live.shape[0]):
                if live[t] <= r:
                    break
                total += z[slots[t + 1] + r, column + j]
            sums[r, out_column + j] = total


def pool_sum(z, column, live, slots, first, sums, out_column, width):
    """sums[r, out_column + j] = the sum over the steps of sequence r."""
    args = (z, column, live, slots, first, sums, out_column, width)
    rows_over(_pool_sum, first.size, *args)


@kernel
def _pool_mean(sums, lengths, out, column, width):
    for r in range(first_row(), lengths.shape[0], row_step()):
        for j in range(cuda.threadIdx.x, width, cuda.blockDim.x):
            out[r, column + j] = sums[r, column + j] / lengths[r]


def pool_mean(sums, lengths, out, column, width):
    """out[r, column + j] = sums[r, column + j] / lengths[r], rounded once."""
    rows_over(_pool_mean, lengths.size, sums, lengths, out, column, width)


@kernel
def _pool_mean_backward(d_pooled, d_column, live, slots, lengths, d_out, width):
    B = lengths.shape[0]
    for k in range(first_row(), live.shape[0] * B, row_step()):
        t, r = k // B, k % B
        if r < live[t]:
            length = d_out.dtype.type(lengths[r])
            for j in range(cuda.threadIdx.x, width, cuda.blockDim.x):
                d_out[slots[t] + r, j] = d_pooled[r, d_column + j] / length


def pool_mean_backward(d_pooled, d_column, live, slots, lengths, d_out, width):
    """Of the sum over the steps, divided by lengths[r]."""
    args = (d_pooled, d_column, live, slots, lengths, d_out, width)
    rows_over(_pool_mean_backward, live.size * lengths.size, *args)


@kernel
def _pool_max(z, column, live, slots, first, steps, out, out_column, width):
    for r in range(first_row(), first.shape[0], row_step()):
        for j in range(cuda.threadIdx.x, width, cuda.blockDim.x):
            largest, where = out[r, out_column + j], steps[r, j]
            for t in range(live.shape[0]):
                if live[t] <= r:
                    break
                x, step = z[slots[t + 1] + r, column + j], first[r] + t
                if step == 0 or x > largest or (x != x and largest == largest):
                    largest, where = x, step
            out[r, out_column + j] = largest
            steps[r, j] = where


def pool_max(z, column, live, slots, first, steps, out, out_column, width):
    """out[r, out_column + j] = the largest value over the steps; steps[r, j]: the first step that
    has it. Not-a-number counts as the largest.
    """
    args = (z, column, live, slots, first, steps, out, out_column, width)
    rows_over(_pool_max, first.size, *args)


@kernel
def _pool_max_backward(d_pooled, d_column, live, slots, first, steps, d_out, width):
    B = first.shape[0]
    for k in range(first_row(), live.shape[0] * B, row_step()):
        t, r = k // B, k % B
        if r < live[t]:
            for j in range(cuda.threadIdx.x, width, cuda.blockDim.x):
                here = steps[r, j] == first[r] + t
                slope = d_pooled[r, d_column + j] if here else d_out.dtype.type(0)
                d_out[slots[t] + r, j] = slope


def pool_max_backward(d_pooled, d_column, live, slots, first, steps, d_out, width):
    """The gradient goes to the step that had the largest value; zeros to the others."""
    args = (d_pooled, d_column, live, slots, first, steps, d_out, width)
    rows_over(_pool_max_backward, live.size * first.size, *args)
