"""The paths of weights: the same as in real Keras, whatever stands around a layer."""

import numpy as np
import pytest

import cornu

X = np.ones((4, 6), "float32")


def sequential(k):
    return k.Sequential([k.Input((6,)), k.layers.Dense(3, name="d"), k.layers.BatchNormalization(name="b")], name="s")


def sequential_later(k):
    model = k.Sequential([k.layers.Dense(3, name="d"), k.layers.Dropout(0.5, name="drop")], name="s")
    model(X)
    return model


def sequential_added(k):
    model = k.Sequential([k.Input((6,)), k.layers.Dense(3, name="d")], name="s")
    model.add(k.layers.Dense(2, name="e"))
    return model


def sequential_in_sequential(k):
    inner = k.Sequential([k.layers.Dense(3, name="d")], name="inner")
    known = k.Sequential([k.Input((3,)), k.layers.Dense(3, name="d")], name="known")
    return k.Sequential([k.Input((6,)), inner, known, k.layers.Dense(1, name="e")], name="outer")


def functional(k):
    x = k.Input((6,))
    inner = k.Sequential([k.layers.Dense(3, name="d")], name="inner")
    shared = k.layers.Dense(3, name="shared")
    y = k.layers.Add(name="a")([inner(x), shared(x), shared(x)])
    middle_in = k.Input((3,))
    middle = k.Model(middle_in, k.layers.Dense(3, name="m")(middle_in), name="middle")
    return k.Model(x, k.layers.Dense(1, name="e")(middle(y)), name="f")


def wrapped(k):
    x = k.Input((5, 6))
    return k.Model(x, k.layers.TimeDistributed(k.layers.Dense(2, name="d"), name="t")(x), name="w")


def subclassed(k):
    class Block(k.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.early = self.add_weight(shape=(2,), name="early")
            self.dense = k.layers.Dense(4, name="dense")

        def build(self, shape):
            self.own = self.add_weight(shape=(shape[-1],), name="own")
            self.late = k.layers.Dense(5, name="late")
            self.late.build((None, 4))
            self.free = k.Variable(np.zeros(2, "float32"), name="free")

        def call(self, x):
            return self.late(self.dense(x * self.own))

    class Outer(k.Model):
        def __init__(self):
            super().__init__(name="outer")
            self.block = Block(name="block")
            self.stack = k.Sequential([k.layers.Dense(2, name="top")], name="stack")

        def call(self, x):
            return self.stack(self.block(x))

    model = Outer()
    model(X)
    return model


def cloned(k):
    return k.models.clone_model(functional(k))


def read_again(k):
    return k.Sequential.from_config(sequential(k).get_config())


BUILDS = [
    sequential, sequential_later, sequential_added, sequential_in_sequential, functional, wrapped, subclassed, cloned,
    read_again,
]  # fmt: skip


@pytest.mark.parametrize("build", BUILDS)
def test_weights_and_optimizers_variables_have_keras_paths(build, real_keras):
    found = []
    for library in (cornu, real_keras):
        model = build(library)
        model.compile(library.optimizers.Adam(name="adam"), "mse")
        x = X if build is subclassed else np.ones((4, *model.input_shape[1:]), "float32")
        model.fit(x, np.zeros(model(x).shape), verbose=0)
        found.append([dict.fromkeys(v.path for v in kept) for kept in (model.weights, model.optimizer.variables)])
    assert [[*paths] for paths in found[0]] == [[*paths] for paths in found[1]]  # Keras builds `Block` twice


@pytest.mark.parametrize("build", BUILDS)
def test_layers_have_keras_paths(build, real_keras):
    ours, theirs = ({layer.path for layer in build(library)._flatten_layers()} for library in (cornu, real_keras))
    # Keras has none for what was called without being built: dropout, subclassed models.
    assert theirs - {None} <= ours
    assert ours - theirs <= {"s/drop", "outer"}


def test_a_layer_has_no_path_before_it_is_built_and_may_use_the_name():
    layer = cornu.layers.Dense(2, name="d")
    assert layer.path is None
    layer.build((None, 3))
    assert layer.path == "d"

    class Reader(cornu.layers.Layer):
        def __init__(self, path):
            super().__init__(name="reader")
            self.path = path

        def build(self, shape):
            self.table = self.add_weight(shape=(2,), name="table")

        def call(self, x):
            return x

    reader = Reader("data.csv")
    reader(X)
    assert (reader.path, reader.table.path) == ("data.csv", "reader/table")


def test_an_error_in_a_call_leaves_no_name_behind():
    class Broken(cornu.layers.Layer):
        def call(self, x):
            raise KeyError("no")

    with pytest.raises(KeyError):
        Broken(name="broken")(X)
    assert cornu.Variable(1.0, name="v").path == "v"
