"""The folder of data sets that an environment variable names."""

import os
from pathlib import Path

DATA_VARIABLE = "SEQLEARN_LSTM_DATA"


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
