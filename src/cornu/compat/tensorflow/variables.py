"""``tf.Variable``: the library's variable with TensorFlow's constructor, and methods that return the variable."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow.dtypes import DType
from cornu.compat.tensorflow.name_scopes import prefix
from cornu.compat.tensorflow.tensors import Reference, TensorShape, remember_slice, text_of
from cornu.core import variable as core
from cornu.core.dtype_policies import array_dtype


class IndexedSlices(NamedTuple):
    """Rows of an array: `values` at `indices` of the first axis."""

    values: Any
    indices: Any
    dense_shape: Any = None


class _Kind(type(core.Variable)):  # type: ignore[misc]
    """Makes every variable of the library an instance of ``tf.Variable``."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, core.Variable) if cls is Variable else super().__instancecheck__(instance)


class Variable(core.Variable, metaclass=_Kind):
    """An array that programs keep and change. Stand-in for ``tf.Variable``.

    Args:
        initial_value: An array, a number, a list, or a function without arguments that returns one.
        trainable: Whether tapes watch it. None: True.
        name: Name of the variable.
        dtype: Dtype; by default that of the value, float32 for Python's floats, int32 for its integers.
        constraint: Projection after each update of an optimizer.
        shape: Shape, which must fit the value; where sizes are unknown (None), assignments may change them.
        validate_shape, caching_device, variable_def, import_scope, synchronization, aggregation: No effect.

    Follows https://www.tensorflow.org/api_docs/python/tf/Variable

    >>> v = Variable([1.0, 2.0])
    >>> v.assign_add([1.0, 1.0]).numpy().tolist()
    [2.0, 3.0]
    >>> v.assign([5.0, 3.0])
    <tf.Variable 'Variable:0' shape=(2,) dtype=float32, numpy=array([5., 3.], dtype=float32)>
    """

    _wanted: TensorShape | None = None  # the shape that was announced

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: Any = None,
        constraint: Callable | None = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Sequence[int | None] | None = None,
        **_: Any,
    ) -> None:
        if initial_value is None:
            raise ValueError("tf.Variable needs an initial_value, or a function that returns one: tf.Variable(0.0).")
        value = initial_value() if callable(initial_value) and not hasattr(initial_value, "dtype") else initial_value
        value = value.value if isinstance(value, core.Variable) else value
        if dtype is None and not hasattr(value, "dtype"):
            dtype = _default_dtype(value)
        given = None if dtype is None else array_dtype(str(getattr(dtype, "name", dtype)))
        super().__init__(
            value if isinstance(value, jax.Array) else np.asarray(value),
            dtype=given,
            trainable=trainable is not False,
            autocast=False,
            name=name or "Variable",
            constraint=constraint,
        )
        self.name = f"{prefix()}{self.name}:0"  # as TensorFlow names the tensor of a variable
        self._wanted = None if shape is None else TensorShape(shape)
        if self._wanted is not None and not self._wanted.is_compatible_with(self._form.shape):
            raise ValueError(f"tf.Variable got shape={self._wanted} for a value of shape {self.shape}.")

    @property
    def shape(self) -> TensorShape:
        """The shape, with TensorFlow's methods."""
        return TensorShape(self._form.shape)

    @property
    def dtype(self) -> DType:
        """The dtype, with TensorFlow's attributes."""
        return DType(super().dtype)

    get_shape = property(lambda self: lambda: self.shape)

    def read_value(self) -> jax.Array:
        """Return the array."""
        return jnp.copy(self.value)

    initialized_value = read_value

    def numpy(self) -> Any:
        """Return a copy as numpy: a number of numpy for a scalar."""
        return np.array(self._value)[()]

    eval = numpy

    @property
    def device(self) -> str:
        """The device, as TensorFlow writes it."""
        return "/job:localhost/replica:0/task:0/device:CPU:0"

    def ref(self) -> "Reference":
        """Return a reference that can be a key of a dictionary."""
        return Reference(self)

    experimental_ref = ref

    # ---- assignments

    def _take(self, value: jax.Array) -> None:
        if self._wanted is None or self._wanted.is_fully_defined() or not self._wanted.is_compatible_with(value.shape):
            super()._take(value)
        else:  # of another shape, which was announced
            self._note_change()
            self._value = value

    def assign(self, value: Any, use_locking: Any = False, name: Any = None, read_value: Any = True) -> "Variable":  # type: ignore[override]
        """Set the value; returns the variable. ValueError if the shape differs."""
        super().assign(value)
        return self

    def assign_add(self, delta: Any, use_locking: Any = False, name: Any = None, read_value: Any = True) -> "Variable":  # type: ignore[override]
        """Add to the value; returns the variable."""
        super().assign_add(delta)
        return self

    def assign_sub(self, delta: Any, use_locking: Any = False, name: Any = None, read_value: Any = True) -> "Variable":  # type: ignore[override]
        """Subtract from the value; returns the variable."""
        super().assign_sub(delta)
        return self

    def _changed(self, index: Any, how: str, updates: Any) -> "Variable":
        index = jnp.asarray(index) if isinstance(index, list) else index
        place = self.value.at[index]
        self._take(getattr(place, how)(jnp.asarray(updates, self._form.dtype)))
        return self

    def __getitem__(self, index: Any) -> Any:
        index = tuple(core.plain(list(index))) if isinstance(index, tuple) else core.plain(index)
        found = self.value[index]
        return remember_slice(found, self, index)

    def scatter_update(self, sparse_delta: Any, use_locking: Any = False, name: Any = None) -> "Variable":
        """Set the rows of `IndexedSlices`; returns the variable."""
        return self._changed(sparse_delta.indices, "set", sparse_delta.values)

    def scatter_add(self, sparse_delta: Any, use_locking: Any = False, name: Any = None) -> "Variable":
        """Add to the rows of `IndexedSlices`; returns the variable."""
        return self._changed(sparse_delta.indices, "add", sparse_delta.values)

    def scatter_sub(self, sparse_delta: Any, use_locking: Any = False, name: Any = None) -> "Variable":
        """Subtract from the rows of `IndexedSlices`; returns the variable."""
        return self._changed(sparse_delta.indices, "add", -jnp.asarray(sparse_delta.values))

    def scatter_max(self, sparse_delta: Any, use_locking: Any = False, name: Any = None) -> "Variable":
        """Take the larger of the rows and `IndexedSlices`; returns the variable."""
        return self._changed(sparse_delta.indices, "max", sparse_delta.values)

    def scatter_min(self, sparse_delta: Any, use_locking: Any = False, name: Any = None) -> "Variable":
        """Take the smaller of the rows and `IndexedSlices`; returns the variable."""
        return self._changed(sparse_delta.indices, "min", sparse_delta.values)

    def scatter_mul(self, sparse_delta: Any, use_locking: Any = False, name: Any = None) -> "Variable":
        """Multiply the rows by `IndexedSlices`; returns the variable."""
        return self._changed(sparse_delta.indices, "multiply", sparse_delta.values)

    def scatter_div(self, sparse_delta: Any, use_locking: Any = False, name: Any = None) -> "Variable":
        """Divide the rows by `IndexedSlices`; returns the variable."""
        return self._changed(sparse_delta.indices, "divide", sparse_delta.values)

    def scatter_nd_update(self, indices: Any, updates: Any, name: Any = None) -> "Variable":
        """Set entries: each row of `indices` is the place of one; returns the variable."""
        return self._changed(_places(indices), "set", updates)

    def scatter_nd_add(self, indices: Any, updates: Any, name: Any = None) -> "Variable":
        """Add to entries: each row of `indices` is the place of one; returns the variable."""
        return self._changed(_places(indices), "add", updates)

    def scatter_nd_sub(self, indices: Any, updates: Any, name: Any = None) -> "Variable":
        """Subtract from entries: each row of `indices` is the place of one; returns the variable."""
        return self._changed(_places(indices), "add", -jnp.asarray(updates))

    def sparse_read(self, indices: Any, name: Any = None) -> jax.Array:
        """Return rows."""
        return self.value[jnp.asarray(indices)]

    def gather_nd(self, indices: Any, name: Any = None) -> jax.Array:
        """Return entries: each row of `indices` is the place of one."""
        return self.value[_places(indices)]

    def __repr__(self) -> str:
        return f"<tf.Variable '{self.name}' shape={self.shape} dtype={self._form.dtype.name}, {text_of(self._value)}>"

    def __str__(self) -> str:
        return repr(self)

    __hash__ = object.__hash__


def _places(indices: Any) -> tuple[jax.Array, ...]:
    indices = jnp.asarray(indices)
    return tuple(jnp.moveaxis(indices, -1, 0))


def _default_dtype(value: Any) -> str | None:
    kind = np.asarray(value).dtype.kind
    return {"f": "float32", "i": "int32", "b": "bool"}.get(kind)
