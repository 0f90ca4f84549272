"""Layers and functions that merge several tensors into one."""

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
    """The base of merging layers: checks that the inputs fit, gives them one rank, and merges.

    An input of lower rank gets axes of size 1 after the batch axis; then all are broadcast. The result is masked only
    where all inputs are, and has no mask if some input has none.

    A subclass defines ``merge(arrays, masks)``:

    >>> import numpy as np
    >>> class SumOfSquares(Merge):
    ...     def merge(self, arrays, masks):
    ...         return sum(array**2 for array in arrays)
    >>> SumOfSquares()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
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
                    f"({sorted(sizes)}), and only a size of 1 is broadcast."
                )

    def _checked(self, input_shape: Any) -> list[tuple]:
        if is_shape(input_shape) or not isinstance(input_shape, (list, tuple)) or not input_shape:
            raise ValueError(
                f"{type(self).__name__} takes a list of tensors, such as {type(self).__name__}()([a, b]); got "
                f"a single tensor of shape {input_shape}."
            )
        return [tuple(shape) for shape in input_shape]

    def _check_batches(self, shapes: list[tuple]) -> None:
        if len({shape[0] for shape in shapes if shape} - {None}) > 1:
            raise ValueError(f"{type(self).__name__} cannot merge inputs of different batch sizes: shapes {shapes}.")

    def call(self, inputs: Sequence[jax.Array]) -> jax.Array:
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"{type(self).__name__} takes a list of tensors; got a single tensor.")
        rank = max(array.ndim for array in inputs)
        return self.merge([_raised(array, rank) for array in inputs], [_raised_mask(a, rank) for a in inputs])

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        """Return one array from several of the same rank; masks are None or have that rank too."""
        raise NotImplementedError(f"{type(self).__name__} has no merge() method.")

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return True where some input is unmasked, or None if some input has no mask."""
        if not isinstance(previous_mask, (list, tuple)) or any(mask is None for mask in previous_mask):
            return None
        return functools.reduce(jnp.logical_or, previous_mask)


def _raised(array: jax.Array, rank: int) -> jax.Array:
    return (
        array if array.ndim == rank else array.reshape(array.shape[:1] + (1,) * (rank - array.ndim) + array.shape[1:])
    )


def _raised_mask(array: jax.Array, rank: int) -> jax.Array | None:
    """Return the mask of `array` with its axes of size 1 added, reshaped like the array; None without a mask."""
    mask = get_mask(array)
    if mask is None:
        return None
    return _raised(mask.reshape(mask.shape + (1,) * (array.ndim - mask.ndim)), rank)


@registry.LAYERS.add()
class Add(Merge):
    """Add the inputs element by element.

    Args:
        **kwargs: Arguments of `Layer`.

    Shapes:
        A list of inputs ``(batch, ...)`` that broadcast to one shape; the output has that shape.

    Raises:
        ValueError: The inputs are not a list, or their shapes do not broadcast.

    Follows https://keras.io/api/layers/merging_layers/add/

    >>> import numpy as np
    >>> Add()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """

    keeps_rows_apart = keeps_steps_apart = True

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        return functools.reduce(operator.add, arrays)


@registry.LAYERS.add()
class Subtract(Merge):
    """Subtract the second input from the first, element by element.

    Shapes and errors as in `Add`; ValueError if there are not exactly two inputs.

    Follows https://keras.io/api/layers/merging_layers/subtract/

    >>> import numpy as np
    >>> Subtract()([np.array([[3.0, 5.0]]), np.array([[1.0, 2.0]])]).tolist()
    [[2.0, 3.0]]
    """

    keeps_rows_apart = keeps_steps_apart = True

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(f"Subtract takes two inputs; got {len(input_shape)}.")

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        return arrays[0] - arrays[1]


@registry.LAYERS.add()
class Multiply(Merge):
    """Multiply the inputs element by element.

    Masked elements count as 1; if all inputs have masks, the product is 0 where all are masked. Shapes and errors as in
    `Add`.

    Follows https://keras.io/api/layers/merging_layers/multiply/

    >>> import numpy as np
    >>> Multiply()([np.array([[3.0, 5.0]]), np.array([[1.0, 2.0]])]).tolist()
    [[3.0, 10.0]]
    """

    keeps_rows_apart = keeps_steps_apart = True

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
    """Average the inputs element by element. Shapes and errors as in `Add`.

    Follows https://keras.io/api/layers/merging_layers/average/

    >>> import numpy as np
    >>> Average()([np.array([[3.0, 5.0]]), np.array([[1.0, 2.0]])]).tolist()
    [[2.0, 3.5]]
    """

    keeps_rows_apart = keeps_steps_apart = True

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        return functools.reduce(operator.add, arrays) / len(arrays)


@registry.LAYERS.add()
class Maximum(Merge):
    """Take the largest input element by element; elements masked in one input are taken from the others.

    Shapes and errors as in `Add`.

    Follows https://keras.io/api/layers/merging_layers/maximum/

    >>> import numpy as np
    >>> Maximum()([np.array([[3.0, 5.0]]), np.array([[4.0, 2.0]])]).tolist()
    [[4.0, 5.0]]
    """

    keeps_rows_apart = keeps_steps_apart = True

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        return _reduce_unmasked(jnp.maximum, arrays, masks)


@registry.LAYERS.add()
class Minimum(Merge):
    """Take the smallest input element by element; elements masked in one input are taken from the others.

    Shapes and errors as in `Add`.

    Follows https://keras.io/api/layers/merging_layers/minimum/

    >>> import numpy as np
    >>> Minimum()([np.array([[3.0, 5.0]]), np.array([[4.0, 2.0]])]).tolist()
    [[3.0, 2.0]]
    """

    keeps_rows_apart = keeps_steps_apart = True

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        return _reduce_unmasked(jnp.minimum, arrays, masks)


def _reduce_unmasked(function: Callable, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
    """Combine arrays two by two; if only one of two elements is unmasked, it alone counts."""
    result, known = arrays[0], masks[0]
    for array, mask in zip(arrays[1:], masks[1:], strict=True):
        array = array if mask is None else jnp.where(mask, array, result)
        result = result if known is None else jnp.where(known, result, array)
        known = None if mask is None or known is None else mask | known
        result = function(result, array)
    return result


@registry.LAYERS.add()
class Concatenate(Merge):
    """Join the inputs along an axis.

    Args:
        axis: The axis to join along.
        **kwargs: Arguments of `Layer`.

    Shapes:
        A list of inputs of the same rank, equal in all axes but `axis`; the output's `axis` is the sum of theirs.

    Raises:
        ValueError: The inputs do not have `axis`, or differ in another axis.

    Follows https://keras.io/api/layers/merging_layers/concatenate/

    >>> import numpy as np
    >>> Concatenate()([np.ones((2, 3)), np.ones((2, 4))]).shape
    (2, 7)
    """

    keeps_rows_apart = keeps_steps_apart = True

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
                f"Concatenate along axis {self.axis} needs inputs that are equal in all other axes; got "
                f"shapes {shapes}."
            )

    def merge(self, arrays: list[jax.Array], masks: list[jax.Array | None]) -> jax.Array:
        return jnp.concatenate(arrays, axis=self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the joined masks, all True for inputs that have none."""
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
    """Compute dot products of two inputs, sample by sample.

    Args:
        axes: The axis of each input to sum over, as a pair; an integer stands for the same axis of both.
        normalize: Whether to scale both inputs to length 1 along their axis, which gives cosine similarity.
        **kwargs: Arguments of `Layer`.

    Shapes:
        The remaining axes of the first input, then those of the second: ``(batch, 3, 5)`` and ``(batch, 10, 3)`` with
        ``axes=(1, 2)`` give ``(batch, 5, 10)``. Two inputs ``(batch, n)`` give ``(batch, 1)``.

    Raises:
        ValueError: `axes` names the batch axis or a missing one, or the sizes along it differ.

    Follows https://keras.io/api/layers/merging_layers/dot/

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
                f"Dot: `axes` must be an axis, or one for each of the two inputs, such as (1, 2); got {axes!r}."
            )
        self.axes = axes
        self.normalize = normalize

    def _axes_in(self, shapes: Sequence[tuple]) -> list[int]:
        """Return the axis of each input, counted from the front; ValueError for the batch axis or a missing one."""
        given = self.axes if isinstance(self.axes, (list, tuple)) else (self.axes, self.axes)
        for axis, shape in zip(given, shapes, strict=True):
            if not -len(shape) < axis < len(shape) or axis == 0:
                raise ValueError(f"Dot: axis {axis} of an input of shape {shape} is the batch axis or does not exist.")
        return [axis % len(shape) for axis, shape in zip(given, shapes, strict=True)]

    def build(self, input_shape: Any) -> None:
        shapes = self._checked(input_shape)
        if len(shapes) != 2:
            raise ValueError(f"Dot takes two inputs; got {len(shapes)}.")
        self._check_batches(shapes)
        first, second = self._axes_in(shapes)
        if len({shapes[0][first], shapes[1][second]} - {None}) > 1:
            raise ValueError(
                f"Dot along axes {(first, second)} needs both to have the same size; the inputs have shapes {shapes}."
            )

    def call(self, inputs: Sequence[jax.Array]) -> jax.Array:
        dtype = jnp.result_type(*inputs)
        arrays = [array.astype(dtype) for array in inputs]
        axes = self._axes_in([array.shape for array in arrays])
        if self.normalize:
            arrays = [normalize(array, axis) for array, axis in zip(arrays, axes, strict=True)]
        # (batch, axes of the first input but its summed one, axes of the second but its summed one)
        products = jax.lax.dot_general(arrays[0], arrays[1], (([axes[0]], [axes[1]]), ([0], [0])))
        return products[:, None] if products.ndim == 1 else products  # at least (batch, 1)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Return None: the axis that was masked is summed over."""


@registry.LAYERS.add()
class CustomScaleLayer(Layer):
    """Add the second input, scaled, to the first.

    Args:
        scale: Factor on the second input.
        **kwargs: Arguments of `Layer`.

    Shapes:
        A list of two inputs ``(batch, ...)`` that broadcast to one shape; the output has that shape.

    Follows https://arxiv.org/abs/1602.07261; files of InceptionResNetV2 have it under this name.

    >>> import numpy as np
    >>> CustomScaleLayer(0.5)([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[1.5, 1.5]]
    """

    keeps_rows_apart = keeps_steps_apart = True
    keras_module = "keras.src.applications.inception_resnet_v2"

    def __init__(self, scale: float, **kwargs: Unpack[LayerOptions]) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: list[jax.Array]) -> jax.Array:
        base, change = inputs
        return base + change * self.scale


def add(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the sum of the inputs, as `Add` does."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the first input minus the second, as `Subtract` does."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the product of the inputs, as `Multiply` does."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the mean of the inputs, as `Average` does."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the largest input element by element, as `Maximum` does."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the smallest input element by element, as `Minimum` does."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """Return the inputs joined along `axis`, as `Concatenate` does."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Sequence[Any], axes: int | Sequence[int] = -1, normalize: bool = False, **kwargs: Any) -> Any:
    """Return the dot products of two inputs along `axes`, as `Dot` does."""
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
