"""Files of data sets, compressed with gzip or not: opened, and read line by line; errors name them."""

import gzip
import tarfile
import zlib
from contextlib import contextmanager


@contextmanager
def opened(path):
    """Open a file for reading bytes, through gzip where its first two bytes say so."""
    with open(path, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    with naming_errors(path), (gzip.open if compressed else open)(path, "rb") as file:
        yield file


@contextmanager
def naming_errors(path):
    """Name the file, which Python does not, where its content is damaged or no UTF-8."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.ReadError) as error:
        raise ValueError(f"{path}: the file is cut short or damaged: {error}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text in UTF-8: {error}") from error


def lines_in(path, errors="strict"):
    """Yield for each line of a text file where it stands, for messages, and its text, no end."""
    with opened(path) as file:
        yield from lines_of(file, path, errors)


def lines_of(file, path, errors="strict"):
    """Yield the same of an open file of bytes."""
    # A file has lines that end in "\n", whatever stands before it; or in "\r" alone, as in `read_text`.
    lines = (line for part in file for line in part.rstrip(b"\r\n").split(b"\r"))
    for number, line in enumerate(lines, start=1):
        # The mark that some editors put before the first line is none of its characters.
        encoding = "utf-8-sig" if number == 1 else "utf-8"
        yield f"{path}, line {number}", line.decode(encoding, errors)
