"""How much a prediction changes with each number, or each symbol, of one sequence."""

import numpy as np
from sklearn.utils import Bunch

from ..pooling import STEPS
from .reading import position, read_one


def _gradient(gradient, inputs, is_symbols):
    return gradient


def _norm(gradient, inputs, is_symbols):
    return np.linalg.norm(gradient, axis=1, keepdims=True)


def _times_input(gradient, inputs, is_symbols):
    product = gradient * inputs
    return product.sum(axis=1, keepdims=True) if is_symbols else product


METHODS = {"gradient": _gradient, "norm": _norm, "times_input": _times_input}


def saliency(estimator, x, *, target=None, step=None, method=None, initial_states=None):
    """The gradient of a prediction at each step of one sequence.

    Parameters
    ----------
    estimator : fitted estimator
        One of this package that predicts; or a pipeline, a search or another meta-estimator that
        ends in one. For an `LSTMEncoder`, the prediction is that of the estimator that it contains.
    x : array-like of shape (n_timesteps, n_features), list of symbols, or str
        One sequence, in the form of those in `fit`; for a language model, it may be empty.
    target : label or int, default=None
        What to differentiate: for a classifier or tagger, the score of this class before the
        softmax; for a regressor, the output with this number. None: the predicted class, or the
        only output.
    step : int, default=None
        Where there is an output at each step, the step of x whose output is meant; -1 or None: the
        last. A language model reads its start mark first, as step 0.
    method : {"gradient", "norm", "times_input"}, default=None
        What to return: the gradient itself; its Euclidean norm at each step; or its product with
        the inputs, which for symbols is summed at each step. None: "norm" for symbols, "gradient"
        for numbers.
    initial_states : array-like of shape (1, n_states), default=None
        The states before the first step, as ``final_states`` of the estimator returns them; a
        language model then starts from these states, without its start mark.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        With the attributes

        saliency : ndarray of shape (n_timesteps_seen, n_values)
            The gradient as `method` reduced it; for "norm", and for "times_input" of symbols, one
            value per step.
        gradient : ndarray of shape (n_timesteps_seen, n_inputs)
            The gradient at the features of each step; for symbols, at the numbers that stand for
            each symbol.
        inputs : ndarray of shape (n_timesteps_seen, n_inputs)
            Those features or numbers.
        score : float
            The value of what was differentiated.
        target : label or int
            The class or the output that was chosen.
        step : int or None
            The step of x whose output it is; None: there is one output for the whole sequence.
        method : str
            The method that was used.
        steps : ndarray of int of shape (n_timesteps_seen,)
            Which steps of x were read: all, unless `max_timesteps` cuts x.
        symbols : list or None
            The symbol at each of them; None where steps are numbers.
        n_timesteps : int
            Steps of x; for a language model, including its start mark, which is step 0.

    Raises
    ------
    ValueError, TypeError
        If x cannot be read, there is no such class, output or step, or the estimator predicts
        nothing.

    See Also
    --------
    seqlearn_lstm.display.SaliencyDisplay : Draws it.

    Notes
    -----
    The inputs are those of the network: in a pipeline, what the steps before have made of x. The
    gradient holds for small changes only. "times_input" is, to first order and with its sign, the
    part of the score that would be lost if the input became zero.

    For two classes ``decision_function`` is the difference of both scores.

    References
    ----------
    Simonyan, K., A. Vedaldi and A. Zisserman, "Deep Inside Convolutional Networks", 2014.
    Shrikumar, A., et al., "Not Just a Black Box", 2016 (the product with the input).

    Examples
    --------
    >>> from seqlearn_lstm import LSTMClassifier
    >>> from seqlearn_lstm.inspection import saliency
    >>> X = [list("abba"), list("bab"), list("aaa"), list("bbcb")] * 5
    >>> y = ["a" if x.count("a") > x.count("b") else "b" for x in X]
    >>> model = LSTMClassifier((8,), embedding_dim=4, max_iter=5, random_state=0).fit(X, y)
    >>> found = saliency(model, list("abc"), target="a")
    >>> found.saliency.shape, found.gradient.shape, found.symbols
    ((3, 1), (3, 4), ['a', 'b', 'c'])
    """
    reading = read_one(estimator, x, initial_states)
    network, symbols = reading.network, reading.symbols
    if method is None:
        method = "gradient" if symbols is None else "norm"
    elif not (isinstance(method, str) and method in METHODS):
        raise ValueError(f"method is {method!r}; expected one of {list(METHODS)}, or None")
    row, step = _row(reading, step)
    scores = network.forward(reading.batch, reading.rows, True, given=reading.given)
    number, target = _target(reading.source, target, scores[row, : network.architecture.n_out])
    score = float(scores[row, number])
    scores[:] = 0
    scores[row, number] = 1
    gradient = network.backpropagate(reading.batch, scores, need_inputs=True).copy()
    inputs = _inputs(network, reading.rows)
    return Bunch(
        saliency=METHODS[method](gradient, inputs, symbols is not None),
        gradient=gradient,
        inputs=inputs,
        score=score,
        target=target,
        step=step,
        method=method,
        steps=reading.steps,
        symbols=symbols,
        n_timesteps=reading.n_timesteps,
    )


def _row(reading, step):
    """(the row of the scores that is meant, the step of x or None)."""
    if reading.network.architecture.pooling == STEPS:
        step = position(-1 if step is None else step, reading.n_timesteps, "step")
        return step, step
    if step is not None:
        raise ValueError(
            f"step is {step!r}, but {type(reading.source).__name__} has one output for the whole "
            "sequence; expected None"
        )
    return 0, None


def _target(source, target, scores):
    """(the column of the scores that is meant, its class or number)."""
    if hasattr(source, "classes_"):
        classes = source.classes_.tolist()
        if target is None:
            number = _predicted(source, scores)
        elif any(matches := [_is_same(label, target) for label in classes]):
            number = matches.index(True)
        else:
            raise ValueError(f"target is {target!r}; expected one of the classes {classes}")
        return number, classes[number]
    if not hasattr(source, "n_outputs_"):
        raise TypeError(
            f"{type(source).__name__} has learned without targets and predicts none; expected an "
            "estimator with predictions"
        )
    if target is None and len(scores) > 1:
        raise ValueError(
            f"target is None, but there are {len(scores)} outputs; expected the number of one, from "
            f"0 to {len(scores) - 1}"
        )
    number = position(0 if target is None else target, len(scores), "target")
    return number, number


def _is_same(label, target):
    """Whether both are equal; an array, or what is missing, does not say so and is no label."""
    answer = label == target
    return isinstance(answer, bool | np.bool_) and bool(answer)


def _predicted(source, scores):
    """The column of what `predict` says, which leaves out symbols that cannot come next."""
    return int(source._possible(scores[None]).argmax())


def _inputs(network, rows):
    if network.embedding:
        return network.embedding.table[rows[:, 0], : network.embedding.n_out]
    return rows
