"""Attention in blocks computes what the plain formula does, with memory that grows with the length alone."""

import functools
from unittest import mock

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import strategies as st

from cornu.kernels import attention
from cornu.kernels.attention import attend
from cornu.kernels.compiler import plain_forms

SMALL = {"WHOLE_BYTES": 0, "BLOCK_BYTES": 3000, "STRIPE": 4, "STRIPES": 3}


def plainly(query, key, value, mask, scale, empty_is_zero):
    """Return the formula as it is written: the memory of all scores, and all heads' keys."""
    times = query.shape[2] // key.shape[2]
    key, value = (jnp.repeat(each, times, axis=2) for each in (key, value))
    scores = jnp.where(mask, jnp.einsum("bqhd,bkhd->bhqk", query, key) * scale, attention.LOWEST)
    weights = jax.nn.softmax(scores)
    weights = jnp.where(mask, weights, 0) if empty_is_zero else weights
    return jnp.einsum("bhqk,bkhd->bqhd", weights, value)


@st.composite
def calls(draw):
    batch, queries, keys = draw(st.integers(1, 5)), draw(st.integers(1, 13)), draw(st.integers(1, 13))
    key_heads, group = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    random = np.random.default_rng(draw(st.integers(0, 9)))

    def array(*shape):
        return random.standard_normal(shape).astype("float32")

    heads = key_heads * group
    tensors = (array(batch, queries, heads, 4), array(batch, keys, key_heads, 4), array(batch, keys, key_heads, 3))
    mask = np.ones((batch, heads, queries, keys), bool)
    given = {}
    if draw(st.booleans()):
        given["query_mask"] = random.random((batch, queries)) < 0.7
        mask &= given["query_mask"][:, None, :, None]
    if draw(st.booleans()):
        given["key_mask"] = random.random((batch, keys)) < 0.5
        mask &= given["key_mask"][:, None, None, :]
    if draw(st.booleans()):
        shape = (draw(st.sampled_from((1, batch))), draw(st.sampled_from((1, heads))), queries, keys)
        given["mask"] = random.random(shape) < 0.8
        mask &= given["mask"]
    rules = {"causal": draw(st.booleans()), "window": draw(st.sampled_from((None, 1, 4)))}
    distance = np.arange(queries)[:, None] - np.arange(keys)
    if rules["causal"]:
        mask &= distance >= 0
    if rules["window"]:
        mask &= np.abs(distance) < rules["window"]
    return tensors, mask, given, rules | {"scale": 0.7, "empty_is_zero": draw(st.booleans())}


@pytest.mark.parametrize("blocks", [True, False])
@hypothesis.settings(max_examples=8)
@hypothesis.given(call=calls())
def test_outputs_and_gradients_are_those_of_the_formula(blocks, call):
    tensors, mask, given, rules = call
    with mock.patch.multiple(attention, **(SMALL if blocks else {"WHOLE_BYTES": 1 << 30})):
        ours = _with_gradients(functools.partial(attend.__wrapped__, **given, **rules), tensors)
    theirs = _with_gradients(lambda *tensors: plainly(*tensors, mask, rules["scale"], rules["empty_is_zero"]), tensors)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def _with_gradients(function, tensors):
    def scalar(*tensors):
        outputs = function(*tensors)
        return jnp.sum(outputs * jnp.cos(jnp.arange(outputs.size)).reshape(outputs.shape)), outputs

    gradients, outputs = jax.jit(
        jax.grad(scalar, (0, 1, 2), has_aux=True), compiler_options={"xla_backend_optimization_level": 0}
    )(*tensors)
    return [outputs, *gradients]


def tensors_of(*shape):
    return [np.random.default_rng(seed).standard_normal(shape).astype("float32") for seed in range(3)]


@pytest.mark.parametrize("causal", [False, True])
def test_memory_grows_with_the_length_and_not_with_its_square(causal):
    """The temporary memory of a training step, as the compiler plans it."""
    sizes = []
    for length in (1024, 2048, 4096):
        shape = jax.ShapeDtypeStruct((1, length, 4, 8), "float32")
        step = jax.jit(jax.grad(lambda *x: jnp.sum(attend(*x, scale=0.3, causal=causal)), (0, 1, 2)))
        sizes.append(step.lower(shape, shape, shape).compile().memory_analysis().temp_size_in_bytes)
    scores = 4 * 4 * 4096**2
    assert sizes[-1] < scores / 8
    assert sizes[2] < 2.5 * sizes[1] < 6.5 * sizes[0]


def test_dropout_does_not_depend_on_the_blocks():
    q, k, v = tensors_of(3, 9, 2, 4)
    key = jax.random.key(3, impl="rbg")
    call = functools.partial(attend.__wrapped__, q, k, v, random_key=key, scale=0.5, dropout=0.4, causal=True)
    whole = call()
    with mock.patch.multiple(attention, **SMALL):
        np.testing.assert_allclose(call(), whole, atol=1e-6)
    assert not np.allclose(whole, attend(q, k, v, scale=0.5, causal=True))
    many = np.stack(
        [attend(q, k, v, random_key=jax.random.key(n, impl="rbg"), scale=0.5, dropout=0.4) for n in range(200)]
    )
    np.testing.assert_allclose(many.mean(0), attend(q, k, v, scale=0.5), atol=0.45)


def test_a_sum_of_tanh_in_blocks():
    q, k, v = tensors_of(2, 11, 1, 4)
    weight = jnp.asarray([0.5, -1.0, 2.0, 1.0])

    def formula(q, k, v):
        scores = jnp.sum(jnp.tanh(q[:, :, None, 0] + k[:, None, :, 0]) * weight, -1)
        return (jax.nn.softmax(scores) @ v[:, :, 0])[:, :, None]

    with mock.patch.multiple(attention, **SMALL):
        ours = _with_gradients(functools.partial(attend.__wrapped__, tanh_weight=weight), (q, k, v))
    for one, other in zip(ours, _with_gradients(formula, (q, k, v)), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_bias_and_soft_cap_equal_those_of_the_formula_and_of_plain_forms():
    q, k, v = tensors_of(2, 7, 2, 4)
    bias = np.random.default_rng(9).standard_normal((1, 2, 7, 7)).astype("float32")
    call = functools.partial(attend.__wrapped__, q, k, v, bias, scale=0.5, soft_cap=2.0)
    scores = 2 * jnp.tanh(jnp.einsum("bqhd,bkhd->bhqk", q, k) * 0.5 / 2) + bias
    expected = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores), v)
    with mock.patch.multiple(attention, **SMALL):
        np.testing.assert_allclose(call(), expected, atol=1e-6)
        with plain_forms():
            np.testing.assert_allclose(call(), expected, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_short_numbers(dtype):
    q, k, v = tensors_of(2, 9, 2, 4)
    exact = attend(q, k, v, scale=0.5)
    found = attend(*(jnp.asarray(each, dtype) for each in (q, k, v)), scale=0.5)
    assert found.dtype == dtype
    np.testing.assert_allclose(np.asarray(found, "float32"), exact, atol=0.03)
