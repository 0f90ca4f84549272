"""Boxes and masks drawn on pictures, as arrays."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cornu.core import settings
from cornu.ops.bounding_boxes import convert_format
from cornu.preprocessing.pictures import pillow

LETTERS = 21  # pixels of the font of size 1: that of OpenCV, which Keras uses, is as high
PALETTE = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1])


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: Any,
    bounding_box_format: str,
    class_mapping: Mapping[int, str] | None = None,
    color: Sequence[int] = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Return pictures with boxes, and with the names of their classes if `class_mapping` has them.

    Names need Pillow: ``pip install 'cornu[image]'``.

    Args:
        images: ``(batch, height, width, channels)``; floats up to 1 are scaled to 255.
        bounding_boxes: ``{"boxes": (batch, count, 4), "labels": (batch, count)}`` and perhaps ``"confidences"``, which
            are written behind the names. Boxes with the label -1 are left out.
        bounding_box_format: ``"xyxy"`` or another format of `keras.utils.bounding_boxes.convert_format`.
        class_mapping: Class number -> name.
        color: Red, green and blue, 0 to 255.
        line_thickness, text_thickness: Pixels.
        font_scale: 1 is letters 21 pixels high.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Returns:
        The pictures with channels as they were, as uint8.

    Raises:
        TypeError: `bounding_boxes` is no dictionary.
        ValueError: The pictures are no batch, or boxes or labels are missing.

    Follows https://keras.io/api/visualization/

    >>> boxes = {"boxes": np.array([[[1, 1, 3, 3]]]), "labels": np.array([[0]])}
    >>> drawn = draw_bounding_boxes(np.zeros((1, 5, 5, 1)), boxes, "xyxy", color=(9,), line_thickness=1)
    >>> drawn[0, 1, :, 0].tolist()
    [0, 9, 9, 9, 0]
    """
    pictures = with_channels_last(images, data_format)
    if not isinstance(bounding_boxes, dict):
        raise TypeError(f"bounding_boxes must be a dictionary; got {type(bounding_boxes).__name__}.")
    missing = [key for key in ("boxes", "labels") if key not in bounding_boxes]
    if missing:
        raise ValueError(f"bounding_boxes needs 'boxes' and 'labels'; it has {list(bounding_boxes)}.")
    found = np.ascontiguousarray(_as_bytes(pictures)).copy()
    height, width = found.shape[1:3]
    boxes = np.asarray(convert_format(bounding_boxes["boxes"], bounding_box_format, "xyxy", height, width))
    labels, sure = np.asarray(bounding_boxes["labels"]).astype(int), bounding_boxes.get("confidences")
    for number, picture in enumerate(found):
        texts = []
        for place, (box, label) in enumerate(zip(boxes[number], labels[number], strict=True)):
            if label == -1:
                continue
            left, top, right, bottom = (int(edge) for edge in box)
            _outline(picture, (left, top, right, bottom), color, line_thickness)
            if class_mapping and label in class_mapping:
                confidence = "" if sure is None else f" | {float(np.asarray(sure)[number][place]):.2f}"
                texts.append((left, top, f"{class_mapping[label]}{confidence}"))
        if texts:
            picture[...] = _written(picture, texts, color, text_thickness or line_thickness, font_scale)
    return np.moveaxis(found, -1, 1) if _has_channels_first(data_format) else found


def _has_channels_first(data_format: str | None) -> bool:
    return (data_format or settings.image_data_format()) == "channels_first"


def with_channels_last(images: Any, data_format: str | None) -> np.ndarray:
    """Return a batch of pictures with the channels last. ValueError if it has not 4 axes."""
    pictures = np.asarray(images)
    if pictures.ndim != 4:
        raise ValueError(f"Pictures must be a batch with 4 axes; got shape {pictures.shape}. Use images[None].")
    return np.moveaxis(pictures, 1, -1) if _has_channels_first(data_format) else pictures


def _as_bytes(pictures: np.ndarray) -> np.ndarray:
    if pictures.dtype.kind == "f" and pictures.size:
        pictures = np.clip(pictures, 0, 1) * 255 if pictures.max() <= 1 else np.clip(pictures, 0, 255)
    return pictures.astype(np.uint8)


def _outline(picture: np.ndarray, box: tuple[int, int, int, int], color: Any, thickness: int) -> None:
    """Draw the four lines of a box with round ends, as wide as OpenCV's; a negative thickness fills it."""
    left, top, right, bottom = box
    left, right, top, bottom = min(left, right), max(left, right), min(top, bottom), max(top, bottom)
    if thickness < 0:
        _fill(picture, left, top, right, bottom, color)
        return
    half = (thickness + 1) // 2 if thickness > 1 else 0  # on either side of the edge
    for row in (top, bottom):
        _fill(picture, left, row - half, right, row + half, color)
    for column in (left, right):
        _fill(picture, column - half, top, column + half, bottom, color)
    for step in range(-half, half + 1):  # discs on the corners
        reach = math.isqrt(half * half - step * step)
        for row in (top + step, bottom + step):
            _fill(picture, left - reach, row, left + reach, row, color)
            _fill(picture, right - reach, row, right + reach, row, color)


def _fill(picture: np.ndarray, left: int, top: int, right: int, bottom: int, color: Any) -> None:
    """Color the pixels from one corner to the other, both included."""
    picture[max(top, 0) : max(bottom + 1, 0), max(left, 0) : max(right + 1, 0)] = np.asarray(color)[: picture.shape[-1]]


def _written(
    picture: np.ndarray, texts: list[tuple[int, int, str]], color: Any, thickness: int, scale: float
) -> np.ndarray:
    """Return a picture with texts above their boxes, or inside if there is no room."""
    image = pillow()
    from PIL import ImageDraw, ImageFont

    grey = picture.shape[-1] == 1
    canvas = image.fromarray(picture[..., 0] if grey else picture)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(max(1.0, LETTERS * scale))
    height = int(12 * scale)
    for left, top, text in texts:
        place = (left, top - 8) if top - 8 > 2 * height else (left + 3, top + 2 * height + thickness + 3)
        ink = tuple(int(part) for part in np.asarray(color).ravel())[: picture.shape[-1]]
        draw.text(place, text, ink[0] if grey else ink, font, anchor="ls", stroke_width=max(0, (thickness - 1) // 2))
    return np.asarray(canvas).reshape(picture.shape)


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """Return pictures with the pixels of each class colored.

    Args:
        images: ``(batch, height, width, channels)`` with values from 0 to 255.
        segmentation_masks: Class numbers, ``(batch, height, width)`` or with a last axis of 1 (channels first: a second
            one).
        num_classes: How many classes are drawn; None takes the largest number in the masks, which is then not drawn, as
            in Keras.
        color_mapping: Class number -> red, green and blue.
        alpha: How opaque colors are, 0 to 1.
        blend: Whether colors are mixed with the pictures; False returns floats.
        ignore_index: The class number of pixels that stay as they are.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.

    Returns:
        The pictures with the channels last, as uint8.

    Raises:
        TypeError: The masks are not integers.
        ValueError: The pictures are no batch, or a color is missing.

    Follows https://keras.io/api/visualization/

    >>> mask = np.array([[[1, 0]]])
    >>> draw_segmentation_masks(np.zeros((1, 1, 2, 3)), mask, 2, {0: (0, 0, 0), 1: (100, 0, 50)})[0, 0].tolist()
    [[80, 0, 40], [0, 0, 0]]
    """
    pictures, masks = with_channels_last(images, data_format), np.asarray(segmentation_masks)
    if masks.dtype.kind not in "iu":
        raise TypeError(f"segmentation_masks must be integers; got {masks.dtype}.")
    masks = with_channels_last(masks, data_format)[..., 0] if masks.ndim == 4 else masks
    count = int(masks.max()) if num_classes is None else num_classes
    numbers = range(count)
    colors = color_mapping or {number: ((number * PALETTE) % 255).tolist() for number in numbers}
    if missing := [number for number in numbers if number not in colors]:
        raise ValueError(f"color_mapping has no color for the classes {missing}; there are {count}, from 0 on.")
    pictures = pictures.astype(np.float32)
    drawn = pictures.copy()
    for number in numbers:
        drawn[masks == number] = colors[number]
    if not blend:
        return drawn
    mixed = pictures * (1 - alpha) + drawn * np.float32(alpha)
    return np.where((masks != ignore_index)[..., None], mixed, pictures).astype(np.uint8)


__all__ = ["draw_bounding_boxes", "draw_segmentation_masks"]
