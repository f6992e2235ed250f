"""SaliencyDisplay: what a prediction of one sequence depends on."""

from ..inspection import saliency
from .drawing import axes_for, check_matplotlib, heat_map, listed, time_names

# Method -> what its values are; whether they may be below zero
METHODS = {
    "gradient": ("gradient", True),
    "norm": ("norm of the gradient", False),
    "times_input": ("gradient times input", True),
}


class SaliencyDisplay:
    """A heat map of the gradient of a prediction at one sequence.

    Made by `from_estimator`; `plot` draws the data again.

    Parameters
    ----------
    saliency : ndarray of shape (n_timesteps, n_values)
        What is drawn: a row of the heat map for each feature, or a single one.
    labels : list
        What stands at each step along the axis of time.
    features : list
        What stands beside each row; empty: nothing.
    method : {"gradient", "norm", "times_input"}
        How the gradient was reduced; see `seqlearn_lstm.inspection.saliency`.
    target : label or int
        The class, or the number of the output, whose gradient it is.
    step : int, default=None
        The step whose output it is; None: there is one for the whole sequence.
    score : float, default=None
        The score of that class, or the output, itself.

    Attributes
    ----------
    figure_ : matplotlib Figure
    ax_ : matplotlib Axes
    im_ : matplotlib AxesImage

    See Also
    --------
    seqlearn_lstm.inspection.saliency : The same as arrays.

    Examples
    --------
    >>> from seqlearn_lstm import LSTMClassifier
    >>> from seqlearn_lstm.display import SaliencyDisplay
    >>> X = [list("abba"), list("bab"), list("aaa"), list("bbcb")] * 5
    >>> y = ["a" if x.count("a") > x.count("b") else "b" for x in X]
    >>> model = LSTMClassifier((8,), embedding_dim=4, max_iter=5, random_state=0).fit(X, y)
    >>> display = SaliencyDisplay.from_estimator(model, list("abc"), target="a")
    >>> [label.get_text() for label in display.ax_.get_xticklabels()]
    ['a', 'b', 'c']
    """

    def __init__(self, *, saliency, labels, features, method, target, step=None, score=None):
        self.saliency = saliency
        self.labels = labels
        self.features = features
        self.method = method
        self.target = target
        self.step = step
        self.score = score

    @classmethod
    def from_estimator(
        cls, estimator, x, *, target=None, step=None, method=None, labels=None, feature_names=None,
        initial_states=None, ax=None, cmap=None, colorbar=True, im_kw=None,
    ):  # fmt: skip
        """Compute the gradient of a prediction and draw it.

        Parameters
        ----------
        estimator : fitted estimator
            One of this package that predicts, or a pipeline, a search or another meta-estimator
            that ends in one.
        x : array-like of shape (n_timesteps, n_features), list of symbols, or str
            One sequence, in the form of those in `fit`.
        target : label or int, default=None
            The class whose score, or the number of the output whose value, is differentiated; None:
            the predicted class, or the only output.
        step : int, default=None
            Where there is an output at each step, the step whose output is meant; -1 or None: the
            last. A language model reads its start mark first, as step 0.
        method : {"gradient", "norm", "times_input"}, default=None
            The gradient itself; its norm at each step; or its product with the inputs, for symbols
            summed at each step. None: "norm" for symbols, "gradient" for numbers.
        labels : array-like of shape (n_timesteps,), default=None
            What to write at each step of x; None: its symbols, or the number of the step. The
            start mark, which a language model reads first, has a label of its own.
        feature_names : array-like of shape (n_features,), default=None
            What to write beside the rows where there is one for each feature. None: the columns of
            a data frame x, or numbers.
        initial_states : array-like of shape (1, n_states), default=None
            The states before the first step, as ``final_states`` of the estimator returns them; a
            language model then starts from these states, without its start mark.
        ax : matplotlib Axes, default=None
            As in `plot`.
        cmap : str or matplotlib Colormap, default=None
            As in `plot`.
        colorbar : bool, default=True
            As in `plot`.
        im_kw : dict, default=None
            As in `plot`.

        Returns
        -------
        display : SaliencyDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError, TypeError
            If x cannot be read, there is no such class, output or step, or the estimator predicts
            nothing.
        """
        check_matplotlib(f"{cls.__name__}.from_estimator")
        found = saliency(
            estimator, x, target=target, step=step, method=method, initial_states=initial_states
        )
        display = cls(
            saliency=found.saliency,
            labels=time_names(found, labels),
            features=_features(found, x, feature_names),
            method=found.method,
            target=found.target,
            step=found.step,
            score=found.score,
        )
        return display.plot(ax, cmap=cmap, colorbar=colorbar, im_kw=im_kw)

    def plot(self, ax=None, *, cmap=None, colorbar=True, im_kw=None):
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None: a new figure.
        cmap : str or matplotlib Colormap, default=None
            The colours; None: around zero, or from zero on for the norm.
        colorbar : bool, default=True
            Whether a bar beside it says what the colours mean.
        im_kw : dict, default=None
            What else ``imshow`` takes; with a ``norm`` the range of the colours is its own.

        Returns
        -------
        display : SaliencyDisplay
            Itself.
        """
        check_matplotlib(f"{type(self).__name__}.plot", cmap)
        n_timesteps, n_rows = self.saliency.shape
        width = min(16.0, 6.4 + 0.12 * max(0, n_timesteps - 30))
        height = min(8.0, 1.8 + 0.2 * n_rows)
        self.figure_, self.ax_ = axes_for(ax, figsize=(width, height))
        title, signed = METHODS[self.method]
        self.im_ = heat_map(
            self.ax_, self.saliency, self.labels, self.features, most_rows=20, signed=signed,
            cmap=cmap, colorbar=colorbar, im_kw=im_kw,
        )  # fmt: skip
        at_step = "" if self.step is None else f", step {self.step}"
        self.ax_.set_title(f"{title}, target {self.target}{at_step}", parse_math=False)
        self.ax_.set_xlabel("step")
        if self.features:
            self.ax_.set_ylabel("feature")
        return self


def _features(found, x, names):
    """The names of the rows; none where there is one row for all features."""
    n_rows = found.saliency.shape[1]
    if n_rows != found.inputs.shape[1] or found.method == "norm":
        return []
    if names is None:
        names = getattr(x, "columns", range(n_rows))
        return list(names if len(names) == n_rows else range(n_rows))
    names = listed(names, "feature_names")
    if len(names) != n_rows:
        raise ValueError(
            f"there are {len(names)} feature_names, but {n_rows} features; expected one for each"
        )
    return names
