"""What identifies a run, as short texts, so that a checkpoint is not restored into another run."""

import hashlib
import json
import os
import platform
import sys
import zlib
from types import CodeType
from typing import Any

import jax
import numpy as np

from cornu import __version__
from cornu.core.jax_internals import JAXLIB
from cornu.core.ownership import custom_classes
from cornu.core.processor import threads
from cornu.core.serialization import Described
from cornu.core.variable import Variable

MOST_BYTES = 1 << 30  # of larger arrays only some rows are read
SAMPLES = 4096


def versions(devices: int = 1) -> dict[str, Any]:
    """Return what the last bits of a result may depend on apart from the program: versions, processor, `devices`."""
    several = {"devices": devices} if devices > 1 else {}
    return several | {
        "cornu": __version__,
        "jax": jax.__version__,
        "jaxlib": JAXLIB,
        "numpy": np.__version__,
        "Python": platform.python_version(),
        "processor": f"{platform.machine()} {jax.devices()[0].device_kind}",
        "threads": threads(),
        "XLA_FLAGS": os.environ.get("XLA_FLAGS", ""),
    }


def of_training(model: Any, batches: Any, validation: Any, callbacks: list[Any], settings: dict) -> dict[str, Any]:
    """Return a text for each part of a run, readable in error messages."""
    found = {name: repr(value) for name, value in settings.items()}
    found["training data"] = of_data(batches)
    found["validation data"] = "none" if validation is None else of_data(validation.batches)
    found["callbacks"] = ", ".join(type(callback).__name__ for callback in callbacks)
    found["optimizer"] = canonical(model.optimizer)
    found["loss and metrics"] = canonical(
        {
            name: (model._compile_config or {}).get(name)
            for name in ("loss", "loss_weights", "metrics", "weighted_metrics")
        }
    )
    found["model"] = of_classes([type(model)])
    for number, layer in enumerate(model._flatten_layers()):
        found[f"layer {number} ({type(layer).__name__})"] = of_layer(layer)
    return found


def of_layer(layer: Any) -> str:
    """Return class, config and shapes of weights of a layer; of a nested model, only the weights."""
    weights = " ".join(f"{variable._value.dtype}{list(variable.shape)}" for variable in layer.variables)
    config = "" if hasattr(layer, "get_layer") else canonical(_config_of(layer))
    return f"{config} weights {weights} {of_classes([type(layer)])}".strip()


def _config_of(layer: Any) -> Any:
    try:
        return layer.get_config()
    except Exception:  # a custom layer without a config
        return {}


def of_classes(classes: list[type]) -> str:
    """Return a digest of the code of custom classes, with their bases."""
    own = {cls for one in classes for cls in custom_classes(one)}
    functions = [
        (cls.__qualname__, name, of_code(function.__code__))
        for cls in own
        for name, function in vars(cls).items()
        if hasattr(function, "__code__")
    ]
    return f"code {_short(json.dumps(sorted(functions)))}" if functions else ""


def of_code(code: CodeType) -> str:
    """Return a digest of a function's code, which does not depend on its file or lines."""
    constants = [of_code(one) if isinstance(one, CodeType) else _constant(one) for one in code.co_consts]
    return _short(json.dumps([code.co_code.hex(), list(code.co_names), constants]))


def _constant(value: Any) -> str:
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def canonical(value: Any) -> str:
    """Return a text for a value of a config: without automatic names and without addresses."""
    return json.dumps(_plain(value, 0), sort_keys=True)


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if depth > 20:
        return type(value).__name__
    if isinstance(value, Described):
        return _plain(value.thing, depth)
    if isinstance(value, dict):
        return {str(key): _plain(item, depth + 1) for key, item in value.items() if key != "name"}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, (np.ndarray, np.generic, jax.Array, Variable)):
        return of_array(np.asarray(value))
    code = getattr(value, "__code__", None)
    if code is not None:
        return [value.__qualname__, of_code(code)]
    if isinstance(value, type):
        return value.__qualname__
    config = _config_of(value) if hasattr(value, "get_config") else {}
    return [type(value).__name__, _plain(config, depth + 1), of_classes([type(value)])]


def of_data(batches: Any) -> str:
    """Return shapes, types and checksums of arrays; of a stream its type, its length and its first batch.

    A stream that says what it is, in the attribute `fingerprint`, may begin with another batch.
    """
    if (said := getattr(getattr(batches, "source", None), "fingerprint", None)) is not None:
        return str(said)
    if hasattr(batches, "batch"):
        leaves = jax.tree.leaves(batches.batch)
        return f"{', '.join(map(of_array, leaves))}; batch size {batches.batch_size}, shuffle {batches.shuffle!r}"
    first = [of_array(np.asarray(leaf)) for leaf in jax.tree.leaves(batches._peeked)]
    steps = f"{batches.length} batches" if batches.length is not None else "batches without end"
    return f"{type(batches.source).__name__} of {steps}, first {', '.join(first)}"


def of_array(array: Any) -> str:
    """Return type, shape and checksum of an array; of a very large one, the checksum of some of its rows."""
    if array.nbytes > MOST_BYTES:
        array_of = array[np.linspace(0, len(array) - 1, SAMPLES).astype(int)]
    else:
        array_of = array
    content = np.ascontiguousarray(array_of)
    data = content.view(np.uint8) if content.ndim and content.dtype.kind != "O" else content.tobytes()
    return f"{array.dtype}{list(array.shape)} {zlib.crc32(data):08x}"


def differences(kept: dict[str, Any], present: dict[str, Any]) -> list[str]:
    """Describe how two runs differ."""
    found = []
    for name in dict.fromkeys([*kept, *present]):
        before, now = kept.get(name, "nothing"), present.get(name, "nothing")
        if before != now:
            found.append(f"{name}: {_around(now, before)}, it was {_around(before, now)}")
    return found


def _around(text: Any, other: Any) -> str:
    """Return a text, or if it is long, the part where it begins to differ from another."""
    text, other = str(text), str(other)
    if len(text) <= 100:
        return text
    first = next((place for place, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), 0)
    start = max(first - 30, 0)
    return f"{'...' if start else ''}{text[start : start + 80]}..."


def python_changed(kept: dict[str, Any]) -> bool:
    """Return whether another Python made the digests of code: then they cannot be compared."""
    return str(kept.get("Python", "")).rpartition(".")[0] != f"{sys.version_info[0]}.{sys.version_info[1]}"
