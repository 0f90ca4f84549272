"""Losses that compare distributions, directions and regions."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array, nn

from cornu.core import settings
from cornu.core.scope import set_mask
from cornu.losses.base import LossFunctionWrapper, PlainLoss, as_pair, loss_function
from cornu.ops.crossentropy import ctc_loss
from cornu.ops.normalization import normalize

Axes = int | Sequence[int] | None


@loss_function("kld", "KLD")
def kl_divergence(y_true: Any, y_pred: Any) -> Array:
    """Return ``sum(y_true * log(y_true / y_pred))`` over the last axis."""
    y_true, y_pred = (jnp.clip(y, settings.epsilon(), 1) for y in as_pair(y_true, y_pred))
    return jnp.sum(y_true * jnp.log(y_true / y_pred), -1)


@loss_function()
def poisson(y_true: Any, y_pred: Any) -> Array:
    """Return the mean of ``y_pred - y_true * log(y_pred)``."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + settings.epsilon()), -1)


@loss_function()
def cosine_similarity(y_true: Any, y_pred: Any, axis: Axes = -1) -> Array:
    """Return minus the cosine between both along `axis`: -1 for equal directions, 1 for opposite ones.

    >>> print(cosine_similarity([[0.0, 1.0]], [[0.0, 3.0]]))
    [-1.]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return -jnp.sum(normalize(y_true, axis) * normalize(y_pred, axis), _axes(axis))


def _axes(axis: Axes) -> int | tuple[int, ...] | None:
    return tuple(axis) if isinstance(axis, Sequence) else axis


@loss_function(keeps_rows_apart=False)
def dice(y_true: Any, y_pred: Any, axis: Axes = None) -> Array:
    """Return 1 minus twice the overlap divided by the sum of both regions, over `axis` (None: over everything).

    >>> print(dice([[1.0, 0.0]], [[1.0, 0.0]]).round(3))
    0.0
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    overlap = jnp.sum(y_true * y_pred, _axes(axis))
    both = jnp.sum(y_true, _axes(axis)) + jnp.sum(y_pred, _axes(axis))
    return 1 - 2 * overlap / (both + settings.epsilon())


@loss_function(keeps_rows_apart=False)
def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Axes = None) -> Array:
    """Return 1 minus the overlap divided by overlap + `alpha` * missed + `beta` * too many, over `axis`.

    `missed` is what is in `y_true` but not in `y_pred`, `too many` the reverse (this order is that of Keras 3).
    From https://arxiv.org/abs/1706.05721
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    overlap, too_many, missed = (
        jnp.sum(part, _axes(axis)) for part in (y_true * y_pred, (1 - y_true) * y_pred, y_true * (1 - y_pred))
    )
    return 1 - overlap / (overlap + alpha * missed + beta * too_many + settings.epsilon())


@loss_function(keeps_rows_apart=False)
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Array:
    """Return the circle loss of embeddings: near for equal labels, far for different ones.

    Args:
        y_true: (rows,), class numbers.
        y_pred: (rows, features), embeddings of length 1.
        ref_labels, ref_embeddings: what the rows are compared with; the rows themselves where None.
        remove_diagonal: row n is not compared with reference n (itself, where the references are the rows).
        gamma: scale; margin: how far inside the goal a pair must be to count no more.

    A row without another of its label gives 0 and is not counted in means. From https://arxiv.org/abs/2002.10857
    """
    y_pred = jnp.asarray(y_pred)
    labels = jnp.asarray(y_true).astype("int32").reshape(-1)
    references = labels if ref_labels is None else jnp.asarray(ref_labels).astype("int32").reshape(-1)
    similarity = y_pred @ (y_pred if ref_embeddings is None else jnp.asarray(ref_embeddings, y_pred.dtype)).T
    similarity = 1 - jnp.maximum(1 - similarity, 0)  # a cosine; rounding must not lift it above 1
    alike = labels[:, None] == references[None, :]
    apart = ~alike
    if remove_diagonal:
        alike = alike & ~jnp.eye(alike.shape[0], alike.shape[1], dtype=bool)
    pull = nn.relu(1 + margin - similarity)
    push = nn.relu(similarity + margin)
    near = _log_sum(-gamma * pull * (similarity - (1 - margin)), alike)
    far = _log_sum(gamma * push * (similarity - margin), apart)
    values = nn.softplus(near + far)
    set_mask(values, jnp.any(alike, -1))
    return values


def _log_sum(values: Array, counts: Array) -> Array:
    """Return the logarithm of the sum of exponentials over the last axis, where `counts` is true."""
    return nn.logsumexp(jnp.where(counts, values, -1e9), -1)


@loss_function()
def ctc(y_true: Any, y_pred: Any) -> Array:
    """Return the connectionist temporal classification loss of each row (Graves and others 2006).

    Args:
        y_true: (rows, labels), class numbers from 1; rows that are shorter are filled up with 0.
        y_pred: (rows, steps, classes), logits; class 0 is the blank.
    """
    y_pred = jnp.asarray(y_pred)
    labels = jnp.asarray(y_true).astype("int32")
    if y_pred.ndim != 3 or labels.ndim != 2:
        raise ValueError(
            f"ctc takes labels of shape (rows, labels) and predictions (rows, steps, classes); "
            f"it got {labels.shape} and {y_pred.shape}."
        )
    return ctc_loss(labels, y_pred, jnp.sum(labels != 0, -1), jnp.full(labels.shape[:1], y_pred.shape[1]))


class KLDivergence(PlainLoss):
    """`kl_divergence` as a loss."""

    function = staticmethod(kl_divergence)


class Poisson(PlainLoss):
    """`poisson` as a loss."""

    function = staticmethod(poisson)


class CTC(PlainLoss):
    """`ctc` as a loss."""

    function = staticmethod(ctc)


class CosineSimilarity(LossFunctionWrapper):
    """`cosine_similarity` as a loss: -1 is best."""

    def __init__(
        self,
        axis: Axes = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


class Dice(LossFunctionWrapper):
    """`dice` as a loss."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Axes = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(LossFunctionWrapper):
    """`tversky` as a loss."""

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Axes = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)


class Circle(LossFunctionWrapper):
    """`circle` as a loss: labels are class numbers (rows,), predictions embeddings of length 1 (rows, features)."""

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        options = {"gamma": gamma, "margin": margin, "remove_diagonal": remove_diagonal}
        super().__init__(circle, reduction, name, dtype, **options)


__all__ = [
    "CTC",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "KLDivergence",
    "Poisson",
    "Tversky",
    "circle",
    "cosine_similarity",
    "ctc",
    "dice",
    "kl_divergence",
    "poisson",
    "tversky",
]
