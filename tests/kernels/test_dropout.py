"""Dropout: what is left out depends on a key, a sequence and a column; rows scaled by masks."""

import numpy as np
import pytest
from backends import CPU_ONLY

from seqlearn_lstm.batches import plan
from seqlearn_lstm.dropout import Masks, Rates
from seqlearn_lstm.kernels import get_backend

KEY = np.uint64(0x1234567890ABCDEF)
LENGTHS = [4, 1, 6, 2, 2, 6]


def mask(kernels, sequences, width, key=KEY, rate=0.5, dtype=np.float32, n_jobs=1):
    out = kernels.zeros((len(sequences), width), dtype)
    out.fill(np.nan)
    kernels.dropout_mask(out, np.asarray(sequences, np.int64), key, rate, n_jobs)
    return out


@CPU_ONLY  # a device's masks are the same to the bit, as is shown below
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_rate_and_scale(kernels, dtype, rate):
    values = mask(kernels, range(400), 500, rate=rate, dtype=dtype)
    assert set(np.unique(values)) <= {0, dtype.type(1 / (1 - rate))}
    # 200,000 draws: five standard deviations of their share are below this
    assert abs((values == 0).mean() - rate) < 5 * np.sqrt(0.25 / values.size)


@CPU_ONLY
def test_rows_columns_and_keys_are_independent(kernels):
    """Correlations of 0/1 masks stay within five standard deviations of zero."""
    dropped = mask(kernels, range(200), 300) == 0
    other = mask(kernels, range(200), 300, key=KEY + np.uint64(1)) == 0
    n = dropped.size
    for a, b in (
        (dropped, other), (dropped[1:], dropped[:-1]), (dropped[:, 1:], dropped[:, :-1]),
    ):  # fmt: skip
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 5 / np.sqrt(n)
    assert len(np.unique(dropped, axis=0)) == len(dropped)


def test_a_mask_depends_on_its_sequence_alone(kernels):
    together = mask(kernels, [5, 2, 9], 40)
    assert np.array_equal(mask(kernels, [9, 5], 40), together[[2, 0]])
    assert np.array_equal(mask(kernels, [9, 5], 17), together[[2, 0], :17])


def test_a_mask_does_not_depend_on_threads(kernels, n_jobs_to_try):
    masks = [mask(kernels, range(7), 40, n_jobs=n_jobs) for n_jobs in n_jobs_to_try]
    for other in masks[1:]:
        assert np.array_equal(other, masks[0])


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.5, 1 / 3, 1 - 2**-53])
def test_masks_are_the_same_on_all_backends(kernels, dtype, rate):
    sequences = [7, 0, 3, 2**40, 1]
    expected = mask(get_backend("cpu"), sequences, 23, rate=rate, dtype=dtype)
    np.testing.assert_array_equal(mask(kernels, sequences, 23, rate=rate, dtype=dtype), expected)


@CPU_ONLY  # symbols are codes, of the host
def test_symbols_are_dropped_in_all_their_places(kernels):
    rng = np.random.default_rng(0)
    offsets = np.array([0, 200, 300, 700])
    batch = plan(offsets, np.arange(3))
    codes = rng.integers(0, 20, 700)
    symbols = np.where(batch.source < 0, -1, codes[batch.source])
    before = symbols.copy()
    kernels.drop_symbols(symbols, batch.members, batch.live, batch.slots, KEY, 0.5)
    fates = {}
    for slot, row in enumerate(batch.source):
        if row < 0:
            assert symbols[slot] == -1
            continue
        assert symbols[slot] in (-1, before[slot])
        sequence = np.searchsorted(offsets, row, side="right") - 1
        fates.setdefault((sequence, before[slot]), set()).add(symbols[slot] == -1)
    assert all(len(fate) == 1 for fate in fates.values())
    assert 10 < sum(fate == {True} for fate in fates.values()) < len(fates) - 10


@pytest.mark.parametrize("column, width", [(0, 5), (1, 17), (3, 1)])
def test_scale_rows(kernels, dtype, column, width, n_jobs_to_try):
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    batch = plan(offsets, np.arange(len(LENGTHS)))
    x = kernels.zeros((batch.n_slots, 20), dtype)
    x[:] = rng.standard_normal(x.shape)
    factors = rng.standard_normal((len(batch), width)).astype(dtype)
    expected = x.copy()
    for t, n in enumerate(batch.live):
        rows = slice(batch.slots[t], batch.slots[t] + n)
        expected[rows, column : column + width] *= factors[:n]
    for n_jobs in n_jobs_to_try:
        scaled = x.copy()
        kernels.scale_rows(scaled, column, factors, batch.live, batch.slots, width, n_jobs)
        np.testing.assert_array_equal(scaled, expected)


def test_symbols_that_are_left_in_make_up_for_the_others(kernels):
    batch = plan(np.array([0, 3, 5, 9]), np.arange(3))

    def values(**rates):
        masks = Masks(kernels, np.float64, Rates(**rates), 0, 0)
        return np.unique(kernels.to_host(masks.inputs(batch, 8).values)).tolist()

    assert values(embedding=0.75) == [4]
    assert values(embedding=0.75, inputs=0.5) == [0, 8]
