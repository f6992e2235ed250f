"""What a training is: what is to be learned and how, and where it stands."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..dropout import Rates
from ..network import Network
from ..sequences import Sequences

INITIAL, SHUFFLE, VALIDATION = 0, 1, 3  # purposes of random numbers: each draws from its own stream


@dataclass
class TrainingState:
    """Where a training run stands, after a whole number of epochs.

    `theta` and `solver_state` belong to the flat parameters, `table` and `table_state` to an
    embedding's; `solver` is the kind of the solver they are of, None in what an earlier version has
    written. `best` is the highest value of what is watched, a validation score or the negative loss,
    and of epoch `best_epoch`, 0 before there is one; `best_theta` and `best_table` are kept where
    they are to be restored. `n_updates` counts those of all epochs; None: it is not known, as where
    a training goes on from its parameters alone. `watch` says what is watched, and of what data. `record` is what a
    listener keeps, plain values.
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
    watch: tuple = ()
    best: float = -np.inf
    best_epoch: int = 0
    best_theta: np.ndarray | None = None
    best_table: np.ndarray | None = None
    epochs_without_progress: int = 0
    record: dict | None = None
    solver: str | None = None

    def begin(self, settings):
        """What was the best counts only where the same is watched, and kept, as before: a score of
        other data, or by another measure, says nothing about those to come.
        """
        watch = settings.watch, settings.restore, settings.judged
        if self.watch != watch:
            self.watch, self.best, self.best_epoch = watch, -np.inf, 0
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
    keep: bool
    learning_rate: float
    schedule: object
    alpha: float
    clip_norm: float | None
    clip_value: float | None
    dropout: Rates
    n_jobs: int
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

    @cached_property
    def rows(self):
        """The rows of all sequences, where the network reads them."""
        return self.network.take_rows(self.sequences.rows)


def random_stream(seed, purpose, epoch=0):
    """A generator that depends on its three numbers alone, so that a resumed run draws what an
    unbroken one would.
    """
    return np.random.default_rng([seed, purpose, epoch])


def first_state(network, solver, seed):
    """The state before the first epoch, for the parameters that the network has."""
    state = TrainingState(seed, network.theta.copy(), {})
    if network.embedding:
        state.table = network.embedding.table.copy()
    start_solver(state, network.kernels, solver)
    return state


def start_solver(state, kernels, solver):
    """Let a solver begin that knows nothing yet, and with it the record, which counts its updates."""
    state.solver, state.record = solver.kind, None
    state.solver_state = solver.start(kernels, state.theta)
    if state.table is not None:
        state.table_state = solver.start(kernels, state.table)
