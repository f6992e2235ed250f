"""Warnings of a training that ended badly: what was seen, and the usual cures.

All is looked at after the last epoch, in a sample where there are many sequences, and a block of
scores at a time: a fit does not become slower, nor does it need more memory.
"""

import warnings

import numpy as np

from ...exceptions import ConstantPredictionWarning, ExplodingGradientWarning, SaturationWarning
from ..listener import Listener
from .gates import CANDIDATES, MOST_ROWS, MOST_STEPS, OPEN, SHUT, GateReader, saturated

ENOUGH = 100  # updates: before, nothing can be expected of a network
SAMPLE = 64  # sequences
ALIKE = 0.01  # of the targets' standard deviation: less is no variance
MOSTLY = 0.9  # of its activations: the unit is saturated
FAR = 100.0  # times clip_norm
GROWN = 1000.0  # times the smallest norm of all epochs


class HealthCheck(Listener):
    """Warns, at most once of each kind.

    Parameters
    ----------
    predict : callable
        ``predict(sequences, initial)`` yields the scores of a `Sequences` container, some at a
        time, and to which sequence, or row where there is an output at each step, each belongs.
    """

    def __init__(self, predict):
        self.predict = predict

    def begin(self, task, state):
        self.n_updates, self.norms, self.typical = 0, [], []

    def before_epoch(self, task, state):
        self.norms = []

    def after_update(self, task, state, update):
        self.n_updates += 1
        self.norms.append(update.norm)

    def after_epoch(self, task, state, seconds):
        self.norms = list(map(float, self.norms))
        self.typical.append(float(np.median(self.norms)))
        return False

    def end(self, task, state):
        if self.n_updates < ENOUGH:
            return
        for category, look in (
            (ExplodingGradientWarning, self._exploded),
            (SaturationWarning, self._saturated),
            (ConstantPredictionWarning, self._constant),
        ):
            finding = look(task)
            if finding:
                warnings.warn(f"after epoch {state.epoch} {finding}", category, stacklevel=2)

    def _exploded(self, task):
        """A norm that stays far above where it is cut, or has grown there."""
        limit, last = task.settings.clip_norm, self.typical[-1]
        if limit is not None and min(self.norms) > FAR * limit:
            seen = (
                f"the norm of the gradient is {last:.3g}, and never below {FAR:g} times clip_norm"
            )
        elif last > FAR * (limit or 1) and last > GROWN * min(self.typical):
            seen = f"the norm of the gradient has grown from {min(self.typical):.3g} to {last:.3g}"
        else:
            return None
        return (
            f"{seen}. Usual cures: a smaller learning_rate, standardised features and, of a "
            "regressor, targets, or bptt_steps where sequences are long"
        )

    def _saturated(self, task):
        """Units whose gates no longer move."""
        for key, gates in GateReader(task).read(self._sample(task)):
            stuck = [saturated(gates[letter], axis=0) for letter in gates.keys() - set(CANDIDATES)]
            stuck = np.mean(stuck, axis=0) > MOSTLY if stuck else np.zeros(1, bool)
            if stuck.mean() > 0.5:
                return (
                    f"the gates of {stuck.sum()} of {stuck.size} units in {key} are nearly always "
                    f"below {SHUT} or above {OPEN}, where they hardly learn. Usual cures: "
                    "standardised features, a smaller learning_rate, or LSTM(layer_norm=True)"
                )
        return None

    def _constant(self, task):
        """Predictions that are all alike: those of a sample, and if so, all."""
        targets = task.targets[task.weights > 0]
        if (targets == targets[:1]).all():
            return None
        for members in (self._sample(task), None):
            said = self._predictions(task, members)
            if not (_are_one(said) if task.head.says_classes else _hardly_vary(said, targets)):
                return None
        kind = "class" if task.head.says_classes else "number"
        each = "step" if task.network.pooling.per_step else "sequence"
        return (
            f"the same {kind} is predicted for every {each} of the training data, though their "
            "targets differ. Usual cures: more epochs, another learning_rate, standardised "
            "features, or weights where one class is far more frequent than all others"
        )

    def _predictions(self, task, members):
        """Yield classes or numbers, where they count, a block at a time; `members`: None, of all."""
        sequences, initial, weights = task.sequences, task.initial, task.weights
        if members is not None:
            most = _most_steps(task.network)
            per_step = task.network.pooling.per_step
            weights = weights[sequences.rows_of(members, most) if per_step else members]
            sequences = sequences.take(members, most)
            initial = None if initial is None else initial[members]
        for scores, index in self.predict(sequences, initial):
            scores = scores[weights[index] > 0]
            yield scores.argmax(axis=1) if task.head.says_classes else scores

    def _sample(self, task):
        """Some sequences, of all targets where each has one."""
        n = len(task.sequences)
        order = np.arange(n)
        if not task.network.pooling.per_step:
            order = np.argsort(task.targets.reshape(n, -1)[:, 0], kind="stable")
        few = MOST_ROWS // int(np.median(task.sequences.lengths))
        few = min(n, SAMPLE, max(2, few))
        return order[np.linspace(0, n - 1, few).astype(np.int64)]


def _most_steps(network):
    """Of each sequence of a sample; None: all, where what is said depends on later ones."""
    is_cut = network.pooling.per_step and not network.architecture.bidirectional
    return MOST_STEPS if is_cut else None


def _are_one(blocks):
    """Whether all classes are the same one; the first other one ends the search."""
    seen = None
    for classes in filter(len, blocks):
        seen = classes[0] if seen is None else seen
        if (classes != seen).any():
            return False
    return True


def _hardly_vary(blocks, targets):
    """Whether numbers vary by next to nothing beside the targets, wherever these vary.

    In float64: in float32, equal numbers far from zero have a deviation.
    """
    values = np.concatenate(list(blocks))
    if len(values) == 0:
        return True
    varies = (targets != targets[:1]).any(axis=0)
    found, wanted = (x[:, varies].std(axis=0, dtype=np.float64) for x in (values, targets))
    return bool((found <= ALIKE * wanted).all())
