"""What the layers that preprocess images share: single images and batches, labels, boxes and masks, random numbers."""

import copy
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.layer import Layer
from cornu.core.layer_options import LayerOptions
from cornu.core.ownership import is_library
from cornu.core.randomness import random_key
from cornu.core.settings import standardize_data_format
from cornu.core.variable import Seed
from cornu.kernels.random_bits import uniform
from cornu.ops.bounding_boxes import clip_to_image_size, convert_format
from cornu.ops.image.layout import space_axes

Transformation = Any
PARTS = ("images", "bounding_boxes", "labels", "segmentation_masks")


class BoxOptions(LayerOptions, total=False):
    """Keyword arguments that every layer here takes besides its own."""

    bounding_box_format: str | None


class ImageOptions(BoxOptions, total=False):
    """The same, of layers without a ``data_format`` of their own."""

    data_format: str | None


class ImagePreprocessingLayer(Layer):
    """Base of the layers that preprocess images. They may be called on a batch, on one image, or on a dictionary.

    A layer draws what it does to each image by `get_random_transformation`, and then does it to the images and to what
    belongs to them: ``transform_images``, ``transform_labels``, ``transform_bounding_boxes`` and
    ``transform_segmentation_masks``. The same transformation gives the same results.

    Args:
        bounding_box_format: Format of ``"bounding_boxes"``, see `keras.utils.bounding_boxes.convert_format`.
        data_format: ``"channels_last"`` or ``"channels_first"``; None takes ``cornu.config.image_data_format()``.
        **kwargs: Arguments of `Layer`.

    Shapes:
        Images ``(batch, height, width, channels)`` or ``(height, width, channels)``; channels before height for
        ``"channels_first"``. Or a dictionary with ``"images"`` and any of ``"labels"``, ``"segmentation_masks"`` and
        ``"bounding_boxes"``, which has ``"boxes"`` of shape ``(batch, boxes, 4)`` and ``"labels"``.
    """

    keeps_rows_apart = True
    batched_rank = 4

    def __init__(
        self, bounding_box_format: str | None = None, data_format: str | None = None, **kwargs: Unpack[LayerOptions]
    ) -> None:
        super().__init__(**kwargs)
        self.bounding_box_format = bounding_box_format
        self.data_format = standardize_data_format(data_format)

    def _draws_from(self, seed: int | None) -> None:
        self.seed = seed
        self.generator = Seed(seed)

    def get_config(self) -> dict[str, Any]:
        config = {"data_format": self.data_format} | super().get_config()
        if config.get("bounding_box_format") is None:
            config.pop("bounding_box_format", None)
        return config

    def _casts_to(self) -> str | None:
        return None  # images are cast below; coordinates of boxes stay exact

    # ---- calling

    def call(self, data: Any, training: bool = True) -> Any:
        if isinstance(data, Mapping):
            return self._with_parts_transformed(data, training)
        return self._with_parts_transformed({"images": data}, training)["images"]

    def _with_parts_transformed(self, data: Mapping[str, Any], training: Any) -> dict[str, Any]:
        parts = _with_dense_boxes({name: data[name] for name in PARTS if name in data})
        draws = training is not False and "generator" in vars(self)
        key = self.generator.next() if draws else None
        traced = any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((parts, training, key)))
        if traced or not all(is_library(type(layer)) for layer in self._flatten_layers()):
            return {**data, **self._transformed(parts, key, training)}
        return {**data, **_program(self)(parts, key, bool(training))}

    def _transformed(self, data: Mapping[str, Any], key: Any, training: Any) -> dict[str, Any]:
        if "bounding_boxes" in data and not self.bounding_box_format:
            raise ValueError(
                f"{type(self).__name__}: the data have 'bounding_boxes'; pass their format to the layer, for example "
                'bounding_box_format="xyxy".'
            )
        images = data["images"]
        if images.ndim == 4:
            return self._transformed_batch(data, key, training)
        if images.ndim != 3:
            raise ValueError(
                f"{type(self).__name__}: images must have 3 axes (one image) or 4 (a batch of images); got the shape "
                f"{tuple(images.shape)}."
            )
        batch = jax.tree.map(lambda x: jnp.asarray(x)[None], dict(data))
        return jax.tree.map(lambda x: x[0], self._transformed_batch(batch, key, training))

    def _transformed_batch(self, data: Mapping[str, Any], key: Any, training: Any) -> dict[str, Any]:
        transformation = self.get_random_transformation(data, training=training, seed=key)
        return {
            name: getattr(self, f"transform_{name}")(part, transformation, training=training)
            for name, part in data.items()
        }

    # ---- what layers override

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Transformation:
        """Return what the layer does to each image of `data`, drawn at random; None where nothing is drawn.

        Args:
            data: Images, or a dictionary that has them.
            training: Whether the layer is training.
            seed: An integer, a `SeedGenerator` or a key; None takes the layer's own.
        """
        return None

    def transform_images(self, images: Any, transformation: Transformation, training: bool = True) -> jax.Array:
        """Return images ``(batch, height, width, channels)`` transformed, in the layer's compute dtype."""
        images = jnp.asarray(images).astype(self.compute_dtype)
        if not training:
            return images
        return self._changed(images, transformation).astype(self.compute_dtype)

    def _changed(self, images: jax.Array, transformation: Transformation) -> jax.Array:
        """Return images of the compute dtype, transformed."""
        raise NotImplementedError

    def transform_labels(self, labels: Any, transformation: Transformation, training: bool = True) -> Any:
        """Return labels ``(batch, ...)`` for the transformed images."""
        return labels

    def transform_bounding_boxes(
        self, bounding_boxes: dict[str, Any], transformation: Transformation, training: bool = True
    ) -> dict[str, Any]:
        """Return ``{"boxes": (batch, boxes, 4), "labels": (batch, boxes)}`` for the transformed images."""
        return bounding_boxes

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation, training: bool = True
    ) -> Any:
        """Return masks ``(batch, height, width, channels)`` for the transformed images."""
        return segmentation_masks

    # ---- what they use

    def _space(self, shape: Sequence[int]) -> tuple[int, int]:
        """Return height and width."""
        height, width = space_axes(self.data_format)
        return shape[height], shape[width]

    def _key(self, seed: Any) -> jax.Array:
        return random_key(self.generator if seed is None else seed)

    def _unit_numbers(self, seed: Any, data: Any, count: int) -> jax.Array:
        """Return `count` numbers between 0 and 1 for each image: ``(count, batch)``."""
        return uniform(self._key(seed), (count, batch_size(data)))

    def _on_corners(
        self, bounding_boxes: dict[str, Any], space: Sequence[int], new_space: Sequence[int],
        change: Callable[[jax.Array], jax.Array], relative: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        """Return boxes changed as corners of a picture of `space`, clipped to one of `new_space`, in their format."""
        form, inner = self.bounding_box_format or "xyxy", "rel_xyxy" if relative else "xyxy"
        found = convert_format(bounding_boxes, form, inner, *space)
        found["boxes"] = change(found["boxes"])
        found = clip_to_image_size(found, new_space[0], new_space[1], inner)
        return convert_format(found, inner, form, *new_space)


def images_of(data: Any) -> Any:
    """Return the images of `data`, which is them or a dictionary that has them."""
    return data["images"] if isinstance(data, Mapping) else data


def batch_size(data: Any) -> int:
    """Return the number of images; 1 for an image without a batch axis. ValueError for another number of axes."""
    images = images_of(data)
    if images.ndim not in (3, 4):
        raise ValueError(f"Images must have 3 or 4 axes; got the shape {tuple(images.shape)}.")
    return images.shape[0] if images.ndim == 4 else 1


def between(numbers: jax.Array, low: Any, high: Any) -> jax.Array:
    """Return numbers from 0 to 1 spread from `low` to `high`."""
    return low + numbers * (high - low)


def happens(numbers: jax.Array, factor: Sequence[float]) -> jax.Array:
    """Return for each image whether something happens to it, with a probability drawn from `factor`: ``(batch,)``.

    `numbers` are two from 0 to 1 for each image.
    """
    return numbers[0] < between(numbers[1], *factor)


def per_image(values: jax.Array) -> jax.Array:
    """Return one value for each image in a shape to compute with images: ``(batch, 1, 1, 1)``."""
    return values.reshape(-1, 1, 1, 1)


def _with_dense_boxes(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return `data` with bounding boxes as arrays: lists of boxes are padded with boxes of zeros, labels with -1."""
    if "images" not in data:
        raise ValueError(f"A dictionary for image preprocessing needs the key 'images'; it has {sorted(data)}.")
    if "bounding_boxes" not in data:
        return dict(data)
    given = data["bounding_boxes"]
    if not isinstance(given, Mapping) or not {"boxes", "labels"} <= set(given):
        raise ValueError("`bounding_boxes` must be a dictionary with 'boxes' and 'labels'.")
    boxes, labels = given["boxes"], given["labels"]
    if isinstance(boxes, (list, tuple)):
        if len(boxes) != len(labels):
            raise ValueError(
                f"`bounding_boxes`: 'boxes' and 'labels' must have one length; got {len(boxes)} and {len(labels)}."
            )
        boxes, labels = _padded(boxes, labels) if _are_ragged(boxes) else (np.asarray(boxes), np.asarray(labels))
    boxes = jnp.asarray(boxes, "float32")
    if boxes.ndim not in (2, 3) or boxes.shape[-1] != 4:
        raise ValueError(
            f"`bounding_boxes`: 'boxes' must have the shape (batch, boxes, 4) or (boxes, 4); got {tuple(boxes.shape)}."
        )
    return {**data, "bounding_boxes": {**given, "boxes": boxes, "labels": jnp.asarray(labels)}}


def _are_ragged(boxes: Sequence[Any]) -> bool:
    return len({np.shape(one) for one in boxes}) > 1 or any(np.size(one) == 0 for one in boxes)


def _padded(boxes: Sequence[Any], labels: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    most = max(len(one) for one in boxes)
    dense, marks = np.zeros((len(boxes), most, 4), "float32"), np.full((len(boxes), most), -1, "int32")
    for row, (some, their_labels) in enumerate(zip(boxes, labels, strict=True)):
        if len(some):
            dense[row, : len(some)], marks[row, : len(some)] = some, their_labels
    return dense, marks


# ---- outside of a compiled step: one program for each layer, as data pipelines need it

_programs: "weakref.WeakKeyDictionary[ImagePreprocessingLayer, tuple[Any, Any]]" = weakref.WeakKeyDictionary()
_SIMPLE = (bool, int, float, str, tuple, list, type(None))


def _program(layer: ImagePreprocessingLayer) -> Callable[..., Any]:
    """Return a layer's transformation as a compiled program, which is made again when its attributes change."""
    attributes = [item for one in layer._flatten_layers() for item in vars(one).items()]
    state = [(name, repr(value)) for name, value in attributes if name[0] != "_" and type(value) in _SIMPLE]
    state.append(("compute_dtype", layer.compute_dtype))
    known = _programs.get(layer)
    if known is None or known[0] != state:
        twin = copy.copy(layer)  # the program must not keep the layer alive
        twin._inbound_nodes = []
        known = state, jax.jit(twin._transformed, static_argnums=2)
        _programs[layer] = known
    return known[1]
