"""The loss: reduces two arrays to one number, with sample weights, masks and a reduction."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from cornu.core import dtype_policies, era, registry, settings
from cornu.core.dtype_policies import array_dtype, standardize_dtype
from cornu.core.errors import unknown
from cornu.core.graph import op
from cornu.core.names import to_snake_case
from cornu.core.scope import changed, get_mask, scope
from cornu.core.serialization import Recorded, construct, default_config
from cornu.ops.crossentropy import float_array

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", "auto")


class Loss(metaclass=Recorded):
    """Base class of all losses: the number that training minimizes.

    A custom loss overrides ``call(self, y_true, y_pred)``, which returns one value per sample.

    Args:
        name: name of the loss in logs; None takes the class name in snake case.
        reduction: ``"sum_over_batch_size"`` (the mean; also ``"mean"`` and the old ``"auto"``), ``"sum"``,
            ``"mean_with_sample_weight"`` (the sum divided by the sum of the weights), or ``"none"`` / None.
        dtype: dtype to compute in; None takes ``floatx()``.

    Raises:
        ValueError: if `reduction` is unknown, or if a sample weight does not fit the values.

    Follows https://keras.io/api/losses/

    >>> class MaxError(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return jnp.max(jnp.abs(y_true - y_pred), axis=-1)
    >>> print(MaxError()([[0.0, 1.0]], [[0.5, 0.75]]))
    0.5
    """

    #: Whether `call` gives each row a value that depends on this row alone, if its function does (`ROWS_APART`).
    #: A class declares it beside its `call`; then `evaluate` may compute many batches together.
    keeps_rows_apart = False

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        if reduction is not None and reduction not in REDUCTIONS:
            raise unknown("reduction of a loss", reduction, REDUCTIONS)
        self.name = name or to_snake_case(type(self).__name__)
        self.reduction = reduction
        self.dtype = array_dtype(dtype_policies.get(dtype or settings.floatx()).compute_dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample.

        Args:
            y_true: targets, ``(batch, ...)``.
            y_pred: predictions, ``(batch, ...)``.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement call(self, y_true, y_pred).")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Array:
        """Return the reduced loss.

        Args:
            y_true: targets, ``(batch, ...)``.
            y_pred: predictions, ``(batch, ...)``.
            sample_weight: one weight per sample, ``(batch,)``, or per value that `call` returns.

        Returns:
            A scalar, or one value per sample if the reduction is None.
        """
        return loss_value(self, y_true, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return default_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Loss":
        """Return a loss built from the arguments in `config`."""
        return construct(cls, config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, reduction={self.reduction}>"


@op
def loss_value(loss: Loss, y_true: Any, y_pred: Any, sample_weight: Any) -> Array:
    """Return what ``loss(y_true, y_pred, sample_weight)`` returns, also for symbolic tensors."""
    in_mask = get_mask(y_pred)
    y_true, y_pred = as_arrays(y_true, loss.dtype), as_arrays(y_pred, loss.dtype)
    with changed(masks=dict(scope.masks)):
        values = loss.call(y_true, y_pred)
        out_mask = get_mask(values)
    mask = in_mask if out_mask is None else out_mask if in_mask is None else in_mask & out_mask
    return reduce_weighted(values, sample_weight, mask, loss.reduction, loss.dtype)


def as_arrays(y: Any, dtype: Any = None) -> Any:
    """Return `y` as an array; a list or dictionary of arrays (several outputs) keeps its structure."""
    if isinstance(y, dict) or (isinstance(y, (list, tuple)) and any(hasattr(leaf, "shape") for leaf in y)):
        return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), y)
    return jnp.asarray(y, dtype)


def same_rank(a: Array, b: Array) -> tuple[Array, Array]:
    """Return two arrays of the same rank if their ranks differ by a last axis of size 1.

    ``(batch,)`` next to ``(batch, 1)`` becomes ``(batch, 1)``; otherwise the axis of size 1 is dropped. Other ranks are
    unchanged.
    """
    if a.ndim == b.ndim + 1:
        b, a = same_rank(b, a)
    elif b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        if a.ndim == 1:
            a = a[:, None]  # (batch,) -> (batch, 1)
        else:
            b = b[..., 0]  # (..., 1) -> (...)
    return a, b


def apply_mask(sample_weight: Any, mask: Any, dtype: Any, reduction: str | None) -> Array:
    """Return sample weights that are 0 where `mask` is False; a mean then divides by the number of unmasked entries."""
    mask = jnp.asarray(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size", "auto"):
        mask = mask * (mask.size / (jnp.sum(mask) + settings.epsilon()))
    if sample_weight is None:
        return mask
    weights, mask = same_rank(jnp.asarray(sample_weight, dtype), mask)
    return _over_trailing_axes(weights, mask) * mask


def _over_trailing_axes(weights: Array, values: Array) -> Array:
    """Append axes of size 1 to `weights`, so that one weight per sample applies to the whole sample."""
    return weights.reshape(weights.shape + (1,) * max(0, values.ndim - weights.ndim))


def reduce_weighted(values: Any, sample_weight: Any, mask: Any, reduction: str | None, dtype: Any = None) -> Array:
    """Return the values of a loss after weights, mask and reduction (None or ``"none"``: not reduced)."""
    values = jnp.asarray(values, standardize_dtype(dtype))
    given = sample_weight
    if sample_weight is not None and values.ndim:  # a scalar loss accepts any weights, as in Keras
        sample_weight, values = same_rank(jnp.asarray(sample_weight, values.dtype), values)
        check_weights(sample_weight.shape, values.shape)
    if mask is not None:
        sample_weight = apply_mask(sample_weight, mask, values.dtype, reduction)
    if sample_weight is not None:
        # A mask may have more axes than the values, if the loss itself averages over time.
        sample_weight, values = same_rank(jnp.asarray(sample_weight, values.dtype), values)
        # (batch,) and (batch, time) give (batch, time)
        values = _over_trailing_axes(values, sample_weight) * _over_trailing_axes(sample_weight, values)
    if reduction in (None, "none") or values.ndim == 0:
        return values
    total = jnp.sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        weight = jnp.sum(sample_weight)
        return jnp.where(weight == 0, 0, total / jnp.where(weight == 0, 1, weight))
    mean = total / max(1, math.prod(values.shape))
    if given is None or not era.holds("losses are divided by the fraction of non-zero weights"):
        return mean
    fraction = jnp.mean(jnp.asarray(given) != 0, dtype=mean.dtype)
    return mean / jnp.where(fraction == 0, 1, fraction)


def check_weights(weights: tuple[int, ...], values: tuple[int, ...]) -> None:
    """Raise ValueError if sample weights of shape `weights` do not fit values of shape `values`."""
    if len(weights) > len(values) or any(a not in (1, b) and b != 1 for a, b in zip(weights, values, strict=False)):
        raise ValueError(
            f"sample_weight has shape {weights}, but the loss returns values of shape {values}.\n"
            "Pass one weight per sample, (batch,), or one per value."
        )


class LossFunctionWrapper(Loss):
    """A loss that wraps a function ``fn(y_true, y_pred, **kwargs)``.

    Args:
        fn: function of targets and predictions that returns one value per sample.
        reduction: how the values are reduced; see `Loss`.
        name: name of the loss; None takes the name of the function.
        dtype: dtype to compute in; None takes ``floatx()``.
        **kwargs: keyword arguments for `fn`, kept as attributes.

    Follows https://keras.io/api/losses/

    >>> from cornu.losses import mean_absolute_error
    >>> print(LossFunctionWrapper(mean_absolute_error, reduction="sum")([[1.0], [2.0]], [[0.0], [0.0]]))
    3.0
    """

    keeps_rows_apart = True

    def __init__(
        self,
        fn: Callable,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self._options = tuple(kwargs)
        vars(self).update(kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if isinstance(y_true, jax.Array) and isinstance(y_pred, jax.Array):
            y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **{name: getattr(self, name) for name in self._options})

    def get_config(self) -> dict[str, Any]:
        return with_function_named(default_config(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Loss":
        return construct(cls, with_function_found(config))


# Functions of losses and metrics by name. (In the table of metrics the same names refer to classes.)
FUNCTIONS: dict[str, Callable] = {}
#: Those of them that give each row a value which depends on this row alone.
ROWS_APART: set[Callable] = set()


def with_function_named(config: dict[str, Any]) -> dict[str, Any]:
    """Replace a library function under ``"fn"`` with its entry in Keras's config format."""
    name = getattr(config.get("fn"), "__name__", None)
    if name is None or FUNCTIONS.get(name) is not config["fn"]:
        return config
    return {
        **config,
        "fn": {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"},
    }


def with_function_found(config: dict[str, Any]) -> dict[str, Any]:
    """Replace the name of a library function under ``"fn"`` with the function."""
    named = config.get("fn")
    name = named.get("config") if isinstance(named, dict) else named
    if not isinstance(name, str) or name not in FUNCTIONS or registry.custom_object(name) is not None:
        return config
    return {**config, "fn": FUNCTIONS[name]}


class PlainLoss(LossFunctionWrapper):
    """A loss whose function takes no arguments other than `y_true` and `y_pred`."""

    function: Callable

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(type(self).function, reduction, name, dtype)


def loss_function(*aliases: str, keeps_rows_apart: bool = True) -> Callable[[Callable], Callable]:
    """Decorate a function of `y_true` and `y_pred`: it also takes symbolic tensors, and is registered by name.

    `keeps_rows_apart` says whether it gives each row a value that depends on this row alone.
    """

    def decorate(function: Callable) -> Callable:
        function = FUNCTIONS[function.__name__] = op(function)
        if keeps_rows_apart:
            ROWS_APART.add(function)
        return registry.LOSSES.add(*aliases)(function)

    return decorate


def as_pair(y_true: Any, y_pred: Any, broadcast: bool = True) -> tuple[Array, Array]:
    """Return both as arrays of the same rank, `y_true` cast to the float dtype of `y_pred`.

    Raises ValueError, with both shapes, if they cannot be broadcast together, or differ although `broadcast` is False.
    """
    y_pred = float_array(y_pred)
    y_true, y_pred = same_rank(jnp.asarray(y_true, y_pred.dtype), y_pred)
    pairs = zip(y_true.shape[::-1], y_pred.shape[::-1], strict=False)
    if any(a != b and 1 not in (a, b) for a, b in pairs) or not (broadcast or y_true.shape == y_pred.shape):
        raise ValueError(
            f"The targets have shape {y_true.shape} but the predictions have shape {y_pred.shape}.\n"
            "The units of the last layer must match the last axis of the targets."
        )
    return y_true, y_pred


__all__ = [
    "Loss",
    "LossFunctionWrapper",
]
