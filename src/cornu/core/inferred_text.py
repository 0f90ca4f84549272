"""Text while shapes are inferred: it has no values, and what functions give for it is known by its shape alone."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.dtypes import canonicalize_dtype

from cornu.core.dtype_policies import array_dtype
from cornu.core.graph import is_symbolic
from cornu.core.scope import scope
from cornu.core.text import ShapedStandIn, is_text


class InferredText(ShapedStandIn):
    """Stands for an array of texts of a shape.

    What a layer gives is what its ``compute_output_spec`` says; other functions are called on empty texts.
    """

    def __init__(self, shape: tuple) -> None:
        super().__init__(_inferred, shape)


def _inferred(function: Any, *args: Any, **kwargs: Any) -> Any:
    spec = getattr(getattr(function, "__self__", None), "compute_output_spec", None)
    if spec is not None:
        found = spec(*args, **kwargs)
    else:
        args, kwargs = jax.tree.map(_sample, (args, kwargs))
        with jax.ensure_compile_time_eval():  # not as a part of what is traced
            found = function(*args, **kwargs)
    return jax.tree.map(_like, found, is_leaf=is_symbolic)


def _sample(given: Any) -> Any:
    """Return an array like one whose values are not known."""
    if isinstance(given, InferredText):
        return np.full(given.shape, "", object)
    return np.zeros(given.shape, given.dtype) if isinstance(given, jax.core.Tracer) else given


def _like(found: Any) -> Any:
    shape = [max(scope.probes, default=1) if size is None else size for size in found.shape]
    if is_text(found) or str(found.dtype) == "string":
        return InferredText(tuple(shape))
    return jnp.zeros(shape, canonicalize_dtype(array_dtype(str(found.dtype))))
