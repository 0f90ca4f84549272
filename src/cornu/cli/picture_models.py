"""The models of ``cornu train --images``: a small network, or a trained one whose top is replaced."""

import os
from typing import Any, NamedTuple

import numpy as np

import cornu as keras
from cornu import applications, layers
from cornu.cli.common import UserError, model_from
from cornu.core.errors import did_you_mean

#: Layers at the end of a classifier that belong to its classes.
_TOP = ("Dense", "Activation", "Softmax", "Dropout", "Flatten", "ReLU")
#: How a published network wants its pixels -> the beginnings of its names (`keras.applications`).
_WANTED = {
    "0..255": ("efficientnet", "mobilenetv3", "convnext", "regnet", "resnet_rs", "resnetrs"),
    "-1..1": ("mobilenet", "inception", "xception", "nasnet", "resnet50v2", "resnet101v2", "resnet152v2"),
    "bgr": ("resnet", "vgg"),
    "imagenet": ("densenet",),
}
PIXELS = ("0..1", *_WANTED)
_APPLICATIONS = [name for name in applications.__all__ if name[0].isupper()]


class Base(NamedTuple):
    """A trained network without its top: pictures in, features out. `pixels` is one of `PIXELS`."""

    features: Any
    side: int | None
    pixels: str


def network(side: int, class_names: list[str], pictures: int) -> Any:
    """Return an untrained model for pictures ``(side, side, 3)`` with values from 0 to 255.

    Convolutions and pooling until 4 to 7 pixels are left; wider if there are more pictures to learn from.
    """
    filters = 16 if pictures < 1000 else 32
    image = x = keras.Input((side, side, 3), name="image")
    x = layers.Rescaling(1 / 255)(x)
    while side >= 8:
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D()(x)
        side, filters = side // 2, min(2 * filters, 256)
    return _with_top(image, layers.GlobalAveragePooling2D()(x), class_names)


def _with_top(image: Any, features: Any, class_names: list[str]) -> Any:
    x = layers.Dropout(0.2)(features)
    model = keras.Model(image, layers.Dense(len(class_names), activation="softmax", name="classes")(x))
    model.class_names = class_names
    return model


def base_of(given: str, pixels: str | None, weights: str | None = None) -> Base:
    """Return a model without its top, frozen: that in a file, or one of `keras.applications`.

    Args:
        given: Path of the file, or the name of the application.
        pixels: One of `PIXELS`; None finds out.
        weights: File of weights of the application; None takes those that Keras publishes.

    Raises:
        UserError: The model does not take pictures, there is none, or its weights cannot be had.
    """
    if given in _APPLICATIONS and not os.path.exists(given):
        return _application(given, pixels, weights)
    if weights is not None:
        raise UserError(f"--weights goes with the name of a model, such as --base MobileNetV2; got --base {given!r}.")
    if not os.path.exists(given) and "." not in given:
        raise UserError(f"--base: there is no file or model {given!r}.{did_you_mean(given, _APPLICATIONS)}")
    return _from_file(given, pixels)


def _application(name: str, pixels: str | None, weights: str | None) -> Base:
    try:
        model = getattr(applications, name)(include_top=False, weights=weights or "imagenet")
    except (OSError, ValueError) as error:
        raise UserError(f"--base {name}: {error}") from error
    model.trainable = False
    found = pixels or _pixels_of(model)
    return Base(keras.Model(model.inputs, model.outputs, name="base"), None, found)


def _from_file(path: str, pixels: str | None) -> Base:
    model = model_from(path)
    shape = model.input_shape if model.inputs and len(model.inputs) == 1 else None
    if shape is None or len(shape) != 4 or shape[-1] != 3 or (shape[1] != shape[2]):
        raise UserError(f"--base needs a model of square pictures with 3 channels; {path!r} takes {shape}.")
    last = next((layer for layer in reversed(model.layers) if type(layer).__name__ not in _TOP), None)
    output = None if last is None else last.output
    if output is None or len(output.shape) not in (2, 4):
        raise UserError(f"{path!r} has no layer whose features a new top could use.")
    features = keras.Model(model.inputs[0], output, name="base")
    features.trainable = False
    return Base(features, shape[1], pixels or _pixels_of(model))


def _pixels_of(model: Any) -> str:
    """Return how a model wants its pixels: as its first layer says, or as networks of its name are trained."""
    layer = next((layer for layer in model.layers if type(layer).__name__ not in ("InputLayer", "Functional")), None)
    if type(layer).__name__ in ("Rescaling", "Normalization"):
        return "0..255"
    names = [model.name.lower(), *(layer.name.lower() for layer in model.layers if hasattr(layer, "layers"))]
    for pixels, beginnings in _WANTED.items():
        if any(name.startswith(beginnings) for name in names):
            return pixels
    return "0..1"


def on_base(base: Base, side: int, class_names: list[str]) -> Any:
    """Return a model with a new top on a frozen base, for pictures with values from 0 to 255."""
    image = keras.Input((side, side, 3), name="image")
    x = base.features(_prepared(image, base.pixels), training=False)
    if len(x.shape) == 4:
        x = layers.GlobalAveragePooling2D()(x)
    return _with_top(image, x, class_names)


def _prepared(image: Any, pixels: str) -> Any:
    """Return pixels from 0 to 255 as a base wants them (https://keras.io/api/applications/: preprocess_input)."""
    if pixels == "0..255":
        return image
    if pixels == "-1..1":
        return layers.Rescaling(1 / 127.5, offset=-1.0)(image)
    if pixels == "bgr":
        return layers.Rescaling(1.0, offset=[-103.939, -116.779, -123.68])(image[..., ::-1])
    if pixels == "imagenet":
        mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
        return layers.Rescaling((1 / 255 / deviation).tolist(), offset=(-mean / deviation).tolist())(image)
    return layers.Rescaling(1 / 255)(image)
