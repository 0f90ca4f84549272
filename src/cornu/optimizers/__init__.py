"""Optimizers: how weights change with their gradients. Follows https://keras.io/api/optimizers/"""

from typing import Any

from cornu.core import config as configs
from cornu.core import registry
from cornu.optimizers import schedules
from cornu.optimizers.base import Optimizer
from cornu.optimizers.rules import SGD, Adadelta, Adagrad, Adam, AdamW, RMSprop

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]


def get(identifier: Any) -> Optimizer | None:
    """Return the optimizer that `identifier` stands for.

    A name in any case (``"adam"``, ``"SGD"``), a config of any Keras, an optimizer, its class, or an optax
    transformation. Raises ValueError for an unknown name and TypeError for anything else.

    >>> get("sgd").name
    'sgd'
    """
    return configs.get(identifier, registry.OPTIMIZERS)


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Return the config of an optimizer as plain data, in Keras 3's form."""
    return configs.serialize(optimizer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Optimizer:
    """Return the optimizer that `config` describes; ValueError for a class that nobody knows."""
    return configs.deserialize(config, custom_objects, registry.OPTIMIZERS)
