"""Constraints: projections of a weight onto allowed values, applied after each update."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from jax import Array

from cornu.core import registry, serialization, settings, spellings
from cornu.core.public import offer
from cornu.core.serialization import Recorded, construct, default_config
from cornu.core.signature import any_signature

_IMPORTED = frozenset(globals())


class Constraint(metaclass=Recorded):
    """Base class of all constraints; a custom one overrides ``__call__(self, w)`` and returns the nearest valid value.

    Follows https://keras.io/api/layers/constraints/

    >>> class Clip(Constraint):
    ...     def __call__(self, w):
    ...         return jnp.clip(w, -1, 1)
    >>> print(Clip()(jnp.array([0.5, 3.0])))
    [0.5 1. ]
    """

    @any_signature
    def __call__(self, w: Any) -> Array:
        """Return the constrained weight, of the same shape.

        Args:
            w: the weight.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not implement __call__(self, w), which returns the weight."
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return default_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Constraint":
        """Return a constraint built from the arguments in `config`."""
        return construct(cls, config)


def _norms(w: Array, axis: int | Sequence[int]) -> Array:
    axis = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    return jnp.sqrt(jnp.sum(jnp.square(w), axis=axis, keepdims=True))


@registry.CONSTRAINTS.add()
class MaxNorm(Constraint):
    """Scales down vectors along `axis` that are longer than `max_value`.

    Args:
        max_value: the largest norm.
        axis: 0 for a dense kernel ``(inputs, units)``, ``[0, 1, 2]`` for the kernel of a convolution
            ``(rows, columns, inputs, filters)``.

    Srivastava et al. 2014, Dropout. Follows https://keras.io/api/layers/constraints/#maxnorm-class

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
    """Sets negative values to 0.

    Follows https://keras.io/api/layers/constraints/#nonneg-class

    >>> print(NonNeg()([2.0, -3.0]))
    [ 2. -0.]
    """

    def __call__(self, w: Any) -> Array:
        w = jnp.asarray(w)
        return w * (w >= 0).astype(w.dtype)


@registry.CONSTRAINTS.add()
class UnitNorm(Constraint):
    """Scales vectors along `axis` to length 1.

    Args:
        axis: 0 for a dense kernel ``(inputs, units)``, ``[0, 1, 2]`` for the kernel of a convolution.

    Follows https://keras.io/api/layers/constraints/#unitnorm-class

    >>> print(UnitNorm()([[0.0], [8.0]]).ravel())
    [0. 1.]
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Array:
        w = jnp.asarray(w)
        return w / (settings.epsilon() + _norms(w, self.axis))


@registry.CONSTRAINTS.add()
class MinMaxNorm(Constraint):
    """Scales vectors along `axis` so that their lengths are between `min_value` and `max_value`.

    Args:
        min_value: the smallest norm.
        max_value: the largest norm.
        rate: from 0 to 1: how far lengths are moved towards these limits; 1 enforces them.
        axis: 0 for a dense kernel ``(inputs, units)``, ``[0, 1, 2]`` for the kernel of a convolution.

    Follows https://keras.io/api/layers/constraints/#minmaxnorm-class

    >>> round(float(MinMaxNorm(0.0, 2.0, rate=0.5)([[0.0], [8.0]])[1, 0]), 4)
    5.0
    """

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
    """Return the constraint for an identifier.

    Args:
        identifier: a name, a config, a class or a callable; None stays None.

    Raises:
        ValueError: if the name is unknown.

    Follows https://keras.io/api/layers/constraints/

    >>> get("max_norm").max_value
    2
    """
    return serialization.get(identifier, registry.CONSTRAINTS)


def serialize(constraint: Constraint) -> dict[str, Any]:
    """Return the config of a constraint.

    >>> serialize(NonNeg())["class_name"]
    'NonNeg'
    """
    return serialization.serialize(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the constraint for a config.

    Args:
        config: the config, as `serialize` returns it.
        custom_objects: names of custom classes and functions.

    Raises:
        ValueError: if the class is unknown.

    >>> deserialize(serialize(MaxNorm(3))).max_value
    3
    """
    return serialization.deserialize(config, custom_objects, registry.CONSTRAINTS)


if not TYPE_CHECKING:  # type checkers would take every misspelt name for one of the module's
    __getattr__ = spellings.names_of(__name__)
offer(globals(), _IMPORTED)
