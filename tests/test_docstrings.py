"""Public classes and functions explain themselves: an example that runs, and every argument under ``Args:``."""

import functools
import importlib
import inspect
import re

import pytest

#: The public modules whose classes are checked. `test_doctests.py` runs the examples.
MODULES = (
    "cornu.losses",
    "cornu.metrics",
    "cornu.optimizers",
    "cornu.optimizers.schedules",
    "cornu.initializers",
    "cornu.regularizers",
    "cornu.constraints",
    "cornu.callbacks",
)
#: The public modules whose functions are checked too.
FUNCTIONS = (
    "cornu.losses",
    "cornu.metrics",
    "cornu.optimizers",
    "cornu.optimizers.schedules",
    "cornu.initializers",
    "cornu.regularizers",
    "cornu.constraints",
    "cornu.activations",
    "cornu.random",
    "cornu.config",
)
#: Layers describe the arguments of a family once, on its 2D member: there, an example is all that each must have.
EXAMPLES = ("cornu.layers", "cornu.models")
LONGEST = 30  # lines of a class's docstring


def public(module: str, wanted) -> list:
    """Return what `module` lists in ``__all__``, or else defines without an underscore, each object once."""
    home = importlib.import_module(module)
    names = getattr(home, "__all__", None)
    if names is None:
        names = [name for name in vars(home) if not name.startswith("_")]
    found = {id(thing): thing for thing in (getattr(home, name) for name in names) if wanted(thing)}
    listed = hasattr(home, "__all__")
    return [thing for thing in found.values() if listed or thing.__module__ == module]


def everything(modules, wanted) -> list:
    """Return a test parameter for each public thing that is not imported from elsewhere."""
    things = {
        f"{thing.__module__}.{thing.__qualname__}": thing for module in modules for thing in public(module, wanted)
    }
    return [pytest.param(thing, id=name) for name, thing in sorted(things.items()) if ".core." not in name]


def own_parameters(thing) -> list[str]:
    """Return the names of the arguments of a constructor or function as its author wrote them.

    ``*args`` and ``**kwargs`` are left out, and with them the options that all optimizers share.
    """
    function = inspect.unwrap(thing.__init__ if inspect.isclass(thing) else thing)
    if function is object.__init__:
        return []
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [one.name for one in parameters if one.name != "self" and one.kind not in several]


def described(docstring: str) -> set[str]:
    """Return the names before the colons under ``Args:``."""
    section = re.search(r"^Args:\n((?: +.*\n?|\n(?= ))+)", docstring, re.MULTILINE)
    lines = re.findall(r"^ {4}([\w*][\w*, ]*):", section.group(1), re.MULTILINE) if section else []
    return {name.strip(" *") for line in lines for name in line.split(",")}


@functools.cache
def docstring_of(thing) -> str:
    return inspect.cleandoc(vars(thing).get("__doc__") or "") if inspect.isclass(thing) else inspect.getdoc(thing) or ""


@pytest.mark.parametrize("cls", everything(MODULES, inspect.isclass))
def test_class(cls):
    text = docstring_of(cls)
    assert text, "no docstring of its own"
    assert ">>> " in text, "no example"
    assert len(text.splitlines()) <= LONGEST
    assert [name for name in own_parameters(cls) if name not in described(text)] == []


@pytest.mark.parametrize("function", everything(FUNCTIONS, inspect.isroutine))
def test_function(function):
    text = docstring_of(function)
    assert text, "no docstring"
    assert ">>> " in text, "no example"
    names = own_parameters(function)
    if len(names) > 1:  # a single argument is named by the first line
        assert [name for name in names if name not in described(text)] == []


@pytest.mark.parametrize("cls", everything(EXAMPLES, inspect.isclass))
def test_class_has_an_example(cls):
    assert ">>> " in docstring_of(cls)


def test_described():
    assert described(
        "Adds.\n\nArgs:\n    a, b: numbers,\n        of any: size.\n    **rest: more.\n\nReturns:\n    c: sum"
    ) == {
        "a",
        "b",
        "rest",
    }
