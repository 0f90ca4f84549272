"""Means in steps and spread vectors: the same numbers and derivatives as in the plain forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu.kernels import column_sums
from cornu.kernels.column_sums import means, spread


@pytest.fixture(autouse=True, params=[False, True], ids=["own sums", "library"])
def sums(request, monkeypatch):
    """Take the forms for a jaxlib with a library of sums, and for one without."""
    monkeypatch.setattr(column_sums, "sums_by_library", lambda: request.param)


SHAPES = [(5, 4), (5, 3, 4), (5, 3, 2, 4), (0, 3, 4), (2, 3, 2, 2, 4)]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((5, 4), (0,)), ((1024, 4), (0,)), ((1021, 4), (0,)), ((5, 3, 4), (0, 1)), ((5, 3, 2, 4), (1, 2)),
        ((5, 3, 2, 4), (0, 2)), ((5, 3, 2, 4), (0, 1)), ((5, 3, 2, 4), (0, 1, 2)), ((5, 3, 2, 4), (0, 1, 2, 3)),
    ],
)  # fmt: skip
def test_means_are_those_of_one_step(shape, axes, dtype, keepdims):
    x = jnp.asarray(np.random.default_rng(0).normal(3, 1, shape), dtype)
    found = means(x, axes, keepdims)
    wanted = jnp.mean(x, axes, keepdims=keepdims)
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found.astype("float32"), wanted.astype("float32"), rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_derivatives_of_spread_vectors(shape):
    random = np.random.default_rng(1)
    vector, x = (jnp.asarray(random.normal(size=size), "float32") for size in (shape[-1], shape))

    def wanted(vector):
        return jnp.sum(jnp.sin(jnp.broadcast_to(vector, shape) * x))

    def found(vector):
        return jnp.sum(jnp.sin(spread(vector, shape) * x))

    np.testing.assert_array_equal(spread(vector, shape), jnp.broadcast_to(vector, shape))
    for derivative in (jax.grad, jax.jacfwd, jax.hessian, lambda f: jax.jacrev(jax.jacrev(f))):
        np.testing.assert_allclose(derivative(found)(vector), derivative(wanted)(vector), rtol=1e-5, atol=1e-5)
    many = jnp.stack([vector, 2 * vector])
    np.testing.assert_allclose(jax.vmap(jax.grad(found))(many), jax.vmap(jax.grad(wanted))(many), rtol=1e-5, atol=1e-5)
