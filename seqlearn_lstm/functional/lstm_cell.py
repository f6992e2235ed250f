"""The LSTM cell in functions of its own arguments."""

from ..cells import LSTM, make_cell
from .any_cell import cell_step, steps


def lstm_step(x, c, h, W, U, b, *, cell="lstm", **further):
    """One step of an LSTM cell.

    ``i, f, o = sigmoid(x W + h U + b)`` and ``g = tanh(x W + h U + b)``, each with its columns;
    ``c' = f c + i g``, ``h' = o tanh(c')``.

    Parameters
    ----------
    x : array-like of shape (n_in,) or (n, n_in)
        The inputs of one sequence, or of n.
    c, h : array-like of shape (H,) or (n, H)
        The cell states and the hidden states before the step.
    W : array-like of shape (n_in, 4 * H)
        Weights of the inputs; gates in the order i, f, g, o.
    U : array-like of shape (H, 4 * H)
        Weights of the states.
    b : array-like of shape (4 * H,)
        Biases.
    cell : "lstm" or LSTM object, default="lstm"
        `seqlearn_lstm.cells.LSTM` with other settings. Without a forget gate, the columns of f are
        missing from all parameters.
    **further : array-like
        What these settings ask for: `p` (3 * H,), the peepholes; `gain` (4 * H,), `cell_gain` and
        `cell_shift` (H,) of layer normalisation.

    Returns
    -------
    c, h : ndarray of shape (H,) or (n, H)
        The states after the step.

    Raises
    ------
    ValueError, TypeError
        If shapes disagree, a number is not finite, or a parameter is missing or unknown.

    Notes
    -----
    States stand in the order c, h, as in Torch7's tutorials; PyTorch and Keras have h, c.

    See Also
    --------
    lstm : Whole sequences at once, which is much faster than a loop of steps.
    seqlearn_lstm.LSTMClassifier.stream : The steps of a sequence through a fitted network.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm.functional import lstm_step
    >>> rng = np.random.default_rng(0)
    >>> W, U, b = rng.normal(size=(3, 8)), rng.normal(size=(2, 8)), np.zeros(8)
    >>> c, h = lstm_step(rng.normal(size=(1, 3)), np.zeros((1, 2)), np.zeros((1, 2)), W, U, b)
    >>> c.shape, h.shape
    ((1, 2), (1, 2))
    """
    cell, parameters = _lstm_cell(cell, "cell_step"), {"W": W, "U": U, "b": b, **further}
    states = cell_step(x, {"c": c, "h": h}, parameters, cell)
    return states["c"], states["h"]


def lstm(X, W, U, b, *, c0=None, h0=None, cell="lstm", lengths=None, return_gates=False, **further):
    """All states of sequences that an LSTM cell reads.

    Parameters
    ----------
    X : array-like of shape (n_timesteps, n_in), or list or array of sequences
        A sequence; or many, in a list of (n_timesteps_i, n_in) arrays or a 3-D array.
    W, U, b : array-like
        As in `lstm_step`.
    c0, h0 : array-like of shape (H,) or (n_sequences, H), default=None
        The states before the first step, the same for all sequences, or for each; None: zeros.
    cell : "lstm" or LSTM object, default="lstm"
        As in `lstm_step`.
    lengths : array-like of int of shape (n_sequences,), default=None
        With a 3-D `X`, how many steps of each sequence are real.
    return_gates : bool, default=False
        Whether to return the gates, too.
    **further : array-like
        As in `lstm_step`.

    Returns
    -------
    c, h : ndarray of shape (n_timesteps, H), or list of such
        The states after each step; a list where `X` holds many sequences.
    gates : dict of str to such, only with `return_gates`
        "i", "f" (if there is a forget gate), "g" and "o" of each step.

    Raises
    ------
    ValueError, TypeError
        As in `lstm_step`; the error names the sequence.

    Notes
    -----
    States stand in the order c, h, as in `lstm_step`.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm.functional import lstm
    >>> rng = np.random.default_rng(0)
    >>> W, U, b = rng.normal(size=(3, 8)), rng.normal(size=(2, 8)), np.zeros(8)
    >>> c, h = lstm([rng.normal(size=(5, 3)), rng.normal(size=(7, 3))], W, U, b)
    >>> h[1].shape
    (7, 2)
    >>> c, h, gates = lstm(rng.normal(size=(5, 3)), W, U, b, return_gates=True)
    >>> gates["f"].shape
    (5, 2)
    """
    cell = _lstm_cell(cell, "cell_steps")
    initial = {name: value for name, value in (("c", c0), ("h", h0)) if value is not None}
    parameters = {"W": W, "U": U, "b": b, **further}
    found = steps(X, parameters, cell, initial, "{}0", lengths, return_gates)
    c, h = found.pop("c"), found.pop("h")
    return (c, h, found) if return_gates else (c, h)


def _lstm_cell(cell, instead):
    """The cell object; ValueError where it is another than an LSTM, which has no cell states."""
    cell = make_cell(cell)
    if not isinstance(cell, LSTM):
        raise ValueError(
            f"cell is {cell!r}; expected an LSTM: functional.{instead} is for any cell"
        )
    return cell
