"""The one training loop. All that changes while it runs is one picklable value,
``TrainingState``.
"""

import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np

from .batches import Batch
from .bptt import Backpropagation
from .dropout import Masks, Rates
from .network import Network
from .sequences import Sequences
from .solvers import step_rows

INITIAL, SHUFFLE, VALIDATION = 0, 1, 3  # purposes of random numbers: each draws from its own stream


class TrainingDiverged(ValueError):
    """The loss or its gradient is no finite number any more.

    Attributes
    ----------
    estimator : estimator or None
        A copy of the estimator, fitted as it was after the last good epoch; None: the first went
        wrong.
    """

    def __init__(self, message, estimator=None):
        super().__init__(message)
        self.estimator = estimator


@dataclass
class TrainingState:
    """Where a training run stands, after a whole number of epochs.

    `theta` and `solver_state` belong to the flat parameters, `table` and `table_state` to an
    embedding's. `best` is the highest value of what is watched: a validation score, or the negative
    loss; `best_theta` and `best_table` are kept where they are to be restored. `watch` says which of
    this it was. `record` is what a listener keeps, plain values.
    """

    seed: int
    theta: np.ndarray
    solver_state: dict
    table: np.ndarray | None = None
    table_state: dict | None = None
    epoch: int = 0
    loss_curve: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    watch: tuple = ()
    best: float = -np.inf
    best_epoch: int = 0
    best_theta: np.ndarray | None = None
    best_table: np.ndarray | None = None
    epochs_without_progress: int = 0
    record: dict | None = None

    def begin(self, settings):
        """What was the best counts only where the same is watched, and kept, as before."""
        watch = settings.watch, settings.restore
        if self.watch != watch:
            self.watch, self.best, self.epochs_without_progress = watch, -np.inf, 0
            self.best_theta = self.best_table = None

    def has_converged(self, settings):
        """Whether the last epochs brought no progress."""
        return self.epochs_without_progress >= settings.n_iter_no_change


@dataclass(frozen=True)
class Settings:
    """What the loop needs to know; the estimator's parameters of the same names.

    Attributes
    ----------
    horizon : int
        Epochs that a schedule plans for.
    watch : str
        "train" or "validation": whether the loss or the score tells progress.
    restore : bool
        Whether the parameters of the best epoch are to be kept.
    keep : bool
        Whether the state is to be kept for a training that goes on.
    """

    batch_size: int
    bptt_steps: int | None
    stateful: bool
    max_iter: int
    horizon: int
    shuffle: bool
    tol: float
    n_iter_no_change: int
    watch: str
    restore: bool
    keep: bool
    learning_rate: float
    schedule: object
    alpha: float
    clip_norm: float | None
    clip_value: float | None
    dropout: Rates
    n_jobs: int


@dataclass(frozen=True)
class Task:
    """What is to be learned, and how.

    Attributes
    ----------
    targets : ndarray of shape (n, ...)
        What the head compares scores with: one for each of the `sequences`, or for each of their
        rows.
    weights : ndarray of shape (n,), float64
        One for each target, not all zero.
    initial : ndarray of shape (n_sequences, state_width) or None
        The states that the sequences start from; None: zeros, or learned ones.
    validate : callable or None
        Gives a score of the network as it is; called after each epoch.
    """

    network: Network
    head: object
    solver: object
    sequences: Sequences
    targets: np.ndarray
    weights: np.ndarray
    settings: Settings
    initial: np.ndarray | None = None
    validate: Callable[[], float] | None = None


@dataclass(frozen=True)
class Update:
    """What one update of the parameters was made of.

    Attributes
    ----------
    batch : Batch
        What the gradient in the network was computed of.
    loss : float
        Mean loss of the batch, with the L2 term.
    norm : float
        Euclidean norm of the gradient, before it was clipped to `clip_norm`.
    rate : float
        The step size.
    """

    batch: Batch
    loss: float
    norm: float
    rate: float


class Listener:
    """Is told how a training goes on. A checkpoint is one, a line on the screen another."""

    def begin(self, task, state):
        """Before the first epoch of this call."""

    def before_epoch(self, task, state):
        """Before each epoch."""

    def after_update(self, task, state, update):
        """After an update; the gradient still lies in ``task.network``."""

    def after_epoch(self, task, state, seconds):
        """After an epoch, `state` is up to date; True ends the training."""
        return False

    def end(self, task, state):
        """After the last epoch of this call; ``task.network`` holds the parameters that were
        taken, and so does the estimator.
        """


def random_stream(seed, purpose, epoch=0):
    """A generator that depends on its three numbers alone, so that a resumed run draws what an
    unbroken one would.
    """
    return np.random.default_rng([seed, purpose, epoch])


def first_state(network, solver, seed):
    """The state before the first epoch, for the parameters that the network has."""
    kernels = network.kernels
    state = TrainingState(seed, network.theta.copy(), solver.start(kernels, network.theta))
    if network.embedding:
        state.table = network.embedding.table.copy()
        state.table_state = solver.start(kernels, state.table)
    return state


def train(task, state, listeners=()):
    """Run epochs until `max_iter`, until nothing gets better, or until a listener says so; `state` is
    brought up to date after each.

    Raises
    ------
    FloatingPointError
        If the loss or the gradient is not a finite number; `state` is as it was after the last good
        epoch.
    """
    network, settings = task.network, task.settings
    state.begin(settings)
    network.theta[:] = state.theta
    work = [_aligned(network.kernels, state.solver_state)]
    if network.embedding:
        network.embedding.table[:] = state.table
        work.append(_aligned(network.kernels, state.table_state))
    for listener in listeners:
        listener.begin(task, state)
    stop = False
    while not (stop or state.epoch >= settings.max_iter or state.has_converged(settings)):
        for listener in listeners:
            listener.before_epoch(task, state)
        start = time.perf_counter()
        loss = _epoch(task, state, listeners, *work)
        _record(task, state, work, loss)
        seconds = time.perf_counter() - start
        answers = [listener.after_epoch(task, state, seconds) for listener in listeners]
        stop = any(answers)  # of all, for each is to be told


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


def _epoch(task, state, listeners, *solver_states):
    """One pass over the sequences; returns the mean loss."""
    network, settings = task.network, task.settings
    masks = None
    if settings.dropout.any():
        masks = Masks(network.kernels, network.dtype, settings.dropout, state.seed, state.epoch)
    gradients = Backpropagation(task, _order(len(task.sequences), settings, state), masks)
    total, n_steps = 0.0, len(gradients)
    for step, (batch, loss, weight) in enumerate(gradients):
        if weight == 0:
            continue  # nothing to learn here, and a mean over it does not exist
        if settings.alpha:
            loss += _decay(network, settings.alpha / weight)
        norm, scale = _clip(network, loss, settings, state.epoch)
        rate = settings.learning_rate * settings.schedule.factor(
            state.epoch, step, n_steps, settings.horizon, state.loss_curve
        )
        _step(task, rate, scale, *solver_states)
        update = Update(batch, loss, norm, rate)
        for listener in listeners:
            listener.after_update(task, state, update)
        total += loss * weight
    return float(total / task.weights.sum())


def _step(task, rate, scale, solver_state, table_state=None):
    """Let the parameters follow their gradient, which counts `scale` times."""
    network = task.network
    how = (rate, scale, task.settings.n_jobs)
    task.solver.step(network.kernels, network.theta, network.gradient, solver_state, *how)
    if network.embedding:
        part = network.embedding
        step_rows(
            task.solver, network.kernels, part.table, part.touched, part.gradient, table_state, *how
        )


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


def _clip(network, loss, settings, epoch):
    """Cut single values off at `clip_value`; returns the norm of the gradient, and what to multiply
    it with so that its norm is at most `clip_norm` (Pascanu et al. 2013).
    """
    kernels, gradients = network.kernels, [network.gradient]
    if network.embedding:
        gradients.append(network.embedding.gradient.reshape(-1))
    norm = math.sqrt(sum(map(kernels.sum_of_squares, gradients)))
    if not (math.isfinite(loss) and math.isfinite(norm)):
        raise FloatingPointError(
            f"in epoch {epoch + 1} the loss is {loss} and the norm of its gradient {norm}: the training diverged. "
            "A smaller learning_rate, a smaller clip_norm or standardised features usually cure it."
        )
    if settings.clip_value is not None:
        for gradient in gradients:
            kernels.clip_values(gradient, float(settings.clip_value), settings.n_jobs)
        norm = math.sqrt(sum(map(kernels.sum_of_squares, gradients)))
    if settings.clip_norm is None or norm <= settings.clip_norm:
        return norm, 1.0
    return norm, settings.clip_norm / norm


def _record(task, state, work, loss):
    """Bring the state up to date after an epoch."""
    network, settings = task.network, task.settings
    state.theta, state.solver_state = network.theta.copy(), deepcopy(work[0])
    if network.embedding:
        state.table, state.table_state = network.embedding.table.copy(), deepcopy(work[1])
    state.epoch += 1
    state.loss_curve.append(loss)
    if task.validate or state.validation_scores:
        score = float(task.validate()) if task.validate else math.nan
        unknown = [math.nan] * (state.epoch - 1 - len(state.validation_scores))
        state.validation_scores += [*unknown, score]
    watched = state.validation_scores[-1] if settings.watch == "validation" else -loss
    progress = watched > state.best + settings.tol
    state.epochs_without_progress = 0 if progress else state.epochs_without_progress + 1
    if watched > state.best:
        state.best, state.best_epoch = watched, state.epoch
        if settings.restore:
            state.best_theta, state.best_table = state.theta, state.table
