"""Chunks of labels, read as conlleval does."""

from typing import NamedTuple

# What stands before the first hyphen of a label -> the letter whose rules it follows. conlleval
# reads IOB1 and IOB2 by the same rules: the name of a scheme says which letters may occur.
SCHEMES = {
    "iob1": {"I": "I", "O": "O", "B": "B"},
    "iob2": {"I": "I", "O": "O", "B": "B"},
    "ioe1": {"I": "I", "O": "O", "E": "E"},
    "ioe2": {"I": "I", "O": "O", "E": "E"},
    "iobes": {"I": "I", "O": "O", "B": "B", "E": "E", "S": "S"},
    "bilou": {"I": "I", "O": "O", "B": "B", "L": "E", "U": "S"},
}


class Chunk(NamedTuple):
    """A run of steps ``labels[start:stop]`` of one type."""

    type: str
    start: int
    stop: int


def get_chunks(labels, scheme="iob2"):
    """The chunks of one sequence, as conlleval finds them.

    Parameters
    ----------
    labels : array-like of str of shape (n_timesteps,)
        "O", or a letter of the scheme, a hyphen and the type of the chunk: "B-PER". The type is
        everything after the first hyphen; without a hyphen it is empty.
    scheme : {"iob1", "iob2", "ioe1", "ioe2", "iobes", "bilou"}, default="iob2"
        Which letters there are; see :mod:`seqlearn_lstm.metrics` for their rules.

    Returns
    -------
    chunks : list of (type, start, stop)
        In the order of time; a chunk is ``labels[start:stop]``.

    Raises
    ------
    ValueError
        If a label does not belong to the scheme.

    Examples
    --------
    >>> from seqlearn_lstm.metrics import get_chunks
    >>> [tuple(chunk) for chunk in get_chunks(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"])]
    [('PER', 0, 2), ('LOC', 3, 4), ('LOC', 4, 5)]
    """
    return chunks_of(labels, letters_of(scheme), "")


def letters_of(scheme):
    if scheme not in SCHEMES:
        raise ValueError(f"there is no scheme {scheme!r}; there are {sorted(SCHEMES)}")
    return SCHEMES[scheme]


def chunks_of(labels, letters, where):
    """The chunks of a sequence; `where` names it in errors."""
    found, start = [], None
    last, last_type = "O", ""
    for step, label in enumerate(labels):
        prefix, _, kind = label.partition("-") if isinstance(label, str) else ("", "", "")
        letter = letters.get(prefix)
        if letter is None:
            raise ValueError(
                f"label {label!r} at time step {step}{where} is not of the scheme; expected 'O', "
                f"or one of {sorted(set(letters) - {'O'})} followed by a hyphen and a type"
            )
        starts = letter != "O" and (
            last in ("O", "E", "S") or letter in ("B", "S") or kind != last_type
        )
        if start is not None and (starts or letter == "O"):
            found.append(Chunk(last_type, start, step))
            start = None
        if starts:
            start = step
        last, last_type = letter, kind
    if start is not None:
        found.append(Chunk(last_type, start, len(labels)))
    return found
