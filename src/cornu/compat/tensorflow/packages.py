"""Packages beside Keras that programs import: what replaces the most used names of each.

They are ``tensorflow_addons``, ``keras_contrib`` and ``tensorflow_datasets``, of which the first two are no longer
maintained. Names that are not here get an error that says so.
"""

_ADDONS, _DATASETS = "cornu.compat.tensorflow.addons", "cornu.compat.tensorflow.known_datasets"
_AVERAGES = "cornu.compat.tensorflow.averaging_optimizers"


def _rows(module: str, names: str) -> dict[str, str]:
    pairs = [name.partition("=") for name in names.split()]
    return {old: f"{module}:{new or old}" for old, _, new in pairs}


_CONTRIB_NORMALIZATION = _rows(_ADDONS, "InstanceNormalization=contrib_instance_normalization") | _rows(
    "cornu.layers", "GroupNormalization"
)

#: Module -> name -> ``module:name``.
NAMES: dict[str, dict[str, str]] = {
    "tensorflow_addons.layers": _rows(_ADDONS, "InstanceNormalization WeightNormalization")
    | _rows(
        "cornu.layers",
        "GroupNormalization SpectralNormalization AdaptiveAveragePooling2D AdaptiveMaxPooling2D "
        "AdaptiveAveragePooling1D AdaptiveMaxPooling1D",
    ),
    "tensorflow_addons.losses": _rows(
        _ADDONS, "SigmoidFocalCrossEntropy sigmoid_focal_crossentropy ContrastiveLoss contrastive_loss"
    ),
    "tensorflow_addons.metrics": _rows(_ADDONS, "F1Score=f1_score FBetaScore=f_beta_score")
    | _rows("cornu.metrics", "RSquare=R2Score"),
    "tensorflow_addons.optimizers": _rows(_ADDONS, "AdamW=adam_w SGDW=sgd_w LAMB=lamb")
    | _rows(_AVERAGES, "Lookahead SWA MovingAverage")
    | _rows("cornu.optimizers", "LazyAdam=Adam"),
    "tensorflow_addons.activations": _rows(_ADDONS, "mish lisht")
    | _rows(
        "cornu.activations",
        "gelu sparsemax hardshrink=hard_shrink softshrink=soft_shrink tanhshrink=tanh_shrink",
    ),
    "keras_contrib.layers": _CONTRIB_NORMALIZATION,
    "keras_contrib.layers.normalization": _CONTRIB_NORMALIZATION,
    "keras_contrib.layers.normalization.instancenormalization": _CONTRIB_NORMALIZATION,
    "keras_contrib.layers.normalization.groupnormalization": _CONTRIB_NORMALIZATION,
    "keras_contrib.losses": _rows(_ADDONS, "jaccard_distance"),
    "tensorflow_datasets": _rows(_DATASETS, "load as_numpy list_builders disable_progress_bar"),
    "tensorflow_datasets.core": _rows(_DATASETS, "DatasetInfo"),
}

PLACES: dict[str, tuple[str, ...]] = dict.fromkeys([*NAMES, "tensorflow_addons", "keras_contrib"], ())


#: The packages.
ROOTS = ("tensorflow_addons", "keras_contrib", "tensorflow_datasets")

#: Module, or module and name -> what to do instead. What is not named belongs to the module.
INSTEAD: dict[str, str] = {
    "tensorflow_addons": "It is no longer maintained: use the layer, loss or optimizer of Keras, or write it.",
    "tensorflow_addons.layers.CRF": "Use a TimeDistributed softmax, or write the layer.",
    "tensorflow_addons.text": "Use a TimeDistributed softmax, or write the layer.",
    "keras_contrib": "It is no longer maintained: use the layer, loss or optimizer of Keras, or write it.",
    "tensorflow_datasets": "Use tensorflow_datasets.load, keras.datasets, or tf.data.Dataset of your own arrays.",
    "tensorflow.estimator": "Estimators were removed from TensorFlow 2.16: build a model and use model.fit.",
    "tensorflow.feature_column": "Use keras.utils.FeatureSpace, or the preprocessing layers.",
    "tensorflow.saved_model": "Use model.save('model.keras') and keras.models.load_model, or model.export; "
    "for a tf.Module, tf.train.Checkpoint.",
    "tensorflow.contrib": "tf.contrib was removed from TensorFlow 2.0: use the name that replaced it.",
    "tensorflow.lite": "Export the model with model.export, or cornu.export, and convert that file.",
    "tensorflow.raw_ops": "Use the function of tf that calls this operation.",
    "tensorflow.layers": "tf.layers was removed from TensorFlow 2.0: use tf.keras.layers.",
    "tensorflow.app": "Call main() itself.",
    "tensorflow.flags": "Use argparse.",
    "tensorflow.get_variable": "Use tf.Variable.",
    "tensorflow.train.Saver": "Use tf.train.Checkpoint, or model.save_weights.",
    "tensorflow.train.exponential_decay": "Use tf.keras.optimizers.schedules.ExponentialDecay.",
    "tensorflow.train.natural_exp_decay": "Use tf.keras.optimizers.schedules.ExponentialDecay.",
    "tensorflow.train.inverse_time_decay": "Use tf.keras.optimizers.schedules.InverseTimeDecay.",
    "tensorflow.train.polynomial_decay": "Use tf.keras.optimizers.schedules.PolynomialDecay.",
    "tensorflow.train.piecewise_constant": "Use tf.keras.optimizers.schedules.PiecewiseConstantDecay.",
    "tensorflow.train.cosine_decay": "Use tf.keras.optimizers.schedules.CosineDecay.",
    "tensorflow.train.Coordinator": "Read the data with tf.data.Dataset.",
    "tensorflow.train.start_queue_runners": "Read the data with tf.data.Dataset.",
    "tensorflow.losses.sparse_softmax_cross_entropy": (
        "Use tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)."
    ),
    "tensorflow.losses.softmax_cross_entropy": "Use tf.keras.losses.CategoricalCrossentropy(from_logits=True).",
    "tensorflow.losses.sigmoid_cross_entropy": "Use tf.keras.losses.BinaryCrossentropy(from_logits=True).",
    "tensorflow.losses.absolute_difference": "Use tf.keras.losses.MeanAbsoluteError().",
    "tensorflow.losses.get_total_loss": "Use model.losses.",
    "tensorflow.losses.get_regularization_losses": "Use model.losses.",
    "tensorflow.metrics.accuracy": "Use tf.keras.metrics.Accuracy().",
    "tensorflow.nn.rnn_cell": "Use tf.keras.layers.LSTMCell, GRUCell or SimpleRNNCell.",
    "tensorflow.nn.static_rnn": "Use tf.keras.layers.RNN.",
    "tensorflow.nn.dynamic_rnn": "Use tf.keras.layers.RNN.",
    "tensorflow.nn.bidirectional_dynamic_rnn": "Use tf.keras.layers.Bidirectional.",
    "tensorflow.global_variables": "Use model.variables, or keep the variables in a list.",
    "tensorflow.local_variables": "Use model.variables, or keep the variables in a list.",
    "tensorflow.trainable_variables": "Use model.trainable_variables, or keep the variables in a list.",
    "tensorflow.get_collection": "Use model.losses or model.variables; TensorFlow 2 has no collections.",
    "tensorflow.add_to_collection": "Use layer.add_loss, or keep a list; TensorFlow 2 has no collections.",
    "tensorflow.batch_gather": "Use tf.gather(params, indices, batch_dims=...).",
    "tensorflow.Print": "Use tf.print.",
    "tensorflow.setdiff1d": "Use tf.sets.difference, or numpy.setdiff1d.",
    "tensorflow.verify_tensor_all_finite": "Use tf.debugging.assert_all_finite.",
}
