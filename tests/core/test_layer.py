"""The layer: building, calling, tracking, flags, losses, masks, configs, and what is said of mistakes."""

import numpy as np
import pytest

import cornu
from cornu import layers, regularizers
from cornu.core.layer import Layer
from cornu.core.scope import get_mask
from cornu.core.variable import Variable
from cornu.layers import Dense, Dropout, Embedding, Input, Masking

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


class Scale(Layer):
    """A layer as users write them."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.weight = self.add_weight(name="weight", shape=(input_shape[-1],), initializer="ones")

    def call(self, inputs):
        return inputs * self.weight * self.factor


class Keras2Layer(Layer):
    """A layer in the way of Keras 2: attributes before super, name first, ``compute_output_shape``."""

    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super(Keras2Layer, self).__init__(**kwargs)  # noqa: UP008

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[1], self.output_dim), initializer="uniform", trainable=True
        )
        super(Keras2Layer, self).build(input_shape)  # noqa: UP008

    def call(self, x):
        return x @ self.kernel

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_dim)


def test_a_layer_of_ones_own():
    layer = Scale(3.0)
    np.testing.assert_allclose(layer(X), 3 * X, rtol=1e-6)
    assert [weight.path for weight in layer.weights] == ["scale/weight"] or layer.name != "scale"
    assert Scale.from_config(layer.get_config()).factor == 3.0


def test_a_layer_in_the_way_of_keras_2():
    layer = Keras2Layer(3)
    assert tuple(layer(Input((4,))).shape) == (None, 3)
    assert layer(X).shape == (5, 3)
    assert layer.get_config()["output_dim"] == 3


def test_weights_are_found_in_attributes_lists_and_dictionaries():
    class Holder(Layer):
        def __init__(self):
            super().__init__()
            self.branches = [Dense(2), Dense(2)]
            self.named = {"last": Dense(1)}
            self.extra = Variable([1.0], name="extra")

        def call(self, x):
            return self.named["last"](self.branches[1](self.branches[0](x)))

    layer = Holder()
    layer(X)
    assert len(layer.weights) == 7
    assert layer.weights[0] is layer.extra
    layer.trainable = False
    assert layer.trainable_weights == []
    assert not layer.branches[0].trainable
    assert len(layer.non_trainable_weights) == 7


def test_training_reaches_inner_layers():
    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.dropout = Dropout(0.5)

        def call(self, x):
            return self.dropout(x)

    layer = Outer()
    assert np.array_equal(layer(X), X)
    assert (np.asarray(layer(X, training=True)) == 0).any()


def test_losses_are_those_of_the_last_call():
    layer = Dense(2, activity_regularizer=regularizers.L2(0.1), kernel_regularizer=regularizers.L1(0.01))
    layer(X)
    layer(X)
    assert len(layer.losses) == 2


def test_masks_travel_from_layer_to_layer():
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    embedded = Embedding(4, 2, mask_zero=True)(ids)
    assert np.array_equal(get_mask(embedded), ids != 0)
    passed = layers.Activation("relu")(embedded)
    assert np.array_equal(get_mask(passed), ids != 0)
    assert np.array_equal(get_mask(Masking()(np.zeros((1, 2, 3)))), [[False, False]])


def test_several_build_shapes_by_name():
    class Pair(Layer):
        def build(self, first_shape, second_shape):
            self.shapes = (first_shape, second_shape)

        def call(self, first, second):
            return first.sum() + second.sum()

    layer = Pair()
    layer(X, second=np.ones((2, 3)))
    assert layer.shapes == ((5, 4), (2, 3))


def test_initial_weights_are_set_on_building():
    kernel = np.arange(8.0).reshape(4, 2)
    layer = Dense(2, weights=[kernel, np.zeros(2)])
    layer(X)
    assert np.array_equal(layer.get_weights()[0], kernel)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda: Scale(factr=1), "factor"),
        (lambda: Scale()(np.array([["a"]])), "takes numbers"),
        (lambda: Dense(2).count_params(), "build"),
        (lambda: Layer()(X), "call"),
        (lambda: Dense(2).output, "Input"),
        (lambda: layers.Conv2D(2, 3)(X), "4 axes"),
        (lambda: Input((3,)) @ Input((4,)) if False else layers.add([X, X[:, :2]]), r"\(5, 4\)|\(4,\)"),
    ],
)
def test_mistakes_raise_a_clear_error(action, words):
    with pytest.raises((ValueError, TypeError, AttributeError, NotImplementedError), match=words):
        action()


def test_a_forgotten_super_init_is_named():
    class Forgot(Layer):
        def __init__(self):
            self.units = 3

    with pytest.raises(RuntimeError, match="super"):
        Forgot()(X)


def test_an_engine_error_names_the_layer_and_its_inputs():
    layer = Scale()
    layer(X)
    with pytest.raises(ValueError, match=r"'scale.*\(5, 3\)") as caught:
        layer(X[:, :3])
    assert "Traced" not in str(caught.value)


def test_a_layer_built_while_shapes_are_inferred_remembers_unknown_sizes():
    from cornu import models

    class Around(models.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

    model = Around()
    model.compile("sgd", "mse")
    model.fit(np.ones((3, 4)), np.ones(3), verbose=0)
    assert model.dense.get_build_config() == {"input_shape": (None, 4)}


def frozen(library):
    """Return the flags of weights while their layers are frozen and thawed."""
    facts = []

    def note(layer):
        facts.append(([weight.trainable for weight in layer.weights], len(layer.trainable_weights)))

    dense = library.layers.Dense(2)
    dense.trainable = False
    dense.build((None, 3))
    note(dense)
    dense.trainable = True
    note(dense)
    dense.kernel.trainable = False
    note(dense)
    dense.trainable = True
    note(dense)
    dense.trainable = False
    dense.kernel.trainable = True
    note(dense)
    made_frozen = library.layers.Dense(2, trainable=False)
    made_frozen.build((None, 3))
    note(made_frozen)
    model = library.Sequential([library.Input((3,)), library.layers.Dense(2), library.layers.BatchNormalization()])
    for flag in (False, True):
        model.trainable = flag
        note(model)
        note(model.layers[1])
        facts.append([weight.name for weight in model.weights])
    model.layers[0].trainable = False
    note(model)
    return facts


def test_weights_say_whether_their_layer_is_frozen(real_keras):
    assert frozen(cornu) == frozen(real_keras)


def test_weights_frozen_after_compile_are_trained_as_compiled():
    model = cornu.Sequential([Input((3,)), Dense(1)])
    model.compile("sgd", "mse")
    model.trainable = False
    before = model.get_weights()[0].copy()
    model.fit(np.ones((4, 3)), np.ones(4), verbose=0)
    assert not np.array_equal(before, model.get_weights()[0])
    assert not model.layers[0].kernel.trainable


def with_another_policy(library):
    layer = library.layers.Dense(2)
    layer.build((None, 3))
    layer.dtype_policy = "mixed_bfloat16"
    outputs = layer(X[:, :3])
    layer.dtype_policy = library.dtype_policies.DTypePolicy("mixed_float16")
    return [layer.compute_dtype, layer.variable_dtype, str(outputs.dtype), str(layer(X[:, :3]).dtype)]


def test_the_policy_of_a_built_layer_can_be_set(real_keras):
    assert with_another_policy(cornu) == with_another_policy(real_keras)
    model = cornu.Sequential([Input((3,)), Dense(2)])
    model.layers[0].dtype_policy = "mixed_bfloat16"
    assert model.predict(X[:, :3], verbose=0).dtype.name == "bfloat16"
    assert model.get_config()["layers"][1]["config"]["dtype"]["config"]["name"] == "mixed_bfloat16"


WITHOUT_WEIGHTS = [
    ("Activation", ("relu",)), ("ActivityRegularization", ()), ("AveragePooling2D", (2,)), ("Dropout", (0.1,)),
    ("ELU", ()), ("GaussianNoise", (0.1,)), ("GlobalAveragePooling1D", ()), ("GlobalMaxPooling2D", ()),
    ("Identity", ()), ("LeakyReLU", ()), ("Masking", ()), ("MaxPooling1D", (2,)), ("ReLU", ()), ("Reshape", ((1,),)),
    ("Softmax", ()), ("SpatialDropout1D", (0.1,)), ("UnitNormalization", ()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), WITHOUT_WEIGHTS)
def test_layers_without_weights_are_built_from_the_start(real_keras, name, arguments):
    for library in (cornu, real_keras):
        layer = getattr(library.layers, name)(*arguments)
        assert layer.built
        assert layer.count_params() == 0


@pytest.mark.parametrize("name", ["Dense", "Conv2D", "Embedding", "BatchNormalization", "TimeDistributed", "Layer"])
def test_layers_with_weights_are_built_later(name):
    arguments = {"Dense": (1,), "Conv2D": (1, 1), "Embedding": (2, 2), "TimeDistributed": (Dropout(0.1),)}
    assert not getattr(layers, name)(*arguments.get(name, ())).built

    class Own(Dropout):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=(input_shape[-1],), name="scale")

    layer = Own(0.5)
    assert not layer.built
    layer(X)
    assert layer.built
    assert len(layer.weights) == 1


@pytest.mark.parametrize("name", ["", "a//b", "/a", "a/", "a/../b", 3])
def test_names_that_are_none_are_refused(name):
    if name == "":
        assert Dense(2, name=name).name.startswith("dense")
        return
    with pytest.raises(ValueError, match="must be a string, such as"):
        Dense(2, name=name)
