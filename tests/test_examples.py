"""The examples on smaller problems: what they compute is right, and the networks learn.

The made-up data are what the examples fall back to; the user's own data are used where they are.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from seqlearn_lstm import LSTMClassifier
from seqlearn_lstm.datasets import (
    DATA_VARIABLE,
    load_brown,
    load_imdb,
    load_mnist,
    load_shop_sessions,
    make_text,
)

GPUS = ("/dev/nvidiactl", "/dev/dxg")
FOLDER = Path(__file__).parents[1] / "examples"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="examples/ is not beside these tests")
needs_data = pytest.mark.skipif(
    DATA_VARIABLE not in os.environ,
    reason="SEQLEARN_LSTM_DATA does not name a folder with the larger data sets",
)


@pytest.fixture
def example(monkeypatch):
    """A function that imports an example by the name of its file."""
    monkeypatch.syspath_prepend(FOLDER)  # for what examples share

    def load(name):
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def no_data(monkeypatch):
    monkeypatch.delenv(DATA_VARIABLE, raising=False)


@pytest.fixture
def without_torch(monkeypatch):
    """PyTorch and skorch look as if they were not installed."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, *args: None if name in ("torch", "skorch") else find_spec(name, *args),
    )


# -- command lines ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in FOLDER.glob("[!_]*.py")) if FOLDER.is_dir() else []
)
def test_help_runs_nothing(example, capsys, name):
    with pytest.raises(SystemExit) as left:
        example(name).main(["--help"])
    printed = capsys.readouterr().out
    assert left.value.code == 0 and printed.startswith("usage:")


@pytest.mark.parametrize(
    "name, made_by, arguments",
    [
        ("plot_addition", "LSTMRegressor", ["--small"]),
        ("plot_imdb", "LSTMClassifier", []),
        ("plot_shop_sessions", "clone", []),
    ],
)
def test_threads_are_those_asked_for(example, monkeypatch, no_data, name, made_by, arguments):
    class Told(Exception):
        pass

    def tell(**params):
        raise Told(params["n_jobs"])

    module = example(name)
    network = SimpleNamespace(set_params=tell)
    monkeypatch.setattr(
        module, made_by, lambda *args, **params: tell(**params) if params else network
    )
    with pytest.raises(Told, match="2"):
        module.main([*arguments, "--jobs", "2"])


@pytest.mark.parametrize("name", ["against_torch", "fit"])
def test_benchmarks_without_pytorch(example, capsys, monkeypatch, without_torch, name):
    monkeypatch.syspath_prepend(FOLDER / "benchmarks")
    main = example(f"benchmarks/{name}").main
    for arguments, code in ((["--help"], 0), ([], 2)):
        monkeypatch.setattr("sys.argv", [name, *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == code
    assert (
        'torch is not installed; expected python3 -m pip install ".[bench]"'
        in capsys.readouterr().err
    )


def test_a_peak_is_measured(example, monkeypatch):
    peak = example("benchmarks/_peak")
    monkeypatch.setattr(peak, "REPEATS", 10)
    measured = peak.Peak(1)
    before = measured.sums.copy()
    measured()
    assert not np.array_equal(measured.sums, before) and measured.flops > 0


def test_solvers_are_timed_without_pytorch(example, monkeypatch, without_torch):
    monkeypatch.syspath_prepend(FOLDER / "benchmarks")
    monkeypatch.delitem(sys.modules, "against_torch", raising=False)
    example("benchmarks/solvers")
    assert "against_torch" not in sys.modules


def test_characters_without_pytorch(example, capsys, without_torch):
    with pytest.raises(SystemExit):
        example("plot_char_rnn").main(["--torch", "1"])
    assert (
        'torch is not installed; expected python3 -m pip install ".[bench]"'
        in capsys.readouterr().err
    )


# -- the cell --------------------------------------------------------------------------------------


def test_the_cell(example, capsys):
    example("plot_lstm_cell").main([])  # asserts what it says
    printed = capsys.readouterr().out
    assert "1 x 3, c 1 x 2, h 1 x 2 become c' 1 x 2, h' 1 x 2" in printed
    assert "the same bits: True" in printed


# -- labels of events ------------------------------------------------------------------------------


def test_labels_by_heart(example, capsys):
    module = example("plot_torch_rnn")
    X, y = module.random_labels(n=20)
    curves = module.by_heart(
        X, y, n_jobs=1, **module.SMALL
    )  # which asserts that the last model has all labels, and the loss after going on
    for losses in curves.values():
        assert len(losses) == 60 and abs(losses[0] / np.log(3) - 1) < 0.05
    assert curves["with momentum"][-1] < 0.01
    assert "160 of 160 right" in capsys.readouterr().out


def test_labels_by_a_rule(example):
    module = example("plot_torch_rnn")
    assert module.by_rule(n_train=500, n_validation=100, n_test=200, n_jobs=1) >= 0.95
    X, y = module.visits(50, seed=3)
    assert module.from_event_alone(X, y, X, y) < 0.7


def test_labels_on_a_device(example, monkeypatch):
    """The simulator would take hours: this is about who is told."""
    module, told = example("plot_torch_rnn"), []

    class Tagger:
        loss_curve_, best_iter_ = [np.log(3), 0.0], 1

        def __init__(self, *args, **params):
            told.append(params["device"])

        def fit(self, *args, **more):
            return self

        def score(self, X, y):
            return 1.0

    monkeypatch.setattr(module, "LSTMSequenceTagger", Tagger)
    monkeypatch.setattr(module, "gone_on", lambda *args: 0.0)
    module.main(["--device", "cuda"])
    assert set(told) == {"cuda"} and len(told) == 5


def test_states_of_visitors(example):
    module = example("plot_torch_rnn")
    X, y = module.visits(200, seed=0)
    lengths = set(map(len, X))
    assert min(lengths) == 5 and max(lengths) == 30
    kinds = [module.KINDS[k] for k in X[0].argmax(axis=1)]
    for before, kind, after in zip(["looking", *y[0]], kinds, y[0], strict=False):
        assert after == module.STATES.get((before, kind), before)


# -- digits ----------------------------------------------------------------------------------------


def test_small_digits(example, capsys):
    module = example("plot_mnist_rows")
    model, error = module.learn(*module.small_digits(), module.SMALL | dict(max_iter=12, n_jobs=1))
    assert error < 0.06
    assert model.best_iter_ == np.argmax(model.validation_scores_) + 1
    assert f"500 test images: {error:.2%} wrong" in capsys.readouterr().out


def test_parameters_of_the_digits_network(example, capsys):
    module = example("plot_mnist_rows")
    X, y = np.zeros((20, 28, 28), np.float32), np.arange(20) % 10
    model = LSTMClassifier(**module.SETTINGS | dict(max_iter=1, early_stopping=False)).fit(X, y)
    assert module.describe(model) == 52_610
    assert "52,610" in capsys.readouterr().out


def test_digits_without_mnist(example, capsys, no_data, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # times no PyTorch
    example("plot_mnist_rows").main(["--epochs", "1", "--jobs", "1"])
    assert DATA_VARIABLE in capsys.readouterr().out


@needs_data
def test_some_of_mnist(example):
    module = example("plot_mnist_rows")
    train, test = (load_mnist(subset=part, return_X_y=True) for part in ("train", "test"))
    train, test = ((X[:4_000] / np.float32(255), y[:4_000]) for X, y in (train, test))
    settings = module.SETTINGS | dict(batch_size=50, learning_rate=3e-3, max_iter=8, n_jobs=1)
    assert module.learn(train, test, settings)[1] < 0.12


# -- two marked numbers ----------------------------------------------------------------------------


def test_marked_numbers(example):
    X, y, lengths = example("plot_addition").marked_numbers(500, 5, 8, seed=0)
    assert X.shape == (500, 8, 2) and set(lengths) == {5, 6, 7, 8}
    for x, total, length in zip(X, y, lengths, strict=True):
        assert not x[length:].any()
        first, second = np.flatnonzero(x[:, 1])
        assert first < length // 2 <= second < length
        assert total == x[first, 0] + x[second, 0]


def test_addition_of_numbers_that_stand_near(example, capsys):
    errors, predicted, expected = example("plot_addition").compare(
        [100, 40_000], units=50, lengths=(5, 8), n_test=1_000
    )
    assert errors[100] > 0.15  # too few to learn from
    assert errors[40_000] < 0.04  # a quarter of what always saying 1 gives
    assert np.mean((predicted - expected) ** 2) == errors[40_000]
    assert "to the bit" in capsys.readouterr().out


# -- parts of speech -------------------------------------------------------------------------------


def test_tags_of_a_made_up_language(example, capsys, no_data):
    example("brown_tags").main([])  # asserts the accuracy, and that of the rule
    assert DATA_VARIABLE in capsys.readouterr().out


def test_most_frequent_tags(example):
    tag_of = example("brown_tags").most_frequent_tags(
        [["a", "b", "a"], ["a", "c", "c"]], [["X", "N", "Y"], ["Y", "X", "X"]]
    )
    assert [tag_of[word] for word in "abcd"] == ["Y", "N", "X", "N"]


def test_outlines(example):
    module = example("brown_tags")
    X = [["the", "Sun", "shines"], ["the", "1920s", "Rome", "-"]]
    assert module.frequent_words(X) == {"the"}
    assert module.outlined(X, {"the"}) == [["the", "A-un", "a-es"], ["the", "1-0s", "A-me", "1--"]]


@needs_data
def test_tags_of_some_of_brown(example):
    X, y = load_brown(return_X_y=True)
    accuracy, baseline = example("brown_tags").compare(
        X[:2_000], y[:2_000], X[2_000:2_500], y[2_000:2_500], max_iter=4
    )
    assert 0.80 < baseline < accuracy


# -- reviews ---------------------------------------------------------------------------------------


def test_made_up_reviews(example, capsys, no_data):
    accuracies = example("plot_imdb").main([])
    assert accuracies["LSTM as elsewhere"] >= 0.95
    assert accuracies["LSTM with more"] >= 0.95
    assert accuracies["TF-IDF, logistic regression"] < 0.7  # counts know nothing of order
    assert DATA_VARIABLE in capsys.readouterr().out


@needs_data
def test_some_reviews(example):
    module = example("plot_imdb")
    X, y = load_imdb(return_X_y=True)
    small = dict(hidden_layer_sizes=(32,), embedding_dim=32, max_timesteps=100, batch_size=16)
    accuracies, _ = module.compare(
        (X[:3_000], y[:3_000]),
        (X[3_000:4_000], y[3_000:4_000]),
        module.FORERUNNER | small | dict(max_iter=1),  # of MORE alone something is expected
        module.MORE | small,
    )
    assert accuracies["TF-IDF, logistic regression"] > 0.80
    assert accuracies["LSTM with more"] > 0.75


# -- visits to a shop ------------------------------------------------------------------------------


def test_made_up_sessions(example, capsys, no_data):
    areas = example("plot_shop_sessions").main([])
    assert areas["LSTM"] > 0.99
    assert 0.4 < areas["counts of events, logistic regression"] < 0.6
    assert DATA_VARIABLE in capsys.readouterr().out


def test_sessions_are_cut_before_payment(example):
    module = example("plot_shop_sessions")
    sessions = [
        ["home", "payment_details", "purchase"],
        ["home", "purchase", "payment_details"],
        ["cart", "payment_error", "cart"],
        ["purchase", "home"],
        ["cart", "home"],
    ]
    X, y = module.before_payment(sessions)
    assert X == [["home"], ["home"], ["cart"], ["cart", "home"]]
    assert y.tolist() == [True, True, False, False]


@needs_data
def test_sessions(example):
    module = example("plot_shop_sessions")
    X, y = module.before_payment(load_shop_sessions().data)
    assert not module.PAYMENT & {event for session in X for event in session}
    _, areas = module.compare(X, y, max_iter=5)
    assert min(areas.values()) > 0.8


# -- characters ------------------------------------------------------------------------------------


def test_characters_of_a_made_up_text(example, capsys, no_data, tmp_path):
    pytest.importorskip("matplotlib")
    file = tmp_path / "picture.png"
    losses = example("plot_char_rnn").main(["--plot", str(file)])  # asserts the loss
    assert losses[0] > 1.2 * losses[-1]  # it took some learning
    printed = capsys.readouterr().out
    assert DATA_VARIABLE in printed
    assert "twice the same" in printed
    assert file.read_bytes().startswith(b"\x89PNG")


def few_digits(module):
    (X, y), _ = module.small_digits()
    return (X[:40], y[:40]), module.SMALL | dict(n_jobs=1)


BESIDE_PYTORCH = {  # what each takes to time an epoch of
    "plot_torch_rnn": lambda module: (*module.random_labels(n=10), 1),
    "plot_mnist_rows": few_digits,
    "plot_addition": lambda module: module.marked_numbers(40, 5, 6, seed=0),
    "plot_imdb": lambda module: (module.made_up(40, seed=0),),
    "plot_shop_sessions": lambda module: module.made_up(40, seed=0),
    "plot_next_letter": lambda module: (
        module.Story(make_text(60, random_state=0), module.MADE_UP, True, n_jobs=1),
    ),
}


@pytest.mark.parametrize("name", BESIDE_PYTORCH)
def test_epochs_beside_pytorch(example, capsys, name):
    pytest.importorskip("torch")
    module = example(name)
    assert module.beside_torch(*BESIDE_PYTORCH[name](module), n_rounds=1) > 0
    assert "s in PyTorch" in capsys.readouterr().out


def test_characters_beside_pytorch(example, capsys):
    """The same network learns the same there, as far as other first weights allow."""
    pytest.importorskip("torch")
    module = example("plot_char_rnn")
    text = make_text(800, random_state=0).data
    settings = module.MADE_UP | dict(hidden_layer_sizes=(24, 24), batch_size=10)
    ours, theirs, ratios = module.race(text[2_000:], text[:2_000], settings, 2, n_jobs=1)
    assert len(ratios) == ours.n_iter_ == 2
    for model in (ours, theirs):
        assert -model.score(text[:2_000]) < 1.5  # half of what it is at first, ln 22
    # Two symbols more here, for the unknown and the end; there, a second bias for each gate.
    assert theirs.n_parameters() - module.n_parameters(ours) == 2 * 4 * 24 - 2 * (64 + 24 + 1)
    assert "times as long" in capsys.readouterr().out


# -- the next letter ------------------------------------------------------------------------------


def test_next_letter_of_a_made_up_text(example, capsys, no_data):
    """The parts assert what they claim, but for these."""
    found = example("plot_next_letter").main(["letters", "n-grams", "solvers", "--jobs", "1"])
    tables = [found[name] for name in found if name.startswith("the last")]
    assert 0.1 < found["always ' '"] < 0.25
    assert min(tables) > 0.8
    assert max(tables) < found["letters"]["new"]
    assert max(found[name] for name in found if "scale" in name) < 2  # at first, ln 24 = 3.2
    assert DATA_VARIABLE in capsys.readouterr().out


def test_a_network_that_reads_another(example, no_data):
    found = example("plot_next_letter").main(["model-1", "--jobs", "1"])["model-1"]
    assert found["epochs"] <= 0.7 * 6
    assert found["with"] > found["alone"] > 0.8


def test_killed_and_gone_on(example, capsys, no_data):
    assert example("plot_next_letter").main(["kill", "caesar"])["caesar"] == 1
    printed = capsys.readouterr().out
    assert "exit status -9" in printed or os.name == "nt"
    assert "the same bits" in printed


def test_tables_of_letters(example):
    NGram = example("_text").NGram
    text = "abcabdabcabe"
    # What followed most often: ab -> c, bc -> a, ca -> b, bd -> a, da -> b.
    assert NGram(2, back_off=False).fit(text).accuracy(text) == 8 / 10
    assert NGram(2).fit(text).accuracy("zab") == 1  # after za: nothing is known, after a: b
    assert NGram(2).fit(text).accuracy("zac") == 0
    assert NGram(2, back_off=False).fit(text).accuracy("zab") == 0
    assert NGram(0).fit("aab").accuracy("ab") == 1 / 2


def test_parts_that_are_not_there(example, capsys):
    with pytest.raises(SystemExit):
        example("plot_next_letter").main(["nonsense"])
    assert "no such part: nonsense" in capsys.readouterr().err


# -- the benchmark of GPUs -------------------------------------------------------------------------


def run_benchmark(*arguments, **variables):
    """The finished process of against_cudnn.py."""
    command = [sys.executable, str(FOLDER / "benchmarks" / "against_cudnn.py"), *arguments]
    return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True)


def test_results_beside_cudnn(tmp_path):
    pytest.importorskip("torch")
    file = tmp_path / "figures.json"
    done = run_benchmark("--simulate", "--precision", "float32", "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(file.read_text())
    assert [row["shape"].endswith("ragged") for row in found["errors"]] == 2 * [False, True]
    for row in found["errors"]:
        assert row["right"] and row.keys() >= {"ours", "eager", "fit"}
    assert not found["steps"] and not found["failed"]


def test_benchmark_without_a_gpu():
    if any(map(os.path.exists, GPUS)):
        pytest.skip("there is a GPU")
    done = run_benchmark(NUMBA_ENABLE_CUDASIM="0")
    assert done.returncode == 2 and done.stdout == ""
    assert re.fullmatch(r"nothing was run: .*\n", done.stderr)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_what_times_a_gpu(example, monkeypatch, capsys, precision):
    """It runs, with the host's clock: the figures mean nothing."""
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(FOLDER / "benchmarks")
    module = example("benchmarks/_on_device")
    monkeypatch.setattr(module, "cuda", SimpleNamespace(event=module.HostEvent))
    monkeypatch.setattr(torch.cuda, "Event", lambda enable_timing: module.HostEvent())
    settings = dict(simulate=True, precision=precision, seconds=0.01, batches=2)
    bench = module.Bench(SimpleNamespace(**settings))
    shapes = [module.Shape(2, 3, 2, 3, ragged=ragged) for ragged in (False, True)]
    found = {"steps": [], "epochs": [], "failed": []}
    for measure in (bench.steps, bench.epochs):
        assert module.over(measure, shapes, found, None) == shapes, capsys.readouterr().err
    for row in found["steps"] + found["epochs"]:
        assert row["time"].keys() - {"ours"} == row["ratio"].keys()
        assert all(value > 0 for value in [*row["time"].values(), *row["ratio"].values()])
    assert len(list(module.goals(found))) == 4  # none for the processor: the shapes are too small


# -- pictures --------------------------------------------------------------------------------------


CURVES = dict(n_iter_=2, loss_curve_=[1, 0.5], validation_scores_=[0.5, 0.8], best_iter_=2)


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("plot_addition", (np.ones(3), np.ones(3))),
        ("plot_imdb", (np.array([0.1, 0.7, 1.0]), np.array([0, 1, 1]))),
        ("plot_torch_rnn", ({"a": [1.0, 0.1]},)),
        ("plot_mnist_rows", (SimpleNamespace(**CURVES), np.array([[5, 1], [0, 3]]))),
        ("plot_lstm_cell", (np.ones((3, 2)), 1, dict.fromkeys("ifgoc", np.ones(3)))),
        (
            "plot_shop_sessions",
            (
                np.array([0, 1, 1]),
                {"model": np.array([0.1, 0.7, 1.0])},
                [np.array([0.2, 0.9])],
                [True],
            ),
        ),
    ],
)
def test_pictures(example, tmp_path, name, arguments):
    pytest.importorskip("matplotlib")
    file = tmp_path / "picture.png"
    example(name).draw(file, *arguments)
    assert file.read_bytes().startswith(b"\x89PNG")
