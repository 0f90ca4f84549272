"""Recurrent models in the spelling of Keras 2 that leave the arguments of gates out, and those of cuDNN.

As a program of real Keras 1.2.2 or 2.2.4 (Python 3.7): ``python recurrent_models.py FOLDER`` writes their weights,
whole models and configs, with what they compute beside them.
"""

import sys

import numpy as np

SHAPE = (5, 3)


def silent(k):
    """LSTM and GRU with the defaults of their time."""
    layers = k.layers
    return k.models.Sequential(
        [layers.LSTM(4, return_sequences=True, input_shape=SHAPE), layers.GRU(3), layers.Dense(2)]
    )


def around(k):
    """The same in both directions, and inside of another model."""
    layers = k.layers
    inner = k.models.Sequential([layers.LSTM(4, input_shape=(5, 6))])
    return k.models.Sequential(
        [layers.Bidirectional(layers.GRU(3, return_sequences=True), input_shape=SHAPE), inner, layers.Dense(2)]
    )


def cudnn(k, lstm="CuDNNLSTM", gru="CuDNNGRU", lstm_options=(), gru_options=()):
    """Layers of cuDNN: alone, in both directions, and inside of another model."""
    layers = k.layers
    lstm, gru = getattr(layers, lstm), getattr(layers, gru)
    inner = k.models.Sequential([gru(4, input_shape=(5, 6), **dict(gru_options))])
    return k.models.Sequential(
        [
            gru(5, return_sequences=True, input_shape=SHAPE, **dict(gru_options)),
            lstm(4, return_sequences=True, **dict(lstm_options)),
            layers.Bidirectional(lstm(3, return_sequences=True, **dict(lstm_options))),
            inner,
            layers.Dense(2),
        ]
    )


def steps_of_cudnn(k, lstm="CuDNNLSTM", options=()):
    """A layer of cuDNN for each of several sequences."""
    layers = k.layers
    each = layers.TimeDistributed(getattr(layers, lstm)(2, **dict(options)), input_shape=(2, *SHAPE))
    return k.models.Sequential([each, layers.Flatten(), layers.Dense(2)])


MODELS = {"silent": silent, "around": around, "cudnn": cudnn, "steps_of_cudnn": steps_of_cudnn}
SIGMOID = {"recurrent_activation": "sigmoid"}
#: The models of cuDNN with layers that a CPU can run.
PLAIN = {
    "cudnn": lambda k: cudnn(k, "LSTM", "GRU", SIGMOID, dict(SIGMOID, reset_after=True)),
    "steps_of_cudnn": lambda k: steps_of_cudnn(k, "LSTM", SIGMOID),
}


def data_of(name):
    """Return inputs for a model, the same with every version of numpy."""
    return np.random.RandomState(3).normal(size=(4, 2, *SHAPE) if "steps" in name else (4, *SHAPE)).astype("float32")


def without_gpu(keras):
    """Let models of cuDNN's layers be made where TensorFlow has no kernels for them; they compute something else."""

    def compute(layer, inputs, initial_state):
        outputs = keras.backend.dot(inputs, layer.kernel)[:, :, : layer.units]
        return outputs if layer.return_sequences else outputs[:, -1], list(initial_state)

    for name in ("CuDNNLSTM", "CuDNNGRU"):
        if hasattr(keras.layers, name):
            getattr(keras.layers, name)._process_batch = compute


def write(keras, folder):
    without_gpu(keras)
    for name in MODELS if keras.__version__ > "2" else ("silent", "around"):
        model = MODELS[name](keras)
        random = np.random.RandomState(5)  # biases, too
        model.set_weights([random.uniform(-0.9, 0.9, weight.shape) for weight in model.get_weights()])
        path = "%s/%s-%s" % (folder, name, keras.__version__)  # noqa: UP031
        model.save_weights(path + ".weights.h5")
        model.save(path + ".h5")
        with open(path + ".json", "w") as file:
            file.write(model.to_json())
        if name in PLAIN:
            model = PLAIN[name](keras)
            model.load_weights(path + ".weights.h5")
        np.save(path + ".npy", model.predict(data_of(name)))


if __name__ == "__main__":
    import keras

    write(keras, sys.argv[1])
