"""A fit that is stopped and goes on ends with the bits of one that was never stopped."""

import errno
import hashlib
import multiprocessing
import os
import pickle
import signal
import stat
from copy import copy
from functools import partial
from threading import Lock
from types import FunctionType

import numpy as np
import pytest
from estimator_helpers import SMALL, identical, ragged, run_python, same_fit, small
from sklearn.base import clone
from sklearn.metrics import f1_score, make_scorer

from seqlearn_lstm import (
    LSTMClassifier,
    LSTMEncoder,
    LSTMLanguageModel,
    LSTMRegressor,
    LSTMSequenceTagger,
)
from seqlearn_lstm.cells import GRU
from seqlearn_lstm.schedules import WarmUp
from seqlearn_lstm.solvers import SGD, Adam, RMSprop
from seqlearn_lstm.training import checkpoint, fingerprint, name_of

X, Y = ragged(n=48)
WORDS = [[f"w{int(10 * v) % 7}" for v in x[:, 0]] for x in X]
# Everything that has a state or draws random numbers, between them.
RUNS = {
    "default": {},
    "SGD, GRU": dict(solver=SGD(momentum=0.5), cell=GRU(), shuffle=False),
    "dropout": dict(dropout=0.2, recurrent_dropout=0.2, input_dropout=0.1),
    "schedule": dict(schedule="exponential", clip_value=0.01),
    "early stopping": dict(early_stopping=True, n_iter_no_change=30, validation_fraction=0.25),
    "dropout at each step": dict(dropout=0.2, hidden_layer_sizes=(4, 5), dropout_per="step"),
    "windows": dict(bptt_steps=4, pooling="max", recurrent_dropout=0.2),
    "states handed on": dict(stateful=True, shuffle=False, batch_size=5),
    "best loss": dict(early_stopping=True, monitor="train", dropout=0.3),
    "mean of epochs": dict(average=4, dropout=0.2),
    "best mean": dict(average=True, early_stopping=True, validation_fraction=0.25),
}
runs = pytest.mark.parametrize("params", RUNS.values(), ids=RUNS.keys())


def same_run(a, b):
    """Whether two estimators agree in all that a fit leaves behind."""
    names = ("validation_scores_", "best_iter_", "n_iter_", "record_")
    return same_fit(a, b) and all(
        identical(getattr(a, name, None), getattr(b, name, None)) for name in names
    )


@runs
def test_in_two_parts_through_a_pickle(params):
    whole = small(**params, max_iter=10).fit(X, Y)
    model = small(**params, max_iter=6, warm_start=True).fit(X, Y)
    model = pickle.loads(pickle.dumps(model)).set_params(max_iter=4)
    assert same_run(model.fit(X, Y), whole)


@pytest.mark.parametrize(
    "model, x, y",
    [
        (LSTMClassifier(**SMALL), WORDS, Y),
        (LSTMRegressor(**SMALL, loss="huber"), X, [x.sum() for x in X]),
        (LSTMSequenceTagger(**SMALL, early_stopping=True), X, [np.sign(x[:, 0]) for x in X]),
        (LSTMEncoder(**SMALL), X, None),
    ],
    ids=["symbols", "regressor", "tagger", "encoder"],
)
def test_every_estimator_goes_on(model, x, y, tmp_path):
    whole = clone(model).set_params(max_iter=5).fit(x, y)
    parts = clone(model).set_params(max_iter=3, warm_start=True).fit(x, y)
    assert same_run(parts.set_params(max_iter=2).fit(x, y), whole)
    saved = clone(model).set_params(max_iter=5, checkpoint=tmp_path / "run")
    assert same_run(saved.fit(x, y), whole)
    assert same_run(clone(saved).fit(x, y), whole)


def test_partial_fit_is_a_fit_of_one_epoch_at_a_time():
    whole = small(max_iter=4, n_iter_no_change=None).fit(X, Y)
    model = small()
    for _ in range(4):
        model.partial_fit(X, Y, classes=[0, 1, 2])
    assert same_run(model, whole)


def test_new_sequences_stream_in():
    model = small().partial_fit(X[:10], [0, 1] * 5, classes=[0, 1, 2])
    assert model.predict_proba(X[:3]).shape == (3, 3)
    model.partial_fit(X[10:14], [2, 2, 0, 1])
    assert model.n_iter_ == 2
    with pytest.raises(ValueError, match=r"labels \[7\] that are not among .* \[0, 1, 2\]"):
        model.partial_fit(X[:2], [7, 0])
    assert model.n_iter_ == 2
    words = small(embedding_dim=3).partial_fit([["a", "b"], ["b"]], [0, 1])
    words.partial_fit([["a", "new"], ["b"]], [0, 1])
    assert words.vocabulary_.symbols == [None, "b", "a"]


def test_goes_on_from_parameters_alone():
    """A fit without warm_start keeps no solver: plain SGD, which knows nothing, misses nothing. Nor
    does it say how many updates there were: as if all epochs had been like those to come.
    """
    params = dict(solver=SGD(momentum=0), shuffle=False, schedule=WarmUp(40, unit="updates"))
    whole = small(**params, max_iter=5).fit(X, Y)
    model = small(**params, max_iter=3).fit(X, Y)
    assert not hasattr(model, "_training")
    assert same_run(model.set_params(warm_start=True, max_iter=2).fit(X, Y), whole)
    model = small(**params, max_iter=4).fit(X, Y).partial_fit(X, Y)
    assert same_run(model, whole)


# ---- another solver ------------------------------------------------------------------------------


def passes(model, x):
    """Two epochs, which `partial_fit` makes one by one."""
    given = (x,) if isinstance(model, LSTMLanguageModel) else (x, Y)
    return model.partial_fit(*given).partial_fit(*given)


def epochs(model, x):
    return model.set_params(warm_start=True, max_iter=2).fit(*((x,) if x is TEXT else (x, Y)))


TEXT = "the cat sat on the mat. " * 8
SOLVERS = [
    ("adam", "sgd"), ("sgd", "adam"), ("adam", "nadam"), ("adam", "amsgrad"), ("rmsprop", "adagrad"),
    (RMSprop(), RMSprop(global_scale=True)), (RMSprop(global_scale=True), RMSprop()),
]  # fmt: skip


@pytest.mark.parametrize("learn", [epochs, passes])
@pytest.mark.parametrize("x", [X, WORDS, TEXT], ids=["numbers", "symbols", "text"])
@pytest.mark.parametrize("one, other", SOLVERS, ids=lambda solver: str(solver))
def test_another_solver_starts_anew(one, other, x, learn):
    """It knows as little as one that goes on from the parameters alone, and so does the record."""
    kind = LSTMLanguageModel if x is TEXT else LSTMClassifier
    model = learn(kind(**SMALL, record=["loss", "norm"]).set_params(solver=one), x)
    model.set_params(solver=other)
    alone = copy(model)
    del alone._training
    alone._draw_seed = lambda: model._training["seed"]
    learn(model, x)
    assert model.n_iter_ == 4 and set(model.record_["epoch"]) == {3, 4}
    assert same_run(model, learn(alone, x))


def test_other_settings_of_a_solver_keep_what_it_knows():
    model = small(solver="adam", warm_start=True, max_iter=2).fit(X, Y)
    model.set_params(solver=Adam(beta_1=0.8)).fit(X, Y)
    n_updates = model._training["solver_state"]["n_updates"]
    assert n_updates == 24


# ---- killed processes ----------------------------------------------------------------------------


def fit_with(params, path):
    small(**params, max_iter=120, tol=0, checkpoint=path).fit(X, Y)


EVERYTHING = dict(
    bptt_steps=5,
    pooling="mean",
    dropout=0.2,
    recurrent_dropout=0.1,
    schedule="cosine",
    early_stopping=True,
    n_iter_no_change=None,
    validation_fraction=0.25,
    record=["norm", "weights", "gates"],
    record_every=3,
    record_size=40,
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that start at once")
def test_killed_at_random_moments(tmp_path):
    """At least twenty times, at any moment of an epoch or of writing; then the same bits."""
    path, rng = tmp_path / "run", np.random.default_rng(0)
    whole = small(**EVERYTHING, max_iter=120, tol=0).fit(X, Y)
    context, kills = multiprocessing.get_context("fork"), 0
    for _ in range(200):
        process = context.Process(target=fit_with, args=(EVERYTHING, path))
        process.start()
        process.join(rng.uniform(0.005, 0.06))
        if kills >= 20 or not process.is_alive():
            process.join()
            assert process.exitcode == 0
            path.unlink()  # a run that got through: the next one starts anew
            if kills >= 20:
                break
            continue
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        kills += 1
        # Whatever stands in the file is whole, and leads to the same end.
        if kills % 5 == 0:
            assert same_run(
                small(**EVERYTHING, max_iter=120, tol=0, checkpoint=path).fit(X, Y), whole
            )
            path.unlink()
    assert kills >= 20


# ---- a checkpoint that cannot be written, or read ------------------------------------------------


@pytest.mark.parametrize("moment", ["open", "write", "fsync", "replace"])
def test_a_full_disk_loses_nothing(tmp_path, monkeypatch, moment):
    path = tmp_path / "run"
    model = small(max_iter=6, dropout=0.2, checkpoint=path)
    whole = clone(model).set_params(checkpoint=None).fit(X, Y)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    class FullFile:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            self.file.close()

        def write(self, data):
            full()

    n_saved = 0

    def after_three(real):
        """The third epoch meets the full disk."""

        def call(*args, **kwargs):
            nonlocal n_saved
            if args[-1:] == ("xb",) or moment in ("fsync", "replace"):
                n_saved += 1
            if n_saved <= {"fsync": 4, "replace": 2}.get(moment, 3):  # the first only tries
                return real(*args, **kwargs)
            if moment == "write" and args[-1:] == ("xb",):
                return FullFile(real(*args, **kwargs))
            if moment == "write" or (moment == "open" and args[-1:] != ("xb",)):
                return real(*args, **kwargs)
            return full()

        return call

    with monkeypatch.context() as patched:
        if moment in ("open", "write"):
            patched.setattr(checkpoint, "open", after_three(open), raising=False)
        else:
            patched.setattr(checkpoint.os, moment, after_three(getattr(os, moment)))
        with pytest.raises(OSError, match=r"after epoch 3 .* could not be written"):
            model.fit(X, Y)
    assert not hasattr(model, "parameters_")
    assert sorted(tmp_path.iterdir()) == [path]
    with open(path, "rb") as file:
        assert pickle.load(file)["state"]["epoch"] in (2, 3)
    assert same_run(model.fit(X, Y), whole)


def test_a_checkpoint_of_another_fit_is_refused(tmp_path):
    path = tmp_path / "run"
    model = small(checkpoint=path).fit(X, Y)
    others = [
        (small(checkpoint=path, learning_rate=0.5), X, Y),
        (small(checkpoint=path, random_state=1), X, Y),
        (small(checkpoint=path), X[::-1], Y),
        (small(checkpoint=path), X, Y[::-1]),
    ]
    for other, x, y in others:
        with pytest.raises(ValueError, match="belongs to a fit with other"):
            other.fit(x, y)
    assert same_run(small(checkpoint=path, n_jobs=2).fit(X, Y), model)


@pytest.mark.parametrize(
    "found", [b"something else", b"garbage\n", b"", b"\x80\x05K\x01.", b"cno\nsuch\n."]
)
def test_what_is_no_checkpoint_says_so(found, tmp_path):
    (tmp_path / "run").write_bytes(found)
    with pytest.raises(ValueError, match="run is no checkpoint"):
        small(checkpoint=tmp_path / "run").fit(X, Y)
    assert (tmp_path / "run").read_bytes() == found


def test_what_is_damaged_is_no_checkpoint(tmp_path):
    path = tmp_path / "run"
    model = small(checkpoint=path).fit(X, Y)
    whole = pickle.loads(path.read_bytes())
    state, other = whole["state"], (17, b"\0", None, {}, [3])
    damaged = [{"format": whole["format"]}, {k: v for k, v in whole.items() if k != "state"}]
    damaged += [whole | {"state": value} for value in other]
    damaged += [whole | {"state": state | {"unknown": 1}}]
    damaged += [whole | {"state": {k: v for k, v in state.items() if k != "seed"}}]
    damaged += [whole | {"state": state | {"theta": value}} for value in other if value is not None]
    for found in damaged:
        path.write_bytes(sealed(pickle.dumps(found)))
        with pytest.raises(ValueError, match=r"run is no checkpoint: \w+|of this version"):
            clone(model).fit(X, Y)


def sealed(content):
    """Bytes with their checksum behind them."""
    return content + hashlib.sha256(content).digest()


def test_a_bit_that_has_turned_is_seen(tmp_path):
    path = tmp_path / "run"
    model = small(checkpoint=path, max_iter=1).fit(X, Y)
    found = path.read_bytes()
    for place in [*range(0, len(found), 97), *range(len(found) - 40, len(found))]:
        path.write_bytes(found[:place] + bytes([found[place] ^ 4]) + found[place + 1 :])
        with pytest.raises(ValueError, match=r"run is no checkpoint .*damaged"):
            clone(model).fit(X, Y)
    for length in (0, 1, 31, 32, 33, len(found) - 1):
        path.write_bytes(found[:length])
        with pytest.raises(ValueError, match="run is no checkpoint"):
            clone(model).fit(X, Y)
    path.write_bytes(found)
    assert same_run(clone(model).fit(X, Y), model)


def test_where_no_file_can_be_written(tmp_path, monkeypatch):
    """It is known before the first epoch."""
    monkeypatch.setattr(checkpoint.Checkpoint, "after_epoch", None)
    closed = tmp_path / "closed"
    closed.mkdir()

    def only_where_open(path, *mode):
        if os.path.dirname(path) == str(closed):
            raise OSError(errno.EACCES, "Permission denied")
        return open(path, *mode)

    monkeypatch.setattr(checkpoint, "open", only_where_open, raising=False)
    for path, message in (
        ("", "checkpoint is ''; expected the path of a file"),
        ("a\0b", "expected the path of a file"),
        (tmp_path, "expected the path of a file"),
        (tmp_path / "none" / "run", "there is no folder '.*none'"),
        (closed / "run", "nothing can be written there: Permission denied"),
        (tmp_path / ("x" * 250), "nothing can be written there: File name too long"),
    ):
        with pytest.raises(ValueError, match=message):
            small(checkpoint=path).fit(X, Y)


def test_a_first_epoch_that_cannot_be_written(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "replace", full)
    with pytest.raises(OSError, match=r"after epoch 1 .*there is none of an earlier epoch"):
        small(checkpoint=tmp_path / "run").fit(X, Y)


# ---- who else writes, and where ------------------------------------------------------------------


def test_two_fits_with_the_same_checkpoint(tmp_path, monkeypatch):
    """While one writes, the other does: it is a whole one of the last, and neither fails."""
    path, sync, seen = tmp_path / "run", os.fsync, []
    model = small(checkpoint=path)

    def meanwhile(descriptor):
        sync(descriptor)
        monkeypatch.setattr(checkpoint.os, "fsync", sync)
        seen.append(clone(model).fit(X, Y))
        assert pickle.loads(path.read_bytes())["state"]["epoch"] == 3

    monkeypatch.setattr(checkpoint.os, "fsync", meanwhile)
    assert same_run(model.fit(X, Y), seen[0])
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_fit_leaves_no_part_of_a_file(tmp_path, monkeypatch):
    def interrupt(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        small(checkpoint=tmp_path / "run").fit(X, Y)
    assert list(tmp_path.iterdir()) == []


def test_parts_of_killed_fits_are_removed(tmp_path):
    """Not those that somebody may be writing, nor what only looks alike."""
    names = ["run.0123abcd.part", "run.ffffffff.part", "run.notes.part", "ran.0123abcd.part"]
    for name in names:
        (tmp_path / name).touch()
    for name in names[:1] + names[2:]:
        os.utime(tmp_path / name, (0, 0))
    small(checkpoint=tmp_path / "run", max_iter=1).fit(X, Y)
    assert {path.name for path in tmp_path.iterdir()} == {"run", *names[1:]}


@pytest.mark.skipif(os.name != "posix", reason="links and modes are others there")
def test_a_checkpoint_may_be_a_link(tmp_path):
    """What it points to is written, with the mode that any file of the user's gets."""
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "any").touch()
    link = tmp_path / "run"
    link.symlink_to(disk / "run")
    whole = small(max_iter=5).fit(X, Y)
    model = small(max_iter=5, checkpoint=link)
    assert same_run(model.fit(X, Y), whole) and same_run(clone(model).fit(X, Y), whole)
    assert link.is_symlink() and sorted(disk.iterdir()) == [disk / "any", disk / "run"]
    assert (disk / "run").stat().st_mode == (disk / "any").stat().st_mode


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_checkpoint_is_no_pipe(tmp_path):
    """Which would be waited for: nobody writes to it."""
    os.mkfifo(tmp_path / "run")
    with pytest.raises(ValueError, match="expected the path of a file"):
        small(checkpoint=tmp_path / "run").fit(X, Y)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EACCES, errno.EIO])
def test_a_folder_that_cannot_be_synchronised(tmp_path, monkeypatch, number):
    """Those of some systems cannot, and the checkpoint is there; a disk that fails is another thing."""
    sync = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        sync(descriptor)

    monkeypatch.setattr(checkpoint.os, "fsync", fsync)
    model = small(checkpoint=tmp_path / "run", max_iter=2)
    if number == errno.EIO:
        with pytest.raises(OSError, match="could not be written"):
            model.fit(X, Y)
    else:
        assert same_run(model.fit(X, Y), small(max_iter=2).fit(X, Y))
        assert same_run(clone(model).fit(X, Y), model)


def test_a_fit_that_changes_its_folder_writes_one_file(tmp_path, monkeypatch):
    """As a callback may; messages name the file as it was given."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()

    def moves(estimator, x, y):
        os.chdir(there)
        return 0.0

    monkeypatch.chdir(here)
    model = small(scoring=moves, early_stopping=True, checkpoint="run").fit(X, Y)
    monkeypatch.chdir(here)
    assert [path.name for path in here.iterdir()] == ["run"] and not any(there.iterdir())
    with open(here / "run", "rb") as file:
        assert pickle.load(file)["state"]["epoch"] == model.n_iter_ == 3
    with pytest.raises(ValueError, match="the checkpoint run belongs to a fit with other"):
        clone(model).set_params(learning_rate=0.5).fit(X, Y)


def test_what_is_left_of_an_earlier_epoch_is_found_from_another_folder(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    def moves(estimator, x, y):
        if os.path.exists("run"):  # the second epoch
            os.chdir(tmp_path / "there")
            monkeypatch.setattr(checkpoint.os, "replace", full)
        return 0.0

    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        OSError, match=r"after epoch 2 the checkpoint run .*; it still holds an ear"
    ):
        small(scoring=moves, early_stopping=True, checkpoint="run").fit(X, Y)


# ---- whose it is ---------------------------------------------------------------------------------


def last_label(estimator, x, y):
    return float(estimator.predict(x)[-1] == y[-1])


def test_a_checkpoint_knows_a_function_in_another_process(tmp_path):
    """By its name: where it lies in memory differs from process to process."""
    params = dict(early_stopping=True, checkpoint=tmp_path / "run")
    model = small(**params, scoring=last_label).fit(X, Y)
    same_name = FunctionType(last_label.__code__, globals(), "last_label")
    assert same_name is not last_label
    assert same_run(small(**params, scoring=same_name).fit(X, Y), model)
    with pytest.raises(ValueError, match="belongs to a fit with other"):
        small(**params, scoring=fit_with).fit(X, Y)


class NthLabel:
    """A scoring with a setting; its repr says where it lies in memory."""

    def __init__(self, n):
        self.n = n

    def __call__(self, estimator, x, y):
        return float(estimator.predict(x)[self.n] == y[self.n])


def nth_label(estimator, x, y, n=0):
    return NthLabel(n)(estimator, x, y)


def made(n):
    return lambda estimator, x, y: NthLabel(n)(estimator, x, y)


@pytest.mark.parametrize(
    "one, other",
    [
        (lambda: lambda e, x, y: e.score(x, y), lambda: lambda e, x, y: -e.score(x, y)),
        (lambda: lambda e, x, y: 1 + len(x), lambda: lambda e, x, y: 2 + len(x)),
        (lambda: made(0), lambda: made(1)),
        (lambda: partial(nth_label, n=0), lambda: partial(nth_label, n=1)),
        (lambda: NthLabel(0), lambda: NthLabel(1)),
        (lambda: NthLabel(0).__call__, lambda: NthLabel(1).__call__),
        (
            lambda: make_scorer(f1_score, average="micro"),
            lambda: make_scorer(f1_score, average="macro"),
        ),
    ],
    ids=["lambda", "constant", "closure", "partial", "object", "method", "scorer"],
)
def test_a_checkpoint_tells_functions_apart(one, other, tmp_path):
    params = dict(early_stopping=True, checkpoint=tmp_path / "run")
    model = small(**params, scoring=one()).fit(X, Y)
    assert same_run(small(**params, scoring=one()).fit(X, Y), model)
    with pytest.raises(ValueError, match="belongs to a fit with other"):
        small(**params, scoring=other()).fit(X, Y)


class Noisy:
    """A scoring that holds something that is no plain value; many a repr says where it lies in memory."""

    def __init__(self, held):
        self.held = [held]

    def __call__(self, estimator, x, y):
        return 0.0


HELD = {
    "RandomState": np.random.RandomState,
    "Generator": np.random.default_rng,
    "BitGenerator": np.random.PCG64,
    "lock": lambda seed: Lock(),
    "module": lambda seed: np,
    "slot": lambda seed: (1.5).__add__,
}
held = pytest.mark.parametrize("make", HELD.values(), ids=HELD)


@held
def test_a_checkpoint_knows_what_lies_elsewhere(make, tmp_path):
    params = dict(early_stopping=True, checkpoint=tmp_path / "run")
    one, other = (Noisy(make(0)) for _ in range(2))
    model = small(**params, scoring=one).fit(X, Y)
    assert same_run(small(**params, scoring=other).fit(X, Y), model)


@held
def test_a_best_epoch_is_known_to_a_fit_elsewhere(make):
    params = dict(early_stopping=True, n_iter_no_change=None, warm_start=True, max_iter=2)
    one, other = (Noisy(make(0)) for _ in range(2))
    model = small(**params, scoring=one).fit(X, Y).set_params(scoring=other).fit(X, Y)
    assert model.n_iter_ == 4 and model.best_iter_ == 1  # no later score is above the first


def test_a_text_that_speaks_of_an_address_is_a_value():
    assert name_of(Noisy("<a lock at 0x1>")) != name_of(Noisy("<a lock at 0x2>"))


NAMES = """
from copy import copy
from functools import partial
from threading import Lock
import test_stop_and_go_on as here
from seqlearn_lstm.training import fingerprint, name_of
values = [here.last_label, here.NthLabel(1), partial(here.nth_label, n=here.NthLabel(2)), here.made(3)]
values += [lambda x: x in {"a", "b", "c", "d"}, {"f": here.NthLabel(1).__call__}, min, float]
values += [here.Noisy(make(0)) for make in here.HELD.values()]
print(fingerprint(map(name_of, values)))
"""


def test_names_are_the_same_in_every_process():
    assert run_python(NAMES, PYTHONHASHSEED=1) == run_python(NAMES, PYTHONHASHSEED=2)


def test_a_checkpoint_takes_numbers_of_numpy_as_those_of_python(tmp_path):
    path = tmp_path / "run"
    model = small(checkpoint=path, solver=SGD(momentum=0.5)).fit(X, Y)
    again = small(
        checkpoint=path, learning_rate=np.float64(0.02), max_iter=np.int64(3),
        solver=SGD(momentum=np.float64(0.5)), hidden_layer_sizes=(np.int32(6),),
    )  # fmt: skip
    assert same_run(again.fit(X, Y), model)


def test_a_seed_that_was_drawn_stands_in_the_checkpoint(tmp_path):
    params = dict(random_state=None, checkpoint=tmp_path / "run")
    assert same_run(small(**params).fit(X, Y), small(**params).fit(X, Y))


# ---- what cannot go on says so -------------------------------------------------------------------


def test_errors(tmp_path):
    warm = small(warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match="need a different network"):
        clone(warm).fit(X, Y).set_params(hidden_layer_sizes=(9,)).fit(X, Y)
    with pytest.raises(ValueError, match="4 features"):
        warm.fit([np.ones((3, 4))] * 3, [0, 1, 2])
    with pytest.raises(ValueError, match="checkpoint"):
        small(warm_start=True, checkpoint=tmp_path / "a").fit(X, Y)
    with pytest.raises(ValueError, match="balanced"):
        small(class_weight="balanced").partial_fit(X, Y)
    with pytest.raises(ValueError, match="early_stopping"):
        small(early_stopping=True).partial_fit(X, Y)


def test_who_asks_for_more_gets_it():
    """Patience that has run out begins anew with each call."""
    model = small(max_iter=20, tol=1e9, n_iter_no_change=2, warm_start=True)
    assert [model.fit(X, Y).n_iter_ for _ in range(3)] == [3, 5, 7]
    model = small(tol=1e9, n_iter_no_change=1)
    assert [model.partial_fit(X, Y).n_iter_ for _ in range(4)] == [1, 2, 3, 4]


def test_a_checkpoint_of_another_version_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "run"
    with monkeypatch.context() as earlier:
        earlier.setattr(checkpoint, "FORMAT", checkpoint.FORMAT - 1)
        small(checkpoint=path).fit(X, Y)
    with pytest.raises(ValueError, match="no checkpoint of this version"):
        small(checkpoint=path).fit(X, Y)


def test_arrays_with_the_same_bytes_have_names_of_their_own():
    a = np.zeros((2, 3))
    assert len({fingerprint([x]) for x in (a, a.T, a.ravel(), a.astype(np.int64))}) == 4
