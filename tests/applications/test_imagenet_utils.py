"""Preprocessing, class names and the checks of shapes, against real Keras's."""

import hashlib
import itertools
import json

import jax.numpy as jnp
import keras
import numpy as np
import pytest

import cornu
from cornu import applications, layers
from cornu.applications import imagenet_utils

REAL = keras.applications.imagenet_utils
MODES = ("caffe", "tf", "torch")
SHAPES = {"channels_last": [(4, 5, 3), (2, 4, 5, 3)], "channels_first": [(3, 4, 5), (2, 3, 4, 5)]}
EVERY = [(mode, order, shape) for mode in MODES for order, shapes in SHAPES.items() for shape in shapes]


def pixels(shape, dtype="float32"):
    return np.random.default_rng(1).uniform(0, 255, shape).astype(dtype)


@pytest.mark.parametrize(("mode", "order", "shape"), EVERY)
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_arrays_and_what_becomes_of_the_callers(mode, order, shape, dtype):
    given, given_there = pixels(shape, dtype), pixels(shape, dtype)
    result = imagenet_utils.preprocess_input(given, order, mode)
    expected = REAL.preprocess_input(given_there, order, mode)
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(given, given_there, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(("mode", "order", "shape"), EVERY)
def test_tensors(mode, order, shape):
    x = pixels(shape)
    expected = REAL.preprocess_input(x.copy(), order, mode)
    np.testing.assert_allclose(
        imagenet_utils.preprocess_input(jnp.asarray(x), order, mode), expected, rtol=1e-4, atol=1e-3
    )
    inputs = layers.Input(shape[-3:])
    model = cornu.Model(inputs, imagenet_utils.preprocess_input(inputs, order, mode))
    batch = x.reshape(-1, *shape[-3:])
    np.testing.assert_allclose(model(batch), expected.reshape(batch.shape), rtol=1e-4, atol=1e-3)
    again = cornu.Model.from_config(json.loads(json.dumps(model.get_config())))
    np.testing.assert_allclose(again(batch), expected.reshape(batch.shape), rtol=1e-4, atol=1e-3)


def test_integers_become_floats_in_every_form():
    x = pixels((2, 4, 5, 3), "uint8")
    for mode in MODES:
        expected = imagenet_utils.preprocess_input(x, mode=mode)
        for given in (jnp.asarray(x), x.tolist()):
            np.testing.assert_allclose(imagenet_utils.preprocess_input(given, mode=mode), expected, atol=1e-3)


def test_an_array_that_cannot_be_changed_is_copied():
    x = pixels((4, 5, 3))
    x.flags.writeable = False
    assert imagenet_utils.preprocess_input(x, mode="tf") is not x


MODULES = [name for name in applications.__all__ if name.islower() and name != "imagenet_utils"]


@pytest.mark.parametrize("name", MODULES)
def test_each_model_has_its_mode(name):
    own, x = getattr(applications, name), pixels((2, 4, 5, 3))
    # Keras 3 has neither of the two; those of tf.keras leave images as they are.
    there = x if name in ("regnet", "resnet_rs") else getattr(keras.applications, name).preprocess_input(x.copy())
    np.testing.assert_allclose(own.preprocess_input(x.copy()), there, rtol=1e-5, atol=1e-4)
    assert own.decode_predictions is imagenet_utils.decode_predictions


@pytest.mark.parametrize("arguments", [{"mode": "theano"}, {"data_format": "th"}])
def test_unknown_modes_and_formats(arguments):
    with pytest.raises(ValueError, match=r"'theano'|'th'"):
        imagenet_utils.preprocess_input(np.zeros((2, 2, 3)), **arguments)


@pytest.mark.old_spellings
def test_the_old_keyword_of_the_format():
    x = pixels((3, 4, 5))
    result = applications.vgg16.preprocess_input(x.copy(), dim_ordering="th")
    np.testing.assert_array_equal(result, imagenet_utils.preprocess_input(x, "channels_first"))


@pytest.fixture
def class_index(tmp_path, monkeypatch):
    content = json.dumps({str(number): [f"n{number:08}", f"thing_{number}"] for number in range(1000)})
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "imagenet_class_index.json").write_text(content)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX_DIGEST", hashlib.md5(content.encode()).hexdigest())
    imagenet_utils._class_index.cache_clear()
    yield json.loads(content)
    imagenet_utils._class_index.cache_clear()


def test_decoded_predictions(class_index, monkeypatch):
    monkeypatch.setattr("keras.src.applications.imagenet_utils.CLASS_INDEX", class_index)
    scores = np.random.default_rng(2).uniform(size=(3, 1000)).astype("float32")
    assert imagenet_utils.decode_predictions(scores) == REAL.decode_predictions(scores)
    assert imagenet_utils.decode_predictions(jnp.asarray(scores), top=2) == REAL.decode_predictions(scores, top=2)


@pytest.mark.parametrize("shape", [(1000,), (2, 10), (1, 1, 1000)])
def test_predictions_that_are_not_imagenet_s(shape):
    with pytest.raises(ValueError, match=r"array of shape \(samples, 1000\); got shape"):
        imagenet_utils.decode_predictions(np.zeros(shape))


def test_class_names_without_a_network_say_where_the_file_goes(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX_PATH", "http://127.0.0.1:9/imagenet_class_index.json")
    imagenet_utils._class_index.cache_clear()
    with pytest.raises(ConnectionError, match=r"put it into .*models as imagenet_class_index\.json"):
        imagenet_utils.decode_predictions(np.zeros((1, 1000)))


def test_the_class_index_is_keras_s():
    from keras.src.applications import imagenet_utils as real

    assert imagenet_utils.CLASS_INDEX_PATH == real.CLASS_INDEX_PATH


GRID = itertools.product(
    (None, (224, 224, 3), (32, 48, 3), (31, 32, 3), (None, None, 3), (64, 64, 1), (3, 64, 64), (64, 64), (1, 64, 64)),
    ("channels_last", "channels_first"),
    (True, False),
    (None, "imagenet"),
)


@pytest.mark.filterwarnings("ignore:.*channels")
@pytest.mark.parametrize(("shape", "order", "flattens", "weights"), list(GRID))
def test_input_shapes(shape, order, flattens, weights):
    from keras.src.applications.imagenet_utils import obtain_input_shape

    arguments = (shape, 224, 32, order, flattens, weights)
    try:
        expected = obtain_input_shape(*arguments)
    except ValueError:
        with pytest.raises(ValueError, match="must"):
            imagenet_utils.obtain_input_shape(*arguments)
    else:
        assert imagenet_utils.obtain_input_shape(*arguments) == expected


@pytest.mark.parametrize("shape", [(1, 7, 8, 3), (1, None, None, 3)])
@pytest.mark.parametrize("kernel", [3, 5, (3, 7)])
def test_padding_before_strides(shape, kernel):
    from keras.src.applications.imagenet_utils import correct_pad

    expected = correct_pad(keras.KerasTensor(shape), kernel)
    assert imagenet_utils.correct_pad(keras.KerasTensor(shape), kernel) == expected
