"""The metrics as scorers of scikit-learn, by name."""

from sklearn.metrics import make_scorer

from .chunk_scores import chunk_f1, chunk_precision, chunk_recall
from .steps import sequence_accuracy, step_accuracy

SCORERS = {  # name -> metric of (y_true, y_pred), larger is better
    "step_accuracy": step_accuracy,
    "sequence_accuracy": sequence_accuracy,
    "chunk_precision": chunk_precision,
    "chunk_recall": chunk_recall,
    "chunk_f1": chunk_f1,
}


def scorer(name, **settings):
    """A scorer by name, for ``scoring=`` of scikit-learn's searches and cross-validation.

    scikit-learn looks up its own names only, so ``scoring="chunk_f1"`` is not known to it.

    Parameters
    ----------
    name : {"step_accuracy", "sequence_accuracy", "chunk_precision", "chunk_recall", "chunk_f1"}
        Name of a metric of this module.
    **settings
        Its keyword arguments, such as ``scheme="iobes"``.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y)`` gives the metric of ``estimator.predict(X)``.

    Raises
    ------
    ValueError
        If there is no metric of that name.

    Examples
    --------
    Any estimator whose `predict` gives labels for each step can be scored:

    >>> from sklearn.base import BaseEstimator
    >>> from sklearn.model_selection import GridSearchCV
    >>> from seqlearn_lstm.metrics import scorer
    >>> class Constant(BaseEstimator):
    ...     def __init__(self, label="O"):
    ...         self.label = label
    ...
    ...     def fit(self, X, y):
    ...         return self
    ...
    ...     def predict(self, X):
    ...         return [[self.label] * len(x) for x in X]
    >>> X = [[[0.1]], [[0.2], [0.3]], [[0.4]], [[0.5], [0.6]]]
    >>> y = [["B-PER"], ["B-PER", "O"], ["O"], ["B-PER", "B-PER"]]
    >>> search = GridSearchCV(
    ...     Constant(),
    ...     {"label": ["O", "B-PER"]},
    ...     scoring={"f1": scorer("chunk_f1", scheme="iob2"), "steps": scorer("step_accuracy")},
    ...     refit="f1",
    ...     cv=2,
    ... )
    >>> search.fit(X, y).best_params_
    {'label': 'B-PER'}
    """
    if name not in SCORERS:
        raise ValueError(f"there is no scorer {name!r}; there are {sorted(SCORERS)}")
    return make_scorer(SCORERS[name], **settings)
