"""DataFrames as sequences: their columns are the features, which stand in one order."""

import numpy as np


def common_frame(X):
    """One DataFrame for all in a collection, which must have the same columns.

    Parameters
    ----------
    X : object
        Anything. Arrays beside DataFrames have no names: their columns are taken in that order.

    Returns
    -------
    frame : DataFrame or None
        The first of them; None if there is none.

    Raises
    ------
    ValueError
        If a DataFrame has other columns than the first, or the same in another order.
    """
    sequences = collected(X)
    kinds = tuple(kind for kind in set(map(type, sequences)) if _is_frame_type(kind))
    if not kinds:  # as nearly always
        return None
    frames = [(i, x) for i, x in enumerate(sequences) if isinstance(x, kinds)]
    first_index, first = frames[0]
    expected = list(first.columns)
    for index, frame in frames[1:]:
        if list(frame.columns) != expected:
            raise ValueError(
                f"sequence {index} of X has the columns {list(frame.columns)}, but sequence "
                f"{first_index} has {expected}; expected the same in every sequence, in the same "
                "order"
            )
    return first


def collected(X):
    """The sequences of a list, a tuple, an object array or a Series; nothing of other forms."""
    if isinstance(X, (list, tuple)):
        return X
    if not hasattr(X, "__array__") or len(getattr(X, "shape", ())) != 1:
        return ()
    array = np.asarray(X)
    return array if array.dtype == object else ()


def _is_frame_type(kind):
    """Whether a type is that of DataFrames: of pandas, polars and the like."""
    return all(hasattr(kind, name) for name in ("columns", "dtypes", "__array__"))
