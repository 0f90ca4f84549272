"""The estimators of Keras 1 and 2: a function that builds a model, and parameters for it and for training."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.core.errors import did_you_mean
from cornu.core.public import offer
from cornu.models import Sequential
from cornu.wrappers.bases import BaseEstimator, ClassifierMixin, RegressorMixin

_IMPORTED = frozenset(globals())

#: Name in old programs -> today's, of a parameter of `fit`.
_OLD = {"nb_epoch": "epochs"}


class BaseWrapper(BaseEstimator):  # type: ignore[misc]
    """Base class of `KerasClassifier` and `KerasRegressor`.

    Args:
        build_fn: A function that returns a compiled model, an object that can be called so, or None if a subclass has
            ``__call__``. It is called again for each `fit`.
        **sk_params: Arguments of this function, and of `fit`, `predict` and `evaluate` of the model.

    Raises:
        ValueError: A parameter belongs to none of them.
    """

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        self.build_fn, self.sk_params = build_fn, sk_params
        self.check_params(sk_params)

    def check_params(self, params: dict[str, Any]) -> None:
        """Raise ValueError if a parameter is none of the function that builds the model, nor of its methods."""
        functions = (Sequential.fit, Sequential.predict, Sequential.evaluate, self._builder())
        known = {name for function in functions for name in inspect.signature(function).parameters} - {"self", "kwargs"}
        for name in params:
            if name not in known | _OLD.keys():
                raise ValueError(
                    f"{name} is not a legal parameter: neither build_fn nor the model's fit, predict and evaluate "
                    f"take it.{did_you_mean(name, known)}"
                )

    def get_params(self, deep: bool = True, **params: Any) -> dict[str, Any]:
        """Return the parameters and `build_fn`, as scikit-learn's ``clone`` takes them."""
        return self.sk_params | {"build_fn": self.build_fn}

    def set_params(self, **params: Any) -> "BaseWrapper":
        """Change parameters; return the estimator. Raises ValueError for one that is not legal."""
        params = dict(params)
        self.build_fn = params.pop("build_fn", self.build_fn)
        self.check_params(params)
        self.sk_params.update(params)
        return self

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Build a model, train it, and keep it as `model`.

        Args:
            x: Inputs ``(n, ...)``.
            y: Targets ``(n,)`` or ``(n, outputs)``.
            **kwargs: Arguments of `Model.fit`, before `sk_params`.

        Returns:
            The `History`.
        """
        builder = self._builder()
        self.model = builder(**self.filter_sk_params(builder))
        y = np.asarray(y)
        if _loss_name(self.model) == "categorical_crossentropy" and y.ndim != 2:
            y = np.eye(int(y.max()) + 1, dtype="float32")[y.astype(int)]
        return self.model.fit(x, y, **self.filter_sk_params(Sequential.fit, kwargs))

    def filter_sk_params(self, fn: Callable[..., Any], override: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the parameters that a function takes, with those in `override` before them."""
        taken = inspect.signature(fn).parameters
        params = {name: value for name, value in self.sk_params.items() if name in taken}
        if "epochs" in taken:
            params |= {new: self.sk_params[old] for old, new in _OLD.items() if old in self.sk_params}
        return params | (override or {})

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model")

    def _builder(self) -> Callable[..., Any]:
        """Return the function that builds the model."""
        if self.build_fn is not None:
            return self.build_fn
        if not callable(self):
            raise ValueError(f"{type(self).__name__} needs build_fn, a function that returns a compiled model.")
        return self.__call__

    def _predicted(self, x: Any, kwargs: dict[str, Any]) -> np.ndarray:
        if not hasattr(self, "model"):
            raise ValueError(f"{type(self).__name__} is not trained: call fit first.")
        return np.asarray(self.model.predict(x, **{"verbose": 0} | self.filter_sk_params(Sequential.predict, kwargs)))

    def _evaluated(self, x: Any, y: Any, kwargs: dict[str, Any]) -> dict[str, float]:
        given = {"verbose": 0} | self.filter_sk_params(Sequential.evaluate, kwargs)
        return self.model.evaluate(x, y, **given | {"return_dict": True})


def _loss_name(model: Any) -> str:
    loss = model.loss
    name = loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", "")
    return str(name)


class KerasClassifier(ClassifierMixin, BaseWrapper):  # type: ignore[misc]
    """A model as a classifier of scikit-learn, built by a function.

    Args:
        build_fn: A function that returns a compiled model; see `BaseWrapper`.
        **sk_params: Arguments of the function, and of `fit`, `predict` and `evaluate`, such as ``epochs=10``.

    Raises:
        ValueError: A parameter belongs to none of them.

    After `fit`, `model` is the model and `classes_` are the classes.

    Follows the `keras.wrappers.scikit_learn` of Keras 2.2.4.

    >>> import cornu
    >>> def build(units=4):
    ...     model = cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(units), cornu.layers.Dense(1, "sigmoid")])
    ...     model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    ...     return model
    >>> classifier = KerasClassifier(build, units=3, epochs=2, verbose=0)
    >>> _ = classifier.fit(np.eye(2), ["cat", "dog"])
    >>> classifier.predict_proba(np.eye(2)).shape
    (2, 2)
    """

    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Build a model and train it; see `BaseWrapper.fit`.

        Args:
            x: Inputs ``(n, ...)``.
            y: A class for each row (numbers or words), or one-hot rows.
            sample_weight: Weight of each row, or None.
            **kwargs: Arguments of `Model.fit`.

        Raises:
            ValueError: `y` has more than two axes.
        """
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        elif y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1):
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        else:
            raise ValueError(f"y must be a class for each row, or one-hot rows; got shape {y.shape}.")
        self.n_classes_ = len(self.classes_)
        return super().fit(x, y, **kwargs | ({} if sample_weight is None else {"sample_weight": sample_weight}))

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """Return the likeliest class of each row: ``(n,)``, or ``(n, 1)`` for a model with one output."""
        outputs = self._predicted(x, kwargs)
        numbers = outputs.argmax(axis=-1) if outputs.shape[-1] > 1 else (outputs > 0.5).astype("int32")
        return self.classes_[numbers]

    def predict_proba(self, x: Any, **kwargs: Any) -> np.ndarray:
        """Return the probability of each class, ``(n, classes)``; two columns for a model with one output."""
        outputs = self._predicted(x, kwargs)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Return the model's accuracy.

        Raises ValueError if the model was compiled without it.
        """
        y = np.searchsorted(self.classes_, y) if np.ndim(y) < 2 or np.shape(y)[1] == 1 else np.asarray(y)
        if _loss_name(self.model) == "categorical_crossentropy" and y.ndim != 2:
            y = np.eye(len(self.classes_), dtype="float32")[y]
        values = self._evaluated(x, y, kwargs)
        for name in ("acc", "accuracy"):
            if name in values:
                return values[name]
        raise ValueError(
            'The score of a KerasClassifier is its accuracy: compile the model with metrics=["accuracy"] in build_fn.'
        )


class KerasRegressor(RegressorMixin, BaseWrapper):  # type: ignore[misc]
    """A model as a regressor of scikit-learn, built by a function: arguments as in `KerasClassifier`.

    Follows the `keras.wrappers.scikit_learn` of Keras 2.2.4.

    >>> import cornu
    >>> def build():
    ...     model = cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(1)])
    ...     model.compile("adam", "mse")
    ...     return model
    >>> regressor = KerasRegressor(build, verbose=0)
    >>> _ = regressor.fit(np.eye(2), [1.0, 2.0])
    >>> regressor.predict(np.eye(2)).shape
    (2,)
    """

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """Return the model's outputs, without axes of length 1."""
        return np.squeeze(self._predicted(x, kwargs))

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Return the negative loss, so that more is better."""
        return -self._evaluated(x, y, kwargs)["loss"]


offer(globals(), _IMPORTED)
