"""The functions of TensorFlow that are functions of `keras.ops` with other names.

Follows https://www.tensorflow.org/api_docs/python/tf of TensorFlow 2; the keywords of TensorFlow 1 are translated.
"""

from cornu.compat.renamed import Renamed, each

#: Keyword of TensorFlow 1 -> that of TensorFlow 2.
OLD_KEYWORDS = {
    "keep_dims": "keepdims",
    "reduction_indices": "axis",
    "dimension": "axis",
    "dim": "axis",
    "squeeze_dims": "axis",
    "tensor": "input",
}

_REDUCTION = "input_tensor, axis=None, keepdims=False, name=None"

#: In ``tf`` and in ``tf.math``.
MATH: dict[str, Renamed] = {
    **each("reduce_mean=mean reduce_sum=sum reduce_max=max reduce_min=min reduce_prod=prod", _REDUCTION),
    **each("reduce_any=any reduce_all=all reduce_std=std reduce_variance=var reduce_logsumexp=logsumexp", _REDUCTION),
    **{
        name: Renamed("input, axis=0, output_type=None, name=None", renamed={"output_type": None})
        for name in ("argmax", "argmin")
    },
    **each("abs ceil conj cos cosh erf erfc exp expm1 floor imag log log1p negative real reciprocal", "x, name=None"),
    **each("round rsqrt sign sin sinh sqrt square tan tanh logical_not", "x, name=None"),
    **each("acos=arccos acosh=arccosh asin=arcsin asinh=arcsinh atan=arctan atanh=arctanh", "x, name=None"),
    **each("is_nan=isnan is_inf=isinf is_finite=isfinite", "x, name=None"),
    **each("add subtract multiply divide maximum minimum pow=power mod floormod=mod", "x, y, name=None"),
    **each("floordiv=floor_divide divide_no_nan truediv=true_divide", "x, y, name=None"),
    **each("equal not_equal greater greater_equal less less_equal", "x, y, name=None"),
    **each("logical_and logical_or logical_xor", "x, y, name=None"),
    "atan2": Renamed("y, x, name=None", "arctan2"),
    "top_k": Renamed("input, k=1, sorted=True, name=None"),
}

#: In ``tf`` alone.
ARRAYS: dict[str, Renamed] = {
    **each("identity=convert_to_tensor stop_gradient", "input, name=None"),
    "expand_dims": Renamed("input, axis, name=None"),
    "squeeze": Renamed("input, axis=None, name=None"),
    "broadcast_to": Renamed("input, shape, name=None"),
    "concat": Renamed("values, axis, name=None", "concatenate"),
    "stack": Renamed("values, axis=0, name=None"),
    "unstack": Renamed("value, num=None, axis=0, name=None"),
    "reverse": Renamed("tensor, axis, name=None", "flip"),
    "where": Renamed("condition, x=None, y=None, name=None", "", {"x": "x1", "y": "x2"}),
    "clip_by_value": Renamed("t, clip_value_min, clip_value_max, name=None", "clip"),
}

ROWS = MATH | ARRAYS
