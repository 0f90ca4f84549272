"""Attention in several heads, each with its own projections of query, key and value."""

import string
from collections.abc import Sequence
from typing import Any, Unpack

import jax.numpy as jnp
import numpy as np
from jax import Array

from cornu import regularizers
from cornu.core import registry, settings
from cornu.core.layer import Layer
from cornu.core.layer_options import OtherLayerOptions
from cornu.core.ownership import is_library
from cornu.kernels.attention import attend
from cornu.layers.activation import Softmax
from cornu.layers.argument_checks import check_integer, known_size, number_in
from cornu.layers.einsum import EinsumDense
from cornu.layers.regularization import Dropout
from cornu.layers.weight_options import keep_options

MASKS = ("query_mask", "value_mask", "key_mask", "attention_mask")


class _HeadAttention(Layer):
    """What `MultiHeadAttention` and `GroupedQueryAttention` share: masks, and the way from projections to outputs."""

    supports_masking = True
    keeps_rows_apart = True
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    _scale: float
    _projections_penalty: Any
    _query_dense: Any
    _key_dense: Any
    _value_dense: Any
    _gate_dense: Any
    _output_dense: Any
    _axes: tuple[int, ...] = (1,)  # along which queries attend to keys

    def _keep(
        self, dropout: Any, sliding_window: Any, flash_attention: Any, use_gate: bool, use_bias: bool, seed: Any
    ) -> None:
        self._dropout = number_in(self, "dropout", dropout, 0, 1)
        self._sliding_window = None
        if sliding_window is not None:
            self._sliding_window = check_integer(self, "sliding_window", sliding_window)
        self._flash_attention = flash_attention or settings.is_flash_attention_enabled()
        self._use_gate, self._use_bias, self.seed = use_gate, use_bias, seed
        if self._flash_attention and self._dropout:
            raise ValueError(
                f"{type(self).__name__}: flash attention has no dropout. Leave out flash_attention=True, or set "
                "dropout=0."
            )

    def _projection(
        self, name: str, equation: str, sizes: Sequence[int | None], bias: str, activation: Any = None
    ) -> Any:
        options = {
            option: getattr(self, option)
            for option in ("kernel_regularizer", "bias_regularizer", "kernel_constraint", "bias_constraint")
        }
        for option in ("kernel_initializer", "bias_initializer"):  # the same values would come from the same object
            initializer = getattr(self, option)
            has_config = hasattr(initializer, "get_config")
            options[option] = type(initializer).from_config(initializer.get_config()) if has_config else initializer
        return EinsumDense(
            equation,
            tuple(sizes),
            activation=activation,
            bias_axes=bias if self._use_bias else None,
            activity_regularizer=self._projections_penalty,
            dtype=self.dtype_policy,
            name=name,
            **options,
        )

    def _make_inner(self, softmax_axes: Any) -> None:
        self._softmax = Softmax(axis=softmax_axes, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self._dropout, seed=self.seed, dtype=self.dtype_policy)

    def call(
        self,
        query: Array,
        value: Array,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        if self._flash_attention and return_attention_scores:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}): flash attention does not keep the scores. Call it with "
                "return_attention_scores=False, or make it without flash_attention=True."
            )
        key = value if key is None else key
        if query_mask is not None and query_mask.ndim == query.ndim > 2:  # the fourth argument of tf.keras
            query_mask, attention_mask = None, query_mask
        given = query_mask, value_mask, key_mask, attention_mask
        masks = {
            name: None if mask is None else jnp.asarray(mask, bool) for name, mask in zip(MASKS, given, strict=True)
        }
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        plain = q.ndim == 4 and self._axes == (1,) and is_library(type(self)._compute_attention)
        if plain and not return_attention_scores:
            outputs, scores = self._attended(q, k, v, list(masks.values()), training, use_causal_mask), None
        else:
            whole = self._compute_attention_mask(query, value, **masks, use_causal_mask=bool(use_causal_mask))
            k, v = self._for_each_head(k, v)
            more = {"return_attention_scores": True} if return_attention_scores else {}  # tf.keras does not have it
            outputs, scores = self._compute_attention(q, k, v, whole, training, **more)
        if self._use_gate:
            outputs = outputs * self._gate_dense(query)
        outputs = self._output_dense(outputs)
        return (outputs, scores) if return_attention_scores else outputs

    def _for_each_head(self, key: Array, value: Array) -> tuple[Array, Array]:
        return key, value

    def _attended(self, q: Array, k: Array, v: Array, masks: Sequence[Any], training: Any, causal: bool) -> Array:
        """Return the outputs of projections ``(batch, time, heads, size)``, without the weights."""
        query_mask, value_mask, key_mask, pairs = masks
        if key_mask is not None and value_mask is not None:
            key_mask = key_mask & value_mask
        drops = bool(training) and self._dropout > 0
        if pairs is not None:
            pairs = self._broadcast_to_heads(pairs, 4)
        return attend(
            q,
            k,
            v,
            mask=pairs,
            query_mask=query_mask,
            key_mask=value_mask if key_mask is None else key_mask,
            random_key=self._dropout_layer.seed_generator.next() if drops else None,
            scale=self._scale,
            causal=bool(causal),
            window=self._sliding_window,
            dropout=self._dropout if drops else 0.0,
            empty_is_zero=self._dropout > 0,
        )

    def _broadcast_to_heads(self, mask: Array, rank: int) -> Array:
        """Return a mask with axes of size 1 for the heads, and for batch axes that it lacks."""
        behind = 2 * len(self._axes)
        return jnp.expand_dims(mask, tuple(range(mask.ndim - rank - behind, -behind)))

    def _compute_attention_mask(
        self,
        query: Array,
        value: Array,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Return all masks as one, which broadcasts to ``(batch, queries, keys)``, or None."""
        masks = [None if query_mask is None else query_mask[..., None]]
        masks += [None if mask is None else mask[..., None, :] for mask in (value_mask, key_mask)]
        queries, keys = query.shape[1], value.shape[1]
        if use_causal_mask:
            masks.append(jnp.tri(queries, keys, dtype=bool)[None])
        if self._sliding_window is not None:
            distance = jnp.abs(jnp.arange(queries)[:, None] - jnp.arange(keys))
            masks.append((distance < self._sliding_window)[None])
        whole = None
        for mask in masks:
            if mask is not None:
                whole = mask if whole is None else whole & mask
        if attention_mask is None or whole is None:
            return attention_mask if whole is None else whole
        while whole.ndim < attention_mask.ndim:  # attention_mask has an axis for the heads
            whole = jnp.expand_dims(whole, -2 * len(self._axes) - 1)
        return attention_mask & whole

    def _compute_attention(
        self,
        query: Array,
        key: Array,
        value: Array,
        attention_mask: Any = None,
        training: Any = None,
        return_attention_scores: bool = False,
    ) -> tuple[Array, Any]:
        """Return outputs and weights of projections ``(batch, ..., heads, size)``. A subclass may override it."""
        product, combination = _attention_equations(query.ndim, self._axes)
        scores = jnp.einsum(product, key, query * jnp.asarray(self._scale, query.dtype))
        scores = self._masked_softmax(scores, attention_mask)
        dropped = self._dropout_layer(scores, training=training)
        return jnp.einsum(combination, dropped, value), scores

    def _masked_softmax(self, attention_scores: Array, attention_mask: Any = None) -> Array:
        if attention_mask is not None:
            attention_mask = self._broadcast_to_heads(attention_mask, attention_scores.ndim)
        return self._softmax(attention_scores, mask=attention_mask)

    def _check_lengths(self, value_shape: tuple, key_shape: tuple) -> None:
        pairs = zip(value_shape[1:-1], key_shape[1:-1], strict=False)
        if len(value_shape) != len(key_shape) or any(one != other and None not in (one, other) for one, other in pairs):
            raise ValueError(
                f"{type(self).__name__}: value and key must have the same shape but for the last axis; got "
                f"{tuple(value_shape)} and {tuple(key_shape)}."
            )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if config.get("flash_attention") is None:
            config.pop("flash_attention", None)
        return config


@registry.LAYERS.add()
class MultiHeadAttention(_HeadAttention):
    """Project query, key and value for each head, attend, and project the heads' outputs together.

    Args:
        num_heads: Number of heads.
        key_dim: Size of each head for query and key.
        value_dim: Size of each head for value; None takes `key_dim`.
        dropout: Fraction of the weights to drop in training, from 0 to 1.
        use_bias: Whether the projections add biases.
        output_shape: Size (or sizes) of the outputs after batch and time; None takes the last size of the query.
        attention_axes: Axes along which queries attend to keys; None takes all but batch and features.
        sliding_window: A query sees only keys fewer than this many positions away; None sees all.
        flash_attention: Whether to refuse what flash attention cannot do. Memory is saved in any case.
        kernel_*, bias_*: As in `Dense`, for all projections.
        activity_regularizer: Penalty on the outputs of each projection.
        use_gate: Whether to multiply the heads' outputs by a sigmoid of one more projection of the query.
        seed: Integer that makes dropout reproducible.
        **kwargs: Arguments of `Layer`.

    Call arguments:
        query, value, key: Tensors; without a key, the values are the keys too.
        query_mask, value_mask, key_mask: Booleans ``(batch, time)``; by default the masks that came with the tensors.
        attention_mask: Booleans that broadcast to ``(batch, queries, keys)`` or with heads before the queries.
        return_attention_scores: Whether to return the weights too.
        use_causal_mask: Whether a query sees only keys up to its own position.

    Shapes:
        Query ``(batch, queries, size)``, value ``(batch, keys, value_size)``, key ``(batch, keys, key_size)``; outputs
        ``(batch, queries, size)`` or as `output_shape` says, weights ``(batch, num_heads, queries, keys)``.

    Raises:
        ValueError: An argument is out of range, or the tensors do not fit each other.

    Follows https://keras.io/api/layers/attention_layers/multi_head_attention/ and https://arxiv.org/abs/1706.03762

    >>> import numpy as np
    >>> x = np.ones((2, 3, 8))
    >>> MultiHeadAttention(num_heads=2, key_dim=4)(x, x, use_causal_mask=True).shape
    (2, 3, 8)
    """

    keeps_rows_apart = True

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Unpack[OtherLayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads = check_integer(self, "num_heads", num_heads)
        self.key_dim = check_integer(self, "key_dim", key_dim)
        self.value_dim = check_integer(self, "value_dim", value_dim) if value_dim else self.key_dim
        self._keep(dropout, sliding_window, flash_attention, use_gate, use_bias, seed)
        self._output_shape = _sizes(output_shape)
        self._attention_axes = _axes(attention_axes)
        self._scale = self.key_dim**-0.5
        keep_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._projections_penalty = regularizers.get(activity_regularizer)

    def build(self, query_shape: tuple, value_shape: tuple, key_shape: Any = None) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        if min(map(len, (query_shape, value_shape, key_shape))) < 3:
            raise ValueError(
                f"MultiHeadAttention takes tensors of shape (batch, time, size); got query {tuple(query_shape)}, value "
                f"{tuple(value_shape)}, key {tuple(key_shape)}."
            )
        self._check_lengths(value_shape, key_shape)
        rank = len(query_shape)
        axes = self._attention_axes or range(1, rank - 1)
        self._axes = tuple(axis if axis >= 0 else axis + rank for axis in axes)
        if any(not 0 < axis < rank - 1 for axis in self._axes):
            raise ValueError(
                f"MultiHeadAttention: attention_axes={tuple(axes)} must be axes between batch and features of a query "
                f"of shape {tuple(query_shape)}."
            )
        heads = self.num_heads
        self.query_dense = self._projected("query", query_shape, (heads, self.key_dim))
        self.key_dense = self._projected("key", key_shape, (heads, self.key_dim))
        if self._use_gate:
            self._gate_dense = self._projected("gate", query_shape, (heads, self.value_dim), "sigmoid")
        self.value_dense = self._projected("value", value_shape, (heads, self.value_dim))
        count = len(self._axes)
        self._make_inner(tuple(range(-count, 0)))
        sizes = self._output_shape or (known_size(self, query_shape),)
        inputs = (*query_shape[:-1], heads, self.value_dim)
        self.output_dense = self._projected("attention_output", inputs, sizes, bound=2)

    # Files have the projections under their public names, as Keras's do; those of `GroupedQueryAttention` are private.
    @property
    def _query_dense(self) -> EinsumDense:
        return self.query_dense

    @property
    def _key_dense(self) -> EinsumDense:
        return self.key_dense

    @property
    def _value_dense(self) -> EinsumDense:
        return self.value_dense

    @property
    def _output_dense(self) -> EinsumDense:
        return self.output_dense

    def _projected(
        self, name: str, shape: tuple, sizes: tuple[int, ...], activation: Any = None, bound: int = 1
    ) -> EinsumDense:
        """Return the built projection of the last `bound` axes to `sizes`."""
        letters = string.ascii_lowercase
        free = letters[: len(shape) - bound]
        old = letters[len(free) : len(shape)]
        new = letters[len(shape) : len(shape) + len(sizes)]
        open_sizes = (None,) * (len(free) - 1)
        layer = self._projection(name, f"{free}{old},{old}{new}->{free}{new}", (*open_sizes, *sizes), new, activation)
        layer.build(shape)
        return layer


def _attention_equations(rank: int, axes: tuple[int, ...]) -> tuple[str, str]:
    """Return the einsum equations from keys and queries to scores, and from scores and values to outputs.

    >>> _attention_equations(4, (1,))
    ('aecd,abcd->acbe', 'acbe,aecd->abcd')
    """
    queries = string.ascii_lowercase[:rank]
    others = iter(string.ascii_lowercase[rank:])
    keys = "".join(next(others) if axis in axes else letter for axis, letter in enumerate(queries))
    batch = "".join(letter for axis, letter in enumerate(queries[:-1]) if axis not in axes)
    scores = batch + "".join(queries[axis] for axis in axes) + "".join(keys[axis] for axis in axes)
    return f"{keys},{queries}->{scores}", f"{scores},{keys}->{queries}"


def _sizes(output_shape: Any) -> tuple[int, ...] | None:
    if not output_shape:
        return None
    sizes = (output_shape,) if isinstance(output_shape, (int, np.integer)) else output_shape
    if not isinstance(sizes, (list, tuple)) or any(not isinstance(size, (int, np.integer)) for size in sizes):
        raise ValueError(f"MultiHeadAttention: output_shape must be an integer or several; got {output_shape!r}.")
    return tuple(int(size) for size in sizes)


def _axes(attention_axes: Any) -> tuple[int, ...] | None:
    if attention_axes is None:
        return None
    axes = (attention_axes,) if isinstance(attention_axes, (int, np.integer)) else attention_axes
    if not isinstance(axes, (list, tuple)):
        raise ValueError(f"MultiHeadAttention: attention_axes must be an integer or several; got {attention_axes!r}.")
    return tuple(int(axis) for axis in axes)


@registry.LAYERS.add("GroupQueryAttention", "group_query_attention")
class GroupedQueryAttention(_HeadAttention):
    """Multi-head attention in which several query heads share a key head and a value head.

    Args:
        head_dim: Size of each head.
        num_query_heads: Number of query heads.
        num_key_value_heads: Number of key and value heads; it divides `num_query_heads`.
        dropout: Fraction of the weights to drop in training, from 0 to 1.
        use_bias: Whether the projections add biases.
        sliding_window, flash_attention, use_gate, seed: As in `MultiHeadAttention`.
        kernel_*, bias_*: As in `Dense`, for all projections.
        activity_regularizer: Penalty on the outputs, and on those of each projection.
        **kwargs: Arguments of `Layer`.

    Call arguments, shapes:
        As in `MultiHeadAttention`.

    Raises:
        ValueError: An argument is out of range, or the tensors do not fit each other.

    Follows https://keras.io/api/layers/attention_layers/group_query_attention/ and https://arxiv.org/abs/2305.13245

    >>> import numpy as np
    >>> x = np.ones((2, 3, 8))
    >>> GroupedQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2)(x, x).shape
    (2, 3, 8)
    """

    keeps_rows_apart = True
    keras_name = "GroupQueryAttention"

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Unpack[OtherLayerOptions],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.head_dim = check_integer(self, "head_dim", head_dim)
        self.num_query_heads = check_integer(self, "num_query_heads", num_query_heads)
        self.num_key_value_heads = check_integer(self, "num_key_value_heads", num_key_value_heads)
        if num_query_heads % num_key_value_heads:
            raise ValueError(
                "GroupedQueryAttention: num_key_value_heads must divide num_query_heads; got "
                f"{num_key_value_heads} and {num_query_heads}."
            )
        self._keep(dropout, sliding_window, flash_attention, use_gate, use_bias, seed)
        self._scale = self.head_dim**-0.5
        keep_options(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep_options(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._projections_penalty = self.activity_regularizer

    def build(self, query_shape: tuple, value_shape: tuple, key_shape: Any = None) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        if {len(shape) for shape in (query_shape, value_shape, key_shape)} != {3}:
            raise ValueError(
                f"GroupedQueryAttention takes tensors of shape (batch, time, size); got query {tuple(query_shape)}, "
                f"value {tuple(value_shape)}, key {tuple(key_shape)}."
            )
        self._check_lengths(value_shape, key_shape)
        queries, shared, size = self.num_query_heads, self.num_key_value_heads, self.head_dim
        plan: list[tuple] = [("query", query_shape, queries, None), ("key", key_shape, shared, None)]
        plan += [("gate", query_shape, queries, "sigmoid")] if self._use_gate else []
        for name, shape, heads, activation in [*plan, ("value", value_shape, shared, None)]:
            layer = self._projection(name, "btm,mnh->btnh", (None, heads, size), "nh", activation)
            layer.build(shape)
            setattr(self, f"_{name}_dense", layer)
        self._make_inner(-1)
        outputs = (None, known_size(self, query_shape))
        self._output_dense = self._projection("attention_output", "btnh,nhm->btm", outputs, "m")
        self._output_dense.build((*query_shape[:-1], queries, size))

    def _for_each_head(self, key: Array, value: Array) -> tuple[Array, Array]:
        """Return keys and values repeated for each of the heads that share them."""
        times = self.num_query_heads // self.num_key_value_heads
        return jnp.repeat(key, times, axis=2), jnp.repeat(value, times, axis=2)


GroupQueryAttention = GroupedQueryAttention  # the name in Keras's API


__all__ = [
    "GroupQueryAttention",
    "GroupedQueryAttention",
    "MultiHeadAttention",
]
