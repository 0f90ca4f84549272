"""Configs: the constructor call as plain data, in Keras 3's form, read without importing names out of a file."""

import copy
import json
import pickle

import numpy as np
import pytest

import cornu
from cornu import initializers, layers
from cornu.core import registry
from cornu.core.layer import Layer
from cornu.core.serialization import deserialize, serialize
from cornu.models import Model, Sequential, clone_model, model_from_json


class Mine(Layer):
    def __init__(self, size=1, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs):
        return inputs * self.size


def test_a_config_is_plain_json():
    layer = layers.Dense(3, activation="relu", kernel_initializer=initializers.HeNormal(seed=1))
    entry = json.loads(json.dumps(serialize(layer)))
    assert entry["class_name"] == "Dense"
    assert entry["config"]["kernel_initializer"]["config"]["seed"] == 1
    copy = deserialize(entry)
    assert copy.units == 3
    assert serialize(copy)["config"] == entry["config"] or copy.name == layer.name


def test_custom_objects_are_given_or_registered():
    entry = serialize(Mine(4))
    with pytest.raises(ValueError, match="custom_objects"):
        deserialize(entry)
    assert deserialize(entry, {"Mine": Mine}).size == 4
    with registry.CustomObjectScope({"Mine": Mine}):
        assert deserialize(entry).size == 4


def test_nothing_is_imported_by_name():
    for module, name in (("os", "system"), ("builtins", "eval"), ("subprocess", "Popen"), ("cornu.utils", "get_file")):
        with pytest.raises(ValueError, match=name):
            deserialize({"module": module, "class_name": name, "config": {}, "registered_name": None})


def test_byte_code_is_refused():
    with pytest.raises(ValueError, match="never runs code"):
        deserialize({"class_name": "__lambda__", "config": {"value": "4wEAAA=="}})


def test_models_survive_json():
    x = layers.Input((4,), name="x")
    shared = layers.Dense(4)
    model = Model(x, [shared(shared(x)), layers.Dense(1)(x)], name="two")
    copy = model_from_json(model.to_json())
    assert [tuple(t.shape) for t in copy.outputs] == [(None, 4), (None, 1)]
    assert copy.count_params() == model.count_params()
    stack = Sequential([layers.Input((3,)), layers.Dense(2), Sequential([layers.Dense(1)])])
    assert model_from_json(stack.to_json()).count_params() == stack.count_params()


@pytest.mark.old_spellings
def test_keras_reads_our_configs_and_we_read_its(real_keras):
    x = layers.Input((4,))
    h = layers.Dense(3, activation="relu")(x)
    model = Model(x, layers.Add()([h, layers.Dense(3)(h)]))
    theirs = real_keras.models.model_from_json(model.to_json())
    assert theirs.count_params() == model.count_params()
    assert model_from_json(theirs.to_json()).count_params() == model.count_params()


@pytest.mark.old_spellings
@pytest.mark.shared
@pytest.mark.parametrize("version", ["keras-2.2.4", "keras-3.15.1"])
@pytest.mark.parametrize("name", ["mlp", "cnn", "act", "func"])
def test_architectures_that_real_keras_wrote(shared, version, name):
    text = (shared / "data" / "real-keras" / version / f"{name}.json").read_text()
    expected = {"mlp": 25450, "cnn": 18954, "act": 19186, "func": 26506}
    assert model_from_json(text).count_params() == expected[name]


def test_clones_have_weights_of_their_own():
    model = Sequential([layers.Input((3,)), layers.Dense(2), layers.Lambda(lambda x: x + 1)])
    copy = clone_model(model)
    copy.set_weights(model.get_weights())
    copy.layers[0].kernel.assign(copy.layers[0].kernel * 0)
    assert model.layers[0].kernel.numpy().any()


class Scale(layers.Layer):
    pass


@pytest.mark.parametrize(
    ("known", "written"),
    [(name, name) for name in ("Scale", "Custom>Scale", "mine>Scale")]
    + [("Scale", "Custom>Scale"), ("Scale", "mine>Scale"), ("Custom>Scale", "Scale")],
)
def test_custom_objects_are_found_with_and_without_their_package(known, written):
    entry = {"class_name": written, "config": {"name": "s"}}
    assert type(deserialize(entry, {known: Scale})) is Scale


def test_a_package_that_is_not_known_is_named():
    with pytest.raises(ValueError, match=r"'mine>Dense', which is neither(.|\n)*pass custom_objects=\{'Dense'"):
        deserialize({"class_name": "mine>Dense", "config": {"units": 3}})
    with pytest.raises(ValueError, match=r"'Custom>Dense', which is neither"):
        deserialize({"class_name": "Custom>Dense", "config": {"units": 3}})


def test_a_custom_class_of_a_librarys_name_is_taken_only_where_it_is_named():
    with registry.CustomObjectScope({"Custom>Dense": Scale}):
        layer = deserialize({"class_name": "Dense", "config": {"units": 3}})
        assert type(layer) is layers.Dense
        entry = {"class_name": "Dense", "config": {"name": "s"}, "registered_name": "Custom>Dense"}
        assert type(deserialize(entry, table=registry.LAYERS)) is Scale


def _own_activation(x):
    return 2 * x


class _Around(layers.Layer):
    """Holds a layer, a function and an array, and is registered nowhere."""

    def __init__(self, inner, function=None, table=None, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.function, self.table = inner, function, table

    def call(self, inputs):
        return self.function(self.inner(inputs))


def _configured(library):
    layer_module = library.layers
    return [
        layer_module.Dense(3),
        layer_module.Dense(3, dtype="mixed_bfloat16", kernel_initializer=library.initializers.HeNormal()),
        layer_module.Dense(3, kernel_regularizer=library.regularizers.L2(0.1), activation=library.activations.relu),
        layer_module.Dense(3, activation=_own_activation),
        layer_module.BatchNormalization(dtype="mixed_float16"),
        layer_module.TimeDistributed(layer_module.Dense(2)),
        library.Sequential([library.Input((2,)), layer_module.Dense(2)]),
        library.optimizers.Adam(library.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)),
        library.losses.BinaryCrossentropy(),
        library.metrics.MeanMetricWrapper(library.losses.mean_squared_error),
    ]


def test_configs_are_plain_data(real_keras):
    for ours, theirs in zip(_configured(cornu), _configured(real_keras), strict=True):
        config, expected = json.loads(json.dumps(ours.get_config())), json.loads(json.dumps(theirs.get_config()))
        assert "dtype" not in expected or config["dtype"] == expected["dtype"]
    config = layers.Dense(3, dtype="float16").get_config()
    assert config["dtype"] == real_keras.layers.Dense(3, dtype="float16").get_config()["dtype"]


def test_configs_of_custom_objects_are_plain_data_and_need_no_registration_in_their_process():
    layer = _Around(_Around(layers.Dense(2, activation=_own_activation), _own_activation), lambda x: x + 1, np.ones(2))
    config = layer.get_config()
    json.dumps(config)
    for one in (config, copy.deepcopy(config)):
        again = _Around.from_config(one)
        assert again.inner is not layer.inner
        assert again.inner.inner.activation is _own_activation
        assert again.function is layer.function
        assert np.array_equal(again.table, [1, 1])
    with pytest.raises(ValueError, match="custom_objects"):
        _Around.from_config(json.loads(json.dumps(config)))
    with pytest.raises(ValueError, match="custom_objects"):
        _Around.from_config(pickle.loads(pickle.dumps(config)))


def test_a_config_has_the_activation_that_was_set_later():
    model = cornu.Sequential([cornu.Input((4,)), layers.Dense(2, activation="softmax"), layers.Activation("relu")])
    dense = model.layers[0]
    x = np.ones((1, 4), "float32")
    for activation in (None, cornu.activations.tanh, _own_activation):
        dense.activation = activation
        expected = np.asarray(dense(x))
        same = layers.Dense.from_config(dense.get_config())
        same.build((None, 4))
        same.set_weights(dense.get_weights())
        np.testing.assert_array_equal(same(x), expected)
    model.layers[1].activation = None
    assert np.array_equal(model(x), expected)
    for layer in (layers.Conv1D(2, 1), layers.EinsumDense("ab,bc->ac", 2), layers.SeparableConv1D(2, 1)):
        inputs = x[..., None] if isinstance(layer, (layers.Conv1D, layers.SeparableConv1D)) else x
        expected = layer(inputs)
        layer.activation = None
        np.testing.assert_array_equal(layer(inputs), expected)


@pytest.mark.old_spellings
def test_functions_of_the_backend_are_saved_as_what_they_compute(tmp_path):
    from cornu import backend

    x = np.linspace(-2, 2, 8, dtype="float32").reshape(2, 4)
    for name in ("hard_sigmoid", "relu", "tanh", "sigmoid", "softplus", "softsign", "elu", "softmax"):
        model = cornu.Sequential([cornu.Input((4,)), layers.Activation(getattr(backend, name))])
        for suffix in (".keras", ".h5"):
            model.save(tmp_path / f"m{suffix}")
            loaded = cornu.models.load_model(tmp_path / f"m{suffix}")
            np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
