"""The names of `keras.utils.bounding_boxes`: formats, clipping and moving of boxes, and how much boxes overlap.

Follows https://keras.io/api/utils/bounding_boxes/
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import settings
from cornu.core.errors import unknown
from cornu.core.public import offer
from cornu.ops.bounding_boxes import affine_transform, clip_to_image_size, convert_format, crop, pad
from cornu.ops.lifting import array

_FUNCTIONS = (affine_transform, clip_to_image_size, convert_format, crop, pad)
_IMPORTED = frozenset(globals()) - {one.__name__ for one in _FUNCTIONS}


def _areas(boxes: jax.Array) -> jax.Array:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _corners(boxes: Any, form: str, image_shape: Sequence[int] | None) -> jax.Array:
    height, width = (None, None) if image_shape is None else image_shape[:2]
    return convert_format(boxes, form, "xyxy", height, width)


def compute_iou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, use_masking: bool = False, mask_val: int = -1,
    image_shape: Sequence[int] | None = None,
) -> jax.Array:  # fmt: skip
    """Return the intersection over union of each box of one list with each of another.

    Args:
        boxes1: ``(boxes, 4)`` or ``(batch, boxes, 4)``.
        boxes2: ``(others, 4)`` or ``(batch, others, 4)``.
        bounding_box_format: See `convert_format`.
        use_masking: Whether the result is `mask_val` for boxes of negative numbers, which only fill.
        mask_val: The result for those.
        image_shape: Height, width and channels of the images, for relative formats.

    Returns:
        ``(boxes, others)``, or with the batch first.

    Raises:
        ValueError: The format is unknown, or the boxes have another number of axes.

    >>> compute_iou([[0.0, 0.0, 2.0, 2.0]], [[0.0, 0.0, 2.0, 1.0]], "xyxy").round(4).tolist()
    [[0.5]]
    """
    first, second = jnp.asarray(array(boxes1), "float32"), jnp.asarray(array(boxes2), "float32")
    for name, boxes in (("boxes1", first), ("boxes2", second)):
        if boxes.ndim not in (2, 3):
            raise ValueError(f"`{name}` must have 2 or 3 axes; got the shape {tuple(boxes.shape)}.")
    first, second = (_corners(boxes, bounding_box_format, image_shape) for boxes in (first, second))
    fills, others_fill = (boxes.max(-1) < 0 for boxes in (first, second))
    one, other = first[..., :, None, :], second[..., None, :, :]
    sides = jnp.minimum(one[..., 2:], other[..., 2:]) - jnp.maximum(one[..., :2], other[..., :2])
    shared = jnp.maximum(sides, 0).prod(-1)
    result = shared / (_areas(one) + _areas(other) - shared + settings.epsilon())
    return jnp.where(fills[..., :, None] | others_fill[..., None, :], mask_val, result) if use_masking else result


def compute_ciou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Sequence[int] | None = None
) -> jax.Array:
    """Return the complete intersection over union of pairs of boxes, which is also less for distant and unlike boxes.

    Args:
        boxes1, boxes2: ``(..., 4)``, of one shape.
        bounding_box_format: See `convert_format`.
        image_shape: Height, width and channels of the images, for relative formats.

    Raises:
        ValueError: The format is unknown.

    Follows Zheng et al. 2019, https://arxiv.org/abs/1911.08287

    >>> compute_ciou([[0.0, 0.0, 2.0, 2.0]], [[0.0, 0.0, 2.0, 2.0]], "xyxy").round(4).tolist()
    [1.0]
    """
    one, other = (_corners(boxes, bounding_box_format, image_shape) for boxes in (boxes1, boxes2))
    epsilon = settings.epsilon()
    sides = jnp.minimum(one[..., 2:], other[..., 2:]) - jnp.maximum(one[..., :2], other[..., :2])
    size, other_size = (boxes[..., 2:] - boxes[..., :2] + jnp.array([0, epsilon]) for boxes in (one, other))
    shared = jnp.maximum(sides, 0).prod(-1)
    overlap = shared / (size.prod(-1) + other_size.prod(-1) - shared + epsilon)
    around = jnp.maximum(one[..., 2:], other[..., 2:]) - jnp.minimum(one[..., :2], other[..., :2])
    diagonal = jnp.square(around).sum(-1) + epsilon
    centers = one[..., :2] + one[..., 2:] - other[..., :2] - other[..., 2:]
    distance = jnp.square(centers).sum(-1) / 4
    angles = jnp.arctan(other_size[..., 0] / other_size[..., 1]) - jnp.arctan(size[..., 0] / size[..., 1])
    unlike = jnp.square(2 / np.pi * angles)
    weight = unlike / (unlike - overlap + 1 + epsilon)
    return overlap - (distance / diagonal + weight * unlike)


def _encoding(name: str) -> str:
    if name not in ("center_xywh", "center_yxhw"):
        raise unknown("encoding of boxes", name, ("center_xywh", "center_yxhw"))
    return name


def _variance(variance: Any) -> Any:
    if variance is None:
        return 1.0
    values = jnp.asarray(array(variance), "float32")
    if values.shape[-1] != 4:
        raise ValueError(f"`variance` must have 4 numbers; got {variance!r}.")
    return values


def encode_box_to_deltas(
    anchors: Any, boxes: Any, anchor_format: str, box_format: str, encoding_format: str = "center_yxhw",
    variance: Any = None, image_shape: Sequence[int] | None = None,
) -> jax.Array:  # fmt: skip
    """Return how boxes differ from anchors: shifts of centers in sizes of the anchors, and logarithms of size ratios.

    Args:
        anchors, boxes: ``(..., 4)``.
        anchor_format, box_format: See `convert_format`.
        encoding_format: ``"center_yxhw"`` or ``"center_xywh"``, the order of the result.
        variance: Four numbers that the result is divided by.
        image_shape: Height, width and channels of the images, for relative formats.

    Raises:
        ValueError: A format is unknown, or `variance` is not four numbers.

    >>> box = [[0.0, 0.0, 2.0, 2.0]]
    >>> encode_box_to_deltas(box, box, "xyxy", "xyxy").tolist()
    [[0.0, 0.0, 0.0, 0.0]]
    """
    height, width = (None, None) if image_shape is None else image_shape[:2]
    scale, encoding = _variance(variance), _encoding(encoding_format)
    anchor = convert_format(anchors, anchor_format, encoding, height, width)
    box = convert_format(boxes, box_format, encoding, height, width)
    size, new_size = (jnp.maximum(one[..., 2:], settings.epsilon()) for one in (anchor, box))
    return jnp.concatenate([(box[..., :2] - anchor[..., :2]) / size, jnp.log(new_size / size)], -1) / scale


def decode_deltas_to_boxes(
    anchors: Any, boxes_delta: Any, anchor_format: str, box_format: str, encoded_format: str = "center_yxhw",
    variance: Any = None, image_shape: Sequence[int] | None = None,
) -> Any:  # fmt: skip
    """Return boxes from how they differ from anchors: the inverse of `encode_box_to_deltas`.

    Args:
        anchors, boxes_delta: ``(..., 4)``, or dictionaries of such arrays with the same keys.
        anchor_format, box_format: See `convert_format`.
        encoded_format: ``"center_yxhw"`` or ``"center_xywh"``, the order of `boxes_delta`.
        variance: Four numbers that `boxes_delta` is multiplied by.
        image_shape: Height, width and channels of the images, for relative formats.

    Raises:
        ValueError: A format is unknown, or `variance` is not four numbers.

    >>> decode_deltas_to_boxes([[0.0, 0.0, 2.0, 2.0]], [[0.5, 0.0, 0.0, 0.0]], "xyxy", "xyxy").tolist()
    [[0.0, 1.0, 2.0, 3.0]]
    """
    if isinstance(anchors, dict) and isinstance(boxes_delta, dict):
        options = (anchor_format, box_format, encoded_format, variance, image_shape)
        return {name: decode_deltas_to_boxes(one, boxes_delta[name], *options) for name, one in anchors.items()}
    height, width = (None, None) if image_shape is None else image_shape[:2]
    scale, encoding = _variance(variance), _encoding(encoded_format)
    anchor = convert_format(anchors, anchor_format, encoding, height, width)
    delta = jnp.asarray(array(boxes_delta), "float32") * scale
    center = delta[..., :2] * anchor[..., 2:] + anchor[..., :2]
    box = jnp.concatenate([center, jnp.exp(delta[..., 2:]) * anchor[..., 2:]], -1)
    return convert_format(box, encoding, box_format, height, width)


offer(globals(), _IMPORTED)
