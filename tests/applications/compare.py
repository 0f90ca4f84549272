"""Comparing a model of `cornu.applications` with real Keras's: layers, configs, weights, files, predictions."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import h5py
import keras
import numpy as np
from keras.src.initializers import random_initializers
from keras.src.legacy.saving import legacy_h5_format
from keras.src.utils import file_utils

import cornu
from contract.compare import _Undrawn
from cornu.models.operations import form_of


class Case(NamedTuple):
    """A call of a model's function: its name, height and width of the images, other arguments than the usual."""

    name: str
    size: int = 32
    options: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return ", ".join([self.name, str(self.size), *(f"{name}={value!r}" for name, value in self.options)])

    @property
    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the call, with random weights and few classes."""
        return {"weights": None, "classes": 10, "input_shape": self.shape} | dict(self.options)

    @property
    def shape(self) -> tuple[int, ...]:
        first = keras.config.image_data_format() == "channels_first"
        return (3, self.size, self.size) if first else (self.size, self.size, 3)


def case(model: str, size: int = 32, **options: Any) -> Case:
    return Case(model, size, tuple(options.items()))


FEATURES = {"include_top": False, "pooling": "avg"}
#: Models of every architecture, as small as they go.
MODELS = (
    case("VGG16"),
    case("VGG19"),
    case("ResNet50"),
    case("ResNet50V2"),
    case("DenseNet121"),
    case("Xception", 71),
    case("InceptionV3", 75),
    case("InceptionResNetV2", 75),
    case("MobileNet"),
    case("MobileNetV2"),
    case("MobileNetV3Small"),
    case("MobileNetV3Large"),
    case("NASNetMobile"),
)
#: Models with other arguments.
VARIANTS = (
    case("VGG16", include_top=False, pooling="max"),
    case("ResNet50", **FEATURES),
    case("ResNet50V2", 33, include_top=False, pooling="max", name="backbone"),
    case("DenseNet121", **FEATURES),
    case("Xception", 71, include_top=False, pooling="max"),
    case("InceptionV3", 75, **FEATURES),
    case("MobileNet", 45, alpha=0.25, depth_multiplier=2, dropout=0.5, classifier_activation=None),
    case("MobileNet", 32, alpha=0.5, include_top=False, pooling="max"),
    case("MobileNetV2", 33, alpha=0.35),
    case("MobileNetV2", 96, alpha=1.4, **FEATURES),
    case("MobileNetV3Small", 48, alpha=0.75, minimalistic=True, include_preprocessing=False),
    case("MobileNetV3Small", alpha=1.5, dropout_rate=0, classifier_activation="sigmoid"),
    case("MobileNetV3Large", 33, minimalistic=True, include_top=False, pooling="max"),
)
#: Models that `scripts/applications` alone compares: most have hundreds of layers.
SCALED = (
    *[case(name) for name in ("ResNet101", "ResNet152", "ResNet101V2", "ResNet152V2", "DenseNet169", "DenseNet201")],
    case("NASNetLarge"),
    case("NASNetMobile", 64, **FEATURES),
    *[case(f"EfficientNetB{number}") for number in range(8)],
    *[case(f"EfficientNetV2{size}") for size in ("B0", "B1", "B2", "B3", "S", "M", "L")],
    *[case(f"ConvNeXt{size}") for size in ("Tiny", "Small", "Base", "Large", "XLarge")],
    case("EfficientNetB0", 33, **FEATURES),
    case("EfficientNetV2B0", 33, include_top=False, pooling="max", include_preprocessing=False),
    case("EfficientNetV2S", **FEATURES),
    case("ConvNeXtTiny", include_top=False, pooling="max", include_preprocessing=False, name="backbone"),
)


def ours(case: Case) -> Any:
    """Return Cornu's model, its unnamed layers counted from the start."""
    cornu.utils.clear_session()
    return getattr(cornu.applications, case.name)(**case.arguments)


def theirs(case: Case, with_weights: bool = True) -> Any:
    """Return Keras's model, with weights that keep numbers in range, the same each time."""
    keras.utils.clear_session()
    with mock.patch.object(random_initializers, "random", _Undrawn):
        model = getattr(keras.applications, case.name)(**case.arguments)
    if with_weights:
        random = np.random.default_rng(3)
        model.set_weights([_weight(random, variable) for variable in model.weights])
        for layer in model.layers:
            if isinstance(layer, keras.layers.Normalization):  # it takes what is set only then, or from a file
                layer.finalize_state()
    return model


def _weight(random: np.random.Generator, variable: Any) -> np.ndarray:
    name, shape = variable.path.split("/")[-1], variable.shape
    if name in ("gamma", "moving_variance", "variance"):
        return random.uniform(0.5, 1.5, shape)
    if "kernel" not in name:
        return random.uniform(-0.2, 0.2, shape)
    values_in = shape[0] * shape[1] if "depthwise" in name else np.prod(shape[:-1])
    return random.standard_normal(shape, dtype="float32") * np.sqrt(2 / values_in)


def layers_of(model: Any) -> list[tuple[str, str]]:
    """Return classes and names; functions between layers are of the classes that Keras has for them."""
    forms = [form_of(layer) for layer in model.layers]
    return [
        (form.class_name if form else type(layer).__name__, layer.name)
        for form, layer in zip(forms, model.layers, strict=True)
    ]


def weights_of(model: Any) -> list[tuple[str, tuple[int, ...], bool]]:
    """Return names, shapes and whether they train; the weights of LayerScale have no name in Keras."""
    names = [re.sub(r"(layer_scale)/variable(_\d+)?$", r"\1/gamma", one.path) for one in model.weights]
    return [
        ("/".join(name.split("/")[-2:]), tuple(one.shape), one.trainable)
        for name, one in zip(names, model.weights, strict=True)
    ]


def facts(model: Any) -> dict[str, Any]:
    """Return what models are compared by without real Keras: numbers, and digests of names and shapes."""
    return {
        "name": model.name,
        "parameters": model.count_params(),
        "layers": _digest(layers_of(model)),
        "weights": _digest(weights_of(model)),
    }


def _digest(content: Any) -> str:
    return hashlib.md5(json.dumps(content).encode()).hexdigest()[:12]


#: What only one of the two writes: shapes that layers were built with, arguments with their default.
_SPELLINGS = {"build_config", "quantization_config", "activity_regularizer", "registered_name"}


def configs_of(model: Any) -> list[Any]:
    config = json.loads(model.to_json())["config"]
    return [*map(_plain, config["layers"]), config["input_layers"], config["output_layers"], config["name"]]


def _plain(config: Any) -> Any:
    if isinstance(config, list):
        return [_plain(one) for one in config]
    if not isinstance(config, dict):
        return config
    if "kwargs" in config:
        config = config | {"kwargs": {key: value for key, value in config["kwargs"].items() if value}}
    if config.get("axis") == [-1]:  # a built LayerNormalization of Keras
        config = config | {"axis": -1}
    return {key: _plain(value) for key, value in config.items() if key not in _SPELLINGS}


def differences(own: Any, real: Any) -> list[str]:
    """Return in what two models differ: layers, their configs and connections, weights."""
    found = []
    for what in (layers_of, weights_of, configs_of):
        here, there = what(own), what(real)
        found += [f"{a} instead of {b}" for a, b in zip(here, there, strict=False) if a != b]
        if len(here) != len(there):
            found.append(f"{len(here)} instead of {len(there)} in {what.__name__}")
    if own.count_params() != real.count_params():
        found.append(f"{own.count_params()} parameters instead of {real.count_params()}")
    return found


def images(case: Case, count: int = 2) -> np.ndarray:
    return np.random.default_rng(5).uniform(-2, 2, (count, *case.shape)).astype("float32")


def distance(a: Any, b: Any) -> float:
    """Return the largest difference of two arrays, relative to the largest value."""
    return float(np.abs(np.asarray(a) - np.asarray(b)).max() / np.abs(b).max())


def _write_keras_2(model: Any, path: Path) -> None:
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


#: Kind of file -> how its name ends, and how Keras writes it.
FILES = {
    "weights.h5": (".weights.h5", lambda model, path: model.save_weights(path)),
    "h5 of Keras 2": ("_weights.h5", _write_keras_2),
    "whole h5": ("_model.h5", lambda model, path: model.save(path)),
    "keras": (".keras", lambda model, path: model.save(path)),
}


def unequal_files(own: Any, real: Any, folder: Path, kinds: Any = FILES) -> list[str]:
    """Return the kinds of real Keras's files whose weights do not arrive in `own`, which changes its weights."""
    wrong = []
    for kind in kinds:
        ending, write = FILES[kind]
        path = folder / f"real{ending}"
        write(real, path)
        own.set_weights([np.zeros(weight.shape, "float32") for weight in own.weights])
        own.load_weights(path)
        if not all(np.array_equal(a, b) for a, b in zip(own.get_weights(), real.get_weights(), strict=True)):
            wrong.append(kind)
        path.unlink()
    return wrong


class AskedError(Exception):
    """Ends a call that asks for a file: carries its name, address, digest and folder."""


def file_of_ours(name: str, **arguments: Any) -> tuple:
    """Return name, address, digest and folder of the file of weights that Cornu's model downloads."""

    def fetch(name: str, *, origin: str, digest: Any, subfolder: str) -> None:
        raise AskedError(name, origin, digest, subfolder)

    with mock.patch("cornu.applications.base.fetch", fetch):
        return _asked(lambda: getattr(cornu.applications, name)(weights="imagenet", **arguments))


def file_of_theirs(name: str, **arguments: Any) -> tuple:
    """Return the same for real Keras."""

    def get_file(name: str, origin: str, cache_subdir: str, file_hash: Any = None) -> None:
        raise AskedError(name, origin, file_hash, cache_subdir)

    with (
        mock.patch.object(random_initializers, "random", _Undrawn),
        mock.patch.object(file_utils, "get_file", get_file),
    ):
        return _asked(lambda: getattr(keras.applications, name)(weights="imagenet", **arguments))


def _asked(call: Any) -> tuple:
    try:
        call()
    except AskedError as asked:
        return asked.args
    raise AssertionError("no file was asked for")
