"""How a network is trained: the state of a training, the gradients of its updates, the loop over
epochs, and who is told how it goes on.
"""

from .averaging import Parameters, offered, put
from .checkpoint import Checkpoint
from .identity import fingerprint, name_of
from .listener import Listener, Update
from .loop import Diverged, train
from .portable import portable, restored
from .state import (
    Settings,
    Task,
    TrainingState,
    first_state,
    start_solver,
)

__all__ = [
    "Checkpoint",
    "Diverged",
    "Listener",
    "Parameters",
    "Settings",
    "Task",
    "TrainingState",
    "Update",
    "fingerprint",
    "first_state",
    "name_of",
    "offered",
    "portable",
    "put",
    "restored",
    "start_solver",
    "train",
]
