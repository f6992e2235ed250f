"""Arrays on the device: cut, written to and reshaped as those of NumPy."""

import pickle

import numpy as np
import pytest

X = np.arange(24, dtype=np.float32)


@pytest.fixture(scope="module")
def memory():
    from seqlearn_lstm.kernels.cuda import memory

    return memory


@pytest.mark.parametrize(
    "shape, key",
    [
        (24, 5),
        (24, -1),
        (24, slice(3, 9)),
        (24, slice(20, 99)),
        (24, slice(9, 3)),
        ((4, 6), 2),
        ((4, 6), (1, 5)),
        ((4, 6), (slice(1, 3), slice(-4, -1))),
        ((4, 6), (slice(None), 2)),
        ((2, 3, 4), (1, slice(None), slice(1, 3))),
        ((2, 3, 4), (slice(None), 0)),
        ((2, 3, 4), (1, 2, 3)),
    ],
    ids=str,
)
def test_views(memory, shape, key):
    expected = X.reshape(shape).copy()
    array = memory.to_device(expected)
    view = memory.to_host(array[key])
    assert view.dtype == expected.dtype
    np.testing.assert_array_equal(view, expected[key])
    array[key] = -1.0
    expected[key] = -1.0
    np.testing.assert_array_equal(memory.to_host(array), expected)


def test_arrays_are_written_into_views(memory):
    expected = np.zeros((4, 6))
    array = memory.zeros((4, 6), np.float64)
    for key, value in [((slice(1, 3), slice(2, 5)), np.ones((2, 3))), (3, np.arange(6.0))]:
        expected[key] = value
        array[key] = value
    part = array[:, 2:4]
    part += memory.to_device(np.full((4, 2), 0.5))
    expected[:, 2:4] += 0.5
    np.testing.assert_array_equal(memory.to_host(array), expected)


@pytest.mark.parametrize("shape", [(24,), (2, -1), (-1, 3, 2), (4, 6)], ids=str)
def test_reshape(memory, shape):
    array = memory.to_device(X)
    for reshaped in (array.reshape(shape), array.reshape(*shape)):
        np.testing.assert_array_equal(memory.to_host(reshaped), X.reshape(shape))


@pytest.mark.parametrize(
    "size, shape",
    [(24, (5, 5)), (24, (-1, 7)), (24, (-1, 0)), (0, (-1, 0)), (4, (-1, -1)), (1, (-1, -1))],
    ids=str,
)
def test_what_cannot_be_reshaped(memory, size, shape):
    with pytest.raises(ValueError, match="cannot reshape"):
        memory.zeros(size, np.float32).reshape(shape)


@pytest.mark.parametrize(
    "key, error",
    [((0, 0, 0), IndexError), (4, IndexError), (slice(0, 4, 2), TypeError), ([0, 1], TypeError)],
    ids=str,
)
def test_keys_that_are_refused(memory, key, error):
    with pytest.raises(error):
        memory.zeros((4, 6), np.float32)[key]


@pytest.mark.parametrize(
    "function", [np.asarray, pickle.dumps, lambda x: np.add(x, 1), lambda x: x[:, 0].memory]
)
def test_nothing_comes_to_the_host_unasked(memory, function):
    with pytest.raises((TypeError, ValueError)):
        function(memory.zeros((4, 6), np.float32))
