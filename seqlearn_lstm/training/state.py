"""What a training is: what is to be learned and how, and where it stands."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .._cached import cached
from ..dropout import Rates
from ..network import Network
from ..sequences import Sequences


@dataclass
class TrainingState:
    """Where a training run stands, after a whole number of epochs.

    Attributes
    ----------
    seed : int
        From which all random numbers of the training are drawn.
    theta : ndarray of shape (n_parameters,)
        The flat parameters after the last epoch.
    solver_state : dict
        What the solver keeps for them, such as running means of the gradient.
    table : ndarray or None
        The embedding's table after the last epoch; None: the network has no embedding.
    table_state : dict or None
        What the solver keeps for the table.
    epoch : int
        Number of epochs that have ended.
    n_updates : int or None
        Number of updates in all of them. None: not known, as where a training goes on from its
        parameters alone.
    loss_curve : list of float
        The mean training loss of each epoch.
    validation_scores : list of float
        The score after each epoch, NaN for epochs without one. Empty if there was none at all.
    watched : tuple
        What progress is judged by, and on what data; see `begin`.
    best : float
        The highest value so far of what is watched: a validation score, or the negative loss.
    best_epoch : int
        The epoch that had it, counted from 1; 0 before there is one.
    best_theta, best_table : ndarray or None
        The parameters of that epoch, if they are to be restored in the end.
    mean_theta, mean_table : ndarray or None
        The mean of the parameters after each of some epochs, if they are to be averaged.
    n_averaged : int
        How many epochs these are.
    epochs_without_progress : int
        How many of the last epochs, without a break, brought no progress.
    record : dict or None
        Plain values that a listener keeps.
    solver : str
        Which kind of solver `solver_state` and `table_state` belong to.
    """

    seed: int
    theta: np.ndarray
    solver_state: dict
    table: np.ndarray | None = None
    table_state: dict | None = None
    epoch: int = 0
    n_updates: int | None = None
    loss_curve: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    watched: tuple = ()
    best: float = -np.inf
    best_epoch: int = 0
    best_theta: np.ndarray | None = None
    best_table: np.ndarray | None = None
    mean_theta: np.ndarray | None = None
    mean_table: np.ndarray | None = None
    n_averaged: int = 0
    epochs_without_progress: int = 0
    record: dict | None = None
    solver: str = ""

    def begin(self, settings):
        """Forget the best epoch, unless the same is watched, and kept, as in the training before; and the
        mean, unless all of its epochs are to be averaged.

        A score on other data, or by another measure, cannot be compared with those to come.
        """
        first_averaged = self.epoch - self.n_averaged + 1
        if settings.average is None or settings.average > first_averaged:
            self.mean_theta, self.mean_table, self.n_averaged = None, None, 0
        watched = settings.watch, settings.restore, settings.judged, settings.average is not None
        if self.watched != watched:
            self.watched, self.best, self.best_epoch = watched, -np.inf, 0
            self.epochs_without_progress = 0
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
    average : int or None
        The epoch, counted from 1, from which on parameters are averaged.
    keep : bool
        Whether the state is to be kept for a training that goes on.
    judged : str
        A name of what losses and scores are of, and what they measure: two that differ in it cannot
        be compared. Empty where no other training will be compared with this one.
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
    average: int | None
    keep: bool
    learning_rate: float
    schedule: object
    alpha: float
    clip_norm: float | None
    clip_value: float | None
    dropout: Rates
    judged: str = ""


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

    @cached
    def rows(self):
        """The rows of all sequences, where the network reads them."""
        return self.network.take_rows(self.sequences.rows)


def first_state(network, solver, seed):
    """The state before the first epoch, for the parameters that the network has."""
    state = TrainingState(seed, network.theta.copy(), {})
    if network.embedding:
        state.table = network.embedding.table.copy()
    start_solver(state, network.kernels, solver)
    return state


def start_solver(state, kernels, solver):
    """Give the state to a solver that has made no update yet. The record, which counts the updates
    of a solver, begins anew, too.
    """
    state.solver, state.record = solver.kind, None
    state.solver_state = solver.start(kernels, state.theta)
    if state.table is not None:
        state.table_state = solver.start(kernels, state.table)
