"""What TensorFlow's tensors have and JAX's arrays lack: how they print, ``shape.as_list()``, ``ref()``, ``assign``."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow.dtypes import as_dtype
from cornu.compat.tensorflow.errors import OutOfRangeError
from cornu.compat.tensorflow.strings import text_tensor
from cornu.core.graph import Shape
from cornu.core.jax_internals import array_class
from cornu.data.dataset import Dataset, EagerArray, OwnedIterator
from cornu.data.element_specs import ElementSpec
from cornu.layers import host


class TensorShape(Shape):
    """The sizes of the axes (None: unknown), with the methods of ``tf.TensorShape``.

    >>> shape = TensorShape([None, 3])
    >>> shape, shape.as_list(), shape.rank, shape.is_compatible_with((2, 3))
    (TensorShape([None, 3]), [None, 3], 2, True)
    """

    _is_known = True  # the number of axes

    def __new__(cls, dims: Any = ()) -> "TensorShape":
        made = super().__new__(cls, [dims] if isinstance(dims, int) else () if dims is None else dims)
        if dims is None or (isinstance(dims, TensorShape) and not dims._is_known):
            made._is_known = False
        return made

    @property
    def rank(self) -> Any:
        """The number of axes; None if it is unknown."""
        return len(self) if self._is_known else None

    ndims = rank

    @property
    def dims(self) -> list | None:
        """The sizes, in a list."""
        return list(self) if self._is_known else None

    def as_list(self) -> list:
        """Return the sizes. ValueError if their number is unknown."""
        if not self._is_known:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self)

    def num_elements(self) -> int | None:
        """Return the number of entries, or None if a size is unknown."""
        return None if None in self or not self._is_known else int(np.prod(self, dtype=np.int64))

    def is_fully_defined(self) -> bool:
        """Return whether all sizes are known."""
        return None not in self and self._is_known

    def is_compatible_with(self, other: Any) -> bool:
        """Return whether a shape of these sizes can be one of the others."""
        other = TensorShape(other)
        if not (self._is_known and other._is_known):
            return True
        pairs = list(zip(self, other, strict=False))
        return len(self) == len(other) and all(None in pair or pair[0] == pair[1] for pair in pairs)

    def merge_with(self, other: Any) -> "TensorShape":
        """Return what is known of either shape. ValueError if they differ."""
        self.assert_is_compatible_with(other)
        other = TensorShape(other)
        if not (self._is_known and other._is_known):
            return self if self._is_known else other
        return TensorShape([b if a is None else a for a, b in zip(self, other, strict=True)])

    def most_specific_compatible_shape(self, other: Any) -> "TensorShape":
        """Return what is equal in both shapes."""
        other = TensorShape(other)
        if len(self) != len(other):
            return TensorShape(None)
        return TensorShape([a if a == b else None for a, b in zip(self, other, strict=True)])

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise ValueError unless the shapes are compatible."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are incompatible.")

    def concatenate(self, other: Any) -> "TensorShape":
        """Return the sizes of both."""
        return TensorShape([*self, *other])

    def assert_has_rank(self, rank: int) -> None:
        """Raise ValueError unless the shape has a number of axes."""
        self.with_rank(rank)

    def with_rank_at_least(self, rank: int) -> "TensorShape":
        """Return the shape; ValueError if it has fewer axes."""
        if self._is_known and len(self) < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}.")
        return self

    def with_rank_at_most(self, rank: int) -> "TensorShape":
        """Return the shape; ValueError if it has more axes."""
        if len(self) > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}.")
        return self

    def with_rank(self, rank: int) -> "TensorShape":
        """Return the shape; ValueError if it has another number of axes."""
        if self._is_known and len(self) != rank:
            raise ValueError(f"Shape {self} must have rank {rank}.")
        return self

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return TensorShape(found) if isinstance(key, slice) else found

    def __add__(self, other: Any) -> "TensorShape":
        return self.concatenate(other)

    def __eq__(self, other: Any) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, (tuple, list)) else NotImplemented

    __hash__ = tuple.__hash__

    def __repr__(self) -> str:
        return f"TensorShape({list(self) if self._is_known else None})"

    def __str__(self) -> str:
        return str(tuple(self)) if self._is_known else "<unknown>"


class TensorSpec:
    """A shape (None: unknown), a dtype and a name: what a function takes.

    >>> TensorSpec([None, 2], "float32")
    TensorSpec(shape=(None, 2), dtype=tf.float32, name=None)
    """

    def __init__(self, shape: Any, dtype: Any = "float32", name: str | None = None) -> None:
        self.shape, self.dtype, self.name = TensorShape(shape), as_dtype(dtype), name

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> "TensorSpec":
        """Return the spec of an array."""
        return cls(tensor.shape, tensor.dtype, name)

    def is_compatible_with(self, other: Any) -> bool:
        """Return whether an array or a spec fits."""
        fits = self.shape.is_compatible_with(tuple(other.shape))
        return fits and np.dtype(self.dtype) == np.dtype(str(getattr(other.dtype, "name", other.dtype)))

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, TensorSpec) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self) -> int:
        return hash((tuple(self.shape), self.dtype))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype=tf.{self.dtype}, name={self.name!r})"


class Reference:
    """A variable or tensor as a key: equal to references to the same one."""

    def __init__(self, one: Any) -> None:
        self._one = one

    def deref(self) -> Any:
        """Return the variable or tensor."""
        return self._one

    def __hash__(self) -> int:
        return id(self._one)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Reference) and self._one is other._one


def text_of(array: Any) -> str:
    """Return ``numpy=...`` as TensorFlow prints it."""
    if isinstance(array, jax.core.Tracer):
        return "inside a tf.function"
    value = np.asarray(array)
    text = repr(value) if value.ndim else str(value[()])
    return f"numpy=\n{text}" if "\n" in text else f"numpy={text}"


def _repr(array: Any) -> str:
    return f"<tf.Tensor: shape={tuple(array.shape)}, dtype={array.dtype.name}, {text_of(array)}>"


def _str(array: Any) -> str:
    text = str(np.asarray(array))
    break_ = "\n" if "\n" in text else ""
    return f"tf.Tensor({break_}{text}, shape={tuple(array.shape)}, dtype={array.dtype.name})"


_slices: list[tuple[Any, Any, Any]] = []  # the last ones, with their variables and indices
_MOST = 8


def remember_slice(array: Any, variable: Any, index: Any) -> Any:
    """Return a slice of a variable, of which `assign` will change the variable."""
    _slices.append((array, variable, index))
    del _slices[:-_MOST]
    return array


def _assigning(how: str) -> Any:
    def assign(array: Any, value: Any, *_: Any, **__: Any) -> Any:
        found = next((entry for entry in reversed(_slices) if entry[0] is array), None)
        if found is None:
            raise AttributeError(
                "Tensors cannot be changed; `assign` is for a variable or a slice of one: v[0].assign(1.0)."
            )
        return found[1]._changed(found[2], how, -jnp.asarray(value) if how == "subtract" else value)

    return assign


def _get_next(iterator: OwnedIterator) -> Any:
    try:
        return next(iterator)
    except StopIteration:
        raise OutOfRangeError(message="End of sequence") from None


def _specs(known: Any) -> Any:
    """Return shapes and dtypes of a data set's elements as TensorFlow has them."""
    return jax.tree.map(
        lambda one: TensorSpec(one.shape, one.dtype, one.name), known, is_leaf=lambda one: isinstance(one, ElementSpec)
    )


def _text_of_numpy(array: Any) -> str:
    kind = "string" if array.dtype.kind in "OUS" else array.dtype.name
    value = array.numpy()
    text = repr(value) if array.ndim else str(value)
    return f"<tf.Tensor: shape={tuple(array.shape)}, dtype={kind}, numpy={text}>"


def _give_numpy_the_form() -> None:
    """Let arrays of numpy that stand for tensors (text, integers, pictures) look like tensors too."""
    form: Any = EagerArray
    form.__repr__ = _text_of_numpy
    form.__str__ = lambda self: (
        f"tf.Tensor({self.numpy()}, shape={tuple(self.shape)}, "
        f"dtype={'string' if self.dtype.kind in 'OUS' else self.dtype.name})"
    )
    form.shape = property(lambda self: TensorShape(np.shape(self.view(np.ndarray))))
    form.get_shape = lambda self: self.shape
    form.set_shape = lambda self, shape: TensorShape(shape).assert_is_compatible_with(self.shape)
    form.ref = lambda self: Reference(self)
    spec: Any = Dataset.element_spec
    Dataset.element_spec = property(lambda self: _specs(spec.fget(self)))  # type: ignore[assignment,method-assign]
    OwnedIterator.get_next = _get_next  # type: ignore[assignment]


def install() -> None:
    """Give JAX's arrays the form and the methods of TensorFlow's tensors."""
    array: Any = array_class()
    if getattr(array, "is_like_tensorflow", False):
        return
    array.is_like_tensorflow = True
    _give_numpy_the_form()
    array.__repr__, array.__str__ = _repr, _str
    array.numpy = lambda self: np.array(self)[()]
    array.squeeze = property(_no_method)
    tracer: Any = jax.core.Tracer
    tracer.numpy = _no_value
    tracer.__repr__ = tracer.__str__ = str_of_traced
    for kind in (array, tracer):
        kind.assign, kind.assign_add = _assigning("set"), _assigning("add")
        kind.shape = property(lambda self: TensorShape(self.aval.shape))
        kind.get_shape = lambda self: TensorShape(self.aval.shape)
        kind.set_shape = lambda self, shape: TensorShape(shape).assert_is_compatible_with(self.shape)
        kind.ref = kind.experimental_ref = lambda self: Reference(self)
    host.text_output = text_tensor
    array.device_name = "/job:localhost/replica:0/task:0/device:CPU:0"


def str_of_traced(array: Any) -> str:
    """Return how a tensor of a function that is being traced prints."""
    return f'Tensor("Tensor:0", shape={tuple(array.aval.shape)}, dtype={array.aval.dtype.name})'


def _no_method(self: Any) -> Any:
    raise AttributeError("Tensors have no method squeeze: use tf.squeeze.")  # so that np.squeeze gives numpy's array


def _no_value(self: Any) -> Any:
    raise AttributeError(
        "A tensor has no .numpy() inside a tf.function: its value is only known when the program runs.\n"
        "Print it with tf.print, return it, or decorate the function with @tf.function no longer."
    )
