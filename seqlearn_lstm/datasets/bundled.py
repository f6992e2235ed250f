"""Data sets by name: a part of one is installed with the package, the rest is the user's own."""

import io
import zlib
from importlib import resources
from zipfile import BadZipFile

import numpy as np
from sklearn.utils import Bunch

from .files import opened
from .formats import read_ts
from .home import find_data


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
        If `subset` is none of the three, or a file has no speakers from 1 to 9 as its labels.
    FileNotFoundError
        If `full` is true and the files are not found.

    References
    ----------
    Kudo, M., J. Toyama and M. Shimbo (1999), "Multidimensional Curve Classification Using
    Passing-Through Regions", Pattern Recognition Letters 20 (11-13), 1103-1111. From the UCI
    Machine Learning Repository, under CC BY 4.0.
    """
    splits = {"train": ["train"], "test": ["test"], "all": ["train", "test"]}.get(subset)
    if splits is None:
        raise ValueError(f"subset is {subset!r}; expected 'train', 'test' or 'all'")
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

    Reads ``spoken_digits.npz`` (with or without ``.gz``) from the folder that
    ``SEQLEARN_LSTM_DATA`` names: an archive with `X` (n_rows, n_features), the frames of all
    recordings one after another; `lengths` (n_sequences,), the number of frames of each; and `y`
    (n_sequences,), the digits.

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
        If the file is no such archive, or its `lengths` are not positive or do not add up to the
        rows of `X`.

    References
    ----------
    The Free Spoken Digit Dataset, under CC BY-SA 4.0.
    """
    path = find_data("spoken_digits.npz")
    rows, lengths, target = _read_archive(path, ["X", "lengths", "y"])
    if rows.ndim != 2 or lengths.dtype.kind not in "iu" or lengths.ndim != 1 or target.ndim != 1:
        raise ValueError(
            f"{path}: X has shape {rows.shape}, lengths {lengths.shape} of {lengths.dtype} and y "
            f"{target.shape}; expected (n_rows, n_features), whole numbers (n_sequences,) and "
            "(n_sequences,)"
        )
    if not lengths.size or lengths.min() < 1:
        raise ValueError(f"{path}: lengths is {lengths}; expected positive numbers of rows")
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


def _read_archive(path, names):
    """The arrays of these names in a file of ``numpy.savez``, compressed with gzip or not."""
    with opened(path) as file:
        content = io.BytesIO(file.read())
    try:
        with np.load(content) as archive:
            return [archive[name] for name in names]
    except (BadZipFile, EOFError, KeyError, TypeError, ValueError, zlib.error) as error:
        raise ValueError(
            f"{path}: not an archive of arrays {names}, or it is damaged: {error}"
        ) from error


def _split(rows, lengths):
    """Cut rows (n_rows, n_features) into a list of sequences, each an array of its own."""
    # Copies, not views: a sequence that someone changes must not change, or keep alive, the rest.
    return [part.copy() for part in np.split(rows, np.cumsum(lengths)[:-1])]


def _installed_data(name):
    return resources.files("seqlearn_lstm") / "data" / name


def _installed_japanese_vowels(split):
    """Return the sequences and the speakers (from 1) of a split of the part in the package."""
    with _installed_data("japanese_vowels.npz").open("rb") as file, np.load(file) as archive:
        rows, lengths = archive[f"{split}_rows"], archive[f"{split}_lengths"]
        return _split(rows, lengths), archive[f"{split}_labels"]


def _full_japanese_vowels(split):
    """Return the same of the user's own copy of the full data set."""
    path = find_data(f"japanese_vowels/JapaneseVowels_{split.upper()}.ts")
    sequences, labels = read_ts(path)
    found = set() if labels is None else set(labels.tolist())
    if not found or not found <= set("123456789"):
        raise ValueError(f"{path}: the labels are {sorted(found)}; expected speakers from 1 to 9")
    return sequences, labels.astype(np.int64)
