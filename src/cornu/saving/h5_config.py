"""Configs of ``.h5`` files, in the form of Keras 2, which Keras 3 reads too."""

from typing import Any

#: Class of initializer that Keras 2 only had as a function -> the general class.
SCALINGS = {
    "GlorotUniform": (1.0, "fan_avg", "uniform"),
    "GlorotNormal": (1.0, "fan_avg", "normal"),
    "HeUniform": (2.0, "fan_in", "uniform"),
    "HeNormal": (2.0, "fan_in", "normal"),
    "LecunUniform": (1.0, "fan_in", "uniform"),
    "LecunNormal": (1.0, "fan_in", "normal"),
}

#: Argument of a layer that Keras 2.2 does not have -> the value at which it is left out.
NEW_ARGUMENTS = {
    "groups": 1,
    "synchronized": False,
    "autocast": True,
    "quantization_config": None,
    "lora_rank": None,
    "lora_alpha": None,
    "weights": None,
    "optional": False,
    "ragged": False,
    "keepdims": False,
    "use_cudnn": "auto",
    "antialias": False,
    "value_range": None,
    "seed": None,
    "noise_shape": None,
    "activity_regularizer": None,
    "batch_size": None,
    "score_mode": "dot",  # Keras 3 cannot read it here: it takes "dot" for the function of that name
    "sliding_window": None,
    "use_gate": False,
}

#: Layer that Keras 3 knows here by another name.
NAMES = {"GroupQueryAttention": "GroupedQueryAttention"}


def old_form(entry: Any, inside: bool = False) -> Any:
    """Convert a config, also of a whole model, from Keras 3's form to Keras 2's.

    A layer `inside` another's config keeps its module: Keras 3 needs it there, Keras 2 ignores it.

    >>> old_form({"module": "keras.initializers", "class_name": "Ones", "config": {}, "registered_name": None})
    {'class_name': 'Ones', 'config': {}}
    """
    if isinstance(entry, (list, tuple)):
        return [old_form(item, inside) for item in entry]
    if not isinstance(entry, dict):
        return entry
    if "class_name" not in entry or "config" not in entry:
        return {key: old_form(value, inside) for key, value in entry.items()}
    name, config = entry["class_name"], entry["config"]
    if name == "DTypePolicy":
        return config["name"]
    if name == "function":
        return config
    if name in SCALINGS and entry.get("module") == "keras.initializers":
        scale, mode, distribution = SCALINGS[name]
        known = {"scale": scale, "mode": mode, "distribution": distribution, "seed": config.get("seed")}
        return {"class_name": "VarianceScaling", "config": known}
    if name == "Functional":
        shared = {key: entry[key] for key in ("shared_object_id",) if key in entry}
        return shared | {"class_name": "Model", "config": _functional(config)}
    is_layer = entry.get("module") == "keras.layers"
    if is_layer:
        config = _layer(name, config)
    kept = {key: entry.get(key) for key in ("module", "registered_name")} if inside and is_layer else {}
    kept |= {key: entry[key] for key in ("shared_object_id",) if key in entry}
    return kept | {
        "class_name": entry.get("registered_name") or NAMES.get(name, name),
        "config": old_form(config, is_layer),
    }


def _layer(name: str, config: dict[str, Any]) -> dict[str, Any]:
    config = {key: value for key, value in config.items() if key not in NEW_ARGUMENTS or value != NEW_ARGUMENTS[key]}
    if name == "InputLayer" and "batch_shape" in config:
        config["batch_input_shape"] = config.pop("batch_shape")
    if name == "Lambda":
        config["function_type"] = "function"
    return config


def _functional(config: dict[str, Any]) -> dict[str, Any]:
    # Keras 2 counts the calls of an inner model from 1, Keras 3 from 0: then they cannot both read the old form.
    plain = not any("layers" in entry["config"] for entry in config["layers"])
    layers = [
        entry
        if str(entry["module"]).startswith("keras.src.ops.")  # array functions: Keras 2 has no form for them
        else old_form(entry)
        | {"name": entry["name"], "inbound_nodes": [_call(call) if plain else call for call in entry["inbound_nodes"]]}
        for entry in config["layers"]
    ]
    ends = {key: _listed(config[key]) for key in ("input_layers", "output_layers")}
    return old_form({key: value for key, value in config.items() if key != "layers"}) | {"layers": layers} | ends


def _listed(keys: Any) -> Any:
    """Return the keys of inputs or outputs as a list, also if there is only one."""
    return [keys] if isinstance(keys, (list, tuple)) and keys and isinstance(keys[0], str) else keys


def _call(call: dict[str, Any]) -> Any:
    """Return one call of a layer as ``[[layer, call, output, arguments], ...]``, or unchanged if that is impossible."""
    args = call["args"]
    tensors = args[0] if len(args) == 1 and isinstance(args[0], (list, tuple)) else args
    plain = len(args) == 1 and all(_is_tensor(tensor) for tensor in tensors) and not _holds_tensor(call["kwargs"])
    if not plain:
        return call
    return [[*tensor["config"]["keras_history"], old_form(call["kwargs"])] for tensor in tensors]


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_holds_tensor(item) for item in value)
    return _is_tensor(value) or (isinstance(value, dict) and any(_holds_tensor(item) for item in value.values()))
