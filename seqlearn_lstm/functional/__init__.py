"""One cell without an estimator: a step, or whole sequences, from parameters that are given.

The kernels are those of the networks. A loop of steps gives the bits of the whole sequence, and no
sequence changes a bit of another. Parameters are canonical, with the names that they have in
``parameters_`` after the prefix ``"layer_0.forward."``; `n_in` is the number of inputs, `H` that of units.
They are float32 where all of them come so, or as float16, and float64 otherwise; all else is
converted to that.

A step writes the parameters into the kernels' own layout first. Many steps are therefore best made
at once, by `lstm` or `cell_steps`.
"""

from .any_cell import cell_step, cell_steps
from .lstm_cell import lstm, lstm_step

__all__ = ["cell_step", "cell_steps", "lstm", "lstm_step"]
