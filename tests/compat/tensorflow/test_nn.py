"""``tf.nn`` beyond the calls that are compared with TensorFlow: channels second, halves, gradients, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu import layers
from cornu.compat.tensorflow import functions, nn
from cornu.compat.tensorflow.tape import GradientTape

X = np.random.default_rng(0).normal(size=(2, 6, 5, 4)).astype("float32")
K = np.random.default_rng(1).normal(size=(3, 3, 4, 2)).astype("float32")
FIRST = X.transpose(0, 3, 1, 2)


@pytest.mark.parametrize(
    ("last", "first"),
    [
        (lambda: nn.conv2d(X, K, [1, 2, 2, 1], "SAME"), lambda: nn.conv2d(FIRST, K, [1, 1, 2, 2], "SAME", "NCHW")),
        (
            lambda: nn.conv2d(X, K, 1, [[0, 0], [1, 1], [0, 2], [0, 0]]),
            lambda: nn.conv2d(FIRST, K, 1, [[0, 0], [0, 0], [1, 1], [0, 2]], "NCHW"),
        ),
        (lambda: nn.max_pool(X, 2, 2, "VALID"), lambda: nn.max_pool(FIRST, [1, 1, 2, 2], 2, "VALID", "NCHW")),
        (lambda: nn.avg_pool2d(X, 3, 2, "SAME"), lambda: nn.avg_pool2d(FIRST, 3, 2, "SAME", "NCHW")),
        (lambda: nn.bias_add(X, [1.0, 2, 3, 4]), lambda: nn.bias_add(FIRST, [1.0, 2, 3, 4], "NCHW")),
    ],
)
def test_channels_may_be_second(last, first):
    np.testing.assert_allclose(np.asarray(first()).transpose(0, 2, 3, 1), last(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: nn.conv2d(x, K.astype(x.dtype), 1, "SAME"),
        lambda x: nn.conv2d_transpose(x, np.ones((2, 2, 3, 4), x.dtype), [2, 12, 10, 3], 2),
        lambda x: nn.max_pool(x, 2, 2, "SAME"),
        lambda x: nn.dropout(x, 0.5),
        lambda x: nn.batch_normalization(x, jnp.zeros(4), jnp.ones(4), None, None, 1e-3),
        lambda x: nn.bias_add(x, [1.0, 2, 3, 4]),
        lambda x: nn.l2_normalize(x, 1),
        lambda x: nn.local_response_normalization(x),
        lambda x: functions.softmax(x),
        lambda x: nn.leaky_relu(x, alpha=0.3),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_stay_halves(call, dtype):
    assert call(jnp.asarray(X, dtype)).dtype == dtype


def test_the_transposed_convolution_undoes_shapes():
    y = nn.conv2d(X, K, 2, "VALID")
    assert nn.conv2d_transpose(y, K, X.shape, 2, "VALID").shape == X.shape
    with pytest.raises(ValueError, match=r"output_shape \(2, 9, 9, 4\) means an input of shape"):
        nn.conv2d_transpose(y, K, [2, 9, 9, 4], 2, "VALID")


def test_dropout_scales_what_it_keeps():
    found = np.asarray(nn.dropout(np.ones(2000, "float32"), rate=0.25, seed=3))
    assert set(found.round(4).tolist()) == {0.0, np.float32(1 / 0.75).round(4).item()}
    assert 0.2 < (found == 0).mean() < 0.3
    rows = np.asarray(nn.dropout(np.ones((50, 4), "float32"), 0.5, noise_shape=[None, 1]))
    assert ((rows == 0).all(1) | (rows > 0).all(1)).all()
    again = [nn.stateless_dropout(np.ones(20, "float32"), 0.5, [1, 2]).tolist() for _ in range(2)]
    assert again[0] == again[1]
    np.testing.assert_array_equal(nn.dropout(X, keep_prob=1.0), X)


def test_gradients_of_pooling_with_places():
    x = jnp.asarray(X)
    with GradientTape() as tape:
        tape.watch(x)
        best, places = nn.max_pool_with_argmax(x, 2, 2, "VALID")
    found = np.asarray(tape.gradient(best, x)).reshape(2, -1)
    assert [sorted(np.flatnonzero(row)) for row in found] == [sorted(row) for row in np.asarray(places).reshape(2, -1)]


def test_space_and_batch_change_places_and_back():
    apart = nn.space_to_batch(X[:, :, :4], [2, 2], [[0, 0], [0, 0]])
    assert apart.shape == (8, 3, 2, 4)
    np.testing.assert_array_equal(nn.batch_to_space(apart, [2, 2], [[0, 0], [0, 0]]), X[:, :, :4])


def test_functions_are_activations_of_layers():
    for function, name in ((functions.softmax, "softmax"), (functions.gelu, "gelu"), (nn.silu, "silu")):
        assert layers.Dense(2, activation=function).get_config()["activation"] == name
    assert jax.nn.silu(2.0) == nn.swish(2.0)
