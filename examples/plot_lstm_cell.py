"""The LSTM cell itself
====================

Ten lines of NumPy, the same from this package, and what the gates of a cell do.

A cell reads the inputs x of a step and the states c and h before it, and gives the states after it.
This is the cell of the Torch7 tutorials on nngraph and char-rnn: two linear maps, "i2h" of the inputs
and "h2h" of the states; three gates i, f and o between 0 and 1, and a candidate g;
``c' = f c + i g``, ``h' = o tanh(c')``.

1. A step of ``functional.lstm_step`` is the step written in NumPy.
2. A loop of steps is the whole sequence, to the bit.
3. Without forget gate, as in 1997, the cell is a carousel: what is in it stays.
4. Weights of a cell with two biases and gates in the order i, f, o, g are read.
5. A cell learns to remember the one number of thirty that was marked; its gates are shown, step by step.

Run it with ``python3 examples/plot_lstm_cell.py``: some seconds. ``--plot FILE`` draws the gates (with
matplotlib).
"""

import argparse

import numpy as np

from seqlearn_lstm import LSTMRegressor
from seqlearn_lstm.cells import LSTM
from seqlearn_lstm.functional import lstm, lstm_step
from seqlearn_lstm.persistence import from_char_rnn

N_STEPS = 30


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def numpy_step(x, c, h, W, U, b):
    i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return c, sigmoid(o) * np.tanh(c)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="The LSTM cell.")
    parser.add_argument("--plot", metavar="FILE", help="picture of a trained cell's gates")
    file = parser.parse_args(arguments).plot
    rng = np.random.default_rng(0)
    the_tutorials_cell(rng)
    steps_and_sequences(rng)
    carousel(rng)
    imported(rng)
    X, marks, inside = remembering()
    if file:
        draw(file, X[0], marks[0], inside)


def the_tutorials_cell(rng):
    """``LSTM.create(3, 2)`` of the tutorial: from 1 x 3, 1 x 2, 1 x 2 to two of 1 x 2."""
    x, c, h = (rng.standard_normal((1, n)) for n in (3, 2, 2))
    weights = rng.standard_normal((3, 8)), rng.standard_normal((2, 8)), rng.standard_normal(8)
    ours, numpys = lstm_step(x, c, h, *weights), numpy_step(x, c, h, *weights)
    shapes = [" x ".join(map(str, array.shape)) for array in (x, c, h, *ours)]
    print("x {}, c {}, h {} become c' {}, h' {}".format(*shapes))
    print(f"  c' here {ours[0]}, in NumPy {numpys[0]}")
    print(f"  h' here {ours[1]}, in NumPy {numpys[1]}")


def steps_and_sequences(rng, n_in=28, n_units=100, n_sequences=50):
    """A step beside NumPy's, and a loop of steps beside whole sequences.

    Returns
    -------
    difference : float
        The largest between a state here and in NumPy, float64.
    """
    W, U = 0.3 * rng.standard_normal((n_in, 4 * n_units)), np.zeros((n_units, 4 * n_units))
    U += 0.1 * rng.standard_normal(U.shape)
    b = rng.standard_normal(4 * n_units)
    X = rng.standard_normal((n_sequences, N_STEPS, n_in))
    whole = np.array(lstm(X, W, U, b))  # (c or h, sequence, step, unit)
    ours = np.zeros((2, n_sequences, n_units))
    difference, same = 0.0, True
    for t in range(N_STEPS):
        numpys = numpy_step(X[:, t], *ours, W, U, b)
        ours = lstm_step(X[:, t], *ours, W, U, b)
        difference = max(difference, np.abs(np.subtract(ours, numpys)).max())
        same &= np.array_equal(ours, whole[:, :, t])
    alone = lstm(X[7], W, U, b)
    same &= np.array_equal(alone, whole[:, 7])
    print(
        f"\n{n_sequences} sequences, {n_units} units: largest difference from NumPy {difference:.1e}"
    )
    print(f"  steps one by one, all at once, one sequence alone: the same bits: {same}")
    assert difference <= 1e-12 and same
    return difference


def carousel(rng):
    """What a cell holds after a thousand steps in which its input gate is shut."""
    W, U, b = np.zeros((1, 3)), np.zeros((1, 3)), np.array([-1e3, 0.0, 0.0])  # i, g, o
    x, held = rng.standard_normal((1000, 1)), np.array([0.7])
    without, _ = lstm(x, W, U, b, c0=held, cell=LSTM(forget_gate=False))
    with_gate, _ = lstm(x, np.zeros((1, 4)), np.zeros((1, 4)), np.array([-1e3, 5, 0, 0]), c0=held)
    print(f"\n{held[0]} held for 1,000 steps without forget gate: {without[-1, 0]}")
    print(f"  with a forget gate of {sigmoid(5):.4f}: {with_gate[-1, 0]:.5f}")
    assert without[-1, 0] == held[0]


def imported(rng, n_in=3, n_units=2):
    """A cell as the tutorial writes it, with its own weights, and here with the same ones."""
    i2h_weight, h2h_weight = (rng.standard_normal((4 * n_units, n)) for n in (n_in, n_units))
    i2h_bias, h2h_bias = rng.standard_normal((2, 4 * n_units))
    X = rng.standard_normal((N_STEPS, n_in))

    c = h = np.zeros(n_units)
    theirs = []
    for x in X:
        sums = i2h_weight @ x + i2h_bias + h2h_weight @ h + h2h_bias
        i, f, o = np.split(sigmoid(sums[: 3 * n_units]), 3)
        c = f * c + i * np.tanh(sums[3 * n_units :])
        h = o * np.tanh(c)
        theirs.append(h)

    parameters = from_char_rnn(i2h_weight, i2h_bias, h2h_weight, h2h_bias)
    _, ours = lstm(X, *(parameters[f"layer_0.forward.{name}"] for name in "WUb"))
    difference = np.abs(ours - theirs).max()
    print(f"\nweights with two biases, gates i f o g: largest difference {difference:.1e}")
    assert difference <= 1e-12


def remembering(n=6_000, n_new=1_000):
    """Teach a network to say at the end which number was marked, and look into its cells.

    Returns
    -------
    X : ndarray of shape (n_new, n_steps, 2)
        New sequences of numbers and marks.
    marks : ndarray of shape (n_new,)
        The step that is marked.
    inside : dict of str to ndarray of shape (n_steps,)
        "i", "f", "g", "o" and "c" on the first new sequence, of the unit that says most about the
        marked number.
    """
    (X, marks), (X_new, marks_new) = marked(n, seed=0), marked(n_new, seed=1)
    y, y_new = (x[np.arange(len(x)), m, 0] for x, m in ((X, marks), (X_new, marks_new)))
    model = LSTMRegressor((8,), learning_rate=0.01, max_iter=12, n_jobs=1, random_state=0)
    model.fit(X, y)
    error = np.mean((model.predict(X_new) - y_new) ** 2)
    print(f"\nthe marked one of {N_STEPS} numbers: squared error on new sequences {error:.5f}")
    print(f"  always the mean: {np.var(y_new):.5f}")

    weights = (model.parameters_[f"layer_0.forward.{name}"] for name in "WUb")
    c, _, gates = lstm(X_new, *weights, return_gates=True)
    inside = {name: np.array(values) for name, values in (gates | {"c": c}).items()}
    told = np.abs([np.corrcoef(last, y_new)[0, 1] for last in inside["c"][:, -1].T])
    unit = told.argmax()
    inside = {name: values[:, :, unit] for name, values in inside.items()}
    here = X_new[:, :, 1] == 1
    written = np.abs(inside["i"] * inside["g"])
    print(f"  unit {unit}: its last cell state and the number correlate by {told[unit]:.3f}")
    print(f"  it takes in (|i g|) {written[here].mean():.3f} at the marked step")
    print(
        f"  and {written[~here].mean():.3f} at others, where f is {inside['f'][~here].mean():.3f}"
    )
    assert error < np.var(y_new) / 20 and written[here].mean() > 3 * written[~here].mean()
    return X_new, marks_new, {name: values[0] for name, values in inside.items()}


def marked(n, seed):
    """Numbers with a mark at one step: (X, the step)."""
    rng = np.random.default_rng(seed)
    X = np.zeros((n, N_STEPS, 2), np.float32)
    X[:, :, 0] = rng.uniform(-1, 1, (n, N_STEPS))
    marks = rng.integers(N_STEPS, size=n)
    X[np.arange(n), marks, 1] = 1
    return X, marks


def draw(file, x, mark, inside):
    """The inputs, the gates and the cell of one unit over time."""
    from matplotlib.figure import Figure  # drawn into a file: needs no display

    figure = Figure(figsize=(7, 6), layout="constrained")
    rows = figure.subplots(3, sharex=True)
    rows[0].bar(range(len(x)), x[:, 0], color="silver")
    rows[0].bar(mark, x[mark, 0], color="tab:red", label="marked")
    rows[0].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    rows[0].set(ylabel="number")
    for name in "ifo":
        rows[1].step(range(len(x)), inside[name], where="mid", label=name)
    rows[1].set(ylabel="gates", ylim=(-0.05, 1.05))
    rows[1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    rows[2].step(range(len(x)), inside["g"], where="mid", label="g", color="silver")
    rows[2].step(range(len(x)), inside["c"], where="mid", label="c", color="black")
    rows[2].set(ylabel="candidate and cell", xlabel="step")
    rows[2].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(file)


if __name__ == "__main__":
    main()
