"""scikit-learn's own common tests, all of them.

They run in a process of their own: one of them is skipped unless ``SCIPY_ARRAY_API`` is set before
SciPy is imported.
"""

import json

import pytest
from estimator_helpers import run_python

MINIBATCHES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "weights and repetitions of a sequence divide the sequences into different minibatches"
    )
}

CONTEXT = dict.fromkeys(
    (
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_sample_weight_equivalence_on_dense_data",
    ),
    "a table is one sequence to a tagger: a label depends on the rows before its own",
)

CHECK = """
import json, sys
import seqlearn_lstm
from sklearn.utils.estimator_checks import check_estimator

name, params, expected = sys.argv[1], *map(json.loads, sys.argv[2:])
results = check_estimator(
    getattr(seqlearn_lstm, name)(**params), expected_failed_checks=expected, on_fail=None, on_skip=None
)
print(json.dumps([[r["check_name"], r["status"], str(r["exception"])] for r in results]))
"""


@pytest.mark.parametrize(
    "name, params, expected, fewest",
    [
        pytest.param("LSTMClassifier", {}, MINIBATCHES, 60, id="classifier"),
        pytest.param("LSTMRegressor", {}, MINIBATCHES, 57, id="regressor"),
        pytest.param("LSTMSequenceTagger", {}, CONTEXT, 46, id="tagger"),
        pytest.param("LSTMEncoder", {}, {}, 40, id="encoder"),
        # A full batch makes one update an epoch: a larger step learns what a check asks for.
        pytest.param(
            "LSTMRegressor",
            {
                "batch_size": None,
                "dtype": "float64",
                "hidden_layer_sizes": [32],
                "learning_rate": 0.02,
            },
            {},
            60,
            id="regressor, full batch",
        ),
        # float64: the check compares at 1e-7, and many epochs amplify the rounding of a float32 sum
        # (three equal terms, or one that weighs three) far beyond.
        pytest.param(
            "LSTMClassifier",
            {"batch_size": None, "dtype": "float64", "hidden_layer_sizes": [32]},
            {},
            60,
            id="classifier, full batch",
        ),
    ],
)
def test_check_estimator(name, params, expected, fewest):
    printed = run_python(
        CHECK,
        name,
        json.dumps(params),
        json.dumps(expected),
        SCIPY_ARRAY_API="1",
        NUMBA_NUM_THREADS="1",
        PYTHONWARNINGS=None,
    )
    results = json.loads(printed.splitlines()[-1])
    passed = [name for name, status, _ in results if status == "passed"]
    others = {name: (status, why) for name, status, why in results if status != "passed"}
    assert {name for name, (status, _) in others.items() if status == "xfail"} == set(expected)
    assert others.keys() == expected.keys(), others
    assert len(passed) >= fewest
