"""The data sets in the package, the readers on files written here, and the user's own data."""

import gzip
import os
import struct

import numpy as np
import pytest

from seqlearn_lstm import datasets
from seqlearn_lstm.datasets import (
    data_home,
    find_data,
    load_japanese_vowels,
    load_mnist,
    load_spoken_digits,
    read_conll,
    read_idx,
    read_tagged,
    read_text,
    read_ts,
)

TS = """# a comment
@problemName Toy
@timeStamps false
@classLabel true up down
@data
1,2.5,3:-1,-2,-3:up
0.1,?:4,5:down
"""

CONLL = """-DOCSTART- -X- O

He PRP B-NP
reckons VBZ B-VP

# a note
Yes UH O


"""


@pytest.fixture(params=["plain", "gzip"])
def write(request, tmp_path):
    """A function that writes a file, compressed or not, and returns its path."""

    def write(content, name="file"):
        content = content.encode() if isinstance(content, str) else content
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if request.param == "gzip" else content)
        return path

    return write


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty data folder, named by the environment variable."""
    monkeypatch.setenv("SEQLEARN_LSTM_DATA", str(tmp_path))
    return tmp_path


# -- Japanese Vowels, the part in the package ------------------------------------------------------


@pytest.mark.parametrize("subset, expected", [("train", 90), ("test", 90), ("all", 180)])
def test_japanese_vowels(subset, expected):
    bunch = load_japanese_vowels(subset=subset)
    assert len(bunch.data) == len(bunch.target) == expected
    assert {X.shape[1] for X in bunch.data} == {12} == {len(bunch.feature_names)}
    assert {X.dtype for X in bunch.data} == {np.dtype(np.float32)}
    assert all(np.isfinite(X).all() for X in bunch.data)
    np.testing.assert_array_equal(np.bincount(bunch.target), [expected // 3] * 3)
    assert list(bunch.target_names) == ["speaker_1", "speaker_2", "speaker_3"]
    assert "CC BY 4.0" in bunch.DESCR


def test_japanese_vowels_lengths_and_values():
    X, y = load_japanese_vowels(subset="all", return_X_y=True)
    assert (min(map(len, X)), max(map(len, X))) == (7, 29)
    assert y.dtype == np.int64
    # The first and the last frame of the first utterance, as they stand in the published text.
    np.testing.assert_array_equal(X[0][0, :2], np.float32([1.860936, -0.207383]))
    np.testing.assert_array_equal(X[0][:3, 0], np.float32([1.860936, 1.891651, 1.939205]))


def test_japanese_vowels_all_is_train_then_test():
    both = load_japanese_vowels(subset="all")
    parts = [load_japanese_vowels(subset=subset) for subset in ("train", "test")]
    for got, expected in zip(both.data, parts[0].data + parts[1].data, strict=True):
        np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(both.target, np.r_[parts[0].target, parts[1].target])


def test_sequences_share_no_memory():
    X, _ = load_japanese_vowels(return_X_y=True)
    assert all(sequence.flags.owndata and sequence.flags.writeable for sequence in X)


def test_japanese_vowels_rejects_an_unknown_subset():
    with pytest.raises(ValueError, match="subset is 'valid'; expected 'train', 'test' or 'all'"):
        load_japanese_vowels(subset="valid")


# -- the data folder -------------------------------------------------------------------------------


def test_data_home_unset(monkeypatch):
    monkeypatch.delenv("SEQLEARN_LSTM_DATA", raising=False)
    for ask in (data_home, lambda: find_data("x"), lambda: load_japanese_vowels(full=True)):
        with pytest.raises(FileNotFoundError, match="SEQLEARN_LSTM_DATA is not set"):
            ask()


def test_data_home_is_no_folder(home, monkeypatch):
    monkeypatch.setenv("SEQLEARN_LSTM_DATA", str(home / "nowhere"))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        data_home()


def test_data_home_of_a_user_that_is_none(monkeypatch):
    monkeypatch.setenv("SEQLEARN_LSTM_DATA", "~no-such-user/data")
    with pytest.raises(
        FileNotFoundError, match="SEQLEARN_LSTM_DATA is '~no-such-user/data', which"
    ):
        data_home()


def test_data_home_may_lie_in_the_users_own(home, monkeypatch):
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("SEQLEARN_LSTM_DATA", "~")
    assert data_home() == home


@pytest.mark.parametrize("asked", ["set/rows.txt", "set/rows.txt.gz", "rows.txt"])
@pytest.mark.parametrize("stored", ["set/rows.txt", "set/rows.txt.gz", "my/copy/rows.txt.gz"])
def test_find_data(home, asked, stored):
    path = home / stored
    path.parent.mkdir(parents=True)
    path.touch()
    assert data_home() == home
    assert find_data(asked) == path


def test_find_data_prefers_the_exact_place(home):
    for name in ("a/rows.txt", "b/rows.txt"):
        (home / name).parent.mkdir()
        (home / name).touch()
    assert find_data("b/rows.txt") == home / "b/rows.txt"


def test_find_data_among_several(home):
    for name in ("a/rows.txt", "a/rows.txt.gz", "b/rows.txt"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).touch()
    with pytest.raises(ValueError, match=f"2 folders hold rows.txt: {home / 'a'}, {home / 'b'};"):
        find_data("rows.txt")
    assert find_data("a/rows.txt.gz") == home / "a/rows.txt"


def test_find_data_missing(home):
    with pytest.raises(FileNotFoundError, match=r"rows\.txt"):
        find_data("set/rows.txt")


def test_spoken_digits(home):
    rows = np.arange(12, dtype=np.float32).reshape(6, 2)
    np.savez(home / "spoken_digits.npz", X=rows, y=np.array([7, 3]), lengths=np.array([4, 2]))
    X, y = load_spoken_digits(return_X_y=True)
    assert [len(sequence) for sequence in X] == [4, 2]
    np.testing.assert_array_equal(np.concatenate(X), rows)
    np.testing.assert_array_equal(y, [7, 3])
    assert [len(sequence) for sequence in load_spoken_digits().data] == [4, 2]


def test_spoken_digits_compressed_once_more(home):
    path = home / "spoken_digits.npz"
    np.savez(path, X=np.eye(6), y=[7, 3], lengths=[4, 2])
    content = gzip.compress(path.read_bytes())
    path.unlink()
    (home / "spoken_digits.npz.gz").write_bytes(content)
    X, y = load_spoken_digits(return_X_y=True)
    np.testing.assert_array_equal(np.concatenate(X), np.eye(6))
    assert y.tolist() == [7, 3]
    (home / "spoken_digits.npz.gz").write_bytes(content[:-12])
    with pytest.raises(
        ValueError, match=r"spoken_digits\.npz\.gz: the file is cut short or damaged"
    ):
        load_spoken_digits()


def test_spoken_digits_with_wrong_lengths(home):
    np.savez(home / "spoken_digits.npz", X=np.zeros((6, 2)), y=[7, 3], lengths=[4, 3])
    with pytest.raises(ValueError, match="add up to 7"):
        load_spoken_digits()


@pytest.mark.parametrize(
    "arrays, message",
    [
        (dict(lengths=[7, -1]), r"lengths is \[ 7 -1\]; expected positive"),
        (dict(lengths=[6, 0]), r"lengths is \[6 0\]; expected positive"),
        (dict(lengths=[[6]], y=[7]), r".*lengths \(1, 1\) of int64 .*; expected"),
        (dict(lengths=[4.0, 2.0]), r".*lengths \(2,\) of float64 .*; expected"),
        (dict(X=np.zeros((0, 2)), lengths=np.zeros(0, int), y=[]), r"lengths is \[\]; expected"),
        (dict(X=np.zeros(6)), r"X has shape \(6,\)"),
        (dict(y=np.array([7, None])), "not an archive of arrays"),
    ],
)
def test_spoken_digits_that_cannot_be(home, arrays, message):
    np.savez(
        home / "spoken_digits.npz", **dict(X=np.zeros((6, 2)), y=[7, 3], lengths=[4, 2]) | arrays
    )
    with pytest.raises(ValueError, match=r"spoken_digits\.npz: " + message):
        load_spoken_digits()


def test_spoken_digits_in_another_file(home):
    path = home / "spoken_digits.npz"
    np.savez(path, X=np.zeros((6, 2)), y=[7, 3])
    others = [path.read_bytes(), b"", b"a text", path.read_bytes()[:-30], b"PK\x03\x04cut"]
    np.save(home / "array.npy", np.zeros(3))
    for content in [*others, (home / "array.npy").read_bytes()]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"spoken_digits\.npz: not an archive of arrays \['X'"):
            load_spoken_digits()


@pytest.mark.parametrize(
    "labels, message",
    [
        ("@classLabel false\n@data\n1,2\n", r"the labels are \[\]"),
        ("@classLabel true a 1\n@data\n1,2:a\n", r"the labels are \['a'\]"),
        ("@targetLabel true\n@data\n1,2:1\n", r"the labels are \[1.0\]"),
        ("@classLabel true 10\n@data\n1,2:10\n", r"the labels are \['10'\]"),
        ("@classLabel true 1\n@data\n", r"the labels are \[\]"),
    ],
)
def test_full_japanese_vowels_with_other_labels(home, labels, message):
    (home / "JapaneseVowels_TRAIN.ts").write_text(labels)
    with pytest.raises(
        ValueError, match=rf"JapaneseVowels_TRAIN\.ts: {message}; expected speakers"
    ):
        load_japanese_vowels(full=True)


# -- .ts -------------------------------------------------------------------------------------------


def test_read_ts(write):
    X, y = read_ts(write(TS))
    np.testing.assert_array_equal(X[0], np.float32([[1, -1], [2.5, -2], [3, -3]]))
    np.testing.assert_array_equal(X[1], np.float32([[0.1, 4], [np.nan, 5]]))
    assert [x.dtype for x in X] == [np.float32] * 2
    assert all(x.flags.c_contiguous for x in X)
    assert list(y) == ["up", "down"]


def test_read_ts_targets_and_precision(write):
    header = "@targetLabel true\n@data\n"
    X, y = read_ts(write(header + "0.1,0.2:1.5\n0.3:-2\n"), dtype=np.float64)
    np.testing.assert_array_equal(X[0], [[0.1], [0.2]])
    np.testing.assert_array_equal(y, [1.5, -2.0])


@pytest.mark.parametrize(
    "dtype, value", [("i8", "?"), ("i8", "2.5"), ("u1", "256"), ("u1", "-1"), ("?", "2")]
)
def test_read_ts_loses_no_value_to_its_type(write, dtype, value):
    path = write(f"@data\n1,0\n1,{value}\n")
    got = "nan" if value == "?" else float(value)
    with pytest.raises(
        ValueError, match=rf"file, line 3: expected values of type \w+, got {got}; "
    ):
        read_ts(path, dtype=dtype)
    X, _ = read_ts(write("@data\n1,0\n1\n"), dtype=dtype)
    assert [x.ravel().tolist() for x in X] == [[1, 0], [1]]
    assert X[0].dtype == dtype


def test_read_ts_without_labels_and_with_any_encoding_in_comments(write):
    content = "# Müller\n@classLabel false\n@data\n1,2\n3\n".encode("latin-1")
    X, y = read_ts(write(content))
    assert y is None
    assert [x.shape for x in X] == [(2, 1), (1, 1)]


@pytest.mark.parametrize(
    "content, line",
    [("@classLabel true\n@data\n1:ä\n2:ö\n", 3), ("@classLabel true ä ö\n@data\n", 1)],
)
def test_read_ts_does_not_take_two_classes_for_one(write, content, line):
    """Both would be the same sign for what is not UTF-8."""
    with pytest.raises(ValueError, match=rf"file, line {line}: not a text in UTF-8: .*\\xe4"):
        read_ts(write(content.encode("latin-1")))
    read_ts(write(content))


def test_read_ts_passes_over_what_it_does_not_use(write):
    text = "# für\n@problemName grüße\n@classLabel true up down\n@data\n1,2:up\n3,4:down\n"
    assert list(read_ts(write(text.encode("latin-1")))[1]) == ["up", "down"]


def test_read_ts_header_with_tabs_and_capitals(write):
    X, y = read_ts(write("@CLASSLABEL\tTRUE\tUp  down\n@data\n1,2:UP\n3:down\n"))
    assert list(y) == ["UP", "down"]
    assert [x.shape for x in X] == [(2, 1), (1, 1)]
    with pytest.raises(ValueError, match="time stamps"):
        read_ts(write("@timeStamps\ttrue\n@data\n"))


def test_read_ts_classes_that_the_header_does_not_list(write):
    assert list(read_ts(write("@classLabel true\n@data\n1,2:a\n3:b\n"))[1]) == ["a", "b"]


@pytest.mark.parametrize(
    "content, message",
    [
        ("1,2\n", "line 1: values before"),
        ("@problemName Toy\n", "no line '@data'"),
        ("@timeStamps true\n@data\n(0,1):a\n", "time stamps"),
        ("@classLabel true a\n@data\n1,2:3:a\n", r"line 3: .* differ in length: \[2, 1\]"),
        ("@classLabel true a\n@data\n1:3:a\n1:a\n", "line 4: expected 2 dimensions .*, got 1"),
        ("@classLabel true a\n@data\n1,x:a\n", "line 3: .*'x'"),
        ("@classLabel true 1 2\n@data\n1,2:3,4\n", r"line 3: .* \['1', '2'\] .* got '3,4'"),
        ("@classLabel true a b\n@data\n1:a\n1:c\n", r"line 4: .* \['a', 'b'\] .* got 'c'"),
        ("@targetLabel true\n@data\n1,2:3,4\n", "line 3: expected a target at the end, got '3,4'"),
        ("@classLabel true a\n@data\n1,2\n", "line 3: .* got '1,2'"),
    ],
)
def test_read_ts_errors(write, content, message):
    with pytest.raises(ValueError, match=message):
        read_ts(write(content))


def test_read_ts_with_a_byte_order_mark(write):
    for content in ("\ufeff" + TS, "\ufeff" + TS.partition("\n")[2]):
        X, y = read_ts(write(content))
        assert [len(x) for x in X] == [3, 2]
        assert list(y) == ["up", "down"]


# -- idx -------------------------------------------------------------------------------------------


def idx(code, shape, values):
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape) + values


@pytest.mark.parametrize(
    "code, dtype",
    [(0x08, "u1"), (0x09, "i1"), (0x0B, "i2"), (0x0C, "i4"), (0x0D, "f4"), (0x0E, "f8")],
)
@pytest.mark.parametrize("shape", [(6,), (2, 3), (1, 3, 2), (0, 4), ()])
def test_read_idx(write, code, dtype, shape):
    expected = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    array = read_idx(write(idx(code, shape, expected.astype(f">{dtype}").tobytes())))
    assert array.dtype == np.dtype(dtype) and array.dtype.isnative
    assert array.flags.writeable
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "not an idx file"),
        (b"\x89PNG....", "not an idx file, it starts with the bytes 89 50 4e 47"),
        (idx(0x0A, (1,), b"\0"), "not an idx file"),
        (idx(0x08, (2, 2), b"")[:-1], "ends inside its header"),
        (idx(0x08, (2, 2), b"\0" * 3), r"expected 16 bytes for .* \(2, 2\), got 15"),
        (idx(0x08, (2, 2), b"\0" * 5), "expected 16 bytes"),
        (idx(0x08, (1,) * 70, b"\0"), "file: no array can have the shape of its header: "),
    ],
)
def test_read_idx_errors(write, content, message):
    with pytest.raises(ValueError, match=message):
        read_idx(write(content))


@pytest.mark.parametrize(
    "read, content",
    [
        (read_idx, idx(0x08, (2, 2), b"\0" * 4)),
        (read_ts, TS.encode()),
        (read_conll, CONLL.encode()),
        (read_tagged, b"the/at end/nn\n"),
        (read_text, b"The end.\n"),
    ],
)
@pytest.mark.parametrize(
    "damage",
    [lambda c: c[:-12], lambda c: c[:-1], lambda c: c[:-8] + bytes(8)],
    ids=["cut", "cut in the check sum", "other check sum"],
)
def test_a_damaged_file_is_named(tmp_path, read, content, damage):
    (tmp_path / "file.gz").write_bytes(damage(gzip.compress(content)))
    with pytest.raises(ValueError, match=r"file\.gz: the file is cut short or damaged"):
        read(tmp_path / "file.gz")


# -- CoNLL -----------------------------------------------------------------------------------------


def test_read_conll(write):
    words, chunks = read_conll(write(CONLL), comment="#")
    assert words == [["He", "reckons"], ["Yes"]]
    assert chunks == [["B-NP", "B-VP"], ["O"]]


def test_read_conll_with_a_byte_order_mark(write):
    """It is neither a part of the first word, nor does it hide -DOCSTART-."""
    words, _ = read_conll(write("\ufeff" + CONLL), comment="#")
    assert words == [["He", "reckons"], ["Yes"]]
    words, _ = read_conll(write("\ufeffthe\tD\n"), delimiter="\t")
    assert words == [["the"]]


def test_read_conll_ends_a_sentence_with_its_document(write):
    assert read_conll(write("a X\n-DOCSTART- -X- O\nb Y\n"))[0] == [["a"], ["b"]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [None, " "])
def test_read_conll_with_any_line_ends(write, end, delimiter):
    path = write(end.join(["-DOCSTART- -X-", "", "a X", "b Y", "", "c X"]))
    assert read_conll(path, delimiter=delimiter) == ([["a", "b"], ["c"]], [["X", "Y"], ["X"]])
    with pytest.raises(ValueError, match="line 3: expected columns"):
        read_conll(path, columns=[2], delimiter=delimiter)


@pytest.mark.parametrize("columns", [1, None, ("word", "tag"), (0.0, 1)])
def test_read_conll_columns_that_are_none(write, columns):
    with pytest.raises(TypeError, match=r"columns is .*; expected a sequence of integers, such as"):
        read_conll(write("a b\n"), columns=columns)


def test_read_conll_columns_and_delimiter(write):
    path = write("New York\tNNP\tB\nis\tVBZ\tO")
    tags, words, again = read_conll(path, columns=(-2, 0, 0), delimiter="\t")
    assert tags == [["NNP", "VBZ"]]
    assert words == again == [["New York", "is"]]


def test_read_conll_names_the_line_with_too_few_columns(write):
    with pytest.raises(ValueError, match=r"line 2: expected columns \(0, 2\), got 2: \['b', 'c'\]"):
        read_conll(write("a b c\nb c\n"), columns=(0, 2))


@pytest.mark.parametrize("delimiter", [None, "\t"])
@pytest.mark.parametrize("line", ["dog", "dog\tNN\tX\tO"])
def test_read_conll_names_the_line_with_another_number_of_columns(write, line, delimiter):
    """A word without its tag is not its own tag."""
    path = write(f"-DOCSTART-\n\nthe\tDT\tO\n\n{line}\n")
    with pytest.raises(ValueError, match=r"file, line 5: expected 3 columns, .* got \d: \['dog'"):
        read_conll(path, delimiter=delimiter)


@pytest.mark.parametrize(
    "content, columns", [("the\ndog\n", (0, -1)), ("a b c\n", (1, 2, -2)), ("a b\n", (-2, 0))]
)
def test_read_conll_columns_that_are_the_same_one(write, content, columns):
    with pytest.raises(ValueError, match=r"file, line 1: expected different columns \(.* same one"):
        read_conll(write(content), columns=columns)
    assert read_conll(write(content), columns=columns[:1] * 2)[0]


@pytest.mark.parametrize("space", ["\u00a0", "\u2009", "\u3000", "\x1f", "\x85", "\u2028"])
def test_blanks_and_tabs_alone_separate(write, space):
    path = write(f" 10{space}000 \t CD\t\n{space} SP\n")
    assert read_conll(path) == ([[f"10{space}000", space]], [["CD", "SP"]])
    path = write(f"10{space}000\n{space}\n \t\n{space}a{space}\n", name="words")
    assert read_conll(path, columns=[0]) == ([[f"10{space}000", space], [f"{space}a{space}"]],)
    path = write(f" 10{space}000/CD \t {space}/SP\t\n", name="tagged")
    assert read_tagged(path) == ([[f"10{space}000", space]], [["CD", "SP"]])


@pytest.mark.parametrize("line", ["dog\t", "\tN", "dog\t \r", "\t\tN"])
def test_read_conll_names_the_line_with_an_empty_column(write, line):
    with pytest.raises(ValueError, match=r"line 2: expected no empty column of \(0, -1\), got \['"):
        read_conll(write(f"the\tD\n{line}\n"), delimiter="\t")


def test_read_conll_columns_that_are_not_returned_may_be_empty(write):
    path = write("\tthe\tD\t\r\n\t\t\t\r\n\tdog\tN\t\r\n")
    assert read_conll(path, columns=(1, 2), delimiter="\t") == ([["the"], ["dog"]], [["D"], ["N"]])


def test_read_conll_names_the_file_that_is_not_utf8(write):
    with pytest.raises(ValueError, match="file: not a text in UTF-8"):
        read_conll(write("a\tb".encode("utf-16")))


# -- MNIST -----------------------------------------------------------------------------------------


def write_images(folder, label, parts=("images-idx3", "labels-idx1")):
    """A set of two images with that label, or a part of it."""
    folder.mkdir(parents=True)
    content = {
        "images-idx3": idx(8, (2, 1, 1), bytes([label] * 2)),
        "labels-idx1": idx(8, (2,), bytes([label] * 2)),
    }
    for part in parts:
        (folder / f"train-{part}-ubyte").write_bytes(content[part])


@pytest.mark.parametrize("place", ["MNIST/raw", "copies/mnist", "mnist"])
def test_mnist_beside_other_sets_of_the_same_names(home, place):
    write_images(home / "FashionMNIST" / "raw", label=1)
    write_images(home / "KMNIST" / "raw", label=2)
    write_images(home / place, label=7)
    X, y = load_mnist(return_X_y=True)
    assert set(X.ravel()) == {7} == set(y)


def test_mnist_takes_images_and_labels_from_one_folder(home):
    write_images(home / "a", label=1, parts=["images-idx3"])
    write_images(home / "b", label=2, parts=["labels-idx1"])
    with pytest.raises(FileNotFoundError, match="train-images-idx3-ubyte and train-labels-idx1-ub"):
        load_mnist()
    write_images(home / "c", label=3)
    X, y = load_mnist(return_X_y=True)
    assert set(X.ravel()) == {3} == set(y)


@pytest.mark.parametrize("places", [("FashionMNIST", "KMNIST"), ("a/mnist", "b/MNIST")])
def test_mnist_in_several_folders(home, places):
    for label, place in enumerate(places):
        write_images(home / place, label)
    with pytest.raises(ValueError, match=f"2 folders hold .*{places[0]}, .*{places[1]}; expected"):
        load_mnist()


@pytest.fixture
def tiny_mnist(home):
    """A folder with three images to train with and two to test."""
    for part, n in (("train", 3), ("t10k", 2)):
        pixels = np.arange(n * 6, dtype=np.uint8) + n
        (home / f"{part}-images-idx3-ubyte").write_bytes(idx(8, (n, 2, 3), pixels.tobytes()))
        labels = gzip.compress(idx(8, (n,), bytes(range(n))))
        (home / f"{part}-labels-idx1-ubyte.gz").write_bytes(labels)


@pytest.mark.parametrize("subset, digits", [("train", [0, 1, 2]), ("test", [0, 1])])
def test_load_mnist(tiny_mnist, subset, digits):
    bunch, n = load_mnist(subset=subset), len(digits)
    assert bunch.data.dtype == np.uint8 and bunch.target.dtype == np.int64
    np.testing.assert_array_equal(bunch.data, np.arange(n * 6).reshape(n, 2, 3) + n)
    assert bunch.target.tolist() == digits and bunch.target_names[9] == "9"


def test_all_of_mnist(tiny_mnist):
    X, y = load_mnist(subset="all", return_X_y=True)
    assert X.shape == (5, 2, 3) and y.tolist() == [0, 1, 2, 0, 1]


def test_mnist_that_does_not_belong_together(tiny_mnist, home):
    (home / "train-images-idx3-ubyte").write_bytes(idx(8, (1, 2, 3), bytes(6)))
    with pytest.raises(ValueError, match=r"shape \(1, 2, 3\) and .* \(3,\); expected images"):
        load_mnist()
    with pytest.raises(ValueError, match="subset is 'valid'; expected 'train', 'test' or 'all'"):
        load_mnist(subset="valid")


# -- the larger data sets, where they are ----------------------------------------------------------

needs_data = pytest.mark.skipif(
    datasets.DATA_VARIABLE not in os.environ,
    reason="SEQLEARN_LSTM_DATA does not name a folder with the larger data sets",
)


@needs_data
def test_installed_part_is_the_start_of_the_full_japanese_vowels():
    for subset, n_sequences in (("train", 270), ("test", 370)):
        full = load_japanese_vowels(subset=subset, full=True)
        assert len(full.data) == len(full.target) == n_sequences
        assert len(full.target_names) == 9
        part = load_japanese_vowels(subset=subset)
        for speaker in range(3):
            theirs = np.flatnonzero(full.target == speaker)[:30]
            ours = np.flatnonzero(part.target == speaker)
            for i, j in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(part.data[i], full.data[j])


@needs_data
@pytest.mark.parametrize("subset, n_images", [("train", 60_000), ("test", 10_000)])
def test_full_mnist(subset, n_images):
    images, digits = load_mnist(subset=subset, return_X_y=True)
    assert images.shape == (n_images, 28, 28) and images.dtype == np.uint8
    assert digits.shape == (n_images,)
    assert set(digits) == set(range(10))


@needs_data
def test_full_spoken_digits():
    X, y = load_spoken_digits(return_X_y=True)
    lengths = [len(sequence) for sequence in X]
    assert len(X) == len(y) == 3000
    assert (min(lengths), max(lengths), sum(lengths)) == (6, 92, 53_999)
    assert {(sequence.shape[1], sequence.dtype.name) for sequence in X} == {(13, "float32")}
    np.testing.assert_array_equal(np.bincount(y), [300] * 10)


@needs_data
def test_conll2000():
    words, _, chunks = read_conll(find_data("conll2000/test.txt"), columns=(0, 1, 2))
    assert len(words) == 2012
    assert sum(map(len, words)) == sum(map(len, chunks)) == 47_377
    assert {tag[0] for sentence in chunks for tag in sentence} == set("BIO")
