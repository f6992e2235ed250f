"""Readers of two formats that sequence data come in: ``.ts`` and idx."""

import numpy as np

from .files import lines_in, opened

# The types of the idx format: the code in the third byte of a file -> how its values are stored.
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_ts(path, *, dtype=np.float32):
    """Read a ``.ts`` file, the text format of the time-series classification archives.

    Sequences may be of unequal length and have any number of dimensions. A missing value (``?`` or
    ``NaN``) becomes NaN. Time stamps are not supported.

    Parameters
    ----------
    path : str or path-like
        The file, compressed with gzip or not.
    dtype : dtype, default=numpy.float32
        The type of the values. One of whole numbers takes these only, and no missing value.

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
        If the file is not of this format, or has a value that `dtype` cannot hold; the message names
        the line.
    """
    header, cases = {}, []
    # What is not used may be in any encoding: bytes that are not UTF-8 become surrogates.
    for where, line in lines_in(path, errors="surrogateescape"):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if "data" in header:
            _check_utf8(line, where)
            cases.append((where, line))
        elif line.startswith("@"):
            key, *values = line[1:].lower().split() or [""]
            if key == "classlabel":
                _check_utf8(line, where)
            header[key] = values
        else:
            raise ValueError(f"{where}: values before the line '@data'")
    if "data" not in header:
        raise ValueError(f"{path}: not a .ts file, it has no line '@data'")
    if header.get("timestamps") == ["true"]:
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
    with opened(path) as file:
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
    try:
        return values.reshape(shape).astype(stored.newbyteorder("="))
    except ValueError as error:  # more dimensions than NumPy has
        raise ValueError(f"{path}: no array can have the shape of its header: {error}") from None


def _check_utf8(line, where):
    """Raise where a line that was read with "surrogateescape" has bytes that are not UTF-8."""
    try:
        line.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"{where}: not a text in UTF-8: {line.encode(errors='surrogateescape')!r:.80}"
        ) from None


def _parse_ts(cases, header, dtype):
    """Return X and y of the data lines `cases`, pairs of where a line stands and its text."""
    has_targets = header.get("targetlabel", [])[:1] == ["true"]
    # The values of @classLabel are "true" and then the classes, or "false".
    has_labels, *classes = header.get("classlabel") or ["false"]
    has_labels = has_labels == "true"
    X, labels = [], []
    for where, line in cases:
        parts = line.split(":")
        if has_targets:
            labels.append(_parse_ts_target(parts.pop(), where))
        elif has_labels:
            labels.append(_parse_ts_label(parts.pop(), classes, where))
        X.append(_parse_ts_dimensions(parts, where, dtype))
        if X[-1].shape[1] != X[0].shape[1]:
            raise ValueError(
                f"{where}: expected {X[0].shape[1]} dimensions as before, got {X[-1].shape[1]}"
            )
    if has_targets:
        return X, np.array(labels, dtype=np.float64)
    return X, np.array(labels) if has_labels else None


def _parse_ts_target(text, where):
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{where}: expected a target at the end, got {text!r}") from None


def _parse_ts_label(text, classes, where):
    """Return the label that ends a line; `classes` are those of the header, in small letters."""
    label = text.strip()
    if classes and label.lower() not in classes:
        raise ValueError(
            f"{where}: expected one of the classes {classes} at the end, got {label!r}"
        )
    return label


def _parse_ts_dimensions(parts, where, dtype):
    """Return a sequence (n_timesteps, n_dimensions) from its dimensions' texts ``1.5,2,?``."""
    values = [part.replace("?", "nan").split(",") for part in parts]
    lengths = [len(dimension) for dimension in values]
    if len(set(lengths)) != 1:
        raise ValueError(f"{where}: the dimensions differ in length: {lengths}")
    try:
        numbers = np.array(values, dtype=np.float64).T
        with np.errstate(invalid="ignore"):  # NaN as a whole number, which is refused below
            sequence = np.ascontiguousarray(numbers, dtype=dtype)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    if sequence.dtype.kind in "iub" and (sequence != numbers).any():
        raise ValueError(
            f"{where}: expected values of type {sequence.dtype}, got "
            f"{numbers[sequence != numbers][0]}; read them as floats"
        )
    return sequence
