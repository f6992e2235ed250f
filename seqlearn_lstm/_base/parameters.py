"""The parameters of the estimators as a table, each with its default, its constraint and
its description.

A row is all that a parameter needs: ``@takes(...)`` makes of the shared rows and of an estimator's
own ones the constructor, scikit-learn's constraints and the docstring's section.
"""

from functools import partial
from numbers import Integral, Real
from os import PathLike

from sklearn.utils._param_validation import Interval, StrOptions

from ..pooling import PER_SEQUENCE
from .parameter import Parameter, built_from, one_of

_RATE = [Interval(Real, 0, 1, closed="left")]
_POSITIVE = Interval(Real, 0, None, closed="neither")
_COUNT = Interval(Integral, 1, None, closed="left")

SIZES = Parameter(
    "hidden_layer_sizes", (100,), ["array-like", _COUNT], "int or sequence of int",
    "Units of each recurrent layer, from the bottom.",
)  # fmt: skip

NETWORK = [
    Parameter(
        "cell", "lstm", "no_validation", '{"lstm", "gru", "rnn"} or cell object',
        "What a recurrent layer does at a step; see `seqlearn_lstm.cells`.",
    ),
    Parameter(
        "bidirectional", False, ["boolean"], "bool",
        "Whether each layer reads the sequence in both directions, with all its units in each.",
    ),
    Parameter(
        "input_projection", None, [_COUNT, None], "int or None",
        """Number of outputs of a linear layer that every step passes through before the first
        recurrent layer. None: there is no such layer.""",
    ),
    Parameter(
        "initial_state", "zeros", *one_of("zeros", "learned"),
        "The states before the first step: zeros, or parameters that are learned like all others.",
    ),
    Parameter(
        "dropout", 0.0, _RATE, "float",
        """Share of the outputs of each recurrent layer that is dropped in training, on their way to
        the layer above or to the output layer.""",
    ),
    Parameter(
        "input_dropout", 0.0, _RATE, "float",
        "Share of the inputs that is dropped in training.",
    ),
    Parameter(
        "dropout_per", "sequence", *one_of("sequence", "step"),
        """Whether `dropout` and `input_dropout` drop the same units and features at all steps of a
        sequence (Gal and Ghahramani 2016), or different ones at each step (Zaremba, Sutskever and
        Vinyals 2014).""",
    ),
    Parameter(
        "recurrent_dropout", 0.0, _RATE, "float",
        """Share of the states that is dropped in training on their way to the next step; the same
        units at all steps of a sequence.""",
    ),
]  # fmt: skip

EMBEDDING_DIM = Parameter(
    "embedding_dim", None, [_COUNT, None], "int or None",
    """Length of the vector that stands for a symbol. If it is given, integers in `X`, and any other
    values that can be symbols, are also read as symbols. None: 64 where `X` holds strings.""",
)  # fmt: skip
SYMBOLS = [
    EMBEDDING_DIM,
    Parameter(
        "embedding_dropout", 0.0, _RATE, "float",
        """Share of the symbols that is dropped in training, each at all its places in a sequence
        (Gal and Ghahramani 2016).""",
    ),
    Parameter(
        "min_count", 1, [_COUNT], "int",
        "How often a symbol must occur in `fit` to be known; all rarer ones share the unknown symbol.",
    ),
    Parameter(
        "max_vocabulary", None, [_COUNT, None], "int or None",
        "Largest number of known symbols; the most frequent ones are kept. None: all.",
    ),
    Parameter(
        "max_timesteps", None, [_COUNT, None], "int or None",
        """Sequences with more steps are cut to this many; where there is an output at each step, in
        `fit` only. None: no sequence is cut.""",
    ),
    Parameter(
        "truncate", "pre", *one_of("pre", "post"),
        """Where longer sequences are cut: at the beginning, so that the last steps stay, or at the end.""",
    ),
]  # fmt: skip

EARLY_STOPPING = Parameter(
    "early_stopping", False, ["boolean"], "bool",
    """Whether to hold out `validation_fraction` of the sequences (unless `X_val` is given), score them
    after each epoch, and keep the parameters of the best epoch. With ``monitor="train"``, nothing is
    held out.""",
)  # fmt: skip
BPTT_STEPS = Parameter(
    "bptt_steps", None, [_COUNT, None], "int or None",
    """How many steps the gradient goes back. Longer sequences are cut into windows of this many
    steps, each of which starts from the states that the one before has left, so that memory does
    not grow with the length of the sequences. With an output at each step, every window is an
    update; otherwise all windows of a batch form a single update, and are aligned with the ends of
    the sequences. None: all steps.""",
)  # fmt: skip

TRAINING = [
    Parameter(
        "solver", "adam", "no_validation", "str or solver object",
        """How the parameters are updated: a name of `seqlearn_lstm.solvers.SOLVERS`, or a solver.""",
    ),
    Parameter("learning_rate", 1e-3, [_POSITIVE], "float", "Step size of the solver."),
    Parameter(
        "schedule", "constant", "no_validation", "str or schedule object",
        """How the step size changes while training goes on: a name of
        `seqlearn_lstm.schedules.SCHEDULES`, or a schedule.""",
    ),
    Parameter(
        "alpha", 0.0, [Interval(Real, 0, None, closed="left")], "float",
        """Strength of the L2 penalty on weights (not on biases, peepholes, gains, initial states or
        embeddings). To the loss of each batch, a mean over its targets by their sample weights,
        ``alpha / 2 * |W|^2`` is added, divided by the sum of these sample weights, as in
        scikit-learn's `MLPClassifier`.""",
    ),
    Parameter(
        "clip_norm", 1.0, [_POSITIVE, None], "float or None",
        """Largest Euclidean norm of a batch's gradient; a longer one is scaled down. None: no
        limit.""",
    ),
    Parameter(
        "clip_value", None, [_POSITIVE, None], "float or None",
        "Largest absolute value in the gradient; larger ones are cut off there. None: no limit.",
    ),
    Parameter(
        "batch_size", 32, [_COUNT, None], "int or None",
        "Sequences per update. None: all of them.",
    ),
    BPTT_STEPS,
    Parameter(
        "stateful", False, ["boolean"], "bool",
        """Whether sequence ``n + batch_size`` starts from the states in which sequence n ended, for
        long streams that were cut into pieces. Needs ``shuffle=False``. Each epoch starts afresh,
        and so does every sequence of a prediction unless `initial_states` are given.""",
    ),
    Parameter("max_iter", 100, [_COUNT], "int", "Largest number of passes over the data (epochs)."),
    Parameter(
        "shuffle", True, ["boolean"], "bool",
        "Whether each epoch draws a new order of the sequences.",
    ),
    Parameter(
        "tol", 1e-4, [Interval(Real, 0, None, closed="left")], "float",
        """An epoch makes progress if its mean loss is lower than the best so far by more than this;
        with early stopping on validation data, if its score is higher by more than this.""",
    ),
    Parameter(
        "n_iter_no_change", 10, [_COUNT, None], "int or None",
        """Training ends after this many epochs in a row without progress. None: it goes on until
        `max_iter`.""",
    ),
    Parameter(
        "average", False, ["boolean", _COUNT], "bool or int",
        """Whether to keep the mean of the parameters over the epochs instead of the last ones. An
        integer k starts at epoch k, leaving out early epochs (stochastic weight averaging, Izmailov
        et al. 2018). Validation scores are then those of the mean.""",
    ),
    EARLY_STOPPING,
    Parameter(
        "monitor", "validation", *one_of("validation", "train"),
        "What early stopping watches: the score of the validation data, or the training loss.",
    ),
    Parameter(
        "validation_fraction", 0.1, [Interval(Real, 0, 1, closed="neither")], "float",
        """Share of the sequences that early stopping holds out where `fit` gets no `X_val`; for a
        classifier, the same share of each class.""",
    ),
    Parameter(
        "scoring", None, [str, callable, None], "str, callable or None",
        """How the validation data are scored, as in scikit-learn's `GridSearchCV`; None: by the
        method `score`. Where there is a prediction for each step, a name does not work: pass a
        function, or what `seqlearn_lstm.metrics.scorer` returns.""",
    ),
    Parameter(
        "warm_start", False, ["boolean"], "bool",
        """Whether a further `fit` goes on where the last one ended, for `max_iter` more epochs, as
        if it had never stopped; the state of the solver is kept for it. If this is set only after
        the first fit, the solver starts afresh.""",
    ),
    Parameter(
        "checkpoint", None, [str, PathLike, None], "str, path-like or None",
        """A file that is written after each epoch. The same call of `fit` on the same data goes on
        from it, and ends with the same bits as one that was never interrupted.""",
    ),
    Parameter(
        "record", None, ["array-like", None], "sequence of str or None",
        """What is kept of the training in `record_`: some of "loss", "norm" (of the gradient), "rate",
        "weights", "gradients" and "gates".""",
    ),
    Parameter(
        "record_every", 1, [_COUNT], "int",
        "Number of updates from one entry of the record to the next, until the record is full.",
    ),
    Parameter(
        "record_size", 1000, [Interval(Integral, 2, None, closed="left")], "int",
        """Largest number of entries in the record. Whenever it is full, every second entry is
        dropped, and from then on twice as many updates lie between two.""",
    ),
    Parameter(
        "random_state", None, ["random_state"], "int, RandomState instance or None",
        """Fixes the initial weights, which sequences are held out, their order and what dropout
        drops, and with them every bit of the fitted model.""",
    ),
    Parameter(
        "device", "cpu", *one_of("cpu", "cuda", "auto"),
        """Where to compute: on the processor, on a GPU, or on a GPU if there is one. Changed after a
        fit, it says where to predict. See the user guide.""",
    ),
    Parameter(
        "precision", "tf32", *one_of("float32", "tf32", "bf16"),
        """How far a GPU may round the factors of products of float32 on their way into tensor cores.
        "tf32": to 10 bits, as PyTorch lets cuDNN do; "bf16": to 7 bits, with which layers of up to
        512 units can use the faster kernels; "float32": not at all. The processor never rounds
        them.""",
    ),
    Parameter(
        "n_jobs", None, [Integral, None], "int or None",
        """Number of threads on the processor. None or -1: all that this process may use (in a worker
        process of joblib, its share of the cores); -2: all but one, and so on. The result does not
        depend on it.""",
    ),
    Parameter(
        "dtype", "float32", *one_of("float32", "float64"),
        "Floating-point type of the parameters and of all computations.",
    ),
    Parameter(
        "verbose", 0, ["verbose"], "int",
        "1 prints a line after each epoch; 2 also prints tables of the layers and of the data first.",
    ),
]  # fmt: skip

POOLING = Parameter(
    "pooling", "last", *one_of(*PER_SEQUENCE),
    """What the output layer sees of the top layer: the final state of each direction, the mean of
    the states over the steps, or the largest value of each unit over the steps.""",
)  # fmt: skip
CLASS_WEIGHT = Parameter(
    "class_weight", None, [dict, StrOptions({"balanced"}), None], 'dict, "balanced" or None',
    """Weight of each class, ``{label: weight}``. "balanced": inversely proportional to the frequency
    of the class, in which a sample counts by its `sample_weight`.""",
)  # fmt: skip


def takes(*own, **fixed):
    """Class decorator: an estimator with the shared parameters and its own. Its own take the place
    of shared ones of the same name; those in `fixed` become class attributes with these values.
    """
    names = {row.name for row in own} | fixed.keys()
    shared = [row for row in [*NETWORK, *SYMBOLS, *TRAINING] if row.name not in names]
    return partial(built_from, rows=[SIZES, *own, *shared], fixed=fixed)
