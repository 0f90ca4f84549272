"""Outputs that are evidently not probabilities, where a loss expects them.

The layers and the traced model show it: nothing is compiled or computed.
"""

import warnings
from typing import Any

import jax

from cornu.core import registry
from cornu.core.graph import leaves
from cornu.core.jax_internals import CALLS, UnknownFormError, inner_program
from cornu.core.scope import changed
from cornu.core.variable import restored, untouched
from cornu.layers import Dropout, Flatten, Identity, Permute, Reshape, Softmax, TimeDistributed

LOSSES = ("sparse_categorical_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy")
#: Activations whose values are from 0 to 1: the losses rescale each row to a sum of 1.
FROM_0_TO_1 = ("softmax", "sigmoid", "hard_sigmoid", "sparse_sigmoid", "sparsemax")
#: Layers that change no value.
PASSING = (Dropout, Flatten, Identity, Permute, Reshape)
#: Primitives that change no value.
MOVES = ("reshape", "transpose", "squeeze", "broadcast_in_dim", "convert_element_type", "copy", "expand_dims")
PRODUCTS = ("dot_general", "conv_general_dilated")
LINEAR, GIVEN = "linear", "given"  # what a value is: a product with an offset; an input, a weight or a constant


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
        if name is not None and name not in (*FROM_0_TO_1, GIVEN):
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
    try:
        with changed(losses={}), untouched(model.variables), restored():
            program = jax.make_jaxpr(lambda arrays: leaves(model(arrays, training=False)))(given).jaxpr
    except Exception:  # the program's own code, which may not run in this way: then nothing is known
        return {}
    finally:
        model._clear_losses()
    kinds = {position: _kind(program, variable) for position, variable in enumerate(program.outvars)}
    return {position: kind for position, kind in kinds.items() if kind is not None}


def _kind(program: Any, variable: Any) -> str | None:
    """Return what a value of a program is: `LINEAR`, `GIVEN`, the name of an activation, or None."""
    if hasattr(variable, "val"):  # a literal
        return GIVEN
    equation = next((one for one in program.eqns if any(out is variable for out in one.outvars)), None)
    if equation is None:
        return GIVEN
    name = equation.primitive.name
    if name in CALLS:
        return _kind_in_call(program, equation, variable)
    if name in MOVES:
        return _kind(program, equation.invars[0])
    if name in PRODUCTS:
        return LINEAR
    if name in ("add", "add_any", "sub"):
        kinds = [_kind(program, one) for one in equation.invars]
        return LINEAR if kinds.count(LINEAR) == 1 and kinds.count(GIVEN) == 1 else None
    if name == "max" and GIVEN in (_kind(program, one) for one in equation.invars):
        return "relu"
    return "tanh" if name == "tanh" else None


def _kind_in_call(program: Any, equation: Any, variable: Any) -> str | None:
    try:
        inner = inner_program(equation)
    except UnknownFormError:
        return None
    inner = getattr(inner, "jaxpr", inner)
    result = inner.outvars[next(i for i, out in enumerate(equation.outvars) if out is variable)]
    kind = _kind(inner, result)
    if kind != GIVEN:
        return kind
    places = [i for i, one in enumerate(inner.invars) if one is result]
    return _kind(program, equation.invars[places[0]]) if places and len(inner.invars) == len(equation.invars) else None
