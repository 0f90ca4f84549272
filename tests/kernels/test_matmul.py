"""The product of dense layers: every form gives the product and its derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu.kernels.compiler import plain_forms
from cornu.kernels.matmul import LARGE, NARROW, STRIDE, dense_product

random = np.random.default_rng(0)


@pytest.mark.parametrize(("features", "columns"), [(5, 1), (5, 2), (5, 10), (5, 31), (5, 32), (STRIDE, 16)])
@pytest.mark.parametrize("leading", [(6,), (3, 4)])
def test_product_and_gradients_are_those_of_matmul(features, columns, leading):
    _compare((*leading, features), columns)


@pytest.mark.parametrize(
    ("rows", "features", "columns"), [(8, 256, 256), (200, 256, 256), (8, STRIDE, 128), (100, 2048, 32)]
)
def test_large_kernels_have_the_same_product_and_gradients(rows, features, columns):
    _compare((rows, features), columns)


def _compare(shape, columns):
    x, w = random.normal(size=shape), random.normal(size=(shape[-1], columns)) / np.sqrt(shape[-1])
    x, w = jnp.asarray(x, "float32"), jnp.asarray(w, "float32")
    np.testing.assert_allclose(dense_product(x, w), x @ w, rtol=1e-5, atol=1e-6)

    def loss(product):
        return lambda x, w: jnp.sum(jnp.sin(product(x, w)))

    for ours, wanted in zip(
        jax.grad(loss(dense_product), (0, 1))(x, w), jax.grad(loss(jnp.matmul), (0, 1))(x, w), strict=True
    ):
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=2e-5)


def test_it_can_be_differentiated_forward_twice_and_mapped():
    for w in (jnp.arange(12.0).reshape(3, 4), jnp.arange(2.0**16).reshape(512, 128)):
        x = jnp.ones((2, len(w)))
        np.testing.assert_allclose(jax.jvp(lambda w, x=x: dense_product(x, w), (w,), (w,))[1], x @ w, rtol=1e-5)
        np.testing.assert_allclose(jax.jvp(lambda x, w=w: dense_product(x, w), (x,), (x,))[1], x @ w, rtol=1e-5)
        np.testing.assert_allclose(jax.jvp(dense_product, (x, w), (x, w))[1], 2 * x @ w, rtol=1e-5)
    x, w = jnp.ones((2, 3)), jnp.arange(120.0).reshape(3, 40)
    hessian = jax.hessian(lambda w: jnp.sum(dense_product(x, w) ** 2))(w)
    np.testing.assert_allclose(hessian, jax.hessian(lambda w: jnp.sum((x @ w) ** 2))(w))
    mapped = jax.vmap(dense_product, (0, None))(jnp.stack([x, 2 * x]), w)
    np.testing.assert_allclose(mapped, jnp.stack([x @ w, 2 * x @ w]))


def test_mixed_types_are_promoted_and_plain_programs_have_the_plain_product():
    assert dense_product(jnp.ones((2, 3), "float32"), jnp.ones((3, 4), "bfloat16")).dtype == "float32"
    for columns in (NARROW[0], LARGE // STRIDE):
        x, w = jnp.ones((2, STRIDE)), jnp.ones((STRIDE, columns))

        def gradient(x, w):
            return jax.grad(lambda x, w: dense_product(x, w).sum(), (0, 1))(x, w)

        assert "optimization_barrier" in str(jax.make_jaxpr(gradient)(x, w))
        with plain_forms():
            assert "optimization_barrier" not in str(jax.make_jaxpr(lambda x, w: gradient(x, w))(x, w))


def test_a_product_whose_inputs_are_fixed_has_no_gradient_for_them():
    x, w = jnp.ones((2, STRIDE)), jnp.ones((STRIDE, LARGE // STRIDE))
    found = str(jax.make_jaxpr(jax.grad(lambda w: dense_product(x, w).sum()))(w))
    assert found.count("dot_general") == 2
