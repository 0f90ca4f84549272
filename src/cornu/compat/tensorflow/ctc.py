"""Decoding of what a network trained by CTC says: ``tf.nn.ctc_greedy_decoder`` and its neighbors.

Follows Graves et al. 2006, https://www.cs.toronto.edu/~graves/icml_2006.pdf
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu import ops
from cornu.compat.backend.calls import tensor_function
from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.sparse import SparseTensor
from cornu.ops.ctc_beams import differ_from_the_last, only


def _rows(labels: np.ndarray) -> SparseTensor:
    """Return labels, with -1 behind those of each row, as a sparse tensor."""
    places = np.argwhere(labels >= 0)
    return SparseTensor(places, labels[tuple(places.T)], (len(labels), int(np.max(np.sum(labels >= 0, 1), initial=0))))


def ctc_greedy_decoder(
    inputs: Any, sequence_length: Any, merge_repeated: bool = True, blank_index: int | None = None
) -> tuple[list[SparseTensor], jax.Array]:
    """Return the best class of each step without blanks, and the negative sum of the best logits.

    Args:
        inputs: Logits ``(time, batch, classes)``.
        sequence_length: Steps of each sequence, ``(batch,)``.
        merge_repeated: Whether repeated labels without a blank between them are one.
        blank_index: Class of the blank, by default the last.

    Returns:
        A list of one sparse tensor ``(batch, labels)``, and ``(batch, 1)``.
    """
    logits = jnp.swapaxes(jnp.asarray(inputs), 0, 1)
    blank = -1 if blank_index is None else int(blank_index)
    labels, scores = ops.ctc_decode(
        logits, sequence_length, "greedy", merge_repeated=bool(merge_repeated), mask_index=blank
    )
    return [_rows(on_host(labels[0]))], scores


def ctc_beam_search_decoder(
    inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1, merge_repeated: bool = False
) -> tuple[list[SparseTensor], jax.Array]:
    """Return the most probable label sequences; the last class is the blank.

    Args:
        inputs: Logits ``(time, batch, classes)``.
        sequence_length: Steps of each sequence, ``(batch,)``.
        beam_width: How many sequences are kept after each step.
        top_paths: How many are returned.
        merge_repeated: Whether equal labels that follow each other are written once: an option of TensorFlow 1.

    Returns:
        A list of sparse tensors ``(batch, labels)``, one for each path, and log-probabilities ``(batch, top_paths)``.
    """
    logits = jnp.swapaxes(jnp.asarray(inputs), 0, 1)
    labels, scores = ops.ctc_decode(
        logits, sequence_length, "beam_search", int(beam_width), int(top_paths), mask_index=None
    )
    labels = only(labels, differ_from_the_last(labels)) if merge_repeated else labels
    return [_rows(one) for one in on_host(labels)], scores


@tensor_function
def collapse_repeated(labels: Any, seq_length: Any, name: Any = None) -> tuple[jax.Array, jax.Array]:
    """Return labels ``(batch, time)`` without repeated ones, zeros behind them, and how many each row has."""
    labels = jnp.asarray(labels)
    steps = jnp.arange(labels.shape[1]) < jnp.asarray(seq_length)[:, None]
    is_new = jnp.pad(labels[:, 1:] != labels[:, :-1], ((0, 0), (1, 0)), constant_values=True) & steps
    lengths = jnp.sum(is_new, 1)
    order = jnp.argsort(~is_new, axis=1, stable=True)
    rows = jnp.take_along_axis(jnp.where(is_new, labels, 0), order, 1)
    return rows[:, : int(on_host(jnp.max(lengths)))], lengths
