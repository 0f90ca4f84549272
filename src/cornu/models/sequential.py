"""The sequential model: a stack of layers."""

import functools
from collections.abc import Sequence
from typing import Any

import jax

from cornu.core import budget, config_validation, registry, spellings
from cornu.core.errors import foreign
from cornu.core.graph import SymbolicTensor, is_symbolic, leaves
from cornu.core.input_spec import leaves_of_specs
from cornu.core.layer import Layer
from cornu.core.serialization import described, deserialize, serialize_object
from cornu.core.shapes import is_shape, shape_tuples, shapes_of, tensors_of_shapes
from cornu.core.text import is_text
from cornu.data.text_inputs import opened
from cornu.layers import host
from cornu.layers.input import Input, InputLayer
from cornu.models.model import Model
from cornu.models.network import declared


@registry.MODELS.add()
class Sequential(Model):
    """A stack of layers: each takes the outputs of the one before it.

    Weights are made immediately if the stack begins with an `Input` (or its first layer has ``input_shape=``),
    otherwise when the model first receives data. The data may be a list or dictionary if the first layer takes one.

    Args:
        layers: List of layers; more can be added with `add`.
        trainable: Whether training changes the weights.
        name: Name of the model.
        **kwargs: Arguments of `Layer`.

    Raises:
        TypeError: An entry is not a layer.
        ValueError: Two layers have the same name.

    Follows https://keras.io/api/models/sequential/

    >>> from cornu import layers
    >>> model = Sequential([layers.Input((4,)), layers.Dense(2)])
    >>> model.count_params()
    10
    """

    keras_module = "keras"
    _takes_one_input = True

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        Layer.__init__(self, name=name, trainable=trainable, **kwargs)
        self.stack: list[Layer] = []
        self._input: InputLayer | None = None
        self._starts: Any = None  # the symbolic inputs, if the first data were a list or dictionary
        self._sizes_are_known = True  # not those of the first data
        for layer in layers if isinstance(layers, (list, tuple)) else [layers] if layers is not None else []:
            self._put(layer)
        self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Add a layer at the end. TypeError if it is not a layer, ValueError if its name is taken."""
        self._put(layer)
        if self._network is None:
            self._rebuild()
        else:
            self._programs.forget("layers changed")
            self._connect(self._network.inputs, self._network.outputs, self.stack[-1:])

    def _put(self, layer: Any) -> None:
        if isinstance(layer, SymbolicTensor):
            if declared(layer) is not layer:
                self._put(declared(layer))
            layer = layer.node.operation if layer.node is not None else layer
        if not isinstance(layer, Layer):
            raise TypeError(
                f"Sequential.add takes a layer, such as Dense(10); got {layer!r} ({type(layer).__name__})."
                + (
                    foreign(layer)
                    or ("\nCall the class: add(Dense(10)), not add(Dense)." if isinstance(layer, type) else "")
                )
            )
        if isinstance(layer, InputLayer):
            if self.stack or self._input is not None:
                raise ValueError("The input comes first in a Sequential model, and only once.")
            self._input = layer
        else:
            self._check_name(layer)
            self._start_from(layer)
            self.stack.append(layer)

    def _check_name(self, layer: Layer) -> None:
        if any(known.name == layer.name for known in self.stack):
            raise ValueError(
                f"The model already has a layer named {layer.name!r}; every layer needs a unique name "
                f"({layer.name!r} may have been added twice)."
            )

    def _start_from(self, layer: Layer) -> None:
        """Take the input shape from the first layer, or from a model in its place, if it has one."""
        if self.stack or self._input is not None:
            return
        shape = layer._batch_input_shape
        dtype = None
        if shape is None and isinstance(layer, Model) and layer._network is not None and len(layer.inputs) == 1:
            shape, dtype = layer.inputs[0].shape, layer.inputs[0].dtype
        if shape is not None:
            dtype = dtype or layer._arguments.get("input_dtype")
            self._input = InputLayer(batch_shape=tuple(shape), dtype=dtype, name=f"{layer.name}_input")

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove the last layer and return it. TypeError if there is none."""
        if not self.stack:
            raise TypeError("There is no layer to remove: the model is empty.")
        layer = self.stack.pop()
        self._rebuild()
        return layer

    def _rebuild(self) -> None:
        """Connect the layers again, if the input's shape is known."""
        self._network, self.built = None, False
        self._programs.forget("layers changed")
        if self.stack and (start := self._starting_tensors()) is not None:
            self._connect(start)

    def _starting_tensors(self) -> Any:
        """Return the symbolic input or inputs, or None if they are unknown."""
        if self._input is not None:
            return self._input._inbound_nodes[0].outputs
        if self._starts is not None:
            return self._starts
        first = self.stack[0]
        if isinstance(first, Model) and first._network is not None:
            return [Input(batch_shape=tuple(tensor.shape), dtype=tensor.dtype) for tensor in first.inputs]
        return None

    def _connect(self, start: Any, tensor: Any = None, layers: Sequence[Layer] | None = None) -> None:
        """Call the layers in turn: all of them on `start`, or only the last ones on `tensor`."""
        tensor = start if tensor is None else tensor
        with self.naming():
            for layer in self.stack if layers is None else layers:
                tensor = layer(tensor)
        self._take_graph(start, tensor)
        if self._network is not None:
            self._network.any_size = not self._sizes_are_known
        del self.graph_layers  # `stack` lists them

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of `input_shape`, batch axis first, or of a list or dictionary of shapes."""
        if self._network is not None or input_shape is None:
            return
        if is_shape(input_shape):
            self._input = InputLayer(batch_shape=tuple(input_shape))
        elif self.stack:
            self._starts = tensors_of_shapes(input_shape, self.stack[0].compute_dtype)
            self._starts = jax.tree.map(_input_like, self._starts, is_leaf=is_symbolic)
        if self.stack:
            self._connect(self._starting_tensors())

    def _ensure_built(self, args: tuple, kwargs: dict) -> None:
        if self._network is not None:
            return
        if not self.stack:
            raise ValueError("The Sequential model is empty: add layers before it is called or trained.")
        given: Any = host.dense_rows(self, opened(args[0] if args else kwargs.get("inputs")))
        arrays = leaves(given)
        if not arrays or not all(hasattr(array, "shape") for array in arrays):
            raise ValueError(f"A Sequential model takes an array, or arrays; got a {type(given).__name__}.")
        self._sizes_are_known = False
        if hasattr(given, "shape"):
            shape = (None, *given.shape[1:])
            if shape == (None,) and _refuses(self.stack[0], shape) and not _refuses(self.stack[0], (None, 1)):
                shape = (None, 1)  # numbers are rows of one number, as in Keras 2 and for a declared Input((1,))
            self._input = InputLayer(batch_shape=shape, dtype=_input_dtype(self.stack[0], given))
        else:
            dtype = functools.partial(_input_dtype, self.stack[0])
            self._starts = jax.tree.map(lambda one: _input_like(one, dtype(one)), given, is_leaf=is_symbolic)
        self._connect(self._starting_tensors())

    @property
    def _begins_on_host(self) -> bool:
        first = self.stack[0] if self.stack else None
        return first is not None and (first.on_host or getattr(first, "_begins_on_host", False))

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the input."""
        return list(self.stack)

    @layers.setter
    def layers(self, _: Any) -> None:
        raise AttributeError("The layers of a Sequential model cannot be assigned; use add() and pop().")

    def get_config(self) -> dict[str, Any]:
        """Return the name, and the layers with their configs."""
        entries = [self._input, *self.stack] if self._is_declared() else self.stack
        config = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": described(self.dtype_policy),
            "layers": [serialize_object(layer) for layer in entries],
        }
        if self._starts is not None:
            config["build_input_shape"] = shapes_of(self._starts)
        elif self._network is not None:
            config["build_input_shape"] = tuple(self.inputs[0].shape)
        return config

    def _is_declared(self) -> bool:
        """Return whether the config must hold the input: it was declared, or has another dtype than `build` makes."""
        return self._input is not None and (self._sizes_are_known or self._input.dtype != "float32")

    @classmethod
    def from_config(cls, config: Any, custom_objects: dict | None = None) -> "Sequential":
        """Make a model from the result of `get_config` (in Keras 1 and 2 a bare list of layers)."""
        with registry.CustomObjectScope(custom_objects or {}), config_validation.reading(config):
            if isinstance(config, list):
                config = {"layers": config}
            config_validation.check_name(cls, config.get("name"))
            budget.step(len(config["layers"]))
            layers = [
                deserialize(spellings.translate_layer(entry), table=registry.LAYERS) for entry in config["layers"]
            ]
            model = cls(layers, name=config.get("name"), trainable=config.get("trainable", True))
            if model._network is None and config.get("build_input_shape"):
                model._sizes_are_known = False
                model.build(shape_tuples(config["build_input_shape"]))
            return model


def _refuses(first: Layer, shape: tuple) -> bool:
    """Return whether a layer, or the first one of a model in its place, takes no input of this shape."""
    while isinstance(first, Sequential) and first._network is None and first.stack:
        first = first.stack[0]
    specs = leaves_of_specs(first.input_spec) if first.input_spec is not None else []
    return len(specs) == 1 and specs[0].mismatch(shape) is not None


def _input_like(given: Any, dtype: Any = None) -> SymbolicTensor:
    """Return an input for data like `given`."""
    return Input(batch_shape=(None, *given.shape[1:]), dtype=dtype or given.dtype)


def _input_dtype(first: Layer, given: Any) -> str:
    """Return the dtype of a model's input when it was not declared: integers stay if the first layer keeps them."""
    if is_text(given):
        return "string"
    dtype = getattr(given.dtype, "name", str(given.dtype))
    return dtype if "int" in dtype and not first.autocast else first.compute_dtype


__all__ = ["Input", "Sequential"]
