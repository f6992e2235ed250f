"""Texts: the reader, the loaders, the 34 symbols, and the text that is made up."""

import gzip
import math
import os
import re
from collections import Counter

import pytest

from seqlearn_lstm.datasets import (
    DATA_VARIABLE,
    load_huckleberry_finn,
    load_shakespeare,
    make_text,
    normalize_text,
    read_text,
)
from seqlearn_lstm.datasets.texts import _RULES, _expand

BOOK = (
    "Title: A book\n\n*** START OF THE PROJECT GUTENBERG EBOOK A BOOK ***\n\n\n{}\n\n"
    "*** END OF THE PROJECT GUTENBERG EBOOK A BOOK ***\nThe licence.\n"
)
needs_data = pytest.mark.skipif(
    DATA_VARIABLE not in os.environ, reason="SEQLEARN_LSTM_DATA does not name a folder"
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty data folder, named by the environment variable."""
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    return tmp_path


# -- reading ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [gzip.compress, bytes])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_marks_and_compression_leave_no_trace(tmp_path, compress, end, mark):
    path = tmp_path / "text"
    path.write_bytes(compress(f"{mark}Ä b,{end}{end}c{end}".encode()))
    assert read_text(path) == "Ä b,\n\nc\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_of_a_book_its_text_is_read(tmp_path, end):
    path = tmp_path / "76-0.txt"
    path.write_bytes(BOOK.format("CHAPTER I.\n\nYou").replace("\n", end).encode())
    assert read_text(path) == "CHAPTER I.\n\nYou\n"


@pytest.mark.parametrize("tail", ["", "\n*** END OF THE BOOK ***\nThe licence.\n"])
def test_what_ends_before_the_book_begins_is_no_end_of_it(tmp_path, tail):
    head = "*** END OF THE HEADER ***\n\n*** START OF THE BOOK ***\n"
    (tmp_path / "text").write_text(f"{head}You don't know{tail}")
    assert read_text(tmp_path / "text") == "You don't know\n"


@pytest.mark.parametrize(
    "content, message",
    [(b"\xff\xfe", "not a text in UTF-8"), (b"", "holds no text"), (b" \n", "holds no text")],
)
def test_what_is_no_text(tmp_path, content, message):
    (tmp_path / "text").write_bytes(content)
    with pytest.raises(ValueError, match=f"text: .*{message}"):
        read_text(tmp_path / "text")


def test_loaders_read_the_users_copies(home):
    (home / "tinyshakespeare.txt").write_text("ROMEO:\nAy me!\n")
    (home / "huckleberry_finn.txt").write_text(BOOK.format("YOU don’t know\nabout ME"))
    assert load_shakespeare().data == "ROMEO:\nAy me!\n"
    assert load_huckleberry_finn().data == "you don't know about me"
    assert load_huckleberry_finn(normalize=False).data == "YOU don’t know\nabout ME\n"
    assert "Twain" in load_huckleberry_finn().DESCR


@pytest.mark.parametrize("load", [load_shakespeare, load_huckleberry_finn])
def test_what_is_not_there_is_named(home, load):
    with pytest.raises(FileNotFoundError, match=r"(tinyshakespeare|huckleberry_finn)\.txt"):
        load()


@needs_data
def test_the_texts_themselves():
    shakespeare, finn = load_shakespeare().data, load_huckleberry_finn().data
    assert (len(shakespeare), len(set(shakespeare))) == (1_115_394, 65)
    assert len(set(finn)) == 34
    assert len(finn) == pytest.approx(555_000, rel=1e-3)
    (commonest, n), *_ = Counter(finn).most_common()
    assert commonest == " "
    assert n / len(finn) == pytest.approx(0.2, abs=0.005)


# -- 34 symbols ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Abc XYZ", "abc xyz"),
        ("it’s ‘so’", "it's 'so'"),
        ("a--b, “c” (d) _e_ 12 f", "a b, c d e f"),
        ("a.,:;!?'b", "a.,:;!?'b"),
        ("\n a \t\n b\n", "a b"),
        ("Éàü ﬁn", "eau fin"),
        ("ẞßΩ", ""),  # no letter with an accent: left out
        ("", ""),
    ],
)
def test_normalize_text(text, expected):
    assert normalize_text(text) == expected
    assert normalize_text(expected) == expected


# -- made up ---------------------------------------------------------------------------------------


def test_what_is_made_up_is_fixed_by_the_seed():
    texts = [make_text(50, random_state=seed).data for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].count(".") == 50
    assert make_text(1, random_state=0).data == texts[0][: texts[0].index(".") + 2]
    with pytest.raises(ValueError, match="n_sentences is 0; expected at least 1"):
        make_text(0)
    with pytest.raises(TypeError, match=r"n_sentences is 2\.5; expected a whole number"):
        make_text(2.5)


def test_the_verb_agrees_with_the_first_noun():
    for sentence in make_text(300, random_state=0).data.split(". ")[:-1]:
        words = sentence.split()
        first = next(w for w in words if w in _RULES["one"] + _RULES["many"])
        verbs = _RULES["does"] if first in _RULES["one"] else _RULES["do"]
        others = _RULES["do"] if first in _RULES["one"] else _RULES["does"]
        assert any(word in verbs for word in words)
        assert not any(word in others for word in words)


def test_the_score_is_the_probability_of_the_text():
    class Chooses:
        """A generator that takes the first line of each name."""

        def randint(self, n):
            return 0

    text, score = _expand("{sentence}", Chooses())
    assert text == "the dog sings."
    expected = math.log(1 / 2 * 2 / 6 * 1 / 6 * 1 / 2 * 1 / 6 * 2 / 5)
    assert score == pytest.approx(expected, rel=1e-12)


def test_the_score_adds_up_over_the_text():
    """The frequencies of sentences tend to the probabilities that are said."""
    made_up = make_text(20_000, random_state=0)
    counts = Counter(made_up.data.split(". "))
    n, p = counts["the dog sings"], 1 / 2 * 2 / 6 * 1 / 6 * 1 / 2 * 1 / 6 * 2 / 5
    spread = math.sqrt(20_000 * p * (1 - p))
    assert abs(n - 20_000 * p) < 5 * spread  # five standard deviations
    assert made_up.score * len(made_up.data) / 20_000 == pytest.approx(
        -entropy("{sentence}"), rel=0.01
    )


def entropy(line):
    """The mean of what the choices in a line tell, in nats."""
    total = 0.0
    for name in re.findall(r"{(\w+)}", line):
        for other, n in Counter(_RULES[name]).items():
            p = n / len(_RULES[name])
            total += p * (entropy(other) - math.log(p))
    return total
