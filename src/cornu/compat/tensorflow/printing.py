"""``tf.print``: values are printed when the program runs, also inside a ``tf.function``."""

import sys
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from cornu.core.variable import plain
from cornu.kernels.compiler import keeps_order


def print(
    *inputs: Any, output_stream: Any = None, summarize: int = 3, sep: str = " ", end: str = "\n", name: Any = None
) -> None:
    """Print values, to ``sys.stderr`` by default; of long axes the first and the last `summarize` entries.

    >>> print("loss:", np.array([0.5, 1.0], "float32"), output_stream=sys.stdout)
    loss: [0.5 1]
    """
    given = [plain(one) for one in inputs]
    leaves, tree = jax.tree.flatten(given)
    traced = [isinstance(leaf, jax.core.Tracer) for leaf in leaves]

    def show(*arrays: Any) -> None:
        some = iter(arrays)
        whole = [next(some) if is_traced else leaf for is_traced, leaf in zip(traced, leaves, strict=True)]
        text = sep.join(text_of(one, summarize) for one in jax.tree.unflatten(tree, whole))
        _write(text + end, output_stream)

    if any(traced):
        later = [leaf for leaf, is_traced in zip(leaves, traced, strict=True) if is_traced]
        jax.debug.callback(show, *later, ordered=keeps_order())
    else:
        show()


def _write(text: str, stream: Any) -> None:
    if isinstance(stream, str) and stream.startswith("file://"):
        with open(stream.removeprefix("file://"), "a", encoding="utf-8") as file:
            file.write(text)
        return
    (stream if hasattr(stream, "write") else sys.stderr).write(text)


def text_of(value: Any, summarize: int = 3) -> str:
    """Return a value as ``tf.print`` writes it.

    >>> text_of([1, np.ones((2, 2)), "text"])
    "[1, [[1 1]\\n [1 1]], 'text']"
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        inner = ", ".join(repr(one) if isinstance(one, str) else text_of(one, summarize) for one in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {text_of(one, summarize)}" for key, one in value.items()) + "}"
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return _rows(np.asarray(value), summarize, _number, 1)
    return str(value)


def _rows(array: np.ndarray, most: int, write: Callable[[Any], str], depth: int) -> str:
    if not array.ndim:
        return write(array[()])
    parts = [_rows(one, most, write, depth + 1) for one in array]
    if most >= 0 and len(parts) > 2 * most:
        parts = [*parts[:most], "...", *parts[len(parts) - most :]]
    between = " " if array.ndim == 1 else "\n" * (array.ndim - 1) + " " * depth
    return f"[{between.join(parts)}]"


def _number(value: Any) -> str:
    if isinstance(value, (np.bool_, bool)):
        return str(int(value))
    if not isinstance(value, np.floating):
        return str(value)
    short = f"{value:.6g}"
    return short if type(value)(short) == value else f"{value:.9g}"
