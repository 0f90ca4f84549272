"""Layers one after the other, and bounding boxes brought to one number."""

from collections.abc import Sequence
from typing import Any, Unpack

import jax.numpy as jnp

from cornu.core import registry, serialization
from cornu.core.layer import Layer
from cornu.core.signature import call_signature
from cornu.layers.argument_checks import check_integer
from cornu.layers.image_preprocessing.base import ImageOptions, ImagePreprocessingLayer


@registry.LAYERS.add()
class Pipeline(Layer):
    """Call layers one after the other, each on what the one before returned: arrays or dictionaries.

    Args:
        layers: The layers.
        name: Name of the layer.

    Shapes:
        What the first layer takes, and what the last one returns.

    Raises:
        ValueError: `layers` is not a list of layers.

    Follows https://keras.io/api/layers/preprocessing_layers/

    >>> from cornu.layers import CenterCrop, Rescaling
    >>> import numpy as np
    >>> Pipeline([CenterCrop(2, 2), Rescaling(0.5)])(np.ones((1, 4, 4, 1))).ravel().tolist()
    [0.5, 0.5, 0.5, 0.5]
    """

    def __init__(self, layers: Sequence[Any], name: str | None = None) -> None:
        super().__init__(name=name)
        if not isinstance(layers, (list, tuple)):
            raise ValueError(f"Pipeline: `layers` must be a list of layers; got {layers!r}.")
        made = [
            serialization.deserialize(one, None, registry.LAYERS) if isinstance(one, dict) else one for one in layers
        ]
        if not all(isinstance(one, Layer) for one in made):
            raise ValueError(f"Pipeline: `layers` must be a list of layers; got {layers!r}.")
        self.layers = made

    def get_config(self) -> dict[str, Any]:
        return {"layers": [serialization.serialize(layer) for layer in self.layers], "name": self.name}

    def _casts_to(self) -> str | None:
        return None  # each layer casts what it is called on

    def call(self, inputs: Any, training: bool = True, mask: Any = None) -> Any:
        for layer in self.layers:
            signature = call_signature(type(layer))
            arguments = {"training": training} if signature.takes_training else {}
            if mask is not None and signature.takes_mask:
                arguments["mask"] = mask
            inputs, mask = layer(inputs, **arguments), None  # the outputs of a layer carry their mask
        return inputs


@registry.LAYERS.add()
class MaxNumBoundingBoxes(ImagePreprocessingLayer):
    """Bring the number of bounding boxes of each image to a fixed one: cut off the last, or add some.

    Args:
        max_number: The number of boxes.
        fill_value: What boxes and labels that are added are filled with.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Shapes:
        Images, or a dictionary with them, see `ImagePreprocessingLayer`; boxes become ``(batch, max_number, 4)``.

    Raises:
        ValueError: `max_number` is not a positive integer.

    Follows https://keras.io/api/layers/preprocessing_layers/image_preprocessing/

    >>> import numpy as np
    >>> boxes = {"boxes": np.ones((1, 2, 4)), "labels": np.ones((1, 2))}
    >>> data = {"images": np.ones((1, 4, 4, 3)), "bounding_boxes": boxes}
    >>> MaxNumBoundingBoxes(3, bounding_box_format="xyxy")(data)["bounding_boxes"]["labels"].tolist()
    [[1.0, 1.0, -1.0]]
    """

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Unpack[ImageOptions]) -> None:
        super().__init__(**kwargs)
        self.max_number = check_integer(self, "max_number", max_number)
        self.fill_value = int(fill_value)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        return images

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        return {**bounding_boxes, **{name: self._fitted(bounding_boxes[name]) for name in ("boxes", "labels")}}

    def _fitted(self, values: Any) -> Any:
        values = jnp.asarray(values)[:, : self.max_number]
        widths = [(0, 0)] * values.ndim
        widths[1] = (0, self.max_number - values.shape[1])
        return jnp.pad(values, widths, constant_values=self.fill_value)


__all__ = ["MaxNumBoundingBoxes", "Pipeline"]
