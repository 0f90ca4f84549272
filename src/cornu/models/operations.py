"""Array functions between a model's layers, as Keras 3 writes them: ``keras.src.ops.numpy``'s NotEqual is `not_equal`.

Operators and functions of `cornu.ops` on symbolic tensors are nodes of a graph; here they become configs, and the other
way round. Keras 3 also writes the masks of a functional model this way: the mask of an Embedding is a NotEqual, given
to the next layers.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from cornu import activations, ops
from cornu.core import config_validation, registry
from cornu.core.dtype_policies import standardize_dtype
from cornu.core.errors import unknown
from cornu.core.graph import OPERATORS, FunctionOperation, Node, holds_symbolic, infer, symbolic_leaves
from cornu.models.operation_forms import BY_CLASS, BY_FUNCTION, MODULES, RENAMED, Form

#: Arguments of configs that a function does not have here, with the values that change nothing.
HARMLESS = [
    *(("crop_to_aspect_ratio", False), ("pad_to_aspect_ratio", False), ("fill_mode", "constant"), ("fill_value", 0.0)),
    *(("retstep", False), ("base", 10), ("axis", 0), ("ragged", None), ("sparse", False)),
]


def is_operation(entry: dict[str, Any]) -> bool:
    """Return whether an entry of a config's layers is an array function.

    HDF5 files have no modules. There it is an entry without ``trainable``, which every layer that is called has.
    """
    if entry.get("module"):
        return str(entry["module"]).startswith(MODULES)
    calls, config, name = entry.get("inbound_nodes"), entry.get("config"), entry.get("class_name")
    called = isinstance(calls, list) and bool(calls) and isinstance(calls[0], dict)
    plain = isinstance(config, dict) and "trainable" not in config and registry.custom_object(str(name)) is None
    return called and plain and str(name) in BY_CLASS


def _function(form: Form) -> Callable:
    """Return the function of a form."""
    if form.function == "get_item":
        return _get_item
    return getattr(ops.image if form.module == "image" else ops, form.function)


def _get_item(x: Any, key: Any) -> Any:
    """Return a part of an array; JSON has a tuple of slices as a list."""
    return x[tuple(key) if isinstance(key, list) else key]


@functools.cache
def _forms() -> dict[int, Form]:
    """Return how Keras writes functions, by the id of what a node calls: what `op` decorated, or an operator."""
    found = {id(function): BY_FUNCTION[name] for function, name in OPERATORS.items()}
    for name, form in BY_FUNCTION.items():
        function = _function(form)
        found[id(getattr(function, "__wrapped__", function))] = form
        activation = getattr(activations, name, None)
        if activation is not None:
            found.setdefault(id(getattr(activation, "__wrapped__", activation)), form)
    return found


def form_of(operation: Any) -> Form | None:
    """Return how Keras writes an operation of a graph; None for a function that it does not have."""
    if isinstance(operation, KerasOperation):
        return operation.form
    return _forms().get(id(operation.function)) if isinstance(operation, FunctionOperation) else None


class KerasOperation(FunctionOperation):
    """A function of `keras.ops` with the arguments that a config fixes; it keeps the config.

    Raises ValueError for a name that `keras.ops` does not have, and for arguments that the function does not take.
    """

    def __init__(self, entry: dict[str, Any]) -> None:
        self._inbound_nodes: list[Node] = []
        config = entry["config"]
        config_validation.check_arguments(KerasOperation, config)
        form = BY_CLASS.get(str(entry["class_name"]))
        if form is None:
            raise unknown("function between the layers", entry["class_name"], dir(ops))
        self.form = form
        function = _function(form)
        renamed, known = RENAMED.get(form.function, {}), inspect.signature(function).parameters
        fixed = {renamed.get(key, key): value for key, value in config.items() if key != "name"}
        fixed = {key: one for key, one in fixed.items() if key in known or (key, one) not in HARMLESS}
        surplus = sorted(set(fixed) - set(known))
        if surplus:
            raise ValueError(
                f"The config gives the function {form.function} an argument {surplus[0]!r} that it does not take."
            )
        self.name = config.get("name") or form.function
        self.entry = form.entry(config)
        fixed = {key: tuple(one) if isinstance(one, list) else one for key, one in fixed.items()}
        # Einsum has its config first, the others have it after their tensors.
        first = [fixed.pop(form.config[0])] if form.call[0].startswith("*") and form.config[0] == "subscripts" else []
        self.function = functools.partial(function, *first, **fixed)
        self.ours = list(known)

    def _placed(self, args: tuple, kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments of a call, those by name that are not in the same place in the function here."""
        call = self.form.call
        if call[0].startswith("*") or len(args) > len(call):
            return list(args), kwargs
        given = dict(zip(call, args, strict=False)) | kwargs
        by_name = {name for i, name in enumerate(call) if i and name in self.ours and self.ours.index(name) != i} | {
            name for name in given if name not in call
        }
        return [given[name] for name in call if name in given and name not in by_name], {
            name: value for name, value in given.items() if name in by_name
        }

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        placed, named = self._placed(args, kwargs)
        if not holds_symbolic(args, kwargs):
            return self.function(*placed, **named)
        outputs = infer(self.function, tuple(placed), named)
        return Node(self, args, kwargs, outputs).outputs

    def copy(self) -> "KerasOperation":
        """Return an operation like this one, which no graph holds yet."""
        return KerasOperation(self.entry)


def described(operation: FunctionOperation, node: Node) -> tuple[dict[str, Any], tuple, dict[str, Any]]:
    """Return the entry of an array function in a config, and the arguments of its call in Keras's order.

    Raises ValueError for an argument that Keras's class does not have, and for a tensor where it needs a plain value.
    """
    if isinstance(operation, KerasOperation):
        return operation.entry, node.args, node.kwargs
    form = form_of(operation)
    assert form is not None
    values = _by_name(operation.function, form, node.args, node.kwargs)
    config = {key: values.pop(key) for key in form.config if key in values}
    for key, value in config.items():
        if symbolic_leaves(value):
            raise ValueError(
                f"The model gives {form.function} a tensor as {key!r}; a file can hold a plain value only."
            )
    if config.get("dtype") is not None:
        config["dtype"] = standardize_dtype(config["dtype"])
    args: list[Any] = []
    for name in form.call:
        if name not in values:
            break
        args += values.pop(name) if name.startswith("*") else [values.pop(name)]
    return form.entry(config), tuple(args), values


def _by_name(function: Callable, form: Form, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by Keras's names; those that are left at the function's defaults are left out."""
    parameters = inspect.signature(function).parameters
    ours = [name for name, one in parameters.items() if one.kind is not one.VAR_KEYWORD]
    star = next((name for name, one in parameters.items() if one.kind is one.VAR_POSITIONAL), None)
    if form.call[0].startswith("*"):  # einsum, meshgrid
        before = ours.index(star) if star in ours else 0
        values = {form.call[0]: list(args[before:])} | dict(zip(ours[:before], args, strict=False))
    elif star is not None:  # a ufunc
        values = dict(zip(form.call, args, strict=False))
    else:
        values = {_keras_name(name, i, form): value for i, (name, value) in enumerate(zip(ours, args, strict=False))}
    for name, value in kwargs.items():
        key = _keras_name(name, ours.index(name) if name in ours else len(ours), form)
        if key not in (*form.call, *form.config, *parameters):  # x1 or y, which stand for arrays in their order
            key = next((one for one in form.call if one not in values), key)
        values[key] = value
    for name in [name for name in values if name not in (*form.call, *form.config)]:
        if not (name in parameters and _same(parameters[name].default, values[name])):
            raise ValueError(
                f"The model calls {form.function} with {name}={values[name]!r}, which Keras does not have."
            )
        del values[name]
    return values


def _keras_name(name: str, position: int, form: Form) -> str:
    """Return what Keras calls an argument: its tensors come first, and may have other names."""
    theirs = {new: old for old, new in RENAMED.get(form.function, {}).items()}
    if name in theirs or name in (*form.call, *form.config):
        return theirs.get(name, name)
    return form.call[position] if position < len(form.call) else name


def _same(default: Any, value: Any) -> bool:
    return default is value or (type(default) is type(value) and bool(default == value))
