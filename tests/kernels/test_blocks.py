"""How the CPU kernels share out a batch's sequences."""

import numpy as np
import pytest
from numba import njit

from seqlearn_lstm.batches import plan
from seqlearn_lstm.kernels.cpu.blocks import rows_of, sequences_of
from seqlearn_lstm.kernels.cpu.target import TILE_ROWS

_sequences_of = njit(lambda share, n_shares, live: sequences_of(share, n_shares, live))
_rows_of = njit(lambda j, n_blocks, begin, end: rows_of(j, n_blocks, begin, end))

LENGTHS = {
    "one": [3],
    "equal": [4] * 100,
    "long and short": [1000, 900, *[1] * 50],
    "one is longer than the others together": [100, 1, 1],
    "random": np.random.default_rng(0).integers(1, 60, 64),
}


@pytest.mark.parametrize("n_shares", [1, 2, 3, 8])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_shares_are_all_sequences_and_about_as_many_steps_each(lengths, n_shares):
    lengths = -np.sort(-np.asarray(lengths))
    batch = plan(np.concatenate([[0], np.cumsum(lengths)]), np.arange(len(lengths)))
    shares = [_sequences_of(share, n_shares, batch.live) for share in range(n_shares)]
    edges = [0, *(end for _, end, _ in shares)]
    assert [begin for begin, _, _ in shares] == edges[:-1]
    assert edges[-1] == len(lengths)
    for begin, end, _ in shares:
        assert abs(lengths[begin:end].sum() - lengths.sum() / n_shares) <= lengths.max()


@pytest.mark.parametrize("n", [1, TILE_ROWS, TILE_ROWS + 1, 100])
def test_blocks_are_all_sequences_of_a_share(n):
    begin, end, n_blocks = 7, 7 + n, -(-n // TILE_ROWS)
    blocks = [_rows_of(j, n_blocks, begin, end) for j in range(n_blocks)]
    assert [row for first, last in blocks for row in range(first, last)] == [*range(begin, end)]
    sizes = [last - first for first, last in blocks]
    assert max(sizes) <= TILE_ROWS
    assert max(sizes) - min(sizes) <= 1
