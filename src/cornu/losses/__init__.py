"""Losses: one function for each, one class made from it. ``compile(loss="mse")`` finds them by name."""

from typing import Any

from cornu.core import registry, serialization, spellings
from cornu.core.public import offer
from cornu.losses.base import *
from cornu.losses.crossentropy import *
from cornu.losses.focal import *
from cornu.losses.hinge import *
from cornu.losses.regression import *
from cornu.losses.similarity import *

# Snake-case names are those of the functions, which are in the table already.
registry.LOSSES.things.update(
    {name: thing for name, thing in globals().items() if isinstance(thing, type) and issubclass(thing, Loss)}
)


def get(identifier: Any) -> Any:
    """Return the loss for a name (a function for ``"mse"``, an object for ``"MeanSquaredError"``), a config, or itself.

    None stays None. Raises ValueError for an unknown name.

    >>> get("mse") is mean_squared_error
    True
    """
    return serialization.get(identifier, registry.LOSSES)


def serialize(loss: Any) -> Any:
    """Return the config of a loss; the name of a function of Cornu's."""
    return serialization.serialize(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the loss that a name or config describes."""
    return serialization.deserialize(name, custom_objects, registry.LOSSES)


__getattr__ = spellings.names_of(__name__)
offer(globals())
