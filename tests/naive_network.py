"""A whole network in plain NumPy, float64, one sequence at a time, made of the naive cells."""

import naive
import naive_cells
import naive_lstm_options
import numpy as np


def of_part(parameters, key):
    """The parameters of one part of a network, by their own names."""
    prefix = f"{key}."
    return {
        name.removeprefix(prefix): value
        for name, value in parameters.items()
        if name.startswith(prefix)
    }


# ---- the states of a layer: (x, its parameters, the cell's settings, mask) -> hs (T + 1, H) --------


def lstm_states(x, part, settings, mask):
    n_units = part["U"].shape[0]
    h0, c0 = (part.get(state, np.zeros(n_units)) for state in ("h0", "c0"))
    if not settings and np.all(mask == 1):
        return naive.lstm(x, h0, c0, part["W"], part["U"], part["b"])[0]
    options = naive_lstm_options.Options(
        peephole=settings.get("peephole", False),
        forget_gate=settings.get("forget_gate", True),
        layer_norm=settings.get("layer_norm", False),
        activation=settings.get("activation", "tanh"),
        output_activation=settings.get("activation", "tanh"),
    )
    whole = {name: np.zeros(n * n_units) for name, n in (("p", 3), ("gain", 4))}
    whole |= {"cell_gain": np.zeros(n_units), "cell_shift": np.zeros(n_units), **part}
    if not options.forget_gate:
        for name in set(part) & {"W", "U", "b", "p", "gain"}:
            i, rest = part[name][..., :n_units], part[name][..., n_units:]
            whole[name] = np.concatenate([i, np.zeros_like(i), rest], axis=-1)
    names = naive_lstm_options.Parameters.names()
    theta = naive_lstm_options.Parameters(*(whole[name] for name in names))
    return naive_lstm_options.lstm(x, h0, c0, theta, options, mask)[0]


def gru_states(x, part, settings, mask):
    h0 = part.get("h0", np.zeros(len(part["U"])))
    return naive_cells.gru(x, h0, part["W"], part["U"], part["b"], part.get("b_n"), mask)


def rnn_states(x, part, settings, mask):
    h0 = part.get("h0", np.zeros(len(part["U"])))
    activation = settings.get("activation", "tanh")
    return naive_cells.rnn(x, h0, part["W"], part["U"], part["b"], mask, activation)


CELLS = {"lstm": lstm_states, "gru": gru_states, "rnn": rnn_states}


def network_scores(parameters, architecture, sequence, masks=None):
    """Scores (n_out,) of one sequence (T, n_in), or (T, n_out) with scores at each step.

    parameters    {"layer_0.forward.W": ..., "output.b": ...}, canonical
    architecture  says what the network is made of
    masks         what dropout multiplies: {"inputs": (n,), ("outputs", layer): (n,),
                  ("recurrent", "layer_0.forward"): (H,)}; those left out are ones
    """
    masks = masks or {}
    steps = np.asarray(sequence, np.float64)
    if architecture.embedding_dim:
        steps = parameters["embedding.W"][np.asarray(sequence)[:, 0]]
    steps = steps * masks.get("inputs", 1)
    if architecture.input_projection:
        steps = steps @ parameters["projection.W"] + parameters["projection.b"]
    for layer, n_units in enumerate(architecture.hidden_layer_sizes):
        outputs, finals = [], []
        for name in ("forward", "backward") if architecture.bidirectional else ("forward",):
            part = of_part(parameters, f"layer_{layer}.{name}")
            read = steps if name == "forward" else steps[::-1]
            mask = masks.get(("recurrent", f"layer_{layer}.{name}"), np.ones(n_units))
            hs = CELLS[architecture.cell[0]](read, part, architecture.cell[1], mask)
            finals.append(hs[-1])
            outputs.append(hs[1:] if name == "forward" else hs[:0:-1])
        mask = masks.get(("outputs", layer), 1)
        steps = np.concatenate(outputs, axis=1) * mask
        final = np.concatenate(finals) * mask
    features = {
        "last": final,
        "mean": steps.mean(axis=0),
        "max": steps.max(axis=0),
        "steps": steps,
    }[architecture.pooling]
    return features @ parameters["output.W"] + parameters["output.b"]
