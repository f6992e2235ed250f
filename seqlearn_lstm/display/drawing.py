"""What the displays share: matplotlib where it is installed, axes, heat maps over time.

Names are written as they are, ``parse_math=False``: "$" in a symbol or a class begins no formula.
"""

import numpy as np

from ..symbols import END

START = "(start)"  # stands at the mark that a language model reads before x
MOST_STEPS = 60  # names along the axis of time, at most
LONG = 60  # letters of all of them, from which on they stand upright


def check_matplotlib(caller, cmap=None):
    """Raise ImportError where matplotlib is missing, ValueError where it has no such colours: before
    anything is drawn.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError(
            f"{caller} requires matplotlib, which is not installed; expected "
            'pip install "seqlearn_lstm[plot]"'
        ) from error
    matplotlib.colormaps.get_cmap(cmap)


def axes_for(ax, **kwargs):
    """(the figure, `ax` or new axes)."""
    if ax is not None:
        _check_axes(ax, "matplotlib Axes")
        return ax.figure, ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained", **kwargs)


def _check_axes(ax, expected):
    """Refuse what nothing can be drawn on."""
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise TypeError(f"ax is {ax!r:.80}; expected {expected}")


def axes_below_each_other(ax, n, width):
    """(the figure, the axes that are cut into `n`, those below each other).

    ax  None; or axes, whose place they take; or n axes
    """
    import matplotlib.pyplot as plt
    from matplotlib.gridspec import GridSpecFromSubplotSpec

    if ax is None:
        size = (width, 1 + 1.5 * n)
        figure, ax = plt.subplots(layout="constrained", figsize=size)
    elif isinstance(ax, list | tuple | np.ndarray):
        several = np.ravel(np.asarray(ax, dtype=object))
        if len(several) != n:
            raise ValueError(
                f"ax holds {len(several)} axes; expected one, or {n}: one for each kind"
            )
        for each in several:
            _check_axes(each, "a list of matplotlib Axes")
        return several[0].figure, None, several
    _check_axes(ax, "matplotlib Axes, or a list of them")
    figure = ax.figure
    if n == 1:
        return figure, ax, np.array([ax], dtype=object)
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError(
            f"ax lies in no grid, so that it cannot be divided; expected axes made by subplots, or "
            f"{n} axes"
        )
    ax.set_axis_off()
    grid = GridSpecFromSubplotSpec(n, 1, subplot_spec=place)
    axes = np.array([figure.add_subplot(grid[row]) for row in range(n)], dtype=object)
    for upper in axes[:-1]:
        upper.sharex(axes[-1])
    return figure, ax, axes


def heat_map(
    ax, values, steps, rows, *, most_rows, signed, limit=None, cmap=None, colorbar=True, im_kw=None
):  # fmt: skip
    """Draw values (n_timesteps, n_rows), time to the right, a row below the other.

    steps, rows  names along both axes
    most_rows    how many names of rows there is room for
    signed       whether the colours lie around zero, or start there
    limit        the largest value that they tell; None: the largest size that there is
    """
    size = float(np.abs(values).max(initial=0)) if limit is None else limit
    size = size or 1.0  # all is zero: any range will do, but an empty one
    settings = {
        "cmap": cmap or ("RdBu_r" if signed else "viridis"),
        "aspect": "auto",
        "interpolation": "nearest",
    }
    im_kw = im_kw or {}
    if im_kw.get("norm") is None:  # imshow takes a range or a norm, which has its own
        settings |= {"vmin": -size if signed else 0.0, "vmax": size}
    image = ax.imshow(values.T, **settings | im_kw)
    letters = _name(ax.xaxis, steps, MOST_STEPS)
    if letters > LONG:
        ax.tick_params(axis="x", rotation=90)
    _name(ax.yaxis, rows, most_rows)
    if colorbar:
        ax.figure.colorbar(image, ax=ax)
    return image


def _name(axis, names, most):
    """Names along an axis, only every second, third, ... where there are many; returns how many
    letters they have.
    """
    shown = range(0, len(names), -(-len(names) // most) or 1)
    names = [str(names[i]) for i in shown]
    axis.set_ticks(list(shown), labels=names, parse_math=False)
    return sum(map(len, names))


def time_names(found, labels):
    """What stands along the axis of time: the caller's labels, symbols, or numbers of steps.

    found  what ``inspection`` says of one sequence
    """
    has_mark = found.symbols is not None and found.symbols[0] is END
    if labels is None:
        names = found.steps.tolist() if found.symbols is None else found.symbols
        return [START, *names[1:]] if has_mark else names
    labels = listed(labels, "labels")
    n_timesteps = found.n_timesteps - has_mark
    if len(labels) != n_timesteps:
        raise ValueError(
            f"there are {len(labels)} labels, but x has {n_timesteps} time steps; expected one for "
            "each"
        )
    labels = [START] * has_mark + labels
    return [labels[step] for step in found.steps]


def listed(values, name):
    """What the caller gave as a list."""
    if not np.iterable(values):
        raise TypeError(f"{name} has type {type(values).__name__}; expected a list")
    return list(values)


def right_axes(ax):
    """The axes over `ax` whose scale stands on the right: those of an earlier display, or new."""
    over = _over(ax)
    return over[0] if over else ax.twinx()


def legend(ax, drawn):
    """One legend for all that is drawn in the place of `ax`, on top of it.

    drawn   the lines of this display; of others, labels that begin with "_" mean: leave me out
    """
    for line in drawn:
        line.in_legend = True
    axes = [ax, *_over(ax)]
    for each in axes:
        if each.get_legend():
            each.get_legend().remove()
    lines = [line for each in axes for line in each.get_lines()]
    shown = [x for x in lines if hasattr(x, "in_legend") or not x.get_label().startswith("_")]
    # Older versions of matplotlib leave out what begins with "_", even where it is given.
    box = axes[-1].legend(handles=shown, labels=["-"] * len(shown), framealpha=1)
    for text, line in zip(box.get_texts(), shown, strict=True):
        text.set(text=line.get_label(), parse_math=False)


def _over(ax):
    """The axes that `ax` was doubled to."""
    siblings = ax.get_shared_x_axes().get_siblings(ax)
    return [each for each in siblings if each is not ax and each.bbox.bounds == ax.bbox.bounds]
