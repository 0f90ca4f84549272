"""Which class Keras 3 writes for a function between a model's layers, and what of a call is in the class's config.

Follows the classes in ``keras.src.ops`` of Keras 3.15.
"""

from typing import Any, NamedTuple

from cornu.core.names import to_snake_case

MODULES = "keras.src.ops."


class Form(NamedTuple):
    """How Keras 3 writes a function: its class, the arguments of its call, and those of its config.

    A call argument that begins with ``*`` takes all the remaining arguments.
    """

    module: str
    class_name: str
    function: str
    call: tuple[str, ...]
    config: tuple[str, ...]

    def entry(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return the entry of the function in a model's config."""
        return {
            "module": f"{MODULES}{self.module}",
            "class_name": self.class_name,
            "config": config,
            "registered_name": self.class_name,
        }


#: Module -> arguments of the call, and after ``|`` of the config -> classes; ``Class=function`` where the function is
#: not called like the class.
_TABLE: dict[str, dict[str, str]] = {
    "numpy": {
        "array | k axes": "Rot90",
        "x": (
            "Absolute Abs Fabs Angle Arccos Arccosh Arcsin Arcsinh Arctan Arctanh BitwiseInvert "
            "BitwiseNot Cbrt Ceil Conjugate Conj Copy Cos Cosh Deg2rad Rad2deg Exp Exp2 Expm1 Fliplr "
            "Flipud Floor Imag I0 Isfinite Isinf Isnan Isneginf Isposinf Isreal Log Log10 Log1p Log2 "
            "LogicalNot Ndim Nonzero Ravel Real Reciprocal Sign Signbit Sin Sinc Sinh Size Tan Tanh "
            "Trunc Negative Square Sqrt Corrcoef Slogdet"
        ),
        "x1 x2": (
            "Add Arctan2 Heaviside Dot Equal Gcd Greater GreaterEqual Hypot Kron Lcm Ldexp Less "
            "LessEqual Logaddexp Logaddexp2 LogicalAnd LogicalOr Matmul Maximum Fmax Minimum Fmin Mod "
            "Fmod NotEqual Outer Vdot Inner Subtract Multiply Divide DivideNoNan TrueDivide Power "
            "Nextafter FloorDivide LogicalXor"
        ),
        "x | axis keepdims": (
            "All Any Amax Amin Argmax Argmin Median Nanargmax Nanargmin Nanmax Nanmean Nanmedian "
            "Nanmin Nanprod Nanstd Nansum Nanvar Ptp Std Mean Var Sum"
        ),
        "x1 x2 | rtol atol equal_nan": "AllClose=allclose",
        "x1 x2 | axis": "Append",
        "start stop step | dtype": "Arange",
        "x | axis": "Argsort CountNonzero ExpandDims Flip Sort Stack Squeeze",
        "x | dtype": "Array View EmptyLike OnesLike ZerosLike",
        "x weights | axis": "Average",
        "x | weights minlength sparse": "Bincount",
        "x y": "BitwiseAnd BitwiseOr BitwiseXor BitwiseLeftShift LeftShift BitwiseRightShift RightShift",
        "x | shape": "BroadcastTo",
        "x | x_min x_max": "Clip",
        "xs | axis": "Concatenate",
        "x1 x2 | axisa axisb axisc axis": "Cross",
        "x | axis dtype": "Cumprod Cumsum Nancumsum Nancumprod",
        "x | k": "Diag Diagflat Tril Triu",
        "x | offset axis1 axis2": "Diagonal Trace",
        "a | n axis": "Diff",
        "x bins": "Digitize",
        "xs": "Dstack Hstack Vstack",
        "*operands | subscripts": "Einsum",
        "fill_value | shape dtype": "Full",
        "x fill_value | dtype": "FullLike",
        "x key": "GetItem",
        "start stop | num endpoint dtype axis": "Geomspace",
        "x | indices_or_sections": "Hsplit Vsplit Dsplit",
        "x1 x2 rtol atol | equal_nan": "Isclose",
        "x1 x2 | assume_unique invert": "IsIn=isin",
        "start stop | num endpoint retstep dtype axis": "Linspace",
        "start stop | num endpoint base dtype axis": "Logspace",
        "x | axis keepdims initial": "Max Min",
        "*x | indexing": "Meshgrid",
        "x | source destination": "Moveaxis",
        "x q | axis method keepdims": "Nanpercentile Nanquantile Percentile Quantile",
        "x | nan posinf neginf": "NanToNum",
        "x constant_values | pad_width mode": "Pad",
        "x | axis keepdims dtype": "Prod",
        "indices | shape": "UnravelIndex",
        "x | repeats axis": "Repeat",
        "x | newshape": "Reshape",
        "x | shift axis": "Roll",
        "x | decimals": "Round",
        "sorted_sequence values | side": "SearchSorted=searchsorted",
        "x | indices_or_sections axis": "Split ArraySplit",
        "x | axis1 axis2": "Swapaxes",
        "x indices | axis": "Take TakeAlongAxis",
        "x1 x2 | axes": "Tensordot",
        "x | repeats": "Tile",
        "condition x1 x2": "Where",
        "x | axes": "Transpose",
        "y | x dx axis": "Trapezoid",
        "x | N increasing": "Vander",
        "x1 x2 | mode": "Correlate",
        "x | kth axis": "Argpartition",
        "x | bins range": "Histogram",
        "x | sorted return_index return_inverse return_counts axis size fill_value": "Unique",
    },
    "nn": {
        "x": (
            "Relu Relu6 Sigmoid SparseSigmoid Softplus Softsign SparsePlus Silu LogSigmoid "
            "HardSigmoid HardSilu Selu TanhShrink HardTanh"
        ),
        "x | threshold": "SoftShrink HardShrink",
        "x | b": "Squareplus",
        "x | negative_slope": "LeakyRelu",
        "x | alpha": "Elu Celu",
        "x | approximate": "Gelu",
        "x | axis": "Glu Softmax LogSoftmax Sparsemax",
        "x | threshold default_value": "Threshold",
        "inputs | pool_size strides padding data_format": "MaxPool AveragePool",
        "inputs | output_size data_format": "AdaptiveMaxPool AdaptiveAveragePool",
        "inputs kernel | strides padding data_format dilation_rate": "Conv DepthwiseConv",
        "inputs depthwise_kernel pointwise_kernel | strides padding data_format dilation_rate": "SeparableConv",
        "inputs kernel | strides padding output_padding data_format dilation_rate": "ConvTranspose",
        "x | num_classes axis dtype sparse": "OneHot",
        "target output | from_logits": "BinaryCrossentropy",
        "target output | from_logits axis": "CategoricalCrossentropy SparseCategoricalCrossentropy",
        "inputs | num_classes axis dtype sparse": "MultiHot",
        "x | axes keepdims synchronized": "Moments",
        "x mean variance offset scale | axis epsilon": "BatchNorm=batch_normalization",
        "target output target_length output_length | mask_index": "CTCLoss",
        "x | axis order epsilon": "Normalize",
        "x1 x2 | max_val": "PSNR",
        "query key value bias mask scale | is_causal flash_attention attn_logits_soft_cap": "DotProductAttention",
        "x scale | axis epsilon": "RMSNorm=rms_normalization",
        "x gamma beta | axis epsilon rms_scaling": "LayerNorm=layer_normalization",
        "abs_ angle": "Polar",
        "x | kernel_size dilation padding stride": "Unfold",
        "x | output_size kernel_size dilation padding stride": "Fold",
        "x | block_size data_format": "DepthToSpace SpaceToDepth",
    },
    "core": {
        "indices values | shape": "Scatter",
        "inputs indices updates | reduction": "ScatterUpdate",
        "inputs start_indices | shape": "Slice",
        "inputs start_indices updates": "SliceUpdate",
        "variable": "StopGradient",
        "x | num axis": "Unstack",
        "x | dtype": "Cast SaturateCast",
        "x | dtype sparse ragged": "ConvertToTensor",
    },
    "math": {
        "data segment_ids | num_segments sorted": "SegmentSum SegmentMax SegmentMin SegmentProd",
        "x | k sorted": "TopK",
        "targets predictions | k": "InTopK",
        "x | axis keepdims": "Logsumexp",
        "x y": "CDist=cdist",
        "x | sequence_length sequence_stride": "ExtractSequences",
        "x": "FFT FFT2 IFFT2 Rsqrt Erf Erfc Erfinv Logdet ViewAsComplex ViewAsReal",
        "x | fft_length": "RFFT IRFFT",
        "x | sequence_length sequence_stride fft_length window center": "STFT",
        "x | sequence_length sequence_stride fft_length length window center": "ISTFT",
    },
    "linalg": {
        "x | upper": "Cholesky CholeskyInverse",
        "x": "Det Eig Eigh Inv LuFactor",
        "x | ord axis keepdims": "Norm",
        "x | mode": "Qr",
        "a b": "Solve",
        "a b | lower": "SolveTriangular",
        "x | full_matrices compute_uv": "SVD",
        "a b | rcond": "Lstsq",
        "x | tol": "MatrixRank",
        "x | rcond": "Pinv",
    },
    "image": {
        "images | data_format": "RGBToGrayscale RGBToHSV HSVToRGB SobelEdges",
        (
            "images | size interpolation antialias crop_to_aspect_ratio pad_to_aspect_ratio fill_mode fill_value "
            "data_format"
        ): "Resize",
        "images transform | interpolation fill_mode fill_value data_format": "AffineTransform",
        "images start_points end_points | interpolation fill_value data_format": "PerspectiveTransform",
        "inputs coordinates | order fill_mode fill_value": "MapCoordinates",
        "images | kernel_size sigma data_format": "GaussianBlur",
        "images | alpha sigma interpolation fill_mode fill_value seed data_format": "ElasticTransform",
        "images output_shape scale translation | spatial_dims method antialias": "ScaleAndTranslate",
        "images | size strides dilation_rate padding data_format": "ExtractPatches",
        "image1 image2 | max_val filter_size filter_sigma k1 k2 data_format": "SSIM",
        "images | top_padding left_padding bottom_padding right_padding target_height target_width data_format": (
            "PadImages"
        ),
        "images | top_cropping left_cropping bottom_cropping right_cropping target_height target_width data_format": (
            "CropImages"
        ),
    },
}

#: Function of Keras 3 -> argument of its config -> what `cornu.ops` calls it.
RENAMED: dict[str, dict[str, str]] = {
    "clip": {"x_min": "min", "x_max": "max"},
    "reshape": {"newshape": "shape"},
    "tile": {"repeats": "reps"},
}


def _forms() -> list[Form]:
    found = []
    for module, rows in _TABLE.items():
        for arguments, classes in rows.items():
            call, _, config = arguments.partition("|")
            for name in classes.split():
                class_name, _, function = name.partition("=")
                function = function or to_snake_case(class_name)
                found.append(Form(module, class_name, function, tuple(call.split()), tuple(config.split())))
    return found


_FORMS = _forms()
BY_CLASS = {form.class_name: form for form in _FORMS}
BY_FUNCTION = {form.function: form for form in _FORMS}
