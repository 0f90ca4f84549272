"""Bounding boxes: their formats, clipped to images, cropped, padded and turned with them.

A box has four numbers on the last axis. In ``"xyxy"``, the format that the functions here compute in, they are left,
top, right and bottom in pixels. Follows https://keras.io/api/utils/bounding_boxes/
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.ops.lifting import array

_IMPORTED = frozenset(globals())

FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh",
)  # fmt: skip
_SWAPPED = [1, 0, 3, 2]


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None, dtype: Any = "float32"
) -> Any:
    """Return boxes in another format.

    Args:
        boxes: ``(..., 4)``, or a dictionary with such ``"boxes"``, which is returned with new ones.
        source, target: One of ``"xyxy"``, ``"yxyx"``, ``"xywh"``, ``"center_xywh"``, ``"center_yxhw"``,
            ``"rel_xyxy"``, ``"rel_yxyx"``, ``"rel_xywh"``, ``"rel_center_xywh"``; ``rel`` is relative to the image.
        height, width: Of the image, needed if one of the formats is relative and the other is not.
        dtype: Dtype of the result.

    Raises:
        ValueError: A format is unknown, the last axis is not 4, or `height` and `width` are missing.

    >>> convert_format([[10, 20, 30, 60]], "xyxy", "xywh").tolist()
    [[10.0, 20.0, 20.0, 40.0]]
    """
    if isinstance(boxes, Mapping):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    boxes = jnp.asarray(array(boxes), dtype)
    if boxes.shape[-1] != 4:
        raise ValueError(f"`boxes` must have 4 numbers on the last axis; got the shape {tuple(boxes.shape)}.")
    source, target = _known(source), _known(target)
    if source == target:
        return boxes
    relative = source.startswith("rel_"), target.startswith("rel_")
    if any(relative) and (height is None or width is None):
        raise ValueError(
            f"`height` and `width` of the images are needed for boxes from {source!r} to {target!r}; got {height} and "
            f"{width}."
        )
    boxes = _corners(boxes, source.removeprefix("rel_"))
    if relative[0] != relative[1]:
        size = jnp.concatenate([jnp.atleast_1d(jnp.asarray(one, dtype)) for one in (width, height, width, height)], -1)
        boxes = boxes * size if relative[0] else boxes / size
    return _described(boxes, target.removeprefix("rel_"))


def _known(name: str) -> str:
    if not isinstance(name, str) or name.lower() not in FORMATS:
        raise unknown("format of bounding boxes", name, FORMATS)
    return name.lower()


def _corners(boxes: jax.Array, form: str) -> jax.Array:
    """Return boxes of any format without ``rel`` as corners, x first."""
    if form in ("yxyx", "center_yxhw"):
        boxes = boxes[..., jnp.array(_SWAPPED)]
    if form in ("xyxy", "yxyx"):
        return boxes
    start, size = boxes[..., :2], boxes[..., 2:]
    if form.startswith("center"):
        start = start - size / 2
    return jnp.concatenate([start, start + size], -1)


def _described(boxes: jax.Array, form: str) -> jax.Array:
    """Return boxes of corners, x first, in any format without ``rel``."""
    start, size = boxes[..., :2], boxes[..., 2:] - boxes[..., :2]
    if form.startswith("center"):
        boxes = jnp.concatenate([start + size / 2, size], -1)
    elif form == "xywh":
        boxes = jnp.concatenate([start, size], -1)
    return boxes[..., jnp.array(_SWAPPED)] if form in ("yxyx", "center_yxhw") else boxes


def clip_to_image_size(
    bounding_boxes: Mapping[str, Any], height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> dict[str, Any]:
    """Return boxes cut off at the edges of their images. Boxes of which nothing is left get the label -1.

    Args:
        bounding_boxes: ``"boxes"`` of shape ``(..., 4)``, and with or without ``"labels"`` of shape ``(...)``.
        height, width: Of the images, needed for ``"xyxy"``.
        bounding_box_format: ``"xyxy"`` or ``"rel_xyxy"``.

    Raises:
        ValueError: The format is another, or `height` and `width` are missing.

    >>> clip_to_image_size({"boxes": [[5.0, 5.0, 50.0, 9.0]]}, 10, 10)["boxes"].tolist()
    [[5.0, 5.0, 10.0, 9.0]]
    """
    if bounding_box_format not in ("xyxy", "rel_xyxy"):
        raise unknown("format of bounding boxes that can be clipped", bounding_box_format, ("xyxy", "rel_xyxy"))
    if bounding_box_format == "xyxy" and (height is None or width is None):
        raise ValueError('clip_to_image_size needs `height` and `width` for boxes in the format "xyxy".')
    boxes = jnp.asarray(array(bounding_boxes["boxes"]))
    ends = (1, 1) if bounding_box_format == "rel_xyxy" else (width, height)
    boxes = _within(boxes, *ends)
    result = {**bounding_boxes, "boxes": boxes}
    if bounding_boxes.get("labels") is not None:
        area = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
        result["labels"] = jnp.where(area > 0, jnp.asarray(array(bounding_boxes["labels"])), -1)
    return result


def _within(boxes: jax.Array, width: Any, height: Any) -> jax.Array:
    return over_corners(boxes, lambda x: jnp.clip(x, 0, width), lambda y: jnp.clip(y, 0, height))


def over_corners(
    boxes: jax.Array, across: Callable[[jax.Array], jax.Array], down: Callable[[jax.Array], jax.Array]
) -> jax.Array:
    """Return boxes ``xyxy`` with a function of both x, each of shape ``(..., 1)``, and one of both y."""
    left, top, right, bottom = jnp.split(boxes, 4, -1)
    return jnp.concatenate([across(left), down(top), across(right), down(bottom)], -1)


def affine_transform(
    boxes: Any, angle: Any, translate_x: Any, translate_y: Any, scale: Any, shear_x: Any, shear_y: Any, height: int,
    width: int, center_x: float | None = None, center_y: float | None = None, bounding_box_format: str = "xyxy",
) -> jax.Array:  # fmt: skip
    """Return the boxes around boxes that were turned, shifted, scaled and sheared with their images.

    Args:
        boxes: ``(batch, boxes, 4)``.
        angle: Degrees, counterclockwise as in `RandomRotation`, for each image; so for the next five.
        translate_x, translate_y: Shifts as fractions of width and height.
        scale: Factor of the size.
        shear_x, shear_y: Degrees.
        height, width: Of the images.
        center_x, center_y: What stays in place, as fractions of width and height; None is the middle.
        bounding_box_format: ``"xyxy"``.

    Raises:
        ValueError: The format is another.

    >>> one, zero = jnp.ones(1), jnp.zeros(1)
    >>> affine_transform(jnp.array([[[0.0, 0.0, 4.0, 2.0]]]), zero, zero, zero, one, zero, zero, 9, 9).tolist()
    [[[0.0, 0.0, 4.0, 2.0]]]
    """
    _only_corners(bounding_box_format)
    turn, lean_x, lean_y = (-jnp.deg2rad(jnp.asarray(one)) for one in (angle, shear_x, shear_y))
    middle = (center_x if center_x is not None else 0.5) * (width - 1)
    center = (center_y if center_y is not None else 0.5) * (height - 1)
    a = jnp.cos(turn - lean_y) / jnp.cos(lean_y)
    c = -jnp.sin(turn - lean_y) / jnp.cos(lean_y)
    b = a * jnp.tan(lean_x) + jnp.sin(turn)
    d = jnp.cos(turn) - c * jnp.tan(lean_x)
    a0, a1, b0, b1 = (one[:, None, None] for one in (d * scale, -b * scale, -c * scale, a * scale))
    x_before = middle - jnp.asarray(translate_x) * (width - 1)
    y_before = center - jnp.asarray(translate_y) * (height - 1)
    left, top, right, bottom = jnp.moveaxis(jnp.asarray(array(boxes), turn.dtype), -1, 0)
    x = jnp.stack([left, right, right, left], -1) - x_before[:, None, None]  # the corners: (batch, boxes, 4)
    y = jnp.stack([top, top, bottom, bottom], -1) - y_before[:, None, None]
    new_x, new_y = middle + a0 * x + a1 * y, center + b0 * x + b1 * y
    return jnp.stack([new_x.min(-1), new_y.min(-1), new_x.max(-1), new_y.max(-1)], -1)


def _only_corners(bounding_box_format: str) -> None:
    if bounding_box_format != "xyxy":
        raise ValueError(f'Boxes must be in the format "xyxy", see convert_format; got {bounding_box_format!r}.')


def crop(boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy") -> jax.Array:
    """Return boxes after their images were cropped to `height` and `width`, starting at `top` and `left`.

    Args:
        boxes: ``(..., 4)``.
        top, left, height, width: The part of the images that is kept, in pixels.
        bounding_box_format: ``"xyxy"``.

    Raises:
        ValueError: The format is another.

    >>> crop([[2.0, 3.0, 9.0, 9.0]], top=1, left=1, height=5, width=5).tolist()
    [[1.0, 2.0, 5.0, 5.0]]
    """
    _only_corners(bounding_box_format)
    return _within(over_corners(jnp.asarray(array(boxes)), lambda x: x - left, lambda y: y - top), width, height)


def pad(
    boxes: Any, top: Any, left: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> jax.Array:
    """Return boxes after their images got margins.

    Args:
        boxes: ``(..., 4)``.
        top, left: The margins, in pixels.
        height, width: Of the new images; not used.
        bounding_box_format: ``"xyxy"``.

    Raises:
        ValueError: The format is another.

    >>> pad([[2.0, 3.0, 9.0, 9.0]], top=1, left=5).tolist()
    [[7.0, 4.0, 14.0, 10.0]]
    """
    _only_corners(bounding_box_format)
    return over_corners(jnp.asarray(array(boxes)), lambda x: x + left, lambda y: y + top)


offer(globals(), _IMPORTED | {"over_corners"})
