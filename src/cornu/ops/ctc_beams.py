"""Beam search over what a network trained by CTC says: the most probable label sequences.

Follows Graves, "Supervised Sequence Labelling with Recurrent Neural Networks", 2012, section 7.5.3.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

_NONE = -1  # fills label sequences up


def only(labels: jax.Array, kept: jax.Array) -> jax.Array:
    """Return the labels of each row that are kept, filled up at the end with -1."""
    order = jnp.argsort(~kept, axis=-1, stable=True)
    return jnp.take_along_axis(jnp.where(kept, labels, _NONE), order, -1)


def differ_from_the_last(labels: jax.Array) -> jax.Array:
    """Return which labels of each row are not the one before."""
    before = jnp.concatenate([jnp.full_like(labels[..., :1], _NONE), labels[..., :-1]], -1)
    return labels != before


class _Beams(NamedTuple):
    """The sequences that are kept, with the log-probabilities of all alignments that give them so far."""

    labels: jax.Array  # (beams, time)
    length: jax.Array  # (beams,)
    blank: jax.Array  # (beams,): of alignments that end in a blank
    label: jax.Array  # (beams,): of alignments that end in the last label

    @property
    def total(self) -> jax.Array:
        return jnp.logaddexp(self.blank, self.label)


def _start(beams: int, steps: int, dtype: Any) -> _Beams:
    """Return the empty sequence, which is certain, and places for others."""
    impossible = jnp.full(beams, -jnp.inf, dtype)
    labels, length = jnp.full((beams, steps), _NONE, "int32"), jnp.zeros(beams, "int32")
    return _Beams(labels, length, impossible.at[0].set(0), impossible)


def _extended(beams: _Beams, scores: jax.Array, blank_class: int) -> _Beams:
    """Return the best sequences after one more step, with the log-probabilities `scores` of the classes."""
    count, classes = len(beams.length), len(scores)
    at = jnp.arange(count)
    last = jnp.where(beams.length > 0, beams.labels[at, beams.length - 1], _NONE)
    # A label repeats the last one only after a blank.
    before = jnp.where(jnp.arange(classes) == last[:, None], beams.blank[:, None], beams.total[:, None])
    longer = (before + scores).at[:, blank_class].set(-jnp.inf)  # (beams, classes)
    # A sequence that is another one plus a label takes over what that one would give it.
    shorter = beams.labels.at[at, beams.length - 1].set(_NONE)
    is_other_longer = (shorter[:, None] == beams.labels[None]).all(-1)  # (beams, beams)
    is_other_longer &= ((beams.length > 0) & (beams.total > -jnp.inf))[:, None]
    given = jnp.where(is_other_longer, longer[:, last].T, -jnp.inf)
    blank = beams.total + scores[blank_class]
    label = jnp.where(beams.length > 0, beams.label + scores[last], -jnp.inf)
    label = jnp.logaddexp(label, jax.nn.logsumexp(given, axis=1))
    is_taken = jnp.zeros_like(longer, bool).at[:, last].max(is_other_longer.T)
    longer = jnp.where(is_taken, -jnp.inf, longer)
    _, best = lax.top_k(jnp.concatenate([jnp.logaddexp(blank, label), longer.ravel()]), count)
    grows = best >= count
    origin, added = jnp.where(grows, (best - count) // classes, best), (best - count) % classes
    length, labels = beams.length[origin], beams.labels[origin]
    return _Beams(
        labels.at[at, length].set(jnp.where(grows, added, labels[at, length])),
        length + grows,
        jnp.where(grows, -jnp.inf, blank[origin]),
        jnp.where(grows, longer.ravel()[jnp.where(grows, best - count, 0)], label[origin]),
    )


def best_paths(
    logits: jax.Array, sequence_lengths: Any, beam_width: int, top_paths: int, blank_class: int
) -> tuple[jax.Array, jax.Array]:
    """Return the most probable label sequences and their log-probabilities.

    Args:
        logits: ``(batch, time, classes)``, before softmax.
        sequence_lengths: Number of time steps of each sequence, ``(batch,)``.
        beam_width: How many sequences are kept after each step.
        top_paths: How many are returned.
        blank_class: Class of the blank, from 0.

    Returns:
        Labels ``(top_paths, batch, time)``, filled up with -1, and log-probabilities ``(batch, top_paths)``.
    """
    scores = jax.nn.log_softmax(logits)

    def decoded(scores: jax.Array, steps: jax.Array) -> tuple[jax.Array, jax.Array]:
        def step(beams: _Beams, given: tuple[jax.Array, jax.Array]) -> tuple[_Beams, None]:
            number, one = given
            after = _extended(beams, one, blank_class)
            return jax.tree.map(lambda new, old: jnp.where(number < steps, new, old), after, beams), None

        start = _start(beam_width, len(scores), scores.dtype)
        beams, _ = lax.scan(step, start, (jnp.arange(len(scores)), scores))
        found, best = lax.top_k(beams.total, top_paths)
        return beams.labels[best], found

    labels, found = jax.vmap(decoded)(scores, jnp.reshape(sequence_lengths, -1))
    return jnp.swapaxes(labels, 0, 1), found
