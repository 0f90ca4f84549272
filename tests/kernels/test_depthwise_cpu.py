"""Depthwise convolutions on CPU equal XLA's own, with gradients of first and second order, over drawn arguments."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornu.kernels import depthwise_cpu
from cornu.kernels.compiler import plain_forms
from cornu.kernels.convolution import depthwise_convolution


def numbers(*shape, seed=0, dtype="float32"):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), dtype)


def everything(x, kernel, *arguments):
    """Return the outputs, both gradients, and both gradients of the norm of these."""

    def outputs(x, kernel):
        return depthwise_convolution(x, kernel, *arguments)

    def loss(x, kernel):
        return jnp.sum(jnp.sin(outputs(x, kernel)).astype(jnp.float32))

    def penalty(x, kernel):
        return sum(jnp.sum(each.astype(jnp.float32) ** 2) for each in jax.grad(loss, (0, 1))(x, kernel))

    return jax.jit(lambda *p: (outputs(*p), *jax.grad(loss, (0, 1))(*p), *jax.grad(penalty, (0, 1))(*p)))(x, kernel)


def assert_native(x, kernel, *arguments, tolerance=1e-5):
    got = everything(x, kernel, *arguments)
    with plain_forms():
        want = everything(x.astype("float32"), kernel.astype("float32"), *arguments)
    for ours, theirs in zip(got, want, strict=True):
        assert ours.shape == theirs.shape
        assert ours.dtype == x.dtype
        np.testing.assert_allclose(ours.astype("float32"), theirs, atol=tolerance * max(1.0, float(abs(theirs).max())))


@settings(max_examples=5, deadline=None)
@given(st.data())
def test_equals_xla(data):
    draw = data.draw
    rank = draw(st.integers(1, 2))
    window = draw(st.tuples(*[st.integers(1, 3)] * rank))
    dilation = draw(st.sampled_from([1, 2]))
    strides = draw(st.tuples(*[st.integers(1, 3)] * rank)) if dilation == 1 else 1
    space = [draw(st.integers((size - 1) * dilation + 1, 11)) for size in window]
    channels, multiplier = draw(st.integers(2, 5)), draw(st.integers(1, 3))
    data_format = draw(st.sampled_from(["channels_last", "channels_first"]))
    images = draw(st.integers(1, 9))
    shape = (images, *space, channels) if data_format == "channels_last" else (images, channels, *space)
    kernel = numbers(*window, channels, multiplier, seed=1) / np.sqrt(np.prod(window))
    padding = draw(st.sampled_from(["valid", "same"]))
    assert_native(numbers(*shape), kernel, strides, padding, dilation, data_format)


@pytest.mark.parametrize(
    ("shape", "window", "strides"),
    [
        ((2, 13, 12, 3), (9, 8), 1),  # more places than one loop adds
        ((2, 90, 2), (70,), 2),
        ((3, 37, 100, 40), (3, 3), 1),  # several blocks of rows, the last one not full
        ((5, 30, 50, 80), (2, 3), 2),
    ],
)
@pytest.mark.parametrize("vectorized", [True, False])  # the form for each JAX
def test_large_windows_and_images(shape, window, strides, vectorized, monkeypatch):
    monkeypatch.setattr(depthwise_cpu, "SLICES_ARE_VECTORIZED", vectorized)
    assert_native(numbers(*shape), numbers(*window, shape[-1], 1, seed=1) / np.prod(window), strides, "same")


@pytest.mark.parametrize(("dtype", "tolerance"), [("bfloat16", 2e-2), ("float16", 2e-3)])
def test_half_precision_stays_half(dtype, tolerance):
    x, kernel = numbers(4, 9, 8, 6, dtype=dtype), (numbers(3, 3, 6, 2, seed=1) / 3).astype(dtype)
    assert_native(x, kernel, 2, "same", tolerance=tolerance)


def test_vmap_equals_a_loop():
    x, kernels = numbers(2, 3, 8, 8, 4), numbers(2, 3, 3, 4, 1, seed=1)
    gradient = jax.grad(lambda kernel, x: jnp.sum(jnp.sin(depthwise_convolution(x, kernel))))
    wanted = jnp.stack([gradient(kernels[i], x[i]) for i in range(2)])
    np.testing.assert_allclose(jax.vmap(gradient)(kernels, x), wanted, atol=1e-4)


@pytest.mark.parametrize("shape", [(0, 5, 5, 3), (2, 2, 2, 3)])
def test_empty_batches_and_outputs(shape):
    assert depthwise_convolution(numbers(*shape), numbers(3, 3, 3, 1)).size == 0
