"""The naive twin of the LSTM with options: plain NumPy, float64, one sequence at a time.

Parameters, canonical: W (n_in, 4 H), U (H, 4 H), b (4 H,), gates i, f, g, o; p (3 H,), peepholes of
i, f, o; gain (4 H,); cell_gain and cell_shift (H,). What belongs to an option that is off is not
read, and its gradient is zero.
"""

from dataclasses import dataclass, fields

import numpy as np
from naive import sigmoid

EPSILON = 1e-5
# name -> (the function, its slope from its value)
ACTIVATIONS = {
    "tanh": (np.tanh, lambda y: 1 - y**2),
    "relu": (lambda x: np.maximum(x, 0), lambda y: (y > 0).astype(float)),
    "sigmoid": (sigmoid, lambda y: y * (1 - y)),
    "linear": (lambda x: x, np.ones_like),
}


@dataclass(frozen=True)
class Parameters:
    W: np.ndarray
    U: np.ndarray
    b: np.ndarray
    p: np.ndarray
    gain: np.ndarray
    cell_gain: np.ndarray
    cell_shift: np.ndarray

    @classmethod
    def names(cls):
        return [field.name for field in fields(cls)]

    def map(self, function):
        return Parameters(*(function(getattr(self, name)) for name in self.names()))


@dataclass(frozen=True)
class Options:
    peephole: bool = False
    forget_gate: bool = True
    layer_norm: bool = False
    activation: str = "tanh"
    output_activation: str = "tanh"

    def codes(self):
        """As the backends take them."""
        kinds = [list(ACTIVATIONS).index(k) for k in (self.activation, self.output_activation)]
        return int(self.peephole), int(self.forget_gate), int(self.layer_norm), *kinds


@dataclass
class Step:
    """What one step computed: gates (4, H), normalised products, cells and states."""

    h_before: np.ndarray
    c_before: np.ndarray
    a: np.ndarray
    gates: np.ndarray
    c: np.ndarray
    seen: np.ndarray  # the cell as the output's activation sees it
    squashed: np.ndarray
    h: np.ndarray


def normalise(a):
    return (a - a.mean()) / np.sqrt(a.var() + EPSILON)


def normalise_backward(a, d):
    """Through the whole Jacobian, from the gradient d at the normalised values."""
    n, y = len(a), normalise(a)
    jacobian = (np.eye(n) - 1 / n - np.outer(y, y) / n) / np.sqrt(a.var() + EPSILON)
    return jacobian.T @ d


def step(x, h, c, theta, options, mask):
    a = (x @ theta.W + (h * mask) @ theta.U).reshape(4, -1)
    b, p, gain = theta.b.reshape(4, -1), theta.p.reshape(3, -1), theta.gain.reshape(4, -1)
    y = gain * np.array([normalise(gate) for gate in a]) + b if options.layer_norm else a + b
    peephole = p if options.peephole else np.zeros_like(p)
    i = sigmoid(y[0] + peephole[0] * c)
    f = sigmoid(y[1] + peephole[1] * c) if options.forget_gate else np.ones_like(i)
    g = ACTIVATIONS[options.activation][0](y[2])
    c_after = f * c + i * g
    o = sigmoid(y[3] + peephole[2] * c_after)
    seen = c_after
    if options.layer_norm:
        seen = theta.cell_gain * normalise(c_after) + theta.cell_shift
    squashed = ACTIVATIONS[options.output_activation][0](seen)
    gates = np.array([i, f, g, o])
    return Step(h, c, a, gates, c_after, seen, squashed, o * squashed)


def steps(x, h0, c0, theta, options, mask):
    done, h, c = [], np.asarray(h0, np.float64), np.asarray(c0, np.float64)
    for x_t in np.asarray(x, np.float64):
        done.append(step(x_t, h, c, theta, options, mask))
        h, c = done[-1].h, done[-1].c
    return done


def lstm(x, h0, c0, theta, options, mask):
    """All states of a sequence x (T, n_in): hs and cs (T + 1, H); row 0 is the initial state."""
    done = steps(x, h0, c0, theta, options, mask)
    return np.array([h0, *(s.h for s in done)]), np.array([c0, *(s.c for s in done)])


def lstm_backward(x, h0, c0, theta, options, mask, d_out, dh, dc):
    """Back-propagation through time; arguments and results as of `naive.lstm_backward`.

    Returns (gradients: Parameters, dx, dh0, dc0).
    """
    done = steps(x, h0, c0, theta, options, mask)
    gradient, dx = theta.map(np.zeros_like), np.zeros(np.shape(x))
    dh, dc = np.array(dh, np.float64), np.array(dc, np.float64)
    for t in reversed(range(len(done))):
        dx[t], dh, dc = step_backward(
            np.asarray(x[t], np.float64), done[t], theta, options, mask, dh + d_out[t], dc, gradient
        )
    return gradient, dx, dh, dc


def step_backward(x, s, theta, options, mask, dh, dc, gradient):
    """Adds to the gradients of the parameters; returns (dx, dh, dc) of before."""
    i, f, g, o = s.gates
    p, gain = theta.p.reshape(3, -1), theta.gain.reshape(4, -1)
    d_seen = dh * o * ACTIVATIONS[options.output_activation][1](s.squashed)
    if options.layer_norm:
        gradient.cell_gain[:] += d_seen * normalise(s.c)
        gradient.cell_shift[:] += d_seen
        d_seen = normalise_backward(s.c, d_seen * theta.cell_gain)
    d_o = dh * s.squashed * o * (1 - o)
    dc = dc + d_seen
    if options.peephole:
        dc = dc + p[2] * d_o
    d_i = dc * g * i * (1 - i)
    d_f = dc * s.c_before * f * (1 - f) if options.forget_gate else np.zeros_like(f)
    d_g = dc * i * ACTIVATIONS[options.activation][1](g)
    d_y = np.array([d_i, d_f, d_g, d_o])
    gradient.b[:] += d_y.ravel()
    dc = dc * f
    if options.peephole:
        gradient.p[:] += np.concatenate([d_i * s.c_before, d_f * s.c_before, d_o * s.c])
        dc = dc + p[0] * d_i + p[1] * d_f
    d_a = d_y
    if options.layer_norm:
        normal = np.array([normalise(gate) for gate in s.a])
        gradient.gain[:] += (d_y * normal).ravel()
        d_a = np.array([normalise_backward(*pair) for pair in zip(s.a, gain * d_y, strict=True)])
    gradient.W[:] += np.outer(x, d_a)
    gradient.U[:] += np.outer(s.h_before * mask, d_a)
    return theta.W @ d_a.ravel(), mask * (theta.U @ d_a.ravel()), dc
