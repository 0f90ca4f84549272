"""Optimizers: how weights change with their gradients. Follows https://keras.io/api/optimizers/"""

from typing import Any

from cornu.core import errors, registry, serialization, spellings
from cornu.core.public import offer
from cornu.optimizers import schedules as schedules
from cornu.optimizers import transformation
from cornu.optimizers.base import *
from cornu.optimizers.loss_scale import *
from cornu.optimizers.matrices import *
from cornu.optimizers.moments import *
from cornu.optimizers.multiple import *
from cornu.optimizers.rules import *
from cornu.optimizers.transformation import *


def get(identifier: Any) -> Optimizer | None:
    """Return the optimizer for an identifier.

    Args:
        identifier: a name in any case (``"adam"``, ``"SGD"``), a config of any Keras version, an optimizer, its class,
            or an optax transformation.

    Raises:
        ValueError: if the name is unknown.
        TypeError: for anything else.

    Follows https://keras.io/api/optimizers/

    >>> type(get("sgd")).__name__
    'SGD'
    """
    if transformation.is_transformation(identifier):
        return OptaxOptimizer(identifier)
    if isinstance(identifier, str):
        identifier = _known_spelling(identifier)
    found = (
        deserialize(identifier) if isinstance(identifier, dict) else serialization.get(identifier, registry.OPTIMIZERS)
    )
    if found is not None and not isinstance(found, Optimizer):
        raise TypeError(
            f"Expected the name or config of an optimizer, an optimizer or an optax transformation; got {identifier!r} "
            f"({type(identifier).__name__}).{errors.foreign(identifier)}"
        )
    return found


def _known_spelling(name: str) -> str:
    """Return an optimizer's name as its class spells it, whatever its case."""
    if registry.custom_object(name) is not None or name in registry.OPTIMIZERS:
        return name
    return next((known for known in registry.OPTIMIZERS if known.lower() == name.lower()), name)


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Return the config of an optimizer as plain data, in Keras 3's format.

    >>> serialize(SGD())["class_name"]
    'SGD'
    """
    return serialization.serialize(optimizer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Optimizer:
    """Return the optimizer for a config.

    Args:
        config: a config of any Keras version.
        custom_objects: names of custom classes and functions.

    Raises:
        ValueError: if the class is unknown.

    >>> float(deserialize(serialize(SGD(0.5))).learning_rate)
    0.5
    """
    with registry.CustomObjectScope(custom_objects or {}):
        config = config | {"class_name": _known_spelling(config["class_name"])}
    return serialization.deserialize(config, custom_objects, registry.OPTIMIZERS)


__getattr__ = spellings.names_of(__name__)
offer(globals(), modules=["schedules"])
