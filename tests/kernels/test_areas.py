"""How the CPU kernels share out a batch's sequences, or a layer's units."""

import numpy as np
import pytest
from numba import njit

from seqlearn_lstm.batches import plan
from seqlearn_lstm.kernels.cpu import areas
from seqlearn_lstm.kernels.cpu.areas import Area
from seqlearn_lstm.kernels.cpu.layout import gate_columns, lanes, padded
from seqlearn_lstm.kernels.cpu.target import TILE_ROWS
from seqlearn_lstm.kernels.cpu.tile import PANEL_VECTORS

sequences_of = njit(lambda *args: areas.sequences_of(*args))
units_of = njit(lambda *args: areas.units_of(*args))
rows_of = njit(lambda *args: areas.rows_of(*args))
columns_of = njit(lambda *args: areas.columns_of(*args))

LENGTHS = {
    "one": [3],
    "equal": [4] * 100,
    "long and short": [1000, 900, *[1] * 50],
    "one is longer than the others together": [100, 1, 1],
    "random": np.random.default_rng(0).integers(1, 60, 64),
}
SHARES = pytest.mark.parametrize("n_shares", [1, 2, 3, 8])


@SHARES
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_shares_are_all_sequences_and_about_as_many_steps_each(lengths, n_shares):
    lengths = -np.sort(-np.asarray(lengths))
    batch = plan(np.concatenate([[0], np.cumsum(lengths)]), np.arange(len(lengths)))
    shares = [Area(*sequences_of(share, n_shares, batch.live, 48)) for share in range(n_shares)]
    assert {(area.left, area.right) for area in shares} == {(0, 48)}
    assert [area.begin for area in shares] == [0, *(area.end for area in shares[:-1])]
    assert shares[-1].end == len(lengths)
    for begin, end, *_ in shares:
        assert abs(lengths[begin:end].sum() - lengths.sum() / n_shares) <= lengths.max()


@SHARES
@pytest.mark.parametrize("n_units", [1, 16, 64, 65, 70, 200, 512])
def test_shares_are_all_units_in_whole_panels(dtype, n_units, n_shares):
    L, n_padded = lanes(dtype), padded(n_units, dtype)
    panel, columns = PANEL_VECTORS * L, gate_columns(n_units, dtype)
    live = np.array([9, 5, 1])
    shares = [Area(*units_of(share, n_shares, live, n_padded, L)) for share in range(n_shares)]
    assert {(area.begin, area.end) for area in shares} == {(0, 9)}
    assert [area.left for area in shares] == [0, *(area.right for area in shares[:-1])]
    assert shares[-1].right == n_padded
    assert not any(area.left % panel for area in shares if area.left < area.right)
    sizes = [-(-(area.right - area.left) // panel) for area in shares]
    assert max(sizes) - min(sizes) <= 1
    edges = [columns_of(area, columns) for area in shares]
    assert [left for left, _ in edges if left < columns] == [
        4 * area.left for area in shares if 4 * area.left < columns
    ]
    assert [right for _, right in edges] == [min(4 * area.right, columns) for area in shares]
    assert edges[-1][1] == columns


@pytest.mark.parametrize("n", [1, TILE_ROWS, TILE_ROWS + 1, 100])
def test_blocks_are_all_sequences_of_a_share(n):
    area = Area(*sequences_of(0, 1, np.array([n]), 16))
    assert area == Area(*units_of(0, 1, np.array([n]), 16, 16))
    assert area.n_blocks == -(-n // TILE_ROWS)
    area = area._replace(begin=7, end=7 + n)
    blocks = [rows_of(j, area) for j in range(area.n_blocks)]
    assert [row for first, last in blocks for row in range(first, last)] == [*range(7, 7 + n)]
    sizes = [last - first for first, last in blocks]
    assert max(sizes) <= TILE_ROWS
    assert max(sizes) - min(sizes) <= 1
