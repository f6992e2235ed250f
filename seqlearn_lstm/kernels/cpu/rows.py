"""Moving rows of a batch: from the container into slots, from one direction or layer to the next."""

from .compile import kernel, part
from .share import hand_out
from .simd import load, load_first, store, store_first
from .target import VECTOR_BYTES


@part
def copy_row(source, s, out, o, width):
    """out[o : o + width] = source[s : s + width], flat."""
    L = VECTOR_BYTES // out.itemsize
    whole = width // L * L
    for j in range(0, whole, L):
        store(out, o + j, load(source, s + j))
    if whole < width:
        store_first(out, o + whole, load_first(source, s + whole, width - whole), width - whole)


@kernel
def gather(source, source_column, index, out, out_column, width, share, n_shares, launcher):
    """out[k, out_column + j] = source[index[k], source_column + j] for j < width; zeros where index[k] < 0.

    source (any, >= source_column + width); index (n,) int64; out (>= n, >= out_column + width), of one dtype. A share is a
    range of rows of `out`.
    """
    if launcher != 0:
        hand_out()
        return
    n, lds, ldo = index.shape[0], source.shape[1], out.shape[1]
    for k in range(share * n // n_shares, (share + 1) * n // n_shares):
        o = k * ldo + out_column
        if index[k] < 0:
            out[k, out_column : out_column + width] = 0.0
        else:
            copy_row(source, index[k] * lds + source_column, out, o, width)


@kernel
def scatter_add(source, source_column, index, out, out_column, width):
    """out[index[k], out_column + j] += source[k, source_column + j] for j < width, where index[k] >= 0, in order of k."""
    for k in range(index.shape[0]):
        i = index[k]
        if i >= 0:
            for j in range(width):
                out[i, out_column + j] += source[k, source_column + j]


@kernel
def put_rows(source, index, out, width, share, n_shares, launcher):
    """out[index[k], j] = source[k, j] for j < width; the rows of `index` are distinct. A share is a
    range of rows of `source`.
    """
    if launcher != 0:
        hand_out()
        return
    n, lds, ldo = index.shape[0], source.shape[1], out.shape[1]
    for k in range(share * n // n_shares, (share + 1) * n // n_shares):
        copy_row(source, k * lds, out, index[k] * ldo, width)
