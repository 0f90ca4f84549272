"""Array functions in configs: what real Keras writes between the layers of a functional model, masks above all."""

import json
import zipfile

import numpy as np
import pytest

from cornu import models

pytestmark = [
    pytest.mark.old_spellings,  # configs of real Keras have arguments that only compat knows
    # Real Keras warns where it passes a mask to an inner model.
    pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning"),
]

IDS, OTHERS = np.array([[1, 2, 0, 3], [4, 0, 0, 0]], "int32"), np.array([[1, 0, 5, 0], [2, 6, 0, 0]], "int32")
ROWS = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32") * (IDS > 0)[..., None]


def merged(keras):
    """Masks of an embedding, of merges and of Masking, each used."""
    layers = keras.layers
    ids, others, rows = (layers.Input((4,), dtype="int32"), layers.Input((4,), dtype="int32"), layers.Input((4, 3)))
    embed, pool = layers.Embedding(7, 3, mask_zero=True), layers.GlobalAveragePooling1D()
    total = layers.Add()([embed(ids), embed(others)])
    wide = layers.Concatenate()([total, embed(others)])
    long = layers.Concatenate(axis=1)([embed(ids), total])
    return keras.Model([ids, others, rows], [pool(wide), pool(long), pool(layers.Masking()(rows))])


def nested(keras):
    """A masked tensor that goes into an inner model."""
    layers = keras.layers
    ids, rows = layers.Input((4,), dtype="int32"), layers.Input((4, 3))
    inner = keras.Model(rows, layers.GlobalAveragePooling1D()(layers.Dropout(0.5)(rows)))
    return keras.Model(ids, inner(layers.Embedding(7, 3, mask_zero=True)(ids)))


def functions(keras):
    """Functions that a user put between the layers."""
    ids = keras.layers.Input((4, 3))
    scaled = keras.ops.multiply(keras.ops.mean(ids, axis=1, keepdims=True), 2.0)
    return keras.Model(ids, keras.layers.Dense(2)(keras.ops.squeeze(keras.ops.relu(scaled), 1)))


MODELS = {"merged": (merged, [IDS, OTHERS, ROWS]), "nested": (nested, IDS), "functions": (functions, ROWS)}


@pytest.mark.parametrize(("make", "data"), MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_files_of_real_keras_with_functions_are_read_and_written(make, data, suffix, real_keras, tmp_path):
    theirs = make(real_keras)
    theirs.save(tmp_path / f"theirs.{suffix}")
    expected = theirs.predict(data, verbose=0)
    ours = models.load_model(tmp_path / f"theirs.{suffix}")
    ours.save(tmp_path / f"ours.{suffix}")
    copy = models.clone_model(ours)
    copy.set_weights(ours.get_weights())
    copy.save(tmp_path / f"copy.{suffix}")
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    again = [models.load_model(tmp_path / f"{name}.{suffix}") for name in ("ours", "copy")]
    if suffix == "h5":  # real Keras cannot read functions in HDF5 files, not even its own
        again[0].save(tmp_path / "ours.keras")
        again[1].save(tmp_path / "copy.keras")
    again += [real_keras.models.load_model(tmp_path / f"{name}.keras") for name in ("ours", "copy")]
    for model in (ours, copy, *again):
        for found, one in zip(_list(model.predict(data, verbose=0)), _list(expected), strict=True):
            np.testing.assert_allclose(found, one, atol=1e-6)


def _list(outputs):
    return outputs if isinstance(outputs, list) else [outputs]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"class_name": "NotEqul"}, "Unknown function between the layers: 'NotEqul'.*'not_equal'"),
        ({"class_name": "numpy"}, "Unknown function"),
        ({"class_name": "__import__"}, "Unknown function"),
        ({"config": {"name": "not_equal", "axis": 1}}, "'axis' that it does not take"),
        ({"config": {"name": "a\x1b[31mb"}}, "line of plain text"),
        ({"inbound_nodes": [{"args": [[1000000]], "kwargs": {}}], "class_name": "Ones"}, "on no tensor"),
    ],
)
def test_wrong_functions_are_named(change, words, real_keras, tmp_path):
    nested(real_keras).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        config = json.loads(file.read("config.json"))
    entry = next(one for one in config["config"]["layers"] if one["class_name"] == "NotEqual")
    entry.update(change)
    with pytest.raises(ValueError, match=words):
        models.model_from_json(json.dumps(config))
