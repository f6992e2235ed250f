"""The one truth: every computation of the package in plain NumPy, float64, one sequence at a time.

Written to be read, not to be fast. Arrays are canonical: gates i, f, g, o; W (n_in, 4 H),
U (H, 4 H), b (4 H,); a dense layer has W (n_in, n_out), b (n_out,). A gradient has the shape of
what it belongs to and its name with a d.
"""

import numpy as np


def sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))  # 1 / (1 + exp(-x)) that never overflows


# ---- LSTM ----------------------------------------------------------------------------------------


def lstm_step(x, h, c, W, U, b):
    """One step: x (n_in,), h and c (H,) to the next h and c."""
    i, f, g, o = np.split(x @ W + h @ U + b, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def lstm(x, h0, c0, W, U, b):
    """All states of a sequence x (T, n_in): hs and cs (T + 1, H); row 0 is the initial state."""
    hs, cs = [np.asarray(h0, np.float64)], [np.asarray(c0, np.float64)]
    for x_t in np.asarray(x, np.float64):
        h, c = lstm_step(x_t, hs[-1], cs[-1], W, U, b)
        hs.append(h)
        cs.append(c)
    return np.array(hs), np.array(cs)


def lstm_backward(x, h0, c0, W, U, b, d_out, dh, dc):
    """Back-propagation through time of a sequence x (T, n_in).

    d_out (T, H): the gradient at h after each step; dh and dc (H,): at the final states, on top of
    it. Returns (dW, dU, db, dx, dh0, dc0).
    """
    x, W, U = (np.asarray(array, np.float64) for array in (x, W, U))
    hs, cs = lstm(x, h0, c0, W, U, b)
    dW, dU, db, dx = np.zeros_like(W), np.zeros_like(U), np.zeros(W.shape[1]), np.zeros_like(x)
    dh, dc = np.array(dh, np.float64), np.array(dc, np.float64)
    for t in reversed(range(len(x))):
        i, f, g, o = np.split(x[t] @ W + hs[t] @ U + b, 4)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        squashed = np.tanh(cs[t + 1])
        dh = dh + d_out[t]
        dc = dc + dh * o * (1 - squashed**2)
        d_pre = np.concatenate(
            [
                dc * g * i * (1 - i),
                dc * cs[t] * f * (1 - f),
                dc * i * (1 - g**2),
                dh * squashed * o * (1 - o),
            ]
        )
        dW += np.outer(x[t], d_pre)
        dU += np.outer(hs[t], d_pre)
        db += d_pre
        dx[t] = W @ d_pre
        dh = U @ d_pre
        dc = dc * f
    return dW, dU, db, dx, dh, dc


# ---- heads ---------------------------------------------------------------------------------------


def log_softmax(scores):
    """Of one row of scores (C,)."""
    shifted = scores - scores.max()
    return shifted - np.log(np.exp(shifted).sum())


def softmax_cross_entropy(scores, targets, weights):
    """The weighted mean loss and its gradient at the scores (n, C).

    A row whose target is below zero costs nothing; its weight counts in the mean all the same.
    """
    loss, gradient = 0.0, np.zeros(np.shape(scores))
    for row, (score, target, weight) in enumerate(zip(scores, targets, weights, strict=True)):
        if target >= 0:
            logs = log_softmax(np.asarray(score, np.float64))
            loss -= weight * logs[target]
            gradient[row] = weight * np.exp(logs)
            gradient[row, target] -= weight
    return loss / np.sum(weights), gradient / np.sum(weights)


# ---- solvers: one update -------------------------------------------------------------------------
# Each returns the next theta and the next state; t = 1, 2, ... is the number of the update.


def adam(theta, gradient, m, v, t, rate, beta_1, beta_2, epsilon):
    """Kingma and Ba 2015, algorithm 1."""
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**t)
    v_hat = v / (1 - beta_2**t)
    return theta - rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v


def adamw(theta, gradient, m, v, t, rate, beta_1, beta_2, epsilon, decay):
    """Loshchilov and Hutter 2019, algorithm 2, their alpha and eta both being `rate`."""
    shrunk = theta - rate * decay * theta
    return adam(shrunk, gradient, m, v, t, rate, beta_1, beta_2, epsilon)


def amsgrad(theta, gradient, m, v, largest, t, rate, beta_1, beta_2, epsilon):
    """Reddi et al. 2018, algorithm 2, with the corrections of `adam`."""
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    largest = np.maximum(largest, v)
    m_hat = m / (1 - beta_1**t)
    v_hat = largest / (1 - beta_2**t)
    return theta - rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v, largest


def nadam(theta, gradient, m, v, t, rate, beta_1, beta_2, epsilon, decay):
    """Dozat 2016, algorithm 2, with his schedule for mu."""
    mu = [beta_1 * (1 - 0.5 * 0.96 ** (i * decay)) for i in range(1, t + 2)]  # mu_1 .. mu_(t + 1)
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    g_hat = gradient / (1 - np.prod(mu[:t]))
    m_hat = m / (1 - np.prod(mu))
    v_hat = v / (1 - beta_2**t)
    step = (1 - mu[t - 1]) * g_hat + mu[t] * m_hat
    return theta - rate * step / (np.sqrt(v_hat) + epsilon), m, v


def sgd(theta, gradient, velocity, rate, momentum, nesterov):
    """Sutskever et al. 2013, as PyTorch and Keras write it."""
    velocity = momentum * velocity + gradient
    step = gradient + momentum * velocity if nesterov else velocity
    return theta - rate * step, velocity


def rmsprop(theta, gradient, square, rate, rho, epsilon):
    """Tieleman and Hinton 2012."""
    square = rho * square + (1 - rho) * gradient**2
    return theta - rate * gradient / (np.sqrt(square) + epsilon), square


def global_rmsprop(theta, gradient, square, rate, rho, epsilon):
    """One scale for all: `square` is a number."""
    square = rho * square + (1 - rho) * (gradient**2).sum()
    return theta - rate * gradient / (np.sqrt(square) + epsilon), square


def adagrad(theta, gradient, square, rate, epsilon):
    """Duchi, Hazan and Singer 2011, with a diagonal matrix."""
    square = square + gradient**2
    return theta - rate * gradient / (np.sqrt(square) + epsilon), square


def adadelta(theta, gradient, square, change, rate, rho, epsilon):
    """Zeiler 2012, algorithm 1."""
    square = rho * square + (1 - rho) * gradient**2
    step = np.sqrt(change + epsilon) / np.sqrt(square + epsilon) * gradient
    change = rho * change + (1 - rho) * step**2
    return theta - rate * step, square, change


# ---- layouts -------------------------------------------------------------------------------------


def panelled(matrix, kernels):
    """A matrix as a flat panelled one: whole vectors, the last one padded with zeros."""
    n_rows, n_columns = matrix.shape
    padded = np.zeros((n_rows, kernels.padded(n_columns, matrix.dtype)), matrix.dtype)
    padded[:, :n_columns] = matrix
    wide = kernels.panel_columns(padded.shape[1], matrix.dtype)
    panels = [padded[:, q : q + wide] for q in range(0, padded.shape[1], wide)]
    return np.concatenate([panel.ravel() for panel in panels])


def unpanelled(flat, n_rows, kernels):
    """A flat panelled matrix as (n_rows, columns padded)."""
    n_columns = flat.size // n_rows
    wide = kernels.panel_columns(n_columns, flat.dtype)
    panels, start = [], 0
    for q in range(0, n_columns, wide):
        width = min(wide, n_columns - q)
        panels.append(flat[start : start + n_rows * width].reshape(n_rows, width))
        start += n_rows * width
    return np.concatenate(panels, axis=1)
