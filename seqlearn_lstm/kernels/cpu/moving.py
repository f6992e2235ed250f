"""The entry points that move rows, mask them and multiply them: each a kernel and the size of its work."""

from . import dropout, gemm, rows, sliced, transposition
from .target import TILE_ROWS
from .threads import COPY_WORK, run
from .tile import link

ROW_WORK = 1000  # as many multiply-adds take as long as a row that lies anywhere in memory


def gather(source, source_column, index, out, out_column, width, n_jobs):
    args = (source, source_column, index, out, out_column, width)
    run(rows.gather, args, n_jobs, index.size * (width * COPY_WORK + ROW_WORK), index.size)


def dropout_mask(out, sequences, key, rate, n_jobs):
    args = (out, sequences, key, rate)
    run(dropout.dropout_mask, args, n_jobs, out.size * COPY_WORK, len(out))


def scale_rows(x, column, mask, live, slots, width, n_jobs):
    args, n_rows = (x, column, mask, live, slots, width), int(slots[live.size])
    run(dropout.scale_rows, args, n_jobs, n_rows * width * COPY_WORK, n_rows)


def put_rows(source, index, out, width, n_jobs):
    args = (source, index, out, width)
    run(rows.put_rows, args, n_jobs, index.size * width * COPY_WORK, index.size)


def multiply(out, a, a_rows, K, piece, b, n_rows, n_columns, n_jobs, training=False):
    if training and sliced.multiply(out, a, a_rows, K, piece, b, n_rows, n_columns, n_jobs):
        return
    link(b.dtype)
    args = (out, a, a_rows, K, piece, b, n_rows, n_columns)
    run(gemm.multiply, args, n_jobs, n_rows * b.size, -(-n_rows // TILE_ROWS))


def outer(dW, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride, n_jobs):
    link(dW.dtype)
    if sliced.outer(dW, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride, n_jobs):
        return
    args = (dW, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride)
    run(gemm.outer, args, n_jobs, n_rows * dW.size, -(-n_inputs // TILE_ROWS))


def transpose(out, W, n_inputs, n_columns, first_input, n_used, n_jobs):
    args = (out, W, n_inputs, n_columns, first_input, n_used)
    run(transposition.transpose, args, n_jobs, out.size * COPY_WORK, n_columns)
