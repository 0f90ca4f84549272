"""Grouped and three-dimensional convolutions on CPU equal XLA's own, with gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu.kernels.compiler import plain_forms
from cornu.kernels.convolution import convolution

pytestmark = pytest.mark.usefixtures("without_native_kernels")


def numbers(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), "float32")


@pytest.mark.parametrize(
    ("shape", "window", "groups", "filters", "strides", "dilation"),
    [
        ((2, 7, 6, 12), (3, 2), 3, 6, 2, 1),
        ((2, 9, 80), (3,), 5, 10, 1, 2),  # two blocks do not divide five groups
        ((2, 6, 5, 96), (2, 3), 12, 24, 1, 1),  # three blocks of four groups
        ((2, 5, 6, 4, 6), (3, 2, 3), 3, 6, (2, 1, 2), 1),
        ((2, 9, 6, 7, 3), (3, 2, 2), 1, 4, 1, 2),
    ],
)
def test_equals_xla(shape, window, groups, filters, strides, dilation):
    x, kernel = numbers(*shape), numbers(*window, shape[-1] // groups, filters, seed=1) / np.prod(window)

    def everything(x, kernel):
        def outputs(x, kernel):
            return convolution(x, kernel, strides, "same", dilation, groups)

        return outputs(x, kernel), *jax.grad(lambda *p: jnp.sum(jnp.sin(outputs(*p))), (0, 1))(x, kernel)

    got = jax.jit(everything)(x, kernel)
    with plain_forms():
        want = jax.jit(lambda x, kernel: everything(x, kernel))(x, kernel)
    for ours, theirs in zip(got, want, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * max(1.0, float(abs(theirs).max())))
