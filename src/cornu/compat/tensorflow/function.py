"""``tf.function``: Python functions as compiled programs, one for each kind of arguments."""

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.tensorflow import loops
from cornu.compat.tensorflow.autograph import converted
from cornu.compat.tensorflow.sizes import KnownSize, Sizes
from cornu.compat.tensorflow.tensors import TensorSpec
from cornu.core.engine_errors import NEEDS_NUMBER
from cornu.core.scope import NeedsPythonError, scope
from cornu.core.stateful import Program
from cornu.core.text import TextStandIn
from cornu.core.variable import Variable

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
        self._function = python_function  # rewritten, if Python's control flow is used on tensors
        self._as_python = False

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function: compiled, or as it is inside another one that is being traced."""
        if self._as_python or _eager or scope.bound:
            return self._function(*args, **kwargs)
        args = self._by_signature(args, kwargs)
        leaves, tree = jax.tree.flatten((args, kwargs), is_leaf=_is_leaf)
        if any(isinstance(leaf, TextStandIn) for leaf in leaves):  # a step is being traced
            return self._function(*args, **kwargs)
        if any(isinstance(leaf, np.ndarray) and leaf.dtype.kind in "OUS" for leaf in leaves):
            return self._called_as_python(args, kwargs)  # no program holds texts
        arrays = [_array(leaf) for leaf in leaves if _is_array(leaf)]
        key = (tree, *map(_kind, leaves))
        program = self._programs.get(key)
        if program is not None:
            return program(arrays)
        program, used = self._program(leaves, tree), self._function
        try:
            found = program(arrays)
        except NeedsPythonError:  # it iterates over a data set: only the turns of its loops are compiled
            self._rewrite()
            return self._called_as_python(args, kwargs)
        except jax.errors.NonConcreteBooleanIndexError:  # x[mask]: as many rows as the mask has ones
            return self._called_as_python(args, kwargs)
        except IndexError as error:  # x[:n] of a tensor n
            if "must have static" not in str(error):
                raise
            return self._called_as_python(args, kwargs)
        except NEEDS_NUMBER:
            # Another thread may have rewritten it meanwhile. If that is not enough, a shape depends on values.
            if self._function is used and not self._rewrite():
                return self._called_as_python(args, kwargs)
            return self(*args, **kwargs)
        self._programs[key] = program
        return found

    def _rewrite(self) -> bool:
        """Rewrite the function's control flow; returns whether that is new."""
        made = converted(self.python_function) if self._function is self.python_function else None
        if made is not None:
            self._function = made
        return made is not None

    def _called_as_python(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        self._as_python = True
        return self._function(*args, **kwargs)

    def _by_signature(self, args: tuple, kwargs: dict[str, Any]) -> tuple:
        """Return the arguments as the signature says, those with defaults and names included."""
        if not self.input_signature:
            return args
        parameters = list(inspect.signature(self.python_function).parameters.values())
        own = int(bool(parameters) and parameters[0].name in ("self", "cls"))  # the object, of a method
        found = list(args[own:])
        for parameter in parameters[own + len(found) : own + len(self.input_signature)]:
            if parameter.name not in kwargs and parameter.default is parameter.empty:
                break
            found.append(kwargs.pop(parameter.name, parameter.default))
        given = [
            jnp.asarray(one, spec.dtype) if isinstance(spec, TensorSpec) and not isinstance(one, Variable) else one
            for one, spec in zip(found, self.input_signature, strict=True)
        ]
        return (*args[:own], *given)

    def _program(self, leaves: list[Any], tree: Any) -> Program:
        fixed = [None if _is_array(leaf) else leaf for leaf in leaves]
        dynamic = [_is_array(leaf) for leaf in leaves]

        def call(arrays: Any) -> Any:
            given = iter(arrays)
            whole = [next(given) if is_array else leaf for is_array, leaf in zip(dynamic, fixed, strict=True)]
            args, kwargs = jax.tree.unflatten(tree, whole)
            found = self._function(*args, **kwargs)
            for leaf in jax.tree.leaves(found):
                if isinstance(leaf, loops.Range):
                    len(leaf)
            return found

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


_PLAIN = (int, float, complex, bool, str, bytes, type(None), KnownSize, Sizes)


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


_turns: dict[Any, tuple[Function, tuple]] = {}
_MOST_TURNS = 256


def _compiled_turn(turn: Callable) -> Function:
    """Return a turn of a loop as a compiled function: the same for the same code and what it closes over."""
    cells = tuple(cell.cell_contents for cell in turn.__closure__ or ())
    key = turn.__code__, tuple(map(id, cells))
    if key not in _turns:
        if len(_turns) >= _MOST_TURNS:
            _turns.clear()
        _turns[key] = Function(turn), cells
    return _turns[key][0]


loops.compile_turn = _compiled_turn


def do_not_convert(func: Callable | None = None) -> Any:
    """Return a function as it is; it is only rewritten if it must be."""
    return do_not_convert if func is None else func


def set_loop_options(**_: Any) -> None:
    """Do nothing: shapes in loops stay the same."""
