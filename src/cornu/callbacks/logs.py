"""Logs: dictionaries in which ``acc`` and ``accuracy`` are the same key, whichever the program wrote."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_SPELLINGS = (
    ("acc", "accuracy"),
    ("ce", "crossentropy"),
    ("mse", "mean_squared_error"),
    ("mae", "mean_absolute_error"),
    ("lr", "learning_rate"),
)


def other_spellings(name: str) -> list[str]:
    """Return `name` with the other spellings of its metric.

    >>> other_spellings("val_acc")
    ['val_accuracy']
    """
    found = []
    for pair in _SPELLINGS:
        for old, new in (pair, pair[::-1]):
            if name == old or name.endswith(f"_{old}"):
                found.append(name[: len(name) - len(old)] + new)
    return found


class Logs(dict[str, Any]):
    """A dictionary of values by name that also finds the other spelling of a metric.

    `extras` holds values that can be looked up but are not listed: the ``batch`` and ``size`` of Keras 2's batch logs.
    """

    extras: Mapping[str, Any] = MappingProxyType({})

    def find(self, name: Any) -> Any:
        """Return the key that `name` refers to, or None."""
        if dict.__contains__(self, name):
            return name
        if not isinstance(name, str):
            return None
        candidates = [*other_spellings(name), *self._without_kind(name)]
        return next((other for other in candidates if dict.__contains__(self, other)), None)

    def _without_kind(self, name: str) -> list[str]:
        """Return the full names of an accuracy (``categorical_accuracy``): Keras versions disagree on them."""
        prefix = "val_" if name.startswith("val_") else ""
        kinds = [f"{kind}_accuracy" for kind in ("categorical", "binary", "sparse_categorical")]
        return [prefix + kind for kind in kinds] if name.removeprefix("val_") in ("acc", "accuracy") else []

    def __missing__(self, name: Any) -> Any:
        key = self.find(name)
        if key is None and name in self.extras:
            return self.extras[name]
        if key is None:
            raise KeyError(f"{name!r} is not among the logs: {', '.join(map(str, self))}.")
        return dict.__getitem__(self, key)

    def __contains__(self, name: object) -> bool:
        return self.find(name) is not None or name in self.extras

    def get(self, name: Any, default: Any = None) -> Any:
        key = self.find(name)
        return self.extras.get(name, default) if key is None else dict.__getitem__(self, key)

    def __or__(self, other: Any) -> "Logs":  # type: ignore[override]
        return Logs({**self, **other})

    def copy(self) -> "Logs":
        return Logs(self)
