"""What Keras versions compute differently without a word, measured by one program in Keras and in Cornu alike.

``python era_measures.py keras`` prints the numbers as JSON; ``python era_measures.py tensorflow.keras legacy`` those of
tf.keras with its optimizers of before 2.11. ``era_numbers.json`` holds the numbers of Keras 1.2.2 and 2.2.4 (with
Python 3.7, TensorFlow 1.15) and of tf.keras 2.15, by era.
"""

import importlib
import json
import sys

import numpy as np


def model_of(k, *layers):
    model = k.models.Sequential()
    for layer in layers:
        model.add(layer)
    return model


def drawn(*shape):
    """Return numbers from -1 to 1 that every version of numpy draws alike."""
    return np.random.RandomState(sum(shape)).uniform(-1, 1, shape).astype("float32")


def dense(k, inputs, units, **options):
    layer = k.layers.Dense(units, input_shape=(inputs,), **options)
    model = model_of(k, layer)
    model.set_weights([drawn(inputs, units), drawn(units)])
    return model


def flat(weights):
    return np.concatenate([np.ravel(weight) for weight in weights]).tolist()


def loss_of(result):
    return float(np.ravel(result)[0])


def trained(k, optimizer, steps=4, scale=1.0):
    """Return the weights of a small model after some steps with an optimizer."""
    model = dense(k, 3, 2)
    model.compile(optimizer, "mse")
    x, y = drawn(5, 3) * scale, drawn(5, 2) * scale
    for _ in range(steps):
        model.train_on_batch(x, y)
    return flat(model.get_weights())


def names(k):
    """The automatic names of layers and models."""
    layers = k.layers
    first, second = layers.Dense(2), layers.Dense(2)
    others = [layers.Flatten(), layers.BatchNormalization(), layers.MaxPooling2D((2, 2)), layers.ZeroPadding2D((1, 1))]
    keras_1 = getattr(k, "__version__", "").startswith("1.")
    convolution = layers.Convolution2D(2, 3, 3) if keras_1 else layers.Conv2D(2, (3, 3))
    given = layers.Input(shape=(3,))
    model = k.models.Model(given, first(given))
    inner = k.models.Sequential()
    return [one.name for one in (first, second, *others, convolution, model.layers[0], model, inner)]


def hard_sigmoid(k):
    model = model_of(k, k.layers.Activation("hard_sigmoid", input_shape=(5,)))
    return flat([model.predict_on_batch(np.array([[-2.75, -1.0, 0.5, 2.0, 2.75]], "float32"))])


def hinge(k):
    """The losses `hinge` and `squared_hinge` of labels 0 and 1."""
    found = []
    for loss in ("hinge", "squared_hinge"):
        model = dense(k, 3, 1)
        model.compile("sgd", loss)
        found.append(loss_of(model.train_on_batch(drawn(4, 3), np.array([[0.0], [1.0], [1.0], [0.0]]))))
    return found


def zero_weights(k):
    """A loss of which some sample weights are 0, and the weights after the step."""
    model = dense(k, 3, 2)
    model.compile(k.optimizers.SGD(0.1), "mse")
    loss = model.train_on_batch(drawn(4, 3), drawn(4, 2), sample_weight=np.array([0.0, 1.0, 3.0, 0.0]))
    return [loss_of(loss), *flat(model.get_weights())]


def clipnorm(k):
    """Weights after a step whose gradients (of kernel and bias) are clipped."""
    return trained(k, k.optimizers.SGD(0.5, clipnorm=0.25), steps=1)


def clipnorm_and_clipvalue(k):
    return trained(k, k.optimizers.SGD(0.5, clipnorm=0.25, clipvalue=0.05), steps=1)


def adagrad(k):
    return trained(k, k.optimizers.Adagrad(0.01))


def nesterov_with_decay(k):
    """In Keras 1 and 2 on TensorFlow a race: the decay is that of the step or of the next, from run to run."""
    return trained(k, k.optimizers.SGD(lr=0.1, momentum=0.9, decay=0.5, nesterov=True))


def adamax(k):
    return trained(k, k.optimizers.Adamax())


def nadam(k):
    return trained(k, k.optimizers.Nadam())


def small_gradients(k):
    """RMSprop, Adagrad and Adadelta with gradients near epsilon: added to the root or under it."""
    kinds = (k.optimizers.RMSprop(0.001), k.optimizers.Adagrad(0.01), k.optimizers.Adadelta(1.0))
    return [number for one in kinds for number in trained(k, one, steps=2, scale=1e-4)]


def activity(k):
    """The loss with an activity regularizer, of a batch of five rows."""
    model = dense(k, 3, 2, activity_regularizer=k.regularizers.l2(0.1))
    model.compile("sgd", "mse")
    return [loss_of(model.train_on_batch(drawn(5, 3), drawn(5, 2)))]


def bilinear(k):
    model = model_of(k, k.layers.UpSampling2D((2, 3), interpolation="bilinear", input_shape=(2, 3, 1)))
    return flat([model.predict_on_batch(drawn(1, 2, 3, 1))])


def moving_variance(k):
    """Moving statistics after three batches of rows, and after three of images."""
    found = []
    for shape in ((3,), (2, 2, 3)):
        model = model_of(k, k.layers.BatchNormalization(momentum=0.5, input_shape=shape))
        model.compile(k.optimizers.SGD(0.0), "mse")
        for step in range(3):
            x = drawn(4, *shape) * (step + 1)
            model.train_on_batch(x, x)
        found += model.get_weights()[2:]
    return flat(found)


def gates(k):
    """What LSTM and GRU compute with their defaults."""
    found = []
    options = {"consume_less": "gpu"} if getattr(k, "__version__", "").startswith("1.") else {}  # one kernel
    for name in ("LSTM", "GRU"):
        model = model_of(k, getattr(k.layers, name)(3, input_shape=(4, 2), **options))
        model.set_weights([drawn(*weight.shape) * 2 for weight in model.get_weights()])
        found.append(model.predict_on_batch(drawn(2, 4, 2)))
    return flat(found)


MEASURES = [
    names, hard_sigmoid, hinge, zero_weights, clipnorm, clipnorm_and_clipvalue, adagrad, nesterov_with_decay, adamax,
    nadam, small_gradients, activity, bilinear, moving_variance, gates,
]  # fmt: skip


def measured(k):
    """Return the numbers of each measure that a Keras can make."""
    found = {}
    for measure in MEASURES:
        try:
            found[measure.__name__] = measure(k)
        except (TypeError, ValueError, AttributeError) as error:
            print(measure.__name__, error, file=sys.stderr)
    return found


def rounded(found):
    return found if isinstance(found[0], str) else [float(f"{number:.7g}") for number in found]


if __name__ == "__main__":
    keras = importlib.import_module(sys.argv[1])
    if "legacy" in sys.argv:
        keras.optimizers = keras.optimizers.legacy
    numbers = {name: rounded(found) for name, found in measured(keras).items()}
    runs = [rounded(nesterov_with_decay(keras)) for _ in range(30)]
    numbers["nesterov_with_decay"] = [run for i, run in enumerate(runs) if run not in runs[:i]]
    print(json.dumps(numbers))
