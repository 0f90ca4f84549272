"""Native statistics of channels against numpy in float64, their derivatives, and where they are used."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu import ops
from cornu.kernels import column_sums
from cornu.kernels.convolution import add_bias
from cornu.kernels.native import calls, channel_sums, library

SHAPES = [
    (64, 32, 32, 16),
    (300, 77, 3),
    (70_001, 1),
    (33, 33, 70),
    (3, 5, 4999),
    (9, 9001),
    (40, 41, 43, 1),
    (2, 40_000),
]


@pytest.fixture(scope="module", autouse=True)
def built():
    if not library.available(calls.LIBRARY):
        pytest.skip(f"native kernels: {library.described(calls.LIBRARY)}")


def _drawn(shape, mean=0.0):
    drawn = np.random.default_rng(len(shape))
    return [(drawn.normal(size=shape) + mean).astype("float32") for _ in range(2)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mean", [0.0, 100.0])
def test_statistics(shape, mean):
    a, b = _drawn(shape, mean)
    wide, other, axes = a.astype("float64"), b.astype("float64"), tuple(range(len(shape) - 1))
    count = a.size // shape[-1]
    found, variance = channel_sums.moments(jnp.asarray(a))
    np.testing.assert_allclose(found, wide.mean(axes), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(variance, wide.var(axes), rtol=1e-4 if mean else 2e-6, atol=(1e-7 * mean) ** 2)
    sums, products = channel_sums.sums_and_products(jnp.asarray(a), jnp.asarray(b))
    np.testing.assert_allclose(sums, wide.sum(axes), rtol=1e-6, atol=1e-6 * count)
    np.testing.assert_allclose(products, (wide * other).sum(axes), rtol=1e-6, atol=1e-6 * count)
    np.testing.assert_array_equal(channel_sums.sums(jnp.asarray(a)), sums)


def test_a_first_position_far_from_the_others_does_not_spoil_the_variance():
    x, _ = _drawn((512, 300))
    x[0] = 1e4
    found = channel_sums.moments(jnp.asarray(x))[1]
    np.testing.assert_allclose(found, x.astype("float64").var(0), rtol=1e-5)


@pytest.mark.parametrize("value", [3e19, -1e25, 1e30, np.inf, -np.inf, np.nan])
def test_variances_of_numbers_whose_squares_are_too_large(value):
    """They are those of numbers around zero; only in a channel with numbers that are not finite there are none."""
    x, _ = _drawn((300, 400, 3))
    x[..., 1] *= abs(value) / 1e3 if np.isfinite(value) else 1
    x[..., 1] += value if np.isfinite(value) else 0
    x[150, 200, 1] = value
    for found, want in zip(
        channel_sums.moments(jnp.asarray(x)), (jnp.mean(x, (0, 1)), jnp.var(x, (0, 1))), strict=True
    ):
        np.testing.assert_allclose(found, want, rtol=1e-3, atol=1e-6)


def test_variances_of_many_channels_with_few_positions_far_from_zero():
    x, _ = _drawn((15, 4999), 1e4)
    np.testing.assert_allclose(channel_sums.moments(jnp.asarray(x))[1], x.astype("float64").var(0), rtol=1e-4)


def _normalized(x, gamma, beta):
    mean, variance = ops.moments(x, (0, 1))
    y = ops.batch_normalization(x, mean, variance, -1, beta, gamma)
    return add_bias(jnp.tanh(y), beta)


def test_both_forms_agree_in_all_derivatives(monkeypatch):
    """The gradients of a gradient penalty pass through the derivatives of all sums."""
    x, weights = _drawn((40, 60, 30), 1.0)
    gamma, beta = weights[0, :2]

    def penalty(*arrays):
        loss = lambda *arrays: jnp.sum(jnp.sin(_normalized(*arrays)) * weights)  # noqa: E731
        gradients = jax.grad(loss, (0, 1, 2))(*arrays)
        return sum(jnp.sum(each**2) for each in gradients)

    def results():
        step = jax.jit(lambda *arrays: (_normalized(*arrays), *jax.grad(penalty, (0, 1, 2))(*arrays)))
        return step.lower(x, gamma, beta).as_text().count("@cornu_channel"), step(x, gamma, beta)

    calls_made, found = results()
    assert calls_made >= 4
    monkeypatch.setattr(library, "available", lambda _: False)
    jax.clear_caches()  # of inner programs that chose the native form
    calls_made, want = results()
    jax.clear_caches()
    assert not calls_made
    for one, other in zip(found, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=5e-5 * np.abs(other).max())


def _plain(x, gamma, beta):
    mean, variance = jnp.mean(x, (0, 1)), jnp.var(x, (0, 1))
    return jnp.tanh((x - mean) * jax.lax.rsqrt(variance + 1e-3) * gamma + beta) + beta


@pytest.mark.parametrize("moving", [(0,), (1,), (2,), (0, 1, 2)])
def test_forward_mode(moving):
    """Alone, over itself, over gradients and under them; `add_bias` has none."""
    x, weights = _drawn((40, 60, 30), 1.0)
    arrays = (jnp.asarray(x), *jnp.asarray(weights)[0, :2])
    random = np.random.default_rng(9)
    along = tuple(jnp.asarray(random.normal(size=arrays[place].shape), "float32") for place in moving)

    def derivatives(function):
        def loss(*moved):
            given = list(arrays)
            for place, each in zip(moving, moved, strict=True):
                given[place] = each
            return jnp.sum(jnp.sin(function(*given)) * weights)

        start = tuple(arrays[place] for place in moving)
        once = lambda *at: jax.jvp(loss, at, along)[1]  # noqa: E731
        return (
            jax.jit(once)(*start),
            jax.jvp(once, start, along)[1],
            *jax.jvp(jax.grad(loss, tuple(range(len(moving)))), start, along)[1],
            *jax.jit(jax.grad(once, tuple(range(len(moving)))))(*start),
            jax.vmap(lambda scale: jax.jvp(loss, start, tuple(scale * each for each in along))[1])(jnp.arange(3.0)),
            jax.linearize(loss, *start)[1](*along),
        )

    def native(x, gamma, beta):
        mean, variance = column_sums.channel_moments(x)
        return jnp.tanh(ops.batch_normalization(x, mean, variance, -1, beta, gamma)) + beta

    for one, other in zip(derivatives(native), derivatives(_plain), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-4 * np.abs(other).max())


def test_rules():
    large = jnp.zeros((64, 32, 32, 16))
    assert channel_sums.suits(large)
    assert not channel_sums.suits(large[:2])
    assert not channel_sums.suits(large.astype("bfloat16"))
    assert not channel_sums.suits(large.ravel())


def test_short_numbers_and_other_axes_take_xlas_sums():
    x, _ = _drawn((64, 64, 32))
    for given, axis in ((jnp.asarray(x), 1), (jnp.asarray(x, "bfloat16"), -1)):
        axes = [at for at in range(3) if at != axis % 3]
        mean, variance = ops.moments(given, axes)
        rtol = 1e-5 if given.dtype == jnp.float32 else 0.02
        np.testing.assert_allclose(mean.astype("float32"), x.mean(tuple(axes)), rtol=rtol, atol=1e-3)
        np.testing.assert_allclose(variance.astype("float32"), x.var(tuple(axes)), rtol=rtol)


def test_vmap():
    x, _ = _drawn((3, 50, 60, 30))
    found = jax.jit(jax.vmap(column_sums.channel_moments))(x)
    for one, want in zip(found, (x.mean((1, 2)), x.var((1, 2))), strict=True):
        np.testing.assert_allclose(one, want, rtol=1e-5, atol=1e-6)
