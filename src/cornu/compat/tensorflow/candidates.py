"""Losses over many classes that compare each row with a few sampled ones, and the samplers of these classes.

Follows Jean et al. 2014, https://arxiv.org/abs/1412.2007, Gutmann and Hyvärinen 2010,
https://proceedings.mlr.press/v9/gutmann10a.html, and https://www.tensorflow.org/api_docs/python/tf/nn/nce_loss
"""

import csv
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import tensor_function
from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.files import path_of
from cornu.compat.tensorflow.training import sigmoid_cross_entropy_with_logits, softmax_cross_entropy_with_logits
from cornu.core.randomness import random_key


class Candidates(NamedTuple):
    """Sampled classes, and how often each true class and each of them is expected in such a sample."""

    sampled_candidates: jax.Array  # (num_sampled,)
    true_expected_count: jax.Array  # (batch, num_true)
    sampled_expected_count: jax.Array  # (num_sampled,)


# ---- samplers


class Uniform(NamedTuple):
    """All classes below `size` alike."""

    size: Any

    def draw(self, key: jax.Array, count: int) -> jax.Array:
        """Return classes."""
        return jax.random.randint(key, (count,), 0, self.size)

    def chance(self, classes: jax.Array) -> jax.Array:
        """Return the probability of each class."""
        return jnp.full(classes.shape, 1 / self.size, "float32")


class LogUniform(Uniform):
    """Classes below `size` with the probability ``log((class + 2) / (class + 1)) / log(size + 1)``."""

    def draw(self, key: jax.Array, count: int) -> jax.Array:
        """Return classes."""
        drawn = jnp.exp(jax.random.uniform(key, (count,)) * jnp.log1p(self.size)).astype("int32") - 1
        return jnp.clip(drawn, 0, self.size - 1)

    def chance(self, classes: jax.Array) -> jax.Array:
        """Return the probability of each class."""
        return jnp.log1p(1 / (classes + 1)) / jnp.log1p(self.size)


class Unigram(NamedTuple):
    """Classes with given probabilities."""

    chances: Any

    def draw(self, key: jax.Array, count: int) -> jax.Array:
        """Return classes."""
        return jax.random.choice(key, len(self.chances), (count,), p=self.chances)

    def chance(self, classes: jax.Array) -> jax.Array:
        """Return the probability of each class."""
        return jnp.asarray(self.chances)[classes]


class Search(NamedTuple):
    """Different classes so far, in the order in which they were met."""

    found: jax.Array  # (wanted,)
    number: jax.Array
    tries: jax.Array
    key: jax.Array


def _different(classes: Any, key: jax.Array, count: int) -> Search:
    """Draw until there are `count` different classes."""
    size = 2 * count + 32  # draws of each turn

    def turn(search: Search) -> Search:
        key, now = jax.random.split(search.key)
        every = jnp.concatenate([search.found, classes.draw(now, size)])
        order = jnp.argsort(every, stable=True)
        is_first = jnp.pad(jnp.diff(every[order]) != 0, (1, 0), constant_values=True)
        is_new = jnp.zeros(len(every), bool).at[order].set(is_first) & (every >= 0)
        rank = jnp.cumsum(is_new)
        places = jnp.where(is_new & (rank <= count), rank - 1, count)
        found = search.found.at[places].set(every, mode="drop")
        used = jnp.where(rank[-1] >= count, jnp.argmax(rank >= count) - count + 1, size)
        return Search(found, jnp.minimum(rank[-1], count), search.tries + used, key)

    start = Search(jnp.full(count, -1), jnp.int32(0), jnp.int32(0), key)
    return jax.lax.while_loop(lambda search: search.number < count, turn, start)


@functools.partial(jax.jit, static_argnums=(2, 3))
def _candidates(classes: Any, key: jax.Array, count: int, unique: bool, true_classes: jax.Array) -> Candidates:
    sampled, _, tries, _ = _different(classes, key, count) if unique else (classes.draw(key, count), 0, count, 0)

    def expected(some: jax.Array) -> jax.Array:
        chance = classes.chance(some)
        return jnp.where(tries == count, chance * count, -jnp.expm1(tries * jnp.log1p(-chance)))

    return Candidates(sampled, expected(true_classes), expected(sampled))


def _checked(true_classes: Any, num_true: Any, num_sampled: Any, unique: Any, range_max: int) -> tuple[jax.Array, int]:
    """Return the true classes as ``(batch, num_true)`` and the number of samples. ValueError if there are too few."""
    classes, count = jnp.asarray(true_classes), int(num_sampled)
    if classes.ndim != 2 or classes.shape[1] != int(num_true):
        raise ValueError(f"The true classes must have the shape (batch, num_true={num_true}); got {classes.shape}.")
    if unique and count > range_max:
        raise ValueError(f"There are no {count} different classes to sample of {range_max}: lower num_sampled.")
    return classes, count


def _sampler(kind: Any, what: str) -> Any:
    @tensor_function
    def sampler(
        true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None,
        name: Any = None,
    ) -> Candidates:  # fmt: skip
        size = int(on_host(range_max))
        classes, count = _checked(true_classes, num_true, num_sampled, unique, size)
        return _candidates(kind(size), random_key(seed, True), count, bool(unique), classes)

    sampler.__doc__ = f"""Return classes below `range_max`, sampled {what}.

    Args:
        true_classes: ``(batch, num_true)``.
        num_true: Classes of each row.
        num_sampled: How many to draw.
        unique: Whether all are different.
        range_max: The number of classes.
        seed: Repeats the draws.
        name: No effect.

    Raises:
        ValueError: The classes have another shape, or there are not as many different ones.
    """
    return sampler


uniform_candidate_sampler = _sampler(Uniform, "uniformly")
log_uniform_candidate_sampler = _sampler(
    LogUniform, "with a probability that falls as 1 / (class + 1): for classes in the order of their frequency"
)


@tensor_function
def fixed_unigram_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, vocab_file: Any = "",
    distortion: float = 1.0, num_reserved_ids: int = 0, num_shards: int = 1, shard: int = 0, unigrams: Any = (),
    seed: Any = None, name: Any = None,
) -> Candidates:  # fmt: skip
    """Return classes sampled in proportion to given numbers to the power of `distortion`.

    The numbers are `unigrams`, or the last columns of the CSV file `vocab_file`; the first `num_reserved_ids` classes
    are never sampled. ValueError if there are not `range_max` numbers.
    """
    weights = list(unigrams) or _counts_in(path_of(vocab_file))
    chances = np.array([*[0] * int(num_reserved_ids), *np.asarray(weights, "float64") ** distortion])
    if len(chances) != int(range_max) or num_shards != 1:
        raise ValueError(f"There must be range_max={range_max} classes in one shard; got {len(chances)} classes.")
    classes, count = _checked(true_classes, num_true, num_sampled, unique, int(np.count_nonzero(chances)))
    kind = Unigram(jnp.asarray(chances / chances.sum(), "float32"))
    return _candidates(kind, random_key(seed, True), count, bool(unique), classes)


def _counts_in(path: str) -> list[float]:
    with open(path, encoding="utf-8", newline="") as file:
        return [float(row[-1]) for row in csv.reader(file) if row]


@tensor_function
def all_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, seed: Any = None, name: Any = None
) -> Candidates:
    """Return all classes, for tests of losses that sample."""
    classes, count = _checked(true_classes, num_true, num_sampled, False, 0)
    return Candidates(jnp.arange(count), jnp.ones(classes.shape), jnp.ones(count))


def compute_accidental_hits(
    true_classes: Any, sampled_candidates: Any, num_true: int, seed: Any = None, name: Any = None
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return the row and the number of each sampled class that is a true one of the row, and minus infinity for it."""
    is_hit = on_host(true_classes)[:, :, None] == on_host(sampled_candidates)  # (batch, num_true, num_sampled)
    rows, _, numbers = np.nonzero(is_hit)
    return jnp.asarray(rows), jnp.asarray(numbers), jnp.full(len(rows), -np.finfo("float32").max)


# ---- losses


def _table(shards: Any, dtype: Any) -> jax.Array:
    shards = list(shards) if isinstance(shards, (list, tuple)) else [shards]
    tables = [jnp.asarray(shard) for shard in shards]
    return (tables[0] if len(tables) == 1 else jnp.concatenate(tables)).astype(dtype)


def _sampled_logits(
    weights: Any, biases: Any, labels: Any, inputs: Any, candidates: Candidates, removes_hits: bool
) -> tuple[jax.Array, jax.Array]:
    """Return logits of true and sampled classes, ``(batch, num_true + num_sampled)``, and their labels."""
    inputs = jnp.asarray(inputs)
    weights, biases = _table(weights, inputs.dtype), _table(biases, inputs.dtype)
    sampled, for_true, for_sampled = jax.lax.stop_gradient(candidates)
    true = jnp.einsum("bd,btd->bt", inputs, weights[labels]) + biases[labels]
    others = inputs @ weights[sampled].T + biases[sampled]
    if removes_hits:
        hits = jnp.sum(labels[:, :, None] == sampled, 1)  # (batch, num_sampled)
        others = jnp.where(hits > 0, jnp.finfo(inputs.dtype).min, others)
    logits = jnp.concatenate([true - jnp.log(for_true), others - jnp.log(for_sampled)], 1)
    is_true = jnp.arange(logits.shape[1]) < labels.shape[1]
    return logits, jnp.broadcast_to(is_true / labels.shape[1], logits.shape).astype(inputs.dtype)


def _sampled_loss(loss: Any, removes: bool, what: str) -> Any:
    @tensor_function
    def call(
        weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int = 1,
        sampled_values: Any = None, remove_accidental_hits: bool = removes, seed: Any = None, name: Any = None,
        partition_strategy: str = "div",
    ) -> jax.Array:  # fmt: skip
        labels = jnp.asarray(labels).astype("int32")
        if sampled_values is None:
            sampled_values = log_uniform_candidate_sampler(labels, num_true, num_sampled, True, num_classes, seed)
        candidates = Candidates(*(jnp.asarray(one) for one in sampled_values))
        return loss(*_sampled_logits(weights, biases, labels, inputs, candidates, bool(remove_accidental_hits)))

    call.__doc__ = f"""Return {what}.

    Args:
        weights: ``(num_classes, features)``, or parts of it in a list.
        biases: ``(num_classes,)``, or parts of it.
        labels: True classes, ``(batch, num_true)``.
        inputs: ``(batch, features)``.
        num_sampled: How many classes are sampled for the whole batch.
        num_classes: All classes.
        num_true: True classes of each row.
        sampled_values: What a sampler returned; None: `log_uniform_candidate_sampler`.
        remove_accidental_hits: Whether sampled classes do not count in rows of which they are true ones.
        seed: Repeats the draws.
        name: No effect.

    Returns:
        An array ``(batch,)``.
    """
    return call


nce_loss = _sampled_loss(
    lambda logits, labels: jnp.sum(sigmoid_cross_entropy_with_logits(labels, logits), 1),
    False,
    "the noise-contrastive loss of each row: true and sampled classes as yes-or-no questions",
)
sampled_softmax_loss = _sampled_loss(
    lambda logits, labels: softmax_cross_entropy_with_logits(labels, logits),
    True,
    "the crossentropy of each row among its true and the sampled classes",
)
