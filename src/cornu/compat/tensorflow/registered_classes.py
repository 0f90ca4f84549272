"""Classes of ``tensorflow_addons`` and ``keras_contrib`` that configs name by their package: ``Addons>Lookahead``."""

from typing import Any

from cornu.compat.tensorflow import addons as addons
from cornu.compat.tensorflow import averaging_optimizers as averaging_optimizers
from cornu.core import registry


def class_of(name: str) -> Any:
    """Return the class for a name with its package, or None; the modules above have registered theirs."""
    return registry.custom_object(name)
