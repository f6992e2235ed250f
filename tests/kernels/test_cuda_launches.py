"""CUDA: no result depends on how many blocks and threads run, and sums count every number once."""

import numpy as np
import pytest
from backends import OnHost
from cell_facts import Problem as CellProblem
from cell_facts import bits_of
from naive_lstm_options import Options
from one_cell import GRU, RNN, GRUBefore
from one_lstm_options import Problem as OptionsProblem
from one_lstm_options import named

from seqlearn_lstm.batches import plan

LAUNCHES = [(1, 1, (1, 1)), (1, 8, (2, 1)), (2, 2, (1, 3)), (5, 4, (3, 2))]
LENGTHS = [5, 1, 3, 8, 2, 2, 7, 1]
WIDTH = 5


@pytest.fixture
def cuda():
    from seqlearn_lstm.kernels import get_backend

    return get_backend("cuda")


@pytest.fixture
def with_each_launch(cuda, monkeypatch):
    """Run a function that returns arrays with several numbers of blocks and threads: all give the
    same bits. Returns the arrays.
    """
    from seqlearn_lstm.kernels.cuda import launch

    def run(function):
        results = [function()]
        for blocks, threads, rows in LAUNCHES:
            monkeypatch.setattr(launch, "MOST_BLOCKS", blocks)
            monkeypatch.setattr(launch, "THREADS", threads)
            monkeypatch.setattr(launch, "ROWS_OF_THREADS", rows)
            results.append(function())
        first = [array.tobytes() for array in results[0]]
        for arrays in results[1:]:
            assert [array.tobytes() for array in arrays] == first
        return results[0]

    return run


@pytest.fixture
def batch():
    return plan(np.concatenate([[0], np.cumsum(LENGTHS)]), np.arange(len(LENGTHS)))


def sizes():
    """Of less than a block's lanes, of one part, of several, and of more than all parts take at
    once.
    """
    from seqlearn_lstm.kernels.cuda.reduce import A_LANE, MOST_PARTS, WIDTH

    part = WIDTH * A_LANE
    return 1, WIDTH - 1, WIDTH, part, part + 1, 2 * part + 3, (MOST_PARTS + 2) * part + 5


def test_sums(cuda, with_each_launch, rng, dtype):
    from seqlearn_lstm.kernels.cuda.reduce import total

    for n in sizes():
        numbers = rng.standard_normal(n)
        x, y = cuda.to_device(numbers.astype(dtype)), cuda.to_device(numbers)
        squares, sums = with_each_launch(
            lambda x=x, y=y: [np.float64(cuda.sum_of_squares(x)), np.float64(total(y))]
        )
        bound = n * np.finfo(np.float64).eps
        expected = np.square(numbers.astype(dtype), dtype=np.float64).sum()
        assert abs(squares - expected) <= bound * expected
        assert abs(sums - numbers.sum()) <= bound * np.abs(numbers).sum()
    assert float(total(y[:0])) == float(cuda.sum_of_squares(x[:0])) == 0


def test_sums_count_every_number(cuda):
    from seqlearn_lstm.kernels.cuda.reduce import A_LANE, WIDTH, total

    x = cuda.zeros(3 * WIDTH * A_LANE + 5, np.float64)
    for k in range(x.size):
        x[k : k + 1] = 3
        assert float(total(x)) == 3
        assert float(cuda.sum_of_squares(x)) == 9
        x[k : k + 1] = 0
    x[7:8] = np.nan
    assert np.isnan(float(total(x)))
    assert np.isnan(float(cuda.sum_of_squares(x)))


def test_rows(cuda, with_each_launch, rng, dtype):
    source = cuda.to_device(rng.standard_normal((12, WIDTH + 2)).astype(dtype))
    given, index = rng.standard_normal((6, WIDTH + 1)).astype(dtype), rng.integers(-1, 6, 12)

    def run():
        added, sums = cuda.to_device(given), cuda.zeros(WIDTH, dtype)
        gathered, put = cuda.zeros((12, WIDTH + 3), dtype), cuda.zeros((6, WIDTH), dtype)
        cuda.gather(added, 1, index, gathered, 3, WIDTH, 1)
        cuda.scatter_add(source, 2, index, added, 1, WIDTH)
        cuda.put_rows(added, np.array([3, 1, 0, 5, 2, 4]), put, WIDTH, 1)
        cuda.sum_rows(put, 1, sums)
        slopes = cuda.zeros(added.shape, dtype)
        penalty = cuda.add_decay(added, slopes, 0.3)
        return [np.float64(penalty), *map(cuda.to_host, (added, slopes, gathered, put, sums))]

    with_each_launch(run)


def test_pooling_and_dropout(cuda, with_each_launch, batch, rng, dtype):
    z = cuda.to_device(rng.standard_normal((batch.n_states, WIDTH + 1)).astype(dtype))
    pooled = cuda.to_device(rng.standard_normal((len(batch), WIDTH)).astype(dtype))
    rows, first = (batch.live, batch.slots), batch.first

    def run():
        means, largest, mask = (cuda.zeros((len(batch), WIDTH), dtype) for _ in range(3))
        sums = cuda.zeros((len(batch), WIDTH), np.float64)
        steps = cuda.zeros((len(batch), WIDTH), np.int64)
        of_mean, of_max = (cuda.zeros((batch.n_slots, WIDTH), dtype) for _ in range(2))
        cuda.pool_sum(z, 1, *rows, first, sums, 0, WIDTH)
        cuda.pool_mean(sums, batch.lengths, means, 0, WIDTH)
        cuda.pool_max(z, 1, *rows, first, steps, largest, 0, WIDTH)
        cuda.pool_mean_backward(pooled, 0, *rows, batch.lengths, of_mean, WIDTH)
        cuda.pool_max_backward(pooled, 0, *rows, first, steps, of_max, WIDTH)
        cuda.dropout_mask(mask, batch.members, np.uint64(7), 0.5, 1)
        cuda.scale_rows(of_mean, 0, mask, *rows, WIDTH, 1)
        return [*map(cuda.to_host, (sums, means, largest, steps, of_mean, of_max, mask))]

    with_each_launch(run)


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_losses(cuda, with_each_launch, rng, dtype, kind):
    given = rng.standard_normal((13, 3)).astype(dtype)
    targets, weights = rng.standard_normal((13, 3)), rng.uniform(1, 2, 13)

    def run():
        errors, scores = cuda.to_device(given), cuda.to_device(given)
        total = float(weights.sum())
        loss = cuda.regression_loss(errors, targets, weights, total, kind, 0.5)
        classes = np.arange(13) % 4 - 1
        other = cuda.softmax_cross_entropy(scores, classes, weights, total, 3)
        return [np.array([float(loss), float(other)]), cuda.to_host(errors), cuda.to_host(scores)]

    with_each_launch(run)


@pytest.fixture
def layer_bits(cuda, monkeypatch):
    """What the layer of a problem computes, forward and back, by the number of blocks."""
    from seqlearn_lstm.kernels.cuda import launch

    def run(problem, gradients):
        for blocks in (1, 2, 5):
            monkeypatch.setattr(launch, "MOST_BLOCKS", blocks)
            layer = problem.run(OnHost(cuda))
            yield np.concatenate(layer.hs).tobytes() + gradients(layer)

    return run


@pytest.mark.parametrize("cell", [GRU(), GRUBefore(), RNN("tanh")], ids=lambda cell: cell.name)
def test_cells(layer_bits, dtype, cell):
    problem = CellProblem(cell, LENGTHS, 2, WIDTH, True, dtype)
    bits = layer_bits(problem, lambda run: bits_of(*run.backward(problem.d_outs, problem.dh)))
    assert len(set(bits)) == 1


@pytest.mark.parametrize("layer_norm", [False, True], ids=["plain", "layer_norm"])
def test_lstm_with_options(layer_bits, dtype, layer_norm):
    options = Options(peephole=True, layer_norm=layer_norm)
    problem = OptionsProblem(LENGTHS, 2, WIDTH, options, True, dtype)

    def gradients(run):
        return b"".join(array.tobytes() for _, array in named(*problem.backward(run)))

    assert len(set(layer_bits(problem, gradients))) == 1
