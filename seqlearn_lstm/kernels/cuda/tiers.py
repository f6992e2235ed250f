"""Which kernels of a layer run: those for every GPU and size, or those for clusters of blocks."""

import numpy as np

CLUSTERS = 9, 0  # the first compute capability that has them
MOST_UNITS = 256  # whose recurrent weights fit into the registers of 8 blocks, a cluster's most


def tier(n_units, dtype, capability):
    """The tier of an LSTM without options: "cluster" or "portable".

    Parameters
    ----------
    n_units : int
    dtype : dtype
    capability : pair of int
        Compute capability of the device.
    """
    fits = np.dtype(dtype) == np.float32 and n_units <= MOST_UNITS
    return "cluster" if fits and tuple(capability) >= CLUSTERS else "portable"
