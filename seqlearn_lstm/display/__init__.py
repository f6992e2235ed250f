"""Pictures of trainings and of fitted networks, as scikit-learn's displays: `from_estimator` makes
the data and draws, `plot` draws again. The data stand in attributes; matplotlib is imported only
where something is drawn.
"""

from .saliency import SaliencyDisplay
from .states import StateDisplay
from .training_curve import TrainingCurveDisplay

__all__ = ["SaliencyDisplay", "StateDisplay", "TrainingCurveDisplay"]
