"""Converting the state of Python objects to plain data (JSON and arrays) and back, without pickle.

Values are restored into existing objects: lists and dictionaries stay the same objects, and the attributes of other
objects are set. Only named tuples are created, from classes that the program has loaded.
"""

import collections
import contextlib
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import jax
import numpy as np

from cornu.core.errors import readable_errors
from cornu.core.layer import Layer
from cornu.core.placement import on_host
from cornu.core.seeds import set_random_states
from cornu.core.variable import Variable
from cornu.optimizers import Optimizer

KIND = "$"
KINDS = frozenset(("array", "scalar", "jax", "variable", "dict", "tuple", "set", "frozenset", "deque", "RandomState",
                   "Generator", "object"))  # fmt: skip
PLAIN = (type(None), bool, int, float, str)
CHANGED_INSIDE = (Variable, np.random.RandomState, np.random.Generator)  # never replaced
DEEPEST = 8  # objects inside objects
# Objects of these packages are not inspected: their content is not part of a program's state.
CLOSED = frozenset(("cornu", "jax", "jaxlib", "matplotlib", "IPython", "pandas", "torch", "numpy", "keras", "optax"))


#: The errors from data whose structure is not the saved one.
DAMAGE = (LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


class NotPlainError(TypeError):
    """Raised for objects that cannot be converted to plain data."""


@contextlib.contextmanager
def as_value_errors(where: str) -> Iterator[None]:
    """Convert errors inside a ``with`` block, from restored data that is not what was saved, to a ValueError."""
    with readable_errors():
        try:
            yield
        except DAMAGE as error:
            raise ValueError(
                f"{where} does not have the content that Cornu saves ({type(error).__name__}: {str(error)[:200]}). "
                "Delete it to start from scratch."
            ) from error


class Packer:
    """Converts values to JSON; arrays are collected in `arrays`."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self._inside: set[int] = set()

    def pack(self, value: Any) -> Any:
        """Return a value as JSON; NotPlainError for functions, files, models, and anything else that is not data."""
        if type(value) in PLAIN:
            return value
        if isinstance(value, (np.ndarray, np.generic, jax.Array, Variable)):
            return self._array(value)
        if id(value) in self._inside or len(self._inside) > 40:
            raise NotPlainError("a structure that contains itself")
        self._inside.add(id(value))
        try:
            return self._structure(value)
        finally:
            self._inside.discard(id(value))

    def _array(self, value: Any) -> Any:
        kind = "array"
        if isinstance(value, Variable):
            kind, value = "variable", value._value
        elif isinstance(value, np.generic):
            kind = "scalar"
        elif isinstance(value, jax.Array):
            kind = "jax"
        if isinstance(value, jax.Array) and jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
            raise NotPlainError("a random key")
        array = np.array(on_host(value), order="C", copy=True)
        if array.dtype.kind == "O" or array.dtype.names:
            raise NotPlainError("an array of objects")
        self.arrays.append(array)
        return {KIND: kind, "number": len(self.arrays) - 1}

    def _structure(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.pack(item) for item in value]
        if isinstance(value, dict):
            return {KIND: "dict", "items": [[self.pack(key), self.pack(item)] for key, item in value.items()]}
        if isinstance(value, tuple):
            named = [type(value).__module__, type(value).__qualname__] if hasattr(value, "_fields") else None
            return {KIND: "tuple", "items": [self.pack(item) for item in value], "class": named}
        if type(value) in (set, frozenset, collections.deque):
            return {KIND: type(value).__name__, "items": [self.pack(item) for item in value]}
        if isinstance(value, np.random.RandomState):
            return {KIND: "RandomState", "state": self.pack(value.get_state())}
        if isinstance(value, np.random.Generator):
            return {KIND: "Generator", "state": self.pack(value.bit_generator.state)}
        if not is_open(value):
            raise NotPlainError(type(value).__name__)
        return {KIND: "object", "class": type(value).__qualname__, "attributes": self.attributes(value)}

    def adopt(self, packed: Any, arrays: list[np.ndarray]) -> Any:
        """Return data packed by another packer, as if packed by this one."""
        if isinstance(packed, list):
            return [self.adopt(item, arrays) for item in packed]
        if not isinstance(packed, dict):
            return packed
        if KIND in packed and "number" in packed:
            self.arrays.append(arrays[packed["number"]])
            return packed | {"number": len(self.arrays) - 1}
        return {key: self.adopt(item, arrays) for key, item in packed.items()}

    def attributes(self, owner: Any, skip: Iterable[str] = ()) -> dict[str, Any]:
        """Return the attributes of an object that are plain data, by name."""
        found = {}
        for name, value in list(vars(owner).items()):
            if name in skip:
                continue
            kept = len(self.arrays)
            try:
                found[name] = self.pack(value)
            except NotPlainError:
                del self.arrays[kept:]
        return found


class Watched:
    """An object of which the attributes are saved that have changed since tracking began.

    Attributes in `skip`, and arrays of more than `most` bytes, are assumed to stay unchanged.
    """

    def __init__(self, owner: Any, skip: Iterable[str] = (), most: int | None = None) -> None:
        self.owner, self.skip, self.most = owner, frozenset(skip), most
        self._before = {name: digest(packed, arrays) for name, packed, arrays in self._attributes()}

    def _attributes(self) -> Iterator[tuple[str, Any, list[np.ndarray]]]:
        for name, value in list(getattr(self.owner, "__dict__", {}).items()):
            if name in self.skip or (self.most is not None and getattr(value, "nbytes", 0) > self.most):
                continue
            packer = Packer()
            try:
                yield name, packer.pack(value), packer.arrays
            except NotPlainError:
                continue

    def changes(self, packer: Packer) -> dict[str, Any]:
        """Return the changed attributes as plain data."""
        return {
            name: packer.adopt(packed, arrays)
            for name, packed, arrays in self._attributes()
            if self._before.get(name) != digest(packed, arrays)
        }


def is_open(value: Any) -> bool:
    """Return whether an object's attributes are inspected: if it is from the program, or from a small library."""
    if isinstance(value, (type, Layer, Optimizer)) or callable(value) or not hasattr(value, "__dict__"):
        return False
    package = type(value).__module__.partition(".")[0]
    return package not in CLOSED and package not in sys.stdlib_module_names


def digest(packed: Any, arrays: list[np.ndarray]) -> str:
    """Return a digest of packed data, in which arrays are identified by content, not by number."""
    found = hashlib.blake2b(digest_size=16)

    def content(node: Any) -> Any:
        if isinstance(node, dict):
            if "number" in node and KIND in node:
                array = arrays[node["number"]]
                found.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
                return node[KIND]
            return {key: content(item) for key, item in node.items()}
        return [content(item) for item in node] if isinstance(node, list) else node

    found.update(json.dumps(content(packed)).encode())
    return found.hexdigest()


class Unpacker:
    """Converts packed JSON back to values, modifying existing objects."""

    def __init__(self, arrays: list[np.ndarray]) -> None:
        self.arrays = arrays

    def unpack(self, packed: Any, present: Any = None) -> Any:
        """Return the value of packed data; `present` is the current value."""
        if isinstance(packed, list):
            items = [
                self.unpack(item, there) for item, there in zip(packed, _padded(present, len(packed)), strict=True)
            ]
            return _in_place(present, items) if type(present) is list else items
        if not isinstance(packed, dict):
            return packed
        if packed[KIND] not in KINDS:
            raise ValueError(f"There is no kind of data named {str(packed[KIND])[:80]!r}.")
        return getattr(self, f"_{packed[KIND]}")(packed, present)

    def _array(self, packed: dict, _: Any) -> np.ndarray:
        return self.arrays[packed["number"]].copy()

    def _scalar(self, packed: dict, _: Any) -> Any:
        return self.arrays[packed["number"]][()]

    def _jax(self, packed: dict, _: Any) -> jax.Array:
        return jax.numpy.asarray(self.arrays[packed["number"]])

    def _variable(self, packed: dict, present: Any) -> Variable:
        if not isinstance(present, Variable):
            raise NotPlainError("a variable that is not there")
        present.assign(self.arrays[packed["number"]])
        return present

    def _dict(self, packed: dict, present: Any) -> dict:
        there = present if isinstance(present, dict) else {}
        items = {}
        for key, item in packed["items"]:
            key = self.unpack(key)
            items[key] = self.unpack(item, dict.get(there, key))
        if isinstance(present, dict):
            present.clear()
            present.update(items)
            return present
        return items

    def _tuple(self, packed: dict, present: Any) -> tuple:
        items = [self.unpack(item) for item in packed["items"]]
        if packed["class"] is None:
            return tuple(items)
        module, name = packed["class"]
        cls: Any = sys.modules.get(module)
        for part in name.split("."):
            cls = getattr(cls, "__dict__", {}).get(part)  # getattr on a module may import another
        if not (isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields")):
            raise NotPlainError(f"a tuple of the unknown class {name}")
        return tuple.__new__(cls, items)

    def _set(self, packed: dict, _: Any) -> set:
        return {self.unpack(item) for item in packed["items"]}

    def _frozenset(self, packed: dict, _: Any) -> frozenset:
        return frozenset(self.unpack(item) for item in packed["items"])

    def _deque(self, packed: dict, present: Any) -> collections.deque:
        return collections.deque(map(self.unpack, packed["items"]), getattr(present, "maxlen", None))

    def _RandomState(self, packed: dict, present: Any) -> Any:  # noqa: N802 (named as the class)
        state = present if isinstance(present, np.random.RandomState) else np.random.RandomState()
        state.set_state(checked_state(self.unpack(packed["state"])))
        return state

    def _Generator(self, packed: dict, present: Any) -> Any:  # noqa: N802
        if not isinstance(present, np.random.Generator):
            raise NotPlainError("a random generator that is not there")
        state = checked_state(self.unpack(packed["state"]))
        if state["bit_generator"] != present.bit_generator.state["bit_generator"]:
            raise NotPlainError("a random generator of another type")
        present.bit_generator.state = state
        return present

    def _object(self, packed: dict, present: Any) -> Any:
        if not is_open(present) or type(present).__qualname__ != packed["class"]:
            raise NotPlainError(f"an object of class {packed['class']}")
        self.set_attributes(present, packed["attributes"])
        return present

    def set_attributes(self, owner: Any, packed: dict[str, Any]) -> None:
        """Set attributes of an object from packed data; those that cannot be restored are left unchanged."""
        for name, value in packed.items():
            if callable(getattr(type(owner), name, None)):  # a method stays one
                continue
            present = vars(owner).get(name)
            try:
                found = self.unpack(value, present)
            except NotPlainError:
                continue
            if found is present or not (isinstance(present, CHANGED_INSIDE) or is_open(present)):
                vars(owner)[name] = found


def restore_random(unpacker: Unpacker, packed: Any) -> None:
    """Let the global generators continue from a saved state of `random_states`."""
    states = unpacker.unpack(packed)
    checked_state(states["numpy"])
    if not all(type(number) is int for pair in states.get("uses of seeds", {}).items() for number in pair):
        raise ValueError("The uses of seeds are not integers.")
    set_random_states(states)


def checked_state(state: Any) -> Any:
    """Return the state of a numpy random generator; ValueError for a position outside its buffer.

    numpy would accept such a state and read out of bounds.
    """
    if not isinstance(state, dict):  # of a RandomState: name, key, place, ...
        whole = _is_mersenne_twister(state[1], state[2])
    elif state["bit_generator"] == "MT19937":
        whole = _is_mersenne_twister(state["state"].get("key"), state["state"].get("pos", 0))
    else:
        buffered = 4 if state["bit_generator"] == "Philox" else 0  # others do not buffer numbers
        whole = _is_place(state.get("buffer_pos", 0), buffered)
    if not whole:
        raise ValueError("The state of a random generator is invalid.")
    return state


def _is_mersenne_twister(key: Any, place: Any) -> bool:
    return np.shape(key) == (624,) and _is_place(place, 624)


def _is_place(place: Any, most: int) -> bool:
    return isinstance(place, (int, np.integer)) and 0 <= int(place) <= most


def _padded(present: Any, length: int) -> list:
    there = list(present)[:length] if isinstance(present, list) else []
    return there + [None] * (length - len(there))


def _in_place(present: list, items: list) -> list:
    present[:] = items
    return present
