"""Cells: what a recurrent layer does at a step. A cell object holds settings only.

``cell="lstm"`` names one with its usual settings; ``cell=LSTM(peephole=True)`` gives others,
searchable as ``cell__peephole``.
"""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from ._named import Named, named
from .layers import INITIALIZERS, GRUBeforeLayer, GRULayer, OptionsLSTM, PlainLSTM, RNNLayer

__all__ = ["CELLS", "GRU", "INITIALIZERS", "LSTM", "RNN"]

_INITIALIZER = [StrOptions(set(INITIALIZERS)), Interval(Real, 0, None, closed="neither")]


class _Cell(Named):
    """Settings that all cells have; `n_gates` canonical gates lie side by side in W, U and b."""

    _parameter_constraints = {
        "kernel_initializer": _INITIALIZER,
        "recurrent_initializer": _INITIALIZER,
        "bias_initializer": _INITIALIZER,
    }

    def initial_weights(self, rng, n_in, n_units):
        """Draw (W, U, b) for gates that all start alike."""
        W, U, b = (
            [_draw(initializer, rng, *shape) for _ in range(self.n_gates)]
            for initializer, shape in (
                (self.kernel_initializer, (n_in, n_units)),
                (self.recurrent_initializer, (n_units, n_units)),
                (self._bias_start, (1, n_units)),
            )
        )
        return np.hstack(W), np.hstack(U), np.hstack(b).ravel()

    @property
    def _bias_start(self):
        return self.bias_initializer


def _draw(initializer, rng, n_in, n_out):
    if isinstance(initializer, str):
        return INITIALIZERS[initializer](rng, n_in, n_out)
    return rng.uniform(-initializer, initializer, (n_in, n_out))


class LSTM(_Cell):
    """Long short-term memory.

    ``c' = f c + i g``, ``h' = o tanh(c')`` with the gates i, f, o and the candidate g
    (Hochreiter and Schmidhuber 1997; Gers et al. 2000).

    Parameters
    ----------
    peephole : bool, default=False
        Whether the gates see the cell state: i and f the one before the step, o the one after it
        (Gers and Schmidhuber 2000; Graves 2013).
    forget_gate : bool, default=True
        False: f is one, the constant error carousel of 1997, and has no parameters.
    forget_bias : float, default=1.0
        Initial bias of the forget gate: above zero, a new cell remembers (Gers et al. 2000).
    activation : {"tanh", "relu", "sigmoid", "linear"}, default="tanh"
        The activation of g, and of the cell state on its way to h'.
    layer_norm : bool, default=False
        Whether the sums of each gate, and the cell state on its way to h', are normalised over the
        units, with a gain and a bias each (Ba, Kiros and Hinton 2016).
    kernel_initializer : str or float, default="glorot_uniform"
        How the input weights of each gate start: a name of `seqlearn_lstm.cells.INITIALIZERS`, or
        a number b, for values that are uniform between -b and b.
    recurrent_initializer : str or float, default="orthogonal"
        How the recurrent weights of each gate start, likewise.
    bias_initializer : str, float or None, default=None
        How the biases start, likewise, except that of the forget gate. None: zeros; with
        `layer_norm` uniform between -0.1 and 0.1. With zeros there, steps whose inputs and states
        are zero leave the cell states at variance 0, where the two normalisations of each such step
        multiply gradients by thousands.

    Notes
    -----
    Further entries of ``parameters_``, gates in the order i, f, g, o: ``"p"`` (3 * n_units,), the
    peepholes of i, f, o; ``"gain"`` (4 * n_units,), ``"cell_gain"`` and ``"cell_shift"``
    (n_units,). Without a forget gate, its columns are missing from all of them.

    References
    ----------
    Gers, F. A., and J. Schmidhuber, "Recurrent Nets that Time and Count", IJCNN 2000.
    Graves, A., "Generating Sequences With Recurrent Neural Networks", arXiv:1308.0850, 2013.
    Ba, J. L., J. R. Kiros and G. E. Hinton, "Layer Normalization", arXiv:1607.06450, 2016.

    Examples
    --------
    >>> from seqlearn_lstm import LSTMClassifier
    >>> from seqlearn_lstm.cells import LSTM
    >>> LSTMClassifier(cell=LSTM(peephole=True)).get_params()["cell__peephole"]
    True
    """

    _parameter_constraints = {
        **_Cell._parameter_constraints,
        "peephole": ["boolean"],
        "forget_gate": ["boolean"],
        "forget_bias": [Interval(Real, None, None, closed="neither")],
        "activation": [StrOptions({"tanh", "relu", "sigmoid", "linear"})],
        "layer_norm": ["boolean"],
        "bias_initializer": [*_INITIALIZER, None],
    }
    n_gates = 4

    def __init__(
        self,
        peephole=False,
        *,
        forget_gate=True,
        forget_bias=1.0,
        activation="tanh",
        layer_norm=False,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer=None,
    ):
        self.peephole = peephole
        self.forget_gate = forget_gate
        self.forget_bias = forget_bias
        self.activation = activation
        self.layer_norm = layer_norm
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.bias_initializer = bias_initializer

    def layer(self, recurrent_dropout):
        """The class of the layer that computes it: the plain one is the fastest."""
        options = self.peephole, not self.forget_gate, self.layer_norm, self.activation != "tanh"
        return OptionsLSTM if recurrent_dropout or any(options) else PlainLSTM

    @property
    def _bias_start(self):
        if self.bias_initializer is not None:
            return self.bias_initializer
        # Without inputs and states, only biases that differ give g, and so c, a variance.
        return 0.1 if self.layer_norm else "zeros"

    def initial_weights(self, rng, n_in, n_units):
        """Draw (W, U, b), gates i, f, g, o."""
        W, U, b = super().initial_weights(rng, n_in, n_units)
        b[n_units : 2 * n_units] = self.forget_bias
        return W, U, b


class GRU(_Cell):
    """Gated recurrent unit.

    ``h' = (1 - u) n + u h`` with the update gate u and the candidate n, which sees the state
    through the reset gate r (Cho et al. 2014).

    Parameters
    ----------
    reset_after : bool, default=True
        True: ``n = tanh(x W + b + r (h U + b_n))``, as in PyTorch, cuDNN and by default in Keras.
        False: ``n = tanh(x W + b + (r h) U)``, as published.
    kernel_initializer : str or float, default="glorot_uniform"
        As in `LSTM`.
    recurrent_initializer : str or float, default="orthogonal"
        As in `LSTM`.
    bias_initializer : str or float, default="zeros"
        How the biases start, likewise.

    Notes
    -----
    In ``parameters_`` the gates stand in the order r, u, n: ``"W"`` (n_in, 3 * n_units), ``"U"``
    (n_units, 3 * n_units), ``"b"`` (3 * n_units,); with `reset_after` also ``"b_n"`` (n_units,).

    References
    ----------
    Cho, K., et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical
    Machine Translation", EMNLP 2014.

    Examples
    --------
    >>> from seqlearn_lstm import LSTMClassifier
    >>> from seqlearn_lstm.cells import GRU
    >>> LSTMClassifier(cell=GRU(reset_after=False)).get_params()["cell__reset_after"]
    False
    """

    _parameter_constraints = {**_Cell._parameter_constraints, "reset_after": ["boolean"]}
    n_gates = 3

    def __init__(
        self,
        reset_after=True,
        *,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
    ):
        self.reset_after = reset_after
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.bias_initializer = bias_initializer

    def layer(self, recurrent_dropout):
        """The class of the layer that computes it."""
        return GRULayer if self.reset_after else GRUBeforeLayer


class RNN(_Cell):
    """The plain recurrent unit: ``h' = activation(x W + h U + b)`` (Elman 1990).

    Parameters
    ----------
    activation : {"tanh", "relu"}, default="tanh"
        The activation of the state.
    kernel_initializer : str or float, default="glorot_uniform"
        As in `LSTM`.
    recurrent_initializer : str or float, default="orthogonal"
        As in `LSTM`; "identity" goes with "relu" (Le, Jaitly and Hinton 2015).
    bias_initializer : str or float, default="zeros"
        How the biases start, likewise.

    References
    ----------
    Elman, J. L., "Finding Structure in Time", Cognitive Science 14(2), 1990.
    Le, Q. V., N. Jaitly and G. E. Hinton, "A Simple Way to Initialize Recurrent Networks of
    Rectified Linear Units", arXiv:1504.00941, 2015.

    Examples
    --------
    >>> from seqlearn_lstm.cells import RNN
    >>> RNN("relu", recurrent_initializer="identity")
    RNN(activation='relu', recurrent_initializer='identity')
    """

    _parameter_constraints = {
        **_Cell._parameter_constraints,
        "activation": [StrOptions({"tanh", "relu"})],
    }
    n_gates = 1

    def __init__(
        self,
        activation="tanh",
        *,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
    ):
        self.activation = activation
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.bias_initializer = bias_initializer

    def layer(self, recurrent_dropout):
        """The class of the layer that computes it."""
        return RNNLayer


CELLS = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


def make_cell(cell):
    """The cell that a name or an object stands for, its settings checked.

    Raises
    ------
    ValueError
        If it is a name that is not known, or a setting is out of range.
    TypeError
        If it is neither a name nor a cell of this module.
    """
    found = named("cell", CELLS, _Cell, cell)
    if type(found) not in CELLS.values():
        raise TypeError(
            f"cell is {cell!r}, of a class of its own, for which there is no kernel; expected one of "
            f"{[kind.__name__ for kind in CELLS.values()]}"
        )
    return found


def plain(cell):
    """(name, settings) of a cell object: what a fitted estimator keeps."""
    name = next(name for name, kind in CELLS.items() if type(cell) is kind)
    return name, cell.get_params(deep=False)
