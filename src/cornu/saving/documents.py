"""The JSON inside model files, and the models that it describes."""

import contextlib
import json
import warnings
from collections.abc import Iterator
from typing import Any

from cornu.core import hooks, registry
from cornu.core.config import find_thing
from cornu.core.layer import Layer
from cornu.saving.source import Source


def parse(content: bytes | str, what: str) -> dict[str, Any]:
    """Return a JSON object; ValueError in words where `content` is none, or gives a key twice."""
    try:
        text = content.decode("utf-8") if isinstance(content, bytes) else content
        found = json.loads(text, object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} cannot be read as JSON: {str(error)[:200]}.") from None
    if not isinstance(found, dict):
        raise ValueError(f"{what} is a JSON {type(found).__name__}, where an object was expected.")
    return found


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} is given twice")
    return result


def model_of(entry: dict[str, Any], custom_objects: dict[str, Any] | None, source: Source) -> Any:
    """Return the model that a file's config describes, with fresh weights and not compiled.

    Raises ValueError that names the file where the config describes no model that can be built.
    """
    import cornu.models  # noqa: F401 (fills the tables)

    if not isinstance(entry.get("class_name"), str) or "config" not in entry:
        raise ValueError(f"The config of {source} describes no model: it has no class_name with a config.")
    with registry.CustomObjectScope(custom_objects or {}), _naming(source):
        model = _build(entry)
    if not hasattr(model, "get_layer"):
        raise ValueError(f"The config of {source} describes a {type(model).__name__}, which is no model.")
    return model


@contextlib.contextmanager
def _naming(source: Source) -> Iterator[None]:
    """Let errors and warnings about a config say whose config it is."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except (KeyError, IndexError, AttributeError, RecursionError) as error:
            said = f"{type(error).__name__}: {str(error)[:500]}"
            raise ValueError(f"The config of {source} is not that of a model: {said}.") from error
        except (ValueError, TypeError) as error:
            raise ValueError(f"{error}\nThis came up in the config of {source}.") from error
    for warning in caught:
        text = f"{warning.message}\nThis came up in the config of {source}."
        warnings.warn(text, warning.category, stacklevel=6)


def _build(entry: dict[str, Any]) -> Any:
    if isinstance(entry["config"], dict):
        entry = hooks.translate_layer(entry)
    cls = find_thing(entry["class_name"], entry.get("registered_name"), entry.get("module"), registry.MODELS)
    if not isinstance(cls, type) or not issubclass(cls, Layer):
        raise ValueError(f"The config names {entry['class_name']!r}, which is no class of models.")
    model = cls.from_config(entry["config"])
    if entry.get("build_config") and not model.built:
        model.build_from_config(entry["build_config"])
    return model
