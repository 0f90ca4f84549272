"""Configs: the constructor call as plain data, in Keras 3's form, read without importing names out of a file."""

import json

import pytest

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
