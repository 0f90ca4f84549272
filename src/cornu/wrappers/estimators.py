"""Keras 3's estimators: a compiled model, or a function that makes one, as a classifier, regressor or transformer."""

from typing import Any

import numpy as np

from cornu.core.public import offer
from cornu.models import Model, clone_model
from cornu.wrappers.bases import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin, check_installed

_IMPORTED = frozenset(globals())


class SKLearnBase(BaseEstimator):  # type: ignore[misc]
    """Base class of the estimators; see `SKLearnClassifier`."""

    def __init__(
        self,
        model: Any,
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        check_installed(self)
        self.model, self.warm_start = model, warm_start
        self.model_kwargs, self.fit_kwargs = model_kwargs, fit_kwargs

    def fit(self, X: Any, y: Any, **kwargs: Any) -> "SKLearnBase":
        """Train a model, and keep it as `model_` and its history as `history_`; `kwargs` go to `Model.fit`.

        Raises ValueError for data that scikit-learn does not accept, or a model that is not compiled.
        """
        X, y = self._validated(X, y)
        y = self._encoded(y)
        model = self._model(X, y)
        if getattr(model, "optimizer", None) is None:
            raise ValueError(f"{type(self).__name__} needs a compiled model: call model.compile(...) first.")
        self.history_ = model.fit(X, y, **(self.fit_kwargs or {}) | kwargs)
        self.model_ = model
        return self

    def predict(self, X: Any) -> Any:
        """Return the model's outputs, in the shape of the targets."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self.target_axes_ == 1 and outputs.ndim == 2 and outputs.shape[1] == 1 else outputs

    def _model(self, X: Any, y: Any) -> Any:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if not isinstance(self.model, Model):
            return self.model(X=X, y=y, **self.model_kwargs or {})
        return self.model if self.warm_start else clone_model(self.model)

    def _validated(self, X: Any, y: Any) -> tuple[Any, Any]:
        from sklearn.utils.multiclass import type_of_target
        from sklearn.utils.validation import validate_data

        X, y = validate_data(self, X, y, multi_output=True)
        if type_of_target(y) == "unknown":
            raise ValueError(f"The targets are of a kind that scikit-learn does not know: {y!r}.")
        return X, y

    def _encoded(self, y: Any) -> Any:
        """Return targets as the model takes them, with two axes."""
        self.target_axes_ = y.ndim
        return y[:, None] if y.ndim == 1 else y

    def _outputs(self, X: Any) -> Any:
        from sklearn.utils.validation import check_is_fitted, validate_data

        check_is_fitted(self, "model_")
        return self.model_.predict(validate_data(self, X, reset=False), verbose=0)

    def __sklearn_clone__(self) -> "SKLearnBase":
        """Return an estimator with the same settings, which is not trained; `fit` copies the model."""
        return type(self)(
            **{name: getattr(self, name) for name in ("model", "warm_start", "model_kwargs", "fit_kwargs")}
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags


class SKLearnClassifier(ClassifierMixin, SKLearnBase):  # type: ignore[misc]
    """A model as a classifier of scikit-learn.

    Args:
        model: A compiled model, of which each `fit` trains a copy; or a function of `X`, `y` and `model_kwargs` that
            returns one. Its outputs are one number for each class.
        warm_start: Whether `fit` continues with the model that the last one trained.
        model_kwargs: Arguments of the function.
        fit_kwargs: Arguments of `Model.fit`.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.

    The trained model is `model_`, its history `history_`, the classes are `classes_`.

    Follows https://keras.io/api/utils/sklearn_wrappers/

    >>> import cornu
    >>> model = cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(2, activation="softmax")])
    >>> model.compile("adam", "categorical_crossentropy")
    >>> estimator = SKLearnClassifier(model, fit_kwargs={"epochs": 2, "verbose": 0})
    >>> estimator.fit(np.eye(2), ["cat", "dog"]).predict(np.eye(2)).shape
    (2,)
    """

    def predict(self, X: Any) -> Any:
        """Return the likeliest class of each row."""
        numbers = self._outputs(X).argmax(axis=1)
        return self.classes_[numbers]

    def predict_proba(self, X: Any) -> Any:
        """Return the model's outputs: one number for each class."""
        return self._outputs(X)

    def decision_function(self, X: Any) -> Any:
        """Return the model's outputs: one number for each class."""
        return self._outputs(X)

    def _encoded(self, y: Any) -> Any:
        from sklearn.utils.multiclass import type_of_target

        kind = type_of_target(y)
        if kind not in ("binary", "multiclass"):
            raise ValueError(f"Only binary and multiclass targets are supported. Target type: {kind}.")
        self.classes_, numbers = np.unique(np.ravel(y), return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"Classifier can't train when only one class is present: {self.classes_[0]!r}.")
        return np.eye(len(self.classes_), dtype="float32")[numbers]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


class SKLearnRegressor(RegressorMixin, SKLearnBase):  # type: ignore[misc]
    """A model as a regressor of scikit-learn: arguments and attributes as in `SKLearnClassifier`.

    Targets may have one number for each row, or several.

    Follows https://keras.io/api/utils/sklearn_wrappers/

    >>> import cornu
    >>> model = cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(1)])
    >>> model.compile("adam", "mse")
    >>> SKLearnRegressor(model, fit_kwargs={"verbose": 0}).fit(np.eye(2), [1.0, 2.0]).predict(np.eye(2)).shape
    (2,)
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(TransformerMixin, SKLearnBase):  # type: ignore[misc]
    """A model as a transformer of scikit-learn, as a step before others in a pipeline.

    Arguments and attributes as in `SKLearnClassifier`.

    Follows https://keras.io/api/utils/sklearn_wrappers/

    >>> import cornu
    >>> model = cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(2)])
    >>> model.compile("adam", "mse")
    >>> SKLearnTransformer(model, fit_kwargs={"verbose": 0}).fit_transform(np.eye(2), np.eye(2)).shape
    (2, 2)
    """

    def transform(self, X: Any) -> Any:
        """Return the model's outputs."""
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


offer(globals(), _IMPORTED)
