"""Names of layers in files: "block1/conv", which Keras 1 and 2 allowed, is written "block1_conv", as in Keras 3."""

from typing import Any


def with_plain_names(config: Any, model: Any) -> Any:
    """Return a config of a model, or what it was compiled with, with "_" for "/" in the names of its layers.

    Args:
        config: Plain data that name the layers, also as keys.
        model: The model.
    """
    names = {layer.name: layer.name.replace("/", "_") for layer in model._flatten_layers() if "/" in layer.name}
    return _renamed(config, names) if names else config


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    return [_renamed(item, names) for item in value] if isinstance(value, (list, tuple)) else value
