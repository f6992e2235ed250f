"""Words with their tags, in columns or as ``word/tag``: the readers, and the Brown corpus."""

import operator
import re
import tarfile
from fnmatch import fnmatchcase as fnmatch
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from .files import lines_in, lines_of, naming_errors
from .home import data_home, find_data

# What blanks and tabs separate: a no-break space, which str.split() takes for one, is part of a word.
_UNBROKEN = re.compile(r"[^ \t]+")


def read_conll(path, *, columns=(0, -1), delimiter=None, comment=None):
    """Read a file of tagged sentences: a token per line, columns, a blank line between sentences.

    Lines of ``-DOCSTART-``, which some corpora put between documents, end a sentence and are left
    out.

    Parameters
    ----------
    path : str or path-like
        The file (UTF-8), compressed with gzip or not.
    columns : sequence of int, default=(0, -1)
        Which columns to return, counted from 0, or from -1 at the end: by default the first and the
        last, which are mostly the word and the tag.
    delimiter : str, default=None
        What separates columns; None: any blanks and tabs.
    comment : str, default=None
        Lines that start with this are left out, for instance ``"#"``. None: no line is.

    Returns
    -------
    *parts : list of list of str, as many as `columns`
        For each column its sentences, and for each sentence its tokens' values:
        ``words, tags = read_conll(path)``.

    Raises
    ------
    TypeError
        If `columns` is no sequence of integers.
    ValueError
        If a line has too few columns, or not as many as the first one, or nothing in one of
        `columns`; or if two of these are the same one, as 0 and -1 are where there is one only. The
        message names the line.
    """
    try:
        columns = tuple(map(operator.index, columns))
    except TypeError:
        raise TypeError(
            f"columns is {columns!r}; expected a sequence of integers, such as (0, -1)"
        ) from None
    sentences, n_columns = [[]], None
    for where, line in lines_in(path):
        # With a delimiter, what stands between two of them may be blank, at the ends as well.
        line = line.strip(" \t") if delimiter is None else line
        if comment and line.startswith(comment):
            continue
        if not line.strip(" \t") or line.startswith("-DOCSTART-"):
            sentences.append([])
            continue
        values = _UNBROKEN.findall(line) if delimiter is None else line.split(delimiter)
        n_columns = n_columns or len(values)
        sentences[-1].append(_token(values, columns, n_columns, where))
    sentences = [sentence for sentence in sentences if sentence]
    return tuple(
        [[token[k] for token in sentence] for sentence in sentences] for k in range(len(columns))
    )


def _token(values, columns, n_columns, where):
    """The values in these columns of a line; the first line of the file has `n_columns`."""
    try:
        token = [values[column] for column in columns]
    except IndexError:
        raise ValueError(
            f"{where}: expected columns {columns}, got {len(values)}: {values}"
        ) from None
    # Blanks alone: a no-break space is a word of some corpora.
    if not all(value.strip(" \t") for value in token):
        raise ValueError(f"{where}: expected no empty column of {columns}, got {values}")
    if len(values) != n_columns:
        raise ValueError(
            f"{where}: expected {n_columns} columns, as in the first line, got {len(values)}: "
            f"{values}"
        )
    if len({column % n_columns for column in columns}) < len(set(columns)):
        raise ValueError(
            f"{where}: expected different columns {columns}, but two of them are the same one of "
            f"{n_columns}: {values}"
        )
    return token


def read_tagged(path, *, files="*", cut_at=""):
    """Read tagged text in the format of the Brown corpus: a sentence per line, ``word/tag``.

    Parameters
    ----------
    path : str or path-like
        A file (UTF-8), compressed with gzip or not; a folder of such files; or an archive of them
        (``.tar``, compressed in any way that Python knows, such as ``.tgz``).
    files : str, default="*"
        A pattern of the names of files to read in a folder or an archive, as in a shell. They are
        read in the order of their names, in all folders below.
    cut_at : str, default=""
        Characters at which tags are cut, one after another, where each first appears, unless nothing
        would be left: ``"-+*$"`` makes `np` of `np$-tl`, but leaves `*`.

    Returns
    -------
    words : list of list of str
        The words of each sentence. What stands before the last ``/`` is the word.
    tags : list of list of str
        Their tags.

    Raises
    ------
    ValueError
        If there is no such file, or one is damaged or not UTF-8; or if a token has no tag or no
        word; the message names the line.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from seqlearn_lstm.datasets import read_tagged
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "text").write_text("The/at jury's/nn$ 1/2/cd ./.")
    ...     read_tagged(folder, cut_at="$")
    ([['The', "jury's", '1/2', '.']], [['at', 'nn', 'cd', '.']])
    """
    words, tags, known = [], [], {}
    for where, line in _lines_below(path, files):
        tokens = [token.rpartition("/") for token in _UNBROKEN.findall(line)]
        for word, slash, tag in tokens:
            if not (word and slash and tag):
                raise ValueError(f"{where}: expected word/tag, got {word + slash + tag!r}")
            if tag not in known:
                known[tag] = _cut(tag, cut_at)
        if tokens:
            words.append([word for word, _, _ in tokens])
            tags.append([known[tag] for _, _, tag in tokens])
    return words, tags


def load_brown(*, cut_at="-+*$", return_X_y=False):
    """Load the Brown corpus: English sentences, a part of speech for each word. (tagging)

    Reads the folder ``brown`` in the folder that ``SEQLEARN_LSTM_DATA`` names, or else the archive
    ``brown.tgz``: the files of the tagged form, ``ca01`` to ``cr09``. The corpus has 57,340
    sentences of 1,161,192 words in 15 genres, one after another; a split by position therefore
    compares genres.

    Parameters
    ----------
    cut_at : str, default="-+*$"
        Characters at which tags are cut, one after another, where each first appears, unless nothing
        would be left. The default leaves 82 tags: it removes the marks of titles, headlines,
        negations and possessives, and all but the first of joint tags. ``""`` leaves the tags as they
        are.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a `Bunch`.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : list of n_sequences lists of str
            The words of each sentence.
        target : list of n_sequences lists of str
            The tag of each word.
        target_names : ndarray of str
            All tags, sorted.
        DESCR : str
            The source and the licence.

    Raises
    ------
    FileNotFoundError
        If there is neither the folder nor the archive.
    ValueError
        If there is none of these files in it, or one cannot be read, as in `read_tagged`.

    References
    ----------
    Francis, W. N., and H. Kucera (1964, revised 1979), "A Standard Corpus of Present-Day Edited
    American English", Brown University. For non-commercial purposes.
    """
    folder = data_home() / "brown"
    path = folder if folder.is_dir() else find_data("brown.tgz")
    words, tags = read_tagged(path, files="c[a-r][0-9][0-9]", cut_at=cut_at)
    if return_X_y:
        return words, tags
    return Bunch(
        data=words,
        target=tags,
        target_names=np.array(sorted({tag for sentence in tags for tag in sentence})),
        DESCR="Brown corpus, tagged. Francis and Kucera (1964, 1979). Non-commercial purposes.",
    )


def _cut(tag, characters):
    for character in characters:
        tag = tag.split(character, 1)[0] or tag
    return tag


def _lines_below(path, files):
    """Yield where a line stands and its text, for all lines of a file, a folder or an archive."""
    path = Path(path)
    if path.is_dir():
        return _lines_in_folder(path, files)
    with naming_errors(path):
        is_archive = tarfile.is_tarfile(path)
    return _lines_in_archive(path, files) if is_archive else lines_in(path)


def _lines_in_folder(folder, files):
    found = [path for path in folder.rglob("*") if path.is_file() and fnmatch(path.name, files)]
    for path in sorted(found):
        yield from lines_in(path)
    _check_any(found, folder, files)


def _lines_in_archive(path, files):
    with naming_errors(path), tarfile.open(path) as archive:
        found = [
            member
            for member in archive
            if member.isfile() and fnmatch(Path(member.name).name, files)
        ]
        for member in sorted(found, key=lambda member: member.name):
            inside = path / member.name
            with naming_errors(inside), archive.extractfile(member) as file:
                yield from lines_of(file, inside)
    _check_any(found, path, files)


def _check_any(found, path, files):
    if not found:
        raise ValueError(f"{path}: no file in it has a name like {files!r}")
