"""`keras.backend`: values equal numpy's or real Keras's; symbolic tensors, functions, gradients, random numbers."""

# ruff: noqa: E501

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import cornu
from cornu.compat.backend import functions as K  # noqa: N812, everybody's name for it
from cornu.core.graph import SymbolicTensor
from cornu.core.variable import Variable

RANDOM = np.random.RandomState(0)
A = RANDOM.uniform(0.1, 0.9, (3, 4)).astype("float32")
B = RANDOM.uniform(0.1, 0.9, (3, 4)).astype("float32")
IMAGE = RANDOM.uniform(size=(2, 6, 8, 4)).astype("float32")
ALL_2_2_4 = [
    "abs",
    "all",
    "any",
    "arange",
    "argmax",
    "argmin",
    "backend",
    "batch_dot",
    "batch_flatten",
    "batch_get_value",
    "batch_normalization",
    "batch_set_value",
    "bias_add",
    "binary_crossentropy",
    "cast",
    "cast_to_floatx",
    "categorical_crossentropy",
    "clear_session",
    "clip",
    "concatenate",
    "constant",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "cos",
    "count_params",
    "ctc_batch_cost",
    "ctc_decode",
    "cumprod",
    "cumsum",
    "depthwise_conv2d",
    "dot",
    "dropout",
    "dtype",
    "elu",
    "epsilon",
    "equal",
    "eval",
    "exp",
    "expand_dims",
    "eye",
    "flatten",
    "floatx",
    "foldl",
    "foldr",
    "function",
    "gather",
    "get_session",
    "get_uid",
    "get_value",
    "gradients",
    "greater",
    "greater_equal",
    "hard_sigmoid",
    "identity",
    "image_data_format",
    "image_dim_ordering",
    "in_test_phase",
    "in_top_k",
    "in_train_phase",
    "int_shape",
    "is_keras_tensor",
    "is_placeholder",
    "is_sparse",
    "is_tensor",
    "is_variable",
    "l2_normalize",
    "learning_phase",
    "less",
    "less_equal",
    "local_conv1d",
    "local_conv2d",
    "log",
    "logsumexp",
    "manual_variable_initialization",
    "map_fn",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "moving_average_update",
    "name_scope",
    "ndim",
    "normalize_batch_in_training",
    "normalize_data_format",
    "not_equal",
    "one_hot",
    "ones",
    "ones_like",
    "permute_dimensions",
    "placeholder",
    "pool2d",
    "pool3d",
    "pow",
    "print_tensor",
    "prod",
    "random_binomial",
    "random_normal",
    "random_normal_variable",
    "random_uniform",
    "random_uniform_variable",
    "relu",
    "repeat",
    "repeat_elements",
    "reset_uids",
    "reshape",
    "resize_images",
    "resize_volumes",
    "reverse",
    "rnn",
    "round",
    "separable_conv1d",
    "separable_conv2d",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_image_dim_ordering",
    "set_learning_phase",
    "set_session",
    "set_value",
    "shape",
    "sigmoid",
    "sign",
    "sin",
    "slice",
    "softmax",
    "softplus",
    "softsign",
    "sparse_categorical_crossentropy",
    "spatial_2d_padding",
    "spatial_3d_padding",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "stop_gradient",
    "sum",
    "switch",
    "tanh",
    "temporal_padding",
    "tile",
    "to_dense",
    "transpose",
    "truncated_normal",
    "update",
    "update_add",
    "update_sub",
    "var",
    "variable",
    "zeros",
    "zeros_like",
]

NUMPY = [
    (K.mean, (A > 0.5,), {}, (A > 0.5).mean()),
    (K.sum, (A,), {"axis": [0, 1]}, A.sum()),
    (K.std, (A,), {"axis": 1, "keepdims": True}, A.std(1, keepdims=True)),
    (K.var, (A,), {}, A.var()),
    (K.argmax, (A,), {}, A.argmax(-1)),
    (K.sqrt, (np.array([-1e-9, 4.0]),), {}, [0, 2]),
    (K.pow, (A, 2), {}, A**2),
    (K.clip, (A, 0.3, 0.1), {}, np.full_like(A, 0.3)),
    (K.clip, (A, 0.3, None), {}, np.maximum(A, 0.3)),
    (K.dot, (IMAGE, np.ones((4, 2), "float32")), {}, IMAGE @ np.ones((4, 2))),
    (K.dot, (A, IMAGE[0, :, :4]), {}, np.dot(A, IMAGE[0, :, :4])),
    (K.batch_dot, (A, B), {"axes": 1}, (A * B).sum(1, keepdims=True)),
    (K.batch_dot, (IMAGE[..., 0], IMAGE[..., 1]), {"axes": (2, 2)}, np.einsum("bij,bkj->bik", IMAGE[..., 0], IMAGE[..., 1])),
    (K.batch_dot, (IMAGE[..., 0], IMAGE[:, 0, :, :]), {}, IMAGE[..., 0] @ IMAGE[:, 0]),
    (K.reshape, (A, (-1, 2)), {}, A.reshape(-1, 2)),
    (K.reshape, (A, (None, 2)), {}, A.reshape(-1, 2)),
    (K.repeat, (A, 2), {}, np.repeat(A[:, None], 2, 1)),
    (K.repeat_elements, (A, 2, 1), {}, np.repeat(A, 2, 1)),
    (K.tile, (A, (1, 2)), {}, np.tile(A, (1, 2))),
    (K.batch_flatten, (IMAGE,), {}, IMAGE.reshape(2, -1)),
    (K.reverse, (A, 1), {}, A[:, ::-1]),
    (K.slice, (A, (1, 0), (2, -1)), {}, A[1:]),
    (K.gather, (A, [2, 0]), {}, A[[2, 0]]),
    (K.one_hot, ([1, 0], 3), {}, np.eye(3)[[1, 0]]),
    (K.concatenate, ([A, B],), {}, np.concatenate([A, B], -1)),
    (K.stack, ([A, B],), {"axis": 1}, np.stack([A, B], 1)),
    (K.arange, (5,), {}, np.arange(5)),
    (K.temporal_padding, (IMAGE[0],), {"padding": (1, 2)}, np.pad(IMAGE[0], ((0, 0), (1, 2), (0, 0)))),
    (K.spatial_2d_padding, (IMAGE,), {}, np.pad(IMAGE, ((0, 0), (1, 1), (1, 1), (0, 0)))),
    (K.resize_images, (IMAGE, 2, 3), {"data_format": "channels_last"}, IMAGE.repeat(2, 1).repeat(3, 2)),
    (K.hard_sigmoid, (np.array([-3.0, 0.5, 3.0]),), {}, [0, 0.6, 1]),
    (K.relu, (np.array([-1.0, 5.0]),), {"alpha": 0.1, "max_value": 3}, [-0.1, 3]),
    (K.l2_normalize, (A,), {"axis": 1}, A / np.linalg.norm(A, axis=1, keepdims=True)),
    (K.in_top_k, (A, A.argmax(1), 1), {}, [True] * 3),
    (K.bias_add, (IMAGE, np.arange(4.0)), {}, IMAGE + np.arange(4)),
    (K.bias_add, (IMAGE, np.arange(6.0)), {"data_format": "channels_first"}, IMAGE + np.arange(6)[:, None, None]),
    (K.pool2d, (IMAGE, (2, 2)), {"strides": (2, 2), "pool_mode": "avg"}, IMAGE.reshape(2, 3, 2, 4, 2, 4).mean((2, 4))),
    (K.eye, (3,), {}, np.eye(3)),
    (K.constant, (2.0,), {"shape": (2, 2)}, np.full((2, 2), 2)),
    (K.sparse_categorical_crossentropy, ([[1.0], [0.0], [2.0]], A / A.sum(1, keepdims=True)), {},
     -np.log((A / A.sum(1, keepdims=True))[[0, 1, 2], [1, 0, 2]])),
    (K.binary_crossentropy, (np.ones((3, 4)), A), {}, -np.log(A)),
    (K.foldl, (lambda a, x: a * 2 + x, np.arange(4.0)), {}, 11.0),
    (K.foldr, (lambda a, x: a * 2 + x, np.arange(4.0)), {}, 34.0),
    (K.map_fn, (lambda x: x * 2, A), {}, A * 2),
    (K.switch, (True, lambda: A, lambda: B), {}, A),
    (K.switch, (np.array([True, False, True]), A, B), {}, np.where([[True], [False], [True]], A, B)),
    (K.in_test_phase, (1, 2), {"training": 1}, 2),
    (K.print_tensor, (A, "value"), {}, A),
]  # fmt: skip


@pytest.mark.parametrize(("function", "args", "kwargs", "expected"), NUMPY, ids=[case[0].__name__ for case in NUMPY])
def test_values(function, args, kwargs, expected):
    np.testing.assert_allclose(np.asarray(function(*args, **kwargs)), expected, rtol=1e-5, atol=1e-6)


def test_every_function_of_keras_2():
    assert [name for name in ALL_2_2_4 if not hasattr(K, name)] == []
    assert [name for name in ALL_2_2_4 if not hasattr(cornu.backend, name)] == []
    assert cornu.backend.dot is K.dot


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("categorical_crossentropy", (A, B), {}),
        ("conv1d", (IMAGE[0], np.ones((3, 4, 2), "float32")), {"padding": "same"}),
        ("conv2d", (IMAGE, np.ones((3, 3, 4, 2), "float32")), {"padding": "same", "strides": (2, 2)}),
        ("depthwise_conv2d", (IMAGE, np.ones((3, 3, 4, 2), "float32")), {}),
        ("conv2d_transpose", (IMAGE, np.ones((3, 3, 2, 4), "float32"), (2, 8, 10, 2)), {}),
        ("softmax", (A,), {"axis": 0}),
        ("batch_normalization", (A, A[0], A[1], A[2], B[0]), {}),
        ("cumprod", (A,), {"axis": 1}),
    ],
)
def test_equals_real_keras(name, args, kwargs):
    pytest.importorskip("keras")
    from keras.src import ops
    from keras.src.legacy import backend as reference

    try:
        theirs = getattr(reference, name)(*args, **kwargs)
    except (AttributeError, ImportError):  # the legacy module needs TensorFlow for most functions
        same = {
            "categorical_crossentropy": ops.categorical_crossentropy,
            "conv1d": ops.conv,
            "conv2d": ops.conv,
            "depthwise_conv2d": ops.depthwise_conv,
            "conv2d_transpose": lambda x, kernel, shape: ops.conv_transpose(x, kernel),
            "softmax": ops.softmax,
            "batch_normalization": lambda x, m, v, b, g: ops.batch_normalization(x, m, v, -1, b, g),
            "cumprod": ops.cumprod,
        }
        theirs = same[name](*args, **kwargs)
    np.testing.assert_allclose(getattr(K, name)(*args, **kwargs), np.asarray(theirs), rtol=1e-4, atol=1e-5)


def test_local_convolution_is_a_convolution_with_equal_kernels():
    kernel = RANDOM.normal(size=(2, 3, 4, 5)).astype("float32")
    repeated = np.tile(kernel.reshape(1, -1, 5), (5 * 6, 1, 1))
    ours = K.local_conv2d(IMAGE, repeated, (2, 3), (1, 1), (5, 6))
    np.testing.assert_allclose(ours, K.conv2d(IMAGE, kernel), rtol=1e-4, atol=1e-5)


def test_normalize_batch_in_training():
    normed, mean, var = K.normalize_batch_in_training(IMAGE, np.ones(4), np.zeros(4), [0, 1, 2])
    np.testing.assert_allclose(mean, IMAGE.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(var, IMAGE.var((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(np.std(normed, (0, 1, 2)), np.ones(4), atol=0.02)


# ---- variables


def test_variables():
    v = K.variable([1.0, 2.0], name="v")
    assert (v.name, v.trainable, K.int_shape(v), K.ndim(v), K.dtype(v), K.count_params(v)) == (
        "v",
        False,
        (2,),
        1,
        "float32",
        2,
    )
    K.set_value(v, [3.0, 4.0])
    K.update_add(v, 1.0)
    K.update_sub(v, [1.0, 0.0])
    assert K.get_value(v).tolist() == [3, 5]
    K.moving_average_update(v, np.array([0.0, 0.0]), 0.5)
    assert K.eval(v).tolist() == [1.5, 2.5]
    assert K.batch_get_value([v, v])[1].tolist() == [1.5, 2.5]
    K.batch_set_value([(v, [0.0, 1.0])])
    assert float(K.sum(v * 2)) == 2
    assert isinstance(K.zeros((2, 3)), Variable)
    assert K.ones((2,)).numpy().tolist() == [1, 1]
    assert K.get_value(K.random_normal_variable((2, 3), 0, 1)).shape == (2, 3)
    with pytest.raises(TypeError, match=r"K\.variable"):
        K.set_value(3, 4)
    with pytest.raises(TypeError, match=r"K\.function"):
        K.get_value(K.placeholder((None, 3)))


def test_settings(monkeypatch):
    assert K.image_dim_ordering() == "tf"
    K.set_image_dim_ordering("th")
    assert K.image_data_format() == "channels_first"
    K.set_image_dim_ordering("tf")
    with pytest.raises(ValueError, match="channels last"):
        K.set_image_dim_ordering("tensorflow")
    monkeypatch.delenv("KERAS_BACKEND")
    assert K.backend() == "tensorflow"
    with K.name_scope("block"):
        K.clear_session()
    assert K.get_uid("a") + 1 == K.get_uid("a")


# ---- symbolic tensors


def test_symbolic_shapes():
    x = SymbolicTensor((None, 4), "float32")
    assert K.int_shape(x) == (None, 4)
    y = K.reshape(K.concatenate([x, K.square(x)]), (-1, 2, 4))
    assert tuple(y.shape) == (None, 2, 4)
    assert K.is_keras_tensor(y)
    assert not K.is_placeholder(y)
    run = K.function([x], [y])
    np.testing.assert_allclose(run([A])[0], np.concatenate([A, A**2], -1).reshape(3, 2, 4), rtol=1e-6)


def test_sizes_that_are_known_when_the_model_runs():
    x = SymbolicTensor((None, 4), "float32")
    rows, columns = K.shape(x)
    assert columns == 4
    z = K.ones((rows, 2)) * K.cast(rows * 2 + 1, "float32")
    w = K.reshape(x, (rows * 2, 2))
    assert tuple(z.shape) == (None, 2)
    first, second = K.function([x], [z, w])([A])
    np.testing.assert_allclose(first, np.full((3, 2), 7))
    np.testing.assert_allclose(second, A.reshape(6, 2))
    noise = K.function([x], [K.random_normal(shape=(rows, 5))])
    assert noise([A])[0].shape == (3, 5)
    assert not np.allclose(noise([A])[0], noise([A])[0])


def test_function_with_learning_phase_and_updates():
    x = SymbolicTensor((None, 4), "float32")
    calls = K.variable(0.0)
    phase = K.learning_phase()
    y = K.in_train_phase(x * 2, lambda: x)
    run = K.function([x, phase], y, updates=[(calls, K.sum(x * 0) + 5)])
    np.testing.assert_allclose(run([A, 1]), A * 2, rtol=1e-6)
    np.testing.assert_allclose(run([A, 0]), A, rtol=1e-6)
    assert float(calls) == 5
    with pytest.raises(ValueError, match="2 inputs"):
        run([A])
    with pytest.raises(ValueError, match="not among its inputs"):
        K.function([], [y])


def test_learning_phase_can_be_set():
    K.set_learning_phase(1)
    try:
        assert K.learning_phase() == 1
        assert K.in_train_phase(1, 2) == 1
    finally:
        K.clear_session()
    with pytest.raises(ValueError, match=r"0 .test. or 1"):
        K.set_learning_phase("train")


def test_learning_phase_in_the_call_of_a_layer_is_of_that_call():
    class Phase(cornu.layers.Layer):
        def call(self, x):
            return x + 10 * K.learning_phase() + K.in_train_phase(1.0, 2.0)

    model = cornu.Sequential([cornu.Input((4,)), Phase()])
    for training, added in ((None, 2), (False, 2), (True, 11)):
        np.testing.assert_allclose(model(A, training=training), A + added, rtol=1e-6)


def test_gradients():
    x = SymbolicTensor((None, 4), "float32")
    w = K.variable(np.ones((4, 2), "float32"))
    hidden = K.dot(x, w)
    loss = K.sum(K.square(hidden))
    by_input, by_weight, by_hidden = K.gradients(loss, [x, w, hidden])
    assert tuple(by_input.shape) == (None, 4)
    run = K.function([x], [loss, by_input, by_weight, by_hidden])
    for _ in range(2):  # the second time with another value of the variable
        total, one, two, three = run([A])
        value = K.get_value(w)
        np.testing.assert_allclose(total, np.sum((A @ value) ** 2), rtol=1e-5)
        np.testing.assert_allclose(one, 2 * A @ value @ value.T, rtol=1e-5)
        np.testing.assert_allclose(two, 2 * A.T @ (A @ value), rtol=1e-5)
        np.testing.assert_allclose(three, 2 * A @ value, rtol=1e-5)
        K.set_value(w, RANDOM.normal(size=(4, 2)))
    with pytest.raises(TypeError, match=r"jax\.grad"):
        K.gradients(jnp.ones(()), [w])


def test_saliency_of_a_model():
    model = cornu.models.Sequential([cornu.layers.Input((4,)), cornu.layers.Dense(3, activation="tanh")])
    grads = K.gradients(model.output[:, 0], model.input)[0]
    found = K.function([model.input], [grads])([A])[0]
    kernel, bias = map(jnp.asarray, model.get_weights())
    expected = jax.grad(lambda x: jnp.tanh(x @ kernel + bias)[:, 0].sum())(jnp.asarray(A))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_lambda_layers_and_losses():
    inputs = cornu.layers.Input((4,))
    scaled = cornu.layers.Lambda(lambda x: K.l2_normalize(x, axis=1) * K.cast(K.shape(x)[0], "float32"))(inputs)
    model = cornu.models.Model(inputs, scaled)
    model.compile("sgd", loss=lambda y_true, y_pred: K.mean(K.square(y_pred - y_true), axis=-1))
    expected = 3 * A / np.linalg.norm(A, axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_on_batch(A), expected, rtol=1e-5)
    assert model.evaluate(A, expected, verbose=0, batch_size=3) == pytest.approx(0, abs=1e-6)


# ---- random numbers


def test_random_numbers():
    np.random.seed(1)
    first = K.random_uniform((1000,), 2, 3)
    np.random.seed(1)
    np.testing.assert_array_equal(first, K.random_uniform((1000,), 2, 3))
    assert not np.allclose(first, K.random_uniform((1000,), 2, 3))
    assert 2 <= float(K.min(first)) < float(K.max(first)) < 3
    normal = np.asarray(K.random_normal((4000,), mean=1.0, stddev=2.0))
    assert abs(normal.mean() - 1) < 0.15
    assert abs(normal.std() - 2) < 0.15
    assert abs(float(K.mean(K.random_binomial((2000,), 0.3))) - 0.3) < 0.05
    assert float(K.max(K.abs(K.truncated_normal((2000,))))) <= 2
    dropped = np.asarray(K.dropout(np.ones(4000), 0.25))
    assert np.unique(dropped).tolist() == pytest.approx([0, 4 / 3])


def test_each_training_step_has_other_random_numbers():
    seen = cornu.layers.Lambda(lambda x: x * 0 + K.random_normal(K.shape(x)))
    model = cornu.models.Sequential([cornu.layers.Input((1,)), seen])
    model.compile("sgd", loss=lambda y_true, y_pred: y_pred)
    losses = [model.train_on_batch(np.zeros((1, 1)), np.zeros((1, 1))) for _ in range(4)]
    assert len(set(losses)) == 4
    one, two = (model.predict(np.zeros((1, 1)), verbose=0) for _ in range(2))
    assert one != two


# ---- loops over steps


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_rnn(masked, backwards):
    inputs = RANDOM.normal(size=(2, 5, 3)).astype("float32")
    mask = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 1]], bool) if masked else None
    step = lambda x, states: (states[0] + K.sum(x, -1, keepdims=True), [states[0] + K.sum(x, -1, keepdims=True)])  # noqa: E731
    last, outputs, (state,) = K.rnn(step, inputs, [np.zeros((2, 1), "float32")], backwards, mask)
    order = range(4, -1, -1) if backwards else range(5)
    carry, expected = np.zeros((2, 1)), []
    for t in order:
        keep = np.ones((2, 1), bool) if mask is None else mask[:, t : t + 1]
        carry = np.where(keep, carry + inputs[:, t].sum(-1, keepdims=True), carry)
        expected.append(carry)
    np.testing.assert_allclose(outputs, np.stack(expected, 1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(last, expected[-1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(state, expected[-1], rtol=1e-4, atol=1e-5)


def test_ctc():
    probabilities = np.full((1, 4, 3), 0.05, "float32")
    for step, label in enumerate([0, 2, 1, 1]):
        probabilities[0, step, label] = 0.9
    labels, _ = K.ctc_decode(probabilities, np.array([4]))
    assert np.asarray(labels[0])[0, :2].tolist() == [0, 1]
    cost = K.ctc_batch_cost(np.array([[0, 1]]), probabilities, np.array([[4]]), np.array([[2]]))
    assert cost.shape == (1, 1)
    assert float(cost[0, 0]) < 1
