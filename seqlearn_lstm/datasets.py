"""Data to try the estimators on, and readers of the formats that sequence data come in.

Nothing here is downloaded. :func:`load_japanese_vowels` reads a small file that is installed with
the package; whatever else is loaded by name is looked up in the folder that the environment
variable ``SEQLEARN_LSTM_DATA`` names. The readers (:func:`read_ts`, :func:`read_idx`,
:func:`read_conll`) take a path to any file of their format, compressed with gzip or not.

Sequences are always a list of ``(n_timesteps_i, n_features)`` arrays, as the estimators take them.
"""

import gzip
import os
from importlib import resources
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

__all__ = [
    "data_home",
    "find_data",
    "load_japanese_vowels",
    "load_spoken_digits",
    "read_conll",
    "read_idx",
    "read_ts",
]

DATA_VARIABLE = "SEQLEARN_LSTM_DATA"

# The types of the idx format: the code in the third byte of a file -> how its values are stored.
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


# -- data sets -------------------------------------------------------------------------------------


def load_japanese_vowels(*, subset="train", full=False, return_X_y=False):
    """Load the *Japanese Vowels* data set: who is speaking? (classification)

    Male speakers uttered two vowels; each utterance is a sequence of 7 to 29 frames of 12 LPC
    cepstrum coefficients, and the label is the speaker. A small part is installed with the package:
    the first 30 training and the first 30 test utterances of speakers 1, 2 and 3 (180 sequences).
    The full set (9 speakers, 270 + 370 sequences) is read from your own copy.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        Which of the official parts to load; "all" is the training part followed by the test part.
    full : bool, default=False
        Read the full data set, ``JapaneseVowels_TRAIN.ts`` and ``JapaneseVowels_TEST.ts`` (with or
        without ``.gz``), from the folder that ``SEQLEARN_LSTM_DATA`` names.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a `Bunch`.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : list of n_sequences arrays of shape (n_timesteps_i, 12), float32
            The coefficients, in the order of time, as published (no unit, not standardised).
        target : ndarray of shape (n_sequences,), int64
            The speaker, counted from 0: an index into `target_names`.
        feature_names : list of str
            "lpc_cepstrum_1" to "lpc_cepstrum_12".
        target_names : ndarray of str
            "speaker_1", "speaker_2", ...
        DESCR : str
            The description, with the source and the licence.

    Raises
    ------
    ValueError
        If `subset` is none of the three.
    FileNotFoundError
        If `full` is true and the files are not found.

    References
    ----------
    M. Kudo, J. Toyama and M. Shimbo (1999), "Multidimensional Curve Classification Using
    Passing-Through Regions", Pattern Recognition Letters 20 (11-13), 1103-1111. From the UCI
    Machine Learning Repository, under CC BY 4.0.
    """
    splits = {"train": ["train"], "test": ["test"], "all": ["train", "test"]}.get(subset)
    if splits is None:
        raise ValueError(f"subset must be 'train', 'test' or 'all', got {subset!r}")
    read = _full_japanese_vowels if full else _installed_japanese_vowels
    parts = [read(split) for split in splits]
    data = [sequence for sequences, _ in parts for sequence in sequences]
    target = np.concatenate([labels for _, labels in parts]).astype(np.int64) - 1
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        feature_names=[f"lpc_cepstrum_{i}" for i in range(1, 13)],
        target_names=np.array([f"speaker_{i + 1}" for i in range(9 if full else 3)]),
        DESCR=_installed_data("README").read_text(encoding="utf-8"),
    )


def load_spoken_digits(*, return_X_y=False):
    """Load spoken digits (0 to 9) as MFCC sequences of 6 to 92 steps. (classification)

    Reads ``spoken_digits.npz`` from the folder that ``SEQLEARN_LSTM_DATA`` names: an archive with
    `X` (n_rows, n_features), the frames of all recordings one after another; `lengths`
    (n_sequences,), the number of frames of each; and `y` (n_sequences,), the digits.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a `Bunch`.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With `data` (a list of (n_timesteps_i, n_features) arrays), `target` (n_sequences,) and
        `DESCR`.

    Raises
    ------
    FileNotFoundError
        If the file is not found.
    ValueError
        If the archive's `lengths` do not add up to the rows of `X`.

    References
    ----------
    The Free Spoken Digit Dataset, under CC BY-SA 4.0.
    """
    path = find_data("spoken_digits.npz")
    with np.load(path) as archive:
        rows, lengths, target = archive["X"], archive["lengths"], archive["y"]
    if lengths.sum() != len(rows) or len(lengths) != len(target):
        raise ValueError(
            f"{path}: X has {len(rows)} rows and y {len(target)} labels, but lengths has "
            f"{len(lengths)} entries that add up to {lengths.sum()}"
        )
    data = _split(rows, lengths)
    if return_X_y:
        return data, target
    descr = "Spoken digits as MFCC sequences. Free Spoken Digit Dataset, CC BY-SA 4.0."
    return Bunch(data=data, target=target, DESCR=descr)


def data_home():
    """Return the folder that the environment variable ``SEQLEARN_LSTM_DATA`` names.

    Returns
    -------
    folder : pathlib.Path

    Raises
    ------
    FileNotFoundError
        If the variable is not set, or names no folder.
    """
    name = os.environ.get(DATA_VARIABLE)
    if not name:
        raise FileNotFoundError(
            f"the environment variable {DATA_VARIABLE} is not set: set it to the folder that "
            "holds your data sets"
        )
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{DATA_VARIABLE} is {name!r}, which is not a folder: set it to the folder that holds "
            "your data sets"
        )
    return folder


def find_data(name):
    """Find a file of a data set in the folder that ``SEQLEARN_LSTM_DATA`` names.

    The file may be compressed (``name.gz``) or not, and may lie at `name` itself or, copies of
    public data sets being kept in many ways, in any folder below under the same file name.

    Parameters
    ----------
    name : str
        A path relative to the folder, such as ``"mnist/train-labels-idx1-ubyte"``.

    Returns
    -------
    path : pathlib.Path

    Raises
    ------
    FileNotFoundError
        If the variable is not set, or there is no such file.
    """
    folder = data_home()
    plain = Path(name.removesuffix(".gz"))
    forms = [Path(name), plain, plain.with_name(plain.name + ".gz")]
    for form in forms:
        if (folder / form).is_file():
            return folder / form
    for form in forms:
        # Sorted, so that the answer does not depend on the order in which a disk lists its files.
        for path in sorted(folder.rglob(form.name)):
            if path.is_file():
                return path
    raise FileNotFoundError(
        f"no {plain.name} or {plain.name}.gz in the folder that {DATA_VARIABLE} names ({folder}): "
        "put the file there, or set the variable to the folder that holds it"
    )


# -- formats ---------------------------------------------------------------------------------------


def read_ts(path, *, dtype=np.float32):
    """Read a ``.ts`` file, the text format of the time-series classification archives.

    Sequences may be of unequal length and have any number of dimensions. A missing value (``?`` or
    ``NaN``) becomes NaN. Time stamps are not supported.

    Parameters
    ----------
    path : str or path-like
        The file, compressed with gzip or not.
    dtype : dtype, default=numpy.float32
        The type of the values.

    Returns
    -------
    X : list of n_sequences arrays of shape (n_timesteps_i, n_dimensions)
        In the order of the file.
    y : ndarray of shape (n_sequences,) or None
        The class labels as strings; the targets as float64 where the header says
        ``@targetLabel true`` (regression); None where the file has neither.

    Raises
    ------
    ValueError
        If the file is not of this format; the message names the line.
    """
    header, cases = {}, []
    # Comments may be in any encoding; the header and the values that are read here are ASCII.
    for where, line in _lines(path, errors="replace"):
        if not line or line.startswith("#"):
            continue
        if "data" in header:
            cases.append((where, line))
        elif line.startswith("@"):
            key, _, value = line[1:].partition(" ")
            header[key.lower()] = value.strip().lower()
        else:
            raise ValueError(f"{where}: values before the line '@data'")
    if "data" not in header:
        raise ValueError(f"{path}: not a .ts file, it has no line '@data'")
    if header.get("timestamps") == "true":
        raise ValueError(f"{path}: a .ts file with time stamps cannot be read; store plain values")
    return _parse_ts(cases, header, dtype)


def read_idx(path):
    """Read an idx file, the format of MNIST: an array of any type and number of dimensions.

    Parameters
    ----------
    path : str or path-like
        The file, compressed with gzip or not.

    Returns
    -------
    array : ndarray
        Of the shape and type that the file's header says, in this machine's byte order.

    Raises
    ------
    ValueError
        If the file is not of this format, or is shorter or longer than its header says.
    """
    with _open(path) as file:
        content = file.read()
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in IDX_TYPES:
        raise ValueError(
            f"{path}: not an idx file, it starts with the bytes {content[:4].hex(' ')}"
        )
    stored, start = np.dtype(IDX_TYPES[content[2]]), 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError(f"{path}: the file ends inside its header")
    shape = tuple(int(n) for n in np.frombuffer(content[4:start], dtype=">u4"))
    expected = start + stored.itemsize * int(np.prod(shape, dtype=object))
    if len(content) != expected:
        raise ValueError(
            f"{path}: expected {expected} bytes for an array of shape {shape}, got {len(content)}"
        )
    values = np.frombuffer(content, dtype=stored, offset=start)
    return values.reshape(shape).astype(stored.newbyteorder("="))


def read_conll(path, *, columns=(0, -1), delimiter=None, comment=None):
    """Read a file of tagged sentences: a token per line, columns, a blank line between sentences.

    Lines of ``-DOCSTART-``, which some corpora put between documents, are left out.

    Parameters
    ----------
    path : str or path-like
        The file (UTF-8), compressed with gzip or not.
    columns : sequence of int, default=(0, -1)
        Which columns to return, counted from 0, or from -1 at the end: by default the first and the
        last, which are mostly the word and the tag.
    delimiter : str, optional
        What separates columns; any white space by default.
    comment : str, optional
        Lines that start with this are left out, for instance ``"#"``.

    Returns
    -------
    *parts : list of list of str, as many as `columns`
        For each column its sentences, and for each sentence its tokens' values:
        ``words, tags = read_conll(path)``.

    Raises
    ------
    ValueError
        If a line has too few columns; the message names the line.
    """
    sentences = [[]]
    for where, line in _lines(path):
        if (comment and line.startswith(comment)) or line.startswith("-DOCSTART-"):
            continue
        if not line:
            sentences.append([])
            continue
        values = line.split(delimiter)
        try:
            sentences[-1].append([values[column] for column in columns])
        except IndexError:
            raise ValueError(
                f"{where}: expected columns {tuple(columns)}, got {len(values)}: {values}"
            ) from None
    sentences = [sentence for sentence in sentences if sentence]
    return tuple(
        [[token[k] for token in sentence] for sentence in sentences] for k in range(len(columns))
    )


# -- helpers ---------------------------------------------------------------------------------------


def _open(path):
    """Open a file for reading bytes, through gzip where its first two bytes say so."""
    with open(path, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return (gzip.open if compressed else open)(path, "rb")


def _lines(path, errors="strict"):
    """Yield for each line of a text file where it stands, for messages, and its stripped text."""
    with _open(path) as file:
        for number, line in enumerate(file, start=1):
            yield f"{path}, line {number}", line.decode("utf-8", errors).strip()


def _split(rows, lengths):
    """Cut rows (n_rows, n_features) into a list of sequences, each an array of its own."""
    # Copies, not views: a sequence that someone changes must not change, or keep alive, the rest.
    return [part.copy() for part in np.split(rows, np.cumsum(lengths)[:-1])]


def _parse_ts(cases, header, dtype):
    """Return X and y of the data lines `cases`, pairs of where a line stands and its text."""
    # The value of @classLabel is "true" and then the classes, or "false".
    is_true = {
        key: header.get(key, "").split()[:1] == ["true"] for key in ("classlabel", "targetlabel")
    }
    X, labels = [], []
    for where, line in cases:
        parts = line.split(":")
        if any(is_true.values()):
            labels.append(parts.pop().strip())
        X.append(_parse_ts_dimensions(parts, where, dtype))
        if X[-1].shape[1] != X[0].shape[1]:
            raise ValueError(
                f"{where}: expected {X[0].shape[1]} dimensions as before, got {X[-1].shape[1]}"
            )
    if is_true["targetlabel"]:
        return X, np.array(labels, dtype=np.float64)
    return X, np.array(labels) if is_true["classlabel"] else None


def _parse_ts_dimensions(parts, where, dtype):
    """Return a sequence (n_timesteps, n_dimensions) from its dimensions' texts ``1.5,2,?``."""
    values = [part.replace("?", "nan").split(",") for part in parts]
    lengths = [len(dimension) for dimension in values]
    if len(set(lengths)) != 1:
        raise ValueError(f"{where}: the dimensions differ in length: {lengths}")
    try:
        return np.ascontiguousarray(np.array(values, dtype=np.float64).T, dtype=dtype)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _installed_data(name):
    return resources.files(__package__) / "data" / name


def _installed_japanese_vowels(split):
    """Return the sequences and the speakers (from 1) of a split of the part in the package."""
    with _installed_data("japanese_vowels.npz").open("rb") as file, np.load(file) as archive:
        rows, lengths = archive[f"{split}_rows"], archive[f"{split}_lengths"]
        return _split(rows, lengths), archive[f"{split}_labels"]


def _full_japanese_vowels(split):
    """Return the same of the user's own copy of the full data set."""
    sequences, labels = read_ts(find_data(f"japanese_vowels/JapaneseVowels_{split.upper()}.ts"))
    return sequences, labels.astype(np.int64)
