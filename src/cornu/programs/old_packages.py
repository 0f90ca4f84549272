"""Names that old programs use but numpy and matplotlib have removed, and the package `six`."""

import importlib.machinery
import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any

import numpy as np

#: Name that numpy removed -> what it meant.
NUMPY: dict[str, Any] = {
    "float": float,
    "int": int,
    "bool": bool,
    "object": object,
    "str": str,
    "complex": complex,
    "long": int,
    "unicode": str,
    "float_": np.float64,
    "complex_": np.complex128,
    "unicode_": np.str_,
    "string_": np.bytes_,
    "Inf": np.inf,
    "Infinity": np.inf,
    "infty": np.inf,
    "NaN": np.nan,
    "NAN": np.nan,
    "product": np.prod,
    "cumproduct": np.cumprod,
    "alltrue": np.all,
    "sometrue": np.any,
    "round_": np.round,
    "row_stack": np.vstack,
    "trapz": np.trapezoid,
    "in1d": np.isin,
    "asscalar": lambda a: a.item(),
    "msort": lambda a: np.sort(a, axis=0),
}


def numpy_names(text: str) -> dict[str, Any]:
    """Return the numpy names that a program uses and this numpy lacks, with what they meant.

    >>> numpy_names("x = data.astype(np.float); y = np.product(shape)")["float"]
    <class 'float'>
    """
    asked = set(re.findall(r"\b(?:np|numpy)\.(\w+)", text))
    return {name: NUMPY[name] for name in sorted(asked & NUMPY.keys()) if name not in vars(np)}


def restore(text: str) -> None:
    """Give numpy the removed names that a program uses, and matplotlib's styles their old names."""
    for name, meant in numpy_names(text).items():
        setattr(np, name, meant)
    if "seaborn" not in text:
        return
    if "matplotlib.style" in sys.modules:
        _name_styles(sys.modules["matplotlib.style"])
    elif not any(isinstance(finder, _StyleFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _StyleFinder())


class _StyleFinder(MetaPathFinder):
    """Lets ``plt.style.use("seaborn-whitegrid")`` find ``seaborn-v0_8-whitegrid``, its name since matplotlib 3.6."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return matplotlib's own spec, with the old names added once the module has run."""
        if fullname != "matplotlib.style":
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def run(module: ModuleType) -> None:
                execute(module)
                _name_styles(module)

            spec.loader.exec_module = run  # type: ignore[method-assign]
        return spec


def _name_styles(style: Any) -> None:
    for name in [name for name in style.library if name.startswith("seaborn-v0_8")]:
        style.library.setdefault(name.replace("-v0_8", ""), style.library[name])
