"""``tf.cond``, ``tf.while_loop``, ``tf.map_fn``, ``tf.scan``, ``tf.TensorArray``.

Python's own control flow where values are there, compiled control flow inside a ``tf.function``.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.compat.backend.calls import tensor_function
from cornu.core import control
from cornu.core.scope import NeedsPythonError, scope
from cornu.core.variable import Variable, plain

_UNROLLED = 8  # a loop of known length up to this is laid out step by step


def is_traced(value: Any) -> bool:
    """Return whether a value is known only when the compiled program runs."""
    return isinstance(plain(value), jax.core.Tracer)


def on_host(value: Any) -> np.ndarray:
    """Return an array as numpy. A ``tf.function`` in which its values are not known then runs uncompiled."""
    value = value.value if isinstance(value, Variable) else value
    if isinstance(value, jax.core.Tracer) and (scope.meet is not None or scope.mapping):
        raise NeedsPythonError
    return np.asarray(value)


def cond(
    pred: Any, true_fn: Any = None, false_fn: Any = None, strict: bool = False, name: Any = None, fn1: Any = None,
    fn2: Any = None,
) -> Any:  # fmt: skip
    """Return what one of two functions without arguments gives; both may assign to variables."""
    true_fn, false_fn = true_fn or fn1, false_fn or fn2
    if not is_traced(pred):
        return (true_fn if bool(plain(pred)) else false_fn)()
    return control.cond(pred, true_fn, false_fn)


def case(pred_fn_pairs: Any, default: Any = None, exclusive: Any = False, strict: Any = False, name: Any = None) -> Any:
    """Return what the function of the first true condition gives, or `default`."""
    pairs = list(pred_fn_pairs.items()) if isinstance(pred_fn_pairs, dict) else list(pred_fn_pairs)
    if not pairs:
        return default()
    (pred, function), *rest = pairs
    return cond(pred, function, (lambda: case(rest, default)) if rest or default else function)


def switch_case(branch_index: Any, branch_fns: Any, default: Any = None, name: Any = None) -> Any:
    """Return what the function of a number gives; any other number means `default`, or the last one."""
    pairs = branch_fns.items() if isinstance(branch_fns, dict) else enumerate(branch_fns)
    named: dict[Any, Any] = dict(one if isinstance(one, tuple) else (number, one) for number, one in pairs)
    last = default or named[max(named)]
    return case([(branch_index == number, function) for number, function in named.items()], last)


def while_loop(
    cond: Callable, body: Callable, loop_vars: Any, shape_invariants: Any = None, parallel_iterations: Any = None,
    back_prop: Any = None, swap_memory: Any = None, maximum_iterations: Any = None, name: Any = None,
) -> Any:  # fmt: skip
    """Return the loop variables after calling ``body(*loop_vars)`` for as long as ``cond(*loop_vars)`` is true.

    Inside a compiled function, gradients pass through a loop only with `maximum_iterations`.
    """
    single = not isinstance(loop_vars, (list, tuple))
    values = (loop_vars,) if single else tuple(loop_vars)

    def stepped(values: tuple) -> tuple:
        found = body(*values)
        return tuple(found) if isinstance(found, (list, tuple)) else (found,)

    most = maximum_iterations
    if any(map(is_traced, jax.tree.leaves((values, cond(*values))))):
        found = _compiled_while(cond, stepped, values, most)
    else:
        turns = 0
        while (most is None or turns < most) and bool(plain(cond(*values))):
            values, turns = stepped(values), turns + 1
        found = values
    return found[0] if single else type(loop_vars)(found) if type(loop_vars) in (list, tuple) else found


def _compiled_while(goes_on: Callable, step: Callable, values: tuple, most: Any) -> tuple:
    start = like_result(step, values)
    if isinstance(most, int):

        def turn(carry: tuple, _: Any) -> tuple:
            return control.cond(goes_on(*carry), lambda: step(carry), lambda: carry), None

        return control.scan(turn, start, length=most)[0]
    if most is not None:
        counted = lambda carry: (step(carry[0]), carry[1] + 1)  # noqa: E731
        return control.while_loop(
            lambda carry: jnp.logical_and(carry[1] < most, goes_on(*carry[0])), counted, (start, jnp.asarray(0))
        )[0]
    return control.while_loop(lambda carry: goes_on(*carry), step, start)


def like_result(step: Callable, values: Any) -> Any:
    """Return the first values of a loop as arrays with the dtypes that one step gives them."""
    arrays = jax.tree.map(jnp.asarray, plain(values))
    held: list[Any] = []

    def shapes(arrays: Any) -> Any:
        with control._own_scope():
            held.append(plain(step(arrays)))
        return held[-1]

    after = jax.eval_shape(shapes, arrays)
    trees: list[Any] = [jax.tree.structure(one) for one in (after, arrays)]
    if trees[0] != trees[1]:
        arrays = _allocated(arrays, after)
    return jax.tree.map(_as_after, arrays, after)


def _as_after(before: Any, after: Any) -> Any:
    if before.shape != after.shape:
        raise ValueError(
            f"A loop variable has the shape {tuple(before.shape)} before a turn and {tuple(after.shape)} after it.\n"
            "In a compiled loop shapes must stay the same."
        )
    return before.astype(after.dtype)


def _allocated(before: Any, after: Any) -> Any:
    """Return values in which each empty `TensorArray` has zeros like those that a turn gives it."""
    is_array = lambda one: isinstance(one, TensorArray)  # noqa: E731
    pairs = jax.tree.map(lambda old, new: (old, new), before, after, is_leaf=is_array)
    return jax.tree.map(
        lambda pair: pair[0] if not is_array(pair[0]) else pair[0].zeros_like(pair[1]),
        pairs,
        is_leaf=lambda one: isinstance(one, tuple) and len(one) == 2,
    )


@tensor_function
def map_fn(
    fn: Callable, elems: Any, dtype: Any = None, parallel_iterations: Any = None, back_prop: Any = None,
    swap_memory: Any = None, infer_shape: Any = None, name: Any = None, fn_output_signature: Any = None,
) -> Any:  # fmt: skip
    """Return the stacked results of a function on each row of an array, or of a structure of arrays."""
    elems = jax.tree.map(jnp.asarray, plain(elems))
    rows = jax.tree.leaves(elems)[0].shape[0]
    if rows <= _UNROLLED or not any(map(is_traced, jax.tree.leaves(elems))):
        found = [plain(fn(jax.tree.map(lambda one, row=row: one[row], elems))) for row in range(rows)]
        return jax.tree.map(lambda *parts: jnp.stack([jnp.asarray(part) for part in parts]), *found)
    return control.scan(lambda _, row: (None, fn(row)), None, elems)[1]


@tensor_function
def vectorized_map(fn: Callable, elems: Any, fallback_to_while_loop: Any = True, warn: Any = True) -> Any:
    """Return the stacked results of a function on each row, computed together."""
    return jax.vmap(lambda row: plain(fn(row)))(jax.tree.map(jnp.asarray, plain(elems)))


@tensor_function
def scan(
    fn: Callable, elems: Any, initializer: Any = None, parallel_iterations: Any = None, back_prop: Any = None,
    swap_memory: Any = None, infer_shape: Any = None, reverse: bool = False, name: Any = None,
) -> Any:  # fmt: skip
    """Return all of ``a = fn(a, row)`` over the rows, stacked; without `initializer` the first row is the first a."""
    elems = jax.tree.map(jnp.asarray, plain(elems))
    if reverse:
        elems = jax.tree.map(lambda one: jnp.flip(one, 0), elems)
    first = None
    if initializer is None:
        first, elems = jax.tree.map(lambda one: one[0], elems), jax.tree.map(lambda one: one[1:], elems)
    start = jax.tree.map(jnp.asarray, plain(initializer)) if initializer is not None else first
    rows = jax.tree.leaves(elems)[0].shape[0]

    def turn(carry: Any, row: Any) -> tuple:
        carry = plain(fn(carry, row))
        return carry, carry

    if rows <= _UNROLLED or not any(map(is_traced, jax.tree.leaves((elems, start)))):
        found = []
        for row in range(rows):
            start, one = turn(start, jax.tree.map(lambda part, row=row: part[row], elems))
            found.append(one)
        found = [first, *found] if first is not None else found
        result = jax.tree.map(lambda *parts: jnp.stack(parts), *found)
    else:
        result = control.scan(turn, like_result(lambda carry: turn(carry, _row(elems))[0], start), elems)[1]
        if first is not None:
            result = jax.tree.map(lambda one, rest: jnp.concatenate([one[None], rest]), first, result)
    return jax.tree.map(lambda one: jnp.flip(one, 0), result) if reverse else result


def _row(elems: Any) -> Any:
    return jax.tree.map(lambda one: one[0], elems)


@tensor_function
def foldl(fn: Callable, elems: Any, initializer: Any = None, **options: Any) -> Any:
    """Return the last of ``a = fn(a, row)`` over the rows."""
    return jax.tree.map(lambda one: one[-1], scan(fn, elems, initializer))


@tensor_function
def foldr(fn: Callable, elems: Any, initializer: Any = None, **options: Any) -> Any:
    """Return the last of ``a = fn(a, row)`` over the rows, from the last to the first."""
    return jax.tree.map(lambda one: one[0], scan(fn, elems, initializer, reverse=True))


@jax.tree_util.register_pytree_node_class
class TensorArray:
    """Arrays of one shape at indices. `write` returns the array to go on with. Stand-in for ``tf.TensorArray``.

    >>> rows = TensorArray("float32", size=2)
    >>> rows = rows.write(0, 1.0).write(1, 2.0)
    >>> rows.stack().tolist(), rows.size()
    ([1.0, 2.0], 2)
    """

    def __init__(self, dtype: Any, size: Any = 0, dynamic_size: bool = False, *_: Any, **__: Any) -> None:
        self.dtype = str(getattr(dtype, "name", dtype))
        self.dynamic_size = bool(dynamic_size)
        self._size = size
        self._entries: dict[int, Any] = {}
        self._rows: Any = None  # once an index is known only when the program runs

    def tree_flatten(self) -> tuple:
        """Return its arrays, and what it is without them."""
        if self._rows is not None:
            return (self._rows,), (self.dtype, self.dynamic_size, self._size, None)
        return tuple(self._entries.values()), (self.dtype, self.dynamic_size, self._size, tuple(self._entries))

    @classmethod
    def tree_unflatten(cls, what: tuple, arrays: Sequence[Any]) -> "TensorArray":
        """Return the array with these parts."""
        dtype, dynamic_size, size, entries = what
        made = cls(dtype, size, dynamic_size)
        if entries is None:
            (made._rows,) = arrays
        else:
            made._entries = dict(zip(entries, arrays, strict=True))
        return made

    def _copy(self) -> "TensorArray":
        arrays, what = self.tree_flatten()
        return self.tree_unflatten(what, arrays)

    def zeros_like(self, other: "TensorArray") -> "TensorArray":
        """Return this with zeros of the shape that `other` has."""
        if self._rows is not None or other._rows is None:
            return self
        made = self._copy()
        made._rows = jnp.zeros(other._rows.shape, other._rows.dtype)
        for index, value in made._entries.items():
            made._rows = made._rows.at[index].set(value)
        made._entries = {}
        return made

    def write(self, index: Any, value: Any, name: Any = None) -> "TensorArray":
        """Return the array with a value at an index."""
        made, value = self._copy(), jnp.asarray(plain(value))
        if not is_traced(index) and self._rows is None:
            made._entries[int(plain(index))] = value
            return made
        if self._rows is None:
            size = self.size()
            if not size and scope.meet is not None:  # how many there will be is not known: it runs uncompiled
                raise NeedsPythonError
            if not size:
                raise ValueError("Inside a compiled loop a TensorArray needs its size: tf.TensorArray(dtype, size=n).")
            made._rows = jnp.zeros((size, *value.shape), value.dtype)
            for at, entry in made._entries.items():
                made._rows = made._rows.at[at].set(entry)
            made._entries = {}
        made._rows = made._rows.at[plain(index)].set(value)
        return made

    def read(self, index: Any, name: Any = None) -> Any:
        """Return the value at an index."""
        if self._rows is None and not is_traced(index):
            return self._entries[int(plain(index))]
        return self.stack()[plain(index)]

    def stack(self, name: Any = None) -> Any:
        """Return all values as one array; zeros where none was written."""
        if self._rows is not None:
            return self._rows
        if not self._entries:
            return jnp.zeros((0,), self.dtype)
        like = next(iter(self._entries.values()))
        return jnp.stack([self._entries.get(index, jnp.zeros_like(like)) for index in range(self.size())])

    def gather(self, indices: Any, name: Any = None) -> Any:
        """Return the values at several indices as one array."""
        return self.stack()[plain(indices)]

    def concat(self, name: Any = None) -> Any:
        """Return the values joined along their first axis."""
        if self._rows is not None:
            return self._rows.reshape(-1, *self._rows.shape[2:])
        return jnp.concatenate([self._entries[index] for index in sorted(self._entries)])

    def unstack(self, value: Any, name: Any = None) -> "TensorArray":
        """Return an array that has the rows of `value`."""
        made, value = self._copy(), jnp.asarray(plain(value))
        made._size, made._rows = len(value), value
        return made

    def size(self, name: Any = None) -> int:
        """Return the number of entries."""
        last = max(self._entries, default=-1) + 1
        return len(self._rows) if self._rows is not None else max(int(np.asarray(self._size)), last)

    def __len__(self) -> int:
        return self.size()
