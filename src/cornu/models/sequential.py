"""The plain stack of layers."""

from collections.abc import Sequence
from typing import Any

from cornu.core import budget, config_validation, registry, spellings
from cornu.core.graph import SymbolicTensor
from cornu.core.layer import Layer
from cornu.core.serialization import deserialize, serialize_object
from cornu.core.shapes import is_shape
from cornu.layers.input import Input, InputLayer
from cornu.models.model import Model


@registry.MODELS.add()
class Sequential(Model):
    """Layers one after the other, each with one input and one output.

    `layers` may be given at once or added one by one. With an `Input` first (or ``input_shape=`` in the first layer)
    the weights are made at once; otherwise when the model first sees data.
    Follows https://keras.io/api/models/sequential/

    >>> from cornu import layers
    >>> model = Sequential([layers.Input((4,)), layers.Dense(2)])
    >>> model.count_params()
    10
    """

    keras_module = "keras"

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        Layer.__init__(self, name=name, trainable=trainable, **kwargs)
        self.stack: list[Layer] = []
        self._input: InputLayer | None = None
        for layer in layers if isinstance(layers, (list, tuple)) else [layers] if layers is not None else []:
            self._put(layer)
        self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top. Raises TypeError for anything but a layer, ValueError for a name that is taken."""
        self._put(layer)
        if self._network is None:
            self._rebuild()
        else:
            self._programs.forget("layers changed")
            self._connect(self._network.inputs, self._network.outputs, self.stack[-1:])

    def _put(self, layer: Any) -> None:
        if isinstance(layer, SymbolicTensor):
            layer = layer.node.operation if layer.node is not None else layer
        if not isinstance(layer, Layer):
            raise TypeError(
                f"Sequential.add takes a layer, such as Dense(10); it got {layer!r} ({type(layer).__name__})."
                + ("\nCall the class: add(Dense(10)), not add(Dense)." if isinstance(layer, type) else "")
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
                f"The model has a layer named {layer.name!r} already; every layer needs a name of its own "
                f"({layer.name!r} may have been added twice)."
            )

    def _start_from(self, layer: Layer) -> None:
        """Take the input shape that the first layer (or the model added first) was given."""
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
        """Take the top layer off and return it."""
        if not self.stack:
            raise TypeError("There is no layer to take off: the model is empty.")
        layer = self.stack.pop()
        self._rebuild()
        return layer

    def _rebuild(self) -> None:
        """Connect the layers anew where the input's shape is known."""
        self._network, self.built = None, False
        self._programs.forget("layers changed")
        if self.stack and (start := self._starting_tensors()) is not None:
            self._connect(start)

    def _starting_tensors(self) -> Any:
        """Return the symbolic input, a list of them where a model of several inputs comes first, or None."""
        if self._input is not None:
            return self._input._inbound_nodes[0].outputs
        first = self.stack[0]
        if isinstance(first, Model) and first._network is not None:
            return [Input(batch_shape=tuple(tensor.shape), dtype=tensor.dtype) for tensor in first.inputs]
        return None

    def _connect(self, start: Any, tensor: Any = None, layers: Sequence[Layer] | None = None) -> None:
        """Call the layers one after the other, all of them on `start` or the last ones on `tensor`."""
        tensor = start if tensor is None else tensor
        with self.naming():
            for layer in self.stack if layers is None else layers:
                outputs = layer(tensor)
                if not isinstance(outputs, SymbolicTensor):
                    raise ValueError(
                        f"Layer {layer.name!r} has several outputs; Sequential takes layers with one. Use Model(...)."
                    )
                tensor = outputs
        self._take_graph(start, tensor)
        del self.graph_layers  # `stack` lists them

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of `input_shape`, batch axis first."""
        if self._network is not None or input_shape is None:
            return
        if not is_shape(input_shape):
            raise ValueError(f"A Sequential model has one input; build was given the shapes {input_shape!r}.")
        self._input = InputLayer(batch_shape=tuple(input_shape))
        if self.stack:
            self._connect(self._starting_tensors())

    def _ensure_built(self, args: tuple, kwargs: dict) -> None:
        if self._network is not None:
            return
        if not self.stack:
            raise ValueError("The Sequential model is empty: add layers before it is called or trained.")
        given: Any = args[0] if args else kwargs.get("inputs")
        if not hasattr(given, "shape"):
            raise ValueError(f"A Sequential model takes one array; it was given a {type(given).__name__}.")
        self._input = InputLayer(batch_shape=(None, *given.shape[1:]), dtype=_input_dtype(self.stack[0], given))
        self._connect(self._starting_tensors())

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, the input left out."""
        return list(self.stack)

    @layers.setter
    def layers(self, _: Any) -> None:
        raise AttributeError("The layers of a Sequential model change by add() and pop().")

    def get_config(self) -> dict[str, Any]:
        """Return name and layers with their configs."""
        entries = [self._input, *self.stack] if self._input is not None else self.stack
        config = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": self.dtype_policy,
            "layers": [serialize_object(layer) for layer in entries],
        }
        if self._network is not None:
            config["build_input_shape"] = tuple(self.inputs[0].shape)
        return config

    @classmethod
    def from_config(cls, config: Any, custom_objects: dict | None = None) -> "Sequential":
        """Make a model from what `get_config` returned (Keras 1 and 2 gave a bare list of layers)."""
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
                model.build(config["build_input_shape"])
            return model


def _input_dtype(first: Layer, given: Any) -> str:
    """Return the type in which data reaches a model that was not told: floats are cast, integers for Embedding stay."""
    dtype = getattr(given.dtype, "name", str(given.dtype))
    return dtype if "int" in dtype and not first.autocast else first.compute_dtype


__all__ = ["Input", "Sequential"]
