"""Importing a module by its name, so that a seeded program does not notice whether it loads JAX."""

import importlib
import sys
from types import ModuleType


def import_module(name: str) -> ModuleType:
    """Return a module. Numpy's generator is as it was afterwards: JAX draws from it when it is imported (0.8 to 0.12).

    >>> import_module("cornu.core.era").__name__
    'cornu.core.era'
    """
    numpy = sys.modules.get("numpy")
    if numpy is None or "jax" in sys.modules:
        return importlib.import_module(name)
    state = numpy.random.get_state()
    try:
        return importlib.import_module(name)
    finally:
        numpy.random.set_state(state)
