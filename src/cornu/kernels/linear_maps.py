"""Linear maps whose transposes are given, in rules of forward mode.

A rule of `jax.custom_vjp` ends forward mode. With one of `jax.custom_jvp` both modes work, and the transpose of what it
does with tangents is the gradient; where that transpose would be slow, the map is a `linear_map` with a better one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

_linear = Primitive("linear_map")
_linear.multiple_results = True


def linear_map(function: Callable, transpose: Callable, constants: Sequence[Array], *arrays: Array) -> list[Array]:
    """Return ``function(*constants, *arrays)``, with `transpose` for the gradients.

    Args:
        function: Returns a list or tuple of arrays; linear in `arrays` together, and differentiable by `jax.jvp`.
        transpose: Takes `constants` and a gradient for each result; returns a gradient for each of `arrays`.
        constants: Arrays.
        *arrays: Arrays.

    >>> twice = lambda x: (2 * x,)
    >>> jax.grad(lambda x: linear_map(twice, twice, (), x)[0])(jnp.ones(())).item()
    2.0
    """
    return _linear.bind(*constants, *arrays, function=function, transpose=transpose, count=len(constants))


def _computed(*arrays: Any, function: Callable, transpose: Callable, count: int) -> list[Array]:
    return list(function(*arrays))


def _shapes(*arrays: Any, function: Callable, transpose: Callable, count: int) -> list[Any]:
    given = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in arrays]
    return [jax.core.ShapedArray(each.shape, each.dtype) for each in jax.eval_shape(function, *given)]


def _derivative(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[list[Array], list[Array]]:
    results, count = _linear.bind(*primals, **params), params["count"]
    fixed = all(isinstance(each, ad.Zero) for each in tangents[:count])
    tangents = [ad.instantiate_zeros(each) for each in tangents]
    if fixed:
        return results, _linear.bind(*primals[:count], *tangents[count:], **params)
    derivative = jax.jvp(params["function"], tuple(primals), tuple(tangents))[1]
    return results, list(derivative)


def _gradients(above: Sequence[Any], *arrays: Any, transpose: Callable, count: int, **_: Any) -> list[Any]:
    return [None] * count + list(transpose(*arrays[:count], *map(ad.instantiate_zeros, above)))


def _over_axis(arrays: Sequence[Any], axes: Sequence[Any], **params: Any) -> tuple[list[Array], list[int]]:
    """Map over an axis: constants may lack it, and all arrays get it, so that each has its own gradient."""
    count = params["count"]
    size = next(array.shape[axis] for array, axis in zip(arrays, axes, strict=True) if axis is not None)
    given = []
    for place, (array, axis) in enumerate(zip(arrays, axes, strict=True)):
        if axis is not None:
            given.append(jnp.moveaxis(array, axis, 0))
        else:
            given.append(array if place < count else jnp.broadcast_to(array, (size, *array.shape)))
    mapped = tuple(None if axis is None else 0 for axis in axes[:count])
    functions = {name: _many(params[name], mapped) for name in ("function", "transpose")}
    results = _linear.bind(*given, **functions, count=count)
    return results, [0] * len(results)


@functools.lru_cache(maxsize=256)
def _many(function: Callable, constants: tuple[int | None, ...]) -> Callable:
    """Return `function` of batches, and `constants` with an axis 0; the same one each time: JAX keeps programs."""

    def call(*arrays: Array) -> Any:
        return jax.vmap(function, (*constants, *[0] * (len(arrays) - len(constants))))(*arrays)

    return call


_linear.def_impl(_computed)
_linear.def_abstract_eval(_shapes)
ad.primitive_jvps[_linear] = _derivative
ad.primitive_transposes[_linear] = _gradients
batching.primitive_batchers[_linear] = _over_axis
mlir.register_lowering(_linear, mlir.lower_fun(_computed, multiple_results=True))
