"""Iterators over images train models, and say what is wrong with files and data frames.

What their batches are is compared with keras-preprocessing in `test_old_answers.py`, and with Keras 3 here.
"""

import threading

import numpy as np
import pandas
import pytest
from PIL import Image

from cornu import layers, models
from cornu.core import era
from cornu.optimizers import Adam
from cornu.preprocessing.image import (
    DirectoryIterator,
    ImageDataGenerator,
    Iterator,
    apply_affine_transform,
    apply_brightness_shift,
    random_zoom,
)


def write(folder, count=4, names=("cats", "dogs")):
    for name in names:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.full((8, 8, 3), 200 if name == "cats" else 40, "uint8")
            pixels[number, number] = number
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "images")


GENERATORS = {
    "moves": {"rotation_range": 20, "width_shift_range": 0.1, "zoom_range": 0.2, "horizontal_flip": True},
    "shear": {"shear_range": 20.0, "vertical_flip": True, "fill_mode": "constant", "cval": 3},
    "pixels": {"width_shift_range": 3, "height_shift_range": [-2, 1, 0.5], "fill_mode": "reflect"},
    "brightness": {"brightness_range": (0.5, 1.5), "samplewise_std_normalization": True, "samplewise_center": True},
    "whitening": {"zca_whitening": True, "featurewise_center": True},
    "draws": {"preprocessing_function": lambda image: image + np.random.rand(), "horizontal_flip": True},
    "first": {"data_format": "channels_first", "rotation_range": 33, "channel_shift_range": 5.0},
}


@pytest.mark.parametrize("name", GENERATORS)
def test_batches_are_those_of_keras_3(real_keras, monkeypatch, name):
    import scipy.ndimage
    from keras.src.legacy.preprocessing import image as reference

    monkeypatch.setattr(scipy.ndimage, "interpolation", scipy.ndimage, raising=False)
    x, y = np.random.RandomState(0).rand(20, 12, 9, 3) * 255, np.arange(20)
    x = x.transpose(0, 3, 1, 2) if name == "first" else x
    both = []
    for module in (reference.ImageDataGenerator, ImageDataGenerator):
        generator = module(**GENERATORS[name])
        generator.fit(x, augment=True, rounds=2, seed=3)
        batches = generator.flow(x, y, batch_size=6, seed=5)
        both.append([*(next(batches) for _ in range(5)), batches[2]])
    for (x_theirs, y_theirs), (x_ours, y_ours) in zip(*both, strict=True):
        assert y_ours.tolist() == y_theirs.tolist()
        np.testing.assert_allclose(x_ours, x_theirs, atol=2e-4)


@pytest.mark.old_spellings
def test_a_model_trains_evaluates_and_predicts(folder):
    model = models.Sequential([layers.Input((8, 8, 3)), layers.GlobalAveragePooling2D(), layers.Dense(1, "sigmoid")])
    model.compile(Adam(0.3), "binary_crossentropy", metrics=["accuracy"])
    generator = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True, validation_split=0.25)
    common = {"target_size": (8, 8), "class_mode": "binary", "batch_size": 3, "seed": 1}
    training = generator.flow_from_directory(folder, subset="training", **common)
    validation = generator.flow_from_directory(folder, subset="validation", **common)
    assert (len(training), training.samples, validation.samples) == (2, 6, 2)
    history = model.fit_generator(
        training, steps_per_epoch=5, epochs=8, validation_data=validation, workers=4, verbose=0
    )
    assert history.history["accuracy"][-1] == 1
    assert model.evaluate_generator(validation, workers=2)[1] == 1
    ordered = ImageDataGenerator(rescale=1 / 255).flow_from_directory(folder, shuffle=False, **common)
    next(ordered)
    for _ in range(2):  # files keep their order, whatever was read before
        found = model.predict_generator(ordered)[:, 0] > 0.5
        assert found.tolist() == ordered.classes.astype(bool).tolist()


def test_batches_by_number_with_threads(folder):
    iterator = ImageDataGenerator(rescale=1 / 255).flow_from_directory(folder, target_size=(8, 8), shuffle=False)
    iterator.workers = 3
    model = models.Sequential([layers.Input((8, 8, 3)), layers.GlobalAveragePooling2D()])
    assert model.predict(iterator, verbose=0).shape == (8, 3)


def test_overridden_methods_are_called():
    class Darker(ImageDataGenerator):
        def standardize(self, x):
            return super().standardize(x) / 2

    batch = next(Darker(rescale=2).flow(np.ones((4, 3, 3, 1)), batch_size=4))
    assert batch.max() == 1
    with era.using("1"):

        class Fixed(ImageDataGenerator):
            def random_transform(self, x):
                return x * 7

        assert next(Fixed().flow(np.ones((4, 3, 3, 1)), batch_size=4)).max() == 7


def test_an_error_in_a_thread_has_its_own_traceback():
    x = np.zeros((64, 64, 64, 3))

    def broken(image):
        raise ZeroDivisionError("in the function")

    with pytest.raises(ZeroDivisionError, match="in the function") as caught:
        next(ImageDataGenerator(preprocessing_function=broken).flow(x))
    assert caught.traceback[-1].name == "broken"
    with pytest.raises(ValueError, match=r"shape \(64, 64, 3\) became one of shape \(2, 2\)"):
        next(ImageDataGenerator(preprocessing_function=lambda image: image[:2, :2, 0]).flow(x))


def test_files_of_many_kinds(tmp_path):
    place = write(tmp_path / "images", names=("all",))
    (place / "all" / "0.png").unlink()
    pixels = np.arange(64 * 4).reshape(8, 8, 4).astype("uint8")
    Image.fromarray(pixels[..., 0]).save(place / "all" / "grey.png")
    Image.fromarray(pixels).save(place / "all" / "alpha.png")
    Image.fromarray(pixels[..., 0].astype("uint16") * 200).save(place / "all" / "sixteen.png")
    Image.frombytes("CMYK", (8, 8), pixels.tobytes()).save(place / "all" / "ink.jpg")
    for color_mode, channels in (("rgb", 3), ("rgba", 4), ("grayscale", 1)):
        batches = ImageDataGenerator().flow_from_directory(
            place, target_size=(6, 5), color_mode=color_mode, class_mode=None
        )
        batch = next(batches)
        assert batch.shape == (7, 6, 5, channels)
        assert np.isfinite(batch).all()


def test_broken_files_are_named(folder):
    batches = ImageDataGenerator().flow_from_directory(folder, target_size=(8, 8))
    (folder / "cats" / "1.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"1\.png' cannot be read: it is not an image"):
        next(batches)
    whole = (folder / "cats" / "2.png").read_bytes()
    (folder / "cats" / "1.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"1\.png' cannot be read"):
        next(batches)
    (folder / "cats" / "1.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"1\.png' is gone"):
        next(batches)


def directory(place, **arguments):
    return lambda folder: DirectoryIterator(folder / place, ImageDataGenerator(), **arguments)


def frame(**arguments):
    table = {"filename": ["cats/0.png", "dogs/1.png"], "class": ["a", "b"], "value": [1.0, 2.0], "word": ["x", "y"]}
    given = {name: arguments.pop(name) for name in set(table) & set(arguments)}
    return lambda folder: ImageDataGenerator().flow_from_dataframe(pandas.DataFrame(table | given), folder, **arguments)


MISTAKES = {
    "no folder": (directory("none"), FileNotFoundError, "There is no folder .*none"),
    "a file": (directory("cats/0.png"), NotADirectoryError, "is a file"),
    "no subfolders": (directory("cats"), ValueError, "no images in the subfolders of .*cats.*move them to"),
    "unknown class": (directory(".", classes=["cat"]), ValueError, "no such folder. Did you mean 'cats'"),
    "class mode": (directory(".", class_mode="binari"), ValueError, "Unknown class_mode: 'binari'. Did you mean"),
    "color mode": (directory(".", color_mode="blue"), ValueError, "Unknown color_mode"),
    "interpolation": (directory(".", interpolation="soft"), ValueError, "Unknown interpolation"),
    "target size": (directory(".", target_size=3), ValueError, "target_size must be"),
    "subset": (directory(".", subset="validation"), ValueError, "needs ImageDataGenerator.validation_split"),
    "batch size": (directory(".", batch_size=0), ValueError, "batch_size must be"),
    "x column": (frame(x_col="filenam"), ValueError, "x_col is 'filenam'.* Did you mean 'filename'"),
    "y column": (frame(y_col="kind"), ValueError, "y_col is 'kind'.*no such column"),
    "numbers": (frame(y_col="value"), TypeError, "'value' must hold strings.*row 0 has 1.0"),
    "no names": (frame(filename=["cats/0.png", float("nan")]), TypeError, "'filename' must hold file names.*row 1"),
    "no files": (frame(filename=["a.png", "b.png"]), ValueError, "None of the 2 files in the column 'filename'"),
    "weights": (frame(weight_col="word"), TypeError, "'word' must hold numbers"),
    "outputs": (frame(class_mode="multi_output"), TypeError, "y_col is a list of columns"),
    "binary": (frame(class_mode="binary", classes=["a"]), ValueError, "needs 2 classes"),
    "no frame": (lambda _: ImageDataGenerator().flow_from_dataframe([1]), TypeError, "takes a pandas data frame"),
    "axes": (lambda _: ImageDataGenerator().flow(np.zeros((9, 8, 8))), ValueError, r"pass x\[..., None\]"),
    "lengths": (lambda _: ImageDataGenerator().flow(np.zeros((3, 8, 8, 1)), [1]), ValueError, "3 images and y has 1"),
    "zoom": (lambda _: ImageDataGenerator(zoom_range=(1, 2, 3)), ValueError, "zoom_range must be two numbers"),
    "brightness": (lambda _: ImageDataGenerator(brightness_range=2), ValueError, "brightness_range must be two"),
    "split": (lambda _: ImageDataGenerator(validation_split=2), ValueError, "fraction between 0 and 1"),
    "fill mode": (lambda _: ImageDataGenerator(fill_mode="soft"), ValueError, "fill_mode must be one of"),
    "image": (lambda _: apply_affine_transform(np.zeros((3, 3)), 30), ValueError, "needs three axes"),
    "range": (lambda _: random_zoom(np.zeros((3, 3, 3)), 1), ValueError, "zoom_range must be two numbers"),
    "number": (lambda folder: directory(".")(folder)[9], ValueError, "has the batches 0 to 0; asked for 9"),
    "no method": (lambda _: Iterator(3, 2, False, None)[0], NotImplementedError, "needs a method _get_batches"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(folder, name):
    call, kind, words = MISTAKES[name]
    with pytest.raises(kind, match=words):
        call(folder)


def test_sorted_labels_cannot_be_split():
    x, y = np.zeros((10, 4, 4, 1)), np.arange(10) // 5
    generator = ImageDataGenerator(validation_split=0.5)
    with pytest.raises(ValueError, match="sorted by class"):
        generator.flow(x, y, subset="training")
    weights = np.arange(10)
    part = generator.flow(
        x, y, subset="training", ignore_class_split=True, sample_weight=weights, shuffle=False, batch_size=9
    )
    assert next(part)[2].tolist() == [5, 6, 7, 8, 9]


def test_warnings(folder):
    (folder / "eels").mkdir()
    with pytest.warns(UserWarning, match="without images, which count as classes: 'eels'"):
        assert DirectoryIterator(folder, ImageDataGenerator()).num_classes == 3
    with pytest.warns(UserWarning, match="1 of 2 files .* are left out: .*2.gif"):
        frame(filename=["cats/0.png", "dogs/2.gif"])(folder)
    with pytest.warns(UserWarning, match="implies featurewise_center"):
        generator = ImageDataGenerator(featurewise_std_normalization=True)
    with pytest.warns(UserWarning, match="no effect before fit"):
        generator.standardize(np.zeros((2, 2, 1)))


def test_brightness_of_other_ranges(real_keras):
    from keras.src.legacy.preprocessing import image as reference

    for x in (np.linspace(-1, 1, 27).reshape(3, 3, 3), np.linspace(0, 255, 27).reshape(3, 3, 3)):
        for scale in (True, False):
            theirs = reference.apply_brightness_shift(x, 1.2, scale)
            np.testing.assert_allclose(apply_brightness_shift(x, 1.2, scale), theirs, rtol=1e-5)


@pytest.mark.old_spellings
def test_old_names(folder):
    batches = DirectoryIterator(folder, ImageDataGenerator(dim_ordering="th"), dim_ordering="th", target_size=(8, 8))
    assert (batches.nb_sample, batches.nb_class, batches.image_shape) == (8, 2, (3, 8, 8))
    x = ImageDataGenerator().flow(X=np.zeros((2, 4, 4, 1)))
    assert next(x).shape == (2, 4, 4, 1)


def test_iterators_from_several_threads():
    batches = ImageDataGenerator(rotation_range=9).flow(np.zeros((40, 16, 16, 3)), np.arange(40), batch_size=4)
    seen, threads = [], []
    for _ in range(2):
        threads.append(threading.Thread(target=lambda: seen.extend(next(batches)[1] for _ in range(5))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(np.concatenate(seen).tolist()) == list(range(40))
