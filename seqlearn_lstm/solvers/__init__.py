"""Solvers: how parameters follow their gradients. A solver holds settings; its state is arrays that
the training loop keeps.

``solver="adam"`` names one with its usual settings; ``solver=Adam(beta_1=0.8)`` gives others,
searchable as ``solver__beta_1``. The learning rate belongs to the estimator.

Settings have the names of Keras and the defaults of PyTorch; where the two, or the paper, disagree
on a default or a formula, the class says so.
"""

from .._named import named
from .adam import Adam, AdamW, AMSGrad, Nadam
from .base import Solver
from .rows import step_rows as step_rows
from .scaled import Adadelta, Adagrad, RMSprop
from .sgd import SGD

__all__ = [
    "SGD",
    "SOLVERS",
    "AMSGrad",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Nadam",
    "RMSprop",
]

SOLVERS = {
    "adadelta": Adadelta,
    "adagrad": Adagrad,
    "adam": Adam,
    "adamw": AdamW,
    "amsgrad": AMSGrad,
    "nadam": Nadam,
    "rmsprop": RMSprop,
    "sgd": SGD,
}


def make_solver(solver):
    """The solver that a name or an object stands for, its settings checked.

    Raises
    ------
    ValueError
        If it is a name that is not known, or a setting is out of range.
    TypeError
        If it is neither a name nor a solver.
    """
    return named("solver", SOLVERS, Solver, solver)
