"""The layer: arguments kept, weights made on the first call, then its mathematics."""

import functools
from collections.abc import Callable, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import dtype_policies, registry, spellings
from cornu.core.engine_errors import in_words
from cornu.core.errors import did_you_mean
from cornu.core.graph import Node, SymbolicTensor, holds_symbolic, infer, resolve
from cornu.core.input_spec import check_inputs
from cornu.core.names import to_snake_case, unique_name
from cornu.core.scope import calling, get_mask, scope, set_mask
from cornu.core.serialization import construct, default_config, get
from cornu.core.shapes import batch_input_shape, plain_shapes, shape_tuples, shapes_of, tensors_of_shapes
from cornu.core.signature import build_parameters, call_signature, freely_overridden
from cornu.core.variable import Variable, array_of, plain, untouched
from cornu.core.weights import HoldsWeights

# Arguments that every layer takes beside its own.
SHAPE_ARGUMENTS = ("input_shape", "batch_input_shape", "batch_shape", "input_dim", "input_length", "batch_size")
BASE_ARGUMENTS = ("name", "trainable", "dtype", "autocast", "weights", "dynamic", *SHAPE_ARGUMENTS)
# Attributes that are missing where a user's __init__ does not call this class's.
STARTED = ("name", "dtype_policy", "_weights", "_losses", "_inbound_nodes")


class Layer(HoldsWeights):
    """A step from tensors to tensors, with weights of its own.

    A layer of one's own has ``__init__`` (keeps its arguments), ``build(input_shape)`` (makes weights with
    `add_weight`) and ``call(inputs)``, which may also take ``training`` and ``mask``. `name` is unique in a model,
    `trainable` says whether training changes the weights, `dtype` is a dtype or a policy such as ``"mixed_bfloat16"``.
    Follows https://keras.io/api/layers/base_layer/

    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> Scale()(np.ones((2, 3))).shape
    (2, 3)
    """

    built = False
    supports_masking = False
    stateful = False
    input_spec: Any = None
    _some_losses = False
    _build_shape: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _marks_built(vars(cls)["build"])  # type: ignore[method-assign]

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
        """Set what every layer has; done only once."""
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(f"The name of a layer is a string without '/'; {type(self).__name__} got {name!r}.")
        self._initialized = True
        self.name = name or unique_name(to_snake_case(type(self).__name__))
        self._trainable = bool(trainable)
        self.dtype_policy = dtype_policies.get(dtype)
        self.autocast = autocast
        self._weights: list[Variable] = []
        self._losses: list[Any] = []
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
    def dtype(self) -> str:
        """The type of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The type of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The type in which the layer computes."""
        return self.dtype_policy.compute_dtype

    # ---- calling

    @freely_overridden
    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of `input_shape` (None: unknown axis). Layers with weights override it."""
        self.built = True

    @freely_overridden
    def call(self, inputs: Any) -> Any:
        """Compute the outputs. Every layer overrides it."""
        raise NotImplementedError(
            f"{type(self).__name__} has no call() method. Define call(self, inputs) with what it computes."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layer on arrays (computes) or symbolic tensors (adds a node to the graph)."""
        if not self._initialized:
            raise self._not_started()
        with self.naming():
            return self._call_named(args, kwargs)

    def _call_named(self, args: tuple, kwargs: dict) -> Any:
        if holds_symbolic(args, kwargs):
            known = resolve((args, kwargs))
            if known is None:
                return self._call_symbolic(args, kwargs)
            args, kwargs = known
        args, kwargs = self._cast(args), self._cast(kwargs)
        if self.input_spec is not None:
            check_inputs(self.input_spec, args[0] if args else None, self.name)
        self._ensure_built(args, kwargs)
        return self._call_arrays(args, kwargs)

    def _cast(self, structure: Any) -> Any:
        """Turn numpy arrays and the like into JAX arrays, and floats into the compute type."""
        dtype = self.compute_dtype if self.autocast else None

        def cast(leaf: Any) -> Any:
            if isinstance(leaf, (jax.Array, np.ndarray, np.generic, Variable)) or hasattr(leaf, "__array__"):
                mask = getattr(leaf, "_keras_mask", None)
                array = leaf if isinstance(leaf, jax.Array) else jnp.asarray(_host_array(leaf))
                if dtype is not None and array.dtype.name != dtype and dtype_policies.is_float(array.dtype):
                    mask = get_mask(leaf) if mask is None else mask
                    array = array.astype(dtype)
                if mask is not None and array is not leaf:
                    set_mask(array, mask)
                return array
            return leaf

        return jax.tree.map(cast, structure, is_leaf=lambda leaf: isinstance(leaf, (Variable, SymbolicTensor)))

    def _ensure_built(self, args: tuple, kwargs: dict) -> None:
        if self.built:
            return
        self.build(*self._build_shapes(args, kwargs))
        self.built = True

    def _build_shapes(self, args: tuple, kwargs: dict) -> list[Any]:
        """Return the shapes for ``build``: that of the first argument, or one for each ``NAME_shape`` that it names."""
        names = build_parameters(type(self))
        given = dict(zip(call_signature(type(self)).names, args, strict=False)) | kwargs
        first = args[0] if args else next(iter(kwargs.values()), None)
        if len(names) <= 1:
            return [shapes_of(first)]
        return [shapes_of(given.get(name.removesuffix("_shape"))) for name in names]

    def _call_arrays(self, args: tuple, kwargs: dict) -> Any:
        signature = call_signature(type(self))
        training = _training(kwargs.get("training"), signature.training_default)
        if signature.takes_training:
            kwargs["training"] = training
        else:
            kwargs.pop("training", None)
        masks = jax.tree.map(get_mask, args[0]) if args else None
        has_masks = bool(jax.tree.leaves(masks))
        if signature.takes_mask and kwargs.get("mask") is None:
            kwargs["mask"] = masks if has_masks else None
        if scope.depth == 0:
            self._clear_losses()
        with calling(training, self.compute_dtype if self.autocast else None):
            with in_words(self, args):
                outputs = plain(self.call(*args, **kwargs))
            if self.activity_regularizer is not None:
                for output in jax.tree.leaves(outputs):
                    penalty = self.activity_regularizer(output)
                    self.add_loss(penalty / output.shape[0] if output.shape and output.shape[0] else penalty)
            self._pass_masks_on(args, masks if has_masks else None, kwargs.get("mask"), outputs)
        return outputs

    def _pass_masks_on(self, args: tuple, carried: Any, given: Any, outputs: Any) -> None:
        """Let the mask that `compute_mask` gives travel with the outputs."""
        overridden = type(self).compute_mask is not Layer.compute_mask
        if not args or (carried is None and given is None and not overridden):
            return
        previous = carried if carried is not None else given
        mask = self.compute_mask(args[0], previous)
        tensors = jax.tree.leaves(outputs)
        several = isinstance(mask, (list, tuple)) and len(mask) == len(tensors)
        for position, output in enumerate(tensors):
            set_mask(output, mask[position] if several else mask)

    @freely_overridden
    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the outputs: that of the inputs where ``supports_masking``, else None."""
        return previous_mask if self.supports_masking else None

    def _call_symbolic(self, args: tuple, kwargs: dict) -> Any:
        """Add a node to the graph: build, infer the output shapes, remember the call."""
        if self.input_spec is not None:
            check_inputs(self.input_spec, args[0] if args else None, self.name)
        self._ensure_built(args, kwargs)
        outputs = self._infer_outputs(args, kwargs)
        return Node(self, args, kwargs, outputs).outputs

    def _infer_outputs(self, args: tuple, kwargs: dict) -> Any:
        if type(self).compute_output_shape is not Layer.compute_output_shape and args:
            shape = self.compute_output_shape(plain_shapes(shapes_of(args[0])))
            return tensors_of_shapes(shape, self.compute_dtype)
        return self.infer_call(args, kwargs)

    def infer_call(self, args: tuple, kwargs: dict) -> Any:
        """Return symbolic tensors like the outputs of a call, by tracing it; variables stay as they are."""
        with untouched(self.variables):
            outputs = infer(self._traced_call, args, kwargs)
        self._clear_losses()
        return outputs

    def _traced_call(self, *args: Any, **kwargs: Any) -> Any:
        return self._call_arrays(self._cast(args), self._cast(kwargs))

    @freely_overridden
    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs for inputs of `input_shape`, found by tracing the call."""
        tensors = tensors_of_shapes(input_shape, self.compute_dtype)
        self._ensure_built((tensors,), {})
        return jax.tree.map(lambda tensor: tuple(tensor.shape), self.infer_call((tensors,), {}))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return symbolic tensors like the outputs of a call on symbolic tensors."""
        self._ensure_built(args, kwargs)
        return self.infer_call(args, kwargs)

    def get_output_shape_for(self, input_shape: Any) -> Any:
        return self.compute_output_shape(input_shape)

    def stateless_call(
        self,
        trainable_variables: Sequence,
        non_trainable_variables: Sequence,
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple:
        """Call as a pure function of variable values: returns outputs and new non-trainable values (and losses)."""
        others = self.non_trainable_variables
        with untouched([*self.trainable_variables, *others]):
            for variable, value in zip(self.trainable_variables, trainable_variables, strict=True):
                variable._value = array_of(value)
            for variable, value in zip(others, non_trainable_variables, strict=True):
                variable._value = array_of(value)
            outputs = self(*args, **kwargs)
            updated = [variable._value for variable in others]
            losses = self.losses
        self._clear_losses()
        return (outputs, updated, losses) if return_losses else (outputs, updated)

    # ---- losses

    def add_loss(self, loss: Any, inputs: Any = None) -> None:
        """Add to the model's loss: a scalar computed in ``call`` (or a list of them)."""
        Layer._some_losses = True
        for one in loss if isinstance(loss, (list, tuple)) else [loss]:
            self._losses.append(one)

    @property
    def losses(self) -> list[Any]:
        """What `add_loss` and activity regularizers added in the last call, and the weights' penalties."""
        added = [loss() if callable(loss) else loss for layer in self._flatten_layers() for loss in layer._losses]
        return added + self._weight_penalties()

    def _weight_penalties(self) -> list[Any]:
        return [v.regularizer(v.value) for v in self.trainable_variables if v.regularizer is not None]

    def _clear_losses(self) -> None:
        if not Layer._some_losses:  # no layer ever had one: then there is no need to visit them all at each call
            return
        for layer in self._flatten_layers():
            layer._losses = [loss for loss in layer._losses if callable(loss)]

    # ---- the graph

    def _connection(self, what: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(f"Layer {self.name!r} has no {what} yet: it was not called on a symbolic Input.")
        node = self._inbound_nodes[0]
        return node.outputs if what == "output" else (node.args[0] if node.args else node.inputs)

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
        return self._inbound_nodes[node_index].args[0]

    def get_output_at(self, node_index: int) -> Any:
        """Return the symbolic output of a given call."""
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
        """Return the constructor's arguments, enough for `from_config` to make a like layer (weights not included)."""
        base = {"name": self.name, "trainable": self._trainable, "dtype": self.dtype_policy}
        # In a model the input says it, and Keras 3 refuses the key.
        if self._batch_input_shape is not None and not self._inbound_nodes:
            base["batch_input_shape"] = self._batch_input_shape
        own = default_config(self) if "_arguments" in vars(self) else {}
        named = {*SHAPE_ARGUMENTS} & {*self._own_argument_names()}  # Embedding's own `input_dim`, for example
        left_out = {"self", *BASE_ARGUMENTS} - named
        if self.activity_regularizer is None and type(self).__init__ is Layer.__init__:
            left_out.add("activity_regularizer")
        return self._accepted(base) | {name: value for name, value in own.items() if name not in left_out}

    def _accepted(self, base: dict[str, Any]) -> dict[str, Any]:
        """Return those of the general arguments that the constructor takes (one of a user's own may take none)."""
        parameters = signature(type(self).__init__).parameters
        takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
        return base if takes_any else {name: value for name, value in base.items() if name in parameters}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Layer":
        """Make a layer from what `get_config` returned."""
        return construct(cls, config)

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shape that the layer was built with."""
        return None if self._build_shape is None else {"input_shape": self._build_shape}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with what `get_build_config` returned."""
        shape = config.get("input_shape")
        if shape is not None:
            self.build(shape_tuples(shape))

    def _missing_attribute(self, name: str) -> Any:
        """Answer for an attribute that is not there: an old spelling, or an error in words."""
        if name.startswith("__"):
            raise AttributeError(name)
        if name in STARTED and not self._initialized:
            raise self._not_started()
        own = getattr(type(self), name, None)
        if (
            isinstance(own, property) and own.fget is not None
        ):  # it raised an AttributeError, whose words are the better ones
            return own.fget(self)
        return spellings.old_attribute(self, name)

    if not TYPE_CHECKING:  # type checkers would take every misspelt name for an attribute
        __getattr__ = _missing_attribute

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _marks_built(build: Callable) -> Callable:
    """Wrap a ``build``: it remembers the shape, marks the layer built, and sets weights given to the constructor."""

    @functools.wraps(build)
    def building(self: Layer, *shapes: Any, **kwargs: Any) -> None:
        if shapes and not self.built and type(self).build is building:  # not one called by super().build(...)
            self._build_shape = shapes[0]
        with self.naming():
            build(self, *shapes, **kwargs)
        self.built = True
        if self._initial_weights is not None and type(self).build is building:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    return building


def _training(given: Any, default: Any) -> Any:
    """Return whether a call trains: as asked, as the call around it, as ``set_learning_phase`` said, or the default."""
    for value in (given, scope.training, scope.learning_phase, default):
        if value is not None:
            return bool(value) if isinstance(value, (int, np.integer)) else value
    return False


def _host_array(leaf: Any) -> Any:
    if isinstance(leaf, Variable):
        return leaf.value
    array = np.asarray(leaf)
    if array.dtype == object or array.dtype.kind in "US":
        raise ValueError(
            f"A layer takes numbers; it was given an array of dtype {array.dtype} and shape {array.shape}."
        )
    return array
