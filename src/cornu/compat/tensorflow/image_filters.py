"""The part of ``tf.image`` that cuts, filters and compares pictures, finds boxes in them, and other colour spaces."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import tensor_function
from cornu.compat.tensorflow.control import on_host
from cornu.compat.tensorflow.nn import avg_pool
from cornu.compat.tensorflow.nn import windows_of as windows
from cornu.ops import image as ops
from cornu.ops.image.filters import similarity_parts

_TO_YUV = np.array(
    [[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]], "float32"
)
_FROM_YUV = np.array([[1, 1, 1], [0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0]], "float32")
_TO_YIQ = np.array(
    [[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]], "float32"
)
_FROM_YIQ = np.array(
    [[1, 1, 1], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]], "float32"
)


def _colours(matrix: np.ndarray, about: str) -> Any:
    @tensor_function
    def call(images: Any, name: Any = None) -> jax.Array:
        images = jnp.asarray(images)
        return jnp.matmul(images, jnp.asarray(matrix, images.dtype), precision="highest")

    call.__doc__ = f"Return pictures {about}."
    return call


rgb_to_yuv, yuv_to_rgb = _colours(_TO_YUV, "in YUV"), _colours(_FROM_YUV, "in RGB from YUV")
rgb_to_yiq, yiq_to_rgb = _colours(_TO_YIQ, "in YIQ"), _colours(_FROM_YIQ, "in RGB from YIQ")


@tensor_function
def extract_patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: str, name: Any = None) -> jax.Array:
    """Return parts of pictures: ``(batch, rows, columns, height * width * channels)``."""
    found = windows(jnp.asarray(images), sizes, strides, padding, rates)
    return found.reshape(*found.shape[:3], -1)


@tensor_function
def sobel_edges(image: Any) -> jax.Array:
    """Return how steeply pictures change along height and width, mirrored at their borders: an axis of 2 at the end."""
    x = jnp.pad(jnp.asarray(image), [(0, 0), (1, 1), (1, 1), (0, 0)], "reflect")
    return ops.sobel_edges(x, "channels_last")[:, 1:-1, 1:-1]


@tensor_function
def image_gradients(image: Any) -> tuple[jax.Array, jax.Array]:
    """Return the differences to the next row, and to the next column; zero at the end."""
    x = jnp.asarray(image)
    return (
        jnp.pad(jnp.diff(x, axis=1), [(0, 0), (0, 1), (0, 0), (0, 0)]),
        jnp.pad(jnp.diff(x, axis=2), [(0, 0), (0, 0), (0, 1), (0, 0)]),
    )


_POWERS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


@tensor_function
def ssim(
    img1: Any, img2: Any, max_val: Any, filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01,
    k2: float = 0.03, return_index_map: bool = False,
) -> jax.Array:  # fmt: skip
    """Return the structural similarity of pictures: 1 for equal ones."""
    one, other = (jnp.asarray(img).astype("float32") for img in (img1, img2))
    return ops.ssim(one, other, max_val, filter_size, filter_sigma, k1, k2, "channels_last")


@tensor_function
def ssim_multiscale(
    img1: Any, img2: Any, max_val: Any, power_factors: Any = _POWERS, filter_size: int = 11, filter_sigma: float = 1.5,
    k1: float = 0.01, k2: float = 0.03,
) -> jax.Array:  # fmt: skip
    """Return the similarity of pictures over several scales, each half as large as the one before."""
    pairs, found = [jnp.asarray(img1), jnp.asarray(img2)], []
    for level, power in enumerate(power_factors):
        if level:
            pairs = [avg_pool(one, 2, 2, "SAME") for one in pairs]
        light, contrast = similarity_parts(*pairs, float(max_val), filter_size, filter_sigma, k1, k2, last=True)
        part = contrast[0] / contrast[1]
        part = part * light[0] / light[1] if level == len(power_factors) - 1 else part
        found.append(jax.nn.relu(jnp.mean(part, (1, 2))) ** power)
    return jnp.mean(jnp.prod(jnp.stack(found), 0), -1)


# ---- boxes


@tensor_function
def crop_and_resize(
    image: Any, boxes: Any, box_indices: Any, crop_size: Any, method: str = "bilinear",
    extrapolation_value: float = 0.0, name: Any = None,
) -> jax.Array:  # fmt: skip
    """Return parts of pictures in one size: `boxes` are (top, left, bottom, right) from 0 to 1 of `box_indices`.

    `method` is ``"bilinear"`` or ``"nearest"``; outside of a picture is `extrapolation_value`.
    """
    image, boxes = jnp.asarray(image).astype("float32"), jnp.asarray(boxes, "float32")
    sizes = [int(one) for one in np.ravel(crop_size)]
    places = []
    for axis, count in enumerate(sizes):
        low, high, last = boxes[:, axis], boxes[:, axis + 2], image.shape[1 + axis] - 1
        steps = (high - low)[:, None] * last / max(count - 1, 1) * jnp.arange(count) + (low * last)[:, None]
        places.append(steps if count > 1 else (0.5 * (low + high) * last)[:, None])

    def one(number: jax.Array, rows: jax.Array, columns: jax.Array) -> jax.Array:
        return _sampled(image[number], rows[:, None], columns[None], method)

    found = jax.vmap(one)(jnp.asarray(box_indices), *places)
    inside = [(at >= 0) & (at <= size - 1) for at, size in zip(places, image.shape[1:3], strict=True)]
    return jnp.where((inside[0][:, :, None] & inside[1][:, None])[..., None], found, extrapolation_value)


def _sampled(picture: jax.Array, rows: jax.Array, columns: jax.Array, method: str) -> jax.Array:
    last = picture.shape[0] - 1, picture.shape[1] - 1

    def at(y: jax.Array, x: jax.Array) -> jax.Array:
        return picture[jnp.clip(y.astype(int), 0, last[0]), jnp.clip(x.astype(int), 0, last[1])]

    if method == "nearest":
        return at(jnp.floor(rows + 0.5), jnp.floor(columns + 0.5))
    top, left = jnp.floor(rows), jnp.floor(columns)
    down, across = (rows - top)[..., None], (columns - left)[..., None]
    upper = at(top, left) * (1 - across) + at(top, left + 1) * across
    lower = at(top + 1, left) * (1 - across) + at(top + 1, left + 1) * across
    return upper * (1 - down) + lower * down


def _overlaps(boxes: np.ndarray) -> np.ndarray:
    """Return the overlap of all pairs: the common area divided by that of both together."""
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    areas = np.prod(high - low, 1)
    common = np.prod(np.maximum(np.minimum(high[:, None], high) - np.maximum(low[:, None], low), 0), -1)
    return common / np.maximum(areas[:, None] + areas - common, 1e-12)


def _kept(boxes: np.ndarray, scores: np.ndarray, most: int, overlap: float, least: float) -> list[int]:
    overlaps = _overlaps(boxes)
    kept: list[int] = []
    for number in np.argsort(-scores, kind="stable"):
        if len(kept) >= most:
            break
        if scores[number] > least and not any(overlaps[number, other] > overlap for other in kept):
            kept.append(int(number))
    return kept


def non_max_suppression(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: float = 0.5, score_threshold: float = -np.inf,
    name: Any = None,
) -> jax.Array:  # fmt: skip
    """Return the numbers of the best boxes that do not overlap by more than `iou_threshold`; on the host."""
    given = on_host(boxes), on_host(scores)
    return jnp.asarray(_kept(*given, int(max_output_size), float(iou_threshold), float(score_threshold)), "int32")


def non_max_suppression_with_scores(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: float = 0.5, score_threshold: float = -np.inf,
    soft_nms_sigma: float = 0.0, name: Any = None,
) -> tuple[jax.Array, jax.Array]:  # fmt: skip
    """Return the numbers and scores of the best boxes; with `soft_nms_sigma` overlaps lower scores instead."""
    boxes, rest = on_host(boxes), np.array(on_host(scores))
    if not soft_nms_sigma:
        kept = _kept(boxes, rest, int(max_output_size), float(iou_threshold), float(score_threshold))
        return jnp.asarray(kept, "int32"), jnp.asarray(rest[kept])
    overlaps, kept, found = _overlaps(boxes), [], []
    while len(kept) < int(max_output_size) and rest.size and rest.max() > score_threshold:
        best = int(rest.argmax())
        kept.append(best)
        found.append(rest[best])
        falls = np.exp(-(overlaps[best] ** 2) / (2 * soft_nms_sigma)) * (overlaps[best] <= iou_threshold)
        rest = rest * falls
        rest[best] = -np.inf
    return jnp.asarray(kept, "int32"), jnp.asarray(found, "float32")


class Detections(NamedTuple):
    """Boxes, scores and classes of each picture, filled up with zeros, and how many there are."""

    nmsed_boxes: jax.Array
    nmsed_scores: jax.Array
    nmsed_classes: jax.Array
    valid_detections: jax.Array


def combined_non_max_suppression(
    boxes: Any, scores: Any, max_output_size_per_class: int, max_total_size: int, iou_threshold: float = 0.5,
    score_threshold: float = -np.inf, pad_per_class: bool = False, clip_boxes: bool = True, name: Any = None,
) -> Detections:  # fmt: skip
    """Return the best boxes of each picture of a batch, by class; boxes are ``(batch, count, classes or 1, 4)``."""
    boxes, scores = on_host(boxes), on_host(scores)
    found = []
    for own, chances in zip(boxes, scores, strict=True):
        chosen: list[tuple[float, int, np.ndarray]] = []
        for number in range(chances.shape[1]):
            of_class = own[:, min(number, own.shape[1] - 1)]
            kept = _kept(of_class, chances[:, number], int(max_output_size_per_class), iou_threshold, score_threshold)
            chosen += [(float(chances[at, number]), number, of_class[at]) for at in kept]
        found.append(sorted(chosen, key=lambda one: -one[0])[: int(max_total_size)])
    parts = np.zeros((len(found), int(max_total_size), 6), "float32")
    for row, several in zip(parts, found, strict=True):
        for at, (score, number, box) in enumerate(several):
            row[at] = *(np.clip(box, 0, 1) if clip_boxes else box), score, number
    counts = np.array([len(several) for several in found], "int32")
    return Detections(*map(jnp.asarray, (parts[..., :4], parts[..., 4], parts[..., 5], counts)))


def draw_bounding_boxes(images: Any, boxes: Any, colors: Any = None, name: Any = None) -> jax.Array:
    """Return pictures with the edges of boxes (top, left, bottom, right from 0 to 1) in `colors`."""
    pictures, boxes = np.array(on_host(images)), on_host(boxes)
    palette = np.atleast_2d([[1.0, 1.0, 0.0]] if colors is None else np.asarray(colors, "float32"))
    height, width, channels = pictures.shape[1:]
    for picture, own in zip(pictures, boxes, strict=True):
        for number, box in enumerate(own):
            top, bottom = (int(box[0] * (height - 1)), int(box[2] * (height - 1)))
            left, right = (int(box[1] * (width - 1)), int(box[3] * (width - 1)))
            colour = palette[number % len(palette)][:channels]
            rows, columns = slice(max(top, 0), bottom + 1), slice(max(left, 0), right + 1)
            for row in (top, bottom):
                if 0 <= row < height:
                    picture[row, columns] = colour
            for column in (left, right):
                if 0 <= column < width:
                    picture[rows, column] = colour
    return jnp.asarray(pictures)
