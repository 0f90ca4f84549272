"""Comparing a model of `cornu.applications` with real Keras's: layers, configs, weights, files, predictions."""

import json
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import h5py
import keras
import numpy as np
from keras.src.initializers import random_initializers
from keras.src.legacy.saving import legacy_h5_format

import cornu
from contract.compare import _Undrawn


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


def case(name: str, size: int = 32, **options: Any) -> Case:
    return Case(name, size, tuple(options.items()))


def ours(case: Case) -> Any:
    """Return Cornu's model, its unnamed layers counted from the start."""
    cornu.utils.clear_session()
    return getattr(cornu.applications, case.name)(**case.arguments)


def theirs(case: Case) -> Any:
    """Return Keras's model with weights that keep numbers in range, the same each time."""
    keras.utils.clear_session()
    with mock.patch.object(random_initializers, "random", _Undrawn):
        model = getattr(keras.applications, case.name)(**case.arguments)
    random = np.random.default_rng(3)
    model.set_weights([_weight(random, variable) for variable in model.weights])
    return model


def _weight(random: np.random.Generator, variable: Any) -> np.ndarray:
    name, shape = variable.path.split("/")[-1], variable.shape
    if name in ("gamma", "moving_variance"):
        return random.uniform(0.5, 1.5, shape)
    if "kernel" not in name:
        return random.uniform(-0.2, 0.2, shape)
    values_in = shape[0] * shape[1] if "depthwise" in name else np.prod(shape[:-1])
    return random.standard_normal(shape, dtype="float32") * np.sqrt(2 / values_in)


def differences(own: Any, real: Any) -> list[str]:
    """Return in what two models differ: layers, their configs and connections, weights."""
    found = []
    for what in (_layers, _weights, _configs):
        pairs = list(zip(what(own), what(real), strict=False))
        found += [f"{a} instead of {b}" for a, b in pairs if a != b]
        if len(what(own)) != len(what(real)):
            found.append(f"{len(what(own))} instead of {len(what(real))} in {what.__name__}")
    if own.count_params() != real.count_params():
        found.append(f"{own.count_params()} parameters instead of {real.count_params()}")
    return found


def _layers(model: Any) -> list[tuple[str, str]]:
    return [(type(layer).__name__, layer.name) for layer in model.layers]


def _weights(model: Any) -> list[tuple[str, tuple[int, ...], bool]]:
    return [(one.path, tuple(one.shape), one.trainable) for one in model.weights]


def _configs(model: Any) -> list[Any]:
    config = json.loads(model.to_json())["config"]
    return [*config["layers"], config["input_layers"], config["output_layers"], config["name"]]


def images(case: Case, count: int = 2) -> np.ndarray:
    return np.random.default_rng(5).uniform(0, 255, (count, *case.shape)).astype("float32") / 64 - 2


def distance(a: Any, b: Any) -> float:
    """Return the largest difference of two arrays, relative to the largest value."""
    return float(np.abs(np.asarray(a) - np.asarray(b)).max() / np.abs(b).max())


def files_of(real: Any, folder: Path) -> dict[str, Path]:
    """Return a model's weights as files: Keras 3's, Keras 2's weights alone, and inside a whole model."""
    files = {kind: folder / f"real{ending}" for kind, ending in KINDS.items()}
    real.save_weights(files["weights.h5"])
    with h5py.File(files["h5 of Keras 2"], "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, real)
    real.save(files["whole h5"])
    real.save(files["keras"])
    return files


KINDS = {"weights.h5": ".weights.h5", "h5 of Keras 2": "_weights.h5", "whole h5": "_model.h5", "keras": ".keras"}


def unequal_files(own: Any, real: Any, folder: Path) -> list[str]:
    """Return the kinds of real Keras's files whose weights do not arrive; those of `own` are lost."""
    wrong = []
    for kind, path in files_of(real, folder).items():
        own.set_weights([np.zeros(weight.shape) for weight in own.weights])
        own.load_weights(path)
        if not all(np.array_equal(a, b) for a, b in zip(own.get_weights(), real.get_weights(), strict=True)):
            wrong.append(kind)
    return wrong
