"""Pooling over the steps, and moving rows, equal loops over sequences."""

import numpy as np
import pytest

from seqlearn_lstm.batches import plan, windows_from_start, windows_to_end

LENGTHS = {
    "one step": [1, 1, 1],
    "one sequence": [6],
    "equal": [4, 4, 4, 4],
    "ragged": [5, 1, 3, 8, 2, 2, 7, 1],
}
BATCH = pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS.keys())
COLUMN, WIDTH, OUT_COLUMN = 3, 5, 2  # in the middle, so that an offset left out shows


@pytest.fixture
def states(rng, dtype, lengths):
    """The plan of a batch, its state rows, and the states after the steps of each sequence."""
    batch = plan(
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), np.arange(len(lengths))
    )
    z = rng.standard_normal((batch.n_states, COLUMN + WIDTH + 2)).astype(dtype)
    z[batch.slots[2] - 1] = -7  # all negative: a maximum that starts at zero would show
    z[: len(batch)] = 99  # the states before the first step do not count
    rows = [batch.slots[1 : length + 1] + r for r, length in enumerate(batch.lengths)]
    return batch, z, [z[r, COLUMN : COLUMN + WIDTH] for r in rows]


def pooled_like(batch, dtype):
    return np.full((len(batch), OUT_COLUMN + WIDTH + 1), np.nan, dtype)


def check_untouched(out):
    assert np.isnan(out[:, :OUT_COLUMN]).all()
    assert np.isnan(out[:, OUT_COLUMN + WIDTH :]).all()
    return out[:, OUT_COLUMN : OUT_COLUMN + WIDTH]


def expected_slopes(batch, per_step, dtype, columns):
    """d_out as the contract says: NaN where nothing is written."""
    expected = np.full((batch.n_slots, columns), np.nan, dtype)
    for r, length in enumerate(batch.lengths):
        for t in range(length):
            expected[batch.slots[t] + r, :WIDTH] = per_step(r, t)
    return expected


@BATCH
def test_sum(kernels, dtype, states):
    batch, z, per_sequence = states
    out = pooled_like(batch, np.float64)
    kernels.pool_sum(z, COLUMN, batch.live, batch.slots, batch.first, out, OUT_COLUMN, WIDTH)
    expected = [steps.sum(axis=0, dtype=np.float64) for steps in per_sequence]
    np.testing.assert_allclose(check_untouched(out), expected, rtol=1e-14, atol=1e-14)


def test_mean(kernels, rng, dtype):
    """Divided in float64, rounded once."""
    lengths = np.array([1, 3, 10**9, 2**24 + 1])
    sums = rng.standard_normal((4, OUT_COLUMN + WIDTH + 1)) * lengths[:, None]
    out = np.full_like(sums, np.nan, dtype)
    kernels.pool_mean(sums, lengths, out, OUT_COLUMN, WIDTH)
    expected = (sums / lengths[:, None]).astype(dtype)[:, OUT_COLUMN : OUT_COLUMN + WIDTH]
    np.testing.assert_array_equal(check_untouched(out), expected, strict=True)


@BATCH
def test_mean_backward(kernels, rng, dtype, states):
    batch, _, _ = states
    d_pooled = rng.standard_normal((len(batch), OUT_COLUMN + WIDTH)).astype(dtype)
    d_out = np.full((batch.n_slots, WIDTH + 3), np.nan, dtype)
    kernels.pool_mean_backward(
        d_pooled, OUT_COLUMN, batch.live, batch.slots, batch.lengths, d_out, WIDTH
    )
    expected = expected_slopes(
        batch, lambda r, t: d_pooled[r, OUT_COLUMN:] / batch.lengths[r], dtype, WIDTH + 3
    )
    np.testing.assert_allclose(d_out, expected, rtol=np.finfo(dtype).eps, strict=True)


@BATCH
def test_max_of_what_is_not_a_number(kernels, dtype, states):
    """It shows, wherever it comes."""
    batch, z, _ = states
    rows = batch.live, batch.slots, batch.first
    for t in range(batch.lengths[0]):
        z[batch.slots[t + 1] : batch.slots[t + 1] + batch.live[t], COLUMN + 1] = np.nan
        out, steps = pooled_like(batch, dtype), np.full((len(batch), WIDTH), -1)
        kernels.pool_max(z, COLUMN, *rows, steps, out, OUT_COLUMN, WIDTH)
        found = [
            z[batch.slots[1 : n + 1] + r][:, COLUMN:][:, :WIDTH]
            for r, n in enumerate(batch.lengths)
        ]
        np.testing.assert_array_equal(check_untouched(out), [s.max(axis=0) for s in found])
        np.testing.assert_array_equal(steps, [s.argmax(axis=0) for s in found])
        z[batch.slots[t + 1] : batch.slots[t + 1] + batch.live[t], COLUMN + 1] = -1


@BATCH
def test_max_and_backward(kernels, rng, dtype, states):
    batch, z, per_sequence = states
    out, steps = pooled_like(batch, dtype), np.full((len(batch), WIDTH), -1)
    rows = batch.live, batch.slots, batch.first
    kernels.pool_max(z, COLUMN, *rows, steps, out, OUT_COLUMN, WIDTH)
    np.testing.assert_array_equal(check_untouched(out), [s.max(axis=0) for s in per_sequence])
    np.testing.assert_array_equal(steps, [s.argmax(axis=0) for s in per_sequence])

    d_pooled = rng.standard_normal((len(batch), OUT_COLUMN + WIDTH)).astype(dtype)
    d_out = np.full((batch.n_slots, WIDTH + 3), np.nan, dtype)
    kernels.pool_max_backward(d_pooled, OUT_COLUMN, *rows, steps, d_out, WIDTH)
    expected = expected_slopes(
        batch,
        lambda r, t: np.where(per_sequence[r].argmax(axis=0) == t, d_pooled[r, OUT_COLUMN:], 0),
        dtype,
        WIDTH + 3,
    )
    np.testing.assert_array_equal(d_out, expected, strict=True)


def test_the_first_of_equal_values_is_the_largest(kernels, dtype):
    batch = plan(np.array([0, 4, 6]), np.arange(2))
    z = np.ones((batch.n_states, COLUMN + WIDTH + 2), dtype)
    out, steps = pooled_like(batch, dtype), np.full((2, WIDTH), -1)
    rows = batch.live, batch.slots, batch.first
    kernels.pool_max(z, COLUMN, *rows, steps, out, OUT_COLUMN, WIDTH)
    assert not steps.any()


@BATCH
@pytest.mark.parametrize("cut", [windows_from_start, windows_to_end])
@pytest.mark.parametrize("size", [1, 3])
def test_windows_pool_as_the_whole_does(kernels, rng, dtype, states, cut, size):
    """Sums and largest values go on from window to window, to the bit; gradients reach each step."""
    batch, z, _ = states
    rows = batch.live, batch.slots, batch.first
    sums, largest = pooled_like(batch, np.float64), pooled_like(batch, dtype)
    steps = np.full((len(batch), WIDTH), -1)
    kernels.pool_sum(z, COLUMN, *rows, sums, OUT_COLUMN, WIDTH)
    kernels.pool_max(z, COLUMN, *rows, steps, largest, OUT_COLUMN, WIDTH)
    d_pooled = rng.standard_normal((len(batch), OUT_COLUMN + WIDTH)).astype(dtype)
    d_out = np.full((batch.n_slots, WIDTH), np.nan, dtype)
    kernels.pool_max_backward(d_pooled, OUT_COLUMN, *rows, steps, d_out, WIDTH)

    sums_too, largest_too = pooled_like(batch, np.float64), pooled_like(batch, dtype)
    steps_too = np.full((len(batch), WIDTH), -1)
    pieces = [(window, state_rows(batch, window)) for window in cut(batch, size)]
    for window, index in pieces:
        rows = window.live, window.slots, window.first
        kernels.pool_sum(z[index], COLUMN, *rows, sums_too, OUT_COLUMN, WIDTH)
        kernels.pool_max(z[index], COLUMN, *rows, steps_too, largest_too, OUT_COLUMN, WIDTH)
    assert sums.tobytes() == sums_too.tobytes()
    assert largest.tobytes() == largest_too.tobytes()
    np.testing.assert_array_equal(steps, steps_too)
    for window, index in pieces:
        here = np.full((window.n_slots, WIDTH), np.nan, dtype)
        rows = window.live, window.slots, window.first
        kernels.pool_max_backward(d_pooled, OUT_COLUMN, *rows, steps_too, here, WIDTH)
        alive = window.source >= 0
        np.testing.assert_array_equal(here[alive], d_out[index[: window.n_slots][alive]])


def state_rows(batch, window):
    """The state row of a whole batch for each state row of a window of it."""
    index = np.zeros(window.n_states, np.int64)
    for r, (first, length) in enumerate(zip(window.first, window.lengths, strict=True)):
        for t in range(length + 1):
            index[window.slots[t] + r] = batch.slots[first + t] + r
    return index


@pytest.mark.parametrize("width", [1, 5, 16, 37])
def test_gather(kernels, rng, dtype, width, n_jobs_to_try):
    """Widths of less and more than a vector; nothing beside the columns is touched."""
    source = rng.standard_normal((5, width + 4)).astype(dtype)
    index = np.array([4, -1, 0, 0, 3, -1, 2])
    expected = np.full((8, width + 3), np.nan, dtype)
    for k, i in enumerate(index):
        expected[k, 2 : 2 + width] = source[i, 4:] if i >= 0 else 0
    for n_jobs in n_jobs_to_try:
        out = np.full((8, width + 3), np.nan, dtype)
        kernels.gather(source, 4, index, out, 2, width, n_jobs)
        np.testing.assert_array_equal(out, expected, strict=True)


def test_scatter_add(kernels, rng, dtype):
    source = rng.standard_normal((7, 9)).astype(dtype)
    index = np.array([4, -1, 0, 0, 3, -1, 2])
    out = rng.standard_normal((6, 8)).astype(dtype)
    expected = out.copy()
    for k, i in enumerate(index):
        if i >= 0:
            expected[i, 2:7] += source[k, 4:9]
    kernels.scatter_add(source, 4, index, out, 2, 5)
    np.testing.assert_array_equal(out, expected, strict=True)
