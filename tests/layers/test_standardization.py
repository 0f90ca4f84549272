"""Normalization against real Keras: statistics that are given, computed by `adapt`, and read from files."""

import keras
import numpy as np
import pytest

import cornu
from contract.compare import assert_configs_cross, assert_like_keras
from cornu import layers
from cornu.data.dataset import Dataset
from cornu.layers import Normalization

RANDOM = np.random.default_rng(0)
IMAGES = (RANDOM.normal(3, 2, (10, 4, 5, 3))).astype("float32")


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"axis": 1, "mean": [0.5, 1.0], "variance": [4.0, 1e-20]}, (3, 2, 4)),
        ({"axis": (1, 2), "mean": [1.0, 2.0, 3.0], "variance": [1.0, 4.0, 9.0]}, (3, 2, 3)),
        ({"axis": [-1, 1], "mean": np.ones((2, 3)), "variance": np.full((2, 3), 2.0)}, (4, 2, 3)),
        ({"mean": 3, "variance": 4, "invert": True}, (2, 5)),
        ({"axis": None}, (2, 5)),
        ({"invert": True, "dtype": "mixed_float16"}, (2, 5)),
    ],
)
def test_is_keras_layer(arguments, shape):
    inputs = RANDOM.normal(size=shape).astype("float32")
    ours, theirs = Normalization(**arguments), keras.layers.Normalization(**arguments)
    assert_like_keras(ours, theirs, inputs)
    assert_configs_cross(ours, theirs)


class Batches(cornu.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, number):
        return IMAGES[number * 4 : number * 4 + 4], np.zeros(4)


KINDS = {
    "array": lambda: IMAGES,
    "list of arrays": lambda: [IMAGES[:4], IMAGES[4:8], IMAGES[8:]],
    "generator": lambda: (IMAGES[start : start + 4] for start in (0, 4, 8)),
    "pairs": lambda: [(IMAGES[:7], 1), (IMAGES[7:], 1)],
    "PyDataset": Batches,
}


@pytest.mark.parametrize("axis", [-1, (1, 3), (), (0, 3)])
def test_adapt_computes_what_keras_does(axis):
    theirs = keras.layers.Normalization(axis)  # which reads only arrays without TensorFlow
    theirs.adapt(IMAGES)
    for kind in ["array"] if axis == (0, 3) else KINDS:
        ours = Normalization(axis)
        ours.adapt(KINDS[kind]())
        for found, expected in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(found, expected, rtol=2e-6, err_msg=kind)
    np.testing.assert_allclose(ours(IMAGES), theirs(IMAGES), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.mean, theirs.mean, rtol=1e-6)
    assert ours.variance.shape == theirs.variance.shape


def test_adapt_in_parts_equals_adapt_at_once(monkeypatch):
    data = RANDOM.normal(1000, 1, (50, 3))
    monkeypatch.setattr("cornu.layers.standardization.CHUNK", 7)
    layer = Normalization()
    layer.adapt(data)
    np.testing.assert_allclose(layer.adapt_variance, data.var(0), rtol=1e-6)
    layer.adapt([1.0, 3.0, 5.0] * np.ones((2, 3)))
    np.testing.assert_allclose(layer.adapt_mean, [1, 3, 5])


def test_adapt_takes_lists_and_endless_generators():
    layer = Normalization(axis=None)
    layer.adapt([1, 2, 3, 4, 5])
    np.testing.assert_allclose(layer(np.array([1.0, 3.0])), [-1.4142135, 0], rtol=1e-6)

    def endless():
        while True:
            yield np.array([[1.0], [3.0]]), np.zeros(2)

    layer = Normalization()
    layer.adapt(endless(), batch_size=2, steps=3)
    assert [weight.item() for weight in layer.get_weights()] == [2, 1, 0]


def test_adapt_batches_the_rows_of_a_data_set():
    from cornu.data.dataset import Dataset

    rows = RANDOM.normal(size=(9, 2)).astype("float32")
    layer = Normalization()
    layer.adapt(Dataset.from_tensor_slices(rows))
    np.testing.assert_allclose(layer.adapt_mean, rows.mean(0), rtol=1e-5)


def test_adapt_takes_batches_of_a_column():
    numbers = np.arange(7.0) ** 2
    layer = layers.Normalization()
    layer.adapt(Dataset.from_tensor_slices({"x": numbers}).batch(4).map(lambda row: row["x"]))
    np.testing.assert_allclose(layer.mean, [[numbers.mean()]])
    np.testing.assert_allclose(layer.variance, [[numbers.var()]], rtol=1e-6)
    bins = layers.Discretization(num_bins=3)
    bins.adapt(Dataset.from_tensor_slices(numbers).batch(4))
    again = layers.Discretization(num_bins=3)
    again.adapt(numbers)
    np.testing.assert_allclose(bins.bin_boundaries, again.bin_boundaries, rtol=0.5)


def test_a_model_that_was_compiled_before_adapt_uses_the_new_statistics():
    model = cornu.Sequential([cornu.Input((2,)), Normalization()])
    data = np.array([[0.0, 10.0], [2.0, 30.0]], "float32")
    assert np.array_equal(model.predict(data, verbose=0), data)
    model.layers[0].adapt(data)
    np.testing.assert_allclose(model.predict(data, verbose=0), [[-1, -1], [1, 1]], rtol=1e-6)
    assert model.count_params() == 5
    assert not model.trainable_weights


@pytest.mark.parametrize("ending", [".keras", ".h5", ".weights.h5"])
def test_files_hold_the_statistics_both_ways(ending, tmp_path):
    def made(library):
        inner = library.layers.Normalization(name="inner")
        return library.Sequential([library.Input((4, 5, 3)), inner, library.layers.Conv2D(2, 3, name="conv")])

    ours, theirs = made(cornu), made(keras)
    ours.layers[0].adapt(IMAGES)
    expected = ours.predict(IMAGES, verbose=0)
    path = tmp_path / f"ours{ending}"
    if ending == ".weights.h5":
        ours.save_weights(path)
        theirs.load_weights(path)
        theirs.save_weights(tmp_path / f"theirs{ending}")
        again = made(cornu)
        again.load_weights(tmp_path / f"theirs{ending}")
    else:
        ours.save(path)
        theirs = keras.saving.load_model(path)
        theirs.save(tmp_path / f"theirs{ending}")
        again = cornu.saving.load_model(tmp_path / f"theirs{ending}")
    np.testing.assert_allclose(theirs.predict(IMAGES, verbose=0), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(again.predict(IMAGES, verbose=0), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"mean": 1.0}, "mean and variance together; got mean=1.0 and variance=None"),
        ({"mean": [1.0, 2.0], "variance": 1.0}, r"of one shape; got \(2,\) and \(\)"),
        ({"axis": None, "mean": [1.0], "variance": [2.0]}, r"up to 0 axes; got a mean of shape \(1,\)"),
        ({"axis": "last"}, "must be an integer, several, or None; got 'last'"),
        ({"axis": 2}, r"has axis=\(2,\), which an input of shape \(2, 3\) does not have"),
        ({"mean": [1.0, 2.0], "variance": [1.0, 2.0]}, r"of shape \(2,\); along axis=\(-1,\) its input has the sizes"),
    ],
)
def test_wrong_arguments_are_named(arguments, said):
    with pytest.raises((ValueError, TypeError), match=said):
        Normalization(**arguments)(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (iter([]), "no data: there is not a single batch"),
        (np.ones((0, 3)), "no data: the arrays are empty"),
        (np.ones((2, 4)), r"takes data of shape \(None, 3\); got \(2, 4\)"),
        (np.array([["a", "b", "c"]]), "takes numbers; got an array of <U1"),
        (3, "an array or an iterable of batches; got int"),
    ],
)
def test_wrong_data_are_named(data, said):
    layer = Normalization()
    layer.build((None, 3))
    with pytest.raises((ValueError, TypeError), match=said):
        layer.adapt(data)


def test_numbers_that_are_missing_are_warned_of():
    layer = Normalization()
    with pytest.warns(UserWarning, match=r"1 of 2 means are not finite, the first at place 0"):
        layer.adapt(np.array([[1.0, 2.0], [np.nan, 3.0]]))
    np.testing.assert_allclose(np.asarray(layer.mean)[0, 1], 2.5)


def test_adapt_is_refused_with_given_statistics():
    with pytest.raises(ValueError, match=r"adapt\(\) is for layers created without them"):
        Normalization(mean=0, variance=1).adapt(np.ones((2, 3)))
