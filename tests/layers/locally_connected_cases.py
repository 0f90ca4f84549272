"""Cases of LocallyConnected1D and 2D. Run with tf.keras 2.15, this writes its answers into a file beside."""

import itertools
from pathlib import Path

import numpy as np

ANSWERS = Path(__file__).with_name("locally_connected_answers.npz")
SHAPES = {1: ((7,), 3, 3), 2: ((5, 4), 2, (3, 2))}  # of the space, channels, window


def _cases():
    formats = ("channels_last", "channels_first")
    for rank, how, padding, order, strides in itertools.product((1, 2), (1, 2, 3), ("valid", "same"), formats, (1, 2)):
        space, channels, window = SHAPES[rank]
        shape = (*space, channels) if order == "channels_last" else (channels, *space)
        arguments = {"filters": 3, "kernel_size": window, "strides": strides, "padding": padding}
        arguments |= {"data_format": order, "implementation": how, "activation": "tanh"}
        if (how, padding) != (1, "same"):
            yield rank, shape, arguments


CASES = list(_cases())


def computed(number, layers):
    """Return what the layer of a case computes from inputs and weights that its number decides, and its weights."""
    rank, shape, arguments = CASES[number]
    layer = getattr(layers, f"LocallyConnected{rank}D")(**arguments)
    layer.build((None, *shape))
    random = np.random.default_rng(number)
    inputs = random.standard_normal((2, *shape)).astype("float32")
    layer.set_weights([random.uniform(-1, 1, weight.shape).astype("float32") for weight in layer.weights])
    return np.asarray(layer(inputs)), [tuple(weight.shape) for weight in layer.weights]


if __name__ == "__main__":
    from tensorflow import keras

    found = [computed(number, keras.layers) for number in range(len(CASES))]
    np.savez_compressed(
        ANSWERS,
        outputs=np.concatenate([outputs.ravel() for outputs, _ in found]),
        shapes=np.array([str(shapes) for _, shapes in found]),
    )
