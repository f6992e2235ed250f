"""From the states of all steps to one vector a sequence, and the gradient back to the steps.

States stand in columns `column` ... `column + width` of z; those after step t in rows slots[t + 1]
+ r, r < live[t]. The gradient goes to d_out (n_slots, >= width): row slots[t] + r is for the output
of step t; dead slots are left alone. Step t is step first[r] + t of its sequence: where first[r] is
not 0, what stood in `out` or `sums` after the steps before goes on.

Sums are float64 whatever the states are: in float32, the sum of a long sequence is soon so large
that most of each further state is rounded off.
"""

from .compile import kernel


@kernel
def pool_sum(z, column, live, slots, first, sums, out_column, width):
    """sums[r, out_column + j] = the sum over the steps of sequence r."""
    for r in range(first.shape[0]):
        if first[r] == 0:
            for j in range(width):
                sums[r, out_column + j] = 0.0
    for t in range(live.shape[0]):
        for r in range(live[t]):
            row = slots[t + 1] + r
            for j in range(width):
                sums[r, out_column + j] += z[row, column + j]


@kernel
def pool_mean(sums, lengths, out, column, width):
    """out[r, column + j] = sums[r, column + j] / lengths[r], rounded once."""
    for r in range(lengths.shape[0]):
        for j in range(column, column + width):
            out[r, j] = sums[r, j] / lengths[r]


@kernel
def pool_mean_backward(d_pooled, d_column, live, slots, lengths, d_out, width):
    """Of the sum over the steps, divided by lengths[r]."""
    for t in range(live.shape[0]):
        for r in range(live[t]):
            for j in range(width):
                d_out[slots[t] + r, j] = d_pooled[r, d_column + j] / lengths[r]


@kernel
def pool_max(z, column, live, slots, first, steps, out, out_column, width):
    """out[r, out_column + j] = the largest value over the steps; steps[r, j]: the first step that
    has it. Not-a-number counts as the largest: a network that has overflowed shows.
    """
    for t in range(live.shape[0]):
        for r in range(live[t]):
            row = slots[t + 1] + r
            for j in range(width):
                step, x, largest = first[r] + t, z[row, column + j], out[r, out_column + j]
                if step == 0 or x > largest or (x != x and largest == largest):
                    out[r, out_column + j] = x
                    steps[r, j] = step


@kernel
def pool_max_backward(d_pooled, d_column, live, slots, first, steps, d_out, width):
    for t in range(live.shape[0]):
        for r in range(live[t]):
            for j in range(width):
                here = steps[r, j] == first[r] + t
                d_out[slots[t] + r, j] = d_pooled[r, d_column + j] if here else 0.0
