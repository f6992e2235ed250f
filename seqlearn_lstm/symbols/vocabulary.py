"""The vocabulary: the code of each symbol."""

import itertools
import warnings
from collections import Counter
from contextlib import suppress
from enum import Enum

import numpy as np

from ..sequences import Sequences, offsets_of

UNKNOWN = 0  # the code of every symbol that a vocabulary does not know


class Mark(Enum):
    """Symbols that stand for no part of a sequence.

    `END` stands before and after the sequences of a language model.
    """

    END = "end"


END = Mark.END


class Vocabulary:
    """The symbols that an estimator knows, each with its code.

    Parameters
    ----------
    known : iterable of hashable
        The symbols with the codes 1, 2, ..., each once.

    Attributes
    ----------
    symbols : list
        The symbol of each code, in a list of the caller's own. The first, None, stands for all
        unknown symbols.

    Raises
    ------
    ValueError
        If a symbol occurs twice.
    """

    def __init__(self, known):
        self._symbols = [None, *known]
        self._codes = {symbol: code for code, symbol in enumerate(self._symbols) if code != UNKNOWN}
        if len(self._codes) < len(self._symbols) - 1:
            twice = next(
                s for code, s in enumerate(self._symbols) if code and self._codes[s] != code
            )
            raise ValueError(
                f"known has the symbol {twice!r:.80} more than once; expected each once"
            )

    @classmethod
    def learn(cls, sequences, min_count=1, max_vocabulary=None):
        """Learn which symbols there are: the frequent first, equally frequent ones sorted.

        Parameters
        ----------
        sequences : list of sequences
            Each a string, a list, a tuple or a 1-D array of symbols.
        min_count : int, default=1
            How often a symbol must occur to be known.
        max_vocabulary : int, default=None
            Largest number of known symbols, not counting the unknown one; None: all.

        Returns
        -------
        vocabulary : Vocabulary
            Where symbols do not sort, being of different types, equally frequent ones stand in
            the order of their first appearance.
        """
        counts = Counter()
        for x in sequences:
            counts.update(_steps(x))
        known = [symbol for symbol, count in counts.items() if count >= min_count]
        with suppress(TypeError):  # of different types: they stay as they first appeared
            known = sorted(known)
        known.sort(key=counts.__getitem__, reverse=True)  # stable: ties stay as they are
        return cls(map(_plain, known[:max_vocabulary]))

    @property
    def symbols(self):
        return list(self._symbols)

    def encode(self, sequences):
        """Return the codes of all symbols.

        Parameters
        ----------
        sequences : list of sequences
            Each a string, a list, a tuple or a 1-D array of symbols; it may be empty.

        Returns
        -------
        encoded : Sequences
            With rows of shape (n_rows, 1), int64; `UNKNOWN` where a symbol is not known.
        """
        warn_of_texts(sequences, self)
        offsets = offsets_of(np.fromiter(map(len, sequences), np.int64, len(sequences)))
        symbols = itertools.chain.from_iterable(map(_steps, sequences))
        codes = map(self._codes.get, symbols, itertools.repeat(UNKNOWN))
        return Sequences(np.fromiter(codes, np.int64, offsets[-1])[:, None], offsets)

    def decode(self, codes):
        """Return the symbols of codes.

        Parameters
        ----------
        codes : ndarray of int of shape (n,)

        Returns
        -------
        symbols : ndarray of shape (n,), object
            None for `UNKNOWN`.
        """
        found = np.empty(len(codes), dtype=object)
        found[:] = [self._symbols[code] for code in codes.tolist()]
        return found

    @property
    def _has_words(self):
        return any(map(_is_text, self._symbols))

    def __len__(self):
        """Return the number of codes, that of the unknown symbol included."""
        return len(self._symbols)

    def __contains__(self, symbol):
        """Tell whether a symbol is known."""
        return symbol in self._codes

    def __reduce__(self):
        """Pickle the symbols; the codes follow from them."""
        return type(self), (self._symbols[1:],)


def warn_of_texts(sequences, vocabulary, name="X"):
    """Warn where strings are read, as sequences of characters, though `vocabulary` has words."""
    if any(map(_is_text, sequences)) and vocabulary._has_words:
        warnings.warn(
            f"{name} holds strings, each of which is read as the sequence of its characters, but among the "
            "symbols are words; expected lists of words, such as text.split(), or list(text) where characters "
            "are meant",
            UserWarning,
            stacklevel=2,
        )


def _is_text(value):
    """Whether a sequence, or a symbol, is a string of several characters."""
    return isinstance(value, str) and len(value) > 1


def _steps(x):
    """Return what yields the symbols of a checked sequence as Python's own values."""
    return x.tolist() if isinstance(x, np.ndarray) else x


def _plain(symbol):
    return symbol.item() if isinstance(symbol, (np.str_, np.integer, np.bool_)) else symbol
