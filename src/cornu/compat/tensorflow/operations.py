"""Functions of TensorFlow between the layers of a tf.keras model, as its configs name them.

From 2.4 on a layer ``TFOpLambda`` or ``SlicingOpLambda`` names the function; before that, a ``TensorFlowOpLayer`` has
the node of TensorFlow's graph (`graph_nodes.py`). Each is called once, on symbolic tensors, and leaves nodes of
`cornu.ops` in their graph: so a model that was read can be written again. Only what is in these tables is ever called.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cornu import ops
from cornu.compat.backend.calls import Size, shape
from cornu.compat.tensorflow import functions, meanings
from cornu.compat.tensorflow.rows import MATH, ROWS
from cornu.core.dtype_policies import is_float
from cornu.core.errors import unknown
from cornu.core.graph import is_symbolic
from cornu.ops.normalization import normalize


class OldFunction:
    """A function of TensorFlow as an operation of a config's graph."""

    _inbound_nodes: tuple = ()

    def __init__(self, name: str, function: Callable) -> None:
        self.name, self.function = name, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("name", None)
        return self.function(*map(_plain, args), **{key: _plain(value) for key, value in kwargs.items()})


def _plain(value: Any) -> Any:
    """Return the numbers of a tensor, which JSON has as lists, as an array; shapes and axes are lists of integers."""
    inner = value
    while isinstance(inner, list) and inner:
        inner = inner[0]
    return np.asarray(value, "float32") if isinstance(value, list) and isinstance(inner, float) else value


def named_function(entry: dict[str, Any]) -> OldFunction:
    """Return the function of a ``TFOpLambda`` or ``SlicingOpLambda``; ValueError if it is not known."""
    config = entry["config"]
    name = str(config.get("function")).removeprefix("compat.v1.")
    module, _, function = name.rpartition(".")
    found = FUNCTIONS.get(name)
    if found is None and function in (MATH if module == "math" else ROWS if module == "" else ()):
        found = getattr(functions, function)
    if found is None:
        raise unknown("function of TensorFlow between the layers", name, [*FUNCTIONS, *ROWS])
    return OldFunction(str(config.get("name")), found)


# ---- functions whose arguments are not those of `cornu.ops`


def get_item(x: Any, slice_spec: Any) -> Any:
    """Return a part of a tensor, or of a shape."""
    parts = slice_spec if isinstance(slice_spec, list) else [slice_spec]
    key = tuple(_part(part) for part in parts)
    return x[key[0]] if isinstance(x, tuple) else x[key if isinstance(slice_spec, list) else key[0]]


def _part(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    if part.get("class_name") == "__ellipsis__":
        return Ellipsis
    return slice(part.get("start"), part.get("stop"), part.get("step"))


def reshape(tensor: Any, shape: Any) -> Any:
    """Return the same values in another shape; sizes may be known only when the model runs."""
    sizes = [-1 if isinstance(size, Size) else size for size in shape]
    rest = [i for i, size in enumerate(shape) if not isinstance(size, Size) and size == -1]
    if sizes.count(-1) == 2 and rest and isinstance(shape[0], Size) and _is_batch(shape[0], tensor):
        known = math.prod(size for size in sizes if size != -1)
        sizes[rest[0]] = math.prod(tensor.shape[1:]) // known
    return ops.reshape(tensor, tuple(sizes)) if sizes.count(-1) <= 1 else functions.reshape(tensor, shape)


def _is_batch(size: Size, tensor: Any) -> bool:
    """Return whether a size is that of the batch, the only one of a tensor that is not known."""
    tensors, batch = [tensor, *size.tensors], 7919
    if any(one.shape[0] is not None or None in one.shape[1:] for one in tensors):
        return False
    return size.compute(*(np.broadcast_to(np.float32(0), (batch, *one.shape[1:])) for one in size.tensors)) == batch


def broadcast_to(input: Any, shape: Any) -> Any:
    """Return a tensor repeated along axes of size 1; the sizes may be known only when the model runs."""
    return (functions if any(isinstance(size, Size) for size in shape) else ops).broadcast_to(input, tuple(shape))


def cast(x: Any, dtype: Any) -> Any:
    """Return a tensor, or a size, of another dtype."""
    return np.asarray(x, str(dtype)) if isinstance(x, (int, float)) else ops.cast(x, str(dtype))


def transpose(a: Any, perm: Any = None, conjugate: bool = False) -> Any:
    """Return `a` with its axes in the order `perm`, or in reverse order."""
    return ops.transpose(a, None if perm is None else tuple(perm))


def matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, adjoint_a: bool = False,
    adjoint_b: bool = False, **_: Any,
) -> Any:  # fmt: skip
    """Return the matrix product; the last two axes of `a` or `b` may be swapped first."""
    a = ops.swapaxes(a, -1, -2) if transpose_a or adjoint_a else a
    return ops.matmul(a, ops.swapaxes(b, -1, -2) if transpose_b or adjoint_b else b)


def one_hot(
    indices: Any, depth: int, on_value: Any = None, off_value: Any = None, axis: int | None = None, dtype: Any = None
) -> Any:
    """Return rows with `on_value` (1) at the index and `off_value` (0) elsewhere."""
    hot = ops.one_hot(indices, depth, axis=-1 if axis is None else axis, dtype=str(dtype or "float32"))
    on, off = 1 if on_value is None else on_value, off_value or 0
    return hot if (on, off) == (1, 0) else ops.add(ops.multiply(hot, on - off), off)


def split(value: Any, num_or_size_splits: Any, axis: int = 0, num: Any = None) -> Any:
    """Return parts along an axis: a number of equal ones, or parts of the given sizes, of which one may be -1."""
    if isinstance(num_or_size_splits, int):
        return ops.split(value, num_or_size_splits, axis=axis)
    sizes = list(num_or_size_splits)
    rest = 0 if -1 not in sizes else value.shape[axis] - sum(size for size in sizes if size >= 0)
    sizes = [rest if size < 0 else size for size in sizes]
    return ops.split(value, tuple(itertools.accumulate(sizes))[:-1], axis=axis)


def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Any:
    """Return `tensor` with a pair (before, after) of values added on each axis."""
    pairs, mode = tuple(map(tuple, paddings)), mode.lower()
    return ops.pad(tensor, pairs, mode, constant_values) if mode == "constant" else ops.pad(tensor, pairs, mode)


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Return entries of `x` or `y`."""
    if x is None:
        raise ValueError("tf.where(condition) between the layers of a model: how many places there are is not known.")
    return ops.where(condition, x, y)


def reduce_mean(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the mean over axes."""
    if not is_float(input_tensor.dtype):
        return meanings.reduce_mean(input_tensor, axis, keepdims)
    return ops.mean(input_tensor, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=bool(keepdims))


def gather(params: Any, indices: Any, axis: int | None = None, batch_dims: int = 0, **_: Any) -> Any:
    """Return the parts of `params` at `indices` along an axis."""
    if batch_dims:
        return meanings.gather(params, indices, axis=axis, batch_dims=batch_dims)
    return ops.take(params, indices if is_symbolic(indices) else np.asarray(indices), axis=axis or 0)


def norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: Any = None, **_: Any) -> Any:
    """Return the norm over an axis, or over all."""
    return ops.norm(tensor, ord=None if ord == "euclidean" else ord, axis=axis, keepdims=bool(keepdims))


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, dim: Any = None) -> Any:
    """Return `x` divided by its norm along an axis."""
    axis = dim if axis is None else axis
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    return normalize(x, axis=axis, epsilon=epsilon**0.5)


def add_n(inputs: Sequence[Any]) -> Any:
    """Return the sum of several tensors."""
    total = inputs[0]
    for one in inputs[1:]:
        total = ops.add(total, one)
    return total


def squared_difference(x: Any, y: Any) -> Any:
    """Return ``(x - y) ** 2``."""
    return ops.square(ops.subtract(x, y))


def cumsum(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Any:
    """Return running sums."""
    return functions.cumsum(x, axis, exclusive, reverse) if exclusive or reverse else ops.cumsum(x, axis=axis)


def bias_add(value: Any, bias: Any, data_format: Any = None) -> Any:
    """Return `value` with a bias for each channel, on the last axis unless `data_format` begins with NC."""
    bias = bias if is_symbolic(bias) else np.asarray(bias, "float32")
    if str(data_format).startswith("NC"):
        bias = ops.reshape(bias, (-1, *(1 for _ in value.shape[2:])))
    return ops.add(value, bias)


def softmax(logits: Any, axis: int | None = None, **_: Any) -> Any:
    """Return the softmax along an axis."""
    return ops.softmax(logits, axis=-1 if axis is None else axis)


def log_softmax(logits: Any, axis: int | None = None, **_: Any) -> Any:
    """Return the logarithm of the softmax along an axis."""
    return ops.log_softmax(logits, axis=-1 if axis is None else axis)


def gelu(features: Any, approximate: bool = False) -> Any:
    """Return the Gaussian error linear unit."""
    return ops.gelu(features, approximate=approximate)


def leaky_relu(features: Any, alpha: float = 0.2) -> Any:
    """Return `features`, with those below 0 multiplied by `alpha`."""
    return ops.leaky_relu(features, negative_slope=alpha)


def silu(features: Any, beta: float = 1.0) -> Any:
    """Return ``features * sigmoid(beta * features)``."""
    return ops.silu(features) if beta == 1.0 else ops.multiply(features, ops.sigmoid(ops.multiply(features, beta)))


_ACTIVATIONS = ("relu", "relu6", "elu", "selu", "sigmoid", "softplus", "softsign", "tanh", "log_sigmoid")

#: Name in a config, without ``compat.v1``, -> function. `named_function` also finds those of `rows.py`.
FUNCTIONS: dict[str, Callable] = {
    **{f"nn.{name}": getattr(ops, name) for name in _ACTIVATIONS},
    **{f"math.{name}": getattr(ops, name) for name in ("sigmoid", "softplus", "tanh", "log_sigmoid")},
    "__operators__.add": lambda x, y: ops.add(x, y),
    "__operators__.getitem": get_item,
    "floor_div": lambda x, y: ops.floor_divide(x, y),
    "div": lambda x, y: ops.true_divide(x, y),
    "reshape": reshape,
    "broadcast_to": broadcast_to,
    "zeros_like": lambda input, dtype=None: ops.zeros_like(input, dtype=None if dtype is None else str(dtype)),
    "ones_like": lambda input, dtype=None: ops.ones_like(input, dtype=None if dtype is None else str(dtype)),
    "tile": lambda input, multiples: ops.tile(input, tuple(multiples)),
    "repeat": lambda input, repeats, axis=None: ops.repeat(input, repeats, axis=axis),
    "tensordot": lambda a, b, axes: ops.tensordot(a, b, axes=axes),
    "einsum": lambda equation, *inputs: ops.einsum(equation, *inputs),
    "where": where,
    "reduce_mean": reduce_mean,
    "math.reduce_mean": reduce_mean,
    "cast": cast,
    "shape": lambda input, out_type=None: shape(input),
    "transpose": transpose,
    "linalg.matrix_transpose": lambda a, conjugate=False: ops.swapaxes(a, -1, -2),
    "linalg.matmul": matmul,
    "matmul": matmul,
    "one_hot": one_hot,
    "split": split,
    "pad": pad,
    "gather": gather,
    "nn.embedding_lookup": lambda params, ids, max_norm=None: gather(params, ids),
    "norm": norm,
    "linalg.norm": norm,
    "math.l2_normalize": l2_normalize,
    "nn.l2_normalize": l2_normalize,
    "math.add_n": add_n,
    "add_n": add_n,
    "math.accumulate_n": add_n,
    "math.squared_difference": squared_difference,
    "math.cumsum": cumsum,
    "nn.bias_add": bias_add,
    "nn.softmax": softmax,
    "math.softmax": softmax,
    "nn.log_softmax": log_softmax,
    "nn.gelu": gelu,
    "nn.leaky_relu": leaky_relu,
    "nn.silu": silu,
    "nn.swish": silu,
    "nn.depth_to_space": lambda input, block_size, data_format="NHWC": ops.depth_to_space(input, block_size),
    "nn.space_to_depth": lambda input, block_size, data_format="NHWC": ops.space_to_depth(input, block_size),
    "ensure_shape": lambda x, shape: x,
    "debugging.check_numerics": lambda tensor, message="": tensor,
    "math.top_k": lambda input, k=1, sorted=True: ops.top_k(input, k, sorted=sorted),
    "nn.top_k": lambda input, k=1, sorted=True: ops.top_k(input, k, sorted=sorted),
}
