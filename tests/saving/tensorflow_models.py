"""Models in the spelling of tf.keras 2, made by Cornu and by real tf.keras (2.11 to 2.15) alike.

As a program of TensorFlow: ``write FOLDER NAME...`` writes of each model a SavedModel folder, a checkpoint of
``save_weights`` and one of ``tf.train.Checkpoint``, with what it computes beside them; ``write_others FOLDER`` writes
what Cornu refuses, and files with several models.
"""

import sys

import numpy as np

sys.path.insert(0, __file__.rpartition("/saving/")[0])
from saving import keras2_models
from saving.keras2_models import (
    ROWS,
    activations,
    branches,
    compiled,
    images,
    residual,
    sequences,
    small,
    train,
    volumes,
)


def layered(k):
    """Return a custom layer and two custom models, of one library: weights and layers in attributes of every kind."""

    class Scale(k.layers.Layer):
        def build(self, input_shape):
            self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale_factor")
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")
            self.built = True

        def call(self, inputs):
            return inputs * self.factor

    class Block(k.Model):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.layers_of_block = [k.layers.Dense(units, activation="tanh"), k.layers.BatchNormalization()]
            self.named = {"scale": Scale(), "out": k.layers.Dense(units, use_bias=False)}

        def call(self, inputs, training=False):
            x = self.layers_of_block[1](self.layers_of_block[0](inputs), training=training)
            return self.named["out"](self.named["scale"](x))

    class Net(k.Model):
        def __init__(self, units=3, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.block = Block(units)
            self.pair = (Block(units + 1), [k.layers.Dense(units)])
            self.head = k.models.Sequential([k.layers.Dense(4, activation="relu"), k.layers.Dense(units)])

        def call(self, inputs, training=False):
            x = self.block(inputs, training=training)
            x = self.pair[1][0](self.pair[0](x, training=training))
            return self.head(x, training=training)

        def get_config(self):
            return {"units": self.units, "name": self.name}

    return Scale, Block, Net


def subclassed(k):
    """A custom model with layers in attributes, lists, tuples and dictionaries, and models in it."""
    model = layered(k)[2](name="subclassed")
    model(np.zeros((1, 5), "float32"))
    return model


def custom(k):
    """A functional model with a custom layer."""
    scale = layered(k)[0]
    start = k.layers.Input((5,))
    x = scale(name="scale")(k.layers.Dense(4, activation="relu")(start))
    return k.models.Model(start, k.layers.Dense(3)(x), name="custom")


def later(k):
    """A Sequential model that was built by its first data."""
    model = k.models.Sequential([k.layers.Dense(4, activation="relu"), k.layers.Dense(3)], name="later")
    model.build((None, 5))
    return model


def normalized(k):
    """A model with the layers that have weights and came after Keras 2.2."""
    layers = k.layers
    start = layers.Input((8, 4))
    x = layers.LayerNormalization()(layers.DepthwiseConv1D(3, padding="same")(start))
    x = layers.GroupNormalization(2)(layers.Conv1DTranspose(4, 3, padding="same")(x))
    x = layers.EinsumDense("abc,cd->abd", (8, 5), bias_axes="d")(x)
    x = layers.Dense(4)(layers.UnitNormalization()(x))
    return k.models.Model(start, layers.Dense(3)(layers.Flatten()(x)), name="normalized")


def halves(k):
    """A model that computes in half precision, with weights in full."""
    layers = [k.layers.Dense(4, activation="relu", input_shape=(5,), dtype="mixed_float16")]
    layers += [k.layers.Dense(3, dtype="float32"), k.layers.Dense(3, dtype="float16")]
    return k.models.Sequential(layers, name="halves")


def legacy(k):
    """Return the optimizers of tf.keras 2.0 to 2.10; those of Cornu compute the same."""
    return getattr(k.optimizers, "legacy", k.optimizers) if k.__name__ != "cornu" else k.optimizers


#: Name of files -> a function from a library to the model, compiled.
MODELS = {
    "activations": compiled(
        activations, "categorical_crossentropy", lambda k: k.optimizers.Adadelta(1.0, epsilon=1e-7), ["accuracy"]
    ),
    "volumes": compiled(volumes),
    "normalized": compiled(normalized),
    "images": compiled(images, "mse", lambda k: legacy(k).RMSprop(0.001), ["mae"]),
    "sequences": compiled(sequences, "mean_absolute_error"),
    "branches": compiled(branches, {"first": "categorical_crossentropy", "second": "mse"},
                         lambda k: legacy(k).Adamax(0.01), {"first": "accuracy"}),
    "residual": compiled(residual, "mse", lambda k: k.optimizers.SGD(0.001, momentum=0.9, nesterov=True)),
    "subclassed": compiled(subclassed, "mse", lambda k: k.optimizers.Adam(0.01, amsgrad=True)),
    "subclassed_legacy": compiled(subclassed, "mse", lambda k: legacy(k).Adam(0.01, amsgrad=True)),
    "custom": compiled(custom, "mse", lambda k: legacy(k).Adam(0.01)),
    "later": compiled(later),
    "halves": compiled(halves),
    "scaled": compiled(halves, "mse", lambda k: k.mixed_precision.LossScaleOptimizer(k.optimizers.Adam(0.01))),
    "scaled_legacy": compiled(halves, "mse", lambda k: k.mixed_precision.LossScaleOptimizer(legacy(k).Adam(0.01))),
    "sgd": compiled(small, "mse", lambda k: k.optimizers.SGD(0.05)),
    "momentum": compiled(small, "mse", lambda k: legacy(k).SGD(0.05, momentum=0.8)),
    "rmsprop": compiled(small, "mse", lambda k: k.optimizers.RMSprop(0.02, momentum=0.5, centered=True)),
    "rmsprop_legacy": compiled(small, "mse", lambda k: legacy(k).RMSprop(0.02, momentum=0.5, centered=True)),
    "adagrad": compiled(small, "mse", lambda k: k.optimizers.Adagrad(0.05)),
    "adagrad_legacy": compiled(small, "mse", lambda k: legacy(k).Adagrad(0.05)),
    "adadelta_legacy": compiled(small, "mse", lambda k: legacy(k).Adadelta(0.9)),
    "adamax": compiled(small, "mse", lambda k: k.optimizers.Adamax(0.02)),
    "nadam": compiled(small, "mse", lambda k: k.optimizers.Nadam(0.02)),
    "adamw": compiled(small, "mse", lambda k: k.optimizers.AdamW(0.02, weight_decay=0.01)),
    "ftrl": compiled(small, "mse", lambda k: k.optimizers.Ftrl(0.02)),
    "ftrl_legacy": compiled(small, "mse", lambda k: legacy(k).Ftrl(0.02)),
    "lion": compiled(small, "mse", lambda k: k.optimizers.Lion(0.02)),
    "averaged": compiled(small, "mse", lambda k: k.optimizers.SGD(0.05, use_ema=True)),
    "scheduled": compiled(
        small, "mse", lambda k: k.optimizers.Adam(k.optimizers.schedules.ExponentialDecay(0.05, 3, 0.5))
    ),
}  # fmt: skip


def data_of(model):
    """Return inputs and targets that fit a model."""
    if model.name != "subclassed":
        return keras2_models.data_of(model)
    generator = np.random.RandomState(3)
    return generator.normal(size=(ROWS, 5)).astype("float32"), np.eye(3, dtype="float32")[
        generator.randint(3, size=ROWS)
    ]


def results(model):
    """Return what a model computes, and how training goes on."""
    return keras2_models.results(model, data=data_of(model))


def write(tf, folder, name):
    """Write the files of a model that has trained, and what it computes."""
    k = tf.keras
    k.utils.set_random_seed(5)
    model = MODELS[name](k)
    x, y = data_of(model)
    train(model, x, y)
    model.save(folder + "/" + name, save_format="tf")
    model.save_weights(folder + "/" + name + "_ckpt/weights", save_format="tf")
    tf.train.Checkpoint(model=model, optimizer=model.optimizer).save(folder + "/" + name + "_train/ckpt")
    np.savez(folder + "/" + name + ".npz", **results(model))


def write_others(tf, folder):
    """Write what is not a Keras model, and a checkpoint of two models."""
    k = tf.keras

    class Program(tf.Module):
        def __init__(self):
            super().__init__()
            self.factor = tf.Variable([1.0, 2.0])

        @tf.function(input_signature=[tf.TensorSpec([None, 2])])
        def __call__(self, x):
            return x * self.factor

    tf.saved_model.save(Program(), folder + "/program")
    small(k).export(folder + "/exported")
    pair = [k.models.Sequential([k.layers.Dense(units, input_shape=(4,)), k.layers.Dense(2)]) for units in (3, 3, 5)]
    optimizers = [k.optimizers.legacy.Adam(), k.optimizers.legacy.Adam()]
    for model, optimizer in zip(pair, optimizers):  # noqa: B905 (Python 3.7 has no strict)
        model.compile(optimizer, "mse")
        model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    named = {"generator": pair[0], "critic": pair[1], "judge": pair[2]}
    tf.train.Checkpoint(
        generator_optimizer=optimizers[0], critic_optimizer=optimizers[1], step=tf.Variable(3), **named
    ).save(folder + "/pair/ckpt")
    np.savez(folder + "/pair.npz", **{name: model.get_weights()[0] for name, model in named.items()})
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder("float32", (None, 4))
        y = tf.compat.v1.layers.dense(x, 2, name="dense")
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, folder + "/saver/model.ckpt")
        tf.compat.v1.saved_model.simple_save(session, folder + "/graph", {"x": x}, {"y": y})


if __name__ == "__main__":
    import tensorflow

    _, task, target, *chosen = sys.argv
    if task == "write":
        for each in chosen or MODELS:
            write(tensorflow, target, each)
    if task == "write_others" or not chosen:
        write_others(tensorflow, target)
