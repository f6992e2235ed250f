"""Checks over all sequences at once; only a failure looks for the culprit."""

import math

import numpy as np

from .lengths import place_of


def check_any(n_sequences):
    if n_sequences == 0:
        raise ValueError("X holds 0 sequences, 0 sample(s); a minimum of 1 is required.")


def check_not_empty(lengths):
    if not lengths.all():
        raise ValueError(
            f"sequence {np.argmin(lengths != 0)} of X has length 0; expected at least 1 time step "
            "(trailing time steps of a 3-D X in which every feature is NaN are padding)"
        )


def check_steps(shapes, n_features, name, hint=""):
    """Check the shape of one time step in each sequence: (n_features,), or () for one feature."""
    for index, shape in enumerate(shapes):
        width = math.prod(shape)
        if width == 0:
            raise ValueError(f"sequence {index} of X has 0 feature(s); a minimum of 1 is required.")
        if n_features not in (None, width):
            raise ValueError(
                f"X has {width} features, but {name} is expecting {n_features} features as input "
                f"(sequence {index} of X). {hint}".rstrip()
            )
        if shape != shapes[0]:
            raise ValueError(
                f"sequence {index} of X has {_describe(shape)}, but sequence 0 has "
                f"{_describe(shapes[0])}; expected the same in every sequence"
            )


def _describe(shape):
    return f"{shape[0]} features (2-D)" if shape else "no axis of features (1-D)"


def check_finite(sequences, originals):
    finite = np.isfinite(sequences.rows)
    if finite.all():
        return
    row, feature = np.argwhere(~finite)[0]
    index, step = place_of(row, sequences.offsets)
    value, dtype = np.ravel(originals[index][step])[feature], sequences.rows.dtype
    what = f"a value too large for {dtype} ({value:.3g})"
    what = "infinity" if np.isinf(value) else "NaN" if np.isnan(value) else what
    raise ValueError(
        f"sequence {index} of X contains {what} at time step {step}, feature {feature}; expected "
        "finite numbers. Impute, drop or scale such values first."
    )
