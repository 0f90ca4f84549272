"""Functions that ``Dataset.map`` applies to elements: compiled where they can be traced, over many rows at once.

As TensorFlow does, a function is run once to see what it computes. One that cannot be traced (it uses numpy, strings or
Python's control flow on values), or that draws from numpy's or Python's random generator, runs as it is, row by row.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.jax_internals import wide_types
from cornu.core.scope import changed, scope
from cornu.core.seeds import random_marks
from cornu.core.stateful import Program
from cornu.core.variable import Seed, bound

#: How many shapes of elements one function is compiled for; elements of other shapes are computed as they are.
MOST_SHAPES = 3


class MapFunction:
    """A function of an element; a tuple's parts are its arguments."""

    def __init__(self, function: Callable) -> None:
        self.function = function
        self._of_elements: dict[Any, Program | None] = {}
        self._of_rows: dict[Any, Program | None] = {}

    def plain(self, element: Any) -> Any:
        """Return what the function gives, without compiling it."""
        return self.function(*element) if isinstance(element, tuple) else self.function(element)

    def __call__(self, element: Any) -> Any:
        """Return what the function gives for an element, by a program if it can be compiled."""
        return self._computed(self._of_elements, self._of_element, element, self.plain)

    def rows(self, block: Any) -> Any:
        """Return what the function gives for each row of a block of them, as a block."""
        return self._computed(self._of_rows, self._of_block, block, self._row_by_row)

    def _computed(self, known: dict, make: Callable, given: Any, otherwise: Callable) -> Any:
        leaves, tree = jax.tree.flatten(given)
        arrays = [leaf if isinstance(leaf, jax.Array) else np.asarray(leaf) for leaf in leaves]
        key = (tree, *((array.shape, array.dtype) for array in arrays))
        if scope.bound or scope.meet is not None or any(array.dtype.kind in "OUSM" for array in arrays):
            return otherwise(given)
        with wide_types(any(array.dtype.itemsize == 8 for array in arrays)):
            if key not in known and len(known) < MOST_SHAPES:
                known[key] = _attempt(make(tree), arrays)
            program = known.get(key)
            return otherwise(given) if program is None else jax.tree.map(np.asarray, program(arrays))

    def _of_element(self, tree: Any) -> Program:
        return Program(lambda arrays: _as_arrays(self.plain(jax.tree.unflatten(tree, arrays))))

    def _of_block(self, tree: Any) -> Program:
        """Return a program for all rows: each has a random key of its own."""

        def of_row(words: Any, arrays: list) -> Any:
            seed = _RowSeed(words)
            with bound([seed], [words]), changed(ambient=seed):
                return _as_arrays(self.plain(jax.tree.unflatten(tree, arrays)))

        def of_block(arrays: list) -> Any:
            keys = jax.random.split(scope.ambient.next(), len(arrays[0]))
            return jax.vmap(of_row)(jax.random.key_data(keys), list(arrays))

        return Program(of_block)

    def _row_by_row(self, block: Any) -> Any:
        count = len(jax.tree.leaves(block)[0])
        found = [self(jax.tree.map(lambda leaf: leaf[row], block)) for row in range(count)]  # noqa: B023
        return jax.tree.map(lambda *parts: np.stack([np.asarray(part) for part in parts]), *found)


class _RowSeed(Seed):
    """The seed of a row: made of words, which are traced."""

    def __init__(self, words: Any) -> None:
        self.seed = None
        self._held = words


def _attempt(program: Program, arrays: list) -> Program | None:
    """Return a program that works for such arrays; None if its function has to run as it is."""
    before = random_marks()
    try:
        program(arrays)
    except Exception:  # whatever it is: the function runs again as it is, and its own error is raised there
        return None
    return program if random_marks() == before else None


def _as_arrays(structure: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf if isinstance(leaf, jax.Array) else jnp.asarray(leaf), structure)
