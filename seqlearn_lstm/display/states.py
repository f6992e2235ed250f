"""StateDisplay: the states and gates of a layer while it reads one sequence."""

import numpy as np

from ..inspection import states
from .drawing import axes_below_each_other, check_matplotlib, heat_map, listed, time_names

GATES = "gates"  # stands for all that a cell has
# Letter -> what it is; whether it may be below zero
KINDS = {
    "h": ("hidden state h", True),
    "c": ("cell state c", True),
    "i": ("input gate i", False),
    "f": ("forget gate f", False),
    "g": ("cell candidate g", True),
    "o": ("output gate o", False),
    "r": ("reset gate r", False),
    "u": ("update gate u", False),
    "n": ("state candidate n", True),
}


class StateDisplay:
    """Heat maps of a layer's states and gates over the steps of one sequence.

    Made by `from_estimator`; `plot` draws the data again.

    Parameters
    ----------
    activations : dict of str to ndarray of shape (n_timesteps, n_units)
        What is drawn, a heat map each, as `seqlearn_lstm.inspection.states` names it.
    labels : list
        What stands at each step along the axis of time.
    units : ndarray of int of shape (n_units,)
        The number of each unit in the layer.

    Attributes
    ----------
    figure_ : matplotlib Figure
    ax_ : matplotlib Axes or None
        What was given to `plot`, or made there; with several heat maps their place, itself empty.
        None where an axes was given for each.
    axes_ : ndarray of matplotlib Axes, of shape (n_kinds,)
        The heat maps' axes, in the order of `activations`.
    images_ : ndarray of matplotlib AxesImage, of shape (n_kinds,)

    See Also
    --------
    seqlearn_lstm.inspection.states : The same as arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm import LSTMClassifier
    >>> from seqlearn_lstm.display import StateDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((n, 2)) for n in rng.integers(5, 20, 20)]
    >>> y = ["up" if x.sum() > 0 else "down" for x in X]
    >>> model = LSTMClassifier((8,), max_iter=5, random_state=0).fit(X, y)
    >>> display = StateDisplay.from_estimator(model, X[0], kinds=["h", "f"])
    >>> [str(ax.get_title()) for ax in display.axes_]
    ['hidden state h', 'forget gate f']
    """

    def __init__(self, *, activations, labels, units):
        self.activations = activations
        self.labels = labels
        self.units = units

    @classmethod
    def from_estimator(
        cls, estimator, x, *, layer=-1, direction="forward", units=None, kinds=None, labels=None,
        initial_states=None, ax=None, cmap=None, colorbar=True, im_kw=None,
    ):  # fmt: skip
        """Run a sequence through a fitted network and draw what a layer does.

        Parameters
        ----------
        estimator : fitted estimator
            One of this package, or a pipeline, a search or another meta-estimator that ends in one.
        x : array-like of shape (n_timesteps, n_features), list of symbols, or str
            One sequence, in the form of those in `fit`.
        layer : int, default=-1
            Which of the recurrent layers, 0 being the lowest; -1: the highest.
        direction : {"forward", "backward"}, default="forward"
            Which direction of the layer.
        units : int, slice or array-like of int, default=None
            Which units, in which order; None: all.
        kinds : str or list of str, default=None
            Which of "h", "c" and the gates "i", "f", "g", "o" (LSTM) or "r", "u", "n" (GRU);
            "gates" stands for all of those. None: all that the cell has.
        labels : array-like of shape (n_timesteps,), default=None
            What to write at each step of x; None: its symbols, or the number of the step. The
            start mark, which a language model reads first, has a label of its own.
        initial_states : array-like of shape (1, n_states), default=None
            The states before the first step, as ``final_states`` of the estimator returns them; a
            language model then starts from these states, without its start mark.
        ax : matplotlib Axes, or list of them, default=None
            As in `plot`.
        cmap : str or matplotlib Colormap, default=None
            As in `plot`.
        colorbar : bool, default=True
            As in `plot`.
        im_kw : dict, default=None
            As in `plot`.

        Returns
        -------
        display : StateDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError, TypeError
            If x cannot be read, or there is no such layer, direction, unit or kind.
        """
        check_matplotlib(f"{cls.__name__}.from_estimator")
        found = states(
            estimator, x, layer=layer, direction=direction, initial_states=initial_states
        )
        kinds, units = _kinds(found.activations, kinds), _units(found.activations, units)
        display = cls(
            activations={kind: found.activations[kind][:, units] for kind in kinds},
            labels=time_names(found, labels),
            units=units,
        )
        return display.plot(ax, cmap=cmap, colorbar=colorbar, im_kw=im_kw)

    def plot(self, ax=None, *, cmap=None, colorbar=True, im_kw=None):
        """Draw a heat map for each kind, below each other.

        Parameters
        ----------
        ax : matplotlib Axes, or list of them, default=None
            Where to draw: axes made by ``subplots``, which several heat maps divide among
            themselves, or one for each. None: a new figure.
        cmap : str or matplotlib Colormap, default=None
            The colours of all; None: around zero for states and candidates, from zero on for gates.
        colorbar : bool, default=True
            Whether a bar beside each heat map says what its colours mean.
        im_kw : dict, default=None
            What else ``imshow`` takes; with a ``norm`` the range of the colours is its own.

        Returns
        -------
        display : StateDisplay
            Itself.
        """
        check_matplotlib(f"{type(self).__name__}.plot", cmap)
        width = min(16.0, 6.4 + 0.12 * max(0, len(self.labels) - 30))
        figure, place, axes = axes_below_each_other(ax, len(self.activations), width)
        images = np.empty(len(axes), dtype=object)
        for k, (kind, values) in enumerate(self.activations.items()):
            title, signed = KINDS[kind]
            images[k] = heat_map(
                axes[k], values, self.labels, self.units, most_rows=8, signed=signed,
                limit=None if signed else 1.0, cmap=cmap, colorbar=colorbar, im_kw=im_kw,
            )  # fmt: skip
            axes[k].set(title=title, ylabel="unit")
        if len(axes) > 1 and place is not None:
            for upper in axes[:-1]:
                upper.tick_params(labelbottom=False)
        axes[-1].set_xlabel("step")
        self.figure_, self.ax_, self.axes_, self.images_ = figure, place, axes, images
        return self


def _kinds(activations, kinds):
    """The names of what to draw, "gates" replaced by the gates."""
    if kinds is None:
        return list(activations)
    gates = [kind for kind in activations if kind not in ("h", "c")]
    known = [*activations, GATES] if gates else list(activations)
    chosen = []
    for kind in [kinds] if isinstance(kinds, str) else listed(kinds, "kinds"):
        if kind not in known:
            raise ValueError(f"kinds holds {kind!r}; expected some of {known}: what this cell has")
        chosen += gates if kind == GATES else [kind]
    if not chosen:
        raise ValueError(f"kinds is {kinds!r}; expected some of {list(activations)}")
    return list(dict.fromkeys(chosen))


def _units(activations, units):
    """The numbers of the units to draw."""
    n_units = activations["h"].shape[1]
    chosen = np.arange(n_units)
    if units is None:
        return chosen
    try:
        chosen = np.atleast_1d(chosen[units if isinstance(units, slice) else np.asarray(units)])
    except IndexError as error:
        raise ValueError(
            f"units is {units!r}; expected whole numbers from {-n_units} to {n_units - 1}"
        ) from error
    if chosen.ndim != 1 or not len(chosen):
        raise ValueError(f"units is {units!r}, which chooses shape {chosen.shape}; expected some")
    return chosen
