"""A model is the same on both devices: what is fitted on one goes on and predicts on the other."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from estimator_helpers import NETWORKS, identical, ragged, run_python, small
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from seqlearn_lstm import (
    LSTMClassifier,
    LSTMEncoder,
    LSTMLanguageModel,
    LSTMRegressor,
    LSTMSequenceTagger,
    kernels,
)
from seqlearn_lstm.display import StateDisplay
from seqlearn_lstm.exceptions import TrainingDiverged
from seqlearn_lstm.inspection import saliency
from seqlearn_lstm.kernels import get_backend
from seqlearn_lstm.solvers import SOLVERS
from seqlearn_lstm.training import Checkpoint

# Sums in another order differ by rounding; updates make of it what they like, so two epochs only.
BOUND = {"float32": 1e-4, "float64": 1e-10}
X, Y = ragged(n=7, longest=5)  # two batches: the simulator takes its time


def both(make, *data, **fit):
    """The same estimator, fitted on the processor and on the device; products of a GPU are exact unless
    `make` says otherwise.
    """
    make = partial(make.func, **{"precision": "float32"} | make.keywords)
    return [make(device=device).fit(*data, **fit) for device in ("cpu", "cuda")]


def assert_alike(a, b, bound=BOUND["float32"]):
    assert a.parameters_.keys() == b.parameters_.keys()
    np.testing.assert_allclose(b.loss_curve_, a.loss_curve_, rtol=bound)
    for name, values in a.parameters_.items():
        assert isinstance(b.parameters_[name], np.ndarray)
        np.testing.assert_allclose(
            b.parameters_[name], values, rtol=bound, atol=bound, err_msg=name
        )


@pytest.mark.parametrize("params", NETWORKS.values(), ids=NETWORKS.keys())
def test_networks(params):
    params = {"max_iter": 2, "batch_size": 4} | params
    if "hidden_layer_sizes" in params:  # the simulator takes its time
        params["hidden_layer_sizes"] = tuple(min(n, 7) for n in params["hidden_layer_sizes"])
    on_cpu, on_cuda = both(partial(small, **params), X, Y)
    bound = BOUND[params.get("dtype", "float32")]
    assert_alike(on_cpu, on_cuda, bound)
    np.testing.assert_allclose(
        on_cuda.predict_proba(X), on_cpu.predict_proba(X), rtol=0, atol=bound
    )
    moved = pickle.loads(pickle.dumps(on_cuda)).set_params(device="cpu")
    assert identical(moved.parameters_, on_cuda.parameters_)
    np.testing.assert_allclose(
        moved.predict_proba(X), on_cuda.predict_proba(X), rtol=0, atol=bound / 10
    )


@pytest.mark.parametrize("solver", sorted(SOLVERS))
def test_solvers(solver):
    params = dict(solver=solver, max_iter=2, batch_size=4, clip_norm=0.1, alpha=0.1)
    assert_alike(*both(partial(small, **params), X, Y))


def test_symbols():
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("abc"), n)) for n in (5, 1, 4, 6)]
    params = dict(embedding_dim=3, embedding_dropout=0.3, input_dropout=0.2, max_iter=2)
    for per in ("sequence", "step"):
        make = partial(small, **params, dropout_per=per)
        assert_alike(*both(make, [list(text) for text in texts], [0, 1, 0, 1]))
    settings = dict(hidden_layer_sizes=(4,), max_iter=2, random_state=0, n_jobs=1, bptt_steps=3)
    models = both(partial(LSTMLanguageModel, **settings), texts)
    assert_alike(*models)
    scores = [model.score(texts) for model in models]
    assert scores[0] == pytest.approx(scores[1], rel=1e-4)
    assert models[1].generate("a", 5, random_state=0) == models[0].generate("a", 5, random_state=0)


def test_numbers_and_tags():
    settings = dict(hidden_layer_sizes=(4,), max_iter=2, batch_size=4, random_state=0, n_jobs=1)
    for loss in ("squared_error", "huber"):
        make = partial(LSTMRegressor, loss=loss, **settings)
        assert_alike(*both(make, X, np.arange(len(X)) / 5))
    tags = [np.arange(len(x)) % 2 for x in X]
    on_cpu, on_cuda = both(partial(LSTMSequenceTagger, bidirectional=True, **settings), X, tags)
    assert_alike(on_cpu, on_cuda)
    assert [list(a) for a in on_cpu.predict(X)] == [list(b) for b in on_cuda.predict(X)]


def test_encoder():
    settings = dict(hidden_layer_sizes=(4,), max_iter=1, batch_size=4, random_state=0, n_jobs=1)
    for params in (dict(pooling="max", states="both"), dict(pooling="mean", difference=True)):
        models = both(partial(LSTMEncoder, **settings, **params), X)
        on_cpu, on_cuda = (model.transform(X) for model in models)
        np.testing.assert_allclose(on_cuda, on_cpu, atol=1e-5)


@pytest.mark.parametrize("precision, bound", [("float32", 1e-4), ("tf32", 5e-3), ("bf16", 5e-3)])
def test_clusters_of_blocks(monkeypatch, precision, bound):
    """tf32 rounds the factors of products to 10 bits, bf16 to 7."""
    from seqlearn_lstm.kernels.cuda import lstm
    from seqlearn_lstm.kernels.cuda.primitives import SIMULATED
    from seqlearn_lstm.kernels.cuda.tiers import CLUSTERS

    launched = []
    if SIMULATED:
        monkeypatch.setattr(lstm, "capability", lambda: (9, 0))
    elif lstm.capability() < CLUSTERS:
        pytest.skip("the GPU is older than sm_90")
    for name in ("lstm_cluster_forward", "lstm_cluster_backward"):
        run = getattr(lstm, name)
        monkeypatch.setattr(
            lstm,
            name,
            lambda *args, run=run, name=name: launched.append((name, args[-1])) or run(*args),
        )
    params = dict(max_iter=1, batch_size=10, bidirectional=True, precision=precision)
    assert_alike(*both(partial(small, **params), X, Y), bound)
    names = "lstm_cluster_forward", "lstm_cluster_backward"
    assert set(launched) == {(name, precision) for name in names}


def test_clusters_that_a_small_device_has_no_room_for(monkeypatch):
    from seqlearn_lstm.kernels.cuda import launch, lstm

    fitted = small(max_iter=1, device="cuda", precision="float32").fit(X, Y)
    asked = []
    monkeypatch.setattr(lstm, "capability", lambda: (9, 0))
    monkeypatch.setattr(launch, "_has_room", {})
    monkeypatch.setattr(launch, "has_room_for_clusters", lambda *given: asked.append(given))
    again = small(max_iter=1, device="cuda", precision="float32").fit(X, Y)
    assert len(asked) == 2  # forward and back
    assert_alike(fitted, again)


def test_bf16_changes_nothing_where_no_kernel_rounds(monkeypatch):
    from seqlearn_lstm.kernels.cuda import lstm

    monkeypatch.setattr(lstm, "capability", lambda: (8, 0))
    for params in (dict(device="cpu"), dict(device="cuda"), dict(device="cuda", dtype="float64")):
        fits = [small(max_iter=1, precision=p, **params).fit(X, Y) for p in ("bf16", "float32")]
        assert identical(fits[0].parameters_, fits[1].parameters_)


def test_a_fit_goes_on_with_the_same_bits():
    params = dict(device="cuda", dropout=0.2, batch_size=4, warm_start=True, embedding_dim=None)
    whole = small(max_iter=3, **params).fit(X, Y)
    part = small(max_iter=2, **params).fit(X, Y)
    part = pickle.loads(pickle.dumps(part)).set_params(max_iter=1).fit(X, Y)
    assert identical(part.parameters_, whole.parameters_)
    assert identical(part.loss_curve_, whole.loss_curve_)


@pytest.mark.parametrize("solver, average", [("adam", False), ("adagrad", True)])
def test_a_fit_goes_on_where_the_other_device_stopped(solver, average):
    params = dict(solver=solver, average=average, batch_size=4, warm_start=True)
    params |= dict(
        precision="float32", hidden_layer_sizes=(18,)
    )  # whose weights lie otherwise there
    whole = small(max_iter=3, **params).fit(X, Y)
    part = small(max_iter=2, **params).fit(X, Y).set_params(device="cuda", max_iter=1)
    assert_alike(whole, part.fit(X, Y))


def test_a_checkpoint_goes_on(tmp_path, monkeypatch):
    params = dict(device="cuda", batch_size=4, dropout=0.2, checkpoint=tmp_path / "run")
    whole = small(**params | dict(checkpoint=None)).fit(X, Y)
    save = Checkpoint.save

    def save_and_die(checkpoint, state, network):
        save(checkpoint, state, network)
        if state.epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Checkpoint, "save", save_and_die)
        small(**params).fit(X, Y)
    again = small(**params).fit(X, Y)
    assert identical(again.parameters_, whole.parameters_)
    assert identical(again.loss_curve_, whole.loss_curve_)


def test_the_same_bits_each_time():
    fits = [small(device="cuda", dropout=0.3, batch_size=4).fit(X, Y) for _ in range(2)]
    assert identical(fits[0].parameters_, fits[1].parameters_)


def test_a_prediction_depends_on_its_sequence_alone():
    model = small(device="cuda", bidirectional=True, pooling="mean", max_iter=1).fit(X, Y)
    together = model.decision_function(X)
    for k in (0, 3, 6):
        assert model.decision_function(X[k : k + 1]).tobytes() == together[k : k + 1].tobytes()


def test_streams_pictures_and_saliency():
    model = small(device="cuda", max_iter=1).fit(X, Y)
    stream = model.stream()
    labels = [stream.push(step) for step in X[0]]
    assert labels[-1] == model.predict(X[:1])[0]
    display = StateDisplay.from_estimator(model, X[0])
    assert display.ax_ is not None
    assert saliency(model, X[0]).gradient.shape == X[0].shape


def test_searched_and_cloned():
    search = GridSearchCV(
        small(device="cuda", max_iter=1), {"hidden_layer_sizes": [(3,), (4,)]}, cv=2
    ).fit(X, Y)
    assert search.best_estimator_.device == "cuda"
    assert clone(search.best_estimator_).get_params()["device"] == "cuda"


def test_nothing_fitted_lies_on_the_device():
    model = small(device="cuda", warm_start=True, record=["loss", "norm"], max_iter=1).fit(X, Y)
    pickle.dumps(model)  # an array of the device refuses
    assert all(isinstance(loss, float) for loss in model.loss_curve_)


def test_a_diverging_fit_says_so():
    wild = small(
        device="cuda", solver="sgd", learning_rate=1e25, clip_norm=None, alpha=1.0, max_iter=9
    )
    with pytest.raises(TrainingDiverged, match="the training diverged"):
        wild.fit(X, Y)
    assert not hasattr(wild, "parameters_")


def test_no_room_on_the_device(monkeypatch):
    from seqlearn_lstm.kernels import cuda

    def full(*args):
        raise MemoryError("the device has 1 of 2 MiB left, too little for an array of 3 MiB")

    model = small(device="cuda", batch_size=8)
    monkeypatch.setattr(cuda, "lstm_forward", full)
    with pytest.raises(MemoryError, match=r"1 of 2 MiB left.*a batch_size of 4"):
        model.fit(X, Y)
    assert not hasattr(model, "parameters_")


def test_a_driver_without_room_says_so_too(monkeypatch):
    from seqlearn_lstm.kernels import cuda

    def full(*args):
        raise RuntimeError("CUDA_ERROR_OUT_OF_MEMORY: The API call failed")

    monkeypatch.setattr(cuda, "lstm_forward", full)
    with pytest.raises(MemoryError, match=r"OUT_OF_MEMORY.*a batch_size of 4"):
        small(device="cuda", batch_size=8).fit(X, Y)


def pretend(monkeypatch, why_no_device=lambda to_install: None, why_not_now=lambda: None):
    """A GPU that answers; no process has the number -1, under which it is asked."""
    primitives = SimpleNamespace(why_no_device=why_no_device, why_not_now=why_not_now)
    monkeypatch.setattr(kernels, "find_spec", lambda name: True)
    monkeypatch.setattr(kernels, "import_module", lambda *name: primitives)
    kernels._why_never.cache_clear()


def test_several_threads_ask_for_the_gpu_one_after_another(monkeypatch):
    """And what is there is asked for once."""
    alone = []
    pretend(monkeypatch, lambda to_install: alone.append(kernels._asking.lock.locked()))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(kernels._why_no_cuda, [-1] * 4)) == [None] * 4
    assert alone == [True]


def test_a_gpu_that_is_full_may_be_used_later(monkeypatch):
    reasons = [None, "the GPU is full"]
    pretend(monkeypatch, why_not_now=reasons.pop)
    assert [kernels._why_no_cuda(-1) for _ in range(2)] == ["the GPU is full", None]


def test_numba_cuda_that_cannot_be_imported(monkeypatch):
    def import_module(*name):
        raise AttributeError("module 'numba' has no attribute 'such'")

    pretend(monkeypatch)
    monkeypatch.setattr(kernels, "import_module", import_module)
    assert "cannot be imported (module 'numba'" in kernels._why_no_cuda(-1)


WITHOUT_A_GPU = """
import numpy as np
import pytest
from seqlearn_lstm import LSTMClassifier
X, y = np.ones((4, 3, 2)), [0, 1, 0, 1]
assert LSTMClassifier((2,), max_iter=1, device="auto").fit(X, y).predict(X).shape == (4,)
model = LSTMClassifier((2,), max_iter=1).fit(X, y)
for call in (LSTMClassifier((2,), device="cuda").fit, model.set_params(device="cuda").score):
    with pytest.raises(RuntimeError, match='device is "cuda", but .*(not installed|no GPU)') as error:
        call(X, y)
print(error.value)
"""


def test_without_a_gpu_the_error_says_what_to_do():
    said = run_python(WITHOUT_A_GPU, NUMBA_ENABLE_CUDASIM=0, CUDA_VISIBLE_DEVICES="")
    assert 'device="cpu"' in said


def test_an_unknown_device():
    with pytest.raises(ValueError, match="'device' parameter of LSTMClassifier must be a str"):
        LSTMClassifier(device="tpu").fit(X, Y)
    with pytest.raises(ValueError, match=r'device is .CPU.; expected "cpu"'):
        get_backend("CPU")


@pytest.mark.parametrize(
    "name, value", [("device", "CPU"), ("n_jobs", "x"), ("n_jobs", 1.5), ("precision", "foo")]
)
def test_parameters_that_are_changed_after_a_fit_are_checked(name, value):
    model = small(max_iter=1).fit(X, Y)
    encoder = LSTMEncoder(estimator=FrozenEstimator(model)).fit(X)
    setattr(model, name, value)
    message = f"'{name}' parameter of LSTMClassifier must be .* Got {value!r} instead"
    for call in (model.predict, model.final_states, encoder.transform):
        with pytest.raises(ValueError, match=message):
            call(X)


def test_the_precision_of_a_prediction_is_that_of_its_estimator():
    model = small(max_iter=1).fit(X, Y)
    for precision in ("float32", "bf16"):
        network = model.set_params(precision=precision)._bound_network(get_backend("cpu"), 1)
        assert {part.precision for part in network.recurrent} == {precision}
