"""Nodes of TensorFlow's graph between the layers of a model of tf.keras 2.0 to 2.3: ``TensorFlowOpLayer``.

Follows https://www.tensorflow.org/api_docs/python/tf/raw_ops. Only what is in these tables is ever called.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from cornu import ops
from cornu.compat.backend.calls import shape
from cornu.compat.tensorflow import operations
from cornu.compat.tensorflow.operations import OldFunction
from cornu.core.errors import unknown

Attributes = dict[str, Any]


def graph_node(entry: dict[str, Any]) -> OldFunction:
    """Return the function of a ``TensorFlowOpLayer``; ValueError if its node is not known, or is malformed."""
    config = entry["config"]
    node, constants = config.get("node_def"), config.get("constants") or {}
    if not isinstance(node, dict) or not isinstance(constants, dict):
        raise ValueError(f"The layer {config.get('name')!r} has no node of a graph that can be read (node_def).")
    compute = NODES.get(str(node.get("op")))
    if compute is None:
        raise unknown("node of TensorFlow's graph between the layers", str(node.get("op")), NODES)
    attributes = {name: _attribute(value) for name, value in (node.get("attr") or {}).items()}

    def call(tensors: Any) -> Any:
        tensors = tensors if isinstance(tensors, list) else [tensors]
        given = iter(tensors)
        inputs = [
            constants[str(i)] if str(i) in constants else next(given, None)
            for i in range(len(constants) + len(tensors))
        ]
        return compute(inputs, attributes)

    return OldFunction(str(config.get("name")), call)


def _attribute(value: Any) -> Any:
    """Return the value of an attribute, which JSON has as ``{"i": "3"}``, ``{"b": true}`` or ``{"list": ...}``."""
    kind: Any
    content: Any
    kind, content = next(iter(value.items()), ("", None)) if isinstance(value, dict) else ("", None)
    if kind == "list":
        return [_attribute({"i": one}) for one in content.get("i", [])]
    if kind == "i":
        return int(content)
    return str(content).removeprefix("DT_").lower() if kind == "type" else content


def _plainly(function: Callable) -> Callable:
    return lambda inputs, attributes: function(*inputs)


def _reduction(function: Callable) -> Callable:
    def compute(inputs: list, attributes: Attributes) -> Any:
        axis = tuple(inputs[1]) if isinstance(inputs[1], list) else inputs[1]
        return function(inputs[0], axis=axis, keepdims=bool(attributes.get("keep_dims")))

    return compute


def _strided_slice(inputs: list, attributes: Attributes) -> Any:
    """Return a slice: bits of masks say which entries have no beginning or end, and which are not slices."""
    x, begin, end, steps = inputs

    def bit(mask: str, position: int) -> bool:
        return bool(attributes.get(f"{mask}_mask", 0) >> position & 1)

    key: list[Any] = []
    for i, (first, last, step) in enumerate(zip(begin, end, steps, strict=True)):
        if bit("ellipsis", i):
            key.append(Ellipsis)
        elif bit("new_axis", i):
            key.append(None)
        elif bit("shrink_axis", i):
            key.append(first)
        else:
            key.append(
                slice(None if bit("begin", i) else first, None if bit("end", i) else last, None if step == 1 else step)
            )
    return x[key[0]] if isinstance(x, tuple) else x[tuple(key)]


def _product(inputs: list, attributes: Attributes) -> Any:
    first = attributes.get("transpose_a") or attributes.get("adj_x")
    second = attributes.get("transpose_b") or attributes.get("adj_y")
    return operations.matmul(inputs[0], inputs[1], transpose_a=bool(first), transpose_b=bool(second))


#: Operation of TensorFlow's graph, and the function of `cornu.ops` that computes it.
_SAME = (
    "Add=add AddV2=add Sub=subtract Mul=multiply RealDiv=true_divide Div=true_divide FloorDiv=floor_divide "
    "FloorMod=mod Mod=fmod Pow=power DivNoNan=divide_no_nan Maximum=maximum Minimum=minimum Atan2=arctan2 "
    "Equal=equal NotEqual=not_equal Greater=greater GreaterEqual=greater_equal Less=less LessEqual=less_equal "
    "LogicalAnd=logical_and LogicalOr=logical_or LogicalNot=logical_not Neg=negative Abs=absolute Exp=exp "
    "Expm1=expm1 Log=log Log1p=log1p Sqrt=sqrt Rsqrt=rsqrt Square=square Sin=sin Cos=cos Tan=tan Tanh=tanh "
    "Sinh=sinh Cosh=cosh Sigmoid=sigmoid Sign=sign Floor=floor Ceil=ceil Round=round Rint=round Erf=erf "
    "Reciprocal=reciprocal Inv=reciprocal Softplus=softplus Softsign=softsign Relu=relu Relu6=relu6 Elu=elu "
    "Selu=selu Softmax=softmax LogSoftmax=log_softmax Identity=convert_to_tensor StopGradient=stop_gradient "
    "ZerosLike=zeros_like OnesLike=ones_like Select=where SelectV2=where ClipByValue=clip IsNan=isnan "
    "IsInf=isinf IsFinite=isfinite"
)

#: Names of dtypes in TensorFlow's graphs that are not numpy's.
_TYPES = {"float": "float32", "half": "float16", "double": "float64"}

#: Operation of TensorFlow's graph -> function of its inputs and attributes.
NODES: dict[str, Callable] = {
    **{node: _plainly(getattr(ops, name)) for node, name in (pair.split("=") for pair in _SAME.split())},
    **{node.capitalize(): _reduction(getattr(ops, node)) for node in ("mean", "sum", "max", "min", "prod")},
    "Any": _reduction(ops.any),
    "All": _reduction(ops.all),
    "ArgMax": lambda inputs, attributes: ops.argmax(inputs[0], axis=inputs[1]),
    "ArgMin": lambda inputs, attributes: ops.argmin(inputs[0], axis=inputs[1]),
    "SquaredDifference": _plainly(operations.squared_difference),
    "LeakyRelu": lambda inputs, attributes: operations.leaky_relu(inputs[0], attributes.get("alpha", 0.2)),
    "BiasAdd": _plainly(operations.bias_add),
    "AddN": lambda inputs, attributes: operations.add_n(inputs),
    "ConcatV2": lambda inputs, attributes: ops.concatenate(inputs[:-1], axis=inputs[-1]),
    "Pack": lambda inputs, attributes: ops.stack(inputs, axis=attributes.get("axis", 0)),
    "Unpack": lambda inputs, attributes: ops.unstack(inputs[0], axis=attributes.get("axis", 0)),
    "Split": lambda inputs, attributes: ops.split(inputs[1], attributes["num_split"], axis=inputs[0]),
    "SplitV": lambda inputs, attributes: operations.split(inputs[0], inputs[1], axis=inputs[2]),
    "Reshape": _plainly(operations.reshape),
    "Transpose": _plainly(operations.transpose),
    "ExpandDims": lambda inputs, attributes: ops.expand_dims(inputs[0], inputs[1]),
    "Squeeze": lambda inputs, attributes: ops.squeeze(inputs[0], axis=tuple(attributes["squeeze_dims"]) or None),
    "Tile": lambda inputs, attributes: ops.tile(inputs[0], tuple(inputs[1])),
    "ReverseV2": lambda inputs, attributes: ops.flip(inputs[0], axis=tuple(inputs[1])),
    "Cast": lambda inputs, attributes: operations.cast(inputs[0], _TYPES.get(attributes["DstT"], attributes["DstT"])),
    "GatherV2": lambda inputs, attributes: partial(operations.gather, batch_dims=attributes.get("batch_dims", 0))(
        *inputs
    ),
    "StridedSlice": _strided_slice,
    "Shape": lambda inputs, attributes: shape(inputs[0]),
    "MatMul": _product,
    "BatchMatMul": _product,
    "BatchMatMulV2": _product,
    "Pad": _plainly(operations.pad),
    "PadV2": lambda inputs, attributes: operations.pad(inputs[0], inputs[1], constant_values=inputs[2]),
    "OneHot": lambda inputs, attributes: partial(operations.one_hot, axis=attributes.get("axis", -1))(*inputs),
    "Cumsum": lambda inputs, attributes: partial(
        operations.cumsum, exclusive=bool(attributes.get("exclusive")), reverse=bool(attributes.get("reverse"))
    )(*inputs),
}
