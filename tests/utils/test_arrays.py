"""`to_categorical` and `normalize` equal real Keras's; labels that are none are answered in words."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu.utils import normalize, to_categorical


@pytest.mark.parametrize("labels", [[0, 2, 1], [[0], [2]], [[0, 1], [2, 3]], [0.0, 1.0], [True, False], 3])
@pytest.mark.parametrize("classes", [None, 5])
def test_to_categorical(real_keras, labels, classes):
    ours, theirs = to_categorical(labels, classes), real_keras.utils.to_categorical(labels, classes)
    assert (type(ours), ours.dtype) == (np.ndarray, "float32")
    np.testing.assert_array_equal(ours, theirs)


def test_types():
    assert isinstance(to_categorical(jnp.array([1, 0])), jax.Array)
    assert to_categorical([0, 1], dtype="int8").dtype == "int8"
    assert to_categorical(np.array([1, 0], "uint8"), 10).shape == (2, 10)
    assert jax.jit(lambda x: to_categorical(x, 3))(jnp.array([1])).tolist() == [[0, 1, 0]]


@pytest.mark.parametrize(
    ("labels", "classes", "words"),
    [
        ([1, 10], 10, "num_classes=11"),
        ([-1, 1], None, "smallest is -1"),
        ([0.5], None, "got 0.5"),
        ([float("nan")], None, "got nan"),
        (["cat", "dog"], None, r"cat, dog.*\n.*return_inverse"),
        ([], None, "empty"),
    ],
)
def test_what_is_no_label(labels, classes, words):
    with pytest.raises(ValueError, match=words):
        to_categorical(labels, classes)


@pytest.mark.parametrize("order", [1, 2, np.inf])
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_normalize(order, axis):
    x = np.random.rand(3, 4) - 0.5
    expected = x / np.linalg.norm(x, order, axis, keepdims=True)
    np.testing.assert_allclose(normalize(x, axis, order), expected, rtol=1e-6)
    assert normalize(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]
    assert isinstance(normalize(jnp.ones(2)), jax.Array)
