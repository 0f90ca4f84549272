"""Array functions between a model's layers, as Keras 3 writes them: ``keras.src.ops.numpy``'s NotEqual is `not_equal`.

Keras 3 writes the masks of a functional model so: the mask of an Embedding is a NotEqual, given to the next layers.
"""

import functools
import inspect
from typing import Any

from cornu import ops
from cornu.core import config_validation, registry
from cornu.core.errors import unknown
from cornu.core.graph import FunctionOperation, Node, holds_symbolic, infer
from cornu.core.names import to_snake_case

MODULES = "keras.src.ops."


def is_operation(entry: dict[str, Any]) -> bool:
    """Tell whether an entry of a config's layers is an array function.

    HDF5 files have no modules. There it is an entry without ``trainable``, which every layer that is called has.
    """
    if entry.get("module"):
        return str(entry["module"]).startswith(MODULES)
    calls, config, name = entry.get("inbound_nodes"), entry.get("config"), entry.get("class_name")
    called = isinstance(calls, list) and bool(calls) and isinstance(calls[0], dict)
    plain = isinstance(config, dict) and "trainable" not in config and registry.custom_object(str(name)) is None
    return called and plain and to_snake_case(str(name)) in dir(ops)


class KerasOperation(FunctionOperation):
    """A function of `keras.ops` with the arguments that a config fixes; it keeps the config.

    Raises ValueError for a name that `keras.ops` does not have, and for arguments that the function does not take.
    """

    def __init__(self, entry: dict[str, Any]) -> None:
        self._inbound_nodes: list[Node] = []
        config = entry["config"]
        config_validation.check_arguments(KerasOperation, config)
        name = to_snake_case(str(entry["class_name"]))
        if name not in dir(ops) or not inspect.isfunction(getattr(ops, name)):
            raise unknown("function between the layers", entry["class_name"], dir(ops))
        function = getattr(ops, name)
        fixed = {key: value for key, value in config.items() if key != "name"}
        surplus = sorted(set(fixed) - set(inspect.signature(function).parameters))
        if surplus:
            raise ValueError(f"The config gives the function {name} an argument {surplus[0]!r} that it does not take.")
        self.name = config.get("name") or name
        self.entry = {
            "module": entry.get("module") or _module_of(name),
            "class_name": entry["class_name"],
            "config": config,
            "registered_name": entry["class_name"],
        }
        self.function = functools.partial(function, **fixed)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not holds_symbolic(args, kwargs):
            return self.function(*args, **kwargs)
        outputs = infer(self.function, args, kwargs)
        return Node(self, args, kwargs, outputs).outputs

    def copy(self) -> "KerasOperation":
        """Return an operation like this one, which no graph holds yet."""
        return KerasOperation(self.entry)


def _module_of(name: str) -> str:
    """Return the module in which Keras 3 has a function's class: its files are divided like ours."""
    homes = ("numpy", "nn", "linalg", "math", "image", "core")
    return MODULES + next((home for home in homes if hasattr(getattr(ops, home), name)), homes[0])
