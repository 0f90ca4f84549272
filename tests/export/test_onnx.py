"""Models as ONNX files: onnxruntime computes from them what the model does, for any number of rows."""

import jax
import numpy as np
import onnx
import onnxruntime
import pytest

import cornu
from contract.table import COMPILED, EVERY, HOST, call
from cornu import layers
from cornu.core import registry
from cornu.core.graph import SymbolicTensor
from export.models import MODELS, data_for, rows_of

ROWS = (1, 5)
#: Layer -> the operation that ONNX lacks, or what Cornu does not write.
REFUSED = {"mel spectrogram": "fft"}


def session_of(path):
    """Give the file to onnx's own checker and to onnxruntime, quietly."""
    onnx.checker.check_model(onnx.load(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def assert_agrees(path, model, x, tolerance=2e-5, rows=ROWS):
    """Assert that a file computes what the model does, for several numbers of rows (which do not see each other)."""
    session = session_of(path)
    names = [argument.name for argument in session.get_inputs()]
    most = jax.tree.map(lambda leaf: np.resize(leaf, (max(rows), *leaf.shape[1:])), x)
    expected = [np.asarray(leaf) for leaf in jax.tree.leaves(model(most, training=False))]
    for count in rows:
        found = session.run(None, dict(zip(names, jax.tree.leaves(rows_of(most, count)), strict=True)))
        assert len(found) == len(expected)
        for ours, theirs in zip(found, rows_of(expected, count), strict=True):
            assert ours.shape == theirs.shape
            assert ours.dtype == (np.float32 if theirs.dtype.name == "bfloat16" else theirs.dtype)
            scale = max(float(np.abs(theirs[np.isfinite(theirs)]).max(initial=0)), 1.0)
            np.testing.assert_allclose(ours, theirs.astype(ours.dtype), rtol=tolerance, atol=tolerance * scale)


def around(layer, symbolic):
    """Return a model of one layer."""
    inputs = jax.tree.map(
        lambda t: cornu.Input(t.shape[1:], dtype=t.dtype), symbolic, is_leaf=lambda t: isinstance(t, SymbolicTensor)
    )
    return cornu.Model(jax.tree.leaves(inputs), call(layer, inputs))


@pytest.mark.parametrize("name", sorted(COMPILED.keys() - REFUSED))
def test_every_layer(tmp_path, name):
    entry = EVERY[name]
    model = around(entry.make(layers), entry.symbolic())
    random = np.random.default_rng(1)
    model.set_weights([random.uniform(0.1, 1, weight.shape) for weight in model.weights])
    model.export(tmp_path / "m.onnx")
    assert_agrees(tmp_path / "m.onnx", model, entry.inputs())


@pytest.mark.parametrize("name", [*REFUSED, *HOST])
def test_layers_that_onnx_cannot_hold_are_named(tmp_path, name):
    entry = EVERY[name]
    said = f"needs the operation '{REFUSED[name]}'" if name in REFUSED else r"computes with numpy(.|\n)*behind it"
    with pytest.raises(ValueError, match=said):
        around(entry.make(layers), entry.symbolic()).export(tmp_path / "m.onnx")


def test_no_layer_is_left_out():
    """A layer that is added to the library comes into the table, and so into `test_every_layer`."""
    tried = {type(entry.make(layers)) for entry in EVERY.values()}
    known = {thing for thing in registry.LAYERS.things.values() if thing.__module__.startswith("cornu.layers.")}
    abstract = {cornu.layers.Layer, cornu.layers.InputLayer}
    missing = {cls.__name__ for cls in known - tried - abstract if isinstance(cls, type)}
    cells = {cls.__name__ for cls in known if isinstance(cls, type) and getattr(cls, "on_host", False)}  # text
    cells |= {name for name in missing if name.endswith(("Cell", "RNNCells"))}  # in their layers
    assert missing <= {"Lambda", "Wrapper"} | cells, missing  # a function of the user's, and what wraps any layer


@pytest.mark.parametrize("name", MODELS)
def test_models_of_every_kind(tmp_path, name):
    model = MODELS[name]()
    model.export(tmp_path / "m.onnx")
    assert_agrees(tmp_path / "m.onnx", model, data_for(name), tolerance=2e-3 if name == "in short numbers" else 2e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


def image_of_any_size(*stack):
    x = start = cornu.Input((None, None, 3))
    for layer in stack:
        x = layer(x)
    return cornu.Model(start, x)


@pytest.mark.parametrize("size", [(9, 11), (8, 12)])
def test_images_of_any_size(tmp_path, size):
    model = image_of_any_size(
        layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
        layers.MaxPooling2D(2, padding="same"),
        layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
        layers.AveragePooling2D(3, strides=2, padding="same"),
        layers.UpSampling2D(2),
        layers.Conv2D(2, 3),
    )
    model.export(tmp_path / "m.onnx")
    x = np.random.default_rng(0).standard_normal((5, *size, 3)).astype("float32")
    assert_agrees(tmp_path / "m.onnx", model, x)
