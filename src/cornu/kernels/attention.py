"""Dot-product attention whose memory does not grow with queries x keys x heads.

A large matrix of scores is computed in blocks of some batch rows and queries, and again in the backward pass. With a
causal mask, later keys are left out. On CPU this is also the fastest form as soon as the scores outgrow the cache.
Milliseconds of a forward and backward pass inside a compiled loop, jaxlib 0.12, two cores with AVX-512, lowest of 7
turns on a busy machine:

| batch, time, heads, size | scores | jax.nn | at once | blocks of 256 kB | 1 MB | 4 MB |
|---|---|---|---|---|---|---|
| 64, 32, 4, 16 | 1 MB | 1.2 | 1.3 | 1.8 | 1.7 | 1.3 |
| 32, 80, 4, 16, causal | 3.3 MB | 3.1 | 2.9 | 4.2 | 3.8 | 3.4 |
| 32, 128, 4, 32 | 8.4 MB | 58 | 86 | 15 | 13 | 12 |
| 32, 128, 4, 32, causal | 8.4 MB | 142 | 143 | 30 | 14 | 95 |
| 8, 256, 4, 32, causal | 8.4 MB | 65 | 82 | 13 | 10 | 22 |
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from cornu.kernels.compiler import as_one_program, takes_cpu_forms, takes_plain_forms
from cornu.kernels.random_bits import keep_numbered, keep_probability

WHOLE_BYTES = 4 << 20
"""Scores of at most this many bytes are computed at once, and kept for the backward pass."""
BLOCK_BYTES = 1 << 20
"""Bytes of the scores in a block on CPU, about half of a core's cache."""
DEVICE_BYTES = 1 << 28
"""Bytes of the scores that are computed at once on other devices: each block starts new programs there."""
STRIPES = 8
"""With a causal mask, the queries are cut into at most this many stripes, each with the keys up to its end."""
STRIPE = 64
"""Fewest queries of a stripe."""
LOWEST = -0.7 * float(np.finfo("float32").max)
"""The score of an excluded key."""


class Rules(NamedTuple):
    """How scores become weights: plain numbers."""

    scale: float
    causal: bool
    window: int | None
    soft_cap: float | None
    dropout: float
    sizes: tuple[int, int, int]  # heads, queries and keys of the whole

    @property
    def excludes(self) -> bool:
        """Whether positions exclude keys."""
        return self.causal or self.window is not None


class Given(NamedTuple):
    """The arrays that belong to scores ``(batch, key heads, group, queries, keys)``: each broadcasts to them."""

    row: Array  # the number of each row of the batch
    position: Array  # the number of each query
    masks: tuple[Array, ...]
    bias: Array | None
    empty: Array | None  # what a query gets that sees no key: (batch, key heads, 1, 1, value size)


@as_one_program("scale", "causal", "window", "soft_cap", "dropout", "empty_is_zero")
def attend(
    query: Array, key: Array, value: Array, bias: Any = None, mask: Any = None, query_mask: Any = None,
    key_mask: Any = None, random_key: Any = None, tanh_weight: Any = None, *, scale: float = 1.0, causal: bool = False,
    window: int | None = None, soft_cap: float | None = None, dropout: float = 0.0, empty_is_zero: bool = False,
) -> Array:  # fmt: skip
    """Return ``softmax(query @ key.T * scale) @ value`` for each head.

    Args:
        query: ``(batch, queries, heads, size)``.
        key: ``(batch, keys, key_heads, size)``; each key head serves ``heads // key_heads`` heads in a row.
        value: ``(batch, keys, key_heads, value_size)``.
        bias: Added to the scores; broadcasts to ``(batch, heads, queries, keys)``.
        mask: Booleans that broadcast as `bias` does; False excludes a key.
        query_mask: Booleans ``(batch, queries)``; False excludes all keys.
        key_mask: Booleans ``(batch, keys)``; False excludes the key for all queries.
        random_key: Random key for `dropout`.
        tanh_weight: ``(size,)``; the scores are then ``tanh(query + key) @ tanh_weight``, times `scale`.
        scale: Factor of the scores.
        causal: Whether a query sees only keys up to its own position.
        window: A query sees only keys fewer than this many positions away.
        soft_cap: Bound of the scores, applied with tanh.
        dropout: Fraction of the weights that are zero; the others are scaled up.
        empty_is_zero: Whether a query that sees no key gets zeros instead of the mean of all values.

    Returns:
        ``(batch, queries, heads, value_size)``.

    >>> x = jnp.ones((1, 3, 2, 4))
    >>> attend(x, x, x, scale=0.5, causal=True).shape
    (1, 3, 2, 4)
    """
    batch, length, heads, size = query.shape
    keys, key_heads = key.shape[1:3]
    rules = Rules(scale, causal, window, soft_cap, dropout, (heads, length, keys))
    # (batch, key heads, group, queries, size), (batch, key heads, keys, size)
    q = jnp.transpose(query.reshape(batch, length, key_heads, heads // key_heads, size), (0, 2, 3, 1, 4))
    k, v = jnp.swapaxes(key, 1, 2), jnp.swapaxes(value, 1, 2)
    masks = [] if mask is None else [_by_group(mask, key_heads)]
    if query_mask is not None:
        masks.append(query_mask[:, None, None, :, None])
    if key_mask is not None:
        masks.append(key_mask[:, None, None, None, :])
    empty = None
    if masks or window is not None:
        empty = jnp.zeros_like(v[:, :, :1]) if empty_is_zero else jnp.mean(v, axis=2, keepdims=True)
        empty = empty[:, :, None]
    given = Given(
        lax.broadcasted_iota(jnp.uint32, (batch, 1, 1, 1, 1), 0),
        lax.broadcasted_iota(jnp.int32, (1, 1, 1, length, 1), 3),
        tuple(masks),
        None if bias is None else _by_group(bias, key_heads),
        empty,
    )
    kept = 4 * heads * keys * (1 if tanh_weight is None else size)  # bytes for each query
    most = WHOLE_BYTES if takes_cpu_forms() else DEVICE_BYTES
    whole = takes_plain_forms() or batch * length * kept <= most
    out = (_block if whole else _striped)(q, k, v, given, (random_key, tanh_weight), rules)
    return jnp.transpose(out, (0, 3, 1, 2, 4)).reshape(batch, length, heads, value.shape[-1]).astype(value.dtype)


def _by_group(array: Array, key_heads: int) -> Array:
    """Return an array that broadcasts to ``(batch, heads, queries, keys)`` with its heads in two axes."""
    array = array.reshape((1,) * (4 - array.ndim) + array.shape)
    batch, heads, queries, keys = array.shape
    split = (1, 1) if heads == 1 else (key_heads, heads // key_heads)
    return array.reshape(batch, *split, queries, keys)


def _block(q: Array, k: Array, v: Array, given: Given, shared: tuple[Any, Any], rules: Rules) -> Array:
    """Return the outputs ``(batch, key heads, group, queries, value size)`` of a block, computed at once."""
    random_key, tanh_weight = shared
    scores = _scores(q, k, tanh_weight) * rules.scale  # (batch, key heads, group, queries, keys)
    if rules.soft_cap is not None:
        scores = rules.soft_cap * jnp.tanh(scores / rules.soft_cap)
    if given.bias is not None:
        scores = scores + given.bias
    masks = list(given.masks)
    if rules.excludes:
        seen = lax.broadcasted_iota(jnp.int32, (1, 1, 1, 1, k.shape[2]), 4)
        if rules.causal:
            masks.append(seen <= given.position)
        if rules.window is not None:
            masks.append(jnp.abs(given.position - seen) < rules.window)
    for mask in masks:
        scores = jnp.where(mask, scores, LOWEST)
    highest = lax.stop_gradient(jnp.max(scores, axis=-1, keepdims=True))
    weights = jnp.exp(scores - highest)
    total = jnp.sum(weights, axis=-1, keepdims=True)
    if rules.dropout:
        weights = _dropped(weights, given, random_key, rules)
    out = lax.dot_general(
        weights.astype(v.dtype), v, (((4,), (2,)), ((0, 1), (0, 1))), preferred_element_type=jnp.float32
    )
    out = (out / total).astype(v.dtype)
    return out if given.empty is None else jnp.where(highest > LOWEST, out, given.empty)


def _scores(q: Array, k: Array, tanh_weight: Array | None) -> Array:
    if tanh_weight is None:
        return lax.dot_general(q, k, (((4,), (3,)), ((0, 1), (0, 1))), preferred_element_type=jnp.float32)
    both = jnp.tanh(q[..., None, :] + k[:, :, None, None])  # (batch, key heads, group, queries, keys, size)
    return jnp.sum(both * tanh_weight, axis=-1, dtype=jnp.float32)


def _dropped(weights: Array, given: Given, random_key: Any, rules: Rules) -> Array:
    """Set random weights to zero: which ones depends on their place in the whole, not on the blocks."""
    if rules.dropout >= 1:
        return jnp.zeros_like(weights)
    heads, length, keys = (jnp.uint32(size) for size in rules.sizes)
    _, key_heads, group, _, seen = weights.shape
    head = lax.broadcasted_iota(jnp.uint32, (key_heads, group, 1, 1), 0) * jnp.uint32(group)
    head = head + lax.broadcasted_iota(jnp.uint32, (key_heads, group, 1, 1), 1)
    line = (given.row * heads + head) * length + given.position.astype(jnp.uint32)
    numbers = line * keys + lax.broadcasted_iota(jnp.uint32, (seen,), 0)
    keep = keep_numbered(random_key, rules.dropout, numbers)
    return jnp.where(keep, weights * (1.0 / keep_probability(rules.dropout)), 0.0)


def _striped(q: Array, k: Array, v: Array, given: Given, shared: Any, rules: Rules) -> Array:
    """Return the outputs, computed in blocks; with a causal mask, in stripes that end with the keys they see."""
    if not rules.causal:
        return _blocks(q, k, v, given, shared, rules)
    length, keys = q.shape[3], k.shape[2]
    width = max(STRIPE, -(-length // STRIPES))
    outs = []
    for start in range(0, length, width):
        stop, seen = min(start + width, length), min(start + width, keys)
        rows = jax.tree.map(lambda array: _part(array, 3, start, stop), given._replace(empty=None))  # noqa: B023
        rows = jax.tree.map(lambda array: _part(array, 4, 0, seen), rows)._replace(empty=given.empty)  # noqa: B023
        outs.append(_blocks(q[:, :, :, start:stop], k[:, :, :seen], v[:, :, :seen], rows, shared, rules))
    return jnp.concatenate(outs, axis=3)


def _blocks(q: Array, k: Array, v: Array, given: Given, shared: Any, rules: Rules) -> Array:
    """Return the outputs of a few batch rows at a time, or of a few queries of one row."""
    _, key_heads, group, length, _ = q.shape
    per_query = 4 * key_heads * group * k.shape[2] * (1 if shared[1] is None else q.shape[4])
    most = BLOCK_BYTES if takes_cpu_forms() else DEVICE_BYTES
    rows = max(1, most // (per_query * length))
    queries = max(16, most // per_query)
    block = jax.checkpoint(partial(_block, rules=rules), prevent_cse=False)

    def some_rows(parts: tuple) -> Array:
        q, k, v, given = parts
        return _in_parts(lambda pair: block(pair[0], k, v, pair[1], shared), (q, given), 3, queries)

    return _in_parts(some_rows, (q, k, v, given), 0, rows)


def _in_parts(function: Callable[[Any], Array], arrays: Any, axis: int, size: int) -> Array:
    """Apply a function to parts of arrays along an axis, in a loop, and join the results.

    Args:
        function: Takes arrays like `arrays`, returns one array.
        arrays: Arrays in any nesting. Those of size 1 along `axis` broadcast: they are not cut.
        axis: The axis.
        size: Size of the parts; the last one may be smaller.
    """
    leaves, nesting = jax.tree.flatten(arrays)
    length = max(leaf.shape[axis] for leaf in leaves)
    count = length // size
    if length <= size:
        return function(arrays)
    is_cut = [leaf.shape[axis] > 1 for leaf in leaves]

    def joined(parts: list[Array]) -> Array:
        given = iter(parts)
        return function(
            jax.tree.unflatten(
                nesting, [next(given) if cut else leaf for cut, leaf in zip(is_cut, leaves, strict=True)]
            )
        )

    cut = [leaf for leaf, cuts in zip(leaves, is_cut, strict=True) if cuts]
    stacked = [_stacked(_part(leaf, axis, 0, count * size), axis, count) for leaf in cut]
    out = lax.map(joined, stacked)  # (count, ..., size, ...)
    out = jnp.moveaxis(out, 0, axis).reshape(*out.shape[1 : axis + 1], count * size, *out.shape[axis + 2 :])
    if count * size == length:
        return out
    rest = joined([_part(leaf, axis, count * size, length) for leaf in cut])
    return jnp.concatenate([out, rest], axis=axis)


def _part(array: Array, axis: int, start: int, stop: int) -> Array:
    """Return a part of an axis, unless its size is 1: then it broadcasts."""
    return array if array.shape[axis] == 1 else lax.slice_in_dim(array, start, stop, axis=axis)


def _stacked(array: Array, axis: int, count: int) -> Array:
    """Return an array cut into equal parts along an axis: ``(count, ..., size, ...)``."""
    shape = array.shape
    return jnp.moveaxis(array.reshape(*shape[:axis], count, shape[axis] // count, *shape[axis + 1 :]), axis, 0)
