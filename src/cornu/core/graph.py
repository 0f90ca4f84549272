"""Symbolic tensors and the graph between them: what `Input` starts and what a functional model runs."""

import functools
import itertools
import math
import operator
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

import jax
import numpy as np

from cornu.core.dtype_policies import standardize_dtype
from cornu.core.names import to_snake_case, unique_name
from cornu.core.operators import HasOperators
from cornu.core.randomness import ambient_seed
from cornu.core.scope import get_mask, scope
from cornu.core.variable import bound, read

# Sizes that stand for unknown axes while shapes are inferred. Both have many divisors, so that reshapes which halve or
# quarter an unknown axis work, and they are large enough for deep stacks of unpadded convolutions.
FIRST_PROBE, SECOND_PROBE = 55440, 110880


class Shape(tuple):
    """A tuple of sizes (None: unknown) that also answers TensorFlow's ``as_list()``, ``rank`` and ``ndims``."""

    def as_list(self) -> list:
        return list(self)

    @property
    def rank(self) -> int:
        return len(self)

    ndims = rank


class SymbolicTensor(HasOperators):
    """A tensor that is not computed yet: shape (None: unknown), dtype, name, and the node that makes it."""

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: Any = None,
        name: str | None = None,
        node: "Node | None" = None,
        index: int = 0,
    ) -> None:
        self.shape = Shape(shape)
        self.dtype = standardize_dtype(dtype)
        self.name = name or unique_name("keras_tensor")
        self.node, self.index = node, index
        self._keras_mask: SymbolicTensor | None = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    rank = ndim

    @property
    def size(self) -> int | None:
        return None if None in self.shape else math.prod(self.shape)

    def get_shape(self) -> Shape:
        return self.shape

    _keras_shape = property(lambda self: tuple(self.shape))
    _keras_history = property(lambda self: (self.node.operation, self.node.number, self.index))

    def __repr__(self) -> str:
        return f"<KerasTensor shape={tuple(self.shape)}, dtype={self.dtype}, name={self.name}>"

    def __len__(self) -> int:
        raise self._no_value("len()")

    def __bool__(self) -> bool:
        raise self._no_value("a truth value (if, while, and, or)")

    def __iter__(self) -> Iterator["SymbolicTensor"]:
        if not self.shape or self.shape[0] is None:
            raise self._no_value("iteration over its first axis")
        return (self[i] for i in range(self.shape[0]))

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise self._no_value("numpy")

    def _no_value(self, use: str) -> TypeError:
        return TypeError(
            f"{self!r} has no values yet: it stands for data that a model will be given. {use[:1].upper()}{use[1:]} "
            "cannot be used on it.\nUse a layer, a function of keras.ops or keras.backend, or a Lambda layer."
        )

    __hash__ = object.__hash__


class GraphNeededError(TypeError):
    """Raised by a function that needs the graph of symbolic tensors, and was called on arrays or while tracing."""


class FunctionOperation:
    """A plain array function as an operation of the graph."""

    def __init__(self, function: Callable) -> None:
        self.function = function
        self.name = unique_name(to_snake_case(getattr(function, "__name__", "function")))
        self._inbound_nodes: list[Node] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def copy(self) -> Callable:
        """Return what adds a like operation to a graph when it is called on symbolic tensors."""
        return get_mask if self.function is get_mask else op(self.function)  # a symbolic tensor has its mask already


class Node:
    """One call of an operation on symbolic tensors."""

    numbers = itertools.count()

    def __init__(self, operation: Any, args: tuple, kwargs: dict, outputs: Any) -> None:
        self.operation, self.args, self.kwargs = operation, args, kwargs
        self.number = len(operation._inbound_nodes)
        self.order = next(Node.numbers)
        self.outputs = number_outputs(outputs, self)
        operation._inbound_nodes.append(self)

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors among the arguments."""
        return symbolic_leaves((self.args, self.kwargs))

    @property
    def argument(self) -> Any:
        """The argument that holds symbolic tensors, in its nesting; where several do, all the tensors in a list."""
        holding = [item for item in (*self.args, *self.kwargs.values()) if _holds(item)]
        return holding[0] if len(holding) == 1 else self.inputs

    def run(self, values: MutableMapping[int, Any]) -> Any:
        """Call the operation with each symbolic tensor replaced by its value."""
        args, kwargs = replace((self.args, self.kwargs), lambda tensor: values[id(tensor)])
        result = self.operation(*args, **kwargs)
        for tensor, value in zip(leaves(self.outputs), leaves(result), strict=True):
            values[id(tensor)] = value
        return result


def number_outputs(outputs: Any, node: Node) -> Any:
    """Give each symbolic tensor of `outputs` its node and index."""
    for index, tensor in enumerate(leaves(outputs)):
        tensor.node, tensor.index = node, index
    return outputs


def keep_masks(tensors: Sequence[SymbolicTensor], masks: Sequence[Any]) -> None:
    """Let symbolic masks travel with symbolic tensors. Each is a node that takes the mask off the tensor's value."""
    for tensor, mask in zip(tensors, masks, strict=False):
        if mask is not None:
            tensor._keras_mask = Node(FunctionOperation(get_mask), (tensor,), {}, mask).outputs


def is_symbolic(thing: Any) -> bool:
    """Tell whether `thing` is a symbolic tensor."""
    return isinstance(thing, SymbolicTensor)


def leaves(structure: Any) -> list:
    """Return the leaves of nested lists, tuples and dictionaries in order; None is no leaf."""
    return jax.tree.leaves(structure, is_leaf=is_symbolic)


def symbolic_leaves(structure: Any) -> list[SymbolicTensor]:
    """Return the symbolic tensors of a structure."""
    return [leaf for leaf in leaves(structure) if is_symbolic(leaf)]


def replace(structure: Any, function: Callable[[SymbolicTensor], Any]) -> Any:
    """Return the structure with `function` applied to its symbolic tensors; other leaves stay as they are."""
    return jax.tree.map(lambda leaf: function(leaf) if is_symbolic(leaf) else leaf, structure, is_leaf=is_symbolic)


def holds_symbolic(args: tuple, kwargs: dict) -> bool:
    """Tell whether a call has a symbolic tensor among its arguments (also inside lists and dictionaries)."""
    return any(_holds(item) for item in (*args, *kwargs.values()))


def _holds(item: Any) -> bool:
    if isinstance(item, (list, tuple)):
        return any(map(_holds, item))
    return any(map(_holds, item.values())) if isinstance(item, dict) else isinstance(item, SymbolicTensor)


def infer(function: Callable, args: tuple, kwargs: dict) -> Any:
    """Return what a call would give: a structure of symbolic tensors with inferred shapes and dtypes.

    The call is traced with a large size in place of each unknown axis. Where the result does not make plain which axes
    are unknown, it is traced again with other sizes: the axes that change are the unknown ones.
    """
    first = _trace(function, args, kwargs, FIRST_PROBE)
    tensors = symbolic_leaves((args, kwargs))
    if all(None not in tensor.shape for tensor in tensors):
        return jax.tree.map(lambda leaf: SymbolicTensor(leaf.shape, leaf.dtype), first)
    if all(_is_plain(leaf.shape) for leaf in jax.tree.leaves(first)) and all(None not in t.shape[1:] for t in tensors):
        return jax.tree.map(lambda leaf: SymbolicTensor((None, *leaf.shape[1:]), leaf.dtype), first)
    second = _trace(function, args, kwargs, SECOND_PROBE)
    return jax.tree.map(_compared, first, second)


def _is_plain(shape: tuple[int, ...]) -> bool:
    """Tell whether only the first axis can be the unknown one."""
    return bool(shape) and shape[0] == FIRST_PROBE and all(size < 1000 or _unrelated(size) for size in shape[1:])


def _unrelated(size: int) -> bool:
    return size % FIRST_PROBE != 0 and FIRST_PROBE % size != 0


def _compared(first: jax.ShapeDtypeStruct, second: jax.ShapeDtypeStruct) -> SymbolicTensor:
    shape = [a if a == b else None for a, b in zip(first.shape, second.shape, strict=True)]
    return SymbolicTensor(shape, first.dtype)


def _trace(function: Callable, args: tuple, kwargs: dict, probe: int) -> Any:
    def struct(tensor: SymbolicTensor) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct([probe if size is None else size for size in tensor.shape], np.dtype(tensor.dtype))

    tensors = symbolic_leaves((args, kwargs))

    def call(values: list) -> Any:
        given = iter(values)
        new_args, new_kwargs = replace((args, kwargs), lambda _: next(given))
        return function(*new_args, **new_kwargs)

    with bound([ambient_seed()], read([ambient_seed()])):
        return jax.eval_shape(call, [struct(tensor) for tensor in tensors])


def apply(function: Callable, args: tuple, kwargs: dict) -> Any:
    """Call an array function on symbolic tensors: on their values where these are known now, else as a new node."""
    known = resolve((args, kwargs))
    if known is not None:
        return function(*known[0], **known[1])
    outputs = infer(function, args, kwargs)
    return Node(FunctionOperation(function), args, kwargs, outputs).outputs


def resolve(structure: Any) -> Any:
    """Return the structure with values for symbolic tensors, or None where the running step does not know them."""
    if scope.values is None:
        return None
    try:
        return replace(structure, functools.partial(_value_of, scope.values))
    except KeyError:
        return None


def _value_of(values: MutableMapping[int, Any], tensor: SymbolicTensor) -> Any:
    if id(tensor) not in values:
        if tensor.node is None or not tensor.node.inputs:
            raise KeyError(tensor.name)
        for needed in tensor.node.inputs:
            _value_of(values, needed)
        tensor.node.run(values)
    return values[id(tensor)]


def op(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate an array function: on a symbolic tensor it adds a node to the graph instead of computing."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if holds_symbolic(args, kwargs):
            return apply(function, args, kwargs)
        return function(*args, **kwargs)

    return call


def _give_operators(cls: type) -> None:
    def binary(function: Callable, swapped: bool) -> Callable:
        def compute(a: Any, b: Any) -> Any:
            return function(b, a) if swapped else function(a, b)

        compute.__name__ = function.__name__.strip("_")
        return lambda self, other: apply(compute, (self, other), {})

    for name in ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"]:
        setattr(cls, f"__{name}__", binary(getattr(operator, name), False))
        setattr(cls, f"__r{name}__", binary(getattr(operator, name), True))
    for name in ["lt", "le", "gt", "ge", "and", "or", "xor"]:
        setattr(cls, f"__{name}__", binary(getattr(operator, f"{name}_" if name in ("and", "or") else name), False))
    for name in ("neg", "abs", "invert"):
        function = getattr(operator, name)
        setattr(cls, f"__{name}__", lambda self, function=function: apply(function, (self,), {}))
    cls.__getitem__ = lambda self, index: apply(operator.getitem, (self, index), {})  # type: ignore[index]


_give_operators(SymbolicTensor)


def sorted_nodes(outputs: Sequence[SymbolicTensor], inputs: Sequence[SymbolicTensor]) -> list[Node]:
    """Return the nodes between `inputs` and `outputs`, each after those that it needs.

    Raises ValueError where an output does not depend on the inputs alone.
    """
    given = {id(tensor) for tensor in inputs}
    done: dict[int, Node] = {}
    stack: list[tuple[SymbolicTensor, bool]] = [(tensor, False) for tensor in reversed(outputs)]
    while stack:
        tensor, ready = stack.pop()
        node = tensor.node
        if id(tensor) in given or (node is not None and id(node) in done):
            continue
        if node is None or not node.inputs:
            raise ValueError(
                f"The model's outputs need {tensor.name!r} (shape {tuple(tensor.shape)}), which is not among its "
                f"inputs {[t.name for t in inputs]}.\nAdd it to `inputs`, or build the outputs from the inputs given."
            )
        if ready:
            done[id(node)] = node
        else:
            stack.append((tensor, True))
            stack.extend((needed, False) for needed in reversed(node.inputs))
    return list(done.values())


def run_nodes(nodes: Sequence[Node], values: dict[int, Any]) -> None:
    """Compute each node; `values` has the inputs' values by tensor id, and is filled with all others."""
    for node in nodes:
        if not all(id(tensor) in values for tensor in leaves(node.outputs)):
            node.run(values)
