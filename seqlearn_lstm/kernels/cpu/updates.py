"""Solver steps: one pass over the flat parameters, in whole vectors; what is left over after the
last one the caller passes in a vector of its own.

theta gradient, and the state: velocity square change (n,); the gradient is multiplied by `scale`
first (clipping), and g is the product
"""

from .compile import kernel, part
from .share import hand_out
from .simd import fma, load, load_first, maximum, minimum, splat, sqrt, store, total
from .target import VECTOR_BYTES

CHUNK = 4096


@kernel
def squares(x, sums, share, n_shares, launcher):
    """sums (chunks of x) = the sum of the squares of each chunk: one order, whatever runs it."""
    if launcher != 0:
        hand_out()
        return
    L, n = VECTOR_BYTES // x.itemsize, sums.shape[0]
    for chunk in range(share * n // n_shares, (share + 1) * n // n_shares):
        start, a, b = chunk * CHUNK, splat(x, 0.0), splat(x, 0.0)
        length = min(CHUNK, x.shape[0] - start)
        middle, stop = start + length // (2 * L) * L, start + length // L * L
        for k in range(start, middle, L):
            u, v = load(x, k), load(x, k + middle - start)
            a, b = fma(u, u, a), fma(v, v, b)
        for k in range(2 * middle - start, stop, L):
            u = load(x, k)
            a = fma(u, u, a)
        if length % L > 0:
            u = load_first(x, stop, length % L)
            a = fma(u, u, a)
        sums[chunk] = total(a + b)


@part
def limits(n, L, share, n_shares):
    """First and last element of a share, in whole vectors."""
    vectors = n // L
    return share * vectors // n_shares * L, (share + 1) * vectors // n_shares * L


@kernel
def clip_values(gradient, limit, share, n_shares, launcher):
    """Every element between -limit and limit; not-a-number stays: a diverged training shows."""
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // gradient.itemsize
    first, last = limits(gradient.shape[0], L, share, n_shares)
    for k in range(first, last, L):
        store(gradient, k, minimum(maximum(load(gradient, k), -limit), limit))


@kernel
def descend(theta, gradient, scale, rate, share, n_shares, launcher):
    """theta -= rate * g."""
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // theta.itemsize
    first, last = limits(theta.shape[0], L, share, n_shares)
    for k in range(first, last, L):
        store(theta, k, load(theta, k) - (load(gradient, k) * scale) * rate)


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


@kernel
def rmsprop(theta, gradient, square, scale, rate, rho, epsilon, share, n_shares, launcher):
    """square = rho * square + (1 - rho) * g^2; theta -= rate * g / (sqrt(square) + epsilon)."""
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // theta.itemsize
    first, last = limits(theta.shape[0], L, share, n_shares)
    for k in range(first, last, L):
        g = load(gradient, k) * scale
        mean = fma(load(square, k), rho, (g * g) * (1.0 - rho))
        store(square, k, mean)
        store(theta, k, load(theta, k) - (g * rate) / (sqrt(mean) + epsilon))


@kernel
def adagrad(theta, gradient, square, scale, rate, epsilon, share, n_shares, launcher):
    """square += g^2; theta -= rate * g / (sqrt(square) + epsilon)."""
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // theta.itemsize
    first, last = limits(theta.shape[0], L, share, n_shares)
    for k in range(first, last, L):
        g = load(gradient, k) * scale
        sums = fma(g, g, load(square, k))
        store(square, k, sums)
        store(theta, k, load(theta, k) - (g * rate) / (sqrt(sums) + epsilon))


@kernel
def adadelta(
    theta, gradient, square, change, scale, rate, rho, epsilon, share, n_shares, launcher
):  # fmt: skip
    """square as of `rmsprop`; step = g * sqrt((change + epsilon) / (square + epsilon));
    change = rho * change + (1 - rho) * step^2; theta -= rate * step.
    """
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // theta.itemsize
    first, last = limits(theta.shape[0], L, share, n_shares)
    for k in range(first, last, L):
        g, before = load(gradient, k) * scale, load(change, k)
        mean = fma(load(square, k), rho, (g * g) * (1.0 - rho))
        store(square, k, mean)
        step = g * sqrt((before + epsilon) / (mean + epsilon))
        store(change, k, fma(before, rho, (step * step) * (1.0 - rho)))
        store(theta, k, load(theta, k) - step * rate)
