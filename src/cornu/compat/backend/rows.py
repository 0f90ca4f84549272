"""The functions of `keras.backend` that are functions of `keras.ops` with other names.

Follows https://keras.io/2.2.4 ``keras.backend``.
"""

from cornu.compat.renamed import Renamed, each

#: Keyword of Keras 1 -> that of Keras 2.
OLD_KEYWORDS = {"dim": "axis"}

_CONVOLUTION = "x, kernel, strides={0}, padding='valid', data_format=None, dilation_rate={0}"
_SEPARABLE = "x, depthwise_kernel, pointwise_kernel, strides={0}, padding='valid', data_format=None, dilation_rate={0}"
_ACTIVATIONS = "cornu.activations"

ROWS: dict[str, Renamed] = {
    # one value for each element
    **each("abs cos exp log round sign sin square identity=convert_to_tensor", "x"),
    **each("equal not_equal greater greater_equal less less_equal maximum minimum", "x, y"),
    **each("lesser=less lesser_equal=less_equal", "x, y"),  # Keras 1
    "pow": Renamed("x, a", "power", {"a": "x2"}),
    "cast": Renamed("x, dtype"),
    **each("zeros_like ones_like", "x, dtype=None, name=None"),
    # along axes
    **each("sum max min prod any all", "x, axis=None, keepdims=False"),
    **each("mean std var logsumexp", "x, axis=None, keepdims=False", floats=True),
    **each("argmax argmin", "x, axis=-1"),
    **each("cumsum cumprod", "x, axis=0"),
    "l2_normalize": Renamed("x, axis=None", "normalize", always={"epsilon": 1e-6}, floats=True),
    "in_top_k": Renamed("predictions, targets, k", renamed={"predictions": "predictions"}),
    # products and shapes
    "dot": Renamed("x, y"),
    **each("transpose flatten=ravel", "x"),
    "permute_dimensions": Renamed("x, pattern", "transpose", {"pattern": "axes"}),
    "expand_dims": Renamed("x, axis=-1"),
    "squeeze": Renamed("x, axis"),
    "repeat_elements": Renamed("x, rep, axis", "repeat", {"rep": "repeats"}),
    "tile": Renamed("x, n", "", {"n": "reps"}),
    "concatenate": Renamed("tensors, axis=-1"),
    "stack": Renamed("x, axis=0"),
    "reverse": Renamed("x, axes", "flip"),
    "arange": Renamed("start, stop=None, step=1, dtype='int32'"),
    # activations, losses, normalization
    **{name: Renamed("x", f"{_ACTIVATIONS}:{name}") for name in ("sigmoid", "softplus", "softsign", "tanh")},
    "hard_sigmoid": Renamed("x", f"{_ACTIVATIONS}:hard_sigmoid_of_keras_2", floats=True),
    "elu": Renamed("x, alpha=1.0", f"{_ACTIVATIONS}:elu"),
    "relu": Renamed("x, alpha=0.0, max_value=None, threshold=0.0", f"{_ACTIVATIONS}:relu", {"alpha": "negative_slope"}),
    "softmax": Renamed("x, axis=-1", floats=True),
    "categorical_crossentropy": Renamed("target, output, from_logits=False, axis=-1"),
    "batch_normalization": Renamed(
        "x, mean, var, beta=None, gamma=None, axis=-1, epsilon=1e-3",
        "",
        {"beta": "offset", "gamma": "scale"},
        floats=True,
    ),
    # convolutions
    "conv1d": Renamed(_CONVOLUTION.format(1), "conv"),
    "conv2d": Renamed(_CONVOLUTION.format((1, 1)), "conv"),
    "conv3d": Renamed(_CONVOLUTION.format((1, 1, 1)), "conv"),
    "depthwise_conv2d": Renamed(_CONVOLUTION.format((1, 1)).replace("kernel", "depthwise_kernel"), "depthwise_conv"),
    "separable_conv1d": Renamed(_SEPARABLE.format(1), "separable_conv"),
    "separable_conv2d": Renamed(_SEPARABLE.format((1, 1)), "separable_conv"),
}
