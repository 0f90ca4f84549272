"""Write what the layers of tf.keras give as their configs: ``python tf_keras_layers.py FILE`` with TensorFlow 2.

`tf_keras_layers.json` is what it wrote with TensorFlow 2.15.1, and `test_configs.py` reads it.
"""

import json
import sys

#: Arguments of the layers that need some.
ARGUMENTS = {
    "Activation": ["relu"],
    "ActivityRegularization": [],
    "Bidirectional": None,
    "CategoryEncoding": [4],
    "CenterCrop": [4, 4],
    "Conv1D": [4, 3],
    "Conv1DTranspose": [4, 3],
    "Conv2D": [4, 3],
    "Conv2DTranspose": [4, 3],
    "Conv3D": [4, 3],
    "Conv3DTranspose": [4, 3],
    "ConvLSTM1D": [4, 3],
    "ConvLSTM2D": [4, 3],
    "ConvLSTM3D": [4, 3],
    "Dense": [4],
    "DepthwiseConv1D": [3],
    "DepthwiseConv2D": [3],
    "Discretization": [[0.0, 1.0]],
    "Dot": [1],
    "Dropout": [0.5],
    "AlphaDropout": [0.5],
    "EinsumDense": ["ab,bc->ac", 4],
    "Embedding": [7, 4],
    "GaussianDropout": [0.5],
    "GaussianNoise": [0.5],
    "GRU": [4],
    "GRUCell": [4],
    "Hashing": [4],
    "HashedCrossing": [4],
    "LocallyConnected1D": [4, 3],
    "LocallyConnected2D": [4, 3],
    "LSTM": [4],
    "LSTMCell": [4],
    "MultiHeadAttention": [2, 4],
    "Permute": [[2, 1]],
    "RandomBrightness": [0.5],
    "RandomContrast": [0.5],
    "RandomCrop": [4, 4],
    "RandomHeight": [0.5],
    "RandomRotation": [0.5],
    "RandomTranslation": [0.5, 0.5],
    "RandomWidth": [0.5],
    "RandomZoom": [0.5],
    "RepeatVector": [3],
    "Rescaling": [0.5],
    "Reshape": [[2, 2]],
    "Resizing": [4, 4],
    "SeparableConv1D": [4, 3],
    "SeparableConv2D": [4, 3],
    "SimpleRNN": [4],
    "SimpleRNNCell": [4],
    "SpatialDropout1D": [0.5],
    "SpatialDropout2D": [0.5],
    "SpatialDropout3D": [0.5],
    "ThresholdedReLU": [0.5],
}


def variants(keras):
    """Yield layers with policies, initializers, regularizers, constraints and activations of every class."""
    layers = keras.layers
    yield layers.Dense(4, dtype=keras.mixed_precision.Policy("mixed_float16"))
    yield layers.Dense(4, dtype="float64")
    for module, argument in (("initializers", "kernel_initializer"), ("regularizers", "kernel_regularizer"),
                             ("constraints", "kernel_constraint")):  # fmt: skip
        found = vars(getattr(keras, module))
        for name in sorted(name for name, cls in found.items() if isinstance(cls, type) and name == cls.__name__):
            try:
                yield layers.Dense(4, **{argument: found[name]()})
            except Exception as error:
                print(name, type(error).__name__, error, file=sys.stderr)
    yield layers.Dense(4, activity_regularizer=keras.regularizers.L1L2(0.25, 0.5), bias_regularizer="l2")
    for name in sorted(name for name, thing in vars(keras.activations).items() if callable(thing)):
        if name not in ("deserialize", "get", "serialize"):
            yield layers.Dense(4, activation=name)
    yield layers.Dense(4, activation=layers.LeakyReLU(0.25))
    yield layers.Conv2D(4, 3, data_format="channels_first", dilation_rate=2, input_shape=(3, 8, 8))
    normalization = layers.BatchNormalization(axis=1, scale=False)
    normalization(keras.Input((3, 8, 8)))
    yield normalization
    yield layers.Embedding(7, 4, mask_zero=True, input_length=5)
    yield layers.TimeDistributed(layers.Conv2D(4, 3))


def entries(keras):
    """Yield the entries of all layers that can be made, alone and as an ``.h5`` file has them."""
    layers = keras.layers
    wrapped = {
        "TimeDistributed": lambda: layers.TimeDistributed(layers.Dense(4)),
        "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(4)),
        "RNN": lambda: layers.RNN(layers.LSTMCell(4)),
        "StackedRNNCells": lambda: layers.StackedRNNCells([layers.LSTMCell(4)]),
        "SpectralNormalization": lambda: layers.SpectralNormalization(layers.Dense(4)),
        "InputLayer": lambda: layers.InputLayer((4,)),
    }
    for name in dir(layers):
        cls = getattr(layers, name)
        if not isinstance(cls, type) or not issubclass(cls, layers.Layer) or name != cls.__name__:
            continue
        try:
            layer = wrapped[name]() if name in wrapped else cls(*ARGUMENTS.get(name, ()))
            yield {"class_name": name, "config": layer.get_config()}
        except Exception as error:
            print(name, type(error).__name__, error, file=sys.stderr)
    for layer in variants(keras):
        try:
            yield {"class_name": type(layer).__name__, "config": layer.get_config()}
        except NotImplementedError as error:  # a base class
            print(error, file=sys.stderr)


def plain(value):
    return value.tolist() if hasattr(value, "tolist") else list(value)


if __name__ == "__main__":
    from tensorflow import keras

    with open(sys.argv[1], "w") as file:
        lines = [json.dumps(entry, default=plain) for entry in entries(keras)]
        file.write("[\n" + ",\n".join(lines) + "\n]\n")
