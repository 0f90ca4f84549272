"""Old keywords as tables: what Keras 1 and 2 called the arguments of constructors and methods."""

from typing import Any, NamedTuple

#: Old constructor keyword -> today's names; the first one that the class has is used.
RENAMED: dict[str, tuple[str, ...]] = {
    # layers of Keras 1
    "output_dim": ("units",),
    "init": ("kernel_initializer", "embeddings_initializer", "alpha_initializer", "depthwise_initializer"),
    "W_regularizer": ("kernel_regularizer", "embeddings_regularizer"),
    "b_regularizer": ("bias_regularizer",),
    "U_regularizer": ("recurrent_regularizer",),
    "W_constraint": ("kernel_constraint", "embeddings_constraint"),
    "b_constraint": ("bias_constraint",),
    "bias": ("use_bias",),
    "nb_filter": ("filters",),
    "filter_length": ("kernel_size",),
    "subsample": ("strides",),
    "subsample_length": ("strides",),
    "stride": ("strides",),
    "border_mode": ("padding",),
    "dim_ordering": ("data_format",),
    "atrous_rate": ("dilation_rate",),
    "pool_length": ("pool_size",),
    "p": ("rate",),
    "sigma": ("stddev",),
    "std": ("stddev",),
    "length": ("size",),
    "beta_init": ("beta_initializer",),
    "gamma_init": ("gamma_initializer",),
    "inner_init": ("recurrent_initializer",),
    "inner_activation": ("recurrent_activation",),
    "forget_bias_init": ("unit_forget_bias",),
    "dropout_W": ("dropout",),
    "dropout_U": ("recurrent_dropout",),
    "concat_axis": ("axis",),
    "dot_axes": ("axes",),
    "input_dtype": ("dtype",),
    # layers of Keras 2
    "alpha": ("negative_slope",),
    "bins": ("bin_boundaries",),
    "max_tokens": ("num_tokens",),
    "max_values": ("max_tokens",),
    "mask_value": ("mask_token",),
    "oov_value": ("oov_token",),
    "input": ("inputs",),
    "output": ("outputs",),
    # optimizers, constraints, regularizers, initializers, callbacks
    "lr": ("learning_rate",),
    "m": ("max_value",),
    "l": ("l2", "l1"),
    "scale": ("stddev",),
    "epsilon": ("min_delta",),
}

#: Old constructor keywords that are dropped if they have one of these values, which describe today's behaviour.
HARMLESS: dict[str, tuple] = {
    "mode": (0,),
    "dropout": (0, 0.0, None),
    "epsilon": (None,),
    "reduction": ("auto",),
    "fused": (None, True, False),
    "virtual_batch_size": (None,),
    "adjustment": (None,),
    "period": (1,),
    "load_weights_on_restart": (False,),
    "count_mode": ("samples", "steps"),
    "stateful_metrics": (None, ()),
    "consume_less": ("cpu", "mem", "gpu"),
    "implementation": (0, 1, 2),
    "time_major": (False,),
    "experimental_run_tf_function": (True, False, None),
}

#: Old constructor keyword with any other value -> why Cornu does not support it, and what to do.
REFUSED: dict[str, str] = {
    "mode": "BatchNormalization normalizes by feature, as mode=0 did in Keras 1; for mode=1 use LayerNormalization, "
    "for mode=2 call the layer with training=True",
    "virtual_batch_size": "normalization over parts of a batch is not implemented; leave it out",
    "adjustment": "leave it out",
    "period": "save_freq counts batches: use save_freq=period * batches per epoch, or 'epoch'",
    "load_weights_on_restart": "call model.load_weights(filepath) before fit",
}

#: Names of image axis orders, by old name.
DATA_FORMATS = {"th": "channels_first", "tf": "channels_last", "default": None}

#: Keywords that Keras 1 had separately -> the argument that combines them.
PARTS: dict[tuple[str, ...], str] = {
    ("nb_row", "nb_col"): "kernel_size",
    ("kernel_dim1", "kernel_dim2", "kernel_dim3"): "kernel_size",
}


#: Keywords that only Keras 1 had: with them, numbers after a convolution's first argument are its kernel size.
ONLY_KERAS_1 = frozenset(
    ("init", "border_mode", "subsample", "dim_ordering", "W_regularizer", "b_regularizer", "W_constraint", "bias")
)

#: Convolution -> how many kernel sizes it had in Keras 1.
KERNEL_NUMBERS = {
    "Conv2D": 2,
    "LocallyConnected2D": 2,
    "SeparableConv2D": 2,
    "Conv2DTranspose": 2,
    "Conv3D": 3,
    "Conv3DTranspose": 3,
}


_AFTER_ACTIVATIONS = ("W_regularizer", "U_regularizer", "b_regularizer", "dropout_W", "dropout_U")
#: Layer -> the order of its arguments in Keras 1, used if the second is the name of an initializer.
INITIALIZER_SECOND = {
    "Dense": ("units", "kernel_initializer", "activation", "weights", "W_regularizer", "b_regularizer"),
    "SimpleRNN": ("units", "init", "inner_init", "activation", *_AFTER_ACTIVATIONS),
    "GRU": ("units", "init", "inner_init", "activation", "inner_activation", *_AFTER_ACTIVATIONS),
    "LSTM": (
        *("units", "init", "inner_init", "forget_bias_init", "activation", "inner_activation"),
        *_AFTER_ACTIVATIONS,
    ),
}


class OldOrder(NamedTuple):
    """The argument order of a Keras 2 constructor, and the position whose value distinguishes it from today's order."""

    names: tuple[str, ...]
    position: int
    largest: float  # a number up to this (not a bool), or None, at `position` means the old order


#: Method -> the order of its arguments in Keras 2, used if the first is a name.
NAME_FIRST = {
    "Layer.add_weight": ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint"),
    "Metric.add_weight": ("name", "shape", "initializer", "dtype"),
}

#: Optimizer -> the order of its arguments in Keras 1 and 2.
OLD_ORDERS: dict[str, OldOrder] = {
    "SGD": OldOrder(("learning_rate", "momentum", "decay", "nesterov"), 2, 1.0),
    "Adam": OldOrder(("learning_rate", "beta_1", "beta_2", "epsilon", "decay", "amsgrad"), 4, 1.0),
    "RMSprop": OldOrder(("learning_rate", "rho", "epsilon", "decay"), 2, 1e-3),
    "Adagrad": OldOrder(("learning_rate", "epsilon", "decay"), 1, 1e-4),
    "Adadelta": OldOrder(("learning_rate", "rho", "epsilon", "decay"), 3, 1.0),
    "Adamax": OldOrder(("learning_rate", "beta_1", "beta_2", "epsilon", "decay"), 4, 1.0),
    "Nadam": OldOrder(("learning_rate", "beta_1", "beta_2", "epsilon", "schedule_decay"), 4, 1.0),
}

_GENERATOR = {
    "nb_epoch": "epochs",
    "nb_worker": "workers",
    "nb_workers": "workers",
    "max_q_size": "max_queue_size",
    "pickle_safe": "use_multiprocessing",
    "samples_per_epoch": "steps_per_epoch",
    "nb_val_samples": "validation_steps",
    "val_samples": "steps",
}

_ORDER = {"dim_ordering": "data_format"}

#: Method -> old keyword -> today's.
METHODS: dict[str, dict[str, str]] = {
    "fit": {"nb_epoch": "epochs"},
    "fit_generator": _GENERATOR,
    "evaluate_generator": _GENERATOR,
    "predict_generator": _GENERATOR,
    "compile": {"objective": "loss"},
    "Model": {"input": "inputs", "output": "outputs"},
    "evaluate": {"X": "x"},
    "predict": {"X": "x"},
    "train_on_batch": {"X": "x"},
    "test_on_batch": {"X": "x"},
    "load_data": {"nb_words": "num_words"},
    "Tokenizer": {"nb_words": "num_words"},
    "flow": {"X": "x"},
    "ImageDataGenerator": _ORDER,
    "NumpyArrayIterator": _ORDER,
    "DirectoryIterator": _ORDER,
    "array_to_img": _ORDER,
    "img_to_array": _ORDER,
    "to_categorical": {"nb_classes": "num_classes", "y": "x"},
    "applications": {},
    "MobileNetV2": {},
    "preprocess_input": {"dim_ordering": "data_format"},
    "save": {},
    "add_weight": {"experimental_autocast": "autocast"},
    "ReduceLROnPlateau": {"epsilon": "min_delta"},
    "set_vocabulary": {"vocab": "vocabulary"},
}

#: Method -> keywords that only configured the backend (queues, processes, sessions); they are dropped.
UNNEEDED: dict[str, frozenset[str]] = {
    method: frozenset(("workers", "use_multiprocessing", "max_queue_size", "max_q_size", "nb_worker", "pickle_safe"))
    for method in ("fit", "evaluate", "predict")
} | {
    "compile": frozenset(
        ("class_mode", "theano_mode", "experimental_run_tf_function", "distribute", "cloning", "sample_weight_mode")
    ),
    "save": frozenset(("signatures", "options")),
    "flow_from_dataframe": frozenset(("has_ext", "sort", "drop_duplicates", "verbose")),
    "add_weight": frozenset(("use_resource", "synchronization", "partitioner", "collections", "getter")),
    "ModelCheckpoint": frozenset(("options", "load_weights_on_restart")),
    "TensorBoard": frozenset(
        ("batch_size", "write_grads", "embeddings_layer_names", "embeddings_data", "write_train_graph")
    ),
}

_MODULES = frozenset(("backend", "layers", "models", "utils"))  # of Keras: arguments in the package keras_applications
UNNEEDED |= {
    "applications": _MODULES,
    "MobileNetV2": _MODULES | {"depth_multiplier"},  # Keras 2.2.0 had it and did not use it
    "preprocess_input": _MODULES,
}

#: Keyword of Keras 0 that requests accuracy -> the methods that had it.
SHOW_ACCURACY = {
    "show_accuracy": ("fit", "evaluate", "fit_generator", "evaluate_generator"),
    "accuracy": ("train_on_batch", "test_on_batch"),
}

#: Method -> keyword that is left out if it has this value -> the value, and what to do for others.
ONLY: dict[str, dict[str, tuple[Any, str]]] = {
    "adapt": {"reset_state": (True, "adapt() starts from scratch: pass it all data together")},
}

#: Method -> keyword that is not supported unless it is empty -> what to do.
IMPOSSIBLE: dict[str, dict[str, str]] = {
    "fit": {"samples_per_epoch": "it belongs to fit_generator; fit takes steps_per_epoch"},
    "compile": {
        "target_tensors": "pass targets to fit(x, y); for a model without targets use add_loss",
    },
}
