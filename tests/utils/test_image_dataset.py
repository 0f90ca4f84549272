import shutil
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.preprocessing import decoders
from cornu.utils import image_dataset_from_directory
from utils import image_dataset_cases as known

pytest.importorskip("PIL")
ANSWERS = np.load(known.ANSWERS)
#: TensorFlow decodes JPEGs by a fast transform, as simplejpeg can and Pillow cannot.
PILLOW_ERROR = 12
#: TensorFlow leaves the alpha of pictures with fewer than 8 bits unscaled.
UNSCALED_ALPHA = {"rgba: bits.png", "rgba: palette.png"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    known.unpack(folder, ANSWERS)
    return folder


@pytest.fixture
def shapes(tmp_path):
    """Twelve pictures, in two classes that differ in brightness."""
    rng = np.random.default_rng(0)
    for name, level in (("dark", 30), ("light", 220)):
        (tmp_path / name).mkdir()
        for number in range(6):
            pixels = (level + rng.integers(-20, 20, (10, 12, 3))).astype("uint8")
            cornu.utils.save_img(tmp_path / name / f"{number}.png", pixels, scale=False)
    return tmp_path


def read(folder, **arguments):
    return image_dataset_from_directory(folder, verbose=False, **{"image_size": (8, 8)} | arguments)


@pytest.mark.parametrize("decoder", ["simplejpeg", "Pillow"])
@pytest.mark.parametrize("name", known.cases())
def test_pixels_are_those_of_keras_on_tensorflow(files, name, decoder, monkeypatch):
    if decoder == "Pillow":
        monkeypatch.setattr(decoders, "_simplejpeg", lambda: None)
    else:
        pytest.importorskip("simplejpeg")
    part, arguments = known.cases()[name]
    data = read(files / part, labels=None, shuffle=False, batch_size=None, **arguments)
    compared = 0
    for path, found in zip(data.file_paths, data.as_numpy_iterator(), strict=True):
        answer = f"{name}: {Path(path).name}"
        if answer not in ANSWERS.files or answer in UNSCALED_ALPHA:
            continue
        expected = ANSWERS[answer]
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        by_pillow = path.endswith("cmyk.jpg") or (path.endswith(("jpg", "jpeg")) and decoder == "Pillow")
        error = PILLOW_ERROR if by_pillow else 2e-3
        if "grayscale" in name and not path.endswith(("jpg", "jpeg")):
            error = 1
        np.testing.assert_allclose(found, expected, atol=error, err_msg=answer)
        compared += 1
    assert compared >= (1 if part == "plain" else 9)


def test_pictures_that_tensorflow_rejects_are_read(files):
    for mode, channels in (("grayscale", 1), ("rgba", 4)):
        data = read(files / "kinds", labels=None, color_mode=mode, batch_size=64)
        (batch,) = data
        assert batch.shape == (len(data.file_paths), 8, 8, channels)


@pytest.mark.parametrize("mode", ["int", "categorical", "binary", None])
def test_labels(shapes, mode):
    data = read(shapes, label_mode=mode, shuffle=False, batch_size=5)
    assert data.class_names == (["dark", "light"] if mode else None)
    assert [Path(path).parent.name for path in data.file_paths] == ["dark"] * 6 + ["light"] * 6
    if mode is None:
        assert [batch.shape for batch in data] == [(5, 8, 8, 3), (5, 8, 8, 3), (2, 8, 8, 3)]
        return
    y = np.concatenate([np.asarray(y) for _, y in data])
    expected = {"int": ("int32", (12,)), "categorical": ("float32", (12, 2)), "binary": ("float32", (12, 1))}
    assert (str(y.dtype), y.shape) == expected[mode]
    assert (y.argmax(1) if mode == "categorical" else y.ravel()).tolist() == [0] * 6 + [1] * 6


def test_other_labels(shapes):
    data = read(shapes, labels=[7, 3] * 6, shuffle=False)
    assert data.class_names == ["3", "7"]
    ((_, y),) = data
    assert y.tolist() == [7, 3] * 6
    without = read(shapes, labels=None)
    assert without.class_names is None
    assert len(without) == 1


def test_without_label_mode_all_pictures_below_the_folder_are_read(shapes):
    flat = read(shapes / "dark", label_mode=None, shuffle=False)
    assert [Path(path).name for path in flat.file_paths] == [f"{number}.png" for number in range(6)]
    shutil.copy(shapes / "dark" / "0.png", shapes / "top.png")
    assert len(read(shapes, label_mode=None, batch_size=None)) == 13
    assert len(read(shapes, batch_size=None)) == 12


def test_one_by_one(shapes):
    data = read(shapes, batch_size=None)
    assert len(data) == data.cardinality().numpy() == 12
    x, y = next(iter(data))
    assert (x.shape, y.shape) == ((8, 8, 3), ())
    ((x, y),) = data.batch(12)
    assert (x.shape, y.shape) == ((12, 8, 8, 3), (12,))


def test_parts_have_no_file_in_common(shapes):
    arguments = {"validation_split": 0.25, "seed": 3}
    parts = [read(shapes, subset=name, **arguments) for name in ("training", "validation")]
    both = read(shapes, subset="both", **arguments)
    assert [one.file_paths for one in parts] == [one.file_paths for one in both]
    assert [len(one.file_paths) for one in both] == [9, 3]
    assert not set(both[0].file_paths) & set(both[1].file_paths)
    validation = both[1]
    assert [y.tolist() for _, y in validation] == [y.tolist() for _, y in validation]  # not shuffled again


def order_of(data):
    """Return the pictures of the only batch by their brightness."""
    ((x, _),) = data
    return np.asarray(x).mean((1, 2, 3)).tolist()


def test_each_epoch_has_another_order_and_a_seed_repeats_them(shapes):
    first, again = (read(shapes, seed=5, batch_size=12) for _ in range(2))
    epochs = [order_of(first) for _ in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    assert sorted(epochs[0]) == sorted(epochs[1])
    assert epochs == [order_of(again) for _ in range(3)]


def test_what_is_said(shapes, capsys):
    image_dataset_from_directory(shapes, validation_split=0.5, subset="both", seed=1)
    assert capsys.readouterr().out.splitlines() == [
        "Found 12 files belonging to 2 classes.",
        "Using 6 files for training.",
        "Using 6 files for validation.",
    ]
    image_dataset_from_directory(shapes, labels=None, verbose=False)
    assert capsys.readouterr().out == ""


def small_model():
    model = cornu.Sequential(
        [cornu.Input((8, 8, 3)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(2, activation="softmax")]
    )
    model.compile(cornu.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_fit_evaluate_predict(shapes):
    data = read(shapes, batch_size=5, seed=1)
    model = small_model()
    history = model.fit(data, validation_data=read(shapes, shuffle=False), epochs=40, verbose=0)
    assert history.history["val_accuracy"][-1] == 1
    assert model.evaluate(data.cache().prefetch(2), verbose=0, return_dict=True)["accuracy"] == 1
    ordered = read(shapes, shuffle=False, batch_size=5)
    assert model.predict(ordered, verbose=0).argmax(1).tolist() == [0] * 6 + [1] * 6


def test_chains_that_programs_use(shapes):
    data = read(shapes, batch_size=4, seed=1)
    layer = layers.Rescaling(1 / 255)
    scaled = data.map(lambda x, y: (layer(x), y)).cache().shuffle(100).prefetch(buffer_size=-1)
    x, y = next(iter(scaled))
    assert float(np.max(x)) <= 1
    assert data.class_names[y[0]] in ("dark", "light")
    for x, _ in data.take(1):
        assert x[0].numpy().astype("uint8").shape == (8, 8, 3)
    batches = data.cardinality()
    assert len(data.take(batches // 3)) == 1
    assert data.as_numpy_iterator().next()[0].shape == (4, 8, 8, 3)


def test_training_resumes_in_the_order_in_which_it_was(shapes, tmp_path_factory):
    """The order of an epoch depends on how many there were before, which a backup keeps."""
    crashed = threading.Event()

    class Crash(cornu.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if (self.epoch, batch) == (2, 1) and not crashed.is_set():
                crashed.set()
                raise KeyboardInterrupt

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

    def trained(folder):
        cornu.utils.set_random_seed(1)
        model = small_model()
        data = read(shapes, batch_size=3, seed=9).map(lambda x, y: (x / 2, y)).shuffle(3, seed=4)
        backup = cornu.callbacks.BackupAndRestore(folder, save_freq=1)
        model.fit(data, epochs=4, verbose=0, callbacks=[backup, Crash()])
        return model.get_weights()

    kept = tmp_path_factory.mktemp("kept")
    crashed.set()
    expected = trained(tmp_path_factory.mktemp("whole"))
    crashed.clear()
    with pytest.raises(KeyboardInterrupt):
        trained(kept)
    for found, weights in zip(trained(kept), expected, strict=True):
        np.testing.assert_array_equal(found, weights)


def test_a_broken_picture_is_named(shapes):
    broken = shapes / "dark" / "0.png"
    whole = broken.read_bytes()
    for content, said in (
        (whole[:60], "cannot be read"),
        (b"text", "its format is not known"),
        (b"", "cannot be read"),
    ):
        broken.write_bytes(content)
        with pytest.raises(ValueError, match=rf"0\.png'.*{said}.*Replace or delete it"):
            small_model().fit(read(shapes), verbose=0)
    data = read(shapes)
    broken.unlink()
    with pytest.raises(FileNotFoundError, match=r"no picture '.*0\.png' any more"):
        list(data)


def test_a_folder_too_far_up_is_noticed(shapes):
    shutil.move(shapes / "dark", shapes / "all" / "dark")
    shutil.move(shapes / "light", shapes / "all" / "light")
    with pytest.warns(UserWarning, match="of one class, 'all': pass the folder"):
        read(shapes)
    assert len(read(shapes, label_mode=None)) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label_mode": "one_hot"}, "label_mode must be one of 'int'"),
        ({"labels": "dark"}, "labels must be 'inferred', None or a list"),
        ({"labels": [0] * 12, "class_names": ["a"]}, "class_names needs labels='inferred'"),
        ({"labels": None, "class_names": ["a"]}, "class_names needs labels='inferred'"),
        ({"color_mode": "gray"}, "color_mode must be one of 'grayscale'"),
        ({"image_size": (8, 8, 3)}, r"image_size must be \(height, width\)"),
        ({"image_size": 0}, r"image_size must be \(height, width\)"),
        ({"interpolation": "cubic"}, "interpolation must be one of 'bilinear'"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "exclude each other"),
        ({"format": "torch"}, "format must be 'tf' or 'grain'"),
        ({"batch_size": 0}, "batch_size must be an integer"),
        ({"label_mode": "binary", "labels": [0, 1, 2] * 4}, "needs two classes"),
        ({"validation_split": 0.05, "subset": "both", "seed": 1}, "leaves no file"),
    ],
)
def test_wrong_arguments(shapes, arguments, message):
    with pytest.raises(ValueError, match=message):
        read(shapes, **arguments)


def test_without_pillow_the_command_is_named(shapes, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'cornu\[image\]'"):
        read(shapes)


def test_an_integer_is_a_square(shapes):
    ((x, _),) = read(shapes, image_size=6, data_format="channels_first")
    assert x.shape == (12, 3, 6, 6)


@pytest.mark.old_spellings
def test_old_places():
    from cornu.compat.imports import KerasFinder

    assert KerasFinder
    assert cornu.preprocessing.image_dataset_from_directory is image_dataset_from_directory
    assert cornu.utils.image_dataset_from_directory is image_dataset_from_directory


def test_reading_stops_with_its_reader(shapes):
    """A loop that is left early leaves no thread that goes on reading."""
    others = set(threading.enumerate())
    data = read(shapes, batch_size=1)
    for _ in data:
        break
    del _
    for thread in set(threading.enumerate()) - others:
        thread.join(timeout=10)
        assert not thread.is_alive()
