"""Losses that compare distributions, directions, regions or embeddings."""

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
    """Return the Kullback-Leibler divergence ``sum(y_true * log(y_true / y_pred))`` over the last axis.

    Args:
        y_true: probabilities, ``(..., classes)``.
        y_pred: probabilities, ``(..., classes)``.

    Returns:
        One value per sample, ``(...)``.

    Follows https://keras.io/api/losses/probabilistic_losses/#kldivergence-class

    >>> round(float(kl_divergence([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
    0.6931
    """
    y_true, y_pred = (jnp.clip(y, settings.epsilon(), 1) for y in as_pair(y_true, y_pred))
    return jnp.sum(y_true * jnp.log(y_true / y_pred), -1)


@loss_function()
def poisson(y_true: Any, y_pred: Any) -> Array:
    """Return the Poisson loss, the mean of ``y_pred - y_true * log(y_pred)`` over the last axis.

    Args:
        y_true: counts, ``(batch, ...)``.
        y_pred: expected counts, above 0, ``(batch, ...)``.

    Returns:
        One value per sample.

    Follows https://keras.io/api/losses/probabilistic_losses/#poisson-class

    >>> round(float(poisson([[2.0, 0.0]], [[1.0, 1.0]])[0]), 4)
    1.0
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + settings.epsilon()), -1)


@loss_function()
def cosine_similarity(y_true: Any, y_pred: Any, axis: Axes = -1) -> Array:
    """Return the negative cosine similarity along `axis`: -1 for the same direction, 1 for opposite directions.

    Args:
        y_true: vectors, ``(..., features)``.
        y_pred: vectors, ``(..., features)``.
        axis: the axis or axes of the vectors.

    Returns:
        One value per vector, ``(...)``.

    Follows https://keras.io/api/losses/regression_losses/#cosinesimilarity-class

    >>> print(cosine_similarity([[0.0, 1.0]], [[0.0, 3.0]]))
    [-1.]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return -jnp.sum(normalize(y_true, axis) * normalize(y_pred, axis), _axes(axis))


def _axes(axis: Axes) -> int | tuple[int, ...] | None:
    return tuple(axis) if isinstance(axis, Sequence) else axis


@loss_function(keeps_rows_apart=False)
def dice(y_true: Any, y_pred: Any, axis: Axes = None) -> Array:
    """Return 1 minus the Dice coefficient: twice the overlap divided by the sum of both regions.

    Args:
        y_true: mask, 0 or 1, any shape.
        y_pred: probabilities, of the same shape.
        axis: the axes to sum over; None sums over all.

    Returns:
        A scalar, or one value per entry of the remaining axes.

    Follows https://keras.io/api/losses/regression_losses/

    >>> round(float(dice([[1.0, 0.0]], [[1.0, 0.0]])), 3)
    0.0
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    overlap = jnp.sum(y_true * y_pred, _axes(axis))
    both = jnp.sum(y_true, _axes(axis)) + jnp.sum(y_pred, _axes(axis))
    return 1 - 2 * overlap / (both + settings.epsilon())


@loss_function(keeps_rows_apart=False)
def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Axes = None) -> Array:
    """Return 1 minus the Tversky index ``overlap / (overlap + alpha * missed + beta * false_alarms)``.

    Args:
        y_true: mask, 0 or 1, any shape.
        y_pred: probabilities, of the same shape.
        alpha: weight of what is in `y_true` but not in `y_pred` (the order of Keras 3).
        beta: weight of what is in `y_pred` but not in `y_true`.
        axis: the axes to sum over; None sums over all.

    Returns:
        A scalar, or one value per entry of the remaining axes.

    Salehi et al. 2017, https://arxiv.org/abs/1706.05721

    >>> round(float(tversky([[1.0, 1.0]], [[1.0, 0.0]], alpha=1.0)), 3)
    0.5
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
    """Return the circle loss: embeddings with the same label attract, those with different labels repel.

    Args:
        y_true: integer classes, ``(batch,)``.
        y_pred: embeddings of length 1, ``(batch, features)``.
        ref_labels: classes of the references, ``(references,)``; None takes `y_true`.
        ref_embeddings: the embeddings to compare with, ``(references, features)``; None takes `y_pred`.
        remove_diagonal: do not compare row n with reference n (itself, if the references are the batch).
        gamma: scale of the similarities.
        margin: relaxation of the decision boundary.

    Returns:
        One value per row, ``(batch,)``. A row without a positive pair gives 0 and is left out of means.

    Sun et al. 2020, https://arxiv.org/abs/2002.10857

    >>> print(circle([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], gamma=1.0))
    [0.545... 0.545... 0. ...]
    """
    y_pred = jnp.asarray(y_pred)
    labels = jnp.asarray(y_true).astype("int32").reshape(-1)
    references = labels if ref_labels is None else jnp.asarray(ref_labels).astype("int32").reshape(-1)
    similarity = y_pred @ (y_pred if ref_embeddings is None else jnp.asarray(ref_embeddings, y_pred.dtype)).T
    similarity = 1 - jnp.maximum(1 - similarity, 0)  # (batch, references); rounding must not exceed 1
    alike = labels[:, None] == references[None, :]  # (batch, references)
    apart = ~alike
    if remove_diagonal:
        alike = alike & ~jnp.eye(alike.shape[0], alike.shape[1], dtype=bool)
    pull = nn.relu(1 + margin - similarity)
    push = nn.relu(similarity + margin)
    near = _log_sum(-gamma * pull * (similarity - (1 - margin)), alike)  # (batch, references) -> (batch,)
    far = _log_sum(gamma * push * (similarity - margin), apart)
    values = nn.softplus(near + far)
    set_mask(values, jnp.any(alike, -1))
    return values


def _log_sum(values: Array, counts: Array) -> Array:
    """Return the log-sum-exp over the last axis, where `counts` is true."""
    return nn.logsumexp(jnp.where(counts, values, -1e9), -1)


@loss_function()
def ctc(y_true: Any, y_pred: Any) -> Array:
    """Return the connectionist temporal classification loss.

    Args:
        y_true: integer classes from 1 on, padded with 0, ``(batch, labels)``.
        y_pred: logits, ``(batch, time, classes)``; class 0 is the blank.

    Returns:
        The negative log-likelihood of each label sequence, ``(batch,)``.

    Raises:
        ValueError: if an array has another number of axes.

    Graves et al. 2006, Connectionist temporal classification. Follows https://keras.io/api/losses/probabilistic_losses/

    >>> round(float(ctc([[1]], jnp.zeros((1, 2, 2)))[0]), 4)
    0.2877
    """
    y_pred = jnp.asarray(y_pred)
    labels = jnp.asarray(y_true).astype("int32")
    if y_pred.ndim != 3 or labels.ndim != 2:
        raise ValueError(
            f"ctc expects labels of shape (batch, labels) and predictions of shape (batch, time, classes); "
            f"got {labels.shape} and {y_pred.shape}."
        )
    return ctc_loss(labels, y_pred, jnp.sum(labels != 0, -1), jnp.full(labels.shape[:1], y_pred.shape[1]))


class KLDivergence(PlainLoss):
    """`kl_divergence` as a loss, for probabilities ``(batch, classes)``.

    Args:
        reduction, name, dtype: see `Loss`.

    Follows https://keras.io/api/losses/probabilistic_losses/#kldivergence-class

    >>> round(float(KLDivergence()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.6931
    """

    function = staticmethod(kl_divergence)


class Poisson(PlainLoss):
    """`poisson` as a loss, for counts.

    Args:
        reduction, name, dtype: see `Loss`.

    Follows https://keras.io/api/losses/probabilistic_losses/#poisson-class

    >>> round(float(Poisson()([[2.0], [0.0]], [[1.0], [1.0]])), 4)
    1.0
    """

    function = staticmethod(poisson)


class CTC(PlainLoss):
    """`ctc` as a loss: labels ``(batch, labels)``, padded with 0, and logits ``(batch, time, classes)``.

    Args:
        reduction, name, dtype: see `Loss`.

    Graves et al. 2006, Connectionist temporal classification.

    >>> round(float(CTC()([[1]], jnp.zeros((1, 2, 2)))), 4)
    0.2877
    """

    function = staticmethod(ctc)


class CosineSimilarity(LossFunctionWrapper):
    """`cosine_similarity` as a loss; -1 is best.

    Args:
        axis: the axis or axes of the vectors.
        reduction, name, dtype: see `Loss`.

    Follows https://keras.io/api/losses/regression_losses/#cosinesimilarity-class

    >>> print(CosineSimilarity()([[0.0, 1.0], [0.0, 1.0]], [[0.0, 3.0], [2.0, 0.0]]))
    -0.5
    """

    def __init__(
        self,
        axis: Axes = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


class Dice(LossFunctionWrapper):
    """`dice` as a loss, for masks and predicted probabilities of the same shape.

    Args:
        reduction, name, dtype: see `Loss`.
        axis: the axes to sum over; None sums over all.

    Follows https://keras.io/api/losses/

    >>> round(float(Dice()([[1.0, 0.0]], [[1.0, 0.0]])), 3)
    0.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Axes = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(LossFunctionWrapper):
    """`tversky` as a loss, for masks and predicted probabilities of the same shape.

    Args:
        alpha: weight of what is in the target but not in the prediction.
        beta: weight of what is in the prediction but not in the target.
        reduction, name, dtype: see `Loss`.
        axis: the axes to sum over; None sums over all.

    Salehi et al. 2017, https://arxiv.org/abs/1706.05721

    >>> round(float(Tversky(alpha=1.0)([[1.0, 1.0]], [[1.0, 0.0]])), 3)
    0.5
    """

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
    """`circle` as a loss, for integer classes ``(batch,)`` and embeddings of length 1, ``(batch, features)``.

    Args:
        gamma: scale of the similarities.
        margin: relaxation of the decision boundary.
        remove_diagonal: do not compare a row with itself.
        reduction, name, dtype: see `Loss`.

    Sun et al. 2020, https://arxiv.org/abs/2002.10857

    >>> round(float(Circle(gamma=1.0)([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])), 3)
    0.546
    """

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
