"""Layer configs of Keras 1, 2 and 3 in today's spelling, for `model_from_json` and the file readers."""

import re
from collections.abc import Callable
from inspect import signature
from typing import Any

import cornu.compat.old_preprocessing  # noqa: F401  # registers CategoryCrossing
from cornu.compat.arguments import translate_constructor
from cornu.core import era, registry
from cornu.core.layer import BASE_ARGUMENTS

#: Old class name in a config -> today's.
CLASSES = {
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "Deconvolution2D": "Conv2DTranspose",
    "Deconvolution3D": "Conv3DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "MaxPool1D": "MaxPooling1D",
    "MaxPool2D": "MaxPooling2D",
    "MaxPool3D": "MaxPooling3D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "TimeDistributedDense": "TimeDistributed",
    "ThresholdedReLU": "ReLU",
    "ConvLSTM2DCell": "ConvLSTMCell",
    "ConvRNN2D": "RNN",
    "Merge": "Merge",
    "Model": "Functional",
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
}
#: What cuDNN's layers always are, and their configs do not say.
OF_CUDNN: dict[str, dict[str, Any]] = {"CuDNNLSTM": {"recurrent_activation": "sigmoid"}}
OF_CUDNN["CuDNNGRU"] = OF_CUDNN["CuDNNLSTM"] | {"reset_after": True}

#: Names of layers that Keras 1 and 2 allowed, such as "block1/conv"; Keras 3 has no "/" in names.
PATH = re.compile(r"\w[\w.-]*(/\w[\w.-]*)+", re.ASCII)

#: Mode of Keras 1's Merge -> the layer.
MERGE_MODES = {
    "sum": "Add",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
    "concat": "Concatenate",
    "dot": "Dot",
    "cos": "Dot",
}

#: Key in a file that today's layer lacks -> the values that describe the default behaviour.
OLD_DEFAULTS: dict[str, tuple] = {
    "groups": (1,),
    "time_major": (False,),
    "ragged": (False,),
    "sparse": (False,),
    "input_dtype": ("float32", None),
    "trainable": (True,),
    "dynamic": (False,),
    "synchronized": (False,),
    "renorm": (False,),
    "virtual_batch_size": (None,),
    "adjustment": (None,),
    "fused": (None, True, False),
    "mask_zero": (False,),
    "batch_size": (None,),
    "optional": (False,),
    "quantization_config": (None,),
    "lora_rank": (None,),
    "lora_alpha": (None,),
    "implementation": (0, 1, 2),
    "output_shape_type": ("raw",),
    "mask_type": ("raw", None),
    "module": (None,),
    "interpolation": ("nearest",),
    "activity_regularizer": (None,),
    "stateful": (False,),
    "arguments": ({}, None),
    "output_mask": (None,),
    "output_mask_type": ("raw",),
    "dot_axes": (-1,),
    "unroll": (False,),
    "input_length": (None,),
}

_KERNEL = frozenset(("kernel_initializer", "kernel_regularizer", "kernel_constraint"))

#: Class -> keys in its configs that are not used: of its base class, or shapes that it will have anyway.
UNUSED: dict[str, frozenset[str]] = {
    "SeparableConv1D": _KERNEL,
    "SeparableConv2D": _KERNEL,
    "DepthwiseConv1D": _KERNEL | {"filters"},
    "DepthwiseConv2D": _KERNEL | {"filters"},
    "MultiHeadAttention": frozenset(("query_shape", "key_shape", "value_shape")),
}

#: Classes of dtype policies that had other names: in tf.keras until 2.3, until 2.15, and in Keras 3.0 to 3.4.
POLICIES = frozenset(("PolicyV1", "Policy", "FloatDTypePolicy"))

#: Names whose meaning changed: key of configs, class (None: any), name, the Keras versions with the old meaning, which
#: is named "..._of_keras_2" here; "..._of_keras_3" has today's meaning also in a program of an old era.
MEANINGS = (
    ("activation", None, "hard_sigmoid", r"Keras (tf-)?[12]\..*"),
    ("recurrent_activation", None, "hard_sigmoid", r"Keras (tf-)?[12]\..*"),
    ("inner_activation", None, "hard_sigmoid", r"Keras 1\..*"),
    ("interpolation", "UpSampling2D", "bilinear", r"Keras (1|2\.[0-3])(\.\d+)*"),
)


def translate_meanings(entry: Any, writer: str) -> Any:
    """Return a config with other names for what meant something else in the Keras that wrote it, or in the program's.

    >>> translate_meanings({"activation": "hard_sigmoid"}, "Keras 2.2.4")
    {'activation': 'hard_sigmoid_of_keras_2'}
    """
    names: dict[tuple[str, str | None, str], str] = {}
    for key, cls, name, old in MEANINGS:
        is_old = re.fullmatch(old, writer) is not None
        if is_old or era.current() != era.TODAY:
            names[key, cls, name] = f"{name}_of_keras_{2 if is_old else 3}"
    return _with_names(entry, names, None) if names else entry


def _with_names(entry: Any, names: dict[tuple[str, str | None, str], str], class_name: Any) -> Any:
    """Return a config with `names` by key, class and old name; `class_name` is the class it belongs to."""
    if isinstance(entry, list):
        return [_with_names(item, names, class_name) for item in entry]
    if not isinstance(entry, dict):
        return entry
    class_name = entry.get("class_name", class_name)
    renamed = {}
    for key, value in entry.items():
        known = [names.get((key, cls, value)) for cls in (None, class_name)] if isinstance(value, str) else []
        renamed[key] = next(filter(None, known), None) or _with_names(value, names, class_name)
    return renamed


#: Classes of tf.keras's layers that are functions of TensorFlow: until 2.3, and from 2.4 on.
FUNCTION_LAYERS = frozenset(("TensorFlowOpLayer", "TFOpLambda", "SlicingOpLambda"))


def old_operation(entry: dict[str, Any]) -> Callable[..., Any] | None:
    """Return the function of TensorFlow that an entry of a model's layers stands for, or None for a layer."""
    name = entry.get("class_name")
    if name not in FUNCTION_LAYERS or registry.custom_object(name) is not None:
        return None
    if not isinstance(entry.get("config"), dict):
        raise ValueError(f"The config of a {name} is a dictionary; it is {str(entry.get('config'))[:80]}.")
    from cornu.compat.tensorflow.graph_nodes import graph_node
    from cornu.compat.tensorflow.operations import named_function

    return graph_node(entry) if name == "TensorFlowOpLayer" else named_function(entry)


#: What tf.keras until 2.5 wrote as the salt of a `Hashing` without one, which hashes as today's without one.
UNSALTED = [0xDECAFCAFFE, 0xDECAFCAFFE]
_CATEGORIES = frozenset(("Discretization", "Hashing", "IntegerLookup", "TextVectorization"))


def translate_layer_config(class_name: str, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a layer's class name and config, as some version of Keras wrote them, in today's spelling.

    A key that today's layer lacks is left out if its value is the old default; any other raises a ValueError that names
    key and layer. So does a Lambda layer whose function is only saved as byte code. A name such as "block1/conv", which
    Keras 1 and 2 allowed, becomes "block1_conv".
    """
    if isinstance(config, list) and class_name == "Sequential":  # as Keras 1 and 2 wrote it
        config = {"layers": config}
    if not isinstance(config, dict):
        return class_name, config
    config = {key: _plain(value) for key, value in config.items()}
    if isinstance(config.get("dtype"), dict):
        config["dtype"] = _policy(config["dtype"])
    if isinstance(config.get("name"), str) and PATH.fullmatch(config["name"]):
        config["name"] = config["name"].replace("/", "_")
    if class_name == "InputLayer":
        return class_name, _input_layer(config)
    if class_name == "Merge":
        return _merge(config)
    name = CLASSES.get(class_name, class_name)
    if class_name == "ThresholdedReLU":
        config["threshold"] = config.pop("theta", 1.0)
    if class_name == "ConvLSTM2DCell":
        config["rank"] = 2
    if class_name == "TimeDistributedDense":
        return name, {"name": config.get("name"), "layer": {"class_name": "Dense", "config": _own("Dense", config)}}
    if name == "Lambda":
        config = _lambda(config)
    config |= OF_CUDNN.get(class_name, {})
    if name in ("GRU", "GRUCell") and not {"implementation", "consume_less"}.isdisjoint(config):
        config.setdefault("reset_after", False)  # Keras until 2.1.4 had no other kind
    if name in _CATEGORIES:
        config = _categories(name, config)
    if name == "BatchNormalization":
        config["axis"] = _single(config.get("axis", -1))
    for key in ("layer", "forward_layer", "backward_layer", "cell"):
        config |= {key: _inner(config[key])} if key in config else {}
    if isinstance(config.get("cells"), list):
        config["cells"] = [_inner(cell) for cell in config["cells"]]
    return name, _own(name, config)


def _categories(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a layer for categories or texts without what tf.keras let them say and did not use."""
    if name in ("Hashing", "Discretization") and config.get("output_mode", "int") == "int":
        config.pop("dtype", None)
    if name == "Hashing" and config.get("salt") == UNSALTED:
        config["salt"] = None
    if name == "IntegerLookup":  # tf.keras 2.5 to 2.15 wrote the special tokens as strings
        for key in ("mask_token", "oov_token"):
            config |= {key: int(config[key])} if isinstance(config.get(key), str) else {}
    if config.get("max_tokens", 0) is None and config.get("pad_to_max_tokens"):
        config["pad_to_max_tokens"] = False
    return config


def _inner(entry: Any) -> Any:
    """Return the entry of a layer inside a layer's config in today's spelling."""
    if not isinstance(entry, dict) or "class_name" not in entry:
        return entry
    name, config = translate_layer_config(entry["class_name"], entry["config"])
    return entry | {"class_name": name, "config": config}


def _plain(value: Any) -> Any:
    """Return arrays in Keras 2's form, ``{"type": "ndarray", "value": ...}``, and old initializers in today's form."""
    if not isinstance(value, dict):
        return value
    if set(value) == {"type", "value"}:
        return value["value"]
    inner = value.get("config")
    if isinstance(inner, dict) and value.get("class_name") in registry.INITIALIZERS:
        inner = {key: one for key, one in inner.items() if key != "dtype"}  # tf.keras until 1.15
        normal = value["class_name"] == "VarianceScaling" and inner.get("distribution") == "normal"
        return value | {"config": inner | ({"distribution": "truncated_normal"} if normal else {})}
    if value.get("name") in ("L1L2Regularizer", "WeightRegularizer", "ActivityRegularizer"):  # Keras 1
        return {"class_name": "L1L2", "config": {key: value[key] or 0.0 for key in ("l1", "l2") if key in value}}
    return value


def _single(axis: Any) -> Any:
    """Return the axis that tf.keras wrote as a list of one, or as a ListWrapper with one."""
    axis = axis.get("config") if isinstance(axis, dict) else axis
    return axis[0] if isinstance(axis, list) and len(axis) == 1 else axis


def _policy(entry: dict[str, Any]) -> Any:
    """Return a dtype policy of an old class as its name (None for tf.keras's ``_infer``), any other as it is."""
    if entry.get("class_name") not in POLICIES or not isinstance(entry.get("config"), dict):
        return entry
    name = entry["config"].get("name")
    return None if name in ("_infer", "infer") else name


def _input_layer(config: dict[str, Any]) -> dict[str, Any]:
    shape = config.pop("batch_input_shape", None)
    if shape is not None:
        config["batch_shape"] = tuple(shape)
    config.pop("input_dtype", None)
    return _own("InputLayer", config, keep=("batch_shape", "dtype", "name"))


def _merge(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    mode = config.get("mode", "sum")
    if mode not in MERGE_MODES:
        raise ValueError(
            f"The layer {config.get('name')!r} merges with a function that is not in the file (mode={mode!r})."
        )
    extra = {"axis": config.get("concat_axis", -1)} if mode == "concat" else {}
    if mode in ("dot", "cos"):
        extra = {"axes": config.get("dot_axes", -1), "normalize": mode == "cos"}
    return MERGE_MODES[mode], {"name": config.get("name"), **extra}


def _lambda(config: dict[str, Any]) -> dict[str, Any]:
    """Return a Lambda layer's config with the function as a name; byte code is rejected."""
    function = config.get("function")
    if isinstance(function, (list, tuple)) or config.get("function_type") == "lambda":
        raise ValueError(
            f"The Lambda layer {config.get('name')!r} was saved as byte code, which Cornu never runs.\n"
            "Build the model with its original code, then load its weights with load_weights()."
        )
    if isinstance(function, str) and config.get("function_type") == "function":
        config["function"] = {"class_name": "function", "config": function, "registered_name": function}
    for key in ("function_type", "output_shape_type", "output_mask_type", "module", "output_shape_module"):
        config.pop(key, None)
    return config


def _own(class_name: str, config: dict[str, Any], keep: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the config without keys that the layer lacks and that have no effect."""
    cls = registry.LAYERS.get(class_name) if registry.custom_object(class_name) is None else None
    if cls is None or not isinstance(cls, type):
        return config
    _, config = translate_constructor(cls, (), config)
    known, unused = _names(cls) | {*BASE_ARGUMENTS, *getattr(cls, "_keywords", ()), *keep}, UNUSED.get(class_name, ())
    result = {}
    for key, value in config.items():
        if key in known:
            result[key] = value
        elif key not in unused and not (key in OLD_DEFAULTS and any(value == one for one in OLD_DEFAULTS[key])):
            shown = repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:77]}..."
            raise ValueError(
                f"The config of layer {config.get('name')!r} has {str(key)[:80]}={shown}, which Cornu's {class_name} "
                "does not support: the layer would compute something else.\n"
                "Build the model in code, then load its weights with load_weights()."
            )
    return result


def _names(cls: type) -> set[str]:
    """Return the argument names of a layer class and its bases."""
    constructors = [vars(base)["__init__"] for base in cls.__mro__ if "__init__" in vars(base)]
    return {name for constructor in constructors for name in signature(constructor).parameters}
