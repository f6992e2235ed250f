"""The readers and loaders of symbols, on files written here, and on the user's own data."""

import gzip
import io
import os
import tarfile

import numpy as np
import pytest

from seqlearn_lstm import datasets
from seqlearn_lstm.datasets import load_brown, load_imdb, load_shop_sessions, read_tagged
from seqlearn_lstm.symbols import check_symbols

FIRST = "\n\n\tThe/at jury/nn said/vbd 1/2/cd ./.\n\n\tIt/pps isn't/bez* Dan's/np$-tl --/--\n"
SECOND = "Yes/uh-hl\n"
WORDS = [["The", "jury", "said", "1/2", "."], ["It", "isn't", "Dan's", "--"], ["Yes"]]
TAGS = [["at", "nn", "vbd", "cd", "."], ["pps", "bez*", "np$-tl", "--"], ["uh-hl"]]

REVIEWS = 'text,label\n"A ""good""\nfilm!<br /><br />Don\'t miss it",1\n2 of 10,0\n'
EVENTS = """user,session_id,event,timestamp
u1,s2,home,2024-03-13 10:21:14
u2,s1,cart,2024-03-14 00:00:02
u1,s2,search,2024-03-13 10:21:15

u2,s1,home,2024-03-14 00:00:01
u1,s2,"a, b",2024-03-13 10:21:15
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty data folder, named by the environment variable."""
    monkeypatch.setenv("SEQLEARN_LSTM_DATA", str(tmp_path))
    return tmp_path


def as_folder(path, texts):
    for name, text in texts.items():
        (path / "brown" / name).parent.mkdir(parents=True, exist_ok=True)
        (path / "brown" / name).write_text(text)
    return path / "brown"


def as_archive(path, texts):
    with tarfile.open(path / "brown.tgz", "w:gz") as archive:
        for name, text in reversed(texts.items()):
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return path / "brown.tgz"


BROWN = {"README": "no tags here", "ca01": FIRST, "cr09": SECOND, "cats.txt": "ca01 news"}


def write_table(home, name, text, compressed):
    content = text.encode()
    path = home / (name + ".gz" if compressed else name)
    path.write_bytes(gzip.compress(content) if compressed else content)


# -- word/tag --------------------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [gzip.compress, bytes])
def test_read_tagged_file(tmp_path, compress):
    path = tmp_path / "text"
    path.write_bytes(compress((FIRST + SECOND).encode()))
    assert read_tagged(path) == (WORDS, TAGS)
    assert read_tagged(str(path)) == (WORDS, TAGS)


def test_read_tagged_with_byte_order_marks(tmp_path):
    """In a file, and in each of a folder."""
    (tmp_path / "1").write_text("\ufeffthe/at end/nn\n", encoding="utf-8")
    (tmp_path / "2").write_text("\ufeffan/at\n", encoding="utf-8")
    assert read_tagged(tmp_path / "1")[0] == [["the", "end"]]
    assert read_tagged(tmp_path)[0] == [["the", "end"], ["an"]]


@pytest.mark.parametrize("write", [as_folder, as_archive])
def test_read_tagged_files_in_the_order_of_their_names(tmp_path, write):
    path = write(tmp_path, {"a/2": SECOND, "a/1": FIRST, "b/README": "no tags"})
    assert read_tagged(path, files="[0-9]") == (WORDS, TAGS)
    with pytest.raises(ValueError, match=r"no file in it has a name like 'c\*'"):
        read_tagged(path, files="c*")
    with pytest.raises(ValueError, match="README, line 1: expected word/tag, got 'no'"):
        read_tagged(path)


@pytest.mark.parametrize(
    "tag, cut_at, expected",
    [
        ("np$-tl", "", "np$-tl"),
        ("np$-tl", "-", "np$"),
        ("np$-tl", "-+*$", "np"),
        ("wps+bez-nc", "-+*$", "wps"),
        ("--", "-+*$", "--"),
        ("*", "-+*$", "*"),
        ("*-hl", "-+*$", "*"),  # cut at "-", but then nothing would be left of "*"
        ("---hl", "-+*$", "---hl"),
        (".", ".", "."),
    ],
)
def test_tags_are_cut(tmp_path, tag, cut_at, expected):
    (tmp_path / "text").write_text(f"word/{tag}")
    assert read_tagged(tmp_path / "text", cut_at=cut_at) == ([["word"]], [[expected]])


@pytest.mark.parametrize("token", ["word", "word/", "/tag", "/"])
def test_read_tagged_names_the_line(tmp_path, token):
    (tmp_path / "text").write_text(f"a/b\n\nc/d {token}\n")
    with pytest.raises(ValueError, match=f"text, line 3: expected word/tag, got '{token}'"):
        read_tagged(tmp_path / "text")


def test_a_damaged_archive_is_named(tmp_path):
    path = as_archive(tmp_path, {"1": " ".join(f"{i}/cd" for i in range(5_000))})
    for kept in (path.stat().st_size // 2, 10):
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(ValueError, match=r"brown\.tgz: the file is cut short or damaged"):
            read_tagged(path)


def test_read_tagged_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_tagged(tmp_path / "nowhere")


@pytest.mark.parametrize("write", [as_folder, as_archive])
def test_brown(home, write):
    write(home, BROWN)
    bunch = load_brown()
    tags = [["at", "nn", "vbd", "cd", "."], ["pps", "bez", "np", "--"], ["uh"]]
    assert (bunch.data, bunch.target) == (WORDS, tags) == load_brown(return_X_y=True)
    assert bunch.target_names.tolist() == sorted({tag for sentence in tags for tag in sentence})
    assert load_brown(cut_at="").target == TAGS
    assert "Non-commercial" in bunch.DESCR


@pytest.mark.parametrize("load", [load_brown, load_imdb, load_shop_sessions])
def test_data_are_missing(home, monkeypatch, load):
    with pytest.raises(FileNotFoundError, match="SEQLEARN_LSTM_DATA"):
        load()
    monkeypatch.delenv("SEQLEARN_LSTM_DATA")
    with pytest.raises(FileNotFoundError, match="SEQLEARN_LSTM_DATA is not set"):
        load()


# -- film reviews ----------------------------------------------------------------------------------


@pytest.mark.parametrize("compressed", [True, False])
def test_imdb_words(home, compressed):
    write_table(home, "imdb_reviews.csv", REVIEWS, compressed)
    bunch = load_imdb(subset="all", n_test=0)
    found = {label: words for words, label in zip(bunch.data, bunch.target, strict=True)}
    assert found == {0: ["2", "of", "10"], 1: ["a", "good", "film", "don't", "miss", "it"]}
    assert bunch.target.dtype == np.int64
    assert bunch.target_names.tolist() == ["negative", "positive"]
    assert "Research" in bunch.DESCR


@pytest.mark.parametrize("compressed", [True, False])
def test_imdb_with_a_byte_order_mark(home, compressed):
    write_table(home, "imdb_reviews.csv", "\ufeff" + REVIEWS, compressed)
    assert len(load_imdb(n_test=0).data) == 2


def test_imdb_parts(home):
    rows = "".join(f"review {i},{i % 2}\n" for i in range(20))
    write_table(home, "imdb_reviews.csv", "text,label\n" + rows, compressed=False)
    X, y = load_all(n_test=0)
    train, y_train = load_imdb(n_test=6, return_X_y=True)
    test, y_test = load_imdb(subset="test", n_test=6, return_X_y=True)
    assert (len(train), len(test)) == (14, 6)
    assert train + test == X
    assert [*y_train, *y_test] == y.tolist() == [int(words[1]) % 2 for words in X]
    numbers = [int(words[1]) for words in X]
    assert sorted(numbers) == list(range(20)) != numbers
    assert load_all(n_test=6)[0] == X


def load_all(n_test):
    return load_imdb(subset="all", n_test=n_test, return_X_y=True)


@pytest.mark.parametrize(
    "text, options, message",
    [
        (REVIEWS, {"subset": "valid"}, "subset is 'valid'; expected 'train', 'test' or 'all'"),
        (REVIEWS, {"n_test": 3}, "n_test is 3; expected 0 to 2"),
        (REVIEWS, {"n_test": -1}, "n_test is -1; expected 0 to 2"),
        (
            REVIEWS + '"<br />!",1\n',
            {},
            "line 5: expected a text of at least one word, got '<br />!'",
        ),
        (REVIEWS + ",0\n", {"subset": "test"}, "line 5: expected a text .*, got ''"),
        (REVIEWS + "x,2\n", {}, "line 5: expected the label 0 or 1, got '2'"),
        (REVIEWS + "x\n", {}, "line 5: expected 2 values, got 1"),
        (
            "review,label\n",
            {},
            r"expected the columns \['text', 'label'\], got \['review', 'label'\]",
        ),
        ("", {}, r"expected the columns .* got \[\]"),
        (REVIEWS + "a" * 200_000 + ",1\n", {}, "line 5: field larger than field limit"),
    ],
)
def test_imdb_errors(home, text, options, message):
    write_table(home, "imdb_reviews.csv", text, compressed=False)
    with pytest.raises(ValueError, match=message):
        load_imdb(**options)


@pytest.mark.parametrize("n_test", [1.0, "1", None])
def test_imdb_holds_out_a_whole_number(home, n_test):
    write_table(home, "imdb_reviews.csv", REVIEWS, compressed=False)
    with pytest.raises(TypeError, match=f"n_test is {n_test!r}; expected a whole number"):
        load_imdb(n_test=n_test)
    assert len(load_imdb(n_test=np.int64(1)).data) == 1


# -- visits to a shop ------------------------------------------------------------------------------


@pytest.mark.parametrize("compressed", [True, False])
def test_shop_sessions(home, compressed):
    write_table(home, "ecommerce_sessions.csv", EVENTS, compressed)
    bunch = load_shop_sessions()
    assert bunch.data == [["home", "search", "a, b"], ["home", "cart"]]
    assert bunch.session_ids == ["s2", "s1"]
    assert bunch.event_names == ["a, b", "cart", "home", "search"]
    assert {times.dtype for times in bunch.timestamps} == {np.dtype("M8[s]")}
    assert [np.diff(times).astype(int).tolist() for times in bunch.timestamps] == [[1, 0], [1]]
    assert bunch.timestamps[0][0] == np.datetime64("2024-03-13T10:21:14")
    assert "synthetic" in bunch.DESCR and "Apache" in bunch.DESCR


@pytest.mark.parametrize(
    "time", ["yesterday", "", "NaT", "2024-13-01 00:00:00", "now", "today", "1710325274", "2024"]
)
def test_shop_sessions_name_the_line_of_a_bad_time(home, time):
    write_table(home, "ecommerce_sessions.csv", EVENTS + f"u,s,home,{time}\n", compressed=False)
    with pytest.raises(ValueError, match="line 8: expected a time stamp"):
        load_shop_sessions()


# -- the data themselves, where they are -----------------------------------------------------------

needs_data = pytest.mark.skipif(
    datasets.DATA_VARIABLE not in os.environ,
    reason="SEQLEARN_LSTM_DATA does not name a folder with the larger data sets",
)


@needs_data
def test_full_brown():
    bunch = load_brown()
    assert len(bunch.data) == len(bunch.target) == 57_340
    lengths = [len(words) for words in bunch.data]
    assert lengths == [len(tags) for tags in bunch.target]
    assert sum(lengths) == 1_161_192
    assert len(bunch.target_names) == 82
    assert len(check_symbols(bunch.data)) == 57_340


@needs_data
def test_full_imdb():
    (train, y_train), (test, y_test) = (
        load_imdb(subset=subset, return_X_y=True) for subset in ("train", "test")
    )
    assert (len(train), len(test)) == (19_904, 5_000)
    assert y_train.sum() + y_test.sum() == 12_472
    assert len(check_symbols(train + test)) == 24_904
    assert not any("<" in word for words in test for word in words)


@needs_data
def test_full_shop_sessions():
    bunch = load_shop_sessions()
    assert len(bunch.data) == len(bunch.timestamps) == len(set(bunch.session_ids)) == 3_605
    assert sum(map(len, bunch.data)) == 31_106
    assert len(bunch.event_names) == 19
    assert all((np.diff(times) >= np.timedelta64(0)).all() for times in bunch.timestamps)
