"""The product of dense layers: every form gives the product and its derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu.ops.compiler import plain_forms
from cornu.ops.products import NARROW, dense_product

random = np.random.default_rng(0)


@pytest.mark.parametrize("columns", [1, 2, 10, 31, 32])
@pytest.mark.parametrize("leading", [(6,), (3, 4)])
def test_product_and_gradients_are_those_of_matmul(columns, leading):
    x, w = random.normal(size=(*leading, 5)), random.normal(size=(5, columns))
    x, w = jnp.asarray(x, "float32"), jnp.asarray(w, "float32")
    np.testing.assert_allclose(dense_product(x, w), x @ w, rtol=1e-5, atol=1e-6)

    def loss(product):
        return lambda x, w: jnp.sum(jnp.sin(product(x, w)))

    for ours, wanted in zip(
        jax.grad(loss(dense_product), (0, 1))(x, w), jax.grad(loss(jnp.matmul), (0, 1))(x, w), strict=True
    ):
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-5)


def test_it_can_be_differentiated_forward_twice_and_mapped():
    x, w = jnp.ones((2, 3)), jnp.arange(12.0).reshape(3, 4)
    np.testing.assert_allclose(jax.jvp(lambda w: dense_product(x, w), (w,), (w,))[1], x @ w)
    hessian = jax.hessian(lambda w: jnp.sum(dense_product(x, w) ** 2))(w)
    np.testing.assert_allclose(hessian, jax.hessian(lambda w: jnp.sum((x @ w) ** 2))(w))
    mapped = jax.vmap(dense_product, (0, None))(jnp.stack([x, 2 * x]), w)
    np.testing.assert_allclose(mapped, jnp.stack([x @ w, 2 * x @ w]))


def test_mixed_types_are_promoted_and_plain_programs_have_the_plain_product():
    assert dense_product(jnp.ones((2, 3), "float32"), jnp.ones((3, 4), "bfloat16")).dtype == "float32"
    x, w = jnp.ones((2, 3)), jnp.ones((3, NARROW[0]))
    assert "optimization_barrier" in str(jax.make_jaxpr(dense_product)(x, w))
    with plain_forms():
        assert "optimization_barrier" not in str(jax.make_jaxpr(lambda x, w: dense_product(x, w))(x, w))
