"""Convolutions equal Keras's, outputs and gradients, over a grid of arguments and over drawn ones."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornu.kernels.convolution import add_bias, convolution, depthwise_convolution, transposed_convolution

pytestmark = pytest.mark.usefixtures("without_native_kernels")

WAYS = [("channels_last", "valid"), ("channels_last", "same"), ("channels_first", "same")]


def numbers(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def image(rows, space, channels, data_format):
    return numbers(*((rows, *space, channels) if data_format == "channels_last" else (rows, channels, *space)))


def assert_same(ours, keras_function, *arrays):
    """Outputs and gradients agree, by the scale of the largest entry."""

    def weighted(function):
        def loss(arrays):
            result = function(*arrays)
            return jnp.sum(result * jnp.cos(jnp.arange(result.size, dtype=result.dtype)).reshape(result.shape)), result

        return jax.jit(jax.value_and_grad(loss, has_aux=True))

    ((_, result), gradients), ((_, wanted), wanted_gradients) = (weighted(f)(arrays) for f in (ours, keras_function))
    assert result.shape == wanted.shape
    for got, want in zip((result, *gradients), (wanted, *wanted_gradients), strict=True):
        np.testing.assert_allclose(got, want, atol=5e-6 * max(1.0, float(jnp.max(jnp.abs(want)))), rtol=1e-5)


@pytest.mark.parametrize(("data_format", "padding"), WAYS)
@pytest.mark.parametrize(
    ("space", "window", "strides", "dilation", "groups"),
    [
        ((9,), (3,), 1, 1, 1),
        ((9,), (4,), 2, 1, 2),
        ((9, 7), (3, 3), 1, 1, 1),
        ((11, 6), (3, 2), 1, 1, 1),
        ((8, 7), (2, 3), (2, 3), 1, 1),
        ((9, 9), (3, 2), 1, (1, 2), 2),
        ((5, 6, 4), (2, 3, 2), 1, 1, 1),
        ((5, 6, 4), (3, 2, 1), (2, 1, 2), 1, 1),
    ],
)
def test_convolution_equals_keras(data_format, padding, space, window, strides, dilation, groups):
    x, kernel = image(3, space, 8, data_format), numbers(*window, 8 // groups, 6, seed=1)
    assert_same(
        lambda x, kernel: convolution(x, kernel, strides, padding, dilation, groups, data_format),
        lambda x, kernel: keras.ops.conv(x, kernel, strides, padding, data_format, dilation),
        x,
        kernel,
    )


@settings(max_examples=8)
@given(
    rows=st.integers(1, 7),
    height=st.integers(3, 13),
    width=st.integers(4, 9),
    taps=st.integers(1, 4),
    channels=st.sampled_from([1, 2, 8, 9]),
    padding=st.sampled_from(["valid", "same"]),
)
def test_three_row_kernels_equal_keras(rows, height, width, taps, channels, padding):
    """Winograd's form, where it is taken: heights that are no multiple of four, few and many channels."""
    assert_same(
        lambda x, kernel: convolution(x, kernel, padding=padding),
        lambda x, kernel: keras.ops.conv(x, kernel, padding=padding),
        numbers(rows, height, width, channels),
        numbers(3, taps, channels, 5, seed=1),
    )


def test_many_groups_of_images_are_summed():
    """More images than fit into one group, and a number of them that the groups do not divide."""
    assert_same(
        lambda x, kernel: convolution(x, kernel),
        lambda x, kernel: keras.ops.conv(x, kernel, padding="valid"),
        numbers(37, 26, 26, 16),
        numbers(3, 3, 16, 8, seed=1) / 10,
    )


def test_gradient_by_kernel_is_as_exact_as_float32():
    """Against float64: Winograd's transforms may cost little more than the rounding of a plain sum."""
    x, upstream = numbers(16, 26, 26, 32), numbers(16, 24, 24, 64, seed=1)
    got = jax.jit(lambda x, d: jax.vjp(lambda k: convolution(x, k), jnp.zeros((3, 3, 32, 64)))[1](d)[0])(x, upstream)
    wide = [np.asarray(each, np.float64) for each in (x, upstream)]
    windows = np.lib.stride_tricks.sliding_window_view(wide[0], (24, 24), axis=(1, 2))
    want = np.stack(
        [[np.tensordot(windows[:, i, j], wide[1], ((0, 2, 3), (0, 1, 2))) for j in range(3)] for i in range(3)]
    )
    assert np.abs(got - want).max() / np.abs(want).max() < 4e-6


def test_causal_padding_lies_on_the_left():
    x, kernel = numbers(2, 7, 3), numbers(3, 3, 4, seed=1)
    padded = jnp.pad(x, ((0, 0), (4, 0), (0, 0)))
    wanted = convolution(padded, kernel, padding="valid", dilation=2)
    np.testing.assert_allclose(convolution(x, kernel, padding="causal", dilation=2), wanted, rtol=1e-6)


@pytest.mark.parametrize(("data_format", "padding"), WAYS)
@pytest.mark.parametrize(
    ("space", "window", "strides", "output_padding", "dilation"),
    [
        ((7,), (3,), 2, None, 1),
        ((5, 4), (3, 3), 1, None, 1),
        ((5, 4), (3, 3), 1, None, 2),
        ((5, 4), (2, 5), (2, 3), None, 1),
        ((5, 4), (3, 4), 2, 1, 1),
        ((3, 2, 4), (3, 2, 1), 2, None, 1),
    ],
)
def test_transposed_convolution_equals_keras(data_format, padding, space, window, strides, output_padding, dilation):
    x, kernel = image(3, space, 8, data_format), numbers(*window, 5, 8, seed=1)
    assert_same(
        lambda x, k: transposed_convolution(x, k, strides, padding, output_padding, dilation, data_format),
        lambda x, k: keras.ops.conv_transpose(x, k, strides, padding, output_padding, data_format, dilation),
        x,
        kernel,
    )


@pytest.mark.parametrize(("data_format", "padding"), WAYS)
@pytest.mark.parametrize(
    ("space", "window", "strides", "dilation"), [((9,), (3,), 1, 2), ((7, 6), (3, 2), 1, 1), ((7, 6), (3, 3), 2, 1)]
)
def test_depthwise_convolution_equals_keras(data_format, padding, space, window, strides, dilation):
    x, kernel = image(2, space, 3, data_format), numbers(*window, 3, 2, seed=1)
    assert_same(
        lambda x, kernel: depthwise_convolution(x, kernel, strides, padding, dilation, data_format),
        lambda x, kernel: keras.ops.depthwise_conv(x, kernel, strides, padding, data_format, dilation),
        x,
        kernel,
    )


@pytest.mark.parametrize("channels", [2, 8])
def test_gradient_of_gradient_equals_keras(channels):
    """As in a gradient penalty: the norm of the gradient by the input is differentiated by kernel and input."""

    def penalty(conv):
        def loss(arrays):
            slope = jax.grad(lambda x: jnp.sum(jnp.tanh(conv(x, arrays[1]))))(arrays[0])
            return jnp.sum(slope**2)

        return jax.jit(jax.grad(loss))

    arrays = numbers(2, 9, 8, channels), numbers(3, 3, channels, 4, seed=1) / 4
    got = penalty(lambda x, kernel: convolution(x, kernel, padding="same"))(arrays)
    want = penalty(lambda x, kernel: keras.ops.conv(x, kernel, padding="same"))(arrays)
    for ours, theirs in zip(got, want, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5 * float(jnp.max(jnp.abs(theirs))))


def test_vmap_equals_a_loop():
    x, kernels = numbers(2, 3, 8, 8, 8), numbers(2, 3, 3, 8, 4, seed=1)
    gradient = jax.grad(lambda kernel, x: jnp.sum(jnp.sin(convolution(x, kernel))))
    wanted = jnp.stack([gradient(kernels[i], x[i]) for i in range(2)])
    np.testing.assert_allclose(jax.vmap(gradient)(kernels, x), wanted, atol=1e-4)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_stays_half(dtype):
    x, kernel = numbers(4, 8, 8, 8).astype(dtype), (numbers(3, 3, 8, 4, seed=1) / 8).astype(dtype)
    loss = lambda x, kernel: jnp.sum(jnp.sin(convolution(x, kernel)).astype("float32"))  # noqa: E731
    gradients = jax.grad(loss, (0, 1))(x, kernel)
    wanted = jax.grad(loss, (0, 1))(x.astype("float32"), kernel.astype("float32"))
    assert convolution(x, kernel).dtype == gradients[0].dtype == gradients[1].dtype == jnp.dtype(dtype)
    for got, want in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(got.astype("float32"), want, atol=0.02 * float(jnp.max(jnp.abs(want))))


def test_gradients_repeat_bit_for_bit():
    gradient = jax.jit(jax.grad(lambda k, x: jnp.sum(jnp.sin(convolution(x, k)))))
    x, kernel = numbers(32, 20, 20, 16), numbers(3, 3, 16, 8, seed=1)
    first = gradient(kernel, x)
    assert all(jnp.array_equal(first, gradient(kernel, x)) for _ in range(5))


@pytest.mark.parametrize("shape", [(4, 3), (4, 5, 3), (4, 5, 6, 3)])
@pytest.mark.parametrize("by_library", [False, True])
def test_add_bias(shape, by_library, monkeypatch):
    monkeypatch.setattr("cornu.kernels.convolution.sums_by_library", lambda: by_library)
    assert_same(lambda x, bias: add_bias(x, bias), lambda x, bias: x + bias, numbers(*shape), numbers(3, seed=1))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kernel": (3, 3, 2, 4)}, "3 channels .* takes 2"),
        ({"kernel": (3, 3, 4)}, "input of shape"),
        ({"kernel": (3, 3, 1, 4), "groups": 3}, "4 filters cannot be divided into groups=3"),
        ({"padding": "full"}, "padding='full'"),
        ({"strides": (1, 2, 3)}, r"strides=\(1, 2, 3\)"),
        ({"data_format": "NHWC"}, "data_format='NHWC'"),
    ],
)
def test_errors_name_what_came(change, words):
    arguments = {"kernel": (3, 3, 3, 4), **change}
    kernel = numbers(*arguments.pop("kernel"))
    with pytest.raises(ValueError, match=words):
        convolution(numbers(1, 6, 6, 3), kernel, **arguments)


def test_the_transposed_one_knows_no_causal_padding():
    with pytest.raises(ValueError, match="'valid' or 'same'"):
        transposed_convolution(numbers(1, 6, 3), numbers(3, 4, 3), padding="causal")
