"""The layer: keeps its arguments, makes its weights in the first call, and computes."""

import concurrent.futures.thread  # noqa: F401  - a thread that trains after the main one has ended cannot import it
import copy
import functools
import pickle
import types
from collections.abc import Callable
from inspect import signature
from typing import TYPE_CHECKING, Any, Self

import jax

from cornu.core import dtype_policies, registry, spellings
from cornu.core.calling import CallMethods
from cornu.core.errors import did_you_mean
from cornu.core.graph import Node, op
from cornu.core.names import automatic_name
from cornu.core.ownership import is_library
from cornu.core.scope import scope
from cornu.core.serialization import construct, default_config, described, get
from cornu.core.shapes import batch_input_shape, shape_tuples
from cornu.core.signature import ShapeParameters, build_parameters
from cornu.core.variable import Variable

# Arguments that every layer takes besides its own.
SHAPE_ARGUMENTS = ("input_shape", "batch_input_shape", "batch_shape", "input_dim", "input_length", "batch_size")
BASE_ARGUMENTS = ("name", "trainable", "dtype", "autocast", "weights", "dynamic", *SHAPE_ARGUMENTS)
# Attributes that are missing if the __init__ of a custom layer does not call super().__init__().
STARTED = ("name", "_dtype_policy", "_weights", "_all_losses", "_inbound_nodes")


class Layer(CallMethods):
    """A computation from tensors to tensors, with weights: the base of all layers.

    A custom layer defines ``__init__`` (keeps its arguments), ``build(input_shape)`` (makes weights with `add_weight`)
    and ``call(inputs)``, which may also take ``training`` and ``mask``.

    Args:
        activity_regularizer: Penalty on the outputs, added to the loss.
        trainable: Whether training changes the weights.
        dtype: A dtype, or a policy such as ``"mixed_bfloat16"``; None takes the default policy.
        autocast: Whether to cast float inputs to the compute dtype.
        name: Name of the layer, unique in a model.
        **kwargs: `weights` (initial arrays) and, for the first layer of a model, `input_shape` and its relatives.

    Raises:
        TypeError: An argument is unknown.
        ValueError: `name` is not a string.

    Follows https://keras.io/api/layers/base_layer/

    >>> import numpy as np
    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> Scale()(np.ones((2, 3))).shape
    (2, 3)
    """

    _keywords: tuple[str, ...] = BASE_ARGUMENTS
    built = False
    supports_masking = False
    stateful = False
    #: Whether, without training, each row of the outputs depends on the same row of the inputs alone. A class declares
    #: it beside its `call`; then `predict` may compute many batches together.
    keeps_rows_apart = False
    #: Whether it computes with numpy, before the compiled part of a model: on strings, for example.
    on_host = False
    #: How many axes a batch has, of layers that take a single example too, which has one axis less.
    batched_rank: int | None = None
    input_spec: Any = None
    _some_losses = False
    _build_shapes: dict[str, Any] | None = None  # what ``build`` was called with

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _marks_built(vars(cls)["build"])  # type: ignore[method-assign]
        if is_library(cls):
            cls.built = "build" not in vars(cls) and cls.build is Layer.build  # has no weights
        elif "build" in vars(cls):
            cls.built = False
        if "compute_mask" in vars(cls):
            cls.compute_mask = op(vars(cls)["compute_mask"])  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(name, trainable, dtype, autocast)
        self.activity_regularizer = get(activity_regularizer, registry.REGULARIZERS)
        self._initial_weights = kwargs.pop("weights", None)
        kwargs.pop("dynamic", None)
        self._batch_input_shape = batch_input_shape(kwargs)
        unknown = sorted(set(kwargs) - set(SHAPE_ARGUMENTS))
        if unknown:
            hint = did_you_mean(unknown[0], [*self._own_argument_names(), *BASE_ARGUMENTS])
            raise TypeError(
                f"{type(self).__name__} has no argument {unknown[0]!r}.{hint}\n"
                f"It takes: {', '.join([*self._own_argument_names(), *BASE_ARGUMENTS])}."
            )

    def _start(self, name: str | None, trainable: bool, dtype: Any, autocast: bool = True) -> None:
        """Set the attributes of every layer; runs only once."""
        if name is not None and not _is_name(name):
            raise ValueError(
                f"The name of a layer must be a string, such as 'conv' or 'block1/conv'; {type(self).__name__} got "
                f"{name!r}."
            )
        self._initialized = True
        self.name = name or automatic_name(type(self).__name__)
        self._trainable = bool(trainable)
        self._dtype_policy = dtype_policies.get(dtype)
        self.autocast = autocast
        self._weights: list[Variable] = []
        self._all_losses: list[Any] = []
        self._inbound_nodes: list[Node] = []
        self.activity_regularizer = None
        self._initial_weights = self._batch_input_shape = None

    def _not_started(self) -> RuntimeError:
        return RuntimeError(
            f"{type(self).__name__}.__init__ does not call super().__init__(). Make it the first line of __init__."
        )

    @classmethod
    def _own_argument_names(cls) -> list[str]:
        return [name for name in signature(cls.__init__).parameters if name not in ("self", "args", "kwargs")]

    # ---- types

    @property
    def dtype_policy(self) -> dtype_policies.DTypePolicy:
        """The dtypes in which the layer computes and keeps new weights. It can be set, also to a policy's name."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, policy: Any) -> None:
        self._dtype_policy = dtype_policies.get(policy)

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        return self._dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return self._dtype_policy.variable_dtype

    def get_output_shape_for(self, input_shape: Any) -> Any:
        return self.compute_output_shape(input_shape)

    # ---- losses

    def add_loss(self, loss: Any, inputs: Any = None) -> None:
        """Add to the model's loss: a scalar computed in ``call`` (or a list of them)."""
        Layer._some_losses = True
        for one in loss if isinstance(loss, (list, tuple)) else [loss]:
            self._losses.append(one)

    @property
    def _losses(self) -> list[Any]:
        """What `add_loss` added; while a step is traced, what this thread added."""
        if scope.losses is None:
            return self._all_losses
        functions = (loss for loss in self._all_losses if callable(loss))
        return scope.losses.setdefault(id(self), (self, [*functions]))[1]

    @_losses.setter
    def _losses(self, losses: list[Any]) -> None:
        if scope.losses is None:
            self._all_losses = losses
        else:
            scope.losses[id(self)] = self, losses

    @property
    def losses(self) -> list[Any]:
        """The losses of the last call (from `add_loss` and activity regularizers), and the penalties on weights."""
        added = [loss() if callable(loss) else loss for layer in self._flatten_layers() for loss in layer._losses]
        return added + self._weight_penalties()

    def _weight_penalties(self) -> list[Any]:
        return [v.regularizer(v.value) for v in self.trainable_variables if v.regularizer is not None]

    def _clear_losses(self) -> None:
        if not Layer._some_losses:  # no layer ever had one, so there is no need to visit them all in each call
            return
        for layer in self._flatten_layers():
            layer._losses = [loss for loss in layer._losses if callable(loss)]

    # ---- the graph

    def _connection(self, what: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(f"Layer {self.name!r} has no {what} yet: it was not called on a symbolic Input.")
        node = self._inbound_nodes[0]
        return node.outputs if what == "output" else node.argument

    @property
    def input(self) -> Any:
        """The symbolic input of the first call."""
        return self._connection("input")

    @property
    def output(self) -> Any:
        """The symbolic output of the first call."""
        return self._connection("output")

    def get_input_at(self, node_index: int) -> Any:
        """Return the symbolic input of a given call."""
        return self._inbound_nodes[node_index].argument

    def get_output_at(self, node_index: int) -> Any:
        """Return the symbolic output of call number `node_index`."""
        return self._inbound_nodes[node_index].outputs

    @property
    def input_shape(self) -> Any:
        """The shape of the symbolic input."""
        return jax.tree.map(lambda tensor: tuple(tensor.shape), self.input)

    @property
    def output_shape(self) -> Any:
        """The shape of the symbolic output."""
        return jax.tree.map(lambda tensor: tuple(tensor.shape), self.output)

    # ---- config

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, from which `from_config` makes an equal layer, without the weights.

        They are plain data as in Keras: objects are dictionaries, and ``json.dumps`` takes them.
        """
        base = {"name": self.name, "trainable": self._trainable, "dtype": self.dtype_policy}
        # In a model the input has the shape, and Keras 3 rejects the key.
        if self._batch_input_shape is not None and not self._inbound_nodes:
            base["batch_input_shape"] = self._batch_input_shape
        own = default_config(self) if "_arguments" in vars(self) else {}
        named = {*SHAPE_ARGUMENTS} & {*self._own_argument_names()}  # Embedding's own `input_dim`, for example
        left_out = {"self", *BASE_ARGUMENTS} - named
        if self.activity_regularizer is None and type(self).__init__ is Layer.__init__:
            left_out.add("activity_regularizer")
        return described(self._accepted(base) | {name: value for name, value in own.items() if name not in left_out})

    def _accepted(self, base: dict[str, Any]) -> dict[str, Any]:
        """Return those general arguments that the constructor accepts; that of a custom layer may accept none."""
        parameters = signature(type(self).__init__).parameters
        takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
        return base if takes_any else {name: value for name, value in base.items() if name in parameters}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Layer":
        """Make a layer from the result of `get_config`."""
        return construct(cls, config)

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shape that the layer was built with, or the shapes by the names of ``build``'s arguments."""
        if self._build_shapes is None or len(self._build_shapes) > 1:
            return self._build_shapes and {"shapes_dict": self._build_shapes}
        return {"input_shape": self._build_shape}

    @property
    def _build_shape(self) -> Any:
        """The first shape that ``build`` was called with."""
        return next(iter(self._build_shapes.values()), None) if self._build_shapes else None

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with what `get_build_config` returned. Raises ValueError for shapes that ``build`` does not take."""
        if config.get("input_shape") is not None:
            self.build(shape_tuples(config["input_shape"]))
        elif config.get("shapes_dict"):
            self.build(**self._named_shapes(config["shapes_dict"]))

    def _named_shapes(self, shapes: dict[str, Any]) -> dict[str, Any]:
        parameters = build_parameters(type(self))
        unknown = [] if parameters.takes_any else sorted(set(shapes) - set(parameters.names))
        if unknown:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) was built with the shapes {', '.join(shapes)}; its "
                f"build has no argument {unknown[0]!r}.\nIt takes: {', '.join(parameters.names)}."
            )
        return {name: None if shape is None else shape_tuples(shape) for name, shape in shapes.items()}

    def _missing_attribute(self, name: str) -> Any:
        """Answer for an attribute that is not there: an old spelling, or AttributeError with a hint."""
        if name.startswith("__"):
            raise AttributeError(name)
        if name in STARTED and not self._initialized:
            raise self._not_started()
        own = getattr(type(self), name, None)
        if isinstance(own, property) and own.fget is not None:  # it raised an AttributeError: raise that one again
            return own.fget(self)
        return spellings.old_attribute(self, name)

    if not TYPE_CHECKING:  # type checkers would take every misspelt name for an attribute
        __getattr__ = _missing_attribute

    # ---- copies

    def __copy__(self) -> Self:
        """Return a layer with the same weights."""
        twin = object.__new__(type(self))
        vars(twin).update(vars(self))
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a layer with weights of its own, which is connected to no model."""
        twin = memo[id(self)] = object.__new__(type(self))
        vars(twin).update(copy.deepcopy(self.__getstate__(), memo))
        return twin

    def __getstate__(self) -> dict[str, Any]:
        functions = [loss for loss in vars(self).get("_all_losses", ()) if callable(loss)]
        return vars(self) | {"_inbound_nodes": [], "_all_losses": functions}

    def __reduce_ex__(self, protocol: Any) -> Any:
        check_functions(self)
        return super().__reduce_ex__(protocol)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def check_functions(layer: Any) -> None:
    """Raise PicklingError for a layer that holds a lambda: a pickle has functions by their names."""
    for name, value in vars(layer).items():
        if isinstance(value, types.FunctionType) and value.__name__ == "<lambda>":
            raise pickle.PicklingError(
                f"Layer {layer.name!r} ({type(layer).__name__}) cannot be pickled: its {name} is a lambda, and a "
                "pickle refers to functions by name.\n"
                f"Define it with def at the top of a module: def {name}(x): ..."
            )


def _is_name(name: Any) -> bool:
    """Return whether a layer may have a name. Keras 3 refuses one with "/"; in Keras 1 and 2 many had one."""
    return isinstance(name, str) and ("/" not in name or {"", ".", ".."}.isdisjoint(name.split("/")))


def _marks_built(build: Callable) -> Callable:
    """Wrap a ``build``: it remembers the shapes, marks the layer built, and sets weights given to the constructor."""

    @functools.wraps(build)
    def building(self: Layer, *shapes: Any, **kwargs: Any) -> None:
        is_outermost = type(self).build is building  # not one called by super().build(...)
        if (shapes or kwargs) and not self.built and is_outermost:
            self._build_shapes = _by_name(build_parameters(type(self)), shapes, kwargs)
        with self.naming():
            build(self, *shapes, **kwargs)
        self.built = True
        if self._initial_weights is not None and type(self).build is building:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    return building


def _by_name(parameters: ShapeParameters, shapes: tuple, named_shapes: dict[str, Any]) -> dict[str, Any]:
    names = parameters.names or ("input_shape",)  # build(self, *shapes)
    return dict(zip(names, shapes, strict=False)) | named_shapes
