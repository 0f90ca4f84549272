"""Convolutions of many channels by Winograd's form against XLA's own in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from cornu.kernels import winograd
from cornu.kernels.convolution import convolution
from cornu.kernels.geometry import Geometry

pytestmark = pytest.mark.usefixtures("without_native_kernels")

PLAIN = Geometry((1, 1), ((0, 0),) * 2, (1, 1), (1, 1))


def _arrays(rows, space, channels, filters, width=3):
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, *space, channels)).astype("float32")
    return x, random.normal(size=(3, width, channels, filters)).astype("float32")


def _exact(x, kernel, padding):
    with jax.enable_x64(True):
        wide = (jnp.asarray(each, "float64") for each in (x, kernel))
        return np.asarray(lax.conv_general_dilated(*wide, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("rows", "space", "width"), [(1, (10, 7), 3), (7, (10, 26), 1), (37, (13, 13), 3)])
def test_many_channels_are_as_exact_as_float32(monkeypatch, padding, rows, space, width):
    monkeypatch.setattr(winograd, "GROUP_BYTES", 1)
    monkeypatch.setattr(winograd, "LEAST_ROWS", 4)  # groups of four images, of which 7 and 37 are no multiples
    x, kernel = _arrays(rows, space, 32, 40, width)
    assert winograd.suits_convolution(x, kernel, PLAIN)
    want = _exact(x, kernel, padding.upper())
    found = convolution(jnp.asarray(x), jnp.asarray(kernel), padding=padding)
    assert found.shape == want.shape
    assert np.abs(found - want).max() < 4e-6 * np.abs(want).max()


def test_gradients_of_many_channels_and_their_gradients():
    x, kernel = map(jnp.asarray, _arrays(5, (9, 8), 32, 32))

    def own(x, kernel):
        return jnp.sum(jnp.sin(convolution(x, kernel) / 20))

    def reference(x, kernel):
        return jnp.sum(jnp.sin(lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=_numbers) / 20))

    _numbers = ("NHWC", "HWIO", "NHWC")

    def penalty(function):
        return lambda x, kernel: jnp.sum(jax.grad(function)(x, kernel) ** 2)

    for found, want in ((own, reference), (penalty(own), penalty(reference))):
        for one, other in zip(*(jax.jit(jax.grad(f, (0, 1)))(x, kernel) for f in (found, want)), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=2e-5 * np.abs(other).max())


@pytest.mark.parametrize(
    ("space", "channels", "geometry"),
    [
        ((9, 8), 31, PLAIN),  # too few channels
        ((5, 8), 32, PLAIN),  # three rows of outputs, a tile has four
        ((9, 8), 32, PLAIN._replace(strides=(2, 1))),
        ((9, 8), 32, PLAIN._replace(kernel_dilation=(1, 2))),
    ],
)
def test_other_convolutions_go_another_way(space, channels, geometry):
    assert not winograd.suits_convolution(*_arrays(1, space, channels, 32), geometry)
