import json
from pathlib import Path

import numpy as np
import pytest

import cornu as keras
from cornu import layers
from cornu.cli import picture_models, picture_parts
from cornu.cli.main import main
from cornu.cli.shapes import CLASSES, draw_shapes

image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model that is trained on drawn shapes, and what the command printed about it."""
    folder = tmp_path_factory.mktemp("trained")
    draw_shapes(folder / "shapes", each=60, seed=3)
    model = folder / "shapes.keras"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["train", "--images", "shapes", "--size", "32", "--epochs", "50", "--seed", "1"]) == 0
    return model


@pytest.fixture
def shapes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw_shapes("shapes", each=4)
    return tmp_path / "shapes"


def quick(*arguments):
    return main(["train", "--images", *arguments, "--epochs", "1", "--size", "16", "--no-report"])


def test_new_shapes_are_named(trained, tmp_path):
    model = keras.saving.load_model(trained)
    assert model.class_names == list(CLASSES)
    draw_shapes(tmp_path, each=20, seed=99)
    found = picture_parts.read(picture_parts.folders.listed(tmp_path, "inferred", (".png",)), 32)
    accuracy = (model.predict(found.x.astype("float32"), verbose=0).argmax(1) == found.y).mean()
    assert accuracy >= 0.75


def test_the_report_shows_names_and_mistakes(trained):
    report = trained.with_suffix(".html").read_text(encoding="utf-8")
    assert all(name in report for name in CLASSES)
    assert "Confusion matrix" in report
    assert "val" in report or "validation" in report


def test_predict_says_the_names(trained, tmp_path, capsys):
    draw_shapes(tmp_path, each=4, seed=5)
    assert main(["predict", str(trained), *map(str, sorted(tmp_path.rglob("*.png"))), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["images"]
    assert {one["found"][0]["class"] for one in found} <= set(CLASSES)
    assert sum(Path(one["image"]).parent.name == one["found"][0]["class"] for one in found) >= 8


def test_json_and_lines(shapes, capsys):
    assert quick("shapes", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["classes"], result["pictures"], result["held_out"], result["size"]) == (list(CLASSES), 9, 3, 16)
    assert quick("shapes", "--out", "other.keras") == 0
    out = capsys.readouterr().out
    assert "9 pictures train: circle 3, square 3, triangle 3" in out
    assert "3 are held out (some of each class)" in out
    assert "held-out pictures are right" in out
    assert "Try it on other pictures: cornu serve other.keras" in out
    long = [line for line in out.splitlines() if len(line) > 80 and "other.keras" not in line]
    assert all("/step - " in line for line in long), long  # as long as Keras's


def test_without_a_folder_shapes_are_drawn(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cornu.cli.shapes.draw_shapes", lambda folder: draw_shapes(folder, each=3))
    assert quick() == 0
    assert "drawn shapes are in" in capsys.readouterr().out
    assert len(list(Path("shapes").rglob("*.png"))) == 9
    assert Path("shapes.keras").exists()


def test_given_parts(shapes, capsys):
    Path("all").mkdir()
    shapes.rename("all/Train")
    draw_shapes("all/validation", each=2, seed=9)
    assert quick("all") == 0
    assert "6 are held out (the folder validation)" in capsys.readouterr().out
    (Path("all") / "Train" / "star").mkdir()
    (Path("all") / "Train" / "star" / "1.png").write_bytes(b"")
    assert quick("all") == 2
    assert "different classes; not in both: 'star'" in capsys.readouterr().err


def test_broken_pictures_are_named_and_left_out(shapes, capsys):
    (shapes / "circle" / "broken.png").write_bytes(b"no picture")
    assert quick("shapes") == 0
    said = capsys.readouterr()
    assert "cornu: left out: The picture 'shapes/circle/broken.png' cannot be read" in said.err.replace("\\", "/")
    for path in shapes.rglob("*.png"):
        path.write_bytes(b"no picture")
    assert quick("shapes") == 2
    assert "can be read." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "cannot train on 'nothing': No such file or directory"),
        (["empty"], "'empty' has no subfolders"),
        (["one"], "pictures of one class only, 'a'"),
        (["few"], "each class needs 2 pictures or more: 'a' in 'few'"),
        (["shapes", "--base", "nothing.keras"], "There is no file 'nothing.keras'"),
        (["shapes", "--base", "rows.keras"], "--base needs a model of square pictures"),
        (["shapes", "--base", "MobilNetV2"], "no file or model 'MobilNetV2'. Did you mean 'MobileNetV2'?"),
        (["shapes", "--base", "rows.keras", "--weights", "x.h5"], "--weights goes with the name of a model"),
        (["shapes", "--base", "MobileNetV2", "--weights", "x.h5"], "--base MobileNetV2: weights must be"),
        (["shapes", "--out", "no/where.keras"], "cannot save to 'no/where.keras'"),
    ],
)
def test_what_cannot_be_trained(shapes, capsys, arguments, message):
    for name, count in (("one/a", 3), ("few/a", 1), ("few/b", 3)):
        Path(name).mkdir(parents=True)
        for number in range(count):
            image.new("RGB", (20, 20)).save(f"{name}/{number}.png")
    Path("empty").mkdir()
    keras.Sequential([keras.Input((4,)), layers.Dense(2)]).save("rows.keras")
    assert quick(*arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1


def test_a_name_and_pictures_exclude_each_other(shapes, capsys):
    assert main(["train", "mnist-mlp", "--images", "shapes"]) == 2
    assert "leave 'mnist-mlp' out" in capsys.readouterr().err


def test_on_a_base(shapes, trained, capsys):
    """The base keeps its weights; only the new top learns."""
    before = keras.saving.load_model(trained)
    assert main(["train", "--images", "shapes", "--base", str(trained), "--epochs", "1", "--no-report"]) == 0
    model = keras.saving.load_model("shapes.keras")
    base = next(layer for layer in model.layers if layer.name == "base")
    for found, weights in zip(base.get_weights(), before.get_weights()[: len(base.get_weights())], strict=True):
        np.testing.assert_array_equal(found, weights)
    assert model.input_shape == (None, 32, 32, 3)
    assert quick("shapes", "--base", str(trained), "--overwrite") == 2
    assert "the base takes pictures of 32 x 32 pixels" in capsys.readouterr().err


def test_on_a_network_by_name(shapes, capsys):
    features = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3))
    features.save_weights("features.weights.h5")
    command = ["shapes", "--base", "MobileNet", "--weights", "features.weights.h5", "--size", "32"]
    assert main(["train", "--images", *command, "--epochs", "1", "--no-report"]) == 0
    model = keras.saving.load_model("shapes.keras")
    base = next(layer for layer in model.layers if layer.name == "base")
    for found, weights in zip(base.get_weights(), features.get_weights(), strict=True):
        np.testing.assert_array_equal(found, weights)
    x = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    inner = keras.Model(model.input, next(one for one in model.layers if "pooling" in one.name).output)
    expected = np.asarray(features(keras.applications.mobilenet.preprocess_input(x.copy()))).mean((1, 2))
    np.testing.assert_allclose(inner(x), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("pixels", picture_models.PIXELS)
def test_pixels_are_prepared_as_the_base_wants_them(pixels):
    x = keras.Input((8, 8, 3))
    base = picture_models.Base(keras.Model(x, layers.Identity()(x), name="base"), 8, pixels)
    model = picture_models.on_base(base, 8, ["a", "b"])
    colour = np.array([255.0, 128.0, 0.0], "float32")
    pooling = next(layer for layer in model.layers if isinstance(layer, layers.GlobalAveragePooling2D))
    prepared = keras.Model(model.input, pooling.output)(np.broadcast_to(colour, (1, 8, 8, 3)))
    keras_modes = {"-1..1": "tf", "bgr": "caffe", "imagenet": "torch"}
    expected = colour / 255 if pixels == "0..1" else colour
    if pixels in keras_modes:
        utils = pytest.importorskip("keras.src.applications.imagenet_utils")
        expected = utils.preprocess_input(colour.reshape(1, 1, 1, 3).copy(), mode=keras_modes[pixels]).ravel()
    np.testing.assert_allclose(np.asarray(prepared)[0], expected, rtol=1e-4, atol=1e-4)


def test_interrupted_training_keeps_the_model(shapes, monkeypatch, capsys):
    class Interrupting(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    monkeypatch.setattr("cornu.cli.train.Dashboard", lambda name: Interrupting())
    assert quick("shapes", "--watch") == 130
    assert "the model of 1 epoch is in shapes.keras" in capsys.readouterr().err
    assert keras.saving.load_model("shapes.keras").class_names == list(CLASSES)
