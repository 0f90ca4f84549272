"""Regularizers: penalties on weights or outputs, added to the loss."""

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from cornu.core import registry, serialization, spellings
from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.core.serialization import Recorded, construct, default_config
from cornu.core.signature import any_signature

_IMPORTED = frozenset(globals())


class Regularizer(metaclass=Recorded):
    """Base class of all regularizers; a custom one overrides ``__call__(self, x)``, which returns a number.

    Follows https://keras.io/api/layers/regularizers/

    >>> class Largest(Regularizer):
    ...     def __call__(self, x):
    ...         return 0.1 * jnp.max(jnp.abs(x))
    >>> print(Largest()(jnp.array([5.0, -20.0])))
    2.0
    """

    @any_signature
    def __call__(self, x: Any) -> Array:
        """Return the penalty, a scalar.

        Args:
            x: a weight or output, any shape.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not implement __call__(self, x), which returns the penalty."
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return default_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Regularizer":
        """Return a regularizer built from the arguments in `config`."""
        return construct(cls, config)


def _factor(value: Any, owner: str, argument: str) -> float:
    """Return a penalty's factor as a float (None is 0); ValueError unless it is a finite number of at least 0."""
    value = 0.0 if value is None else value
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < float("inf"):
        raise ValueError(f"{owner} takes a finite number of at least 0 as `{argument}`; got {value!r}.")
    return float(value)


@registry.REGULARIZERS.add("l1_l2")
class L1L2(Regularizer):
    """``l1 * sum(abs(x)) + l2 * sum(x^2)``.

    Args:
        l1, l2: factors, 0 or more; None means 0.

    Raises:
        ValueError: if a factor is negative or not a finite number.

    Follows https://keras.io/api/layers/regularizers/#l1l2-class

    >>> print(L1L2(l1=1.0, l2=0.5)([1.0, -2.0]))
    5.5
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = _factor(l1, "L1L2", "l1"), _factor(l2, "L1L2", "l2")

    def __call__(self, x: Any) -> Array:
        return L1(self.l1)(x) + L2(self.l2)(x)


@registry.REGULARIZERS.add()
class L1(Regularizer):
    """``l1 * sum(abs(x))``.

    Args:
        l1: the factor, 0 or more; None means 0.

    Raises:
        ValueError: if the factor is negative or not a finite number.

    Follows https://keras.io/api/layers/regularizers/#l1-class

    >>> print(L1(0.5)([1.0, -2.0]))
    1.5
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor(l1, "L1", "l1")

    def __call__(self, x: Any) -> Array:
        return self.l1 * jnp.sum(jnp.abs(jnp.asarray(x)))


@registry.REGULARIZERS.add()
class L2(Regularizer):
    """``l2 * sum(x^2)``.

    Args:
        l2: the factor, 0 or more; None means 0.

    Raises:
        ValueError: if the factor is negative or not a finite number.

    Follows https://keras.io/api/layers/regularizers/#l2-class

    >>> print(L2(0.5)([1.0, -2.0]))
    2.5
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor(l2, "L2", "l2")

    def __call__(self, x: Any) -> Array:
        return self.l2 * jnp.sum(jnp.square(jnp.asarray(x)))


@registry.REGULARIZERS.add()
class OrthogonalRegularizer(Regularizer):
    """`factor` times half the mean absolute cosine similarity between the rows (or columns) of a matrix.

    Args:
        factor: weight of the penalty, 0 or more.
        mode: ``"rows"`` or ``"columns"``: which vectors should be orthogonal to each other.

    Raises:
        ValueError: if an argument is out of range, or when called on an array that is not a matrix.

    Follows https://keras.io/api/layers/regularizers/#orthogonalregularizer-class

    >>> round(float(OrthogonalRegularizer(0.5)([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])), 4)
    0.1667
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor(factor, "OrthogonalRegularizer", "factor")
        if mode not in ("rows", "columns"):
            raise unknown("mode of OrthogonalRegularizer", mode, ("rows", "columns"))
        self.mode = mode

    def __call__(self, x: Any) -> Array:
        x = jnp.asarray(x)
        if x.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer takes a matrix (2 axes); got an array of shape {x.shape}.")
        rows = x if self.mode == "rows" else x.T  # (count, length)
        rows = rows * jnp.minimum(1 / jnp.linalg.norm(rows, axis=1, keepdims=True), 1e6)
        count = rows.shape[0]
        cosines = (rows @ rows.T) * (1 - jnp.eye(count, dtype=rows.dtype))  # (count, count)
        pairs = count * (count - 1) / 2
        return self.factor * 0.5 * jnp.sum(jnp.abs(cosines)) / pairs


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
registry.REGULARIZERS.things["Regularizer"] = Regularizer


def get(identifier: Any) -> Any:
    """Return the regularizer for an identifier.

    Args:
        identifier: a name, a config, a class or a callable; None stays None.

    Raises:
        ValueError: if the name is unknown.

    Follows https://keras.io/api/layers/regularizers/

    >>> get("l2").l2
    0.01
    """
    return serialization.get(identifier, registry.REGULARIZERS)


def serialize(regularizer: Regularizer) -> dict[str, Any]:
    """Return the config of a regularizer.

    >>> serialize(L2())["class_name"]
    'L2'
    """
    return serialization.serialize(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the regularizer for a config.

    Args:
        config: the config, as `serialize` returns it.
        custom_objects: names of custom classes and functions.

    Raises:
        ValueError: if the class is unknown.

    >>> deserialize(serialize(L2(0.5))).l2
    0.5
    """
    return serialization.deserialize(config, custom_objects, registry.REGULARIZERS)


if not TYPE_CHECKING:  # type checkers would take every misspelt name for one of the module's
    __getattr__ = spellings.names_of(__name__)
offer(globals(), _IMPORTED)
