"""Texts as sequences of characters: the reader, two well-known texts, and a made-up one."""

import math
import re
import unicodedata
from numbers import Integral

from sklearn.utils import Bunch, check_random_state

from .files import opened
from .home import find_data

# What Project Gutenberg prints around a book.
_BEGIN = re.compile(r"^\*\*\* ?START OF .*$", re.MULTILINE)
_END = re.compile(r"^\*\*\* ?END OF .*$", re.MULTILINE)

_STRAIGHT = str.maketrans({"\u2018": "'", "\u2019": "'"})
_OTHERS = re.compile(r"[^a-z.,:;!?']+")

# A grammar: each name stands for one of its lines, all equally likely; a line that stands twice is
# twice as likely. The verb agrees with the first noun, however near the other one stands.
_RULES = {
    "sentence": ["the {quality}{one} {place}{does}{how}.", "the {quality}{many} {place}{do}{how}."],
    "quality": ["", "", "old ", "small ", "quiet ", "merry "],
    "one": ["dog", "miller", "rider", "sister", "goose", "gardener"],
    "many": ["dogs", "millers", "riders", "sisters", "geese", "gardeners"],
    "place": ["", "{where} the {thing} "],
    "where": ["near", "behind", "under", "beyond"],
    "thing": ["hill", "hills", "river", "rivers", "tower", "towers", "garden", "gardens"],
    "does": ["sings", "waits", "runs", "sleeps", "laughs", "listens"],
    "do": ["sing", "wait", "run", "sleep", "laugh", "listen"],
    "how": ["", "", " alone", " all day", " in the rain"],
}
_NAME = re.compile(r"\{(\w+)\}")


def read_text(path):
    r"""Read a text file.

    Parameters
    ----------
    path : str or path-like
        The file (UTF-8), compressed with gzip or not.

    Returns
    -------
    text : str
        Lines end in ``"\n"``, whatever their ends are in the file. The lines that Project Gutenberg
        puts before and after a book, with its licence, are left out.

    Raises
    ------
    ValueError
        If the file is not UTF-8, or holds nothing.
    """
    with opened(path) as file:
        text = file.read().decode("utf-8-sig")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    begin = _BEGIN.search(text)
    start = begin.end() if begin else 0
    end = _END.search(text, start)
    text = text[start : end.start() if end else None]
    text = text.strip("\n") + "\n" if begin or end else text
    if not text.strip():
        raise ValueError(f"{path}: the file holds no text")
    return text


def normalize_text(text):
    r"""Write a text with 34 symbols.

    They are the small letters a to z, the space, and ``. , : ; ! ? '``.

    Capitals become small, letters lose their accents, curved apostrophes become straight. Whatever
    else stands there, such as line ends, dashes, quotation marks and digits, becomes a space, and
    several spaces become one.

    Parameters
    ----------
    text : str

    Returns
    -------
    normalized : str

    Examples
    --------
    >>> from seqlearn_lstm.datasets import normalize_text
    >>> normalize_text("The widow she cried over me--and called me a poor lost LAMB, \ndéjà!")
    'the widow she cried over me and called me a poor lost lamb, deja!'
    """
    letters = unicodedata.normalize("NFKD", text.translate(_STRAIGHT).lower())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _OTHERS.sub(" ", plain).strip()


def load_shakespeare():
    """Load *tinyshakespeare*: pieces of Shakespeare's plays as one text of 1,115,394 characters.

    Reads ``tinyshakespeare.txt`` (with or without ``.gz``) from the folder that
    ``SEQLEARN_LSTM_DATA`` names. The text has 65 different characters.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : str
            The text.
        DESCR : str
            The source and the licence.

    Raises
    ------
    FileNotFoundError
        If the file is not found.

    References
    ----------
    Karpathy, A. (2015), "The Unreasonable Effectiveness of Recurrent Neural Networks". The text is
    in the public domain.
    """
    return Bunch(
        data=read_text(find_data("tinyshakespeare.txt")),
        DESCR="Pieces of Shakespeare's plays. Collected by A. Karpathy (2015). Public domain.",
    )


def load_huckleberry_finn(*, normalize=True):
    """Load the novel *Adventures of Huckleberry Finn* as one text.

    Reads ``huckleberry_finn.txt`` (with or without ``.gz``) from the folder that
    ``SEQLEARN_LSTM_DATA`` names: Project Gutenberg's, with its licence around it or without.

    Parameters
    ----------
    normalize : bool, default=True
        Write it with the 34 symbols of :func:`normalize_text`: about 555,000 characters.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : str
            The text.
        DESCR : str
            The source and the licence.

    Raises
    ------
    FileNotFoundError
        If the file is not found.
    ValueError
        If the file is not UTF-8, or holds nothing.

    References
    ----------
    Twain, M. (1884), "Adventures of Huckleberry Finn". In the public domain.
    """
    text = read_text(find_data("huckleberry_finn.txt"))
    return Bunch(
        data=normalize_text(text) if normalize else text,
        DESCR="Adventures of Huckleberry Finn, M. Twain (1884). Project Gutenberg. Public domain.",
    )


def make_text(n_sentences=1_000, *, random_state=None):
    """Make up a text of simple sentences, and say how well it can be predicted at best.

    The sentences are drawn from a small grammar. How a verb ends depends on a noun that may stand
    three words before it, with another noun in between.

    Parameters
    ----------
    n_sentences : int, default=1_000
        How many; each has about 35 characters.
    random_state : int, RandomState instance or None, default=None
        Fixes what is drawn.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : str
            The text, of 22 different characters at most.
        score : float
            The mean logarithm of a character's probability, in nats, for someone who knows the
            grammar: comparable with `LSTMLanguageModel.score` of this text, and, but for luck, the
            best score that there can be.

    Raises
    ------
    TypeError
        If `n_sentences` is no whole number.
    ValueError
        If `n_sentences` is not above 0.

    Examples
    --------
    >>> from seqlearn_lstm.datasets import make_text
    >>> made_up = make_text(2, random_state=0)
    >>> made_up.data
    'the merry dog beyond the rivers waits all day. the old geese under the hill sing in the rain. '
    >>> round(made_up.score, 3)
    -0.252
    """
    if not isinstance(n_sentences, Integral):
        raise TypeError(f"n_sentences is {n_sentences!r}; expected a whole number")
    if n_sentences < 1:
        raise ValueError(f"n_sentences is {n_sentences}; expected at least 1")
    rng = check_random_state(random_state)
    sentences, total = [], 0.0
    for _ in range(n_sentences):
        sentence, score = _expand("{sentence}", rng)
        sentences.append(f"{sentence} ")
        total += score
    text = "".join(sentences)
    return Bunch(data=text, score=total / len(text))


def _expand(line, rng):
    """Put a line for each name in `line`; returns the text and the logarithm of its probability.

    No text comes about in two ways, so that this is the probability of the text itself.
    """
    total = 0.0

    def chosen(match):
        nonlocal total
        lines = _RULES[match[1]]
        line = lines[rng.randint(len(lines))]
        text, score = _expand(line, rng)
        total += score + math.log(lines.count(line) / len(lines))
        return text

    return _NAME.sub(chosen, line), total
