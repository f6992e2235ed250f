"""Initial values of weights and biases, by name."""

import numpy as np


def glorot_uniform(rng, n_in, n_out):
    """Uniform within sqrt(6 / (n_in + n_out)) (Glorot and Bengio 2010)."""
    bound = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-bound, bound, (n_in, n_out))


def glorot_normal(rng, n_in, n_out):
    """Normal, of variance 2 / (n_in + n_out) (Glorot and Bengio 2010)."""
    return rng.normal(0, np.sqrt(2 / (n_in + n_out)), (n_in, n_out))


def he_uniform(rng, n_in, n_out):
    """Uniform within sqrt(6 / n_in) (He et al. 2015), for rectified units."""
    bound = np.sqrt(6 / n_in)
    return rng.uniform(-bound, bound, (n_in, n_out))


def he_normal(rng, n_in, n_out):
    """Normal, of variance 2 / n_in (He et al. 2015), for rectified units."""
    return rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out))


def lecun_uniform(rng, n_in, n_out):
    """Uniform within sqrt(3 / n_in) (LeCun et al. 1998)."""
    bound = np.sqrt(3 / n_in)
    return rng.uniform(-bound, bound, (n_in, n_out))


def torch_uniform(rng, n_in, n_out):
    """Uniform within 1 / sqrt(n_out), as PyTorch starts its recurrent layers."""
    bound = 1 / np.sqrt(n_out)
    return rng.uniform(-bound, bound, (n_in, n_out))


def orthogonal(rng, n_in, n_out):
    """A matrix with orthogonal rows or columns, of all equally likely ones (Saxe et al. 2014)."""
    n, m = max(n_in, n_out), min(n_in, n_out)
    q, r = np.linalg.qr(rng.standard_normal((n, m)))
    q = q * np.sign(np.diag(r))  # without the signs, some would be likelier than others
    return q if n_in >= n_out else q.T


def zeros(rng, n_in, n_out):
    """Zeros."""
    return np.zeros((n_in, n_out))


def ones(rng, n_in, n_out):
    """Ones."""
    return np.ones((n_in, n_out))


def identity(rng, n_in, n_out):
    """Ones on the diagonal (for rectified recurrent units: Le, Jaitly and Hinton 2015)."""
    return np.eye(n_in, n_out)


INITIALIZERS = {
    function.__name__: function
    for function in (
        glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, torch_uniform,
        orthogonal, zeros, ones, identity,
    )
}  # fmt: skip
