"""The module ``tf.sets``, where the last axis of a tensor is a set, and ``tf.edit_distance`` of sequences.

Follows https://www.tensorflow.org/api_docs/python/tf/sets
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.sparse import SparseTensor

Rows = dict[tuple[int, ...], list[Any]]


def _rows_of(given: Any) -> tuple[Rows, tuple[int, ...]]:
    """Return the values of each place before the last axis, in order, and the sizes of these axes."""
    if not isinstance(given, SparseTensor):
        array = on_host(given)
        return {place: list(array[place]) for place in np.ndindex(array.shape[:-1])}, array.shape[:-1]
    rows: Rows = {}
    for place, value in zip(on_host(given.indices).tolist(), on_host(given.values), strict=True):
        rows.setdefault(tuple(place[:-1]), []).append(value)
    return rows, tuple(given.shape[:-1])


def _sets(a: Any, b: Any, combined: Callable[[set, set], set]) -> SparseTensor:
    (first, sizes), (second, others) = _rows_of(a), _rows_of(b)
    if sizes != others:
        raise ValueError(f"Sets are compared place by place; got the shapes {sizes} and {others} before the last axis.")
    found = {
        place: sorted(combined(set(first.get(place, ())), set(second.get(place, ())))) for place in {**first, **second}
    }
    indices = [(*place, at) for place in sorted(found) for at in range(len(found[place]))]
    values = [value for place in sorted(found) for value in found[place]]
    longest = max((len(one) for one in found.values()), default=0)
    kind = on_host(a.values if isinstance(a, SparseTensor) else a).dtype
    return SparseTensor(
        np.reshape(indices, (-1, len(sizes) + 1)).astype(int), np.array(values, kind), (*sizes, longest)
    )


def intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """Return what is in both sets of each place.

    >>> intersection([[1, 2, 3]], [[3, 4, 1]]).values.tolist()
    [1, 3]
    """
    return _sets(a, b, set.intersection)


def union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """Return what is in one of both sets of each place."""
    return _sets(a, b, set.union)


def difference(a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True) -> SparseTensor:
    """Return what is in the first set of each place alone; without `aminusb`, in the second."""
    return _sets(a, b, set.difference if aminusb else lambda one, other: other - one)


def size(a: SparseTensor, validate_indices: bool = True) -> jax.Array:
    """Return the number of different values of each place."""
    rows, sizes = _rows_of(a)
    found = np.zeros(sizes, np.int32)
    for place, values in rows.items():
        found[place] = len(set(values))
    return jnp.asarray(found)


def edit_distance(hypothesis: Any, truth: Any, normalize: bool = True, name: Any = None) -> jax.Array:
    """Return how many values must be put in, taken out or replaced to get from one sequence to the other.

    Args:
        hypothesis, truth: Sparse tensors, whose last axis is that of the sequences.
        normalize: Whether to divide by the length of the truth; then an empty truth is infinitely far.
        name: No effect.

    >>> edit_distance(SparseTensor([[0, 0]], [1], [1, 1]), SparseTensor([[0, 0], [0, 1]], [1, 2], [1, 2])).tolist()
    [0.5]
    """
    (found, sizes), (wanted, others) = _rows_of(hypothesis), _rows_of(truth)
    distances = np.zeros(np.maximum(sizes, others).tolist(), np.float32)
    for place in {**found, **wanted}:
        one, other = found.get(place, []), wanted.get(place, [])
        steps = float(_steps(one, other))
        relative = steps / len(other) if other else np.inf if steps else 0.0
        distances[place] = relative if normalize else steps
    return jnp.asarray(distances)


def _steps(one: list[Any], other: list[Any]) -> int:
    """Return Levenshtein's distance: row by row of its table, each with vector operations."""
    wanted, numbers = np.array(other), np.arange(len(other) + 1)
    row = numbers
    for value in one:
        without_insertions = np.concatenate([[row[0] + 1], np.minimum(row[1:] + 1, row[:-1] + (wanted != value))])
        row = np.minimum.accumulate(without_insertions - numbers) + numbers
    return int(row[-1])
