"""Images read at other positions: affine and perspective transformations, elastic distortion, any coordinates."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.core.randomness import random_key
from cornu.kernels.compiler import as_one_program
from cornu.kernels.random_bits import normal
from cornu.kernels.resampling import FILL_MODES, INTERPOLATIONS, sampled
from cornu.ops.image.filters import blurred
from cornu.ops.image.layout import check_images, with_channels_last
from cornu.ops.lifting import arrays_first

_IMPORTED = frozenset(globals())

_SCALING_METHODS = ("linear", "bilinear", "trilinear", "cubic", "bicubic", "tricubic", "lanczos3", "lanczos5")


def _check_options(interpolation: str, fill_mode: str = "constant") -> None:
    if interpolation not in INTERPOLATIONS:
        raise unknown("interpolation", interpolation, INTERPOLATIONS)
    if fill_mode not in FILL_MODES:
        raise unknown("fill_mode", fill_mode, FILL_MODES)


@as_one_program("interpolation", "fill_mode", "data_format")
def projected(
    images: Any, transforms: Any, interpolation: str, fill_mode: str, fill_value: Any, data_format: str | None
) -> jax.Array:
    """Return images transformed by projections ``(batch or 1, 8)``: see `affine_transform`."""

    def warp(batch: jax.Array) -> jax.Array:
        a0, a1, a2, b0, b1, b2, c0, c1 = (jnp.asarray(transforms, "float32")[:, i, None, None] for i in range(8))
        x = jnp.arange(batch.shape[2], dtype="float32")[None, None, :]
        y = jnp.arange(batch.shape[1], dtype="float32")[None, :, None]
        scale = c0 * x + c1 * y + 1  # (batch, height, width)
        rows, columns = (b0 * x + b1 * y + b2) / scale, (a0 * x + a1 * y + a2) / scale
        return sampled(batch, rows, columns, interpolation, fill_mode, fill_value)

    return with_channels_last(images, data_format, warp)


@arrays_first(2)
def affine_transform(
    images: Any, transform: Any, interpolation: str = "bilinear", fill_mode: str = "constant", fill_value: float = 0,
    data_format: str | None = None,
) -> jax.Array:  # fmt: skip
    """Transform images by projections: shift, turn, scale, shear.

    A transform ``(a0, a1, a2, b0, b1, b2, c0, c1)`` says where the value of a pixel ``(x, y)`` of the result comes
    from: ``((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)`` with ``k = c0 x + c1 y + 1``.

    Args:
        images: ``(height, width, channels)`` or with a batch axis first; channels before height for
            ``"channels_first"``.
        transform: ``(8,)``, or ``(batch, 8)`` with one for each image.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_mode: What is outside of the image: ``"constant"`` (`fill_value`), ``"nearest"`` (the pixels of the edge),
            ``"reflect"`` (the image mirrored at its edge), ``"mirror"`` (the same without repeating the edge) or
            ``"wrap"`` (the image again).
        fill_value: The value outside, for ``"constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Raises:
        ValueError: A shape or an option is not one of these.

    Follows https://keras.io/api/ops/image/

    >>> image = jnp.arange(6.0).reshape(2, 3, 1)
    >>> affine_transform(image, [1, 0, 1, 0, 1, 0, 0, 0])[..., 0].tolist()  # each pixel takes its right neighbour
    [[1.0, 2.0, 0.0], [4.0, 5.0, 0.0]]
    """
    check_images(images)
    _check_options(interpolation, fill_mode)
    transform = jnp.asarray(transform)
    if transform.ndim not in (1, 2) or transform.shape[-1] != 8:
        raise ValueError(f"`transform` must have the shape (8,) or (batch, 8); got {tuple(transform.shape)}.")
    transforms = transform.reshape(-1, 8)
    _check_one_each(images, transforms.shape[0], "transform")
    return projected(images, transforms, interpolation, fill_mode, fill_value, data_format)


def _check_one_each(images: Any, count: int, name: str) -> None:
    rows = images.shape[0] if images.ndim == 4 else 1
    if count not in (1, rows):
        raise ValueError(f"`{name}` must be one, or one for each image; got {count} for {rows} images.")


@arrays_first(3)
def perspective_transform(
    images: Any, start_points: Any, end_points: Any, interpolation: str = "bilinear", fill_value: float = 0,
    data_format: str | None = None,
) -> jax.Array:  # fmt: skip
    """Transform images so that four points move to four others, as if seen from another place.

    Args:
        images: ``(height, width, channels)`` or with a batch axis first; channels before height for
            ``"channels_first"``.
        start_points: ``(4, 2)`` or ``(batch, 4, 2)``: x and y of four points, such as the corners.
        end_points: Where the points are in the result, in the same shape.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_value: The value outside of the image.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Raises:
        ValueError: A shape or an option is not one of these.

    Follows https://keras.io/api/ops/image/

    >>> corners = [[0, 0], [3, 0], [0, 3], [3, 3]]
    >>> perspective_transform(jnp.ones((4, 4, 1)), corners, corners).shape
    (4, 4, 1)
    """
    check_images(images)
    _check_options(interpolation)
    start, end = jnp.asarray(start_points, "float32"), jnp.asarray(end_points, "float32")
    for name, points in (("start_points", start), ("end_points", end)):
        if points.ndim not in (2, 3) or points.shape[-2:] != (4, 2):
            raise ValueError(f"`{name}` must have the shape (4, 2) or (batch, 4, 2); got {tuple(points.shape)}.")
    if start.shape != end.shape:
        raise ValueError(f"`start_points` and `end_points` must have one shape; got {start.shape} and {end.shape}.")
    _check_one_each(images, start.reshape(-1, 8).shape[0], "start_points")
    transforms = projections(start.reshape(-1, 4, 2), end.reshape(-1, 4, 2))
    return projected(images, transforms, interpolation, "constant", fill_value, data_format)


@as_one_program()
def projections(start: jax.Array, end: jax.Array) -> jax.Array:
    """Return the transforms ``(batch, 8)`` that take four points `end` to `start`, both ``(batch, 4, 2)``."""
    (u, v), (x, y) = (jnp.moveaxis(points, -1, 0) for points in (start, end))  # each (batch, 4)
    one, zero = jnp.ones_like(x), jnp.zeros_like(x)
    of_u = jnp.stack([x, y, one, zero, zero, zero, -u * x, -u * y], -1)
    of_v = jnp.stack([zero, zero, zero, x, y, one, -v * x, -v * y], -1)
    equations = jnp.concatenate([of_u, of_v], 1)  # (batch, 8, 8)
    return jnp.linalg.solve(equations, jnp.concatenate([u, v], -1)[..., None])[..., 0]


@arrays_first(2)
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> jax.Array:
    """Return the values of an array at positions that may lie between its elements.

    Args:
        inputs: Any shape.
        coordinates: ``(axes, ...)``: a position along each axis of `inputs`, for each value of the result.
        order: 0 takes the nearest element, 1 interpolates linearly.
        fill_mode: What is outside of the array, see `affine_transform`.
        fill_value: The value outside, for ``"constant"``.

    Raises:
        ValueError: `coordinates` do not fit, or an option is not one of these.

    Follows https://keras.io/api/ops/image/

    >>> map_coordinates([0.0, 10.0], [[0.5, 0.25]], order=1).tolist()
    [5.0, 2.5]
    """
    inputs, coordinates = jnp.asarray(inputs), jnp.asarray(coordinates)
    if coordinates.ndim < 2 or coordinates.shape[0] != inputs.ndim:
        raise ValueError(
            f"`coordinates` must have at least 2 axes, the first with a position for each of the {inputs.ndim} axes of "
            f"`inputs`; got the shape {tuple(coordinates.shape)}."
        )
    if fill_mode not in FILL_MODES:
        raise unknown("fill_mode", fill_mode, FILL_MODES)
    if order not in (0, 1):
        raise ValueError(f"`order` must be 0 (nearest) or 1 (linear); got {order!r}.")
    return jax.scipy.ndimage.map_coordinates(inputs, list(coordinates), order, fill_mode, fill_value)


@arrays_first(1)
def elastic_transform(
    images: Any, alpha: Any = 20.0, sigma: Any = 5.0, interpolation: str = "bilinear", fill_mode: str = "reflect",
    fill_value: float = 0.0, seed: Any = None, data_format: str | None = None,
) -> jax.Array:  # fmt: skip
    """Distort images by a random field of displacements, smoothed by a Gaussian.

    Args:
        images: ``(height, width, channels)`` or with a batch axis first; channels before height for
            ``"channels_first"``.
        alpha: Strength of the distortion.
        sigma: Standard deviation of the Gaussian, in pixels.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_mode: What is outside of the image, see `affine_transform`.
        fill_value: The value outside, for ``"constant"``.
        seed: None, an integer or a `SeedGenerator`.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Raises:
        ValueError: A shape or an option is not one of these.

    Follows https://keras.io/api/ops/image/ and Simard et al. 2003, https://doi.org/10.1109/ICDAR.2003.1227801

    >>> elastic_transform(jnp.ones((8, 8, 3)), sigma=1.0, seed=1).shape
    (8, 8, 3)
    """
    check_images(images)
    _check_options(interpolation, fill_mode)
    size = int(6 * float(sigma)) | 1
    key = random_key(seed)
    return distorted(images, key, alpha, sigma, size, interpolation, fill_mode, fill_value, data_format)


@as_one_program("size", "interpolation", "fill_mode", "data_format")
def distorted(
    images: Any, key: jax.Array, alpha: Any, sigma: Any, size: int, interpolation: str, fill_mode: str, fill_value: Any,
    data_format: str | None,
) -> jax.Array:  # fmt: skip
    """Return images distorted as in `elastic_transform`, by a Gaussian that is cut off at `size` pixels or earlier."""

    def warp(batch: jax.Array) -> jax.Array:
        rows, height, width, _ = batch.shape
        noise = normal(key, (rows, height, width, 2)) * sigma
        taps = (6 * jnp.asarray(sigma)).astype("int32") | 1  # of the whole width, as Keras cuts it off
        shift = alpha * blurred(noise, (size, size), (sigma, sigma), taps)
        y = jnp.arange(height, dtype="float32")[:, None] + shift[..., 0]
        x = jnp.arange(width, dtype="float32") + shift[..., 1]
        return sampled(batch, y, x, interpolation, fill_mode, fill_value)

    return with_channels_last(images, data_format, warp)


@arrays_first(1)
def scale_and_translate(
    images: Any, output_shape: Sequence[int], scale: Any, translation: Any, spatial_dims: Sequence[int], method: str,
    antialias: bool = True,
) -> jax.Array:  # fmt: skip
    """Scale and shift arrays along some of their axes.

    Args:
        images: Any shape.
        output_shape: Shape of the result.
        scale: Factor for each of `spatial_dims`.
        translation: Shift in pixels of the result, for each of `spatial_dims`.
        spatial_dims: The axes.
        method: ``"linear"``, ``"cubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        antialias: Whether to filter before downsampling.

    Raises:
        ValueError: `method` is not one of these.

    Follows https://keras.io/api/ops/image/

    >>> scale_and_translate(jnp.ones((2, 2)), (4, 2), [2.0], [0.0], [0], "linear").shape
    (4, 2)
    """
    if method not in _SCALING_METHODS:
        raise unknown("method", method, _SCALING_METHODS)
    return jax.image.scale_and_translate(
        jnp.asarray(images), tuple(output_shape), tuple(spatial_dims), jnp.asarray(scale), jnp.asarray(translation),
        method, antialias,
    )  # fmt: skip


offer(globals(), _IMPORTED | {"projected", "projections", "distorted"})
