"""Array functions in configs: what real Keras writes between the layers of a functional model, masks above all."""

import json
import zipfile

import numpy as np
import pytest

import cornu
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


#: Operators and functions of two tensors (batch, 4) and one of (batch, 3, 2), as a program writes them.
CODES = """
a - b; a + b; a * 2.0; 2.0 - a; a / (b + 9.0); a ** 2; 1.0 / (a + 9.0); a % b; a // 2.0; -a; abs(a); a @ ones; a < b
a >= 0.5; (a > 0) & (b > 0); (a > 0) | (b > 0); a[:, :2]; a[:, 0]; a[..., 1:]; a[:, None]; a[:, ::2]; c[:, 1:, 0]
a + row; ops.mean(a, axis=-1, keepdims=True); ops.sum(c, axis=(1, 2)); ops.max(a, 1); ops.var(a, axis=1)
ops.argmax(a, axis=1); ops.abs(a); ops.exp(a); ops.sqrt(ops.square(a)); ops.maximum(a, b); ops.minimum(a, 0.5)
ops.where(a > b, a, b); ops.where(a > 0, a, 0.0); ops.concatenate([a, b], axis=-1); ops.concatenate([a, a], 1)
ops.stack([a, b], axis=1); ops.reshape(a, (-1, 2, 2)); ops.transpose(c, (0, 2, 1)); ops.expand_dims(a, 1)
ops.squeeze(a[:, :1], axis=1); ops.split(a, 2, axis=1)[1]; ops.unstack(c, axis=1)[2]; ops.repeat(a, 2, axis=1)
ops.tile(a, (1, 2)); ops.flip(a, axis=1); ops.pad(a, ((0, 0), (1, 1))); ops.take(a, [0, 2], axis=1)
ops.cast(a, "int32"); ops.clip(a, 0.0, 0.5); ops.cumsum(a, axis=1); ops.matmul(c, ops.transpose(c, (0, 2, 1)))
ops.einsum("ijk,ilk->ijl", c, c); ops.dot(a, ones); ops.norm(a); ops.relu(a); ops.softmax(a); ops.softmax(c, axis=1)
ops.sigmoid(a); ops.gelu(a); ops.leaky_relu(a, 0.1); ops.tanh(a); ops.one_hot(ops.cast(ops.abs(a), "int32"), 3)
ops.normalize(a); ops.logical_not(a > 0); ops.zeros_like(a); ops.round(a, 1); ops.moments(a, axes=[1])[0]
ops.top_k(a, 2)[0]; ops.average_pool(c, 2, 2); ops.logsumexp(a, axis=1); ops.stop_gradient(a)
ops.convert_to_tensor(a); ops.add(a, b); ops.true_divide(a, 2.0); ops.power(a, 2); ops.not_equal(a, b)
"""
KINDS = [code.strip() for code in CODES.replace("\n", ";").split(";") if code.strip()]
RANDOM = np.random.default_rng(1)
GIVEN = [RANDOM.normal(size=size).astype("float32") for size in ((2, 4), (2, 4), (2, 3, 2))]


def of_code(keras, code):
    """Return a model of `GIVEN` whose result is what the code says."""
    a, b, c = (keras.Input(one.shape[1:], name=name) for name, one in zip("abc", GIVEN, strict=True))
    ones, row = np.ones((4, 3), "float32"), np.arange(4, dtype="float32")
    kept = keras.layers.Dense(4, name="kept", kernel_initializer="identity")(a)
    names = {"a": kept, "b": b, "c": c, "ops": keras.ops, "ones": ones, "row": row}
    return keras.Model([a, b, c], eval(code, names))


def assert_computes(models, expected):
    for model in models:
        np.testing.assert_allclose(np.asarray(model(GIVEN)).astype("float32"), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("code", KINDS)
def test_operators_and_functions_go_both_ways(code, real_keras, tmp_path):
    theirs, ours = of_code(real_keras, code), of_code(cornu, code)
    expected = np.asarray(theirs(GIVEN)).astype("float32")
    ours.save(tmp_path / "ours.keras")
    ours.save(tmp_path / "ours.h5")
    theirs.save(tmp_path / "theirs.keras")
    found = [models.load_model(tmp_path / name) for name in ("ours.keras", "ours.h5", "theirs.keras")]
    found += [models.model_from_json(text) for text in (ours.to_json(), theirs.to_json(), found[2].to_json())]
    found += [models.clone_model(found[2]), real_keras.models.load_model(tmp_path / "ours.keras")]
    assert_computes([ours, *found], expected)


def test_each_operation_has_a_name_of_its_own_in_a_config():
    cornu.utils.clear_session()
    x = cornu.Input((3,))
    model = cornu.Model(x, cornu.layers.Subtract(name="add")([x - 1.0 + 2.0, x - 3.0]))
    config = json.loads(json.dumps(model.get_config()))
    names = [layer["name"] for layer in config["layers"][1:]]
    assert sorted(names) == ["add", "add_1", "subtract", "subtract_1"]
    np.testing.assert_allclose(cornu.Model.from_config(config)(np.ones((1, 3), "float32")), [[4.0, 4.0, 4.0]])


def test_what_keras_has_no_form_for_is_said():
    x = cornu.Input((3,))
    for result, words in (
        (cornu.ops.mean(x, axis=1, dtype="float16"), "mean with dtype='float16'"),
        (cornu.ops.reshape(x, (-1, 3), order="F"), "reshape with order='F'"),
    ):
        with pytest.raises(ValueError, match=words):
            cornu.Model(x, result).get_config()


@pytest.mark.parametrize("key", ["newshape", "shape"])
def test_reshape_of_every_keras_3(key, real_keras):
    """Its config was called so in each version."""
    x = real_keras.Input((4,))
    config = real_keras.Model(x, real_keras.ops.reshape(x, (-1, 2, 2))).get_config()
    entry = next(one for one in config["layers"] if one["class_name"] == "Reshape")
    entry["config"] = {"name": "reshape", key: [-1, 2, 2]}
    assert cornu.Model.from_config(config).output_shape == (None, 2, 2)


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
        ({"inbound_nodes": [{"args": [[1000000]], "kwargs": {}}], "class_name": "Arange"}, "on no tensor"),
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
