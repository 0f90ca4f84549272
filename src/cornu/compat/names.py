"""Old module paths and old names, as tables: the one place that knows where each Keras version kept things.

A *place* is a module of today's Keras namespace (``layers``, ``utils``, ...); the import hook looks a name up in the
Cornu modules of its place, then in the place's old names.
"""

import re
from typing import Any

#: Place -> the modules of Cornu that have its names, in the order of lookup.
PLACES: dict[str, tuple[str, ...]] = (
    {
        "": ("cornu",),
        "activations": ("cornu.activations",),
        "applications": ("cornu.applications",),
        "backend": ("cornu.compat.backend.functions", "cornu.backend"),
        "callbacks": ("cornu.callbacks",),
        "config": ("cornu.config", "cornu.compat.backend.functions"),
        "constraints": ("cornu.constraints",),
        "datasets": ("cornu.datasets",),
        "distribution": ("cornu.distribution",),
        "dtype_policies": ("cornu.dtype_policies", "cornu.core.dtype_policies"),
        "engine": ("cornu.layers", "cornu.models", "cornu.utils", "cornu.callbacks"),
        "initializations": ("cornu.compat.initializations", "cornu.initializers"),
        "initializers": ("cornu.initializers",),
        "layers": ("cornu.layers",),
        "layers.experimental.preprocessing": ("cornu.compat.old_preprocessing", "cornu.layers"),
        "legacy": (),
        "losses": ("cornu.losses",),
        "metrics": ("cornu.metrics", "cornu.losses"),
        "mixed_precision": ("cornu.mixed_precision",),
        "models": ("cornu.models",),
        "ops": ("cornu.ops",),
        "ops.image": ("cornu.ops.image",),
        "ops.linalg": ("cornu.ops.linalg",),
        "ops.nn": ("cornu.ops.nn",),
        "ops.numpy": ("cornu.ops.numpy",),
        "optimizers": ("cornu.optimizers",),
        "optimizers.schedules": ("cornu.optimizers.schedules",),
        "preprocessing": (),
        "preprocessing.image": ("cornu.preprocessing.image", "cornu.utils"),
        "preprocessing.sequence": ("cornu.preprocessing.sequence", "cornu.preprocessing", "cornu.utils"),
        "preprocessing.text": ("cornu.preprocessing.text",),
        "random": ("cornu.random",),
        "regularizers": ("cornu.regularizers",),
        "saving": ("cornu.saving", "cornu.models", "cornu.core.registry"),
        "utils": ("cornu.utils", "cornu.core.registry", "cornu.core.seeds"),
        "utils.bounding_boxes": ("cornu.utils.bounding_boxes",),
        "visualization": ("cornu.visualization",),
        "wrappers": ("cornu.wrappers",),
        "wrappers.scikit_learn": ("cornu.wrappers.scikit_learn",),
    }
    | {
        f"datasets.{name}": (f"cornu.datasets.{name}",)
        for name in (
            "boston_housing",
            "california_housing",
            "cifar10",
            "cifar100",
            "fashion_mnist",
            "imdb",
            "mnist",
            "reuters",
        )
    }
    | {
        f"applications.{name}": (f"cornu.applications.{name}",)
        for name in (
            *("convnext", "efficientnet", "efficientnet_v2", "regnet", "resnet_rs"),
            *("densenet", "imagenet_utils", "inception_resnet_v2", "inception_v3", "mobilenet", "mobilenet_v2"),
            *("mobilenet_v3", "nasnet", "resnet", "resnet50", "resnet_v2", "vgg16", "vgg19", "xception"),
        )
    }
)

#: Old place -> the place that has its names today. The last dotted parts are files of old versions.
MOVED_PLACES: dict[str, str] = {
    "objectives": "losses",
    "applications.mobilenetv2": "applications.mobilenet_v2",
    "engine.input_layer": "engine",
    "layers.experimental": "layers",
    "legacy.layers": "layers",
    "legacy.losses": "losses",
    "legacy.backend": "backend",
    "legacy.saving": "saving",
    "legacy.preprocessing": "preprocessing",
    "legacy.preprocessing.image": "preprocessing.image",
    "legacy.preprocessing.sequence": "preprocessing.sequence",
    "legacy.preprocessing.text": "preprocessing.text",
    "wrappers.sklearn_wrapper": "wrappers",
    "mixed_precision.experimental": "mixed_precision",
    "optimizers.legacy": "optimizers",
    "optimizers.experimental": "optimizers",
    "optimizer_v1": "optimizers",
    "optimizer_v2": "optimizers",
    "optimizers.learning_rate_schedule": "optimizers.schedules",
    "optimizers.schedules.learning_rate_schedule": "optimizers.schedules",
    "optimizer_v2.learning_rate_schedule": "optimizers.schedules",
    "saving.hdf5_format": "saving",
    "saving.legacy": "saving",
    "utils.legacy": "utils",
} | {
    f"{place}.{file}": place
    for place, files in {
        "backend": "common load_backend tensorflow_backend theano_backend cntk_backend",
        "engine": "base_layer base_layer_v1 functional input_spec keras_tensor network sequential topology training "
        "training_v1 data_adapter training_utils saving compile_utils",
        "layers": "activation activations advanced_activations attention attentions containers convolutional "
        "convolutional_recurrent core dense_attention einsum_dense embeddings local merge merging noise normalization "
        "normalization_v2 pooling recurrent recurrent_v2 regularization reshaping rnn wrappers layer_utils "
        "preprocessing input_spec layer cudnn_recurrent",
        "callbacks": "callback history early_stopping model_checkpoint tensorboard_v1",
        "losses": "losses loss",
        "metrics": "metrics metric accuracy_metrics",
        "models": "model sequential functional cloning",
        "preprocessing.image": "affine_transformations dataframe_iterator directory_iterator image_data_generator "
        "iterator numpy_array_iterator utils",
        "optimizers": "adadelta adagrad adam adamw adamax base_optimizer ftrl gradient_descent lion nadam optimizer "
        "rmsprop sgd optimizer_v2",
        "saving": "load model_config object_registration save saving_api saving_lib saved_model_experimental",
        "utils": "all_utils control_flow_util conv_utils data_utils dataset_utils generic_utils image_utils io_utils "
        "layer_utils metrics_utils model_visualization multi_gpu_utils np_utils numerical_utils sequence_utils "
        "summary_utils test_utils tf_utils training_utils vis_utils visualize_util losses_utils",
    }.items()
    for file in files.split()
}
MOVED_PLACES |= {
    place.replace("optimizers", "optimizer_v2"): "optimizers"
    for place in MOVED_PLACES
    if place.startswith("optimizers.") and place != "optimizers.learning_rate_schedule"
}

#: Old files that became folders: ``keras.src.layers.core.dense`` is a file below one.
FOLDERS = frozenset(
    f"layers.{name}"
    for name in (
        *("activation", "attention", "convolutional", "core", "normalization", "pooling", "preprocessing"),
        *("regularization", "reshaping", "rnn"),
    )
)

_OPTIMIZERS = ("Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "RMSprop", "SGD")

#: Old place that was also callable -> what it was. Keras 1 has ``merge(...)``, Keras 2 a file of that name;
#: Keras 2 has ``optimizers.adam(lr=0.1)``, later versions a file of that name.
FUNCTIONS = {"layers.merge": "cornu.compat.layers:merge"} | {
    f"optimizers.{name.lower()}": f"cornu.optimizers:{name}" for name in _OPTIMIZERS
}

#: Layers whose old signatures differ from today's; `compat.layers` makes them.
_OLD_LAYERS = (
    *("Convolution1D", "Convolution2D", "Convolution3D", "AtrousConvolution1D", "AtrousConvolution2D", "AtrousConv1D"),
    *("AtrousConv2D", "SeparableConvolution1D", "SeparableConvolution2D", "DepthwiseConvolution2D", "Deconvolution2D"),
    *("Deconvolution3D", "Convolution2DTranspose", "Convolution3DTranspose", "ThresholdedReLU", "TimeDistributedDense"),
    "Merge",
)
_RECURRENT = (
    *("AbstractRNNCell", "CuDNNGRU", "CuDNNLSTM", "Recurrent", "_time_distributed_dense", "time_distributed_dense"),
)
_DIMENSIONS = ("1D", "2D", "3D")
_NUMPY_LOSSES = {
    "mse": "mean_squared_error",
    "MSE": "mean_squared_error",
    "mae": "mean_absolute_error",
    "MAE": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "MAPE": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "MSLE": "mean_squared_logarithmic_error",
    "kld": "kl_divergence",
    "KLD": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "cosine": "cosine_similarity",
    "cosine_proximity": "cosine_similarity",
    "logcosh": "log_cosh",
    "bce": "binary_crossentropy",
    "BCE": "binary_crossentropy",
}

_TIMESERIES = {"timeseries_dataset_from_array": "cornu.compat.tensorflow.timeseries:timeseries_dataset_from_array"}

#: Place -> old name -> today's name in the same place, or ``module:name``.
NAMES: dict[str, dict[str, str]] = {
    "": {
        "Progbar": "cornu.utils:Progbar",
        "InputSpec": "cornu.core.input_spec:InputSpec",
        "version": "cornu.compat.extras:version",
        "device": "cornu.compat.tensorflow.settings:device",
        "name_scope": "cornu.compat.tensorflow.settings:device",
    },
    "applications": {
        name: f"cornu.compat.applications:{name}"
        for name in ("correct_pad", "get_submodules_from_kwargs", "keras_modules_injection")
    },
    "applications.imagenet_utils": {"_obtain_input_shape": "cornu.compat.applications:obtain_input_shape"}
    | dict.fromkeys(
        ("_preprocess_numpy_input", "_preprocess_symbolic_input", "_preprocess_tensor_input"), "preprocess_input"
    ),
    "applications.mobilenet": {
        "relu6": "cornu.activations:relu6",
        "DepthwiseConv2D": "cornu.layers:DepthwiseConv2D",
    },
    "callbacks": {"BaseLogger": "Callback"},
    "backend": {name: f"cornu.compat.tensorflow.settings:{name}" for name in ("get_session", "set_session")}
    | {"_get_available_gpus": "cornu.compat.tensorflow.settings:available_gpus", "tf": "tensorflow"},
    "constraints": {
        "maxnorm": "MaxNorm",
        "max_norm": "MaxNorm",
        "nonneg": "NonNeg",
        "non_neg": "NonNeg",
        "unitnorm": "UnitNorm",
        "unit_norm": "UnitNorm",
        "min_max_norm": "MinMaxNorm",
    },
    "engine": {
        "InputSpec": "cornu.core.input_spec:InputSpec",
        "Merge": "cornu.compat.layers:Merge",
        "merge": "cornu.compat.layers:merge",
        "Container": "cornu.models:Model",
        "Network": "cornu.models:Model",
    }
    | {"Functional": "cornu.models:Model", "KerasTensor": "cornu.core.graph:KerasTensor"},
    "initializers": {
        "normal": "RandomNormal",
        "random_normal": "RandomNormal",
        "uniform": "RandomUniform",
        "random_uniform": "RandomUniform",
        "truncated_normal": "TruncatedNormal",
        "variance_scaling": "VarianceScaling",
        "zero": "Zeros",
        "zeros": "Zeros",
        "one": "Ones",
        "ones": "Ones",
        "constant": "Constant",
        "identity": "Identity",
        "stft": "STFT",
        "STFTInitializer": "STFT",
        "orthogonal": "Orthogonal",
        "glorot_normal": "GlorotNormal",
        "glorot_uniform": "GlorotUniform",
        "he_normal": "HeNormal",
        "he_uniform": "HeUniform",
        "lecun_normal": "LecunNormal",
        "lecun_uniform": "LecunUniform",
    },
    "layers": {
        "BatchNormalizationV1": "BatchNormalization",
        "BatchNormalizationV2": "BatchNormalization",
        "InputSpec": "cornu.core.input_spec:InputSpec",
        "K": "cornu.compat.backend.functions",
        "Model": "cornu.models:Model",
        "_Merge": "cornu.compat.layers:OldMerge",
        "Sequential": "cornu.models:Sequential",
    }
    | {name: f"cornu.compat.layers:{name}" for name in (*_OLD_LAYERS, "merge")}
    | {name: f"cornu.compat.recurrent:{name}" for name in _RECURRENT}
    | {"Convolution1DTranspose": "Conv1DTranspose"}
    | {"ConvLSTM2DCell": "cornu.compat.layers:ConvLSTM2DCell", "ConvRNN2D": "RNN", "ConvRecurrent2D": "RNN"}
    | {f"MaxPool{n}": f"MaxPooling{n}" for n in _DIMENSIONS}
    | {f"AvgPool{n}": f"AveragePooling{n}" for n in _DIMENSIONS}
    | {f"GlobalMaxPool{n}": f"GlobalMaxPooling{n}" for n in _DIMENSIONS}
    | {f"GlobalAvgPool{n}": f"GlobalAveragePooling{n}" for n in _DIMENSIONS},
    "losses": _NUMPY_LOSSES | {"huber_loss": "huber", "Reduction": "cornu.compat.extras:Reduction"},
    "metrics": _NUMPY_LOSSES | {"CosineProximity": "CosineSimilarity"},
    "mixed_precision": {
        "Policy": "DTypePolicy",
        "set_policy": "set_dtype_policy",
        "set_global_policy": "set_dtype_policy",
    }
    | {"global_policy": "dtype_policy"},
    "dtype_policies": {"Policy": "DTypePolicy"},
    "models": {"Container": "Model", "Input": "cornu.layers:Input", "Layer": "cornu.layers:Layer"}
    | {"Functional": "Model", "K": "cornu.compat.backend.functions"},
    "optimizers": {"RMSProp": "RMSprop", "adam_v2": "cornu.optimizers"},
    "preprocessing": _TIMESERIES
    | {f"{kind}_dataset_from_directory": f"cornu.utils:{kind}_dataset_from_directory" for kind in ("image", "text")},
    "preprocessing.image": {
        name: f"cornu.compat.old_images:{name}"
        for name in ("apply_transform", "list_pictures", "transform_matrix_offset_center")
    }
    | {"smart_resize": "cornu.preprocessing.image.conversion:smart_resize"},
    "preprocessing.text": {"base_filter": "cornu.compat.old_images:base_filter"},
    "regularizers": {
        "l1": "L1",
        "l2": "L2",
        "l1_l2": "L1L2",
        "l1l2": "L1L2",
        "WeightRegularizer": "L1L2",
        "ActivityRegularizer": "L1L2",
        "activity_l1": "L1",
        "activity_l2": "L2",
        "activity_l1l2": "L1L2",
    },
    "utils": {"plot": "plot_model", "Sequence": "PyDataset"}
    | _TIMESERIES
    | {
        name: f"cornu.compat.extras:{name}"
        for name in (
            *("multi_gpu_model", "count_params"),
            *("normalize_tuple", "conv_output_length", "deconv_length", "probas_to_classes", "to_list"),
            *("categorical_probas_to_classes", "unpack_singleton"),
        )
    }
    | {
        "print_summary": "cornu.visuals.summary:print_summary",
    },
}

_LOSSES = {"kullback_leibler_divergence": "kl_divergence", "cosine_proximity": "cosine_similarity"}

#: Module of a table -> old name, as in ``compile`` and in configs -> today's.
IDENTIFIERS: dict[str, dict[str, str]] = {
    "keras.losses": _LOSSES | {"huber_loss": "huber", "logcosh": "log_cosh"},
    "keras.metrics": _LOSSES | {"logcosh": "log_cosh_error"},
    "keras.optimizers": dict.fromkeys(("LossScaleOptimizerV1", "LossScaleOptimizerV3"), "LossScaleOptimizer"),
    "keras.constraints": {
        "maxnorm": "max_norm",
        "nonneg": "non_neg",
        "unitnorm": "unit_norm",
        "minmaxnorm": "min_max_norm",
    },
}


def current_identifier(module: str, name: Any) -> Any:
    """Return today's name of a loss, metric, ... of the table `module`, or `name` if it is current."""
    return IDENTIFIERS.get(module, {}).get(name, name)


_RESNET = re.compile(r"(?P<kind>res|bn)(?P<stage>[2-5])(?P<block>[a-f]|b\d+)_branch(?P<part>1|2a|2b|2c)")
_PARTS = {"1": 0, "2a": 1, "2b": 2, "2c": 3}
_RESNET_ENDS = {"conv1": "conv1_conv", "bn_conv1": "conv1_bn", "fc1000": "predictions"}


def current_layer_name(name: str) -> str:
    """Return today's name of a layer of ResNet50, which Keras renamed in 2019, or `name` if it is no such layer.

    >>> current_layer_name("res2a_branch2b"), current_layer_name("bn4b22_branch1"), current_layer_name("fc1")
    ('conv2_block1_2_conv', 'conv4_block23_0_bn', 'fc1')
    """
    found = _RESNET.fullmatch(name)
    if not found:
        return _RESNET_ENDS.get(name, name)
    letter, number = found["block"][0], found["block"][1:]
    block = int(number) + 1 if number else ord(letter) - ord("a") + 1
    kind = "conv" if found["kind"] == "res" else "bn"
    return f"conv{found['stage']}_block{block}_{_PARTS[found['part']]}_{kind}"
