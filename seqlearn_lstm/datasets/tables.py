"""Data sets that come as one table, a ``.csv`` file: film reviews and visits to a shop."""

import csv
import io
import re
from numbers import Integral

import numpy as np
from sklearn.utils import Bunch

from .files import opened
from .home import find_data

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_WORD = re.compile(r"[a-z0-9']+")


def load_imdb(*, subset="train", n_test=5_000, return_X_y=False):
    """Load film reviews as sequences of words: does the writer like the film? (classification)

    Reads ``imdb_reviews.csv`` (with or without ``.gz``) from the folder that ``SEQLEARN_LSTM_DATA``
    names: a table with the columns `text` and `label` (0 or 1). Without duplicates, there are 24,904
    published reviews. The table has no split and may be sorted, so reviews are shuffled, always in
    the same way (``numpy.random.default_rng(0).permutation``), and the last ones held out.

    Words are what ``[a-z0-9']+`` finds in the text, after it is put in small letters and without
    ``<br />``.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        Which part to load; "all" is the training part followed by the test part.
    n_test : int, default=5_000
        How many reviews are held out.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a `Bunch`.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : list of n_sequences lists of str
            The words of each review.
        target : ndarray of shape (n_sequences,), int64
            An index into `target_names`.
        target_names : ndarray of str
            "negative" and "positive".
        DESCR : str
            The source and the licence.

    Raises
    ------
    TypeError
        If `n_test` is no whole number.
    ValueError
        If a parameter is none of the above, or the file is no such table, or has a review without
        any word, which would be a sequence of no step; the message names the line.
    FileNotFoundError
        If the file is not found.

    References
    ----------
    Maas, A. L., et al. (2011), "Learning Word Vectors for Sentiment Analysis", Proceedings of the
    49th Annual Meeting of the ACL, 142-150. For research.
    """
    if subset not in ("train", "test", "all"):
        raise ValueError(f"subset is {subset!r}; expected 'train', 'test' or 'all'")
    if not isinstance(n_test, Integral):
        raise TypeError(f"n_test is {n_test!r}; expected a whole number")
    texts, target = _read_reviews(find_data("imdb_reviews.csv"))
    if not 0 <= n_test <= len(texts):
        raise ValueError(f"n_test is {n_test}; expected 0 to {len(texts)}, the number of reviews")
    order = np.random.default_rng(0).permutation(len(texts))
    n_train = len(texts) - n_test
    order = {"train": order[:n_train], "test": order[n_train:], "all": order}[subset]
    data, target = [_WORD.findall(texts[i]) for i in order], target[order]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=np.array(["negative", "positive"]),
        DESCR="Film reviews of IMDb as words. Maas et al. (2011). Research use.",
    )


def load_shop_sessions():
    """Load visits to a web shop as sequences of events: what will a visitor do next?

    Reads ``ecommerce_sessions.csv`` (with or without ``.gz``) from the folder that
    ``SEQLEARN_LSTM_DATA`` names: a table with a row for each event and the columns `session_id`,
    `event` and `timestamp` (such as ``2024-03-13 10:21:14``), in any order; other columns are not
    read. The data are synthetic: 3,605 visits of 31,106 events of 19 types.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : list of n_sequences lists of str
            The events of each session in the order of time; events of the same second, and the
            sessions themselves, are in the order of the file.
        timestamps : list of n_sequences arrays of shape (n_timesteps_i,), datetime64[s]
            The time of each event.
        session_ids : list of str
            The name of each session.
        event_names : list of str
            All types of events, sorted.
        DESCR : str
            The source and the licence.

    Raises
    ------
    ValueError
        If the file is no such table; the message names the line.
    FileNotFoundError
        If the file is not found.

    References
    ----------
    A synthetic click stream of a web shop, under the Apache License 2.0.
    """
    sessions = {}
    columns = ("session_id", "event", "timestamp")
    for where, (session, event, time) in _read_columns(
        find_data("ecommerce_sessions.csv"), columns
    ):
        sessions.setdefault(session, []).append((_time(time, where), event))
    for events in sessions.values():
        events.sort(key=lambda pair: pair[0])  # stable
    data = [[event for _, event in events] for events in sessions.values()]
    return Bunch(
        data=data,
        timestamps=[np.array([time for time, _ in events]) for events in sessions.values()],
        session_ids=list(sessions),
        event_names=sorted({event for events in data for event in events}),
        DESCR="Visits to a web shop, synthetic. Apache License 2.0.",
    )


def _read_reviews(path):
    """Return the texts, in small letters and without ``<br />``, and the labels, an array of 0 and 1."""
    texts, labels = [], []
    for where, (text, label) in _read_columns(path, ("text", "label")):
        if label not in ("0", "1"):
            raise ValueError(f"{where}: expected the label 0 or 1, got {label!r}")
        plain = text.lower().replace("<br />", " ")
        if not _WORD.search(plain):
            raise ValueError(f"{where}: expected a text of at least one word, got {text!r:.80}")
        texts.append(plain)
        labels.append(int(label))
    return texts, np.array(labels, np.int64)


def _time(text, where):
    try:
        if _DAY.match(text):  # NumPy reads "now" as well, "NaT", and any number as a year
            return np.datetime64(text, "s")
    except ValueError:
        pass
    raise ValueError(f"{where}: expected a time stamp such as 2024-03-13 10:21:14, got {text!r}")


def _read_columns(path, columns):
    """Yield for each row of a table where it stands, for messages, and its values in `columns`."""
    with opened(path) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        reader = csv.reader(text)
        rows = _rows(reader, path)
        names = next(rows, [])
        missing = [column for column in columns if column not in names]
        if missing:
            raise ValueError(f"{path}: expected the columns {list(columns)}, got {names}")
        places = [names.index(column) for column in columns]
        for values in filter(None, rows):  # csv gives blank lines as empty rows
            where = f"{path}, line {reader.line_num}"
            if len(values) != len(names):
                raise ValueError(f"{where}: expected {len(names)} values, got {len(values)}")
            yield where, [values[place] for place in places]


def _rows(reader, path):
    """Yield the rows of a table; csv's own errors name no line."""
    try:
        yield from reader
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from error
