"""The module ``tf.image``: what programs do with pictures in ``Dataset.map`` and between layers.

Pictures are ``(height, width, channels)``, or with a batch axis first. As in TensorFlow, brightness and the like of
integers are computed with floats from 0 to 1 and come back as integers. Random functions draw once for each call: for
each picture, in ``Dataset.map``. Follows https://www.tensorflow.org/api_docs/python/tf/image
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import tensor_function
from cornu.compat.tensorflow.dtypes import array_type
from cornu.compat.tensorflow.random import key_of
from cornu.core.randomness import random_key
from cornu.ops import image as ops
from cornu.preprocessing.resizing import METHODS, resizing_weights

_LUMINANCE = (0.2989, 0.587, 0.114)


class ResizeMethod:
    """The names of the methods of `resize`."""

    BILINEAR, NEAREST_NEIGHBOR, BICUBIC, LANCZOS3, LANCZOS5 = "bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"
    AREA, GAUSSIAN, MITCHELLCUBIC = "area", "gaussian", "mitchellcubic"


_OLD_METHODS = {0: "bilinear", 1: "nearest", 2: "bicubic", 3: "area"}


@tensor_function
def resize(
    images: Any, size: Any, method: Any = "bilinear", preserve_aspect_ratio: bool = False, antialias: bool = False,
    name: Any = None,
) -> jax.Array:  # fmt: skip
    """Return pictures of another size as floats; integers stay with the method ``"nearest"``.

    ValueError for a method that is not in `ResizeMethod`.
    """
    images, method = jnp.asarray(images), _OLD_METHODS.get(method, method)
    height, width = (int(one) for one in np.asarray(size))
    if preserve_aspect_ratio:
        rows, columns = images.shape[-3:-1]
        scale = min(height / rows, width / columns)
        height, width = round(rows * scale), round(columns * scale)
    if method not in METHODS:
        raise ValueError(f"tf.image.resize: method must be one of {', '.join(METHODS)}; got {method!r}.")
    if method != "nearest":
        images = images.astype("float32")
    if method in ("area", "gaussian", "mitchellcubic"):  # `ops.resize` has no such methods
        rows = resizing_weights(images.shape[-3], height, method, antialias)
        columns = resizing_weights(images.shape[-2], width, method, antialias)
        return jnp.einsum("ij,...jkc,lk->...ilc", rows, images, columns, precision="highest")
    return ops.resize(images, (height, width), method, antialias, data_format="channels_last")


def resize_with_crop_or_pad(image: Any, target_height: int, target_width: int) -> Any:
    """Return pictures cut at, or filled with zeros on, both sides."""
    rows, columns = image.shape[-3:-1]
    top, left = max((rows - target_height) // 2, 0), max((columns - target_width) // 2, 0)
    cut = crop_to_bounding_box(image, top, left, min(rows, target_height), min(columns, target_width))
    top, left = max((target_height - rows) // 2, 0), max((target_width - columns) // 2, 0)
    return pad_to_bounding_box(cut, top, left, target_height, target_width)


resize_image_with_crop_or_pad = resize_with_crop_or_pad


def resize_with_pad(
    image: Any, target_height: int, target_width: int, method: Any = "bilinear", antialias: bool = False
) -> Any:
    """Return pictures resized without stretching, with zeros on two sides."""
    rows, columns = image.shape[-3:-1]
    ratio = max(rows / target_height, columns / target_width)
    small = resize(image, (int(rows / ratio), int(columns / ratio)), method, False, antialias)
    top, left = int((target_height - rows / ratio) / 2), int((target_width - columns / ratio) / 2)
    return pad_to_bounding_box(small, top, left, target_height, target_width)


@tensor_function
def crop_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> jax.Array:
    """Return a part of pictures. ValueError if it is not inside."""
    image = jnp.asarray(image)
    rows, columns = image.shape[-3:-1]
    bottom, right = offset_height + target_height, offset_width + target_width
    if min(offset_height, offset_width) < 0 or bottom > rows or right > columns:
        raise ValueError(
            f"crop_to_bounding_box: rows {offset_height} to {bottom} and columns {offset_width} to {right} are not "
            f"inside a picture of {rows} rows and {columns} columns."
        )
    return image[..., offset_height:bottom, offset_width:right, :]


@tensor_function
def pad_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> jax.Array:
    """Return pictures with zeros around them. ValueError if they do not fit."""
    image = jnp.asarray(image)
    below, right = target_height - offset_height - image.shape[-3], target_width - offset_width - image.shape[-2]
    if min(offset_height, offset_width, below, right) < 0:
        raise ValueError(
            f"pad_to_bounding_box: a picture of {image.shape[-3]} rows and {image.shape[-2]} columns does not fit into "
            f"{target_height} x {target_width} at ({offset_height}, {offset_width})."
        )
    margins = [(offset_height, below), (offset_width, right), (0, 0)]
    return jnp.pad(image, [(0, 0)] * (image.ndim - 3) + margins)


@tensor_function
def central_crop(image: Any, central_fraction: float) -> jax.Array:
    """Return the middle of pictures: this fraction of each side. ValueError if it is not above 0 and at most 1."""
    if not 0 < central_fraction <= 1:
        raise ValueError(f"central_crop: central_fraction must be above 0 and at most 1; got {central_fraction}.")
    image = jnp.asarray(image)
    tops = [int((size - size * central_fraction) / 2) for size in image.shape[-3:-1]]
    (top, rows), (left, columns) = zip(tops, image.shape[-3:-1], strict=True)
    return image[..., top : rows - top, left : columns - left, :]


@tensor_function
def flip_left_right(image: Any) -> jax.Array:
    """Return mirrored pictures."""
    return jnp.flip(jnp.asarray(image), -2)


@tensor_function
def flip_up_down(image: Any) -> jax.Array:
    """Return pictures upside down."""
    return jnp.flip(jnp.asarray(image), -3)


@tensor_function
def transpose(image: Any, name: Any = None) -> jax.Array:
    """Return pictures with rows and columns exchanged."""
    return jnp.swapaxes(jnp.asarray(image), -3, -2)


@tensor_function
def rot90(image: Any, k: int = 1, name: Any = None) -> jax.Array:
    """Return pictures turned `k` times by 90 degrees, counterclockwise."""
    return jnp.rot90(jnp.asarray(image), k, (-3, -2))


# ---- colours


def _scale(dtype: Any) -> int:
    return int(jnp.iinfo(dtype).max)


@tensor_function
def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: Any = None) -> jax.Array:
    """Return pictures of another dtype: floats from 0 to 1 correspond to all values of integers from 0 on."""
    image, wanted = jnp.asarray(image), jnp.dtype(array_type(dtype))
    is_float, to_float = jnp.issubdtype(image.dtype, jnp.floating), jnp.issubdtype(wanted, jnp.floating)
    if image.dtype == wanted or (is_float and to_float):
        return image.astype(wanted)
    if to_float:
        return image.astype(wanted) * (1.0 / _scale(image.dtype))
    if is_float:
        scaled = image * (_scale(wanted) + 0.5)
        most = jnp.iinfo(wanted)
        return (jnp.clip(scaled, most.min, most.max) if saturate else scaled).astype(wanted)
    return _whole(image, wanted, saturate)


def _whole(image: jax.Array, wanted: Any, saturate: bool) -> jax.Array:
    have, want = _scale(image.dtype), _scale(wanted)
    if have > want:
        scaled = image // ((have + 1) // (want + 1))
        return (jnp.clip(scaled, jnp.iinfo(wanted).min, want) if saturate else scaled).astype(wanted)
    return image.astype(wanted) * ((want + 1) // (have + 1))


def _in_floats(change: Callable[[jax.Array], jax.Array], image: Any) -> jax.Array:
    """Return changed pictures, computed with floats from 0 to 1 where they are integers."""
    image = jnp.asarray(image)
    if jnp.issubdtype(image.dtype, jnp.floating):
        return change(image).astype(image.dtype)
    return convert_image_dtype(change(convert_image_dtype(image, "float32")), image.dtype.name, saturate=True)


@tensor_function
def adjust_brightness(image: Any, delta: Any) -> jax.Array:
    """Return pictures with `delta` (from -1 to 1) added."""
    return _in_floats(lambda x: x + delta, image)


@tensor_function
def adjust_contrast(images: Any, contrast_factor: Any) -> jax.Array:
    """Return pictures whose distances from the mean of each channel are multiplied."""

    def change(x: jax.Array) -> jax.Array:
        mean = jnp.mean(x.astype("float32"), (-3, -2), keepdims=True)
        return (x - mean) * contrast_factor + mean

    return _in_floats(change, images)


@tensor_function
def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> jax.Array:
    """Return ``gain * image ** gamma``."""
    return _in_floats(lambda x: gain * x**gamma, image)


@tensor_function
def adjust_saturation(image: Any, saturation_factor: Any, name: Any = None) -> jax.Array:
    """Return RGB pictures whose saturation is multiplied."""

    def change(x: jax.Array) -> jax.Array:
        h, s, v = jnp.split(ops.rgb_to_hsv(x, "channels_last"), 3, -1)
        return ops.hsv_to_rgb(jnp.concatenate([h, jnp.clip(s * saturation_factor, 0, 1), v], -1), "channels_last")

    return _in_floats(change, image)


@tensor_function
def adjust_hue(image: Any, delta: Any, name: Any = None) -> jax.Array:
    """Return RGB pictures whose hue is turned by `delta`: 1 is the whole circle."""

    def change(x: jax.Array) -> jax.Array:
        h, s, v = jnp.split(ops.rgb_to_hsv(x, "channels_last"), 3, -1)
        return ops.hsv_to_rgb(jnp.concatenate([jnp.mod(h + delta, 1.0), s, v], -1), "channels_last")

    return _in_floats(change, image)


@tensor_function
def rgb_to_grayscale(images: Any, name: Any = None) -> jax.Array:
    """Return the luminance of RGB pictures, with one channel."""
    return _in_floats(lambda x: jnp.sum(x * jnp.asarray(_LUMINANCE, x.dtype), -1, keepdims=True), images)


@tensor_function
def grayscale_to_rgb(images: Any, name: Any = None) -> jax.Array:
    """Return pictures of one channel with three equal ones."""
    return jnp.repeat(jnp.asarray(images), 3, -1)


@tensor_function
def rgb_to_hsv(images: Any, name: Any = None) -> jax.Array:
    """Return hue, saturation and value of RGB pictures of floats."""
    return ops.rgb_to_hsv(images, "channels_last")


@tensor_function
def hsv_to_rgb(images: Any, name: Any = None) -> jax.Array:
    """Return RGB pictures from hue, saturation and value."""
    return ops.hsv_to_rgb(images, "channels_last")


@tensor_function
def per_image_standardization(image: Any) -> jax.Array:
    """Return each picture with a mean of 0 and a deviation of 1, or less if it is a plain one."""
    x = jnp.asarray(image).astype("float32")
    axes = (-3, -2, -1)
    least = 1 / np.sqrt(np.prod(x.shape[-3:]))
    return (x - jnp.mean(x, axes, keepdims=True)) / jnp.maximum(jnp.std(x, axes, keepdims=True), least)


@tensor_function
def total_variation(images: Any, name: Any = None) -> jax.Array:
    """Return the sum of absolute differences of neighbouring pixels of each picture."""
    x, axes = jnp.asarray(images), (-3, -2, -1)
    return jnp.abs(jnp.diff(x, axis=-3)).sum(axes) + jnp.abs(jnp.diff(x, axis=-2)).sum(axes)


@tensor_function
def psnr(a: Any, b: Any, max_val: Any, name: Any = None) -> jax.Array:
    """Return the peak signal-to-noise ratio of two pictures, in decibels."""
    errors = jnp.mean(jnp.square(jnp.asarray(a, "float32") - jnp.asarray(b, "float32")), (-3, -2, -1))
    return 20 * jnp.log10(jnp.asarray(max_val, "float32")) - 10 * jnp.log10(errors)


# ---- random changes


def _uniform(low: Any, high: Any, seed: Any) -> jax.Array:
    return jax.random.uniform(random_key(seed, moves_on=True), minval=low, maxval=high)


def _is_heads(seed: Any) -> jax.Array:
    return jax.random.bernoulli(random_key(seed, moves_on=True))


@tensor_function
def random_flip_left_right(image: Any, seed: Any = None) -> jax.Array:
    """Return a picture, mirrored half of the time."""
    return jnp.where(_is_heads(seed), flip_left_right(image), jnp.asarray(image))


@tensor_function
def random_flip_up_down(image: Any, seed: Any = None) -> jax.Array:
    """Return a picture, upside down half of the time."""
    return jnp.where(_is_heads(seed), flip_up_down(image), jnp.asarray(image))


@tensor_function
def random_brightness(image: Any, max_delta: float, seed: Any = None) -> jax.Array:
    """Return a picture with a number between ``-max_delta`` and ``max_delta`` added."""
    return adjust_brightness(image, _uniform(-max_delta, max_delta, seed))


@tensor_function
def random_contrast(image: Any, lower: float, upper: float, seed: Any = None) -> jax.Array:
    """Return a picture whose contrast is multiplied by a number between `lower` and `upper`."""
    return adjust_contrast(image, _uniform(lower, upper, seed))


@tensor_function
def random_saturation(image: Any, lower: float, upper: float, seed: Any = None) -> jax.Array:
    """Return an RGB picture whose saturation is multiplied by a number between `lower` and `upper`."""
    return adjust_saturation(image, _uniform(lower, upper, seed))


@tensor_function
def random_hue(image: Any, max_delta: float, seed: Any = None) -> jax.Array:
    """Return an RGB picture whose hue is turned by a number between ``-max_delta`` and ``max_delta``."""
    return adjust_hue(image, _uniform(-max_delta, max_delta, seed))


@tensor_function
def random_crop(value: Any, size: Sequence[int], seed: Any = None, name: Any = None) -> jax.Array:
    """Return a part of `size` at a random place. ValueError if it is larger than `value`."""
    value, size = jnp.asarray(value), tuple(int(one) for one in size)
    if len(size) != value.ndim or any(want > have for want, have in zip(size, value.shape, strict=True)):
        raise ValueError(f"random_crop: a part of size {size} is not inside an array of shape {value.shape}.")
    room = jnp.asarray([have - want + 1 for have, want in zip(value.shape, size, strict=True)])
    at = jax.random.randint(random_key(seed, moves_on=True), (value.ndim,), 0, room)
    return jax.lax.dynamic_slice(value, tuple(at), size)


def stateless(function: Callable) -> Callable:
    """Return a random function whose `seed`, two numbers that may be a tensor, alone says what it does."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        if given.get("seed") is None:
            raise TypeError(f"stateless_{function.__name__} needs a seed of two numbers, for example seed=(1, 2).")
        return function(**given | {"seed": key_of(given["seed"])})

    call.__name__ = f"stateless_{function.__name__}"
    return call


stateless_random_flip_left_right = stateless(random_flip_left_right)
stateless_random_flip_up_down = stateless(random_flip_up_down)
stateless_random_brightness, stateless_random_contrast = stateless(random_brightness), stateless(random_contrast)
stateless_random_saturation, stateless_random_hue = stateless(random_saturation), stateless(random_hue)
stateless_random_crop = stateless(random_crop)
