"""What happens around a layer's ``call``: arguments get names, arrays their dtype, and tensors their masks and shapes.

`Layer` inherits `CallMethods`. A call goes through ``__call__`` (check, cast, build) and ``_call_arrays`` (training,
masks, the layer's own ``call``); on symbolic tensors ``_call_symbolic`` traces the latter and adds a node to the graph.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import dtype_policies, era
from cornu.core.donation import others_train
from cornu.core.engine_errors import named_errors
from cornu.core.errors import foreign
from cornu.core.forks import check_process
from cornu.core.graph import (
    Node,
    SymbolicTensor,
    holds_symbolic,
    infer,
    is_symbolic,
    keep_masks,
    leaves,
    replace,
    resolve,
    symbolic_leaves,
)
from cornu.core.inferred_text import InferredText
from cornu.core.input_spec import check_inputs
from cornu.core.probes import integers
from cornu.core.scope import calling, changed, get_mask, scope, set_mask
from cornu.core.shapes import plain_shapes, shapes_of, tensors_of_shapes
from cornu.core.signature import (
    ShapeParameters,
    any_signature,
    build_parameters,
    call_signature,
    call_text,
    output_shape_parameters,
)
from cornu.core.text import TextStandIn, is_text
from cornu.core.variable import Variable, array_of, at_one_moment, plain, restored, untouched
from cornu.core.weights import HoldsWeights

_building = threading.RLock()  # a layer that several threads call for the first time is built once


class CallMethods(HoldsWeights):
    """The part of `Layer` that has to do with being called."""

    autocast: bool
    input_spec: Any
    supports_masking: bool
    activity_regularizer: Any
    # Of `Layer`:
    _not_started: Callable[[], Exception]
    _clear_losses: Callable[[], None]
    add_loss: Callable[..., None]
    losses: Any

    @property
    def compute_dtype(self) -> str:
        """The type in which the layer computes."""
        return self._dtype_policy.compute_dtype

    @any_signature
    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of `input_shape` (None: unknown axis). Layers with weights override it."""
        self.built = True

    @any_signature
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
            if holds_symbolic(args, kwargs):
                known = resolve((args, kwargs))
                if known is None:
                    return self._call_symbolic(args, kwargs)
                args, kwargs = known
            if scope.depth == 0:
                check_process(type(self).__name__)
            args, kwargs = self._cast(args), self._cast(kwargs)
            self._check_and_build(args, kwargs)
            outputs = self._call_arrays(args, kwargs)
            return outputs if scope.lay_out is None else scope.lay_out(f"{self._path()}/output", outputs)

    def _check_and_build(self, args: tuple, kwargs: dict[str, Any]) -> None:
        """Check the arguments of a call, and build the layer for them."""
        signature = call_signature(type(self))
        mismatch = signature.mismatch(args, kwargs)
        if mismatch is not None:
            raise TypeError(
                f"Layer {self.name!r} ({type(self).__name__}) {mismatch}.\nIts arguments are {call_text(type(self))}."
            )
        if self.input_spec is not None:
            check_inputs(self.input_spec, signature.first(args, kwargs), self.name)
        self._ensure_built(args, kwargs)

    def _casts_to(self) -> str | None:
        """Return the dtype that float inputs are cast to, or None."""
        return self.compute_dtype if self.autocast else None

    def _cast(self, structure: Any) -> Any:
        """Turn numpy arrays and the like into JAX arrays, and floats into the compute type."""
        if not structure:
            return structure
        dtype = self._casts_to()

        def cast(leaf: Any) -> Any:
            if is_text(leaf) and self._holds_host_layers():
                return leaf
            if isinstance(leaf, TextStandIn):
                raise self._takes_numbers()
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

    def _takes_numbers(self) -> TypeError:
        return TypeError(
            f"Layer {self.name!r} ({type(self).__name__}) takes numbers; its input is text (dtype string).\n"
            "Put a layer for strings before it: TextVectorization, StringLookup or Hashing."
        )

    def _holds_host_layers(self) -> bool:
        """Return whether layers inside compute with numpy: they take text."""
        return any(getattr(layer, "on_host", False) for layer in self._flatten_layers())

    # ---- building

    def _ensure_built(self, args: tuple, kwargs: dict[str, Any]) -> None:
        if self.built:
            return
        with _building:
            if not self.built:
                self._build_for(args, kwargs)

    def _build_for(self, args: tuple, kwargs: dict[str, Any]) -> None:
        shapes, named_shapes = self._shapes_for(build_parameters(type(self)), args, kwargs)
        before = len(self._weights)
        try:
            self.build(*shapes, **named_shapes)
        except Exception:
            del self._weights[before:]  # shapes are inferred with several sizes: a later one may fit
            raise
        self.built = True

    def _shapes_for(
        self, parameters: ShapeParameters, args: tuple, kwargs: dict[str, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments for a method that takes shapes: `parameters` says which.

        A method of one argument takes the shape of the first tensor, whatever its name. One of several takes
        ``NAME_shape`` for each argument NAME of ``call``; those whose tensor is left out keep their defaults.
        """
        signature = call_signature(type(self))
        named = signature.bind(args, kwargs)
        first = signature.first(args, kwargs)
        if first is None:
            first = next((value for name, value in named.items() if name != "training" and value is not None), None)
        if len(parameters.names) <= 1:
            return ([shapes_of(first)] if parameters.names or parameters.takes_more else []), {}
        shapes: dict[str, Any] = {}
        for position, name in enumerate(parameters.names):
            argument = name.removesuffix("_shape")
            if name.endswith("_shape") and (argument in named or argument in signature.by_keyword):
                if named.get(argument) is not None or name in parameters.required:
                    shapes[name] = shapes_of(named.get(argument))
            elif position == 0:
                shapes[name] = shapes_of(first)
            elif name in parameters.required:
                raise ValueError(
                    f"{type(self).__name__} has a method that takes the shapes {', '.join(parameters.names)}; {name!r} "
                    f"belongs to no argument of call{call_text(type(self))}.\n"
                    "Give each its argument's name with _shape behind it: query_shape is the shape of query."
                )
        return [], shapes

    # ---- calling on arrays

    def _call_arrays(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        signature = call_signature(type(self))
        args, kwargs = signature.apart(args, kwargs)
        first = signature.first(args, kwargs)
        training = _training(kwargs.get("training"), signature.training_default)
        if signature.takes_training:
            kwargs["training"] = training
        else:
            kwargs.pop("training", None)
        mask = masks_of(first)
        if signature.takes_mask:
            if kwargs.get("mask") is None:
                kwargs["mask"] = mask
            mask = kwargs["mask"]
        if signature.masks:
            named = signature.bind(args, kwargs)
            for argument, mask_argument in signature.masks:
                if kwargs.get(mask_argument) is None:
                    kwargs[mask_argument] = masks_of(named.get(argument))
        if scope.depth == 0:
            self._clear_losses()
            if others_train() and not scope.bound:
                with at_one_moment(lambda: self.variables):
                    return self._run_call(args, kwargs, training, first, mask)
        return self._run_call(args, kwargs, training, first, mask)

    def _run_call(self, args: tuple, kwargs: dict[str, Any], training: Any, first: Any, mask: Any) -> Any:
        with calling(training, self.compute_dtype if self.autocast else None):
            with named_errors(self, args or (first,)):
                outputs = plain(self.call(*args, **kwargs))
            if self.activity_regularizer is not None:
                whole = era.holds("activity penalties are of the batch")
                for output in jax.tree.leaves(outputs):
                    penalty = self.activity_regularizer(output)
                    rows = 0 if whole or not output.shape else output.shape[0]
                    self.add_loss(penalty / rows if rows else penalty)
            self._pass_masks_on(first, mask, outputs)
        return outputs

    def _pass_masks_on(self, first: Any, mask: Any, outputs: Any) -> None:
        """Let the masks that `compute_mask` gives travel with the outputs, unless layers inside have set them."""
        if not self._computes_masks(mask):
            return
        tensors = jax.tree.leaves(outputs)
        if all(get_mask(tensor) is not None for tensor in tensors):
            return
        masks = self.compute_mask(first, mask)
        for tensor, one in zip(tensors, _flat_masks(masks), strict=False):
            if one is not None and get_mask(tensor) is None:
                set_mask(tensor, one)

    def _computes_masks(self, mask: Any) -> bool:
        overridden = type(self).compute_mask is not CallMethods.compute_mask
        return overridden or (self.supports_masking and mask is not None)

    @any_signature
    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the outputs: that of the inputs where ``supports_masking``, else None.

        Of several outputs, the masks are a list with one for each; a single mask is that of the first.
        """
        return previous_mask if self.supports_masking else None

    # ---- calling on symbolic tensors

    def _call_symbolic(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Add a node to the graph: build, infer the output shapes, remember the call."""
        self._check_and_build(args, kwargs)
        if type(self).compute_output_spec is CallMethods.compute_output_spec:
            outputs = self._infer_outputs(args, kwargs)
        else:
            outputs = self._with_masks(_without_nodes(self.compute_output_spec(*args, **kwargs)), args, kwargs)
        return Node(self, args, kwargs, outputs).outputs

    def _infer_outputs(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        if type(self).compute_output_shape is CallMethods.compute_output_shape:
            return self.infer_call(args, kwargs)
        shapes, named = self._shapes_for(output_shape_parameters(type(self)), args, kwargs)
        shape = self.compute_output_shape(
            *map(plain_shapes, shapes), **{name: plain_shapes(one) for name, one in named.items()}
        )
        return self._with_masks(tensors_of_shapes(shape, self.compute_dtype), args, kwargs)

    def _with_masks(self, outputs: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Return symbolic outputs with the masks that `compute_mask` gives, unless they have masks already."""
        if any(tensor._keras_mask is not None for tensor in symbolic_leaves(outputs)):
            return outputs
        first = call_signature(type(self)).first(args, kwargs)
        mask = kwargs.get("mask")
        mask = masks_of(first) if mask is None else mask
        if self._computes_masks(mask):
            masks = _flat_masks(infer(self.compute_mask, (first, mask), {}))
            keep_masks(leaves(outputs), masks)
        return outputs

    def infer_call(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Return symbolic tensors like the outputs of a call, by tracing it; variables stay as they are."""
        tensors = symbolic_leaves((args, kwargs))
        texts = [tensor.dtype == "string" for tensor in tensors]
        if any(texts) and not self._holds_host_layers():
            raise self._takes_numbers()
        masks = [get_mask(tensor) for tensor in tensors]
        shapes = [SymbolicTensor(one.shape, "int32") if text else one for one, text in zip(tensors, texts, strict=True)]

        def call(arrays: list[Any], array_masks: list[Any]) -> tuple[Any, list[Any]]:
            with calling(scope.training, scope.compute_dtype):  # masks are kept until this ends
                for array, mask in zip(arrays, array_masks, strict=True):
                    if mask is not None:
                        set_mask(array, mask)
                given = (InferredText(one.shape) if text else one for one, text in zip(arrays, texts, strict=True))
                new_args, new_kwargs = replace((args, kwargs), lambda _: next(given))
                outputs = self._call_arrays(self._cast(new_args), self._cast(new_kwargs))
                return outputs, [get_mask(output) for output in jax.tree.leaves(outputs)]

        variables = self.variables
        with changed(losses={}), untouched(variables), restored():
            outputs, output_masks = infer(call, (shapes, masks), {}, variables, integers((args, kwargs)))
        self._clear_losses()
        keep_masks(leaves(outputs), output_masks)
        return outputs

    @any_signature
    def compute_output_shape(self, *shapes: Any, **named_shapes: Any) -> Any:
        """Return the shape of the outputs, found by tracing the call.

        Args:
            *shapes: The shapes of ``call``'s arguments in their order, batch axis first, None for an unknown size.
            **named_shapes: The same by name: ``query_shape`` for the argument ``query``.

        >>> from cornu.layers import Dense
        >>> Dense(2).compute_output_shape((None, 3))
        (None, 2)
        """
        signature = call_signature(type(self))
        args = tuple(self._tensors_of(shape) for shape in shapes)
        kwargs = {}
        for name, shape in named_shapes.items():
            argument = name.removesuffix("_shape")
            if argument not in signature.by_keyword and name == "input_shape":
                argument = signature.names[0]
            kwargs[argument] = self._tensors_of(shape)
        self._check_and_build(args, kwargs)
        return jax.tree.map(lambda tensor: tuple(tensor.shape), self.infer_call(args, kwargs))

    def _tensors_of(self, shapes: Any) -> Any:
        """Return symbolic tensors of one shape or of nested ones, for an argument of a call."""
        return tensors_of_shapes(shapes, self.compute_dtype)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return symbolic tensors like the outputs of a call on symbolic tensors."""
        self._ensure_built(args, kwargs)
        return self._infer_outputs(args, kwargs)

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


def masks_of(argument: Any) -> Any:
    """Return the masks that travel with an argument, in its nesting; None where there are none."""
    if argument is None or isinstance(argument, (jax.Array, SymbolicTensor)):
        return get_mask(argument)
    masks = jax.tree.map(get_mask, argument, is_leaf=is_symbolic)
    return masks if jax.tree.leaves(masks, is_leaf=is_symbolic) else None


def _without_nodes(outputs: Any) -> Any:
    """Return symbolic tensors that no node computes yet: copies of those which one does, such as the inputs."""
    return replace(
        outputs, lambda tensor: tensor if tensor.node is None else SymbolicTensor(tensor.shape, tensor.dtype)
    )


def _flat_masks(masks: Any) -> list[Any]:
    """Return masks in the order of the outputs, None for those without."""
    return jax.tree.leaves(masks, is_leaf=lambda mask: mask is None or is_symbolic(mask))


def _training(given: Any, default: Any) -> Any:
    """Return whether a call trains: as asked, as the call around it, as ``set_learning_phase`` said, or the default.

    None is for each layer inside to say: those that change images at random train unless told otherwise.
    """
    for value in (given, scope.training, scope.learning_phase, default):
        if value is not None:
            return bool(value) if isinstance(value, (int, np.integer)) else value
    return None


def _host_array(leaf: Any) -> Any:
    if isinstance(leaf, Variable):
        return leaf.value
    if said := foreign(leaf):
        raise TypeError(f"A layer takes arrays and Cornu's symbolic tensors; got a {type(leaf).__name__}.{said}")
    array = np.asarray(leaf)
    if is_text(array):
        raise ValueError(f"A layer takes numbers; got an array of dtype {array.dtype} and shape {array.shape}.")
    return array
