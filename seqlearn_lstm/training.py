"""The one training loop. All that changes while it runs is one picklable value,
``TrainingState``.
"""

import math
import time
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np

from .batches import training_batches

SHUFFLE, INITIAL = 1, 0  # purposes of random numbers: each draws from its own stream


@dataclass
class TrainingState:
    """Where a training run stands, after a whole number of epochs."""

    seed: int
    theta: np.ndarray
    solver_state: dict
    epoch: int = 0
    loss_curve: list = field(default_factory=list)
    best_loss: float = np.inf
    epochs_without_progress: int = 0


@dataclass(frozen=True)
class Settings:
    """What the loop needs to know; the estimator's parameters of the same names."""

    batch_size: int
    max_iter: int
    shuffle: bool
    tol: float
    n_iter_no_change: int
    learning_rate: float
    alpha: float
    clip_norm: float | None
    n_jobs: int
    verbose: int


def random_stream(seed, purpose, epoch=0):
    """A generator that depends on its three numbers alone, so that a resumed run draws what an
    unbroken one would.
    """
    return np.random.default_rng([seed, purpose, epoch])


def train(network, head, solver, sequences, targets, weights, settings, state):
    """Run epochs until `max_iter`, or until the loss has stopped falling; `state` is brought up to
    date after each.

    targets  what the head compares scores with: one for each of the `sequences`, or for each of
    their rows weights  (n,) float64, one for each target, not all zero

    Raises
    ------
    FloatingPointError
        If the loss or the gradient is not a finite number; `state` is as it was after the last good
        epoch.
    """
    network.theta[:] = state.theta
    solver_state = _aligned(network.kernels, state.solver_state)
    weights = np.append(
        weights, 0.0
    )  # what a row of scores finds that belongs to nothing: index -1
    while state.epoch < settings.max_iter and not _has_converged(state, settings):
        start = time.perf_counter()
        loss = _epoch(
            network, head, solver, sequences, targets, weights, settings, state, solver_state
        )
        _record(state, network, solver_state, loss, settings)
        if settings.verbose:
            _report(state, settings, time.perf_counter() - start)


def _aligned(kernels, solver_state):
    """A copy to work on, in memory that the kernels like; the state itself changes only after whole
    epochs.
    """
    copies = dict(solver_state)
    for name, value in solver_state.items():
        if isinstance(value, np.ndarray):
            copies[name] = kernels.zeros(value.shape, value.dtype)
            copies[name][:] = value
    return copies


def _has_converged(state, settings):
    return state.epochs_without_progress >= settings.n_iter_no_change


def _epoch(network, head, solver, sequences, targets, weights, settings, state, solver_state):
    """One pass over the sequences; returns the mean loss."""
    order = _order(len(sequences), settings, state)
    total = 0.0
    for batch in training_batches(sequences.offsets, order, settings.batch_size):
        index = network.pooling.index(batch)
        batch_weights = weights[index]
        weight = float(batch_weights.sum())
        if weight == 0:
            continue  # nothing to learn here, and a mean over it does not exist
        scores = network.forward(batch, sequences.rows, keep=True)
        loss = head.loss_and_gradient(network.kernels, scores, targets[index], batch_weights)
        network.backpropagate(batch, scores)
        if settings.alpha:
            loss += _decay(network, settings.alpha / weight)
        scale = _clip(network, loss, settings.clip_norm, state.epoch)
        solver.step(
            network.kernels, network.theta, network.gradient, solver_state, settings.learning_rate,
            scale, settings.n_jobs,
        )  # fmt: skip
        total += loss * weight
    return float(total / weights.sum())


def _order(n, settings, state):
    # A full batch has no order; leaving it alone keeps the sum of its gradients the same whatever
    # the seed.
    if not settings.shuffle or settings.batch_size >= n:
        return np.arange(n)
    return random_stream(state.seed, SHUFFLE, state.epoch).permutation(n)


def _decay(network, strength):
    """Add the gradient of the L2 term strength / 2 * |W|^2 and return the term."""
    penalty = 0.0
    for values, slopes in network.weight_views():
        slopes += values.dtype.type(strength) * values
        penalty += float(np.square(values, dtype=np.float64).sum())
    return strength / 2 * penalty


def _clip(network, loss, clip_norm, epoch):
    """What to multiply the gradient with so that its norm is at most `clip_norm` (Pascanu et al.
    2013).
    """
    norm = math.sqrt(network.kernels.sum_of_squares(network.gradient))
    if not (math.isfinite(loss) and math.isfinite(norm)):
        raise FloatingPointError(
            f"in epoch {epoch + 1} the loss is {loss} and the norm of its gradient {norm}: the training diverged. "
            "A smaller learning_rate, a smaller clip_norm or standardised features usually cure it."
        )
    if clip_norm is None or norm <= clip_norm:
        return 1.0
    return clip_norm / norm


def _record(state, network, solver_state, loss, settings):
    state.theta = network.theta.copy()
    state.solver_state = deepcopy(solver_state)
    state.epoch += 1
    state.loss_curve.append(loss)
    progress = loss < state.best_loss - settings.tol
    state.epochs_without_progress = 0 if progress else state.epochs_without_progress + 1
    state.best_loss = min(state.best_loss, loss)


def _report(state, settings, seconds):
    left = (settings.max_iter - state.epoch) * seconds
    print(
        f"epoch {state.epoch:{len(str(settings.max_iter))}}/{settings.max_iter}  "
        f"loss {state.loss_curve[-1]:.5f}  {seconds:.2f} s  at most {left:.0f} s left",
        flush=True,
    )
