"""The JSON inside model files, and the models that it describes."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from cornu.core import config_validation, registry, spellings
from cornu.core.budget import Budget
from cornu.core.errors import readable
from cornu.core.layer import Layer
from cornu.core.serialization import find_thing
from cornu.saving.json_text import parse
from cornu.saving.shared_layers import with_all_numbers, with_shared_layers
from cornu.saving.source import Source

__all__ = ["model_of", "parse"]


def model_of(
    entry: dict[str, Any],
    custom_objects: dict[str, Any] | None,
    source: Source,
    budget: Budget | None = None,
    groups: Any = None,
) -> Any:
    """Return the model that a file's config describes, with new weights and not compiled.

    `budget` limits the number of values in its weights; None is the library's limit. `groups` has the weights of an
    ``.h5`` file, which show what layers are one.
    Raises ValueError that names the file if the config does not describe a valid model.
    """
    if not isinstance(entry.get("class_name"), str) or "config" not in entry:
        raise ValueError(f"The config of {source} does not describe a model: it has no class_name with a config.")
    with registry.CustomObjectScope(custom_objects or {}), _naming(source), config_validation.reading(entry, budget):
        entry = with_all_numbers(entry) if groups is None else with_shared_layers(entry, groups)
        model = _build(spellings.translate_model(entry, source.writer))
    if not hasattr(model, "get_layer") and not getattr(model, "saves_whole", False):
        raise ValueError(f"The config of {source} describes a {type(model).__name__}, which is not a model.")
    return model


@contextlib.contextmanager
def _naming(source: Source) -> Iterator[None]:
    """Let errors and warnings about a config name the file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except (ValueError, TypeError) as error:
            raise ValueError(f"{error}\nThis came up in the config of {source}.") from error
    for warning in caught:
        text = f"{readable(str(warning.message))}\nThis came up in the config of {source}."
        warnings.warn(text, warning.category, stacklevel=6)


def _build(entry: dict[str, Any]) -> Any:
    if isinstance(entry["config"], dict):
        entry = spellings.translate_layer(entry)
    cls = find_thing(entry["class_name"], entry.get("registered_name"), entry.get("module"), registry.MODELS)
    if not isinstance(cls, type) or not issubclass(cls, Layer):
        raise ValueError(f"The config names {entry['class_name']!r}, which is not a model class.")
    if not isinstance(entry["config"], list):  # Keras 1 wrote a Sequential model as a list
        config_validation.check_arguments(cls, entry["config"])
    model = cls.from_config(entry["config"])
    if entry.get("build_config") and not model.built:
        model.build_from_config(entry["build_config"])
    return model
