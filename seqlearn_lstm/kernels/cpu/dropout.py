"""Dropout: masks from counters, and rows scaled by them.

Whether a value is dropped is a function of a key, its sequence and its column (or symbol): no
stream of random numbers to share, so nothing depends on threads, or on who is in a batch with whom.
The function is SplitMix64 (Steele, Lea and Flood 2014), with a stream for each sequence.
"""

import numpy as np

from .compile import inlined, kernel
from .share import hand_out

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
SHIFT_1, SHIFT_2, SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
FRACTION_BITS = np.uint64(11)  # what is left fits the fraction of a float64
UNIT = 2.0**-53


@inlined
def mixed(x):
    x = (x ^ (x >> SHIFT_1)) * MIX_1
    x = (x ^ (x >> SHIFT_2)) * MIX_2
    return x ^ (x >> SHIFT_3)


@inlined
def uniform(key, sequence, k):
    """The k-th random number in [0, 1) of a sequence. It depends on nothing but the arguments."""
    start = mixed(key ^ mixed(np.uint64(sequence) * GOLDEN + MIX_2))
    return (mixed(start + (np.uint64(k) + np.uint64(1)) * GOLDEN) >> FRACTION_BITS) * UNIT


@kernel
def dropout_mask(out, sequences, key, rate, share, n_shares, launcher):
    """out (B, n): 0 with probability `rate`, else 1 / (1 - rate); a share is a range of rows."""
    if launcher != 0:
        hand_out()
        return
    scale = out.dtype.type(1 / (1 - rate))
    B = out.shape[0]
    for r in range(share * B // n_shares, (share + 1) * B // n_shares):
        for k in range(out.shape[1]):
            out[r, k] = scale if uniform(key, sequences[r], k) >= rate else 0


@kernel
def drop_symbols(symbols, sequences, live, slots, key, rate):
    """Replace symbols (n_slots,) by -1 with probability `rate`. In one sequence, a symbol is
    replaced wherever it occurs or nowhere (Gal and Ghahramani 2016).
    """
    for t in range(live.shape[0]):
        for r in range(live[t]):
            k = slots[t] + r
            if symbols[k] >= 0 and uniform(key, sequences[r], symbols[k]) < rate:
                symbols[k] = -1


@kernel
def scale_rows(x, column, mask, live, slots, width, share, n_shares, launcher):
    """x[slots[t] + r, column + k] *= mask[r, k]; a share is a range of rows."""
    if launcher != 0:
        hand_out()
        return
    n_rows = slots[live.shape[0]]
    begin, end = share * n_rows // n_shares, (share + 1) * n_rows // n_shares
    for t in range(live.shape[0]):
        for r in range(max(0, begin - slots[t]), min(live[t], end - slots[t])):
            for k in range(width):
                x[slots[t] + r, column + k] *= mask[r, k]
