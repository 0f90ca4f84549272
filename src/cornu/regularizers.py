"""Regularizers: penalties on weights or outputs, added to the loss."""

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from cornu.core import registry, serialization, spellings
from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.core.serialization import Recorded, construct, default_config
from cornu.core.signature import freely_overridden

_IMPORTED = frozenset(globals())


class Regularizer(metaclass=Recorded):
    """A penalty on an array; one of your own has ``__call__(self, x)`` that returns a number.

    Follows https://keras.io/api/layers/regularizers/
    """

    @freely_overridden
    def __call__(self, x: Any) -> Array:
        raise NotImplementedError(
            f"{type(self).__name__} has no __call__(self, x): write one that returns the penalty."
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return default_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Regularizer":
        """Return a regularizer made with the arguments in `config`."""
        return construct(cls, config)


def _factor(value: Any, owner: str, argument: str) -> float:
    """Return a penalty's factor as a float; None is 0. ValueError for what is no finite number of 0 or more."""
    value = 0.0 if value is None else value
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < float("inf"):
        raise ValueError(f"{owner} takes a finite number that is not negative as `{argument}`; it got {value!r}.")
    return float(value)


@registry.REGULARIZERS.add("l1_l2")
class L1L2(Regularizer):
    """``l1 * sum(abs(x)) + l2 * sum(x^2)``.

    >>> print(L1L2(l1=1.0, l2=0.5)([1.0, -2.0]))
    5.5
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = _factor(l1, "L1L2", "l1"), _factor(l2, "L1L2", "l2")

    def __call__(self, x: Any) -> Array:
        return L1(self.l1)(x) + L2(self.l2)(x)


@registry.REGULARIZERS.add()
class L1(Regularizer):
    """``l1 * sum(abs(x))``."""

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor(l1, "L1", "l1")

    def __call__(self, x: Any) -> Array:
        return self.l1 * jnp.sum(jnp.abs(jnp.asarray(x)))


@registry.REGULARIZERS.add()
class L2(Regularizer):
    """``l2 * sum(x^2)``."""

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor(l2, "L2", "l2")

    def __call__(self, x: Any) -> Array:
        return self.l2 * jnp.sum(jnp.square(jnp.asarray(x)))


@registry.REGULARIZERS.add()
class OrthogonalRegularizer(Regularizer):
    """``factor`` times the mean size of the cosines between the rows (or columns) of a matrix.

    Args:
        factor: weight of the penalty.
        mode: ``"rows"`` or ``"columns"``: which vectors shall be orthogonal to each other.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor(factor, "OrthogonalRegularizer", "factor")
        if mode not in ("rows", "columns"):
            raise unknown("mode of OrthogonalRegularizer", mode, ("rows", "columns"))
        self.mode = mode

    def __call__(self, x: Any) -> Array:
        x = jnp.asarray(x)
        if x.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer takes a matrix (2 axes); it got an array of shape {x.shape}.")
        rows = x if self.mode == "rows" else x.T
        rows = rows * jnp.minimum(1 / jnp.linalg.norm(rows, axis=1, keepdims=True), 1e6)
        count = rows.shape[0]
        cosines = (rows @ rows.T) * (1 - jnp.eye(count, dtype=rows.dtype))
        pairs = count * (count - 1) / 2
        return self.factor * 0.5 * jnp.sum(jnp.abs(cosines)) / pairs


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
registry.REGULARIZERS.things["Regularizer"] = Regularizer


def get(identifier: Any) -> Any:
    """Return the regularizer for a name, a config, a class or a callable; None stays None."""
    return serialization.get(identifier, registry.REGULARIZERS)


def serialize(regularizer: Regularizer) -> dict[str, Any]:
    """Return the config of a regularizer."""
    return serialization.serialize(regularizer)


def deserialize(config_: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the regularizer that a config describes."""
    return serialization.deserialize(config_, custom_objects, registry.REGULARIZERS)


if not TYPE_CHECKING:  # type checkers would take every misspelt name for one of the module's
    __getattr__ = spellings.names_of(__name__)
offer(globals(), _IMPORTED)
