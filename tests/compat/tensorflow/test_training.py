import numpy as np
import pytest

from cornu.compat.array_methods import install
from cornu.compat.tensorflow import distribute, random, training
from cornu.compat.tensorflow import math as maths


def test_losses_of_logits_equal_keras(real_keras):
    logits, classes = np.random.randn(6, 4).astype("float32"), np.random.randint(0, 4, 6)
    hot = np.eye(4, dtype="float32")[classes]
    expected = np.asarray(real_keras.ops.categorical_crossentropy(hot, logits, from_logits=True))
    rtol = 1e-5
    np.testing.assert_allclose(training.softmax_cross_entropy_with_logits(labels=hot, logits=logits), expected, rtol)
    found = training.sparse_softmax_cross_entropy_with_logits(labels=classes, logits=logits)
    np.testing.assert_allclose(found, expected, rtol)
    each = np.asarray(real_keras.ops.binary_crossentropy(hot, logits, from_logits=True))
    found = training.sigmoid_cross_entropy_with_logits(labels=hot, logits=logits)
    np.testing.assert_allclose(found, each, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("AdamOptimizer", {"learning_rate": 0.01, "beta1": 0.5}, {"learning_rate": 0.01, "beta_1": 0.5}),
        ("GradientDescentOptimizer", {"learning_rate": 0.1}, {"learning_rate": 0.1}),
        ("MomentumOptimizer", {"learning_rate": 0.1, "momentum": 0.9, "use_nesterov": True}, {"nesterov": True}),
        ("RMSPropOptimizer", {"learning_rate": 0.1, "decay": 0.8}, {"rho": 0.8}),
    ],
)
def test_optimizers_of_tensorflow_1(name, given, expected):
    config = getattr(training, name)(**given).get_config()
    assert {key: pytest.approx(config[key]) for key in expected} == expected


def test_counts_sums_and_shuffles():
    assert maths.confusion_matrix([0, 2, 2], [0, 1, 2], num_classes=3).tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 1]]
    assert training.add_n([np.ones(2), np.ones(2), np.ones(2)]).tolist() == [3, 3]
    assert training.l2_loss(np.array([3.0, 4.0])) == 12.5
    assert sorted(random.shuffle(np.arange(9)).tolist()) == list(range(9))
    assert abs(random.truncated_normal((1000,), stddev=2.0)).max() <= 4.0
    with distribute.MirroredStrategy().scope():
        assert distribute.get_strategy().num_replicas_in_sync == 1


def test_arrays_answer_as_tensors():
    install()
    array = training.fill((2, 3), 7.0)
    assert isinstance(array.numpy(), np.ndarray)
    assert array.get_shape().as_list() == [2, 3]
    assert array._keras_shape == (2, 3)


def test_gradients_are_clipped():
    """Figures of TensorFlow 2.15.1."""
    gradients = [np.array([3.0, 0.0], "float32"), None, np.array([[4.0]], "float32")]
    clipped, norm = training.clip_by_global_norm(gradients, 2.0)
    assert norm == 5.0
    np.testing.assert_allclose(clipped[0], [1.2, 0.0], rtol=1e-6)
    assert clipped[1] is None
    np.testing.assert_allclose(clipped[2], [[1.6]], rtol=1e-6)
    kept, _ = training.clip_by_global_norm(gradients, 7.0)
    np.testing.assert_allclose(kept[0], gradients[0])
    np.testing.assert_allclose(training.clip_by_norm(np.array([3.0, 4.0]), 1.0), [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(training.clip_by_norm(np.array([[3.0, 4.0], [0.3, 0.4]]), 1.0, axes=[1])[1], [0.3, 0.4])
    np.testing.assert_array_equal(training.clip_by_norm(np.zeros(3), 1.0), np.zeros(3))
