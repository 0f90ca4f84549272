"""Functions that ``Dataset.map`` applies to elements: compiled where they can be traced, over many rows at once.

As TensorFlow does, a function is run once to see what it computes. One that cannot be traced (it uses numpy, strings or
Python's control flow on values), or that draws from numpy's or Python's random generator, runs as it is, row by row.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from cornu.core.jax_internals import wide_types
from cornu.core.placement import to_device
from cornu.core.scope import NeedsPythonError, changed, scope
from cornu.core.seeds import random_marks
from cornu.core.silence import silence
from cornu.core.stateful import Program
from cornu.core.text import TextStandIn
from cornu.core.variable import Seed, bound

#: How many shapes of elements one function is compiled for; elements of other shapes are computed as they are.
MOST_SHAPES = 3


class MapFunction:
    """A function of an element; a tuple's parts are its arguments.

    `workers` is the number of threads that call it, where it runs as it is.
    """

    def __init__(self, function: Callable, workers: int = 1) -> None:
        self.function, self.workers = function, workers
        self._of_elements: dict[Any, _Mapped | _MappedTexts | None] = {}
        self._of_rows: dict[Any, _Mapped | _MappedTexts | None] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> Any:
        return MapFunction, (self.function, self.workers)

    @property
    def is_pure(self) -> bool:
        """Whether all rows so far were computed by programs that depend on nothing else and change nothing."""
        programs = self._of_rows.values()
        return bool(programs) and all(program is not None and program.is_pure for program in programs)

    def plain(self, element: Any) -> Any:
        """Return what the function gives, without compiling it."""
        return called(self.function, element)

    def __call__(self, element: Any) -> Any:
        """Return what the function gives for an element, by a program if it can be compiled."""
        return self._computed(self._of_elements, element, self.plain, by_row=False, words=_words)

    def rows(self, block: Any, words: Callable[[], np.ndarray]) -> Any:
        """Return what the function gives for each row of a block of them, as a block.

        `words` returns new words of a random key.
        """
        return self._computed(self._of_rows, block, self._row_by_row, by_row=True, words=words)

    def compiles_rows(self, block: Any) -> bool:
        """Return whether the rows of such a block are computed by a program."""
        arrays, tree = _arrays_in(block)
        with _types_for(arrays):
            return self._program(self._of_rows, arrays, tree, by_row=True) is not None

    def _computed(
        self, known: dict, given: Any, otherwise: Callable, by_row: bool, words: Callable[[], np.ndarray]
    ) -> Any:
        arrays, tree = _arrays_in(given)
        with _types_for(arrays):
            program = self._program(known, arrays, tree, by_row)
            return otherwise(given) if program is None else jax.tree.map(np.asarray, program(arrays, words))

    def _program(self, known: dict, arrays: list, tree: Any, by_row: bool) -> "_Mapped | _MappedTexts | None":
        """Return the program for such arrays, traced if it is the first time; None if the function runs as it is."""
        texts = [place for place, array in enumerate(arrays) if array.dtype.kind in "OUS"]
        if scope.bound or scope.meet is not None or any(array.dtype.kind == "M" for array in arrays):
            return None
        if texts and not (by_row and all(arrays[place].ndim == 1 for place in texts)):
            return None
        key = (
            tree,
            *((array.shape, array.dtype.kind if place in texts else array.dtype) for place, array in enumerate(arrays)),
        )
        with self._lock:
            if key not in known and len(known) < MOST_SHAPES:
                made = _MappedTexts(self.plain, tree, texts) if texts else _Mapped(self.plain, tree, by_row)
                known[key] = _attempt(made, arrays)
        return known.get(key)

    def _row_by_row(self, block: Any) -> Any:
        rows = (jax.tree.map(lambda leaf: leaf[row], block) for row in range(len(jax.tree.leaves(block)[0])))  # noqa: B023
        if self.workers > 1:
            with ThreadPoolExecutor(self.workers, thread_name_prefix="cornu-data") as pool:
                found = list(pool.map(self, list(rows)))
        else:
            found = list(map(self, rows))
        return jax.tree.map(stacked, *found)


def called(function: Callable, element: Any) -> Any:
    """Return what a function gives for an element; a tuple's parts are its arguments."""
    return function(*element) if isinstance(element, tuple) else function(element)


def stacked(*rows: Any) -> np.ndarray:
    """Return elements as the rows of one array, texts as one of Python objects."""
    if isinstance(rows[0], (str, bytes)):  # an array of fixed width would be as wide as the longest text
        return np.array(rows, object)
    return np.stack([np.asarray(row) for row in rows])


def _arrays_in(given: Any) -> tuple[list[Any], Any]:
    leaves, tree = jax.tree.flatten(given)
    return [leaf if isinstance(leaf, jax.Array) else np.asarray(leaf) for leaf in leaves], tree


def _types_for(arrays: list) -> Any:
    """Return a context in which numbers of 64 bits stay whole, if there are any."""
    return wide_types(any(array.dtype.itemsize == 8 for array in arrays))


class _Mapped:
    """A compiled function of an element, or of each row of a block: then each has a random key of its own.

    Where it draws random numbers, each call gets words of a random key.
    """

    def __init__(self, function: Callable, tree: Any, by_row: bool) -> None:
        self.function, self.tree, self.by_row = function, tree, by_row
        self.draws: bool | None = None
        self._program = Program(self._of_block if by_row else self._of_element)

    def __call__(self, arrays: list, words: Callable[[], np.ndarray]) -> Any:
        return self._program([words() if self.draws else np.zeros(4, np.uint32), *arrays])

    def prepare(self, arrays: list) -> None:
        """Trace the function, without running it."""
        self._program.prepare([np.zeros(4, np.uint32), *arrays])

    @property
    def is_pure(self) -> bool:
        return not self.draws and not self._program.variables

    def _of_element(self, given: Sequence[Any]) -> Any:
        words, *arrays = given
        seed = _RowSeed(words)
        with bound([seed], [words]), changed(ambient=seed, mapping=True):
            found = self.function(jax.tree.unflatten(self.tree, arrays))
            found = jax.tree.map(lambda leaf: leaf if isinstance(leaf, jax.Array) else to_device(leaf), found)
        self.draws = seed.has_drawn
        return found

    def _of_block(self, given: Sequence[Any]) -> Any:
        words, *arrays = given
        rows = [jax.ShapeDtypeStruct(one.shape[1:], one.dtype) for one in arrays]
        with silence():  # it prints once, when it is traced to be compiled
            jax.eval_shape(self._of_element, [words, *rows])
        if not self.draws:
            return jax.vmap(lambda *row: self._of_element([words, *row]))(*arrays)
        key = jax.random.wrap_key_data(words, impl="rbg")
        return jax.vmap(lambda *row: self._of_element(list(row)))(
            jax.random.key_data(jax.random.split(key, len(arrays[0]))), *arrays
        )

    def keeps_rows_apart(self) -> bool:
        """Return whether no row assigns to a variable: rows that are computed at once would all see the old value."""
        return not (self.by_row and self._program.assigned)


class _MappedTexts:
    """A compiled function of each row of a block that calls layers such as TextVectorization on texts in it.

    These layers are called on the texts of the whole block first; the program takes what they give.
    """

    is_pure = False  # the layers may learn something else

    def __init__(self, function: Callable, tree: Any, places: list[int]) -> None:
        self.function, self.tree, self.places = function, tree, places
        self.calls: list[tuple[Any, int]] = []  # layers, and the numbers of the texts that they are called on
        self._of_numbers: _Mapped | None = None

    def __call__(self, arrays: list, words: Callable[[], np.ndarray]) -> Any:
        assert self._of_numbers is not None
        return self._of_numbers(self._numbers(arrays), words)

    def prepare(self, arrays: list) -> None:
        """Find the calls by tracing the function with the first rows, then trace it behind them."""
        rows = [arrays[place][:2] for place in self.places]
        numbers = [array[0] for place, array in enumerate(arrays) if place not in self.places]
        finding = _Mapped(lambda given: self._run(given, [], rows), jax.tree.structure(numbers), by_row=True)
        with silence():  # it prints once, when it is traced to be compiled
            jax.eval_shape(finding._of_element, [np.zeros(4, np.uint32), *numbers])
        known = len(numbers)
        self._of_numbers = _Mapped(
            lambda given: self._run(given[:known], given[known:], []),
            jax.tree.structure([0] * (known + len(self.calls))),
            by_row=True,
        )
        self._of_numbers.prepare(self._numbers(arrays))

    def keeps_rows_apart(self) -> bool:
        return self._of_numbers is not None and self._of_numbers.keeps_rows_apart()

    def _numbers(self, arrays: list) -> list:
        """Return the arrays of numbers, and what the layers make of the texts."""
        texts = [arrays[place] for place in self.places]
        own = [array for place, array in enumerate(arrays) if place not in self.places]
        return own + [layer.compute(texts[number]) for layer, number in self.calls]

    def _run(self, numbers: list, found: list, rows: list) -> Any:
        """Run the function on a row; `found` is what the layers give, or `rows` are two of each text to find calls."""
        given, results = iter(numbers), iter(found)

        def called(number: int) -> Callable[..., Any]:
            def by(function: Callable, *args: Any, **kwargs: Any) -> Any:
                layer = getattr(function, "__self__", None)
                if not getattr(layer, "on_host", False) or len(args) > 1 or args[0] is not texts[self.places[number]]:
                    raise NeedsPythonError
                return self._recorded(layer, number, rows[number]) if rows else next(results)

            return by

        texts = {place: TextStandIn(called(number)) for number, place in enumerate(self.places)}
        leaves = [texts[place] if place in texts else next(given) for place in range(self.tree.num_leaves)]
        return self.function(jax.tree.unflatten(self.tree, leaves))

    def _recorded(self, layer: Any, number: int, rows: np.ndarray) -> Any:
        """Remember a call; return an array like its result. NeedsPythonError if rows together give something else."""
        together = np.asarray(layer.compute(rows))
        apart = [np.asarray(layer.compute(row)) for row in rows]
        if (
            None in layer.compute_output_shape(())
            or together.dtype.kind not in "biuf"
            or any(not np.array_equal(one, other) for one, other in zip(together, apart, strict=True))
        ):
            raise NeedsPythonError
        self.calls.append((layer, number))
        return jax.numpy.zeros(together.shape[1:], jax.dtypes.canonicalize_dtype(together.dtype))


def _words() -> np.ndarray:
    """Return words of a random key from numpy's generator, whose state a backup keeps."""
    return np.frombuffer(np.random.bytes(16), np.uint32)


class _RowSeed(Seed):
    """The seed of a row: made of words, which are traced."""

    has_drawn = False

    def __init__(self, words: Any) -> None:
        self.seed = None
        self._held = words

    def next(self) -> jax.Array:
        self.has_drawn = True
        return super().next()


def _attempt(program: Any, arrays: list) -> Any:
    """Return a program that works for such arrays; None if its function has to run as it is."""
    before = random_marks()
    try:
        program.prepare(arrays)
    except Exception:  # whatever it is: the function runs again as it is, and its own error is raised there
        return None
    return program if random_marks() == before and program.keeps_rows_apart() else None
