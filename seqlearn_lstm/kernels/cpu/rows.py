"""Moving rows of a batch: from the container into slots, from one direction or layer to the
next.
"""

from .compile import kernel


@kernel
def gather(source, source_column, index, out, out_column, width):
    """out[k, out_column + j] = source[index[k], source_column + j] for j < width; zeros where
    index[k] < 0.

    source (any, >= source_column + width); index (n,) int64; out (>= n, >= out_column + width).
    """
    for k in range(index.shape[0]):
        i = index[k]
        if i < 0:
            for j in range(width):
                out[k, out_column + j] = 0.0
        else:
            for j in range(width):
                out[k, out_column + j] = source[i, source_column + j]


@kernel
def scatter_add(source, source_column, index, out, out_column, width):
    """out[index[k], out_column + j] += source[k, source_column + j] for j < width, where index[k]
    >= 0, in order of k.
    """
    for k in range(index.shape[0]):
        i = index[k]
        if i >= 0:
            for j in range(width):
                out[i, out_column + j] += source[k, source_column + j]
