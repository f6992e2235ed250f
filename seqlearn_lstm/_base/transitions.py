"""Transitions: what a language model reads, and what comes next.

Codes are those of a language model's vocabulary, whose last symbol is `END`. Its code is a mark: it
is read before the first symbol of each sequence, and comes next after the last one.
"""

import numpy as np

from ..sequences import Sequences, offsets_of, place_of
from ..symbols import END, as_collection, check_symbols

_NO_END = "expected sequences without it: the end of each is known from its length"


def transitions(X, vocabulary, ends):
    """Each sequence as what is read step by step, and what comes next at each step.

    Parameters
    ----------
    X : str, or list of sequences of symbols
    vocabulary : Vocabulary
    ends : bool
        Whether the end of a sequence comes next after its last symbol; False: nothing does, and
        the last symbol is not read.

    Returns
    -------
    inputs : Sequences
        The codes that are read: the mark, then the symbols.
    following : ndarray of shape (n_rows,), int64
        The code that comes after each row of `inputs`.
    """
    codes, mark = encoded(X, vocabulary), mark_of(vocabulary)
    inputs = _marked(codes, mark)
    following = np.append(inputs.rows[1:, 0], mark)
    if ends:
        return inputs, following
    kept = np.ones(len(following), dtype=bool)
    kept[inputs.offsets[1:] - 1] = False
    return Sequences(inputs.rows[kept], codes.offsets), following[kept]


def begun(X, vocabulary):
    """Sequences to go on from, as codes, each with the mark of its beginning; they may be empty."""
    X = as_sequences(X)
    empty = np.array([_is_empty(x) for x in X])
    # Of an empty one the mark alone is read, whatever symbol stands here.
    X = ["?" if is_empty else x for x, is_empty in zip(X, empty, strict=True)]
    return _marked(encoded(X, vocabulary), mark_of(vocabulary), empty)


def encoded(X, vocabulary):
    """Sequences of symbols as codes. They must not hold the mark of an end: all are given one."""
    codes = vocabulary.encode(check_symbols(as_sequences(X)))
    rows = np.flatnonzero(codes.rows[:, 0] == mark_of(vocabulary))
    if len(rows):
        i, step = place_of(rows[0], codes.offsets)
        raise ValueError(f"sequence {i} of X has symbols.END at time step {step}; {_NO_END}")
    return codes


def refuse_end(symbol):
    """Refuse the mark of an end as a step."""
    if symbol is END:
        raise ValueError(f"the step is symbols.END; {_NO_END}")


def in_pieces(stream, n):
    """A stream as n sequences of nearly one length."""
    n_rows = len(stream.rows)
    n = min(int(n or 1), n_rows)
    return Sequences(stream.rows, np.linspace(0, n_rows, n + 1).astype(np.int64))


def as_sequences(X):
    """X as a list or tuple of sequences, of which a text is one."""
    return [X] if isinstance(X, str) else as_collection(X)


def refuse_lengths(lengths):
    """Refuse what only arrays of numbers need."""
    if lengths is not None:
        raise ValueError(
            "lengths was given with X of symbols; expected a text, or a list of sequences of "
            "symbols, which carry their own lengths"
        )


def mark_of(vocabulary):
    """The code of `END`."""
    return len(vocabulary) - 1


def _marked(codes, mark, empty=False):
    """Sequences of codes, with a mark before each; of those that are `empty` the mark alone."""
    empty = np.broadcast_to(empty, len(codes))
    offsets = offsets_of(np.where(empty, 1, codes.lengths + 1))
    rows, is_code = np.full((offsets[-1], 1), mark), np.ones(offsets[-1], dtype=bool)
    is_code[offsets[:-1]] = False
    rows[is_code] = codes.rows[~np.repeat(empty, codes.lengths)]
    return Sequences(rows, offsets)


def _is_empty(x):
    return len(x) == 0 if isinstance(x, str | list | tuple) else np.shape(x)[:1] == (0,)
