"""Library-wide defaults: ``floatx``, ``epsilon`` and ``image_data_format`` (as in Keras's ``keras.config``)."""

import json
import os
from pathlib import Path

from cornu.core.errors import unknown

FLOAT_TYPES = ("float16", "bfloat16", "float32", "float64")
DATA_FORMATS = ("channels_last", "channels_first")


def keras_home() -> Path:
    """Return the folder of Keras's settings and data sets: ``$KERAS_HOME`` or ``~/.keras``."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def _read_keras_json() -> dict:
    try:
        found = json.loads((keras_home() / "keras.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _initial_settings() -> dict:
    settings = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}
    for key, value in _read_keras_json().items():
        if (
            (key == "floatx" and value in FLOAT_TYPES)
            or (key == "epsilon" and isinstance(value, float) and value > 0)
            or (key == "image_data_format" and value in DATA_FORMATS)
        ):
            settings[key] = value
    return settings


_settings = _initial_settings()


def floatx() -> str:
    """Return the default float type, ``"float32"`` unless `set_floatx` or ``keras.json`` said otherwise."""
    return _settings["floatx"]


def set_floatx(value: str) -> None:
    """Set the default float type: one of ``float16``, ``bfloat16``, ``float32``, ``float64``."""
    if value not in FLOAT_TYPES:
        raise unknown("float type", value, FLOAT_TYPES)
    if value == "float64":
        allow_float64()
    _settings["floatx"] = value


def allow_float64() -> None:
    """Let JAX compute in 64 bits; called when a program asks for ``float64``."""
    import jax

    jax.config.update("jax_enable_x64", True)


def epsilon() -> float:
    """Return the small number that guards divisions and logarithms, 1e-7 by default."""
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    """Set the small number that guards divisions and logarithms."""
    _settings["epsilon"] = float(value)


def image_data_format() -> str:
    """Return ``"channels_last"`` (the default) or ``"channels_first"``."""
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Set the default order of image axes."""
    _settings["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """Return `data_format`, or the default where it is None; raise ValueError for anything else."""
    if data_format is None:
        return image_data_format()
    if str(data_format).lower() not in DATA_FORMATS:
        raise unknown("data_format", data_format, DATA_FORMATS)
    return str(data_format).lower()
