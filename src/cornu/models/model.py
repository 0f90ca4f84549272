"""The model: layers that train together. `Model` is subclassed, or called with inputs and outputs."""

import json
from typing import Any, Self

import jax

from cornu.core import config_validation, registry, spellings
from cornu.core.errors import did_you_mean
from cornu.core.graph import SymbolicTensor, holds_symbolic, leaves
from cornu.core.layer import BASE_ARGUMENTS, Layer
from cornu.core.serialization import described, serialize_object
from cornu.core.shapes import shapes_of
from cornu.core.signature import any_signature, call_signature
from cornu.core.text import stand_in_for_text
from cornu.core.tracking import parts
from cornu.data.text_inputs import TextInputs, opened
from cornu.layers import host
from cornu.metrics import Metric
from cornu.models import graph_config
from cornu.models.batch_methods import BatchMethods
from cornu.models.host_part import HostInputs
from cornu.models.loss_methods import LossMethods
from cornu.models.network import Network
from cornu.models.pictures import PictureMethods
from cornu.models.saving_methods import FileMethods
from cornu.models.states import StateMethods
from cornu.models.trainer import Trainer
from cornu.saving.plain_names import with_plain_names
from cornu.saving.source import CORNU, VERSION


@registry.MODELS.add()
class Model(Trainer, BatchMethods, LossMethods, StateMethods, FileMethods, PictureMethods, Layer):
    """Layers that are trained, evaluated and used together.

    ``Model(inputs, outputs)`` makes a functional model. A subclass keeps layers as attributes and defines
    ``call(inputs)``, which may also take ``training`` and ``mask``.

    Args:
        inputs: Symbolic tensors from `Input`: one, a list or a dictionary.
        outputs: Symbolic tensors that layers computed from them: one, a list or a dictionary.
        name: Name of the model.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: Only one of `inputs` and `outputs` is passed, or they are not connected symbolic tensors.

    Follows https://keras.io/api/models/model/

    >>> from cornu import layers
    >>> x = layers.Input((3,))
    >>> model = Model(x, layers.Dense(2)(x))
    >>> model.output_shape
    (None, 2)
    """

    _keywords = (*BASE_ARGUMENTS, "inputs", "outputs")
    #: The names of a classifier's classes: what `report`, `cornu predict` and `cornu serve` call them. Files keep them.
    class_names: Any = None
    _network: Network | None = None
    _is_about_to_be_called = False  # that call makes all weights, so `build` need not
    keeps_rows_apart = keeps_steps_apart = True

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        functional = cls is Model and (args or "inputs" in kwargs or "outputs" in kwargs)
        made: Any = Functional if functional else cls
        return super().__new__(made)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        args = args[1:] if args and args[0] is self else args  # `super().__init__(self)`, which tf.keras let pass
        inputs, outputs, name, kwargs = _model_arguments(args, kwargs)
        super().__init__(name=name, **kwargs)
        if inputs is not None:
            self._take_graph(inputs, outputs)

    def _take_graph(self, inputs: Any, outputs: Any) -> None:
        """Become the functional model between `inputs` and `outputs`."""
        self._find_place()
        self._network = Network(inputs, outputs)
        self._graph_losses: list[SymbolicTensor] = []
        self.graph_layers = self._network.layers
        self.built = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model on arrays, strings among them if it begins with layers for strings, or on symbolic tensors."""
        if self._network is not None or self._begins_on_host:
            args, kwargs = call_signature(type(self)).first_by_position(args, kwargs)
            if args and (stand_in := stand_in_for_text(args[0])) is not None:
                args = (self._called_by(stand_in, args[0]), *args[1:])
            elif args and self._encodes(args[0]):
                args = (self._as_inputs(args[0]), *args[1:])
            elif args:
                args = (host.dense_rows(self, args[0]), *args[1:])
        return super().__call__(*args, **kwargs)

    def _encodes(self, inputs: Any) -> bool:
        """Return whether the inputs of a call have to go through layers that compute with numpy first."""
        if self._network is None:
            begins = self._begins_on_host
        else:
            begins = self._network.host is not None
        return (
            begins
            and not isinstance(inputs, (HostInputs, TextInputs))
            and not holds_symbolic((inputs,), {})
            and not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(inputs))
        )

    def infer_call(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        host_part = None if self._network is None else self._network.host
        if host_part is not None:
            args, kwargs = call_signature(type(self)).first_by_position(args, kwargs)
            if args and not isinstance(args[0], HostInputs):
                self._network.arrange(args[0])  # type: ignore[union-attr]  # checks the shapes
                args = (host_part.symbolic(), *args[1:])
        return super().infer_call(args, kwargs)

    @any_signature
    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Compute the outputs. A subclass without a graph overrides it."""
        if self._network is None:
            raise NotImplementedError(
                f"{type(self).__name__} is subclassed from Model and has no call() method: define call(self, inputs)."
            )
        return self._network.run(inputs, mask)

    @any_signature
    def build(self, input_shape: Any = None, **shapes: Any) -> None:
        """Make the weights for inputs of `input_shape`, or of `shapes` by name, by tracing a call.

        A subclass that overrides it may call it at the start or the end.
        """
        if self._network is None and (input_shape is not None or shapes) and not self._is_about_to_be_called:
            overridden = self.built = type(self).build is not Model.build  # so that the call does not build again
            try:
                self.compute_output_shape(*([] if input_shape is None else [input_shape]), **shapes)
            except AttributeError:
                if not overridden:  # else: it makes its layers after this
                    raise
            except Exception:
                self.built = False
                raise
        self.built = True

    def _call_arrays(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        if self._network is None or self._network.runs_on_texts:
            args, kwargs = opened((args, kwargs))
        return super()._call_arrays(args, kwargs)

    def _casts_to(self) -> str | None:
        return None if self._network is not None else super()._casts_to()  # the dtypes of its inputs decide

    def _ensure_built(self, args: tuple, kwargs: dict) -> None:
        """Build a subclassed model in its first call, by its layers' builds."""
        args, kwargs = opened((args, kwargs))
        if not self.built and type(self).build is not Model.build:
            self._is_about_to_be_called = True
            try:
                super()._ensure_built(args, kwargs)
            finally:
                del self._is_about_to_be_called
        elif not self.built:
            self._build_shapes = self._input_shapes(args, kwargs)
            self._note_texts(args, kwargs)
        self.built = True

    def _input_shapes(self, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the shapes of the tensors that the model is called on, by the names that a build config has."""
        named = {name: value for name, value in call_signature(type(self)).bind(args, kwargs).items() if leaves(value)}
        shapes = {
            f"{name}_shape": shapes_of(value)
            for name, value in named.items()
            if name != "mask" and all(hasattr(leaf, "shape") for leaf in leaves(value))
        }
        return shapes or {"input_shape": shapes_of(args[0] if args else None)}

    # ---- the graph

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model, in order; layers inside them are not listed."""
        return self.sublayers()  # type: ignore[return-value]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return the layer with a name or at an index; ValueError if there is none."""
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"The model has {len(self.layers)} layers; there is no layer at index {index}.")
            return self.layers[index]
        by_name = {layer.name: layer for layer in reversed(self.layers)}
        for known in (name, str(name).replace("/", "_")):  # a file has no "/" in names
            if known in by_name:
                return by_name[known]
        if (today := spellings.current_layer_name(str(name))) in by_name:
            return by_name[today]
        names = [layer.name for layer in self.layers]
        raise ValueError(
            f"The model has no layer {name!r}.{did_you_mean(name, names)}\nIts layers: {', '.join(names)}."
        )

    def _graph(self, what: str) -> Network:
        if self._network is None:
            raise AttributeError(
                f"Model {self.name!r} has no {what}: it is not a functional model, so it has no symbolic graph."
            )
        return self._network

    @property
    def inputs(self) -> list[SymbolicTensor] | Any:
        """The symbolic inputs as a list; None for a model without a graph."""
        return None if self._network is None else self._network.flat_inputs

    @property
    def outputs(self) -> list[SymbolicTensor] | Any:
        """The symbolic outputs as a list; None for a model without a graph."""
        return None if self._network is None else self._network.flat_outputs

    @property
    def input(self) -> Any:
        """The symbolic input, or list of them."""
        return _single(self._graph("input").inputs)

    @property
    def output(self) -> Any:
        """The symbolic output, or list of them."""
        return _single(self._graph("output").outputs)

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or list of shapes."""
        return _shapes(self.input)

    @property
    def output_shape(self) -> Any:
        """The shape of the output, or list of shapes."""
        return _shapes(self.output)

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return self._graph("input_names").input_names

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs; a subclassed model's are output_1, output_2, ... or its dictionary's keys."""
        return self._network.output_names if self._network is not None else list(getattr(self, "_seen_outputs", []))

    def add_loss(self, loss: Any, inputs: Any = None) -> None:
        """Add to the loss: a scalar inside ``call``, a function, or a symbolic tensor of a functional model."""
        for one in loss if isinstance(loss, (list, tuple)) else [loss]:
            if isinstance(one, SymbolicTensor):
                self._graph("graph for add_loss(tensor)")
                self._graph_losses.append(one)
            else:
                super().add_loss(one)

    @property
    def own_metrics(self) -> list[Metric]:
        """The metrics that the model and its layers hold as attributes."""
        return [metric for layer in self._flatten_layers() for metric in parts(layer, Metric)]

    # ---- config

    def get_config(self) -> dict[str, Any]:
        """Return the graph of a functional model, or the constructor's arguments of a subclass."""
        if self._network is not None and type(self) in (Model, Functional):
            return graph_config.of_network(self, self._network)
        if type(self).__init__ is Model.__init__:
            return described({"name": self.name, "trainable": self._trainable, "dtype": self.dtype_policy})
        return super().get_config()

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "Model":
        """Make a model from the result of `get_config`, with newly initialized weights."""
        with registry.CustomObjectScope(custom_objects or {}), config_validation.reading(config):
            config_validation.check_name(cls, config.get("name"))
            if cls in (Model, Functional) and "layers" in config:
                inputs, outputs = graph_config.tensors(config)
                model = Functional(inputs, outputs, name=config.get("name"))
                model._trainable = config.get("trainable", True)
                return model
            return super().from_config(config)  # type: ignore[return-value]

    def to_json(self, **kwargs: Any) -> str:
        """Return the model's config as JSON; `kwargs` go to ``json.dumps``."""
        with self.sharing():
            entry = serialize_object(self)
        entry |= {"keras_version": graph_config.KERAS_VERSION, CORNU: VERSION, "backend": "jax"}
        return json.dumps(with_plain_names(entry, self), **kwargs)


@registry.MODELS.add()
class Functional(Model):
    """A model between symbolic inputs and outputs. ``Model(inputs, outputs)`` makes one.

    Args:
        inputs, outputs, name: As in `Model`.
        **kwargs: Arguments of `Layer`.

    Follows https://keras.io/guides/functional_api/

    >>> from cornu import layers
    >>> x = layers.Input((3,))
    >>> Functional(x, layers.Dense(2)(x)).input_shape
    (None, 3)
    """

    keras_module = "keras.src.models.functional"

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        Layer.__init__(self, name=name, **kwargs)
        self._take_graph(inputs, outputs)


def _model_arguments(args: tuple, kwargs: dict) -> tuple[Any, Any, str | None, dict]:
    """Parse ``Model()``, ``Model(name=...)`` and ``Model(inputs, outputs, name)``."""
    kwargs = dict(kwargs)
    names = ("inputs", "outputs", "name")
    for name, value in zip(names, args, strict=False):
        kwargs[name] = value
    inputs, outputs = kwargs.pop("inputs", None), kwargs.pop("outputs", None)
    if (inputs is None) != (outputs is None):
        raise ValueError("A functional model needs both inputs and outputs: Model(inputs=..., outputs=...).")
    return inputs, outputs, kwargs.pop("name", None), kwargs


def _single(structure: Any) -> Any:
    flat = leaves(structure)
    return flat[0] if len(flat) == 1 else structure


def _shapes(structure: Any) -> Any:
    return jax.tree.map(lambda t: tuple(t.shape), structure, is_leaf=lambda leaf: isinstance(leaf, SymbolicTensor))


__all__ = ["Functional", "Model"]
