"""Losses: one function for each, and a class that wraps it. ``compile(loss="mse")`` finds them by name."""

from typing import Any

from cornu.core import registry, serialization, spellings
from cornu.core.public import offer
from cornu.losses.base import *
from cornu.losses.crossentropy import *
from cornu.losses.focal import *
from cornu.losses.hinge import *
from cornu.losses.regression import *
from cornu.losses.similarity import *

# Snake-case names refer to the functions, which are already in the table.
registry.LOSSES.things.update(
    {name: thing for name, thing in globals().items() if isinstance(thing, type) and issubclass(thing, Loss)}
)


def get(identifier: Any) -> Any:
    """Return the loss for an identifier.

    Args:
        identifier: a name (``"mse"`` gives a function, ``"MeanSquaredError"`` an object), a config, a loss or
            a function; None stays None.

    Raises:
        ValueError: if the name is unknown.

    Follows https://keras.io/api/losses/

    >>> get("mse") is mean_squared_error
    True
    """
    return serialization.get(identifier, registry.LOSSES)


def serialize(loss: Any) -> Any:
    """Return the config of a loss object, or the name of a library function.

    >>> serialize(mean_squared_error)
    'mean_squared_error'
    """
    return serialization.serialize(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the loss for a name or config.

    Args:
        name: a name or a config.
        custom_objects: names of custom classes and functions.

    Raises:
        ValueError: if the class or name is unknown.

    >>> deserialize("mse") is mean_squared_error
    True
    """
    return serialization.deserialize(name, custom_objects, registry.LOSSES)


__getattr__ = spellings.names_of(__name__)
offer(globals())
