"""Models in the spelling of Keras 2, made by Cornu and by real Keras 2.2.4 (Python 3.7) alike.

As a program of real Keras 2: ``write FOLDER NAME...`` writes each model's files with what it computes beside them, and
``check FOLDER NAME...`` reads the files that Cornu wrote there and says in ``NAME.keras2.npz`` what they compute.
"""

import sys
import zlib

import numpy as np

ROWS, BATCH = 16, 4


def slashed(k, name):
    """Return a name as Keras 2 allows it; programs for Cornu and Keras 3 write it without the stroke."""
    return name if k.__name__ == "keras" else name.replace("/", "_")


def perceptron(k):
    """Dense layers with each regularizer, constraint and many initializers."""
    layers = k.layers
    model = k.models.Sequential(name="perceptron")
    model.add(layers.Dense(6, input_shape=(5,), activation="relu", kernel_regularizer=k.regularizers.l2(0.01),
                           kernel_constraint=k.constraints.max_norm(2.0)))  # fmt: skip
    model.add(layers.Dense(6, activation="selu", kernel_initializer="lecun_normal", use_bias=False,
                           kernel_regularizer=k.regularizers.l1_l2(0.01, 0.02)))  # fmt: skip
    model.add(layers.Dense(6, activation="tanh", kernel_initializer=k.initializers.RandomNormal(stddev=0.3, seed=4),
                           bias_initializer=k.initializers.Constant(0.1), bias_constraint="non_neg"))  # fmt: skip
    model.add(layers.Dense(6, kernel_initializer=k.initializers.VarianceScaling(2.0, "fan_in", "normal"),
                           kernel_constraint=k.constraints.min_max_norm(0.1, 1.5, rate=0.5, axis=0)))  # fmt: skip
    model.add(layers.Activation("softsign"))
    model.add(layers.Dense(6, kernel_initializer=k.initializers.TruncatedNormal(stddev=0.3), activation="hard_sigmoid",
                           kernel_constraint=k.constraints.unit_norm(axis=0)))  # fmt: skip
    model.add(layers.Dense(6, kernel_initializer="orthogonal", activation="elu", bias_regularizer="l2"))
    model.add(layers.Dense(6, kernel_initializer=k.initializers.Identity(0.5), activation="softplus"))
    model.add(layers.Dense(3, kernel_initializer="he_uniform", activation="softmax"))
    return model


def images(k):
    """Convolutions over images of every kind."""
    layers = k.layers
    model = k.models.Sequential(name="images")
    model.add(
        layers.Conv2D(4, 3, input_shape=(12, 12, 2), padding="same", activation="relu", name=slashed(k, "block1/conv"))
    )
    model.add(layers.BatchNormalization())
    model.add(
        layers.SeparableConv2D(5, (3, 2), depth_multiplier=2, activation="relu", name=slashed(k, "block1/separable"))
    )
    model.add(layers.DepthwiseConv2D(3, depth_multiplier=2, depthwise_regularizer="l2"))
    model.add(layers.MaxPooling2D(2, strides=1, padding="same"))
    model.add(layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="tanh"))
    model.add(layers.Conv2D(4, 3, dilation_rate=2, use_bias=False))
    model.add(layers.AveragePooling2D((2, 2)))
    model.add(layers.ZeroPadding2D(((1, 0), (0, 1))))
    model.add(layers.Cropping2D(1))
    model.add(layers.UpSampling2D(2))
    model.add(layers.BatchNormalization(scale=False, momentum=0.9, epsilon=1e-2))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(3))
    return model


def sequences(k):
    """Convolutions over sequences, of words by their numbers."""
    layers = k.layers
    model = k.models.Sequential(name="sequences")
    model.add(layers.Embedding(11, 6, input_length=12, embeddings_initializer="glorot_normal"))
    model.add(layers.SpatialDropout1D(0.0))
    model.add(layers.Conv1D(5, 3, padding="causal", activation="relu"))
    model.add(layers.SeparableConv1D(6, 3))
    model.add(layers.ZeroPadding1D(1))
    model.add(layers.MaxPooling1D(2))
    model.add(layers.UpSampling1D(2))
    model.add(layers.Cropping1D((1, 0)))
    model.add(layers.AveragePooling1D(2))
    model.add(layers.TimeDistributed(layers.Dense(4, activation="relu"), name="each"))
    model.add(layers.GlobalMaxPooling1D())
    model.add(layers.Dense(2))
    return model


def volumes(k):
    """Convolutions over volumes."""
    layers = k.layers
    model = k.models.Sequential(name="volumes")
    model.add(layers.Conv3D(3, 2, input_shape=(6, 6, 6, 1), activation="relu"))
    model.add(layers.MaxPooling3D(2))
    model.add(layers.Conv3DTranspose(2, 2, strides=2))
    model.add(layers.AveragePooling3D(2))
    model.add(layers.ZeroPadding3D(1))
    model.add(layers.Cropping3D(1))
    model.add(layers.UpSampling3D(2))
    model.add(layers.GlobalMaxPooling3D())
    model.add(layers.Dense(2))
    return model


def activations(k):
    """Activations that are layers, layers that only act in training, and layers that move values."""
    layers = k.layers
    model = k.models.Sequential(name="activations")
    model.add(layers.Dense(12, input_shape=(7,), name="start"))
    model.add(layers.LeakyReLU(alpha=0.2))
    model.add(layers.Reshape((3, 4)))
    model.add(layers.Permute((2, 1)))
    model.add(layers.PReLU(alpha_initializer=k.initializers.Constant(0.25), shared_axes=[1]))
    model.add(layers.Flatten())
    model.add(layers.RepeatVector(2))
    model.add(layers.PReLU(alpha_regularizer="l1"))
    model.add(layers.ELU(alpha=0.7))
    model.add(layers.Flatten())
    model.add(layers.Dropout(0.0))
    model.add(layers.GaussianNoise(0.0))
    model.add(layers.GaussianDropout(0.0))
    model.add(layers.AlphaDropout(0.0))
    model.add(layers.ActivityRegularization())
    model.add(layers.Dense(6, activation="linear"))
    model.add(layers.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2))
    model.add(layers.ThresholdedReLU(theta=0.05))
    model.add(layers.Dense(4))
    model.add(layers.Softmax())
    return model


def branches(k):
    """A graph with several inputs and outputs, every layer that merges, a layer used twice, and a model in it."""
    layers = k.layers
    left, right = layers.Input((4,), name="left"), layers.Input((4,), name="right")
    shared = layers.Dense(4, activation="tanh", name="shared")
    one, other = shared(left), shared(right)
    merged = [
        layers.add([one, other]),
        layers.subtract([one, other]),
        layers.multiply([one, other]),
        layers.average([one, other]),
        layers.maximum([one, other]),
        layers.Minimum()([one, other]),
        layers.dot([one, other], axes=1, normalize=True),
        layers.Dot(axes=-1)([one, other]),
    ]
    joined = layers.Concatenate(axis=-1, name=slashed(k, "scope/joined"))(merged)
    inner = k.models.Sequential(
        [layers.Dense(5, activation="relu", input_shape=(26,)), layers.BatchNormalization()], name="inner"
    )
    deep = inner(joined)
    first = layers.Dense(3, activation="softmax", name="first")(deep)
    second = layers.Dense(2, name="second")(layers.concatenate([deep, one]))
    return k.models.Model([left, right], [first, second], name="branches")


def residual(k):
    """A functional model in a functional model, used twice, in front of a model with two inputs."""
    layers = k.layers
    start = layers.Input((6, 6, 2))
    x = layers.Conv2D(2, 3, padding="same")(start)
    x = layers.BatchNormalization(center=False)(x)
    block = k.models.Model(start, layers.Add()([layers.Activation("relu")(x), start]), name="block")
    ends = [layers.Input((2,)), layers.Input((2,))]
    head = k.models.Model(ends, layers.Dense(3)(layers.Concatenate()(ends)), name="head")
    image = layers.Input((6, 6, 2))
    x = block(block(image))
    pooled = [layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)]
    return k.models.Model(image, head(pooled), name="residual")


def frozen(k):
    """Layers that do not train, and a model whose first layer says a whole batch's shape."""
    layers = k.layers
    model = k.models.Sequential(name="frozen")
    model.add(layers.Dense(6, batch_input_shape=(None, 5), trainable=False))
    model.add(layers.Dense(4, activation="relu"))
    model.add(k.models.Sequential([layers.Dense(3, input_shape=(4,)), layers.Dropout(0.0)], name="tail"))
    return model


def masked(k):
    """A mask that goes on through layers to the loss."""
    layers = k.layers
    model = k.models.Sequential(name="masked")
    model.add(layers.Masking(mask_value=0.0, input_shape=(4, 3)))
    model.add(layers.TimeDistributed(layers.Dense(4, activation="tanh")))
    model.add(layers.Dense(2))
    return model


def recurrent(k):
    """Recurrent layers of every kind, over words of which those with number 0 are masked."""
    layers = k.layers
    start = layers.Input((12,), name="words")
    x = layers.Embedding(11, 6, mask_zero=True)(start)
    both = layers.Bidirectional(layers.LSTM(3, return_sequences=True, recurrent_activation="sigmoid"))
    x = both(x)
    gated = layers.GRU(4, return_sequences=True, return_state=True, reset_after=True, recurrent_activation="sigmoid")
    x, state = gated(x)
    x = layers.GRU(4, return_sequences=True, recurrent_activation="sigmoid", reset_after=False)(x, initial_state=state)
    cells = [layers.LSTMCell(3, recurrent_activation="sigmoid"), layers.SimpleRNNCell(4)]
    other = layers.RNN(layers.StackedRNNCells(cells))(layers.Embedding(11, 5)(start))  # masks stop Keras 2.2.4 here
    x = layers.concatenate([layers.SimpleRNN(5, go_backwards=True, activation="relu")(x), other])
    return k.models.Model(start, layers.Dense(2)(x), name="recurrent")


def small(k):
    """Two layers, for the optimizers."""
    return k.models.Sequential(
        [k.layers.Dense(5, activation="tanh", input_shape=(4,)), k.layers.Dense(2)], name="small"
    )


def compiled(make, loss="mse", optimizer="adam", metrics=None, **settings):
    """Return a function from a library to a compiled model."""

    def build(k):
        model = make(k)
        model.compile(optimizer if isinstance(optimizer, str) else optimizer(k), loss, metrics, **settings)
        return model

    return build


#: Name of files -> a function from a library to the model, compiled.
MODELS = {
    "perceptron": compiled(perceptron, "categorical_crossentropy", "adadelta", ["accuracy"]),
    "images": compiled(images, "mse", "rmsprop", ["mae"]),
    "sequences": compiled(sequences, "mean_absolute_error"),
    "volumes": compiled(volumes, "logcosh", "adagrad"),
    "activations": compiled(
        activations, "categorical_crossentropy", "nadam", ["categorical_accuracy", "top_k_categorical_accuracy"],
    ),
    "branches": compiled(
        branches, {"first": "categorical_crossentropy", "second": "mse"}, "adamax",
        {"first": "accuracy"}, loss_weights={"first": 1.0, "second": 0.5},
    ),
    "residual": compiled(
        residual, "mse", lambda k: k.optimizers.SGD(0.001, momentum=0.9, nesterov=True), ["mse", "mae"]
    ),
    "frozen": compiled(frozen, "mse", "sgd"),
    "masked": compiled(masked, "mse", "rmsprop"),
    "recurrent": compiled(recurrent),
    "sgd": compiled(small, "mse", lambda k: k.optimizers.SGD(0.05, momentum=0.8, decay=0.01)),
    "sgd_plain": compiled(small, "msle", lambda k: k.optimizers.SGD(0.05, clipnorm=0.5)),
    "rmsprop": compiled(small, "mse", lambda k: k.optimizers.RMSprop(0.02, rho=0.8, decay=0.01)),
    "adagrad": compiled(small, "mse", lambda k: k.optimizers.Adagrad(0.05)),
    "adadelta": compiled(small, "mse", lambda k: k.optimizers.Adadelta(0.9, rho=0.9)),
    "adam": compiled(small, "mse", lambda k: k.optimizers.Adam(0.02, epsilon=1e-5, decay=0.02)),
    "amsgrad": compiled(small, "cosine_proximity", lambda k: k.optimizers.Adam(0.02, amsgrad=True, clipvalue=0.3)),
    "adamax": compiled(small, "mse", lambda k: k.optimizers.Adamax(0.02, beta_1=0.8)),
    "nadam": compiled(small, "mse", lambda k: k.optimizers.Nadam(0.02, schedule_decay=0.01)),
}  # fmt: skip


def data_of(model):
    """Return inputs and targets that fit a model."""
    generator = np.random.RandomState(zlib.crc32(model.name.encode()))
    inputs, targets = [], []
    for shape in shapes_of(model.input_shape):
        x = generator.normal(size=(ROWS, *shape[1:])).astype("float32")
        if model.name in ("sequences", "recurrent"):
            x = generator.randint(11, size=(ROWS, *shape[1:])).astype("int32")
        if model.name == "masked":
            x[::3, 2:] = 0
        inputs.append(x)
    for shape in shapes_of(model.output_shape):
        chosen = generator.randint(shape[-1], size=(ROWS, *shape[1:-1]))
        targets.append(np.eye(shape[-1], dtype="float32")[chosen])
    return inputs if len(inputs) > 1 else inputs[0], targets if len(targets) > 1 else targets[0]


def shapes_of(shape):
    """Return the shapes of several tensors, also where there is one."""
    return shape if isinstance(shape[0], (list, tuple)) else [shape]


def train(model, x, y, epochs=2):
    """Train without mixing rows and return the losses."""
    return model.fit(x, y, batch_size=BATCH, epochs=epochs, shuffle=False, verbose=0).history["loss"]


def results(model, optimizer=True, data=None):
    """Return what a model computes, and how training goes on; `data` are inputs and targets."""
    x, y = data or data_of(model)
    predictions = model.predict(x, batch_size=BATCH, verbose=0)
    predictions = predictions if isinstance(predictions, list) else [predictions]
    found = {"predictions%d" % number: values for number, values in enumerate(predictions)}  # noqa: UP031
    if optimizer:
        found["evaluate"] = np.ravel(model.evaluate(x, y, batch_size=BATCH, verbose=0))
        found["losses"] = train(model, x, y)
    return found


def write(k, folder, name):
    """Write the files of a model that has trained, and what it computes."""
    np.random.seed(5)
    model = MODELS[name](k)
    x, y = data_of(model)
    train(model, x, y)
    model.save(folder + "/" + name + ".h5")
    model.save_weights(folder + "/" + name + ".weights.h5")
    with open(folder + "/" + name + ".json", "w") as file:
        file.write(model.to_json())
    # As it goes on from the file: some of Keras 2's optimizers do not write how many steps they made.
    np.savez(folder + "/" + name + ".npz", **results(k.models.load_model(folder + "/" + name + ".h5")))


def check(k, folder, name):
    """Read weights out of the two files that Cornu wrote, and say what the models compute with them."""
    path = folder + "/" + name
    found = {}
    plain = MODELS[name](k)
    plain.load_weights(path + "_weights.h5")
    found.update(("weights/" + key, value) for key, value in results(plain, optimizer=False).items())
    whole = MODELS[name](k)
    whole.load_weights(path + ".h5")
    found.update(("whole/" + key, value) for key, value in results(whole, optimizer=False).items())
    np.savez(path + ".keras2.npz", **found)


def change_last(keras):
    """Let variables change when the step is computed: else Keras 2 reads them before or after that, as it happens."""
    import tensorflow

    tensorflow.compat.v1.enable_resource_variables()
    optimizers, backend = keras.optimizers, keras.backend
    late = []

    def note(variable, increment):
        late.append((variable, variable + increment))
        return tensorflow.no_op()

    def ordered(get_updates):
        def get(self, loss, params):
            plain, backend.update_add = backend.update_add, note
            try:
                updates = get_updates(self, loss, params)
            finally:
                backend.update_add = plain
            counts = late + [update for update in updates if isinstance(update, tuple)]
            first = [update for update in updates if not isinstance(update, tuple)]
            del late[:]
            with tensorflow.control_dependencies(first):
                return first + [tensorflow.compat.v1.assign(*pair) for pair in counts]

        return get

    for name in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam"):
        cls = getattr(optimizers, name)
        cls.get_updates = ordered(cls.get_updates)


if __name__ == "__main__":
    import keras

    change_last(keras)
    for each in sys.argv[3:] or MODELS:
        {"write": write, "check": check}[sys.argv[1]](keras, sys.argv[2], each)
        keras.backend.clear_session()
