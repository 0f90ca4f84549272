"""The graph inside a functional model: the layers between its inputs and outputs, and how they run."""

import functools
import math
from collections import ChainMap, Counter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.errors import foreign
from cornu.core.graph import Node, SymbolicTensor, copied, is_symbolic, leaves, replace, sorted_nodes
from cornu.core.layer import Layer
from cornu.core.scope import changed, get_mask, scope, set_mask
from cornu.data.text_inputs import TextInputs
from cornu.layers.input import Input
from cornu.models.host_part import HostInputs, HostPart, host_part, is_text_input, runs_on_texts


class Network:
    """Nodes between symbolic `inputs` and `outputs` (each a tensor, list or dictionary), in execution order."""

    any_size = False  # whether inputs may have other sizes: those of a Sequential model are of its first data

    def __init__(self, inputs: Any, outputs: Any) -> None:
        for what, tensors in (("inputs", leaves(inputs)), ("outputs", leaves(outputs))):
            _check_symbolic(tensors, what)
        inputs, outputs, self.stand_ins = from_input_layers(copied(inputs), copied(outputs))
        self.inputs, self.outputs = _unwrapped(inputs), _unwrapped(outputs)
        self.flat_inputs, self.flat_outputs = leaves(inputs), leaves(outputs)
        self.nodes = sorted_nodes(self.flat_outputs, self.flat_inputs)
        self.operations, self.depths = operations_by_depth(self)
        self.layers = [operation for operation in self.operations if isinstance(operation, Layer)]
        _check_names([layer.name for layer in self.layers])

    @functools.cached_property
    def host(self) -> HostPart | None:
        """What runs before the compiled program: on strings, for example."""
        return host_part(self)

    @functools.cached_property
    def runs_on_texts(self) -> bool:
        """Whether its code runs on stand-ins for texts: see `TextInputs`."""
        return runs_on_texts(self)

    @property
    def program_inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that the compiled program gets: the inputs, or those where text has become numbers."""
        return self.flat_inputs if self.host is None else self.host.tensors

    @property
    def program_nodes(self) -> list[Node]:
        """The calls that are compiled, in order."""
        return self.nodes if self.host is None else self.host.rest

    def tensors_for(self, inputs: Any) -> list[SymbolicTensor]:
        """Return the symbolic tensors of the leaves of `inputs`, which may be `HostInputs`."""
        if isinstance(inputs, TextInputs):
            return []
        return self.program_inputs if isinstance(inputs, HostInputs) else self.flat_inputs

    @property
    def input_names(self) -> list[str]:
        """The names for passing data as a dictionary: those of the input layers."""
        return [_input_name(tensor) for tensor in self.flat_inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: a dictionary's keys, else the layers that make them (numbered if repeated)."""
        if isinstance(self.outputs, dict):
            return sorted(self.outputs)
        names = [tensor.node.operation.name for tensor in self.flat_outputs]
        return [f"{name}_{names[:i].count(name)}" if name in names[:i] else name for i, name in enumerate(names)]

    def run(self, inputs: Any, mask: Any = None) -> Any:
        """Compute the outputs for arrays (or symbolic tensors) given in the structure of the inputs.

        `mask` has masks in the same structure, for inputs that carry none.
        """
        # A dictionary of its own: an inner model may share symbolic tensors with the one around it, with other values.
        around = scope.values
        if self.host is not None and isinstance(inputs, HostInputs):
            values, nodes = self.host.start(inputs), self.host.rest
        else:
            values, nodes = dict(zip(map(id, self.flat_inputs), self.arrange(inputs), strict=True)), self.nodes
        if mask is not None:
            self._set_masks(list(values.values()), mask)
        with changed(values=values if around is None else ChainMap(values, around)):
            lengths = scope.lengths
            for node in nodes:
                if lengths is None:
                    node.run(values)
                else:
                    with changed(**lengths.at(node)):
                        node.run(values)
        if around is not None:  # for losses that close over symbolic tensors
            for key, value in values.items():
                around.setdefault(key, value)
            for key, tensor in self.stand_ins.items():
                if id(tensor) in values:
                    around.setdefault(key, values[id(tensor)])
        results = iter([values[id(tensor)] for tensor in self.flat_outputs])
        return jax.tree.map(lambda _: next(results), self.outputs, is_leaf=is_symbolic)

    def _set_masks(self, arrays: list[Any], masks: Any) -> None:
        masks = _by_name(masks, sorted(self.inputs)) if isinstance(self.inputs, dict) else masks
        flat = masks if isinstance(masks, (list, tuple)) else [masks]
        for array, mask in zip(arrays, flat, strict=False):
            if mask is not None:
                set_mask(array, mask)

    def arrange(self, inputs: Any, rows: int | None = None) -> list[Any]:
        """Return the inputs in order, each fitted to its symbolic tensor; ValueError if one does not fit.

        `rows` is the number of rows of the data that symbolic `inputs` stand for, if known: errors state it.
        """
        if isinstance(inputs, HostInputs):
            return leaves(inputs)
        if isinstance(inputs, dict) and not isinstance(self.inputs, dict):
            inputs = _by_name(inputs, self.input_names)
        elif isinstance(inputs, dict):
            inputs = _by_name(inputs, sorted(self.inputs))
        elif isinstance(self.inputs, dict):
            self._check_order(inputs)
        flat = leaves(inputs)
        if len(flat) < len(self.flat_inputs) and any(map(_is_optional, self.flat_inputs)):
            flat = jax.tree.leaves(inputs, is_leaf=lambda leaf: leaf is None or is_symbolic(leaf))
        if len(flat) != len(self.flat_inputs):
            raise ValueError(
                f"The model takes {len(self.flat_inputs)} inputs {self.input_names}; got {len(flat)} arrays."
            )
        return [
            fitted(given, reference, self.any_size, rows)
            for given, reference in zip(flat, self.flat_inputs, strict=True)
        ]

    def _check_order(self, inputs: Any) -> None:
        """Raise ValueError if a list for a dictionary of inputs may be in another order than the dictionary."""
        given = len(leaves(inputs))
        if given > 1 and list(self.inputs) != sorted(self.inputs):
            raise ValueError(
                f"The model was made from a dictionary of inputs, {list(self.inputs)}; got {given} arrays without "
                f"names.\nPass a dictionary with these keys: {{{', '.join(f'{key!r}: ...' for key in self.inputs)}}}."
            )


def from_input_layers(inputs: Any, outputs: Any) -> tuple[Any, Any, dict[int, SymbolicTensor]]:
    """Return inputs that all come from an `InputLayer`, outputs computed from them, and new tensors by ids of old ones.

    As in Keras, a new input takes the place of one that a layer computes, and the calls after it are repeated.
    """
    new: dict[int, SymbolicTensor] = {}
    if any(declared(tensor) is not tensor for tensor in leaves(inputs)):
        inputs = replace(inputs, declared)
    for tensor in leaves(inputs):
        if tensor.node is not None and tensor.node.inputs:
            stand_in = Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=f"{tensor.name}CLONE")
            stand_in.stands_for = tensor
            new[id(tensor)] = stand_in
        elif tensor.stands_for is not None:  # the input of another such model; the outputs may be from before it
            new[id(tensor.stands_for)] = tensor
    if not new:
        return inputs, outputs, new
    before = [tensor.stands_for for tensor in new.values() if tensor.stands_for is not None]
    for node in sorted_nodes(leaves(outputs), [*leaves(inputs), *before]):
        if any(id(tensor) in new for tensor in node.inputs):
            results = replace(node.outputs, lambda old: SymbolicTensor(old.shape, old.dtype, name=old.name))
            repeated = Node(node.operation, _renewed(node.args, new), _renewed(node.kwargs, new), results)
            for old, tensor in zip(leaves(node.outputs), leaves(repeated.outputs), strict=True):
                new.setdefault(id(old), tensor)
    return _renewed(inputs, new), _renewed(outputs, new), new


def declared(tensor: SymbolicTensor) -> SymbolicTensor:
    """Return the tensor of the `InputLayer` if ``Input`` gave what a layer makes of it, else the tensor."""
    node = tensor.node
    return node.inputs[0] if node is not None and getattr(node.operation, "is_part_of_input", False) else tensor


def _renewed(structure: Any, new: dict[int, SymbolicTensor]) -> Any:
    return replace(structure, lambda tensor: new.get(id(tensor), tensor))


def _unwrapped(structure: Any) -> Any:
    """Return the tensor in a list of one: as in Keras, a model with one output returns an array, not a list."""
    return structure[0] if isinstance(structure, (list, tuple)) and len(structure) == 1 else structure


def _check_symbolic(tensors: list, what: str) -> None:
    for tensor in tensors or [None]:
        if not isinstance(tensor, SymbolicTensor):
            raise ValueError(
                f"The {what} of a model must be symbolic tensors, made by Input(...) and the layers called on it; "
                f"one of them is {type(tensor).__name__}.{foreign(tensor)}"
            )


def _check_names(names: list[str]) -> None:
    counts = Counter(names)
    repeated = next((name for name in counts if counts[name] > 1), None)
    if repeated is not None:
        raise ValueError(
            f"{counts[repeated]} layers of the model have the name {repeated!r}: all names should be unique.\n"
            "Give each layer a different name, or leave the names out."
        )


def _input_name(tensor: SymbolicTensor) -> str:
    operation = tensor.node.operation if tensor.node is not None else None
    return tensor.name if operation is None else operation.name


def _is_optional(tensor: SymbolicTensor) -> bool:
    return tensor.node is not None and getattr(tensor.node.operation, "optional", False)


def _by_name(given: dict, names: list[str]) -> list[Any]:
    missing = [name for name in names if name not in given]
    if missing:
        raise ValueError(
            f"The model's inputs are {names}; the dictionary has {sorted(map(str, given))}: {missing[0]!r} is missing."
        )
    return [given[name] for name in names]


def fitted(given: Any, reference: SymbolicTensor, any_size: bool = False, rows: int | None = None) -> Any:
    """Return an array with the rank and dtype of the symbolic input; ValueError if its shape does not fit.

    `rows` is the number of rows to state in the error where `given` is symbolic.
    """
    if given is None:
        if not _is_optional(reference):
            raise ValueError(f"The model's input {_input_name(reference)!r} is not optional; got None for it.")
        return None
    shape, expected = tuple(given.shape), tuple(reference.shape)
    array = given
    if isinstance(given, SymbolicTensor) and given.dtype == "string":  # nothing can be traced of it
        given = array = np.empty([0 if size is None else size for size in shape], object)
    if len(shape) == len(expected) - 1 and expected[-1] == 1:
        array = given[..., None]
    elif len(shape) == len(expected) + 1 and shape[-1] == 1:
        array = given[..., 0]
    sizes = (None,) * len(expected) if any_size else expected
    if not _fits(tuple(array.shape), sizes):
        came = (shape[0] if shape[0] is not None else rows, *shape[1:]) if shape else shape
        raise shape_error(came, sizes, _input_name(reference))
    if isinstance(given, SymbolicTensor) or is_text_input(given, reference):
        return array
    if array.dtype.name != reference.dtype:
        array = jnp.asarray(array).astype(jax.dtypes.canonicalize_dtype(reference.dtype))
    if array is not given and (mask := get_mask(given)) is not None:
        set_mask(array, mask)
    return array


def _fits(shape: tuple, expected: tuple) -> bool:
    """Return whether a shape fits: None fits any size, and a fixed batch size is only what layers assume of it."""
    return len(shape) == len(expected) and all(
        want is None or have is None or want == have for have, want in zip(shape[1:], expected[1:], strict=True)
    )


def shape_error(shape: tuple, expected: tuple, name: str) -> ValueError:
    """Return the error for data of a `shape` that does not fit the model's input, with advice."""
    return ValueError(
        f"The model's input {name!r} has shape {expected} (the first axis is the batch); the data has shape {shape}.\n"
        f"{shape_advice(shape, expected)}"
    )


def shape_advice(shape: tuple, expected: tuple) -> str:
    """Return how to make data fit an input without mixing up rows or elements, or else which layer to change.

    >>> shape_advice((60, 784), (None, 28, 28, 1))
    'Reshape it: x.reshape((-1, 28, 28, 1)).'
    >>> shape_advice((8, 3, 28, 28), (None, 28, 28, 3))
    'Move the channels last: numpy.moveaxis(x, 1, -1).'
    """
    have, want = shape[1:], expected[1:]
    if _fits((None, *shape), expected):
        return "If this is a single sample, add the batch axis: x[None]."
    if _fits((None, *have[1:], have[0]) if have else shape, expected):
        return "Move the channels last: numpy.moveaxis(x, 1, -1)."
    if _fits((None, have[-1], *have[:-1]) if have else shape, expected):
        return "Move the channels first: numpy.moveaxis(x, -1, 1)."
    if None not in have and None not in want and _keeps_order(have, want):
        return f"Reshape it: x.reshape((-1, {', '.join(map(str, want))}))."
    change = f"change the model's input: keras.Input({have})."
    if len(have) == len(want) == 3 and have[2] == want[2] and None not in want:
        return f"Resize the images: keras.ops.image.resize(x, {want[:2]}). Or {change}"
    if len(have) == len(want) == 3 and have[2] == 1 and _fits((None, *have[:2], want[2]), expected):
        return f"Repeat the channel: numpy.repeat(x, {want[2]}, axis=-1). Or {change}"
    return f"Pass data of shape {expected}, or {change}" if have else f"Pass data of shape {expected}."


def _keeps_order(have: tuple[int, ...], want: tuple[int, ...]) -> bool:
    """Return whether one shape only merges or splits neighbouring axes of the other."""
    sizes = [{math.prod(axes[: count + 1]) for count in range(len(axes))} - {1} for axes in (have, want)]
    return math.prod(have) == math.prod(want) and (sizes[0] <= sizes[1] or sizes[1] <= sizes[0])


def operations_by_depth(network: Network) -> tuple[list[Any], dict[int, int]]:
    """Return the operations as Keras lists them (deepest first, then as met from the outputs), and depth by id."""
    depth_of_node: dict[int, int] = {}
    depth: dict[int, int] = {}
    for node in reversed(network.nodes):
        here = max(depth_of_node.get(id(node), 0), depth.get(id(node.operation), 0))
        depth_of_node[id(node)] = depth[id(node.operation)] = here
        for tensor in node.inputs:
            if tensor.node is not None:
                depth_of_node[id(tensor.node)] = max(depth_of_node.get(id(tensor.node), 0), here + 1)
    for tensor in network.flat_inputs:
        if tensor.node is not None:
            operation = tensor.node.operation
            depth[id(operation)] = max(depth.get(id(operation), 0), depth_of_node.get(id(tensor.node), 0))
    ranked = sorted(_reached_from_outputs(network), key=lambda operation: -depth.get(id(operation), 0))
    return ranked, depth


def _reached_from_outputs(network: Network) -> list[Any]:
    """Return the operations in the order a walk from the outputs meets them, after inputs that it never meets."""
    between = {id(node) for node in network.nodes}
    given = [tensor.node for tensor in network.flat_inputs if tensor.node is not None]
    known = between | {id(node) for node in given}
    met: dict[int, Any] = {}
    seen: set[int] = set()
    waiting = [tensor.node for tensor in reversed(network.flat_outputs)]
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen or id(node) not in known:
            continue
        seen.add(id(node))
        met.setdefault(id(node.operation), node.operation)
        if id(node) in between:
            waiting.extend(tensor.node for tensor in reversed(node.inputs))
    unused = {id(node.operation): node.operation for node in given if id(node.operation) not in met}
    return [*unused.values(), *met.values()]
