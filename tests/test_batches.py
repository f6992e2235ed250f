"""The plan of a batch equals what plain loops over sequences and time steps find."""

import itertools

import numpy as np
import pytest

from seqlearn_lstm.batches import (
    plan,
    prediction_batches,
    training_batches,
    windows_from_start,
    windows_to_end,
)


def naive_plan(offsets, members):
    """Every array of a plan, by loops over steps and sequences, as lists."""
    length_of = {m: int(offsets[m + 1] - offsets[m]) for m in members}
    members = sorted(members, key=lambda m: -length_of[m])  # stable
    lengths = [length_of[m] for m in members]
    n_steps = max(lengths)
    live = [sum(length > t for length in lengths) for t in range(n_steps)]
    slots = [0, len(members)]
    for t in range(1, n_steps + 1):
        slots.append(slots[t] + live[t - 1])
    source, after, reverse = ([-1] * slots[n_steps] for _ in range(3))
    for r, (m, length) in enumerate(zip(members, lengths, strict=True)):
        for t in range(length):
            source[slots[t] + r] = int(offsets[m]) + t
            after[slots[t] + r] = slots[t + 1] + r
            reverse[slots[t] + r] = slots[length - 1 - t] + r
    return {
        "members": members,
        "lengths": lengths,
        "starts": [int(offsets[m]) for m in members],
        "live": live,
        "slots": slots,
        "source": source,
        "after": after,
        "reverse": reverse,
        "reversed_source": [source[slot] if slot >= 0 else -1 for slot in reverse],
        "dead": sorted(slot for slot, row in enumerate(source) if row < 0),
        "final": [slots[length] + r for r, length in enumerate(lengths)],
    }


def offsets_of(lengths):
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


rng = np.random.default_rng(0)
LENGTHS = {
    "one step": [1] * 5,
    "one sequence": [7],
    "one of one": [1],
    "equal": [4] * 6,
    "distinct": list(rng.permutation(np.arange(1, 12))),
    "one long": [1, 1, 50, 1],
    "worked example": [1, 3, 2, 2],
    **{f"random {i}": list(rng.integers(1, 9, size=rng.integers(2, 30))) for i in range(20)},
}


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS.keys())
def test_plan_equals_loops(lengths):
    offsets = offsets_of(lengths)
    members = list(np.random.default_rng(1).permutation(len(lengths)))
    batch, expected = plan(offsets, members), naive_plan(offsets, members)
    for name, values in expected.items():
        got = getattr(batch, name)
        assert got.dtype == np.int64, name
        assert sorted(got) == values if name == "dead" else got.tolist() == values, name
    assert len(batch) == len(lengths)
    assert batch.n_steps == max(lengths)
    assert batch.n_slots == len(batch.source)
    assert batch.n_states == sum(lengths) + len(lengths)


def test_worked_example_of_the_module():
    batch = plan(offsets_of([3, 2, 2, 1]), [0, 1, 2, 3])
    assert batch.slots.tolist() == [0, 4, 8, 11, 12]
    assert batch.live.tolist() == [4, 3, 1]
    assert batch.source.tolist() == [0, 3, 5, 7, 1, 4, 6, -1, 2, -1, -1]
    assert batch.final.tolist() == [11, 9, 10, 7]


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS.keys())
def test_reverse_is_its_own_inverse(lengths):
    batch = plan(offsets_of(lengths), np.arange(len(lengths)))
    alive = np.flatnonzero(batch.source >= 0)
    assert np.array_equal(batch.reverse[batch.reverse[alive]], alive)


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS.keys())
def test_each_state_row_has_one_owner(lengths):
    batch = plan(offsets_of(lengths), np.arange(len(lengths)))
    after = batch.after[batch.after >= 0]
    owners = np.concatenate([np.arange(len(batch)), after])  # the initial states, then all others
    assert sorted(owners) == list(range(batch.n_states))


def test_running_a_plan_visits_each_sequence_in_order_and_backwards():
    """Feed the numbers of the rows through the plan, as a kernel does, and note what passes."""
    lengths = [3, 1, 4, 4, 2]
    offsets = offsets_of(lengths)
    batch = plan(offsets, [4, 2, 0, 1])
    for feed, direction in ((batch.source, 1), (batch.reversed_source, -1)):
        states = [()] * batch.n_states
        for t in range(batch.n_steps):
            for r in range(batch.live[t]):
                x = int(feed[batch.slots[t] + r])
                states[batch.slots[t + 1] + r] = (*states[batch.slots[t] + r], x)
        for member, row in zip(batch.members, batch.final, strict=True):
            rows = list(range(offsets[member], offsets[member + 1]))
            assert list(states[row]) == rows[::direction]


def test_a_plan_keeps_duplicates_and_does_not_change_its_input():
    offsets, members = offsets_of([1, 3, 2]), np.array([0, 1, 1, 2])
    offsets.setflags(write=False)
    members.setflags(write=False)
    batch = plan(offsets, members)
    assert batch.members.tolist() == [1, 1, 2, 0]
    assert batch.source[:4].tolist() == [1, 1, 4, 0]


@pytest.mark.parametrize(
    "batch_size, sizes", [(3, [3, 3, 3, 1]), (10, [10]), (99, [10]), (5, [5, 5])]
)
def test_training_batches_are_consecutive_chunks_of_the_order(batch_size, sizes):
    rng = np.random.default_rng(2)
    offsets, order = offsets_of(rng.integers(1, 9, size=12)), rng.permutation(12)[:10]
    batches = list(training_batches(offsets, order, batch_size))
    assert [len(batch) for batch in batches] == sizes
    for i, batch in enumerate(batches):
        chunk = order[i * batch_size : (i + 1) * batch_size]
        assert batch.source.tolist() == naive_plan(offsets, chunk)["source"]


@pytest.mark.parametrize("max_rows", [1, 10, 37, 10_000])
def test_prediction_batches_cover_all_longest_first_within_the_bound(max_rows):
    lengths = np.random.default_rng(3).integers(1, 20, size=50)
    batches = list(prediction_batches(offsets_of(lengths), max_rows))
    members = np.concatenate([batch.members for batch in batches])
    assert members.tolist() == sorted(range(50), key=lambda m: -lengths[m])
    assert all(batch.n_states <= max_rows or len(batch) == 1 for batch in batches)
    for batch, following in itertools.pairwise(batches):  # no batch was cut too early
        assert batch.n_states + following.lengths[0] + 1 > max_rows


def test_prediction_batches_of_nothing():
    assert list(prediction_batches(np.zeros(1, np.int64))) == []


def test_results_return_to_the_order_of_the_caller():
    lengths = np.random.default_rng(4).integers(1, 20, size=50)
    offsets = offsets_of(lengths)
    values, per_row = np.full(50, -1), np.full(offsets[-1], -1)
    for batch in prediction_batches(offsets, 64):
        values[batch.members] = batch.lengths
        alive = batch.source >= 0
        per_row[batch.source[alive]] = batch.source[alive]
    assert np.array_equal(values, lengths)
    assert np.array_equal(per_row, np.arange(offsets[-1]))


@pytest.mark.parametrize("cut", [windows_from_start, windows_to_end])
@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_windows_hold_every_step_once_and_in_order(cut, size):
    """Each is the plan of its own steps; those that go on stand before those that begin."""
    offsets = offsets_of([5, 1, 8, 8, 2, 4, 3])
    batch = plan(offsets, np.array([3, 0, 6, 1, 2]))
    steps = [[] for _ in range(len(batch))]
    for window in cut(batch, size):
        n = len(window)
        assert np.array_equal(window.members, batch.members[:n])
        assert np.array_equal(window.totals, batch.lengths[:n])
        assert max(window.lengths) <= size
        assert np.array_equal(window.first > 0, np.arange(n) < window.n_carried)
        for r in range(n):
            assert window.first[r] == len(steps[r])
            slots = window.slots[: window.lengths[r]] + r
            steps[r] += window.source[slots].tolist()
    for r, member in enumerate(batch.members):
        assert steps[r] == list(range(offsets[member], offsets[member + 1]))


def test_windows_to_the_end_are_full_there():
    batch = plan(offsets_of([7, 5, 3, 2]), np.arange(4))
    *_, last = windows_to_end(batch, 3)
    assert last.lengths.tolist() == [3, 3, 3, 2]
    assert [len(window) for window in windows_to_end(batch, 3)] == [1, 2, 4]
