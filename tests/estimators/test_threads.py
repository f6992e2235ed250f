"""Threads, forks and read-only installations never kill the process, and change no bit.

What could end or hang a process happens in processes of their own, with four threads each even on
a smaller machine, and with even the smallest work shared, as only large work is otherwise.
"""

import errno
import os
import shutil
from pathlib import Path

import joblib
import numba
import numpy as np
import pytest
from estimator_helpers import digest, ragged, run_python, small
from numba.core import caching
from threadpoolctl import threadpool_info, threadpool_limits

import seqlearn_lstm
from seqlearn_lstm._base import one_blas_thread
from seqlearn_lstm._base.asked import threads_of
from seqlearn_lstm.kernels.cpu import available_threads, compile, share, threads
from seqlearn_lstm.network import Network

# None: what Numba chooses. Its workqueue layer is the only one that is there on every machine.
layers = pytest.mark.parametrize("layer", [None, "workqueue"], ids=["default", "workqueue"])

START = """
import os, threading, numba
from estimator_helpers import *
share_all_work()
X, y = ragged(longest=30)
params = dict(n_jobs=4, bidirectional=True, max_iter=4, verbose=0)
fit = lambda seed: digest(small(**params, random_state=seed).fit(X, y))
"""

TWO_FITS = """
alone = [fit(seed) for seed in range(3)]
together, start = {}, threading.Barrier(3)
def work(seed):
    start.wait()
    together[seed] = [fit(seed) for _ in range(3)]
team = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
for member in team: member.start()
for member in team: member.join()
assert together == {seed: [alone[seed]] * 3 for seed in range(3)}, (alone, together)
print(numba.threading_layer())
"""

FIT_WHILE_PREDICTING = """
expected = fit(1)
model = small(**params).fit(X, y)
scores, fitted = model.decision_function(X), []
member = threading.Thread(target=lambda: fitted.extend(fit(1) for _ in range(3)))
member.start()
n_predictions = 0
while member.is_alive() or n_predictions == 0:
    assert np.array_equal(model.decision_function(X), scores)
    n_predictions += 1
member.join()
assert fitted == [expected] * 3
"""

FORK = """
from seqlearn_lstm._base.asked import threads_of
from seqlearn_lstm.kernels.cpu import available_threads, share
parent = fit(0)
assert numba.threading_layer() and available_threads() == 4
for generation in range(2):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        answer = f"{fit(0)} {available_threads()}"
        if generation == 1:  # a child of the child
            grandchild = os.fork()
            if grandchild == 0:
                os._exit(0 if fit(0) == parent else 1)
            answer += f" {os.waitpid(grandchild, 0)[1]}"
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read().split()
    assert os.waitpid(child, 0)[1] == 0
    assert answer == [parent, "1", "0"][: 2 + generation], answer
assert fit(0) == parent and available_threads() == 4  # the parent goes on as before
print(numba.threading_layer())
"""

FORK_DURING_A_FIT = """
from seqlearn_lstm.kernels.cpu import threads
expected, launch = fit(0), threads.parallel_loop
busy, go_on = threading.Event(), threading.Event()
def slow_launch():  # another thread has begun to share its work while this one forks
    busy.set()
    go_on.wait(60)
    return launch()
threads.parallel_loop = slow_launch
fitted = []
member = threading.Thread(target=lambda: fitted.append(fit(0)))
member.start()
assert busy.wait(60)
child = os.fork()
if child == 0:
    os._exit(0 if fit(0) == expected else 1)
assert os.waitpid(child, 0)[1] == 0
go_on.set()
member.join()
assert fitted == [expected]
"""

FORK_WHILE_A_BATCH_IS_LAID_OUT = """
import signal
from seqlearn_lstm.batches import Batch
model = small(**params).fit(X, y)
expected, sources = model.predict(X).tolist(), Batch._sources
busy, go_on = threading.Event(), threading.Event()
def slow_sources(batch, backward):
    busy.set()
    go_on.wait(60)
    return sources(batch, backward)
Batch._sources = slow_sources
member = threading.Thread(target=model.predict, args=(X,))
member.start()
assert busy.wait(60)
Batch._sources = sources
child = os.fork()
if child == 0:
    signal.alarm(60)  # kills a child that waits for ever
    os._exit(0 if model.predict(X).tolist() == expected else 1)
assert os.waitpid(child, 0)[1] == 0
go_on.set()
member.join()
"""

FORK_WHILE_BLAS_IS_LIMITED = """
import signal
from seqlearn_lstm._base.one_blas_thread import one_blas_thread
fit(0)
with one_blas_thread():
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # kills a child that waits for ever
        fit(0)
        os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


def run_four(code, layer, **env):
    return run_python(
        START + code, NUMBA_NUM_THREADS="4", NUMBA_THREADING_LAYER=layer, timeout=120, **env
    )


@layers
def test_fits_at_once_in_several_threads(layer):
    printed = run_four(TWO_FITS, layer)
    assert layer in (None, printed.strip())


@layers
def test_fit_in_one_thread_while_another_predicts(layer):
    run_four(FIT_WHILE_PREDICTING, layer)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@layers
def test_fit_fork_fit(layer):
    printed = run_four(FORK, layer)
    assert layer in (None, printed.strip())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_fork_while_another_thread_fits():
    run_four(FORK_DURING_A_FIT, None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_fork_while_another_thread_lays_out_a_batch():
    run_four(FORK_WHILE_A_BATCH_IS_LAID_OUT, None)


def test_one_fit_at_a_time_limits_blas(monkeypatch):
    """Two at once would bring back each other's limit, and leave it to the process."""
    turn, seen, initial = one_blas_thread._turn, [], Network.initial_parameters

    def blas_threads():
        return [x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"]

    def initial_parameters(*args):
        seen.append((turn.lock.locked(), set(blas_threads())))
        return initial(*args)

    monkeypatch.setattr(Network, "initial_parameters", initial_parameters)
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        small().fit(*ragged())
        assert blas_threads() == before
    assert seen == [(True, {1})] and not turn.lock.locked()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_fork_while_blas_is_limited():
    run_four(FORK_WHILE_BLAS_IS_LIMITED, None)


# ---- how many ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "set_by_user", [None, ("GOMP_SPINCOUNT", "7"), ("OMP_WAIT_POLICY", "active")]
)
def test_threads_wait_briefly_unless_the_user_says_otherwise(monkeypatch, set_by_user):
    """OpenMP is told so where it is started, and nobody else is."""
    seen = {}
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    if set_by_user:
        monkeypatch.setenv(*set_by_user)
    before = dict(os.environ)
    monkeypatch.setattr(share.parallel, "_launch_threads", lambda: seen.update(os.environ))
    monkeypatch.setattr(share.llvm, "address_of_symbol", lambda name: 0)
    share.parallel_loop.__wrapped__()
    spins = seen.pop("GOMP_SPINCOUNT", None) if not set_by_user else None
    assert seen == before == dict(os.environ)
    assert set_by_user or int(spins) < 300_000  # GNU's own count


IN_WORKERS = """
import joblib
from estimator_helpers import *
from seqlearn_lstm._base.asked import threads_of
from seqlearn_lstm.kernels.cpu import available_threads, share

def work(model, X, y):
    return available_threads(), digest(model.fit(X, y))

X, y = ragged()
model = small(n_jobs=None)
found = joblib.Parallel(n_jobs=2)(joblib.delayed(work)(model, X, y) for _ in range(4))
assert {fitted for _, fitted in found} == {digest(model.fit(X, y))}
print({n for n, _ in found})
"""


def test_an_interrupt_does_not_end_the_sharing(monkeypatch):
    """One that comes where threads were just taken leaves them taken, by the thread that it stopped."""
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 4)

    class Interrupted:
        def acquire(self, blocking):
            team.acquire(blocking=blocking)
            raise KeyboardInterrupt

    team, shares = threads._team.busy, []

    def kernel(share, n_shares, launcher):
        shares.append(n_shares)

    with monkeypatch.context() as patched:
        patched.setattr(threads._team, "busy", Interrupted())
        with pytest.raises(KeyboardInterrupt):
            threads.run(kernel, (), 3, 10**9, 3)
    try:
        threads.run(kernel, (), 3, 10**9, 3)
    finally:
        team.release()
    assert shares == [3]


def test_cores_are_divided_among_process_workers_of_joblib():
    printed = run_python(IN_WORKERS, NUMBA_NUM_THREADS=None)
    assert printed.strip() == str({max(1, joblib.cpu_count() // 2)})  # one on two cores


@pytest.mark.parametrize(
    "n_jobs, n_threads", [(None, 4), (-1, 4), (-2, 3), (-9, 1), (1, 1), (3, 3), (4, 4), (99, 4)]
)
def test_n_jobs(n_jobs, n_threads, monkeypatch):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 4)
    assert available_threads() == 4
    model = small(n_jobs=n_jobs)
    assert threads_of(model, model._kernels) == n_threads


def test_n_jobs_zero_is_refused_by_fit_and_predict():
    X, y = ragged()
    with pytest.raises(ValueError, match="n_jobs is 0; expected"):
        small(n_jobs=0).fit(X, y)
    with pytest.raises(ValueError, match="n_jobs is 0; expected"):
        small().fit(X, y).set_params(n_jobs=0).predict(X)


@pytest.mark.parametrize("n_jobs", [-1, 1000])
def test_n_jobs_of_any_size_fits(n_jobs):
    X, y = ragged()
    expected = small().fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(small(n_jobs=n_jobs).fit(X, y).predict_proba(X), expected)


# ---- nowhere to keep compiled code ---------------------------------------------------------------

NO_CACHE = """
import numba
try:
    numba.njit(cache=True)(np_function)
except RuntimeError as error:
    assert "no locator available" in str(error)
else:
    raise AssertionError("there is a cache folder after all: this test shows nothing")
from estimator_helpers import *
X, y = ragged()
print(digest(small().fit(X, y)))
"""


def test_import_and_fit_where_no_cache_folder_can_be_written(tmp_path):
    X, y = ragged()
    file = tmp_path / "a_file"
    file.write_text("no folder can be made below a file, not even by root")
    # Only the folder that the user names is tried: neither beside the source nor in the home.
    code = "from json import dumps as np_function" + NO_CACHE
    printed = run_python(
        code,
        NUMBA_CACHE_DIR=file / "cache",
        NUMBA_CACHE_LOCATOR_CLASSES="UserProvidedCacheLocator",
    )
    assert printed.strip() == digest(small().fit(X, y))
    assert list(tmp_path.iterdir()) == [file]


# ---- a disk that is full or damaged, and no compiler ---------------------------------------------


def twice(x):
    return 2.0 * x


def compiled_anew():
    """(kernel, callback) as in a new process."""
    return compile.kernel(twice), compile.callback("float64(float64)")(twice)


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compile, "CACHE", True)
    return tmp_path


def full_disk(path, mode):
    if mode == "wb":
        raise OSError(errno.ENOSPC, "No space left on device")
    return open(path, mode)


def test_a_full_disk_keeps_no_compiled_code(empty_cache, monkeypatch):
    monkeypatch.setattr(caching, "open", full_disk, raising=False)
    called, callback = compiled_anew()
    assert called(3.0) == callback.ctypes(3.0) == 6
    assert not [path for path in empty_cache.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", ["*.nbi", "*.nbc"])
def test_damaged_compiled_code_is_compiled_anew(empty_cache, kind):
    compiled_anew()[0](3.0)
    saved = {path: path.read_bytes() for path in empty_cache.rglob(kind)}
    assert saved
    for length in (0, 1, 20, 60):
        for path, content in saved.items():
            path.write_bytes(content[:length])
        called, callback = compiled_anew()
        assert called(3.0) == callback.ctypes(3.0) == 6
        called, callback = compiled_anew()
        assert called(3.0) == callback.ctypes(3.0) == 6
        assert sum(called.stats.cache_hits.values()) == callback.cache_hits == 1


def test_damaged_compiled_code_on_a_full_disk(empty_cache, monkeypatch):
    compiled_anew()[0](3.0)
    for path in empty_cache.rglob("*.nbi"):
        path.write_bytes(path.read_bytes()[:20])
    monkeypatch.setattr(caching, "open", full_disk, raising=False)
    called, callback = compiled_anew()
    assert called(3.0) == callback.ctypes(3.0) == 6


UPDATED = """
import numpy as np
from seqlearn_lstm.kernels import cpu
theta, gradient, m, v = (cpu.zeros(16, np.float32) for _ in range(4))
gradient[:] = 1
cpu.adam(theta, gradient, m, v, 1.0, 0.5, 0.0, 0.0, 0.0, 1.0, 0.0, 1)
print(theta[0])
"""


def test_an_edit_of_what_a_kernel_calls_is_compiled(tmp_path):
    """As an upgrade brings it: the kernel stands in a file that stays as it was."""
    package = Path(seqlearn_lstm.__file__).parent
    shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    env = dict(PYTHONPATH=tmp_path, PYTHONSAFEPATH="1", NUMBA_CACHE_DIR=tmp_path / "cache")
    assert float(run_python(UPDATED, **env)) == -0.5
    updates = tmp_path / package.name / "kernels" / "cpu" / "updates.py"
    called = "vectors = n // L"  # of the function that says which elements an update is of
    assert called in updates.read_text()
    updates.write_text(updates.read_text().replace(called, "vectors = 0"))
    assert float(run_python(UPDATED, **env)) == 0


WITHOUT_JIT = """
import seqlearn_lstm
model = seqlearn_lstm.LSTMClassifier((2,))
for _ in range(2):
    try:
        model.fit([[[0.0]], [[1.0]]], [0, 1])
    except RuntimeError as error:
        print("NUMBA_DISABLE_JIT is set" in str(error))
"""


def test_without_a_compiler_a_fit_says_so():
    assert run_python(WITHOUT_JIT, NUMBA_DISABLE_JIT=1).split() == ["True", "True"]
