"""Who is told how a training goes on, one job each: lines on the screen, a record, callbacks,
warnings.
"""

from .callbacks import Callbacks
from .health import HealthCheck
from .progress import ProgressLines, Tables
from .record import Recorder, as_arrays

__all__ = [
    "Callbacks",
    "HealthCheck",
    "ProgressLines",
    "Recorder",
    "Tables",
    "as_arrays",
]
