"""The stand-in for `tensorflow`: which names it has, and where they come from."""

from cornu.compat.tensorflow.rows import MATH, ROWS

_PACKAGE = "cornu.compat.tensorflow"
_OWN = f"{_PACKAGE}.functions"


def _from(file: str, names: str) -> dict[str, str]:
    """Return rows for names of a file of this package; ``old=new`` for another name there."""
    pairs = [name.partition("=") for name in names.split()]
    return {old: f"{_PACKAGE}.{file}:{new or old}" for old, _, new in pairs}


def _elsewhere(module: str, names: str) -> dict[str, str]:
    return {name: f"{module}:{name}" for name in names.split()}


_TYPES = _from(
    "dtypes",
    "float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool string complex64 "
    "complex128 half double DType as_dtype",
)
_ACTIVATIONS = _elsewhere("cornu.activations", "relu relu6 elu selu softplus softsign tanh sigmoid") | _from(
    "functions", "softmax log_softmax gelu"
)
_SESSIONS = _from(
    "settings",
    "ConfigProto GPUOptions Session InteractiveSession Graph get_default_graph get_default_session "
    "reset_default_graph placeholder placeholder_with_default gradients hessians global_variables_initializer "
    "local_variables_initializer initialize_all_variables variables_initializer tables_initializer "
    "disable_eager_execution enable_eager_execution disable_v2_behavior enable_v2_behavior enable_resource_variables "
    "disable_resource_variables enable_v2_tensorshape executing_eagerly executing_eagerly_outside_functions "
    "inside_function device variable_scope init_scope get_logger VariableSynchronization "
    "VariableAggregation DeviceSpec=Settings Operation=Settings",
) | _from("name_scopes", "name_scope=NameScope")
_CONFIG = (
    "list_physical_devices list_logical_devices get_visible_devices set_visible_devices set_memory_growth "
    "get_memory_growth set_soft_device_placement get_soft_device_placement PhysicalDevice LogicalDevice=PhysicalDevice "
    "LogicalDeviceConfiguration set_logical_device_configuration experimental_connect_to_cluster"
)
_EXPERIMENTAL_CONFIG = (
    "VirtualDeviceConfiguration set_virtual_device_configuration enable_op_determinism set_synchronous_execution "
    "get_synchronous_execution enable_tensor_float_32_execution tensor_float_32_execution_enabled get_device_details "
    "get_memory_info reset_memory_stats set_device_policy"
)

_DECODERS = (
    "decode_image decode_jpeg decode_png decode_bmp decode_gif encode_jpeg encode_png is_jpeg extract_jpeg_shape"
)
_RECORDS = "TFRecordWriter TFRecordOptions FixedLenFeature VarLenFeature FixedLenSequenceFeature parse_single_example"
_ASSERTIONS = (
    "assert_equal assert_none_equal assert_greater assert_less assert_greater_equal assert_less_equal assert_near "
    "assert_positive assert_negative assert_non_negative assert_non_positive assert_rank assert_rank_at_least "
    "assert_rank_in assert_scalar assert_shapes assert_type assert_integer Assert"
)
_MATHS = (
    "erfcinv ndtri lgamma digamma bessel_i0 bessel_i1 bessel_i0e bessel_i1e log_sigmoid reciprocal_no_nan xlogy "
    "xlog1py xdivy multiply_no_nan igamma igammac polygamma zeta nextafter betainc lbeta rint scalar_mul complex "
    "polyval reduce_euclidean_norm count_nonzero cumulative_logsumexp bincount confusion_matrix segment_sum "
    "segment_max segment_min segment_prod unsorted_segment_sum unsorted_segment_prod unsorted_segment_max "
    "unsorted_segment_min segment_mean "
    "unsorted_segment_mean unsorted_segment_sqrt_n invert_permutation is_strictly_increasing is_non_decreasing"
)
_BOTH = (
    _from("functions", "squared_difference cumsum cumprod") | _from("meanings", "reduce_mean") | _from("math", _MATHS)
)
_RANDOM = (
    "set_seed set_random_seed=set_seed normal uniform truncated_normal categorical gamma poisson shuffle Generator "
    "get_global_generator set_global_generator Algorithm stateless_normal stateless_uniform "
    "stateless_truncated_normal stateless_categorical stateless_binomial stateless_gamma stateless_poisson "
    "experimental_stateless_shuffle=stateless_shuffle split=stateless_split fold_in=stateless_fold_in"
)
_LOSSES = (
    "sparse_softmax_cross_entropy_with_logits softmax_cross_entropy_with_logits "
    "softmax_cross_entropy_with_logits_v2 sigmoid_cross_entropy_with_logits"
)
_WINDOWS = (
    "convolution conv1d conv2d conv3d atrous_conv2d conv_transpose conv1d_transpose conv2d_transpose conv3d_transpose "
    "depthwise_conv2d depthwise_conv2d_native=depthwise_conv2d separable_conv2d pool max_pool max_pool1d max_pool2d "
    "max_pool3d avg_pool avg_pool1d avg_pool2d avg_pool3d max_pool_with_argmax dilation2d erosion2d depth_to_space "
    "space_to_depth space_to_batch batch_to_space"
)
_NETWORKS = (
    "weighted_moments normalize_moments batch_normalization l2_normalize local_response_normalization lrn leaky_relu "
    "silu swish crelu dropout bias_add top_k in_top_k approx_max_k embedding_lookup zero_fraction "
    "weighted_cross_entropy_with_logits log_poisson_loss ctc_loss compute_average_loss scale_regularization_loss"
)
_PICTURES = (
    "ResizeMethod resize resize_images=resize resize_with_crop_or_pad resize_image_with_crop_or_pad resize_with_pad "
    "crop_to_bounding_box pad_to_bounding_box central_crop flip_left_right flip_up_down transpose rot90 "
    "convert_image_dtype adjust_brightness adjust_contrast adjust_gamma adjust_saturation adjust_hue rgb_to_grayscale "
    "grayscale_to_rgb rgb_to_hsv hsv_to_rgb per_image_standardization total_variation psnr random_flip_left_right "
    "random_flip_up_down random_brightness random_contrast random_saturation random_hue random_crop "
    "stateless_random_flip_left_right stateless_random_flip_up_down stateless_random_brightness "
    "stateless_random_contrast stateless_random_saturation stateless_random_hue stateless_random_crop"
)
_FILTERS = (
    "rgb_to_yuv yuv_to_rgb rgb_to_yiq yiq_to_rgb extract_patches sobel_edges image_gradients ssim ssim_multiscale "
    "crop_and_resize non_max_suppression non_max_suppression_with_scores combined_non_max_suppression "
    "draw_bounding_boxes"
)
_LINALG = (
    "matmul matvec matrix_transpose adjoint solve inv triangular_solve cholesky_solve lstsq svd eigvals eigvalsh expm "
    "sqrtm logm slogdet lu lu_reconstruct lu_solve lu_matrix_inverse normalize LinearOperator "
    "LinearOperatorFullMatrix LinearOperatorDiag LinearOperatorLowerTriangular LinearOperatorIdentity"
)
_DIAGONALS = "band_part diag diag_part set_diag tensor_diag tensor_diag_part tridiagonal_matmul tridiagonal_solve"
_SIGNAL = (
    "fft fft2d fft3d ifft ifft2d ifft3d rfft rfft2d rfft3d irfft irfft2d irfft3d fftshift ifftshift hann_window "
    "hamming_window kaiser_window kaiser_bessel_derived_window vorbis_window frame overlap_and_add stft inverse_stft "
    "inverse_stft_window_fn dct idct mdct mfccs_from_log_mel_spectrograms linear_to_mel_weight_matrix"
)
_SPARSE = (
    "SparseTensor to_dense from_dense reorder reduce_sum reduce_max sparse_dense_matmul reshape transpose expand_dims "
    "concat slice split retain reset_shape fill_empty_rows map_values softmax maximum minimum add to_indicator eye "
    "bincount segment_sum segment_mean segment_sqrt_n"
)
_SAMPLERS = (
    "all_candidate_sampler fixed_unigram_candidate_sampler log_uniform_candidate_sampler uniform_candidate_sampler"
)
_STRINGS = (
    "lower upper strip length substr regex_replace regex_full_match join reduce_join split unicode_split bytes_split "
    "to_number as_string format to_hash_bucket_fast to_hash_bucket_strong unicode_decode "
    "unicode_encode ngrams"
)
_GFILE = (
    "GFile FastGFile Open exists isdir glob listdir makedirs mkdir remove rmtree copy rename join stat walk MkDir "
    "MakeDirs Exists IsDirectory ListDirectory Glob Remove DeleteRecursively Copy Rename"
)
_SUMMARY = (
    "SummaryWriter create_file_writer create_noop_writer scalar histogram image text audio flush "
    "should_record_summaries record_if write FileWriter"
)
_STRATEGIES = (
    "Strategy MirroredStrategy OneDeviceStrategy MultiWorkerMirroredStrategy TPUStrategy get_strategy has_strategy "
    "in_cross_replica_context get_replica_context ReduceOp InputContext ReplicaContext"
)
_ERRORS = (
    "OpError InvalidArgumentError NotFoundError AlreadyExistsError PermissionDeniedError OutOfRangeError "
    "UnimplementedError ResourceExhaustedError FailedPreconditionError InternalError DataLossError AbortedError "
    "CancelledError UnavailableError DeadlineExceededError UnauthenticatedError UnknownError OK CANCELLED UNKNOWN "
    "INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED"
)
_DATA = "Dataset AUTOTUNE INFINITE_CARDINALITY UNKNOWN_CARDINALITY"

#: Functions whose meaning differs from that of `cornu.ops`.
_MEANINGS = (
    "where unique unique_with_counts norm identity identity_n no_op group tuple control_dependencies py_function "
    "py_func=numpy_function numpy_function boolean_mask gather_nd scatter_nd tensor_scatter_nd_update "
    "tensor_scatter_nd_add tensor_scatter_nd_sub tensor_scatter_nd_max tensor_scatter_nd_min size is_tensor eye "
    "sequence_mask gather slice strided_slice reverse_sequence dynamic_partition dynamic_stitch ensure_shape "
    "get_static_value shape_n broadcast_dynamic_shape broadcast_static_shape timestamp unravel_index one_hot linspace "
    "type_spec_from_value"
)

#: Module of TensorFlow -> name -> ``module:name``.
NAMES: dict[str, dict[str, str]] = {
    "tensorflow": _TYPES
    | _from("functions", " ".join(ROWS))
    | _SESSIONS
    | _from("functions", "constant convert_to_tensor reshape transpose zeros ones shape range split pad rank")
    | _from("linalg", "matmul")
    | _from("functions", "tile repeat tensordot einsum cast zeros_like ones_like")
    | _BOTH
    | _from("functions", "Tensor TensorLike as_string")
    | _from("math", "sort argsort searchsorted histogram_fixed_width histogram_fixed_width_bins bitcast truncatediv")
    | _from("math", "truncatemod")
    | _from("tape", "GradientTape UnconnectedGradients custom_gradient grad_pass_through recompute_grad")
    | _from("control", "cond case switch_case while_loop map_fn vectorized_map scan foldl foldr TensorArray")
    | _from("tensors", "TensorShape TensorSpec TypeSpec=TensorSpec")
    | _from("variables", "Variable IndexedSlices")
    | _from("meanings", _MEANINGS)
    | _from("function", "function")
    | _from("training", "fill add_n clip_by_global_norm clip_by_norm global_norm")
    | _from("random", "truncated_normal random_shuffle=shuffle random_normal=normal random_uniform=uniform multinomial")
    | _from("random", "set_random_seed")
    | _from("nn", "space_to_batch space_to_batch_nd=space_to_batch batch_to_space depth_to_space space_to_depth")
    | _from("debugging", _ASSERTIONS)
    | _from("version1", "to_float to_double to_int32 to_int64 div assign assign_add assign_sub sparse_to_dense")
    | _from("ragged", "RaggedTensor")
    | _from("sparse", "SparseTensor")
    | _from("sets", "edit_distance")
    | _from("module", "Module")
    | _from("printing", "print")
    | _from("image_filters", "extract_image_patches=extract_patches")
    | _from(
        "diagonals", "matrix_band_part=band_part matrix_diag=diag matrix_diag_part=diag_part matrix_set_diag=set_diag"
    )
    | _from("linalg", "matrix_inverse=inv matrix_transpose matrix_solve=solve matrix_triangular_solve=triangular_solve")
    | _from("records", "read_file parse_example parse_single_example")
    | _from("strings", "string_to_number=to_number")
    | _from("meanings", "lin_space=linspace")
    | _from("files", "matching_files decode_csv")
    | {
        "floor_div": "cornu.ops:floor_divide",
        "zeros_initializer": "cornu.initializers:Zeros",
        "glorot_uniform_initializer": "cornu.initializers:GlorotUniform",
        "glorot_normal_initializer": "cornu.initializers:GlorotNormal",
        "ones_initializer": "cornu.initializers:Ones",
        "constant_initializer": "cornu.initializers:Constant",
        "random_normal_initializer": "cornu.initializers:RandomNormal",
        "random_uniform_initializer": "cornu.initializers:RandomUniform",
        "truncated_normal_initializer": "cornu.initializers:TruncatedNormal",
        "sigmoid": "cornu.activations:sigmoid",
        "newaxis": "numpy:newaxis",
    },
    "tensorflow.math": _from("functions", " ".join(MATH))
    | _BOTH
    | _elsewhere("cornu.activations", "sigmoid softplus")
    | _from("functions", "softmax log_softmax")
    | _from("nn", "l2_normalize in_top_k top_k zero_fraction approx_max_k")
    | _from("training", "add_n accumulate_n=add_n"),
    "tensorflow.math.special": _from("math", "expint spence bessel_i0 bessel_i1 bessel_i0e bessel_i1e"),
    "tensorflow.nn": _ACTIVATIONS
    | _from("training", f"{_LOSSES} l2_loss")
    | _from("nn", f"{_WINDOWS} {_NETWORKS}")
    | _from("candidates", f"{_SAMPLERS} compute_accidental_hits nce_loss sampled_softmax_loss")
    | _from(
        "ctc",
        "ctc_greedy_decoder ctc_beam_search_decoder ctc_beam_search_decoder_v2=ctc_beam_search_decoder "
        "collapse_repeated",
    )
    | _from("sparse", "embedding_lookup_sparse safe_embedding_lookup_sparse")
    | {"moments": "cornu.ops:moments"},
    "tensorflow.nn.experimental": _from("nn", "stateless_dropout"),
    "tensorflow.train": _from(
        "training",
        "AdamOptimizer GradientDescentOptimizer MomentumOptimizer RMSPropOptimizer AdagradOptimizer AdadeltaOptimizer "
        "get_or_create_global_step ExponentialMovingAverage",
    )
    | _from("checkpoints", "Checkpoint CheckpointManager latest_checkpoint list_variables")
    | _from("records", "Example Features Feature BytesList FloatList Int64List"),
    "tensorflow.distribute": _from("distribute", _STRATEGIES),
    "tensorflow.distribute.experimental": _from(
        "distribute", "TPUStrategy MultiWorkerMirroredStrategy CentralStorageStrategy"
    ),
    "tensorflow.distribute.cluster_resolver": _from("settings", "TPUClusterResolver=Settings"),
    "tensorflow.image": _from("images", _PICTURES)
    | _from("version1", "resize_bilinear resize_nearest_neighbor resize_bicubic resize_area")
    | _from("image_filters", _FILTERS)
    | _from("image_files", f"{_DECODERS} adjust_jpeg_quality random_jpeg_quality stateless_random_jpeg_quality"),
    "tensorflow.random": _from("random", _RANDOM) | _from("candidates", _SAMPLERS),
    "tensorflow.random.experimental": _from(
        "random",
        "Generator get_global_generator set_global_generator stateless_split stateless_shuffle stateless_fold_in",
    ),
    "tensorflow.strings": _from("strings", _STRINGS),
    "tensorflow.version": {"VERSION": "cornu.compat.imports:TENSORFLOW_VERSION"}
    | _from("settings", "GIT_VERSION COMPILER_VERSION"),
    "tensorflow.examples.tutorials.mnist.input_data": _from("mnist", "read_data_sets"),
    "tensorflow.config": _from("settings", _CONFIG)
    | _from(
        "function",
        "run_functions_eagerly functions_run_eagerly experimental_run_functions_eagerly=run_functions_eagerly",
    ),
    "tensorflow.config.experimental": _from("settings", f"{_CONFIG} {_EXPERIMENTAL_CONFIG}"),
    "tensorflow.config.threading": _from(
        "settings",
        "set_inter_op_parallelism_threads set_intra_op_parallelism_threads get_inter_op_parallelism_threads "
        "get_intra_op_parallelism_threads",
    ),
    "tensorflow.config.optimizer": _from(
        "settings", "set_jit get_jit set_experimental_options get_experimental_options"
    ),
    "tensorflow.logging": _from(
        "settings", "set_verbosity get_verbosity DEBUG INFO WARN ERROR FATAL log info warning warn error"
    ),
    "tensorflow.test": _from(
        "settings",
        "is_gpu_available gpu_device_name is_built_with_cuda is_built_with_gpu_support is_built_with_rocm "
        "is_built_with_xla",
    )
    | {"TestCase": "unittest:TestCase", "main": "unittest:main"},
    "tensorflow.sysconfig": _from("settings", "get_build_info"),
    "tensorflow.profiler.experimental": _from("settings", "start stop Trace=device Profile=device"),
    "tensorflow.tpu.experimental": _from("settings", "initialize_tpu_system"),
    "tensorflow.autograph": _from("settings", "set_verbosity trace=info"),
    "tensorflow.autograph.experimental": _from("function", "do_not_convert set_loop_options"),
    "tensorflow.types.experimental": _from("functions", "TensorLike Tensor") | {"Callable": "collections.abc:Callable"},
    "tensorflow.dtypes": _TYPES | _from("functions", "cast saturate_cast complex"),
    "tensorflow.debugging": _from(
        "debugging",
        f"{_ASSERTIONS} assert_all_finite check_numerics assert_same_float_dtype is_numeric_tensor",
    )
    | _from(
        "settings",
        "set_log_device_placement enable_check_numerics disable_check_numerics enable_traceback_filtering "
        "disable_traceback_filtering",
    ),
    "tensorflow.errors": _from("errors", _ERRORS),
    "tensorflow.nest": _from(
        "nest", "flatten pack_sequence_as map_structure assert_same_structure is_nested is_sequence=is_nested"
    ),
    "tensorflow.bitwise": _from("math", "bitwise_and bitwise_or bitwise_xor left_shift right_shift invert"),
    "tensorflow.lookup": _from(
        "lookup",
        "KeyValueTensorInitializer StaticHashTable StaticVocabularyTable TextFileInitializer TextFileIndex",
    ),
    "tensorflow.lookup.experimental": _from("lookup", "MutableHashTable DenseHashTable"),
    "tensorflow.ragged": _from("ragged", "constant stack range=range_ boolean_mask map_flat_values RaggedTensor"),
    "tensorflow.sparse": _from("sparse", _SPARSE),
    "tensorflow.sets": _from("sets", "intersection union difference size"),
    "tensorflow.signal": _from("signal", _SIGNAL),
    "tensorflow.audio": _from("audio", "decode_wav encode_wav"),
    "tensorflow.summary": _from("summaries", _SUMMARY) | _from("settings", "trace_on trace_off trace_export"),
    "tensorflow.summary.experimental": _from("summaries", "set_step get_step write_raw_pb=write"),
    "tensorflow.compat": _from("files", "as_str as_bytes as_text as_str_any"),
    "tensorflow.data": _elsewhere("cornu.data.dataset", _DATA)
    | {"Iterator": "cornu.data.dataset:OwnedIterator"}
    | _from("version1", "make_one_shot_iterator make_initializable_iterator=make_one_shot_iterator")
    | _from("settings", "Options=Settings ThreadingOptions=Settings")
    | _from("records", "TFRecordDataset TextLineDataset"),
    "tensorflow.io": _from(
        "records",
        f"{_RECORDS} parse_example read_file write_file decode_raw decode_compressed",
    )
    | _from("files", "matching_files serialize_tensor parse_tensor decode_csv encode_base64 decode_base64")
    | _from("image_files", _DECODERS),
    "tensorflow.io.gfile": _from("files", _GFILE),
    "tensorflow.gfile": _from("files", _GFILE),
    "tensorflow.experimental.numpy": _from("settings", "experimental_enable_numpy_behavior"),
    "tensorflow.data.experimental": _elsewhere(
        "cornu.data.dataset", "AUTOTUNE cardinality INFINITE_CARDINALITY UNKNOWN_CARDINALITY"
    )
    | _from(
        "transformations",
        "sample_from_datasets choose_from_datasets unbatch shuffle_and_repeat map_and_batch prefetch_to_device "
        "ignore_errors assert_cardinality get_single_element make_csv_dataset CsvDataset "
        "bucket_by_sequence_length dense_to_ragged_batch group_by_window "
        "save load Counter RandomDataset",
    )
    | _from("settings", "AutoShardPolicy"),
    "tensorflow.linalg": _from("functions", "tensordot einsum")
    | _from("meanings", "norm eye")
    | _from("linalg", _LINALG)
    | _from("diagonals", _DIAGONALS)
    | _from("nn", "l2_normalize")
    | _from("training", "global_norm"),
    "tensorflow.python.client.device_lib": _from("settings", "list_local_devices"),
}

PLACES: dict[str, tuple[str, ...]] = dict.fromkeys(
    [
        *NAMES,
        "tensorflow.python",
        "tensorflow.python.client",
        "tensorflow.experimental",
        "tensorflow.profiler",
        "tensorflow.tpu",
        "tensorflow.types",
        "tensorflow.contrib",
        "tensorflow.examples.tutorials.mnist",
    ],
    (),
) | {  # array functions that are the same in keras.ops, and parts of tf.keras that `tf` also has
    "tensorflow": ("cornu.ops",),
    "tensorflow.math": ("cornu.ops",),
    "tensorflow.linalg": ("cornu.ops",),
    "tensorflow.experimental.numpy": ("jax.numpy",),
    "tensorflow.initializers": ("cornu.initializers",),
    "tensorflow.losses": ("cornu.losses",),
    "tensorflow.metrics": ("cornu.metrics",),
    "tensorflow.optimizers": ("cornu.optimizers",),
    "tensorflow.optimizers.schedules": ("cornu.optimizers.schedules",),
}

#: Modules that exist only because others are below them.
PARENTS = frozenset({"tensorflow._api", "tensorflow.examples", "tensorflow.examples.tutorials"})
