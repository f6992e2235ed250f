"""Who is told how a training goes on, one job each: lines on the screen, a record, callbacks,
warnings.
"""

from .callbacks import Callbacks
from .progress import ProgressLines, Tables

__all__ = [
    "Callbacks",
    "ProgressLines",
    "Tables",
]
