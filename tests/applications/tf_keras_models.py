"""What ResNet-RS and RegNet of tf.keras compute with weights that depend on names and shapes alone.

``python tf_keras_models.py > tf_keras_answers.json`` with TensorFlow 2.15 writes the answers for all models, as Keras 3
has neither architecture: numbers of parameters, digests of names, and what the small models compute.
``python tf_keras_models.py NAME ...`` measures some.
"""

import hashlib
import json
import sys
import zlib

import numpy as np

RESNETS = [f"ResNetRS{depth}" for depth in (50, 101, 152, 200, 270, 350, 420)]
REGNETS = [
    f"RegNet{kind}{size}"
    for kind in "XY"
    for size in ("002", "004", "006", "008", "016", "032", "040", "064", "080", "120", "160", "320")
]
#: Those whose outputs are kept, too.
SMALL = ("RegNetX002", "RegNetY002", "ResNetRS50")
SHAPE, CLASSES = (48, 40, 3), 5


def values_of(name, shape):
    """Return the values of a weight: uniform, of a size that keeps what goes through a deep model finite."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    if len(shape) > 1:
        return (random.uniform(-1, 1, shape) * np.sqrt(3 / np.prod(shape[:-1]))).astype("float32")
    return random.uniform(0.5, 1.0, shape).astype("float32")


def fill(model):
    """Set all weights of a model of tf.keras or Cornu."""
    for layer in model.layers:
        shapes = [weight.shape for weight in layer.weights]
        layer.set_weights([values_of(f"{layer.name} {number}", tuple(s)) for number, s in enumerate(shapes)])


def images():
    return np.random.RandomState(0).uniform(0, 255, (2, *SHAPE)).astype("float32")


def measured(applications, name, is_computed=True, **options):
    """Return the number of parameters of a model, a digest of the names of its layers with weights, and its outputs."""
    model = getattr(applications, name)(weights=None, input_shape=SHAPE, classes=CLASSES, **options)
    names = [layer.name for layer in model.layers if layer.weights]
    found = {"parameters": model.count_params(), "names": hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]}
    if is_computed:
        fill(model)
        found["outputs"] = model.predict(images(), verbose=0).astype(float).ravel().tolist()
    return found


def main(names):
    import tensorflow as tf

    answers = {}
    for name in names or [*RESNETS, *REGNETS]:
        tf.keras.backend.clear_session()
        answers[name] = measured(tf.keras.applications, name, is_computed=name in SMALL)
        print(name, file=sys.stderr, flush=True)
    json.dump(answers, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1:])
