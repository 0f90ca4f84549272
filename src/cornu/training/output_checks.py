"""Outputs that are evidently not probabilities, where a loss expects them.

The layers and the traced model show it: nothing is compiled or computed.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import jax

from cornu.core import registry
from cornu.core.graph import leaves
from cornu.core.jax_internals import CALLS, UnknownFormError, inner_program
from cornu.core.scope import changed
from cornu.core.variable import bound, read, restored, untouched
from cornu.layers import Dropout, Flatten, Identity, Permute, Reshape, Softmax, TimeDistributed

LOSSES = ("sparse_categorical_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy")
#: Activations whose values are positive: the losses rescale each row to a sum of 1.
POSITIVE = ("softmax", "sigmoid", "hard_sigmoid", "sparse_sigmoid", "sparsemax", "exponential", "softplus")
#: Layers that change no value.
PASSING = (Dropout, Flatten, Identity, Permute, Reshape)
#: Primitives that change no value.
MOVES = ("reshape", "transpose", "squeeze", "broadcast_in_dim", "convert_element_type", "copy", "expand_dims")
PRODUCTS = ("dot_general", "conv_general_dilated")
#: What a value is: a product with a weight, perhaps with an offset; a trainable weight; an input or a constant.
LINEAR, WEIGHT, GIVEN = "linear", "weight", "given"


def check_outputs(model: Any, losses: list[Any], names: list[str], x: Any) -> None:
    """Warn of outputs that are evidently not probabilities, if their loss expects probabilities.

    Args:
        model: The model.
        losses: The loss of each output; None where there is none.
        names: The names of the outputs.
        x: Arrays like the inputs.
    """
    positions = [position for position, loss in enumerate(losses) if _expects_probabilities(loss)]
    if not positions:
        return
    found = {position: _activation_at(model, position) for position in positions}
    if None in found.values():
        traced = _traced_activations(model, x)
        found = {position: name or traced.get(position) for position, name in found.items()}
    for position, name in found.items():
        if name is not None and name not in (*POSITIVE, WEIGHT, GIVEN):
            says = "has no activation" if name == LINEAR else f"has the activation {name!r}"
            loss = losses[position]
            warnings.warn(
                f"The output {names[position]!r} {says}, and the loss {loss_name(loss)!r} expects probabilities from "
                f"a softmax. Add activation='softmax' to the last layer, or use {type_of(loss)}(from_logits=True).",
                stacklevel=6,
            )


def loss_name(loss: Any) -> str:
    """Return the name of the loss function inside a loss object, in snake case if it is one of Keras's."""
    function = getattr(loss, "fn", None)
    return getattr(function, "__name__", getattr(loss, "name", "") or "")


def type_of(loss: Any) -> str:
    """Return the class name of a loss function's loss, for advice."""
    return "keras.losses." + "".join(part.capitalize() for part in loss_name(loss).split("_"))


def _expects_probabilities(loss: Any) -> bool:
    function = getattr(loss, "fn", None)
    if loss_name(loss) not in LOSSES or registry.table_of(function) is not registry.LOSSES:
        return False
    given = getattr(loss, "_fn_kwargs", None) or getattr(loss, "arguments", None) or {}
    return not getattr(loss, "from_logits", given.get("from_logits", False))


def _activation_at(model: Any, position: int) -> str | None:
    """Return the library's activation of an output of a functional or sequential model; None if it is not known."""
    while model._network is not None:
        outputs = model._network.flat_outputs
        tensor = outputs[position] if position < len(outputs) else None
        while tensor is not None and tensor.node is not None and type(tensor.node.operation) in PASSING:
            tensor = tensor.node.inputs[0]
        if tensor is None or tensor.node is None:
            return None
        layer, position = tensor.node.operation, tensor.index
        if not hasattr(type(layer), "_network"):
            return _activation_of(layer)
        model = layer
    return None


def _activation_of(layer: Any) -> str | None:
    if type(layer) is TimeDistributed:
        layer = layer.layer
    if isinstance(layer, Softmax):
        return "softmax"
    if registry.table_of(type(layer)) is not registry.LAYERS or "activation" not in vars(layer):
        return None
    activation = layer.activation
    if activation is None:
        return LINEAR if layer.weights else None  # an Activation(None) passes on what it gets
    if isinstance(activation, Softmax):
        return "softmax"
    known = registry.table_of(activation) is registry.ACTIVATIONS
    name = getattr(activation, "__name__", "")
    return None if not known or (name == LINEAR and not layer.weights) else name


def _traced_activations(model: Any, x: Any) -> dict[int, str]:
    """Return what outputs are by the model's traced program, if that is plain."""
    given = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((2, *leaf.shape[1:]), leaf.dtype), x)
    weights = model.trainable_variables

    def outputs(values: list[jax.Array], arrays: Any) -> list[jax.Array]:
        with bound(weights, values):
            return leaves(model(arrays, training=False))

    try:
        with changed(losses={}), untouched(model.variables), restored():
            program = jax.make_jaxpr(outputs)(read(weights), given).jaxpr
    except Exception:  # the program's own code, which may not run in this way: then nothing is known
        return {}
    finally:
        model._clear_losses()
    inputs: list[str | None] = [WEIGHT] * len(weights)
    inputs += [GIVEN] * (len(program.invars) - len(weights))
    kinds = _kinds(program, inputs)
    return {position: kind for position, kind in enumerate(kinds) if kind is not None}


def _kinds(program: Any, given: Sequence[str | None]) -> list[str | None]:
    """Return what the results of a program are, from what its inputs are: a kind, an activation's name, or None."""
    known = dict.fromkeys(program.constvars, GIVEN) | dict(zip(program.invars, given, strict=True))

    def kind(value: Any) -> str | None:
        return GIVEN if hasattr(value, "val") else known.get(value)  # literals have a `val`

    for equation in program.eqns:
        inputs = [kind(value) for value in equation.invars]
        if equation.primitive.name in CALLS:
            known.update(zip(equation.outvars, _kinds_in_call(equation, inputs), strict=False))
        elif equation.primitive.name == "optimization_barrier":
            known.update(zip(equation.outvars, inputs, strict=True))
        else:
            known[equation.outvars[0]] = _kind(equation.primitive.name, inputs)
    return [kind(value) for value in program.outvars]


def _kind(name: str, inputs: list[str | None]) -> str | None:
    """Return what the result of a primitive is."""
    if name in MOVES:
        return inputs[0]
    if name in PRODUCTS:  # without a weight: a mean of probabilities, weighted by others
        return LINEAR if WEIGHT in inputs else None
    if name in ("add", "add_any", "sub"):
        return LINEAR if sorted(map(str, inputs)) in ([GIVEN, LINEAR], [LINEAR, WEIGHT]) else None
    if name == "max" and LINEAR in inputs and GIVEN in inputs:
        return "relu"
    return "tanh" if name == "tanh" and inputs == [LINEAR] else None


def _kinds_in_call(equation: Any, inputs: list[str | None]) -> list[str | None]:
    try:
        inner = inner_program(equation)
    except UnknownFormError:
        return []
    inner = getattr(inner, "jaxpr", inner)
    return _kinds(inner, inputs) if len(inner.invars) == len(inputs) else []
