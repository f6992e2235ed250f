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
    folder = Path(os.path.expanduser(name))  # which, as a shell does, leaves "~nobody" as it is
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{DATA_VARIABLE} is {name!r}, which is not a folder: set it to the folder that holds "
            "your data sets"
        )
    return folder


def find_data(name):
    """Find a file of a data set in the folder that ``SEQLEARN_LSTM_DATA`` names.

    The file may be compressed (``name.gz``) or not. It may lie at `name` itself or, since people keep
    public data sets in many ways, under the same file name in any folder below.

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
    ValueError
        If there are several, and none at `name` itself.
    """
    home, plain = data_home(), Path(name.removesuffix(".gz"))
    if paths := _all_in(home / plain.parent, [plain.name]):
        return paths[0]
    found = _folders_of(home, [plain.name])
    if not found:
        raise FileNotFoundError(
            f"no {plain.name} or {plain.name}.gz in the folder that {DATA_VARIABLE} names ({home}): "
            "put the file there, or set the variable to the folder that holds it"
        )
    _check_one(found, [plain.name], home / plain.parent)
    return _all_in(found[0], [plain.name])[0]


def find_set(name, files):
    """Find files of a data set that lie in one folder: other sets may have files of the same names.

    This is the folder `name` itself; else one somewhere below whose path has a part of that name, in
    small or capital letters, such as ``MNIST/raw``; else any that holds all of the files.

    Parameters
    ----------
    name : str
        The data set's folder.
    files : sequence of str
        Names of files, without ``.gz``.

    Returns
    -------
    paths : list of pathlib.Path

    Raises
    ------
    FileNotFoundError
        If the variable is not set, or no folder holds all of the files.
    ValueError
        If several folders do that are equally good.
    """
    home = data_home()
    if paths := _all_in(home / name, files):
        return paths
    found = _folders_of(home, files)
    named = [place for place in found if name in _parts(place.relative_to(home))]
    found = named or found
    if not found:
        raise FileNotFoundError(
            f"no folder in the one that {DATA_VARIABLE} names ({home}) holds {' and '.join(files)}, "
            f"with or without .gz: put them into {home / name}, or set the variable to the folder "
            "that holds them"
        )
    _check_one(found, files, home / name)
    return _all_in(found[0], files)


def _folders_of(home, files):
    """All folders below `home` that hold all files."""
    places = {path.parent for form in _forms(files[0]) for path in home.rglob(form)}
    return [place for place in sorted(places) if _all_in(place, files)]


def _check_one(folders, files, place):
    """Raise ValueError where several folders hold the files; `place`: where they were expected."""
    if len(folders) > 1:
        raise ValueError(
            f"{len(folders)} folders hold {' and '.join(files)}: {', '.join(map(str, folders))}; "
            f"expected one. Put what is meant into {place}, or set {DATA_VARIABLE} to the folder that "
            "is meant"
        )


def _all_in(folder, files):
    """The paths of all files, compressed or not; an empty list: one of them is not there."""
    stored = [[folder / form for form in _forms(name)] for name in files]
    paths = [next(filter(Path.is_file, forms), None) for forms in stored]
    return paths if all(paths) else []


def _forms(name):
    return name, f"{name}.gz"


def _parts(path):
    return [part.lower() for part in path.parts]
