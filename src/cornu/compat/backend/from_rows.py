"""Functions of Keras 1 and 2, and of TensorFlow, made from rows that map them to today's functions."""

import ast
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from cornu import ops
from cornu.compat.backend.calls import axes, floats, sizes_in, tensor_function
from cornu.compat.renamed import Renamed
from cornu.core import registry
from cornu.core.dtype_policies import is_float
from cornu.core.errors import did_you_mean
from cornu.core.graph import symbolic_leaves


def functions_of(rows: Mapping[str, Renamed], module: str, old_keywords: Mapping[str, str]) -> dict[str, Callable]:
    """Make the functions of a table.

    Args:
        rows: Name -> how the function is made.
        module: The name of the module that has the functions.
        old_keywords: Older name of a parameter -> its name in the rows.

    Returns:
        Name -> function, with the signature of its row.
    """
    return {name: _renamed(name, row, module, old_keywords) for name, row in rows.items()}


def _renamed(name: str, row: Renamed, module: str, old_keywords: Mapping[str, str]) -> Callable:
    target, signature = _target(row.of or name), _signature(row.parameters)
    required = [p.name for p in signature.parameters.values() if p.default is p.empty]
    by_position = required[: next((i for i, key in enumerate(required) if key in row.renamed), len(required))]
    todays: dict[str, Any] = {key: row.renamed.get(key, key) for key in signature.parameters if key != "name"}
    always = {**_other_defaults(signature, todays, target), **row.always}

    def compute(*args: Any, **kwargs: Any) -> Any:
        return target(floats(args[0]), *args[1:], **kwargs) if row.floats else target(*args, **kwargs)

    def call(*args: Any, **kwargs: Any) -> Any:
        given = _given(name, signature, args, {_current(key, signature, old_keywords): kwargs[key] for key in kwargs})
        named = {new: _axes_as_tuple(new, given[key]) for key, new in todays.items() if key in given and new}
        first = [named.pop(todays[key]) for key in by_position]
        if _is_plain_node(first, row.floats) and not sizes_in((first, named)):
            return target(*first, **(always | named))  # a node that files know
        return computed(*first, **(always | named))

    compute.__name__ = compute.__qualname__ = call.__name__ = call.__qualname__ = name
    compute.__module__ = call.__module__ = module
    computed = tensor_function(compute)
    call.__signature__ = signature  # type: ignore[attr-defined]
    call.config_name = _name_in_configs(target)  # type: ignore[attr-defined]
    call.__doc__ = _description(row.of or name, todays)
    return call


def _is_plain_node(args: list[Any], floats_first: bool) -> bool:
    """Return whether a call on symbolic tensors is one of today's function alone."""
    tensors = symbolic_leaves(args)
    return bool(tensors) and (not floats_first or all(is_float(tensor.dtype) for tensor in tensors))


def _name_in_configs(target: Callable) -> str | None:
    """Return the name of an activation that is today's with another name, such as ``K.hard_sigmoid``; else None."""
    return target.__name__ if registry.table_of(target) is registry.ACTIVATIONS else None


def _target(name: str) -> Callable:
    module, _, function = name.rpartition(":")
    return getattr(importlib.import_module(module) if module else ops, function)


def _signature(parameters: str) -> inspect.Signature:
    """Return the signature for a text such as ``x, axis=-1``."""
    parsed = ast.parse(f"lambda {parameters}: None", mode="eval").body.args  # type: ignore[attr-defined]
    defaults = [inspect.Parameter.empty] * (len(parsed.args) - len(parsed.defaults))
    defaults += map(ast.literal_eval, parsed.defaults)
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature(
        [inspect.Parameter(arg.arg, kind, default=value) for arg, value in zip(parsed.args, defaults, strict=True)]
    )


def _other_defaults(signature: inspect.Signature, todays: Mapping, target: Callable) -> dict[str, Any]:
    """Return the old defaults that differ from today's function."""
    theirs = inspect.signature(target).parameters
    found = {}
    for key, new in todays.items():
        default = signature.parameters[key].default
        if new and default is not inspect.Parameter.empty and (new not in theirs or theirs[new].default != default):
            found[new] = default
    return found


def _current(key: str, signature: inspect.Signature, old_keywords: Mapping[str, str]) -> str:
    """Return the parameter for a keyword: the keyword itself, or its current name."""
    new = old_keywords.get(key, key)
    return new if key not in signature.parameters and new in signature.parameters else key


def _given(name: str, signature: inspect.Signature, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name; TypeError for those not in the signature."""
    unknown = next((key for key in kwargs if key not in signature.parameters), None)
    if unknown is not None:
        hint = did_you_mean(unknown, signature.parameters)
        raise TypeError(f"{name} has no argument {unknown!r}.{hint}\nIt takes: {', '.join(signature.parameters)}.")
    try:
        return signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        raise TypeError(f"{name}: {error}.\nIt takes: {', '.join(signature.parameters)}.") from None


def _axes_as_tuple(name: str, value: Any) -> Any:
    return axes(value) if name in ("axis", "axes") else value


def _description(of: str, todays: Mapping[str, str | None]) -> str:
    """Return the docstring of a function that is another one under a different name."""
    changed = [f"`{old}` is `{new}` there" for old, new in todays.items() if new not in (None, old)]
    unused = [f"`{old}` has no effect" for old, new in todays.items() if new is None]
    shown = of.replace("cornu.", "keras.").replace(":", ".") if ":" in of else f"keras.ops.{of}"
    return f"Return what `{shown}` returns{''.join(f'; {one}' for one in (*changed, *unused))}."
