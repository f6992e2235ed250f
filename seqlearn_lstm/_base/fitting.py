"""How the front doors fit: from what was read to a trained network, kept as plain arrays."""

from copy import copy, deepcopy
from dataclasses import asdict
from numbers import Integral

import joblib
import numpy as np
from sklearn.callback import CallbackSupportMixin
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state
from threadpoolctl import threadpool_limits

from ..architecture import Architecture
from ..cells import make_cell, plain
from ..dropout import Rates
from ..exceptions import TrainingDiverged
from ..kernels import get_backend
from ..network import Network
from ..pooling import STEPS
from ..schedules import make_schedule
from ..sequences import truncate_sequences
from ..solvers import make_solver
from ..training import (
    INITIAL,
    VALIDATION,
    Checkpoint,
    Settings,
    Task,
    TrainingState,
    first_state,
    random_stream,
    train,
)
from .fits import fits
from .learned import SOMETIMES, learned
from .listening import for_callbacks, listeners_of
from .reading import ReadsSequences

EMBEDDING_DIM = 64  # of strings, where nothing else is said


class FitsNetwork(CallbackSupportMixin, ReadsSequences):
    """The part of an estimator that fits. A front door says in `_read_targets` what is learned."""

    def _read_targets(self, y, sequences, sample_weight, classes, goes_on):
        """Of all sequences: (head, name of the pooling, targets, weights)."""
        raise NotImplementedError

    def _part_of(self, y, sequences, indices):
        """y of some sequences."""
        return _some(y, indices)

    @fits
    def _learn(
        self, X, y, sample_weight=None, lengths=None, initial_states=None, validation=(None, None),
        classes=None, partial=False,
    ):  # fmt: skip
        """Read all that was given, and fit."""
        self._validate_params()
        self._check_given(y)
        goes_on = hasattr(self, "parameters_") and (partial or self.warm_start)
        self._check_combination(partial, validation, initial_states)
        sequences = self._read_sequences(X, lengths, goes_on)
        targets = self._read_targets(y, sequences, sample_weight, classes, goes_on)
        return self._train(
            sequences, *targets, y=y, initial_states=initial_states, validation=validation,
            goes_on=goes_on, partial=partial,
            told=for_callbacks(self, X, y, sample_weight, lengths, sequences),
        )  # fmt: skip

    def _check_combination(self, partial=False, validation=(None, None), initial_states=None):
        """Raise ValueError where parameters exclude each other."""
        self._check_windows(validation, initial_states)
        if (validation[0] is None) != (validation[1] is None):
            raise ValueError("X_val and y_val belong together; got only one of them")
        if self.checkpoint is not None and (partial or self.warm_start):
            raise ValueError(
                "a checkpoint belongs to one fit from its start to its end; expected checkpoint=None "
                "beside warm_start or partial_fit"
            )
        if partial and getattr(self, "class_weight", None) == "balanced":
            raise ValueError(
                'class_weight is "balanced", but partial_fit sees only a part of the labels; expected '
                "a dict of weights, or None"
            )
        if partial and self.early_stopping:
            raise ValueError(
                "partial_fit makes one pass and never stops early; expected early_stopping=False"
            )

    def _check_windows(self, validation, initial_states):
        """The same for states that are handed on."""
        holds_out = self.early_stopping and self.monitor == "validation" and validation[0] is None
        excluded = [
            ("bptt_steps", "bidirectional", self.bidirectional, "what comes later is read first"),
            ("stateful", "bidirectional", self.bidirectional, "what comes later is read first"),
            ("stateful", "shuffle", self.shuffle, "sequences go on in their order"),
            (
                "stateful",
                "max_timesteps",
                self.max_timesteps is not None,
                "steps would be left out",
            ),
            ("stateful", "initial_states", initial_states is not None, "they are handed on"),
            ("stateful", "early_stopping without X_val", holds_out, "sequences would be left out"),
        ]
        for name, other, is_there, why in excluded:
            value = getattr(self, name)
            if value and is_there:
                raise ValueError(f"{name} is {value} together with {other}, but {why}")

    def _train(
        self, sequences, head, pooling, targets, weights, *, y=None, initial_states=None,
        validation=(None, None), goes_on=False, partial=False, told=None,
    ):  # fmt: skip
        """Fit the network and keep it as plain arrays and values."""
        kernels, solver = self._kernels, make_solver(self.solver)
        architecture = self._plan(sequences, head, pooling)
        if goes_on and (asdict(architecture), self.dtype) != (self._architecture, self._dtype):
            raise ValueError(
                "the fit cannot go on: other parameters or data ask for another network; set "
                "warm_start=False, or fit a clone"
            )
        self._architecture, self._dtype = asdict(architecture), self.dtype
        network = Network(
            architecture, kernels, self.dtype, self._threads(kernels), self.recurrent_dropout > 0
        )
        initial = check_initial(initial_states, sequences, network)
        checkpoint, state = self._past(
            network, goes_on, sequences, targets, weights, initial, y, validation
        )
        seed = state.seed if state else self._draw_seed()
        chosen, validation = self._split(sequences, targets, y, validation, pooling, seed)
        if chosen is not None:
            rows = sequences.rows_of(chosen) if pooling == STEPS else chosen
            sequences, targets, weights = sequences.take(chosen), targets[rows], weights[rows]
            initial = None if initial is None else initial[chosen]
        sequences, kept = truncate_sequences(sequences, self.max_timesteps, self.truncate)
        if pooling == STEPS:
            targets, weights = targets[kept], weights[kept]
        if not weights.any():
            raise ValueError(
                "nothing is left to learn: all targets with a weight are in steps that max_timesteps "
                "cuts off, or in sequences that are held out; raise max_timesteps, or lower "
                "validation_fraction"
            )
        if state is None:
            with threadpool_limits(1, user_api="blas"):  # its threads go on spinning, on our cores
                network.set_parameters(network.initial_parameters(random_stream(seed, INITIAL)))
            state = first_state(network, solver, seed)
        settings = self._settings(network, len(sequences), state, goes_on, partial)
        validate = self._validator(network, validation)
        task = Task(network, head, solver, sequences, targets, weights, settings, initial, validate)
        for name in SOMETIMES:  # of an earlier fit
            vars(self).pop(name, None)
        state.record = None if self.record is None else state.record
        n_validation = None if validation[0] is None else len(validation[0])
        listeners = listeners_of(self, task, state, checkpoint, n_validation, told, partial)
        try:
            train(task, state, listeners)
        except FloatingPointError as error:
            raise self._diverged(network, state, error) from None
        self._keep(network, state, settings)
        for listener in listeners:
            listener.end(task, state)
        return self

    def _draw_seed(self):
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _from_parameters(self, network):
        """The state of a fit that kept none: its parameters, a solver that knows nothing yet."""
        network.set_parameters(self.parameters_)
        state = first_state(network, make_solver(self.solver), self._draw_seed())
        state.epoch, state.loss_curve = self.n_iter_, list(self.loss_curve_)
        return state

    def _past(self, network, goes_on, sequences, targets, weights, initial, y, validation):
        """(the checkpoint or None, the state to go on from or None)."""
        if goes_on:
            past = getattr(self, "_training", None)
            return None, TrainingState(**deepcopy(past)) if past else self._from_parameters(network)
        if self.checkpoint is None:
            return None, None
        ignored = {"n_jobs", "verbose", "checkpoint"}
        params = {k: _name_of(v) for k, v in sorted(self.get_params().items()) if k not in ignored}
        if not isinstance(self.random_state, Integral):
            params["random_state"] = None  # the seed that was drawn stands in the file
        given = [sequences.rows, sequences.offsets, targets, weights, initial]
        checkpoint = Checkpoint(
            self.checkpoint,
            [type(self).__name__, params, *given, joblib.hash(validation)],
        )
        return checkpoint, checkpoint.load()

    def _split(self, sequences, targets, y, validation, pooling, seed):
        """(the sequences to train with, or None for all; X and y to validate with, or Nones)."""
        X_val, y_val = validation
        if X_val is not None:
            return None, (self._read_again(X_val, None), y_val)
        if not (self.early_stopping and self.monitor == "validation"):
            return None, (None, None)
        strata = targets if pooling != STEPS and hasattr(self, "classes_") else None
        draw = np.random.RandomState(random_stream(seed, VALIDATION).integers(2**32))
        chosen, held_out = train_test_split(
            np.arange(len(sequences)), test_size=self.validation_fraction, random_state=draw,
            stratify=strata,
        )  # fmt: skip
        return chosen, (sequences.take(held_out), self._part_of(y, sequences, held_out))

    def _validator(self, network, validation):
        """What scores the network as it is; None without anything to validate with."""
        X_val, y_val = validation
        if X_val is None:
            return None
        probe = copy(self)
        score = check_scoring(probe, self.scoring)

        def validate():
            probe.parameters_ = network.get_parameters()
            return score(probe, X_val, y_val)

        return validate

    def _diverged(self, network, state, error):
        """The error of a training that ran away, with what was there before."""
        last = None
        if state.epoch:
            last = copy(self)
            last._keep(network, state, None)
        return TrainingDiverged(f"{type(self).__name__}: {error}", last)

    def _keep(self, network, state, settings):
        """Take over what was learned, as plain arrays and values."""
        found = learned(network, state, settings)
        for name in SOMETIMES:
            vars(self).pop(name, None)
        vars(self).update(found)

    def _plan(self, sequences, head, pooling):
        """The network that the parameters and the data ask for."""
        symbols = hasattr(self, "vocabulary_")
        return Architecture(
            n_in=len(self.vocabulary_) if symbols else sequences.n_features,
            hidden_layer_sizes=_check_sizes(self.hidden_layer_sizes),
            bidirectional=bool(self.bidirectional),
            pooling=pooling,
            n_out=head.n_outputs,
            cell=plain(make_cell(self.cell)),
            embedding_dim=(self.embedding_dim or EMBEDDING_DIM) if symbols else None,
            input_projection=self.input_projection,
            learn_initial=self.initial_state == "learned",
        )

    def _settings(self, network, n_sequences, state, goes_on, partial):
        """The loop's settings; where a fit goes on, `max_iter` counts from there."""
        if goes_on and (partial or state.epochs_without_progress >= self._patience):
            state.epochs_without_progress = 0  # who asks for more gets it
        epochs = 1 if partial else self.max_iter
        watches_scores = self.early_stopping and self.monitor == "validation"
        return Settings(
            batch_size=n_sequences if self.batch_size is None else int(self.batch_size),
            bptt_steps=self.bptt_steps,
            stateful=self.stateful,
            max_iter=epochs + (state.epoch if goes_on else 0),
            horizon=self.max_iter + (state.epoch if goes_on and not partial else 0),
            shuffle=self.shuffle,
            tol=self.tol,
            n_iter_no_change=self._patience,
            watch="validation" if watches_scores else "train",
            restore=bool(self.early_stopping),
            keep=bool(partial or self.warm_start),
            learning_rate=self.learning_rate,
            schedule=make_schedule(self.schedule),
            alpha=self.alpha,
            clip_norm=self.clip_norm,
            clip_value=self.clip_value,
            dropout=Rates(
                self.input_dropout, self.dropout, self.recurrent_dropout, self._symbol_dropout()
            ),
            n_jobs=network.n_jobs,
        )

    @property
    def _patience(self):
        return np.inf if self.n_iter_no_change is None else self.n_iter_no_change

    def _symbol_dropout(self):
        return self.embedding_dropout if hasattr(self, "vocabulary_") else 0.0

    def _threads(self, kernels):
        """How many threads `n_jobs` means here."""
        available = kernels.available_threads()
        if self.n_jobs is None:
            return available
        if self.n_jobs == 0:
            raise ValueError(
                "n_jobs is 0; expected a number of threads, -1 for all, or None for all"
            )
        wanted = self.n_jobs if self.n_jobs > 0 else available + 1 + self.n_jobs
        return max(1, min(available, wanted))

    @property
    def _kernels(self):
        return get_backend("cpu")


def _name_of(value):
    """A function's name, the same in every process, as its repr is not; other values as they are."""
    return f"{value.__module__}.{value.__qualname__}" if hasattr(value, "__qualname__") else value


def _some(values, indices):
    """The values at `indices`, of a list or an array."""
    if hasattr(values, "iloc"):
        return values.iloc[indices]
    return [values[i] for i in indices] if isinstance(values, list | tuple) else values[indices]


def check_initial(states, sequences, network):
    """The states to start from as an array of the network's own kind; None where none are given."""
    if states is None:
        return None
    if network.architecture.learn_initial:
        raise ValueError(
            'initial_states were given, but initial_state is "learned"; expected "zeros" beside them'
        )
    states = check_array(states, dtype=network.dtype, input_name="initial_states")
    expected = (len(sequences), network.state_width)
    if states.shape != expected:
        raise ValueError(
            f"initial_states has shape {states.shape}; expected {expected}: for each sequence what "
            "final_states gives"
        )
    return states


def _check_sizes(sizes):
    """``hidden_layer_sizes`` as a tuple of ints."""
    sizes = (sizes,) if isinstance(sizes, Integral) else tuple(sizes)
    if not sizes or not all(isinstance(size, Integral) and size >= 1 for size in sizes):
        raise ValueError(
            f"hidden_layer_sizes must be one or more positive whole numbers, got {sizes}"
        )
    return tuple(int(size) for size in sizes)
