"""Looking into a fitted network: its states and gates while it reads a sequence, and how much a
prediction changes with what was read. Plain arrays; the displays of `seqlearn_lstm.display` draw
them.
"""

from .activations import states
from .gradients import METHODS as METHODS
from .gradients import saliency

__all__ = ["saliency", "states"]
