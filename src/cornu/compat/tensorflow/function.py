"""``tf.function``: Python functions as compiled programs, one for each kind of arguments."""

import functools
import types
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.scope import scope
from cornu.core.stateful import Program
from cornu.core.variable import Variable

_MOST_TRACES = 64
_eager = False


def run_functions_eagerly(run_eagerly: bool = True) -> None:
    """Let functions decorated with ``tf.function`` run as plain Python, to debug them."""
    global _eager
    _eager = bool(run_eagerly)


def functions_run_eagerly() -> bool:
    """Return whether `run_functions_eagerly` is in effect."""
    return _eager


class Function:
    """A Python function that runs as a compiled program.

    Arrays are the program's arguments, everything else is part of it: another number or object makes another program,
    as does an array of another shape or dtype. Variables that the function reads or assigns are its state.

    Args:
        python_function: The function.
        input_signature: Kept for TensorFlow's signature; a ``tf.TensorSpec`` for each argument, which are converted to
            its dtype.

    Follows https://www.tensorflow.org/api_docs/python/tf/function

    >>> count = Variable(0.0)
    >>> @function
    ... def add(x):
    ...     count.assign_add(x)
    ...     return count * 2
    >>> print(add(jnp.asarray(1.5)), add(jnp.asarray(1.0)))
    3.0 5.0
    """

    def __init__(self, python_function: Callable, input_signature: Any = None) -> None:
        functools.update_wrapper(self, python_function)
        self.python_function = python_function
        self.input_signature = input_signature
        self._programs: dict[Any, Program] = {}

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function: compiled, or as it is inside another one that is being traced."""
        if _eager or scope.bound:
            return self.python_function(*args, **kwargs)
        leaves, tree = jax.tree.flatten((args, kwargs), is_leaf=_is_leaf)
        arrays = [_array(leaf) for leaf in leaves if _is_array(leaf)]
        key = (tree, *map(_kind, leaves))
        program = self._programs.get(key)
        if program is None:
            program = self._programs[key] = self._program(leaves, tree)
        return program(arrays)

    def _program(self, leaves: list[Any], tree: Any) -> Program:
        fixed = [None if _is_array(leaf) else leaf for leaf in leaves]
        dynamic = [_is_array(leaf) for leaf in leaves]

        def call(arrays: Any) -> Any:
            given = iter(arrays)
            whole = [next(given) if is_array else leaf for is_array, leaf in zip(dynamic, fixed, strict=True)]
            args, kwargs = jax.tree.unflatten(tree, whole)
            return self.python_function(*args, **kwargs)

        return Program(call)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> "Function":
        """Return the function itself: it is traced when it is called."""
        return self

    def experimental_get_tracing_count(self) -> int:
        """Return how many programs there are."""
        return len(self._programs)


def function(func: Callable | None = None, input_signature: Any = None, **_: Any) -> Any:
    """Return a `Function`; as a decorator with or without arguments. Other options of TensorFlow have no effect."""
    if func is None:
        return functools.partial(function, input_signature=input_signature)
    return func if isinstance(func, Function) else Function(func, input_signature)


def _is_leaf(one: Any) -> bool:
    return one is None or isinstance(one, Variable)


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, (jax.Array, np.ndarray, np.generic)) and leaf.dtype.kind not in "OUS"


def _array(leaf: Any) -> Any:
    return leaf if isinstance(leaf, jax.Array) else jnp.asarray(leaf)


_PLAIN = (int, float, complex, bool, str, bytes, type(None))


class _Same:
    """An object as part of a key: equal to itself alone. It keeps the object, so that its id stays its own."""

    def __init__(self, one: Any) -> None:
        self.one = one

    def __hash__(self) -> int:
        return id(self.one)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _Same) and self.one is other.one


def _kind(leaf: Any) -> Any:
    """Return what a program depends on: shape and dtype of an array, the value of anything else."""
    if _is_array(leaf):
        return leaf.shape, leaf.dtype
    return (type(leaf), leaf) if type(leaf) in _PLAIN else _Same(leaf)
