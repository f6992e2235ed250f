"""A step, or whole sequences, of any cell."""

import numpy as np

from ..batches import plan, prediction_batches
from ..layers import Workspace, input_stream
from ..sequences import check_sequences, is_tabular
from ..targets import split_steps
from .checks import STATES, check_names, check_starts, layer_of, numbers


def cell_step(x, states, parameters, cell="lstm"):
    """One step of any cell.

    Parameters
    ----------
    x : array-like of shape (n_in,) or (n, n_in)
        The inputs of one sequence, or of n.
    states : dict of str to array-like of shape (H,) or (n, H)
        Before the step: "h" and, of an LSTM, "c".
    parameters : dict of str to array-like
        By their names: "W", "U", "b", and what else the cell has; see `seqlearn_lstm.cells`.
    cell : {"lstm", "gru", "rnn"} or cell object, default="lstm"
        What the step does.

    Returns
    -------
    states : dict of str to ndarray
        After the step.

    Raises
    ------
    ValueError, TypeError
        If shapes disagree, a number is not finite, or a name is missing or unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm.functional import cell_step
    >>> rng = np.random.default_rng(0)
    >>> parameters = {"W": rng.normal(size=(3, 2)), "U": rng.normal(size=(2, 2)), "b": np.zeros(2)}
    >>> cell_step(rng.normal(size=3), {"h": np.zeros(2)}, parameters, "rnn")["h"].shape
    (2,)
    """
    part = layer_of(parameters, cell)
    x = numbers(x, part.dtype, "x")
    if x.ndim not in (1, 2) or x.shape[-1] != part.n_in or not x.size:
        raise ValueError(
            f"x has shape {x.shape}; expected ({part.n_in},) or (n, {part.n_in}), for W has "
            f"{part.n_in} rows"
        )
    check_names(states, STATES[: part.n_kinds], "states")
    expected = (*x.shape[:-1], part.n_units)
    given = {name: numbers(value, part.dtype, name) for name, value in states.items()}
    for name, value in given.items():
        if value.shape != expected:
            raise ValueError(f"{name} has shape {value.shape}; expected {expected}, as x and U say")
    given = {name: np.atleast_2d(value) for name, value in given.items()}
    rows = np.atleast_2d(x)
    batch = plan(np.arange(len(rows) + 1), np.arange(len(rows)))
    found = _run(part, batch, rows, given, Workspace(part.kernels, part.dtype), n_jobs=1)
    return {name: value.reshape(expected) for name, value in found.items()}


def cell_steps(
    X, parameters, cell="lstm", *, initial_states=None, lengths=None, return_gates=False
):
    """All states of sequences that any cell reads.

    Parameters
    ----------
    X : array-like of shape (n_timesteps, n_in), or list or array of sequences
        As in `lstm`.
    parameters : dict of str to array-like
        As in `cell_step`.
    cell : {"lstm", "gru", "rnn"} or cell object, default="lstm"
        What a step does.
    initial_states : dict of str to array-like of shape (H,) or (n_sequences, H), default=None
        The states before the first step, "h" and, of an LSTM, "c": the same for all sequences, or
        for each. Those that are missing are zero.
    lengths : array-like of int of shape (n_sequences,), default=None
        With a 3-D `X`, how many steps of each sequence are real.
    return_gates : bool, default=False
        Whether to return the gates, too.

    Returns
    -------
    states : dict of str to ndarray of shape (n_timesteps, H), or to a list of such
        After each step: "h" and, of an LSTM, "c". With `return_gates` also "i", "f" (if there is a
        forget gate), "g", "o" of an LSTM or "r", "u", "n" of a GRU; a plain recurrent cell has none.

    Raises
    ------
    ValueError, TypeError
        As in `cell_step`; the error names the sequence.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm.functional import cell_steps
    >>> rng = np.random.default_rng(0)
    >>> parameters = {"W": rng.normal(size=(3, 6)), "U": rng.normal(size=(2, 6)), "b": np.zeros(6)}
    >>> parameters["b_n"] = np.zeros(2)
    >>> found = cell_steps(rng.normal(size=(5, 3)), parameters, "gru", return_gates=True)
    >>> sorted(found)
    ['h', 'n', 'r', 'u']
    """
    return steps(X, parameters, cell, initial_states, 'initial_states["{}"]', lengths, return_gates)


def steps(X, parameters, cell, initial, called, lengths, return_gates):
    """What `cell_steps` returns.

    called  what the caller calls the initial states of a kind, with {} in place of its letter
    """
    part, is_one = layer_of(parameters, cell), is_tabular(X)
    sequences = check_sequences(
        [X] if is_one else X, dtype=part.dtype, lengths=lengths, n_features=part.n_in,
        name="a cell with this W",
    )  # fmt: skip
    initial = check_starts(part, initial, len(sequences), called)
    work, n_jobs = Workspace(part.kernels, part.dtype), part.kernels.available_threads()
    shape, found = (len(sequences.rows), part.n_units), {}
    for batch in prediction_batches(sequences.offsets):
        given = {name: value[batch.members] for name, value in initial.items()}
        of_batch = _run(part, batch, sequences.rows, given, work, n_jobs)
        of_batch |= part.gate_activations(batch, work) if return_gates else {}
        known = batch.source >= 0
        for name, values in of_batch.items():
            found.setdefault(name, np.empty(shape, part.dtype))
            found[name][batch.source[known]] = values[known]
    if is_one:
        return found
    return {name: list(split_steps(rows, sequences.offsets)) for name, rows in found.items()}


def _run(part, batch, rows, initial, work, n_jobs):
    """{name: (n_slots, H)}: the states after the step of each slot.

    initial  {name: (n_sequences, H)}, in the batch's order
    """
    given = [initial[name] for name in STATES[: part.n_kinds]]
    states = part.forward(batch, [input_stream(batch, rows)], work, n_jobs, True, given=given)
    kinds = [states, states.of_cells()][: part.n_kinds]
    return {
        name: kind.rows[batch.after, kind.column : kind.column + part.n_units]
        for name, kind in zip(STATES, kinds, strict=False)
    }
