"""Layers and functions that make one tensor of several."""

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import registry
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.core.scope import get_mask
from cornu.core.shapes import is_shape
from cornu.ops.normalization import normalize


class Merge(Layer):
    """The base of the merging layers: checks that the inputs fit, gives all the same rank, and merges.

    An input of lower rank gets axes of size 1 behind the batch axis, then all are broadcast. The mask of the result is
    True where that of some input is; there is none where one input has none.
    """

    supports_masking = True

    def build(self, input_shape: Any) -> None:
        shapes = self._checked(input_shape)
        self._check_batches(shapes)
        rank = max(map(len, shapes))
        aligned = [(*shape[:1], *(1,) * (rank - len(shape)), *shape[1:]) for shape in shapes]
        for axis in range(1, rank):
            sizes = {shape[axis] for shape in aligned} - {None, 1}
            if len(sizes) > 1:
                raise ValueError(
                    f"{type(self).__name__} cannot merge inputs of shapes {shapes}: their sizes differ "
                    f"({sorted(sizes)}), and only a size of 1 is spread over the others' size."
                )

    def _checked(self, input_shape: Any) -> list[tuple]:
        if is_shape(input_shape) or not isinstance(input_shape, (list, tuple)) or not input_shape:
            raise ValueError(
                f"{type(self).__name__} takes a list of tensors, such as {type(self).__name__}()([a, b]); it was "
                f"called with one of shape {input_shape}."
            )
        return [tuple(shape) for shape in input_shape]

    def _check_batches(self, shapes: list[tuple]) -> None:
        if len({shape[0] for shape in shapes if shape} - {None}) > 1:
            raise ValueError(f"{type(self).__name__} cannot merge inputs of different batch sizes: shapes {shapes}.")

    def call(self, inputs: Sequence[jax.Array]) -> jax.Array:
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"{type(self).__name__} takes a list of tensors; it was called with one.")
        rank = max(array.ndim for array in inputs)
        return self.merge([_raised(array, rank) for array in inputs], [_raised_mask(a, rank) for a in inputs])

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        """Return one array of several of the same rank; masks have that rank too."""
        raise NotImplementedError(f"{type(self).__name__} has no merge() method.")

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return True where the mask of some input is, and None where some input has no mask."""
        if not isinstance(previous_mask, (list, tuple)) or any(mask is None for mask in previous_mask):
            return None
        return functools.reduce(jnp.logical_or, previous_mask)


def _raised(array: jax.Array, rank: int) -> jax.Array:
    return (
        array if array.ndim == rank else array.reshape(array.shape[:1] + (1,) * (rank - array.ndim) + array.shape[1:])
    )


def _raised_mask(array: jax.Array, rank: int) -> jax.Array | None:
    """Return the mask that travels with `array`, with the array's own axes behind it, raised like the array."""
    mask = get_mask(array)
    if mask is None:
        return None
    return _raised(mask.reshape(mask.shape + (1,) * (array.ndim - mask.ndim)), rank)


@registry.LAYERS.add()
class Add(Merge):
    """The sum of the inputs. Follows https://keras.io/api/layers/merging_layers/add/

    >>> import numpy as np
    >>> Add()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """

    keeps_rows_apart = True

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        return functools.reduce(operator.add, arrays)


@registry.LAYERS.add()
class Subtract(Merge):
    """The first input less the second. Follows https://keras.io/api/layers/merging_layers/subtract/"""

    keeps_rows_apart = True

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(f"Subtract takes two inputs; it was called with {len(input_shape)}.")

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        return arrays[0] - arrays[1]


@registry.LAYERS.add()
class Multiply(Merge):
    """The product of the inputs. Follows https://keras.io/api/layers/merging_layers/multiply/

    What is masked counts as 1; where all inputs have masks and all are masked, the product is 0.
    """

    keeps_rows_apart = True

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        product = functools.reduce(operator.mul, map(functools.partial(_masked_to, 1), arrays, masks))
        if any(mask is None for mask in masks):
            return product
        given: list[Any] = masks
        return _masked_to(0, product, functools.reduce(jnp.logical_or, given))


def _masked_to(value: float, array: jax.Array, mask: jax.Array | None) -> jax.Array:
    return array if mask is None else jnp.where(mask, array, jnp.asarray(value, array.dtype))


@registry.LAYERS.add()
class Average(Merge):
    """The mean of the inputs. Follows https://keras.io/api/layers/merging_layers/average/"""

    keeps_rows_apart = True

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        return functools.reduce(operator.add, arrays) / len(arrays)


@registry.LAYERS.add()
class Maximum(Merge):
    """The largest of the inputs, element by element; what is masked in one input gives way to the others.

    Follows https://keras.io/api/layers/merging_layers/maximum/
    """

    keeps_rows_apart = True

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        return _reduce_unmasked(jnp.maximum, arrays, masks)


@registry.LAYERS.add()
class Minimum(Merge):
    """The smallest of the inputs, element by element; what is masked in one input gives way to the others.

    Follows https://keras.io/api/layers/merging_layers/minimum/
    """

    keeps_rows_apart = True

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        return _reduce_unmasked(jnp.minimum, arrays, masks)


def _reduce_unmasked(function: Callable, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
    """Combine arrays two by two: where only one of the two is unmasked, it alone counts."""
    result, known = arrays[0], masks[0]
    for array, mask in zip(arrays[1:], masks[1:], strict=True):
        array = array if mask is None else jnp.where(mask, array, result)
        result = result if known is None else jnp.where(known, result, array)
        known = None if mask is None or known is None else mask | known
        result = function(result, array)
    return result


@registry.LAYERS.add()
class Concatenate(Merge):
    """The inputs one after the other along `axis`; all other sizes are alike.

    Follows https://keras.io/api/layers/merging_layers/concatenate/

    >>> import numpy as np
    >>> Concatenate()([np.ones((2, 3)), np.ones((2, 4))]).shape
    (2, 7)
    """

    keeps_rows_apart = True

    def __init__(self, axis: int = -1, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        shapes = self._checked(input_shape)
        rank = len(shapes[0])
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"Concatenate: axis {self.axis} is not among the {rank} axes of inputs of shapes {shapes}."
            )
        others = [axis for axis in range(rank) if axis != self.axis % rank]
        fits = all(len(shape) == rank for shape in shapes)
        if not fits or any(len({shape[axis] for shape in shapes} - {None}) > 1 for axis in others):
            raise ValueError(
                f"Concatenate along axis {self.axis} needs inputs that are alike in all other axes; it was called with "
                f"shapes {shapes}."
            )

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        return jnp.concatenate(arrays, axis=self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the masks one after the other, True for inputs that have none."""
        if not isinstance(previous_mask, (list, tuple)) or all(mask is None for mask in previous_mask):
            return None
        masks = [
            jnp.ones(array.shape, bool) if mask is None else _spread(mask, array.shape)
            for array, mask in zip(inputs, previous_mask, strict=True)
        ]
        return jnp.any(jnp.concatenate(masks, axis=self.axis), axis=-1)


def _spread(mask: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    return jnp.broadcast_to(mask.reshape(mask.shape + (1,) * (len(shape) - mask.ndim)), shape)


@registry.LAYERS.add()
class Dot(Merge):
    """The dot products of two inputs, sample by sample, along `axes`: an axis of each (one number: the same of both).

    (batch, 3, 5) and (batch, 10, 3) with axes (1, 2) give (batch, 5, 10). With `normalize`, both are scaled to length 1
    along their axis: the result is the cosine. Follows https://keras.io/api/layers/merging_layers/dot/

    >>> import numpy as np
    >>> Dot(axes=1)([np.ones((2, 3)), np.ones((2, 3))]).tolist()
    [[3.0], [3.0]]
    """

    keeps_rows_apart = True

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        each = axes if isinstance(axes, (list, tuple)) and len(axes) == 2 else [axes]
        if not all(isinstance(axis, (int, np.integer)) for axis in each):
            raise ValueError(
                f"Dot: `axes` is an axis, or one for each of the two inputs, such as (1, 2); it got {axes!r}."
            )
        self.axes = axes
        self.normalize = normalize

    def _axes_in(self, shapes: Sequence[tuple]) -> list[int]:
        """Return the axis of each input, counted from the front; ValueError for the batch axis or a missing one."""
        given = self.axes if isinstance(self.axes, (list, tuple)) else (self.axes, self.axes)
        for axis, shape in zip(given, shapes, strict=True):
            if not -len(shape) < axis < len(shape) or axis == 0:
                raise ValueError(f"Dot: axis {axis} of an input of shape {shape} is the batch axis or not there.")
        return [axis % len(shape) for axis, shape in zip(given, shapes, strict=True)]

    def build(self, input_shape: Any) -> None:
        shapes = self._checked(input_shape)
        if len(shapes) != 2:
            raise ValueError(f"Dot takes two inputs; it was called with {len(shapes)}.")
        self._check_batches(shapes)
        first, second = self._axes_in(shapes)
        if len({shapes[0][first], shapes[1][second]} - {None}) > 1:
            raise ValueError(
                f"Dot along axes {(first, second)} needs these to be of one size; the inputs have shapes {shapes}."
            )

    def call(self, inputs: Sequence[jax.Array]) -> jax.Array:
        dtype = jnp.result_type(*inputs)
        arrays = [array.astype(dtype) for array in inputs]
        axes = self._axes_in([array.shape for array in arrays])
        if self.normalize:
            arrays = [normalize(array, axis) for array, axis in zip(arrays, axes, strict=True)]
        products = jax.lax.dot_general(arrays[0], arrays[1], (([axes[0]], [axes[1]]), ([0], [0])))
        return products[:, None] if products.ndim == 1 else products

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Return None: sums over an axis have no mask."""


def add(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the sum of the inputs, as `Add`."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the first input less the second, as `Subtract`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the product of the inputs, as `Multiply`."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the mean of the inputs, as `Average`."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the largest of the inputs, element by element, as `Maximum`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the smallest of the inputs, element by element, as `Minimum`."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """Return the inputs one after the other along `axis`, as `Concatenate`."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Sequence[Any], axes: int | Sequence[int] = -1, normalize: bool = False, **kwargs: Any) -> Any:
    """Return the dot products of two inputs along `axes`, as `Dot`."""
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)


__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]
