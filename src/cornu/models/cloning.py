"""Copies of models, and models from configs."""

from collections.abc import Callable
from typing import Any

import jax

from cornu.core import spellings
from cornu.core.graph import SymbolicTensor, is_symbolic, leaves, replace
from cornu.core.layer import Layer
from cornu.core.serialization import deserialize, keep_left_out
from cornu.layers.input import Input, InputLayer
from cornu.metrics import Metric
from cornu.models.model import Functional, Model
from cornu.models.sequential import Sequential
from cornu.optimizers import Optimizer
from cornu.saving import documents
from cornu.saving.source import CORNU, Source, writer


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable | None = None,
    recursive: bool = False,
    **_: Any,
) -> Model:
    """Return a model with the same layers and newly initialized weights, compiled if `model` is.

    Args:
        model: A functional or sequential model.
        input_tensors: New symbolic inputs to use.
        clone_function: Makes the copy of a layer, by default from its config.
        call_function: Calls a copied layer: ``call_function(layer, *args, **kwargs)``.
        recursive: Whether to copy inner models in the same way.

    Raises:
        ValueError: The model is subclassed; only its own class can make a copy.

    Follows https://keras.io/api/models/model_saving_apis/model_config_serialization/

    >>> import cornu
    >>> model = cornu.Sequential([cornu.layers.Input((4,)), cornu.layers.Dense(2)])
    >>> clone_model(model).count_params()
    10
    """
    clone = clone_function or clone_layer
    if recursive:
        inner = clone

        def clone(layer: Layer) -> Layer:
            if isinstance(layer, Model) and (layer._network is not None or isinstance(layer, Sequential)):
                return clone_model(layer, clone_function=clone_function, recursive=True)
            return inner(layer)

    if isinstance(model, Sequential):
        return _compiled_like(model, _clone_sequential(model, input_tensors, clone))
    if model._network is None:
        raise ValueError(
            f"{type(model).__name__} is a subclassed model without a graph: copy it with its class, "
            "for example type(model).from_config(model.get_config())."
        )
    return _compiled_like(model, _clone_functional(model, input_tensors, clone, call_function))


def _compiled_like(model: Model, copy: Model) -> Model:
    """Compile a copy as its model was compiled, with an optimizer and metrics of its own."""
    if model.compiled and model._compile_config is not None:
        copy.compile(**_renewed(model._compile_config))
        if copy.built:  # a file of the model's weights may hold its state
            copy.optimizer.build(copy.trainable_variables)
    return copy


def _renewed(value: Any) -> Any:
    """Return compile arguments with new optimizers and metrics in place of the old ones."""
    if isinstance(value, dict):
        return {key: _renewed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_renewed, value))
    return type(value).from_config(value.get_config()) if isinstance(value, (Metric, Optimizer)) else value


def clone_layer(layer: Layer) -> Layer:
    """Return a new layer from the config of `layer`."""
    return keep_left_out(deserialize(_without_build(serialize_in_process(layer))), layer)


def serialize_in_process(layer: Layer) -> dict[str, Any]:
    """Return the class and config of a layer, with functions as they are."""
    return {"class": type(layer), "config": layer.get_config()}


def _without_build(entry: dict[str, Any]) -> Any:
    return entry["class"].from_config(entry["config"])


def _clone_sequential(model: Sequential, input_tensors: Any, clone: Callable) -> Sequential:
    layers = [clone(layer) for layer in model.stack]
    copy = Sequential(name=model.name)
    if input_tensors is not None:
        copy.add(leaves(input_tensors)[0])
    elif model._starts is not None:
        copy._starts = jax.tree.map(_input_like, model._starts, is_leaf=is_symbolic)
        copy._sizes_are_known = False
    elif model._input is not None:
        copy._sizes_are_known = model._sizes_are_known
        copy.add(InputLayer.from_config(model._input.get_config()))
    for layer in layers:
        copy.add(layer)
    return copy


def _clone_functional(model: Model, input_tensors: Any, clone: Callable, call_function: Callable | None) -> Model:
    network: Any = model._network
    new_inputs = _inputs_for(network, input_tensors)
    tensors = {id(old): new for old, new in zip(network.flat_inputs, new_inputs, strict=True)}
    copies: dict[int, Any] = {}
    for node in network.nodes:
        operation = node.operation
        if id(operation) not in copies:
            copies[id(operation)] = clone(operation) if isinstance(operation, Layer) else operation.copy()
        args, kwargs = replace((node.args, node.kwargs), lambda tensor: tensors[id(tensor)])
        copy = copies[id(operation)]
        call = call_function if isinstance(operation, Layer) else None
        outputs = copy(*args, **kwargs) if call is None else call(copy, *args, **kwargs)
        for old, new in zip(leaves(node.outputs), leaves(outputs), strict=True):
            tensors[id(old)] = new
    found = iter(new_inputs)
    inputs = replace(network.inputs, lambda _: next(found))
    return Functional(inputs, replace(network.outputs, lambda tensor: tensors[id(tensor)]), name=model.name)


def _inputs_for(network: Any, given: Any) -> list[SymbolicTensor]:
    if given is not None:
        return leaves(given)
    return [_input_like(old) for old in network.flat_inputs]


def _input_like(old: SymbolicTensor) -> SymbolicTensor:
    return Input(batch_shape=old.shape, dtype=old.dtype, name=old.node.operation.name if old.node else old.name)


def model_from_config(config: dict[str, Any], custom_objects: dict | None = None) -> Model:
    """Return the model that a config describes, with newly initialized weights.

    Args:
        config: Class name and config, as `cornu.saving.serialize_keras_object` returns them.
        custom_objects: Custom classes and functions by name.
    """
    entry = spellings.translate_layer(config) if not isinstance(config.get("config"), list) else config
    kinds: dict[str, Any] = {"Sequential": Sequential, "Model": Functional, "Functional": Functional}
    if entry.get("class_name") in kinds:
        return kinds[entry["class_name"]].from_config(entry["config"], custom_objects)
    return deserialize(entry, custom_objects)


def model_from_json(json_string: str, custom_objects: dict | None = None) -> Model:
    """Return the model that a JSON text describes, with newly initialized weights.

    Args:
        json_string: The result of `Model.to_json`, of Cornu or Keras 1, 2 or 3.
        custom_objects: Custom classes and functions by name.

    Raises:
        ValueError: The text is not such JSON, or names a class that is neither Keras's nor in `custom_objects`.

    >>> import cornu
    >>> model = cornu.Sequential([cornu.layers.Input((4,)), cornu.layers.Dense(2)])
    >>> model_from_json(model.to_json()).output_shape
    (None, 2)
    """
    config = documents.parse(json_string, "The argument of model_from_json, instead of the text of to_json(),")
    source = Source("JSON text", writer(config.get("keras_version"), config.get(CORNU)) or "an unknown version")
    return documents.model_of(config, custom_objects, source)


__all__ = ["clone_model", "model_from_config", "model_from_json"]
