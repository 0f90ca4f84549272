"""Changes of one image: rotation, shift, shear, zoom, channel shift and brightness, by given or by random amounts."""

from typing import Any

import numpy as np

from cornu.core import era
from cornu.core.public import offer
from cornu.preprocessing.image.conversion import array_to_img, img_to_array
from cornu.preprocessing.image.resampling import Maps, resample
from cornu.preprocessing.pictures import pillow

_IMPORTED = frozenset(globals())

#: The row of `era.DIFFERENCES` for what keras-preprocessing, the package of Keras 2 and of tf.keras until 2.8, did.
OLD_PACKAGE = "images are augmented as in keras-preprocessing"


def affine_maps(amounts: dict[str, np.ndarray], shape: tuple[int, int], swapped: bool = True) -> Maps:
    """Return the maps that rotate, then shift, shear and zoom about the middle of an image.

    Args:
        amounts: ``theta`` and ``shear`` in degrees, ``tx`` and ``ty`` in pixels, ``zx`` and ``zy`` as factors; each
            ``(n,)``.
        shape: Rows and columns.
        swapped: Whether x stands for columns, as from Keras 2.9 on. In earlier versions x is for rows, and the middle
            is one pixel further.
    """
    old = era.holds(OLD_PACKAGE)
    theta, shear = np.deg2rad(amounts["theta"]), np.deg2rad(amounts["shear"])
    zoom = np.stack([amounts["zx"], amounts["zy"]], -1)
    rotation = _matrices(np.cos(theta), -np.sin(theta), np.sin(theta), np.cos(theta))
    linear = rotation @ _matrices(1.0, -np.sin(shear), 0.0, np.cos(shear)) * zoom[:, None, :]
    shift = rotation @ np.stack([amounts["tx"], amounts["ty"]], -1)[..., None]
    middle = np.array(shape).reshape(2, 1) / 2 + (0.5 if old else -0.5)
    offset = ((shift + middle) - linear @ middle)[..., 0]
    if swapped and not old:
        return Maps(linear[:, ::-1, ::-1], offset[:, ::-1])
    return Maps(linear, offset)


def _matrices(*entries: Any) -> np.ndarray:
    """Return 2x2 matrices from their entries, row by row."""
    return np.stack(np.broadcast_arrays(*entries), -1).reshape(-1, 2, 2).astype(float)


def apply_affine_transform(
    x: Any,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int | None = None,
    col_axis: int | None = None,
    channel_axis: int | None = None,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """Return an image rotated, shifted, sheared and zoomed.

    Args:
        x: An image with three axes.
        theta: Degrees to rotate by.
        tx, ty: Pixels to shift by.
        shear: Degrees to shear by.
        zx, zy: Factors; less than 1 enlarges the image.
        row_axis, col_axis, channel_axis: What the axes are, by default 1, 2, 0 (channels first); in programs for Keras
            1 and 2, 0, 1, 2.
        fill_mode: What is beyond the edges: ``"constant"``, ``"nearest"``, ``"reflect"`` or ``"wrap"``.
        cval: The value of the constant.
        order: Order of the spline that interpolates, from 0 (nearest pixel) to 5.

    Raises:
        ValueError: `x` does not have three axes, or they are not 0, 1 and 2 with channels first or last.

    Follows `tf.keras.preprocessing.image.apply_affine_transform`.

    >>> apply_affine_transform(np.arange(3.0).reshape(1, 1, 3), ty=1, theta=0).shape
    (1, 1, 3)
    """
    x = np.asarray(x)
    defaults = (0, 1, 2) if era.holds(OLD_PACKAGE) else (1, 2, 0)
    given = (row_axis, col_axis, channel_axis)
    axes = [default if axis is None else axis for axis, default in zip(given, defaults, strict=True)]
    if x.ndim != 3 or sorted(axes) != [0, 1, 2] or axes[2] == 1:
        raise ValueError(
            f"An image needs three axes, of which the channels are the first or the last; x has shape {x.shape}, "
            f"(row_axis, col_axis, channel_axis) is {tuple(axes)}."
        )
    amounts = {"theta": theta, "tx": tx, "ty": ty, "shear": shear, "zx": zx, "zy": zy}
    if amounts == {"theta": 0, "tx": 0, "ty": 0, "shear": 0, "zx": 1, "zy": 1}:
        return x
    arrays = {name: np.array([amount], float) for name, amount in amounts.items()}
    maps = affine_maps(arrays, (x.shape[axes[0]], x.shape[axes[1]]), axes[1] > axes[0])
    changed = x.copy()
    resample(np.moveaxis(changed, axes[2], -1)[None], maps, order, fill_mode, cval)
    return changed


def random_rotation(
    x: Any, rg: float, row_axis: int = 1, col_axis: int = 2, channel_axis: int = 0, fill_mode: str = "nearest",
    cval: float = 0.0, interpolation_order: int = 1,
) -> np.ndarray:  # fmt: skip
    """Return an image rotated by a random angle from ``-rg`` to ``rg`` degrees; see `apply_affine_transform`.

    >>> random_rotation(np.zeros((3, 8, 8)), 30).shape
    (3, 8, 8)
    """
    theta = np.random.uniform(-rg, rg)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, theta, 0, 0, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_shift(
    x: Any, wrg: float, hrg: float, row_axis: int = 1, col_axis: int = 2, channel_axis: int = 0,
    fill_mode: str = "nearest", cval: float = 0.0, interpolation_order: int = 1,
) -> np.ndarray:  # fmt: skip
    """Return an image shifted by random fractions of its width (up to `wrg`) and height (up to `hrg`).

    See `apply_affine_transform`.

    >>> random_shift(np.zeros((3, 8, 8)), 0.2, 0.2).shape
    (3, 8, 8)
    """
    shape = np.shape(x)
    tx = np.random.uniform(-hrg, hrg) * shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * shape[col_axis]
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, tx, ty, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_shear(
    x: Any, intensity: float, row_axis: int = 1, col_axis: int = 2, channel_axis: int = 0, fill_mode: str = "nearest",
    cval: float = 0.0, interpolation_order: int = 1,
) -> np.ndarray:  # fmt: skip
    """Return an image sheared by a random angle up to `intensity` degrees; see `apply_affine_transform`.

    >>> random_shear(np.zeros((3, 8, 8)), 10).shape
    (3, 8, 8)
    """
    shear = np.random.uniform(-intensity, intensity)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, 0, 0, shear, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_zoom(
    x: Any, zoom_range: Any, row_axis: int = 1, col_axis: int = 2, channel_axis: int = 0, fill_mode: str = "nearest",
    cval: float = 0.0, interpolation_order: int = 1,
) -> np.ndarray:  # fmt: skip
    """Return an image zoomed by two random factors from a range ``(low, high)``; see `apply_affine_transform`.

    Raises ValueError if `zoom_range` is not two numbers.

    >>> random_zoom(np.zeros((3, 8, 8)), (0.9, 1.1)).shape
    (3, 8, 8)
    """
    low, high = two_numbers("zoom_range", zoom_range)
    zx, zy = (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, 0, 0, 0, zx, zy, *axes, fill_mode, cval, interpolation_order)


def two_numbers(name: str, given: Any) -> tuple[float, float]:
    """Return the two ends of a range; ValueError that names the argument for anything else."""
    if np.ndim(given) != 1 or len(given) != 2 or not all(np.isreal(number) for number in given):
        raise ValueError(f"{name} must be two numbers, (low, high); got {given!r}.")
    return given[0], given[1]


def apply_channel_shift(x: Any, intensity: Any, channel_axis: int = 0) -> np.ndarray:
    """Return an image with a number added to its values, which stay between its smallest and largest.

    Args:
        x: An image with three axes.
        intensity: The number, or one for each channel.
        channel_axis: Which axis the channels are.

    >>> apply_channel_shift([[[0.0, 4.0]]], 2.0, channel_axis=0).tolist()
    [[[2.0, 4.0]]]
    """
    x = np.asarray(x)
    x = x if np.issubdtype(x.dtype, np.floating) else x.astype(float)
    amount = np.asarray(intensity, x.dtype)
    if amount.ndim:
        amount = np.expand_dims(amount, tuple(axis for axis in range(x.ndim) if axis != channel_axis % x.ndim))
    return np.clip(x + amount, x.min(), x.max())


def random_channel_shift(x: Any, intensity_range: float, channel_axis: int = 0) -> np.ndarray:
    """Return `apply_channel_shift` by a random number up to `intensity_range`.

    >>> random_channel_shift(np.zeros((3, 8, 8)), 10.0).shape
    (3, 8, 8)
    """
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


def apply_brightness_shift(x: Any, brightness: float, scale: bool = True, data_format: str | None = None) -> np.ndarray:
    """Return an image with brightness changed by a factor, in values from 0 to 255 (needs Pillow).

    Args:
        x: An image with three axes.
        brightness: 0 gives black, 1 the same image.
        scale: Whether to stretch its values to 0 to 255 first. False keeps them, also if they are in another range.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    >>> apply_brightness_shift(np.full((1, 1, 3), 100.0), 0.5, scale=False).tolist()
    [[[50.0, 50.0, 50.0]]]
    """
    pillow()
    from PIL import ImageEnhance

    low, high = np.min(x), np.max(x)
    beyond = low < 0 or high > 255
    picture = ImageEnhance.Brightness(array_to_img(x, data_format, scale or beyond)).enhance(brightness)
    changed = img_to_array(picture, data_format)
    return changed / 255 * (high - low) + low if beyond and not scale else changed


def random_brightness(x: Any, brightness_range: Any, scale: bool = True) -> np.ndarray:
    """Return `apply_brightness_shift` by a random factor from a range ``(low, high)``.

    Raises ValueError if `brightness_range` is not two numbers.

    >>> random_brightness(np.zeros((8, 8, 3)), (0.5, 1.5)).shape
    (8, 8, 3)
    """
    return apply_brightness_shift(x, np.random.uniform(*two_numbers("brightness_range", brightness_range)), scale)


def flip_axis(x: Any, axis: int) -> np.ndarray:
    """Return an array with one axis reversed.

    >>> flip_axis([[1, 2], [3, 4]], 0).tolist()
    [[3, 4], [1, 2]]
    """
    return np.flip(x, axis)


offer(globals(), _IMPORTED)
