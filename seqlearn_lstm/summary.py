"""A network and a data set in words: what `summary()` gives and ``verbose=2`` prints.

A layer is a dict: ``name``, ``kind``, ``output_shape`` (None: steps of a sequence) and
``n_parameters``, all that its arrays hold.
"""

from statistics import median

import numpy as np

from .cells import CELLS
from .pooling import STEPS

RIGHT = ("parameters",)  # columns of numbers, which end below each other


def layer_table(architecture, parameters):
    """The layers of a network, from the inputs to the scores.

    Parameters
    ----------
    architecture : Architecture
    parameters : dict of str to ndarray
        Canonical ones: a name begins with its layer's.

    Returns
    -------
    table : dict
        ``layers``, a list of dicts as above, and ``n_parameters``, of all.
    """
    sizes = {}
    for name, values in parameters.items():
        layer = name.partition(".")[0]
        sizes[layer] = sizes.get(layer, 0) + int(np.size(values))
    layers = [
        dict(name=name, kind=kind, output_shape=shape, n_parameters=sizes.get(name, 0))
        for name, kind, shape in _layers(architecture)
    ]
    return {"layers": layers, "n_parameters": sum(sizes.values())}


def _layers(a):
    """Yield (name, kind, shape of the outputs)."""
    if a.embedding_dim:
        yield "input", f"{a.n_in:,} symbols", (None,)
        yield "embedding", "vectors of symbols", (None, a.embedding_dim)
    else:
        yield "input", "numbers", (None, a.n_in)
    if a.input_projection:
        yield "projection", "dense", (None, a.input_projection)
    kind = f"{_cell(*a.cell)}, both directions" if a.bidirectional else _cell(*a.cell)
    for number, n_units in enumerate(a.hidden_layer_sizes):
        yield f"layer_{number}", kind, (None, n_units * a.n_directions)
    if a.pooling == STEPS:
        yield "output", "dense", (None, a.n_out)
    else:
        yield "pooling", a.pooling, (a.n_features,)
        yield "output", "dense", (a.n_out,)


def _cell(name, settings):
    """A cell with those of its settings that are not the usual ones."""
    usual = CELLS[name]().get_params()
    others = [f"{key}={value!r}" for key, value in settings.items() if value != usual[key]]
    return f"{CELLS[name].__name__}({', '.join(others)})" if others else CELLS[name].__name__


def layer_lines(table):
    """`layer_table` as text."""
    rows = [("layer", "kind", "output shape", "parameters")]
    for layer in table["layers"]:
        shape = ", ".join("T" if n is None else str(n) for n in layer["output_shape"])
        shape = f"({shape},)" if len(layer["output_shape"]) == 1 else f"({shape})"
        rows.append((layer["name"], layer["kind"], shape, f"{layer['n_parameters']:,}"))
    rows.append(("total", "", "", f"{table['n_parameters']:,}"))
    return _lines(rows, rules=(1, len(rows) - 1))


def data_lines(task, n_validation):
    """The data set of a training as text; `n_validation` sequences, or None, to validate with."""
    sequences, settings, lengths = task.sequences, task.settings, task.sequences.lengths
    architecture, n = task.network.architecture, len(task.sequences)
    n_batches = -(-n // settings.batch_size)
    windows = f", in windows of {settings.bptt_steps:,} steps" if settings.bptt_steps else ""
    rows = [
        ("data", ""),
        ("sequences", f"{n:,}"),
        ("steps", f"{len(sequences.rows):,}: {lengths.min():,} to {lengths.max():,} in a sequence, "
                  f"the median is {_median(lengths)}"),
        ("symbols" if architecture.embedding_dim else "features", f"{architecture.n_in:,}"),
        ("classes" if task.head.says_classes else "outputs",
         f"{task.head.n_outputs:,}, for each {'step' if architecture.pooling == STEPS else 'sequence'}"),
        ("batches", f"{n_batches:,} an epoch, of {min(n, settings.batch_size):,} sequences{windows}"),
        ("validation", "none" if n_validation is None else f"{n_validation:,} sequences"),
    ]  # fmt: skip
    return _lines(rows, rules=(1,))


def _median(lengths):
    """The median as text: a whole number, or one between two."""
    value = median(lengths.tolist())
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _lines(rows, rules):
    """Rows of strings as aligned columns, with a rule before the rows of these numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    to_right = [name in RIGHT for name in rows[0]]
    lines = []
    for number, row in enumerate(rows):
        if number in rules:
            lines.append("-" * (sum(widths) + 2 * len(widths) - 2))
        cells = zip(row, widths, to_right, strict=True)
        cells = [text.rjust(width) if right else text.ljust(width) for text, width, right in cells]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
