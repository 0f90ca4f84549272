"""Standardization of features by a mean and a variance that are known beforehand or computed from data."""

import itertools
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Unpack

import jax.numpy as jnp
import numpy as np
from jax import Array

from cornu.core import registry, settings
from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.core.spellings import old_keywords
from cornu.layers.adapting import CHUNK, batches_of
from cornu.layers.argument_checks import known_size
from cornu.ops import normalization as ops


@registry.LAYERS.add()
class Normalization(Layer):
    """Subtract a mean and divide by the square root of a variance, each with one value per index of `axis`.

    Both are given, or computed by `adapt` and then kept as weights.

    Args:
        axis: Axis or axes with a mean and a variance of their own per index; None uses one of each for all numbers.
        mean, variance: Numbers, or arrays with the sizes of `axis` or of its last ones; given together or not at all.
        invert: Whether to do the opposite: multiply by the root of the variance and add the mean.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Inputs of any shape and dtype; outputs are floats of the same shape.

    Raises:
        TypeError: `axis` is not made of integers.
        ValueError: The input has no such axis or does not know its size, or `mean` and `variance` do not fit.

    Follows https://keras.io/api/layers/preprocessing_layers/numerical/normalization/

    >>> layer = Normalization()
    >>> layer.adapt(np.array([[0.0, 7.0], [2.0, 9.0]]))
    >>> layer(np.array([[0.0, 9.0]])).tolist()
    [[-1.0, 1.0]]
    """

    supports_masking = True
    keeps_rows_apart = True

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**kwargs)
        self.axis = _as_tuple(axis)
        self.input_mean, self.input_variance = _checked_statistics(mean, variance, len(self.axis))
        self.invert = invert

    def build(self, input_shape: Any) -> None:
        kept = self._kept_axes(input_shape)
        sizes = tuple(known_size(self, input_shape, axis) for axis in kept)
        self._shape = tuple(input_shape[axis] if axis in kept else 1 for axis in range(len(input_shape)))
        if self.input_mean is None:
            self.adapt_mean = self._statistic("mean", sizes, "zeros")
            self.adapt_variance = self._statistic("variance", sizes, "ones")
            self.count = self.add_weight(shape=(), initializer="zeros", dtype="int", trainable=False, name="count")
        else:
            self._mean, self._variance = self._given(self.input_mean, sizes), self._given(self.input_variance, sizes)

    def _kept_axes(self, input_shape: Sequence[int | None]) -> tuple[int, ...]:
        try:
            return ops.axes_of(self.axis, len(input_shape))
        except ValueError:
            raise ValueError(
                f"Layer {self.name!r} (Normalization) has axis={self.axis}, which an input of shape "
                f"{tuple(input_shape)} does not have."
            ) from None

    def _statistic(self, name: str, shape: tuple[int, ...], initializer: str) -> Any:
        return self.add_weight(shape=shape, initializer=initializer, trainable=False, autocast=False, name=name)

    def _given(self, values: Any, sizes: tuple[int, ...]) -> np.ndarray:
        """Return a given mean or variance with the rank of the inputs; ValueError if it does not fit their sizes."""
        array = np.asarray(values, "float64")
        try:
            return np.broadcast_to(array, sizes).reshape(self._shape)
        except ValueError:
            raise ValueError(
                f"Layer {self.name!r} (Normalization) got a mean and a variance of shape {array.shape}; along "
                f"axis={self.axis} its input has the sizes {sizes}."
            ) from None

    @old_keywords("adapt")
    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Compute mean and variance from data, replacing those of an earlier call.

        Args:
            data: An array, or an iterable of batches: a `PyDataset`, a generator, a list of arrays, a data set of
                TensorFlow's. Of tuples, the first entry counts.
            batch_size: Accepted; it changes nothing.
            steps: How many batches to take; None takes all.

        Raises:
            ValueError: There is no data, its shape does not fit, or mean and variance were given to the constructor.
            TypeError: The data are not numbers.
        """
        if self.input_mean is not None:
            raise ValueError(
                f"Layer {self.name!r} (Normalization) has the mean and the variance that it was created with; adapt() "
                "is for layers created without them."
            )
        batches = map(_numbers, itertools.islice(batches_of(data, "Normalization"), steps))
        first = next(batches, None)
        if first is None:
            raise ValueError("Normalization.adapt() got no data: there is not a single batch.")
        if not self.built:
            self.build(first.shape)
        parts = (part for batch in itertools.chain([first], batches) for part in self._parts(batch))
        mean, variance = _moments(parts, self._reduced_axes())
        broken = np.flatnonzero(~np.isfinite(mean))
        if len(broken):
            warnings.warn(
                f"Normalization.adapt() got NaN or infinite numbers: {len(broken)} of {np.size(mean)} means are not "
                f"finite, the first at place {broken[0]}, nor will be the outputs. Replace the numbers, or drop their "
                "rows.",
                UserWarning,
                stacklevel=2,
            )
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(variance)

    def _parts(self, batch: np.ndarray) -> Iterator[np.ndarray]:
        """Return a batch, or runs of its rows: they are converted to float64. ValueError for another shape."""
        kept = self._kept_axes(self._shape)
        if batch.ndim != len(self._shape) or any(batch.shape[axis] != self._shape[axis] for axis in kept):
            shape = tuple(size if axis in kept else None for axis, size in enumerate(self._shape))
            raise ValueError(f"Layer {self.name!r} (Normalization) takes data of shape {shape}; got {batch.shape}.")
        rows = CHUNK if 0 not in kept and batch.ndim else None
        starts = range(0, len(batch), CHUNK) if rows else [0]
        return (batch[start : start + CHUNK] if rows else batch for start in starts)

    def _reduced_axes(self) -> tuple[int, ...]:
        kept = self._kept_axes(self._shape)
        return tuple(axis for axis in range(len(self._shape)) if axis not in kept)

    def finalize_state(self) -> None:
        """Does nothing: calls read the mean and the variance from the weights. Keras has this method."""

    @property
    def mean(self) -> Any:
        """The mean with the rank of the inputs; None before the layer is built."""
        return self._along_inputs("mean")

    @property
    def variance(self) -> Any:
        """The variance with the rank of the inputs; None before the layer is built."""
        return self._along_inputs("variance")

    def _along_inputs(self, name: str) -> Any:
        if not self.built:
            return None
        if self.input_mean is not None:
            return jnp.asarray(vars(self)[f"_{name}"], self.compute_dtype)
        return jnp.reshape(vars(self)[f"adapt_{name}"].value, self._shape).astype(self.compute_dtype)

    def call(self, inputs: Array) -> Array:
        x = jnp.asarray(inputs, self.compute_dtype)
        deviation = jnp.maximum(jnp.sqrt(self.variance), jnp.asarray(settings.epsilon(), x.dtype))
        return self.mean + x * deviation if self.invert else (x - self.mean) / deviation

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; arrays are lists, as in Keras."""
        given = {"mean": self.input_mean, "variance": self.input_variance}
        return super().get_config() | {name: np.array(value).tolist() for name, value in given.items()}


def _as_tuple(axis: Any) -> tuple[int, ...]:
    axes = () if axis is None else tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
    if any(isinstance(one, bool) or not isinstance(one, (int, np.integer)) for one in axes):
        raise TypeError(f"Normalization: `axis` must be an integer, several, or None; got {axis!r}.")
    return tuple(map(int, axes))


def _checked_statistics(mean: Any, variance: Any, rank: int) -> tuple[Any, Any]:
    """Return mean and variance; ValueError if one is missing, their shapes differ, or they have over `rank` axes."""
    if (mean is None) != (variance is None):
        raise ValueError(f"Normalization takes mean and variance together; got {mean=} and {variance=}.")
    if np.shape(mean) != np.shape(variance):
        raise ValueError(
            f"Normalization takes a mean and a variance of one shape; got {np.shape(mean)} and {np.shape(variance)}."
        )
    if len(np.shape(mean)) > rank:
        raise ValueError(
            f"Normalization along {rank} axes takes numbers, or arrays of up to {rank} axes; got a mean of shape "
            f"{np.shape(mean)}."
        )
    return mean, variance


def _numbers(batch: Any) -> np.ndarray:
    array = np.asarray(batch)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise TypeError(f"Normalization.adapt() takes numbers; got an array of {array.dtype}.")
    return array


def _moments(parts: Iterable[np.ndarray], axes: tuple[int, ...]) -> tuple[Any, Any]:
    """Return mean and variance over `axes` of all parts together, in float64 (Chan, Golub and LeVeque, 1979)."""
    count, mean, squares = 0, np.zeros(()), np.zeros(())
    for part in parts:
        size = int(np.prod([part.shape[axis] for axis in axes]))
        if size == 0:
            continue
        own_mean = part.mean(axes, dtype="float64")
        difference, total = own_mean - mean, count + size
        squares = squares + part.var(axes, dtype="float64") * size + difference**2 * (count * size / total)
        mean, count = mean + difference * (size / total), total
    if count == 0:
        raise ValueError("Normalization.adapt() got no data: the arrays are empty.")
    return mean, squares / count


__all__ = [
    "Normalization",
]
