"""Texts that a model of Python code, such as a subclassed model, takes: its program gets what functions make of them.

The functions (layers such as `TextVectorization` above all) are found by tracing the code with stand-ins for the texts:
`TextCalls` keeps them, and calls them on each batch before the program runs, which finds their results in `TextInputs`.
"""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.dtypes import canonicalize_dtype

from cornu.core.scope import NeedsPythonError
from cornu.core.text import ShapedStandIn, TextStandIn, as_text, is_text
from cornu.data.batch import Batch

SAMPLE = 2  # rows that show what a function of texts gives


class TextUseError(NeedsPythonError, TypeError):
    """Code does something with texts that neither a program can, nor what runs before it."""


class Place(NamedTuple):
    """Where an array is: among the inputs (0) or the results of call 1, 2, ..., and its number there."""

    group: int
    number: int


class TextCall(NamedTuple):
    """A call of a function, with places instead of arrays."""

    function: Any
    args: tuple
    kwargs: dict


class Row(NamedTuple):
    """What each row of an array is like."""

    shape: tuple
    dtype: str


class Group(NamedTuple):
    """The inputs or a call's results: their structure, and the rows of each array."""

    tree: Any
    rows: tuple[Row, ...]


class TextCalls:
    """The calls of functions on texts that a model makes, in order.

    They are found by tracing the model inside `finding`, where a new call is made on a sample of the data.
    """

    def __init__(self) -> None:
        self.calls: list[TextCall] = []
        self._sample: list[list] = []  # the arrays of each group, of a few rows
        self._finding: set[int] = set()  # the threads that do
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def finding(self) -> Iterator[None]:
        """Note new calls inside a ``with`` block, instead of refusing them."""
        me = threading.get_ident()
        self._finding.add(me)
        try:
            yield
        finally:
            self._finding.discard(me)

    def encode(self, inputs: Any) -> "TextInputs":
        """Return what the model's program takes for inputs in numpy arrays: numbers, and what the functions give."""
        leaves, tree = jax.tree.flatten(inputs)
        found, trees = [[_plain(leaf) for leaf in leaves]], [tree]
        if not self._sample:
            self._sample = [[leaf[:SAMPLE] for leaf in found[0]]]
        for call in list(self.calls):
            results, tree = _results(call, found)
            found.append(results)
            trees.append(tree)
        rows = np.arange(*np.shape(found[0][0])[:1], dtype=np.int32)
        numbers = [leaf for leaves in found for leaf in leaves if not is_text(leaf)]
        groups = map(_group, trees, found)
        return TextInputs([rows, *numbers], self, tuple(groups), inputs)

    def group(self, call: TextCall, known: Sequence["Group"]) -> tuple[int, "Group"]:
        """Return the number of a call, the first is 1, and its results' structure, also if it is not `known` yet."""
        with self._lock:
            number = next((at for at, one in enumerate(self.calls) if _is_same(one, call)), len(self.calls))
            if number + 1 < len(known):
                return number + 1, known[number + 1]
            if threading.get_ident() not in self._finding:
                raise TextUseError(
                    f"{_name(call.function)} is called on texts in some steps only, which cannot be compiled."
                )
            with jax.ensure_compile_time_eval():  # not as a part of what is traced
                results, tree = _results(call, self._sample)
            if number == len(self.calls):
                self.calls.append(call)
                self._sample.append(results)
            return number + 1, _group(tree, results)


def _results(call: TextCall, found: list[list]) -> tuple[list, Any]:
    """Return the arrays that a call gives, and their structure; `found` has the arrays of the groups before it."""
    args, kwargs = _replaced((call.args, call.kwargs), Place, lambda place: found[place.group][place.number])
    results, tree = jax.tree.flatten(call.function(*args, **kwargs))
    arrays = [_plain(leaf) for leaf in results]
    if any(array.shape[:1] != found[0][0].shape[:1] for array in arrays):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise TextUseError(
            f"{_name(call.function)} gives arrays of the shapes {shapes} for {len(found[0][0])} rows of texts; a model "
            "can only use what has one row for each."
        )
    return arrays, tree


def _name(function: Any) -> str:
    layer = getattr(function, "__self__", None)
    return str(getattr(layer, "name", None) or getattr(function, "__name__", function))


def _group(tree: Any, leaves: list) -> "Group":
    return Group(tree, tuple(Row(leaf.shape[1:], "string" if is_text(leaf) else leaf.dtype.name) for leaf in leaves))


@jax.tree_util.register_pytree_node_class
class TextInputs:
    """Inputs with texts as a program takes them.

    Args:
        values: Row numbers, then all arrays of numbers among the inputs and the results of calls.
        calls: The calls.
        groups: The inputs and the calls' results.
        given: The inputs; None where they are not known, as in a program.
    """

    def __init__(self, values: Sequence[Any], calls: TextCalls, groups: tuple[Group, ...], given: Any = None) -> None:
        self.values, self.calls, self.groups, self.given = values, calls, groups, given

    def tree_flatten(self) -> tuple[tuple, tuple]:
        return tuple(self.values), (self.calls, self.groups)

    @classmethod
    def tree_unflatten(cls, known: tuple, children: tuple) -> "TextInputs":
        return cls(children, *known)

    def current(self) -> "TextInputs":
        """Return these inputs with the results of all calls that are known by now."""
        has_all = len(self.groups) > len(self.calls.calls)
        return self if has_all or self.given is None else self.calls.encode(self.given)

    def opened(self) -> Any:
        """Return the inputs in their structure, with stand-ins for texts."""
        return _Opened(self).inputs()


class _Opened:
    """The inputs while they are in use: calls on the stand-ins for texts find their results."""

    def __init__(self, inputs: TextInputs) -> None:
        self.calls, self.known = inputs.calls, inputs.groups
        batch, *numbers = inputs.values
        self.rows = batch.shape[0]
        self._arrays: dict[int, list] = {}
        self._places: dict[int, Place] = {}
        given = iter(numbers)
        for number, group in enumerate(inputs.groups):
            self._fill(number, group, given)

    def _fill(self, number: int, group: Group, numbers: Iterator[Any]) -> None:
        """Keep the arrays of a group: those of `numbers`, and stand-ins for texts."""
        self._arrays[number] = [
            StandIn(self, (self.rows, *row.shape)) if row.dtype == "string" else next(numbers) for row in group.rows
        ]
        self._places |= {id(array): Place(number, at) for at, array in enumerate(self._arrays[number])}

    def inputs(self) -> Any:
        return jax.tree.unflatten(self.known[0].tree, self._arrays[0])

    def called(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what a function gives; in a trace that finds calls, something like it."""
        args, kwargs = _replaced((args, kwargs), (TextStandIn, jax.Array, np.ndarray), self._placed)
        number, group = self.calls.group(TextCall(function, args, kwargs), self.known)
        if number not in self._arrays:
            shapes = [((self.rows, *row.shape), row.dtype) for row in group.rows if row.dtype != "string"]
            self._fill(number, group, iter([jnp.zeros(shape, canonicalize_dtype(dtype)) for shape, dtype in shapes]))
        return jax.tree.unflatten(group.tree, self._arrays[number])

    def _placed(self, array: Any) -> Any:
        """Return the place of an array; one that does not depend on the inputs as it is."""
        if id(array) in self._places:
            return self._places[id(array)]
        if isinstance(array, (TextStandIn, jax.core.Tracer)):
            raise TextUseError(
                "A layer or function of texts is called on texts together with numbers that the model computes.\n"
                "Texts end before the compiled program runs: call it on the model's inputs, or on what layers for "
                "strings make of them."
            )
        return array


class StandIn(ShapedStandIn):
    """Stands for an array of texts among a model's inputs, or what a function made of them."""

    def __init__(self, opened: _Opened, shape: tuple) -> None:
        super().__init__(opened.called, shape)

    def get_shape(self) -> tuple:
        return self.shape

    def _unknown(self, *_: Any, **__: Any) -> Any:
        raise TextUseError(
            "A model computes with texts what its compiled program cannot.\n"
            "Call TextVectorization, StringLookup or Hashing on them first; or prepare the data: "
            "dataset.map(lambda text, label: (function(text), label))."
        )

    __bool__ = __str__ = __repr__ = __format__ = __array__ = __iter__ = __len__ = __hash__ = _unknown


def opened(structure: Any) -> Any:
    """Return a structure with all inputs that have texts opened: see `TextInputs.opened`."""
    return jax.tree.map(
        lambda leaf: leaf.opened() if isinstance(leaf, TextInputs) else leaf,
        structure,
        is_leaf=lambda leaf: not isinstance(leaf, (list, tuple, dict)),
    )


def with_all_calls(batch: Batch) -> Batch:
    """Return a batch whose inputs, if they have texts, have the results of all calls that are known by now."""
    return batch._replace(x=batch.x.current()) if isinstance(batch.x, TextInputs) else batch


def _plain(leaf: Any) -> np.ndarray:
    array = np.asarray(leaf)
    return as_text(array) if is_text(array) else array


def _replaced(structure: Any, kinds: Any, function: Any) -> Any:
    """Return nested lists, tuples and dictionaries with `function` applied to items of some types."""
    if isinstance(structure, kinds):
        return function(structure)
    if isinstance(structure, (list, tuple)) and not hasattr(structure, "_fields"):
        return type(structure)(_replaced(item, kinds, function) for item in structure)
    if isinstance(structure, dict):
        return {key: _replaced(item, kinds, function) for key, item in structure.items()}
    return structure


def _is_same(one: Any, other: Any) -> bool:
    """Return whether calls, or parts of them, are the same."""
    if one is other:
        return True
    if type(one) is not type(other) or isinstance(one, (np.ndarray, jax.Array)):
        return isinstance(one, np.ndarray) and type(one) is type(other) and np.array_equal(one, other)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_is_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    return bool(one == other)
