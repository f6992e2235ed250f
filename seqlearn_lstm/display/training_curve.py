"""TrainingCurveDisplay: the loss and the validation score of each epoch."""

import numpy as np

from ..inspection.reading import network_estimator
from .curves import one_for_each, read_curves
from .drawing import axes_for, check_matplotlib, legend, listed, right_axes


class TrainingCurveDisplay:
    """Curves of the training loss and, where there is one, of the validation score.

    The loss is drawn solid, against the left axis, the score dashed, against the right one, both in
    the colour of their training; a dotted line marks the best epoch. Made by `from_estimator`,
    `from_estimators` or `from_curves`; `plot` draws the data again.

    Parameters
    ----------
    loss_curves : list of ndarray of shape (n_epochs_i,)
        The loss of each epoch, of each training.
    validation_scores : list of (ndarray of shape (n_epochs_i,) or None), default=None
        The scores of the same epochs; NaN where there is none.
    best_iters : list of (int or None), default=None
        The best epoch of each, the first epoch being 1.
    names : list of (str or None), default=None
        What each is called in the legend.
    joins : list of list of int, default=None
        After which epochs each training went on; the place is marked.
    score_name : str, default="validation score"
        What stands beside the right axis.

    Attributes
    ----------
    figure_ : matplotlib Figure
    ax_ : matplotlib Axes
        The axes of the losses.
    score_ax_ : matplotlib Axes or None
        The axes of the scores; None where there are none.
    lines_ : list of matplotlib Line2D
        The losses.
    score_lines_ : list of matplotlib Line2D
        The scores.
    best_lines_ : list of matplotlib Line2D
        The marks of the best epochs.

    Examples
    --------
    >>> import numpy as np
    >>> from seqlearn_lstm import LSTMClassifier
    >>> from seqlearn_lstm.display import TrainingCurveDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((n, 2)) for n in rng.integers(5, 20, 40)]
    >>> y = ["up" if x.sum() > 0 else "down" for x in X]
    >>> model = LSTMClassifier((8,), early_stopping=True, max_iter=5, random_state=0).fit(X, y)
    >>> display = TrainingCurveDisplay.from_estimator(model)
    >>> display.best_iters == [model.best_iter_]
    True
    """

    def __init__(
        self, *, loss_curves, validation_scores=None, best_iters=None, names=None, joins=None,
        score_name="validation score",
    ):  # fmt: skip
        n = len(loss_curves)
        self.loss_curves = loss_curves
        self.validation_scores = [None] * n if validation_scores is None else validation_scores
        self.best_iters = [None] * n if best_iters is None else best_iters
        self.names = [None] * n if names is None else names
        self.joins = [[] for _ in range(n)] if joins is None else joins
        self.score_name = score_name

    @classmethod
    def from_estimator(cls, estimator, *, name=None, ax=None):
        """Draw the training of one estimator; all of it, where it went on later.

        Parameters
        ----------
        estimator : fitted estimator
            One of this package, or a pipeline, a search or another meta-estimator that ends in one.
        name : str, default=None
            What the legend calls it.
        ax : matplotlib Axes, default=None
            As in `plot`.

        Returns
        -------
        display : TrainingCurveDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If it is no estimator of this package.
        """
        return cls.from_estimators([estimator], names=[name], ax=ax)

    @classmethod
    def from_estimators(cls, estimators, *, names=None, joined=False, ax=None):
        """Draw several trainings, one over the other, or one after the other.

        Parameters
        ----------
        estimators : list of fitted estimators
            As in `from_estimator`.
        names : list of str, default=None
            What the legend calls them; with `joined` a single one.
        joined : bool, default=False
            Whether they are parts of one training, in their order. An estimator that goes on by
            `warm_start`, `partial_fit` or `checkpoint` has the whole curve by itself.
        ax : matplotlib Axes, default=None
            As in `plot`.

        Returns
        -------
        display : TrainingCurveDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError, ValueError
            If one is no estimator of this package, or the number of names is another.
        """
        check_matplotlib(f"{cls.__name__}.from_estimators")
        found = [network_estimator(estimator)[0] for estimator in listed(estimators, "estimators")]
        scorings = [getattr(estimator, "scoring", None) for estimator in found]
        scoring = scorings[0] if len(set(map(str, scorings))) == 1 else None
        return cls.from_curves(
            [estimator.loss_curve_ for estimator in found],
            validation_scores=[
                getattr(estimator, "validation_scores_", None) for estimator in found
            ],
            best_iters=[getattr(estimator, "best_iter_", None) for estimator in found],
            names=names,
            joined=joined,
            score_name=f"validation score ({scoring})" if isinstance(scoring, str) else None,
            ax=ax,
        )

    @classmethod
    def from_curves(
        cls, loss_curves, *, validation_scores=None, best_iters=None, names=None, joined=False,
        score_name=None, ax=None,
    ):  # fmt: skip
        """Draw curves that were kept: `loss_curve_` and `validation_scores_` of fitted estimators.

        Parameters
        ----------
        loss_curves : list of array-like of shape (n_epochs_i,)
            The loss of each epoch, of each training.
        validation_scores : list of (array-like of shape (n_epochs_i,) or None), default=None
            The scores of the same epochs.
        best_iters : list of (int or None), default=None
            The best epoch of each, the first epoch being 1. None: where there are scores, the first
            with the highest.
        names : list of str, default=None
            What the legend calls them; with `joined` a single one.
        joined : bool, default=False
            Whether they are parts of one training, in their order.
        score_name : str, default=None
            What stands beside the right axis; None: "validation score".
        ax : matplotlib Axes, default=None
            As in `plot`.

        Returns
        -------
        display : TrainingCurveDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError, ValueError
            If numbers of curves, or of their epochs, differ, or a best epoch is none of its curve.
        """
        check_matplotlib(f"{cls.__name__}.from_curves")
        losses, scores, bests, joins = read_curves(
            loss_curves, validation_scores, best_iters, joined
        )
        display = cls(
            loss_curves=losses,
            validation_scores=scores,
            best_iters=bests,
            names=one_for_each(names, len(losses), "names"),
            joins=joins,
            score_name=score_name or "validation score",
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw: over what is there, of another display for instance. None: a new figure.

        Returns
        -------
        display : TrainingCurveDisplay
            Itself.
        """
        check_matplotlib(f"{type(self).__name__}.plot")
        from matplotlib.ticker import MaxNLocator

        self.figure_, self.ax_ = axes_for(ax)
        has_scores = any(scores is not None for scores in self.validation_scores)
        self.score_ax_ = right_axes(self.ax_) if has_scores else None
        self.lines_, self.score_lines_, self.best_lines_ = [], [], []
        for number in range(len(self.loss_curves)):
            self._draw(number)
        self.ax_.set(xlabel="epoch", ylabel="training loss")
        self.ax_.xaxis.set_major_locator(MaxNLocator(integer=True))
        if has_scores:
            self.score_ax_.set_ylabel(self.score_name, parse_math=False)
        legend(self.ax_, [*self.lines_, *self.score_lines_, *self.best_lines_])
        return self

    def _draw(self, number):
        """One training."""
        name, losses = self.names[number], self.loss_curves[number]
        prefix, epochs = "" if name in (None, "") else f"{name}: ", np.arange(1, len(losses) + 1)
        # A single epoch is a point, which a line alone would not show.
        style = {"marker": "o" if len(losses) == 1 else None}
        (line,) = self.ax_.plot(epochs, losses, label=f"{prefix}training loss", **style)
        self.lines_.append(line)
        color, scores = line.get_color(), self.validation_scores[number]
        if scores is not None:
            label = f"{prefix}{self.score_name}"
            self.score_lines_ += self.score_ax_.plot(
                epochs, scores, color=color, linestyle="--", label=label, **style
            )
        for join in self.joins[number]:
            self.ax_.axvline(join + 0.5, color="0.8", linewidth=1, zorder=0)
        best = self.best_iters[number]
        if best is not None:
            self.best_lines_.append(
                self.ax_.axvline(
                    best, color=color, linestyle=":", label=f"{prefix}best epoch, {best}"
                )
            )
