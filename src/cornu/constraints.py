"""Constraints: what a weight must obey; applied after each update."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from jax import Array

from cornu.core import registry, serialization, settings, spellings
from cornu.core.public import offer
from cornu.core.serialization import Recorded, construct, default_config
from cornu.core.signature import freely_overridden

_IMPORTED = frozenset(globals())


class Constraint(metaclass=Recorded):
    """A rule for a weight; one of your own has ``__call__(self, w)`` that returns the nearest allowed value.

    Follows https://keras.io/api/layers/constraints/
    """

    @freely_overridden
    def __call__(self, w: Any) -> Array:
        raise NotImplementedError(f"{type(self).__name__} has no __call__(self, w): write one that returns the weight.")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return default_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Constraint":
        """Return a constraint made with the arguments in `config`."""
        return construct(cls, config)


def _norms(w: Array, axis: int | Sequence[int]) -> Array:
    axis = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    return jnp.sqrt(jnp.sum(jnp.square(w), axis=axis, keepdims=True))


@registry.CONSTRAINTS.add()
class MaxNorm(Constraint):
    """Vectors along `axis` are at most `max_value` long; longer ones are shortened.

    `axis` is 0 for a dense kernel (inputs, units), ``[0, 1, 2]`` for a convolution's (rows, columns, inputs, filters).

    >>> print(MaxNorm(2)([[0.0], [8.0]]).ravel())
    [0. 2.]
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Array:
        w = jnp.asarray(w)
        norms = _norms(w, self.axis)
        return w * (jnp.clip(norms, 0, self.max_value) / (settings.epsilon() + norms))


@registry.CONSTRAINTS.add()
class NonNeg(Constraint):
    """No entry is negative; negative ones become 0."""

    def __call__(self, w: Any) -> Array:
        w = jnp.asarray(w)
        return w * (w >= 0).astype(w.dtype)


@registry.CONSTRAINTS.add()
class UnitNorm(Constraint):
    """Vectors along `axis` have the length 1."""

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Array:
        w = jnp.asarray(w)
        return w / (settings.epsilon() + _norms(w, self.axis))


@registry.CONSTRAINTS.add()
class MinMaxNorm(Constraint):
    """Vectors along `axis` are between `min_value` and `max_value` long; `rate` (0 to 1) is how far they are moved."""

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | Sequence[int] = 0
    ) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Array:
        w = jnp.asarray(w)
        norms = _norms(w, self.axis)
        wanted = self.rate * jnp.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (wanted / (settings.epsilon() + norms))


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm
registry.CONSTRAINTS.things["Constraint"] = Constraint


def get(identifier: Any) -> Any:
    """Return the constraint for a name, a config, a class or a callable; None stays None."""
    return serialization.get(identifier, registry.CONSTRAINTS)


def serialize(constraint: Constraint) -> dict[str, Any]:
    """Return the config of a constraint."""
    return serialization.serialize(constraint)


def deserialize(config_: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the constraint that a config describes."""
    return serialization.deserialize(config_, custom_objects, registry.CONSTRAINTS)


if not TYPE_CHECKING:  # type checkers would take every misspelt name for one of the module's
    __getattr__ = spellings.names_of(__name__)
offer(globals(), _IMPORTED)
