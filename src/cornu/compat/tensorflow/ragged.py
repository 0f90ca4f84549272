"""``tf.RaggedTensor``: rows of different lengths, with the common functions of ``tf.ragged``.

Follows https://www.tensorflow.org/guide/ragged_tensor
"""

import functools
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow import strings
from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.dtypes import as_dtype
from cornu.compat.tensorflow.strings import text_tensor
from cornu.compat.tensorflow.tensors import TensorShape
from cornu.core.object_arrays import object_array
from cornu.core.text import holds_text
from cornu.core.variable import plain
from cornu.data.arrangements import grouped, number_of_batches
from cornu.data.dataset import Dataset, EagerArray
from cornu.layers import host


def _tensor(given: Any) -> Any:
    if isinstance(given, RaggedTensor):
        return given
    is_text = getattr(getattr(given, "dtype", None), "kind", "") == "O" or holds_text(given)  # also without rows
    return text_tensor(given) if is_text else jnp.asarray(plain(given))


def _lengths(splits: Any) -> np.ndarray:
    return np.diff(np.asarray(splits))


@jax.tree_util.register_pytree_node_class
class RaggedTensor:
    """Values in rows: row `i` has ``values[row_splits[i]:row_splits[i + 1]]``. Values may be ragged again.

    >>> rows = RaggedTensor.from_row_lengths([1, 2, 3], [2, 1])
    >>> rows.to_list(), rows.to_tensor().tolist(), (rows * 2).to_list()
    ([[1, 2], [3]], [[1, 2], [3, 0]], [[2, 4], [6]])
    """

    __array_priority__ = 100

    def __init__(self, values: Any, row_splits: Any) -> None:
        self.values = _tensor(values)
        self.row_splits = on_host(row_splits).astype(np.int32).view(EagerArray)

    def tree_flatten(self) -> tuple:
        """Return its values, and what it is without them."""
        return (self.values,), tuple(self.row_splits.tolist())

    @classmethod
    def tree_unflatten(cls, splits: tuple, values: Any) -> "RaggedTensor":
        """Return the tensor with these values."""
        made = object.__new__(cls)
        (made.values,), made.row_splits = values, np.array(splits, np.int32).view(EagerArray)
        return made

    # ---- how it is made

    @classmethod
    def from_row_splits(cls, values: Any, row_splits: Any, name: Any = None, validate: bool = True) -> "RaggedTensor":
        """Return rows that begin and end at `row_splits`."""
        return cls(values, plain(row_splits))

    @classmethod
    def from_row_lengths(cls, values: Any, row_lengths: Any, name: Any = None, validate: bool = True) -> "RaggedTensor":
        """Return rows of these lengths."""
        return cls(values, np.concatenate([[0], np.cumsum(on_host(row_lengths))]).astype(int))

    @classmethod
    def from_value_rowids(
        cls, values: Any, value_rowids: Any, nrows: Any = None, name: Any = None, validate: bool = True
    ) -> "RaggedTensor":
        """Return rows of the values with the same number."""
        rows = on_host(value_rowids)
        return cls.from_row_lengths(values, np.bincount(rows, minlength=0 if nrows is None else int(nrows)))

    @classmethod
    def from_row_starts(cls, values: Any, row_starts: Any, name: Any = None, validate: bool = True) -> "RaggedTensor":
        """Return rows that begin at these places."""
        values = _tensor(values)
        return cls(values, np.concatenate([on_host(row_starts), [len(values)]]))

    @classmethod
    def from_row_limits(cls, values: Any, row_limits: Any, name: Any = None, validate: bool = True) -> "RaggedTensor":
        """Return rows that end at these places."""
        return cls(values, np.concatenate([[0], on_host(row_limits)]))

    @classmethod
    def from_uniform_row_length(
        cls, values: Any, uniform_row_length: int, nrows: Any = None, name: Any = None, validate: bool = True
    ) -> "RaggedTensor":
        """Return rows of one length."""
        values = _tensor(values)
        return cls(values, np.arange(0, len(values) + 1, int(uniform_row_length)))

    @classmethod
    def from_tensor(
        cls, tensor: Any, lengths: Any = None, padding: Any = None, ragged_rank: int = 1, name: Any = None, **_: Any
    ) -> "RaggedTensor":
        """Return the rows of a tensor, up to `lengths`, or without the `padding` at their ends."""
        rows = _tensor(tensor)
        if lengths is None:
            real = np.ones(tuple(rows.shape[:2]), bool) if padding is None else on_host(rows) != on_host(padding)
            real = real.reshape(*rows.shape[:2], -1).any(-1)
            lengths = [int(np.max(np.flatnonzero(row), initial=-1)) + 1 for row in real]
        sizes = [int(size) for size in on_host(lengths)]
        return cls.from_row_lengths(_joined([row[:size] for row, size in zip(rows, sizes, strict=True)]), sizes)

    # ---- what it is

    @property
    def dtype(self) -> Any:
        """The dtype of the values."""
        return as_dtype(self.flat_values.dtype)

    @property
    def flat_values(self) -> Any:
        """The values without rows."""
        return self.values.flat_values if isinstance(self.values, RaggedTensor) else self.values

    @property
    def nested_row_splits(self) -> tuple:
        """The places where rows begin and end, of each ragged axis."""
        inner = self.values.nested_row_splits if isinstance(self.values, RaggedTensor) else ()
        return (self.row_splits, *inner)

    @property
    def ragged_rank(self) -> int:
        """The number of ragged axes."""
        return len(self.nested_row_splits)

    @property
    def shape(self) -> TensorShape:
        """The shape, with None for the ragged axes."""
        return TensorShape([len(self), None, *self.values.shape[1:]])

    def get_shape(self) -> TensorShape:
        """Return the shape."""
        return self.shape

    def nrows(self, out_type: Any = None, name: Any = None) -> Any:
        """Return the number of rows."""
        return np.array(len(self), np.int32).view(EagerArray)

    def row_lengths(self, axis: int = 1, name: Any = None) -> Any:
        """Return the lengths of the rows."""
        if axis == 1:
            return _lengths(self.row_splits).view(EagerArray)
        return RaggedTensor(self.values.row_lengths(axis - 1), self.row_splits)

    def row_starts(self, name: Any = None) -> jax.Array:
        """Return where the rows begin."""
        return self.row_splits[:-1]

    def row_limits(self, name: Any = None) -> jax.Array:
        """Return where the rows end."""
        return self.row_splits[1:]

    def value_rowids(self, name: Any = None) -> Any:
        """Return the row of each value."""
        return np.repeat(np.arange(len(self)), _lengths(self.row_splits)).astype(np.int32).view(EagerArray)

    def bounding_shape(self, axis: Any = None, name: Any = None, out_type: Any = None) -> Any:
        """Return the shape that `to_tensor` has."""
        found = np.array(np.shape(self.to_tensor()), np.int32).view(EagerArray)
        return found if axis is None else found[axis]

    def __len__(self) -> int:
        return len(self.row_splits) - 1

    def __iter__(self) -> Iterator:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        splits = np.asarray(self.row_splits)
        if isinstance(key, tuple):
            if key and key[0] is Ellipsis:
                rank = np.ndim(self.flat_values) + self.ragged_rank
                key = (*[slice(None)] * (rank - len(key) + 1), *key[1:])
            row, *rest = key
            if isinstance(row, slice):
                return stack([one[tuple(rest)] for one in self[row]])
            return self[row][tuple(rest)]
        if isinstance(key, slice):
            return _rows(self, range(*key.indices(len(self))))
        row = range(len(self))[int(plain(key))]
        return self.values[int(splits[row]) : int(splits[row + 1])]

    # ---- what it becomes

    def to_list(self) -> list:
        """Return nested lists."""
        return [one.to_list() if isinstance(one, RaggedTensor) else _plainly(one) for one in self]

    def numpy(self) -> np.ndarray:
        """Return an array of rows: of objects if they have different lengths."""
        rows = [np.asarray(one.numpy() if hasattr(one, "numpy") else one) for one in self]
        if len({row.shape for row in rows}) == 1 and rows[0].dtype != object:
            return np.stack(rows)
        return object_array(rows)

    def to_tensor(self, default_value: Any = None, name: Any = None, shape: Any = None) -> Any:
        """Return rows filled up at their ends with `default_value` (0, ``""``) to one length, or cut to `shape`."""
        wanted = None if shape is None else [None if size is None else int(size) for size in shape]
        rows: Any = list(self)
        if isinstance(self.values, RaggedTensor):
            inner: Any = np.max([np.shape(one.to_tensor()) for one in rows], 0, initial=0)
            inner = [int(a if b is None else b) for a, b in zip(inner, wanted[1:] if wanted else inner, strict=True)]
            rows = [one.to_tensor(default_value, shape=[None, *inner[1:]]) for one in rows]
        length = int(np.max([len(one) for one in rows], initial=0))
        length = length if wanted is None or wanted[1] is None else wanted[1]
        is_text = self.flat_values.dtype.kind == "O"
        fill = ("" if is_text else 0) if default_value is None else plain(default_value)
        rows = [one[:length] for one in rows]
        if is_text:
            found = np.full((len(rows), length, *np.shape(self.flat_values)[1:]), fill, object)
            for at, one in enumerate(rows):
                found[at, : len(one)] = np.asarray(one)
            return text_tensor(found)
        margins = [(0, 0)] * (np.ndim(self.flat_values) - 1 + self.ragged_rank - 1)
        padded = [jnp.pad(one, [(0, length - len(one)), *margins], constant_values=fill) for one in rows]
        return jnp.stack(padded) if padded else jnp.zeros((0, length), self.flat_values.dtype)

    def with_values(self, new_values: Any) -> "RaggedTensor":
        """Return the same rows of other values."""
        return RaggedTensor(new_values, self.row_splits)

    def with_flat_values(self, new_values: Any) -> "RaggedTensor":
        """Return the same rows, at any depth, of other values."""
        inner = self.values.with_flat_values(new_values) if isinstance(self.values, RaggedTensor) else new_values
        return RaggedTensor(inner, self.row_splits)

    def merge_dims(self, outer_axis: int, inner_axis: int) -> Any:
        """Return the tensor with the first axes joined."""
        if outer_axis:
            return self.with_values(self.values.merge_dims(outer_axis - 1, inner_axis - 1))
        found = self.values
        for _ in range(inner_axis - 1):
            found = found.values
        return found

    def __repr__(self) -> str:
        return f"<tf.RaggedTensor {self.to_list()}>"


def _plainly(one: Any) -> list:
    return np.asarray(one.numpy() if hasattr(one, "numpy") else one).tolist()


def _elementwise(compute: Callable, swapped: bool) -> Callable:
    def apply(self: RaggedTensor, other: Any) -> RaggedTensor:
        if isinstance(other, RaggedTensor):
            right = other.flat_values
        else:
            right = jnp.asarray(plain(other)) if not holds_text(other) else text_tensor(other)
            if right.ndim > 1 or (right.ndim == 1 and len(right) == len(self) and len(right) > 1):
                right = right.reshape(len(self), -1)[np.asarray(self.value_rowids()), 0]
        left = self.flat_values
        return self.with_flat_values(compute(right, left) if swapped else compute(left, right))

    return apply


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(RaggedTensor, f"__{_name}__", _elementwise(getattr(operator, _name), False))
    setattr(RaggedTensor, f"__r{_name}__", _elementwise(getattr(operator, _name), True))
for _name in ("gt", "ge", "lt", "le"):
    setattr(RaggedTensor, f"__{_name}__", _elementwise(getattr(operator, _name), False))
setattr(RaggedTensor, "__neg__", lambda self: self.with_flat_values(-self.flat_values))  # noqa: B010


# ---- tf.ragged


def constant(pylist: Any, dtype: Any = None, ragged_rank: Any = None, inner_shape: Any = None, **_: Any) -> Any:
    """Return nested lists as a tensor with rows of different lengths.

    >>> constant([[1, 2], [], [3]]).row_splits.tolist()
    [0, 2, 2, 3]
    """
    if not any(isinstance(one, (list, tuple, np.ndarray)) for one in pylist):
        return _values(list(pylist), dtype)
    flat = [value for row in pylist for value in row]
    lengths = [len(row) for row in pylist]
    is_deeper = any(isinstance(value, (list, tuple, np.ndarray)) for value in flat)
    values = constant(flat, dtype) if is_deeper else _values(flat, dtype)
    return RaggedTensor.from_row_lengths(values, lengths)


def _values(flat: list, dtype: Any) -> Any:
    if holds_text(flat):
        return text_tensor(flat)
    array = np.array(flat, None if dtype is None else str(dtype)) if flat else np.zeros(0, str(dtype or "float32"))
    return jnp.asarray(array)


def _rows(ragged: RaggedTensor, rows: Sequence[int]) -> RaggedTensor:
    splits, lengths = np.asarray(ragged.row_splits), _lengths(ragged.row_splits)
    places = [np.arange(splits[row], splits[row + 1]) for row in rows]
    flat = np.concatenate([np.zeros(0, int), *places]).astype(int)
    values = _rows(ragged.values, flat.tolist()) if isinstance(ragged.values, RaggedTensor) else ragged.values[flat]
    return RaggedTensor.from_row_lengths(values, lengths[list(rows)])


def stack(values: Any, axis: int = 0, name: Any = None) -> RaggedTensor:
    """Return tensors as rows. ValueError for another axis than 0."""
    if axis:
        raise ValueError(f"tf.ragged.stack: axis must be 0; got {axis}.")
    rows = [_tensor(one) for one in values]
    return RaggedTensor.from_row_lengths(_joined(rows), [len(one) for one in rows])


def _joined(parts: Sequence[Any]) -> Any:
    if any(isinstance(one, RaggedTensor) for one in parts):
        lengths = np.concatenate([_lengths(one.row_splits) for one in parts])
        return RaggedTensor.from_row_lengths(_joined([one.values for one in parts]), lengths)
    if any(getattr(one.dtype, "kind", "") == "O" for one in parts):
        return text_tensor(np.concatenate([np.asarray(one) for one in parts]))
    return jnp.concatenate([jnp.asarray(one) for one in parts])


def concat(values: Any, axis: int) -> RaggedTensor:
    """Return ragged tensors joined along the first or the second axis."""
    parts = [one if isinstance(one, RaggedTensor) else RaggedTensor.from_tensor(one) for one in values]
    if axis == 0:
        return _joined(parts)
    rows = [_joined(row) for row in zip(*parts, strict=True)]
    return RaggedTensor.from_row_lengths(_joined(rows), [len(row) for row in rows])


def range_(starts: Any, limits: Any = None, deltas: Any = 1, dtype: Any = None, name: Any = None, **_: Any) -> Any:
    """Return rows of numbers: from 0 or `starts` to `limits`."""
    low, high = (0, starts) if limits is None else (starts, limits)
    low, high, step = np.broadcast_arrays(*(on_host(one) for one in (low, high, deltas)))
    return constant([np.arange(*one).tolist() for one in zip(low.ravel(), high.ravel(), step.ravel(), strict=True)])


def boolean_mask(data: Any, mask: Any, name: Any = None) -> RaggedTensor:
    """Return rows without the entries where a mask is false."""
    rows, masks = ((one.to_list() if isinstance(one, RaggedTensor) else _plainly(_tensor(one))) for one in (data, mask))
    return constant([[v for v, keeps in zip(r, m, strict=True) if keeps] for r, m in zip(rows, masks, strict=True)])


def map_flat_values(op: Callable, *args: Any, **kwargs: Any) -> RaggedTensor:
    """Return the same rows with a function of their values."""
    form = next(one for one in (*args, *kwargs.values()) if isinstance(one, RaggedTensor))
    flat = lambda one: one.flat_values if isinstance(one, RaggedTensor) else one  # noqa: E731
    return form.with_flat_values(op(*map(flat, args), **{key: flat(one) for key, one in kwargs.items()}))


def _reduced(name: str) -> Callable:
    """Return a reduction over the second axis, or over all values."""

    def reduce(input_tensor: RaggedTensor, axis: Any = None, keepdims: bool = False, name: Any = None) -> Any:
        if axis is None:
            return whole(input_tensor.flat_values)
        rows = input_tensor.value_rowids()
        found = by_row(input_tensor.values, rows, len(input_tensor))
        return found[:, None] if keepdims else found

    whole = getattr(jnp, name)
    if name == "mean":

        def by_row(values: Any, rows: Any, count: int) -> Any:
            sizes = jax.ops.segment_sum(jnp.ones(len(rows), values.dtype), rows, count)
            return jax.ops.segment_sum(values, rows, count) / sizes.reshape(-1, *(1,) * (values.ndim - 1))
    else:
        by_row = getattr(jax.ops, f"segment_{name}")
    return reduce


strings.make_rows = constant

ON_RAGGED: dict[str, Callable] = {
    **{f"reduce_{name}": _reduced(name) for name in ("sum", "mean", "max", "min", "prod")},
    "concat": lambda values, axis, name=None: concat(values, int(axis)),
    "gather": lambda params, indices, validate_indices=None, axis=0, batch_dims=0, name=None: _rows(
        params, on_host(indices).ravel().tolist()
    ),
    "identity": lambda input, name=None: input,
    "convert_to_tensor": lambda value, dtype=None, dtype_hint=None, name=None: value,
    "rank": lambda input, name=None: input.flat_values.ndim + input.ragged_rank,
}
#: Functions of each value: the same rows come back.
EACH = (
    "abs add cast ceil clip_by_value cos divide equal exp floor floordiv greater greater_equal less less_equal "
    "logical_not maximum minimum mod multiply negative not_equal ones_like pow round sign sin sqrt square subtract "
    "tanh truediv zeros_like"
)


def _slices(from_arrays: Callable) -> Callable:
    """Return `Dataset.from_tensor_slices` for structures with ragged tensors, whose rows are the elements."""

    @functools.wraps(from_arrays)
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        if isinstance(tensors, RaggedTensor):
            return Dataset.of_list(list(tensors))
        if isinstance(tensors, tuple) and any(isinstance(one, RaggedTensor) for one in tensors):
            return Dataset.zip(tuple(map(from_tensor_slices, tensors)))
        return from_arrays(tensors, name)

    return from_tensor_slices


def ragged_batch(
    self: Dataset, batch_size: int, drop_remainder: bool = False, row_splits_dtype: Any = None, name: Any = None
) -> Dataset:
    """Return batches of elements of different lengths as ragged tensors; scalars become ordinary arrays."""
    size = int(batch_size)

    def batch(*rows: Any) -> Any:
        parts = [_tensor(one) for one in rows]
        return jnp.stack(parts) if not isinstance(parts[0], RaggedTensor) and not parts[0].ndim else stack(parts)

    def iterate(draws: Any) -> Iterator:
        for rows in grouped(self._pass(draws), size, drop_remainder):
            yield jax.tree.map(batch, *rows, is_leaf=lambda one: isinstance(one, RaggedTensor))

    return self._then(
        iterate,
        number_of_batches(self._size, size, drop_remainder),
    )


def take_ragged_inputs(load: Callable[[], Any]) -> None:
    """Let ``Input(ragged=True)`` and models take ragged tensors; `load` imports `ragged_inputs`, which needs layers."""

    def dense(model: Any, x: Any) -> Any:
        parts = x.values() if isinstance(x, dict) else x if isinstance(x, (list, tuple)) else (x,)
        return load().dense(model, x) if any(isinstance(one, RaggedTensor) for one in parts) else x

    host.ragged_input, host.dense_rows = lambda tensor: load().start(tensor), dense


def install() -> None:
    """Let data sets be made of ragged tensors and batched to them, and layers return them."""
    Dataset.ragged_batch = ragged_batch  # type: ignore[attr-defined]
    host.ragged_output = lambda values, lengths: RaggedTensor.from_row_lengths(values, lengths)
    Dataset.from_tensor_slices = staticmethod(_slices(Dataset.from_tensor_slices))  # type: ignore[method-assign]
