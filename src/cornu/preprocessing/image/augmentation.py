"""Whole batches of augmented images: random amounts drawn as Keras draws them, images transformed by threads."""

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from cornu.core import era
from cornu.core.ownership import library_classes
from cornu.core.seeds import random_marks
from cornu.preprocessing.image.resampling import resample
from cornu.preprocessing.image.transformations import OLD_PACKAGE, affine_maps, apply_brightness_shift

OLD = "images are augmented as in Keras 1"
GEOMETRY = ("theta", "tx", "ty", "shear", "zx", "zy")
#: Methods of a generator that programs override; with one of them, images are transformed one by one.
STEPS = ("get_random_transform", "apply_transform", "standardize")

Amounts = dict[str, np.ndarray]
#: A function that reads the images with some numbers into the rows of an array.
Read = Callable[[range, np.ndarray], None]


def augmented(generator: Any, read: Read, batch: np.ndarray) -> np.ndarray:
    """Fill a batch with images, transformed and standardized by a generator; return it.

    Args:
        generator: An `ImageDataGenerator`, or None.
        read: Function of a range of numbers and an array, which reads images into the array; threads call it.
        batch: An array ``(n, ...)`` for the images.
    """
    if generator is None or _is_custom(generator):
        _in_threads(lambda part: read(part, batch[part.start : part.stop]), range(len(batch)), batch[:1].size)
        for number in range(len(batch) if generator is not None else 0):
            _put(batch, number, _one_by_one(generator, batch[number]))
        return batch
    function = generator.preprocessing_function
    done = 0 if function is None else _with_function(generator, batch, read)
    amounts = draw(generator, batch.shape[1:], len(batch) - done)

    def transform(part: range) -> None:
        images = batch[part.start : part.stop]
        read(part, images)
        own = {name: values[part.start - done : part.stop - done] for name, values in amounts.items()}
        changed = transformed(generator, images, own)
        if changed is not images:
            images[...] = changed
        if function is None:
            _standardize(generator, images)

    _in_threads(transform, range(done, len(batch)), batch[:1].size)
    if function is not None:
        for number in range(done, len(batch)):
            _put(batch, number, function(batch[number]))
        _standardize(generator, batch[done:])
    return batch


def _is_custom(generator: Any) -> bool:
    """Return whether a program's class overrides a step, or random_transform in a program for Keras 1."""
    steps = (*STEPS, "random_transform") if era.holds(OLD) else STEPS
    library = next(iter(library_classes(type(generator))), None)
    return library is None or any(
        getattr(type(generator), step) is not getattr(library, step) or step in vars(generator) for step in steps
    )


def _one_by_one(generator: Any, image: np.ndarray) -> np.ndarray:
    if era.holds(OLD):
        return generator.standardize(generator.random_transform(image))
    amounts = generator.get_random_transform(image.shape)
    return generator.standardize(generator.apply_transform(image, amounts))


def _put(batch: np.ndarray, number: int, image: Any) -> None:
    if np.shape(image) != batch.shape[1:]:
        raise ValueError(
            f"An image of shape {batch.shape[1:]} became one of shape {np.shape(image)}: preprocessing_function and "
            "overridden methods must keep the shape."
        )
    batch[number] = image


def _with_function(generator: Any, batch: np.ndarray, read: Read) -> int:
    """Begin a batch whose images a function changes; return how many are finished.

    If the function draws from the random generators, as the first image shows, it must do so between the draws of its
    image and those of the next one, and all images are finished here, one after the other.
    """
    for number in range(len(batch)):
        image = batch[number : number + 1]
        read(range(number, number + 1), image)
        image[...] = transformed(generator, image, draw(generator, batch.shape[1:], 1))
        before = None if generator._function_draws else random_marks()
        _put(batch, number, generator.preprocessing_function(batch[number]))
        generator._function_draws = before is None or random_marks() != before
        _standardize(generator, image)
        if not generator._function_draws:
            return 1
    return len(batch)


def draw(generator: Any, shape: tuple[int, ...], count: int) -> Amounts:
    """Return random amounts for some images, drawn in Keras's order: what `get_random_transform` returns for each."""
    ranges = (generator.height_shift_range, generator.width_shift_range)
    if era.holds(OLD) or not all(np.ndim(one) == 0 and (isinstance(one, float) or not one) for one in ranges):
        return stacked(generator.get_random_transform(shape) for _ in range(count))
    rows, columns = (shape[axis - 1] for axis in (generator.row_axis, generator.col_axis))
    low, high = generator.zoom_range
    spans: list[tuple[str, float, float]] = []  # name, low, high
    for name, largest in (("theta", generator.rotation_range), ("tx", ranges[0]), ("ty", ranges[1])):
        spans += [(name, -largest, largest)] if largest else []
    spans += [("shear", -generator.shear_range, generator.shear_range)] if generator.shear_range else []
    spans += [] if low == high == 1 else [("zx", low, high), ("zy", low, high)]
    spans += [("flip_horizontal", 0.0, 1.0), ("flip_vertical", 0.0, 1.0)]
    shift, brightness = generator.channel_shift_range, generator.brightness_range
    spans += [("channel_shift_intensity", -shift, shift)] if shift != 0 else []
    spans += [("brightness", *brightness)] if brightness is not None else []
    drawn = np.random.random_sample((count, len(spans)))
    amounts: Amounts = {name: low + (high - low) * drawn[:, place] for place, (name, low, high) in enumerate(spans)}
    for name, largest, size in (("tx", ranges[0], rows), ("ty", ranges[1], columns)):
        if largest and largest < 1:
            amounts[name] = amounts[name] * size
    amounts["flip_horizontal"] = (amounts["flip_horizontal"] < 0.5) & bool(generator.horizontal_flip)
    amounts["flip_vertical"] = (amounts["flip_vertical"] < 0.5) & bool(generator.vertical_flip)
    return amounts


def stacked(amounts: Iterable[dict[str, Any]]) -> Amounts:
    """Return the amounts for several images as arrays; those that are None are left out."""
    found = list(amounts)
    return {name: np.array([one[name] for one in found]) for name in found[0] if found[0][name] is not None}


def transformed(generator: Any, images: np.ndarray, amounts: Amounts) -> np.ndarray:
    """Return images ``(n, ...)`` transformed by given amounts: a new array, or the same one, overwritten."""
    last = changed = np.moveaxis(images, generator.channel_axis, -1)  # (n, rows, columns, channels)
    if not amounts.keys().isdisjoint(GEOMETRY):
        unchanged = {name: np.full(len(last), 1.0 if name in ("zx", "zy") else 0.0) for name in GEOMETRY}
        maps = affine_maps(unchanged | amounts, last.shape[1:3])
        if not maps.are_identity():
            resample(last, maps, generator.interpolation_order, generator.fill_mode, generator.cval)
    if "channel_shift_intensity" in amounts:
        intensity = amounts["channel_shift_intensity"].reshape(len(last), 1, 1, -1)
        intensity = intensity.astype(last.dtype) if np.issubdtype(last.dtype, np.floating) else intensity
        low, high = (function(changed, (1, 2, 3), keepdims=True) for function in (np.min, np.max))
        changed = np.clip(changed + intensity, low, high)
    for number in np.flatnonzero(amounts.get("flip_horizontal", ())):
        changed[number] = changed[number, :, ::-1]
    for number in np.flatnonzero(amounts.get("flip_vertical", ())):
        changed[number] = changed[number, ::-1]
    if "brightness" in amounts:
        scale, factors = era.holds(OLD_PACKAGE), amounts["brightness"].tolist()
        pairs = zip(changed, factors, strict=True)
        changed = np.stack([apply_brightness_shift(image, factor, scale, "channels_last") for image, factor in pairs])
    return images if changed is last else np.moveaxis(changed, -1, generator.channel_axis)


def _standardize(generator: Any, images: np.ndarray) -> None:
    changed = standardized(generator, images, tuple(range(1, images.ndim)))
    if changed is not images:
        images[...] = changed


def standardized(generator: Any, images: np.ndarray, axes: tuple[int, ...] | None) -> np.ndarray:
    """Return images rescaled, centred, divided and whitened, in place where that is possible.

    Args:
        generator: An `ImageDataGenerator`.
        images: Several images, or one.
        axes: The axes of one image; None for all.
    """
    if not np.issubdtype(images.dtype, np.floating):
        images = images.astype(generator.dtype)
    if generator.rescale:
        images *= generator.rescale
    old = era.holds(OLD)
    if old:  # the statistics were of the channels of one pixel
        axes = (images.ndim - 4 + generator.channel_axis,)
    epsilon = 1e-7 if old else 1e-6
    if generator.samplewise_center:
        images -= np.mean(images, axis=axes, keepdims=True)
    if generator.samplewise_std_normalization:
        images /= np.std(images, axis=axes, keepdims=True) + epsilon
    if generator.featurewise_center and generator._has("mean", "featurewise_center"):
        images -= generator.mean
    if generator.featurewise_std_normalization and generator._has("std", "featurewise_std_normalization"):
        images /= generator.std + epsilon
    if generator.zca_whitening and generator._has("zca_whitening_matrix", "zca_whitening"):
        flat = images.reshape(-1, int(np.prod(images.shape[-3:])))
        return (flat @ generator.zca_whitening_matrix).reshape(images.shape)
    return images


_pool: ThreadPoolExecutor | None = None
_making = threading.Lock()
_WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_LEAST = 1 << 16  # values in a part: less is done sooner than another thread begins


def _threads() -> ThreadPoolExecutor:
    global _pool
    with _making:
        _pool = _pool or ThreadPoolExecutor(_WORKERS, thread_name_prefix="cornu-images")
        return _pool


def _forget_threads() -> None:
    """Let a forked process, which has none of the threads, start its own."""
    global _pool, _making
    _pool, _making = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


def _in_threads(work: Callable[[range], None], numbers: range, values: int) -> None:
    """Call `work` with parts of `numbers` (images of so many values) in several threads.

    An error of one is raised here, when all have ended.
    """
    size = max(-(-len(numbers) // (2 * _WORKERS)), -(-_LEAST // max(values, 1)))
    parts = [numbers[start : start + size] for start in range(0, len(numbers), size)]
    if len(parts) < 2 or _WORKERS == 1:
        for part in parts:
            work(part)
        return
    futures = [_threads().submit(work, part) for part in parts[1:]]
    try:
        work(parts[0])
    finally:
        errors = [future.exception() for future in futures]
    if (error := next((one for one in errors if one is not None), None)) is not None:
        raise error
