"""How the front doors fit: from what was read to a trained network, kept as plain arrays."""

from copy import copy
from dataclasses import asdict
from numbers import Integral

import numpy as np
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state

from ..exceptions import TrainingDiverged
from ..kernels import get_backend
from ..network import Network
from ..pooling import STEPS
from ..randomness import Purpose, random_stream
from ..sequences import truncate_sequences
from ..solvers import make_solver
from ..training import (
    Checkpoint,
    Diverged,
    Task,
    fingerprint,
    first_state,
    name_of,
    restored,
    start_solver,
    train,
)
from .asked import (
    architecture_of,
    check_combination,
    measure_of,
    renew_patience,
    settings_of,
    threads_of,
    warn_where_ended,
    warn_where_not_averaged,
)
from .fits import fits
from .given import NOTHING, some
from .learned import SOMETIMES, learned
from .listening import for_callbacks, listeners_of
from .one_blas_thread import one_blas_thread
from .reading import ReadsSequences, check_initial
from .validating import held_out, of_others, scorer_of


class FitsNetwork(CallbackSupportMixin, ReadsSequences):
    """The part of an estimator that fits. A front door says in `_read_targets` what is learned."""

    def _read_targets(self, y, sequences, sample_weight, classes, goes_on):
        """Of all sequences: (head, name of the pooling, targets, weights)."""
        raise NotImplementedError

    def _part_of(self, y, sequences, indices):
        """y of some sequences."""
        return some(y, indices)

    def _check_others(self, others, sequences):
        """Raise ValueError or TypeError where these cannot be validated with: no target for each
        sequence or step, or none that could have been predicted.
        """

    def _weights_of(self, sample_weight, sequences, indices):
        """Weights of some sequences, as `score` takes them."""
        return self._check_weights(sample_weight, np.ones(len(sequences)))[indices]

    @fits
    def _learn(self, given, others=NOTHING, classes=None, partial=False):
        """Read all that was given, and fit.

        Parameters
        ----------
        given, others : Given
            What to learn from, and what to validate with.
        classes : array-like or None
            All labels that there may be.
        partial : bool
            Whether this is a pass of `partial_fit`.
        """
        self._validate_params()
        self._check_given(given.y)
        goes_on = hasattr(self, "parameters_") and (partial or self.warm_start)
        check_combination(self, partial, given, others)
        sequences = self._read_sequences(given.X, given.lengths, goes_on, given.y)
        targets = self._read_targets(given.y, sequences, given.sample_weight, classes, goes_on)
        return self._train(
            sequences, *targets, given, others, goes_on=goes_on, partial=partial,
            told=for_callbacks(self, given, sequences),
        )  # fmt: skip

    def _train(
        self, sequences, head, pooling, targets, weights, given=NOTHING, others=NOTHING, *,
        goes_on=False, partial=False, told=None,
    ):  # fmt: skip
        """Fit the network and keep it as plain arrays and values."""
        solver = make_solver(self.solver)
        network = self._network_to_train(sequences, head, pooling, goes_on)
        initial = check_initial(given.initial_states, sequences, network)
        validation, others_data = self._read_others(others, network)
        data = [sequences.rows, sequences.offsets, targets, weights, initial, *others_data]
        checkpoint, state = self._past(network, solver, goes_on, data)
        judged = "" if partial or not self.warm_start else self._judged(head, data)
        seed = state.seed if state else self._draw_seed()
        chosen = None
        if validation is None:
            chosen, validation = self._split(sequences, targets, given, initial, pooling, seed)
        sequences, targets, weights, initial = self._learned_from(
            sequences, targets, weights, initial, chosen, pooling
        )
        state = state or self._first_state(network, solver, seed)
        if goes_on:
            renew_patience(self, state, partial)
        settings = settings_of(self, len(sequences), state, goes_on, partial, judged)
        if partial:
            warn_where_ended(settings, state)
        validate = scorer_of(self, network, validation, state)
        task = Task(network, head, solver, sequences, targets, weights, settings, initial, validate)
        # What an earlier fit has left: its parameters are none of the network that is being fitted.
        for name in SOMETIMES if goes_on else (*SOMETIMES, "parameters_"):
            vars(self).pop(name, None)
        state.record = None if self.record is None else state.record
        n_validation = None if validation is None else len(validation)
        listeners = listeners_of(self, task, state, checkpoint, n_validation, told, partial)
        self._run(task, state, listeners)
        self._keep(network, state, settings)
        for listener in listeners:
            listener.end(task, state)
        warn_where_not_averaged(settings, state)
        return self

    def _network_to_train(self, sequences, head, pooling, goes_on):
        """The network that the parameters and the data ask for; where a fit goes on, they must ask
        for the one that there is.
        """
        architecture, kernels = architecture_of(self, sequences, head, pooling), self._kernels
        if goes_on and (asdict(architecture), self.dtype) != (self._architecture, self._dtype):
            raise ValueError(
                "this fit cannot continue: the changed parameters or data need a different network; "
                "set warm_start=False, or fit a clone"
            )
        self._architecture, self._dtype = asdict(architecture), self.dtype
        return Network(
            architecture, kernels, self.dtype, threads_of(self, kernels),
            self.recurrent_dropout > 0, self.precision, training=True,
        )  # fmt: skip

    def _read_others(self, others, network):
        """(what to validate with, what of it tells this fit from others); None where it was not given."""
        if others.X is None:
            return None, []
        validation = of_others(self, others, network)
        is_asked = self.checkpoint is not None or self.warm_start
        return validation, validation.data if is_asked else []

    def _learned_from(self, sequences, targets, weights, initial, chosen, pooling):
        """(sequences, targets, weights, initial) without what is held out, and without the steps
        that `max_timesteps` cuts off. `chosen`: the sequences to train with; None: all.
        """
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
        return sequences, targets, weights, initial

    def _run(self, task, state, listeners):
        """Train; errors say what the user can do, and bring what was learned before."""
        try:
            train(task, state, listeners)
        except Diverged as error:
            raise self._diverged(task.network, state, error) from None
        except Exception as error:
            if not (isinstance(error, MemoryError) or "OUT_OF_MEMORY" in str(error)):  # of a driver
                raise
            raise MemoryError(
                f"{error}; a batch_size of {max(1, task.settings.batch_size // 2)}, or shorter "
                "sequences (max_timesteps, bptt_steps), need less"
            ) from error

    def _draw_seed(self):
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _first_state(self, network, solver, seed):
        """The state of a fit that begins, from parameters drawn by its seed."""
        with one_blas_thread():
            rng = random_stream(seed, Purpose.INITIAL)
            network.set_parameters(network.initial_parameters(rng))
        return first_state(network, solver, seed)

    def _from_parameters(self, network, solver):
        """The state of a fit that kept none: its parameters, a solver that knows nothing yet."""
        network.set_parameters(self.parameters_)
        state = first_state(network, solver, self._draw_seed())
        state.epoch, state.loss_curve = self.n_iter_, list(self.loss_curve_)
        return state

    def _past(self, network, solver, goes_on, data):
        """(the checkpoint or None, the state to go on from or None)."""
        if goes_on:
            past = getattr(self, "_training", None)
            if not past:
                return None, self._from_parameters(network, solver)
            state = restored(past, network)
            if state.solver != solver.kind:
                start_solver(state, network.kernels, solver)
            return None, state
        if self.checkpoint is None:
            return None, None
        ignored = {"device", "n_jobs", "verbose", "checkpoint"}
        params = {k: name_of(v) for k, v in sorted(self.get_params().items()) if k not in ignored}
        if not isinstance(self.random_state, Integral):
            params["random_state"] = None  # the seed that was drawn stands in the file
        checkpoint = Checkpoint(self.checkpoint, [type(self).__name__, params, *data])
        return checkpoint, checkpoint.load(network)

    def _judged(self, head, data):
        """A name of what is watched: two fits with the same one can be compared."""
        return fingerprint([*measure_of(self, head), *data])

    def _split(self, sequences, targets, given, initial, pooling, seed):
        """(the sequences to train with, or None for all; what to validate with, or None)."""
        if not (self.early_stopping and self.monitor == "validation"):
            return None, None
        has_labels = pooling != STEPS and hasattr(self, "classes_")
        strata = self.classes_[targets] if has_labels else None  # which an error names
        return held_out(self, sequences, given, initial, strata, seed)

    def _diverged(self, network, state, error):
        """The error of a training that ran away, with what was there before."""
        last = None
        if state.epoch:
            last = copy(self)
            last._keep(network, state, None)
        return TrainingDiverged(f"{type(self).__name__}: {error}", last)

    def _keep(self, network, state, settings):
        """Take over what was learned, as plain arrays and values."""
        vars(self).update(learned(network, state, settings))

    @property
    def _kernels(self):
        return get_backend(self.device)
