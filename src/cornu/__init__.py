"""Cornu: the Keras API of every version, run on JAX/XLA.

Importing this package loads nothing but this file: a public name is imported when it is first asked for (PEP 562),
and jax by the first thing that computes.
"""

import importlib
import sys
from typing import Any

__version__ = "0.1.0"

#: The module that fills `cornu.core.spellings` when a program first uses an old spelling. It may be deleted.
OLD_SPELLINGS = "cornu.compat.install"

#: Public module -> the module that it is.
_MODULES = {
    name: f"cornu.{name}"
    for name in (
        "activations",
        "applications",
        "backend",
        "callbacks",
        "config",
        "constraints",
        "datasets",
        "distribution",
        "dtype_policies",
        "export",
        "initializers",
        "layers",
        "losses",
        "metrics",
        "mixed_precision",
        "models",
        "ops",
        "optimizers",
        "preprocessing",
        "random",
        "ray",
        "regularizers",
        "saving",
        "utils",
        "visualization",
        "wrappers",
    )
}

#: Public name -> the module that holds it, and its name there where that is another.
_NAMES = {
    "DTypePolicy": "cornu.core.dtype_policies",
    "Initializer": "cornu.initializers",
    "Input": "cornu.layers",
    "InputSpec": "cornu.core.input_spec",
    "KerasTensor": "cornu.core.graph:SymbolicTensor",
    "Layer": "cornu.layers",
    "Loss": "cornu.losses",
    "Metric": "cornu.metrics",
    "Model": "cornu.models",
    "Operation": "cornu.core.layer:Layer",
    "Optimizer": "cornu.optimizers",
    "Regularizer": "cornu.regularizers",
    "Replicas": "cornu.models.replicas",
    "Sequential": "cornu.models",
    "Variable": "cornu.core.variable",
    "install_as_keras": "cornu.compat.imports",
}

__all__ = ["__version__", *sorted(_MODULES), *sorted(_NAMES)]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    path, _, inner_name = (_MODULES.get(name) or _NAMES.get(name) or "").partition(":")
    if not path:
        return importlib.import_module("cornu.core.spellings").names_of("cornu")(name)
    try:
        module = importlib.import_module("cornu.core.loading").import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise
        raise AttributeError(f"module 'cornu' has no attribute {name!r}: {path} is not installed.") from error
    found = module if name in _MODULES else getattr(module, inner_name or name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)


class _AbsentModules:
    """Asked last by ``import``: says what to use instead of a module that Keras has and Cornu has not."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        own = name.startswith("cornu.compat") or name in _MODULES.values()
        if name.startswith("cornu.") and not own and (said := _absent_module(name)):
            raise ModuleNotFoundError(said, name=name.rpartition(".")[2])


def _absent_module(name: str) -> str:
    return importlib.import_module("cornu.core.spellings").absent_module(name)


def _excepthook(kind: Any, error: Any, trace: Any) -> None:
    """Print an error that nothing caught without the lines inside Cornu and JAX."""
    try:
        show = importlib.import_module("cornu.core.tracebacks").excepthook
    except Exception:  # whatever is wrong: the error itself is what has to be seen
        show = sys.__excepthook__
    show(kind, error, trace)


sys.meta_path.append(_AbsentModules)
if sys.excepthook is sys.__excepthook__:  # else the program or its environment has set a hook
    sys.excepthook = _excepthook
