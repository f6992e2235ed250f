"""Solver steps: one pass over the flat parameters, in whole vectors.

theta gradient m v velocity (n,)  n a multiple of the lanes; the gradient is multiplied by `scale`
first (clipping)
"""

from .compile import kernel, part
from .share import hand_out
from .simd import fma, load, splat, sqrt, store, total
from .target import VECTOR_BYTES

CHUNK = 4096


@kernel
def sum_of_squares(x):
    """In vectors within chunks, in float64 over chunks: one order, whatever runs it."""
    L = VECTOR_BYTES // x.itemsize
    result = 0.0
    for start in range(0, x.shape[0], CHUNK):
        a, b = splat(x, 0.0), splat(x, 0.0)
        stop = min(start + CHUNK, x.shape[0])
        middle = start + (stop - start) // (2 * L) * L
        for k in range(start, middle, L):
            u, v = load(x, k), load(x, k + middle - start)
            a, b = fma(u, u, a), fma(v, v, b)
        for k in range(2 * middle - start, stop, L):
            u = load(x, k)
            a = fma(u, u, a)
        result += total(a + b)
    return result


@part
def limits(n, L, share, n_shares):
    """First and last element of a share, in whole vectors."""
    vectors = n // L
    return share * vectors // n_shares * L, (share + 1) * vectors // n_shares * L


@kernel
def adam(
    theta,
    gradient,
    m,
    v,
    scale,
    rate,
    beta_1,
    beta_2,
    root_correction,
    epsilon,
    share,
    n_shares,
    launcher,
):
    """Kingma and Ba 2015. rate: learning rate / (1 - beta_1^t); root_correction: 1 / sqrt(1 -
    beta_2^t).
    """
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // theta.itemsize
    first, last = limits(theta.shape[0], L, share, n_shares)
    for k in range(first, last, L):
        g = load(gradient, k) * scale
        mean = fma(load(m, k), beta_1, g * (1.0 - beta_1))
        square = fma(load(v, k), beta_2, (g * g) * (1.0 - beta_2))
        store(m, k, mean)
        store(v, k, square)
        step = (mean * rate) / fma(sqrt(square), root_correction, epsilon)
        store(theta, k, load(theta, k) - step)


@kernel
def sgd(theta, gradient, velocity, scale, rate, momentum, nesterov, share, n_shares, launcher):
    """velocity = momentum * velocity + g; theta -= rate * velocity, or rate * (g + momentum *
    velocity) after Nesterov.
    """
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // theta.itemsize
    first, last = limits(theta.shape[0], L, share, n_shares)
    for k in range(first, last, L):
        g = load(gradient, k) * scale
        speed = fma(load(velocity, k), momentum, g)
        store(velocity, k, speed)
        step = fma(speed, momentum, g) if nesterov else speed
        store(theta, k, load(theta, k) - step * rate)
