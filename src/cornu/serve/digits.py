"""Models that read handwritten digits: their pixel format, their predictions, and which pixels mattered."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.data.batch import Batch
from cornu.datasets import mnist
from cornu.preprocessing.digits import SIDE, digits_of
from cornu.serve.limits import RequestError
from cornu.serve.served_model import ServedModel

#: Usual ways to scale MNIST's pixels, as (factor, offset) for values from 0 to 1.
FORMS = {"0 to 1": (1.0, 0.0), "0 to 255": (255.0, 0.0), "-1 to 1": (2.0, -1.0), "standardised": (3.245, -0.424),
         "black on white": (-1.0, 1.0)}  # fmt: skip
#: The least accuracy on the test images; below it the model reads something else.
_LEAST_ACCURACY, _TEST_IMAGES = 0.3, 512
#: Saliency is the mean gradient over some noisy copies of an image (https://arxiv.org/abs/1706.03825).
_COPIES, _NOISE = 16, 0.12
LARGEST_SIDE, MOST_DIGITS = 1600, 64


class DigitReader:
    """A model of 28x28 pixels and 10 classes that knows handwritten digits."""

    def __init__(self, served: ServedModel, form: str, accuracy: float) -> None:
        self.served, self.form, self.accuracy = served, form, accuracy
        self._evidence = jax.jit(self._gradients)
        self._noise = np.random.default_rng(0).normal(0, _NOISE, (_COPIES, SIDE, SIDE)).astype("float32")
        self.saliency(np.zeros((SIDE, SIDE), "float32"))

    @classmethod
    def of(cls, served: ServedModel) -> "DigitReader | None":
        """Return the reader for a model that recognises MNIST's test images in one of the usual forms, else None."""
        if not _fits(served):
            return None
        _, (images, labels) = mnist.load_data()
        spread = slice(None, None, len(images) // _TEST_IMAGES)
        images, labels = images[spread] / np.float32(255), labels[spread]
        found = []
        for form in FORMS:
            probabilities = _probabilities(served.compute([_as_input(images, form, served)])[0].reshape(-1, 10))
            # Accuracy alone does not distinguish 0 to 1 from 0 to 255: too large values make the model overconfident.
            likelihood = np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-20)).mean()
            found.append((likelihood, (probabilities.argmax(1) == labels).mean(), form))
        _, accuracy, form = max(found, key=lambda one: one[0])
        return cls(served, form, float(accuracy)) if accuracy >= _LEAST_ACCURACY else None

    def read(self, body: bytes, width: int, height: int, separate: bool) -> dict[str, Any]:
        """Return the digits in a picture of grey pixels: their places, images, probabilities and saliency."""
        if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
            raise RequestError(422, f"A picture must have 1 to {LARGEST_SIDE} pixels per side; got {width}x{height}.")
        if len(body) != width * height:
            raise RequestError(422, f"A picture of {width}x{height} needs {width * height} bytes; got {len(body)}.")
        pixels = np.frombuffer(body, "uint8").reshape(height, width)
        margin = 0 if separate else max(width, height) // 4  # ink that runs off a drawing's edge is not a shadow
        boxes, images = digits_of(np.pad(pixels, margin, constant_values=255), separate=separate)
        if not len(images):
            return {"digits": []}
        images = images[:MOST_DIGITS].astype("float32")
        outputs = self.served.compute([_as_input(images, self.form, self.served)])[0].reshape(len(images), 10)
        probabilities = _probabilities(outputs)
        if not np.isfinite(probabilities).all():
            raise RequestError(422, "The model's outputs for this picture are not finite.")
        return {
            "digits": [
                {
                    "box": (box - margin).clip(0).tolist(),
                    "digit": int(row.argmax()),
                    "rather_than": int(row.argsort()[-2]),
                    "probabilities": row.tolist(),
                    "image": np.round(image * 255).astype(int).ravel().tolist(),
                    "saliency": np.round(self.saliency(image) * 127).astype(int).ravel().tolist(),
                }
                for box, row, image in zip(boxes, probabilities, images, strict=False)
            ]
        }

    def saliency(self, image: np.ndarray) -> np.ndarray:
        """Return how much ink at each pixel favors the likeliest digit over the next, from -1 to 1."""
        gradients = np.asarray(self._evidence(self.served.predictor.learner.read(training=False), image, self._noise))
        largest = np.abs(gradients).max()
        return gradients / largest if np.isfinite(largest) and largest > 0 else np.zeros_like(gradients)

    def _gradients(self, state: Any, image: jax.Array, noise: jax.Array) -> jax.Array:
        def scores(images: jax.Array) -> jax.Array:
            outputs, _ = self.served.predictor.learner.predict_step(
                state, Batch(self.served.structure([_as_input(images, self.form, self.served)]))
            )
            return _logarithms(jax.tree.leaves(outputs)[0].reshape(-1, 10).astype("float32"))

        best, second = jax.lax.top_k(scores(image[None])[0], 2)[1]

        def margin(images: jax.Array) -> jax.Array:
            found = scores(images)
            return (found[:, best] - found[:, second]).sum()

        return jax.grad(margin)(image + noise).mean(0)


def _fits(served: ServedModel) -> bool:
    if len(served.inputs) != 1 or len(served.outputs) != 1 or not served.fixed:
        return False
    shape = tuple(size for size in served.inputs[0].shape if size != 1)
    classes = tuple(size for size in served.outputs[0].shape if size != 1)
    return shape in ((SIDE, SIDE), (SIDE * SIDE,)) and classes == (10,) and served.inputs[0].dtype.startswith("float")


def _as_input(images: Any, form: str, served: ServedModel) -> Any:
    """Return images (n, 28, 28) with values from 0 to 1 in the model's shape and scale."""
    scale, offset = FORMS[form]
    tensor = served.inputs[0]
    return (images * scale + offset).reshape(-1, *tensor.shape).astype(tensor.dtype)


def _are_probabilities(outputs: Any, module: Any) -> Any:
    return module.all(outputs >= 0) & module.all(module.abs(outputs.sum(-1) - 1) < 1e-2)


def _probabilities(outputs: np.ndarray) -> np.ndarray:
    """Return outputs as probabilities: as they are, or as a softmax of logits."""
    outputs = outputs.astype("float32")
    if _are_probabilities(outputs, np):
        return outputs
    powers = np.exp(outputs - outputs.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _logarithms(outputs: jax.Array) -> jax.Array:
    """Return scores whose differences are logarithms of odds, which do not saturate as probabilities do."""
    logs = jnp.log(jnp.maximum(outputs, 1e-37))
    return jnp.where(_are_probabilities(outputs, jnp), logs, outputs)
