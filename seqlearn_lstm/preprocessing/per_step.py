"""A scikit-learn transformer over the time steps of sequences."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_array, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _check_feature_names,
    _check_feature_names_in,
    check_is_fitted,
    validate_data,
)

from .._base.fits import fits, followed_inside
from ..sequences import common_frame, is_tabular
from ._forms import (
    give_back,
    hold_frames,
    needs_object_rows,
    one_per_row,
    stack_frames,
    stack_numbers,
    stack_symbols,
    stack_table,
)


def _has(method):
    """Check for `available_if`: the transformer, the fitted one if there is one, has `method`."""
    return lambda self: hasattr(getattr(self, "transformer_", self.transformer), method)


class PerStep(CallbackSupportMixin, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Make any scikit-learn transformer work on the time steps of sequences.

    The transformer is fitted on the rows of all sequences, one below the other, so that a scaler
    learns one mean for each feature over all time steps; `transform` gives back sequences in the
    form in which they came:

    ===============================================  ============================================
    X                                                what comes back
    ===============================================  ============================================
    list or tuple of (n_timesteps_i, n_features)     list of (n_timesteps_i, n_features_out)
    object array or Series of such                   1-D object array of such
    (n_sequences, n_timesteps, n_features)           (n_sequences, n_timesteps, n_features_out),
                                                     padding is NaN
    (n_sequences, n_timesteps): one-feature          the same, or 3-D if there are more columns
    collection of (n_timesteps_i,): one-feature      the same, or 2-D if there are more columns
    ===============================================  ============================================

    Sequences in pandas DataFrames reach the transformer as one DataFrame, and arrays beside them in
    the same list are given its columns; sequences with symbols reach it as an object array. One-hot
    encoders and column transformers therefore work per step, too. What comes back is always dense;
    sparse output of a transformer is converted.

    Parameters
    ----------
    transformer : transformer object
        A clone of it is fitted. It must keep the number of rows, and may change that of columns.
    allow_nan : bool, default=False
        Whether NaN may reach the transformer, for instance an imputer. Trailing time steps of a 3-D
        X in which every feature is NaN are padding even then; lists and tables have no padding.

    Attributes
    ----------
    transformer_ : transformer object
        The fitted transformer.
    n_features_in_ : int
        Features of a time step; for a 2-D X, as everywhere in scikit-learn, its columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Only if X was a DataFrame or a collection of DataFrames.

    See Also
    --------
    concatenate : Sequences as rows and lengths.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from seqlearn_lstm.preprocessing import PerStep
    >>> X = [np.array([[0.0], [2.0], [4.0]]), np.array([[2.0]])]
    >>> scaler = PerStep(StandardScaler(with_std=False)).fit(X)
    >>> [x.ravel().tolist() for x in scaler.transform(X)]
    [[-2.0, 0.0, 2.0], [0.0]]
    >>> sorted(scaler.get_params())[-2:]
    ['transformer__with_mean', 'transformer__with_std']
    """

    def __init__(self, transformer, *, allow_nan=False):
        self.transformer = transformer
        self.allow_nan = allow_nan

    def fit(self, X, y=None, sample_weight=None, lengths=None):
        """Fit the transformer on the time steps of all sequences.

        Parameters
        ----------
        X : list or array of sequences
            Any form of the table above.
        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs), or list, default=None
            A target for each sequence, repeated at each of its steps; or for each step: a list of
            n_sequences arrays of shape (n_timesteps_i,).
        sample_weight : array-like of shape (n_sequences,), or list, default=None
            As `y`; passed on to the transformer if given.
        lengths : array-like of int of shape (n_sequences,), default=None
            With a 3-D X: how many steps of each sequence are real.

        Returns
        -------
        self : PerStep

        Raises
        ------
        TypeError
            If `transformer` is not a transformer, or X does not hold sequences.
        ValueError
            If X, y or `lengths` do not fit; the error names the sequence. The estimator is then as
            it was before.
        """
        self._fit(X, y, sample_weight, lengths, transform=False)
        return self

    def fit_transform(self, X, y=None, sample_weight=None, lengths=None):
        """Fit the transformer and transform X by the transformer's own `fit_transform`.

        Parameters
        ----------
        X, y, sample_weight, lengths
            As in `fit`.

        Returns
        -------
        X_out : list or array of sequences
            In the form of X.
        """
        return self._fit(X, y, sample_weight, lengths, transform=True)

    def transform(self, X, lengths=None):
        """Transform each time step.

        Parameters
        ----------
        X : list or array of sequences
            Any form, not necessarily that of `fit`. Never modified.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.

        Returns
        -------
        X_out : list or array of sequences
            In the form of X.

        Raises
        ------
        TypeError
            If X does not hold sequences.
        ValueError
            If X or `lengths` do not fit, or X has other features than in `fit`; the error names the
            sequence.
        """
        check_is_fitted(self)
        rows, lengths = self._read(X, lengths, reset=False)
        return give_back(self.transformer_.transform(rows), X, lengths)

    @available_if(_has("inverse_transform"))
    def inverse_transform(self, X, lengths=None):
        """Undo the transformation of each time step.

        Parameters
        ----------
        X : list or array of sequences
            What `transform` returned, or the like, with n_features_out features.
        lengths : array-like of int of shape (n_sequences,), default=None
            As in `fit`.

        Returns
        -------
        X_original : list or array of sequences
            In the form of X.
        """
        check_is_fitted(self)
        rows, lengths = self._read(X, lengths, reset=None)
        return give_back(self.transformer_.inverse_transform(rows), X, lengths)

    @available_if(_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features=None):
        """Names of the features of a time step after the transformation.

        Parameters
        ----------
        input_features : array-like of str of shape (`n_features_in_`,), default=None
            Names of the features before it.

        Returns
        -------
        names : ndarray of str of shape (n_features_out,)
            If a 2-D X stays 2-D, the names of its columns.
        """
        check_is_fitted(self)
        if not self._tabular:
            return self.transformer_.get_feature_names_out(input_features)
        columns = _check_feature_names_in(self, input_features)
        names = self.transformer_.get_feature_names_out()
        return columns if len(names) == 1 else names

    def set_output(self, *, transform=None):
        """Do nothing: sequences are returned as arrays, whatever output is set for tables.

        It is here so that a pipeline which ends in a table can be told ``set_output("pandas")``.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Ignored.

        Returns
        -------
        self : PerStep
        """
        return self

    @fits
    def _fit(self, X, y, sample_weight, lengths, transform):
        if not hasattr(self.transformer, "transform"):
            raise TypeError(
                f"transformer is {self.transformer!r}; expected an object with fit and transform, "
                "such as StandardScaler()"
            )
        rows, lengths = self._read(X, lengths, reset=True)
        y = one_per_row(y, lengths, "y")
        weights = one_per_row(sample_weight, lengths, "sample_weight")
        weights = {} if weights is None else {"sample_weight": weights}
        self.transformer_ = clone(self.transformer)
        with followed_inside(self, self.transformer_, rows, y):
            if transform and hasattr(self.transformer_, "fit_transform"):
                out = self.transformer_.fit_transform(rows, y, **weights)
            else:
                self.transformer_.fit(rows, y, **weights)
                out = self.transformer_.transform(rows) if transform else None
        if hasattr(self.transformer_, "feature_names_in_"):
            self.feature_names_in_ = self.transformer_.feature_names_in_
        return give_back(out, X, lengths) if transform else None

    def _read(self, X, lengths, reset):
        """X as rows for the transformer, and the number of steps of each sequence.

        `reset`: whether X is that of `fit` (True), must fit to it (False), or need not (None).
        """
        symbolic = lengths is None and needs_object_rows(X)
        tabular = lengths is None and not symbolic and is_tabular(X)
        if tabular:
            rows, lengths = self._read_table(X, reset)
        elif lengths is None and hold_frames(X):
            rows, lengths = stack_frames(X, self.allow_nan)
        elif symbolic:
            rows, lengths = stack_symbols(X, self.allow_nan)
        else:
            n_features = None if reset is not False else self._n_step_features
            name = type(self).__name__
            rows, lengths = stack_numbers(X, lengths, n_features, self.allow_nan, name)
        rows = _own(rows, X)
        if reset:
            self._tabular, self._n_step_features = tabular, rows.shape[1]
            if not tabular:
                self.n_features_in_ = rows.shape[1]
                vars(self).pop("feature_names_in_", None)  # of an earlier fit
        if reset is not None and not hold_frames(X):
            self._check_names(common_frame(X), reset)
        return rows, lengths

    def _check_names(self, frame, reset):
        """Keep to the names of frames of other libraries, which reach the transformer as arrays; those
        of pandas it checks itself.
        """
        if frame is not None:
            _check_feature_names(self, frame, reset=reset)

    def _read_table(self, X, reset):
        if reset or (reset is False and self._tabular and not isinstance(X, list | tuple)):
            X = validate_data(self, X, reset=reset, ensure_all_finite=False)
        else:  # its columns are time steps, of which lists and other forms have any number
            X = check_array(X, input_name="X", estimator=self, ensure_all_finite=False)
        return stack_table(X, self.allow_nan)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.transformer)
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = self.allow_nan
        tags.target_tags.required = inner.target_tags.required
        tags.transformer_tags.preserves_dtype = inner.transformer_tags.preserves_dtype
        tags.non_deterministic = inner.non_deterministic
        return tags


def _own(rows, X):
    """Rows that a transformer may overwrite: never memory of X, whatever kind of array that is."""
    if not hasattr(X, "__array__") or not isinstance(rows, np.ndarray):
        return rows  # put together from several: a copy
    return rows.copy() if np.may_share_memory(rows, np.asarray(X)) else rows
