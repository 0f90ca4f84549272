"""Classes of TensorFlow, its add-ons and ``keras_contrib`` that configs name by package: ``Addons>Lookahead``."""

from typing import Any

from cornu.compat.tensorflow import addons as addons
from cornu.compat.tensorflow import averaging_optimizers as averaging_optimizers
from cornu.compat.tensorflow import ragged_inputs as ragged_inputs
from cornu.core import registry


def class_of(name: str) -> Any:
    """Return the class for a name with its package, or None; the modules above have registered theirs."""
    return registry.custom_object(name)
