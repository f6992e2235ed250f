"""The page on forms of input is true: its examples run, its errors say what it says they do."""

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest

from seqlearn_lstm.sequences import check_sequences
from seqlearn_lstm.symbols import check_symbols

PAGE = Path(__file__).parents[1] / "docs" / "input_forms.rst"
EXAMPLE = re.compile(r"\.\. code-block:: python\n\n((?:   .*\n|\n)+)")


def test_examples_run(capsys):
    pytest.importorskip("pandas")
    page = PAGE.read_text(encoding="utf-8")
    names = {}
    for match in EXAMPLE.finditer(page):
        before = page.count("\n", 0, match.start(1))  # so that a traceback names the page's lines
        code = "\n" * before + textwrap.dedent(match[1])
        exec(compile(code, str(PAGE), "exec"), names)
    said = " ".join(capsys.readouterr().out.split())
    assert said and said in " ".join(page.split())
    assert names["words"].vocabulary_.symbols == [None, "good", "a", "film", "not"]
    assert [list(visit) for visit in names["visits"]] == [["home", "buy"], ["home"]]


def mixed_frame():
    return pytest.importorskip("pandas").DataFrame({"a": ["x", "y"], "b": [1, 2]})


@pytest.mark.parametrize(
    "read, message",
    [
        (lambda: check_sequences([[0.5, 1], []]), "sequence 1 of X has length 0"),
        (
            lambda: check_sequences([np.zeros((3, 2)), np.zeros((3, 5))]),
            "sequence 1 of X has 5 features (2-D), but sequence 0 has 2 features (2-D)",
        ),
        (
            lambda: check_sequences([np.zeros((3, 3))], n_features=2, name="LSTMClassifier"),
            "X has 3 features, but LSTMClassifier is expecting 2 features",
        ),
        (
            lambda: check_sequences(np.zeros((3, 4, 2)), lengths=[1, 5, 2]),
            "lengths[1] is 5; expected 1 to 4, the number of time steps of X",
        ),
        (
            lambda: check_symbols([["a", "b"], ["a", None]]),
            "sequence 1 of X holds None (NoneType) at time step 1; expected a symbol",
        ),
        (
            lambda: check_symbols([["a", "b"], ["a", 1.5]]),
            "sequence 1 of X holds 1.5 (float) at time step 1; expected a symbol",
        ),
        (
            lambda: check_symbols(mixed_frame()),
            "X has columns of symbols and columns of numbers. Several columns",
        ),
    ],
)
def test_errors_say_what_the_page_says(read, message):
    assert f"- {message}" in PAGE.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(message)):
        read()
