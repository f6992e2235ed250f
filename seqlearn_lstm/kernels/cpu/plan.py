"""The rows of a batch, filled in one pass: ``batches`` says what they mean."""

from .compile import kernel

DEAD = -1


@kernel
def plan_steps(lengths, live, slots):
    """live (T,) and slots (T + 2,) from lengths (B,), descending."""
    B, T = lengths.shape[0], live.shape[0]
    n = B
    slots[0] = 0
    slots[1] = B
    for t in range(T):
        while lengths[n - 1] <= t:
            n -= 1
        live[t] = n
        slots[t + 2] = slots[t + 1] + n


@kernel
def plan_sources(starts, lengths, live, slots, backward, rows):
    """rows[slot] = the container's row of the slot's step, counted from the sequence's end if
    `backward`.
    """
    for t in range(live.shape[0]):
        for r in range(live[t]):
            step = lengths[r] - 1 - t if backward else t
            rows[slots[t] + r] = starts[r] + step
        for k in range(slots[t] + live[t], slots[t + 1]):
            rows[k] = DEAD


@kernel
def plan_states(shift, lengths, live, slots, backward, rows):
    """rows[slot] = the state row `shift` steps after the slot's step, counted from the sequence's
    end if `backward`.
    """
    for t in range(live.shape[0]):
        for r in range(live[t]):
            step = lengths[r] - 1 - t if backward else t
            rows[slots[t] + r] = slots[step + shift] + r
        for k in range(slots[t] + live[t], slots[t + 1]):
            rows[k] = DEAD
