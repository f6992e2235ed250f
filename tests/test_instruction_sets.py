"""The kernels on other processors: their tests again, compiled for AVX2 and for plain x86-64.

Also here: three threads, more than many a machine has, under each of Numba's threading layers.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

import joblib
import llvmlite.binding as llvm
import numpy as np
import pytest
from sklearn.base import clone

TESTS = Path(__file__).parent
# All that is written in vectors, by the names of its tests; of the cells beside the LSTM what their
# twins tell of one case, whose units fill vectors of any width and leave a rest: compiling them takes
# long enough.
VECTORS = ["simd", "activations", "products", "heads", "updates", "dropout", "lstm"]
CELLS = ["lstm_options", "gru", "rnn"]
TWINS = (
    f"(not {' and not '.join(f'test_{name}.py' for name in CELLS)}) or (equals_naive and ragged)"
)

TARGETS = {
    "AVX2": ({"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""}, 32, True),
    "plain x86-64": ({"NUMBA_CPU_NAME": "generic"}, 16, False),
}


def environment(**variables):
    """The session's own, its cache included, with three threads and no other target."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_CPU")}
    return kept | {"NUMBA_NUM_THREADS": "3"} | variables


def python(arguments, variables):
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=TESTS.parent, env=environment(**variables), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


def run_tests(variables, of, which):
    options = ["-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-k", which]
    files = [str(TESTS / "kernels" / f"test_{name}.py") for name in of]
    output = python([*options, *files], variables)
    assert " passed" in output
    assert " failed" not in output


@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="these targets are x86-64"
)
@pytest.mark.parametrize("variables, vector_bytes, has_fma", TARGETS.values(), ids=TARGETS.keys())
def test_other_instruction_sets(variables, vector_bytes, has_fma):
    features = llvm.get_host_cpu_features()
    if has_fma and not (features.get("avx2") and features.get("fma")):
        pytest.skip("this processor lacks AVX2")
    code = (
        "from seqlearn_lstm.kernels.cpu import target\nprint(target.VECTOR_BYTES, target.HAS_FMA)"
    )
    assert python(["-c", code], variables).split() == [str(vector_bytes), str(has_fma)]
    run_tests(variables, VECTORS + CELLS, f"({TWINS}) and not torch and not cuda")


FIT = """
import sys
import joblib
import numpy as np
from seqlearn_lstm import LSTMClassifier
rng = np.random.default_rng(0)
X = [rng.standard_normal((n, 3)) for n in (5, 2, 7, 3)]
model = LSTMClassifier(
    (5, 9), bidirectional=True, warm_start=True, max_iter=2, random_state=0, n_jobs=1
)
joblib.dump((model.fit(X, [0, 1, 0, 1]), X), sys.argv[1])
"""


@pytest.mark.parametrize("variables", [row[0] for row in TARGETS.values()], ids=TARGETS.keys())
def test_a_fit_goes_on_on_another_processor(tmp_path, variables):
    """What a solver knows lies in vectors of other widths there; what is saved does not."""
    path = tmp_path / "model"
    python(["-c", FIT, str(path)], variables)
    model, X = joblib.load(path)
    model.set_params(max_iter=1).fit(X, [0, 1, 0, 1])
    whole = clone(model).set_params(max_iter=3).fit(X, [0, 1, 0, 1])
    np.testing.assert_allclose(model.loss_curve_, whole.loss_curve_, rtol=1e-5)
    for name, values in whole.parameters_.items():
        np.testing.assert_allclose(model.parameters_[name], values, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", ["workqueue", "omp", "tbb"])
def test_three_threads(layer):
    code = (
        "from numba.np.ufunc import parallel\n"
        "try:\n    parallel._launch_threads()\n"
        "except Exception: print('missing')"
    )
    variables = {"NUMBA_THREADING_LAYER": layer}
    if "missing" in python(["-c", code], variables):
        pytest.skip(f"Numba has no {layer} here")
    run_tests(variables, VECTORS + CELLS, "any_number_of_threads")
