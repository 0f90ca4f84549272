"""Models that name what a picture shows: those whose file has class names (`model.class_names`)."""

import base64
from typing import Any

import numpy as np

from cornu.preprocessing.pictures import largest_pixel
from cornu.preprocessing.resizing import resized
from cornu.serve.limits import RequestError
from cornu.serve.served_model import ServedModel
from cornu.visuals.measures import shares
from cornu.visuals.tiles import png

LARGEST_SIDE = 1600


class PictureReader:
    """A classifier of pictures ``(height, width, 1 or 3)`` with a name for each of its classes."""

    def __init__(self, served: ServedModel, names: list[str]) -> None:
        self.served, self.names = served, names
        shape: Any = served.inputs[0].shape  # without unknown sizes: `served` is fixed
        self.height, self.width, self.channels = shape
        self.largest = largest_pixel(served.model)

    @classmethod
    def of(cls, served: ServedModel) -> "PictureReader | None":
        """Return the reader for a model of pictures of one size with class names, else None."""
        names = served.model.class_names
        if not isinstance(names, list) or len(served.inputs) != 1 or len(served.outputs) != 1 or not served.fixed:
            return None
        shape, classes = served.inputs[0].shape, served.outputs[0].shape
        fits = len(names) > 1 and (classes == (len(names),) or (classes == (1,) and len(names) == 2))
        takes_pictures = len(shape) == 3 and shape[2] in (1, 3) and served.inputs[0].dtype.startswith("float")
        return cls(served, [str(name) for name in names]) if fits and takes_pictures else None

    def read(self, body: bytes, width: int, height: int) -> dict[str, Any]:
        """Return the classes of a picture of RGB bytes, the likeliest first, and the picture that the model sees."""
        if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
            raise RequestError(422, f"A picture must have 1 to {LARGEST_SIDE} pixels per side; got {width}x{height}.")
        if len(body) != width * height * 3:
            raise RequestError(
                422, f"A picture of {width}x{height} in RGB needs {width * height * 3} bytes; got {len(body)}."
            )
        pixels = np.frombuffer(body, "uint8").reshape(height, width, 3)
        small = np.round(resized(pixels, (self.height, self.width), antialias=True)).clip(0, 255)
        if self.channels == 1:
            small = np.round(small @ np.array([[0.299], [0.587], [0.114]], "float32"))
        rows = (small / 255 * self.largest)[None].astype(self.served.inputs[0].dtype)
        outputs = self.served.compute([rows])[0].astype("float32")
        found = shares(outputs)[0] if outputs.shape[1] > 1 else np.array([1 - outputs[0, 0], outputs[0, 0]])
        if not np.isfinite(found).all():
            raise RequestError(422, "The model's outputs for this picture are not finite.")
        seen = png(small.astype("uint8")[..., 0] if self.channels == 1 else small.astype("uint8"))
        return {
            "classes": [
                {"name": self.names[i], "probability": float(found[i])} for i in np.argsort(-found, kind="stable")
            ],
            "seen": "data:image/png;base64," + base64.b64encode(seen).decode("ascii"),
        }
