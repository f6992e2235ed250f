"""What an estimator's parameters ask for, in the words of the layers below."""

import warnings
from numbers import Integral

import numpy as np

from ..architecture import Architecture
from ..cells import make_cell, plain
from ..dropout import Rates
from ..exceptions import NothingAveragedWarning, ScheduleEndedWarning
from ..schedules import make_schedule
from ..training import Settings, name_of
from .given import NOTHING, check_others

SYMBOL_DIM = 64  # of strings, where nothing else is said
# The parameters that decide, beside the data, what a score, or the loss of an epoch, is a measure of.
SCORE_DEPENDS_ON = ("scoring", "validation_fraction", "max_timesteps", "truncate")
LOSS_DEPENDS_ON = (
    "alpha", "dropout", "input_dropout", "dropout_per", "recurrent_dropout", "embedding_dropout",
    "max_timesteps", "truncate",
)  # fmt: skip


def check_combination(estimator, partial, given=NOTHING, others=NOTHING):
    """Raise ValueError where parameters exclude each other, or what is given to `fit`."""
    check_others(given, others)
    _check_windows(estimator, given, others)
    if estimator.average > estimator.max_iter and not (partial or estimator.warm_start):
        raise ValueError(
            f"average is {estimator.average}, but max_iter is {estimator.max_iter}, so that no epoch would "
            "be averaged; expected a smaller number, or False"
        )
    if estimator.checkpoint is not None and (partial or estimator.warm_start):
        raise ValueError(
            "a checkpoint belongs to one fit from its start to its end; expected checkpoint=None "
            "beside warm_start or partial_fit"
        )
    if partial and getattr(estimator, "class_weight", None) == "balanced":
        raise ValueError(
            'class_weight is "balanced", but partial_fit sees only a part of the labels; expected '
            "a dict of weights, or None"
        )
    if partial and estimator.early_stopping:
        raise ValueError(
            "partial_fit makes one pass and never stops early; expected early_stopping=False"
        )


def _check_windows(estimator, given, others):
    """Raise ValueError where states are handed on, by `bptt_steps` or `stateful`, and cannot be."""
    holds_out = estimator.early_stopping and estimator.monitor == "validation" and others.X is None
    late = "the backward direction reads later steps first"
    excluded = [
        ("bptt_steps", "bidirectional", estimator.bidirectional, late),
        ("stateful", "bidirectional", estimator.bidirectional, late),
        ("stateful", "shuffle", estimator.shuffle, "sequences go on in the order of X"),
        (
            "stateful",
            "max_timesteps",
            estimator.max_timesteps is not None,
            "steps would be left out",
        ),
        ("stateful", "initial_states", given.initial_states is not None, "states are handed on"),
        ("stateful", "early_stopping without X_val", holds_out, "sequences would be left out"),
    ]
    for name, other, is_there, why in excluded:
        value = getattr(estimator, name)
        if value and is_there:
            raise ValueError(f"{name}={value} cannot be combined with {other}: {why}")


def architecture_of(estimator, sequences, head, pooling):
    """The network that the parameters and the data ask for."""
    symbols = hasattr(estimator, "vocabulary_")
    return Architecture(
        n_in=len(estimator.vocabulary_) if symbols else sequences.n_features,
        hidden_layer_sizes=_check_sizes(estimator.hidden_layer_sizes),
        bidirectional=bool(estimator.bidirectional),
        pooling=pooling,
        n_out=head.n_outputs,
        cell=plain(make_cell(estimator.cell)),
        embedding_dim=int(estimator.embedding_dim or SYMBOL_DIM) if symbols else None,
        input_projection=_whole(estimator.input_projection),
        learn_initial=estimator.initial_state == "learned",
    )


def settings_of(estimator, n_sequences, state, goes_on, partial, judged=""):
    """The loop's settings; where a fit goes on, `max_iter` counts from there."""
    max_iter = int(estimator.max_iter)
    epochs = 1 if partial else max_iter
    return Settings(
        batch_size=n_sequences if estimator.batch_size is None else int(estimator.batch_size),
        bptt_steps=_whole(estimator.bptt_steps),
        stateful=estimator.stateful,
        max_iter=epochs + (state.epoch if goes_on else 0),
        horizon=max_iter + (state.epoch if goes_on and not partial else 0),
        shuffle=estimator.shuffle,
        tol=estimator.tol,
        n_iter_no_change=_patience(estimator),
        watch="validation" if _watches_scores(estimator) else "train",
        restore=bool(estimator.early_stopping),
        average=int(estimator.average) if estimator.average else None,
        keep=bool(partial or estimator.warm_start),
        learning_rate=estimator.learning_rate,
        schedule=make_schedule(estimator.schedule),
        alpha=estimator.alpha,
        clip_norm=estimator.clip_norm,
        clip_value=estimator.clip_value,
        dropout=Rates(
            estimator.input_dropout,
            estimator.dropout,
            estimator.recurrent_dropout,
            _symbol_dropout(estimator),
            estimator.dropout_per == "step",
        ),
        judged=judged,
    )


def renew_patience(estimator, state, partial):
    """Count epochs without progress anew where a fit goes on that had run out of patience: who asks
    for more gets it. A pass of `partial_fit` is always made.
    """
    if partial or state.epochs_without_progress >= _patience(estimator):
        state.epochs_without_progress = 0


def warn_where_ended(settings, state):
    """Warn of a pass of `partial_fit` that can learn nothing, for the schedule is at zero."""
    how = state.epoch, 0, 1, settings.horizon, state.loss_curve, state.n_updates
    if settings.schedule.factor(*how) == 0:
        warnings.warn(
            f"{state.epoch} passes were made, and {settings.schedule!r} leaves a learning rate of 0 "
            f"after max_iter = {settings.horizon}: this partial_fit learns nothing. Usual cures: a "
            'larger max_iter, schedule="constant", or a schedule whose floor is above 0',
            ScheduleEndedWarning,
            stacklevel=2,
        )


def warn_where_not_averaged(settings, state):
    """Warn of a fit that ended before the first epoch that was to be averaged, and that nothing goes on
    from.
    """
    if settings.average and not (state.n_averaged or settings.keep):
        warnings.warn(
            f"the fit ended after epoch {state.epoch}, but average is {settings.average}: no mean was taken; "
            "the parameters are those of a single epoch. Usual cures: a smaller average, or more "
            "patience (n_iter_no_change, None for all epochs)",
            NothingAveragedWarning,
            stacklevel=2,
        )


def measure_of(estimator, head):
    """What the scores or losses that are watched measure, as plain values."""
    names = SCORE_DEPENDS_ON if _watches_scores(estimator) else LOSS_DEPENDS_ON
    return [repr(head), *(name_of(getattr(estimator, name, None)) for name in names)]


def _watches_scores(estimator):
    return estimator.early_stopping and estimator.monitor == "validation"


def _patience(estimator):
    return np.inf if estimator.n_iter_no_change is None else estimator.n_iter_no_change


def _symbol_dropout(estimator):
    return estimator.embedding_dropout if hasattr(estimator, "vocabulary_") else 0.0


def threads_of(estimator, kernels):
    """How many threads `n_jobs` means here."""
    available = kernels.available_threads()
    if estimator.n_jobs is None:
        return available
    n_jobs = int(estimator.n_jobs)
    if n_jobs == 0:
        raise ValueError("n_jobs is 0; expected a number of threads, -1 for all, or None for all")
    wanted = n_jobs if n_jobs > 0 else available + 1 + n_jobs
    return max(1, min(available, wanted))


def _whole(number):
    """An int of Python's, or None: a small one of NumPy's overflows in what is computed with it."""
    return None if number is None else int(number)


def _check_sizes(sizes):
    """``hidden_layer_sizes`` as a tuple of ints."""
    sizes = tuple(sizes) if np.ndim(sizes) else (sizes,)
    if not sizes or not all(isinstance(size, Integral) and size >= 1 for size in sizes):
        raise ValueError(
            f"hidden_layer_sizes is {sizes}; expected one or more positive whole numbers"
        )
    return tuple(int(size) for size in sizes)
