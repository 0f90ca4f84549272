"""Library-wide defaults: ``floatx``, ``epsilon`` and ``image_data_format`` (as in Keras's ``keras.config``)."""

import json
import os
from pathlib import Path
from typing import Any

from cornu.core.errors import unknown

FLOAT_TYPES = ("float16", "bfloat16", "float32", "float64")
PARAMETER_BUDGET = 1_000_000_000  # 4 GB of float32
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
    settings: dict[str, Any] = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}
    settings["interactive_logging"] = True
    for key, value in _read_keras_json().items():
        if (
            (key == "floatx" and value in FLOAT_TYPES)
            or (key == "epsilon" and isinstance(value, float) and value > 0)
            or (key == "image_data_format" and value in DATA_FORMATS)
        ):
            settings[key] = value
    for key in ("max_epochs", "max_steps_per_epoch"):
        settings[key] = int(os.environ.get(f"KERAS_{key.upper()}") or 0) or None
    settings["parameter_budget"] = int(os.environ.get("CORNU_PARAMETER_BUDGET") or 0) or PARAMETER_BUDGET
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
    """Return `data_format`, or the default if it is None; ValueError for anything else."""
    if data_format is None:
        return image_data_format()
    if str(data_format).lower() not in DATA_FORMATS:
        raise unknown("data_format", data_format, DATA_FORMATS)
    return str(data_format).lower()


def enable_flash_attention() -> None:
    """Let new attention layers use flash attention where it is possible (the default)."""
    _settings["flash_attention"] = None


def disable_flash_attention() -> None:
    """Let new attention layers not use flash attention."""
    _settings["flash_attention"] = False


def is_flash_attention_enabled() -> bool | None:
    """Return False after `disable_flash_attention`, else None: where it is possible."""
    return _settings.get("flash_attention")


def enable_interactive_logging() -> None:
    """Let ``verbose="auto"`` draw progress bars (the default)."""
    _settings["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Let ``verbose="auto"`` print one line per epoch, for log files."""
    _settings["interactive_logging"] = False


def is_interactive_logging_enabled() -> bool:
    """Return whether ``verbose="auto"`` draws progress bars."""
    return _settings["interactive_logging"]


def max_epochs() -> int | None:
    """Return the maximum number of epochs of any `fit`, or None; ``$KERAS_MAX_EPOCHS`` by default."""
    return _settings["max_epochs"]


def set_max_epochs(max_epochs: int | None) -> None:
    """Limit the epochs of any `fit`; None removes the limit."""
    _settings["max_epochs"] = _limit_of("max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """Return the maximum number of steps per epoch, or None; ``$KERAS_MAX_STEPS_PER_EPOCH`` by default."""
    return _settings["max_steps_per_epoch"]


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limit the steps of any epoch, `evaluate` or `predict`; None removes the limit."""
    _settings["max_steps_per_epoch"] = _limit_of("max_steps_per_epoch", max_steps_per_epoch)


def parameter_budget() -> int:
    """Return the maximum number of weight values of a model that is made from a config or a file.

    It is 10**9 (4 GB) unless ``$CORNU_PARAMETER_BUDGET`` sets another. Models built by a program itself are not
    limited.
    """
    return _settings["parameter_budget"]


def set_parameter_budget(parameter_budget: int) -> None:
    """Set the maximum number of weight values of a model that is made from a config or a file."""
    if parameter_budget is None:
        raise ValueError("parameter_budget must be an integer above zero; a model made from a file needs a limit.")
    _settings["parameter_budget"] = _limit_of("parameter_budget", parameter_budget)


def _limit_of(name: str, value: int | None) -> int | None:
    if value is not None and (not isinstance(value, int) or value < 1):
        raise ValueError(f"{name} must be an integer above zero, or None for no limit; got {value!r}.")
    return value


def first_distribution() -> Any:
    """Return what makes the first current distribution (`core.distribution`) when it is needed, or None."""
    return _settings.get("first_distribution")


def set_first_distribution(make: Any) -> None:
    """Set what makes the first current distribution: a function of no arguments, or None."""
    _settings["first_distribution"] = make


def replicas() -> int:
    """Return how many copies of a model `fit` trains at once, 1 by default; ``cornu run --replicas`` sets it."""
    return _settings.get("replicas", 1)


def set_replicas(count: int) -> None:
    """Let `fit` train so many copies of each model at once."""
    _settings["replicas"], _settings["replicated"] = count, False


def note_replicated() -> None:
    """Note that a `fit` trains replicas because of `set_replicas`."""
    _settings["replicated"] = True


def has_replicated() -> bool:
    """Return whether any `fit` has trained replicas since `set_replicas`."""
    return _settings.get("replicated", False)
