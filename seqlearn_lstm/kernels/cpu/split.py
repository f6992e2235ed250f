"""How the work of a recurrent layer is split.

By sequences, each share takes some of them through all steps: the threads never wait for one another,
but each reads all weights at every step. By units, each share computes some units of every step, for
all sequences: it reads its part of the weights alone, which may stay in its core's cache, and the
threads meet after every step. That gains where a thread has few sequences and weights are large. The bits
are the same.
"""

from .layout import panel_columns
from .threads import GRAIN, available_threads, run

# Bytes of the weights from where on it gains, with how many sequences for each thread at most: where a core's
# cache has room for the weights and little else, and where it has none.
BY_UNITS = ((2**20, 3), (2**21, 12))
FEWEST_ROWS = 3  # a product of fewer takes as long as this: reading the weights


def run_layer(by_sequences, by_units, args, weights, live, slots, n_padded, n_jobs):
    """Run a recurrent layer's kernel on at most `n_jobs` threads, in one of its two forms.

    by_units  None: there is no such form, for what this layer computes
    """
    rows, n_threads = int(slots[-2]) / live.size, min(n_jobs, available_threads())
    few = any(weights.nbytes >= least and rows <= most * n_threads for least, most in BY_UNITS)
    work = int(max(rows, FEWEST_ROWS)) * weights.size  # of a step
    n_panels = -(-n_padded // panel_columns(n_padded, weights.dtype))
    if by_units and few and min(n_threads, n_panels, work // GRAIN) > 1:
        run(by_units, args, n_jobs, work, n_panels)
    else:
        run(by_sequences, args, n_jobs, int(slots[-2]) * weights.size, int(live[0]))
