"""Symbolic tensors and the graph between them, which `Input` starts and a functional model runs."""

import functools
import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any

import jax
import numpy as np

from cornu.core.agreeing_sizes import agreeing_sizes
from cornu.core.budget import check_shape
from cornu.core.dtype_policies import standardize_dtype
from cornu.core.names import to_snake_case, unique_name
from cornu.core.operators import HasOperators
from cornu.core.probes import Pair, Probes, integers
from cornu.core.scope import NeedsPythonError, changed, get_mask, scope
from cornu.core.text import called_by_stand_in
from cornu.core.variable import bound, read

# What a function raises where sizes do not fit: then others are tried.
SIZE_ERRORS = (ValueError, TypeError, IndexError, ArithmeticError, AssertionError)


class Shape(tuple):
    """A tuple of sizes (None: unknown) that also answers TensorFlow's ``as_list()``, ``rank`` and ``ndims``."""

    def as_list(self) -> list:
        return list(self)

    @property
    def rank(self) -> int:
        return len(self)

    ndims = rank


class SymbolicTensor(HasOperators):
    """A tensor without values yet: shape (None: unknown size), dtype, name, and the node that computes it.

    `record_history` changes nothing. Raises ValueError for `sparse` and `ragged` tensors.
    """

    sparse = ragged = False
    stands_for: "SymbolicTensor | None" = None  # the tensor in whose place a model put this input

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
    ) -> None:
        if sparse or ragged:
            kind = "sparse" if sparse else "ragged"
            raise ValueError(f"KerasTensor({kind}=True): Cornu computes with dense tensors only. Remove it.")
        self.shape = Shape(shape)
        check_shape(self.shape)
        self.dtype = standardize_dtype(dtype)
        self.name = name or unique_name("keras_tensor")
        self.node: Node | None = None
        self.index = 0
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
            f"{self!r} has no values yet: it is a placeholder for a model's data. {use[:1].upper()}{use[1:]} "
            "cannot be used on it.\nUse a layer, a function of keras.ops or keras.backend, or a Lambda layer."
        )

    __hash__ = object.__hash__


class GraphNeededError(TypeError):
    """Raised when a function that needs the graph of symbolic tensors is called on arrays or while tracing."""


class FunctionOperation:
    """A plain array function as an operation of the graph."""

    def __init__(self, function: Callable) -> None:
        self.function = function
        name = OPERATORS.get(function) or to_snake_case(getattr(function, "__name__", "function"))
        self.name = unique_name(name)
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
        # Copies of lists and dictionaries: the caller may go on adding to its own.
        self.operation, self.args, self.kwargs = operation, copied(args), copied(kwargs)
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

    def arguments(self, values: MutableMapping[int, Any]) -> tuple[tuple, dict]:
        """Return the arguments with each symbolic tensor replaced by its value."""
        return replace((self.args, self.kwargs), lambda tensor: values[id(tensor)])

    def run(self, values: MutableMapping[int, Any]) -> Any:
        """Call the operation with each symbolic tensor replaced by its value, and keep the values of its outputs.

        If `values` has one for the node itself, it is the first argument.
        """
        if id(self) in values:
            args, kwargs = (values[id(self)], *self.args[1:]), self.kwargs
        else:
            args, kwargs = self.arguments(values)
        result = self.operation(*args, **kwargs)
        for tensor, value in zip(leaves(self.outputs), leaves(result), strict=True):
            values[id(tensor)] = value
        return result


def number_outputs(outputs: Any, node: Node) -> Any:
    """Set the node and index of each symbolic tensor in `outputs`."""
    for index, tensor in enumerate(leaves(outputs)):
        tensor.node, tensor.index = node, index
    return outputs


def keep_masks(tensors: Sequence[SymbolicTensor], masks: Sequence[Any]) -> None:
    """Let symbolic masks travel with symbolic tensors. Each is a node that takes the mask off the tensor's value."""
    for tensor, mask in zip(tensors, masks, strict=False):
        if mask is not None:
            tensor._keras_mask = Node(FunctionOperation(get_mask), (tensor,), {}, mask).outputs


def is_symbolic(thing: Any) -> bool:
    """Return whether `thing` is a symbolic tensor."""
    return isinstance(thing, SymbolicTensor)


def leaves(structure: Any) -> list:
    """Return the leaves of nested lists, tuples and dictionaries in order; None is not a leaf."""
    return jax.tree.leaves(structure, is_leaf=is_symbolic)


def symbolic_leaves(structure: Any) -> list[SymbolicTensor]:
    """Return the symbolic tensors of a structure."""
    return [leaf for leaf in leaves(structure) if is_symbolic(leaf)]


def replace(structure: Any, function: Callable[[SymbolicTensor], Any]) -> Any:
    """Return the structure with `function` applied to its symbolic tensors; other leaves stay unchanged."""
    return jax.tree.map(lambda leaf: function(leaf) if is_symbolic(leaf) else leaf, structure, is_leaf=is_symbolic)


def copied(structure: Any) -> Any:
    """Return new lists, tuples and dictionaries of the same type, nested as before, with the same leaves.

    >>> made = [[1], {"b": 2}]
    >>> copied(made) == made, copied(made)[0] is made[0]
    (True, False)
    """
    if isinstance(structure, tuple):
        items = map(copied, structure)
        return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)
    if isinstance(structure, list):
        return [copied(item) for item in structure]
    return {key: copied(value) for key, value in structure.items()} if isinstance(structure, dict) else structure


def holds_symbolic(args: tuple, kwargs: dict) -> bool:
    """Return whether the arguments of a call contain a symbolic tensor, at any depth."""
    return any(_holds(item) for item in (*args, *kwargs.values()))


def _holds(item: Any) -> bool:
    if isinstance(item, (list, tuple)):
        return any(map(_holds, item))
    return any(map(_holds, item.values())) if isinstance(item, dict) else isinstance(item, SymbolicTensor)


def infer(
    function: Callable, args: tuple, kwargs: dict, weights: Sequence[Any] = (), bounds: Iterable[int] = ()
) -> Any:
    """Return what a call would give: a structure of symbolic tensors with inferred shapes and dtypes.

    The call is traced with small sizes in place of the unknown axes. Where the result does not make plain which of its
    axes are unknown, it is traced again with other sizes: the axes that change are the unknown ones. The sizes differ
    from those of `weights`, which the function may use, and exceed `bounds`, integers that the function may cut axes
    to, beside those in the arguments. Raises what the function raises if no sizes fit.
    """
    tensors = symbolic_leaves((args, kwargs))
    unknown = {axis for tensor in tensors for axis, size in enumerate(tensor.shape) if size is None}
    if not unknown:
        traced = _trace(function, args, kwargs, {})
        return jax.tree.map(lambda leaf: SymbolicTensor(leaf.shape, leaf.dtype), traced)
    known = {size for holder in (*tensors, *weights) for size in holder.shape if size}
    probes = Probes(sorted(unknown), known, [*bounds, *integers((args, kwargs))])
    trace = functools.partial(_trace, function, args, kwargs)
    explained = functools.partial(_is_explained, tensors, weights)
    failure: Exception | None = None
    found = None
    for pair in probes.pairs():
        try:
            found = _infer_with(trace, pair, probes, explained)
        except GraphNeededError:
            raise
        except SIZE_ERRORS as error:
            failure = error
        else:
            if all(0 not in tensor.shape for tensor in symbolic_leaves(found)):
                return found
    if found is None and failure is not None:
        return _infer_agreeing(trace, tensors, probes, failure)
    return found


def _infer_agreeing(trace: Callable, tensors: Sequence[SymbolicTensor], probes: Probes, failure: Exception) -> Any:
    """Infer with sizes that agree between the tensors; raise `failure` if none fit."""
    different = list({id(tensor): tensor for tensor in tensors}.values())

    def with_ids(sizes: dict) -> dict:
        return {(id(different[number]), axis): size for (number, axis), size in sizes.items()}

    def fits(sizes: dict) -> bool:
        try:
            trace(with_ids(sizes))
        except SIZE_ERRORS:
            return False
        return True

    pair = agreeing_sizes([tensor.shape for tensor in different], probes, fits) if len(different) > 1 else None
    if pair is None:
        raise failure
    return jax.tree.map(_compared, *(trace(with_ids(sizes)) for sizes in pair))


def _infer_with(trace: Callable, pair: Pair, probes: Probes, explained: Callable) -> Any:
    """Infer from traces with the sizes of `pair`; with larger ones too where long strides may have made a constant."""
    first = trace(pair.first)
    flat = jax.tree.leaves(first)
    if probes.only_batch and all(_depends_on_batch_alone(leaf.shape, pair.first[0]) for leaf in flat):
        return jax.tree.map(lambda leaf: SymbolicTensor((None, *leaf.shape[1:]), leaf.dtype), first)
    compared = jax.tree.map(_compared, first, trace(pair.second))
    if probes.only_batch or all(explained(tensor.shape) for tensor in symbolic_leaves(compared)):
        return compared
    try:
        return jax.tree.map(_compared, compared, trace(probes.large()), is_leaf=is_symbolic)
    except SIZE_ERRORS:
        return compared


def _depends_on_batch_alone(shape: tuple[int, ...], batch: int) -> bool:
    """Return whether the first axis is the batch, and no other looks as if it had to do with it."""
    return bool(shape) and shape[0] == batch and all(size == 1 or (size % batch and batch % size) for size in shape[1:])


def _is_explained(tensors: Sequence[SymbolicTensor], weights: Sequence[Any], shape: Shape) -> bool:
    """Return whether each known size is that of an input's axis in the same place, or of weights (channels)."""
    return all(
        size is None
        or any(axis < tensor.ndim and size == tensor.shape[axis] for tensor in tensors)
        or any(axis - len(shape) >= -tensor.ndim and size == tensor.shape[axis - len(shape)] for tensor in tensors)
        or (axis == len(shape) - 1 and any(weight.shape[-1:] == (size,) for weight in weights))
        for axis, size in enumerate(shape)
    )


def _compared(first: Any, second: jax.ShapeDtypeStruct) -> SymbolicTensor:
    shape = [a if a == b else None for a, b in zip(first.shape, second.shape, strict=True)]
    return SymbolicTensor(shape, first.dtype)


def _trace(function: Callable, args: tuple, kwargs: dict, sizes: dict) -> Any:
    """Trace a call with `sizes` in place of unknown axes: ``axis -> size``, or ``(id of a tensor, axis) -> size``."""

    def struct(tensor: SymbolicTensor) -> jax.ShapeDtypeStruct:
        if tensor.dtype == "string":
            name = getattr(function, "__name__", "A function")
            raise TypeError(f"{name!r} takes numbers; its input {tensor.name!r} is text (dtype string).")
        shape = [
            size if size is not None else sizes[axis] if axis in sizes else sizes[id(tensor), axis]
            for axis, size in enumerate(tensor.shape)
        ]
        return jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(np.dtype(tensor.dtype)))

    tensors = symbolic_leaves((args, kwargs))

    def call(values: list) -> Any:
        given = iter(values)
        new_args, new_kwargs = replace((args, kwargs), lambda _: next(given))
        return function(*new_args, **new_kwargs)

    probes = scope.probes | set(sizes.values())
    ambient = [] if scope.ambient is None else [scope.ambient]
    with changed(probes=probes), bound(ambient, read(ambient)):
        return jax.eval_shape(call, [struct(tensor) for tensor in tensors])


def apply(function: Callable, args: tuple, kwargs: dict) -> Any:
    """Call an array function on symbolic tensors: on their values if they are known, else as a new node."""
    known = resolve((args, kwargs))
    if known is not None:
        return function(*known[0], **known[1])
    outputs = infer(function, args, kwargs)
    return Node(FunctionOperation(function), args, kwargs, outputs).outputs


def resolve(structure: Any) -> Any:
    """Return the structure with values for symbolic tensors, or None if the running step does not know them."""
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
    """Decorate an array function: on a symbolic tensor, it adds a node to the graph instead of computing."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if holds_symbolic(args, kwargs):
            return apply(function, args, kwargs)
        try:
            return function(*args, **kwargs)
        except NeedsPythonError:
            return called_by_stand_in(function, args, kwargs)

    return call


#: Operator on symbolic tensors -> the function of `keras.ops` that it is.
OPERATORS: dict[Callable, str] = {
    operator.add: "add",
    operator.sub: "subtract",
    operator.mul: "multiply",
    operator.truediv: "true_divide",
    operator.floordiv: "floor_divide",
    operator.mod: "mod",
    operator.pow: "power",
    operator.matmul: "matmul",
    operator.lt: "less",
    operator.le: "less_equal",
    operator.gt: "greater",
    operator.ge: "greater_equal",
    operator.and_: "bitwise_and",
    operator.or_: "bitwise_or",
    operator.xor: "bitwise_xor",
    operator.neg: "negative",
    operator.abs: "absolute",
    operator.invert: "bitwise_not",
    operator.getitem: "get_item",
}


def _give_operators(cls: type) -> None:
    def method(function: Callable, swapped: bool = False) -> Callable:
        def compute(self: Any, *others: Any) -> Any:
            return apply(function, (*others, self) if swapped else (self, *others), {})

        return compute

    for function in OPERATORS:
        name = function.__name__.strip("_")
        setattr(cls, f"__{name}__", method(function))
        if name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
            setattr(cls, f"__r{name}__", method(function, swapped=True))


_give_operators(SymbolicTensor)


def sorted_nodes(outputs: Sequence[SymbolicTensor], inputs: Sequence[SymbolicTensor]) -> list[Node]:
    """Return the nodes between `inputs` and `outputs` in execution order.

    Raises ValueError if an output depends on anything but the inputs.
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
                f"inputs {[t.name for t in inputs]}.\nAdd it to `inputs`, or compute the outputs from these inputs."
            )
        if ready:
            done[id(node)] = node
        else:
            stack.append((tensor, True))
            stack.extend((needed, False) for needed in reversed(node.inputs))
    return list(done.values())


def run_nodes(nodes: Sequence[Node], values: dict[int, Any]) -> None:
    """Compute each node. `values` maps tensor ids to values; it holds the inputs and receives all others."""
    for node in nodes:
        if not all(id(tensor) in values for tensor in leaves(node.outputs)):
            node.run(values)
