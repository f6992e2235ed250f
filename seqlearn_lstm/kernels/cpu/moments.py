"""Solver steps of Adam and its kin: as `updates`, with running means of g and of its square.

theta gradient, and the state: m v largest (n,); g is the gradient times `scale`
rate                learning rate / (1 - beta_1^t), t = 1, 2, ... the number of the update
root_correction     1 / sqrt(1 - beta_2^t)
"""

from .compile import inlined, kernel
from .share import hand_out
from .simd import fma, load, maximum, sqrt, store
from .target import VECTOR_BYTES
from .updates import limits


@inlined
def follow(gradient, m, v, k, scale, beta_1, beta_2):
    """Update the running means of g and of its square; returns g and both means."""
    g = load(gradient, k) * scale
    mean = fma(load(m, k), beta_1, g * (1.0 - beta_1))
    square = fma(load(v, k), beta_2, (g * g) * (1.0 - beta_2))
    store(m, k, mean)
    store(v, k, square)
    return g, mean, square


@kernel
def adam(
    theta, gradient, m, v, scale, rate, decay, beta_1, beta_2, root_correction, epsilon,
    share, n_shares, launcher,
):  # fmt: skip
    """Kingma and Ba 2015; `decay` of theta goes, too: Loshchilov and Hutter 2019."""
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // theta.itemsize
    first, last = limits(theta.shape[0], L, share, n_shares)
    for k in range(first, last, L):
        _, mean, square = follow(gradient, m, v, k, scale, beta_1, beta_2)
        step = (mean * rate) / fma(sqrt(square), root_correction, epsilon)
        # Not theta * (1 - decay): that number has lost most digits of a small decay.
        before = load(theta, k)
        store(theta, k, before - fma(before, decay, step))


@kernel
def amsgrad(
    theta, gradient, m, v, largest, scale, rate, beta_1, beta_2, root_correction, epsilon,
    share, n_shares, launcher,
):  # fmt: skip
    """Reddi et al. 2018: the largest v so far in place of v."""
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // theta.itemsize
    first, last = limits(theta.shape[0], L, share, n_shares)
    for k in range(first, last, L):
        _, mean, square = follow(gradient, m, v, k, scale, beta_1, beta_2)
        square = maximum(square, load(largest, k))
        store(largest, k, square)
        step = (mean * rate) / fma(sqrt(square), root_correction, epsilon)
        store(theta, k, load(theta, k) - step)


@kernel
def nadam(
    theta, gradient, m, v, scale, gradient_rate, rate, beta_1, beta_2, root_correction, epsilon,
    share, n_shares, launcher,
):  # fmt: skip
    """Dozat 2016: gradient_rate * g + rate * m, the rates with all corrections for the means."""
    if launcher != 0:
        hand_out()
        return
    L = VECTOR_BYTES // theta.itemsize
    first, last = limits(theta.shape[0], L, share, n_shares)
    for k in range(first, last, L):
        g, mean, square = follow(gradient, m, v, k, scale, beta_1, beta_2)
        step = fma(mean, rate, g * gradient_rate) / fma(sqrt(square), root_correction, epsilon)
        store(theta, k, load(theta, k) - step)
