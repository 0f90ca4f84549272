"""Errors of the array engine, rewritten for users: which layer, which inputs, what does not fit."""

import contextlib
import re
import traceback
from collections.abc import Iterator
from typing import Any

import jax

from cornu.core.jax_internals import ENGINE_FOLDERS, ENGINE_PACKAGES
from cornu.core.shapes import shape_of

# What JAX raises if Python needs a concrete number, which a compiled program knows only when it runs.
NEEDS_NUMBER = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)
NUMBER_ADVICE = (
    "Python's if, while, int(), float() or numpy was used on a value that is only known when the compiled program "
    "runs:\nuse keras.ops (where, cond, while_loop, mean, ...) instead, or compile with run_eagerly=True."
)


class EngineError(ValueError):
    """An operation got arrays that do not fit; the message names the layer and its inputs."""


def from_engine(error: BaseException) -> bool:
    """Return whether an exception was raised inside JAX, not by the user's or Cornu's code."""
    if type(error).__module__.startswith(ENGINE_PACKAGES):
        return True
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and any(part in frames[-1].filename for part in ENGINE_FOLDERS)


def plain_message(error: BaseException) -> str:
    """Return the first sentence of an engine's message without its jargon."""
    text = str(error).strip().split("\n\n")[0].split("\n")[0]
    text = re.sub(r"\s*\(?Traced<[^>]*>[^ )]*\)?( with [^.]*)?", " a value", text)
    text = re.sub(r"ShapedArray\((\w+)\[([\d,]*)\]\)", r"\1(\2)", text)
    text = re.sub(r"\btraced array\b", "value", text, flags=re.IGNORECASE)
    text = re.sub(r"\btracer[s]?\b", "value", text, flags=re.IGNORECASE)
    text = re.sub(r"\b(?:jax\.)?(?:lax|numpy)\.", "", text)
    return text[:300]


@contextlib.contextmanager
def named_errors(layer: Any, args: tuple) -> Iterator[None]:
    """Convert an engine's error inside a layer's call to an `EngineError` that names the layer."""
    try:
        yield
    except EngineError:
        raise
    except (TypeError, ValueError, IndexError, jax.errors.JAXTypeError) as error:
        if not from_engine(error):
            raise
        shapes = ", ".join(_describe(leaf) for leaf in jax.tree.leaves(args)) or "nothing"
        raise EngineError(
            f"Layer {layer.name!r} ({type(layer).__name__}) cannot take what it was called with: {shapes}.\n"
            f"The array engine says: {plain_message(error)}\n{_advice(error)}".rstrip()
        ) from None


def _describe(leaf: Any) -> str:
    if not hasattr(leaf, "shape"):
        return repr(leaf)[:40]
    return f"{tuple(shape_of(leaf))} {getattr(leaf, 'dtype', '')}".strip()


def _advice(error: BaseException) -> str:
    if isinstance(error, NEEDS_NUMBER):
        return NUMBER_ADVICE
    return "Compare the shapes with the outputs of the layer before it (model.summary() shows them)."
