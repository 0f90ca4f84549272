"""Attention over whole tensors: dot products or a sum of tanh, without projections."""

import math
from collections.abc import Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp
from jax import Array

from cornu.core import registry
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.core.ownership import is_library
from cornu.core.variable import Seed
from cornu.kernels.attention import attend
from cornu.kernels.random_bits import dropout as drop
from cornu.layers.argument_checks import known_size, number_in

SCORE_MODES = ("dot", "concat")


@registry.LAYERS.add()
class Attention(Layer):
    """Average values with weights from queries and keys: ``softmax(query @ key.T) @ value`` (Luong's attention).

    Args:
        use_scale: Whether to multiply the scores by a trained number, 1 at first.
        score_mode: ``"dot"``, or ``"concat"`` for the sum of ``tanh(query + key)``.
        dropout: Fraction of the weights to drop in training, from 0 to 1.
        seed: Integer that makes dropout reproducible.
        causal: Whether all calls have ``use_causal_mask=True`` (an argument of tf.keras up to 2.9).
        **kwargs: Arguments of `Layer`.

    Call arguments:
        inputs: ``[query, value]`` or ``[query, value, key]``; without a key, the values are the keys too.
        mask: ``[query_mask, value_mask]``: outputs are 0 where the first is False, and values are left out where the
            second is False. By default the masks that came with the inputs.
        return_attention_scores: Whether to return the weights too.
        use_causal_mask: Whether a query sees only values up to its own position.

    Shapes:
        Query ``(batch, queries, size)``, value ``(batch, keys, value_size)``, key ``(batch, keys, size)``; outputs
        ``(batch, queries, value_size)``, weights ``(batch, queries, keys)``.

    Raises:
        ValueError: Wrong number or shape of inputs, or an unknown `score_mode`.

    Follows https://keras.io/api/layers/attention_layers/attention/ and https://arxiv.org/abs/1508.04025

    >>> import numpy as np
    >>> Attention()([np.ones((2, 3, 4)), np.ones((2, 5, 4))]).shape
    (2, 3, 4)
    """

    keeps_rows_apart = True

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        causal: bool = False,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        if score_mode not in SCORE_MODES:
            raise ValueError(f"{type(self).__name__}: score_mode must be 'dot' or 'concat'; got {score_mode!r}.")
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = number_in(self, "dropout", dropout, 0, 1)
        self.seed = seed
        self.causal = causal
        if self.dropout:
            self.seed_generator = Seed(seed)

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones") if self.use_scale else None
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(name="concat_score_weight", shape=(), initializer="ones")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.causal:  # in the call, so that files say it as Keras 3 does
            kwargs.setdefault("use_causal_mask", True)
        return super().__call__(*args, **kwargs)

    def call(
        self,
        inputs: Sequence[Array],
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        self._check([tuple(each.shape) for each in inputs])
        query, value, key = inputs[0], inputs[1], inputs[-1] if len(inputs) > 2 else inputs[1]
        query_mask, value_mask = self._masks(mask)
        if return_attention_scores or not is_library(type(self)._calculate_scores):
            outputs, scores = self._with_scores(query, value, key, value_mask, training, use_causal_mask)
        else:
            outputs, scores = self._attended(query, value, key, value_mask, training, use_causal_mask), None
        if query_mask is not None:
            outputs = jnp.where(query_mask[..., None], outputs, jnp.zeros((), outputs.dtype))
        return (outputs, scores) if return_attention_scores else outputs

    def _masks(self, mask: Any) -> tuple[Any, Any]:
        if mask is None:
            return None, None
        if not isinstance(mask, (list, tuple)) or len(mask) not in (2, 3):
            raise ValueError(
                f"{type(self).__name__} takes a list of masks, [query_mask, value_mask]; got "
                f"{f'{len(mask)} masks' if isinstance(mask, (list, tuple)) else type(mask).__name__}."
            )
        return tuple(None if one is None else jnp.asarray(one, bool) for one in mask[:2])  # type: ignore[return-value]

    def _attended(self, query: Array, value: Array, key: Array, mask: Any, training: Any, causal: bool) -> Array:
        """Return the outputs without the weights, which then need no memory."""
        query, key, weight = self._scaled(query, key)
        batch = jnp.broadcast_shapes(query.shape[:-2], value.shape[:-2])

        def one_head(array: Array) -> Array:  # (batch, time, 1, size)
            array = jnp.broadcast_to(array, (*batch, *array.shape[-2:]))
            return array.reshape(math.prod(batch), array.shape[-2], 1, array.shape[-1])

        pairs = keys = None
        if mask is not None and mask.ndim == len(batch) + 1:
            keys = mask.reshape(math.prod(batch), mask.shape[-1])
        elif mask is not None:
            pairs = jnp.broadcast_to(mask, (*batch, *mask.shape[-2:])).reshape(-1, 1, *mask.shape[-2:])
        drops = training and self.dropout > 0
        outputs = attend(
            one_head(query),
            one_head(key),
            one_head(value),
            mask=pairs,
            key_mask=keys,
            random_key=self.seed_generator.next() if drops else None,
            tanh_weight=weight,
            causal=bool(causal),
            dropout=self.dropout if drops else 0.0,
        )
        return outputs.reshape(*batch, query.shape[-2], value.shape[-1])

    def _scaled(self, query: Array, key: Array) -> tuple[Array, Array, Any]:
        """Return queries and keys with the scale, and the weight of each tanh or None for dot products."""
        scale = None if self.scale is None else jnp.asarray(self.scale)
        if self.score_mode == "dot":
            return query if scale is None else query * scale, key, None
        if scale is not None:
            query, key = query * scale, key * scale
        return query, key, jnp.broadcast_to(jnp.asarray(self.concat_score_weight), query.shape[-1:])

    def _calculate_scores(self, query: Array, key: Array) -> Array:
        """Return the scores ``(batch, queries, keys)`` before the softmax. A subclass may override it."""
        query, key, weight = self._scaled(query, key)
        if weight is None:
            return query @ jnp.swapaxes(key, -1, -2)
        return jnp.sum(jnp.tanh(query[..., :, None, :] + key[..., None, :, :]) * weight, axis=-1)

    def _with_scores(
        self, query: Array, value: Array, key: Array, mask: Any, training: Any, causal: bool
    ) -> tuple[Array, Array]:
        """Return the outputs and the weights."""
        scores = self._calculate_scores(query, key)
        masks = [] if mask is None else [mask if mask.ndim == scores.ndim else mask[..., None, :]]
        if causal:
            masks.append(jnp.tri(scores.shape[-2], scores.shape[-1], dtype=bool))
        much = 65504.0 if scores.dtype == jnp.float16 else 1e9
        for one in masks:
            scores = jnp.where(one, scores, scores - jnp.asarray(much, scores.dtype))
        weights = jax.nn.softmax(scores, axis=-1)
        if training and self.dropout > 0:
            weights = drop(weights, self.seed_generator.next(), self.dropout)
        return weights @ value, weights

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the query."""
        return None if mask is None else self._masks(mask)[0]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if not self.causal or self._inbound_nodes:  # the calls say it
            config.pop("causal", None)
        return config

    def _check(self, shapes: Any) -> None:
        """Raise ValueError if these are not the shapes of ``[query, value]`` or ``[query, value, key]``."""
        name = type(self).__name__
        several = isinstance(shapes, (list, tuple)) and all(isinstance(shape, (list, tuple)) for shape in shapes)
        if not several or len(shapes) not in (2, 3):
            given = f"{len(shapes)} inputs" if several else "one tensor"
            raise ValueError(f"{name} takes a list of inputs, [query, value] or [query, value, key]; got {given}.")
        query, value, key = (tuple(shape) for shape in (shapes[0], shapes[1], shapes[-1]))
        if min(map(len, (query, value, key))) < 2:
            raise ValueError(f"{name} takes tensors of shape (batch, time, size); got {query}, {value} and {key}.")
        for what, one, other in (
            ("sizes of query and key", query[-1], key[-1]),
            ("lengths of value and key", value[-2], key[-2]),
        ):
            if one != other and None not in (one, other):
                raise ValueError(
                    f"{name}: the {what} must be equal; got {one} and {other}, in inputs of shapes "
                    f"{', '.join(str(tuple(shape)) for shape in shapes)}."
                )


@registry.LAYERS.add()
class AdditiveAttention(Attention):
    """Average values with weights from the sum of ``scale * tanh(query + key)`` (Bahdanau's attention).

    Args:
        use_scale: Whether each feature has a trained factor.
        dropout: Fraction of the weights to drop in training, from 0 to 1.
        **kwargs: `seed` and `causal` as in `Attention`, and arguments of `Layer`.

    Call arguments, shapes and errors:
        As in `Attention`.

    Follows https://keras.io/api/layers/attention_layers/additive_attention/ and https://arxiv.org/abs/1409.0473

    >>> import numpy as np
    >>> AdditiveAttention()([np.ones((2, 3, 4)), np.ones((2, 5, 4))]).shape
    (2, 3, 4)
    """

    keeps_rows_apart = True

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        size = known_size(self, input_shape[0])
        self.scale = (
            self.add_weight(name="scale", shape=(size,), initializer="glorot_uniform") if self.use_scale else None
        )

    def _scaled(self, query: Array, key: Array) -> tuple[Array, Array, Any]:
        ones = jnp.ones(query.shape[-1:], query.dtype)
        return query, key, ones if self.scale is None else jnp.asarray(self.scale)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "score_mode"}


__all__ = [
    "AdditiveAttention",
    "Attention",
]
