"""``v.value()`` of a variable in programs: a method in TensorFlow, an attribute in Keras 3, on the same objects here.

The attribute is the array, so the call is rewritten where a program is read: its own text, and the modules beside it.
"""

import ast
import importlib.machinery
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

#: The name under which rewritten code finds `value_of`.
READ = "__value_of__"


def value_of(owner: Any) -> Any:
    """Return what ``owner.value()`` gives in TensorFlow: the array that a variable has as its attribute.

    >>> ast.unparse(with_value_calls(ast.parse("v.value() + 1")))
    '__value_of__(v) + 1'
    """
    found = owner.value
    return found if hasattr(found, "aval") else found()  # so that a program without arrays need not import JAX


def owner_of_value(node: ast.Call) -> ast.expr | None:
    """Return what ``value()`` is called on; None for any other call."""
    calls_value = isinstance(node.func, ast.Attribute) and node.func.attr == "value"
    return node.func.value if calls_value and not (node.args or node.keywords) else None  # type: ignore[attr-defined]


class _Rewriting(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        owner = owner_of_value(node)
        if owner is None:
            return node
        call = ast.Call(ast.Name(READ, ast.Load()), [owner], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))


def with_value_calls(tree: ast.Module) -> ast.Module:
    """Return a program's tree with `value_of` in place of each ``x.value()``; its globals must have it as `READ`."""
    return _Rewriting().visit(tree)


class _Loader(importlib.machinery.SourceFileLoader):
    """Runs a module of a program with its calls of ``value()`` rewritten."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the rewritten code. Python's cache of compiled modules is left alone."""
        path = self.get_filename(fullname)
        tree = ast.parse(self.get_data(path), path)
        return compile(with_value_calls(tree), path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module."""
        setattr(module, READ, value_of)
        super().exec_module(module)


class _Finder(MetaPathFinder):
    """Finds the modules in a program's folder that call ``value()``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of such a module; None for others, which Python imports as ever."""
        below = self.folder.joinpath(*fullname.split("."))
        files = [file for file in (below / "__init__.py", below.with_name(f"{below.name}.py")) if file.is_file()]
        if not files or b".value()" not in files[0].read_bytes():
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and spec.origin is not None and Path(spec.origin) == files[0]:
            spec.loader = _Loader(fullname, spec.origin)
            return spec
        return None


def rewrite_modules(folder: Path) -> None:
    """Rewrite the modules of a program, which are in `folder`, when they are imported; those of no other program."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    sys.meta_path.insert(0, _Finder(folder.resolve()))
