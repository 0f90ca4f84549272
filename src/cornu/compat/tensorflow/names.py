"""The stand-in for `tensorflow`: which names it has, and where they come from."""

from cornu.compat.tensorflow.rows import MATH, ROWS

_OWN = "cornu.compat.tensorflow.functions"
_TRAINING = "cornu.compat.tensorflow.training"
_CONTROL = "cornu.compat.tensorflow.control"

#: Functions whose meaning differs from that of `cornu.ops`.
MEANINGS = (
    "where unique unique_with_counts norm identity no_op group control_dependencies py_function numpy_function "
    "boolean_mask gather_nd scatter_nd tensor_scatter_nd_update tensor_scatter_nd_add tensor_scatter_nd_sub "
    "size is_tensor eye gradients reduce_mean"
)


def _own(names: str) -> dict[str, str]:
    return {name: f"{_OWN}:{name}" for name in names.split()}


def _elsewhere(module: str, names: str) -> dict[str, str]:
    return {name: f"{module}:{name}" for name in names.split()}


_TYPES = _own("float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 bool")
_ACTIVATIONS = _elsewhere(
    "cornu.activations", "relu relu6 elu selu gelu leaky_relu softmax log_softmax sigmoid softplus softsign tanh silu"
)
_SESSIONS = _own(
    "ConfigProto GPUOptions Session InteractiveSession Graph get_default_graph reset_default_graph "
    "global_variables_initializer "
    "initialize_all_variables disable_eager_execution enable_eager_execution disable_v2_behavior enable_v2_behavior "
    "executing_eagerly device"
)

_DECODERS = "decode_image decode_jpeg decode_png decode_bmp"
_RECORDS = "cornu.compat.tensorflow.records"

#: Module of TensorFlow -> name -> ``module:name``.
NAMES: dict[str, dict[str, str]] = {
    "tensorflow": _TYPES
    | _own(" ".join(ROWS))
    | _SESSIONS
    | _own("constant convert_to_tensor reshape transpose matmul zeros ones one_hot shape range split pad")
    | _own("squared_difference cumsum cumprod")
    | _own("set_random_seed get_logger Tensor")
    | _elsewhere("cornu.compat.tensorflow.tape", "GradientTape UnconnectedGradients custom_gradient")
    | _elsewhere(_CONTROL, "cond case switch_case while_loop map_fn vectorized_map scan foldl foldr TensorArray")
    | _elsewhere("cornu.compat.tensorflow.tensors", "TensorShape TensorSpec")
    | _elsewhere("cornu.compat.tensorflow.variables", "Variable IndexedSlices")
    | _elsewhere("cornu.compat.tensorflow.meanings", MEANINGS)
    | _elsewhere("cornu.compat.tensorflow.function", "function")
    | _elsewhere(_TRAINING, "fill add_n truncated_normal random_shuffle clip_by_global_norm clip_by_norm")
    | {
        "zeros_initializer": "cornu.initializers:Zeros",
        "ones_initializer": "cornu.initializers:Ones",
        "constant_initializer": "cornu.initializers:Constant",
        "random_normal_initializer": "cornu.initializers:RandomNormal",
        "random_uniform_initializer": "cornu.initializers:RandomUniform",
    }
    | {
        "sigmoid": "cornu.activations:sigmoid",
        "newaxis": "numpy:newaxis",
        "name_scope": f"{_OWN}:device",
        "variable_scope": f"{_OWN}:device",
        "string": f"{_OWN}:string",
        "Module": "cornu.compat.tensorflow.module:Module",
        "print": "cornu.compat.tensorflow.printing:print",
        "random_normal": f"{_OWN}:normal",
        "random_uniform": f"{_OWN}:uniform",
    },
    "tensorflow.math": _own(" ".join(MATH))
    | _elsewhere("cornu.compat.tensorflow.meanings", "reduce_mean")
    | _own("squared_difference cumsum cumprod")
    | _elsewhere("cornu.activations", "sigmoid softplus")
    | _elsewhere(_TRAINING, "confusion_matrix")
    | {"l2_normalize": "cornu.compat.backend.functions:l2_normalize"},
    "tensorflow.nn": _ACTIVATIONS
    | _elsewhere(
        _TRAINING,
        "sparse_softmax_cross_entropy_with_logits softmax_cross_entropy_with_logits "
        "softmax_cross_entropy_with_logits_v2 sigmoid_cross_entropy_with_logits",
    )
    | {
        "swish": "cornu.activations:silu",
        "l2_normalize": "cornu.compat.backend.functions:l2_normalize",
        "moments": "cornu.ops:moments",
        "dropout": "cornu.compat.backend.functions:dropout",
        "embedding_lookup": f"{_OWN}:embedding_lookup",
        "top_k": f"{_OWN}:top_k",
        "l2_loss": f"{_TRAINING}:l2_loss",
        "bias_add": "cornu.compat.backend.functions:bias_add",
    },
    "tensorflow.train": _elsewhere(
        _TRAINING,
        "AdamOptimizer GradientDescentOptimizer MomentumOptimizer RMSPropOptimizer AdagradOptimizer AdadeltaOptimizer "
        "get_or_create_global_step",
    )
    | _elsewhere(_RECORDS, "Example Features Feature BytesList FloatList Int64List"),
    "tensorflow.distribute": _elsewhere(_TRAINING, "Strategy MirroredStrategy OneDeviceStrategy get_strategy"),
    "tensorflow.distribute.experimental": _elsewhere(_TRAINING, "TPUStrategy"),
    "tensorflow.image": _elsewhere(
        "cornu.compat.tensorflow.images",
        "ResizeMethod resize resize_with_crop_or_pad resize_image_with_crop_or_pad resize_with_pad "
        "crop_to_bounding_box pad_to_bounding_box central_crop flip_left_right flip_up_down transpose rot90 "
        "convert_image_dtype "
        "adjust_brightness adjust_contrast adjust_gamma adjust_saturation adjust_hue rgb_to_grayscale grayscale_to_rgb "
        "rgb_to_hsv hsv_to_rgb per_image_standardization total_variation psnr random_flip_left_right "
        "random_flip_up_down random_brightness random_contrast random_saturation random_hue random_crop "
        "stateless_random_flip_left_right stateless_random_flip_up_down stateless_random_brightness "
        "stateless_random_contrast stateless_random_saturation stateless_random_hue stateless_random_crop " + _DECODERS,
    )
    | {"ssim": "cornu.ops.image:ssim"},
    "tensorflow.random": _own("set_seed")
    | {"set_random_seed": f"{_OWN}:set_seed"}
    | _own("normal uniform")
    | _elsewhere(_TRAINING, "truncated_normal")
    | {"shuffle": f"{_TRAINING}:random_shuffle"},
    "tensorflow.strings": _elsewhere(
        "cornu.compat.tensorflow.strings",
        "lower upper strip length substr regex_replace regex_full_match join reduce_join split unicode_split "
        "bytes_split to_number as_string",
    ),
    "tensorflow.version": {"VERSION": "cornu.compat.imports:TENSORFLOW_VERSION"},
    "tensorflow.examples.tutorials.mnist.input_data": _elsewhere("cornu.compat.tensorflow.mnist", "read_data_sets"),
    "tensorflow.config": _own(
        "list_physical_devices list_logical_devices get_visible_devices set_visible_devices set_soft_device_placement"
    )
    | _elsewhere("cornu.compat.tensorflow.function", "run_functions_eagerly functions_run_eagerly"),
    "tensorflow.config.experimental": _own(
        "list_physical_devices list_logical_devices set_memory_growth get_visible_devices set_visible_devices "
        "enable_op_determinism"
    ),
    "tensorflow.config.threading": _own("set_inter_op_parallelism_threads set_intra_op_parallelism_threads"),
    "tensorflow.logging": _own("set_verbosity DEBUG INFO WARN ERROR FATAL"),
    "tensorflow.test": _own("is_gpu_available gpu_device_name is_built_with_cuda"),
    "tensorflow.dtypes": _TYPES | _own("cast"),
    "tensorflow.data": _elsewhere("cornu.data.dataset", "Dataset AUTOTUNE INFINITE_CARDINALITY UNKNOWN_CARDINALITY")
    | _elsewhere(_RECORDS, "TFRecordDataset TextLineDataset"),
    "tensorflow.io": _elsewhere(
        _RECORDS,
        "TFRecordWriter TFRecordOptions FixedLenFeature VarLenFeature FixedLenSequenceFeature parse_single_example "
        "parse_example read_file write_file decode_raw decode_compressed",
    )
    | _elsewhere("cornu.compat.tensorflow.images", _DECODERS),
    "tensorflow.data.experimental": _elsewhere("cornu.data.dataset", "AUTOTUNE cardinality"),
    "tensorflow.linalg": _own("matmul")
    | _elsewhere("cornu.compat.tensorflow.meanings", "norm eye")
    | _elsewhere(_TRAINING, "global_norm"),
    "tensorflow.python.client.device_lib": _own("list_local_devices"),
}

PLACES: dict[str, tuple[str, ...]] = dict.fromkeys(
    [
        *NAMES,
        "tensorflow.python",
        "tensorflow.python.client",
        "tensorflow.compat",
        "tensorflow.contrib",
        "tensorflow.examples.tutorials.mnist",
    ],
    (),
) | {  # array functions that are the same in keras.ops, and parts of tf.keras that `tf` also has
    "tensorflow": ("cornu.ops",),
    "tensorflow.math": ("cornu.ops",),
    "tensorflow.linalg": ("cornu.ops",),
    "tensorflow.initializers": ("cornu.initializers",),
    "tensorflow.losses": ("cornu.losses",),
    "tensorflow.metrics": ("cornu.metrics",),
    "tensorflow.optimizers": ("cornu.optimizers",),
    "tensorflow.optimizers.schedules": ("cornu.optimizers.schedules",),
}

#: Modules that exist only because others are below them.
PARENTS = frozenset({"tensorflow._api", "tensorflow.examples", "tensorflow.examples.tutorials"})
