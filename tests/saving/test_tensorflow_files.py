"""Checkpoints and SavedModel folders of TensorFlow: some that tf.keras 2.15 wrote, and those of the shared folder.

The program that wrote ``tensorflow.zip``: ``python tensorflow_models.py write FOLDER`` with TensorFlow 2.15. Where
CORNU_TENSORFLOW_PYTHON names an interpreter with one of tf.keras 2.11 to 2.15, it is run again, for every model.
"""

import os

import numpy as np
import pytest

import cornu
from cornu.cli import inspect
from cornu.models import load_model, model_from_json
from saving import tensorflow_models, written_elsewhere
from saving.tensorflow_models import MODELS, layered, results

pytestmark = pytest.mark.old_spellings
PYTHON = os.environ.get("CORNU_TENSORFLOW_PYTHON", "")
needs_tensorflow = pytest.mark.skipif(not PYTHON, reason="CORNU_TENSORFLOW_PYTHON names no Python with TensorFlow")
slow = pytest.mark.timeout(1800)  # TensorFlow writes for minutes
HALVES = ("halves", "scaled", "scaled_legacy")
CUSTOM = ("custom", "subclassed", "subclassed_legacy")
VERSIONS = ("tf.keras-2.3.4", "tf.keras-2.11.1")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return written_elsewhere.unpacked("tensorflow.zip", tmp_path_factory)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fresh")
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    written_elsewhere.run(PYTHON, "tensorflow_models.py", "write", folder, 1700, **quiet)
    return folder


def assert_like(model, expected, half=False):
    """The same predictions, evaluation, and losses of further training."""
    for key, value in results(model).items():
        close = 5e-3 if half else 1e-4 if key == "losses" else 2e-5
        np.testing.assert_allclose(value, expected[key], rtol=close, atol=close / 10, err_msg=key)


def assert_loads(folder, name):
    given = dict(zip(("Scale", "Block", "Net"), layered(cornu), strict=True)) if name in CUSTOM else None
    with np.load(folder / f"{name}.npz") as expected:
        assert_like(load_model(folder / name, custom_objects=given), expected, name in HALVES)


def assert_fills(folder, name, path):
    """The weights and the optimizer's state of a checkpoint go into a model that a program made."""
    model = MODELS[name](cornu)
    model.load_weights(folder / path.format(name)).assert_consumed()
    with np.load(folder / f"{name}.npz") as expected:
        assert_like(model, expected, name in HALVES)


CHECKPOINTS = ("{}_ckpt/weights", "{}_ckpt/weights.index", "{}_ckpt", "{}_train/ckpt-1", "{}_train", "{}")


@pytest.mark.parametrize("name", ["custom", "branches", "subclassed_legacy"])
def test_folders_compute_the_same_and_train_on_to_the_same_losses(kept, name):
    assert_loads(kept, name)


@pytest.mark.parametrize("path", CHECKPOINTS)
def test_a_checkpoint_is_named_in_several_ways(kept, path):
    assert_fills(kept, "custom", path)


@pytest.mark.parametrize("name", ["branches", "subclassed", "subclassed_legacy"])
@pytest.mark.parametrize("path", ["{}_ckpt/weights", "{}_train"])
def test_checkpoints_compute_the_same_and_train_on_to_the_same_losses(kept, name, path):
    """Layers in graphs, attributes, lists and dictionaries; optimizers of both kinds."""
    assert_fills(kept, name, path)


@slow
@needs_tensorflow
@pytest.mark.parametrize("name", MODELS)
def test_fresh_folders_compute_the_same_and_train_on_to_the_same_losses(fresh, name):
    assert_loads(fresh, name)


@slow
@needs_tensorflow
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("path", ["{}_ckpt/weights", "{}_train"])
def test_fresh_checkpoints_compute_the_same_and_train_on_to_the_same_losses(fresh, name, path):
    assert_fills(fresh, name, path)


@pytest.mark.shared
@pytest.mark.parametrize("version", VERSIONS)
def test_folders_of_the_shared_data_compute_the_same_and_train_on(shared, version):
    folder = shared / "data" / "real-keras" / version
    model = load_model(folder / "nested_savedmodel")
    assert int(model.optimizer.iterations) == 8
    assert_goes_on(model, folder)


@pytest.mark.shared
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["nested_ckpt", "nested_ckpt/weights", "nested_savedmodel"])
def test_checkpoints_of_the_shared_data_compute_the_same_and_train_on(shared, version, name):
    folder = shared / "data" / "real-keras" / version
    model = model_from_json((folder / "nested.json").read_text())
    model.compile("adam", "mse")
    model.load_weights(str(folder / name))
    assert_goes_on(model, folder)


def assert_goes_on(model, folder):
    with np.load(folder / "nested.expected.npz") as expected:
        x, y = expected["x"], expected["y"]
        np.testing.assert_allclose(model.predict(x, verbose=0), expected["predictions"], atol=1e-6)
        np.testing.assert_allclose(model.evaluate(x, y, verbose=0), expected["evaluate"], rtol=1e-5)
        losses = model.fit(x, y, batch_size=12, epochs=2, shuffle=False, verbose=0).history["loss"]
        np.testing.assert_allclose(losses, expected["losses"], rtol=1e-4)


def test_without_compiling_the_optimizer_is_left_out(kept):
    assert not load_model(kept / "branches", compile=False).compiled


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [("custom", "sgd"), ("custom", "rmsprop"), ("custom", "adagrad"), ("subclassed", "sgd"), ("subclassed", "adagrad")],
)
def test_the_state_of_another_optimizer_is_left_out_with_a_warning(kept, name, optimizer):
    model = MODELS[name](cornu)
    model.compile(optimizer, "mse")
    with pytest.warns(UserWarning, match="starts from scratch.*variables for its weights"):
        model.load_weights(kept / f"{name}_ckpt")
    assert int(model.optimizer.iterations) == 0


def test_the_right_one_of_several_models_is_found(kept):
    """By its shapes, or by its name where two have the same."""
    with np.load(kept / "pair.npz") as expected:
        for name, units in (("generator", 3), ("critic", 3), ("judge", 5), ("mine", 5)):
            model = cornu.Sequential([cornu.layers.Dense(units, input_shape=(4,)), cornu.layers.Dense(2)], name=name)
            model.compile(cornu.optimizers.Adam(0.5), "mse")
            model.load_weights(kept / "pair")
            np.testing.assert_array_equal(model.get_weights()[0], expected["judge" if name == "mine" else name])
            assert int(model.optimizer.iterations) == (1 if units == 3 else 0)
    model = cornu.Sequential([cornu.layers.Dense(3, input_shape=(4,)), cornu.layers.Dense(2)], name="mine")
    with pytest.raises(ValueError, match="several objects that the model may be: 'critic', 'generator'"):
        model.load_weights(kept / "pair")


def test_what_holds_no_keras_model_is_refused_with_what_to_do(kept):
    for name, words in (
        ("program", "holds no description by Keras.* it is a program"),
        ("graph", r"written by TensorFlow 1.*model\.save\('model\.h5'\)"),
        ("saver", "holds weights only, and no model"),
        ("custom_ckpt/weights", "holds weights only, and no model"),
    ):
        with pytest.raises(ValueError, match=f"(?s){words}"):
            load_model(kept / name)
    model = tensorflow_models.small(cornu)
    for name, words in (("program", "none of its objects"), ("saver", "variables by their names.*'dense/bias'")):
        with pytest.raises(ValueError, match=f"(?s){words}"):
            model.load_weights(kept / name)


def test_custom_classes_are_asked_for(kept):
    with pytest.raises(ValueError, match=r"custom_objects=\{'Scale'"):
        load_model(kept / "custom")
    with pytest.raises(ValueError, match=r"(?s)custom_objects={'Net'.*load_weights\('subclassed_legacy'\)"):
        load_model(kept / "subclassed_legacy")


def test_what_does_not_fit_changes_nothing(kept):
    start = [cornu.Input((5,)), cornu.layers.Dense(4), cornu.layers.Dense(3, name="last")]
    for wrong, words in (
        (cornu.layers.Dense(2), "has no weight 'kernel', 'bias' of layer 'last'; it has 'scale_factor'"),
        (cornu.layers.BatchNormalization(), "has no weight 'kernel', 'bias' of layer 'last'"),
    ):
        model = cornu.Sequential([*start, wrong])
        before = model.get_weights()
        with pytest.raises(ValueError, match=words):
            model.load_weights(kept / "custom_ckpt")
        assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    with pytest.warns(UserWarning, match="Left unchanged"):
        status = model.load_weights(kept / "custom_ckpt", skip_mismatch=True).expect_partial()
    with pytest.raises(AssertionError, match="in part: it has no weight"):
        status.assert_consumed()
    assert not np.array_equal(before[0], model.get_weights()[0])
    with pytest.raises(ValueError, match="by_name"):
        model.load_weights(kept / "custom_ckpt", by_name=True)
    with pytest.raises(FileNotFoundError, match="There is no file"):
        model.load_weights(kept / "custom_ckpt" / "other")


def test_a_folder_that_was_moved_or_names_another_place_is_read_in_its_own_place(kept, tmp_path):
    for path in (kept / "custom_ckpt").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for said, good in (("/home/other/weights", True), ("weights", True), ("../other", False), ("..", False)):
        (tmp_path / "checkpoint").write_text(f'model_checkpoint_path: "{said}"\n')
        model = MODELS["custom"](cornu)
        if good:
            model.load_weights(tmp_path)
            continue
        with pytest.raises(ValueError, match="not in that folder"):
            model.load_weights(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("custom", ["SavedModel folder (TensorFlow, Keras 2)", "Keras 2.15.0", "after 8 steps", "5x4 4", "Scale"]),
        ("custom_ckpt/weights", ["weights only (TensorFlow checkpoint)", "after 8 steps", "layer_with_weights-0"]),
        ("custom_train", ["weights only (TensorFlow checkpoint)", "model/layer_with_weights-1"]),
        ("saver", ["weights only (TensorFlow checkpoint)", "dense", "4x2 2|2 4x2"]),
    ],
)
def test_inspect_says_what_is_in_them(kept, name, words, capsys):
    assert inspect.command(str(kept / name), as_json=False) == 0
    said = capsys.readouterr().out
    assert all(any(one in said for one in word.split("|")) for word in words), said


def test_inspect_refuses_programs(kept, capsys):
    assert inspect.command(str(kept / "program"), as_json=False) == 1
    assert "it is a program" in capsys.readouterr().err
