"""Numbers that stay on the device: what they are worth, and what it takes to see it."""

import pickle
from threading import Thread

import numpy as np
import pytest


@pytest.fixture
def numbers(monkeypatch):
    """The module, with boards of three slots and none begun."""
    from seqlearn_lstm.kernels.cuda import numbers

    monkeypatch.setattr(numbers, "SIZE", 3)
    monkeypatch.setattr(numbers, "_boards", numbers._Boards())
    return numbers


@pytest.fixture
def reads(numbers, monkeypatch):
    """How many numbers each copy to the host has brought, so far."""
    seen = []
    copied = numbers.to_host
    monkeypatch.setattr(numbers, "to_host", lambda array: seen.append(len(array)) or copied(array))
    return seen


def put(numbers, *values):
    """Numbers with these values."""
    out, found = numbers.take_slots(len(values))
    out[...] = np.array(values, dtype=np.float64)
    return found


def test_all_that_stand_on_a_board_come_at_once(numbers, reads):
    a, b = put(numbers, 1.5, 2.5)
    assert (float(b), float(a), reads) == (2.5, 1.5, [2])
    (c,) = put(numbers, 3.5)
    assert (float(a), reads) == (1.5, [2])
    assert (float(c), float(a), reads) == (3.5, 1.5, [2, 3])


def test_a_full_board_is_followed_by_another(numbers, reads):
    found = [number for k in range(4) for number in put(numbers, 2.0 * k, 2.0 * k + 1)]
    assert list(map(float, found)) == list(range(8))
    assert reads == [2, 2, 2, 2]  # two slots at a time: the third of each board is left
    assert float(found[3]) == 3


def test_arithmetic(numbers, reads):
    a, b = put(numbers, 3.0, -7.0)
    loss = 0.0
    loss += a
    loss += np.float64(0.5) * b
    loss = (2 + loss * np.float64(3)) / 4 + a
    assert not reads
    assert float(loss) == (2 + (3 + 0.5 * -7) * 3) / 4 + 3
    assert np.isnan(float(put(numbers, np.nan)[0] + a))
    assert float(a) == 3 and reads == [2, 3]


def test_many_terms(numbers):
    total = 0.0
    for k in range(2000):
        total += put(numbers, float(k))[0]
    assert float(total) == 1999 * 1000


def test_as_array(numbers, reads):
    a, b = put(numbers, 3.0, 4.0)
    assert numbers.as_array(b).shape == (1,) and not reads
    for given, value in ((b, 4), (0.5, 0.5), (a + b, 7), (2 * a, 6), (b + 1, 5)):
        assert numbers.to_host(numbers.as_array(given)).tolist() == [value]


def test_what_would_be_wrong_in_silence(numbers):
    (a,) = put(numbers, 0.0)
    for wrong in (lambda: a == 0, lambda: bool(a), lambda: a > 0, lambda: pickle.dumps(a)):
        with pytest.raises(TypeError):
            wrong()


def test_each_thread_has_its_own_board(numbers, reads):
    found = []

    def other():
        found.extend(put(numbers, 5.0))

    (mine,) = put(numbers, 4.0)
    thread = Thread(target=other)
    thread.start()
    thread.join()
    assert (float(mine), float(found[0]), reads) == (4, 5, [1, 1])


@pytest.mark.parametrize("limit", [0.5, np.inf])
def test_a_scale_that_stays_on_the_device(rng, dtype, limit):
    from seqlearn_lstm.kernels import get_backend

    cuda = get_backend("cuda")
    theta, gradient = (cuda.to_device(rng.standard_normal(33).astype(dtype)) for _ in range(2))
    results = []
    for plain in (False, True):
        after = theta.copy()
        _, scale = cuda.clip_scale([gradient], limit, 1)
        cuda.descend(after, gradient, float(scale) if plain else scale, 0.1, 1)
        results.append(cuda.to_host(after).tobytes())
    assert results[0] == results[1] != cuda.to_host(theta).tobytes()
