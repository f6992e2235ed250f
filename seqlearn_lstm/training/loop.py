"""The one training loop. All that changes while it runs is one picklable value,
``TrainingState``.
"""

import math
import time
from copy import deepcopy

import numpy as np

from ..dropout import Masks
from ..randomness import Purpose, random_stream
from ..solvers import step_rows
from .averaging import mean_with, offered, parameters_of, put
from .bptt import Backpropagation
from .listener import Update


class Diverged(FloatingPointError):
    """The loss, the gradient, a parameter or an output is not a finite number. A FloatingPointError of
    a caller's scoring or callback is none.
    """

    @classmethod
    def in_epoch(cls, epoch, seen):
        """The error of a training that ran away after so many epochs."""
        return cls(
            f"in epoch {epoch + 1} {seen}: the training diverged. A smaller learning_rate, a smaller "
            "clip_norm or standardised features usually cure it."
        )


def train(task, state, listeners=()):
    """Run epochs until `max_iter`, until nothing gets better, or until a listener says so; `state` is
    brought up to date after each.

    Raises
    ------
    Diverged
        If the loss, the gradient or a parameter is not a finite number; `state` is as it was after
        the last good epoch.
    ValueError
        If a score that is to tell the best epoch is NaN.
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
        loss, n_updates = _epoch(task, state, listeners, *work)
        _end_epoch(task, state, work, loss, n_updates)
        seconds = time.perf_counter() - start
        answers = [listener.after_epoch(task, state, seconds) for listener in listeners]
        stop = any(answers)  # of all, for each is to be told


def _aligned(kernels, solver_state):
    """A copy to work on, in memory that the kernels like; the state itself changes only after whole
    epochs.
    """
    copies = dict(solver_state)
    for name, value in solver_state.items():
        if hasattr(value, "shape"):
            copies[name] = kernels.zeros(value.shape, value.dtype)
            copies[name][:] = value
    return copies


def _epoch(task, state, listeners, *solver_states):
    """One pass over the sequences; returns the mean loss, and the number of all updates so far."""
    network, settings = task.network, task.settings
    masks = None
    if settings.dropout.any():
        masks = Masks(
            network.kernels, network.dtype, settings.dropout, state.seed, state.epoch,
            per_window=network.pooling.per_step, n_jobs=network.n_jobs,
        )  # fmt: skip
    gradients = Backpropagation(task, _order(len(task.sequences), settings, state), masks)
    losses, n_steps = _Losses(state.epoch), len(gradients)
    # Where it is not known, as if all epochs had been like this one.
    n_updates = state.epoch * n_steps if state.n_updates is None else state.n_updates
    for step, (batch, loss, weight) in enumerate(gradients):
        if weight == 0:
            continue  # nothing to learn here, and a mean over it does not exist
        if settings.alpha:
            loss += _decay(network, settings.alpha / weight)
        norm, scale = _norm(network, settings)
        losses.add(loss, norm, weight)
        if settings.clip_value is not None:
            _cut_values(network, settings)
            norm, scale = _norm(network, settings)
        rate = settings.learning_rate * settings.schedule.factor(
            state.epoch, step, n_steps, settings.horizon, state.loss_curve, n_updates
        )
        n_updates += 1
        _step(task, rate, scale, *solver_states)
        update = Update(batch, loss, norm, rate)
        for listener in listeners:
            listener.after_update(task, state, update)
    size = _size(network)  # known where the losses are: on a device, one wait brings both
    loss = float(losses.total() / task.weights.sum())
    if not math.isfinite(float(size)):
        seen = f"the sum of the squares of the parameters is {float(size)}"
        raise Diverged.in_epoch(state.epoch, seen)
    return loss, n_updates


def _size(network):
    """The sum of the squares of all parameters. Where the last update has left numbers that nothing
    can be computed of, it shows here; after those before it did in a loss.
    """
    arrays = [network.theta]
    if network.embedding:
        arrays.append(network.embedding.table.reshape(-1))
    return sum(network.kernels.sum_of_squares(array, network.n_jobs) for array in arrays)


class _Losses:
    """The losses of an epoch, and the norms of their gradients. Those that are still on the device
    are waited for at its end.
    """

    def __init__(self, epoch):
        self.epoch, self.seen = epoch, []

    def add(self, loss, norm, weight):
        """Take those of an update; Diverged where they are known and not finite."""
        self.seen.append((loss, norm, weight))
        if isinstance(loss, float) and isinstance(norm, float):
            self._check(loss, norm)

    def total(self):
        """The sum of all losses, each times its weight; Diverged as from `add`."""
        total = 0.0
        for loss, norm, weight in self.seen:
            loss = float(loss)
            self._check(loss, float(norm))
            total += loss * weight
        return total

    def _check(self, loss, norm):
        if not (math.isfinite(loss) and math.isfinite(norm)):
            seen = f"the loss is {loss} and the norm of its gradient {norm}"
            raise Diverged.in_epoch(self.epoch, seen)


def _step(task, rate, scale, solver_state, table_state=None):
    """Let the parameters follow their gradient, which counts `scale` times."""
    network = task.network
    how = (rate, scale, network.n_jobs)
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
    return random_stream(state.seed, Purpose.SHUFFLE, state.epoch).permutation(n)


def _decay(network, strength):
    """Add the gradient of the L2 term strength / 2 * |W|^2 and return the term."""
    penalty = 0.0
    for values, slopes in network.weight_views():
        penalty += network.kernels.add_decay(values, slopes, strength)
    return strength / 2 * penalty


def _gradients(network):
    """The flat arrays in which the gradient lies."""
    table = [network.embedding.gradient.reshape(-1)] if network.embedding else []
    return [network.gradient, *table]


def _norm(network, settings):
    """The norm of the gradient, and what to multiply it with so that its norm is at most
    `clip_norm` (Pascanu et al. 2013).
    """
    limit = math.inf if settings.clip_norm is None else float(settings.clip_norm)
    return network.kernels.clip_scale(_gradients(network), limit, network.n_jobs)


def _cut_values(network, settings):
    """Cut single values of the gradient off at `clip_value`."""
    for gradient in _gradients(network):
        network.kernels.clip_values(gradient, float(settings.clip_value), network.n_jobs)


def _end_epoch(task, state, work, loss, n_updates):
    """Bring the state up to date after an epoch."""
    network, settings = task.network, task.settings
    last, mean = parameters_of(network), mean_with(network, state, settings.average)
    score = _score(task, state, last, mean)
    state.theta, state.table = last
    state.solver_state = deepcopy(work[0])
    if network.embedding:
        state.table_state = deepcopy(work[1])
    if mean:
        state.mean_theta, state.mean_table = mean
        state.n_averaged += 1
    state.epoch, state.n_updates = state.epoch + 1, n_updates
    state.loss_curve.append(loss)
    if task.validate or state.validation_scores:
        unknown = [math.nan] * (state.epoch - 1 - len(state.validation_scores))
        state.validation_scores += [*unknown, score]
    _judge(state, settings, score if settings.watch == "validation" else -loss)


def _judge(state, settings, watched):
    """Say of an epoch that has ended whether it brought progress, and whether it is the best."""
    is_first = state.best_epoch == 0  # the best so far, whatever it is: a score may be -inf
    progress = is_first or watched > state.best + settings.tol
    state.epochs_without_progress = 0 if progress else state.epochs_without_progress + 1
    if is_first or watched > state.best:
        state.best, state.best_epoch = watched, state.epoch
        if settings.restore:
            state.best_theta, state.best_table = offered(state)


def _score(task, state, last, mean):
    """The score after an epoch, of the mean of parameters where there is one, else of the last; NaN
    where there is nothing to validate with.
    """
    score = math.nan
    if task.validate:
        if mean:
            put(task.network, mean)
        score = float(task.validate())
        if mean:
            put(task.network, last)
    if math.isnan(score) and task.settings.watch == "validation":
        raise ValueError(
            f"the score of the validation data after epoch {state.epoch + 1} is nan, so that no "
            "epoch can be the best; expected a number. Usual cures: more sequences to validate with (R2 needs "
            "two: a larger validation_fraction, or X_val and y_val), another scoring, or "
            'monitor="train"'
        )
    return score
