"""Which kernels of a layer run: those for every GPU and size, or those for clusters of blocks."""

import numpy as np

CLUSTERS = 9, 0  # the first compute capability that has them: of 8 blocks at least
LARGE_CLUSTERS = 9, 10  # the major ones known to have them of 16 blocks, too

# Whose recurrent weights fit into the registers of 8 blocks; of 16, with two factors in each
PORTABLE_UNITS = 256
MOST_UNITS = {"float32": PORTABLE_UNITS, "tf32": PORTABLE_UNITS, "bf16": 512}


def tier(n_units, dtype, precision, capability):
    """The tier of an LSTM without options: "cluster" or "portable".

    Parameters
    ----------
    n_units : int
    dtype : dtype
    precision : {"float32", "tf32", "bf16"}
        What products of float32 may round their factors to.
    capability : pair of int
        Compute capability of the device.
    """
    most = MOST_UNITS[precision]
    if capability[0] not in LARGE_CLUSTERS:
        most = min(most, PORTABLE_UNITS)
    fits = np.dtype(dtype) == np.float32 and n_units <= most
    return "cluster" if fits and tuple(capability) >= CLUSTERS else "portable"
