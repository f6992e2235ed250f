"""What is no number, though NumPy would make one of it, is refused wherever numbers are read."""

import numpy as np
import pandas as pd
import pytest
from estimator_helpers import identical
from sklearn.preprocessing import StandardScaler

from seqlearn_lstm import LSTMClassifier, LSTMEncoder, LSTMRegressor, LSTMSequenceTagger
from seqlearn_lstm.preprocessing import PerStep

DATES = np.array(["2020-01-01", "2021-01-01", "NaT", "2020-06-01"], "M8[s]")
KINDS = {
    "dates": DATES,
    "time differences": DATES - DATES[0],
    "strings": np.array(["0", "1", "0", "1"]),
}
NUMBERS = np.random.default_rng(0).standard_normal((4, 3))
X = [row[: n + 1, None] for row, n in zip(NUMBERS, [2, 0, 1, 2], strict=True)]
Y = [0, 1, 0, 1]
SMALL = dict(max_iter=1, tol=0, random_state=0)
kinds = pytest.mark.parametrize("name", KINDS)


@pytest.mark.parametrize("form", [np.array, pd.DataFrame], ids=["array", "frame"])
@pytest.mark.parametrize("name", ["dates", "time differences"])
@pytest.mark.parametrize(
    "model",
    [LSTMClassifier, LSTMSequenceTagger, LSTMRegressor, LSTMEncoder, StandardScaler],
)
def test_in_a_table(model, name, form):
    model = PerStep(model()) if model is StandardScaler else model((2,), **SMALL)
    model.fit(NUMBERS, Y)
    before, table = dict(vars(model)), form(np.tile(KINDS[name][:, None], (1, 3)))
    reads = model.predict if hasattr(model, "predict") else model.transform
    for call in (lambda: model.fit(table, Y), lambda: reads(table)):
        with pytest.raises(ValueError, match=f"^X holds {name}"):
            call()
    assert identical(vars(model), before)


@kinds
@pytest.mark.parametrize("form", [np.array, list, pd.Series], ids=["array", "list", "series"])
def test_as_targets(name, form):
    y = form(KINDS[name])
    with pytest.raises(ValueError, match=f"^y holds {name}"):
        LSTMRegressor((2,), **SMALL).fit(X, y)
    with pytest.raises(ValueError, match=f"^y holds {name}"):
        LSTMRegressor((2,), target="step", **SMALL).fit(
            [x[:1] for x in X], [[v] for v in KINDS[name]]
        )


@kinds
def test_as_weights_and_states(name):
    model = LSTMClassifier((1,), **SMALL).fit(X, Y)
    with pytest.raises(ValueError, match=f"^sample_weight holds {name}"):
        model.fit(X, Y, sample_weight=KINDS[name])
    with pytest.raises(ValueError, match=f"^initial_states holds {name}"):
        model.predict(X, initial_states=np.stack([KINDS[name]] * 2, axis=1))
