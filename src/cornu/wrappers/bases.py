"""The base classes of scikit-learn's estimators, or empty ones if it is not installed."""

from typing import Any

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin

    INSTALLED = True
except ModuleNotFoundError:
    INSTALLED = False

    class BaseEstimator: ...  # type: ignore[no-redef]

    class ClassifierMixin: ...  # type: ignore[no-redef]

    class RegressorMixin: ...  # type: ignore[no-redef]

    class TransformerMixin: ...  # type: ignore[no-redef]


def check_installed(thing: Any) -> None:
    """Raise ModuleNotFoundError if scikit-learn is not installed; it names the command that installs it."""
    if not INSTALLED:
        raise ModuleNotFoundError(
            f"{type(thing).__name__} needs the package scikit-learn: pip install scikit-learn", name="sklearn"
        )


__all__ = ["INSTALLED", "BaseEstimator", "ClassifierMixin", "RegressorMixin", "TransformerMixin", "check_installed"]
