"""What against_cudnn.py prints: tables of what `_on_device` has found, and goals."""

from _timing import Goal

KINDS = ("eager", "graph", "packed")  # what PyTorch does


def cell(values, name, form):
    """A figure, or a dash."""
    value = values.get(name)
    return "-" if value is None else format(value, form)


def error_cells(row):
    numbers = [cell(row, name, ".1e") for name in ("ours", *KINDS, "fit")]
    return [row["shape"], *numbers, "ok" if row["right"] else "WRONG"]


def time_cells(row):
    times = [cell(row["time"], name, ".2f") for name in ("ours", *KINDS)]
    return [row["shape"], *times, *(cell(row["ratio"], kind, ".2f") for kind in KINDS)]


def step_cells(row):
    return [*time_cells(row), f"{100 * row['launching']:.0f} %", cell(row, "CPU", ".1f")]


TIMES = ["B x T x I x H", "ours", *KINDS, *(f"x {kind}" for kind in KINDS)]
TABLES = {
    "errors": (
        "Largest difference from float64 on the processor, in units of the largest value; fit: of\n"
        "the loss from float32",
        ["B x T x I x H", "ours", *KINDS, "fit", ""],
        error_cells,
    ),
    "steps": (
        "A training step, in microseconds for each step of time; x: PyTorch's time / ours; host: the\n"
        "part of ours that launching took; x CPU: our own time on the processor / ours",
        [*TIMES, "host", "x CPU"],
        step_cells,
    ),
    "epochs": ("An epoch of fit, in milliseconds", TIMES, time_cells),
}


def goals(found):
    """The worst of each kind of goal."""
    for what in ("steps", "epochs"):
        yield from worst(f"{what}, PyTorch at its best", found[what], best, 1)
        yield from worst(f"{what}, cuDNN step by step", found[what], step_by_step, 3)
    yield from worst("steps, processor", found["steps"], lambda row: row["CPU"], 5)


def worst(what, rows, figure, least):
    """The goal of the row with the smallest figure, if one has any."""
    figures = {row["shape"]: figure(row) for row in rows if figure(row) is not None}
    if figures:
        shape = min(figures, key=figures.get)
        yield Goal(f"{what} ({shape})", figures[shape], least)


def best(row):
    """The ratio of the fastest thing that PyTorch does."""
    return min(row["ratio"].values(), default=None)


def step_by_step(row):
    """The ratio where cuDNN has no kernel for all steps: packed batches, more than 128 units."""
    ratios = row["ratio"]
    if "packed" in ratios:
        return ratios["packed"]
    n_units = int(row["shape"].partition(",")[0].rpartition("x")[2])
    return best(row) if n_units > 128 else None
