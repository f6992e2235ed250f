"""The one truth of the GRU and of the plain recurrent layer, as `naive` is of the LSTM.

Canonical: a GRU's gates r, u, n; W (n_in, 3 H), U (H, 3 H), b (3 H,), and b_n (H,) where the reset
gate stands behind the recurrent product (None: before it). A plain layer has W (n_in, H), U (H, H),
b (H,). mask (H,) is multiplied onto the state that the recurrent product reads. A gradient has the
shape of what it belongs to and its name with a d.
"""

import numpy as np
from naive import sigmoid

# name -> the activation, and its derivative from its value
ACTIVATIONS = {
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "relu": (lambda a: np.maximum(a, 0), lambda h: (h > 0).astype(float)),
}


# ---- GRU -----------------------------------------------------------------------------------------


def gru_gates(x, seen, W, U, b, b_n):
    """r, u and n of one step, and m with ``n = tanh(... + r * m)`` where b_n is given."""
    r, u, n = np.split(x @ W + b, 3)
    U_r, U_u, U_n = np.split(U, 3, axis=1)
    r, u = sigmoid(r + seen @ U_r), sigmoid(u + seen @ U_u)
    if b_n is None:
        return r, u, np.tanh(n + (r * seen) @ U_n), None
    m = seen @ U_n + b_n
    return r, u, np.tanh(n + r * m), m


def gru(x, h0, W, U, b, b_n, mask):
    """All states of a sequence x (T, n_in): hs (T + 1, H); row 0 is the initial state."""
    hs = [np.asarray(h0, np.float64)]
    for x_t in np.asarray(x, np.float64):
        _, u, n, _ = gru_gates(x_t, hs[-1] * mask, W, U, b, b_n)
        hs.append((1 - u) * n + u * hs[-1])
    return np.array(hs)


def gru_backward(x, h0, W, U, b, b_n, mask, d_out, dh):
    """Back-propagation through time of a sequence x (T, n_in).

    d_out (T, H): the gradient at h after each step; dh (H,): at the final state, on top of it.
    Returns (dW, dU, db, db_n, dx, dh0).
    """
    x, hs = np.asarray(x, np.float64), gru(x, h0, W, U, b, b_n, mask)
    U_r, U_u, U_n = np.split(U, 3, axis=1)
    dW, dU, db, dx = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b), np.zeros_like(x)
    dU_r, dU_u, dU_n = np.split(dU, 3, axis=1)  # views
    db_n = np.zeros(len(U))
    for t in reversed(range(len(x))):
        seen = hs[t] * mask
        r, u, n, m = gru_gates(x[t], seen, W, U, b, b_n)
        dh = dh + d_out[t]
        d_n = dh * (1 - u) * (1 - n**2)
        d_u = dh * (hs[t] - n) * u * (1 - u)
        if b_n is None:
            d_reset = U_n @ d_n
            d_r = d_reset * seen * r * (1 - r)
            dU_n += np.outer(r * seen, d_n)
            d_seen = r * d_reset
        else:
            d_r = d_n * m * r * (1 - r)
            dU_n += np.outer(seen, d_n * r)
            db_n += d_n * r
            d_seen = U_n @ (d_n * r)
        dU_r += np.outer(seen, d_r)
        dU_u += np.outer(seen, d_u)
        d_pre = np.concatenate([d_r, d_u, d_n])
        dW += np.outer(x[t], d_pre)
        db += d_pre
        dx[t] = W @ d_pre
        dh = dh * u + mask * (d_seen + U_r @ d_r + U_u @ d_u)
    return dW, dU, db, db_n, dx, dh


# ---- plain recurrent layer -----------------------------------------------------------------------


def rnn(x, h0, W, U, b, mask, activation):
    """All states of a sequence x (T, n_in): hs (T + 1, H); row 0 is the initial state."""
    act, _ = ACTIVATIONS[activation]
    hs = [np.asarray(h0, np.float64)]
    for x_t in np.asarray(x, np.float64):
        hs.append(act(x_t @ W + (hs[-1] * mask) @ U + b))
    return np.array(hs)


def rnn_backward(x, h0, W, U, b, mask, activation, d_out, dh):
    """Returns (dW, dU, db, dx, dh0); see `gru_backward`."""
    x, hs = np.asarray(x, np.float64), rnn(x, h0, W, U, b, mask, activation)
    _, slope = ACTIVATIONS[activation]
    dW, dU, db, dx = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b), np.zeros_like(x)
    for t in reversed(range(len(x))):
        d_pre = (dh + d_out[t]) * slope(hs[t + 1])
        dW += np.outer(x[t], d_pre)
        dU += np.outer(hs[t] * mask, d_pre)
        db += d_pre
        dx[t] = W @ d_pre
        dh = mask * (U @ d_pre)
    return dW, dU, db, dx, dh
